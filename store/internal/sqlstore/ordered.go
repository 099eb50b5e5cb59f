package sqlstore

import "context"

// Ordered is the log of an engine with one writer at a time: an event gets its
// position as it is written, since transactions end in the order they began.
var Ordered Log = ordered{}

type ordered struct{}

func (ordered) add(tx Tx, company string, rows [][]any) error {
	for _, row := range rows {
		_, err := tx.Exec(`INSERT INTO events (company, position, id, type, stream, sequence, refs, created_at)
			SELECT ?, COALESCE(MAX(position), 0) + 1, ?, ?, ?, ?, ?, ? FROM events WHERE company = ?`, append(row, company)...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (ordered) settle(context.Context, Engine, string) error { return nil }
