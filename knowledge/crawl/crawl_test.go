package crawl_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

func TestEveryAddressIsAccountedFor(t *testing.T) {
	got := crawlPages(t, pages{
		"/robots.txt": "User-agent: *\nDisallow: /private/\n",
		"/": links("Home", "/a", "a?utm_source=x#top", "/b", "/private/x", "/photo.jpg", "/old", "/gone", "/error", "/noindex", "/nofollow",
			"/copy", "/excluded/1", "https://other.example/", "mailto:a@example.com", "/app", "/blog/", "/list?page=2"),
		"/a":            links("A", "/", "/deep/1"),
		"/b":            `<title>B</title><a rel="nofollow ugc" href=/unfollowed>x</a>`,
		"/old":          redirect("/new"),
		"/new":          links("New"),
		"/error":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"/noindex":      `<meta name=robots content="NOINDEX, follow"><a href=/from-noindex>x</a>`,
		"/from-noindex": links("From noindex"),
		"/nofollow":     `<meta name="robots" content="nofollow">text<a href=/unfollowed>x</a><a href=/unfollowed-2>x</a>`,
		"/copy":         `<link rel=canonical href=/a> a copy`,
		"/deep/1":       links("1", "/deep/2"),
		"/deep/2":       links("2", "/deep/3"),
		"/app":          func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "application/zip") },
		"/blog/":        links("Blog", "../a", "./", "post"),
		"/blog/post":    "<title>Post</title>" + strings.Repeat("words ", 10),
		"/list?page=2":  links("Page 2"),
	}, crawl.Site{MaxDepth: 3, Exclude: []string{"/excluded/"}})
	got.want(t,
		"/ fetched", "/a fetched", "/b fetched", "/private/x skipped robots", "/photo.jpg skipped type", "/old moved", "/new fetched",
		"/gone gone status", "/error failed status", "/noindex skipped noindex", "/from-noindex fetched", "/nofollow fetched",
		"/unfollowed skipped nofollow", "/unfollowed-2 skipped nofollow", "/copy skipped duplicate", "/excluded/1 skipped excluded",
		"/deep/1 fetched", "/deep/2 fetched", "/deep/3 skipped depth", "/app skipped type", "/blog/ fetched", "/blog/post fetched",
		"/list?page=2 fetched",
	)
	if v := got.visits["/old"]; v.FinalURL != got.origin+"/new" || v.Status != 301 {
		t.Errorf("/old = %+v, want it moved to /new with status 301", v)
	}
	if v := got.visits["/new"]; v.FoundOn != got.origin+"/old" || v.Title != "New" || v.Language != "en" || v.Depth != 1 {
		t.Errorf("/new = %+v, want title New, language en, depth 1, found on /old", v)
	}
	if v := got.visits["/copy"]; v.Canonical != got.origin+"/a" || v.Body != nil {
		t.Errorf("/copy = %+v, want canonical /a and no body", v)
	}
	if v := got.visits["/error"]; v.Status != 502 || v.FoundOn != got.origin+"/" {
		t.Errorf("/error = %+v, want status 502, found on /", v)
	}
	if n := got.report.Elsewhere["other.example"]; n != 1 {
		t.Errorf("links to other.example = %d, want 1", n)
	}
	if n := got.report.Ignored["mailto"]; n != 1 {
		t.Errorf("mailto links = %d, want 1", n)
	}
	if got.order[0] != "/" || got.order[1] != "/private/x" {
		t.Errorf("order = %v, want / first and what its links name after it", got.order)
	}
}
