package agent

import (
	"context"
	"iter"
	"slices"

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

// An Answerer writes a reply from passages. [extractive.Answerer] is one.
//
// [extractive.Answerer]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk/agent/extractive#Answerer
type Answerer interface {
	// Answer yields the reply part by part. Yielding no text means that the
	// passages do not answer the question. An error ends the turn without an
	// answer. What an Answerer does beside writing, such as calling a tool, it
	// records with q.Record before and after. It is called by many goroutines
	// at once.
	Answer(ctx context.Context, q Question) iter.Seq2[Part, error]
}

// A Question is what an [Answerer] is asked.
type Question struct {
	Company  string
	Agent    Agent
	Message  Message               // as the user wrote it
	Query    string                // the message made to stand on its own, as it was searched for
	Passages []knowledge.Hit       // best first
	Terms    []knowledge.QueryTerm // the words of the query, as the index weighs them

	// History returns the messages before it, oldest first. They are read when
	// it is first called.
	History func(context.Context) ([]Message, error)

	// Steps were recorded before the turn was taken over from a worker that
	// was lost; Record adds one to the record, durably.
	Steps  []Step
	Record func(context.Context, Step) error
}

// A Part is more of a reply, in whole characters. A Citation beside Text bears out
// just that text; one without bears out the range of the reply's text that it names
// itself or, if that is none, the whole text.
type Part struct {
	Text     string
	Citation *Citation
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

// An Exchange is a turn while it is being answered, as [Middleware] sees it.
type Exchange struct {
	Company string
	Agent   Agent
	Message Message

	turn *running
}

// History returns the messages before the turn, oldest first. They are read when
// it is first called.
func (x *Exchange) History(ctx context.Context) ([]Message, error) { return x.turn.history(ctx) }

// A TurnFunc answers a turn. The reply's text, outcome, citations and confidence
// count; the rest is filled in.
type TurnFunc func(ctx context.Context, x *Exchange) (Reply, error)

// Middleware wraps how turns are answered: it may look at or change the message
// before, and the reply after, or answer itself. Where the reply's text differs
// from what was streamed, the stream says that it is replaced. Whoever puts text
// before what is cited moves the claims of the citations along. Citations are
// checked when all Middleware is through; if one does not hold, because its
// document was changed meanwhile, Middleware is called again.
type Middleware func(next TurnFunc) TurnFunc
