package answerdesk_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

const whenOpen = "When do you open?"

var openAtNine = knowledge.Document{Title: "Hours", ExternalID: "hours", Text: "We open at nine in the morning."}

// open opens a desk that is closed when the test ends.
func open(t *testing.T, dir string, opts *answerdesk.Options) *answerdesk.Desk {
	t.Helper()
	d, err := answerdesk.Open(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	})
	return d
}

// What was acknowledged is there when the folder is opened again.
func TestReopen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	first := open(t, dir, nil)
	if _, err := first.Knowledge().Put(t.Context(), openAtNine); err != nil {
		t.Fatal(err)
	}
	reply := agenttest.MustAnswer(t, first.Agent(""), whenOpen, "Hours", "at nine")
	id := first.ID()
	if err := errors.Join(first.Close(), first.Close()); err != nil {
		t.Errorf("Close, twice = %v, want nil", err)
	}
	if _, err := first.Agent("").Ask(t.Context(), agent.Message{Text: whenOpen}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Ask of a closed desk = error %v, want %v", err, store.ErrUnavailable)
	}

	again := open(t, dir, nil)
	if again.ID() != id {
		t.Errorf("the first company is %s, want %s as before", again.ID(), id)
	}
	if m, err := again.Conversations().Message(t.Context(), reply.ID); err != nil || m.Text != reply.Text {
		t.Errorf("Message(%s) = %q, %v, want %q", reply.ID, m.Text, err, reply.Text)
	}
	agenttest.MustAnswer(t, again.Agent(""), whenOpen, "Hours", "at nine")
}

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no folder"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := answerdesk.Open(t.Context(), file, nil); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Open(%s) = error %v, want one that names it", file, err)
	}
	empty := filepath.Join(t.TempDir(), "empty")
	if _, err := answerdesk.Open(t.Context(), empty, &answerdesk.Options{Migrate: store.MigrateCheck}); err == nil || !strings.Contains(err.Error(), empty) {
		t.Errorf("Open(%s) of a desk that must be there = error %v, want one that names it", empty, err)
	}
	if _, err := os.Stat(empty); err == nil {
		t.Errorf("Open made the folder of a desk that must be there")
	}
}

// A store that was lent is the caller's to close.
func TestNewOnAStore(t *testing.T) {
	st, err := sqlite.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	d, err := answerdesk.New(t.Context(), st, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Agent("").Ask(t.Context(), agent.Message{Text: whenOpen}); !errors.Is(err, agent.ErrDraining) {
		t.Errorf("Ask of a closed desk = error %v, want %v", err, agent.ErrDraining)
	}
	if c, err := st.Company(t.Context(), d.ID()); err != nil || c.ID != d.ID() {
		t.Errorf("the store after Close = %v, %v, want it open", c, err)
	}
}

// Two desks on one folder, as two processes have them: what one writes the other
// finds, and what one deletes the other finds no more, from the moment the call
// returned.
func TestTwoDesksOnAFolder(t *testing.T) {
	dir := t.TempDir()
	here, there := open(t, dir, nil), open(t, dir, nil)
	agenttest.MustRefuse(t, there.Agent(""), whenOpen) // its index is loaded
	for range 3 {
		doc, err := here.Knowledge().Put(t.Context(), openAtNine)
		if err != nil {
			t.Fatal(err)
		}
		agenttest.MustAnswer(t, there.Agent(""), whenOpen, "Hours", "nine")
		if _, err := here.Knowledge().Put(t.Context(), knowledge.Document{ID: doc.ID, Title: "Hours", Text: "We open at ten in the morning."}); err != nil {
			t.Fatal(err)
		}
		agenttest.MustAnswer(t, there.Agent(""), whenOpen, "Hours", "ten")
		if _, err := here.Knowledge().Delete(t.Context(), doc.ID); err != nil {
			t.Fatal(err)
		}
		agenttest.MustRefuse(t, there.Agent(""), whenOpen)
	}
}

func TestCompanies(t *testing.T) {
	d := agenttest.Desk(t, openAtNine)
	c, err := d.Companies().Create(t.Context(), "Boats")
	if err != nil {
		t.Fatal(err)
	}
	boats := d.Company(c.ID)
	if got := d.Company(strings.ToUpper(c.ID)).ID(); got != boats.ID() || got != c.ID {
		t.Errorf("Company(%s).ID() = %s, want %s", strings.ToUpper(c.ID), got, c.ID)
	}
	agenttest.MustRefuse(t, boats.Agent(""), whenOpen)
	if _, err := boats.Knowledge().Put(t.Context(), knowledge.Document{Title: "Boats", Text: "We open at ten, at the lake."}); err != nil {
		t.Fatal(err)
	}
	agenttest.MustAnswer(t, boats.Agent(""), whenOpen, "Boats", "ten")
	agenttest.MustAnswer(t, d.Agent(""), whenOpen, "Hours", "nine")
	if a, err := boats.Agents().Get(t.Context(), ""); err != nil || a.Name != "Boats" || !a.Default || a.ID != c.DefaultAgent {
		t.Errorf("the default agent = %+v, %v, want one with the company's name", a, err)
	}
	if _, err := d.Agent(c.DefaultAgent).Ask(t.Context(), agent.Message{Text: whenOpen}); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Ask of another company's agent = error %v, want %v", err, store.ErrNotFound)
	}

	if err := d.Companies().Delete(t.Context(), c.ID); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{c.ID, "cmp_nobody", "", "\xff"} {
		gone := d.Company(id)
		for name, call := range map[string]func() error{
			"Ask": func() error { _, err := gone.Agent("").Ask(t.Context(), agent.Message{Text: whenOpen}); return err },
			"Search": func() error {
				_, err := gone.Knowledge().Search(t.Context(), knowledge.Query{Text: "open"})
				return err
			},
			"Put":    func() error { _, err := gone.Knowledge().Put(t.Context(), openAtNine); return err },
			"Create": func() error { _, err := gone.Agents().Create(t.Context(), agent.Settings{Name: "A"}); return err },
		} {
			if err := call(); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%s of company %q = error %v, want %v", name, id, err, store.ErrNotFound)
			}
		}
	}
}

// A subscription sees every event once, in order, also those that come while it
// waits, and goes on from a cursor.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := agenttest.Desk(t, openAtNine)
		other, err := d.Companies().Create(t.Context(), "Other")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var types []event.Type
		var cursor string
		var ended error
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ev, err := range d.Events(ctx, "") {
				if err != nil {
					ended = err
					continue
				}
				if ev.Company != d.ID() {
					t.Errorf("event %+v is of company %s, want %s alone", ev, ev.Company, d.ID())
				}
				types = append(types, ev.Type)
				if len(types) == 2 {
					cursor = ev.Cursor
				}
			}
		}()
		synctest.Wait() // it has read what there was, and waits
		if _, err := d.Company(other.ID).Knowledge().Put(t.Context(), openAtNine); err != nil {
			t.Fatal(err)
		}
		reply := agenttest.MustAnswer(t, d.Agent(""), whenOpen, "Hours", "nine")
		if _, err := d.Conversations().Delete(t.Context(), reply.ConversationID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		cancel()
		<-done
		want := []event.Type{event.AgentCreated, event.ContentCreated, event.ConversationStarted, event.MessageReceived, event.MessageSent, event.ConversationDeleted}
		if strings.Join(texts(types), " ") != strings.Join(texts(want), " ") || !errors.Is(ended, context.Canceled) {
			t.Errorf("events = %v, then %v, want %v, then %v", types, ended, want, context.Canceled)
		}

		var again []event.Type
		for ev, err := range d.Events(t.Context(), cursor) {
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, ev.Type)
			if len(again) == len(want)-2 {
				break
			}
		}
		if strings.Join(texts(again), " ") != strings.Join(texts(want[2:]), " ") {
			t.Errorf("events after the second one = %v, want %v", again, want[2:])
		}
		for _, err := range d.Events(t.Context(), "no cursor!") {
			if err == nil || !strings.Contains(err.Error(), "no cursor!") {
				t.Errorf("events after a cursor that was never given out = error %v, want one that names it", err)
			}
		}
	})
}

func texts(types []event.Type) []string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = string(t)
	}
	return out
}

// Many events, more than are read at a time, come all and in order.
func TestManyEvents(t *testing.T) {
	d := agenttest.Desk(t)
	const n = 700
	docs := make([]knowledge.Document, n)
	for i := range docs {
		docs[i] = knowledge.Document{Text: "We open at nine."}
	}
	out, err := d.Knowledge().PutAll(t.Context(), docs...)
	if err != nil {
		t.Fatal(err)
	}
	at := -1 // the agent's comes first
	for ev, err := range d.Events(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if at >= 0 && ev.Refs.DocumentID != out[at].ID {
			t.Fatalf("event %d is of %s, want %s", at, ev.Refs.DocumentID, out[at].ID)
		}
		if at++; at == n {
			break
		}
	}
}

// Run takes over the turns of processes that were lost, and ends with its
// context.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		killed := open(t, dir, &answerdesk.Options{Answerer: agenttest.Script(func(context.Context, agent.Question) (agent.Part, error) {
			runtime.Goexit() // the nearest to a killed process that a test has
			return agent.Part{}, nil
		})})
		if _, err := killed.Knowledge().Put(t.Context(), openAtNine); err != nil {
			t.Fatal(err)
		}
		m := agent.Message{Text: whenOpen, User: agent.User{ID: "u"}}
		if _, err := killed.Agent("").Ask(t.Context(), m); err == nil {
			t.Fatal("the turn was not lost")
		}

		d := open(t, dir, nil)
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- d.Run(ctx) }()
		time.Sleep(15 * time.Second)
		page, err := d.Conversations().List(t.Context(), agent.ConversationFilter{UserID: "u"}, store.Page{})
		if err != nil || len(page.Data) != 1 || page.Data[0].Running {
			t.Fatalf("List = %+v, %v, want one conversation whose turn has ended", page.Data, err)
		}
		messages, err := d.Conversations().Messages(t.Context(), page.Data[0].ID, store.Page{})
		if err != nil || len(messages.Data) != 2 || !strings.Contains(messages.Data[0].Text, "nine") {
			t.Errorf("Messages = %+v, %v, want the reply by the desk that runs", messages.Data, err)
		}
		time.Sleep(time.Minute) // the store is tidied up too
		if info, err := os.Stat(filepath.Join(dir, sqlite.FileName+"-wal")); err != nil || info.Size() > 0 {
			t.Errorf("the write-ahead log after a quiet minute: %v, %v, want it empty", info, err)
		}
		cancel()
		if err := <-ran; err != nil {
			t.Errorf("Run = %v, want nil when its context ends", err)
		}
	})
}

// Close waits for turns that run, for as long as it may, and has what it cut
// short on record.
func TestCloseWaits(t *testing.T) {
	for _, tt := range []struct {
		name    string
		answers time.Duration
		want    time.Duration
		failure string
	}{
		{"long enough", 2 * time.Second, 2 * time.Second, ""},
		{"too long", time.Hour, 3 * time.Second, "interrupted"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				release := make(chan struct{})
				d := open(t, dir, &answerdesk.Options{
					Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine.")), DrainTimeout: 3 * time.Second,
				})
				if _, err := d.Knowledge().Put(t.Context(), openAtNine); err != nil {
					t.Fatal(err)
				}
				go func() { _, _ = d.Agent("").Ask(t.Context(), agent.Message{Text: whenOpen}) }()
				synctest.Wait()
				timer := time.AfterFunc(tt.answers, func() { close(release) })
				begun := time.Now()
				if err := d.Close(); err != nil || time.Since(begun) != tt.want {
					t.Errorf("Close = %v after %v, want nil after %v", err, time.Since(begun), tt.want)
				}
				timer.Stop()

				again := open(t, dir, nil)
				page, err := again.Conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
				if err != nil || len(page.Data) != 1 {
					t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
				}
				messages, err := again.Conversations().Messages(t.Context(), page.Data[0].ID, store.Page{})
				if err != nil || len(messages.Data) != 2 || messages.Data[0].Reply.Failure != tt.failure {
					t.Errorf("Messages = %+v, %v, want a reply with the failure %q", messages.Data, err, tt.failure)
				}
			})
		})
	}
}

// A company too large for the memory of indexes is refused by name; others are
// answered.
func TestIndexMemory(t *testing.T) {
	d := agenttest.DeskWith(t, &answerdesk.Options{IndexMemory: 64 << 10}, openAtNine)
	c, err := d.Companies().Create(t.Context(), "Large")
	if err != nil {
		t.Fatal(err)
	}
	docs := make([]knowledge.Document, 1000)
	for i := range docs {
		docs[i].Text = fmt.Sprintf("We open at nine, not %d. Door%x, gate%x, hall%x.", i, i, i, i)
	}
	if _, err := d.Company(c.ID).Knowledge().PutAll(t.Context(), docs...); err != nil {
		t.Fatal(err)
	}
	_, err = d.Company(c.ID).Agent("").Ask(t.Context(), agent.Message{Text: whenOpen})
	if !errors.Is(err, knowledge.ErrTooLarge) || !strings.Contains(err.Error(), c.ID) || !strings.Contains(err.Error(), "IndexMemory") {
		t.Errorf("Ask = error %v, want %v that names the company and the option", err, knowledge.ErrTooLarge)
	}
	agenttest.MustAnswer(t, d.Agent(""), whenOpen, "Hours", "nine")
}
