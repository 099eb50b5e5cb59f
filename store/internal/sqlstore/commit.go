package sqlstore

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// maxPayload bounds the payload of queued work, in bytes.
const maxPayload = 4 << 10

// write runs a step with what rides along with it. The step may set the events
// of c; whatever it changes in c starts again from the caller's commit at each
// run.
func (s *Store) write(c store.Commit, tx Tx) error {
	if err := s.writeEvents(tx, c.Company, c.Events); err != nil {
		return err
	}
	for _, w := range inKeyOrder(c.Work) {
		if err := enqueue(tx, c.Company, w); err != nil {
			return err
		}
	}
	if c.Receipt != nil {
		if err := moveReceipt(tx, c.Company, *c.Receipt); err != nil {
			return err
		}
	}
	if a := c.Audit; a != nil {
		_, err := tx.Exec(`INSERT INTO audit_log (company, id, actor, action, object, at) VALUES (?, ?, ?, ?, ?, ?)`,
			c.Company, a.ID, a.Actor, a.Action, a.Object, micros(a.At))
		if err != nil {
			return err
		}
	}
	return nil
}

// inKeyOrder returns work ordered by its keys, and that of one key as it was given.
func inKeyOrder(work []store.Work) []store.Work {
	return slices.SortedStableFunc(slices.Values(work), func(a, b store.Work) int {
		return cmp.Or(strings.Compare(a.Queue, b.Queue), strings.Compare(a.Key, b.Key))
	})
}

// writeEvents appends events to the company's log. Those without a sequence get
// the next one of their stream.
func (s *Store) writeEvents(tx Tx, company string, events []event.Event) error {
	events = slices.Clone(events)
	for _, i := range inStreamOrder(events) {
		if events[i].Sequence == 0 {
			var err error
			if events[i].Sequence, err = nextOf(tx, company, events[i]); err != nil {
				return err
			}
		}
	}
	rows := make([][]any, len(events))
	for i, ev := range events {
		refs, err := json.Marshal(ev.Refs)
		if err != nil {
			return fmt.Errorf("event %s: %w", ev.ID, err)
		}
		rows[i] = []any{company, ev.ID, string(ev.Type), ev.Stream, ev.Sequence, string(refs), micros(ev.CreatedAt)}
	}
	return s.log.add(tx, company, rows)
}

// inStreamOrder returns the indices of events ordered by their streams, whose rows
// are then locked in one order by all, and those of one stream as they were given.
func inStreamOrder(events []event.Event) []int {
	order := make([]int, len(events))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return strings.Compare(events[a].Stream, events[b].Stream) })
	return order
}

// counted are the tables whose rows count the events of their streams, by the
// kind of the rows' ids. Other streams are counted in the table streams.
var counted = map[id.Kind]string{id.Agent: "agents", id.Conversation: "conversations", id.Document: "documents",
	id.Source: "sources", id.Run: "runs"}

// nextOf counts an event in its stream.
func nextOf(tx Tx, company string, ev event.Event) (sequence int64, err error) {
	if ev.Stream == "" {
		return 0, fmt.Errorf("event %s names no stream", ev.ID)
	}
	count := `INSERT INTO streams (company, stream, events) VALUES (?, ?, 1)
		ON CONFLICT (company, stream) DO UPDATE SET events = streams.events + 1 RETURNING events`
	kind, _, _ := strings.Cut(ev.Stream, "_")
	if table, ok := counted[id.Kind(kind)]; ok {
		count = `UPDATE ` + table + ` SET events = events + 1 WHERE company = ? AND id = ? RETURNING events`
	}
	found, err := one(tx, []any{&sequence}, count, company, ev.Stream)
	if err == nil && !found {
		return 0, fmt.Errorf("event %s: %w", ev.ID, store.NotFound("stream", ev.Stream))
	}
	return sequence, err
}

// numbered returns the events of a step with those of its own stream, which is
// also that of an event that names none, numbered after last, and the last number
// given.
func numbered(events []event.Event, stream string, last int64) ([]event.Event, int64) {
	out := foreign(events)
	for i := range out {
		if out[i].Stream == "" {
			out[i].Stream = stream
		}
		if out[i].Stream == stream {
			last++
			out[i].Sequence = last
		}
	}
	return out, last
}

// foreign returns the events of a step that belong to streams of others, to be
// numbered as they are written.
func foreign(events []event.Event) []event.Event {
	out := slices.Clone(events)
	for i := range out {
		out[i].Sequence = 0
	}
	return out
}
