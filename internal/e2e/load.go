package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Queue is where a [Load] queues work.
const Queue = "effects"

// A Load is callers who use the first company of a desk at the same time.
type Load struct {
	Desk  *answerdesk.Desk
	Store answerdesk.Store // of the desk
	Seed  uint64           // what the callers do
	First int              // the number of the first step; those of one [Book] are not to repeat

	// Writers put, change and delete documents, Documents each; Askers ask
	// about them, and delete conversations; Queuers queue work.
	Writers, Documents, Askers, Queuers int

	// Note is told of each step before its call and, if that returned no
	// error, after it. It is called by many goroutines.
	Note func(Note)

	steps atomic.Int64
}

// Run has the callers take steps until ctx ends, or until a call of one of them
// returns an error, which is then returned.
func (l *Load) Run(ctx context.Context) error {
	l.steps.Store(int64(l.First) - 1)
	// When ctx ends, calls come to their end; when one has failed, they are cut
	// short.
	calls, fail := context.WithCancelCause(context.WithoutCancel(ctx))
	defer fail(nil)
	var wg sync.WaitGroup
	call := func(step func(context.Context, *rand.Rand) error, seed int) {
		r := rand.New(rand.NewPCG(l.Seed, uint64(seed)))
		wg.Go(func() {
			for ctx.Err() == nil && calls.Err() == nil {
				if err := step(calls, r); err != nil {
					fail(err)
				}
			}
		})
	}
	for i := range l.Writers {
		w := &writer{Load: l, ids: map[string]string{}}
		for j := range l.Documents {
			w.keys = append(w.keys, documentKey(i*l.Documents+j))
		}
		if err := w.lookUp(calls); err != nil {
			fail(err)
			break
		}
		call(w.step, i)
	}
	for i := range l.Askers {
		call(l.asker(fmt.Sprintf("user%d", i/2)), 100+i) // two callers speak for one user
	}
	for i := range l.Queuers {
		call(l.queue, 200+i)
	}
	wg.Wait()
	return context.Cause(calls)
}

func documentKey(n int) string { return fmt.Sprintf("gadget%d", n) }

// take takes one step: do returns what the call returned.
func (l *Load) take(what string, keys func(step int) []string, do func(step int, keys []string) (any, error)) error {
	n := Note{Step: int(l.steps.Add(1)), Do: what}
	n.Keys = keys(n.Step)
	l.Note(n)
	got, err := do(n.Step, n.Keys)
	if err != nil {
		return fmt.Errorf("step %d, %s %v: %w", n.Step, what, n.Keys, err)
	}
	if n.Got, err = json.Marshal(got); err != nil {
		return err
	}
	n.Done = true
	l.Note(n)
	return nil
}

func always(keys ...string) func(int) []string { return func(int) []string { return keys } }

// A writer has some documents of its own.
type writer struct {
	*Load
	keys []string
	ids  map[string]string // by key, of those that are there
}

// lookUp finds the documents that are there from before.
func (w *writer) lookUp(ctx context.Context) error {
	for _, key := range w.keys {
		found, err := w.Desk.Knowledge().List(ctx, knowledge.Filter{ExternalID: key}, store.Page{})
		if err != nil {
			return err
		}
		for _, d := range found.Data {
			w.ids[key] = d.ID
		}
	}
	return nil
}

func (w *writer) step(ctx context.Context, r *rand.Rand) error {
	key := w.keys[r.IntN(len(w.keys))]
	switch n := r.IntN(10); {
	case w.ids[key] != "" && n == 0:
		return w.patch(ctx, key)
	case w.ids[key] != "" && n < 3:
		return w.delete(ctx, key)
	case n == 9 && len(w.keys) > 3:
		at := r.IntN(len(w.keys) - 2)
		return w.put(ctx, w.keys[at:at+3]...)
	}
	return w.put(ctx, key)
}

func (w *writer) put(ctx context.Context, keys ...string) error {
	return w.take(doPut, always(keys...), func(step int, _ []string) (any, error) {
		docs := make([]knowledge.Document, len(keys))
		for i, key := range keys {
			docs[i] = knowledge.Document{Title: "About " + key, ExternalID: key, Text: Text(key, step), Metadata: map[string]any{"step": step}}
		}
		out, err := w.Desk.Knowledge().PutAll(ctx, docs...)
		ids := make([]string, len(out))
		for i, d := range out {
			ids[i] = d.ID
			w.ids[keys[i]] = d.ID
		}
		return ids, err
	})
}

func (w *writer) patch(ctx context.Context, key string) error {
	return w.take(doPatch, always(key), func(step int, _ []string) (any, error) {
		d, err := w.Desk.Knowledge().Patch(ctx, w.ids[key], knowledge.Patch{Metadata: map[string]any{"step": step}})
		return []string{d.ID}, err
	})
}

func (w *writer) delete(ctx context.Context, key string) error {
	return w.take(doDelete, always(key), func(int, []string) (any, error) {
		d, err := w.Desk.Knowledge().Delete(ctx, w.ids[key])
		delete(w.ids, key)
		return []string{d.DocumentID}, err
	})
}

// asker asks for a user who comes back and, at times, for one who never does and
// whose conversation is deleted.
func (l *Load) asker(user string) func(context.Context, *rand.Rand) error {
	return func(ctx context.Context, r *rand.Rand) error {
		text := question(documentKey(r.IntN(max(1, l.Writers*l.Documents))))
		if r.IntN(8) == 0 {
			text = "What is the capital of Mongolia?"
		}
		if r.IntN(12) > 0 {
			_, err := l.ask(ctx, always(user), text, r.IntN(3) == 0)
			return err
		}
		reply, err := l.ask(ctx, func(step int) []string { return []string{fmt.Sprintf("guest%d", step)} }, text, false)
		if err != nil {
			return err
		}
		return l.take(doForget, always(reply.ConversationID), func(int, []string) (any, error) {
			_, err := l.Desk.Conversations().Delete(ctx, reply.ConversationID)
			return nil, err
		})
	}
}

func (l *Load) ask(ctx context.Context, user func(int) []string, text string, stream bool) (reply agent.Reply, err error) {
	err = l.take(doAsk, user, func(step int, keys []string) (any, error) {
		m := agent.Message{Text: text, User: agent.User{ID: keys[0]}, Metadata: map[string]any{"step": step}}
		if !stream {
			reply, err = l.Desk.Agent("").Ask(ctx, m)
			return reply, err
		}
		for ev, err := range l.Desk.Agent("").Stream(ctx, m) {
			if err != nil {
				return nil, err
			}
			if ev.Type == agent.MessageCompleted {
				reply = *ev.Reply
			}
		}
		return reply, nil
	})
	return reply, err
}

// queue commits, in one, all that can ride along with a step.
func (l *Load) queue(ctx context.Context, r *rand.Rand) error {
	a, err := l.Desk.Agent("").Get(ctx)
	if err != nil {
		return err
	}
	return l.take(doQueue, always(id.New(id.Work)), func(_ int, keys []string) (any, error) {
		company, job := l.Desk.ID(), keys[0]
		claim, err := l.Store.ClaimReceipt(ctx, store.ReceiptClaim{
			Company: company, Scope: Queue, Key: job, Hash: []byte(job), Lease: time.Minute, Keep: time.Hour,
		})
		if err != nil || !claim.Claimed {
			return nil, errors.Join(err, errors.New("the receipt of new work is claimed already"))
		}
		receipt := claim.Receipt
		receipt.Result, receipt.Done = job, true
		return nil, l.Store.Enqueue(ctx, store.Commit{
			Company: company,
			Events:  []event.Event{{ID: eventOf(job), Type: queued, Stream: a.ID, CreatedAt: time.Now(), Refs: event.Refs{AgentID: a.ID}}},
			Work:    []store.Work{{ID: job, Queue: Queue, Key: fmt.Sprint("key", r.IntN(3)), Payload: []byte(job)}},
			Receipt: &receipt,
			Audit:   &store.Audit{ID: job, Actor: "load", Action: doQueue, Object: job, At: time.Now()},
		})
	})
}

// queued is the type of the event that tells of queued work.
const queued event.Type = "load.queued"

// eventOf is the id of the event that tells of a job.
func eventOf(job string) string { return string(id.Event) + strings.TrimPrefix(job, string(id.Work)) }
