package sqlstore

import (
	"encoding/json"
	"fmt"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

// maxPayload bounds the payload of queued work, in bytes.
const maxPayload = 4 << 10

// write runs a step with what rides along with it. The step may set the events
// of c; whatever it changes in c starts again from the caller's commit at each
// run.
func (s *Store) write(c store.Commit, tx Tx) error {
	if err := writeEvents(tx, c.Company, c.Events); err != nil {
		return err
	}
	for _, w := range c.Work {
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

// writeEvents appends events to the company's log. Their sequences are set.
func writeEvents(tx Tx, company string, events []event.Event) error {
	for _, ev := range events {
		refs, err := json.Marshal(ev.Refs)
		if err != nil {
			return fmt.Errorf("event %s: %w", ev.ID, err)
		}
		_, err = tx.Exec(`INSERT INTO events (company, position, id, type, stream, sequence, refs, created_at)
			SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, ?, ?, ? FROM events WHERE company = ?`,
			company, ev.ID, string(ev.Type), ev.Stream, ev.Sequence, string(refs), micros(ev.CreatedAt), company)
		if err != nil {
			return err
		}
	}
	return nil
}

// numbered returns the events of a step with those of the stream numbered after
// last, and the last number given.
func numbered(events []event.Event, stream string, last int64) ([]event.Event, int64) {
	out := make([]event.Event, len(events))
	for i, ev := range events {
		if ev.Stream == "" {
			ev.Stream = stream
		}
		if ev.Stream == stream {
			last++
			ev.Sequence = last
		}
		out[i] = ev
	}
	return out, last
}
