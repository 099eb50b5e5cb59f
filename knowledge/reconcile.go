package knowledge

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/store"
)

// maxMoves is how many moves, one after the other, a page is followed through.
const maxMoves = 20

// settle decides what becomes of the documents whose pages were not read: one that
// has moved goes on under its new address, with its id, and the others go.
func (c *crawling) settle(ctx context.Context, report crawl.Report) error {
	var lost []string // page keys
	for _, key := range slices.Sorted(maps.Keys(c.docs)) {
		d := c.docs[key]
		if d.kept || !d.seen && report.Dropped > 0 {
			continue // a page that there was no room for may be there still
		}
		lost = append(lost, key)
	}
	for key := range c.fresh {
		if d := c.docs[key]; d != nil && !d.kept {
			delete(c.fresh, key) // it was read before the run was broken off, and is gone since
		}
	}
	lost, err := c.follow(ctx, lost, c.target)
	if err != nil {
		return err
	}
	byText := map[[32]byte]string{}
	for _, key := range slices.Sorted(maps.Keys(c.fresh)) {
		byText[c.fresh[key].TextHash] = key
	}
	lost, err = c.follow(ctx, lost, func(key string) string { return byText[c.docs[key].textHash] })
	if err != nil {
		return err
	}
	for _, key := range lost {
		if err := c.remove(ctx, c.docs[key].id); err != nil {
			return err
		}
	}
	return nil
}

// target returns where a page has moved to, as its redirects and canonical links
// tell.
func (c *crawling) target(key string) string {
	for range maxMoves {
		to, ok := c.moved[key]
		if !ok {
			return key
		}
		key = to
	}
	return ""
}

// follow lets live documents go on as pages that are new, and returns the keys of
// those that do not. A page is the successor of one document at most.
func (c *crawling) follow(ctx context.Context, lost []string, successor func(key string) string) (rest []string, err error) {
	for _, key := range lost {
		d := c.docs[key]
		to := successor(key)
		s, ok := c.fresh[to]
		if !d.live || !ok {
			rest = append(rest, key)
			continue
		}
		err := c.lib.runs.Restage(ctx, c.lease, c.run.ID, s.DocumentID, d.id)
		switch {
		case errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict):
			rest = append(rest, key) // one of them was deleted just now
			continue
		case err != nil:
			return nil, err
		}
		delete(c.fresh, to)
		c.count(func(n *Counts) { n.Created, n.Updated = n.Created-1, n.Updated+1 })
	}
	return rest, nil
}
