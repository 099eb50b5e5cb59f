package sqlstore

import "context"

// Ordered is the log of an engine with one writer at a time: an event gets its
// position as it is written, since transactions end in the order they began.
var Ordered Log = ordered{}

type ordered struct{}

func (ordered) add(tx Tx, company string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	var last int64
	if _, err := one(tx, []any{&last}, `SELECT COALESCE(MAX(position), 0) FROM events WHERE company = ?`, company); err != nil {
		return err
	}
	placed := make([][]any, len(rows))
	for i, row := range rows {
		placed[i] = append([]any{last + int64(i) + 1}, row...)
	}
	return tx.Each(`INSERT INTO events (position, company, id, type, stream, sequence, refs, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, placed)
}

func (ordered) settle(context.Context, Engine, string) error { return nil }
