package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// reachingLoopback are the options of a desk that may read sites of this machine.
func reachingLoopback() *answerdesk.Options {
	return &answerdesk.Options{AllowNetworks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
}

// work has the desk do what waits, until stop is called or the test ends.
func (s *suite) work() (stop func()) {
	s.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	ended := make(chan error, 1)
	go func(desk *answerdesk.Desk) { ended <- desk.Run(ctx) }(s.desk)
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && ctx.Err() == nil {
			s.Errorf("Run = error %v", err)
		}
	})
	s.Cleanup(stop)
	return stop
}

// wantRun follows a run to its end, and returns it if it ends as it is wanted to.
func wantRun(s *suite, id, state string) *api.Run {
	s.Helper()
	for _, err := range s.admin.Runs.Watch(s.Context(), id, 0) {
		if err != nil {
			s.Fatalf("Watch = error %v", err)
		}
	}
	run := ok(s.admin.Runs.Get(s.Context(), id))(s)
	if run.State != state {
		s.Fatalf("run %s = %+v, want it %s", id, run, state)
	}
	return run
}

// A site is a website of a test: a page that links to all others, each of which
// says what it is about.
type site struct {
	*httptest.Server

	mu    sync.Mutex
	pages map[string]string // texts by path
	gate  chan struct{}     // of /slow, which answers once it is closed
}

// newSite serves a site of so many pages.
func newSite(t testing.TB, pages int) *site {
	s := &site{pages: map[string]string{}, gate: make(chan struct{})}
	for i := 1; i < pages; i++ {
		s.pages[fmt.Sprintf("/page-%d", i)] = fmt.Sprintf("The cellar number %d is open at night. Whoever comes finds a lamp at its door.", i)
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// put sets the text of a page; none means that the page is gone.
func (s *site) put(path, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pages[path] = text; text == "" {
		delete(s.pages, path)
	}
}

// ServeHTTP implements [http.Handler].
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	text, there := s.pages[r.URL.Path]
	var links strings.Builder
	for path := range s.pages {
		fmt.Fprintf(&links, "<li><a href=%q>%s</a></li>", path, path)
	}
	s.mu.Unlock()
	if r.URL.Path == "/" {
		text, there = "This is where all begins: the house with many cellars, each of which has a page.", true
	}
	if r.URL.Path == "/slow" {
		select {
		case <-s.gate:
		case <-r.Context().Done():
			return
		}
	}
	if !there {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><html lang=en><title>Page %s</title><body><main><h1>Page %s</h1><p>%s</p><ul>%s</ul></main>", r.URL.Path, r.URL.Path, text, links.String())
}
