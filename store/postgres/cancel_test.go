package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

// opened makes a store with a pool of its own, through a proxy, and its first
// company on it.
func opened(t *testing.T, p *proxy) *stepper {
	t.Helper()
	u, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("schema", "opened")
	u.RawQuery = q.Encode()
	st, err := postgres.Open(t.Context(), u.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return firstCompany(t, st, postgres.Pool(st), "opened")
}

// pools are stores through a proxy: on a pool of the host's, whose connections end
// with the callers that leave, and on one of the store's.
func pools(t *testing.T, each func(t *testing.T, p *proxy, s *stepper, database string)) {
	t.Run("host's", func(t *testing.T) {
		t.Parallel()
		database := pgtest.Database(t)
		p := newProxy(t, database)
		each(t, p, newStepper(t, connectPool(t, newConfig(t, p.url))), database)
	})
	t.Run("own", func(t *testing.T) {
		t.Parallel()
		database := pgtest.Database(t)
		p := newProxy(t, database)
		each(t, p, opened(t, p), database)
	})
}

// A caller leaves at each of the messages of a step: all of it is there, and the
// error is nil, or nothing is, and the error is the context's.
func TestCallerLeaves(t *testing.T) {
	t.Parallel()
	pools(t, func(t *testing.T, p *proxy, s *stepper, database string) {
		look := connect(t, database)
		for _, kind := range kinds {
			left := 0
			for n := 1; ; n++ {
				ctx, cancel := context.WithCancel(t.Context())
				seen := 0
				p.on(func(kind byte, _ string) verdict {
					if kind == 'S' || kind == 'Q' {
						if seen++; seen == n {
							cancel()
						}
					}
					return pass
				})
				name := fmt.Sprint(n, " ", kind)
				err := s.step(ctx, kind, name)
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Errorf("%s, left at message %d, = %v", kind, n, err)
				}
				if err != nil {
					left++
				}
				s.judge(t, look, []made{{kind, name, err}})
				stayed := ctx.Err() == nil
				cancel()
				if stayed || n > 60 {
					break
				}
			}
			if left == 0 {
				t.Errorf("no %s was left half done", kind)
			}
			p.heal()
		}
		atRest(t, s.pool, look)
	})
}

// The network stands still at each of the messages of a step before its COMMIT: the
// caller's deadline holds, nothing is there, and no transaction is left open.
func TestNetworkStandsStill(t *testing.T) {
	t.Parallel()
	pools(t, func(t *testing.T, p *proxy, s *stepper, database string) {
		look := connect(t, database)
		for n := 1; n < 9; n += 3 {
			seen := 0
			p.on(func(kind byte, text string) verdict {
				if strings.HasPrefix(text, "COMMIT") {
					t.Errorf("there are less than %d messages before COMMIT", n)
				}
				if kind == 'S' || kind == 'Q' {
					if seen++; seen == n {
						return stall
					}
				}
				return pass
			})
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			began := time.Now()
			name := fmt.Sprint(n, " stalled")
			err := s.step(ctx, "write", name)
			cancel()
			if took := time.Since(began); took > patience {
				t.Errorf("a step with 200 ms, on a network that stood still at message %d, took %v", n, took)
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("a step on a network that stood still at message %d = %v", n, err)
			}
			p.heal()
			if err := s.step(t.Context(), "write", name+" after"); err != nil {
				t.Errorf("a step on a network that goes again = %v", err)
			}
			s.judge(t, look, []made{{"write", name, err}, {"write", name + " after", nil}})
		}
		atRest(t, s.pool, look)
	})
}

// Callers that have left, pools that are closed and connections that broke leave no
// goroutine behind.
func TestNoGoroutineIsLeft(t *testing.T) {
	database := pgtest.Database(t)
	before := runtime.NumGoroutine()
	t.Run("use", func(t *testing.T) {
		p := newProxy(t, database)
		s := opened(t, p)
		for n := range 20 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(n)*time.Millisecond)
			if err := s.step(ctx, kinds[n%3], fmt.Sprint(n)); err != nil && !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
		}
		p.once("BEGIN", cutAfter)
		if err := s.step(t.Context(), "write", "broken"); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.step(t.Context(), "write", "closed"); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "closed") {
			t.Errorf("a step of a closed store = %v", err)
		}
	})
	until(t, "goroutines ended", func() bool { return runtime.NumGoroutine() <= before })
}
