package server_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// The things with an ETag: where they are, and a change of each.
func (h *host) tagged(t *testing.T) map[string][3]string {
	t.Helper()
	var doc, pair, content, bound struct {
		ID   string
		Data []struct{ ID string }
	}
	h.do(t, "POST", "/v1/knowledge/documents", `{"text":"`+strings.Repeat("A long text. ", 200)+`"}`).read(t, 201, &doc)
	h.do(t, "POST", "/v1/knowledge/qa-pairs", `{"question":"When?","answer":"`+strings.Repeat("At nine. ", 200)+`"}`).read(t, 201, &pair)
	h.do(t, "POST", "/v1/content", `{"content":"`+strings.Repeat("A shirt. ", 200)+`"}`).read(t, 201, &content)
	h.do(t, "POST", "/v1/agents", `{"name":"New","instructions":"`+strings.Repeat("Be brief. ", 200)+`"}`).read(t, 201, &bound)
	return map[string][3]string{
		"document": {"/v1/knowledge/documents/" + doc.ID, "PATCH", `{"title":"%d"}`},
		"pair":     {"/v1/knowledge/qa-pairs/" + pair.Data[0].ID, "PATCH", `{"answer":"%d"}`},
		"content":  {"/v1/content/" + content.ID, "PUT", `{"metadata":{"n":"%d"}}`},
		"settings": {"/v1/agents/" + bound.ID + "/settings", "PUT", `{"industry":"%d"}`},
	}
}

// A tag stands for one answer: who has it is told so, in every spelling that the
// standard has, and in gzip.
func TestIfNoneMatch(t *testing.T) {
	h := open(t, nil, nil)
	for name, at := range h.tagged(t) {
		t.Run(name, func(t *testing.T) {
			plain := h.do(t, "GET", at[0], "")
			zipped := h.do(t, "GET", at[0], "", "Accept-Encoding", "gzip")
			tag, zipTag := plain.Header().Get("ETag"), zipped.Header().Get("ETag")
			if plain.Code != 200 || zipped.Code != 200 || zipped.Header().Get("Content-Encoding") != "gzip" {
				t.Fatalf("GET = %d, and %d in %q", plain.Code, zipped.Code, zipped.Header().Get("Content-Encoding"))
			}
			if !strings.HasPrefix(tag, `"`) || !strings.HasSuffix(tag, `"`) || len(tag) < 3 || zipTag != strings.TrimSuffix(tag, `"`)+`-gzip"` {
				t.Fatalf("the tags are %s and, in gzip, %s; want strong ones that differ", tag, zipTag)
			}
			if string(unzipped(t, zipped.body)) != string(plain.body) {
				t.Error("in gzip it is another answer")
			}
			if again := h.do(t, "GET", at[0], "", "Accept-Encoding", "gzip"); string(again.body) != string(zipped.body) {
				t.Error("the same tag in gzip is not the same bytes")
			}
			if vary := plain.Header().Get("Vary"); vary != "Accept-Encoding" {
				t.Errorf("Vary: %q, want Accept-Encoding", vary)
			}
			for _, tt := range []struct {
				list string
				held string // the tag that the 304 has; empty: the whole answer comes
			}{
				{tag, tag}, {zipTag, zipTag}, {"W/" + tag, "W/" + tag}, {"W/" + zipTag, "W/" + zipTag}, {"*", tag},
				{`"0", ` + tag, tag}, {tag + `,"0"`, tag}, {`  ` + zipTag + ` , "0"`, zipTag}, {`"0",W/"777",*`, tag}, {strings.Trim(tag, `"`), strings.Trim(tag, `"`)},
				{`"0"`, ""}, {`W/"0"`, ""}, {`"0","777"`, ""}, {`""`, ""}, {`,`, ""}, {`"*"`, ""}, {tag[:len(tag)-2] + `"`, ""}, {`"` + tag + `"`, ""}, {"nonsense", ""},
			} {
				for _, accept := range []string{"", "gzip"} {
					for _, method := range []string{"GET", "HEAD"} {
						a := h.do(t, method, at[0], "", "If-None-Match", tt.list, "Accept-Encoding", accept)
						switch {
						case tt.held == "" && a.Code != 200:
							t.Errorf("%s with If-None-Match: %s = %d, want 200", method, tt.list, a.Code)
						case tt.held != "" && (a.Code != 304 || a.Header().Get("ETag") != tt.held || len(a.body) > 0 || a.Header().Get("Content-Type") != ""):
							t.Errorf("%s with If-None-Match: %s = %d, ETag %s, %d bytes of %q, want 304 with ETag %s alone",
								method, tt.list, a.Code, a.Header().Get("ETag"), len(a.body), a.Header().Get("Content-Type"), tt.held)
						}
					}
				}
			}
			a := h.do(t, at[1], at[0], fmt.Sprintf(at[2], 1), "If-None-Match", tag)
			if a.Code != 200 || a.Header().Get("ETag") == tag {
				t.Errorf("a change = %d with the tag %s, want 200 with another one than before", a.Code, a.Header().Get("ETag"))
			}
			if now := h.do(t, "GET", at[0], "", "If-None-Match", tag); now.Code != 200 || now.Header().Get("ETag") != a.Header().Get("ETag") {
				t.Errorf("after the change GET = %d with the tag %s, want 200 with that of the change, %s", now.Code, now.Header().Get("ETag"), a.Header().Get("ETag"))
			}
		})
	}
	// What there is no tag of is always told.
	h.do(t, "GET", "/v1/agents", "", "If-None-Match", "*").read(t, 200, nil)
	h.do(t, "GET", "/v1/agents/x", "", "If-None-Match", "*").is(t, 404, "not_found")
}

// A change with If-Match is made to what the caller has read, or not at all.
func TestIfMatch(t *testing.T) {
	h := open(t, nil, nil)
	for name, at := range h.tagged(t) {
		t.Run(name, func(t *testing.T) {
			n := 0
			change := func(match string) answer {
				n++
				return h.do(t, at[1], at[0], fmt.Sprintf(at[2], n), "If-Match", match)
			}
			read := func(headers ...string) string { return h.do(t, "GET", at[0], "", headers...).Header().Get("ETag") }
			for _, spelt := range []func(tag string) string{
				func(tag string) string { return tag },
				func(string) string { return read("Accept-Encoding", "gzip") },
				func(tag string) string { return "W/" + tag },
				func(tag string) string { return " " + tag + " " },
				func(tag string) string { return strings.Trim(tag, `"`) },
				func(string) string { return "*" },
				func(string) string { return "" },
			} {
				match := spelt(read())
				if a := change(match); a.Code != 200 {
					t.Errorf("with If-Match: %q: %d %s, want 200", match, a.Code, a.body)
				}
			}
			old := read()
			change("").read(t, 200, nil)
			before := read()
			for _, match := range []string{old, `"0"`, `""`, `"-1"`, `"nonsense"`, `nonsense`, `"`, `W/`, `"*"`, `"999999999999999999999999"`, `"1","2"`} {
				a := change(match)
				a.is(t, 412, "precondition_failed")
				if a.Header().Get("ETag") != "" {
					t.Errorf("the 412 has the tag %s", a.Header().Get("ETag"))
				}
			}
			if now := read(); now != before {
				t.Errorf("a change that was refused was made: the tag is %s, want %s", now, before)
			}
			h.do(t, at[1], at[0], fmt.Sprintf(at[2], n), "If-Match", strings.Repeat("a", 129)).is(t, 400, "invalid_request")
		})
	}
}

// Of two who change what both have read, one is told; of many who do without
// If-Match, no change is lost.
func TestLostUpdate(t *testing.T) {
	h := open(t, nil, nil)
	for name, at := range h.tagged(t) {
		t.Run(name, func(t *testing.T) {
			tag := h.do(t, "GET", at[0], "").Header().Get("ETag")
			var made [8]int
			var wg sync.WaitGroup
			for i := range made {
				wg.Go(func() { made[i] = h.do(t, at[1], at[0], fmt.Sprintf(at[2], i+100), "If-Match", tag).Code })
			}
			wg.Wait()
			count := map[int]int{}
			for _, status := range made {
				count[status]++
			}
			if count[200] != 1 || count[412] != len(made)-1 {
				t.Errorf("of %d changes of the same state, the answers are %v, want one 200 and 412 for the others", len(made), made)
			}
		})
	}
	content := h.tagged(t)["content"][0]
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			h.do(t, "PUT", content, fmt.Sprintf(`{"metadata":{"k%d":"v"}}`, i)).read(t, 200, nil)
		})
	}
	wg.Wait()
	var c struct{ Metadata map[string]any }
	h.do(t, "GET", content, "").read(t, 200, &c)
	if len(c.Metadata) != 8+1 { // and the title
		t.Errorf("after 8 changes at once the metadata is %v", c.Metadata)
	}
}
