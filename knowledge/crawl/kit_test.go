package crawl_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// pages is a site: what is sent for each path. A string is HTML.
type pages map[string]any

func (p pages) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch page := p[req.URL.RequestURI()].(type) {
	case string:
		if strings.HasSuffix(req.URL.Path, ".txt") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		} else if strings.HasSuffix(req.URL.Path, ".xml") {
			w.Header().Set("Content-Type", "application/xml")
		} else {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		fmt.Fprint(w, page)
	case http.HandlerFunc:
		page(w, req)
	case func(http.ResponseWriter, *http.Request):
		page(w, req)
	default:
		http.NotFound(w, req)
	}
}

// links is a page with links to the addresses given.
func links(title string, to ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><html lang=en><title>%s</title><h1>%s</h1>", title, title)
	for _, t := range to {
		fmt.Fprintf(&b, "<p><a href=\"%s\">link</a>", t)
	}
	return b.String()
}

// redirect is a page that has moved.
func redirect(to string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusMovedPermanently)
	}
}

// serve starts a server for h and returns its address without a slash at the end.
func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// guarded is a client that may call the server at address, and no other port.
func guarded(t testing.TB, address string) *http.Client {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	out, err := egress.New(&egress.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true, Ports: []uint16{uint16(port)}, MaxBody: 60 << 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.CloseIdleConnections)
	return out.HTTP()
}

// A crawled is what came of a run, by path.
type crawled struct {
	visits map[string]crawl.Visit
	order  []string
	report crawl.Report
	origin string
}

func newCrawler(t testing.TB, client *http.Client, opts *crawl.Options) *crawl.Crawler {
	t.Helper()
	c, err := crawl.New(client, opts)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// run crawls the site, and checks that each address is accounted for once.
func run(t testing.TB, c *crawl.Crawler, site crawl.Site, known func(string) (crawl.Known, bool)) crawled {
	t.Helper()
	r, err := c.Crawl(site, known)
	if err != nil {
		t.Fatal(err)
	}
	got := crawled{visits: map[string]crawl.Visit{}}
	for v, err := range r.Visits(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(v.URL)
		if err != nil {
			t.Fatalf("visit of %q: %v", v.URL, err)
		}
		path := u.RequestURI()
		if _, twice := got.visits[path]; twice {
			t.Errorf("%s was visited twice", path)
		}
		got.visits[path] = v
		got.order = append(got.order, path)
	}
	got.report = r.Report()
	sum := 0
	for _, n := range got.report.Outcomes {
		sum += n
	}
	if sum != got.report.Seen || len(got.visits) != got.report.Seen {
		t.Errorf("%d visits, outcomes %v: want %d of each, one for each address seen", len(got.visits), got.report.Outcomes, got.report.Seen)
	}
	if u, err := url.Parse(got.report.URL); err == nil {
		got.origin = u.Scheme + "://" + u.Host
	}
	return got
}

// crawlPages serves p and crawls it from "/" with what site says beside URL.
func crawlPages(t testing.TB, p http.Handler, site crawl.Site) crawled {
	t.Helper()
	address := serve(t, p)
	if site.URL == "" {
		site.URL = "/"
	}
	site.URL = address + site.URL
	return run(t, newCrawler(t, guarded(t, address), nil), site, nil)
}

// became is "outcome" or "outcome reason" of each path.
func (c crawled) became() map[string]string {
	m := map[string]string{}
	for path, v := range c.visits {
		m[path] = strings.TrimSpace(string(v.Outcome) + " " + string(v.Reason))
	}
	return m
}

// want compares what became of the paths with a list of "path outcome reason".
func (c crawled) want(t testing.TB, lines ...string) {
	t.Helper()
	want := map[string]string{}
	for _, line := range lines {
		path, became, _ := strings.Cut(line, " ")
		want[path] = became
	}
	got := c.became()
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got[path] != want[path] {
			t.Errorf("%s became %q, want %q", path, got[path], want[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[path]; !ok {
			t.Errorf("%s became %q, want no visit", path, got[path])
		}
	}
}

// A memory is what a caller keeps between two crawls.
type memory struct {
	mu    sync.Mutex
	pages map[string]crawl.Known
}

func (m *memory) keep(c crawled) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pages == nil {
		m.pages = map[string]crawl.Known{}
	}
	for _, v := range c.visits {
		switch v.Outcome {
		case crawl.Fetched, crawl.Unchanged:
			m.pages[v.URL] = crawl.Known{ETag: v.ETag, LastModified: v.LastModified, Hash: v.Hash, Canonical: v.Canonical, Links: v.Links}
		case crawl.Failed:
		default:
			delete(m.pages, v.URL)
		}
	}
}

func (m *memory) known(url string) (crawl.Known, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.pages[url]
	return k, ok
}
