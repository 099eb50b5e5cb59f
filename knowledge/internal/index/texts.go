package index

import "slices"

// The fields that are each document's own: a dictionary of attributes would hold
// every one of their values for one document.
const (
	urlField      = "$url"
	externalField = "$external_id"
)

// texts are where the fields of a document stand in state.texts, one after the
// other.
type texts struct {
	at       uint32
	external uint16 // bytes
	url      uint16
}

// putTexts keeps the fields of a document.
func (s *state) putTexts(external, url string) texts {
	t := texts{at: uint32(len(s.texts)), external: uint16(min(len(external), 1<<16-1)), url: uint16(min(len(url), 1<<16-1))}
	s.texts = append(append(s.texts, external[:t.external]...), url[:t.url]...)
	return t
}

func (s *state) external(d *document) []byte {
	return s.texts[d.texts.at:][:d.texts.external]
}

func (s *state) url(d *document) []byte {
	return s.texts[d.texts.at+uint32(d.texts.external):][:d.texts.url]
}

// A textTest is what a field of a document has to be.
type textTest struct {
	url         bool // not the external id
	from, below string
	endless     bool // there is no below
	one         []string
	of          bool // one of one, sorted
}

// textTest reads what is asked of a field; false if nothing passes.
func (f Has) textTest() (t textTest, ok bool) {
	t = textTest{url: f.Name == urlField, endless: true}
	for _, test := range f.Tests {
		if test.points() {
			keys := slices.Sorted(slices.Values(keysOf("", test)))
			keys = slices.DeleteFunc(keys, func(k string) bool { return k[:1] != textValue })
			for i := range keys {
				keys[i] = keys[i][1:]
			}
			if t.of {
				keys = slices.DeleteFunc(keys, func(k string) bool { return !slices.Contains(t.one, k) })
			}
			t.one, t.of = keys, true
			continue
		}
		v, isText := test.Value.(string)
		if !isText {
			return t, false
		}
		switch test.Op {
		case Gt:
			t.from = max(t.from, v+"\x00")
		case Gte:
			t.from = max(t.from, v)
		case Lt:
			t.end(v)
		case Lte:
			t.end(v + "\x00")
		case Prefix:
			if t.from = max(t.from, v); v != "" {
				t.end(after(v))
			}
		}
	}
	return t, !t.of || len(t.one) > 0
}

func (t *textTest) end(below string) {
	if t.endless || below < t.below {
		t.below, t.endless = below, false
	}
}

// passes reports whether a document's field passes. An empty one is no value.
func (t *textTest) passes(s *state, d *document) bool {
	text := s.external(d)
	if t.url {
		text = s.url(d)
	}
	if len(text) == 0 || string(text) < t.from || !t.endless && string(text) >= t.below {
		return false
	}
	if !t.of {
		return true
	}
	_, found := slices.BinarySearchFunc(t.one, text, func(one string, text []byte) int {
		switch {
		case one < string(text):
			return -1
		case one > string(text):
			return 1
		}
		return 0
	})
	return found
}
