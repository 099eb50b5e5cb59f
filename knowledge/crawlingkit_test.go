package knowledge_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// newCrawlRig is newRig with a client that may call loopback addresses, as an
// operator allows it.
func newCrawlRig(t *testing.T, opts *crawl.Options) *rig {
	t.Helper()
	out, err := egress.New(&egress.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true, HighPorts: true, MaxBody: 50 << 20,
		HeaderTimeout: 10 * time.Minute, Timeout: 10 * time.Minute, // a busy machine changes nothing
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(out.CloseIdleConnections)
	return newRigOf(t, out.HTTP(), opts)
}

// newRigOf is newCrawlRig with another client.
func newRigOf(t *testing.T, client *http.Client, opts *crawl.Options) *rig {
	t.Helper()
	st := &storetest.Memory{}
	first, err := access.NewCompanies(st).First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lib := knowledge.New(st, &knowledge.Options{HTTPClient: client, Crawl: opts})
	return &rig{Base: lib.Company(first.ID), lib: lib, store: st, company: first.ID, poll: 5 * time.Millisecond}
}

// A site is a website whose pages a test changes between crawls: what is sent for
// each path with its query. A string is sent with an ETag, and not sent again.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	pages map[string]any
	asked map[string]int // requests by path
	sent  int            // answers with a body
}

func newSite(t *testing.T, pages map[string]any) *site {
	t.Helper()
	s := &site{pages: pages, asked: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) change(fn func(pages map[string]any)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fn(s.pages)
	clear(s.asked)
	s.sent = 0
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	page := s.pages[r.URL.RequestURI()]
	s.asked[r.URL.RequestURI()]++
	s.mu.Unlock()
	switch page := page.(type) {
	case string:
		tag := fmt.Sprintf("%q", fmt.Sprint(len(page), strings.Count(page, "e"), page[:min(len(page), 200)]))
		tag = `"` + url.QueryEscape(tag) + `"`
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if strings.HasSuffix(r.URL.Path, ".txt") {
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		}
		s.mu.Lock()
		s.sent++
		s.mu.Unlock()
		fmt.Fprint(w, page)
	case int:
		w.WriteHeader(page)
	case func(http.ResponseWriter, *http.Request):
		page(w, r)
	default:
		http.NotFound(w, r)
	}
}

// page is a page about something, with links.
func page(about string, links ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<!doctype html><html lang=en><title>%s</title><main><h1>%s</h1><p>This page tells all there is to know of %s.</p></main><nav>", about, about, about)
	for _, l := range links {
		fmt.Fprintf(&b, "<a href=%q>see</a> ", l)
	}
	return b.String() + "</nav>"
}

// moved is a page that redirects.
func moved(to string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusMovedPermanently) }
}

// addSite adds a website, and waits for its first crawl.
func (r *rig) addSite(t *testing.T, w knowledge.Website) (knowledge.Website, knowledge.Run) {
	t.Helper()
	w, err := r.AddWebsite(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return w, r.ended(t, w.RunID)
}

// crawl crawls a website again, and waits for it.
func (r *rig) crawl(t *testing.T, websiteID string, opts *knowledge.RunOptions) knowledge.Run {
	t.Helper()
	run, err := r.CrawlWebsite(t.Context(), websiteID, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r.ended(t, run.ID)
}

// completed fails the test unless a run was completed with the given counts, of which
// those that say how much was looked at are not compared.
func completed(t *testing.T, run knowledge.Run, want knowledge.Counts) {
	t.Helper()
	if run.State != knowledge.RunCompleted {
		t.Fatalf("run %s is %s: %v", run.ID, run.State, run.Error)
	}
	got := run.Counts
	if got.Done != got.Total || got.Done < got.Created+got.Updated+got.Unchanged {
		t.Errorf("run %s has done %d of %d, with %+v", run.ID, got.Done, got.Total, got)
	}
	got.Total, got.Done, got.Bytes, got.Errors = 0, 0, 0, nil
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("run %s has counts %+v, want %+v", run.ID, got, want)
	}
}

// report returns what became of each path, as "outcome reason". What is no page is
// left out.
func (r *rig) report(t *testing.T, websiteID string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for p := (store.Page{Limit: 100}); ; {
		l, err := r.WebsiteReport(t.Context(), websiteID, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range l.Data {
			u, err := url.Parse(page.URL)
			if err != nil {
				t.Fatal(err)
			}
			if u.Path == "/robots.txt" || u.Path == "/sitemap.xml" || u.Scheme == "" || u.Host == "" {
				continue // no page
			}
			out[u.RequestURI()] = strings.TrimSpace(page.Outcome + " " + page.Reason)
		}
		if !l.HasMore {
			return out
		}
		p.Cursor = l.NextCursor
	}
}

// became compares the report with a list of "path outcome reason".
func (r *rig) became(t *testing.T, websiteID string, lines ...string) {
	t.Helper()
	want := map[string]string{}
	for _, line := range lines {
		path, became, _ := strings.Cut(line, " ")
		want[path] = became
	}
	if got := r.report(t, websiteID); !maps.Equal(got, want) {
		t.Errorf("report = %v\nwant %v", got, want)
	}
}

// docs returns the ids of the documents there are by path.
func (r *rig) docs(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for p := (store.Page{Limit: 100}); ; {
		l, err := r.List(t.Context(), knowledge.Filter{Kind: knowledge.KindPage}, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range l.Data {
			u, err := url.Parse(d.URL)
			if err != nil {
				t.Fatal(err)
			}
			if out[u.RequestURI()] != "" {
				t.Errorf("%s has two documents", d.URL)
			}
			out[u.RequestURI()] = d.ID
		}
		if !l.HasMore {
			return out
		}
		p.Cursor = l.NextCursor
	}
}

// paths compares the paths that have documents.
func (r *rig) paths(t *testing.T, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(r.docs(t))); !slices.Equal(got, want) {
		t.Errorf("documents of %v, want %v", got, want)
	}
}
