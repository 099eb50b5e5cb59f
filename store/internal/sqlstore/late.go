package sqlstore

import (
	"context"
	"errors"

	"github.com/answerdesk-go/answerdesk/store"
)

// Late is the log of an engine with many writers at a time. A position given when
// an event is written might become visible after a higher one, and whoever read
// that one would go on behind both. So an event is written with position 0, which
// is none, and whoever reads the log to its end numbers what has been committed by
// then: what is committed later gets a higher position. Events of one stream are
// committed in the order of their sequence, since each is numbered under the lock
// of the row that counts the stream, so that none can be seen without those before
// it.
var Late Log = late{}

type late struct{}

// settleAtOnce bounds how many events get their positions in one transaction.
const settleAtOnce = 1000

func (late) add(tx Tx, company string, rows [][]any) error {
	return tx.Each(`INSERT INTO events (company, position, id, type, stream, sequence, refs, created_at) VALUES (?, 0, ?, ?, ?, ?, ?, ?)`, rows)
}

func (late) settle(ctx context.Context, e Engine, company string) error {
	var (
		sequence int64
		some     bool
	)
	err := e.Get(ctx, func(tx Tx) (err error) {
		some, err = one(tx, []any{&sequence}, `SELECT sequence FROM events WHERE company = ? AND position = 0 LIMIT 1`, company)
		return err
	})
	if err != nil || !some {
		return err
	}
	return e.Write(Unlent(ctx), func(tx Tx) error { return number(tx, company) })
}

// number gives positions to events that have none. Those of a stream are ordered by
// their sequence, and streams among each other by the clocks of those who wrote.
func number(tx Tx, company string) error {
	if err := haveCompany(tx, company, keyShare); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			return nil // it was deleted just now, and so were its events
		}
		return err
	}
	// Who has the row that counts the log's positions is the only one who gives
	// them, and sees all that were given before.
	var last int64
	if _, err := one(tx, []any{&last}, `INSERT INTO streams (company, stream, events) VALUES (?, '', 0)
		ON CONFLICT (company, stream) DO UPDATE SET events = streams.events RETURNING events`, company); err != nil {
		return err
	}
	n, err := tx.Exec(`UPDATE events SET position = ? + fresh.n FROM (
			SELECT id, ROW_NUMBER() OVER (ORDER BY at, stream, sequence) AS n FROM (
				SELECT id, stream, sequence, MAX(created_at) OVER (PARTITION BY stream ORDER BY sequence) AS at FROM (
					SELECT id, stream, sequence, created_at FROM events WHERE company = ? AND position = 0
					ORDER BY stream, sequence LIMIT ?) AS unnumbered) AS dated) AS fresh
		WHERE events.company = ? AND events.id = fresh.id`,
		last, company, settleAtOnce, company)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`UPDATE streams SET events = ? WHERE company = ? AND stream = ''`, last+n, company)
	return err
}
