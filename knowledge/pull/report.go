package pull

import (
	"fmt"
	"maps"
	"net/http"
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

	Pages    int // read
	Items    int // yielded without an Err
	Failed   int // yielded with an Err
	Repeated int // not yielded, because the same item had been before

	// Problems are parts of items that do not fit, with how many items have them,
	// such as "title: $.name matches nothing"; and what keeps the run from having
	// seen all items, such as "max_items: …".
	Problems map[string]int

	Requests int
	Bytes    int64 // of pages, unpacked
	Took     time.Duration

	Known Known // for the next run; the zero value if the API gives nothing to compare, or the list has several pages
}

// end notes how the run ended.
func (r *Run) end(end End) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rep := &r.report
	rep.End, rep.Took = end, time.Since(r.began)
	rep.Complete = (rep.Complete || end == EndDone) && !r.unnamed || end == EndUnchanged
	if text := r.why(end); text != "" && !rep.Complete {
		rep.problem(text)
	}
	if end == EndUnchanged {
		rep.Known = r.known
	} else if !rep.Complete || rep.Pages != 1 || rep.Failed > 0 {
		rep.Known = Known{}
	}
}

// why says for the person who must act what kept a run from the end of a list.
func (r *Run) why(end End) string {
	o := &r.puller.opts
	switch end {
	case EndRepeats:
		return "pagination: the API gave what it had given before; check the name of the parameter, or leave pagination out if the list has one page"
	case EndItems:
		return fmt.Sprintf("max_items: the list has more than %d items; the others were not read", r.plan.MaxItems)
	case EndPages:
		return fmt.Sprintf("max_pages: the list has more than %d pages; the others were not read", r.plan.MaxPages)
	case EndTime:
		return fmt.Sprintf("the run took longer than %v; the rest of the list was not read", o.MaxTime)
	case EndBytes:
		return fmt.Sprintf("the list is larger than %d bytes; the rest was not read", o.MaxBytes)
	}
	return ""
}

// learn keeps what the answer says of the state of the list, for [Known].
func (r *Run) learn(h http.Header) {
	etag, modified := h.Get("Etag"), h.Get("Last-Modified")
	if etag == "" && modified == "" || len(etag)+len(modified) > 1024 {
		return
	}
	r.count(func(rep *Report) { rep.Known = Known{ETag: etag, LastModified: modified, Source: r.plan.fingerprint()} })
}

func (rep *Report) problem(text string) {
	if rep.Problems == nil {
		rep.Problems = map[string]int{}
	}
	rep.Problems[text]++
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
