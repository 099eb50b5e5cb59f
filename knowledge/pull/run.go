package pull

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// An End says why a run ended.
type End string

// The ends of runs.
const (
	EndDone      End = "done"      // the last page was read
	EndUnchanged End = "unchanged" // nothing has changed since the run that [Known] is of
	EndRepeats   End = "repeats"   // the API gave what it had given before
	EndItems     End = "max_items" // Source.MaxItems was reached
	EndPages     End = "max_pages" // Source.MaxPages was reached
	EndTime      End = "max_time"  // Options.MaxTime was reached
	EndBytes     End = "max_bytes" // Options.MaxBytes was reached
	EndFailed    End = "failed"    // with the [*Error] that was yielded last
	EndCanceled  End = "canceled"  // the context ended, or the loop was left
)

// A Report sums up a run, while it goes on or after it.
type Report struct {
	End End // "" while the run goes on

	// Complete says that all items of the list were seen, so that what a caller
	// keeps and the run has not yielded is gone; or, if End is [EndUnchanged],
	// is there as before. An item that was yielded with an Err is not gone.
	Complete bool

	Pages    int            // read
	Items    int            // yielded without an Err
	Failed   int            // yielded with an Err
	Repeated int            // not yielded, because the same item had been before
	Problems map[string]int // parts of items that do not fit: "title: $.name matches nothing"

	Requests int
	Bytes    int64 // of pages, unpacked
	Took     time.Duration

	Known Known // for the next run; the zero value if the API gives nothing to compare, or the list has several pages
}

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

// maxWrong is how many items have to fail, and none to fit, until a run fails
// before the end of its first page.
const maxWrong = 100

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

// end notes how the run ended.
func (r *Run) end(end End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := &r.report
	rep.End, rep.Took = end, time.Since(r.began)
	rep.Complete = rep.Complete && !r.unnamed || end == EndDone && !r.unnamed || end == EndUnchanged
	if end == EndUnchanged {
		rep.Known = r.known
	} else if !rep.Complete || rep.Pages != 1 || rep.Failed > 0 {
		rep.Known = Known{}
	}
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

// take yields the items of the nth page.
func (r *Run) take(ctx context.Context, n int, a answer, pg *page, yield func(Item) bool) (End, *Error) {
	fresh, index := 0, 0
	var wrong *Error
	var members []string
	for v, err := range pg.items {
		if ctx.Err() != nil {
			if end := r.outOfTime(); end != "" {
				return end, nil
			}
			return EndCanceled, nil
		}
		if r.report.Items+r.report.Failed >= r.plan.MaxItems {
			return EndItems, nil
		}
		it := r.item(v, err)
		it.Page, it.Index = n, index
		index++
		if repeated := r.repeated(&it); repeated {
			r.count(func(rep *Report) { rep.Repeated++ })
			continue
		}
		fresh++
		if it.Err != nil {
			it.Err = r.fail(a.url, a.status, it.Err)
			it.Err.Item = r.name(&it)
			if wrong == nil {
				wrong, members = it.Err, r.members(v)
			}
		}
		r.note(&it)
		if !yield(it) {
			return EndCanceled, nil
		}
		if n == 1 && r.report.Items == 0 && r.report.Failed == maxWrong {
			break
		}
	}
	if pg.count > 0 && fresh == 0 {
		r.stale++
	} else {
		r.stale = 0
	}
	if n == 1 && wrong != nil && r.report.Items == 0 {
		e := *wrong
		e.Item, e.Message = "", fmt.Sprintf("none of the first %d items can be taken: %s", r.report.Failed, e.Message)
		if len(members) > 0 {
			e.Message += "; the first one has " + strings.Join(members, ", ")
		}
		return EndFailed, &e
	}
	return "", nil
}

// item takes a value of a page to its parts.
func (r *Run) item(v any, err error) Item {
	if err != nil {
		return Item{Err: &Error{Kind: KindSchema, Message: err.Error()}}
	}
	return r.plan.mapper.item(v)
}

// repeated says whether an item was yielded before. One that has the id of
// another gets an Err.
func (r *Run) repeated(it *Item) bool {
	if it.Err != nil || it.ID == "" {
		return false
	}
	sum := sha256.Sum256([]byte(it.ID))
	key, hash := [16]byte(sum[:16]), [8]byte(it.Hash[:8])
	switch before, ok := r.seen[key]; {
	case !ok:
		r.seen[key] = hash
		return false
	case before == hash:
		return true
	}
	*it = Item{ID: it.ID, Page: it.Page, Index: it.Index, Err: &Error{
		Kind: KindMapping, Path: r.plan.mapper.idText(), Message: "another item of this run has the same id; an id names one item",
	}}
	return false
}

// note counts an item.
func (r *Run) note(it *Item) {
	r.count(func(rep *Report) {
		if it.Err != nil {
			rep.Failed++
			r.unnamed = r.unnamed || it.ID == ""
			return
		}
		rep.Items++
		for _, p := range it.Problems {
			rep.problem(p.String())
		}
	})
}

func (rep *Report) problem(text string) {
	if rep.Problems == nil {
		rep.Problems = map[string]int{}
	}
	rep.Problems[text]++
}

// String is the problem in one line.
func (p Problem) String() string { return p.Field + ": " + p.Path + " " + p.Message }

// name is what errors call an item.
func (r *Run) name(it *Item) string {
	if it.ID != "" {
		return clip(r.plan.mask.text(it.ID), 128) // in this order: half a secret is one, too
	}
	return fmt.Sprintf("%d of page %d", it.Index+1, it.Page)
}

// members are the names of an item's members, as many as fit in a message.
func (r *Run) members(v any) []string {
	object, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	names := slices.Sorted(maps.Keys(object))
	if len(names) > 20 {
		names = append(names[:20], "…")
	}
	for i, n := range names {
		names[i] = clip(r.plan.mask.text(oneLine(n)), 40)
	}
	return names
}

// learn keeps what the answer says of the state of the list, for [Known].
func (r *Run) learn(h http.Header) {
	etag, modified := h.Get("Etag"), h.Get("Last-Modified")
	if etag == "" && modified == "" || len(etag)+len(modified) > 1024 {
		return
	}
	r.count(func(rep *Report) { rep.Known = Known{ETag: etag, LastModified: modified, Source: r.plan.fingerprint()} })
}

// count changes the report.
func (r *Run) count(change func(*Report)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.report)
}

// Report tells how far the run is. It may be called at any time.
func (r *Run) Report() Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := r.report
	rep.Problems = maps.Clone(rep.Problems)
	if rep.End == "" && !r.began.IsZero() {
		rep.Took = time.Since(r.began)
	}
	return rep
}
