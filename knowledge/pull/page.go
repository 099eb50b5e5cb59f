package pull

import (
	"bytes"
	"crypto/sha256"
	"iter"
	"strings"
)

// A page is one answer of an API, and where its items are.
type page struct {
	body  []byte
	count int      // of items
	sum   [32]byte // of what holds the items
	items iter.Seq2[any, error]

	whole any  // the answer, if it was read as a whole
	list  span // else: what holds the items
	last  span // the last of them; empty if there is none
}

// openPage finds the items in body. The error is an [*Error] without what the
// run knows of it.
func openPage(body []byte, items *path) (*page, *Error) {
	body = bytes.TrimPrefix(body, []byte("\uFEFF"))
	if len(bytes.TrimSpace(body)) == 0 {
		return &page{items: func(func(any, error) bool) {}}, nil // 204, or as good as
	}
	if err := checkJSON(body); err != nil {
		return nil, notJSON(body, err)
	}
	p := &page{body: body}
	if items == nil {
		return p, p.open(&reader{data: body}, false, "")
	}
	if names, wildcard, ok := items.names(); ok {
		r := &reader{data: body}
		for i, name := range names {
			if !r.enter(name) {
				return nil, &Error{Kind: KindMapping, Path: items.text, Message: matchesNothing(names[:i], name)}
			}
		}
		return p, p.open(r, wildcard, items.text)
	}
	return p, p.openWhole(items)
}

// notJSON says what an answer is that cannot be read.
func notJSON(body []byte, err error) *Error {
	text := bytes.TrimSpace(body)
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return &Error{Kind: KindSchema, Message: "the answer is HTML or XML, not JSON: the address is of a page for people, or it asks to sign in"}
	case bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}):
		return &Error{Kind: KindSchema, Message: "the answer is in UTF-16; JSON must be in UTF-8"}
	}
	return &Error{Kind: KindSchema, Message: "the answer is not JSON: " + err.Error()}
}

// matchesNothing says how far a path of names led.
func matchesNothing(found []string, name string) string {
	at := "the answer"
	if len(found) > 0 {
		at = "what is at " + clip(strings.Join(found, "."), 80)
	}
	return "path of the items matches nothing: " + at + " has no member " + clip(name, 80)
}

// enter goes to the value of a member, the last one of that name.
func (r *reader) enter(name string) bool {
	r.space()
	if r.data[r.at] != '{' {
		return false
	}
	found := -1
	for key, value := range within(r.data, r.at) {
		if k, err := unquote(key); err == nil && k == name {
			found = value.from
		}
	}
	if found < 0 {
		return false
	}
	r.at = found
	return true
}

// open takes the value that r is at as what holds the items: a list or, with a
// wildcard, an object. Another object is the only item.
func (p *page) open(r *reader, wildcard bool, text string) *Error {
	r.space()
	p.list = span{r.at, skip(r.data, r.at)}
	switch c := r.data[r.at]; {
	case c == '[' || c == '{' && wildcard:
		for _, p.last = range within(p.body, p.list.from) {
			p.count++
		}
		p.items = func(yield func(any, error) bool) {
			for _, s := range within(p.body, p.list.from) {
				if !yield(decode(p.body[s.from:s.to], maxParts)) {
					return
				}
			}
		}
	case c == '{':
		p.count, p.last = 1, p.list
		p.items = func(yield func(any, error) bool) { yield(decode(p.body[p.list.from:p.list.to], maxParts)) }
	case c == 'n': // null, as some write an empty list
		p.items = func(func(any, error) bool) {}
	default:
		return &Error{Kind: KindMapping, Path: text, Message: "path of the items matches a single value, which is neither a list nor an object"}
	}
	if p.count > 0 {
		p.sum = sha256.Sum256(p.body[p.list.from:p.list.to])
	}
	return nil
}

// openWhole reads the answer as a whole, which a path needs that is more than
// names.
func (p *page) openWhole(items *path) *Error {
	var err error
	if p.whole, err = decode(p.body, maxEnvelope); err != nil {
		return &Error{Kind: KindSchema, Path: items.text, Message: "the answer " + err.Error() + " for a path that is more than names; ask for smaller pages, or write a path such as data.items"}
	}
	found, err := items.find(p.whole)
	if err != nil {
		return &Error{Kind: KindMapping, Path: items.text, Message: err.Error() + "; ask for smaller pages"}
	}
	if len(found) == 0 && !items.leads(p.whole) {
		return &Error{Kind: KindMapping, Path: items.text, Message: "path of the items matches nothing in the answer"}
	}
	var list []any
	for _, n := range found {
		if inner, ok := n.Node.([]any); ok {
			list = append(list, inner...)
		} else if n.Node != nil {
			list = append(list, n.Node)
		}
	}
	p.count = len(list)
	p.items = func(yield func(any, error) bool) {
		for _, v := range list {
			if !yield(v, nil) {
				return
			}
		}
	}
	if p.count > 0 {
		p.sum = sha256.Sum256(p.body)
	}
	return nil
}

// envelope is the answer with at most the last of its items, which is where a
// page says what follows it.
func (p *page) envelope() (any, *Error) {
	if p.whole != nil || p.body == nil {
		return p.whole, nil
	}
	body := p.body
	if p.list != p.last {
		body = append([]byte(nil), p.body[:p.list.from]...)
		switch p.body[p.list.from] {
		case '[':
			body = append(append(append(body, '['), p.body[p.last.from:p.last.to]...), ']')
		case '{':
			body = append(body, "{}"...)
		default:
			body = append(body, "null"...)
		}
		body = append(body, p.body[p.list.to:]...)
	}
	v, err := decode(body, maxEnvelope)
	if err != nil {
		return nil, &Error{Kind: KindSchema, Message: "the answer, its items left out, " + err.Error()}
	}
	return v, nil
}
