package agent

import (
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/id"
)

// maxArguments bounds what a model writes as the arguments of a call, in bytes.
const maxArguments = 32 << 10

// A callNote is the Data of a step of a call: what has changed of its [ToolCall].
type callNote struct {
	State     CallState       `json:"state"`
	Arguments json.RawMessage `json:"arguments,omitzero"`
	Result    json.RawMessage `json:"result,omitzero"`
	Error     string          `json:"error,omitzero"`
	Approval  Approval        `json:"approval,omitzero"`
	DecidedBy string          `json:"decided_by,omitzero"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"`
	Round     int             `json:"round,omitzero"`
	ModelID   string          `json:"model_id,omitzero"`
	Signature string          `json:"signature,omitzero"`
	Refused   bool            `json:"refused,omitzero"`
}

// stepOf says how the step is called that brings a call into a state.
func stepOf(s CallState) StepState {
	switch s {
	case CallRunning:
		return StepIntent
	case CallAwaitingApproval, CallAwaitingResult:
		return StepWaiting
	case CallCompleted:
		return StepResult
	case CallUnknown:
		return StepUnknown
	}
	return StepFailed
}

// decided is the step by which somebody approves a call.
func decided(callID, name, by string, at time.Time) (Step, error) {
	s, err := callNote{State: CallRunning, DecidedBy: by}.step(callID, name, at)
	s.State = StepDecided
	return s, err
}

// step is how a change of a call stands in the record.
func (n callNote) step(callID, name string, at time.Time) (Step, error) {
	data, err := json.Marshal(n)
	if err != nil {
		return Step{}, fmt.Errorf("call %s: %w", callID, err)
	}
	return Step{CallID: callID, Name: name, State: stepOf(n.State), Data: data, At: at.UTC().Truncate(time.Microsecond)}, nil
}

// CompletedStep is the step by which a store puts the result of a call on record
// within a transaction of the tool's own: it is for those who write stores. The call
// must have been begun, and not have ended. A result that no tool may have is an
// [InvalidError].
func CompletedStep(c Call, result json.RawMessage, at time.Time) (Step, error) {
	if len(result) > maxToolOutput || !utf8.Valid(result) || !json.Valid(result) {
		return Step{}, invalid("result", "is not JSON of at most %d bytes", maxToolOutput)
	}
	s, err := callNote{State: CallCompleted, Result: result}.step(c.ID, c.Name, at)
	s.After = StepIntent
	return s, err
}

// isCall reports whether a step is one of a call of a tool.
func isCall(s Step) bool {
	canonical, err := id.Parse(id.Call, s.CallID)
	return err == nil && canonical == s.CallID && s.State != StepSpent
}

// ownSteps returns the steps of a turn that an Answerer has recorded itself: without
// those of calls of tools and of models.
func ownSteps(steps []Step) (own []Step) {
	for _, s := range steps {
		if s.State != StepSpent && !isCall(s) {
			own = append(own, s)
		}
	}
	return own
}

// A recorded is a call as its steps tell it.
type recorded struct {
	ToolCall
	last StepState // of its last step
}

// read takes a step into the record of a call.
func (c *recorded) read(s Step) error {
	var n callNote
	if err := json.Unmarshal(s.Data, &n); err != nil {
		return fmt.Errorf("step of call %s does not read: %w", s.CallID, err)
	}
	if c.ID == "" {
		c.ToolCall = ToolCall{
			ID: s.CallID, Name: s.Name, Arguments: n.Arguments, Approval: n.Approval, CreatedAt: s.At,
			Round: n.Round, ModelID: n.ModelID, Signature: n.Signature, Refused: n.Refused,
		}
	}
	if c.State != "" && c.State.Ended() {
		return nil // the first end counts
	}
	c.last = s.State
	c.State, c.Result, c.Error, c.ExpiresAt = n.State, n.Result, n.Error, n.ExpiresAt
	if n.DecidedBy != "" {
		c.DecidedBy = n.DecidedBy
	}
	if c.State.Ended() {
		c.EndedAt = s.At
	}
	return nil
}

// callsOf puts the calls of a turn together from its steps, in the order they were
// asked for.
func callsOf(steps []Step) (calls []*recorded, err error) {
	if len(steps) == 0 {
		return nil, nil
	}
	byID := map[string]*recorded{}
	for _, s := range steps {
		if !isCall(s) {
			continue
		}
		c := byID[s.CallID]
		if c == nil {
			c = &recorded{}
			byID[s.CallID] = c
			calls = append(calls, c)
		}
		if err := c.read(s); err != nil {
			return nil, err
		}
	}
	return calls, nil
}

// note returns what the first step of a call says of it.
func (c *recorded) note() callNote {
	return callNote{
		State: c.State, Arguments: c.Arguments, Error: c.Error, Approval: c.Approval, ExpiresAt: c.ExpiresAt,
		Round: c.Round, ModelID: c.ModelID, Signature: c.Signature, Refused: c.Refused,
	}
}
