package postgres_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// deadlocks counts the statements that the server ended a deadlock with.
type deadlocks struct{ n atomic.Int64 }

func (d *deadlocks) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	return ctx
}

func (d *deadlocks) TraceQueryEnd(_ context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	if postgres.Code(data.Err) == "40P01" {
		d.n.Add(1)
	}
}

// newWatched is a stepper whose deadlocks are counted, and must be none.
func newWatched(t *testing.T) *stepper {
	t.Helper()
	met := &deadlocks{}
	config := newConfig(t, pgtest.Database(t))
	config.ConnConfig.Tracer, config.MaxConns = met, 16
	s := newStepper(t, connectPool(t, config))
	t.Cleanup(func() {
		if n := met.n.Load(); n > 0 {
			t.Errorf("%d steps met in a deadlock: each was made again after the second that the server takes to see it", n)
		}
	})
	return s
}

// atOnce calls functions at once, and fails the test if one returns an error.
func atOnce(t *testing.T, fns ...func() error) {
	t.Helper()
	var wg sync.WaitGroup
	for _, fn := range fns {
		wg.Go(func() {
			if err := fn(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// Commits with the same streams and keys in opposite orders wait for each other, one
// for the other, and never both.
func TestNoDeadlockOfCommits(t *testing.T) {
	s := newWatched(t)
	commit := func(work, reverse bool) error {
		cm := store.Commit{Company: s.company}
		for i := range 12 {
			if work {
				cm.Work = append(cm.Work, store.Work{ID: id.New(id.Work), Queue: "runs", Key: fmt.Sprint("key ", i)})
			} else {
				cm.Events = append(cm.Events, event.Event{ID: id.New(id.Event), Type: "a.b", Stream: fmt.Sprint("stream ", i), CreatedAt: now()})
			}
		}
		if reverse {
			slices.Reverse(cm.Events)
			slices.Reverse(cm.Work)
		}
		return s.Enqueue(t.Context(), cm)
	}
	for i := range 12 {
		work := i%2 == 0
		atOnce(t, func() error { return commit(work, false) }, func() error { return commit(work, true) },
			func() error { return commit(work, false) }, func() error { return commit(work, true) })
	}
}

// A conversation and the document that its replies cite are deleted at once, after
// some of these were rated. Rows that were changed lie elsewhere in the table than
// they did: what is locked row by row is locked in the order of a key.
func TestNoDeadlockOfDeletes(t *testing.T) {
	s, ctx := newWatched(t), t.Context()
	for range 8 {
		const body = "The lamp costs 40 euros."
		w := knowledge.Write{
			Document: knowledge.Document{Kind: knowledge.KindUpload, Text: body, State: knowledge.StateReady, CreatedAt: now(), UpdatedAt: now()},
			NewID:    id.New(id.Document), Hash: sha256.Sum256([]byte(body)), TextHash: sha256.Sum256([]byte(body)),
			Passages: []knowledge.Passage{{End: len(body), Text: body}},
		}
		if _, err := s.WriteDocuments(ctx, store.Commit{Company: s.company}, []knowledge.Write{w}); err != nil {
			t.Fatal(err)
		}
		var replies []string
		conversation := ""
		rate := func(n int) error {
			_, err := s.PutFeedback(ctx, store.Commit{Company: s.company}, agent.Feedback{MessageID: replies[n], Rating: agent.RatingUp, CreatedAt: now(), UpdatedAt: now()})
			return err
		}
		for range 8 {
			turn, err := s.BeginTurn(ctx, store.Commit{Company: s.company}, agent.Begin{
				Message:         agent.Message{ID: id.New(id.Message), ConversationID: conversation, AgentID: s.agent, Text: "How much is it?", CreatedAt: now()},
				NewConversation: id.New(id.Conversation), ReplyID: id.New(id.Message), Worker: "worker", Lease: time.Hour,
			})
			if err != nil {
				t.Fatal(err)
			}
			r := agent.Reply{ID: turn.ReplyID, ConversationID: turn.ConversationID, AgentID: s.agent, Text: body, CreatedAt: now(),
				Citations: []agent.Citation{{DocumentID: w.NewID, DocumentVersion: 1, End: len(body), Quote: body, ClaimEnd: len(body)}}}
			if err := s.EndTurn(ctx, store.Commit{Company: s.company}, turn.TurnRef, agent.End{Reply: r}); err != nil {
				t.Fatal(err)
			}
			conversation, replies = turn.ConversationID, append(replies, turn.ReplyID)
		}
		for n := range 4 {
			if err := rate(n); err != nil {
				t.Fatal(err)
			}
		}
		atOnce(t,
			func() error {
				_, err := s.DeleteConversation(ctx, store.Commit{Company: s.company}, conversation)
				return err
			},
			func() error {
				_, err := s.DeleteDocument(ctx, store.Commit{Company: s.company}, w.NewID)
				return err
			})
	}
}
