package pull

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxWrong is how many items have to fail, and none to fit, until a run fails
// before the end of its first page.
const maxWrong = 100

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
