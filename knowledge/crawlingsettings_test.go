package knowledge_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// TestCrawlObeysChangedSettings is of settings that are changed between crawls: after
// the next one the documents are what a first crawl would have made.
func TestCrawlObeysChangedSettings(t *testing.T) {
	s := newSite(t, map[string]any{
		"/": page("Home", "/a", "/b"), "/a": page("apples", "/a/1"), "/a/1": page("apple one", "/a/2"), "/a/2": page("apple two"), "/b": page("bananas"),
	})
	r := newCrawlRig(t, nil)
	r.works(t)
	w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: s.URL}})
	completed(t, run, knowledge.Counts{Created: 5})
	change := func(p knowledge.WebsitePatch) {
		t.Helper()
		if _, err := r.UpdateWebsite(t.Context(), w.ID, p); err != nil {
			t.Fatal(err)
		}
		s.change(func(map[string]any) {})
	}

	change(knowledge.WebsitePatch{MaxDepth: new(1)})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 3, Deleted: 2, Skipped: 2})
	r.became(t, w.ID, "/ unchanged", "/a unchanged", "/b unchanged", "/a/1 skipped depth", "/a/2 skipped depth")
	r.paths(t, "/", "/a", "/b")
	if s.sent > 1 {
		t.Errorf("%d pages were sent again, want at most the one that is too deep", s.sent)
	}

	change(knowledge.WebsitePatch{MaxDepth: new(-1)})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: 1, Deleted: 2, Skipped: 2})
	r.became(t, w.ID, "/ unchanged", "/a skipped depth", "/b skipped depth")
	r.paths(t, "/")

	change(knowledge.WebsitePatch{MaxDepth: new(0), Exclude: &[]string{"/a/"}})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Created: 2, Unchanged: 1, Skipped: 1})
	r.became(t, w.ID, "/ unchanged", "/a fetched", "/b fetched", "/a/1 skipped excluded")

	change(knowledge.WebsitePatch{Exclude: &[]string{}, Include: &[]string{"/a"}})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Created: 2, Unchanged: 1, Deleted: 2, Skipped: 2})
	r.became(t, w.ID, "/ skipped excluded", "/a unchanged", "/b skipped excluded", "/a/1 fetched", "/a/2 fetched")
	r.paths(t, "/a", "/a/1", "/a/2")

	change(knowledge.WebsitePatch{Include: &[]string{}, MaxPages: new(2)})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Created: 1, Unchanged: 1, Deleted: 2, Skipped: 3})
	r.became(t, w.ID, "/ fetched", "/a unchanged", "/b skipped limit_pages", "/a/1 skipped limit_pages", "/a/2 skipped limit_pages")
	r.paths(t, "/", "/a")

	change(knowledge.WebsitePatch{Metadata: map[string]any{"team": "web"}})
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Updated: 2, Skipped: 2})
	r.became(t, w.ID, "/ fetched", "/a fetched", "/b skipped limit_pages", "/a/1 skipped limit_pages")
	for path, id := range r.docs(t) {
		d, err := r.Get(t.Context(), id)
		if err != nil || d.Metadata["team"] != "web" || d.Version != 1 {
			t.Errorf("document of %s = %+v, %v; want it to have the metadata, and the version it had", path, d, err)
		}
	}
}

func TestCrawlOfKnownPagesAlone(t *testing.T) {
	s := newSite(t, map[string]any{"/": page("Home", "/a", "/b"), "/a": page("apples"), "/b": page("bananas")})
	r := newCrawlRig(t, nil)
	r.works(t)
	w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: s.URL}})
	completed(t, run, knowledge.Counts{Created: 3})
	before := r.docs(t)
	s.change(func(p map[string]any) {
		p["/"] = page("Home", "/a", "/b", "/c")
		p["/a"] = page("apricots")
		p["/b"] = moved("/d")
		p["/c"], p["/d"] = page("cherries"), page("dates", "/c")
	})
	completed(t, r.crawl(t, w.ID, &knowledge.RunOptions{NoNewPages: true}), knowledge.Counts{Updated: 2, Unchanged: 1, Skipped: 2})
	r.became(t, w.ID, "/ fetched", "/a fetched", "/b moved", "/c skipped new", "/d fetched")
	r.paths(t, "/", "/a", "/d")
	if after := r.docs(t); after["/d"] != before["/b"] {
		t.Errorf("/d is document %s, want %s, which /b was", after["/d"], before["/b"])
	}
}

func TestWebsiteIsChecked(t *testing.T) {
	r := newCrawlRig(t, nil)
	for _, c := range []struct {
		field string
		site  knowledge.Website
	}{
		{"url", knowledge.Website{}},
		{"url", knowledge.Website{Source: knowledge.Source{URL: "example.com"}}},
		{"url", knowledge.Website{Source: knowledge.Source{URL: "ftp://example.com/"}}},
		{"url", knowledge.Website{Source: knowledge.Source{URL: "https://user:secret@example.com/"}}},
		{"url", knowledge.Website{Source: knowledge.Source{URL: "https://exa mple.com/"}}},
		{"url", knowledge.Website{Source: knowledge.Source{URL: "https://.../"}}},
		{"url", knowledge.Website{Source: knowledge.Source{URL: "https://example.com/" + strings.Repeat("a", 2000)}}},
		{"max_pages", knowledge.Website{Source: knowledge.Source{URL: "https://example.com"}, MaxPages: -1}},
		{"max_depth", knowledge.Website{Source: knowledge.Source{URL: "https://example.com"}, MaxDepth: 101}},
		{"include[0]", knowledge.Website{Source: knowledge.Source{URL: "https://example.com"}, Include: []string{"docs"}}},
		{"exclude", knowledge.Website{Source: knowledge.Source{URL: "https://example.com"}, Exclude: make([]string, 101)}},
		{"schedule", knowledge.Website{Source: knowledge.Source{URL: "https://example.com", Schedule: "often"}}},
	} {
		_, err := r.AddWebsite(t.Context(), c.site)
		if e, ok := errors.AsType[*knowledge.InvalidError](err); !ok || e.Field != c.field || strings.Contains(err.Error(), "secret") {
			t.Errorf("AddWebsite(%.60q) = %v, want %s to be refused", c.site.URL, err, c.field)
		}
	}
}
