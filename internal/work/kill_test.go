package work_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/store"
)

// Processes that are killed, cut off, slowed down and told to stop, at random,
// lose no job, do none beside each other, and keep the order of ordered keys. A
// job is done twice only when something went wrong.
func TestNoJobIsLostWhateverHappensToProcesses(t *testing.T) {
	seeds := 80
	if testing.Short() {
		seeds = 20
	}
	killed, twice := 0, 0
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, uint64(seed))
				w.play()
				killed += w.killed
				twice += w.check()
			})
		})
	}
	t.Logf("%d seeds: %d processes killed, %d jobs done more than once", seeds, killed, twice)
	if !testing.Short() && (killed < seeds || twice == 0) {
		t.Errorf("%d processes killed in %d seeds, %d jobs done again: this test tries too little", killed, seeds, twice)
	}
}

// A world is one store and the processes that come and go around it.
type world struct {
	t       *testing.T
	rand    *rand.Rand // of play alone
	store   *memStore
	harmful bool // whether anything goes wrong
	killed  int

	mu      sync.Mutex
	queued  map[memName][]string // in order
	bad     map[string]bool      // jobs that are to be given up
	running map[memName][]*visit
	effects map[string]int // how often a job was done
}

// A visit is a handler's run.
type visit struct {
	ctx   context.Context
	fence int64
}

// A process is a runner that can be killed.
type process struct {
	node *node
	gone chan struct{} // closed when it is killed: its handlers do nothing more
	stop func()
}

func newWorld(t *testing.T, seed uint64) *world {
	return &world{
		t:       t,
		rand:    rand.New(rand.NewPCG(seed, 1)),
		store:   newMemStore(),
		harmful: seed%5 != 0,
		queued:  make(map[memName][]string),
		bad:     make(map[string]bool),
		running: make(map[memName][]*visit),
		effects: make(map[string]int),
	}
}

// start starts a process. Killed ones are waited for by wg.
func (w *world) start(wg *sync.WaitGroup) *process {
	p := &process{node: &node{Store: w.store}, gone: make(chan struct{})}
	queue := work.Queue{
		Backoff: []time.Duration{100 * time.Millisecond, time.Second, 3 * time.Second}, MaxAttempts: 1000,
		Parallel: 3, PerCompany: 2, Timeout: 30 * time.Second,
		Handler: func(ctx context.Context, l store.Lease, j store.Job) error { return w.handle(ctx, p, l, j) },
	}
	ordered, wide := queue, queue
	ordered.Name, ordered.Ordered = "ordered", true
	wide.Name, wide.PerKey = "wide", 3
	r := newRunner(w.t, p.node, &work.Options{DrainTimeout: time.Second}, ordered, wide)
	ctx, cancel := context.WithCancel(w.t.Context())
	ended := make(chan struct{})
	wg.Go(func() {
		defer close(ended)
		if err := r.Run(ctx); err != nil {
			w.t.Errorf("Run = %v", err)
		}
	})
	p.stop = func() { cancel(); <-ended }
	return p
}

// kill makes a process one that is no more: it asks the store for nothing, and
// its handlers do nothing. Its leases stay.
func (p *process) kill() {
	p.node.set(func(n *node) { n.down = errors.New("killed") })
	close(p.gone)
}

// play queues jobs for a minute, in which things happen to processes, and then
// gives three of them time to do what is left.
func (w *world) play() {
	var wg sync.WaitGroup
	defer wg.Wait()
	processes := []*process{w.start(&wg), w.start(&wg), w.start(&wg)}
	for step, id := 0, 0; step < 60; step++ {
		time.Sleep(time.Duration(w.rand.IntN(2000)) * time.Millisecond)
		for range w.rand.IntN(5) {
			id++
			w.queue(fmt.Sprintf("job%03d", id))
		}
		if !w.harmful {
			continue
		}
		i := w.rand.IntN(len(processes))
		p := processes[i]
		switch w.rand.IntN(12) {
		case 0, 1:
			p.kill()
			w.killed++
			wg.Go(p.stop)
			processes[i] = w.start(&wg)
		case 2: // told to stop
			wg.Go(p.stop)
			processes[i] = w.start(&wg)
		case 3: // cut off for a while
			stuck := make(chan struct{})
			p.node.set(func(n *node) {
				if n.stuck == nil {
					n.stuck = stuck
					time.AfterFunc(time.Duration(w.rand.IntN(20))*time.Second, func() {
						p.node.set(func(n *node) { n.stuck = nil })
						close(stuck)
					})
				}
			})
		case 4, 5: // a store that fails, and is slow
			fail, slow := w.rand.Float64()/2, time.Duration(w.rand.IntN(1000))*time.Millisecond
			p.node.set(func(n *node) { n.fail, n.slow = fail, slow })
		case 6, 7, 8:
			p.node.set(func(n *node) { n.fail, n.slow = 0, 0 })
		}
	}
	for _, p := range processes {
		p.node.set(func(n *node) { n.fail, n.slow = 0, 0 })
	}
	for range 60 {
		time.Sleep(10 * time.Second)
		if _, _, left := w.store.recorded(); left == 0 {
			break
		}
	}
	for _, p := range processes {
		p.stop()
	}
}

// queue queues a job for a key, at random for now or for later.
func (w *world) queue(id string) {
	n := memName{"a", "ordered", fmt.Sprint("key", w.rand.IntN(4))}
	if w.rand.IntN(2) == 0 {
		n.queue = "wide"
	}
	if w.rand.IntN(3) == 0 {
		n.company = "b"
	}
	job := store.Work{ID: id, Queue: n.queue, Key: n.key}
	if w.rand.IntN(5) == 0 {
		job.RunAt = time.Now().Add(time.Duration(w.rand.IntN(5000)) * time.Millisecond)
	}
	w.mu.Lock()
	w.queued[n] = append(w.queued[n], id)
	w.bad[id] = w.rand.IntN(20) == 0
	w.mu.Unlock()
	if err := w.store.Enqueue(w.t.Context(), store.Commit{Company: n.company, Work: []store.Work{job}}); err != nil {
		w.t.Fatal(err)
	}
}

// handle does a job in up to a second, seldom in twelve, and often not.
func (w *world) handle(ctx context.Context, p *process, l store.Lease, j store.Job) error {
	name := memName{l.Company, l.Queue, l.Key}
	v := &visit{ctx: ctx, fence: l.Fence}
	w.enter(p, name, v, j.ID)
	defer w.leave(name, v)

	takes := rand.N(time.Second)
	if rand.N(30) == 0 {
		takes = 12 * time.Second
	}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		return ctx.Err()
	case <-p.gone:
		return errors.New("killed")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case ctx.Err() != nil || isClosed(p.gone):
		return cmp.Or(ctx.Err(), errors.New("killed"))
	case w.bad[j.ID]:
		return work.Permanent(errors.New("bad"))
	case rand.N(8) == 0:
		return errors.New("not now")
	case rand.N(40) == 0:
		panic("not now")
	}
	w.effects[j.ID]++
	return nil
}

// enter checks that nobody else is at the key, and, if its queue is ordered, that
// all that was queued before the job is done or given up.
func (w *world) enter(p *process, name memName, v *visit, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, other := range w.running[name] {
		if other.ctx.Err() == nil && !isClosed(p.gone) && (name.queue == "ordered" || other.fence != v.fence) {
			w.t.Errorf("%s of %v began under fence %d beside another under fence %d", id, name, v.fence, other.fence)
		}
	}
	w.running[name] = append(w.running[name], v)
	if name.queue != "ordered" || v.ctx.Err() != nil {
		return
	}
	done, dead, _ := w.store.recorded()
	for _, before := range w.queued[name] {
		if before == id {
			break
		}
		if !slices.Contains(done, before) && !slices.Contains(dead, before) {
			w.t.Errorf("%s of %v began before %s was done", id, name, before)
		}
	}
}

func (w *world) leave(name memName, v *visit) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running[name] = slices.DeleteFunc(w.running[name], func(o *visit) bool { return o == v })
}

// check checks what the store has at the end, and returns how many jobs were
// done more than once.
func (w *world) check() (twice int) {
	done, dead, left := w.store.recorded()
	if left != 0 {
		w.t.Errorf("%d jobs are left", left)
	}
	for name, queued := range w.queued {
		good := slices.DeleteFunc(slices.Clone(queued), func(id string) bool { return w.bad[id] })
		bad := slices.DeleteFunc(slices.Clone(queued), func(id string) bool { return !w.bad[id] })
		gotDone := slices.DeleteFunc(slices.Clone(done), func(id string) bool { return !slices.Contains(queued, id) })
		gotDead := slices.DeleteFunc(slices.Clone(dead), func(id string) bool { return !slices.Contains(queued, id) })
		if name.queue != "ordered" {
			slices.Sort(gotDone)
			slices.Sort(gotDead)
		}
		if !slices.Equal(gotDone, good) || !slices.Equal(gotDead, bad) {
			w.t.Errorf("%v: done %v, given up %v, want %v, %v", name, gotDone, gotDead, good, bad)
		}
		for _, id := range good {
			switch n := w.effects[id]; {
			case n == 0:
				w.t.Errorf("%s is recorded as done, and was not", id)
			case n > 1 && !w.harmful:
				w.t.Errorf("%s was done %d times, and nothing had gone wrong", id, n)
			case n > 1:
				twice++
			}
		}
		for _, id := range bad {
			if w.effects[id] != 0 {
				w.t.Errorf("%s was given up, and done", id)
			}
		}
	}
	return twice
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
