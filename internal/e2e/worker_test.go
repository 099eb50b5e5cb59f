package e2e

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/internal/work"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// roleVar names what a process started by a test is to do, as JSON of a role.
const roleVar = "ANSWERDESK_E2E_ROLE"

// A role is what a process is started for.
type role struct {
	Do      string // "load", "recover", "runs", "deletions", "backup", "write", "serve", "calls" or "host"
	Store   string // where the desk is
	Effects string // the file that tells of work that was done
	First   int    // step
	Seed    uint64
	Writers int
	Mutant  string // see mutate

	// At names a place where the process is to kill itself when it comes by
	// for the Hit-th time; empty means that it does not. For "backup" it is the
	// file.
	At  string
	Hit int

	Addr string // to serve at
}

func TestMain(m *testing.M) {
	if v := os.Getenv(roleVar); v != "" {
		if err := play(v); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	for _, dir := range leftovers {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

// leftovers are folders that all tests share, and that are removed at the end.
var leftovers []string

func play(v string) error {
	var r role
	if err := json.Unmarshal([]byte(v), &r); err != nil {
		return err
	}
	// The test holds the other end: when it is no more, neither is its worker.
	ctx, cancel := context.WithCancel(context.Background())
	switch r.Do {
	case "load", "recover", "runs", "deletions":
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
		switch r.Do {
		case "runs":
			return r.runs(ctx)
		case "deletions":
			return r.deletions(ctx)
		}
		return r.open(ctx)
	case "backup":
		defer cancel()
		return r.backUp(ctx)
	case "serve", "calls":
		defer cancel()
		return r.serve(ctx)
	case "host":
		defer cancel()
		return r.host(ctx)
	case "write":
		defer cancel()
		return r.write(ctx, os.Stdin, os.Stdout)
	}
	cancel()
	return fmt.Errorf("no such role: %q", r.Do)
}

// open opens the store and does what the role is, until that is done, ctx ends,
// or the process is killed.
func (r role) open(ctx context.Context) error {
	opened, err := openStore(ctx, r.Store)
	if err != nil {
		return err
	}
	defer opened.Close()
	st := mutate(r.Mutant, opened)
	runner, closeEffects, err := effects(st, r.Effects)
	if err != nil {
		return err
	}
	defer closeEffects()
	if r.Do == "recover" {
		db, err := raw(r.Store)
		if err != nil {
			return err
		}
		defer db.Close()
		r.arm()
		return recovered(ctx, st, db, runner)
	}
	err = r.load(ctx, st, runner)
	if e, ok := st.(*early); ok {
		err = errors.Join(err, e.flush())
	}
	return err
}

// load runs a load.
func (r role) load(ctx context.Context, st answerdesk.Store, runner *work.Runner) error {
	desk, err := answerdesk.New(ctx, st, nil)
	if err != nil {
		return err
	}
	defer desk.Close()
	var (
		out sync.Mutex
		wg  sync.WaitGroup
	)
	load := &Load{
		Desk: desk, Store: st, Seed: r.Seed, First: r.First, Writers: r.Writers, Documents: 10, Askers: 4, Queuers: 1,
		Note: func(n Note) {
			line, err := json.Marshal(n)
			if err != nil {
				panic(err) // a note is plain data
			}
			out.Lock()
			defer out.Unlock()
			_, _ = os.Stdout.Write(append(line, '\n'))
			if n.Do == doQueue && n.Done {
				runner.Wake(Queue)
			}
		},
	}
	r.arm()
	ctx, cancel := context.WithCancel(ctx)
	wg.Go(func() { _ = runner.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	return load.Run(ctx)
}

// recovered ends the turns whose leases have run out, and does the work that is
// queued, as [answerdesk.Desk.Run] does.
func recovered(ctx context.Context, st answerdesk.Store, db Rows, runner *work.Runner) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := agent.New(st, knowledge.New(st, nil), extractive.New(nil), nil).Recover(ctx); err != nil {
		return fmt.Errorf("recover lapsed turns: %w", err)
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = runner.Run(ctx) })
	defer wg.Wait()
	defer cancel()
	for left := 1; ; {
		if err := each(ctx, db, `SELECT COUNT(*) FROM work_jobs`, func(r *sql.Rows) error { return r.Scan(&left) }); err != nil || left == 0 {
			return err
		}
		runner.Wake(Queue)
		time.Sleep(time.Millisecond) // the runner is at work beside
	}
}

// arm makes the process kill itself at its place.
func (r role) arm() {
	var hits atomic.Int64
	failpoint.Set(func(name string) {
		if name == r.At && hits.Add(1) == int64(r.Hit) {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			panic(fmt.Sprint("still alive: ", err))
		}
	})
}

// effects returns a runner that does queued work: to a file it writes the job's id,
// and which process did it.
func effects(st work.Store, file string) (runner *work.Runner, closeFile func() error, err error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, err
	}
	if runner, err = work.New(st, nil); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return runner, f.Close, runner.Add(work.Queue{Name: Queue, Handler: func(_ context.Context, _ store.Lease, j store.Job) error {
		_, err := fmt.Fprintf(f, "%s %d\n", j.ID, os.Getpid())
		return err
	}})
}

// done returns how often each job was done, and how often it was done twice by
// one process.
func done(t *testing.T, file string) (effects map[string]int, twice int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	effects = map[string]int{}
	by := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		job, _, _ := strings.Cut(line, " ")
		effects[job]++
		if by[line] {
			twice++
		}
		by[line] = true
	}
	return effects, twice
}

// A process is one that a test has started.
type process struct {
	t      *testing.T
	store  string
	name   string // under which it is connected to a server
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr strings.Builder
}

// again returns this test's program, to be run once more in a role.
func again(t *testing.T, r role) *exec.Cmd {
	t.Helper()
	v, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(slices.Clone(os.Environ()), roleVar+"="+string(v))
	return cmd
}

// start starts this test's program once more, in a role.
func start(t *testing.T, r role) *process {
	t.Helper()
	p := &process{t: t, store: r.Store}
	if isURL(r.Store) {
		p.name = "worker" + id.New(id.Work)
		r.Store = with(t, r.Store, "application_name", p.name)
	}
	p.cmd = again(t, r)
	p.cmd.Stderr = &p.stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.out = bufio.NewReaderSize(out, 1<<20)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// notes reads what a load tells until it has ended, and calls first after the
// first line. A line that was cut off tells nothing.
func (p *process) notes(b *Book, first func()) {
	p.t.Helper()
	for n := 0; ; n++ {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			return
		}
		var note Note
		if err := json.Unmarshal(line, &note); err != nil {
			p.t.Fatalf("a worker wrote %q: %v", line, err)
		}
		b.Write(note)
		if n == 0 {
			first()
		}
	}
}

// wait waits for the end and reports whether the process was killed. One that
// failed by itself fails the test.
func (p *process) wait() (killed bool) {
	p.t.Helper()
	err := p.cmd.Wait()
	if p.name != "" {
		left(p.t, p.store, p.name)
	}
	if p.stderr.Len() > 0 {
		p.t.Fatalf("a worker ended with %v: %s", err, p.stderr.String())
	}
	return err != nil
}
