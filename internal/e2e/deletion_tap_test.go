package e2e

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// errCrashed is what every step returns in a process that has crashed.
var errCrashed = errors.New("the process has crashed")

// A tap is the store of one life of a desk. It can be told to crash: some step,
// whether it is done or not, is the last one, of which nobody hears. And it can hold
// a turn before its end, or a run before it stages or publishes, until it is told to
// let go.
type tap struct {
	answerdesk.Store

	mu      sync.Mutex
	crashIn int  // steps; 0: it does not crash
	done    bool // the last step is done before the crash
	armed   bool
	dead    bool
	death   chan struct{}
	changed chan struct{} // is closed after every step
	holds   map[string]*held
}

// A held is what waits before a step, once it has come there.
type held struct {
	came, go_ chan struct{}
	once      sync.Once
}

func newTap(s answerdesk.Store) *tap {
	return &tap{Store: s, death: make(chan struct{}), changed: make(chan struct{}), holds: map[string]*held{}}
}

// hold has the next step of a name wait.
func (t *tap) hold(name string) *held {
	h := &held{came: make(chan struct{}), go_: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.holds[name] = h
	return h
}

func (h *held) release() { h.once.Do(func() { close(h.go_) }) }

// letGo releases what waits, and holds nothing any more.
func (t *tap) letGo() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, h := range t.holds {
		h.release()
		delete(t.holds, name)
	}
}

// crash arms a crash in that many steps; with 0 there is none, also not at the end of
// a step that is under way.
func (t *tap) crash(in int, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.crashIn, t.done, t.armed = in, done, in > 0
}

func (t *tap) crashed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dead
}

// kill ends the life at once.
func (t *tap) kill() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.die()
}

func (t *tap) die() {
	if !t.dead {
		t.dead = true
		close(t.death)
	}
}

// news is closed when something has been done in the store.
func (t *tap) news() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.changed
}

// before returns an error if the step is not to be done.
func (t *tap) before(name string) (last bool, err error) {
	t.mu.Lock()
	h := t.holds[name]
	delete(t.holds, name)
	t.mu.Unlock()
	if h != nil {
		close(h.came)
		select {
		case <-h.go_:
		case <-t.death:
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.dead {
		return false, errCrashed
	}
	if t.crashIn > 0 {
		t.crashIn--
		if t.crashIn == 0 {
			if !t.done {
				t.die()
				return false, errCrashed
			}
			return true, nil
		}
	}
	return false, nil
}

func step[T any](t *tap, name string, do func() (T, error)) (out T, err error) {
	last, err := t.before(name)
	if err != nil {
		return out, err
	}
	got, err := do()
	t.mu.Lock()
	defer t.mu.Unlock()
	close(t.changed)
	t.changed = make(chan struct{})
	if last && t.armed {
		t.die()
	}
	if t.dead {
		return out, errCrashed
	}
	return got, err
}

func outcome(t *tap, name string, do func() error) error {
	_, err := step(t, name, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

// Prepare brings the store up to date, as [answerdesk.New] wants it.
func (t *tap) Prepare(ctx context.Context) error {
	if p, ok := t.Store.(interface{ Prepare(context.Context) error }); ok {
		return p.Prepare(ctx)
	}
	return nil
}

func (t *tap) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	return step(t, "begin turn", func() (agent.Turn, error) { return t.Store.BeginTurn(ctx, c, b) })
}

func (t *tap) EndTurn(ctx context.Context, c store.Commit, r agent.TurnRef, e agent.End) error {
	return outcome(t, "end turn", func() error { return t.Store.EndTurn(ctx, c, r, e) })
}

func (t *tap) TakeTurn(ctx context.Context, company, conversation, worker string, lease time.Duration) (agent.Turn, error) {
	return step(t, "take turn", func() (agent.Turn, error) { return t.Store.TakeTurn(ctx, company, conversation, worker, lease) })
}

func (t *tap) CreateAgent(ctx context.Context, c store.Commit, a agent.Agent) error {
	return outcome(t, "create agent", func() error { return t.Store.CreateAgent(ctx, c, a) })
}

func (t *tap) DeleteAgent(ctx context.Context, c store.Commit, id string) (agent.Deleted, error) {
	return step(t, "delete agent", func() (agent.Deleted, error) { return t.Store.DeleteAgent(ctx, c, id) })
}

func (t *tap) DeleteConversation(ctx context.Context, c store.Commit, id string) (agent.Deleted, error) {
	return step(t, "delete conversation", func() (agent.Deleted, error) { return t.Store.DeleteConversation(ctx, c, id) })
}

func (t *tap) DeleteUser(ctx context.Context, c store.Commit, id string) (agent.DeletedUser, error) {
	return step(t, "delete user", func() (agent.DeletedUser, error) { return t.Store.DeleteUser(ctx, c, id) })
}

func (t *tap) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	return step(t, "write", func() (knowledge.Written, error) { return t.Store.WriteDocuments(ctx, c, writes) })
}

func (t *tap) DeleteDocument(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	return step(t, "delete", func() (knowledge.Deleted, error) { return t.Store.DeleteDocument(ctx, c, id) })
}

func (t *tap) CreateSource(ctx context.Context, c store.Commit, s knowledge.Source, r *knowledge.Run) error {
	return outcome(t, "create source", func() error { return t.Store.CreateSource(ctx, c, s, r) })
}

func (t *tap) UpdateSource(ctx context.Context, c store.Commit, s knowledge.Source, ifUpdated time.Time) (knowledge.Source, error) {
	return step(t, "update source", func() (knowledge.Source, error) { return t.Store.UpdateSource(ctx, c, s, ifUpdated) })
}

func (t *tap) DeleteSource(ctx context.Context, c store.Commit, id string) (knowledge.Deleted, error) {
	return step(t, "delete source", func() (knowledge.Deleted, error) { return t.Store.DeleteSource(ctx, c, id) })
}

func (t *tap) StartRun(ctx context.Context, c store.Commit, r knowledge.Run, next, ifDue time.Time) (knowledge.Run, error) {
	return step(t, "start run", func() (knowledge.Run, error) { return t.Store.StartRun(ctx, c, r, next, ifDue) })
}

func (t *tap) BeginRun(ctx context.Context, c store.Commit, l store.Lease, runID string) (knowledge.Run, error) {
	return step(t, "begin run", func() (knowledge.Run, error) { return t.Store.BeginRun(ctx, c, l, runID) })
}

func (t *tap) LeaveRun(ctx context.Context, l store.Lease, runID string) error {
	return outcome(t, "leave run", func() error { return t.Store.LeaveRun(ctx, l, runID) })
}

func (t *tap) MoveRun(ctx context.Context, l store.Lease, runID, phase string, counts knowledge.Counts, events []knowledge.RunEvent) error {
	return outcome(t, "move run", func() error { return t.Store.MoveRun(ctx, l, runID, phase, counts, events) })
}

func (t *tap) Stage(ctx context.Context, l store.Lease, runID string, s knowledge.Staging) ([]knowledge.Staged, error) {
	return step(t, "stage "+l.Key, func() ([]knowledge.Staged, error) { return t.Store.Stage(ctx, l, runID, s) })
}

func (t *tap) Restage(ctx context.Context, l store.Lease, runID, from, to string) error {
	return outcome(t, "restage", func() error { return t.Store.Restage(ctx, l, runID, from, to) })
}

func (t *tap) EndRun(ctx context.Context, c store.Commit, l store.Lease, r knowledge.Run) (knowledge.Run, error) {
	return step(t, "end run "+l.Key, func() (knowledge.Run, error) { return t.Store.EndRun(ctx, c, l, r) })
}

func (t *tap) CancelRun(ctx context.Context, c store.Commit, runID string) (knowledge.Run, error) {
	return step(t, "cancel run", func() (knowledge.Run, error) { return t.Store.CancelRun(ctx, c, runID) })
}

func (t *tap) ClaimReceipt(ctx context.Context, c store.ReceiptClaim) (store.ReceiptState, error) {
	return step(t, "claim", func() (store.ReceiptState, error) { return t.Store.ClaimReceipt(ctx, c) })
}

func (t *tap) ReleaseReceipt(ctx context.Context, company string, r store.Receipt) error {
	return outcome(t, "release", func() error { return t.Store.ReleaseReceipt(ctx, company, r) })
}

func (t *tap) AbandonReceipt(ctx context.Context, company string, r store.Receipt) error {
	return outcome(t, "abandon", func() error { return t.Store.AbandonReceipt(ctx, company, r) })
}

func (t *tap) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error) {
	return step(t, "claim keys", func() ([]store.Lease, error) { return t.Store.ClaimKeys(ctx, company, queue, worker, lease, limit) })
}

// FinishJobs tells a dead process that it has lost its lease, so that it does not try
// again.
func (t *tap) FinishJobs(ctx context.Context, l store.Lease, outcomes []store.Outcome) error {
	err := outcome(t, "finish", func() error { return t.Store.FinishJobs(ctx, l, outcomes) })
	if errors.Is(err, errCrashed) {
		return store.ErrFenced
	}
	return err
}

func (t *tap) ReleaseKey(ctx context.Context, l store.Lease) error {
	if t.crashed() {
		return store.ErrFenced
	}
	return t.Store.ReleaseKey(ctx, l)
}
