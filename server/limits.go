package server

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
)

// limits counts the requests of each caller in the windows of their plan. Windows
// are those of the clock: a window of an hour begins with the hour. The counts are
// this process's own, and nobody is refused for them yet; callers see them in the
// headers of every answer.
type limits struct {
	mu      sync.Mutex
	callers map[string]*counts
	swept   time.Time
}

// counts are the requests of one caller, window by window.
type counts struct {
	used []windowCount
	last time.Time
}

type windowCount struct {
	begun time.Time
	n     int
}

// standing is how a caller stands in one window.
type standing struct {
	limit, remaining int
	reset            time.Time
}

// forgotten is after how long without a request a caller's counts are dropped:
// longer than any window.
const forgotten = 25 * time.Hour

// count counts a request, and says how the caller stands in the tightest window:
// the one with the fewest requests left, and of those the one that lasts longest.
func (l *limits) count(p access.Principal, now time.Time) standing {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.callers == nil {
		l.callers = map[string]*counts{}
	}
	l.sweep(now)
	windows := p.Plan.Windows()
	who := p.Company + " " + p.ID
	c, ok := l.callers[who]
	if !ok || len(c.used) != len(windows) {
		c = &counts{used: make([]windowCount, len(windows))}
		l.callers[who] = c
	}
	c.last = now
	var tightest standing
	for i, w := range windows {
		begun := now.Truncate(w.Per)
		if !c.used[i].begun.Equal(begun) {
			c.used[i] = windowCount{begun: begun}
		}
		c.used[i].n++
		s := standing{limit: w.Limit, remaining: max(0, w.Limit-c.used[i].n), reset: begun.Add(w.Per)}
		if i == 0 || s.remaining < tightest.remaining || s.remaining == tightest.remaining && s.reset.After(tightest.reset) {
			tightest = s
		}
	}
	return tightest
}

// sweep drops the counts of callers who are gone.
func (l *limits) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Hour {
		return
	}
	l.swept = now
	for who, c := range l.callers {
		if now.Sub(c.last) > forgotten {
			delete(l.callers, who)
		}
	}
}

// write tells a caller how they stand.
func (s standing) write(h http.Header) {
	h.Set("X-Ratelimit-Limit", strconv.Itoa(s.limit))
	h.Set("X-Ratelimit-Remaining", strconv.Itoa(s.remaining))
	h.Set("X-Ratelimit-Reset", strconv.FormatInt(s.reset.Unix(), 10))
}
