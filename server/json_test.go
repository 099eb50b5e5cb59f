package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestCheckJSON(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       string // part of the message; empty: it is taken
	}{
		{"an object", `{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}`, ""},
		{"spaces around", " \r\n\t{}\n ", ""},
		{"another value", `"text"`, ""},
		{"names in another case", `{"a":1,"A":2}`, ""},
		{"a name as a value", `{"a":"b","b":"a"}`, ""},
		{"brackets within strings", `{"a":"` + strings.Repeat("[{", 100) + `"}`, ""},
		{"escaped quotes", `{"a\"":1,"a":"\"","b":"\\"}`, ""},
		{"nested as deep as may be", nested(32), ""},
		{"as many names as may be", names(4096), ""},

		{"nothing", "", "is empty"},
		{"spaces alone", " \n", "is empty"},
		{"not UTF-8", "{\"a\":\"\xff\"}", "not UTF-8"},
		{"UTF-16", "{\x00}\x00", "byte 2 does not belong"},
		{"a byte order mark", "\xEF\xBB\xBF{}", "byte 1 does not belong"},
		{"cut", `{"a":1`, "ends too early"},
		{"cut in a string", `{"a":"b`, "ends too early"},
		{"cut in an escape", `{"a":"\u00`, "byte 10 does not belong"},
		{"garbage behind", `{} x`, "byte 4 does not belong"},
		{"two values", `{}{}`, "byte 3 does not belong"},
		{"a comma too many", `{"a":1,}`, "byte 8 does not belong"},
		{"a comment", `{/*a*/}`, "byte 2 does not belong"},
		{"single quotes", `{'a':1}`, "byte 2 does not belong"},
		{"not a number", `{"a":NaN}`, "byte 6 does not belong"},
		{"a control character", "{\"a\":\"\x01\"}", "byte 7 does not belong"},
		{"nested deeper", nested(33), "deeper than 32"},
		{"nested as deep as a body is long", strings.Repeat("[", 1<<20), "deeper than 32"},
		{"too many names", names(4097), "more than 4096 names"},
		{"a name twice", `{"a":1,"b":2,"a":1}`, `"a" twice`},
		{"escaped", `{"a":1,"\u0061":2}`, `"a" twice`},
		{"escaped in two ways", `{"\u002f":1,"\/":2}`, `"/" twice`},
		{"a surrogate pair", `{"😀":1,"\ud83d\ude00":2}`, `"😀" twice`},
		{"the empty name", `{"":1,"":2}`, `"" twice`},
		{"within a value", `{"a":{"b":1,"b":2}}`, `"b" twice`},
		{"within an array", `[1,[{"c":1},{"c":1,"c":2}]]`, `"c" twice`},
		{"behind a value with it", `{"a":{"a":1},"b":0,"a":2}`, `"a" twice`},
		{"a long name", `{"` + strings.Repeat("é", 100) + `":1,"` + strings.Repeat("é", 100) + `":1}`, strings.Repeat("é", 32) + `…" twice`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := checkJSON([]byte(tt.body))
			switch {
			case tt.want == "" && p != nil:
				t.Errorf("checkJSON = %q, want it taken", p.message)
			case tt.want != "" && (p == nil || p.code != invalidJSON || !strings.Contains(p.message, tt.want)):
				t.Errorf("checkJSON = %+v, want %s with %q", p, invalidJSON, tt.want)
			}
		})
	}
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func names(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"%d":0`, i)
	}
	return "{" + b.String()[1:] + "}"
}

// FuzzJSON compares what is found in a body with what encoding/json says, token by
// token.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `""`, `1e999`, `-0`, `null`, ` [1 , "a\\" ,{"b" : [ ] } ] `, `{"a":1,"\u0061":2}`, `{"\ud800":1,"\ud801":2}`,
		`{"a":{"b":[{"c":"}"},"]"]},"d":"\""}`, `{"a":1}}`, `[1,2`, "\xEF\xBB\xBF{}", nested(40), `{"a":[1,2,{"a":1}],"b":{"a":1,"a":1}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		p := checkJSON(body)
		if !utf8.Valid(body) || !json.Valid(body) {
			if p == nil {
				t.Fatalf("checkJSON(%q) takes what is not JSON", body)
			}
			return
		}
		tokens, deepest, repeated, most := walk(t, body)
		refused := deepest > maxDepth || repeated || most > maxNames
		if (p != nil) != refused {
			t.Fatalf("checkJSON(%q) = %v; it nests %d deep, has %d names in one object, and a name twice: %v", body, p, deepest, most, repeated)
		}
		if depth, values := measure(body); depth != deepest || values < tokens {
			t.Fatalf("measure(%q) = %d, %d, want %d and at least %d", body, depth, values, deepest, tokens)
		}
		if p == nil {
			comparePieces(t, body)
		}
	})
}

// walk reads a body token by token: how many values and names it has, how deep it
// nests, whether an object holds a name twice, and how many the largest one holds.
func walk(t *testing.T, body []byte) (tokens, deepest int, repeated bool, most int) {
	type frame struct {
		names map[string]bool
		key   bool
	}
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	var stack []*frame
	for {
		token, err := in.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("Token of %q: %v", body, err)
		}
		var top *frame
		if len(stack) > 0 {
			top = stack[len(stack)-1]
		}
		if top != nil && top.names != nil && top.key {
			if name, ok := token.(string); ok {
				repeated = repeated || top.names[name]
				top.names[name], top.key = true, false
				most = max(most, len(top.names))
				tokens++
				continue
			}
		}
		if top != nil && top.names != nil {
			top.key = true
		}
		switch token {
		case json.Delim('{'):
			stack = append(stack, &frame{names: map[string]bool{}, key: true})
			tokens++
		case json.Delim('['):
			stack = append(stack, &frame{})
			tokens++
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:len(stack)-1]
		default:
			tokens++
		}
		deepest = max(deepest, len(stack))
	}
}

// comparePieces takes a body apart in two ways.
func comparePieces(t *testing.T, body []byte) {
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) == nil {
		n := 0
		for name, raw := range members(body) {
			n++
			if want, ok := object[name]; !ok || !bytes.Equal(raw, want) {
				t.Fatalf("members(%q) has %q: %q, want %q", body, name, raw, want)
			}
		}
		if n != len(object) {
			t.Fatalf("members(%q) yields %d, want %d", body, n, len(object))
		}
	}
	var array []json.RawMessage
	if json.Unmarshal(body, &array) == nil {
		n := 0
		for raw := range elements(body) {
			if n >= len(array) || !bytes.Equal(raw, array[n]) {
				t.Fatalf("elements(%q)[%d] = %q", body, n, raw)
			}
			n++
		}
		if n != len(array) {
			t.Fatalf("elements(%q) yields %d, want %d", body, n, len(array))
		}
	}
}

func TestClip(t *testing.T) {
	for in, want := range map[string]string{
		"":                                      "",
		strings.Repeat("a", 64):                 strings.Repeat("a", 64),
		strings.Repeat("a", 65):                 strings.Repeat("a", 64) + "…",
		strings.Repeat("a", 63) + "é":           strings.Repeat("a", 63) + "…",
		strings.Repeat("a", 62) + "\U00010000z": strings.Repeat("a", 62) + "…",
	} {
		if got := clip(in); got != want {
			t.Errorf("clip(%q) = %q, want %q", in, got, want)
		}
	}
}

// BenchmarkCheckJSON reads a bulk of 1 MB.
func BenchmarkCheckJSON(b *testing.B) {
	body := []byte(`{"items":[` + strings.Repeat(`{"content":"`+strings.Repeat("word ", 200)+`","metadata":{"a":1,"b":[1,2]}},`, 1000) + `{"content":"x"}]}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if p := checkJSON(body); p != nil {
			b.Fatal(p)
		}
	}
}
