package agent

import (
	"sync"
	"time"
)

// A clock bounds how long a turn may take, without the time that it waits for
// people.
type clock struct {
	mu     sync.Mutex
	used   time.Duration // until since
	since  time.Time     // when it was started last; zero while it is paused
	paused int           // how many wait
	most   time.Duration
	timer  *time.Timer
	expire func()
}

// startClock returns one that calls expire when most of it is used up.
func startClock(most time.Duration, expire func()) *clock {
	return &clock{since: time.Now(), most: most, timer: time.AfterFunc(most, expire), expire: expire}
}

// pause stops the clock until resume is called as often.
func (c *clock) pause() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused++; c.paused > 1 || c.since.IsZero() {
		return
	}
	c.used += time.Since(c.since)
	c.since = time.Time{}
	c.timer.Stop()
}

func (c *clock) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.paused--; c.paused > 0 {
		return
	}
	c.since = time.Now()
	c.timer.Reset(max(c.most-c.used, 0))
}

// stop ends the clock, and it expires no more.
func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timer.Stop()
}

// spent returns how much of it is used up.
func (c *clock) spent() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.since.IsZero() {
		return c.used
	}
	return c.used + time.Since(c.since)
}

// waits reports whether it is paused.
func (c *clock) waits() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.paused > 0
}
