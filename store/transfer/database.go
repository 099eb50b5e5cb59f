package transfer

import (
	"context"
	"iter"
)

// A database is one side of a copy.
type database interface {
	// tables returns the tables of a desk.
	tables(ctx context.Context) ([]table, error)

	// read returns a reader of the database as it is now.
	read(ctx context.Context) (reader, error)

	// begin marks an empty target, or takes up one that is marked; with restart
	// it empties that first.
	begin(ctx context.Context, tables []table, restart bool) error

	// write writes a batch of rows in one transaction, and returns how many.
	write(ctx context.Context, t table, b *batches) (int64, error)

	// finish does what is left once all rows are there, and takes the mark away.
	finish(ctx context.Context) error

	close()
}

// A reader reads one state of a database.
type reader interface {
	count(ctx context.Context, t table) (int64, error)

	// last returns the row with the last key, nil if there is none.
	last(ctx context.Context, t table) (row, error)

	// rows yields the rows whose keys come after that of another row, or all.
	rows(ctx context.Context, t table, after row) iter.Seq2[row, error]

	close() // may be called twice
}

// The mark that an unfinished copy has in schema_version.
const (
	markVersion = 0
	markName    = "copy under way"
)
