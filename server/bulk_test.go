package server_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A result is what became of a bulk.
type result struct {
	Created, Updated, Unchanged, Failed int
	Results                             []struct {
		Index      int
		Status, ID string
		Error      *problem
	}
}

// Of a bulk each item is taken or refused alone, by what is wrong with it.
func TestBulk(t *testing.T) {
	h := open(t, nil, nil)
	h.do(t, "POST", "/v1/content", `{"content":"There","external_id":"there"}`).read(t, 201, nil)
	h.do(t, "POST", "/v1/content", `{"content":"Old","external_id":"old"}`).read(t, 201, nil)
	items := []struct{ item, status, field string }{
		{`{"content":"New"}`, "created", ""},
		{` { "content" : "Spaced" , "metadata" : { "title" : "A \"title\"" } } `, "created", ""},
		{`{"content":"There","external_id":"there"}`, "unchanged", ""},
		{`{"content":"Newer","external_id":"old"}`, "updated", ""},
		{`{"content":"}],\"items\":[\\"}`, "created", ""},
		{`{"content":"😀\ud83d\ude00","metadata":{"n":[1,2.5,"a",true]}}`, "created", ""},
		{`{}`, "failed", "content"},
		{`{"content":""}`, "failed", "content"},
		{`{"content":" "}`, "failed", "content"},
		{`{"content":1}`, "failed", "content"},
		{`{"content":null}`, "failed", "content"},
		{`{"content":"a\u0000b"}`, "failed", "content"},
		{`{"content":"a","what":1}`, "failed", "what"},
		{`{"Content":"a"}`, "failed", "Content"},
		{`{"content":"a","agent_id":"agt_1"}`, "failed", "agent_id"},
		{`{"content":"a","metadata":{"title":1}}`, "failed", "metadata.title"},
		{`{"content":"a","metadata":{"title":"` + strings.Repeat("a", 501) + `"}}`, "failed", "metadata.title"},
		{`{"content":"a","metadata":[]}`, "failed", "metadata"},
		{`{"content":"a","metadata":{"n":1e999}}`, "failed", ""},
		{`{"content":"a","metadata":{"n":[` + strings.Repeat("0,", 200_000) + `0]}}`, "failed", ""},
		{`"text"`, "failed", "body"},
		{`null`, "failed", "body"},
		{`[]`, "failed", "body"},
		{`7`, "failed", "body"},
	}
	var b strings.Builder
	counts := map[string]int{}
	for i, it := range items {
		if i > 0 {
			b.WriteString(" ,\n")
		}
		b.WriteString(it.item)
		counts[it.status]++
	}
	for _, frame := range []string{`{"items":[` + b.String() + `]}`, " {\n\"dry_run\" : true, \"items\" : [ " + b.String() + " ] , \"atomic\":false }\n"} {
		var out result
		h.do(t, "POST", "/v1/content/bulk", frame).read(t, 200, &out)
		if strings.Contains(frame, "dry_run") {
			counts["unchanged"] += 1 // that one was updated before
			counts["updated"]--
		}
		if out.Created != counts["created"] || out.Updated != counts["updated"] || out.Unchanged != counts["unchanged"] || out.Failed != counts["failed"] || len(out.Results) != len(items) {
			t.Errorf("the bulk tells %d created, %d updated, %d unchanged, %d failed of %d, want %v", out.Created, out.Updated, out.Unchanged, out.Failed, len(out.Results), counts)
		}
		for i, r := range out.Results {
			want := items[i].status
			if strings.Contains(frame, "dry_run") && want == "updated" {
				want = "unchanged"
			}
			if r.Index != i || r.Status != want || (r.Error != nil) != (want == "failed") {
				t.Errorf("item %d %s is %+v, want %s", i, short([]byte(items[i].item)), r, want)
			}
			if r.Error != nil && items[i].field != "" && r.Error.Details["field"] != items[i].field {
				t.Errorf("item %d is refused for the field %v (%s), want %s", i, r.Error.Details["field"], r.Error.Message, items[i].field)
			}
		}
	}
}

// What is wrong with a bulk as a whole refuses all of it, and so does one item of an
// atomic one.
func TestBulkRefused(t *testing.T) {
	h := open(t, nil, nil)
	many := strings.Repeat(`{"content":"a"},`, 1000)
	for _, tt := range []struct{ body, code, field string }{
		{`{}`, "invalid_request", "items"},
		{`{"items":[]}`, "invalid_request", "items"},
		{`{"items":null}`, "invalid_request", "items"},
		{`{"items":{}}`, "invalid_request", "items"},
		{`{"items":"a"}`, "invalid_request", "items"},
		{`{"items":[` + many + `{"content":"a"}]}`, "invalid_request", "items"},
		{`{"items":[` + strings.Repeat("1,", 1<<20) + `1]}`, "invalid_request", "items"},
		{`{"items":[{"content":"a"}],"what":1}`, "invalid_request", "what"},
		{`{"items":[{"content":"a"}],"atomic":null}`, "invalid_request", "atomic"},
		{`{"items":[{"content":"a"}],"atomic":1}`, "invalid_request", "atomic"},
		{`{"items":[{"content":"a"}],"agent_id":1}`, "invalid_request", "agent_id"},
		{`{"items":[{"content":"a"}],"agent_id":"` + strings.Repeat("a", 129) + `"}`, "invalid_request", "agent_id"},
		{`[]`, "invalid_request", "body"},
		{`7`, "invalid_request", "body"},
		{`{"items":[{"content":"a"}]`, "invalid_json", ""},
		{`{"items":[{"content":"a"}],"items":[]}`, "invalid_json", "items"},
		{`{"items":[{"content":"a","content":"b"}]}`, "invalid_json", "content"},
		{`{"items":[{"content":"a","metadata":` + strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40) + `}]}`, "invalid_json", ""},
		{`{"atomic":true,"items":[{"content":"a"},{"content":""}]}`, "invalid_request", "items[1].content"},
		{`{"atomic":true,"items":[{"content":"a"},{"content":" "}]}`, "invalid_request", "items[1].content"},
		{`{"atomic":true,"items":[{"content":"a"},{"content":"a","metadata":{"title":2}}]}`, "invalid_request", "items[1].metadata.title"},
		{`{"atomic":true,"items":[{"content":"a"},7]}`, "invalid_request", "items[1]"},
		{`{"atomic":true,"dry_run":true,"items":[{"content":"a"},{"content":" "}]}`, "invalid_request", "items[1].content"},
	} {
		p := h.do(t, "POST", "/v1/content/bulk", tt.body).is(t, 400, tt.code)
		if tt.field != "" && p.Details["field"] != tt.field {
			t.Errorf("%s is refused for the field %v (%s), want %s", short([]byte(tt.body)), p.Details["field"], p.Message, tt.field)
		}
	}
	h.do(t, "POST", "/v1/content/bulk", `{"agent_id":"agt_nobody","items":[{"content":"a"}]}`).is(t, 404, "not_found")
	l, err := h.desk.Knowledge().List(t.Context(), knowledge.Filter{Kind: knowledge.KindContent}, store.Page{})
	if err != nil || len(l.Data) != 0 {
		t.Errorf("%d documents were stored, %v", len(l.Data), err)
	}
}

// Two bulks of 90 MB at once are held about once each, besides what is made of them.
// The race detector, which makes this twenty times as slow, sees smaller ones.
func TestLargeBulks(t *testing.T) {
	h := open(t, nil, nil)
	front := h.listen(t)
	item := `{"content":"` + strings.Repeat("word ", 18_000) + `"}`
	n := 1000
	if raced {
		n = 100
	}
	size := int64(len(`{"dry_run":true,"items":[`)) + int64(n)*int64(len(item)) + int64(n) - 1 + 2

	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
				runtime.ReadMemStats(&now)
				most = max(most, now.HeapAlloc)
			}
		}
	}()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			body := io.MultiReader(strings.NewReader(`{"dry_run":true,"items":[`), &repeated{item: []byte(item), n: n}, strings.NewReader(`]}`))
			r, err := http.NewRequestWithContext(t.Context(), "POST", front.URL+"/v1/content/bulk", body)
			if err != nil {
				t.Error(err)
				return
			}
			r.ContentLength = size
			done := make(chan error, 1)
			send(http.DefaultClient, r, h.key, done)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(stop)
	// Of each: the body and its texts, and as much again that the collector has not
	// come to yet, and a part that was one before it grew.
	held, bound := int64(<-peak-before.HeapAlloc), 2*6*size
	t.Logf("two bulks of %d MB at once took %d MB", size>>20, held>>20)
	if held > bound {
		t.Errorf("two bulks of %d MB at once took %d MB, want at most %d", size>>20, held>>20, bound>>20)
	}
}

// repeated reads an item n times, with commas between.
type repeated struct {
	item []byte
	n    int
	rest []byte
}

func (r *repeated) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.n == 0 {
			return 0, io.EOF
		}
		if r.rest = r.item; r.n > 1 {
			r.rest = append(bytes.Clone(r.item), ',')
		}
		r.n--
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// A bulk may have exactly 100,000,000 bytes.
func TestLargestBulk(t *testing.T) {
	h := open(t, nil, nil)
	const head, tail = `{"dry_run":true,"items":[{"content":"word"}`, `]}`
	for _, tt := range []struct {
		size   int
		status int
	}{{100_000_000, 200}, {100_000_001, 413}} {
		if raced && tt.status == 200 {
			continue // which takes a minute
		}
		for _, chunked := range []bool{false, true} {
			r := httptest.NewRequest("POST", "/v1/content/bulk", io.MultiReader(strings.NewReader(head), io.LimitReader(blanks{}, int64(tt.size-len(head)-len(tail))), strings.NewReader(tail)))
			r.Header.Set("X-Api-Key", h.key)
			r.Header.Set("Content-Type", "application/json")
			if r.ContentLength = -1; !chunked {
				r.ContentLength = int64(tt.size)
			}
			if a := h.serve(t, r); a.Code != tt.status {
				t.Errorf("%d bytes, in chunks: %v: %d %s, want %d", tt.size, chunked, a.Code, short(a.body), tt.status)
			}
		}
	}
}

// blanks is white space without end.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// BenchmarkBulk reads a bulk of 1,000 items of 1 KB, and writes nothing.
func BenchmarkBulk(b *testing.B) {
	h := open(b, nil, nil)
	items := make([]string, 1000)
	for i := range items {
		items[i] = fmt.Sprintf(`{"content":%q,"external_id":"%d","metadata":{"title":"Shirt","tags":["a","b"]}}`, strings.Repeat("word ", 200), i)
	}
	body := `{"dry_run":true,"items":[` + strings.Join(items, ",") + `]}`
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, request(b, h.key, "POST", "/v1/content/bulk", body))
		if w.Code != 200 {
			b.Fatal(w.Code, w.Body)
		}
	}
}

// A large atomic bulk is a run, which is told of when it is published. One that is
// refused, or is only tried out, is none.
func TestAtomicBulkIsARun(t *testing.T) {
	h := open(t, nil, nil)
	items := make([]string, 300)
	for i := range items {
		items[i] = fmt.Sprintf(`{"content":"Boat %d is red.","external_id":"boat %d"}`, i, i)
	}
	send := func(more string, items []string) answer {
		return h.do(t, "POST", "/v1/content/bulk", `{"atomic":true`+more+`,"items":[`+strings.Join(items, ",")+`]}`)
	}
	type run struct {
		Kind, State string
		Progress    struct{ Created int }
	}
	runs := func() []run {
		var l struct{ Data []run }
		h.do(t, "GET", "/v1/runs", "").read(t, 200, &l)
		return l.Data
	}
	send(`,"dry_run":true`, items).read(t, 200, nil)
	send("", append(items[:299:299], `{"content":" "}`)).is(t, 400, "invalid_request")
	if got := runs(); len(got) != 0 {
		t.Errorf("what wrote nothing made the runs %v", got)
	}
	var out struct{ Created, Failed int }
	send("", items).read(t, 200, &out)
	if out.Created != 300 || out.Failed != 0 {
		t.Errorf("an atomic bulk: %d created, %d failed, want 300 and 0", out.Created, out.Failed)
	}
	if got := runs(); len(got) != 1 || got[0].Kind != "bulk" || got[0].State != "completed" || got[0].Progress.Created != 300 {
		t.Errorf("the runs are %+v, want that of the bulk", got)
	}
}
