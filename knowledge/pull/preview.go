package pull

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/theory/jsonpath/spec"
)

// Bounds of a preview.
const (
	maxSample  = 10  // items that are mapped
	maxList    = 100 // elements of each list that are looked at
	maxFound   = 300 // paths that are told
	maxExample = 80  // characters
)

// A Preview is what one page of a source looks like.
type Preview struct {
	Total int `json:"total"` // items on the page

	// Answer are the paths found in the answer around its items, and Paths those
	// found in the items, both in the order of their letters.
	Answer []Found `json:"answer"`
	Paths  []Found `json:"paths"`

	// Items, Mapping and Pagination are what is suggested for the source.
	Items      string     `json:"items"`
	Mapping    Mapping    `json:"mapping"`
	Pagination Pagination `json:"pagination"`

	// Sample are the first 10 items: by the source's own mapping or, if it has
	// none, by the suggested one.
	Sample []Item `json:"sample"`

	// Problems say what does not fit, in the items looked at.
	Problems []string `json:"problems,omitzero"`
}

// A Found is a path that leads to values, and what they are.
type Found struct {
	Path    string   `json:"path"`
	Types   []string `json:"types"`            // string, number, boolean, null, object, list
	Count   int      `json:"count"`            // values it leads to
	Example string   `json:"example,omitzero"` // the first value that is neither an object nor a list nor empty, cut to 80 characters
}

// Preview asks for the first page of src, whose mapping and path of items may be
// missing, and says what it found there. It is the same for the same answer. The
// error is a [*FieldError], or an [*Error] if there is no answer to look at.
func (p *Puller) Preview(ctx context.Context, src Source) (Preview, error) {
	plan, err := newPlan(src, false)
	if err != nil {
		return Preview{}, fmt.Errorf("pull: %w", err)
	}
	r := p.run(plan)
	r.begin()
	inner, cancel := context.WithDeadline(ctx, r.deadline)
	defer cancel()
	a, fail, end := r.get(inner, plan.begin(), Known{})
	switch {
	case ctx.Err() != nil:
		return Preview{}, fmt.Errorf("pull: %w", ctx.Err())
	case end != "":
		return Preview{}, r.fail(a.url, a.status, &Error{Kind: KindRateLimit, Message: "the API could not be read within the bounds of a run"})
	case fail != nil:
		return Preview{}, fail
	}
	out, fail := r.look(a)
	if fail != nil {
		return Preview{}, r.fail(a.url, a.status, fail)
	}
	return out, nil
}

// look says what an answer looks like.
func (r *Run) look(a answer) (Preview, *Error) {
	out := Preview{Answer: []Found{}, Paths: []Found{}, Sample: []Item{}}
	body := bytes.TrimPrefix(a.body, []byte("\uFEFF"))
	if len(bytes.TrimSpace(body)) == 0 {
		out.Problems = []string{"the answer is empty"}
		return out, nil
	}
	if err := checkJSON(body); err != nil {
		return out, notJSON(body, err)
	}
	whole, err := sample(body, maxList)
	if err != nil {
		return out, &Error{Kind: KindSchema, Message: "the answer " + err.Error() + " to be looked at as a whole; ask for fewer items a page"}
	}
	lists := survey(whole, nil)
	out.Items = suggestItems(lists)
	own := r.plan.items
	pg, fail := openPage(body, own)
	if fail != nil || own == nil {
		if fail != nil {
			out.Problems = append(out.Problems, fail.Message)
		}
		if own, err = parsePath(out.Items); err != nil || out.Items == "$" {
			own = nil
		}
		if pg, fail = openPage(body, own); fail != nil {
			return out, fail
		}
	}
	out.Total = pg.count
	var items, first []any
	for v, err := range pg.items {
		if err != nil {
			out.Problems = append(out.Problems, "an item "+err.Error())
			continue
		}
		if items = append(items, v); len(first) < maxSample {
			first = append(first, v)
		}
		if len(items) == maxList {
			break
		}
	}
	out.Answer = tell(lists, at(own))
	stats := surveyAll(items)
	out.Paths = tell(stats, "")
	out.Mapping = suggestMapping(stats, len(items))
	out.Pagination = suggestPagination(lists, at(own), a.header)
	m := r.plan.mapper
	if len(m.texts) == 0 && !m.flatten {
		m = newMapper(out.Mapping, r.plan.url, func(_, text string) *path {
			if text == "" {
				return nil
			}
			p, err := parsePath(text)
			if err != nil {
				return nil
			}
			return p
		})
	}
	for i, v := range first {
		it := m.item(v)
		it.Page, it.Index = 1, i
		if it.Err != nil {
			it.Err = r.fail(a.url, a.status, it.Err)
			it.Err.Item = r.name(&it)
		}
		out.Sample = append(out.Sample, it)
	}
	out.Problems = append(out.Problems, problems(&m, items)...)
	if r.plan.Pagination.Kind == None && out.Pagination.Kind != None {
		out.Problems = append(out.Problems, morePages)
	}
	return out, nil
}

// morePages is the problem of a source without pagination that seems to have
// pages.
const morePages = "pagination: the answer points to more pages; without a pagination only the first is read"

// problems counts what does not fit when m takes items to their parts.
func problems(m *mapper, items []any) []string {
	count := map[string]int{}
	ids := map[string]bool{}
	for _, v := range items {
		it := m.item(v)
		if it.Err != nil {
			count[strings.TrimSpace(it.Err.Path+" "+it.Err.Message)]++
			continue
		}
		if ids[it.ID] {
			count["id: "+m.idText()+" names more than one item"]++
		}
		ids[it.ID] = true
		for _, p := range it.Problems {
			count[p.String()]++
		}
	}
	var out []string
	for _, text := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%s (in %d of %d items)", text, count[text], len(items)))
	}
	return out
}

// at is where the items are in an answer, in the form that survey gives paths.
func at(p *path) string {
	if p == nil {
		return "$"
	}
	text := "$"
	for _, s := range p.segments {
		if len(s.Selectors()) != 1 {
			return text
		}
		name, ok := s.Selectors()[0].(spec.Name)
		if !ok {
			return text
		}
		text += step(string(name))
	}
	return text
}

// tell lists the paths of s that are not within the list at the path without.
func tell(s stats, without string) []Found {
	out := []Found{}
	for _, path := range slices.Sorted(maps.Keys(s)) {
		one := s[path]
		if without != "" && strings.HasPrefix(path, without+"[*]") || path == "$" && without == "" && one.types["object"] {
			continue
		}
		if len(out) == maxFound {
			break
		}
		out = append(out, Found{Path: path, Types: slices.Sorted(maps.Keys(one.types)), Count: one.count, Example: one.example})
	}
	return out
}
