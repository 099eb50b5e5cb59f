package knowledge

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// What a crawl may take where [Options.Crawl] does not say: within runTimeout, and
// enough for [MaxPages] at five pages a second.
const (
	crawlTime  = 5*time.Hour + 45*time.Minute
	crawlBytes = 16 << 30
)

// crawlOptions are the given ones with the defaults of a library.
func crawlOptions(given *crawl.Options) *crawl.Options {
	var o crawl.Options
	if given != nil {
		o = *given
	}
	if o.MaxTime == 0 {
		o.MaxTime = crawlTime
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = crawlBytes
	}
	return &o
}

// The phases of a crawl.
const (
	phaseFetch   = "fetch"
	phasePublish = "publish"
)

// A crawling is a run of a website that is being done.
type crawling struct {
	*activity
	site  Website
	stamp string // of how pages become documents: see [stampOf]

	docs   map[string]*pageDocument // by page key; not added to once the visits have begun
	resume bool                     // the run was broken off before
	late   bool                     // when documents may have been staged to go

	start    string // page key of the first page
	entrance string // and of where that redirects
	first    crawl.Visit
	fresh    map[string]Staged // documents that are new, by page key
	moved    map[string]string // page keys: what is read instead of a page
	readable int               // pages that hold text, or would if nobody had deleted it
	failure  *RunError         // of the first page that failed

	mu       sync.Mutex
	recalled map[string]recalled // pages that are asked for, by page key
}

// A pageDocument is a document of the website as the run finds it.
type pageDocument struct {
	id       string
	url      string
	live     bool
	textHash [32]byte // of what is live
	staged   *Staged  // by this run, before it was broken off; nil: it was not
	seen     bool     // the run came by its page
	kept     bool     // and the document stays, or has what it says now staged
}

// crawl does a run of a website: it visits the pages and stages what they say, and
// after that what becomes of documents whose pages are not there any more.
func (l *Library) crawl(ctx context.Context, a *activity) error {
	if l.crawler == nil {
		return &RunError{Kind: "blocked", Message: "this process may call no others: set an HTTP client in the options of the library"}
	}
	site, err := websiteOf(a.source)
	if err != nil {
		return &RunError{Kind: "internal", Message: "the settings of the website do not read: set them again"}
	}
	c := &crawling{
		activity: a, site: site, stamp: stampOf(site), resume: a.resumed, late: a.run.Phase == phasePublish,
		docs: map[string]*pageDocument{}, fresh: map[string]Staged{}, moved: map[string]string{},
		recalled: map[string]recalled{},
	}
	a.became = c.became
	if err := c.load(ctx); err != nil {
		return err
	}
	a.at(phaseFetch)
	report, err := c.visit(ctx)
	if err != nil {
		return err
	}
	if err := a.flush(ctx); err != nil {
		return err
	}
	if err := errors.Join(c.aside(ctx, report), a.flush(ctx)); err != nil {
		return err
	}
	if err := c.verdict(); err != nil {
		return err
	}
	a.at(phasePublish)
	if err := a.move(ctx); err != nil { // see crawling.late
		return err
	}
	return c.settle(ctx, report)
}

// load reads what documents the website has, and what the run has staged of them if
// it was broken off.
func (c *crawling) load(ctx context.Context) error {
	byID := map[string]*pageDocument{}
	keys := map[string]string{}
	for after := ""; ; {
		docs, err := c.lib.sources.SourceDocuments(ctx, c.lease.Company, c.source.ID, after, batchDocuments)
		if err != nil {
			return err
		}
		for _, d := range docs {
			after = d.ID
			key := pageKey(d.ExternalID)
			if c.docs[key] != nil { // one page has one document
				if err := c.remove(ctx, d.ID); err != nil {
					return err
				}
				continue
			}
			c.docs[key] = &pageDocument{id: d.ID, url: d.URL, textHash: d.TextHash, live: true}
			if c.resume {
				byID[d.ID], keys[d.ID] = c.docs[key], key
			}
		}
		if len(docs) < batchDocuments {
			break
		}
	}
	for after := ""; c.resume; {
		staged, err := c.lib.runs.StagedDocuments(ctx, c.lease.Company, c.run.ID, after, batchDocuments)
		if err != nil {
			return err
		}
		for _, s := range staged {
			after = s.DocumentID
			key := pageKey(s.ExternalID)
			d := byID[s.DocumentID]
			if d == nil {
				d = &pageDocument{id: s.DocumentID}
				c.fresh[key] = s
			} else if keys[d.id] != key { // its page has moved
				delete(c.docs, keys[d.id])
			}
			d.staged, d.url = &s, s.ExternalID
			c.docs[key] = d
		}
		if len(staged) < batchDocuments {
			break
		}
	}
	return c.flush(ctx)
}

// visit visits the site, and stages what it learns. It stops when the first page
// cannot be read.
func (c *crawling) visit(ctx context.Context) (crawl.Report, error) {
	site := crawl.Site{
		URL: c.site.URL, MaxPages: c.site.MaxPages, MaxDepth: c.site.MaxDepth, Include: c.site.Include, Exclude: c.site.Exclude,
	}
	for _, key := range slices.Sorted(maps.Keys(c.docs)) {
		site.Recheck = append(site.Recheck, c.docs[key].url)
	}
	if !c.run.NewPages {
		site.Only = func(address string) bool { return c.docs[pageKey(address)] != nil }
	}
	tour, err := c.lib.crawler.Crawl(site, func(address string) (crawl.Known, bool) { return c.known(ctx, address) })
	if err != nil {
		return crawl.Report{}, &RunError{Kind: "internal", Message: err.Error()}
	}
	c.start = pageKey(tour.Report().URL)
	c.entrance = c.start
	before := c.run.Counts.Bytes
	for v, err := range tour.Visits(ctx) {
		if err != nil {
			return crawl.Report{}, err
		}
		if err := c.take(ctx, v); err != nil {
			return crawl.Report{}, err
		}
		r := tour.Report()
		c.count(func(n *Counts) {
			n.Done++
			n.Total, n.Bytes = max(r.Seen, n.Done), before+r.Bytes
		})
		if c.lost(v) {
			break
		}
	}
	return tour.Report(), nil
}
