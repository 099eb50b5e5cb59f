package agent_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"iter"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// answering is an [agent.Answerer] made of a function that says its parts.
type answering func(ctx context.Context, q agent.Question, say func(agent.Part)) error

func (f answering) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		left := false
		err := f(ctx, q, func(p agent.Part) { left = left || !yield(p, nil) })
		if err != nil && !left {
			yield(agent.Part{}, err)
		}
	}
}

// calls is an answerer that makes some calls, in rounds, and says what came of them.
// After a take-over it goes on with the round after the last.
func calls(rounds ...[]agent.Asked) answering {
	return func(ctx context.Context, q agent.Question, say func(agent.Part)) error {
		all := q.Called
		done := 0
		if n := len(all); n > 0 {
			done = all[n-1].Round
		}
		for _, round := range rounds[min(done, len(rounds)):] {
			made, err := q.Call(ctx, round)
			if err != nil {
				return err
			}
			all = append(all, made...)
		}
		for _, c := range all {
			say(agent.Part{Text: c.Name + " " + string(c.State) + " " + string(c.Result) + c.Error + "\n"})
		}
		return nil
	}
}

func ask(name, arguments string) agent.Asked {
	return agent.Asked{Name: name, Arguments: json.RawMessage(arguments)}
}

type order struct {
	Order string `json:"order" jsonschema:"the number on the receipt"`
}

// orderTool looks orders up with a function.
func orderTool(t testing.TB, name string, fn func(context.Context, order) (string, error), o *agent.ToolOptions) agent.Tool {
	t.Helper()
	tool, err := agent.NewTool(name, "Looks an order up.", fn, o)
	if err != nil {
		t.Fatal(err)
	}
	return tool
}

func shipped(context.Context, order) (string, error) { return "shipped", nil }

// withTools are parts of a desk with tools.
func withTools(a agent.Answerer, tools ...agent.Tool) parts {
	return parts{Answerer: a, Options: agent.Options{Tools: tools}}
}

// states returns the states of calls, in their order.
func states(calls []agent.ToolCall) (out []agent.CallState) {
	for _, c := range calls {
		out = append(out, c.State)
	}
	return out
}

// allEnded fails unless each call has ended, has a result or an error, and is on
// record as the reply has it.
func allEnded(t testing.TB, d *desk, calls []agent.ToolCall) {
	t.Helper()
	for _, c := range calls {
		if !c.State.Ended() || (len(c.Result) > 0) == (c.Error != "") || c.EndedAt.IsZero() {
			t.Errorf("call %s = %s with the result %s and the error %q at %v, want it ended with one of the two", c.Name, c.State, c.Result, c.Error, c.EndedAt)
		}
		on, err := d.conversations().ToolCall(t.Context(), c.ID)
		if err != nil || on.State != c.State || string(on.Result) != string(c.Result) {
			t.Errorf("ToolCall(%s) = %s, %v, want %s", c.ID, on.State, err, c.State)
		}
	}
}

// waitingCall returns the id of the call that a stream tells waits, and a channel of
// how the turn ended.
func (d *desk) startWaiting(t testing.TB, m agent.Message) (callID string, wait func() (agent.Reply, error)) {
	t.Helper()
	s, err := d.agent().Start(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for ev, err := range d.conversations().Watch(t.Context(), s.ReplyID, 0) {
		if err != nil {
			t.Fatalf("Watch = error %v, want a call that waits", err)
		}
		if ev.Type == agent.ToolWaiting {
			callID = ev.ToolCall.ID
			break
		}
	}
	if callID == "" {
		t.Fatal("the turn ended, and no call has waited")
	}
	return callID, func() (agent.Reply, error) { return d.conversations().Wait(t.Context(), s.ReplyID) }
}

// A dyingStore is the store of a process that is lost at some moment: from then on it
// reaches nothing.
type dyingStore struct {
	agent.Store
	dead  atomic.Bool
	mu    sync.Mutex
	steps []agent.Step // recorded
	die   func(n int, s agent.Step) bool
}

func (s *dyingStore) RecordStep(ctx context.Context, c store.Commit, t agent.TurnRef, steps ...agent.Step) error {
	if s.dead.Load() {
		return store.ErrUnavailable
	}
	err := s.Store.RecordStep(ctx, c, t, steps...)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range steps {
		s.steps = append(s.steps, st)
		if s.die != nil && s.die(len(s.steps), st) {
			s.dead.Store(true)
			return store.ErrUnavailable
		}
	}
	return err
}

func (s *dyingStore) RenewTurn(ctx context.Context, company string, t agent.TurnRef, lease time.Duration) error {
	if s.dead.Load() {
		return store.ErrUnavailable
	}
	return s.Store.RenewTurn(ctx, company, t, lease)
}

func (s *dyingStore) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	if s.dead.Load() {
		return store.ErrUnavailable
	}
	return s.Store.EndTurn(ctx, c, t, e)
}

func (s *dyingStore) RecordedCall(ctx context.Context, company, id string) (agent.RecordedCall, error) {
	if s.dead.Load() {
		return agent.RecordedCall{}, store.ErrUnavailable
	}
	return s.Store.RecordedCall(ctx, company, id)
}

// patch changes the settings of the default agent.
func (d *desk) patch(t testing.TB, change func(*agent.Settings)) {
	t.Helper()
	a, err := d.Agents(d.company).Get(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	change(&a.Settings)
	if _, err := d.Agents(d.company).Update(t.Context(), a); err != nil {
		t.Fatal(err)
	}
}

func has[T comparable](t testing.TB, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

var errBroken = errors.New("the warehouse does not answer")

// newLost returns how to make a desk of a process that is lost when its store says so.
func newLost(t testing.TB) (with func(parts) *desk, kept *dyingStore) {
	t.Helper()
	kept = &dyingStore{}
	return func(p parts) *desk {
		t.Helper()
		p.store = func(st *sqlite.Store) agent.Store {
			kept.Store = st
			return kept
		}
		return newDesk(t, p, hours)
	}, kept
}

// lastReply returns the reply of the one conversation there is.
func lastReply(t testing.TB, d *desk) agent.Reply {
	t.Helper()
	page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
	if err != nil || len(page.Data) != 1 {
		t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
	}
	messages := d.messages(t, page.Data[0].ID)
	m := messages[len(messages)-1]
	if m.Reply == nil {
		t.Fatalf("the conversation ends with %q, want a reply", m.Text)
	}
	return *m.Reply
}

// lentStore returns a store on a handle of the host's, with a table of the host's own.
func lentStore(t testing.TB) (*sql.DB, *sqlite.Store) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(t.TempDir(), "host.db")+
		"?_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=busy_timeout(5000)&_pragma=secure_delete(1)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	st, err := sqlite.New(t.Context(), db, nil)
	if err == nil {
		_, err = db.Exec(`CREATE TABLE refunds (call TEXT PRIMARY KEY)`)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(st.Close(), db.Close()); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return db, st
}
