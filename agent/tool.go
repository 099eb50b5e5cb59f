package agent

import (
	"context"
	"encoding/json"
	"time"
)

// A Tool is something an agent can do besides answering, such as looking up an
// order. [NewTool] makes one of a Go function. Whether an agent may call it, and
// whether somebody must approve each call, is said by its settings and, where they
// say nothing, by the tool. No text that the agent reads can change it.
type Tool struct {
	Name        string          // letters, digits, _ and -, at most 64
	Description string          // for the model: what it does, and when it is of use
	Parameters  json.RawMessage // a JSON Schema of an object, which the arguments are held to; nil: it takes none

	// Idempotent says that a second call with the same [Call.ID] does nothing more
	// than the first. A call that was begun by a process that was lost is then made
	// again; of another nobody knows whether it was done: the turn is handed off.
	Idempotent bool

	// ReadOnly says that a call changes nothing that anybody would mind. A call of
	// another tool that a model asks for after it has read data is not made until
	// somebody approves it, whatever Approval says: see [Asked.Informed].
	ReadOnly bool

	// Approval says whether calls wait for somebody to approve them, if the agent's
	// settings do not; empty means [ApprovalAuto].
	Approval Approval

	// Timeout bounds a call; 0 means 30 s. Run must return when its context ends: a
	// call that does not is given up, and recorded as unknown.
	Timeout time.Duration

	// MaxOutput bounds the result in bytes of JSON; 0 means 16 KiB, and 64 KiB is the
	// most. A longer one is a failure of the call.
	MaxOutput int

	// Run does the work, and returns JSON. Its error is told to the model, and
	// stands in the record: it must not hold secrets. A panic is a failure without
	// words. A nil Run is a tool that the caller answers: the turn waits until
	// [Conversations.Answer] has the result, for as long as Timeout says, by default
	// 2 minutes, at most an hour.
	Run func(ctx context.Context, c Call) (json.RawMessage, error)
}

// A Call is what a tool is called with. Besides the Arguments, which a model wrote,
// all of it is the desk's own word.
type Call struct {
	ID             string          // the same when the call is made again
	Name           string          // of the tool
	Arguments      json.RawMessage // a JSON object that the schema allows
	Company        string
	AgentID        string
	ConversationID string
	MessageID      string // of the user's message
	User           User   // who asks, as the caller of the agent said
	Turn           TurnRef
}

// An Approval says whether a tool may be called.
type Approval string

// The approvals.
const (
	ApprovalAuto  Approval = "auto"  // at once
	ApprovalAsk   Approval = "ask"   // when [Conversations.Approve] allows it
	ApprovalNever Approval = "never" // not at all: a model is not told of it
)

// A ToolCall is the record of one call.
type ToolCall struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
	State     CallState       `json:"state"`
	Result    json.RawMessage `json:"result,omitzero"` // when completed
	Error     string          `json:"error,omitzero"`  // why there is no result, in words for the model
	Approval  Approval        `json:"approval,omitzero"`
	DecidedBy string          `json:"decided_by,omitzero"` // the principal who approved, rejected or answered
	CreatedAt time.Time       `json:"created_at"`
	ExpiresAt time.Time       `json:"expires_at,omitzero"` // while it waits
	EndedAt   time.Time       `json:"ended_at,omitzero"`

	// Round counts the answers of the model in which calls were asked for, from 1;
	// those of a round are made together. ModelID and Signature are the model's own,
	// which it wants back with the result.
	Round     int    `json:"round"`
	ModelID   string `json:"model_id,omitzero"`
	Signature string `json:"signature,omitzero"`

	// Refused says that it was not made for what it was itself, and that Error holds no
	// words but those of this program and of the call: a model that has read no more has
	// read no data.
	Refused bool `json:"refused,omitzero"`
}

// A CallState says how far a call has come. More are added over time.
type CallState string

// The states of a call.
const (
	CallRunning          CallState = "running"
	CallAwaitingApproval CallState = "awaiting_approval"
	CallAwaitingResult   CallState = "awaiting_result" // from the caller
	CallCompleted        CallState = "completed"
	CallFailed           CallState = "failed"   // Error says why: also what was refused before it was made
	CallRejected         CallState = "rejected" // somebody did not approve
	CallExpired          CallState = "expired"  // nobody approved, or answered, in time
	CallUnknown          CallState = "unknown"  // its process was lost, or it did not end: perhaps it was done
)

// Ended reports whether a call in this state stays in it.
func (s CallState) Ended() bool {
	switch s {
	case CallRunning, CallAwaitingApproval, CallAwaitingResult:
		return false
	}
	return true
}
