package knowledge_test

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/store"
)

// TestCrawlOfAHostileSite is of a site that sends whatever may go wrong: each address
// has a clear reason in the report, and the pages that are in order are found.
func TestCrawlOfAHostileSite(t *testing.T) {
	file := func(mediaType string, body []byte) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", mediaType)
			_, _ = w.Write(body)
		}
	}
	pdf, err := os.ReadFile("extract/testdata/manual.pdf")
	if err != nil {
		t.Fatal(err)
	}
	locked, err := os.ReadFile("extract/testdata/password.pdf")
	if err != nil {
		t.Fatal(err)
	}
	megabyte := bytes.Repeat([]byte("<p>large "), 1<<17)
	pages := map[string]any{
		"/robots.txt": func(w http.ResponseWriter, _ *http.Request) { // 10 MB, and only the beginning counts
			fmt.Fprint(w, "User-agent: *\nDisallow: /private\nSitemap: /sitemap.xml\n")
			for line := strings.Repeat("# nothing\n", 10_000); ; {
				if _, err := fmt.Fprint(w, line); err != nil {
					return
				}
			}
		},
		"/sitemap.xml": `<sitemapindex><sitemap><loc>/sitemap.xml</loc></sitemap><sitemap><loc>/more.xml</loc></sitemap></sitemapindex>`,
		"/more.xml":    `<urlset><url><loc>/listed</loc></url><url><loc>http://169.254.169.254/</loc></url></urlset>`,
		"/listed":      page("what a sitemap lists"),
		"/": page("Home", "/private/a", "/loop", "/endless/0", "/inside", "/broken", "/large", "/larger", "/cp1252", "/koi8", "/lies", "/bytes",
			"/manual.pdf", "/locked.pdf", "/torn.pdf", "/deep", "/empty", "/nothing.html", "data:text/html,<p>data", "file:///etc/passwd",
			"javascript:alert(1)", "http://user:secret@127.0.0.1/", "//other.example/", "/calendar/2026/1", "/moved", "/utf16"),
		"/private/a": page("secrets"),
		"/loop":      moved("/loop2"), "/loop2": moved("/loop"),
		"/inside": moved("http://10.0.0.1/admin"),
		"/broken": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			_, _ = w.Write([]byte("<p>it breaks off"))
		},
		"/large": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", fmt.Sprint(50*len(megabyte)))
			for range 50 {
				if _, err := w.Write(megabyte); err != nil {
					return
				}
			}
		},
		"/larger": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for range 50 {
				if _, err := w.Write(megabyte); err != nil {
					return
				}
			}
		},
		"/cp1252":       file("text/html; charset=utf-8", []byte("<meta charset=windows-1252><p>Ein sch\xf6nes Caf\xe9 in der Stra\xdfe mit vielen G\xe4sten")),
		"/koi8":         file("text/html; charset=koi8-r", []byte("<p>\xf0\xd2\xc9\xd7\xc5\xd4, \xcd\xc9\xd2. \xfc\xd4\xcf \xd3\xd4\xd2\xc1\xce\xc9\xc3\xc1.")),
		"/utf16":        file("text/html", append([]byte("\xff\xfe"), utf16("<p>Sixteen bits a letter")...)),
		"/lies":         file("text/html; charset=utf-8", bytes.Repeat([]byte("\x81\x8d\x8f\x90\x9d"), 100)),
		"/bytes":        file("text/html", append([]byte("<p>"), bytes.Repeat([]byte{0, 1, 2, 3}, 1000)...)),
		"/manual.pdf":   file("application/pdf", pdf),
		"/locked.pdf":   file("application/pdf", locked),
		"/torn.pdf":     file("application/pdf", pdf[:len(pdf)/3]),
		"/deep":         file("text/html", []byte(strings.Repeat("<div>", 200_000)+"deep down"+strings.Repeat("</div>", 200_000))),
		"/empty":        file("text/html", nil),
		"/nothing.html": file("text/html", []byte("<!doctype html><title>App</title><script src=app.js></script>")),
		"/moved":        moved("/listed"),
	}
	s := newSite(t, pages)
	calendar := func(w http.ResponseWriter, req *http.Request) {
		var y, m int
		_, _ = fmt.Sscanf(req.URL.Path, "/calendar/%d/%d", &y, &m)
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<p>Month %d of %d has nothing in it. <a href=/calendar/%d/%d>next</a>", m, y, y+m/12, m%12+1)
	}
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch {
		case strings.HasPrefix(req.URL.Path, "/calendar/"):
			calendar(w, req)
		case strings.HasPrefix(req.URL.Path, "/endless/"):
			http.Redirect(w, req, req.URL.Path+"x", http.StatusFound)
		default:
			s.ServeHTTP(w, req)
		}
	})
	r := newCrawlRig(t, &crawl.Options{PageTimeout: 10 * time.Minute})
	r.works(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	w, run := r.addSite(t, knowledge.Website{Source: knowledge.Source{URL: s.URL}, MaxPages: 60})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if run.State != knowledge.RunCompleted {
		t.Fatalf("run is %s, %v", run.State, run.Error)
	}
	got := r.report(t, w.ID)
	for path, want := range map[string]string{
		"/": "fetched", "/listed": "fetched", "/moved": "moved", "/private/a": "skipped robots", "/loop": "moved", "/loop2": "failed loop",
		"/inside": "moved elsewhere", "/broken": "failed broken", "/large": "skipped too_large", "/larger": "skipped too_large",
		"/cp1252": "fetched", "/koi8": "fetched", "/utf16": "fetched", "/lies": "skipped charset", "/bytes": "skipped charset",
		"/manual.pdf": "fetched", "/locked.pdf": "skipped password", "/torn.pdf": "failed damaged", "/empty": "skipped empty",
		"/nothing.html": "skipped empty", "/deep": "skipped empty",
	} {
		if got[path] != want {
			t.Errorf("%s became %q, want %q", path, got[path], want)
		}
	}
	months, limited, hops := 0, 0, 0
	for path, became := range got {
		switch {
		case strings.HasPrefix(path, "/calendar/") && became == "fetched":
			months++
		case strings.HasPrefix(path, "/calendar/"):
			limited++
		case strings.HasPrefix(path, "/endless/"):
			hops++
		}
	}
	if months == 0 || months > 60 || limited == 0 || hops == 0 || hops > 12 {
		t.Errorf("%d months were read, %d not, and %d redirects followed", months, limited, hops)
	}
	for text, path := range map[string]string{"schönes Café Straße": "/cp1252", "Привет мир страница": "/koi8", "sixteen bits letter": "/utf16"} {
		hits, err := r.Search(t.Context(), knowledge.Query{Text: text, Limit: 1})
		if err != nil || len(hits.Hits) == 0 || hits.Hits[0].URL != s.URL+path {
			t.Errorf("search for %q = %+v, %v; want %s", text, hits.Hits, err, path)
		}
	}
	files := map[string]string{}
	l, err := r.WebsiteReport(t.Context(), w.ID, store.Page{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range l.Data {
		if strings.HasSuffix(p.URL, ".xml") || strings.HasSuffix(p.URL, ".txt") || !strings.HasPrefix(p.URL, "http") {
			files[strings.TrimPrefix(p.URL, s.URL)] = p.Outcome + " " + p.Reason
		}
		if strings.Contains(fmt.Sprint(p), "secret@") {
			t.Errorf("the report has a password: %+v", p)
		}
	}
	want := map[string]string{
		"/robots.txt": "skipped robots_txt", "/sitemap.xml": "skipped sitemap", "/more.xml": "skipped sitemap", "//other.example": "skipped elsewhere",
		"//169.254.169.254": "skipped elsewhere", "data:": "skipped scheme", "file:": "skipped scheme", "javascript:": "skipped scheme",
		"credentials:": "skipped url",
	}
	if !maps.Equal(files, want) {
		t.Errorf("what is no page = %v, want %v", files, want)
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("the heap has grown by %d MB", grown>>20)
	}
}

// utf16 is text in UTF-16, little end first.
func utf16(text string) []byte {
	var b []byte
	for _, c := range []byte(text) {
		b = append(b, c, 0)
	}
	return b
}
