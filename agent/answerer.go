package agent

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A Retriever finds the passages a reply may stand on.
// [knowledge.Library] is one.
type Retriever interface {
	// Retrieve returns the passages that fit a query best, of those that the
	// company's agent q.AgentID may use, and how likely they answer it. They are
	// from knowledge of at least q.MinRevision, or it is an error. It is called by
	// many goroutines at once.
	Retrieve(ctx context.Context, company string, q knowledge.Query) (knowledge.Results, error)
}

// An Answerer writes a reply from passages. [extractive.Answerer] and
// [generative.Answerer] are two.
//
// [extractive.Answerer]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk/agent/extractive#Answerer
// [generative.Answerer]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk/agent/generative#Answerer
type Answerer interface {
	// Answer yields the reply part by part. Yielding no text means that the
	// passages do not answer the question. An error ends the turn without an
	// answer. What an Answerer does beside writing it does with q.Call, so that it
	// is on record before and after. It is called by many goroutines at once.
	Answer(ctx context.Context, q Question) iter.Seq2[Part, error]
}

// A Rewriter is an [Answerer] that can say what a message means that leans on those
// before it.
type Rewriter interface {
	// Rewrite returns the message of q as a question that stands on its own, to
	// search with; empty leaves it as it is. It is called for messages that are not
	// the first of their conversation. With an error the words of the messages
	// before are put beside those of the message instead.
	Rewrite(ctx context.Context, q Question) (string, error)
}

// A Question is what an [Answerer] is asked.
type Question struct {
	Company  string
	Agent    Agent
	Message  Message               // as the user wrote it
	Query    string                // the message made to stand on its own, as it was searched for
	Passages []knowledge.Hit       // best first; none if they are not likely to answer
	Terms    []knowledge.QueryTerm // the words of the query, as the index weighs them
	Language string                // of the message, as a BCP 47 tag; empty if that is not sure

	// Files are what is attached to the message, as text. They, [Message.Context],
	// the passages, and what tools return are data that somebody wrote: none of it
	// may tell an agent what to do.
	Files []Attachment

	// History returns the messages before it, oldest first. They are read when
	// it is first called.
	History func(context.Context) ([]Message, error)

	// Tools are what the agent may call. An [Answerer] that gets no passages, no tools,
	// and nothing that came with the message is not asked.
	Tools []Tool

	// Called are the calls of this turn that are on record from before it was taken
	// over from a process that was lost: all have ended, and they are in the order
	// they were asked for. An Answerer goes on after them.
	Called []ToolCall

	// Steps were recorded with Record before the turn was taken over; Record adds one
	// to the record, durably. Calls of tools and models are not among them.
	Steps  []Step
	Record func(context.Context, Step) error

	// Call makes the calls of one answer of a model, beside each other as far as
	// the tools allow, and returns when all have ended, in the order they were
	// asked for. What may not be called, or not so, is a call that failed: it goes
	// back to the model. An error ends the turn: [ErrBudget] says that no call
	// is left, and that an answer must come without.
	Call func(ctx context.Context, calls []Asked) ([]ToolCall, error)

	// Left returns how long the answer of a model may take now, without the time that
	// the turn waits for people. When it has taken longer, the reply is made from what
	// there is. Nil means that nothing bounds it.
	Left func() time.Duration

	// Spend puts a call of a model on record. It returns an error that wraps
	// [ErrBudget] when that was the last one that the agent's budget pays for: the
	// answer is then made from what there is.
	Spend func(ModelCall) error
}

// An Asked is a call that a model asks for.
type Asked struct {
	Name      string
	Arguments json.RawMessage
	ModelID   string // see [ToolCall]
	Signature string

	// Informed says that the model had read data before it asked: passages, files,
	// context, results of tools, or a reply that was written from such. What it read
	// may have told it to ask. A call that is not informed comes of the instructions
	// of the agent's owner and the words of its user alone.
	Informed bool
}

// A ModelCall is what one answer of a model took.
type ModelCall struct {
	Purpose  string        `json:"purpose"` // "answer", "rewrite" or "summary"
	Model    string        `json:"model"`   // as "provider:model"
	Finish   string        `json:"finish"`  // why it ended
	Usage    Usage         `json:"usage"`
	First    time.Duration `json:"first_ns"` // until the first part of it
	Duration time.Duration `json:"duration_ns"`
	Error    string        `json:"error,omitzero"` // its kind, if it failed

	// Failed is how many attempts failed before the last one: what they took is counted
	// in Usage, so far as it is known.
	Failed int `json:"failed,omitzero"`
}

// A Part is more of a reply, in whole characters. A Citation beside Text bears out
// just that text; one without bears out the range of the reply's text that it names
// itself or, if that is none, the whole text.
type Part struct {
	Text     string
	Citation *Citation

	// Unsupported says that nothing bears Text out.
	Unsupported bool

	// Support says what bears a sentence out, that of Text or, if that is empty, one
	// that was left out. Nil: nobody has looked, or it says nothing. A reply below the
	// threshold counts if one of its sentences has a Support by the context or the files
	// of the message.
	Support *Support

	// Reset says that what came before is void, text and citations.
	Reset bool

	// Outcome is what the reply does, if it is not [Answer]; Reason says why, as a short
	// code, and may stand beside an answer too. With [Refuse] and [Handoff] the text
	// may be empty: the agent's own is taken.
	Outcome Outcome
	Reason  string

	// Suggest are replies that the user may want to give.
	Suggest []string

	// Data is the answer in the form of [Message.ReplySchema].
	Data json.RawMessage

	// Summary is what the reply keeps of the messages before it: see [Reply.Summary].
	// A Reset leaves it.
	Summary *Summary
}

// Cite returns a citation of the bytes from start to end of a document's stored
// text, which must lie within the passage.
func Cite(p knowledge.Passage, start, end int) Citation {
	return Citation{
		DocumentID: p.DocumentID, DocumentVersion: p.Version, PassageID: p.ID, Ordinal: p.Ordinal,
		Start: start, End: end, Quote: p.Text[start-p.Start : end-p.Start],
		Title: p.Title, URL: p.URL, ExternalID: p.ExternalID, Heading: slices.Clone(p.Heading), Page: p.Page, Kind: p.Kind,
	}
}
