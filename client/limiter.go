package client

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// gates are what a client knows of the rate limits of its credentials.
type gates struct {
	rps   float64 // 0: no limit of the client's own
	burst int
	own   *gate // that of the client's key or tokens

	mu    sync.Mutex
	byKey map[string]*gate // those of keys that calls have brought
}

// maxGates bounds how many keys' limits are kept. One more and all are
// forgotten, which costs a 429 at worst.
const maxGates = 1024

func newGates(rps float64, burst int) *gates {
	g := &gates{rps: rps, burst: burst}
	g.own = g.gate()
	return g
}

func (g *gates) gate() *gate {
	of := &gate{bulk: &gate{}}
	if g.rps > 0 {
		of.limiter = rate.NewLimiter(rate.Limit(g.rps), g.burst)
	}
	return of
}

// of returns the gate of a call's own key.
func (g *gates) of(key string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	known := g.byKey[key]
	if known == nil {
		if g.byKey == nil || len(g.byKey) >= maxGates {
			g.byKey = map[string]*gate{}
		}
		known = g.gate()
		g.byKey[key] = known
	}
	return known
}

// A gate holds requests back as the rate limits of one credential want it: the
// client's own limit, and the window that the server said is exhausted.
type gate struct {
	limiter *rate.Limiter // nil: no limit of the client's own
	bulk    *gate         // what answers to bulks say: it may be of their own window, and holds up nothing else

	mu     sync.Mutex
	until  time.Time     // requests are held until then
	since  time.Time     // when until was learned
	gap    time.Duration // between two that are let go after until
	queue  int           // how many will be
	probed time.Time     // when a request was let through a long hold
}

// maxGap is the longest time between two requests that are let go when a window
// begins anew: they are spread so that they do not arrive all at once.
const maxGap = 100 * time.Millisecond

// probeEvery is how often a request is sent through a hold that is too long to
// wait for.
const probeEvery = time.Minute

// inexact is by how much a wait for the end of a window may be longer than is
// allowed: servers count whole seconds, and a window of a minute should fit the
// default of a minute.
const inexact = time.Second

// A heldBack is a request that the client did not send: it wraps
// [ErrRateLimitWait].
type heldBack struct{ wait time.Duration }

func (e *heldBack) Error() string { return ErrRateLimitWait.Error() }
func (e *heldBack) Unwrap() error { return ErrRateLimitWait }

// enter waits for the turn of a request, and returns how long it did. It does not
// begin a wait that is longer than most, or that would outlast ctx: then the
// error is a *heldBack.
func (g *gate) enter(ctx context.Context, op *operation, most time.Duration) (waited time.Duration, err error) {
	if g.limiter != nil {
		now := time.Now()
		turn := g.limiter.ReserveN(now, 1)
		if waited, err = sleep(ctx, turn.DelayFrom(now), most); err != nil {
			turn.Cancel()
			return waited, err
		}
	}
	slept, err := g.wait(ctx, most-waited)
	if waited += slept; err != nil || !op.window {
		return waited, err
	}
	slept, err = g.bulk.wait(ctx, most-waited)
	return waited + slept, err
}

// wait waits until the server's window is open.
func (g *gate) wait(ctx context.Context, most time.Duration) (waited time.Duration, err error) {
	for {
		d, err := g.hold(most - waited)
		if d <= 0 || err != nil {
			return waited, err
		}
		slept, err := sleep(ctx, d, d)
		waited += slept
		if err != nil {
			return waited, err
		}
	}
}

// hold returns how long a request that may wait for most has to be held now.
func (g *gate) hold(most time.Duration) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	d := g.until.Sub(now)
	spread := time.Duration(g.queue) * g.gap
	switch {
	case d <= 0:
		return 0, nil
	case d <= most+inexact && spread <= most:
		g.queue++
		return d + spread + rand.N(g.gap), nil
	case now.Sub(g.probed) >= probeEvery && now.Sub(g.since) >= probeEvery:
		// What the server said may no longer be so, and nobody waits that long
		// to find out: one request may ask.
		g.probed = now
		return 0, nil
	}
	return 0, &heldBack{d}
}

// learn takes in what the answer to a request that was sent at sent says.
func (g *gate) learn(op *operation, status int, h http.Header, sent, now time.Time) {
	if op.window {
		g = g.bulk
	}
	limit, known := readRateLimit(h, now)
	var d time.Duration
	switch {
	case status == http.StatusTooManyRequests:
		d, _ = askedWait(status, h, now)
	case !known:
		return
	case limit.Remaining == 0 && !limit.Reset.IsZero():
		there := serverTime(h, now)
		limit, _ = readRateLimit(h, there)
		d = limit.Reset.Sub(there)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fresh := sent.After(g.since) // the server knew of all that g knows
	switch {
	case d <= 0:
		if known && limit.Remaining > 0 && fresh {
			g.until = time.Time{}
		}
		return
	case now.Add(d).Before(g.until) && !fresh:
		return
	case now.Add(d).Sub(g.until).Abs() > time.Second:
		g.queue = 0 // what is queued will look again
		g.gap = max(1, min(maxGap, d/time.Duration(max(1, min(limit.Limit, 1<<30)))))
	}
	g.until, g.since = now.Add(d), now
}

// sleep waits for d, unless that is longer than most or than ctx lasts.
func sleep(ctx context.Context, d, most time.Duration) (time.Duration, error) {
	if d <= 0 {
		return 0, nil
	}
	if end, ok := ctx.Deadline(); d > most || ok && time.Until(end) < d {
		return 0, &heldBack{d}
	}
	start := time.Now()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return d, nil
	case <-ctx.Done():
		return time.Since(start), ctx.Err()
	}
}
