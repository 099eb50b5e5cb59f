package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Options are what may be chosen about a copy. The zero value suits most.
type Options struct {
	// Restart empties a target whose copy was broken off, and begins it anew.
	Restart bool

	// Progress, if any, is told how many rows of all have been copied, and then
	// how many have been compared: done counts up to total within each step. The
	// calls come one at a time.
	Progress func(step Step, done, total int64)
}

// A Step is a part of a copy.
type Step string

// The steps of a copy, in their order.
const (
	Copying   Step = "copying"
	Comparing Step = "comparing"
)

// A Table is what both sides hold of one table.
type Table struct {
	Name     string
	From, To Content
}

// Same reports whether both sides hold the same rows.
func (t Table) Same() bool { return t.From == t.To }

// A Content is what a table holds: how many rows, and the SHA-256 of all of them
// in the order of their keys, which is the same in every database.
type Content struct {
	Rows int64
	Hash [32]byte
}

// A Database is one side of a copy: [Folder] or [Postgres].
type Database struct{ folder, url string }

// Folder is the desk in a folder, as sqlite.Open takes it.
func Folder(dir string) Database { return Database{folder: dir} }

// Postgres is the desk in a PostgreSQL database, as postgres.Open takes it: the URL
// may have schema=NAME.
func Postgres(url string) Database { return Database{url: url} }

// Errors that a caller may want to tell apart.
var (
	// ErrNotEmpty means that the target holds something that is no unfinished
	// copy.
	ErrNotEmpty = errors.New("the target has data already: copy into a new folder, or into a new schema (?schema=NAME)")

	// ErrDiffers means that the two sides do not hold the same when the copy has
	// ended. The target stays marked.
	ErrDiffers = errors.New("the two sides differ")
)

// Copy copies the desk that is in from to to, which must be empty or hold an
// unfinished copy, and returns what both sides hold then. One of the two is a
// folder and the other one is in PostgreSQL.
//
// The target has the mark of an unfinished copy, a row of its table schema_version
// with version 0, from the moment before its first row is written until both sides
// have been compared and found the same. Each batch of rows is a transaction: what
// a process that was killed had written is kept, and the next call goes on after it.
// The memory that is needed does not depend on the size of the desk.
//
// Stop every process that uses the source before: what is written to it after its
// one state was read is found by the comparison, and then the copy has to begin
// anew. In a source in PostgreSQL the events that nobody has read yet are given
// their positions first, as reading them does; nothing else is written to a source.
// The errors name databases as source and target, and hold no password.
func Copy(ctx context.Context, from, to Database, opts *Options) ([]Table, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if (from.url == "") == (to.url == "") {
		return nil, errors.New("one side must be a folder and the other one in PostgreSQL: use backup and restore between folders, pg_dump and pg_restore between databases")
	}
	source, err := openSource(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	defer source.close()
	target, err := openTarget(ctx, to)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	defer target.close()
	c := &copying{source, target, o, nil}
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	if err := c.copy(ctx); err != nil {
		return nil, err
	}
	tables, err := c.compare(ctx)
	if err != nil {
		return tables, err
	}
	if err := target.finish(ctx); err != nil {
		return tables, fmt.Errorf("target: %w", err)
	}
	return tables, nil
}

// openSource opens a database to read from, which must be a desk of this version.
func openSource(ctx context.Context, d Database) (database, error) {
	if d.url != "" {
		return openPostgresSource(ctx, d.url)
	}
	return openFolderSource(ctx, d.folder)
}

// openTarget opens a database to write to, and makes its tables.
func openTarget(ctx context.Context, d Database) (database, error) {
	if d.url != "" {
		return openPostgresTarget(ctx, d.url)
	}
	return openFolderTarget(ctx, d.folder)
}

// A copying is a copy under way.
type copying struct {
	from, to database
	opts     Options
	tables   []table
}

// prepare compares the tables of both sides and marks the target.
func (c *copying) prepare(ctx context.Context) error {
	from, err := c.from.tables(ctx)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	to, err := c.to.tables(ctx)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if c.tables, err = match(from, to); err != nil {
		return err
	}
	if err := c.to.begin(ctx, c.tables, c.opts.Restart); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	return nil
}

// copy writes what the target lacks, a table after the other, from one state of the
// source.
func (c *copying) copy(ctx context.Context) error {
	state, err := c.from.read(ctx)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	defer state.close()
	there, err := c.to.read(ctx)
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	defer there.close()
	var done, total int64
	after := make([]row, len(c.tables))
	for i, t := range c.tables {
		rows, err := state.count(ctx, t)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		written, err := there.count(ctx, t)
		if err == nil {
			after[i], err = there.last(ctx, t)
		}
		if err != nil {
			return fmt.Errorf("target: %w", err)
		}
		total, done = total+rows, done+written
	}
	there.close()
	c.tell(Copying, done, total)
	for i, t := range c.tables {
		if err := c.copyTable(ctx, state, t, after[i], func(n int64) {
			done += n
			c.tell(Copying, done, total)
		}); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	return nil
}

// copyTable writes the rows of a table that come after a key, in batches.
func (c *copying) copyTable(ctx context.Context, state reader, t table, after row, wrote func(int64)) error {
	b := newBatches(state.rows(ctx, t, after), t)
	defer b.stop()
	for b.more() {
		n, err := c.to.write(ctx, t, b)
		if b.err != nil {
			return fmt.Errorf("source: %w", b.err)
		}
		if err != nil {
			return fmt.Errorf("target: %w", err)
		}
		wrote(n)
	}
	if b.err != nil {
		return fmt.Errorf("source: %w", b.err)
	}
	return nil
}

func (c *copying) tell(s Step, done, total int64) {
	if c.opts.Progress != nil {
		c.opts.Progress(s, min(done, total), total)
	}
}

// match returns the tables of both sides, or how they differ.
func match(from, to []table) ([]table, error) {
	var differ []string
	out := slices.Clone(from)
	for _, t := range to {
		i := slices.IndexFunc(from, func(f table) bool { return f.name == t.name })
		if i < 0 {
			differ = append(differ, "table "+t.name+" is in the target alone")
			continue
		}
		if !slices.Equal(from[i].columns, t.columns) {
			differ = append(differ, "table "+t.name+" has other columns")
		}
		if t.ordered { // SQLite's keys are those that both sides have an index for
			out[i].key, out[i].ordered = t.key, true
		}
	}
	for _, f := range from {
		if !slices.ContainsFunc(to, func(t table) bool { return t.name == f.name }) {
			differ = append(differ, "table "+f.name+" is in the source alone")
		}
	}
	if len(differ) > 0 {
		return nil, fmt.Errorf("source and target are of different versions (%s): bring both up to date with answerdesk migrate; "+
			"a target that an older version began to fill has to be removed", strings.Join(differ, ", "))
	}
	return out, nil
}
