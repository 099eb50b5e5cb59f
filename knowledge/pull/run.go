package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A Run is one pull of one source.
type Run struct {
	puller *Puller
	plan   *plan
	known  Known
	pause  time.Duration
	used   atomic.Bool

	// Used by the goroutine that ranges over Items alone.
	deadline time.Time
	next     time.Time // when the next request may be made
	bytes    int64
	buf      bytes.Buffer         // the page that is read
	seen     map[[16]byte][8]byte // hashes of ids, and of the items they were of
	asked    map[[16]byte]bool    // hashes of addresses
	sums     map[[16]byte]bool    // hashes of pages
	last     [32]byte             // of the page before
	most     int                  // items of a page
	before   int                  // items of the page before
	items    int                  // of all pages
	stale    int                  // pages in a row without an item that is new
	unnamed  bool                 // an item without an id has failed

	mu     sync.Mutex // of what Report reads
	began  time.Time
	report Report
}

// Items pulls the source, page after page, and yields its items in the order
// of the API. An item that cannot be taken is yielded with an Err, and the run
// goes on. A run that fails yields an error last: an [*Error] or, when ctx ends,
// one that wraps its error. If no item of the first page, or of its first
// hundred, can be taken the run fails: the mapping is wrong. It can be ranged
// over once.
func (r *Run) Items(ctx context.Context) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		if r.used.Swap(true) {
			yield(Item{}, errors.New("pull: a run can be ranged over once; make another"))
			return
		}
		r.begin()
		inner, cancel := context.WithDeadline(ctx, r.deadline)
		defer cancel()
		left := false
		end, fail := r.pages(inner, func(it Item) bool {
			left = !yield(it, nil)
			return !left
		})
		if ctx.Err() != nil && (end == EndFailed || end == EndTime) {
			end = EndCanceled
		}
		r.end(end)
		switch {
		case left:
		case end == EndCanceled:
			yield(Item{}, fmt.Errorf("pull: %w", ctx.Err()))
		case end == EndFailed:
			yield(Item{}, fail)
		}
	}
}

func (r *Run) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began = time.Now()
	r.deadline = r.began.Add(r.puller.opts.MaxTime)
	r.seen, r.asked, r.sums = map[[16]byte][8]byte{}, map[[16]byte]bool{}, map[[16]byte]bool{}
}

// pages reads one page after the other. EndCanceled says that the loop was left
// or the context ended.
func (r *Run) pages(ctx context.Context, yield func(Item) bool) (End, *Error) {
	u, known := r.plan.begin(), r.known
	for n := 1; ; n++ {
		if n > r.plan.MaxPages {
			return EndPages, nil
		}
		if !once(r.asked, u.String()) {
			if r.before == 0 { // nothing came, and nothing more will
				return EndDone, nil
			}
			return EndRepeats, nil
		}
		a, fail, end := r.get(ctx, u, known)
		known = Known{}
		switch {
		case end != "":
			return end, nil
		case fail != nil && r.beyond(n, a.status):
			return EndDone, nil
		case fail != nil:
			return EndFailed, fail
		case a.status == http.StatusNotModified:
			return EndUnchanged, nil
		}
		pg, fail := openPage(a.body, r.plan.items)
		if fail != nil {
			return EndFailed, r.fail(a.url, a.status, fail)
		}
		if end := r.repeats(n, pg); end != "" {
			return end, nil
		}
		r.count(func(rep *Report) { rep.Pages++ })
		if end, fail := r.take(ctx, n, a, pg, yield); end != "" {
			return end, fail
		}
		r.items += pg.count
		r.most, r.before = max(r.most, pg.count), pg.count
		next, fail := r.plan.after(a.url, n, r.items, a.header, pg)
		if fail != nil {
			return EndFailed, r.fail(a.url, a.status, fail)
		}
		if next == nil {
			if to, _ := nextLink(a.header); to != "" && r.plan.Pagination.Kind == None {
				r.count(func(rep *Report) { rep.problem(morePages) })
			}
			r.learn(a.header)
			return EndDone, nil
		}
		if r.stale == 2 {
			return EndRepeats, nil
		}
		u = next
	}
}

// once notes s, and says whether it is new.
func once(seen map[[16]byte]bool, s string) bool {
	sum := sha256.Sum256([]byte(s))
	key := [16]byte(sum[:16])
	if seen[key] {
		return false
	}
	seen[key] = true
	return true
}

// beyond says whether an answer to the request for the nth page says that there
// is none: some APIs refuse what is behind the last page. A refusal that could
// mean something else counts only after a page that is not full.
func (r *Run) beyond(n, status int) bool {
	if kind := r.plan.Pagination.Kind; n == 1 || kind != Page && kind != Offset {
		return false
	}
	size := r.plan.Pagination.Size
	short := r.before < r.most || n == 2 && r.before < size
	switch status {
	case http.StatusNotFound, http.StatusRequestedRangeNotSatisfiable:
		return true
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return short
	}
	return false
}

// repeats ends a run whose nth page is one that was read before. Where pages are
// counted, some APIs give the last page for all that come after it; but if it
// is the first page, the API may not know the parameter.
func (r *Run) repeats(n int, pg *page) End {
	if pg.count == 0 {
		return ""
	}
	same := pg.sum == r.last
	r.last = pg.sum
	switch kind := r.plan.Pagination.Kind; {
	case same && n > 2 && (kind == Page || kind == Offset):
		r.count(func(rep *Report) { rep.Complete = true })
		return EndRepeats
	case !once(r.sums, string(pg.sum[:])):
		return EndRepeats
	}
	return ""
}
