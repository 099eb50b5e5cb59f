package crawl

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// maxFailures is how many visits in a row may fail before a host is left alone.
const maxFailures = 10

// A Run is one crawl of one site.
type Run struct {
	crawler *Crawler
	site    Site
	filter  filter
	known   func(string) (Known, bool)
	start   *url.URL
	used    atomic.Bool

	gate     *gate
	deadline time.Time

	// Used by the goroutine that ranges over Visits alone.
	scope    scope
	robots   *robots
	frontier *frontier
	hashes   map[string]*entry // the entry that was kept of each content
	waiting  []waitingVisit
	ready    []*Visit // to be yielded
	underWay int
	entering bool // the page under way decides what the site is
	entered  bool // it is decided, and sitemaps were read
	checked  bool // Site.Recheck was queued
	failures int  // in a row
	stop     Reason

	requests, bytes atomic.Int64

	mu     sync.Mutex // of what Report reads
	began  time.Time
	ended  bool
	report Report
}

// A waitingVisit is of a page that names another as its canonical one.
type waitingVisit struct {
	entry, canonical *entry // canonical may be nil
	visit            *Visit
}

// Visits crawls the site and yields what became of each of its addresses. The
// order is that of the links, breadth first, if Options.Parallel is 1; addresses
// that no followed link leads to come last. An error is yielded when ctx ends,
// and then nothing more. Leaving the loop ends the run; its goroutines are gone
// when Visits returns. It can be ranged over once.
func (r *Run) Visits(ctx context.Context) iter.Seq2[Visit, error] {
	return func(yield func(Visit, error) bool) {
		if r.used.Swap(true) {
			yield(Visit{}, errors.New("crawl: a run can be ranged over once; make another"))
			return
		}
		opts := &r.crawler.opts
		gate, release := r.crawler.gates.hold(bare(r.scope.host), opts.Parallel, opts.pause(r.scope.host))
		defer release()
		defer r.end()
		r.gate = gate
		r.mu.Lock()
		r.began = time.Now()
		r.deadline = r.began.Add(opts.MaxTime)
		r.mu.Unlock()
		inner, cancel := context.WithDeadline(ctx, r.deadline)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()

		results := make(chan result, opts.Parallel)
		r.enter(inner)
		for {
			if err := ctx.Err(); err != nil {
				yield(Visit{}, fmt.Errorf("crawl: %w", err))
				return
			}
			if !r.flush(yield) {
				return
			}
			for r.mayAsk() {
				e, sc := r.frontier.pop(), r.scope
				e.state = asked
				r.entering = e.entrance
				r.underWay++
				wg.Go(func() { results <- r.visit(inner, e, sc) })
			}
			switch {
			case r.underWay > 0:
				res := <-results
				r.underWay--
				r.entering = false
				r.take(inner, res)
			case len(r.frontier.queue) > 0:
				r.giveUp()
			case !r.settle():
				r.flush(yield)
				return
			}
		}
	}
}

// enter reads robots.txt and queues the site's own address.
func (r *Run) enter(ctx context.Context) {
	r.frontier = newFrontier(&r.site, cmp.Or(r.crawler.opts.MaxURLs, max(50_000, 2*r.site.MaxPages)))
	r.hashes = map[string]*entry{}
	r.robots = r.readRobots(ctx)
	r.add(key(r.start), way{entrance: true}, false)
	if len(r.frontier.queue) == 0 { // it is not allowed, others may be
		r.addSitemaps(ctx)
	}
}

// mayAsk says whether the next entry of the queue may be asked for now.
func (r *Run) mayAsk() bool {
	kept := r.report.Outcomes[Fetched] + r.report.Outcomes[Unchanged]
	switch {
	case len(r.frontier.queue) == 0 || r.entering || r.underWay == r.crawler.opts.Parallel:
		return false
	case r.stop != "":
	case r.outOfTime():
		r.stop = LimitTime
	case r.bytes.Load() >= r.crawler.opts.MaxBytes:
		r.stop = LimitBytes
	case r.failures >= maxFailures:
		r.stop = Unreachable
	case kept >= r.site.MaxPages:
		r.stop = LimitPages
	}
	return r.stop == "" && kept+r.underWay < r.site.MaxPages
}

func (r *Run) outOfTime() bool { return !time.Now().Before(r.deadline) }

// giveUp ends the queue for the reason that stopped the run. What could not be
// read for lack of time may be there still.
func (r *Run) giveUp() {
	outcome := Failed
	if r.stop == LimitPages {
		outcome = Skipped
	}
	for len(r.frontier.queue) > 0 {
		r.finish(r.frontier.pop(), &Visit{Outcome: outcome, Reason: r.stop})
	}
}

// finish ends an entry with v, and has v yielded.
func (r *Run) finish(e *entry, v *Visit) {
	e.state, e.outcome = done, v.Outcome
	v.URL, v.FoundOn, v.Depth, v.Listed = r.urlOf(e), e.foundOn, e.depth, e.listed
	if v.Outcome != Fetched {
		v.Body = nil
	}
	r.ready = append(r.ready, v)
}

func (r *Run) urlOf(e *entry) string { return r.scope.origin() + e.key }

// flush yields what is ready, and says whether the loop goes on.
func (r *Run) flush(yield func(Visit, error) bool) bool {
	ready := r.ready
	r.ready = nil
	r.mu.Lock()
	r.report.Seen, r.report.Dropped = len(r.frontier.order), r.report.Dropped+r.frontier.dropped
	r.frontier.dropped = 0
	r.mu.Unlock()
	for _, v := range ready {
		r.mu.Lock()
		r.report.Outcomes[v.Outcome]++
		if v.Reason != "" {
			r.report.Reasons[v.Reason]++
		}
		r.mu.Unlock()
		if !yield(*v, nil) {
			return false
		}
	}
	return true
}

func (r *Run) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.report.Took = true, time.Since(r.began)
}
