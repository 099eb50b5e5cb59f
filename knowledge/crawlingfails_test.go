package knowledge_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

func status(code int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// TestCrawlThatCannotBegin is of websites whose first page cannot be read: the run
// says why and what to do, and the documents of before stay.
func TestCrawlThatCannotBegin(t *testing.T) {
	later := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	for name, c := range map[string]struct {
		pages  map[string]any
		kind   string
		status int
		says   string
	}{
		"robots.txt":       {map[string]any{"/robots.txt": "User-agent: *\nDisallow: /"}, "robots", 0, "robots.txt"},
		"robots.txt fails": {map[string]any{"/robots.txt": 500}, "robots", 0, "robots.txt could not be read"},
		"noindex":          {map[string]any{"/": "<meta name=robots content=noindex>x"}, "robots", 200, "not to be indexed"},
		"login":            {map[string]any{"/": 401}, "auth", 401, "401"},
		"forbidden":        {map[string]any{"/": 403}, "auth", 403, "answerdesk"},
		"too many":         {map[string]any{"/": later}, "rate_limit", 429, "later"},
		"server error":     {map[string]any{"/": 500}, "network", 500, "500"},
		"gone":             {map[string]any{"/": 404}, "network", 404, "check the address"},
		"elsewhere":        {map[string]any{"/": moved("https://other.example/")}, "network", 301, "https://other.example/"},
		"loop":             {map[string]any{"/": moved("/a"), "/a": moved("/")}, "network", 301, "redirects"},
		"scripts":          {map[string]any{"/": "<!doctype html><title>App</title><div id=root></div><script src=/app.js></script>"}, "empty", 200, "scripts"},
		"broken":           {map[string]any{"/": func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }}, "network", 0, "broke off"},
		"others fail":      {map[string]any{"/": `<a href=/a></a>`, "/a": 502}, "network", 502, "502"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, map[string]any{"/": page("Home", "/a"), "/a": page("apples")})
			r := newCrawlRig(t, nil)
			r.works(t)
			w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: s.URL}})
			completed(t, run, knowledge.Counts{Created: 2})
			s.change(func(p map[string]any) {
				clear(p)
				maps.Copy(p, c.pages)
			})
			run = r.crawl(t, w.ID, nil)
			if run.State != knowledge.RunFailed || run.Error == nil || run.Error.Kind != c.kind || run.Error.Status != c.status || !strings.Contains(run.Error.Message, c.says) {
				t.Errorf("run is %s, %+v; want it failed with kind %s, status %d, and %q", run.State, run.Error, c.kind, c.status, c.says)
			}
			if run.Error != nil && !strings.HasPrefix(run.Error.Item, s.URL) {
				t.Errorf("error is about %q, want a page", run.Error.Item)
			}
			if len(r.report(t, w.ID)) == 0 {
				t.Error("the report is empty")
			}
			r.paths(t, "/", "/a")
			there, err := r.Website(t.Context(), w.ID)
			if err != nil || there.State() != knowledge.SourceFailed || there.LastError == nil || there.LastSuccessAt.IsZero() {
				t.Errorf("website = %+v, %v; want the error, and when it was read last", there, err)
			}

			s.change(func(p map[string]any) {
				clear(p)
				p["/"], p["/a"] = page("Home", "/a"), page("apples")
			})
			completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 2})
			if s.sent != 0 {
				t.Errorf("%d pages were sent again, want none", s.sent)
			}
		})
	}
}

func TestCrawlOfWhatMayNotBeReached(t *testing.T) {
	r := newCrawlRig(t, nil)
	r.works(t)
	for _, address := range []string{"http://169.254.169.254/latest/meta-data/", "http://10.0.0.1/", "http://[::1]:8080/", "http://0x7f.1/", "http://localhost:22/"} {
		_, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: address}})
		if run.State != knowledge.RunFailed || run.Error.Kind != "blocked" && run.Error.Kind != "network" {
			t.Errorf("crawl of %s = %s, %v; want it refused", address, run.State, run.Error)
		}
	}
}

func TestCrawlWithoutAWayOut(t *testing.T) {
	r := newCrawlRig(t, nil)
	r.lib = knowledge.New(r.store, nil)
	r.works(t)
	_, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: "https://example.com/"}})
	if run.State != knowledge.RunFailed || run.Error.Kind != "blocked" {
		t.Errorf("run is %s, %v; want it failed with kind blocked", run.State, run.Error)
	}
}

// TestCrawlGoesOnWherePagesFail is of a site some of whose pages cannot be read: their
// documents stay, and so do those of pages that only they lead to.
func TestCrawlGoesOnWherePagesFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{asked: map[string]int{}, pages: map[string]any{
			"/": page("Home", "/a", "/b", "/c"), "/a": page("apples", "/a/deep"), "/a/deep": page("deep apples"), "/b": page("bananas"), "/c": page("cherries"),
		}}
		r := newRigOf(t, &http.Client{Transport: direct{s}}, nil)
		r.works(t)
		w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: "https://site.example"}})
		completed(t, run, knowledge.Counts{Created: 5})
		before := r.docs(t)
		s.change(func(p map[string]any) {
			p["/c"] = func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.(http.Flusher).Flush()
				<-req.Context().Done()
			}
			p["/a"], p["/b"] = status(500), func(w http.ResponseWriter, req *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				for w.(http.Flusher).Flush(); req.Context().Err() == nil; w.(http.Flusher).Flush() {
					if _, err := w.Write([]byte("<p>slow")); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}
		})
		run = r.crawl(t, w.ID, nil)
		completed(t, run, knowledge.Counts{Unchanged: 2, Failed: 3})
		if !maps.Equal(run.Counts.Errors, map[string]int{"network": 3}) {
			t.Errorf("errors = %v, want three of the network", run.Counts.Errors)
		}
		r.became(t, w.ID, "/ unchanged", "/a failed status", "/b failed timeout", "/c failed timeout", "/a/deep unchanged")
		if after := r.docs(t); !maps.Equal(after, before) {
			t.Errorf("documents = %v, want those of before: %v", after, before)
		}
		items := 0
		for e, err := range r.WatchRun(t.Context(), run.ID, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Type == knowledge.RunItemFailed {
				items++
				if e.Error == nil || e.Error.Message == "" || e.Item != e.Error.Item {
					t.Errorf("event = %+v, want what failed and why", e)
				}
			}
		}
		if items != 3 {
			t.Errorf("%d items failed in events, want 3", items)
		}
		s.change(func(p map[string]any) {
			p["/a"], p["/b"], p["/c"] = page("apples", "/a/deep"), page("bananas"), page("cherries")
		})
		completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 5})
	})
}
