package transfer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// compare reads every table on both sides, as they are now.
func (c *copying) compare(ctx context.Context) ([]Table, error) {
	from, err := c.from.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	defer from.close()
	to, err := c.to.read(ctx)
	if err != nil {
		return nil, fmt.Errorf("target: %w", err)
	}
	defer to.close()
	p := progress{tell: func(done, total int64) { c.tell(Comparing, done, total) }}
	for _, t := range c.tables {
		n, err := from.count(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("source: %w", err)
		}
		p.total += 2 * n
	}
	var (
		tables []Table
		differ []string
	)
	for _, t := range c.tables {
		both := Table{Name: t.name}
		var ours, theirs error
		var wg sync.WaitGroup
		wg.Go(func() { both.From, ours = content(ctx, from, t, &p) })
		wg.Go(func() { both.To, theirs = content(ctx, to, t, &p) })
		wg.Wait()
		if ours != nil {
			ours = fmt.Errorf("source: %w", ours)
		}
		if theirs != nil {
			theirs = fmt.Errorf("target: %w", theirs)
		}
		if err := errors.Join(ours, theirs); err != nil {
			return nil, err
		}
		tables = append(tables, both)
		if !both.Same() {
			differ = append(differ, t.name)
		}
	}
	if len(differ) > 0 {
		return tables, fmt.Errorf("%w in %s: something has written to one of them since the copy was begun, or it was begun from another desk: stop what uses them, and begin the copy anew",
			ErrDiffers, strings.Join(differ, ", "))
	}
	return tables, nil
}

// content reads a whole table.
func content(ctx context.Context, r reader, t table, p *progress) (Content, error) {
	var c Content
	h := sha256.New()
	told := int64(0)
	for values, err := range r.rows(ctx, t, nil) {
		if err != nil {
			return c, fmt.Errorf("table %s: %w", t.name, err)
		}
		values.write(h)
		if c.Rows++; c.Rows-told == 1000 {
			p.add(c.Rows - told)
			told = c.Rows
		}
	}
	p.add(c.Rows - told)
	h.Sum(c.Hash[:0])
	return c, nil
}

// A progress counts rows that two goroutines read.
type progress struct {
	mu          sync.Mutex
	done, total int64
	tell        func(done, total int64)
}

func (p *progress) add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	p.tell(p.done, p.total)
}
