package pull_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge/pull"
)

func TestAnswersThatAreNone(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	for range 16 {
		_, _ = z.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	_ = z.Close()
	for name, c := range map[string]struct {
		serve http.HandlerFunc
		kind  pull.Kind
		says  string
	}{
		"html":         {answer("<!doctype html><title>Sign in</title>"), pull.KindSchema, "HTML or XML, not JSON"},
		"words":        {answer("Service temporarily unavailable"), pull.KindSchema, "not JSON: invalid character 'S'"},
		"cut short":    {answer(`[{"id":1,"body":"x"},{"id":`), pull.KindSchema, "not JSON: unexpected end of JSON input at byte 27"},
		"two values":   {answer(`{"id":1} {"id":2}`), pull.KindSchema, "not JSON"},
		"utf-16":       {answer("\xff\xfe[\x00]\x00"), pull.KindSchema, "UTF-16"},
		"scalar":       {answer(`"x"`), pull.KindMapping, "neither a list nor an object"},
		"a page large": {answer(`[` + strings.Repeat(" ", 1<<20) + `]`), pull.KindSchema, "larger than 1048576 bytes: ask for fewer items a page"},
		"a page large, told": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99999999")
			w.(http.Flusher).Flush()
		}, pull.KindSchema, "larger than 1048576 bytes"},
		"nested to no end": {answer(strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)), pull.KindSchema, "exceeded max depth"},
		"gzip bomb": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		}, pull.KindSchema, "larger than 1048576 bytes"},
		"not gzip": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "[]")
		}, pull.KindNetwork, "broke off, or breaks a rule"},
		"brotli": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			fmt.Fprint(w, "[]")
		}, pull.KindNetwork, "an encoding other than gzip"},
		"broken off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, `[{"id":1,"body":"x"}]`)
		}, pull.KindNetwork, ""},
		"no http": {func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				fmt.Fprint(conn, "SSH-2.0-OpenSSH\r\n")
				conn.Close()
			}
		}, pull.KindNetwork, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // some wait before they ask again
			address := serve(t, c.serve)
			p := newPuller(t, guarded(t, address), &pull.Options{MaxPageBytes: 1 << 20})
			got := collect(t, newRun(t, p, pull.Source{URL: address, Mapping: plain}, pull.Known{}))
			got.wantErr(t, c.kind, c.says)
			if len(got.items) > 0 || got.report.Complete {
				t.Errorf("report = %+v", got.report)
			}
		})
	}
}

func TestContentTypeDoesNotMatter(t *testing.T) {
	got := pullFrom(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
		fmt.Fprint(w, encode(articles(1, 2)))
	}, pull.Source{Mapping: plain})
	got.wantEnd(t, pull.EndDone, true)
}

func TestPackedAnswers(t *testing.T) {
	got := pullFrom(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Accept-Encoding") != "gzip" {
			t.Error("the answer may not be packed")
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		fmt.Fprint(z, encode(articles(1, 2)))
	}, pull.Source{Mapping: plain})
	got.wantEnd(t, pull.EndDone, true)
	if got.ids() != "1 2" {
		t.Errorf("items = %q", got.ids())
	}
}

// TestAMillionKeys is of answers that are small in bytes and large in memory:
// each is refused, or read, without holding much more than itself.
func TestAMillionKeys(t *testing.T) {
	var keys strings.Builder
	keys.WriteString(`{"id":1,"body":"x"`)
	for i := range 1_000_000 {
		fmt.Fprintf(&keys, `,"%d":0`, i)
	}
	keys.WriteString("}")
	million := keys.String()
	for name, c := range map[string]struct {
		body  string
		items string
		want  string
		says  string
		ends  string // an error that ends the run
	}{
		"an item":              {`[{"id":0,"body":"x"},` + million + `,{"id":2,"body":"x"}]`, "", "0 2", "too many keys and values", ""},
		"around the items":     {`{"data":[{"id":0,"body":"x"}],"junk":` + million + `}`, "data", "0", "", ""},
		"read as a whole":      {`{"data":[{"id":0,"body":"x"}],"junk":` + million + `}`, "$.data[0]", "", "", "too many keys and values for a path that is more than names"},
		"the list":             {`[` + strings.Repeat("1,", 1_000_000) + `1]`, "", "", "path of the id matches nothing", "none of the first 100 items"},
		"lists within a list":  {`[{"id":3,"body":"x"},` + strings.Repeat(strings.Repeat("[", 60)+strings.Repeat("]", 60)+",", 10_000) + `1]`, "", "3", "matches nothing", ""},
		"strings of backslash": {`["` + strings.Repeat(`\\`, 1_000_000) + `",{"id":3,"body":"x"}]`, "", "3", "matches nothing", ""},
	} {
		t.Run(name, func(t *testing.T) {
			address := serve(t, answer(c.body))
			r := newRun(t, newPuller(t, guarded(t, address), nil), pull.Source{URL: address, Items: c.items, Mapping: plain}, pull.Known{})
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			var ids []string
			var failed, end string
			began := time.Now()
			for it, err := range r.Items(t.Context()) {
				switch {
				case err != nil:
					end = err.Error()
				case it.Err != nil:
					failed = it.Err.Error()
				default:
					ids = append(ids, it.ID)
				}
			}
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if strings.Join(ids, " ") != c.want || !strings.Contains(failed, c.says) || !strings.Contains(end, c.ends) || (end == "") != (c.ends == "") {
				t.Errorf("items %q, error %q, end %q; want %q, %q, %q", ids, failed, end, c.want, c.says, c.ends)
			}
			if held := int64(after.HeapSys) - int64(before.HeapSys); held > 128<<20 {
				t.Errorf("the heap grew by %d MiB for %d MiB of JSON", held>>20, len(c.body)>>20)
			}
			if took > time.Minute { // it is a second or so
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestPathsThatWouldTakeLong are refused, or end at a bound.
func TestPathsThatWouldTakeLong(t *testing.T) {
	for _, path := range []string{
		"$" + strings.Repeat("[0,0]", 20), "$..*..*..*", "$[?@..x]", "$[?$.a == @.a]", "$[?@[0,0][0,0]]", "$" + strings.Repeat(".a", 33), "$." + strings.Repeat("a", 600),
		"$[?count(@..*) > 1]", `$[?@["a","b"]]`,
	} {
		_, err := newPuller(t, http.DefaultClient, nil).Pull(pull.Source{URL: "https://example.com", Mapping: pull.Mapping{Text: path}}, pull.Known{})
		if e, ok := errors.AsType[*pull.FieldError](err); !ok || e.Field != "mapping.text" {
			t.Errorf("path %s: error %v, want one of mapping.text", path, err)
		}
	}
	deep := strings.Repeat(`{"a":[1,2,3],"b":`, 60) + `1` + strings.Repeat("}", 60)
	for _, path := range []string{"$..*..*", "$..[?@.a]..*", "$[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]..x", `$..[?match(@, "(a*)*b")]`} {
		began := time.Now()
		one(t, pull.Mapping{ID: "id", Text: path}, deep)
		if took := time.Since(began); took > time.Minute {
			t.Errorf("path %s took %v", path, took)
		}
	}
}

func TestSlowBodies(t *testing.T) {
	slow := func(w http.ResponseWriter, req *http.Request) {
		for {
			if _, err := fmt.Fprint(w, " "); err != nil {
				return
			}
			w.(http.Flusher).Flush()
			select {
			case <-time.After(10 * time.Millisecond):
			case <-req.Context().Done():
				return
			}
		}
	}
	address := serve(t, slow)
	p := newPuller(t, guarded(t, address), &pull.Options{PageTimeout: 50 * time.Millisecond, MaxTime: time.Second})
	got := collect(t, newRun(t, p, pull.Source{URL: address, Mapping: plain}, pull.Known{}))
	if got.report.End != pull.EndTime && got.report.End != pull.EndFailed || got.report.Took > time.Minute {
		t.Errorf("report = %+v", got.report)
	}

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	for _, err := range newRun(t, newPuller(t, guarded(t, address), nil), pull.Source{URL: address, Mapping: plain}, pull.Known{}).Items(ctx) {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error = %v", err)
		}
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the end of the context took %v to be heeded", took)
	}
}

// TestHostsThatMayNotBeCalled are refused by the client, and the error says so.
func TestHostsThatMayNotBeCalled(t *testing.T) {
	client := guarded(t, serve(t, answer("[]")))
	for _, c := range []struct{ url, says string }{
		{"https://169.254.169.254/latest/meta-data", "not one this server may call"},
		{"http://127.0.0.1:1/", "port is not allowed"},
	} {
		got := collect(t, newRun(t, newPuller(t, client, nil), pull.Source{URL: c.url, Mapping: plain}, pull.Known{}))
		if e := got.wantErr(t, pull.KindNetwork, c.says); e.Status != 0 || got.report.Requests != 1 {
			t.Errorf("%s: %+v after %d requests", c.url, e, got.report.Requests)
		}
	}
}
