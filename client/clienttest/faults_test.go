package clienttest_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// both runs a test over sockets, and in memory within a bubble.
func both(t *testing.T, test func(t *testing.T, open func(...clienttest.Step) *clienttest.Server)) {
	t.Run("tcp", func(t *testing.T) {
		test(t, func(steps ...clienttest.Step) *clienttest.Server { return clienttest.New(t, steps...) })
	})
	t.Run("memory", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			test(t, func(steps ...clienttest.Step) *clienttest.Server { return clienttest.NewInMemory(t, steps...) })
		})
	})
}

// An answer is what a client has of one.
type answer struct {
	status  int
	header  http.Header
	body    string
	sent    error // of the request: no answer
	read    error // of the body
	chunked bool
}

func get(s *clienttest.Server) answer { return call(s, "GET", "") }

func call(s *clienttest.Server, method, body string) answer {
	req, err := http.NewRequest(method, s.URL+"/v1/things?limit=1", strings.NewReader(body))
	if err != nil {
		return answer{sent: err}
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		return answer{sent: err}
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header, chunked: resp.ContentLength < 0}
	data, err := io.ReadAll(resp.Body)
	a.body, a.read = string(data), err
	return a
}

func TestAnswers(t *testing.T) {
	type header = map[string]string
	tests := []struct {
		name    string
		step    clienttest.Step
		status  int
		body    string
		header  header
		chunked bool
	}{
		{"a value", clienttest.Respond(201, map[string]any{"id": "a"}), 201, `{"id":"a"}`, header{"Content-Type": "application/json"}, false},
		{"text", clienttest.Respond(200, "{"), 200, "{", header{"Content-Type": "application/json"}, false},
		{"bytes", clienttest.Respond(200, []byte{0xff}), 200, "\xff", header{"Content-Type": "application/json"}, false},
		{"no body", clienttest.Respond(204, nil), 204, "", header{"Content-Type": ""}, false},
		{"large", clienttest.Respond(200, strings.Repeat("x", 1<<20)), 200, strings.Repeat("x", 1<<20), nil, false},
		{"a header instead", clienttest.Respond(200, "x").Header("content-type", "text/plain").Header("X-Request-Id", "r"),
			200, "x", header{"Content-Type": "text/plain", "X-Request-Id": "r"}, false},
		{"rate limit", clienttest.RateLimited("1.5"), 429, "", header{"Retry-After": "1.5", "Content-Type": "application/json"}, false},
		{"rate limit of a date", clienttest.RateLimited("Fri, 31 Dec 1999 23:59:59 GMT"), 429, "", header{"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, false},
		{"rate limit without a time", clienttest.RateLimited(""), 429, "", header{"Retry-After": ""}, false},
		{"retry after", clienttest.Respond(503, "{}").RetryAfter("-1"), 503, "{}", header{"Retry-After": "-1"}, false},
		{"proxy", clienttest.HTML502(), 502, "", header{"Content-Type": "text/html"}, false},
		{"proxy that says it is JSON", clienttest.HTML502().Header("Content-Type", "application/json"), 502, "", header{"Content-Type": "application/json"}, false},
		{"events", clienttest.SSE("data: a\n\n"), 200, "data: a\n\n", header{"Content-Type": "text/event-stream"}, true},
		{"no events", clienttest.SSE(""), 200, "", header{"Content-Type": "text/event-stream"}, true},
		{"a handler", clienttest.Handler(http.NotFoundHandler()).Header("X-Request-Id", "r"), 404, "404 page not found\n", header{"X-Request-Id": "r"}, false},
		{"slow", clienttest.Respond(200, "abcdefg").SlowBody(3, time.Millisecond), 200, "abcdefg", nil, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
				got := call(open(tt.step), "POST", "sent")
				if got.sent != nil || got.read != nil {
					t.Fatalf("answer = %v, %v; want no error", got.sent, got.read)
				}
				if got.status != tt.status || tt.body != "" && got.body != tt.body || got.chunked != tt.chunked {
					t.Errorf("answer = %d %.40q, chunked: %t; want %d %.40q, %t", got.status, got.body, got.chunked, tt.status, tt.body, tt.chunked)
				}
				for key, want := range tt.header {
					if got := got.header.Get(key); got != want {
						t.Errorf("%s = %q, want %q", key, got, want)
					}
				}
			})
		})
	}
}

func TestHeaderAddsValues(t *testing.T) {
	step := clienttest.Respond(200, nil).Header("X-RateLimit-Limit", "100")
	more := step.Header("X-RateLimit-Limit", "100;w=60")
	s := clienttest.New(t, more, step)
	if got := get(s).header["X-Ratelimit-Limit"]; len(got) != 2 {
		t.Errorf("X-RateLimit-Limit = %q, want both values", got)
	}
	if got := get(s).header["X-Ratelimit-Limit"]; len(got) != 1 {
		t.Errorf("X-RateLimit-Limit of the step before = %q, want its one value", got)
	}
}

func TestRespondRefusesWhatIsNoJSON(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("Respond of a channel did not panic")
		}
	}()
	clienttest.Respond(200, make(chan int))
}

// Connections that end, seen by a client of net/http. The request has a body,
// so that there is something not to read.
func TestConnectionsThatEnd(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "0123456789") // chunked as soon as it is flushed
	})
	const none = -1
	tests := []struct {
		name string
		step clienttest.Step
		body int // bytes that arrive; none: the request fails
		err  error
	}{
		{"reset before reading", clienttest.Reset(clienttest.BeforeReading), none, syscall.ECONNRESET},
		{"reset after reading", clienttest.Reset(clienttest.AfterReading), none, syscall.ECONNRESET},
		{"reset after the status line", clienttest.Reset(clienttest.AfterStatusLine), none, io.ErrUnexpectedEOF},
		{"reset after the header", clienttest.Respond(200, "0123456789").Reset(0), 0, syscall.ECONNRESET},
		{"reset in the body", clienttest.Respond(200, "0123456789").Reset(4), 4, syscall.ECONNRESET},
		{"reset of an answer without a body", clienttest.Reset(4), 0, syscall.ECONNRESET},
		{"reset of a handler's body", clienttest.Handler(handler).Reset(4), 4, syscall.ECONNRESET},
		{"reset after a handler's body", clienttest.Handler(handler).Reset(99), 10, syscall.ECONNRESET},
		{"reset of a slow body", clienttest.Respond(200, "0123456789").SlowBody(3, time.Millisecond).Reset(7), 7, syscall.ECONNRESET},
		{"reset of events", clienttest.SSE("0123456789").Reset(4), 4, syscall.ECONNRESET},
		{"closed after reading", clienttest.Respond(200, nil).Truncate(clienttest.AfterReading), none, io.EOF},
		{"closed after the status line", clienttest.Respond(200, nil).Truncate(clienttest.AfterStatusLine), none, io.ErrUnexpectedEOF},
		{"closed after the header", clienttest.Respond(200, "0123456789").Truncate(0), 0, io.ErrUnexpectedEOF},
		{"closed in the body", clienttest.Respond(200, "0123456789").Truncate(4), 4, io.ErrUnexpectedEOF},
		{"closed in a handler's body", clienttest.Handler(handler).Truncate(4), 4, io.ErrUnexpectedEOF},
		{"closed after a handler's body", clienttest.Handler(handler).Truncate(99), 10, io.ErrUnexpectedEOF},
		{"events without an end", clienttest.SSE("0123456789").Truncate(10), 10, io.ErrUnexpectedEOF},
		{"closed after a complete body", clienttest.Respond(200, "0123456789").Truncate(10), 10, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
				s := open(tt.step, clienttest.Respond(200, "next"))
				got := call(s, "POST", "sent")
				if tt.body == none {
					if !is(got.sent, tt.err) {
						t.Errorf("the request ended with %v, want %v", got.sent, tt.err)
					}
				} else if got.sent != nil || got.body != "0123456789"[:tt.body] || !is(got.read, tt.err) {
					t.Errorf("answer = %q, %v, %v; want %d bytes, %v", got.body, got.sent, got.read, tt.body, tt.err)
				}
				s.Wait()
				if r := s.Requests(); len(r) != 1 || r[0].Gone {
					t.Errorf("requests = %+v, want one, and its client not gone", r)
				}
				if next := get(s); next.body != "next" {
					t.Errorf("the next answer = %+v, want it whole", next)
				}
				if r := s.Requests(); len(r) != 2 || r[1].ConnID != 2 {
					t.Errorf("the next request = %+v, want it over a connection of its own", r)
				}
			})
		})
	}
}

// is compares errors; one that is no error is compared as that.
func is(err, want error) bool {
	if want == nil {
		return err == nil
	}
	return errors.Is(err, want)
}

// What matters of resets: code that looks at the type of errors finds the same
// over sockets and in memory.
func TestResetIsAnOpError(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		err := get(open(clienttest.Reset(clienttest.AfterReading))).sent
		if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "read" || op.Net != "tcp" {
			t.Errorf("error = %#v, want one with a *net.OpError of a read", err)
		}
	})
}

// A stream cut at every byte.
func TestCutAnywhere(t *testing.T) {
	const text = "id: 1\ndata: a\n\nid: 2\ndata: b\n\n"
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		var steps []clienttest.Step
		for n := range len(text) + 1 {
			steps = append(steps, clienttest.SSE(text).Truncate(clienttest.Stage(n)), clienttest.SSE(text).Reset(clienttest.Stage(n)))
		}
		s := open(steps...)
		for n := range len(text) + 1 {
			for _, want := range []error{io.ErrUnexpectedEOF, syscall.ECONNRESET} {
				if got := get(s); got.body != text[:n] || !errors.Is(got.read, want) {
					t.Errorf("cut after %d bytes: %q, %v, %v; want %q, %v", n, got.body, got.sent, got.read, text[:n], want)
				}
			}
		}
	})
}

func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t,
			clienttest.Respond(200, "x").Delay(time.Minute),
			clienttest.Reset(clienttest.AfterReading).Delay(time.Minute),
			clienttest.Reset(clienttest.BeforeReading).Delay(time.Minute),
			clienttest.Respond(200, "x").Reset(0).Delay(time.Minute),
		)
		for n := range 4 {
			start := time.Now()
			if call(s, "POST", "x"); time.Since(start) != time.Minute {
				t.Errorf("answer %d took %v, want 1m", n, time.Since(start))
			}
		}
	})
}

func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(200, "abcdefgh").SlowBody(3, time.Second))
		start := time.Now()
		resp, err := s.Client().Get(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for n, want := range []string{"abc", "def", "gh"} {
			buf := make([]byte, 10)
			k, _ := resp.Body.Read(buf)
			if at := time.Since(start); string(buf[:k]) != want || at != time.Duration(n)*time.Second {
				t.Errorf("piece %d = %q after %v, want %q after %d s", n, buf[:k], at, want, n)
			}
		}
	})
}

// Over sockets too, time passes.
func TestDelayOverTCP(t *testing.T) {
	s := clienttest.New(t, clienttest.Respond(200, "abc").Delay(5*time.Millisecond).SlowBody(1, 5*time.Millisecond))
	start := time.Now()
	if got := get(s); got.body != "abc" || time.Since(start) < 15*time.Millisecond {
		t.Errorf("answer = %+v after %v, want it after 15 ms or more", got, time.Since(start))
	}
}
