package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/store"
)

// A Log is how the events of a company come to stand in one order, which cursors
// are positions in: [Ordered] or [Late].
type Log interface {
	// add writes events: company, id, type, stream, sequence, refs and
	// created_at.
	add(tx Tx, company string, rows [][]any) error

	// settle gives positions to events that have none yet.
	settle(ctx context.Context, e Engine, company string) error
}

// Events implements [store.Log]. The cursor is a position.
func (s *Store) Events(ctx context.Context, company, after string, limit int) ([]event.Event, error) {
	var position int64
	if after != "" {
		var err error
		if position, err = strconv.ParseInt(after, 36, 64); err != nil || position < 0 {
			return nil, fmt.Errorf("cursor %.20q was not given out by this log", after)
		}
	}
	// What has no position yet gets one first: if another reader gives it between two
	// looks, the first has not seen it, and the second does.
	if err := s.log.settle(ctx, s.engine, company); err != nil {
		return nil, err
	}
	return s.eventsAfter(ctx, company, position, limit)
}

func (s *Store) eventsAfter(ctx context.Context, company string, position int64, limit int) (events []event.Event, err error) {
	err = s.engine.Get(ctx, func(tx Tx) error {
		events = nil
		return all(tx, func(r Rows) error {
			var (
				at, created int64
				refs        string
				ev          = event.Event{Company: company}
			)
			if err := r.Scan(&at, &ev.ID, &ev.Type, &ev.Stream, &ev.Sequence, &refs, &created); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(refs), &ev.Refs); err != nil {
				return corrupt("events", ev.ID, err)
			}
			ev.CreatedAt = moment(created)
			ev.Cursor = strconv.FormatInt(at, 36)
			events = append(events, ev)
			return nil
		}, `SELECT position, id, type, stream, sequence, refs, created_at FROM events
			WHERE company = ? AND position > ? AND position > 0 ORDER BY position LIMIT ?`, company, position, limit)
	})
	return events, err
}

// AuditLog implements [store.Auditor].
func (s *Store) AuditLog(ctx context.Context, company string, p store.Page) (store.List[store.Audit], error) {
	return list(ctx, s, p, []string{"audit", company}, func(a store.Audit) string { return a.ID },
		func(r Rows) (a store.Audit, err error) {
			var at int64
			err = r.Scan(&a.ID, &a.Actor, &a.Action, &a.Object, &at)
			a.At = moment(at)
			return a, err
		}, `SELECT id, actor, action, object, at FROM audit_log WHERE company = ?`, company)
}
