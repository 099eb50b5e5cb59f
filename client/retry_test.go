package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// TestStatuses says of each status what becomes of it.
func TestStatuses(t *testing.T) {
	for status, want := range map[int]struct {
		requests int
		is       error
	}{
		300: {1, nil},
		302: {1, nil},
		304: {1, client.ErrNotModified},
		400: {1, client.ErrInvalidRequest},
		401: {1, client.ErrUnauthorized},
		403: {1, client.ErrForbidden},
		404: {1, client.ErrNotFound},
		405: {1, client.ErrInvalidRequest},
		408: {3, client.ErrInvalidRequest},
		409: {1, client.ErrConflict},
		412: {1, client.ErrPreconditionFailed},
		413: {1, client.ErrInvalidRequest},
		415: {1, client.ErrInvalidRequest},
		425: {1, client.ErrInvalidRequest},
		429: {3, client.ErrRateLimited},
		500: {3, client.ErrServer},
		501: {1, client.ErrServer},
		502: {3, client.ErrServer},
		503: {3, client.ErrServer},
		504: {3, client.ErrServer},
		599: {1, client.ErrServer},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, clienttest.Respond(status, nil).Header("X-Request-Id", "req_7"))
			_, err := ask(t.Context(), to(t, s))
			e, ok := errors.AsType[*client.Error](err)
			if !ok {
				t.Fatalf("status %d: error %v, want a *client.Error", status, err)
			}
			if e.StatusCode != status || e.RequestID != "req_7" || len(s.Requests()) != want.requests || len(e.Attempts) != want.requests {
				t.Errorf("status %d: %+v after %d requests, want %d", status, e, len(s.Requests()), want.requests)
			}
			for _, kind := range []error{
				client.ErrInvalidRequest, client.ErrUnauthorized, client.ErrForbidden, client.ErrNotFound, client.ErrConflict,
				client.ErrPreconditionFailed, client.ErrRateLimited, client.ErrServer, client.ErrNotModified,
			} {
				if got := errors.Is(err, kind); got != errors.Is(want.is, kind) {
					t.Errorf("status %d: errors.Is(err, %q) = %v", status, kind, got)
				}
			}
		})
	}
}

// TestFaults lets every kind of failure come before an answer, and expects one
// effect, by one key, over as many requests as there are failures and one.
func TestFaults(t *testing.T) {
	for name, fault := range map[string]clienttest.Step{
		"503":                       clienttest.Respond(503, nil),
		"html":                      clienttest.HTML502(),
		"429":                       clienttest.RateLimited(""),
		"reset before reading":      clienttest.Reset(clienttest.BeforeReading),
		"reset after reading":       clienttest.Reset(clienttest.AfterReading),
		"reset after the status":    clienttest.Reset(clienttest.AfterStatusLine),
		"reset after the headers":   reply.Reset(0),
		"reset in the body":         reply.Reset(7),
		"closed before reading":     reply.Truncate(clienttest.BeforeReading),
		"closed after reading":      reply.Truncate(clienttest.AfterReading),
		"closed after the headers":  reply.Truncate(0),
		"closed in the body":        reply.Truncate(7),
		"no answer":                 clienttest.Hang(),
		"no answer in time":         reply.Delay(2 * time.Minute),
		"a body that takes forever": reply.SlowBody(1, time.Minute),
	} {
		t.Run(name, func(t *testing.T) {
			for failures := range 4 {
				synctest.Test(t, func(t *testing.T) {
					s := clienttest.NewInMemory(t, append(slices.Repeat([]clienttest.Step{fault}, failures), reply)...)
					got, err := ask(t.Context(), to(t, s))
					switch {
					case failures <= 2 && (err != nil || got.Text != "At nine."):
						t.Fatalf("after %d failures: %v, %v", failures, got, err)
					case failures > 2 && err == nil:
						t.Fatalf("after %d failures: %v, want an error", failures, got)
					}
					if want := min(failures+1, 3); len(s.Requests()) != want {
						t.Errorf("%d requests, want %d", len(s.Requests()), want)
					}
					if keys := keys(s); len(keys) != 1 {
						t.Errorf("idempotency keys %q, want one", keys)
					}
					for _, r := range s.Requests() {
						if len(r.Body) > 0 && string(r.Body) != `{"message":"When do you open?"}` {
							t.Errorf("body %q", r.Body)
						}
					}
					if failures > 2 {
						e, ok := errors.AsType[*client.Error](err)
						if !ok || len(e.Attempts) != 3 || strings.Contains(err.Error(), "open?") || strings.Contains(err.Error(), secret) {
							t.Errorf("error %v with attempts %+v", err, e.Attempts)
						}
					}
				})
			}
		})
	}
}

// keys returns the different idempotency keys that were sent.
func keys(s *clienttest.Server) []string {
	var all []string
	for _, r := range s.Requests() {
		all = append(all, r.Header.Get("Idempotency-Key"))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// An effects is a server that honours Idempotency-Key, and counts what it did.
type effects struct {
	mu    sync.Mutex
	done  map[string]int
	calls int
}

func (e *effects) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	defer e.mu.Unlock()
	key := r.Header.Get("Idempotency-Key")
	if e.done == nil {
		e.done = map[string]int{}
	}
	if e.calls++; key == "" {
		key = fmt.Sprint("call ", e.calls)
	}
	if e.done[key] == 0 {
		e.done[key] = 1 + len(body)
	}
	w.Header().Set("Content-Type", "application/json")
	io.WriteString(w, `{"id":"msg_1","text":"At nine."}`)
}

// TestEffects makes many calls through every sequence of three faults that do
// the work and lose the answer, or do not: the server does each call's work at
// most once, and once if the call succeeds.
func TestEffects(t *testing.T) {
	faults := []func(clienttest.Step) clienttest.Step{
		func(s clienttest.Step) clienttest.Step { return s },
		func(s clienttest.Step) clienttest.Step { return s.Reset(clienttest.BeforeReading) },
		func(s clienttest.Step) clienttest.Step { return s.Reset(clienttest.AfterReading) },
		func(s clienttest.Step) clienttest.Step { return s.Truncate(5) },
		func(s clienttest.Step) clienttest.Step { return s.Delay(2 * time.Minute) },
		func(clienttest.Step) clienttest.Step { return clienttest.Respond(503, nil) },
		func(clienttest.Step) clienttest.Step { return clienttest.RateLimited("2") },
	}
	n := len(faults)
	for script := range n * n * n {
		synctest.Test(t, func(t *testing.T) {
			var e effects
			good := clienttest.Handler(&e)
			s := clienttest.NewInMemory(t, faults[script%n](good), faults[script/n%n](good), faults[script/n/n](good), good)
			c := to(t, s)
			succeeded := 0
			for range 2 {
				if _, err := ask(t.Context(), c); err == nil {
					succeeded++
				}
			}
			if got := len(e.done); got > 2 || got < succeeded {
				t.Errorf("script %d: %d effects of 2 calls, %d of which succeeded", script, got, succeeded)
			}
		})
	}
}

// TestBackoff measures the waits between attempts: random, up to half a second
// and twice as much each time, up to 8 s.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil))
		c := to(t, s, client.WithMaxRetries(8), client.WithRetryBudget(0))
		var longest [8]time.Duration
		var sum [8]time.Duration
		const rounds = 200
		for range rounds {
			_, err := ask(t.Context(), c)
			e, ok := errors.AsType[*client.Error](err)
			if !ok || len(e.Attempts) != 9 || e.Attempts[0].Wait != 0 {
				t.Fatal(err)
			}
			for i, a := range e.Attempts[1:] {
				before := e.Attempts[i]
				if gap := a.Start.Sub(before.Start.Add(before.Duration)); gap != a.Wait {
					t.Fatalf("attempt %d says it waited %v, and waited %v", i+2, a.Wait, gap)
				}
				longest[i] = max(longest[i], a.Wait)
				sum[i] += a.Wait
			}
		}
		for i := range longest {
			most := min(8*time.Second, 500*time.Millisecond<<i)
			if mean := sum[i] / rounds; longest[i] > most || longest[i] < most*9/10 || mean < most*4/10 || mean > most*6/10 {
				t.Errorf("retry %d waited up to %v, %v on average, want up to %v evenly", i+1, longest[i], mean, most)
			}
		}
	})
}

// TestRetryAfter lets the server ask for waits in all the forms there are.
func TestRetryAfter(t *testing.T) {
	const backoff = 500 * time.Millisecond
	for _, test := range []struct {
		header string
		wait   time.Duration // at least, and at most the first backoff more
		stop   bool
		after  time.Duration
	}{
		{"0", 0, false, 0},
		{"1", time.Second, false, 0},
		{"1.5", 1500 * time.Millisecond, false, 0},
		{" 2 ", 2 * time.Second, false, 0},
		{"60", time.Minute, false, 0},
		{"61", 0, true, 61 * time.Second},
		{"3600", 0, true, time.Hour},
		{"9223372036854775807", 0, true, 1<<62 - 1},
		{"1e400", 0, false, 0}, // no digits: not said
		{"-1", 0, false, 0},
		{"soon", 0, false, 0},
		{"", 0, false, 0},
		{".", 0, false, 0},
		{"Sat, 01 Jan 2000 00:00:30 GMT", 30 * time.Second, false, 0}, // when a bubble begins, and half a minute
		{"Saturday, 01-Jan-00 00:00:30 GMT", 30 * time.Second, false, 0},
		{"Sat Jan  1 00:00:30 2000", 30 * time.Second, false, 0},
		{"Fri, 31 Dec 1999 23:59:59 GMT", 0, false, 0},
		{"Sat, 01 Jan 2000 02:00:00 GMT", 0, true, 2 * time.Hour},
	} {
		for _, status := range []int{429, 503, 500} {
			synctest.Test(t, func(t *testing.T) {
				step := clienttest.Respond(status, nil).Header("Date", "")
				if test.header != "" {
					step = step.RetryAfter(test.header)
				}
				s := clienttest.NewInMemory(t, step, reply)
				begin := time.Now()
				_, err := ask(t.Context(), to(t, s))
				took := time.Since(begin)
				if test.stop {
					e, ok := errors.AsType[*client.Error](err)
					if !ok || !errors.Is(err, client.ErrMaxRetryAfter) || e.StatusCode != status || e.RetryAfter != test.after || took > 0 {
						t.Errorf("Retry-After: %q with %d: %v after %v with %v, want ErrMaxRetryAfter at once with %v", test.header, status, err, took, e.RetryAfter, test.after)
					}
				} else if err != nil || took < test.wait || took > test.wait+backoff+200*time.Millisecond {
					t.Errorf("Retry-After: %q with %d: %v after %v, want success after %v", test.header, status, err, took, test.wait)
				}
			})
		}
	}
}

// TestServerClock has a server whose clock is an hour ahead: its dates are of
// that clock.
func TestServerClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ahead := time.Now().Add(time.Hour)
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil).Header("Date", ahead.UTC().Format(http.TimeFormat)).
			RetryAfter(ahead.Add(10*time.Second).UTC().Format(http.TimeFormat)), reply)
		begin := time.Now()
		if _, err := ask(t.Context(), to(t, s)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 10*time.Second || took > 11*time.Second {
			t.Errorf("waited %v, want 10 s", took)
		}
	})
}

// TestDeadline expects no wait that ctx would end: the error is the server's,
// and comes at once.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil).RetryAfter("30"))
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := ask(ctx, to(t, s))
		if !errors.Is(err, client.ErrServer) || time.Since(begin) != 0 {
			t.Errorf("%v after %v, want the 503 at once", err, time.Since(begin))
		}
	})
}

// TestCancel ends ctx while a call waits for the server, and between attempts.
func TestCancel(t *testing.T) {
	for name, step := range map[string]clienttest.Step{
		"waiting for the answer":   clienttest.Hang(),
		"waiting to try again":     clienttest.Respond(503, nil).RetryAfter("30"),
		"reading a body for ever":  reply.SlowBody(1, time.Second),
		"reading an error's body":  clienttest.Respond(400, strings.Repeat("x", 100)).SlowBody(1, time.Second),
		"waiting for a rate limit": clienttest.RateLimited("30"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := clienttest.NewInMemory(t, step)
				ctx, cancel := context.WithCancel(t.Context())
				begin := time.Now()
				time.AfterFunc(10*time.Second, cancel)
				_, err := ask(ctx, to(t, s))
				if took := time.Since(begin); err == nil || took != 10*time.Second || name != "reading an error's body" && !errors.Is(err, context.Canceled) {
					t.Errorf("%v after %v, want context.Canceled after 10 s", err, took)
				}
			})
		})
	}
}

// TestAttemptTimeout bounds each attempt, and the next one may be answered.
func TestAttemptTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Hang(), reply)
		begin := time.Now()
		if _, err := ask(t.Context(), to(t, s, client.WithAttemptTimeout(5*time.Second))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("took %v, want 5 s and a backoff", took)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Hang())
		_, err := ask(t.Context(), to(t, s, client.WithMaxRetries(0)))
		e, ok := errors.AsType[*client.Error](err)
		if !ok || !e.Timeout() || !strings.Contains(err.Error(), "no answer within 1m0s") || errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // the http.Client's own becomes that of an attempt
		s := clienttest.NewInMemory(t, clienttest.Hang())
		hc := *s.Client()
		hc.Timeout = 3 * time.Second
		_, err := ask(t.Context(), newClient(t, s.URL, client.WithHTTPClient(&hc), client.WithMaxRetries(0)))
		if !strings.Contains(fmt.Sprint(err), "no answer within 3s") {
			t.Errorf("error %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // 0 is no bound
		s := clienttest.NewInMemory(t, reply.Delay(time.Hour))
		if _, err := ask(t.Context(), to(t, s, client.WithAttemptTimeout(0))); err != nil {
			t.Error(err)
		}
	})
}

// TestBudget spends the budget of a client with a server that is down, and earns
// it back when it is up.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		s := clienttest.NewInMemory(t, clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if down {
				w.WriteHeader(503)
				return
			}
			io.WriteString(w, `{}`)
		})))
		c := to(t, s)
		spent := 0
		for range 30 {
			_, err := ask(t.Context(), c)
			if !errors.Is(err, client.ErrServer) {
				t.Fatal(err)
			}
			if errors.Is(err, client.ErrRetryBudget) {
				spent++
			}
		}
		if got := len(s.Requests()); got != 30+20 || spent != 20 {
			t.Errorf("%d requests and %d calls that say the budget is spent; want 30 and the 20 retries that 100 tokens pay, and 20", got, spent)
		}
		down = false
		for range 10 {
			if _, err := ask(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		down = true
		before := len(s.Requests())
		ask(t.Context(), c)
		if got := len(s.Requests()) - before; got != 3 {
			t.Errorf("%d attempts after 10 successes earned 2 retries, want 3", got)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a 429 costs less
		s := clienttest.NewInMemory(t, clienttest.RateLimited("0"))
		c := to(t, s, client.WithRetryBudget(10), client.WithMaxRetries(50))
		if _, err := ask(t.Context(), c); !errors.Is(err, client.ErrRateLimited) || !errors.Is(err, client.ErrRetryBudget) || len(s.Requests()) != 11 {
			t.Errorf("%v after %d requests, want 11", err, len(s.Requests()))
		}
	})
	synctest.Test(t, func(t *testing.T) { // 0 is no budget
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil))
		c := to(t, s, client.WithRetryBudget(0))
		for range 40 {
			ask(t.Context(), c)
		}
		if got := len(s.Requests()); got != 120 {
			t.Errorf("%d requests without a budget, want 120", got)
		}
	})
}

// TestPolicy has the caller's policy decide, within the bounds.
func TestPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Reset(clienttest.AfterReading), clienttest.Respond(409, nil), clienttest.Respond(503, nil))
		var saw []string
		c := to(t, s, client.WithRetryPolicy(func(ctx context.Context, resp *http.Response, err error) bool {
			if err != nil {
				saw = append(saw, fmt.Sprint(resp == nil, errors.Is(err, syscall.ECONNRESET)))
			} else {
				saw = append(saw, fmt.Sprint(resp.StatusCode))
			}
			return !client.DefaultRetryPolicy(ctx, resp, err) || err != nil
		}))
		_, err := ask(t.Context(), c)
		if !errors.Is(err, client.ErrServer) || fmt.Sprint(saw) != "[true true 409 503]" {
			t.Errorf("%v after %v", err, saw)
		}
	})
}

// TestConflict is not repeated by default: a turn in progress may take long, and
// the caller may have something better to do.
func TestConflict(t *testing.T) {
	s := clienttest.New(t, clienttest.Respond(409, map[string]any{"error": map[string]any{
		"code": "turn_in_progress", "message": "another turn runs", "details": map[string]any{"field": "conversation_id"}, "request_id": "req_1"}}))
	_, err := ask(t.Context(), to(t, s))
	e, ok := errors.AsType[*client.Error](err)
	if !ok || !errors.Is(err, client.ErrConflict) || e.Code != "turn_in_progress" || e.Details["field"] != "conversation_id" || e.RequestID != "req_1" || len(s.Requests()) != 1 {
		t.Errorf("%v after %d requests", err, len(s.Requests()))
	}
	if want := "client: createMessage: 409 turn_in_progress: another turn runs (request req_1)"; err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// TestNotFoundAfterDelete shows what a delete comes to whose first answer was
// lost: what was to be deleted is not there, and the attempts tell why.
func TestNotFoundAfterDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(200, `{"id":"doc_1"}`).Reset(clienttest.AfterReading), clienttest.Respond(404, nil))
		_, err := to(t, s).Knowledge.Documents.Delete(t.Context(), "doc_1")
		e, ok := errors.AsType[*client.Error](err)
		if !ok || !errors.Is(err, client.ErrNotFound) || len(e.Attempts) != 2 || e.Attempts[0].Err == nil {
			t.Errorf("%v", err)
		}
	})
}

// TestRepeated lets everything that changes something be repeated, since to do it
// twice leaves the same.
func TestRepeated(t *testing.T) {
	for name, call := range map[string]func(context.Context, *client.Client) error{
		"patch": func(ctx context.Context, c *client.Client) error {
			_, err := c.Knowledge.Documents.Update(ctx, "x", api.DocumentPatch{})
			return err
		},
		"put": func(ctx context.Context, c *client.Client) error {
			_, err := c.Agents.UpdateSettings(ctx, "x", api.AgentSettingsPatch{})
			return err
		},
		"delete": func(ctx context.Context, c *client.Client) error { return c.APIKeys.Delete(ctx, "x") },
		"cancel": func(ctx context.Context, c *client.Client) error { _, err := c.Messages.Cancel(ctx, "x"); return err },
		"feedback": func(ctx context.Context, c *client.Client) error {
			_, err := c.Messages.Feedback(ctx, "x", api.FeedbackRequest{})
			return err
		},
		"search": func(ctx context.Context, c *client.Client) error {
			_, err := c.Knowledge.Search(ctx, api.SearchRequest{})
			return err
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, clienttest.Respond(500, nil), clienttest.Reset(clienttest.AfterReading), clienttest.Respond(200, "{}"))
			if err := call(t.Context(), to(t, s)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := keys(s); len(got) != 1 || got[0] != "" {
				t.Errorf("%s: idempotency keys %q, want none", name, got)
			}
		})
	}
}
