package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/failpoint"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	parallelCalls = 4   // made at one time
	maxAsked      = 128 // in one answer of a model
)

// How a turn ends that cannot go on after its calls.
var (
	// errReleased ends a turn here that waits for somebody while the process is to
	// stop: another process takes it over, and goes on waiting.
	errReleased = fmt.Errorf("%w: the turn waits for a decision, and goes on in another process", ErrDraining)

	// errOutcome ends a turn of which nobody knows whether a call was done.
	errOutcome = errors.New("it is not known whether a call was done")
)

// calling is the calls of a turn.
type calling struct {
	rounds  sync.Mutex // one at a time
	callsMu sync.Mutex // of what follows
	calls   []*recorded
}

// toolCalls returns the calls of the turn as they are.
func (r *running) toolCalls() []ToolCall {
	r.callsMu.Lock()
	defer r.callsMu.Unlock()
	out := make([]ToolCall, len(r.calls))
	for i, c := range r.calls {
		out[i] = c.ToolCall
	}
	return out
}

// snapshot returns a call as it is.
func (r *running) snapshot(c *recorded) recorded {
	r.callsMu.Lock()
	defer r.callsMu.Unlock()
	return *c
}

// update changes a call.
func (r *running) update(change func()) {
	r.callsMu.Lock()
	defer r.callsMu.Unlock()
	change()
}

// completedCalls reports whether a tool has returned something.
func (r *running) completedCalls() bool {
	for _, c := range r.toolCalls() {
		if c.State == CallCompleted {
			return true
		}
	}
	return false
}

// heardOf reports whether a call has come to something that was not written here: to
// more than being refused for what it was itself.
func (r *running) heardOf() bool {
	return slices.ContainsFunc(r.toolCalls(), func(c ToolCall) bool { return !c.Refused })
}

// call makes the calls of one answer of a model: see [Question.Call].
func (r *running) call(ctx context.Context, asked []Asked) ([]ToolCall, error) {
	r.rounds.Lock()
	defer r.rounds.Unlock()
	if err := context.Cause(ctx); err != nil || len(asked) == 0 {
		return nil, err
	}
	left := r.account.left(len(r.calls), r.clock.spent())
	if left == 0 || len(asked) > maxAsked {
		return nil, fmt.Errorf("%w: no call of a tool is left", ErrBudget)
	}
	box, err := r.tools()
	if err != nil {
		return nil, err
	}
	round := 1
	if n := len(r.calls); n > 0 {
		round = r.calls[n-1].Round + 1
	}
	calls := make([]*recorded, len(asked))
	informed := r.heardOf() // what calls came to was read since, whatever the answerer says
	for i, a := range asked {
		a.Informed = a.Informed || informed
		calls[i] = r.plan(box, a, round, i < left)
	}
	if err := r.intend(ctx, calls); err != nil {
		return nil, err
	}
	failpoint.At("call.intended")
	for _, c := range calls {
		r.tellCall(c)
	}
	err = r.carryOut(ctx, box, calls)
	out := make([]ToolCall, len(calls))
	for i, c := range calls {
		out[i] = r.snapshot(c).ToolCall
	}
	return out, err
}

// plan decides what becomes of a call that is asked for.
func (r *running) plan(box toolbox, a Asked, round int, paid bool) *recorded {
	c := &recorded{ToolCall: ToolCall{
		ID: id.New(id.Call), Name: clipTo(a.Name, 64), Arguments: json.RawMessage(`{}`), State: CallFailed,
		CreatedAt: stamp(), Round: round, ModelID: clipTo(a.ModelID, 256),
	}}
	if len(a.Signature) <= 32<<10 && utf8.ValidString(a.Signature) {
		c.Signature = a.Signature
	}
	if c.Name == "" {
		c.Name = "unknown"
	}
	if args, err := readObject(a.Arguments); err == nil && len(a.Arguments) <= maxArguments && utf8.Valid(a.Arguments) && len(args) > 0 {
		c.Arguments = a.Arguments
	}
	t, known := box.byName[a.Name]
	switch {
	case !known:
		c.Error, c.Refused = "there is no such tool, or it may not be called: answer without it", true
	case !paid:
		c.Error, c.Refused = "no call is left in this turn: answer from what there is", true
	default:
		args, drawn, err := box.arguments(t, a.Arguments, r.turn.Message.Context)
		if err != nil {
			c.Error, c.Refused = err.Error(), !drawn // which may repeat what it was called with
			break
		}
		if a.Informed && !t.ReadOnly {
			t.Approval = ApprovalAsk // what the model has read may have told it to ask
		}
		c.Arguments, c.Approval, c.State = args, t.Approval, CallRunning
		switch {
		case t.Approval == ApprovalAsk:
			c.State, c.ExpiresAt = CallAwaitingApproval, c.CreatedAt.Add(r.engine.opts.ApprovalTimeout)
		case t.Run == nil:
			c.State, c.ExpiresAt = CallAwaitingResult, c.CreatedAt.Add(t.Timeout)
		}
	}
	if c.State.Ended() {
		c.EndedAt = c.CreatedAt
	}
	c.last = stepOf(c.State)
	return c
}

// intend puts calls on record before anything is done about them.
func (r *running) intend(ctx context.Context, calls []*recorded) error {
	steps := r.account.take()
	var waiting []event.Event
	for _, c := range calls {
		s, err := c.note().step(c.ID, c.Name, c.CreatedAt)
		if err != nil {
			return err
		}
		steps = append(steps, s)
		if stepOf(c.State) == StepWaiting {
			waiting = append(waiting, r.waitingEvent(c))
		}
	}
	// From here on they are in the record, also if ctx ends meanwhile.
	if err := r.keep(ctx, store.Commit{Company: r.company, Events: waiting}, steps...); err != nil {
		return err
	}
	r.update(func() { r.calls = append(r.calls, calls...) })
	return nil
}

// waitingEvent tells that somebody is to decide about a call, or to answer it.
func (r *running) waitingEvent(c *recorded) event.Event {
	return event.Event{
		ID: id.New(id.Event), Type: event.ToolWaiting, CreatedAt: stamp(),
		Refs: event.Refs{AgentID: r.agent.ID, MessageID: r.turn.ReplyID, ToolCallID: c.ID},
	}
}

// keep adds steps to the turn's record whether or not ctx ends meanwhile.
func (r *running) keep(ctx context.Context, c store.Commit, steps ...Step) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.engine.opts.Lease)
	defer cancel()
	return r.engine.store.RecordStep(ctx, c, r.turn.TurnRef, steps...)
}

// carryOut makes those of some calls that have not ended, beside each other, and
// returns when all have, or why they cannot. That is always so much as is known of
// all of them.
func (r *running) carryOut(ctx context.Context, box toolbox, calls []*recorded) error {
	var (
		wg    sync.WaitGroup
		slots = make(chan struct{}, parallelCalls)
		errs  = make([]error, len(calls))
		lost  = make(chan struct{}) // closed when a call cannot be brought to its end
		once  sync.Once
	)
	for i, c := range calls {
		if r.snapshot(c).State.Ended() {
			continue
		}
		wg.Go(func() {
			if errs[i] = r.carry(ctx, box, c, slots, lost); errs[i] != nil {
				once.Do(func() { close(lost) })
			}
		})
	}
	wg.Wait()
	err := errors.Join(errs...)
	if errors.Is(err, errReleased) {
		r.cancel(errReleased)
	}
	if err == nil {
		err = context.Cause(ctx)
	}
	for _, c := range calls {
		c := r.snapshot(c)
		if err == nil && c.State == CallUnknown && !box.byName[c.Name].Idempotent {
			r.outcomeUnknown.Store(true)
			err = errOutcome
		}
	}
	return err
}

// carry brings one call to its end.
func (r *running) carry(ctx context.Context, box toolbox, c *recorded, slots chan struct{}, lost <-chan struct{}) error {
	for {
		now := r.snapshot(c)
		if now.State.Ended() {
			return nil
		}
		t, known := box.byName[now.Name]
		switch {
		case now.last == StepWaiting:
			if err := r.await(ctx, c, lost); err != nil {
				return err
			}
		case !known:
			return r.endCall(ctx, c, callNote{State: CallFailed, Error: "the tool is not there any more, or may not be called"}, now.last)
		case now.last == StepDecided:
			if err := r.begin(ctx, t, c); err != nil {
				return err
			}
		default:
			slots <- struct{}{}
			err := r.perform(ctx, t, c)
			<-slots
			return err
		}
	}
}

// begin puts it on record that a call which was approved is about to be made, or
// waits for the caller's result from now on.
func (r *running) begin(ctx context.Context, t Tool, c *recorded) error {
	n := callNote{State: CallRunning}
	told := store.Commit{Company: r.company}
	if t.Run == nil {
		n = callNote{State: CallAwaitingResult, ExpiresAt: stamp().Add(t.Timeout)}
		told.Events = []event.Event{r.waitingEvent(c)}
	}
	s, err := n.step(c.ID, c.Name, stamp())
	if err != nil {
		return err
	}
	s.After = StepDecided
	if err := r.keep(ctx, told, s); err != nil {
		return err
	}
	r.update(func() { err = c.read(s) })
	r.tellCall(c)
	return err
}

// endCall puts the end of a call on record, and tells of it. Where the record has
// another one already, or one that somebody decided meanwhile, that one counts.
func (r *running) endCall(ctx context.Context, c *recorded, n callNote, after StepState) error {
	if n.State == CallUnknown && n.Error == "" {
		n.Error = "it is not known whether this was done: do not do it again"
	}
	s, err := n.step(c.ID, c.Name, stamp())
	if err != nil {
		return err
	}
	s.After = after
	err = r.keep(ctx, store.Commit{Company: r.company}, s)
	if errors.Is(err, store.ErrConflict) {
		return r.refresh(ctx, c)
	}
	if err != nil {
		return err
	}
	failpoint.At("call.recorded")
	r.update(func() { err = c.read(s) })
	r.tellCall(c)
	return err
}

// refresh reads a call again from the record.
func (r *running) refresh(ctx context.Context, c *recorded) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.engine.opts.Lease)
	defer cancel()
	record, err := r.engine.store.RecordedCall(ctx, r.company, c.ID)
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("call %s: %w: its conversation is gone", c.ID, store.ErrFenced)
	}
	if err != nil {
		return err
	}
	var now recorded
	for _, s := range record.Steps {
		if err := now.read(s); err != nil {
			return err
		}
	}
	before := r.snapshot(c).State
	r.update(func() { *c = now })
	if now.State != before {
		r.tellCall(c)
	}
	return nil
}

// tellCall tells how far a call has come.
func (r *running) tellCall(c *recorded) {
	now := r.snapshot(c)
	told := ToolStarted
	switch {
	case now.State.Ended():
		told = ToolEnded
	case now.State != CallRunning:
		told = ToolWaiting
	}
	r.tell(Event{Type: told, ToolCall: &now.ToolCall})
}

// settle ends the calls of a turn that is about to end, so that each has a result on
// record.
func (r *running) settle(ctx context.Context) error {
	var open []*recorded
	r.callsMu.Lock()
	for _, c := range r.calls {
		if !c.State.Ended() {
			open = append(open, c)
		}
	}
	r.callsMu.Unlock()
	for _, c := range open {
		n, after := callNote{State: CallFailed, Error: "the turn ended before it was made"}, r.snapshot(c).last
		if after == StepIntent {
			n = callNote{State: CallUnknown}
		}
		if err := r.endCall(ctx, c, n, after); err != nil {
			return err
		}
	}
	return nil
}

// callNotes returns what the explanation says of the calls.
func (r *running) callNotes() (notes []CallNote) {
	for _, c := range r.toolCalls() {
		n := CallNote{ID: c.ID, Name: c.Name, State: c.State, Round: c.Round}
		if !c.EndedAt.IsZero() {
			n.Duration = max(c.EndedAt.Sub(c.CreatedAt), 0)
		}
		notes = append(notes, n)
	}
	return notes
}

// tools returns what the agent may call in this turn.
func (r *running) tools() (toolbox, error) {
	if r.box == nil {
		box, err := r.engine.toolbox(r.agent.Settings)
		if err != nil {
			return box, err
		}
		r.box = &box
	}
	return *r.box, nil
}
