package knowledge_test

import (
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
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
