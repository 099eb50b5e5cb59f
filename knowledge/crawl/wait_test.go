package crawl_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// A network is hosts in memory, whose requests take time on the clock of a test.
type network struct {
	hosts map[string]http.Handler // by scheme and host
	took  time.Duration

	mu    sync.Mutex
	asked []time.Time
	now   int // under way
	most  int
}

func (n *network) RoundTrip(req *http.Request) (*http.Response, error) {
	n.mu.Lock()
	n.asked = append(n.asked, time.Now())
	n.now++
	n.most = max(n.most, n.now)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.now--
	}()
	if n.took > 0 {
		select {
		case <-time.After(n.took):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	h := n.hosts[req.URL.Scheme+"://"+req.URL.Host]
	if h == nil {
		return nil, errors.New("no such host")
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	resp := w.Result()
	resp.Request = req
	return resp, nil
}

// pauses are the times between the beginnings of requests.
func (n *network) pauses() []time.Duration {
	var list []time.Duration
	for i, at := range n.asked[1:] {
		list = append(list, at.Sub(n.asked[i]))
	}
	return list
}

func (n *network) client() *http.Client { return &http.Client{Transport: n} }

func example(h http.Handler) *network {
	return &network{hosts: map[string]http.Handler{"https://example.com": h}}
}

func TestPauseBetweenRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := example(pages{"/": links("Home", "/a", "/b"), "/a": links("A"), "/b": links("B")})
		n.took = 50 * time.Millisecond
		run(t, newCrawler(t, n.client(), nil), crawl.Site{URL: "https://example.com"}, nil).want(t, "/ fetched", "/a fetched", "/b fetched")
		for i, p := range n.pauses() {
			if p != 200*time.Millisecond {
				t.Errorf("pause %d = %v, want 200ms", i, p)
			}
		}
		if n.most != 1 {
			t.Errorf("requests at a time = %d, want 1", n.most)
		}
	})
}

func TestSlowServerIsAskedOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := example(pages{"/": links("Home", "/a", "/b", "/c", "/d"), "/a": links("A"), "/b": links("B"), "/c": links("C"), "/d": links("D")})
		n.took = time.Second
		c := newCrawler(t, n.client(), nil)
		var wg sync.WaitGroup
		for range 3 { // runs of one crawler share a host's turns
			wg.Go(func() { run(t, c, crawl.Site{URL: "https://example.com"}, nil) })
		}
		wg.Wait()
		if n.most != 1 {
			t.Errorf("requests at a time = %d, want 1", n.most)
		}

		n.most, n.asked = 0, nil
		c = newCrawler(t, n.client(), &crawl.Options{Parallel: 3, Pause: -1})
		run(t, c, crawl.Site{URL: "https://example.com"}, nil)
		if n.most != 3 {
			t.Errorf("requests at a time = %d, want 3", n.most)
		}
	})
}

func TestCrawlDelayWithinBounds(t *testing.T) {
	for asked, want := range map[string]time.Duration{"2.5": 2500 * time.Millisecond, "1e9": 10 * time.Second, "-1": 200 * time.Millisecond, "NaN": 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			n := example(pages{"/robots.txt": "User-agent: *\nCrawl-delay: " + asked, "/": links("Home", "/a"), "/a": links("A")})
			run(t, newCrawler(t, n.client(), nil), crawl.Site{URL: "https://example.com"}, nil)
			if p := n.pauses(); p[len(p)-1] != want {
				t.Errorf("pause for Crawl-delay %s = %v, want %v", asked, p[len(p)-1], want)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	for name, c := range map[string]struct {
		header string
		want   string
		took   time.Duration
	}{
		"seconds":  {"30", "/ fetched", 30 * time.Second},
		"date":     {"date", "/ fetched", 20 * time.Second},
		"nothing":  {"", "/ fetched", 2 * time.Second},
		"nonsense": {"soon", "/ fetched", 2 * time.Second},
		"too long": {"3600", "/ failed status", 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				n := example(pages{"/": func(w http.ResponseWriter, _ *http.Request) {
					if tries++; tries > 1 {
						w.Header().Set("Content-Type", "text/html")
						fmt.Fprint(w, links("Home"))
						return
					}
					if c.header == "date" {
						c.header = time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat)
					}
					w.Header().Set("Retry-After", c.header)
					w.WriteHeader(http.StatusTooManyRequests)
				}})
				began := time.Now()
				got := run(t, newCrawler(t, n.client(), &crawl.Options{Pause: -1}), crawl.Site{URL: "https://example.com"}, nil)
				got.want(t, c.want)
				if took := time.Since(began).Round(time.Second); took != c.took {
					t.Errorf("took %v, want %v", took, c.took)
				}
			})
		})
	}
}

func TestServerThatIsAlwaysBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := example(pages{
			"/robots.txt": "",
			"/":           func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		})
		got := run(t, newCrawler(t, n.client(), nil), crawl.Site{URL: "https://example.com"}, nil)
		got.want(t, "/ failed status")
		if got.report.Requests != 5 || got.report.Took != 6*time.Second+200*time.Millisecond*2 {
			t.Errorf("requests = %d in %v, want robots.txt, three tries with 2 s and 4 s between, and sitemap.xml", got.report.Requests, got.report.Took)
		}
	})
}

func TestTimeOfARunIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := example(pages{"/": links("Home", "/a", "/b", "/c"), "/a": links("A"), "/b": links("B"), "/c": links("C")})
		n.took = 4 * time.Second
		c := newCrawler(t, n.client(), &crawl.Options{MaxTime: 18 * time.Second})
		got := run(t, c, crawl.Site{URL: "https://example.com"}, nil)
		got.want(t, "/ fetched", "/a fetched", "/b failed limit_time", "/c failed limit_time")
		if got.report.Took != 18*time.Second {
			t.Errorf("took %v, want 18s", got.report.Took)
		}
	})
}

func TestServerThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := example(pages{})
		n.took = time.Hour
		got := run(t, newCrawler(t, n.client(), nil), crawl.Site{URL: "https://example.com", Recheck: []string{"https://example.com/kept"}}, nil)
		got.want(t, "/ failed timeout", "/kept failed timeout")
		if got.report.Requests != 1 || got.report.Robots.Reason != crawl.Timeout {
			t.Errorf("report = %+v, want one request, for robots.txt, which took too long", got.report)
		}
	})
}

func TestEndOfContextEndsARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := example(pages{"/": links("Home", "/a"), "/a": links("A")})
		n.took = time.Second
		r, err := newCrawler(t, n.client(), nil).Crawl(crawl.Site{URL: "https://example.com"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3500*time.Millisecond)
		defer cancel()
		var seen []string
		var last error
		for v, err := range r.Visits(ctx) {
			if last = err; err == nil {
				seen = append(seen, v.URL)
			}
		}
		if !errors.Is(last, context.DeadlineExceeded) || !slices.Equal(seen, []string{"https://example.com/"}) {
			t.Errorf("visits = %v, error %v, want the first page and then the context's error", seen, last)
		}
		for _, err := range r.Visits(t.Context()) {
			if err == nil {
				t.Error("a run was ranged over twice")
			}
		}
	})
}

func TestLeavingTheLoopEndsARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var under atomic.Int32
		n := example(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			under.Add(1)
			defer under.Add(-1)
			if strings.HasPrefix(req.URL.Path, "/slow") {
				<-req.Context().Done()
			}
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, links("Page", "/slow1", "/slow2", "/a"))
		}))
		r, err := newCrawler(t, n.client(), &crawl.Options{Parallel: 3, Pause: -1}).Crawl(crawl.Site{URL: "https://example.com"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for v := range r.Visits(t.Context()) {
			if strings.HasSuffix(v.URL, "/a") {
				break
			}
		}
		if under.Load() != 0 { // synctest fails on goroutines that are left
			t.Errorf("requests under way after the loop = %d, want 0", under.Load())
		}
	})
}

// TestSiteThatIsElsewhere crawls sites whose own address is one name or scheme
// and whose pages are on the other.
func TestSiteThatIsElsewhere(t *testing.T) {
	to := func(origin string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			http.Redirect(w, req, origin+req.URL.RequestURI(), http.StatusMovedPermanently)
		})
	}
	site := pages{
		"/robots.txt": "User-agent: *\nDisallow: /secret",
		"/":           links("Home", "http://example.com/a", "https://www.example.com/a", "//example.com/b", "https://example.org/", "/secret", "https://blog.example.com/"),
		"/a":          links("A"),
		"/b":          `<link rel=canonical href="http://example.com/b">B`,
	}
	n := &network{hosts: map[string]http.Handler{
		"http://example.com":      to("https://example.com"),
		"https://example.com":     to("https://www.example.com"),
		"http://www.example.com":  to("https://www.example.com"),
		"https://www.example.com": site,
		"https://example.net":     to("https://www.example.com"),
	}}
	c := newCrawler(t, n.client(), &crawl.Options{Pause: -1})
	var m memory
	for _, address := range []string{"http://example.com", "https://example.com/", "http://www.example.com", "https://www.example.com/"} {
		got := run(t, c, crawl.Site{URL: address}, nil)
		got.want(t, "/ fetched", "/a fetched", "/b fetched", "/secret skipped robots")
		if got.report.URL != "https://www.example.com/" || got.visits["/"].URL != "https://www.example.com/" {
			t.Errorf("site of %s = %s, want https://www.example.com/", address, got.report.URL)
		}
		if got.report.Elsewhere["example.org"] != 1 || got.report.Elsewhere["blog.example.com"] != 1 {
			t.Errorf("elsewhere = %v, want two hosts", got.report.Elsewhere)
		}
		m.keep(got)
		run(t, c, crawl.Site{URL: address}, m.known).want(t, "/ unchanged", "/a unchanged", "/b unchanged", "/secret skipped robots")
	}
	run(t, c, crawl.Site{URL: "https://example.net/"}, nil).want(t, "/ moved elsewhere")
	run(t, c, crawl.Site{URL: "https://example.com/", ExactHost: true}, nil).want(t, "/ moved elsewhere")
	run(t, c, crawl.Site{URL: "https://www.example.com/", ExactHost: true}, nil).want(t, "/ fetched", "/a fetched", "/secret skipped robots")
}

func TestRequestsSayWhoAsks(t *testing.T) {
	var got http.Header
	n := example(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { got = req.Header }))
	run(t, newCrawler(t, n.client(), &crawl.Options{Pause: -1, AboutURL: "https://example.com/bot"}), crawl.Site{URL: "https://example.com"}, nil)
	if ua := got.Get("User-Agent"); ua != "answerdesk/1.0 (+https://example.com/bot)" {
		t.Errorf("User-Agent = %q, want answerdesk/1.0 with the address", ua)
	}
	if got.Get("Cookie")+got.Get("Referer")+got.Get("Authorization") != "" {
		t.Errorf("header = %v, want nothing that tells more", got)
	}
}

// TestEntranceIsAskedAlone holds other pages back until it is known where the
// site is.
func TestEntranceIsAskedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := example(pages{
			"/":            redirect("/en"),
			"/sitemap.xml": "<urlset><url><loc>/listed</loc></url></urlset>",
			"/en":          links("Home"),
			"/listed":      links("Listed"),
		})
		n.took = time.Second
		got := run(t, newCrawler(t, n.client(), &crawl.Options{Parallel: 2, Pause: -1}), crawl.Site{URL: "https://example.com"}, nil)
		if got.want(t, "/ moved", "/en fetched", "/listed fetched"); n.most != 1 {
			t.Errorf("requests at a time = %d, want 1", n.most)
		}
	})
}
