package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// sitePages is how many pages a site of a history may have, or items an API.
const sitePages = 5

// A web is all the sites and APIs of a history, without a network.
type web struct {
	mu    sync.Mutex
	sites map[string]map[int]saying // by host
}

// RoundTrip implements [http.RoundTripper].
func (wb *web) RoundTrip(r *http.Request) (*http.Response, error) {
	rec := httptest.NewRecorder()
	wb.serve(rec, r)
	res := rec.Result()
	res.Request = r
	return res, nil
}

// pages returns what a site has now.
func (wb *web) pages(host string) map[int]saying {
	wb.mu.Lock()
	defer wb.mu.Unlock()
	return maps.Clone(wb.sites[host])
}

// set changes what a site has.
func (wb *web) set(host string, pages map[int]saying) {
	wb.mu.Lock()
	defer wb.mu.Unlock()
	wb.sites[host] = pages
}

// serve answers as a site does, where / lists the pages and /api has them as items. An
// odd page, and the list, can be asked whether it has changed.
func (wb *web) serve(w http.ResponseWriter, r *http.Request) {
	pages := wb.pages(r.URL.Host)
	there := slices.Sorted(maps.Keys(pages))
	if r.URL.Path == "/api" {
		items := []map[string]string{}
		for _, p := range there {
			items = append(items, map[string]string{"id": strconv.Itoa(p), "title": pages[p].title(), "text": pages[p].text()})
		}
		_ = json.NewEncoder(w).Encode(items) // a recorder takes all
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if r.URL.Path == "/" {
		fmt.Fprint(w, "<title>Contents</title><main><h1>Contents</h1><p>This is where the pages are listed.</p><ul>")
		for _, p := range there {
			fmt.Fprintf(w, `<li><a href="/p/%d">Page %d</a>`, p, p)
		}
		return
	}
	p, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/p/"))
	said, ok := pages[p]
	if err != nil || !ok {
		http.NotFound(w, r)
		return
	}
	if tag := `"` + said.topic + `"`; p%2 == 1 {
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	// Of two pages that are the same byte for byte, a crawl takes one.
	fmt.Fprintf(w, "<title>%s</title><main><h1>The code</h1><p>%s</p></main><footer>Page %d</footer>", said.title(), said.text(), p)
}
