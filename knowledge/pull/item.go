package pull

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/theory/jsonpath/spec"
)

// Bounds of an item.
const (
	maxID            = 512      // bytes, as of a document's external id
	maxTitle         = 500      // characters, as of a document's
	maxText          = 16 << 20 // bytes, as of a document's
	maxItemURL       = 2048     // bytes
	maxMetadataBytes = 16 << 10 // of JSON, as of a document's
	maxValues        = 100      // in a list of metadata; more are left out
	maxValue         = 1000     // characters of a string of metadata; more are left out
)

// An Item is one entry of a list, taken to its parts as the [Mapping] says.
type Item struct {
	ID    string `json:"id"`
	Title string `json:"title,omitzero"`
	URL   string `json:"url,omitzero"`

	// Text is plain text, or HTML if HTML is set. What [Mapping.Flatten] adds to
	// it are lines of names and values, names in the order of their letters so
	// that the same item reads the same, lists of objects counted from 1, and
	// neither empty values nor strings of more than 256 bytes without a space.
	Text string `json:"text,omitzero"`
	HTML bool   `json:"html,omitzero"`

	// Metadata holds strings, int64, float64, booleans and lists of them.
	Metadata map[string]any `json:"metadata,omitzero"`

	// Hash is of all the fields above: equal for two items of equal content,
	// whatever the order of members and the parts that no path takes.
	Hash [32]byte `json:"-"`

	Page  int `json:"page"`  // which answer of the API it was in, from 1
	Index int `json:"index"` // its place there, from 0

	// Problems are parts of the item that do not fit, and were left out.
	Problems []Problem `json:"problems,omitzero"`

	// Err says why the item cannot be taken; then the fields above but ID, Page
	// and Index are not set, and ID may be "" too.
	Err *Error `json:"error,omitzero"`
}

// A Problem is a part of an item that a path does not fit.
type Problem struct {
	Field   string `json:"field"` // as in "metadata.tags"
	Path    string `json:"path"`
	Message string `json:"message"`
}

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
		if err != nil && err != errNothing && !m.flatten {
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

// text writes a value that is neither an object nor a list.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return clean(v)
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// clean leaves out of s what is no character of a text.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r != '\n' && r != '\t' && unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
}

// oneLine is s as a title shows it: without HTML and line ends.
func oneLine(s string) string {
	return strings.Join(strings.Fields(plain(clean(s))), " ")
}

// sum is the hash of an item's content.
func (it *Item) sum() [32]byte {
	h := sha256.New()
	write := func(s string) {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s)))) // never fails
		_, _ = h.Write([]byte(s))
	}
	metadata, err := json.Marshal(it.Metadata)
	if err != nil {
		panic(err) // it holds strings, numbers and booleans
	}
	for _, s := range []string{it.ID, it.Title, it.URL, it.Text, fmt.Sprint(it.HTML), string(metadata)} {
		write(s)
	}
	return [32]byte(h.Sum(nil))
}

// ownName is an id made of what the item says.
func (it *Item) ownName() string {
	sum := it.sum()
	return hex.EncodeToString(sum[:16])
}
