package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// A window is a server that allows so many requests a window, for each key, and
// says so as the contract has it. Its times are whole seconds, as in headers.
type window struct {
	limit int
	every time.Duration

	mu      sync.Mutex
	used    map[string]int
	began   time.Time
	arrived []time.Time // of those let in
	refused int
}

func (l *window) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.used == nil || now.Sub(l.began) >= l.every {
		l.used, l.began = map[string]int{}, now.Truncate(l.every)
	}
	key := r.Header.Get("Authorization")
	reset := l.began.Add(l.every)
	w.Header()["Date"] = nil // the bubble's clock is that of both
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(l.limit))
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(0, l.limit-l.used[key]-1)))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	if l.used[key] >= l.limit {
		l.refused++
		w.Header().Set("Retry-After", strconv.Itoa(int(reset.Sub(now).Seconds()+1)))
		w.WriteHeader(429)
		return
	}
	l.used[key]++
	l.arrived = append(l.arrived, now)
	io.WriteString(w, "{}")
}

// together makes n calls at once and returns their errors.
func together(ctx context.Context, c *client.Client, n int, opts ...client.Option) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { _, errs[i] = c.Agents.Get(ctx, "x", opts...) })
	}
	wg.Wait()
	return errs
}

// TestExhausted makes calls one after the other into a window that ends: the
// client waits for the next window before it is told to.
func TestExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &window{limit: 5, every: time.Minute}
		s := clienttest.NewInMemory(t, clienttest.Handler(l))
		c := to(t, s)
		begin := time.Now()
		for range 12 {
			if _, err := c.Agents.Get(t.Context(), "x"); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(begin); l.refused != 0 || took < 2*time.Minute || took > 2*time.Minute+time.Second {
			t.Errorf("12 calls at 5 a minute took %v with %d refused, want two minutes and none", took, l.refused)
		}
	})
}

// TestStorm has 40 calls at once run into a limit of 10 a minute. They come
// through as the windows allow, few are refused by the server, and they do not
// come back all at once.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &window{limit: 10, every: 20 * time.Second}
		s := clienttest.NewInMemory(t, clienttest.Handler(l))
		c := to(t, s, client.WithMaxRetries(5), client.WithMaxRetryAfter(5*time.Minute), client.WithRetryBudget(0))
		for _, err := range together(t.Context(), c, 40) {
			if err != nil {
				t.Error(err)
			}
		}
		if len(l.arrived) != 40 || l.refused > 60 {
			t.Errorf("%d let in and %d refused, want 40 and at most 60", len(l.arrived), l.refused)
		}
		slices.SortFunc(l.arrived, time.Time.Compare)
		last := l.arrived[len(l.arrived)-1].Sub(l.arrived[0])
		if last < time.Minute-time.Second || last > 2*time.Minute {
			t.Errorf("40 calls at 10 in 20 s took %v, want a minute or a little more", last)
		}
	})
}

// TestSpread has many calls wait for a window that begins anew: they are let go
// one by one, 100 ms apart on average.
func TestSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		reset := strconv.FormatInt(begin.Add(30*time.Second).Unix(), 10)
		s := clienttest.NewInMemory(t,
			clienttest.Respond(200, "{}").Header("Date", "").Header("X-RateLimit-Limit", "100").Header("X-RateLimit-Remaining", "0").Header("X-RateLimit-Reset", reset),
			clienttest.Respond(200, "{}"))
		c := to(t, s)
		together(t.Context(), c, 1)
		together(t.Context(), c, 20)
		var at []time.Duration
		for _, r := range s.Requests()[1:] {
			at = append(at, r.At.Sub(begin)-30*time.Second)
		}
		for i, d := range at {
			if low := time.Duration(i) * 100 * time.Millisecond; d < low || d > low+100*time.Millisecond {
				t.Errorf("request %d came %v after the window began, want within 100 ms of %v", i, d, low)
			}
		}
	})
}

// TestHeldBack does not wait longer than is allowed, says so, and does not bother
// the server; but it asks again now and then.
func TestHeldBack(t *testing.T) {
	hour := func() clienttest.Step {
		return clienttest.Respond(200, "{}").Header("Date", "").Header("X-RateLimit-Limit", "1000").Header("X-RateLimit-Remaining", "0").
			Header("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
	}
	held := func(t *testing.T, err error, wait time.Duration) {
		t.Helper()
		e, ok := errors.AsType[*client.Error](err)
		if !ok || !errors.Is(err, client.ErrRateLimitWait) || errors.Is(err, client.ErrRateLimited) || e.RetryAfter != wait || !strings.Contains(err.Error(), "client-side") {
			t.Errorf("error %v, want ErrRateLimitWait of %v", err, wait)
		}
	}
	synctest.Test(t, func(t *testing.T) { // longer than a minute
		s := clienttest.NewInMemory(t, hour(), hour(), clienttest.Respond(200, "{}").Header("X-RateLimit-Remaining", "9"))
		c := to(t, s)
		get := func() error { return second(c.Agents.Get(t.Context(), "x")) }
		if err := get(); err != nil {
			t.Fatal(err)
		}
		held(t, get(), time.Hour)
		time.Sleep(59 * time.Second)
		held(t, get(), time.Hour-59*time.Second)
		time.Sleep(time.Second)
		if err := get(); err != nil { // it asks: still an hour
			t.Error(err)
		}
		held(t, get(), time.Hour-time.Minute)
		time.Sleep(30 * time.Second)
		s.RefuseDials(100)
		s.Client().CloseIdleConnections()
		time.Sleep(30 * time.Second)
		if err := second(c.Agents.Get(t.Context(), "x", client.WithMaxRetries(0))); err == nil || errors.Is(err, client.ErrRateLimitWait) {
			t.Errorf("error %v, want that of the connection", err)
		}
		s.RefuseDials(0)
		held(t, get(), time.Hour-2*time.Minute) // one has asked, and learned nothing
		time.Sleep(time.Minute)
		for range 2 { // it asks: no longer so
			if err := get(); err != nil {
				t.Error(err)
			}
		}
		if n := len(s.Requests()); n != 4 {
			t.Errorf("%d requests, want 4", n)
		}
	})
	soon := clienttest.Respond(200, "{}").Header("X-RateLimit-Remaining", "0").Header("X-RateLimit-Reset", "30")
	synctest.Test(t, func(t *testing.T) { // longer than ctx
		s := clienttest.NewInMemory(t, soon)
		c := to(t, s)
		together(t.Context(), c, 1)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := together(ctx, c, 1)[0]
		if e, ok := errors.AsType[*client.Error](err); !ok || !errors.Is(err, client.ErrRateLimitWait) || e.RetryAfter < 30*time.Second || ctx.Err() != nil {
			t.Errorf("error %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // not at all
		s := clienttest.NewInMemory(t, soon)
		c := to(t, s, client.WithoutRateLimitWait())
		together(t.Context(), c, 1)
		held(t, together(t.Context(), c, 1)[0], 30*time.Second)
		time.Sleep(29*time.Second + 500*time.Millisecond)
		held(t, together(t.Context(), c, 1)[0], 500*time.Millisecond)
		if n := len(s.Requests()); n != 1 {
			t.Errorf("%d requests, want 1", n)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a 429 is not waited for either
		s := clienttest.NewInMemory(t, clienttest.RateLimited("1"))
		_, err := ask(t.Context(), to(t, s), client.WithoutRateLimitWait())
		if !errors.Is(err, client.ErrRateLimited) || len(s.Requests()) != 1 {
			t.Errorf("%v after %d requests", err, len(s.Requests()))
		}
	})
	synctest.Test(t, func(t *testing.T) { // the server's last word is kept when a retry is held back
		s := clienttest.NewInMemory(t, clienttest.Respond(503, `{"error":{"code":"store_unavailable","message":"busy"}}`).
			Header("X-RateLimit-Remaining", "0").Header("X-RateLimit-Reset", "3600"))
		_, err := ask(t.Context(), to(t, s))
		e, ok := errors.AsType[*client.Error](err)
		if !ok || !errors.Is(err, client.ErrRateLimitWait) || !errors.Is(err, client.ErrServer) || e.Code != "store_unavailable" || len(e.Attempts) != 1 || e.RetryAfter < 3590*time.Second {
			t.Errorf("%v", err)
		}
	})
}

// TestWindowOfServerClock has a server whose clock is an hour behind.
func TestWindowOfServerClock(t *testing.T) {
	for _, status := range []int{200, 429} {
		synctest.Test(t, func(t *testing.T) {
			behind := time.Now().Add(-time.Hour)
			s := clienttest.NewInMemory(t, clienttest.Respond(status, "{}").Header("Date", behind.UTC().Format(http.TimeFormat)).
				Header("X-RateLimit-Remaining", "0").Header("X-RateLimit-Reset", strconv.FormatInt(behind.Add(20*time.Second).Unix(), 10)), clienttest.Respond(200, "{}"))
			c := to(t, s)
			begin := time.Now()
			for range 2 {
				if _, err := c.Agents.Get(t.Context(), "x"); err != nil {
					t.Fatal(err)
				}
			}
			if took := time.Since(begin); took < 20*time.Second || took > 21*time.Second {
				t.Errorf("after a %d the client waited %v, want 20 s", status, took)
			}
		})
	}
}

// TestKeysApart keeps what is known of one key from another.
func TestKeysApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(200, "{}").Header("X-RateLimit-Remaining", "0").Header("X-RateLimit-Reset", "30"))
		c := to(t, s, client.WithoutRateLimitWait())
		for i := range 2000 { // more than are kept
			if err := together(t.Context(), c, 1, client.WithAPIKey(fmt.Sprint("key-", i)))[0]; err != nil {
				t.Fatal(err)
			}
		}
		if err := together(t.Context(), c, 1, client.WithAPIKey("key-1999"))[0]; !errors.Is(err, client.ErrRateLimitWait) {
			t.Errorf("a key that was just exhausted: %v", err)
		}
		if err := together(t.Context(), c, 1)[0]; err != nil {
			t.Errorf("the client's own key: %v", err)
		}
		if err := together(t.Context(), c, 1, client.WithAPIKey(secret))[0]; !errors.Is(err, client.ErrRateLimitWait) {
			t.Errorf("the client's own key, given to the call: %v", err)
		}
	})
}

// TestOldNews is no reason to send: an answer that was overtaken by another
// neither lifts the hold that the other brought nor makes it shorter.
func TestOldNews(t *testing.T) {
	full := clienttest.Respond(200, "{}").Header("Date", "").Header("X-RateLimit-Remaining", "0")
	for _, old := range []clienttest.Step{
		clienttest.Respond(200, "{}").Header("X-RateLimit-Remaining", "1").Header("X-RateLimit-Reset", "30"),
		full.Header("X-RateLimit-Reset", "5"),
	} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, old.Delay(2*time.Second), full.Header("X-RateLimit-Reset", "30").Delay(time.Second))
			c := to(t, s, client.WithoutRateLimitWait())
			together(t.Context(), c, 2)
			time.Sleep(10 * time.Second)
			if err := together(t.Context(), c, 1)[0]; !errors.Is(err, client.ErrRateLimitWait) {
				t.Errorf("error %v, want ErrRateLimitWait", err)
			}
		})
	}
}

// TestSameNews keeps the places of those that wait when the same is said again.
func TestSameNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := clienttest.Respond(200, "{}").Header("Date", "").Header("X-RateLimit-Remaining", "0").
			Header("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(30*time.Second).Unix(), 10))
		s := clienttest.NewInMemory(t, full, full.Delay(2*time.Second), clienttest.Respond(200, "{}"))
		c := to(t, s)
		var wg sync.WaitGroup
		for i, n := range []int{2, 10, 10} { // at 0 s, 1 s and 3 s
			time.Sleep(time.Duration(i) * time.Second)
			wg.Go(func() { together(t.Context(), c, n) })
		}
		wg.Wait()
		all := s.Requests()[2:]
		if took := all[19].At.Sub(all[0].At); took < 1800*time.Millisecond {
			t.Errorf("20 requests were let go within %v, want 100 ms between two", took)
		}
	})
}

// TestBulkWindow has the window of bulks hold up bulks alone: they have one of
// their own, and count in those of the key too.
func TestBulkWindow(t *testing.T) {
	full := clienttest.Respond(200, "{}").Header("Date", "").Header("X-RateLimit-Remaining", "0").Header("X-RateLimit-Reset", "30")
	bulk := func(t *testing.T, c *client.Client) error {
		return second(c.Content.Bulk(t.Context(), api.BulkRequest{Items: items(1, "x")}))
	}
	synctest.Test(t, func(t *testing.T) {
		for _, first := range []clienttest.Step{full, clienttest.RateLimited("30")} {
			s := clienttest.NewInMemory(t, first, clienttest.Respond(200, "{}"))
			c := to(t, s, client.WithoutRateLimitWait())
			bulk(t, c)
			if err := bulk(t, c); !errors.Is(err, client.ErrRateLimitWait) {
				t.Errorf("the next bulk: %v, want ErrRateLimitWait", err)
			}
			if err := together(t.Context(), c, 1)[0]; err != nil {
				t.Errorf("another call: %v", err)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c := to(t, clienttest.NewInMemory(t, full), client.WithoutRateLimitWait())
		together(t.Context(), c, 1)
		if err := bulk(t, c); !errors.Is(err, client.ErrRateLimitWait) {
			t.Errorf("a bulk when the key is exhausted: %v, want ErrRateLimitWait", err)
		}
	})
	synctest.Test(t, func(t *testing.T) { // a long bulk waits for its window, over and over
		l := &window{limit: 10, every: time.Minute}
		c := to(t, clienttest.NewInMemory(t, clienttest.Handler(l)))
		begin := time.Now()
		if _, err := c.Content.Bulk(t.Context(), api.BulkRequest{Items: items(25_000, "x")}); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); l.refused != 0 || took < 2*time.Minute || took > 2*time.Minute+time.Second {
			t.Errorf("25 requests at 10 a minute took %v with %d refused", took, l.refused)
		}
	})
}

// TestOwnLimit keeps a client to the rate that was given to it, retries included.
func TestOwnLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(200, "{}"))
		c := to(t, s, client.WithRateLimit(2, 5))
		begin := time.Now()
		for _, err := range together(t.Context(), c, 25) {
			if err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(begin); took.Round(time.Microsecond) != 10*time.Second {
			t.Errorf("25 calls at 2 a second, 5 of them at once, took %v, want 10 s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) { // retries pay too
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil), clienttest.Respond(503, nil), reply)
		begin := time.Now()
		if _, err := ask(t.Context(), to(t, s, client.WithRateLimit(0.1, 1))); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took.Round(time.Microsecond) != 20*time.Second {
			t.Errorf("three attempts at one in 10 s took %v, want 20 s", took)
		}
	})
	synctest.Test(t, func(t *testing.T) { // longer than is allowed
		s := clienttest.NewInMemory(t, clienttest.Respond(200, "{}"))
		c := to(t, s, client.WithRateLimit(0.01, 1))
		errs := together(t.Context(), c, 3)
		held := 0
		for _, err := range errs {
			if errors.Is(err, client.ErrRateLimitWait) {
				held++
			}
		}
		if held != 2 || len(s.Requests()) != 1 {
			t.Errorf("%d of 3 calls held back after %d requests, want 2 after 1", held, len(s.Requests()))
		}
	})
	synctest.Test(t, func(t *testing.T) { // a call that leaves gives its turn back
		s := clienttest.NewInMemory(t, clienttest.Respond(200, "{}"))
		c := to(t, s, client.WithRateLimit(0.1, 1))
		together(t.Context(), c, 1)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := together(ctx, c, 1)[0]; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		begin := time.Now()
		together(t.Context(), c, 1)
		if took := time.Since(begin); took.Round(time.Microsecond) != 9*time.Second {
			t.Errorf("the next call waited %v, want what was left of 10 s", took)
		}
	})
}
