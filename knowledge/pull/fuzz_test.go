package pull

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzPath reads paths and looks for them: neither may panic, and the short form
// means what the long one says.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"data.items", "$.data.items[*]", "a[0].b", "a.0.b", "tags[]", ".a", "a..b", "['it\\'s'].x", "$[?@.a == 'x' && match(@.b, 'y*')]", "*", "a-b.c d", "$..*..*", "[0:3:2]", "a.", "..", "[", "a[b", "é.ü"} {
		f.Add(s, `{"data":{"items":[{"a":1}]},"a":[{"b":"x"}],"tags":["x"],"a-b":{"c d":null}}`)
	}
	f.Fuzz(func(t *testing.T, text, doc string) {
		p, err := parsePath(text)
		if err != nil {
			if err.Error() == "" {
				t.Error("no reason")
			}
			return
		}
		var v any
		if json.Unmarshal([]byte(doc), &v) != nil {
			v = map[string]any{}
		}
		found, err := p.find(v)
		if len(found) > maxMatches || err != nil && !errors.Is(err, errMatches) {
			t.Errorf("%d matches, %v", len(found), err)
		}
		p.leads(v)
		if names, wildcard, ok := p.names(); ok && !wildcard {
			at, in := v, true
			for _, n := range names {
				var object map[string]any
				object, in = at.(map[string]any)
				if in {
					at, in = object[n]
				}
				if !in {
					break
				}
			}
			if in != (len(found) == 1) || in && !reflect.DeepEqual(at, found[0].Node) {
				t.Errorf("%s: names %q lead to %v, %v; the query to %v", text, names, at, in, found)
			}
		}
	})
}

// FuzzLinks reads Link headers.
func FuzzLinks(f *testing.F) {
	for _, s := range []string{`<https://a/?page=2>; rel="next"`, `<a>; rel=prev, <b>; rel="x next"; title="a, \"b"`, `<a`, `<>;;;=`, `<a>; rel`, `<a>;rel="`, ",,,", `<a> ; Rel = next`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list := links(s)
		if len(list) > maxLinks || len(list) > strings.Count(s, "<") {
			t.Errorf("%d links in %q", len(list), s)
		}
		for _, l := range list {
			if !strings.Contains(s, l.target) {
				t.Errorf("target %q is not in %q", l.target, s)
			}
		}
	})
}

// FuzzJSON compares what is read of JSON with what encoding/json reads, and what
// stands in it with what is found there.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5e3,"x\\\"",true,false,null,{}],"b":{"a":"\ud83d\ude00"}}`, ` [ [ ] , { "" : "" } ] `, `"\u0000"`, `-0`, `{"a":1,"a":2}`, "\"\xff\"", `["\\","\"]"]`, `[1`, ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if checkJSON(data) != nil {
			if json.Valid(data) {
				t.Errorf("%q is JSON", data)
			}
			return
		}
		want := json.NewDecoder(strings.NewReader(string(data)))
		want.UseNumber()
		var w any
		if err := want.Decode(&w); err != nil {
			t.Fatal(err)
		}
		got, err := decode(data, 1000)
		if errors.Is(err, errDeep) || errors.Is(err, errParts) {
			return
		}
		if err != nil || !reflect.DeepEqual(got, w) {
			t.Errorf("decode(%q) = %#v, %v, want %#v", data, got, err, w)
		}
		if _, err := sample(data, 2); err != nil {
			t.Errorf("sample(%q) = %v", data, err)
		}
		pg, fail := openPage(data, nil)
		if fail != nil {
			return
		}
		n := 0
		for v, err := range pg.items {
			if list, ok := w.([]any); ok && (err != nil || !reflect.DeepEqual(v, list[n])) {
				t.Errorf("item %d of %q = %#v, %v", n, data, v, err)
			}
			n++
		}
		if n != pg.count {
			t.Errorf("%d items of %q, counted %d", n, data, pg.count)
		}
		if envelope, fail := pg.envelope(); fail == nil && pg.count > 0 {
			if list, ok := w.([]any); ok && !reflect.DeepEqual(envelope, []any{list[len(list)-1]}) {
				t.Errorf("envelope of %q = %#v", data, envelope)
			}
		}
	})
}

// FuzzMapping takes any JSON to its parts, and looks at it as a preview does.
func FuzzMapping(f *testing.F) {
	for _, s := range []string{`{"id":1,"title":"<b>x</b>","body":"<p>y","url":"/a","tags":[1,"x",[null]]}`, `[{"id":"\u0000","body":{"a":[{}]}}]`, `"x"`, `null`, `{"a":{"b":{"c":"&amp;<br>"}}}`} {
		f.Add([]byte(s), "id", "title", "body", "tags", true)
		f.Add([]byte(s), "$..*", "a.b", "$", "*", false)
	}
	base := &url.URL{Scheme: "https", Host: "example.com", Path: "/api"}
	f.Fuzz(func(t *testing.T, data []byte, id, title, text, tags string, flat bool) {
		if checkJSON(data) != nil {
			return
		}
		v, err := decode(data, 2000)
		if err != nil {
			return
		}
		bad := false
		m := newMapper(Mapping{ID: id, Title: title, Text: text, URL: title, Metadata: map[string]string{"tags": tags}, Flatten: flat}, base, func(_, text string) *path {
			p, err := parsePath(text)
			bad = bad || err != nil && text != ""
			if text == "" || err != nil {
				return nil
			}
			return p
		})
		if bad || tags == "" {
			return
		}
		it := m.item(v)
		switch {
		case it.Err != nil:
			if it.Text != "" || it.Err.Kind != KindMapping || it.Err.Message == "" {
				t.Errorf("item = %+v", it)
			}
		case it.ID == "" || strings.TrimSpace(it.Text) == "" || !utf8.ValidString(it.Text) || strings.ContainsRune(it.Text+it.Title, 0) || utf8.RuneCountInString(it.Title) > maxTitle || len(it.ID) > maxID:
			t.Errorf("item = %+v", it)
		case it.URL != "" && !strings.HasPrefix(it.URL, "http"):
			t.Errorf("url = %q", it.URL)
		}
		if again := m.item(v); again.Hash != it.Hash {
			t.Errorf("%+v\nand %+v", it, again)
		}
		s := surveyAll([]any{v})
		if len(s) > 10*maxFound {
			t.Errorf("%d paths", len(s))
		}
		for path := range s {
			if _, err := parsePath(path); err != nil && len(path) < maxPath && strings.Count(path, "[")+strings.Count(path, ".") < maxSegments {
				t.Errorf("path %q cannot be read: %v", path, err)
			}
		}
		suggestMapping(s, 1)
	})
}

// FuzzMask puts a secret anywhere, and looks for it in what is told.
func FuzzMask(f *testing.F) {
	f.Add("https://example.com/a?b=", "c", uint64(1))
	f.Add("https://example.com/'\"$`!\\", "d e", uint64(2))
	f.Fuzz(func(t *testing.T, before, after string, seed uint64) {
		const letters = `abcXYZ019$'"!&=+/ %`
		random := rand.New(rand.NewPCG(seed, 0))
		token := []byte("SEN")
		for range 8 + random.IntN(20) {
			token = append(token, letters[random.IntN(len(letters))])
		}
		secret := string(token) + "TINEL"
		p, err := newPlan(Source{URL: "https://example.com/?token=" + url.QueryEscape(secret), Header: map[string][]string{"X-Key": {secret}}, Mapping: Mapping{Text: "x"}}, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret)} {
			if got := p.mask.text(before + form + after); strings.Contains(got, form) {
				t.Errorf("text tells %q: %q", form, got)
			}
			u, err := url.Parse(before + form + after)
			if err != nil {
				continue
			}
			if got := p.mask.curl(u); strings.Contains(got, "TINEL") && !strings.Contains(before+after, "TINEL") {
				t.Errorf("curl tells %q: %s", form, got)
			}
		}
	})
}
