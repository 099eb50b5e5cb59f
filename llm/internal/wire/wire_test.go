package wire_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/sse"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/wire"
)

// A transport answers requests in memory.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// says answers always the same.
func says(status int, header, body string) transport {
	return func(r *http.Request) (*http.Response, error) {
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader(body))}
		for line := range strings.Lines(header) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			resp.Header.Set(name, value)
		}
		return resp, nil
	}
}

func api(t testing.TB, o wire.Options, f transport) *wire.API {
	t.Helper()
	o.Model, o.APIKey, o.Client = "small", "secret", &http.Client{Transport: f}
	a, err := wire.New("vendor", "https://models.example.com/v1/", o, func(h http.Header, key string) { h.Set("X-Key", key) })
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// stream reads a stream to its end.
func stream(ctx context.Context, a *wire.API) (events []sse.Event, err error) {
	for ev, err := range a.Stream(ctx, "/chat", map[string]string{"text": "words"}) {
		if err != nil {
			return events, err
		}
		events = append(events, ev)
	}
	return events, nil
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		status       int
		header, body string
		kind         llm.Kind
		code         string
		wait         time.Duration
	}{
		{401, "", `{"error":{"message":"secret","code":"invalid_api_key"}}`, llm.Auth, "invalid_api_key", 0},
		{401, "", `{"type":"error","error":{"type":"authentication_error","message":"secret"}}`, llm.Auth, "authentication_error", 0},
		{400, "", `[{"error":{"code":400,"message":"secret","status":"INVALID_ARGUMENT","details":[{"@type":"x","reason":"API_KEY_INVALID"}]}}]`, llm.Auth, "API_KEY_INVALID", 0},
		{429, "Retry-After: 7", `{"error":{"code":"rate_limit_exceeded"}}`, llm.RateLimit, "rate_limit_exceeded", 7 * time.Second},
		{429, "Retry-After: 1\nRetry-After-Ms: 250", `{}`, llm.RateLimit, "", 250 * time.Millisecond},
		{429, "", `{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"retryDelay":"34.5s"}]}}`, llm.RateLimit, "RESOURCE_EXHAUSTED", 34500 * time.Millisecond},
		{529, "", `{"type":"error","error":{"type":"overloaded_error"}}`, llm.Server, "overloaded_error", 0},
		{400, "", `{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 tokens > 1 maximum"}}`, llm.TooLarge, "invalid_request_error", 0},
		{400, "", `{"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}}`, llm.TooLarge, "INVALID_ARGUMENT", 0},
		{400, "", `{"error":{"code":400,"message":"request exceeds the available context size","type":"exceed_context_size_error"}}`, llm.TooLarge, "exceed_context_size_error", 0},
		{404, "", `{"error":{"details":"none","type":7,"code":"model_not_found"}}`, llm.BadRequest, "model_not_found", 0},
		{307, "Location: https://elsewhere.example.com", ``, llm.BadRequest, "", 0},
		{500, "", `<html>secret`, llm.Server, "", 0},
	} {
		_, err := stream(t.Context(), api(t, wire.Options{}, says(c.status, c.header, c.body)))
		e, ok := errors.AsType[*llm.Error](err)
		if !ok || e.Provider != "vendor" || e.Kind != c.kind || e.Status != c.status || e.Code != c.code || e.RetryAfter != c.wait {
			t.Errorf("status %d %s: %v, want kind %s, code %q, retry after %v", c.status, c.body, err, c.kind, c.code, c.wait)
		}
		if s := fmt.Sprint(err); strings.Contains(s, "secret") || strings.Contains(s, "words") || strings.Contains(s, "example.com") {
			t.Errorf("an error says too much: %s", s)
		}
	}
	for said, kind := range map[string]llm.Kind{
		`{"error":{"code":429,"message":"secret"}}`:                 llm.RateLimit,
		`{"error":{"code":502,"message":"secret"}}`:                 llm.Server,
		`{"type":"error","error":{"type":"overloaded_error"}}`:      llm.Server,
		`{"type":"error","error":{"type":"api_error"}}`:             llm.Server,
		`{"type":"error","error":{"type":"rate_limit_error"}}`:      llm.RateLimit,
		`{"error":{"code":"insufficient_quota"}}`:                   llm.RateLimit,
		`{"error":{"type":"invalid_request_error"}}`:                llm.BadRequest,
		`{"error":{"type":"authentication_error"}}`:                 llm.Auth,
		`{"error":{"code":"context_length_exceeded"}}`:              llm.TooLarge,
		`{"error":"the model runner has unexpectedly stopped"}`:     llm.Server,
		`{"error":{"code":503,"status":"UNAVAILABLE"}}`:             llm.Server,
		`{"error":{"message":"maximum context length is 5 words"}}`: llm.TooLarge,
	} {
		err := api(t, wire.Options{}, nil).Refused([]byte(said))
		if e, ok := errors.AsType[*llm.Error](err); !ok || e.Kind != kind || strings.Contains(err.Error(), "secret") {
			t.Errorf("Refused(%s) = %v, want kind %s", said, err, kind)
		}
	}
}

// TestNetwork says what went wrong without where.
func TestNetwork(t *testing.T) {
	for want, cause := range map[string]error{
		"vendor: network: connection refused":                    &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 80}, Err: syscall.ECONNREFUSED},
		"vendor: network: the host's name could not be resolved": &net.DNSError{Name: "models.example.com", Err: "no such host"},
		"vendor: network: the connection was closed":             io.EOF,
		"vendor: network: the connection failed":                 errors.New("secret"),
	} {
		_, err := stream(t.Context(), api(t, wire.Options{}, func(*http.Request) (*http.Response, error) { return nil, cause }))
		if fmt.Sprint(err) != want || !errors.Is(err, cause) || errors.Is(err, llm.ErrIncomplete) {
			t.Errorf("Stream = %v, want %s", err, want)
		}
	}
}

// slow is a body that gives a line every so often, for ever.
type slow struct {
	ctx  context.Context
	line string
	wait time.Duration
}

func (s slow) Read(p []byte) (int, error) {
	select {
	case <-time.After(s.wait):
		return copy(p, s.line), nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

func (slow) Close() error { return nil }

func drips(line string, wait time.Duration) transport {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: slow{r.Context(), line, wait}}, nil
	}
}

// TestTime bounds silence and the whole, and not the time that the reader takes.
func TestTime(t *testing.T) {
	for _, c := range []struct {
		name  string
		line  string
		every time.Duration
		took  time.Duration
		want  string
	}{
		{"silence", ": still here\n", time.Hour, 2 * time.Minute, "vendor: network: the answer broke off: nothing came for 2m0s"},
		{"for ever", ": still here\n", time.Minute, 10 * time.Minute, "vendor: network: the answer broke off: no whole answer within 10m0s"},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			_, err := stream(t.Context(), api(t, wire.Options{}, drips(c.line, c.every)))
			if fmt.Sprint(err) != c.want || !errors.Is(err, llm.ErrIncomplete) || time.Since(began) != c.took {
				t.Errorf("%s: %v after %v, want %s after %v", c.name, err, time.Since(began), c.want, c.took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		n := 0
		for _, err := range api(t, wire.Options{Silence: time.Second}, says(200, "", "data: 1\n\ndata: 2\n\n")).Stream(t.Context(), "", nil) {
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute) // the reader's own time
			n++
		}
		if n != 2 {
			t.Errorf("%d events for a slow reader, want 2", n)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		_, err := stream(ctx, api(t, wire.Options{}, drips("data: 1\n\n", time.Second)))
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != "vendor: network: context deadline exceeded" {
			t.Errorf("a context that ends: %v, want its error", err)
		}
	})
}

// TestStale asks over a connection that the server closes when it is used again.
func TestStale(t *testing.T) {
	used := map[string]bool{} // by address of the client
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		again := used[r.RemoteAddr]
		used[r.RemoteAddr] = true
		mu.Unlock()
		if len(r.Header["Idempotency-Key"]) > 0 {
			t.Errorf("sent Idempotency-Key %q, want none", r.Header["Idempotency-Key"])
		}
		if !again {
			io.WriteString(w, "{}")
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		conn.Close()
	}))
	defer server.Close()
	a, err := wire.New("vendor", server.URL, wire.Options{Model: "small", Client: server.Client()}, func(http.Header, string) {})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := a.JSON(t.Context(), "/chat", "words"); err != nil {
			t.Errorf("JSON over a connection that was closed = %v, want the request made again", err)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(used) < 2 {
		t.Error("no connection was used again: the test shows nothing")
	}
}

// TestCancel ends a stream at the next event, whatever was read before.
func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	for _, err := range api(t, wire.Options{}, says(200, "", "data: 1\n\ndata: 2\n\n")).Stream(ctx, "", nil) {
		if n++; n == 2 && !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of the context: %v, want context.Canceled", err)
		}
		cancel()
	}
	if n != 2 {
		t.Errorf("%d events, want one and an error", n)
	}
}

func TestBounds(t *testing.T) {
	for name, body := range map[string]string{
		"an endless line":   "data: " + strings.Repeat("x", 5<<20),
		"an endless event":  strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", 5<<10),
		"an endless answer": strings.Repeat("data: x"+strings.Repeat("x", 1000)+"\n\n", 6<<10),
		"comments":          strings.Repeat(": x"+strings.Repeat("x", 1000)+"\n", 6<<10),
	} {
		_, err := stream(t.Context(), api(t, wire.Options{MaxAnswerBytes: 5 << 20}, says(200, "", body)))
		if e, ok := errors.AsType[*llm.Error](err); !ok || e.Kind != llm.Malformed {
			t.Errorf("%s: %v, want kind malformed", name, err)
		}
	}
	whole := api(t, wire.Options{MaxAnswerBytes: 4}, says(200, "Content-Type: application/json; charset=utf-8", `{  }`))
	if got, err := stream(t.Context(), whole); err != nil || len(got) != 1 || got[0].Data != "{  }" {
		t.Errorf("an answer that is no stream = %v, %v, want one event", got, err)
	}
	if got, err := whole.JSON(t.Context(), "", nil); err != nil || string(got) != "{  }" {
		t.Errorf("JSON = %s, %v, want {  }", got, err)
	}
	if _, err := api(t, wire.Options{MaxAnswerBytes: 3}, says(200, "", `{  }`)).JSON(t.Context(), "", nil); err == nil {
		t.Error("JSON of a byte too many: no error")
	}
}

func TestArguments(t *testing.T) {
	for in, want := range map[string]string{``: `{}`, `null`: `{}`, ` {"a": 1} `: `{"a": 1}`, `{"a":`: ``, `[]`: ``, `"{}"`: ``, `{} {}`: ``} {
		if got, ok := wire.Arguments([]byte(in)); string(got) != want || ok != (want != "") {
			t.Errorf("Arguments(%s) = %s, %v, want %s", in, got, ok, want)
		}
	}
	calls := []llm.ToolCall{{ID: "a"}, {}, {ID: "a"}, {ID: "call_1"}}
	wire.CallIDs(calls)
	seen := map[string]bool{}
	for _, c := range calls {
		if c.ID == "" || seen[c.ID] {
			t.Errorf("ids = %v, want each once", calls)
		}
		seen[c.ID] = true
	}
	if calls[0].ID != "a" {
		t.Errorf("the first id is %s, want a as before", calls[0].ID)
	}
}

func FuzzStream(f *testing.F) {
	f.Add("data: {}\n\n", 200, "text/event-stream")
	f.Add(`{"error":{"code":"x","details":[{"retryDelay":"9999h"}]}}`, 429, "application/json")
	f.Fuzz(func(t *testing.T, body string, status int, kind string) {
		a := api(t, wire.Options{MaxAnswerBytes: 1 << 10}, says(status, "Content-Type: "+kind, body))
		_, err := stream(t.Context(), a)
		if _, ok := errors.AsType[*llm.Error](err); err != nil && !ok {
			t.Fatalf("Stream = %v, want an llm.Error", err)
		}
	})
}
