package crawl

import (
	"context"
	"sync"
	"time"
)

// gates are those of the hosts that a crawler visits now.
type gates struct {
	mu sync.Mutex
	by map[string]*gate
}

// A gate lets a bounded number of requests through to a host at a time, with a
// pause between the beginnings of two. All runs that visit the host share it.
type gate struct {
	users int // under the mutex of gates
	slots chan struct{}

	mu    sync.Mutex
	pause time.Duration
	next  time.Time // when the next request may begin
}

// hold returns the gate of a host, and what is called when it is no longer
// needed.
func (g *gates) hold(host string, parallel int, pause time.Duration) (*gate, func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.by[host]
	if one == nil {
		one = &gate{slots: make(chan struct{}, parallel), pause: pause}
		if g.by == nil {
			g.by = map[string]*gate{}
		}
		g.by[host] = one
	}
	one.users++
	return one, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if one.users--; one.users == 0 {
			delete(g.by, host)
		}
	}
}

// enter waits for a turn. leave ends it.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	leave = func() { <-g.slots }
	for {
		g.mu.Lock()
		now := time.Now()
		wait := g.next.Sub(now)
		if wait <= 0 {
			g.next = now.Add(g.pause)
			g.mu.Unlock()
			return leave, nil
		}
		g.mu.Unlock()
		if err := sleep(ctx, wait); err != nil {
			leave()
			return nil, err
		}
	}
}

// slow makes the pause between two requests d at least.
func (g *gate) slow(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pause = max(g.pause, d)
}

// rest lets no request begin for d.
func (g *gate) rest(d time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if until := time.Now().Add(d); until.After(g.next) {
		g.next = until
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
