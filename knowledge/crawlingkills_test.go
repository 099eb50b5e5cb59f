package knowledge_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// A mortal store is that of a process which is killed at some step of a run: from
// then on nothing it does counts.
type mortal struct {
	*storetest.Memory
	mu    sync.Mutex
	steps int  // that are left; at 0 it is dead
	late  bool // the last one is taken, though nobody hears of it
}

var errKilled = errors.New("the process was killed")

// step takes a step unless the process is dead.
func (m *mortal) step(take func() error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.steps == 0 {
		return errKilled
	}
	if m.steps--; m.steps > 0 {
		return take()
	}
	if m.late {
		_ = take() // nobody hears of it
	}
	return errKilled
}

// kill ends the process.
func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.steps = 0
}

// alive returns an error if the process is dead.
func (m *mortal) alive() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.steps == 0 {
		return errKilled
	}
	return nil
}

func (m *mortal) BeginRun(ctx context.Context, c store.Commit, l store.Lease, runID string) (r knowledge.Run, err error) {
	err = m.step(func() (err error) { r, err = m.Memory.BeginRun(ctx, c, l, runID); return err })
	return r, err
}

func (m *mortal) MoveRun(ctx context.Context, l store.Lease, runID, phase string, counts knowledge.Counts, events []knowledge.RunEvent) error {
	return m.step(func() error { return m.Memory.MoveRun(ctx, l, runID, phase, counts, events) })
}

func (m *mortal) LeaveRun(ctx context.Context, l store.Lease, runID string) error {
	return m.step(func() error { return m.Memory.LeaveRun(ctx, l, runID) })
}

func (m *mortal) Stage(ctx context.Context, l store.Lease, runID string, s knowledge.Staging) (out []knowledge.Staged, err error) {
	err = m.step(func() (err error) { out, err = m.Memory.Stage(ctx, l, runID, s); return err })
	return out, err
}

func (m *mortal) Restage(ctx context.Context, l store.Lease, runID, from, to string) error {
	return m.step(func() error { return m.Memory.Restage(ctx, l, runID, from, to) })
}

func (m *mortal) EndRun(ctx context.Context, c store.Commit, l store.Lease, r knowledge.Run) (out knowledge.Run, err error) {
	err = m.step(func() (err error) { out, err = m.Memory.EndRun(ctx, c, l, r); return err })
	return out, err
}

func (m *mortal) DueCompanies(ctx context.Context, queue string, limit int) ([]string, error) {
	if err := m.alive(); err != nil {
		return nil, err
	}
	return m.Memory.DueCompanies(ctx, queue, limit)
}

func (m *mortal) RenewLease(ctx context.Context, l store.Lease, d time.Duration) (store.Lease, error) {
	if err := m.alive(); err != nil {
		return store.Lease{}, err
	}
	return m.Memory.RenewLease(ctx, l, d)
}

func (m *mortal) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	if err := m.alive(); err != nil {
		return err
	}
	return m.Memory.FinishJobs(ctx, l, outcomes)
}

func (m *mortal) ReleaseKey(ctx context.Context, l store.Lease) error {
	if err := m.alive(); err != nil {
		return err
	}
	return m.Memory.ReleaseKey(ctx, l)
}

// A changing site has pages that a test changes at random. Each says something of
// its own, so that what it becomes can be told by that.
type changing struct {
	*site
	r     *rand.Rand
	words int
	text  map[string]string // by path
}

// word returns a word that was not there before.
func (c *changing) word() string {
	c.words++
	return fmt.Sprintf("word%dx", c.words)
}

// mutate changes a few pages.
func (c *changing) mutate() {
	path := func() string { return fmt.Sprintf("/p%d", c.r.IntN(12)) }
	c.change(func(pages map[string]any) {
		for range 1 + c.r.IntN(5) {
			p := path()
			switch c.r.IntN(6) {
			case 0:
				delete(pages, p)
				delete(c.text, p)
			case 1: // moves with a redirect
				if to := path(); c.text[p] != "" && to != p {
					c.text[to], pages[p] = c.text[p], moved(to)
					delete(c.text, p)
				}
			case 2: // moves without
				if to := path(); c.text[p] != "" && to != p {
					c.text[to] = c.text[p]
					delete(c.text, p)
					delete(pages, p)
				}
			default:
				c.text[p] = c.word()
			}
		}
		c.text["/"] = cmp.Or(c.text["/"], c.word())
		for p, text := range c.text {
			if body, ok := pages[p].(string); ok && strings.Contains(body, text) && c.r.IntN(3) > 0 && p != "/" {
				continue
			}
			var links []string
			for range 1 + c.r.IntN(4) {
				links = append(links, path())
			}
			pages[p] = page(text, links...)
		}
	})
}

// state is what can be found: texts and addresses by id.
func (r *rig) state(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for path, id := range r.docs(t) {
		text, err := r.Text(t.Context(), id, 0)
		if err != nil {
			t.Fatal(err)
		}
		out[id] = path + " " + text
	}
	return out
}

// TestCrawlIsKilled has the process that crawls a changing site killed at random
// steps, and another one go on: what can be found is the old or the new, and at the
// end what a crawl makes that nothing disturbs. Now and then a document is deleted
// meanwhile.
func TestCrawlIsKilled(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { killCrawls(t, rand.New(rand.NewPCG(seed, 5))) })
		})
	}
}

func killCrawls(t *testing.T, random *rand.Rand) {
	web := &changing{site: &site{pages: map[string]any{}, asked: map[string]int{}}, r: random, text: map[string]string{}}
	web.mutate()
	st := &storetest.Memory{}
	first, err := access.NewCompanies(st).First(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{store: st, company: first.ID, poll: time.Second}
	var process *mortal
	pause := []time.Duration{-1, time.Second, 3 * time.Second}[random.IntN(3)] // with which more or less is staged at a time
	// start begins a process that dies after some steps.
	start := func(steps int) (stop func()) {
		process = &mortal{Memory: st, steps: steps, late: random.IntN(2) == 0}
		r.lib = knowledge.New(process, &knowledge.Options{HTTPClient: &http.Client{Transport: direct{web}}, Crawl: &crawl.Options{Pause: pause}})
		r.Base = r.lib.Company(r.company)
		return r.worksOn(t, process)
	}
	stop := start(1 << 30)
	w, err := r.AddWebsite(t.Context(), knowledge.Website{Source: knowledge.Source{URL: "https://site.example"}})
	if err != nil {
		t.Fatal(err)
	}
	run := r.over(t, w.RunID)
	stop()
	for range 12 {
		if run.State != knowledge.RunCompleted {
			t.Fatalf("run = %+v %v", run, run.Error)
		}
		web.mutate()
		before := r.state(t)
		if run, err = r.CrawlWebsite(t.Context(), w.ID, nil); err != nil {
			t.Fatal(err)
		}
		for try := 0; !run.State.Ended(); try++ {
			steps := 1 + random.IntN(20)
			if try > 5 {
				steps = 1 << 30
			}
			stop := start(steps)
			for process.alive() == nil {
				time.Sleep(time.Second)
				if run, err = r.Run(t.Context(), run.ID); err != nil || run.State.Ended() {
					break
				}
			}
			stop()
			if run, err = r.Run(t.Context(), run.ID); err != nil {
				t.Fatal(err)
			}
			if now := r.state(t); !run.State.Ended() && !maps.Equal(now, before) {
				t.Fatalf("run %s is %s, and the documents are\n%v\nwant them as before\n%v", run.ID, run.State, now, before)
			}
			switch random.IntN(4) {
			case 0:
				web.mutate()
			case 1:
				if ids := slices.Sorted(maps.Keys(r.state(t))); len(ids) > 5 {
					id := ids[random.IntN(len(ids))]
					if _, err := r.Delete(t.Context(), id); err != nil {
						t.Fatal(err)
					}
					delete(before, id)
				}
			}
		}
		r.isReplayed(t)

		stop := start(1 << 30)
		after := r.again(t, w.ID, nil) // for what changed after the last page was read
		if after.State != knowledge.RunCompleted {
			t.Fatalf("run = %+v %v", after, after.Error)
		}
		for id, was := range r.state(t) {
			path, text, _ := strings.Cut(was, " ")
			if !strings.Contains(text, web.text[path]) || web.text[path] == "" {
				t.Errorf("document %s of %s says %q, want %q", id, path, text, web.text[path])
			}
		}
		want := r.state(t)
		after = r.again(t, w.ID, &knowledge.RunOptions{Force: true})
		if c := after.Counts; after.State != knowledge.RunCompleted || c.Created+c.Updated+c.Deleted > 0 {
			t.Errorf("a crawl of all pages anew changes %+v:\n%v\n%v\n%v", c, want, r.state(t), r.report(t, w.ID))
		}
		stop()
	}
}

// worksOn is works for a process that has its own way to the store.
func (r *rig) worksOn(t *testing.T, st work.Store) (stop func()) {
	t.Helper()
	runner, err := work.New(st, &work.Options{Poll: r.poll, DrainTimeout: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.lib.Schedule(runner); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = runner.Run(ctx) })
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	t.Cleanup(stop)
	return stop
}

// over waits for a run to end, in fake time.
func (r *rig) over(t *testing.T, runID string) knowledge.Run {
	t.Helper()
	for {
		run, err := r.Run(t.Context(), runID)
		if err != nil {
			t.Fatal(err)
		}
		if run.State.Ended() {
			return run
		}
		time.Sleep(time.Second)
	}
}

// again crawls a website and waits for it, in fake time.
func (r *rig) again(t *testing.T, websiteID string, opts *knowledge.RunOptions) knowledge.Run {
	t.Helper()
	run, err := r.CrawlWebsite(t.Context(), websiteID, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r.over(t, run.ID)
}

// isReplayed checks that the events of documents add up to what there is.
func (r *rig) isReplayed(t *testing.T) {
	t.Helper()
	events, err := r.store.Events(t.Context(), r.company, "", 100_000)
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]int{}
	for _, e := range events {
		id := e.Refs.DocumentID
		switch e.Type {
		case event.ContentCreated:
			there[id]++
		case event.ContentUpdated:
			if there[id] != 1 {
				t.Errorf("document %s is updated and not there", id)
			}
		case event.ContentDeleted:
			delete(there, id)
		}
	}
	got := map[string]int{}
	for id := range r.state(t) {
		got[id]++
	}
	if !maps.Equal(got, there) {
		t.Errorf("documents %v, want by the events %v", got, there)
	}
}
