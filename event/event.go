package event

import "time"

// A Type names what happened. More are added over time: receivers ignore those
// they do not know.
type Type string

// The types of events that are written today.
const (
	ConversationStarted Type = "conversation.started" // the first message of a conversation arrived
	ConversationDeleted Type = "conversation.deleted" // a conversation and all its messages are gone
	MessageReceived     Type = "message.received"     // a user's message is stored and its turn begins
	MessageSent         Type = "message.sent"         // a turn ended with a reply
	MessageFailed       Type = "message.failed"       // a turn ended without one
	ToolWaiting         Type = "tool.waiting"         // a call waits to be approved, or for its result
	HandoffRequested    Type = "handoff.requested"    // a turn ended with a reply that says that a person will take over
	MessageFeedback     Type = "message.feedback"     // somebody said what they think of a reply, or something else than before
	ContentCreated      Type = "content.created"      // a document was added
	ContentUpdated      Type = "content.updated"      // a document has a new version, or other metadata
	ContentDeleted      Type = "content.deleted"      // a document and all its versions are gone
	TrainingStarted     Type = "training.started"     // a run began to read its source
	TrainingCompleted   Type = "training.completed"   // a run has published what it read
	TrainingFailed      Type = "training.failed"      // a run ended and has published nothing
	TrainingCancelled   Type = "training.cancelled"   // somebody stopped a run; it has published nothing
	AgentCreated        Type = "agent.created"
	AgentUpdated        Type = "agent.updated"
	AgentDeleted        Type = "agent.deleted"
)

// An Event says that something happened to the things its Refs name.
type Event struct {
	ID      string `json:"id"`    // evt_…, the same wherever the event is told
	Type    Type   `json:"event"` // what happened
	Company string `json:"-"`     // whose it is

	// Stream is the id of the conversation, document, run or agent that the event
	// belongs to; Sequence counts the events of a stream from 1.
	Stream   string `json:"stream"`
	Sequence int64  `json:"sequence"`

	CreatedAt time.Time `json:"timestamp"`
	Refs      Refs      `json:"refs"`

	// Cursor is the place after this event, for whoever goes on reading
	// later. It is set on events that are read, and opaque.
	Cursor string `json:"-"`
}

// Refs are the ids of the things an event is about; those that do not apply are
// empty.
type Refs struct {
	AgentID        string `json:"agent_id,omitzero"`
	ConversationID string `json:"conversation_id,omitzero"`
	MessageID      string `json:"message_id,omitzero"`
	DocumentID     string `json:"document_id,omitzero"`
	Version        int    `json:"version,omitzero"`
	RunID          string `json:"run_id,omitzero"`
	SourceID       string `json:"source_id,omitzero"`
	ToolCallID     string `json:"tool_call_id,omitzero"`
}
