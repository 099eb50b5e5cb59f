package server_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a body may be, and what is said of what it may not.
func TestBodies(t *testing.T) {
	h := open(t, nil, nil)
	const good = `{"name":"New"}`
	twice := zipped(t, zipped(t, good))
	for _, tt := range []struct {
		name, body string
		headers    []string
		status     int
		code       string
	}{
		{"JSON", good, nil, 201, ""},
		{"with a charset", good, []string{"Content-Type", "application/json; charset=UTF-8"}, 201, ""},
		{"with a quoted charset", good, []string{"Content-Type", `Application/JSON; Charset="utf-8"`}, 201, ""},
		{"in gzip", zipped(t, good), []string{"Content-Encoding", "gzip"}, 201, ""},
		{"in GZIP", zipped(t, good), []string{"Content-Encoding", "GZIP"}, 201, ""},
		{"as it is", good, []string{"Content-Encoding", "identity"}, 201, ""},
		{"in two pieces of gzip", zipped(t, good[:5]) + zipped(t, good[5:]), []string{"Content-Encoding", "gzip"}, 201, ""},

		{"nothing", "", []string{"Content-Type", "application/json"}, 400, "invalid_json"},
		{"not UTF-8", "{\"name\":\"\xff\"}", nil, 400, "invalid_json"},
		{"cut", good[:8], nil, 400, "invalid_json"},
		{"garbage behind", good + "x", nil, 400, "invalid_json"},
		{"two values", good + good, nil, 400, "invalid_json"},
		{"a byte order mark", "\xEF\xBB\xBF" + good, nil, 400, "invalid_json"},
		{"a name twice", `{"name":"a","name":"b"}`, nil, 400, "invalid_json"},
		{"a name twice, escaped", `{"name":"a","\u006eame":"b"}`, nil, 400, "invalid_json"},
		{"too deep", `{"name":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`, nil, 400, "invalid_json"},
		{"a number out of range", `{"name":"a","threshold":1e999}`, nil, 400, "invalid_json"},
		{"a number too large", `{"name":"a","threshold":1e99}`, nil, 400, "invalid_request"},
		{"a list", `["a"]`, nil, 400, "invalid_request"},
		{"another case", `{"NAME":"a"}`, nil, 400, "invalid_request"},

		{"no type", good, []string{"Content-Type", ""}, 415, "unsupported_media_type"},
		{"text", good, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type"},
		{"a form", "name=New", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"},
		{"a type that cannot be read", good, []string{"Content-Type", "application/json;;"}, 415, "unsupported_media_type"},
		{"another charset", good, []string{"Content-Type", "application/json; charset=utf-16"}, 415, "unsupported_media_type"},
		{"a merge patch where there is nothing to patch", good, []string{"Content-Type", "application/merge-patch+json"}, 415, "unsupported_media_type"},
		{"of another type, and wrong", "{", []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type"},

		{"not gzip", good, []string{"Content-Encoding", "gzip"}, 400, "invalid_request"},
		{"gzip cut", zipped(t, good)[:20], []string{"Content-Encoding", "gzip"}, 400, "invalid_request"},
		{"gzip with garbage behind", zipped(t, good) + "x", []string{"Content-Encoding", "gzip"}, 400, "invalid_request"},
		{"gzip twice, said once", twice, []string{"Content-Encoding", "gzip"}, 400, "invalid_json"},
		{"gzip twice", twice, []string{"Content-Encoding", "gzip, gzip"}, 415, "unsupported_media_type"},
		{"brotli", good, []string{"Content-Encoding", "br"}, 415, "unsupported_media_type"},
		{"zstd", good, []string{"Content-Encoding", "zstd"}, 415, "unsupported_media_type"},

		{"as large as may be", `{"name":"New"` + strings.Repeat(" ", 1<<20-14) + `}`, nil, 201, ""},
		{"too large", `{"name":"New"` + strings.Repeat(" ", 1<<20-13) + `}`, nil, 413, "request_too_large"},
		{"gzip of as much as may be", zipped(t, `{"name":"New"`+strings.Repeat(" ", 1<<20-14)+`}`), []string{"Content-Encoding", "gzip"}, 201, ""},
		{"gzip of too much", zipped(t, strings.Repeat(" ", 1<<20+1)), []string{"Content-Encoding", "gzip"}, 413, "request_too_large"},
		{"gzip of much too much", zipped(t, strings.Repeat(" ", 20<<20)), []string{"Content-Encoding", "gzip"}, 413, "request_too_large"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, chunked := range []bool{false, true} {
				r := request(t, h.key, "POST", "/v1/agents", tt.body, tt.headers...)
				if chunked {
					r.ContentLength, r.Body = -1, io.NopCloser(strings.NewReader(tt.body))
				}
				a := h.serve(t, r)
				if tt.code == "" {
					a.read(t, tt.status, nil)
					continue
				}
				p := a.is(t, tt.status, tt.code)
				if p.Message == "" {
					t.Error("the error says nothing")
				}
				if limit, ok := p.Details["limit"].(float64); tt.status == 413 && (!ok || limit != 1<<20) {
					t.Errorf("the 413 names the limit %v, want %d", p.Details["limit"], 1<<20)
				}
			}
		})
	}
}

// Two lines of a header are one list.
func TestEncodedTwice(t *testing.T) {
	h := open(t, nil, nil)
	r := request(t, h.key, "POST", "/v1/agents", zipped(t, zipped(t, `{"name":"New"}`)))
	r.Header["Content-Encoding"] = []string{"gzip", "gzip"}
	h.serve(t, r).is(t, 415, "unsupported_media_type")
}

// A body that says it is too large is not read.
func TestDeclaredTooLarge(t *testing.T) {
	h := open(t, nil, nil)
	for path, limit := range map[string]int64{"/v1/agents": 1 << 20, "/v1/knowledge/documents": 32 << 20, "/v1/content/bulk": 100_000_000} {
		body := &countingReader{Reader: strings.NewReader("{}")}
		r := httptest.NewRequest("POST", path, body)
		r.Header.Set("X-Api-Key", h.key)
		r.Header.Set("Content-Type", "application/json")
		r.ContentLength = limit + 1
		p := h.serve(t, r).is(t, 413, "request_too_large")
		if fmt.Sprint(p.Details["limit"]) != fmt.Sprint(float64(limit)) || body.n > 0 {
			t.Errorf("%s: %v, and %d bytes were read; want the limit %d and none", path, p.Details, body.n, limit)
		}
	}
}

// A merge patch may be called what it is.
func TestMergePatch(t *testing.T) {
	h := open(t, nil, nil)
	for _, media := range []string{"application/json", "application/merge-patch+json", "application/merge-patch+json; charset=utf-8"} {
		var s struct{ Industry string }
		h.do(t, "PUT", "/v1/agents/"+h.agent(t)+"/settings", `{"industry":"`+strconv.Itoa(len(media))+`"}`, "Content-Type", media).read(t, 200, &s)
		if s.Industry != strconv.Itoa(len(media)) {
			t.Errorf("as %s: the settings are %+v", media, s)
		}
	}
}

// An optional body may be left out, and is compared with the contract if it is there.
func TestOptionalBody(t *testing.T) {
	h := open(t, nil, nil)
	for _, tt := range []struct {
		body, media string
		status      int
		code        string
	}{
		{"", "", 201, ""},
		{"", "application/json", 201, ""},
		{"{}", "application/json", 201, ""},
		{`{"overlap_seconds":0}`, "application/json", 201, ""},
		{`{"overlap_seconds":-1}`, "application/json", 400, "invalid_request"},
		{`null`, "application/json", 400, "invalid_request"},
		{" ", "application/json", 400, "invalid_json"},
		{"{}", "", 415, "unsupported_media_type"},
	} {
		var k struct{ ID string }
		h.do(t, "POST", "/v1/api-keys", `{"name":"k","scope":"read"}`).read(t, 201, &k)
		a := h.do(t, "POST", "/v1/api-keys/"+k.ID+"/rotate", tt.body, "Content-Type", tt.media)
		if tt.code == "" {
			a.read(t, tt.status, nil)
		} else {
			a.is(t, tt.status, tt.code)
		}
	}
}

// A caller who sends too slowly is not waited for: half a minute, and a second more
// for each 64 KiB.
func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil, nil)
		for _, sent := range []int{0, 1 << 19} {
			deadlines := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			begun := time.Now()
			r := httptest.NewRequest("POST", "/v1/agents", io.MultiReader(strings.NewReader(strings.Repeat(" ", sent)), stalled{deadlines}))
			r.Header.Set("X-Api-Key", h.key)
			r.Header.Set("Content-Type", "application/json")
			h.ServeHTTP(deadlines, r)
			answer{deadlines.ResponseRecorder, deadlines.Body.Bytes()}.is(t, 400, "invalid_request")
			want := 30*time.Second + time.Duration(sent>>16)*time.Second
			if got := deadlines.last.Sub(begun); got < want || got > want+time.Second {
				t.Errorf("after %d bytes the next may take until %v, want %v", sent, got, want)
			}
			if !deadlines.read.IsZero() {
				t.Error("the deadline is left for the next request")
			}
		}
	})
}

// A caller who does not read an answer is not waited for either.
func TestSlowReaderOfAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, nil, nil)
		for path, size := range map[string]int{"/v1/agents": 0, "/openapi.yaml": 100 << 10} {
			w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			begun := time.Now()
			h.ServeHTTP(w, request(t, h.key, "GET", path, ""))
			want := 30*time.Second + time.Duration(size>>16)*time.Second
			if got := w.write.Sub(begun); w.Code != 200 || got < want || got > want+5*time.Second {
				t.Errorf("GET %s = %d, of which a part may take %v, want about %v", path, w.Code, got, want)
			}
		}
	})
}

// deadlines notes the deadlines for reading, and for writing.
type deadlines struct {
	*httptest.ResponseRecorder
	read, last, write time.Time
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.write = at
	return nil
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	if d.read = at; !at.IsZero() {
		d.last = at
	}
	return nil
}

// stalled is a body of which nothing comes any more until its deadline.
type stalled struct{ *deadlines }

func (stalled) Read([]byte) (int, error) { return 0, context.DeadlineExceeded }

// A caller who stops sending, or leaves, is noticed on a real connection, and the
// connection of one who sends too much is closed.
func TestBodyOnTheWire(t *testing.T) {
	h := open(t, nil, nil)
	front := h.listen(t)
	for _, tt := range []struct{ name, head, body, want string }{
		{"larger than it said", "Content-Length: 3", `{"name":"New"}`, "400"}, // the rest is another request
		{"broken chunks", "Transfer-Encoding: chunked", "zz\r\n", "400"},
		{"too large", "Content-Length: 1048577", "", "413"},
		{"too large, asking first", "Content-Length: 1048577\r\nExpect: 100-continue", "", "413"},
	} {
		conn, err := net.Dial("tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = fmt.Fprintf(conn, "POST /v1/agents HTTP/1.1\r\nHost: h\r\nX-Api-Key: %s\r\nContent-Type: application/json\r\n%s\r\n\r\n%s", h.key, tt.head, tt.body)
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		status, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil || !strings.Contains(status, " "+tt.want+" ") {
			t.Errorf("%s: %q, %v, want %s", tt.name, status, err, tt.want)
		}
		_ = conn.Close()
	}
}

// Large bodies wait until there is room for them, and are refused when there is none
// for too long.
func TestRoomForBodies(t *testing.T) {
	h := open(t, nil, nil)
	front := h.listen(t)
	patient := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	defer patient.CloseIdleConnections()
	bulk := `{"items":[{"content":"word"}],"dry_run":true}`
	var hold []*io.PipeWriter
	done := make(chan error, 8)
	for range 2 { // all there is room for
		body, in := io.Pipe()
		hold = append(hold, in)
		r, err := http.NewRequestWithContext(t.Context(), "POST", front.URL+"/v1/content/bulk", body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Expect", "100-continue")
		go send(patient, r, h.key, done)
		if _, err := io.WriteString(in, bulk); err != nil { // which waits until it is read
			t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", front.URL+"/v1/content/bulk", io.MultiReader(strings.NewReader(bulk)))
	if err != nil {
		t.Fatal(err)
	}
	late := make(chan error, 1)
	go send(patient, r, h.key, late)
	h.do(t, "POST", "/v1/content/bulk", bulk).read(t, 200, nil) // a small one needs none
	select {
	case err := <-late:
		t.Errorf("a third large body did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	for _, in := range hold {
		_ = in.Close()
	}
	for _, got := range []chan error{done, done, late} {
		if err := <-got; err != nil {
			t.Error(err)
		}
	}
}

// send makes a request that is to be answered with 200.
func send(c *http.Client, r *http.Request, key string, done chan<- error) {
	r.Header.Set("X-Api-Key", key)
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(r)
	if err != nil {
		done <- err
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != 200 {
		err = fmt.Errorf("%s: %s", resp.Status, bytes.TrimSpace(body))
	}
	done <- err
}
