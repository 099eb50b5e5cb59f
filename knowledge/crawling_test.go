package knowledge_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

func TestCrawl(t *testing.T) {
	s := newSite(t, map[string]any{
		"/":       page("Home", "/hours", "/prices", "/missing", "/secret"),
		"/hours":  page("opening hours", "/"),
		"/prices": page("prices", "/moved"),
		"/moved":  moved("/hours"),
		"/secret": "<meta name=robots content=noindex>Secret",
	})
	r := newCrawlRig(t, nil)
	r.works(t)
	w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: s.URL, Metadata: map[string]any{"team": "web"}}})
	completed(t, run, knowledge.Counts{Created: 3, Skipped: 3})
	r.became(t, w.ID, "/ fetched", "/hours fetched", "/prices fetched", "/missing gone status", "/moved moved", "/secret skipped noindex")
	r.paths(t, "/", "/hours", "/prices")

	found, err := r.Search(t.Context(), knowledge.Query{Text: "opening hours", Limit: 1})
	if err != nil || len(found.Hits) != 1 || found.Hits[0].URL != s.URL+"/hours" || found.Hits[0].Title != "opening hours" {
		t.Fatalf("search = %+v, %v; want the page of hours", found, err)
	}
	d, err := r.Get(t.Context(), r.docs(t)["/hours"])
	if err != nil || d.Kind != knowledge.KindPage || d.SourceID != w.ID || d.ExternalID != s.URL+"/hours" || d.Language != "en" || d.Metadata["team"] != "web" {
		t.Errorf("document = %+v, %v", d, err)
	}

	s.change(func(map[string]any) {})
	run = r.crawl(t, w.ID, nil)
	completed(t, run, knowledge.Counts{Unchanged: 3, Skipped: 3})
	if s.sent != 1 {
		t.Errorf("%d pages were sent again, want only the one that is not kept", s.sent)
	}
	r.became(t, w.ID, "/ unchanged", "/hours unchanged", "/prices unchanged", "/missing gone status", "/moved moved", "/secret skipped noindex")
}

// TestCrawlFollowsASite is the life of a website: its pages are edited, added,
// removed, moved and deleted, and the documents follow.
func TestCrawlFollowsASite(t *testing.T) {
	s := newSite(t, map[string]any{
		"/":     page("Home", "/a", "/b", "/c", "/d", "/e", "/f"),
		"/a":    page("apples"),
		"/b":    page("bananas"),
		"/c":    page("cherries"),
		"/d":    page("dates"),
		"/e":    page("elderberries"),
		"/f":    page("figs"),
		"/left": page("nothing leads here"),
	})
	r := newCrawlRig(t, nil)
	r.works(t)
	w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: s.URL}})
	completed(t, run, knowledge.Counts{Created: 7})
	before := r.docs(t)
	revision := run.Revision

	s.change(func(p map[string]any) {
		p["/"] = page("Home", "/a", "/b", "/new/c", "/d", "/e", "/g")
		p["/a"] = page("apples", "/a2")  // only a link was added
		p["/b"] = page("blueberries")    // edited
		p["/c"] = moved("/old/c")        // moved, by two redirects, and edited
		p["/old/c"] = moved("/new/c")    //
		p["/new/c"] = page("cherry pie") //
		delete(p, "/d")                  // removed
		delete(p, "/e")                  // moved without a redirect
		p["/g"] = page("elderberries")   //
		p["/a2"] = page("apple pie")     // added; /f is linked from nowhere now, and still there
		p["/f"] = page("figs")
	})
	run = r.crawl(t, w.ID, nil)
	completed(t, run, knowledge.Counts{Created: 1, Updated: 3, Unchanged: 3, Deleted: 1, Skipped: 4})
	if run.Revision != revision+1 {
		t.Errorf("the crawl was published at revision %d, want %d: all at once", run.Revision, revision+1)
	}
	r.became(t, w.ID, "/ unchanged", "/a fetched", "/b fetched", "/new/c fetched", "/d gone status", "/e gone status", "/g fetched", "/a2 fetched",
		"/c moved", "/old/c moved", "/f unchanged")
	after := r.docs(t)
	for path, from := range map[string]string{"/": "/", "/a": "/a", "/b": "/b", "/new/c": "/c", "/g": "/e", "/f": "/f"} {
		if after[path] != before[from] {
			t.Errorf("%s is document %s, want %s, which %s was before", path, after[path], before[from], from)
		}
	}
	r.paths(t, "/", "/a", "/a2", "/b", "/f", "/g", "/new/c")
	for text, want := range map[string]string{"bananas": "", "dates": "", "blueberries": "/b", "cherry pie": "/new/c", "elderberries": "/g", "figs": "/f"} {
		hits, err := r.Search(t.Context(), knowledge.Query{Text: text, Limit: 1})
		got := ""
		if err == nil && len(hits.Hits) > 0 {
			got = hits.Hits[0].URL[len(s.URL):]
		}
		if err != nil || got != want {
			t.Errorf("search for %s finds %q, %v; want %q", text, got, err, want)
		}
	}
	if d, err := r.Get(t.Context(), after["/g"]); err != nil || d.Version != 1 || d.ExternalID != s.URL+"/g" {
		t.Errorf("document of /g = %+v, %v; want the text it had at /e, under its new address", d, err)
	}
	if d, err := r.Get(t.Context(), after["/new/c"]); err != nil || d.Version != 2 {
		t.Errorf("document of /new/c = %+v, %v; want its second version", d, err)
	}

	// What somebody deletes stays away: under its address whatever it says there,
	// and what it said under any.
	if _, err := r.Delete(t.Context(), after["/b"]); err != nil {
		t.Fatal(err)
	}
	s.change(func(p map[string]any) {
		p["/"] = page("Home", "/a", "/b", "/new/c", "/g", "/copy")
		p["/copy"] = page("blueberries") + "<!-- of another hash -->"
		p["/b"] = page("blueberries", "/a")
	})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 6, Skipped: 2})
	became := []string{"/ unchanged", "/a unchanged", "/a2 unchanged", "/b skipped deleted", "/copy skipped deleted", "/f unchanged", "/g unchanged", "/new/c unchanged"}
	r.became(t, w.ID, append(became, "/ fetched")...)
	r.paths(t, "/", "/a", "/a2", "/f", "/g", "/new/c")

	s.change(func(map[string]any) {})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 6, Skipped: 2})
	r.became(t, w.ID, became...)
	if s.sent != 0 {
		t.Errorf("%d pages were sent again, want none", s.sent)
	}
	completed(t, r.crawl(t, w.ID, &knowledge.RunOptions{Force: true}), knowledge.Counts{Unchanged: 6, Skipped: 2})
	r.paths(t, "/", "/a", "/a2", "/f", "/g", "/new/c")
}

// TestCrawlOfASiteWithAnotherName is of a site that goes from http to https, and to a
// name without "www.": its pages are the same, and so are its documents.
func TestCrawlOfASiteWithAnotherName(t *testing.T) {
	s := &site{pages: map[string]any{"/": page("Home", "/a"), "/a": page("apples")}, asked: map[string]int{}}
	origin := "http://www.site.example"
	long := "/" + strings.Repeat("%D8%A7", 150) // an address that is too long for an external id
	s.pages[long] = page("a long name")
	s.pages["/a"] = page("apples", long)
	r := newCrawlRig(t, nil)
	r.lib = knowledge.New(r.store, &knowledge.Options{Crawl: &crawl.Options{Pause: -1}, HTTPClient: &http.Client{Transport: direct{http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if at := req.URL.Scheme + "://" + req.URL.Host; at != origin {
			http.Redirect(w, req, origin+req.URL.RequestURI(), http.StatusMovedPermanently)
			return
		}
		s.ServeHTTP(w, req)
	})}}})
	r.Base = r.lib.Company(r.company)
	r.works(t)
	w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: origin}})
	completed(t, run, knowledge.Counts{Created: 3})
	before := r.docs(t)
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 3})

	s.change(func(map[string]any) { origin = "https://site.example" })
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Updated: 3})
	if after := r.docs(t); !maps.Equal(after, before) {
		t.Errorf("documents = %v, want those of before: %v", after, before)
	}
	for _, id := range before {
		d, err := r.Get(t.Context(), id)
		if err != nil || !strings.HasPrefix(d.URL, origin) || !strings.HasPrefix(d.ExternalID, origin) || d.Version != 1 || len(d.ExternalID) > knowledge.MaxID {
			t.Errorf("document = %+v, %v; want it at %s with the version it had", d, err, origin)
		}
	}
	s.change(func(map[string]any) {})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 3})
	if s.sent != 0 {
		t.Errorf("%d pages were sent again, want none", s.sent)
	}
}

// TestCrawlIsCancelled has a crawl cancelled while it waits for something: it ends
// within a second, and leaves nothing behind. (The time is a test's own.)
func TestCrawlIsCancelled(t *testing.T) {
	var reached chan bool
	slow := func(w http.ResponseWriter, req *http.Request) {
		kind, text := "text/html", "<p>slow"
		if strings.HasSuffix(req.URL.Path, ".xml") {
			kind, text = "application/xml", `<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`
		}
		w.Header().Set("Content-Type", kind)
		_, _ = w.Write([]byte(text))
		w.(http.Flusher).Flush()
		reached <- true
		<-req.Context().Done()
	}
	later := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "30")
		w.WriteHeader(http.StatusServiceUnavailable)
		reached <- true
	}
	for name, pages := range map[string]map[string]any{
		"slow page":   {"/": page("Home", "/a"), "/a": slow},
		"slow robots": {"/": page("Home"), "/robots.txt": slow},
		"slow map":    {"/": page("Home"), "/sitemap.xml": slow},
		"retry after": {"/": page("Home", "/a"), "/a": later},
		"crawl delay": {"/": page("Home", "/a"), "/a": page("apples"), "/robots.txt": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("User-agent: *\nCrawl-delay: 10\n"))
			reached <- true
		}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				reached = make(chan bool, 100)
				s := &site{pages: pages, asked: map[string]int{}}
				r := newRigOf(t, &http.Client{Transport: direct{s}}, nil)
				r.works(t)
				w, err := r.AddWebsite(t.Context(), knowledge.Website{Source: knowledge.Source{URL: "https://site.example"}})
				if err != nil {
					t.Fatal(err)
				}
				<-reached
				began := time.Now()
				if run, err := r.CancelRun(t.Context(), w.RunID); err != nil || run.State != knowledge.RunCancelled {
					t.Fatalf("cancel = %s, %v", run.State, err)
				}
				r.paths(t)
				s.change(func(p map[string]any) {
					clear(p)
					p["/"] = page("Home")
				})
				run := r.crawl(t, w.ID, nil) // which begins when the worker has left the one before
				completed(t, run, knowledge.Counts{Created: 1})
				if took := run.StartedAt.Sub(began); took > time.Second {
					t.Errorf("it took %v to stop, want a second", took)
				}
				if run, err := r.Run(t.Context(), w.RunID); err != nil || run.State != knowledge.RunCancelled {
					t.Errorf("run is %s, %v", run.State, err)
				}
			})
		})
	}
}
