package knowledge

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/store"
)

// Limits and defaults of a website.
const (
	DefaultPages = 1000    // see [Website.MaxPages]
	MaxPages     = 100_000 //
	DefaultDepth = 10      // see [Website.MaxDepth]
	MaxDepth     = 100     //
)

// A Website is a source whose documents are the pages of one site. Crawls obey
// robots.txt and what pages say of themselves: see package knowledge/crawl.
type Website struct {
	Source

	MaxPages int      // pages that become documents; 0: [DefaultPages]
	MaxDepth int      // links from the first page that a page may be away; 0: [DefaultDepth], -1: the first page alone
	Include  []string // only pages whose path fits one of these patterns, written as in robots.txt: "/docs/", "/*.html$"
	Exclude  []string // and none that fits one of these
}

// websiteSettings are the settings of a website as they are stored.
type websiteSettings struct {
	MaxPages int      `json:"max_pages,omitzero"`
	MaxDepth int      `json:"max_depth,omitzero"`
	Include  []string `json:"include,omitzero"`
	Exclude  []string `json:"exclude,omitzero"`
}

func websiteOf(s Source) (Website, error) {
	set, err := settings[websiteSettings](s)
	return Website{Source: s, MaxPages: set.MaxPages, MaxDepth: set.MaxDepth, Include: set.Include, Exclude: set.Exclude}, err
}

// complete checks a website, fills in its defaults, and writes its settings.
func (w *Website) complete() error {
	u, err := url.Parse(w.URL)
	switch {
	case len(w.URL) > 2000:
		return invalid("url", "is longer than 2000 bytes")
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return invalid("url", "must begin with http:// or https:// and a host")
	case u.User != nil:
		return invalid("url", "holds a user name or password: leave them out")
	case w.MaxPages < 0 || w.MaxPages > MaxPages:
		return invalid("max_pages", "%d is not between 1 and %d", w.MaxPages, MaxPages)
	case w.MaxDepth < -1 || w.MaxDepth > MaxDepth:
		return invalid("max_depth", "%d is not between 0 and %d", w.MaxDepth, MaxDepth)
	}
	if err := (crawl.Site{URL: w.URL}).Check(); err != nil {
		return invalid("url", "%v", err)
	}
	if w.MaxPages == 0 {
		w.MaxPages = DefaultPages
	}
	if w.MaxDepth == 0 {
		w.MaxDepth = DefaultDepth
	}
	for name, patterns := range map[string][]string{"include": w.Include, "exclude": w.Exclude} {
		if len(patterns) > 100 {
			return invalid(name, "%d patterns are more than 100", len(patterns))
		}
		for i, p := range patterns {
			if len(p) > 500 || !strings.HasPrefix(p, "/") && !strings.HasPrefix(p, "*") {
				return invalid(fmt.Sprintf("%s[%d]", name, i), "must begin with / or * and have at most 500 bytes, such as /docs/ or *.html$")
			}
		}
	}
	w.Settings = stored(websiteSettings{w.MaxPages, w.MaxDepth, w.Include, w.Exclude})
	return nil
}

// Check returns an [InvalidError] naming the first field of the website that cannot
// be stored, without storing anything.
func (w Website) Check() error { return w.complete() }

// AddWebsite adds a website, and queues its first crawl. It gets a new id unless it
// has one already; if that is another source's, it is a [store.ErrConflict].
func (b *Base) AddWebsite(ctx context.Context, w Website) (Website, error) {
	if err := w.complete(); err != nil {
		return Website{}, err
	}
	if w.ID == "" {
		w.ID = id.New(id.Source)
	}
	w.Kind, w.Name = SourceWebsite, ""
	s, err := b.addSource(ctx, w.Source)
	if err != nil {
		return Website{}, err
	}
	return websiteOf(s)
}

// A WebsitePatch changes parts of a website; nil fields stay as they are.
type WebsitePatch struct {
	MaxPages *int // 0: the default
	MaxDepth *int // 0: the default, -1: the first page alone
	Include  *[]string
	Exclude  *[]string
	Schedule *string

	// Metadata is merged: a nil value removes its key. With ResetMetadata what
	// was there goes before.
	Metadata      map[string]any
	ResetMetadata bool

	// IfUpdated is the UpdatedAt that the website must have; zero means any.
	IfUpdated time.Time
}

// UpdateWebsite changes parts of a website. Its next crawl obeys it, and reads all
// pages anew if their metadata is another.
func (b *Base) UpdateWebsite(ctx context.Context, websiteID string, p WebsitePatch) (Website, error) {
	w, err := b.Website(ctx, websiteID)
	if err != nil {
		return Website{}, err
	}
	schedule, there := w.Schedule, w.UpdatedAt
	if !p.IfUpdated.IsZero() && !there.Equal(p.IfUpdated.Truncate(time.Microsecond)) {
		return Website{}, changedSource(w.ID, there)
	}
	set(&w.MaxPages, p.MaxPages)
	set(&w.MaxDepth, p.MaxDepth)
	set(&w.Include, p.Include)
	set(&w.Exclude, p.Exclude)
	set(&w.Schedule, p.Schedule)
	w.Metadata = mergeMetadata(w.Metadata, p.Metadata, p.ResetMetadata)
	if err := w.complete(); err != nil {
		return Website{}, err
	}
	s, err := b.changeSource(ctx, w.Source, schedule, there)
	if err != nil {
		return Website{}, err
	}
	return websiteOf(s)
}

// Website returns a website.
func (b *Base) Website(ctx context.Context, websiteID string) (Website, error) {
	s, err := b.source(ctx, SourceWebsite, "website", websiteID)
	if err != nil {
		return Website{}, err
	}
	return websiteOf(s)
}

// Websites lists websites, newest first: those of an agent only, if one is given.
func (b *Base) Websites(ctx context.Context, agentID string, p store.Page) (store.List[Website], error) {
	l, err := b.sourcesOf(ctx, SourceWebsite, agentID, p)
	return listEach(l, websiteOf, err)
}

// DeleteWebsite removes a website with all its pages, and stops its crawl.
func (b *Base) DeleteWebsite(ctx context.Context, websiteID string) (Deleted, error) {
	w, err := b.Website(ctx, websiteID)
	if err != nil {
		return Deleted{}, err
	}
	return b.deleteSource(ctx, w.Source)
}

// CrawlWebsite queues a crawl of a website, or returns the one that waits already. A
// nil opts means the zero value.
func (b *Base) CrawlWebsite(ctx context.Context, websiteID string, opts *RunOptions) (Run, error) {
	w, err := b.Website(ctx, websiteID)
	if err != nil {
		return Run{}, err
	}
	return b.startRun(ctx, w.Source, opts)
}

// WebsiteReport lists what the latest crawl of a website that has begun did with
// each address, the last one first.
func (b *Base) WebsiteReport(ctx context.Context, websiteID string, p store.Page) (store.List[Page], error) {
	w, err := b.Website(ctx, websiteID)
	if err != nil {
		return store.List[Page]{}, err
	}
	run := w.RunID
	if w.Run.State == RunQueued && w.PublishedID != "" && w.Run.StartedAt.IsZero() {
		run = w.PublishedID
	}
	return b.lib.sources.Pages(ctx, b.company, run, p)
}
