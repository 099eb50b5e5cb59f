package agent

import (
	"encoding/json"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// An Outcome says what a reply does. More are added over time.
type Outcome string

// The outcomes.
const (
	Answer  Outcome = "answer"  // it answers, and cites what it stands on
	Clarify Outcome = "clarify" // it asks which of several things is meant
	Refuse  Outcome = "refuse"  // it says that it does not know
	Handoff Outcome = "handoff" // it says that a person will take over
)

// A Reply is what an agent answered.
type Reply struct {
	ID             string     `json:"id"`
	ConversationID string     `json:"conversation_id"`
	AgentID        string     `json:"agent_id"`
	Text           string     `json:"text"`
	Outcome        Outcome    `json:"outcome"`
	Reason         string     `json:"reason,omitzero"` // why, as a short code; see [Explanation.Decision]
	Confidence     Confidence `json:"confidence"`
	Citations      []Citation `json:"citations"`
	Language       string     `json:"language,omitzero"` // of the message, among those of the agent's settings; the first of them if that is not sure

	ToolCalls        []ToolCall      `json:"tool_calls,omitzero"`        // in the order they were asked for
	SuggestedReplies []string        `json:"suggested_replies,omitzero"` // what the user may want to say to it
	Unsupported      []Span          `json:"unsupported,omitzero"`       // of the text, that nothing bears out
	Translated       []Span          `json:"translated,omitzero"`        // of the text, that is in another language than what bears it out: see [Translated]
	Data             json.RawMessage `json:"data,omitzero"`              // in the form of [Message.ReplySchema]
	Usage            Usage           `json:"usage,omitzero"`             // of models

	// Summary stands for the messages before it that are too many to be sent to a
	// model: it is not for customers.
	Summary *Summary `json:"summary,omitzero"`

	// KnowledgeRevision is the revision of the company's knowledge that was
	// searched.
	KnowledgeRevision int64     `json:"knowledge_revision"`
	CreatedAt         time.Time `json:"created_at"`

	// Failure says why a turn ended without an answer of any kind: "cancelled",
	// "interrupted" or "internal". All else but the ids and the time is then
	// empty.
	Failure string `json:"failure,omitzero"`
}

// A Span is a range of bytes of a reply's text.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Usage is what models took to answer. It is zero for a reply that no model wrote.
type Usage struct {
	Model        string  `json:"model,omitzero"`         // the one that wrote the text, as "provider:model"
	ModelCalls   int     `json:"model_calls,omitzero"`   //
	InputTokens  int     `json:"input_tokens,omitzero"`  //
	CachedTokens int     `json:"cached_tokens,omitzero"` // of the input, those the provider had kept
	OutputTokens int     `json:"output_tokens,omitzero"` //
	Cost         float64 `json:"cost,omitzero"`          // in US dollars; 0 if no price is known
	Estimated    bool    `json:"estimated,omitzero"`     // a provider did not count its tokens
}

// A Summary is what was said before the messages that follow it.
type Summary struct {
	Through string `json:"through"` // the id of the last message it sums up
	Text    string `json:"text"`

	// Documents are those that replies it sums up have cited, by their ids. When one
	// of them is deleted, the summary goes.
	Documents []string `json:"documents,omitzero"`
}

// Confidence is how likely the reply is right.
type Confidence struct {
	Score      float64  `json:"score"`      // a probability, 0 to 1
	Threshold  float64  `json:"threshold"`  // the agent's: below it, it refuses
	Calibrated bool     `json:"calibrated"` // whether it was fitted on the company's own questions
	Reasons    []string `json:"reasons"`    // short codes, such as "unknown_words"
}

// A Citation is a place in the stored text of a document that a reply stands on.
// It was compared with that text when the turn ended.
type Citation struct {
	DocumentID      string `json:"document_id"`
	DocumentVersion int    `json:"document_version"`
	PassageID       string `json:"passage_id"`
	Ordinal         int    `json:"-"`     // of the passage, in its document
	Start           int    `json:"start"` // byte range in the stored text
	End             int    `json:"end"`
	Quote           string `json:"quote"` // the stored text from Start to End

	Title      string   `json:"title"`
	URL        string   `json:"url,omitzero"`
	ExternalID string   `json:"external_id,omitzero"`
	Heading    []string `json:"heading,omitzero"` // the headings above the quote, outermost first
	Page       int      `json:"page,omitzero"`    // of a PDF, slide of a presentation, sheet of a workbook, from 1

	// Kind is that of the document: a customer may be told that a quote is an
	// answer somebody wrote, [knowledge.KindQA].
	Kind knowledge.Kind `json:"kind,omitzero"`

	// ClaimStart and ClaimEnd are the byte range in the reply's text that the
	// quote bears out, and that is erased with it.
	ClaimStart int `json:"claim_start"`
	ClaimEnd   int `json:"claim_end"`

	// Erased is set when the document was deleted after the reply: its quote,
	// title and claim are then gone from the reply too.
	Erased bool `json:"erased,omitzero"`
}

// An EventType names what a stream of a turn tells. More are added over time.
type EventType string

// The events of a stream, in the order they come. The last one is always
// MessageCompleted, unless the stream ends with an error.
const (
	MessageStarted   EventType = "message.started"   // the message is stored, and the turn runs
	TextDelta        EventType = "text.delta"        // more of the reply's text
	CitationAdded    EventType = "citation.added"    // a citation of the text so far
	ToolStarted      EventType = "tool.started"      // a call is made, or made again
	ToolWaiting      EventType = "tool.waiting"      // a call waits to be approved, or for its result
	ToolEnded        EventType = "tool.ended"        // a call has ended
	MessageReplaced  EventType = "message.replaced"  // forget the text and citations so far: Delta has the text instead
	HandoffRequested EventType = "handoff.requested" // a person is to take over
	MessageCompleted EventType = "message.completed" // the whole reply, as it is stored
)

// An Event is one step of a reply while it comes.
type Event struct {
	Type           EventType `json:"type"`
	Sequence       int       `json:"sequence"` // counts the events of this reply from 1
	MessageID      string    `json:"message_id"`
	ConversationID string    `json:"conversation_id"`
	Delta          string    `json:"delta,omitzero"`
	Citation       *Citation `json:"citation,omitzero"`
	ToolCall       *ToolCall `json:"tool_call,omitzero"`
	Reply          *Reply    `json:"reply,omitzero"`
}
