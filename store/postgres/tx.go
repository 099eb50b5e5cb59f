package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/answerdesk-go/answerdesk/store/internal/sqlstore"
)

// A querier is a connection or a transaction of the host's.
type querier interface {
	Exec(ctx context.Context, query string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// A tx is a running transaction, or a connection on which one statement is run.
type tx struct {
	ctx  context.Context
	on   querier
	text *texts
	at   int64 // the time, once it is known
}

// Exec implements [sqlstore.Tx].
func (t *tx) Exec(query string, args ...any) (int64, error) {
	tag, err := t.on.Exec(t.ctx, t.text.of(query), args...)
	return tag.RowsAffected(), err
}

// Query implements [sqlstore.Tx].
func (t *tx) Query(query string, args ...any) (sqlstore.Rows, error) {
	r, err := t.on.Query(t.ctx, t.text.of(query), args...)
	if err != nil {
		return nil, err
	}
	return rows{r}, nil
}

// maxBatch bounds how many statements are sent before their results are read.
const maxBatch = 512

// Each implements [sqlstore.Tx]: in one round trip for many.
func (t *tx) Each(query string, args [][]any) error {
	query = t.text.of(query)
	for batch := range slices.Chunk(args, maxBatch) {
		b := &pgx.Batch{}
		for _, a := range batch {
			b.Queue(query, a...)
		}
		if err := t.on.SendBatch(t.ctx, b).Close(); err != nil {
			return err
		}
	}
	return nil
}

// QueryEach implements [sqlstore.Tx]: in one round trip for many.
func (t *tx) QueryEach(query string, args [][]any, scan func(sqlstore.Rows) error) error {
	query = t.text.of(query)
	for batch := range slices.Chunk(args, maxBatch) {
		b := &pgx.Batch{}
		for _, a := range batch {
			b.Queue(query, a...).Query(func(r pgx.Rows) error {
				for r.Next() {
					if err := scan(rows{r}); err != nil {
						return err
					}
				}
				return r.Err()
			})
		}
		if err := t.on.SendBatch(t.ctx, b).Close(); err != nil {
			return err
		}
	}
	return nil
}

// Now implements [sqlstore.Tx].
func (t *tx) Now() (int64, error) {
	if t.at != 0 {
		return t.at, nil
	}
	r, err := t.on.Query(t.ctx, clock)
	if err != nil {
		return 0, err
	}
	t.at, err = pgx.CollectExactlyOneRow(r, pgx.RowTo[int64])
	return t.at, err
}

// rows are the result of a query.
type rows struct{ pgx.Rows }

// Close implements [sqlstore.Rows].
func (r rows) Close() error {
	r.Rows.Close()
	return r.Err()
}
