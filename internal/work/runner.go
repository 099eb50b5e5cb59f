package work

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// Options of a [Runner]. The zero value suits most.
type Options struct {
	// Worker names this process in leases. Default the host's name and a
	// random part. Workers of one name are told apart by their fences.
	Worker string

	// Poll is how often each queue is looked at when nothing wakes it, and so
	// how late work of other processes and of waits that are over is found.
	// Default 500 ms, give or take a fifth.
	Poll time.Duration

	// DrainTimeout is how long Run waits for what is under way when it is to
	// end, before it ends the contexts of handlers. Default 10 s.
	DrainTimeout time.Duration

	// Logger is told of failed attempts (by class), lost leases, and errors of
	// the store and of schedules. Nil is silence.
	Logger *slog.Logger
}

// A Runner does the work of its queues, and what is due on its schedules, while
// Run runs. It is safe for use by many goroutines.
type Runner struct {
	store Store
	opts  Options

	mu        sync.Mutex
	running   bool
	lines     map[string]*line
	schedules []*schedule
}

// New returns a runner without queues. It starts nothing. A nil opts means the
// defaults written on [Options].
func New(s Store, opts *Options) (*Runner, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Poll < 0 || o.DrainTimeout < 0 {
		return nil, fmt.Errorf("new runner: Poll %v or DrainTimeout %v is negative", o.Poll, o.DrainTimeout)
	}
	if o.Worker == "" {
		host, _ := os.Hostname() // the random part is enough to be told apart
		o.Worker = host + "-" + rand.Text()[:10]
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Poll, 500*time.Millisecond)
	setDefault(&o.DrainTimeout, 10*time.Second)
	return &Runner{store: s, opts: o, lines: make(map[string]*line)}, nil
}

var errRunning = errors.New("the runner is running")

// Add adds a queue, before Run.
func (r *Runner) Add(q Queue) error {
	q, err := q.check()
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running {
		return fmt.Errorf("add queue %q: %w", q.Name, errRunning)
	}
	if r.lines[q.Name] != nil {
		return fmt.Errorf("add queue %q: there is one of that name", q.Name)
	}
	r.lines[q.Name] = newLine(r, q)
	return nil
}

// Every runs fn in each process over and over, with about interval from the end
// of one run to the start of the next (give or take a tenth; the first comes
// somewhere within the first interval, so that processes do not fall into step).
// Runs of one schedule never overlap. An error or a panic is logged, and the
// next run comes as ever. The context ends when Run has waited long enough for
// it to stop. Schedules are added before Run.
func (r *Runner) Every(name string, interval time.Duration, fn func(ctx context.Context) error) error {
	if interval <= 0 || fn == nil {
		return fmt.Errorf("add schedule %q: it needs an interval above 0 and something to do", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.running {
		return fmt.Errorf("add schedule %q: %w", name, errRunning)
	}
	r.schedules = append(r.schedules, &schedule{name: name, interval: interval, fn: fn, log: r.opts.Logger})
	return nil
}

// Enqueue commits work that no other step causes, and wakes its queues.
func (r *Runner) Enqueue(ctx context.Context, c store.Commit) error {
	if err := r.store.Enqueue(ctx, c); err != nil {
		return err
	}
	for _, w := range c.Work {
		r.Wake(w.Queue)
	}
	return nil
}

// Revive queues a job that was given up once more, and wakes all queues, since
// the job's id does not tell its own.
func (r *Runner) Revive(ctx context.Context, company, id string) error {
	if err := r.store.ReviveJob(ctx, company, id); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, l := range r.lines {
		l.wakeUp()
	}
	return nil
}

// Wake makes the runner look at a queue at once, to be called after a commit
// with work for it. It never blocks, may be called at any time, and does nothing
// for a queue that the runner does not have.
func (r *Runner) Wake(queue string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.lines[queue]; l != nil {
		l.wakeUp()
	}
}

// Run does work until ctx ends. Then it begins no further job, waits for those
// under way, ends their contexts with [ErrStopping] after DrainTimeout, records
// what ended, gives its leases back, and returns nil after its last goroutine. It
// returns an error only if it is running already; it may be called again later.
func (r *Runner) Run(ctx context.Context) error {
	if !r.setRunning(true) {
		return errRunning
	}
	defer r.setRunning(false)

	kept := context.WithoutCancel(ctx)
	patience, end := context.WithCancelCause(kept)
	defer end(nil)
	t := terms{stop: ctx, kept: kept, patience: patience}

	var wg sync.WaitGroup
	for _, l := range r.lines {
		wg.Go(func() { l.run(t) })
	}
	for _, s := range r.schedules {
		wg.Go(func() { s.run(t) })
	}
	<-ctx.Done()
	drain := time.AfterFunc(r.opts.DrainTimeout, func() { end(ErrStopping) })
	defer drain.Stop()
	wg.Wait()
	return nil
}

// Terms are the contexts that the parts of a Run live by.
type terms struct {
	stop     context.Context // ends when nothing new may begin
	patience context.Context // ends when what is under way has to stop
	kept     context.Context // does not end: for what must be finished, under a deadline of its own
}

// setRunning reports whether the state has changed.
func (r *Runner) setRunning(on bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := r.running != on
	r.running = on
	return changed
}

// sleep waits for d, and reports whether ctx is still alive then.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return ctx.Err() == nil
	}
}

// pause is how long to wait before asking the store again after it failed n
// times in a row: from 50 ms, doubling, to 5 s, give or take a fifth.
func pause(n int) time.Duration {
	return spread(min(50*time.Millisecond<<min(max(n-1, 0), 10), 5*time.Second), 0.8, 1.2)
}
