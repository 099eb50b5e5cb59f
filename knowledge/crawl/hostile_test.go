package crawl_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

func TestRobotsOfTenMegabytes(t *testing.T) {
	body := "User-agent: *\nDisallow: /first\n" + strings.Repeat("# a comment that goes on\n", 10<<20/25) + "Disallow: /last\n"
	got := crawlPages(t, pages{
		"/robots.txt": body,
		"/":           links("Home", "/first", "/last"),
		"/last":       links("Last"),
	}, crawl.Site{})
	got.want(t, "/ fetched", "/first skipped robots", "/last fetched") // only 500 KiB are read
	if got.report.Bytes > 1<<20 {
		t.Errorf("bytes read = %d, want at most 1 MiB", got.report.Bytes)
	}
}

func TestSitemapThatListsItself(t *testing.T) {
	asked := 0
	got := crawlPages(t, pages{
		"/": links("Home"),
		"/sitemap.xml": func(w http.ResponseWriter, req *http.Request) {
			asked++
			fmt.Fprintf(w, `<?xml version="1.0"?><sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
				<sitemap><loc>http://%s/sitemap.xml</loc></sitemap><sitemap><loc>/pages.xml</loc></sitemap></sitemapindex>`, req.Host)
		},
		"/pages.xml": `<urlset><url><loc>/listed</loc><lastmod>2026-11-01</lastmod></url><url><loc>/sitemap.xml</loc></url></urlset>`,
		"/listed":    links("Listed"),
	}, crawl.Site{})
	got.want(t, "/ fetched", "/listed fetched", "/sitemap.xml skipped type")
	if asked != 2 { // once as a sitemap, once as a page
		t.Errorf("the sitemap was asked for %d times, want 2", asked)
	}
	if v := got.visits["/listed"]; v.Listed != "2026-11-01" || v.FoundOn != got.origin+"/pages.xml" || v.Depth != 1 {
		t.Errorf("/listed = %+v, want the sitemap's date and depth 1", v)
	}
}

func TestSitemapsWithoutEnd(t *testing.T) {
	asked := 0
	got := crawlPages(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !strings.HasPrefix(req.URL.Path, "/sitemap") {
			http.NotFound(w, req)
			return
		}
		asked++
		fmt.Fprint(w, "<sitemapindex>")
		for i := range 1000 {
			fmt.Fprintf(w, "<sitemap><loc>%s-%d</loc></sitemap>", req.URL.Path, i)
		}
		fmt.Fprint(w, "</sitemapindex>")
	}), crawl.Site{})
	if asked != 100 || len(got.report.Sitemaps) != 100 {
		t.Errorf("sitemaps asked for = %d, reported = %d, want 100", asked, len(got.report.Sitemaps))
	}
}

func TestEndlessCalendar(t *testing.T) {
	got := crawlPages(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		var year, month int
		fmt.Sscanf(req.URL.Path, "/calendar/%d/%d", &year, &month)
		fmt.Fprintf(w, "<h1>%s</h1><a href=/about>About</a>", req.URL)
		for i := range 40 {
			fmt.Fprintf(w, "<a href=/calendar/%d/%d>x</a> <a href='/events?month=%d'>y</a>", year+i, month+1, year+i)
		}
	}), crawl.Site{MaxPages: 400, MaxAlike: 50, MaxVariants: 20})
	if n := got.report.Outcomes[crawl.Fetched]; n != 72 { // two pages, 50 days, 20 months
		t.Errorf("fetched = %d, want 72", n)
	}
	if got.report.Reasons[crawl.LimitAlike] == 0 || got.report.Reasons[crawl.LimitVariants] == 0 {
		t.Errorf("reasons = %v, want both limits among them", got.report.Reasons)
	}
}

func TestPathsThatRepeatThemselves(t *testing.T) {
	got := crawlPages(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<h1>%s</h1><a href='docs/guide/'>wrong</a>", req.URL)
	}), crawl.Site{})
	if n := got.report.Reasons[crawl.BadURL]; n != 1 || got.report.Outcomes[crawl.Fetched] != 4 {
		t.Errorf("report = %+v, want 4 pages and one bad address", got.report)
	}
}

func TestRedirectsWithoutEnd(t *testing.T) {
	got := crawlPages(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		n, err := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/r"))
		switch {
		case err == nil:
			http.Redirect(w, req, "/r"+strconv.Itoa(n+1), http.StatusFound)
		case req.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, links("Home", "/r0", "/self", "/ping"))
		case req.URL.Path == "/self":
			http.Redirect(w, req, "/self", http.StatusFound)
		case req.URL.Path == "/ping":
			http.Redirect(w, req, "/pong", http.StatusFound)
		case req.URL.Path == "/pong":
			http.Redirect(w, req, "/ping", http.StatusFound)
		default:
			http.NotFound(w, req)
		}
	}), crawl.Site{})
	want := []string{"/ fetched", "/self failed loop", "/ping moved", "/pong failed loop", "/r10 failed loop"}
	for i := range 10 {
		want = append(want, fmt.Sprintf("/r%d moved", i))
	}
	got.want(t, want...)
}

func TestRedirectToInside(t *testing.T) {
	inside := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a host inside was called") }))
	got := crawlPages(t, pages{
		"/":     links("Home", "/meta", "/port", "/file", "/data", "/user"),
		"/meta": redirect("http://169.254.169.254/latest/meta-data/"),
		"/port": redirect(inside + "/admin"),
		"/file": redirect("file:///etc/passwd"),
		"/data": redirect("data:text/html,hello"),
		"/user": redirect("http://user:secret@localhost/"),
	}, crawl.Site{})
	got.want(t, "/ fetched", "/meta moved elsewhere", "/port moved elsewhere", "/file failed status", "/data failed status", "/user failed status")
	if v := got.visits["/meta"]; v.FinalURL != "http://169.254.169.254/latest/meta-data/" {
		t.Errorf("/meta = %+v, want where it leads", v)
	}
}

func TestHostThatResolvesInside(t *testing.T) {
	out, err := egress.New(&egress.Options{AllowHTTP: true, Resolver: resolver(map[string][4]byte{
		"inside.example.": {10, 0, 0, 1}, "loop.example.": {127, 0, 0, 1}, "meta.example.": {169, 254, 169, 254},
	})})
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"http://127.0.0.1/":       "failed blocked",
		"http://[::1]/":           "failed blocked",
		"https://10.0.0.1/":       "failed blocked",
		"https://example.com:22/": "failed blocked",
		"https://inside.example/": "failed blocked",
		"http://loop.example/":    "failed blocked",
		"http://meta.example/":    "failed blocked",
		"https://none.example/":   "failed dns",
	} {
		got := run(t, newCrawler(t, out.HTTP(), &crawl.Options{Pause: -1}), crawl.Site{URL: address}, nil)
		if got.want(t, "/ "+want); t.Failed() {
			t.Fatalf("that was %s", address)
		}
	}
}

func TestLinksThatAreNoPages(t *testing.T) {
	got := crawlPages(t, pages{
		"/": links("Home", "data:text/html,hello", "file:///etc/passwd", "javascript:alert(1)", " JavaScript:alert(2)", "java\tscript:alert(3)",
			"http://user:secret@127.0.0.1/x", "ftp://example.com/", "tel:+60123", "http://", "//", "http://exa mple/", "http://[::1", "#top", "", "?", "%zz",
			"http://127.0.0.1:99999/", "\x01/y", strings.Repeat("/long", 2000)),
		"/%25zz": links("Broken escape"),
		"/y":     links("After a control character"),
	}, crawl.Site{})
	got.want(t, "/ fetched", "/%25zz fetched", "/y fetched")
	want := map[string]int{"data": 1, "file": 1, "javascript": 3, "credentials": 1, "ftp": 1, "tel": 1}
	for kind, n := range want {
		if got.report.Ignored[kind] != n {
			t.Errorf("ignored %s = %d, want %d (%v)", kind, got.report.Ignored[kind], n, got.report.Ignored)
		}
	}
}

// A dripping body gives a byte a second, until its reader is gone.
type dripping struct{ ctx context.Context }

func (d dripping) Read(p []byte) (int, error) {
	select {
	case <-d.ctx.Done():
		return 0, d.ctx.Err()
	case <-time.After(time.Second):
		return copy(p, "x"), nil
	}
}

// slowly is a network with a page whose body drips.
type slowly struct {
	*network
	path string
	read context.Context // of the request
}

func (s *slowly) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := s.network.RoundTrip(req)
	if err == nil && req.URL.Path == s.path {
		s.read = req.Context()
		resp.Body, resp.ContentLength = io.NopCloser(dripping{s.read}), -1
	}
	return resp, err
}

func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &slowly{network: example(pages{"/": links("Home", "/slow", "/fast"), "/slow": links("Slow"), "/fast": links("Fast")}), path: "/slow"}
		got := run(t, newCrawler(t, &http.Client{Transport: n}, nil), crawl.Site{URL: "https://example.com"}, nil)
		got.want(t, "/ fetched", "/slow failed timeout", "/fast fetched")
		if n.read.Err() == nil {
			t.Error("the server was not told that nobody reads any more")
		}
	})
}

func TestPageOfFiftyMegabytes(t *testing.T) {
	chunk := bytes.Repeat([]byte("<p>text</p>\n"), 1<<16)
	got := crawlPages(t, pages{
		"/": links("Home", "/declared", "/streamed", "/bomb"),
		"/declared": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Length", strconv.Itoa(50<<20))
		},
		"/streamed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			for range 50 << 20 / len(chunk) {
				if _, err := w.Write(chunk); err != nil {
					return
				}
			}
		},
		"/bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.Header().Set("Content-Encoding", "gzip")
			zip := gzip.NewWriter(w)
			for range 50 << 20 / len(chunk) {
				if _, err := zip.Write(chunk); err != nil {
					return
				}
			}
			zip.Close()
		},
	}, crawl.Site{})
	got.want(t, "/ fetched", "/declared skipped too_large", "/streamed skipped too_large", "/bomb skipped too_large")
	if got.report.Bytes > 22<<20 {
		t.Errorf("bytes read = %d, want about twice the 10 MiB a page may have", got.report.Bytes)
	}
}

func TestRunsBytesAreBounded(t *testing.T) {
	page := strings.Repeat("x", 1000)
	address := serve(t, pages{
		"/":  links("Home", "/1", "/2", "/3"),
		"/1": page + "1", "/2": page + "2", "/3": page + "3",
	})
	got := run(t, newCrawler(t, guarded(t, address), &crawl.Options{MaxBytes: 2000}), crawl.Site{URL: address}, nil)
	got.want(t, "/ fetched", "/1 fetched", "/2 failed limit_bytes", "/3 failed limit_bytes")
}

func TestHundredThousandLinksOnAPage(t *testing.T) {
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&b, "<a href='/p%dx'>%d</a>", i, i)
	}
	address := serve(t, pages{"/": b.String()})
	got := run(t, newCrawler(t, guarded(t, address), &crawl.Options{MaxURLs: 5000}), crawl.Site{URL: address, MaxPages: 1}, nil)
	if got.report.Seen != 5000 || got.report.Dropped != 95_001 {
		t.Errorf("seen = %d, dropped = %d, want 5000 and 95001", got.report.Seen, got.report.Dropped)
	}
	if got.report.Reasons[crawl.LimitPages]+got.report.Reasons[crawl.LimitAlike] != 4999 {
		t.Errorf("reasons = %v, want a limit for each but the first page", got.report.Reasons)
	}
}

func TestBrokenHTML(t *testing.T) {
	got := crawlPages(t, pages{
		"/": "<ht<ml><title>Broken</titel></title><a href=/a<b>x</a><a href='/b>y</a> <a href=\"/c\" href=/d>z</a><!-- <a href=/e> -->" +
			"<script>var s = '<a href=/f>';</script><div <a href=/g>" + strings.Repeat("<div><b><i>", 50_000) + "<a href=/h>x",
		"/c": links("C"), "/h": links("H"),
	}, crawl.Site{})
	if v := got.visits["/"]; v.Outcome != crawl.Fetched || !strings.HasPrefix(v.Title, "Broken") {
		t.Errorf("/ = %q %q %q, want it fetched with its title", v.Outcome, v.Reason, v.Title)
	}
	for _, path := range []string{"/d", "/e", "/f"} {
		if v, ok := got.visits[path]; ok {
			t.Errorf("%s = %+v, want it not seen", path, v)
		}
	}
	if got.visits["/h"].Outcome != crawl.Fetched {
		t.Errorf("/h = %+v, want it fetched", got.visits["/h"])
	}
}

func TestCycles(t *testing.T) {
	got := crawlPages(t, pages{
		"/":  links("Home", "/a"),
		"/a": links("A", "/b", "/a"),
		"/b": links("B", "/a", "/"),
	}, crawl.Site{})
	got.want(t, "/ fetched", "/a fetched", "/b fetched")
	if got.report.Requests != 5 { // with robots.txt and sitemap.xml
		t.Errorf("requests = %d, want 5", got.report.Requests)
	}
}

func TestCanonicalsThatLeadNowhere(t *testing.T) {
	got := crawlPages(t, pages{
		"/":                   links("Home", "/a", "/b", "/lost", "/home", "/self", "/out", "/excluded-canonical"),
		"/a":                  `<link rel=canonical href=/b>A`,
		"/b":                  `<link rel=canonical href=/a>B`,
		"/lost":               `<link rel=canonical href=/not-there>Lost`,
		"/home":               `<link rel=canonical href=/>Not the first page`,
		"/self":               `<link rel=canonical href="/self?utm_source=x">Self`,
		"/out":                `<link rel=canonical href="https://other.example/">Out`,
		"/excluded-canonical": `<link rel=canonical href="/private">Ours`,
	}, crawl.Site{Exclude: []string{"/private"}})
	got.want(t, "/ fetched", "/a fetched", "/b skipped duplicate", "/lost fetched", "/not-there gone status", "/home fetched", "/self fetched",
		"/out fetched", "/private skipped excluded", "/excluded-canonical fetched")
}

func TestServerThatNeverWorks(t *testing.T) {
	asked := 0
	got := crawlPages(t, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		switch req.URL.Path {
		case "/":
			w.Header().Set("Content-Type", "text/html")
			for i := range 50 {
				fmt.Fprintf(w, "<a href=/%c%c>x</a>", 'a'+i%26, 'a'+i/26)
			}
		case "/robots.txt", "/sitemap.xml":
			http.NotFound(w, req)
		default:
			asked++
			w.WriteHeader(http.StatusInternalServerError)
		}
	}), crawl.Site{})
	if asked != 10 || got.report.Reasons[crawl.Unreachable] != 40 {
		t.Errorf("asked %d times, %v, want 10 and then 40 unreachable", asked, got.report.Reasons)
	}
}

func TestSitemapThatMovedElsewhere(t *testing.T) {
	other := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another host was called") }))
	got := crawlPages(t, pages{
		"/robots.txt": "Sitemap: /a.xml\nSitemap: https://other.example/b.xml\nSitemap: /c.xml",
		"/":           links("Home"),
		"/a.xml":      redirect(other + "/a.xml"),
		"/c.xml":      redirect("/d.xml"),
		"/d.xml":      "<urlset><url><loc>https://other.example/x</loc></url><url><loc>d</loc></url></urlset>",
		"/d":          links("D"),
	}, crawl.Site{})
	got.want(t, "/ fetched", "/d fetched")
	var reasons []crawl.Reason
	for _, s := range got.report.Sitemaps {
		reasons = append(reasons, s.Reason)
	}
	if len(reasons) != 3 || reasons[0] != crawl.Elsewhere || reasons[1] != crawl.Elsewhere || reasons[2] != "" {
		t.Errorf("sitemaps = %+v, want two elsewhere and one read", got.report.Sitemaps)
	}
}

func TestBytesOfAddressesAreBounded(t *testing.T) {
	var to []string
	for i := range 90 {
		to = append(to, "/"+strings.Repeat(string(rune('a'+i%26)), 1000+i))
	}
	address := serve(t, pages{"/": links("Home", to...)})
	got := run(t, newCrawler(t, guarded(t, address), &crawl.Options{MaxURLs: 100}), crawl.Site{URL: address}, nil)
	if got.report.Seen < 15 || got.report.Seen > 20 || got.report.Seen+got.report.Dropped != 91 {
		t.Errorf("seen = %d, dropped = %d, want less than 20 and 91 in all", got.report.Seen, got.report.Dropped)
	}
}

func TestBetterWayToAPage(t *testing.T) {
	got := crawlPages(t, pages{
		"/":  `<title>Home</title><a rel=nofollow href=/x>x</a><a href=/a>a</a>`,
		"/a": links("A", "/x"),
		"/x": links("X"),
	}, crawl.Site{})
	if got.want(t, "/ fetched", "/a fetched", "/x fetched"); got.visits["/x"].FoundOn != got.origin+"/a" {
		t.Errorf("/x = %+v, want it found on /a", got.visits["/x"])
	}
}
