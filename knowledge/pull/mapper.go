package pull

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/theory/jsonpath/spec"
)

// A mapper takes items to their parts.
type mapper struct {
	id, title, url *path
	texts          []*path
	names          []string // of metadata
	metadata       []*path
	flatten        bool
	base           *url.URL
}

func newMapper(m Mapping, base *url.URL, read func(name, text string) *path) mapper {
	out := mapper{
		id: read("mapping.id", m.ID), title: read("mapping.title", m.Title), url: read("mapping.url", m.URL),
		names: slices.Sorted(maps.Keys(m.Metadata)), flatten: m.Flatten, base: base,
	}
	for i, text := range append([]string{m.Text}, m.Texts...) {
		name := "mapping.text"
		if i > 0 {
			name = fmt.Sprintf("mapping.texts[%d]", i-1)
		}
		if p := read(name, text); p != nil {
			out.texts = append(out.texts, p)
		}
	}
	for _, name := range out.names {
		out.metadata = append(out.metadata, read("mapping.metadata."+name, m.Metadata[name]))
	}
	return out
}

var (
	errNothing = errors.New("matches nothing")
	errObject  = errors.New("matches an object: name a value inside it, or set mapping.flatten")
)

// A mapped collects what becomes of one item.
type mapped struct {
	Item
	value any
	taken map[string]bool // the places that paths have taken, if that is asked for
}

// item takes v to its parts. An Err in it is of kind [KindMapping], and without what
// the run knows.
func (m *mapper) item(v any) Item {
	it := &mapped{value: v}
	if m.flatten {
		it.taken = map[string]bool{}
	}
	if fail := m.fill(it); fail != nil {
		return Item{ID: it.ID, Err: fail}
	}
	it.Hash = it.sum()
	return it.Item
}

func (m *mapper) fill(it *mapped) *Error {
	if m.id != nil {
		values, err := it.values(m.id, false)
		if err == nil {
			it.ID, err = name(values)
		}
		if err != nil {
			return &Error{Kind: KindMapping, Path: m.id.text, Message: "path of the id " + err.Error()}
		}
	}
	if m.title != nil {
		values, err := it.values(m.title, false)
		it.problem("title", m.title, err)
		it.Title = clip(oneLine(strings.Join(texts(values), " ")), maxTitle)
	}
	if m.url != nil {
		values, err := it.values(m.url, false)
		if err == nil {
			it.URL, err = m.address(values)
		}
		it.problem("url", m.url, err)
	}
	for i, p := range m.metadata {
		values, err := it.values(p, false)
		it.problem("metadata."+m.names[i], p, err)
		if len(values) > 0 {
			it.set(m.names[i], values)
		}
	}
	if fail := m.text(it); fail != nil {
		return fail
	}
	if raw, err := json.Marshal(it.Metadata); err != nil || len(raw) > maxMetadataBytes {
		return &Error{Kind: KindMapping, Path: m.metadata[0].text, Message: fmt.Sprintf("metadata is more than %d bytes; map fewer or shorter values", maxMetadataBytes)}
	}
	if it.ID == "" {
		it.ID = cmp.Or(it.URL, it.ownName())
	}
	if len(it.ID) > maxID {
		it.ID = ""
		return &Error{Kind: KindMapping, Path: m.idText(), Message: fmt.Sprintf("id is longer than %d bytes", maxID)}
	}
	return nil
}

func (m *mapper) idText() string {
	if m.id != nil {
		return m.id.text
	}
	return ""
}

// text fills in what the item says.
func (m *mapper) text(it *mapped) *Error {
	var parts []string
	var missing *Error
	for _, p := range m.texts {
		values, err := it.values(p, m.flatten)
		if err != nil && missing == nil {
			missing = &Error{Kind: KindMapping, Path: p.text, Message: "path of the text " + err.Error()}
		}
		if err != nil && !errors.Is(err, errNothing) && !m.flatten {
			return missing
		}
		for _, v := range values {
			if lines, ok := v.(flatText); ok {
				parts = append(parts, string(lines))
			} else if s := strings.TrimSpace(text(v)); s != "" {
				parts = append(parts, s)
			}
		}
	}
	if m.flatten {
		if rest := flatten(it.value, it.taken); rest != "" {
			parts = append(parts, rest)
		}
	}
	if missing != nil && len(parts) > 0 {
		it.Problems = append(it.Problems, Problem{Field: "text", Path: missing.Path, Message: strings.TrimPrefix(missing.Message, "path of the text ")})
	}
	size := 0
	for _, p := range parts {
		size += len(p) + 2
	}
	switch {
	case len(parts) == 0 && missing != nil:
		return missing
	case len(parts) == 0 && len(m.texts) > 0:
		return &Error{Kind: KindMapping, Path: m.texts[0].text, Message: "path of the text matches only what is empty"}
	case len(parts) == 0:
		return &Error{Kind: KindMapping, Message: "there is no text in it"}
	case size > maxText:
		return &Error{Kind: KindMapping, Path: m.texts[0].text, Message: fmt.Sprintf("text is more than %d bytes", maxText)}
	}
	it.HTML = slices.ContainsFunc(parts, isHTML)
	if it.HTML {
		for i, p := range parts {
			if !isHTML(p) {
				parts[i] = toHTML(p)
			}
		}
	}
	it.Text = strings.Join(parts, "\n\n")
	return nil
}

// values returns the values that p matches, lists taken apart and nulls left
// out; with flat, objects are written as lines. If there are none, the error
// says why.
func (it *mapped) values(p *path, flat bool) ([]any, error) {
	found, err := p.find(it.value)
	if err != nil {
		return nil, err
	}
	var out []any
	objects := 0
	var add func(v any)
	add = func(v any) {
		switch v := v.(type) {
		case nil:
		case []any:
			for _, e := range v {
				add(e)
			}
		case map[string]any:
			objects++
			if lines := flatten(v, nil); flat && lines != "" {
				out = append(out, flatText(lines))
			}
		default:
			out = append(out, v)
		}
	}
	for _, n := range found {
		it.take(n)
		add(n.Node)
	}
	switch {
	case len(out) > 0 && (objects == 0 || flat):
		return out, nil
	case objects > 0 && !flat:
		return nil, errObject
	}
	return nil, errNothing
}

// flatText is an object written as lines.
type flatText string

func (it *mapped) take(n *spec.LocatedNode) {
	if it.taken != nil {
		it.taken[n.Path.String()] = true
	}
}

func (it *mapped) problem(field string, p *path, err error) {
	if err != nil {
		it.Problems = append(it.Problems, Problem{Field: field, Path: p.text, Message: err.Error()})
	}
}

// name is the id that values are.
func name(values []any) (string, error) {
	if len(values) > 1 {
		return "", fmt.Errorf("matches %d values: an id is one", len(values))
	}
	s := strings.TrimSpace(text(values[0]))
	if s == "" {
		return "", errors.New("matches only what is empty")
	}
	if _, isBool := values[0].(bool); isBool {
		return "", errors.New("matches true or false: an id is a string or a number")
	}
	return s, nil
}

// address is the URL that values are.
func (m *mapper) address(values []any) (string, error) {
	s, ok := values[0].(string)
	if !ok {
		return "", errors.New("matches what is no string")
	}
	u, err := m.base.Parse(strings.TrimSpace(s))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || len(u.String()) > maxItemURL {
		return "", errors.New("matches what is no address of a page")
	}
	return u.String(), nil
}

// set gives a name of metadata its values.
func (it *mapped) set(name string, values []any) {
	if it.Metadata == nil {
		it.Metadata = map[string]any{}
	}
	values = values[:min(len(values), maxValues)]
	for i, v := range values {
		switch v := v.(type) {
		case string:
			values[i] = clip(oneLine(v), maxValue)
		case json.Number:
			values[i] = number(v)
		}
	}
	if len(values) == 1 {
		it.Metadata[name] = values[0]
	} else {
		it.Metadata[name] = values
	}
}

// number is n as a number of Go or, where there is none, its digits.
func number(n json.Number) any {
	if i, err := n.Int64(); err == nil {
		return i
	}
	if f, err := n.Float64(); err == nil {
		return f
	}
	return clip(n.String(), maxValue)
}

func texts(values []any) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = text(v)
	}
	return out
}
