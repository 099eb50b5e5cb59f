package crawl

import (
	"context"
	"net/url"
)

// add takes note of an address that was found, and decides whether it is
// visited. It returns the address's entry, or nil if there is no room for it.
func (r *Run) add(key string, w way, nofollow bool) *entry {
	deep := w.depth > max(0, r.site.MaxDepth) && !w.recheck
	e := r.frontier.seen[key]
	switch {
	case e == nil:
		if e = r.frontier.insert(key, w); e == nil {
			return nil
		}
	case e.state != held || nofollow || deep:
		return e
	default:
		e.way = w // a better one
	}
	skip := func(why Reason) { r.finish(e, &Visit{Outcome: Skipped, Reason: why}) }
	switch {
	case r.robots.denied != "":
		r.finish(e, &Visit{Outcome: Failed, Reason: r.robots.denied})
	case badPath(e.key):
		skip(BadURL)
	case !w.entrance && !r.filter.wants(e.key):
		skip(Excluded)
	case !w.entrance && !w.sitemap && otherType(e.key):
		skip(Type)
	case !r.robots.allows(e.key):
		skip(Robots)
	case w.hops == 0 && !w.entrance && !r.only(e):
		skip(NewPage)
	case nofollow:
		e.state, e.reason = held, NoFollow
	case deep:
		e.state, e.reason = held, TooDeep
	default:
		if !w.entrance && !w.sitemap && !w.recheck {
			if why := r.frontier.trap(e.key); why != "" {
				skip(why)
				break
			}
		}
		r.frontier.push(e)
	}
	return e
}

// take handles what became of a page that was asked for.
func (r *Run) take(ctx context.Context, res result) {
	e, v := res.entry, res.visit
	if e.entrance && res.scope != r.scope {
		r.move(ctx, &res)
	}
	r.countFailure(v)
	switch {
	case v.Outcome == Moved:
		r.redirect(e, v, res.target)
	case v.Outcome != Fetched && v.Outcome != Unchanged:
		r.finish(e, v)
	case e.entrance && !r.filter.wants(e.key):
		v.Outcome, v.Reason = Skipped, Excluded
		r.finish(e, v)
	case e.entrance && e.hops == 0 && !r.only(e):
		v.Outcome, v.Reason = Skipped, NewPage
		r.finish(e, v)
	case !r.await(e, v, res.canonical):
		r.keep(e, v)
	}
	r.addLinks(e, &res)
	if e.entrance && !r.entered {
		r.addSitemaps(ctx)
	}
}

// only says whether an entry is one of those that are visited.
func (r *Run) only(e *entry) bool { return r.site.Only == nil || r.site.Only(r.urlOf(e)) }

// move takes the site to be where its own address led.
func (r *Run) move(ctx context.Context, res *result) {
	r.scope = res.scope
	r.mu.Lock()
	r.report.URL = r.urlOf(res.entry)
	r.mu.Unlock()
	r.robots = r.readRobots(ctx)
	switch {
	case r.robots.denied != "":
		*res.visit, res.links = Visit{Outcome: Failed, Reason: r.robots.denied}, nil
	case !r.robots.allows(res.entry.key):
		*res.visit, res.links = Visit{Outcome: Skipped, Reason: Robots}, nil
	}
}

// countFailure counts failures in a row that tell of the host and not of a page.
func (r *Run) countFailure(v *Visit) {
	switch {
	case v.Outcome != Failed:
		r.failures = 0
	case v.Reason != Status && v.Reason != Loop || v.Status >= 500 || v.Status == 429:
		r.failures++
	}
}

// addLinks takes note of what a page leads to.
func (r *Run) addLinks(e *entry, res *result) {
	r.mu.Lock()
	r.report.Dropped += res.dropped
	merge(r.report.Elsewhere, res.elsewhere)
	merge(r.report.Ignored, res.ignored)
	r.mu.Unlock()
	if e.recheck || e.alone {
		return // or were added before
	}
	w := way{foundOn: r.urlOf(e), depth: e.depth + 1}
	for _, l := range res.links {
		r.add(l.key, w, l.nofollow)
	}
}

// merge adds the counts of from to those of to, as far as there is room.
func merge(to, from map[string]int) {
	for word, n := range from {
		if _, ok := to[word]; ok || len(to) < maxCounted {
			to[word] += n
		}
	}
}

// redirect handles a page that has moved to target.
func (r *Run) redirect(e *entry, v *Visit, target *url.URL) {
	v.FinalURL = text(target)
	if !r.scope.has(target) {
		v.Reason = Elsewhere
		r.finish(e, v)
		return
	}
	k := key(target)
	v.FinalURL = r.scope.origin() + k
	for from := e; from != nil; from = from.from {
		if from.key == k {
			v.Outcome, v.Reason = Failed, Loop
		}
	}
	if e.hops == maxHops {
		v.Outcome, v.Reason = Failed, Loop
	}
	r.finish(e, v)
	if v.Outcome == Moved {
		e.to = r.add(k, way{
			foundOn: r.urlOf(e), listed: e.listed, depth: e.depth, hops: e.hops + 1, from: e,
			entrance: e.entrance, sitemap: e.sitemap, recheck: e.recheck,
		}, false)
	}
}

// await says whether a page names another one of the site as its canonical
// page, and ends it then or has it wait: it is a duplicate if that other page
// can be read. That all pages name the site's first page is a common mistake,
// and counts for nothing.
func (r *Run) await(e *entry, v *Visit, canonical *url.URL) bool {
	if canonical == nil || e.alone || !r.scope.has(canonical) {
		return false
	}
	k := key(canonical)
	if k == e.key || k == "/" {
		return false
	}
	c := r.add(k, way{foundOn: r.urlOf(e), depth: e.depth, sitemap: e.sitemap, recheck: e.recheck}, false)
	switch c.readable() {
	case no:
		return false
	case yes:
		r.duplicate(e, v)
	default:
		e.state, v.Body = waiting, nil
		r.waiting = append(r.waiting, waitingVisit{e, c, v})
	}
	return true
}

func (r *Run) duplicate(e *entry, v *Visit) {
	v.Outcome, v.Reason = Skipped, Duplicate
	e.duplicate = true
	r.finish(e, v)
}

// keep finishes a page that was read, unless it is one we have.
func (r *Run) keep(e *entry, v *Visit) {
	if first := r.hashes[v.Hash]; first != nil {
		v.Canonical = r.urlOf(first)
		r.duplicate(e, v)
		return
	}
	if v.Hash != "" {
		r.hashes[v.Hash] = e
	}
	r.finish(e, v)
}

// settle is called when nothing is left to ask for. It says whether there is
// something again.
func (r *Run) settle() bool {
	if len(r.waiting) > 0 {
		r.settleWaiting()
		return true
	}
	if !r.checked {
		r.checked = true
		r.addRechecks()
		return true
	}
	for _, e := range r.frontier.order {
		if e.state == held {
			r.finish(e, &Visit{Outcome: Skipped, Reason: e.reason})
		}
	}
	return false
}

// settleWaiting ends the duplicates of pages that were read, and asks again for
// the others.
func (r *Run) settleWaiting() {
	again := func(e *entry) {
		e.alone = true
		r.frontier.push(e)
	}
	rest := make([]waitingVisit, 0, len(r.waiting))
	for _, w := range r.waiting {
		switch w.canonical.readable() {
		case yes:
			r.duplicate(w.entry, w.visit)
		case no:
			again(w.entry)
		default:
			rest = append(rest, w)
		}
	}
	if len(rest) == len(r.waiting) { // each names another as the right one
		again(rest[0].entry)
		rest = rest[1:]
	}
	r.waiting = rest
}

// addRechecks queues what the caller has from earlier and nothing led to.
func (r *Run) addRechecks() {
	for _, address := range r.site.Recheck {
		u, _, ok := resolve(nil, address)
		if !ok || !r.scope.has(u) {
			continue
		}
		k := key(u)
		if e := r.frontier.seen[k]; e != nil && e.state == held {
			continue // seen, and not to be visited
		}
		r.add(k, way{recheck: true}, false)
	}
}
