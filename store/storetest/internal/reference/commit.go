package reference

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

func compare(a, b string) int { return cmp.Compare(a, b) }

// told is an event and its place among all that the company has had.
type told struct {
	event.Event
	place int
}

// commit writes what rides along with a step.
func (c *tenant) commit(cm store.Commit) error {
	if cm.Receipt != nil {
		if err := c.moveReceipt(*cm.Receipt); err != nil {
			return err
		}
	}
	for _, ev := range cm.Events {
		c.sequences[ev.Stream]++
		ev.Company, ev.Sequence, ev.CreatedAt = c.ID, c.sequences[ev.Stream], stored(ev.CreatedAt)
		c.told++
		ev.Cursor = c.cursor(c.told)
		c.events = append(c.events, told{ev, c.told})
	}
	now := time.Now()
	for _, w := range cm.Work {
		w.Payload = slices.Clone(w.Payload)
		if w.RunAt.Before(now) {
			w.RunAt = now
		}
		delete(c.floors, keyName{w.Queue, w.Key})
		c.jobs = append(c.jobs, job{Job: store.Job{Work: w, Attempt: 1, Queued: stored(now)}})
	}
	if cm.Audit != nil {
		a := *cm.Audit
		a.At = stored(a.At)
		c.audit = append(c.audit, a)
	}
	return nil
}

// cursor is the place behind the n-th event.
func (c *tenant) cursor(n int) string { return store.EncodeCursor(strconv.Itoa(n), "events", c.ID) }

// Events implements [store.Log].
func (s *Store) Events(ctx context.Context, id, after string, limit int) (out []event.Event, err error) {
	err = s.read(ctx, id, func(c tenant) error {
		last, err := store.DecodeCursor(after, "events", c.ID)
		if err != nil {
			return err
		}
		from := 0
		if last != "" {
			if from, err = strconv.Atoi(last); err != nil || from < 0 || from > c.told {
				return fmt.Errorf("cursor was not given out by this log")
			}
		}
		for _, ev := range c.events {
			if ev.place > from && len(out) < limit {
				out = append(out, ev.Event)
			}
		}
		return nil
	})
	return out, err
}

// AuditLog implements [store.Auditor].
func (s *Store) AuditLog(ctx context.Context, id string, p store.Page) (out store.List[store.Audit], err error) {
	err = s.read(ctx, id, func(c tenant) (err error) {
		out, err = newest(slices.Clone(c.audit), p, func(a store.Audit) string { return a.ID }, "audit", id)
		return err
	})
	return out, err
}
