package postgres_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// patience is how long something that must happen is waited for.
const patience = 2 * time.Minute

// A stepper makes steps of a company whose effects can be counted.
type stepper struct {
	*postgres.Store
	pool                   *pgxpool.Pool // that the steps use
	schema, company, agent string
	past                   atomic.Int64 // how many steps of load have come to an end
}

// newStepper makes a store, and its first company, on a pool.
func newStepper(t testing.TB, pool *pgxpool.Pool) *stepper {
	t.Helper()
	st := open(t, pool)
	return firstCompany(t, st.Store, pool, st.name)
}

func firstCompany(t testing.TB, st *postgres.Store, pool *pgxpool.Pool, schema string) *stepper {
	t.Helper()
	s := &stepper{Store: st, pool: pool, schema: schema, company: id.New(id.Company), agent: id.New(id.Agent)}
	if _, err := s.FirstCompany(t.Context(), store.Commit{Company: s.company}, access.Company{
		ID: s.company, Name: "First", DefaultAgent: s.agent, CreatedAt: now(),
	}); err != nil {
		t.Fatal(err)
	}
	return s
}

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// newConfig is the configuration of a pool on a URL.
func newConfig(t testing.TB, url string) *pgxpool.Config {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// connectPool makes a pool that is closed with the test.
func connectPool(t testing.TB, config *pgxpool.Config) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

// connect makes a connection that is closed with the test.
func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close(context.Background()) })
	return c
}

// kinds are the steps that [stepper.step] makes: each queues one job with its name.
var kinds = []string{"enqueue", "write", "begin"}

// step makes a step of a kind under a name.
func (s *stepper) step(ctx context.Context, kind, name string) error {
	c := store.Commit{Company: s.company, Work: []store.Work{{ID: name, Queue: "steps", Key: name[:1]}}}
	switch kind {
	case "enqueue":
		return s.Enqueue(ctx, c)
	case "write":
		_, err := s.WriteDocuments(ctx, c, []knowledge.Write{document(name)})
		return err
	}
	c.Events = []event.Event{
		{ID: id.New(id.Event), Type: event.ConversationStarted, CreatedAt: now()},
		{ID: id.New(id.Event), Type: event.MessageReceived, CreatedAt: now()},
	}
	_, err := s.BeginTurn(ctx, c, agent.Begin{
		Message: agent.Message{
			ID: id.New(id.Message), AgentID: s.agent, Text: "When do you open?", User: agent.User{ID: name}, CreatedAt: now(),
		},
		NewConversation: id.New(id.Conversation), ReplyID: id.New(id.Message), Worker: "worker", Lease: time.Hour,
	})
	return err
}

// document is a document of two passages with an external id.
func document(name string) knowledge.Write {
	return knowledge.Write{
		Document: knowledge.Document{
			Kind: knowledge.KindUpload, Title: "Page", ExternalID: name, Text: "One.\nTwo.", Format: knowledge.Text,
			State: knowledge.StateReady, CreatedAt: now(), UpdatedAt: now(),
		},
		NewID:    id.New(id.Document),
		Hash:     sha256.Sum256([]byte(name)),
		TextHash: sha256.Sum256([]byte("One.\nTwo.")),
		Passages: []knowledge.Passage{
			{Ref: knowledge.Ref{Ordinal: 0}, Start: 0, End: 4, Text: "One."},
			{Ref: knowledge.Ref{Ordinal: 1}, Start: 5, End: 9, Text: "Two."},
		},
	}
}

// traces are what a step of each kind leaves, with the name of the step, and how
// much of it.
var traces = map[string][]struct {
	query string
	want  int
}{
	"enqueue": nil,
	"write": {
		{`SELECT external_id, count(*) FROM %s.documents GROUP BY 1`, 1},
		{`SELECT external_id, count(*) FROM %s.documents d JOIN %[1]s.passages p ON p.document_id = d.id GROUP BY 1`, 2},
		{`SELECT external_id, count(*) FROM %s.documents d JOIN %[1]s.knowledge_changes k ON k.document_id = d.id GROUP BY 1`, 1},
		{`SELECT external_id, count(*) FROM %s.documents d JOIN %[1]s.events e ON e.stream = d.id GROUP BY 1`, 1},
	},
	"begin": {
		{`SELECT user_id, count(*) FROM %s.conversations GROUP BY 1`, 1},
		{`SELECT user_id, count(*) FROM %s.messages GROUP BY 1`, 1},
		{`SELECT user_id, count(*) FROM %s.conversations c JOIN %[1]s.events e ON e.stream = c.id GROUP BY 1`, 2},
	},
}

// A made step, and what became of it.
type made struct {
	kind, name string
	err        error
}

// judge fails the test unless every step that was acknowledged is there once, all
// of it, and nothing is there of one that was refused. It counts the
// acknowledged, the refused and those that nobody can know of.
func (s *stepper) judge(t testing.TB, look *pgx.Conn, steps []made) (acked, refused, unknown int) {
	t.Helper()
	jobs := counts(t, look, fmt.Sprintf(`SELECT id, count(*) FROM %s.work_jobs GROUP BY 1`, s.schema))
	left := map[string][]map[string]int{}
	for kind, list := range traces {
		for _, trace := range list {
			left[kind] = append(left[kind], counts(t, look, fmt.Sprintf(trace.query, s.schema)))
		}
	}
	for _, m := range steps {
		n := jobs[m.name]
		switch {
		case m.err == nil:
			acked++
			if n != 1 {
				t.Errorf("%s %s was acknowledged and is there %d times", m.kind, m.name, n)
			}
		case errors.Is(m.err, postgres.ErrUnknown):
			unknown++
			if n > 1 {
				t.Errorf("%s %s is there %d times", m.kind, m.name, n)
			}
		default:
			refused++
			if n != 0 {
				t.Errorf("%s %s was refused with %v, and is there %d times", m.kind, m.name, m.err, n)
			}
		}
		for i, trace := range traces[m.kind] {
			if got := left[m.kind][i][m.name]; got != n*trace.want {
				t.Errorf("%s %s, which is there %d times (%v), has left %d of %s", m.kind, m.name, n, m.err, got, trace.query)
			}
		}
	}
	return acked, refused, unknown
}

func counts(t testing.TB, c *pgx.Conn, query string) map[string]int {
	t.Helper()
	rows, err := c.Query(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	var (
		name string
		n    int
	)
	if _, err := pgx.ForEachRow(rows, []any{&name, &n}, func() error { out[name] = n; return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// load makes steps in some goroutines until ctx ends, and returns them all.
func (s *stepper) load(ctx context.Context, workers int, label string) (steps []made) {
	var (
		mu sync.Mutex
		wg sync.WaitGroup
	)
	for worker := range workers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				m := made{kind: kinds[n%len(kinds)], name: fmt.Sprintf("%d %s %d", worker, label, n)}
				m.err = s.step(context.WithoutCancel(ctx), m.kind, m.name)
				s.past.Add(1)
				mu.Lock()
				steps = append(steps, m)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return steps
}

// until waits for something to become true.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// atRest fails the test unless no connection of a pool is in use, nor in a
// transaction.
func atRest(t testing.TB, pool *pgxpool.Pool, look *pgx.Conn) {
	t.Helper()
	// One that is being closed is still counted.
	until(t, "no connection in use", func() bool { return pool.Stat().AcquiredConns() == 0 })
	until(t, "no transaction open", func() bool {
		var n int
		if err := look.QueryRow(context.Background(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n == 0
	})
}
