package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	_ "github.com/ncruces/go-sqlite3/driver" // the driver "sqlite3"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/internal/e2e"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// A way is how well a database and its disk keep to what they say.
type way struct {
	name        string
	synchronous string
	lying       bool
}

// The ways: the one that the store insists on, and those that show what the
// simulation would find.
var (
	full   = way{name: "synchronous=FULL", synchronous: "FULL"}
	normal = way{name: "synchronous=NORMAL", synchronous: "NORMAL"}
	off    = way{name: "synchronous=OFF", synchronous: "OFF"}
	lying  = way{name: "FULL on a disk that does not sync", synchronous: "FULL", lying: true}
)

// cuts is how often the power of one database is cut.
const cuts = 3

// A life is a database whose power is cut again and again.
type life struct {
	layer *layer
	way   way
	rand  *rand.Rand
	book  e2e.Book
	files map[string][]byte

	mu      sync.Mutex
	effects map[string]int // of work, in the world outside
}

// A verdict is what came of a life.
type verdict struct {
	cuts, idle, acked int // idle are cuts that met nobody in the middle of a step
	faults            []e2e.Fault
	damage            error // it could not be opened or read
}

func live(l *layer, w way, seed uint64) verdict {
	v := verdict{}
	life := &life{layer: l, way: w, rand: rand.New(rand.NewPCG(seed, 7)), effects: map[string]int{}}
	for v.cuts < cuts && v.damage == nil && len(v.faults) == 0 {
		life.run(seed)
		v.cuts++
		if len(life.book.InFlight()) == 0 {
			v.idle++
		}
		v.faults, v.damage = life.check()
	}
	for _, do := range life.book.Acked() {
		v.acked += do
	}
	return v
}

// handle opens a database on a disk, as a host might that lends it to the store.
func (l *life) handle(m *mounted) (*sql.DB, error) {
	return sql.Open("sqlite3", "file:/"+m.name+"/"+sqlite.FileName+"?vfs="+vfsName+
		"&_pragma=busy_timeout(2000)&_pragma=journal_mode(WAL)&_pragma=synchronous("+l.way.synchronous+")"+
		"&_pragma=secure_delete(1)&_pragma=temp_store(MEMORY)&_pragma=wal_autocheckpoint("+strconv.Itoa(4<<l.rand.IntN(7))+")")
}

// mount makes a disk of what is left.
func (l *life) mount() *mounted {
	d := newDisk(l.rand, l.files)
	d.lying = l.way.lying
	return l.layer.mount(d, l.way.synchronous != "FULL")
}

// run uses a desk until the power is cut.
func (l *life) run(seed uint64) {
	m := l.mount()
	defer l.layer.unmount(m)
	m.left = 1 + l.rand.IntN(64<<l.rand.IntN(6))
	load := l.rand.Uint64()
	_ = l.use(m, load) // it ends with the power
	l.files = m.survivors()
}

func (l *life) use(m *mounted, seed uint64) error {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	db, err := l.handle(m)
	if err != nil {
		return err
	}
	defer db.Close()
	st, err := sqlite.New(ctx, db, &sqlite.Options{Readers: 2})
	if err != nil {
		return err
	}
	defer st.Close()
	desk, err := answerdesk.New(ctx, st, nil)
	if err != nil {
		return err
	}
	defer desk.Close()
	runner, err := l.runner(mortal{st, m})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	running, end := context.WithCancel(ctx)
	defer end()
	wg.Go(func() { _ = runner.Run(running) })
	load := &e2e.Load{
		Desk: desk, Store: st, Seed: seed, First: l.book.Last() + 1,
		Writers: 2, Documents: 5, Askers: 2, Queuers: 1, Note: l.book.Write,
	}
	return load.Run(ctx)
}

// mortal is a store whose runner stops at once when there is no power, where it
// would ask again and again.
type mortal struct {
	work.Store
	disk *mounted
}

func (m mortal) DueJobs(ctx context.Context, l store.Lease, ordered bool, limit int) ([]store.Job, error) {
	jobs, err := m.Store.DueJobs(ctx, l, ordered, limit)
	return jobs, m.end(err)
}

func (m mortal) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	return m.end(m.Store.FinishJobs(ctx, l, outcomes))
}

func (m mortal) end(err error) error {
	if m.disk.off() {
		return store.ErrFenced
	}
	return err
}

// runner does queued work.
func (l *life) runner(st work.Store) (*work.Runner, error) {
	runner, err := work.New(st, &work.Options{DrainTimeout: time.Second, Poll: 5 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	return runner, runner.Add(work.Queue{Name: e2e.Queue, Handler: func(_ context.Context, _ store.Lease, j store.Job) error {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.effects[j.ID]++
		return nil
	}})
}

// check starts the machine again, recovers the desk, and compares it with the
// book.
func (l *life) check() ([]e2e.Fault, error) {
	m := l.mount()
	defer l.layer.unmount(m)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	db, err := l.handle(m)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	st, err := sqlite.New(ctx, db, &sqlite.Options{Readers: 2})
	if err != nil {
		return nil, err
	}
	faults, err := l.compare(ctx, st, db)
	if err := errors.Join(err, st.Close(), db.Close()); err != nil {
		return faults, err
	}
	l.files = m.survivors()
	return faults, nil
}

func (l *life) compare(ctx context.Context, st *sqlite.Store, db *sql.DB) ([]e2e.Fault, error) {
	companies, err := st.Companies(ctx, store.Page{})
	if err != nil {
		return nil, err
	}
	if len(companies.Data) == 0 {
		if l.book.Last() > 0 {
			return []e2e.Fault{{Kind: e2e.Lost, What: "the company"}}, nil
		}
		return nil, nil // the power went before there was one
	}
	for _, table := range []string{"conversations", "work_keys"} { // their leases run out meanwhile
		if _, err := db.ExecContext(ctx, `UPDATE `+table+` SET lease_until = 1 WHERE lease_until > 1`); err != nil {
			return nil, err
		}
	}
	if err := agent.New(st, knowledge.New(st, nil), extractive.New(nil), nil).Recover(ctx); err != nil {
		return nil, fmt.Errorf("recover lapsed turns: %w", err)
	}
	if err := l.drain(ctx, st, db); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.book.Check(ctx, st, db, knowledge.New(st, nil), companies.Data[0].ID, l.effects)
}

// drain does the work that is queued.
func (l *life) drain(ctx context.Context, st *sqlite.Store, db *sql.DB) error {
	runner, err := l.runner(st)
	if err != nil {
		return err
	}
	running, end := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer end()
	wg.Go(func() { _ = runner.Run(running) })
	for left := 1; ; time.Sleep(time.Millisecond) {
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM work_jobs`).Scan(&left); err != nil || left == 0 {
			return err
		}
		runner.Wake(e2e.Queue)
	}
}
