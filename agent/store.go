package agent

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Store is what this room needs of a store, as storetest checks it.
type Store interface {
	AgentStore
	TurnStore
	ConversationStore
	UserStore
	AttachmentStore
}

// An AgentStore keeps agents.
type AgentStore interface {
	// CreateAgent adds an agent.
	CreateAgent(ctx context.Context, c store.Commit, a Agent) error

	// Agent returns an agent by its id; "" is the company's default agent.
	Agent(ctx context.Context, company, id string) (Agent, error)

	// Agents lists a company's agents, newest first.
	Agents(ctx context.Context, company string, p store.Page) (store.List[Agent], error)

	// UpdateAgent replaces the settings of an agent that is at a.Version, and
	// raises the version; at another version it is a [store.ErrConflict]. The last
	// [KeptVersions] are kept.
	UpdateAgent(ctx context.Context, c store.Commit, a Agent) (Agent, error)

	// AgentVersions lists the settings that an agent has had and that are kept,
	// newest first, those that it has included. Who has set them is the actor of
	// the commit's audit entry. There are none of an agent that is not there.
	AgentVersions(ctx context.Context, company, id string, p store.Page) (store.List[SettingsVersion], error)

	// DeleteAgent removes an agent, its own documents and its conversations, and
	// counts them. The default agent stays: deleting it is a [store.ErrConflict].
	DeleteAgent(ctx context.Context, c store.Commit, id string) (Deleted, error)
}

// A TurnStore makes a turn durable, step by step.
type TurnStore interface {
	// BeginTurn stores the user's message and begins a turn under a lease. If
	// b.Message names no conversation, it is the one last used by the user
	// with that agent, or a new one with the id b.NewConversation. It returns
	// a [BusyError] if the conversation's last turn has not ended, a
	// [store.NotFoundError] for a conversation or agent that is not there, and
	// a [store.ErrConflict] if the conversation belongs to another agent. The
	// message's attachments are the conversation's from then on, and go with it;
	// one that is another's, has expired or is not there is a
	// [store.NotFoundError]. The events of c without a Stream get the conversation's, and those without
	// a conversation in Refs its id; an event of type conversation.started is
	// written for a new conversation only.
	BeginTurn(ctx context.Context, c store.Commit, b Begin) (Turn, error)

	// RecordStep adds steps to the record of a running turn, all or none. It is
	// a [store.ErrConflict] if a step has an After that does not hold. It,
	// RenewTurn and EndTurn return an error wrapping [store.ErrFenced] when the
	// turn has ended, is gone, or is another worker's; a lease that has run out
	// still holds while nobody has taken the turn.
	RecordStep(ctx context.Context, c store.Commit, t TurnRef, steps ...Step) error

	// DecideCall adds a step to the record of a call by whoever is not the worker
	// of its turn: the last step of the call must be a [StepWaiting], and the turn
	// must run, whatever its lease, and not be cancelled. Otherwise it is a
	// [store.ErrConflict], and for a call that is not there a
	// [store.NotFoundError]. The events of c get the conversation as those of
	// RecordStep do.
	DecideCall(ctx context.Context, c store.Commit, s Step) error

	// RecordedCall returns what is on record of a call, or a
	// [store.NotFoundError].
	RecordedCall(ctx context.Context, company, callID string) (RecordedCall, error)

	// RenewTurn extends the lease of a running turn. If CancelTurn was called
	// for the turn, it extends the lease all the same, and returns an error
	// wrapping [ErrCancelled].
	RenewTurn(ctx context.Context, company string, t TurnRef, lease time.Duration) error

	// EndTurn stores the reply and ends the turn. It compares each quote with
	// the stored text of the live version it cites, in the same transaction,
	// and returns an error wrapping [ErrCitation] if one does not stand there;
	// the turn then still runs.
	EndTurn(ctx context.Context, c store.Commit, t TurnRef, e End) error

	// TakeTurn takes over the turn of a conversation whose lease has run out,
	// under a new fence, with what was recorded of it. If there is none it
	// returns a [store.NotFoundError].
	TakeTurn(ctx context.Context, company, conversation, worker string, lease time.Duration) (Turn, error)

	// LapsedTurns names conversations of any company whose turn's lease has run out.
	LapsedTurns(ctx context.Context, limit int) ([]Lapsed, error)

	// RunningTurn returns the turn that will have the reply with an id. If no
	// such turn runs it returns a [store.NotFoundError].
	RunningTurn(ctx context.Context, company, replyID string) (Running, error)

	// CancelTurn asks whoever has the turn that will have a reply to end it:
	// RenewTurn and TakeTurn tell them. To ask again changes nothing. If no
	// such turn runs it returns a [store.NotFoundError].
	CancelTurn(ctx context.Context, company, replyID string) error
}

// A ConversationStore reads conversations and deletes them.
type ConversationStore interface {
	// Conversation returns a conversation.
	Conversation(ctx context.Context, company, id string) (Conversation, error)

	// Conversations lists conversations, newest first.
	Conversations(ctx context.Context, company string, f ConversationFilter, p store.Page) (store.List[Conversation], error)

	// Messages lists messages, newest first: those of one conversation in the
	// order of their turns, and those of several in the order of their ids.
	// There are none of what is not there.
	Messages(ctx context.Context, company string, f MessageFilter, p store.Page) (store.List[Message], error)

	// Message returns one message.
	Message(ctx context.Context, company, id string) (Message, error)

	// PutFeedback stores what somebody thinks of a reply, in place of what they
	// said before, whose CreatedAt stays, and returns it as stored. For what
	// is not a reply it returns a [store.NotFoundError].
	PutFeedback(ctx context.Context, c store.Commit, f Feedback) (Feedback, error)

	// Explanation returns the explanation of a reply, as JSON.
	Explanation(ctx context.Context, company, id string) ([]byte, error)

	// DeleteConversation removes a conversation with all its messages, and counts
	// them. A turn that runs is fenced off.
	DeleteConversation(ctx context.Context, c store.Commit, id string) (Deleted, error)
}

// A UserStore reads and deletes what customers have said, by the id that the caller
// gave them. A conversation is a user's if it began as theirs, or if a message of
// theirs is in it.
type UserStore interface {
	// User sums up what is stored of a user, or returns a [store.NotFoundError]
	// for one without conversations.
	User(ctx context.Context, company, userID string) (UserRecord, error)

	// UserConversations returns conversations of a user, ordered by id, those
	// after the given id.
	UserConversations(ctx context.Context, company, userID, after string, limit int) ([]Conversation, error)

	// DeleteUser removes all conversations of a user, as DeleteConversation does,
	// and writes conversation.deleted for each. For a user without conversations
	// it returns a [store.NotFoundError].
	DeleteUser(ctx context.Context, c store.Commit, userID string) (DeletedUser, error)

	// Citing lists the replies that cite a document, newest first.
	Citing(ctx context.Context, company, documentID string, p store.Page) (store.List[Message], error)
}

// An AttachmentStore keeps the files of messages. Those that no message names are
// gone when they expire, and swept then: see [knowledge.RunStore].
type AttachmentStore interface {
	// PutAttachment adds one that no message names yet.
	PutAttachment(ctx context.Context, c store.Commit, a Attachment) error

	// Attachments returns those of some ids that are there, in the order of ids.
	// One that a message names has no ExpiresAt.
	Attachments(ctx context.Context, company string, ids []string) ([]Attachment, error)
}

// A Begin is what a turn begins with.
type Begin struct {
	Message         Message // ID, Text, CreatedAt and AgentID set
	NewConversation string  // the id if a conversation is begun
	ReplyID         string  // the id the reply will have
	Worker          string  // who runs the turn
	Lease           time.Duration
}

// A TurnRef names a running turn to the store, with the right to write to it.
type TurnRef struct {
	ConversationID string
	Number         int // from 1
	Fence          int64
}

// A Turn is a user's message, what was done about it, and the reply.
type Turn struct {
	TurnRef
	Message   Message // as stored
	ReplyID   string
	Steps     []Step // recorded before the turn was taken over
	Taken     int    // how often it was taken over
	Cancelled bool   // whether CancelTurn was called for it
}

// A Running is a turn under way, in whichever process.
type Running struct {
	Started
	Lapsed bool // its lease has run out: the turn can be taken over
}

// A Step is something done during a turn that must be on record before and after
// it is done, such as a call of a tool.
type Step struct {
	CallID string    // the same for the intent and the result
	Name   string    // what is done
	State  StepState //
	Data   []byte    // arguments or result, as JSON: at most 64 KiB if an [Answerer] records it
	At     time.Time

	// After, if it is not empty, is the state that the last step of the same call
	// must have; otherwise the step is not added. It is not stored.
	After StepState
}

// A StepState says how far a step has come.
type StepState string

// The states of a step.
const (
	StepIntent  StepState = "intent"  // about to be done
	StepResult  StepState = "result"  // done
	StepFailed  StepState = "failed"  // done, and refused
	StepUnknown StepState = "unknown" // begun by a worker that was lost: perhaps done
	StepWaiting StepState = "waiting" // for somebody to decide, or to do it
	StepDecided StepState = "decided" // somebody has approved: it may be begun
	StepSpent   StepState = "spent"   // a model was asked: Data is the [ModelCall]
)

// A RecordedCall is what is on record of a call of a tool.
type RecordedCall struct {
	ConversationID string
	AgentID        string
	ReplyID        string // of its turn
	Running        bool   // whether its turn runs
	Steps          []Step // of the call, in their order
}

// An End is what a turn ends with.
type End struct {
	Reply       Reply
	Explanation []byte // JSON; see [Explanation]
}

// A BusyError says that a conversation's last turn has not ended. It wraps
// [ErrTurnInProgress].
type BusyError struct {
	ConversationID string
	Lapsed         bool // its lease has run out: the turn can be taken over
}

func (e *BusyError) Error() string {
	return "conversation " + e.ConversationID + " is answering another message"
}

// Unwrap returns [ErrTurnInProgress].
func (e *BusyError) Unwrap() error { return ErrTurnInProgress }

// Lapsed names a conversation with a turn to take over.
type Lapsed struct{ Company, ConversationID string }

// A ConversationFilter chooses conversations of a list.
type ConversationFilter struct {
	AgentID string
	UserID  string
}

// A MessageFilter chooses messages of a list. A message is of the user who sent it
// or, if it names none, of the one whose conversation it is in; a reply is of the
// user whose message it answers.
type MessageFilter struct {
	ConversationID string
	AgentID        string
	UserID         string
}
