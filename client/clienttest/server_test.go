package clienttest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

func TestScript(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		s := open(clienttest.Respond(500, nil), clienttest.Respond(503, nil), clienttest.Respond(200, nil))
		for n, want := range []int{500, 503, 200, 200, 200} {
			if got := get(s).status; got != want {
				t.Errorf("answer %d = %d, want %d", n, got, want)
			}
		}
		if got := get(open()).status; got != 200 {
			t.Errorf("answer without a script = %d, want 200", got)
		}
	})
}

// However many ask at once, each step is used once.
func TestScriptIsShared(t *testing.T) {
	const n = 20
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		var steps []clienttest.Step
		for i := range n {
			steps = append(steps, clienttest.Respond(200, fmt.Sprint(i)))
		}
		s := open(steps...)
		var mu sync.Mutex
		var got []string
		var wg sync.WaitGroup
		for range n {
			wg.Go(func() {
				body := get(s).body
				mu.Lock()
				defer mu.Unlock()
				got = append(got, body)
			})
		}
		wg.Wait()
		slices.Sort(got)
		if got := slices.Compact(got); len(got) != n {
			t.Errorf("%d different answers %q, want %d", len(got), got, n)
		}
	})
}

func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s := clienttest.NewInMemory(t)
		time.Sleep(time.Hour)
		req, err := http.NewRequest("PUT", s.URL+"/v1/documents/a%2Fb?q=1%202", strings.NewReader(strings.Repeat("x", 1<<20+1)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Idempotency-Key", "k")
		resp, err := s.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		got := s.Requests()
		if len(got) != 1 {
			t.Fatalf("%d requests, want 1", len(got))
		}
		r := got[0]
		u, _ := url.Parse(s.URL)
		if r.Method != "PUT" || r.Host != u.Host || r.URL != "/v1/documents/a%2Fb?q=1%202" || r.Header.Get("Idempotency-Key") != "k" || r.ConnID != 1 {
			t.Errorf("request = %s %s %s %v over %d, want it as it was sent", r.Method, r.Host, r.URL, r.Header, r.ConnID)
		}
		if len(r.Body) != 1<<20 || r.Body[0] != 'x' {
			t.Errorf("%d bytes of the body, want the first MiB", len(r.Body))
		}
		if at := r.At.Sub(begun); at != time.Hour {
			t.Errorf("request after %v, want 1h", at)
		}

		r.Header.Set("Idempotency-Key", "other")
		r.Body[0] = 'y'
		if r := s.Requests()[0]; r.Header.Get("Idempotency-Key") != "k" || r.Body[0] != 'x' {
			t.Error("a change of what Requests returned changed the record")
		}
	})
}

func TestConnections(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		s := open(clienttest.Respond(200, nil), clienttest.Respond(200, nil), clienttest.Reset(clienttest.AfterReading), clienttest.Respond(200, nil))
		for range 4 {
			call(s, "POST", "")
		}
		var ids []int
		for _, r := range s.Requests() {
			ids = append(ids, r.ConnID)
		}
		if want := []int{1, 1, 1, 2}; !slices.Equal(ids, want) {
			t.Errorf("connections of the requests = %v, want %v", ids, want)
		}
		if opened, open := s.Connections(); opened != 2 || open != 1 {
			t.Errorf("Connections = %d, %d; want 2, 1", opened, open)
		}
		s.Close()
		if opened, open := s.Connections(); opened != 2 || open != 0 {
			t.Errorf("Connections after Close = %d, %d; want 2, 0", opened, open)
		}
	})
}

// A real handler does its work, and the client is not told.
func TestDoneButNotTold(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		var did []string
		api := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			w.WriteHeader(201)
			io.WriteString(w, "created")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Errorf("Flush = %v, want nil", err)
			}
			did = append(did, string(body)) // after it has answered
		})
		s := open(clienttest.Handler(api).Reset(clienttest.AfterReading), clienttest.Handler(api))
		if got := call(s, "POST", "a"); !errors.Is(got.sent, syscall.ECONNRESET) {
			t.Errorf("answer = %+v, want %v", got, syscall.ECONNRESET)
		}
		if got := call(s, "POST", "b"); got.status != 201 || got.body != "created" {
			t.Errorf("answer = %+v, want 201", got)
		}
		s.Close()
		if !slices.Equal(did, []string{"a", "b"}) {
			t.Errorf("the handler did %q, want a and b", did)
		}
		if r := s.Requests(); string(r[0].Body) != "a" || string(r[1].Body) != "b" {
			t.Errorf("requests = %+v, want the bodies that the handler read", r)
		}
	})
}

// A stream is cut at its byte, not when its handler ends; the handler learns of
// it as of a client that has gone.
func TestHandlerLearnsOfItsEnd(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		ended := make(chan error, 1)
		s := open(clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			for {
				_, err := io.WriteString(w, "data: tick\n\n")
				if err == nil {
					err = http.NewResponseController(w).Flush()
				}
				if err != nil {
					<-r.Context().Done()
					ended <- err
					return
				}
			}
		})).Truncate(30))
		if got := get(s); len(got.body) != 30 || !errors.Is(got.read, io.ErrUnexpectedEOF) {
			t.Errorf("answer = %+v, want 30 bytes", got)
		}
		if err := <-ended; err == nil {
			t.Error("the handler was not told")
		}
	})
}

func TestClientsThatLeave(t *testing.T) {
	leave := func(ctx context.Context, s *clienttest.Server, body io.Reader) error {
		req, err := http.NewRequestWithContext(ctx, "POST", s.URL, body)
		if err != nil {
			return err
		}
		resp, err := s.Client().Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	tests := []struct {
		name string
		step clienttest.Step
		body func(ctx context.Context) io.Reader
	}{
		{"hang", clienttest.Hang(), nil},
		{"hang with a body", clienttest.Hang(), func(context.Context) io.Reader { return strings.NewReader("x") }},
		{"delay", clienttest.Respond(200, "x").Delay(time.Hour), nil},
		{"delayed reset", clienttest.Reset(clienttest.AfterReading).Delay(time.Hour), nil},
		{"slow body", clienttest.Respond(200, "xx").SlowBody(1, time.Hour), nil},
		{"a handler", clienttest.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })), nil},
		{"during the upload", clienttest.Respond(200, nil), func(ctx context.Context) io.Reader { return endless{ctx} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
				s := open(tt.step)
				// A busy machine may give up before the request has arrived.
				for patience := 20 * time.Millisecond; len(s.Requests()) == 0; patience *= 2 {
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					var body io.Reader
					if tt.body != nil {
						body = tt.body(ctx)
					}
					if err := leave(ctx, s, body); !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("the request ended with %v, want %v", err, context.DeadlineExceeded)
					}
					cancel()
				}
				s.Wait()
				for _, r := range s.Requests() {
					if !r.Gone {
						t.Errorf("request = %+v, want its client gone", r)
					}
				}
			})
		})
	}
}

// An endless body gives a byte, and then nothing until ctx ends.
type endless struct{ ctx context.Context }

func (e endless) Read(p []byte) (int, error) {
	select {
	case <-e.ctx.Done():
		return 0, e.ctx.Err()
	case <-time.After(10 * time.Millisecond):
		return copy(p, "x"), nil
	}
}

// A client that has its answer may go.
func TestClientsThatAreServed(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		s := open(clienttest.Respond(200, strings.Repeat("x", 100_000)).SlowBody(50_000, 0))
		req, err := http.NewRequest("GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Close = true
		for range 20 {
			resp, err := s.Client().Do(req)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, resp.Body); n != 100_000 || err != nil {
				t.Errorf("%d bytes, %v; want 100000", n, err)
			}
			resp.Body.Close()
		}
		s.Wait()
		for n, r := range s.Requests() {
			if r.Gone {
				t.Errorf("the client of request %d is gone, want it served", n)
			}
		}
	})
}

func TestClose(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		arrived := make(chan struct{})
		s := open(clienttest.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-r.Context().Done()
		})))
		ended := make(chan error, 1)
		go func() { ended <- get(s).sent }()
		<-arrived
		s.Close()
		s.Close()
		if err := <-ended; err == nil {
			t.Error("a request under way had an answer after Close")
		}
		if err := get(s).sent; !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a request after Close = %v, want %v", err, syscall.ECONNREFUSED)
		}
		if r := s.Requests(); len(r) != 1 || r[0].Gone {
			t.Errorf("requests = %+v, want one, and its client not gone", r)
		}
	})
}

func TestRefuseDials(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		s := open()
		s.RefuseDials(2)
		for n, want := range []error{syscall.ECONNREFUSED, syscall.ECONNREFUSED, nil} {
			if err := get(s).sent; !is(err, want) {
				t.Errorf("request %d = %v, want %v", n, err, want)
			}
		}
		if r := s.Requests(); len(r) != 1 {
			t.Errorf("%d requests arrived, want 1", len(r))
		}
	})
}

// Nothing of a server in memory is reached by mistake.
func TestMemoryIsApart(t *testing.T) {
	s := clienttest.NewInMemory(t)
	if _, err := s.DialContext(t.Context(), "tcp", "example.org:80"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("DialContext of another address = %v, want %v", err, syscall.ECONNREFUSED)
	}
	resp, err := http.Get(s.URL)
	if err == nil {
		resp.Body.Close()
		t.Errorf("a client without the server's dialler had %s", resp.Status)
	}
	if opened, _ := s.Connections(); opened != 0 {
		t.Errorf("%d connections, want none", opened)
	}
}

// A handler that panics is reported by net/http, and leaves the server usable.
func TestHandlerThatPanics(t *testing.T) {
	both(t, func(t *testing.T, open func(...clienttest.Step) *clienttest.Server) {
		abort := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		s := open(clienttest.Handler(abort), clienttest.Respond(200, "next"))
		if got := get(s); !errors.Is(got.sent, io.EOF) {
			t.Errorf("answer = %+v, want %v", got, io.EOF)
		}
		if got := get(s); got.body != "next" {
			t.Errorf("the next answer = %+v, want it whole", got)
		}
		s.Wait()
	})
}

// After Close no goroutine is left, whatever went wrong before. (In memory, a
// bubble would not end.)
func TestNothingIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 10 {
		s := clienttest.Start(
			clienttest.Respond(200, "x"),
			clienttest.Reset(clienttest.BeforeReading),
			clienttest.Respond(200, "xxx").Truncate(2),
			clienttest.SSE("data: a\n\n").Reset(3),
			clienttest.Hang(),
		)
		for range 4 {
			call(s, "POST", "body")
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		req, err := http.NewRequestWithContext(ctx, "GET", s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := s.Client().Do(req); err == nil {
			resp.Body.Close()
			t.Errorf("the request that hangs had %s", resp.Status)
		}
		cancel()
		s.Close()
	}
	for deadline := time.Now().Add(time.Minute); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// An hour's back-off costs a test nothing.
func TestFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.RateLimited("3600"), clienttest.Respond(200, "{}"))
		for get(s).status == 429 {
			time.Sleep(time.Hour)
		}
		r := s.Requests()
		if len(r) != 2 || r[1].At.Sub(r[0].At) != time.Hour || r[1].ConnID != 1 {
			t.Errorf("requests = %+v, want two over one connection, an hour apart", r)
		}
	})
}
