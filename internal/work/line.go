package work

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A line brings the keys of one queue to the places where they are worked on.
// Its fields but wake are its run's own.
type line struct {
	runner *Runner
	queue  Queue
	log    *slog.Logger
	wake   chan struct{} // holds one: a queue that is to be looked at is to be looked at

	holds map[*hold]bool // the places that are taken
	ended chan *hold     // places become free
}

func newLine(r *Runner, q Queue) *line {
	return &line{
		runner: r,
		queue:  q,
		log:    r.opts.Logger.With("queue", q.Name),
		wake:   make(chan struct{}, 1),
		holds:  make(map[*hold]bool),
		ended:  make(chan *hold),
	}
}

func (l *line) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// run looks for keys with work when it is woken, when a place becomes free and
// at every poll, until it is to stop and its holds have ended.
func (l *line) run(t terms) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	failed := 0 // looks in a row
	for t.stop.Err() == nil {
		look := failed == 0 // after an error, only the timer says when to ask again
		select {
		case <-t.stop.Done():
			continue
		case h := <-l.ended:
			delete(l.holds, h)
			if look && h.idle { // an ordered key whose oldest job waits: not again and again
				timer.Reset(pause(1))
				look = false
			}
		case <-l.wake:
			l.poke()
			look = look && len(l.holds) < l.queue.Parallel
		case <-timer.C:
			l.poke()
			look = true
		}
		if !look {
			continue
		}
		if err := l.look(t); err != nil && t.stop.Err() == nil {
			failed++
			timer.Reset(pause(failed))
			l.log.Error("cannot look for work", "error", err)
			continue
		}
		failed = 0
		timer.Reset(spread(l.runner.opts.Poll, 0.8, 1.2))
	}
	for len(l.holds) > 0 {
		delete(l.holds, <-l.ended)
	}
}

// poke tells the holds that their keys may have more jobs.
func (l *line) poke() {
	for h := range l.holds {
		select {
		case h.poke <- struct{}{}:
		default:
		}
	}
}

// look leases keys for the places that are free. Companies take turns: those
// with the fewest places come first, each gets its share of what is free, and
// what one does not need goes to the next. Then it asks the holds that somebody
// waits for to give way.
func (l *line) look(t terms) error {
	taken := make(map[string]int)
	for h := range l.holds {
		taken[h.lease.Company]++
	}
	// So many that, whoever has places already, there are others for all places.
	limit := l.queue.Parallel + len(taken)
	ctx, cancel := context.WithTimeout(t.stop, l.queue.Lease)
	defer cancel()
	due, err := l.runner.store.DueCompanies(ctx, l.queue.Name, limit)
	if err != nil {
		return fmt.Errorf("companies with work: %w", err)
	}
	slices.SortStableFunc(due, func(a, b string) int { return cmp.Compare(taken[a], taken[b]) })

	waiting := make(map[string]bool) // companies that found no place
	for first := true; len(due) > 0; first = false {
		var more []string // companies that may have more keys
		for i, company := range due {
			free := l.queue.Parallel - len(l.holds)
			n := min((free+len(due)-i-1)/(len(due)-i), l.queue.PerCompany-taken[company])
			if n < 1 {
				if first {
					waiting[company] = true
				}
				continue
			}
			leases, began, err := l.claim(t, company, n)
			if err != nil {
				return err
			}
			for _, lease := range leases {
				l.hold(t, lease, began)
			}
			taken[company] += len(leases)
			if len(leases) >= n {
				more = append(more, company)
			}
		}
		due = more
	}
	full := len(l.holds) >= l.queue.Parallel
	for h := range l.holds {
		h.giveWay.Store(waiting[h.lease.Company] || full && len(waiting) > 0)
	}
	return nil
}

// claim leases up to n keys of a company. It also returns when it began to ask:
// the leases hold for that long from then, or longer. A claim is not broken off
// when the runner is to stop, or else leases that nobody knows of would have to
// run out.
func (l *line) claim(t terms, company string, n int) ([]store.Lease, time.Time, error) {
	began := time.Now()
	if err := t.stop.Err(); err != nil {
		return nil, began, err
	}
	ctx, cancel := context.WithTimeout(t.kept, l.queue.Lease)
	defer cancel()
	leases, err := l.runner.store.ClaimKeys(ctx, company, l.queue.Name, l.runner.opts.Worker, l.queue.Lease, n)
	if err != nil {
		return nil, began, fmt.Errorf("lease keys of %s: %w", company, err)
	}
	return leases, began, nil
}

// hold gives a leased key a place.
func (l *line) hold(t terms, lease store.Lease, began time.Time) {
	h := newHold(l, lease, began)
	l.holds[h] = true
	go func() { // l.run waits for it
		h.run(t)
		l.ended <- h
	}()
}
