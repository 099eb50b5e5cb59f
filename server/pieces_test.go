package server

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// What is cut out are the objects of the array called items, however it is written.
func TestReadPieces(t *testing.T) {
	for _, tt := range []struct {
		body, frame string
		items       []string
	}{
		{``, ``, nil},
		{` {"items":[{"a":"}]\"{"},7,{},[{}],"{}", {"b":[{"c":{}}]} ],"dry_run":true}`, ` {"items":[{},7,{},[{}],"{}", {} ],"dry_run":true}`,
			[]string{`{"a":"}]\"{"}`, `{}`, `{"b":[{"c":{}}]}`}},
		{`{"\u0069tems" : [{"a":1}]}`, `{"\u0069tems" : [{}]}`, []string{`{"a":1}`}},
		{`{"item":[{"a":1}],"itemss":[{"a":1}],"x":{"items":[{"a":1}]}}`, `{"item":[{"a":1}],"itemss":[{"a":1}],"x":{"items":[{"a":1}]}}`, nil},
		{`{"items":{"a":{"b":1}},"x":[{"a":1}]}`, `{"items":{"a":{"b":1}},"x":[{"a":1}]}`, nil},
		{`[{"a":1}]`, `[{"a":1}]`, nil},
		{`{"items":[{"a":1},{"a":2},{"a":3},{"a":4}]}`, `{"items":[{},{},{},{"a":4}]}`, []string{`{"a":1}`, `{"a":2}`, `{"a":3}`}},
		{`{"items":[{"a":1},{"a":`, `{"items":[{},{"a":`, []string{`{"a":1}`}},
		{`}}]]{"items":[{"a":1}`, `}}]]{"items":[{"a":1}`, nil},
	} {
		for name, in := range map[string]func(string) (pieces, error){
			"at once":        func(s string) (pieces, error) { return readPieces(strings.NewReader(s), 3) },
			"byte by byte":   func(s string) (pieces, error) { return readPieces(iotest.OneByteReader(strings.NewReader(s)), 3) },
			"in odd chunks":  func(s string) (pieces, error) { return readPieces(iotest.HalfReader(strings.NewReader(s)), 3) },
			"data, then EOF": func(s string) (pieces, error) { return readPieces(iotest.DataErrReader(strings.NewReader(s)), 3) },
		} {
			p, err := in(tt.body)
			var items []string
			for _, item := range p.items {
				items = append(items, string(item.raw()))
			}
			if err != nil || string(p.frame) != tt.frame || !slices.Equal(items, tt.items) || string(p.whole()) != tt.body {
				t.Errorf("%s, %s = %s, %q, %v, and as a whole %s, want %s, %q", tt.body, name, p.frame, items, err, p.whole(), tt.frame, tt.items)
			}
		}
	}
	if _, err := readPieces(iotest.ErrReader(iotest.ErrTimeout), 3); !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("readPieces of a body that breaks off = error %v", err)
	}
	large := `{"content":"` + strings.Repeat("word ", 1<<19) + `"}`
	p, err := readPieces(strings.NewReader(`{"items":[`+large+`,`+large+`,{}]}`), 3)
	if err != nil || string(p.frame) != `{"items":[{},{},{}]}` || string(p.items[0].raw()) != large || string(p.items[1].raw()) != large || string(p.items[2].raw()) != `{}` {
		t.Errorf("readPieces of large items = %s and %d items, %v", p.frame, len(p.items), err)
	}
}

// A body in pieces is what it is as a whole.
func FuzzReadPieces(f *testing.F) {
	for _, s := range []string{
		`{"items":[{"a":1},{"b":[{}]}, 7 ],"atomic":true}`, `{"items":[{"a":1,"a":2}]}`, `{"items":[{"a":1 2}],"items":3}`, `{"items":[{"a":tru}{}]}`,
		`{"items":[{"a":"` + "\xff" + `"}]}`, `{"items":[` + strings.Repeat(`{"a":`, 32) + strings.Repeat(`}`, 32) + `]}`, `{"items":[{"a":[}}`, ` `, `{"items":[{"a":1}{"a":1}]}`,
	} {
		f.Add([]byte(s), 3)
	}
	f.Fuzz(func(t *testing.T, body []byte, most int) {
		p, err := readPieces(bytes.NewReader(body), most)
		if err != nil || !bytes.Equal(p.whole(), body) {
			t.Fatalf("readPieces(%q) = %q as a whole, %v", body, p.whole(), err)
		}
		again, err := readPieces(iotest.OneByteReader(bytes.NewReader(body)), most)
		if err != nil || !reflect.DeepEqual(p, again) {
			t.Fatalf("readPieces(%q) = %+v, byte by byte %+v, %v", body, p, again, err)
		}
		got, want := p.check(), checkJSON(body)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("check of the pieces of %q = %v, want %v", body, got, want)
		}
		if want != nil {
			return
		}
		for name, raw := range members(p.frame) {
			if name != "items" {
				continue
			}
			var whole [][]byte
			for n, r := range members(body) {
				if n == name {
					whole = slices.Collect(elements(r))
				}
			}
			var got [][]byte
			for _, item := range p.elements(raw, len(whole)+1) {
				got = append(got, item.raw())
			}
			if !slices.EqualFunc(got, whole, bytes.Equal) {
				t.Fatalf("the items of %q = %q, want %q", body, got, whole)
			}
		}
	})
}
