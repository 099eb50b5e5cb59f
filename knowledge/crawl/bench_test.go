//go:build unix

package crawl_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// A bigSite has generated pages, each of some 30 KB with a menu, an article and
// 60 links, and knows ETags. It answers in memory, so that what is measured is
// the crawler.
type bigSite struct {
	pages int
	body  []byte
}

func newBigSite(pages int) *bigSite {
	var b bytes.Buffer
	b.WriteString(`<body><header><nav class="menu"><ul>`)
	for i := range 30 {
		fmt.Fprintf(&b, `<li class="menu-item"><a class="menu-link" href="/section-%d">Section %d</a></li>`, i, i)
	}
	b.WriteString(`</ul></nav></header><main><article>`)
	for i := range 120 {
		fmt.Fprintf(&b, "<h2 id=\"part-%d\">Part %d</h2>\n<p>Orders placed before %d o'clock leave the same day; <em>the parcel</em> can be followed with the number in the mail, and <code>returns</code> are free for %d days.</p>\n", i, i, i%24, i)
	}
	b.WriteString(`</article></main><footer>Imprint</footer></body></html>`)
	return &bigSite{pages: pages, body: b.Bytes()}
}

func (s *bigSite) RoundTrip(req *http.Request) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusNotFound, Header: http.Header{}, Body: http.NoBody, Request: req}
	n := 0
	if req.URL.Path != "/" {
		var err error
		if n, err = strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/p")); err != nil || n >= s.pages {
			return resp, nil
		}
	}
	tag := `"` + strconv.Itoa(n) + `"`
	resp.Header.Set("ETag", tag)
	if resp.StatusCode = http.StatusOK; req.Header.Get("If-None-Match") == tag {
		resp.StatusCode = http.StatusNotModified
		return resp, nil
	}
	resp.Header.Set("Content-Type", "text/html; charset=utf-8")
	var head strings.Builder
	fmt.Fprintf(&head, "<!doctype html><html lang=en><title>Page %d</title>", n)
	for i := range 30 {
		fmt.Fprintf(&head, "<a href=/p%d>page</a>", (n*30+i)%s.pages)
	}
	resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(head.String()), bytes.NewReader(s.body)))
	return resp, nil
}

// cpu is the time this process has spent on its processors.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkSite crawls 10,000 pages, and again when nothing has changed.
func BenchmarkSite(b *testing.B) {
	const pages = 10_000
	site := newBigSite(pages)
	c := newCrawler(b, &http.Client{Transport: site}, &crawl.Options{Pause: -1})
	what := crawl.Site{URL: "https://example.com/", MaxPages: 20_000, MaxDepth: 100, MaxAlike: 20_000}
	var m memory
	first := run(b, c, what, nil)
	m.keep(first)
	for name, known := range map[string]func(string) (crawl.Known, bool){"first": nil, "unchanged": m.known} {
		b.Run(name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := cpu(b)
			for b.Loop() {
				r, err := c.Crawl(what, known)
				if err != nil {
					b.Fatal(err)
				}
				for _, err := range r.Visits(b.Context()) {
					if err != nil {
						b.Fatal(err)
					}
				}
				if rep := r.Report(); rep.Outcomes[crawl.Fetched]+rep.Outcomes[crawl.Unchanged] < pages {
					b.Fatalf("report = %+v, want %d pages", rep, pages)
				}
			}
			spent := cpu(b) - began
			runtime.ReadMemStats(&after)
			visits := float64(b.N) * pages
			b.ReportMetric(float64(spent.Microseconds())/visits, "cpu-µs/page")
			b.ReportMetric(float64(after.Mallocs-before.Mallocs)/visits, "allocs/page")
			b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/visits, "B/page")
		})
	}
}

// BenchmarkPage reads the markup of one page of 30 KB with 60 links, through a
// crawl of it alone.
func BenchmarkPage(b *testing.B) {
	site := newBigSite(1)
	c := newCrawler(b, &http.Client{Transport: site}, &crawl.Options{Pause: -1})
	b.ReportAllocs()
	for b.Loop() {
		r, err := c.Crawl(crawl.Site{URL: "https://example.com/", MaxPages: 1}, nil)
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range r.Visits(b.Context()) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
