package crawl_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// withETag sends a page that may be asked for conditionally.
func withETag(tag, page string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("ETag", tag)
		if req.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page)
	}
}

func TestUnchangedPagesCostOneRequest(t *testing.T) {
	p := pages{
		"/":  withETag(`"1"`, links("Home", "/a", "/b")),
		"/a": withETag(`W/"2"`, links("A", "/only-from-a")),
		"/b": links("B"), // a server that knows no conditions
		"/only-from-a": func(w http.ResponseWriter, req *http.Request) {
			w.Header().Set("Last-Modified", "Sun, 22 Nov 2026 06:00:00 GMT")
			if req.Header.Get("If-Modified-Since") == "Sun, 22 Nov 2026 06:00:00 GMT" {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<title>Only</title>")
		},
	}
	address := serve(t, p)
	c := newCrawler(t, guarded(t, address), nil)
	var m memory
	first := run(t, c, crawl.Site{URL: address}, m.known)
	first.want(t, "/ fetched", "/a fetched", "/b fetched", "/only-from-a fetched")
	m.keep(first)

	again := run(t, c, crawl.Site{URL: address}, m.known)
	again.want(t, "/ unchanged", "/a unchanged", "/b unchanged", "/only-from-a unchanged")
	if b := int64(len(p["/b"].(string))); again.report.Bytes != b {
		t.Errorf("bytes of a second crawl = %d, want %d, those of the page that is sent again", again.report.Bytes, b)
	}
	if again.report.Requests != 6 {
		t.Errorf("requests of a second crawl = %d, want 6: four pages, robots.txt and sitemap.xml", again.report.Requests)
	}
	if v := again.visits["/a"]; v.Status != 304 || v.ETag != `W/"2"` || v.Hash != first.visits["/a"].Hash || len(v.Links) != 1 || v.Body != nil {
		t.Errorf("/a = %+v, want what was known, and no body", v)
	}
	m.keep(again)

	p["/"] = withETag(`"3"`, links("Home is new", "/b"))
	delete(p, "/a")
	gone := []string{address + "/a", address + "/only-from-a", "https://other.example/x", "not an address"}
	third := run(t, c, crawl.Site{URL: address, Recheck: gone}, m.known)
	third.want(t, "/ fetched", "/b unchanged", "/a gone status", "/only-from-a unchanged")
}

func TestTokensDoNotMakeAPageNew(t *testing.T) {
	n := 0
	address := serve(t, pages{"/": func(w http.ResponseWriter, _ *http.Request) {
		n++
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<html><script nonce=%d>token=%d</script><p data-n=%d>Open   from 9 to 5<input type=hidden value=%d></html>", n, n, n, n)
	}})
	c := newCrawler(t, guarded(t, address), nil)
	var m memory
	m.keep(run(t, c, crawl.Site{URL: address}, nil))
	run(t, c, crawl.Site{URL: address}, m.known).want(t, "/ unchanged")
}

func TestEqualContentIsKeptOnce(t *testing.T) {
	same := "<title>Same</title><p>The same text"
	got := crawlPages(t, pages{
		"/":         links("Home", "/a", "/a/", "/a?sort=x"),
		"/a":        same,
		"/a/":       same,
		"/a?sort=x": same,
	}, crawl.Site{})
	got.want(t, "/ fetched", "/a fetched", "/a/ skipped duplicate", "/a?sort=x skipped duplicate")
	if v := got.visits["/a/"]; v.Canonical != got.origin+"/a" {
		t.Errorf("/a/ = %+v, want canonical /a", v)
	}
}

func TestIncludeAndExclude(t *testing.T) {
	got := crawlPages(t, pages{
		"/":       links("Home", "/docs/", "/news/"),
		"/docs/":  links("Docs", "/docs/a", "/docs/print/a", "/docs/a?print=1", "/docs/old.html"),
		"/docs/a": links("A"),
	}, crawl.Site{Include: []string{"/docs/"}, Exclude: []string{"*/print/", "/*?print=", "*.html$"}})
	got.want(t, "/ skipped excluded", "/docs/ fetched", "/news/ skipped excluded", "/docs/a fetched", "/docs/print/a skipped excluded",
		"/docs/a?print=1 skipped excluded", "/docs/old.html skipped excluded")
}

func TestEntranceThatRedirects(t *testing.T) {
	got := crawlPages(t, pages{
		"/":     redirect("/en/"),
		"/en/":  links("Home", "/en/a"),
		"/en/a": links("A"),
	}, crawl.Site{Include: []string{"/en/a"}})
	got.want(t, "/ moved", "/en/ skipped excluded", "/en/a fetched")
}

func TestMaxPages(t *testing.T) {
	got := crawlPages(t, pages{
		"/": links("Home", "/a", "/b", "/c"), "/a": redirect("/d"), "/b": links("B"), "/c": links("C"), "/d": links("D"),
	}, crawl.Site{MaxPages: 2})
	got.want(t, "/ fetched", "/a moved", "/b fetched", "/c skipped limit_pages", "/d skipped limit_pages")
}

func TestHeaderDirectives(t *testing.T) {
	tagged := func(values ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, req *http.Request) {
			w.Header()["X-Robots-Tag"] = values
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, "%s <a href=%s/next>x</a>", req.URL, req.URL)
		}
	}
	got := crawlPages(t, pages{
		"/":  links("Home", "/a", "/b", "/c", "/d", "/e"),
		"/a": tagged("noindex"),
		"/b": tagged("googlebot: noindex", "unavailable_after: 25 Jun 2030 15:00:00 GMT"),
		"/c": tagged("max-snippet:-1, none"),
		"/d": tagged("otherbot: none", "Answerdesk: nofollow"),
		"/e": `<meta name=robots content=none><meta name=answerdesk content=all>for us`,
	}, crawl.Site{})
	got.want(t, "/ fetched", "/a skipped noindex", "/a/next gone status", "/b fetched", "/b/next gone status", "/c skipped noindex",
		"/c/next skipped nofollow", "/d fetched", "/d/next skipped nofollow", "/e fetched")
}

func TestTypes(t *testing.T) {
	typed := func(mediaType, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			if mediaType != "" {
				w.Header().Set("Content-Type", mediaType)
			}
			fmt.Fprint(w, body)
		}
	}
	got := crawlPages(t, pages{
		"/":          links("Home", "/text", "/notes.md", "/md", "/paper.pdf", "/fake.pdf", "/pic", "/none", "/none2", "/bytes.md", "/bytes", "/xhtml"),
		"/text":      typed("text/plain", "Plain <a href=/no>"),
		"/notes.md":  typed("text/plain; charset=utf-8", "# Notes"),
		"/md":        typed("text/markdown", "# Markdown"),
		"/paper.pdf": typed("application/pdf", "%PDF-1.7 …"),
		"/fake.pdf":  typed("application/pdf", "<html>log in"),
		"/pic":       typed("image/png", "\x89PNG"),
		"/none":      typed("", "<!doctype html><title>Sniffed</title>"),
		"/none2":     typed("", "\x89PNG\r\n\x1a\n"),
		"/bytes.md":  typed("application/octet-stream", "# Bytes"),
		"/bytes":     typed("application/octet-stream", "bytes"),
		"/xhtml":     typed("application/xhtml+xml; charset=UTF-8", "<html><title>X</title></html>"),
	}, crawl.Site{})
	got.want(t, "/ fetched", "/text fetched", "/notes.md fetched", "/md fetched", "/paper.pdf fetched", "/fake.pdf skipped type", "/pic skipped type",
		"/none fetched", "/none2 skipped type", "/bytes.md fetched", "/bytes skipped type", "/xhtml fetched")
	for path, want := range map[string]string{
		"/text": "text/plain", "/notes.md": "text/markdown", "/md": "text/markdown", "/paper.pdf": "application/pdf", "/none": "text/html",
		"/bytes.md": "text/markdown", "/xhtml": "text/html",
	} {
		if v := got.visits[path]; v.ContentType != want || len(v.Body) == 0 || v.Hash == "" {
			t.Errorf("%s = %s with %d bytes, want %s with its body and hash", path, v.ContentType, len(v.Body), want)
		}
	}
}

func TestAlternatesAndBase(t *testing.T) {
	got := crawlPages(t, pages{
		"/": `<html lang=pt-BR><base href="/sub/"><title> A
			title </title><link rel=alternate hreflang=de href=de><link rel=alternate hreflang=x-default href=/><a href=page>x</a>
			<meta http-equiv=refresh content="5; URL='later'">`,
		"/sub/de": "<title>DE</title>", "/sub/page": "<title>Page</title>", "/sub/later": "<title>Later</title>",
	}, crawl.Site{})
	got.want(t, "/ fetched", "/sub/de fetched", "/sub/page fetched", "/sub/later fetched")
	v := got.visits["/"]
	if v.Language != "pt-BR" || v.Title != "A title" {
		t.Errorf("/ = %q in %q, want \"A title\" in pt-BR", v.Title, v.Language)
	}
	want := []crawl.Alternate{{Language: "de", URL: got.origin + "/sub/de"}, {Language: "x-default", URL: got.origin + "/"}}
	if len(v.Alternates) != 2 || v.Alternates[0] != want[0] || v.Alternates[1] != want[1] {
		t.Errorf("alternates = %v, want %v", v.Alternates, want)
	}
}

func TestRobotsTxtThatFails(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	home := links("Home")
	for name, c := range map[string]struct {
		robots func(http.ResponseWriter, *http.Request)
		want   string
	}{
		"404":           {status(404), "/ fetched"},
		"403":           {status(403), "/ fetched"},
		"500":           {status(500), "/ failed robots_error"},
		"redirects":     {redirect("/r.txt"), "/ skipped robots"},
		"redirect loop": {redirect("/robots.txt"), "/ fetched"},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "User-agent: *")
		}, "/ failed robots_error"},
	} {
		t.Run(name, func(t *testing.T) {
			got := crawlPages(t, pages{"/": home, "/robots.txt": c.robots, "/r.txt": "User-agent: answerdesk\nDisallow: /"}, crawl.Site{})
			got.want(t, c.want)
		})
	}
}

func TestSiteIsChecked(t *testing.T) {
	c := newCrawler(t, http.DefaultClient, nil)
	for _, site := range []crawl.Site{
		{}, {URL: "example.com"}, {URL: "ftp://example.com/"}, {URL: "https://user:secret@example.com/"}, {URL: "https://"},
		{URL: "https://example.com/", MaxPages: -1}, {URL: "https://example.com/", Include: []string{"docs"}},
		{URL: "https://example.com/", Exclude: []string{"/" + strings.Repeat("x", 2001)}},
		{URL: "https://example.com/", Exclude: make([]string, 1001)},
	} {
		_, err := c.Crawl(site, nil)
		if err == nil {
			t.Errorf("Crawl(%.100v) = nil, want an error", site)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("Crawl(%v) = %v, want no password in it", site, err)
		}
	}
	for _, opts := range []*crawl.Options{{Parallel: -1}, {MaxBytes: -1}, {MaxTime: -1}, {UserAgent: "a\r\nb"}} {
		if _, err := crawl.New(http.DefaultClient, opts); err == nil {
			t.Errorf("New(%+v) = nil, want an error", opts)
		}
	}
}

func TestFirstPageAlone(t *testing.T) {
	got := crawlPages(t, pages{
		"/": links("Home", "/a"), "/a": links("A"), "/sitemap.xml": `<urlset><url><loc>/b</loc></url></urlset>`,
	}, crawl.Site{MaxDepth: -1})
	got.want(t, "/ fetched", "/a skipped depth")
	if len(got.report.Sitemaps) != 0 {
		t.Errorf("sitemaps = %v, want none to be read", got.report.Sitemaps)
	}
}

func TestOnlyKnownPages(t *testing.T) {
	p := pages{
		"/": links("Home", "/a", "/b", "/moved"), "/a": links("A"), "/b": links("B"), "/moved": redirect("/to"), "/to": links("To", "/further"),
		"/further": links("Further"), "/orphan": links("Orphan"),
	}
	address := serve(t, p)
	c := newCrawler(t, guarded(t, address), nil)
	have := map[string]bool{address + "/a": true, address + "/moved": true, address + "/orphan": true}
	site := crawl.Site{URL: address, Recheck: []string{address + "/orphan"}, Only: func(url string) bool { return have[url] }}
	run(t, c, site, nil).want(t, "/ skipped new", "/a fetched", "/b skipped new", "/moved moved", "/to fetched", "/further skipped new", "/orphan fetched")
	have[address+"/"] = true
	run(t, c, site, nil).want(t, "/ fetched", "/a fetched", "/b skipped new", "/moved moved", "/to fetched", "/further skipped new", "/orphan fetched")
}
