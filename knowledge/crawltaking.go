package knowledge

import (
	"context"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// A recalled is what an earlier visit says of a page that is visited again.
type recalled struct {
	Page
	own bool // it was in this run, before it was broken off
}

// known tells the crawler what is known of the page at an address, so that it costs
// nothing if it has not changed. That is what this run saw of it, if it was broken
// off, and otherwise what the run saw that was published last; but nothing of a page
// whose document would not be what the page says now.
func (c *crawling) known(ctx context.Context, address string) (crawl.Known, bool) {
	key := pageKey(address)
	r, ok := c.recall(ctx, address)
	if !ok {
		return crawl.Known{}, false
	}
	c.mu.Lock()
	c.recalled[key] = r
	c.mu.Unlock()
	hash, rest, _ := strings.Cut(r.Hash, "-")
	stamp, text, _ := strings.Cut(rest, "-")
	if stamp != c.stamp || !r.own && c.run.Force {
		return crawl.Known{}, false
	}
	d := c.docs[key]
	switch {
	case r.Outcome == string(crawl.Skipped) && (r.Reason == reasonEmpty || r.Reason == reasonDeleted):
		// There is no document, and without a change there will be none.
	case d == nil || d.id != r.DocumentID || r.Outcome != string(crawl.Fetched) && r.Outcome != string(crawl.Unchanged):
		return crawl.Known{}, false
	case !r.own && (d.staged != nil || c.late):
		return crawl.Known{}, false // what was staged would not be undone
	case d.staged != nil && text != textMark(d.staged.TextHash) || d.staged == nil && text != textMark(d.textHash):
		return crawl.Known{}, false // a delete has kept it from being published
	}
	return crawl.Known{ETag: r.ETag, LastModified: r.LastModified, Hash: hash, Canonical: r.Canonical, Links: unjoined(r.Links)}, true
}

// recall returns what was seen at an address before. An error of the store counts
// for nothing: it shows when something is staged.
func (c *crawling) recall(ctx context.Context, address string) (recalled, bool) {
	if c.resume {
		if p, ok, err := c.lib.sources.Page(ctx, c.lease.Company, c.run.ID, address); err == nil && ok {
			return recalled{p, true}, true
		}
	}
	if c.source.PublishedID == "" {
		return recalled{}, false
	}
	p, ok, err := c.lib.sources.Page(ctx, c.lease.Company, c.source.PublishedID, address)
	return recalled{p, false}, err == nil && ok
}

// forget returns what known has found of a page, which has been visited now.
func (c *crawling) forget(key string) recalled {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.recalled[key]
	delete(c.recalled, key)
	return r
}

// take stages what became of an address.
func (c *crawling) take(ctx context.Context, v crawl.Visit) error {
	key := pageKey(v.URL)
	d, was, p := c.docs[key], c.forget(key), c.pageOf(v)
	if d != nil {
		d.seen = true
	}
	if v.FoundOn == "" && key != c.start && was.URL != "" { // nothing leads to it any more
		p.Depth, p.FoundOn = was.Depth, was.FoundOn
		if (v.Outcome == crawl.Fetched || v.Outcome == crawl.Unchanged) && p.Depth > max(0, c.site.MaxDepth) {
			v.Outcome, v.Reason = crawl.Skipped, crawl.TooDeep
			p.Outcome, p.Reason = string(v.Outcome), string(v.Reason)
		}
	}
	switch v.Outcome {
	case crawl.Fetched:
		return c.fetched(ctx, v, p)
	case crawl.Unchanged:
		return c.unchanged(ctx, p, was, d)
	case crawl.Failed:
		return c.unread(ctx, v, p, d)
	case crawl.Moved:
		c.moved[key] = pageKey(v.FinalURL)
	case crawl.Skipped:
		if v.Reason == crawl.Duplicate {
			c.moved[key] = pageKey(v.Canonical)
		}
	}
	c.count(func(n *Counts) { n.Skipped++ })
	return c.page(ctx, p)
}

// fetched stages what a page says.
func (c *crawling) fetched(ctx context.Context, v crawl.Visit, p Page) error {
	w, why, err := c.document(ctx, v)
	switch {
	case err != nil:
		return err
	case why == reasonDamaged:
		v.Outcome, v.Reason, p.Outcome, p.Reason = crawl.Failed, crawl.Reason(why), string(crawl.Failed), why
		return c.unread(ctx, v, p, c.docs[pageKey(v.URL)])
	case why != "":
		p.Outcome, p.Reason = string(crawl.Skipped), why
		c.count(func(n *Counts) { n.Skipped++ })
		return c.page(ctx, p)
	}
	if d := c.docs[pageKey(v.URL)]; d != nil && d.live && externalID(d.url) != w.ExternalID {
		w.ID = d.id // the site has another scheme, or has won or lost its "www."
	}
	c.readable++
	p.Hash += "-" + textMark(w.TextHash)
	return c.writePage(ctx, w, p)
}

// became notes what became of a page's document when it was staged.
func (c *crawling) became(s Staged) {
	key := pageKey(s.ExternalID)
	d := c.docs[key]
	if d != nil {
		d.kept = s.Status != Refused
	}
	if s.Status == Created {
		c.fresh[key] = s
	}
}

// unchanged notes that a page says what it said when it was visited before.
func (c *crawling) unchanged(ctx context.Context, p Page, was recalled, d *pageDocument) error {
	p.Hash = was.Hash // which says also what became of the page
	if d == nil || was.Outcome == string(crawl.Skipped) {
		p.Outcome, p.Reason = was.Outcome, was.Reason
		if was.Reason == reasonDeleted {
			c.readable++
		}
		c.count(func(n *Counts) { n.Skipped++ })
		return c.page(ctx, p)
	}
	if was.own {
		p.Outcome = was.Outcome
	}
	p.DocumentID, d.kept = d.id, true
	c.readable++
	c.count(func(n *Counts) {
		switch {
		case d.staged == nil:
			n.Unchanged++
		case d.staged.Status == Created:
			n.Created++
		default:
			n.Updated++
		}
	})
	return c.page(ctx, p)
}

// unread notes that a page could not be read: its document stays as it is.
func (c *crawling) unread(ctx context.Context, v crawl.Visit, p Page, d *pageDocument) error {
	e := failureOf(v)
	c.failed(e)
	if c.failure == nil {
		c.failure = e
	}
	if d != nil {
		p.DocumentID, d.kept = d.id, true
		if d.staged != nil {
			return nil // it was read by this run before, which is what the report says
		}
	}
	return c.page(ctx, p)
}
