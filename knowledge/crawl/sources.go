package crawl

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
)

// Bounds of sitemaps of sitemaps.
const (
	maxSitemaps     = 100
	maxSitemapLevel = 3
)

// file asks for a file that is no page, and follows its redirects: anywhere,
// or within the site.
func (r *Run) file(ctx context.Context, u *url.URL, within bool, read func(*url.URL, io.Reader) Reason) answer {
	for hop := 0; ; hop++ {
		a := r.get(ctx, u, Known{}, func(_ *http.Response, in io.Reader) Reason { return read(u, in) })
		switch {
		case a.location == nil || a.reason != "":
			return a
		case within && !r.scope.has(a.location):
			a.reason = Elsewhere
			return a
		case hop == maxFileHops:
			a.reason = Loop
			return a
		}
		u = a.location
	}
}

// readRobots asks for the site's robots.txt. Where there is none everything is
// allowed; where it cannot be told whether there is one, nothing is (RFC 9309
// section 2.3.1).
func (r *Run) readRobots(ctx context.Context) *robots {
	u := r.scope.url("/robots.txt")
	rules := &robots{}
	a := r.file(ctx, u, false, func(_ *url.URL, in io.Reader) Reason {
		var buf bytes.Buffer
		if _, err := buf.ReadFrom(io.LimitReader(in, maxRobots)); err != nil {
			return Broken
		}
		rules = parseRobots(buf.Bytes())
		return ""
	})
	source := Source{URL: text(u), Status: a.status, Entries: len(rules.rules), Reason: a.reason}
	switch {
	case a.reason == Loop: // as if there were none, section 2.3.1.2
	case a.reason == Broken, a.reason == TooLarge:
		rules.denied = RobotsError
	case a.reason != "":
		rules.denied = a.reason
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		rules.denied, source.Reason = RobotsError, Status
	case a.status/100 != 2:
		source.Reason = Status
	}
	r.gate.slow(min(rules.delay, r.crawler.opts.MaxPause))
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Robots = source
	return rules
}

// addSitemaps reads the site's sitemaps, and takes note of what they list.
func (r *Run) addSitemaps(ctx context.Context) {
	r.entered = true
	if r.robots.denied != "" || r.site.MaxDepth < 0 {
		return
	}
	type sitemap struct {
		address string
		level   int
	}
	var queue []sitemap
	base := r.scope.url("/robots.txt")
	seen := map[string]bool{}
	push := func(base *url.URL, ref string, level int) {
		u, _, ok := resolve(base, ref)
		if !ok || len(seen) >= maxSitemaps || seen[text(u)] {
			return
		}
		seen[text(u)] = true
		queue = append(queue, sitemap{text(u), level})
	}
	for _, ref := range r.site.Sitemaps {
		push(base, ref, 1)
	}
	for _, ref := range r.robots.sitemaps {
		push(base, ref, 1)
	}
	if len(r.robots.sitemaps) == 0 {
		push(base, "/sitemap.xml", 1)
	}
	for len(queue) > 0 && ctx.Err() == nil {
		next := queue[0]
		queue = queue[1:]
		source := r.readSitemap(ctx, next.address, func(from *url.URL, e sitemapEntry) {
			if e.index {
				if next.level < maxSitemapLevel {
					push(from, e.loc, next.level+1)
				}
				return
			}
			r.addListed(next.address, from, e)
		})
		r.mu.Lock()
		r.report.Sitemaps = append(r.report.Sitemaps, source)
		r.mu.Unlock()
	}
}

// readSitemap asks for the sitemap at address, and calls each for what it lists.
func (r *Run) readSitemap(ctx context.Context, address string, each func(*url.URL, sitemapEntry)) Source {
	source := Source{URL: address}
	u, _, ok := resolve(nil, address)
	if !ok || !r.scope.has(u) {
		source.Reason = Elsewhere
		return source
	}
	a := r.file(ctx, u, true, func(from *url.URL, in io.Reader) Reason {
		err := readSitemap(in, maxSitemapBytes, func(e sitemapEntry) {
			source.Entries++
			each(from, e)
		})
		if err != nil {
			return Broken
		}
		return ""
	})
	source.Status, source.Reason = a.status, a.reason
	if a.reason == "" && a.status/100 != 2 {
		source.Reason = Status
	}
	return source
}

// addListed takes note of a page that a sitemap lists.
func (r *Run) addListed(sitemap string, from *url.URL, e sitemapEntry) {
	u, kind, ok := resolve(from, e.loc)
	switch {
	case ok && r.scope.has(u):
		r.add(key(u), way{foundOn: sitemap, listed: e.lastmod, depth: 1, sitemap: true}, false)
		return
	case ok:
		r.mu.Lock()
		count(r.report.Elsewhere, u.Host)
		r.mu.Unlock()
	case kind != "":
		r.mu.Lock()
		count(r.report.Ignored, kind)
		r.mu.Unlock()
	}
}
