package knowledge

import (
	"context"
	"errors"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A Store is what this room needs of a store, as storetest checks it. Each
// company's knowledge has a revision, which every write that changes what can be
// found raises by one in the same transaction, and a feed that says which
// documents a revision touched.
type Store interface {
	SourceStore
	RunStore
	VectorStore
	CalibrationStore

	// WriteDocuments adds and replaces documents one after the other, all or
	// none, at one new revision. A [Write] whose ID is empty is matched by its
	// external id within company and agent, also with one before it; if none is
	// there it is added under NewID. A document of the same Hash is left alone,
	// and one of the same TextHash keeps its version and passages. If nothing
	// changes, neither does the revision, and no event is written. It sets the
	// ids in the events it writes for each change: content.created or
	// content.updated. A document's time of update grows with each change.
	//
	// A document keeps its agent and kind: a Write with an ID and no agent is
	// one of the agent that the document has.
	//
	// Where writes are [Write.StagedBy] a run, which is one and the same then, the
	// texts that it has staged are used, and the run is completed in this step. What
	// else it has staged goes. If the run has ended, nothing is written, and that is
	// an error that wraps [ErrRunEnded].
	//
	// What else is in the commit is written also when there are no writes. The
	// commit's receipt, if any, gets the documents written after what it says
	// already, by [AppendResult]; its audit entry, if it names no object, gets
	// the id of the document if there is one write only.
	//
	// An error that one of the writes causes is an [ItemError]. It wraps a
	// [store.NotFoundError] for an ID or agent that is not there, and otherwise
	// [store.ErrConflict]: IfVersion or IfUpdated is not what is there, another
	// document has the external id, or the document there is of another kind or
	// agent.
	WriteDocuments(ctx context.Context, c store.Commit, writes []Write) (Written, error)

	// CheckDocuments says of each write what WriteDocuments would do, each
	// alone refused, and writes nothing. It looks at neither text nor passages;
	// a document that would be new has its NewID. Those that were refused count
	// for nothing in what is said of those after them.
	CheckDocuments(ctx context.Context, company string, writes []Write) ([]Ingested, error)

	// DeleteDocument removes a document with all versions and passages, erases
	// its quotes from earlier replies, and leaves nothing of its text in the
	// store. It writes the event content.deleted.
	DeleteDocument(ctx context.Context, c store.Commit, id string) (Deleted, error)

	// OutOfReach returns where copies may be of what was in the store that a
	// delete in it cannot reach, in plain words: "backups made before". The
	// caller owns the list.
	OutOfReach() []string

	// Document returns a document without its text.
	Document(ctx context.Context, company, id string) (Document, error)

	// DocumentHashes returns the [Write.Hash] of those documents of an agent,
	// or of none if it is empty, that have one of the external ids, by external
	// id.
	DocumentHashes(ctx context.Context, company, agentID string, externalIDs []string) (map[string][32]byte, error)

	// DocumentText returns the stored text of a version; 0 is the newest. Older
	// ones are kept until [RunStore.Sweep] removes them.
	DocumentText(ctx context.Context, company, id string, version int) (string, error)

	// Documents lists documents without their texts, newest first.
	Documents(ctx context.Context, company string, f Filter, p store.Page) (store.List[Document], error)

	// Passages returns those of the passages named that belong to the live
	// version of a document that is still there, in any order.
	Passages(ctx context.Context, company string, refs []Ref) ([]Passage, error)

	// Revision returns the company's revision: 0 before the first write.
	Revision(ctx context.Context, company string) (int64, error)

	// Changes returns the feed after a revision, oldest first: at most limit
	// entries, but all of the last revision among them. It returns an error that
	// wraps [ErrFeedPruned] if some of them are not kept any more.
	Changes(ctx context.Context, company string, after int64, limit int) ([]Change, error)

	// LiveDocuments returns documents with the passages of their live
	// versions, ordered by id, those after the given id, until about maxBytes
	// of text are read. An empty result means the end.
	LiveDocuments(ctx context.Context, company, after string, maxBytes int) ([]Live, error)

	// Stamps returns when documents were last changed, ordered by id, those after
	// the given id, at most limit.
	Stamps(ctx context.Context, company, after string, limit int) ([]Stamp, error)

	// LiveDocument returns one such document, or a [store.NotFoundError].
	LiveDocument(ctx context.Context, company, id string) (Live, error)
}

// A Write is a document to be stored, with its text cut into passages.
type Write struct {
	Document            // Text is the stored text; ID may be empty
	NewID     string    // the id if the document is new
	KeepText  bool      // leave the text and passages of the document, which must be there
	IfVersion int       // the version it must have; 0 means any
	IfUpdated time.Time // the UpdatedAt it must have, which every change moves on; zero means any
	Hash      [32]byte  // of everything in the document that the caller gave
	TextHash  [32]byte  // of what the passages are made of
	Passages  []Passage

	// StagedBy, if any, is the run by which [RunStore.StageTexts] has staged this
	// write, so that its text and passages are in the store already.
	StagedBy string

	// RunID, if any, is the id of a run of kind [RunFile] that is recorded as
	// completed with the write; one of that id that is there stays as it is.
	RunID string
}

// Written is what became of the documents of a write, in the same order.
type Written struct {
	Documents []WrittenDocument
	Revision  int64 // at which all of them can be found
}

// A WrittenDocument is a document without its text, and what was done.
type WrittenDocument struct {
	Document
	Status Status
}

// A Status says what a write did.
type Status string

// What a write may have done.
const (
	Created   Status = "created"
	Updated   Status = "updated"
	Unchanged Status = "unchanged"
)

// Deleted says what a delete reached.
type Deleted struct {
	DocumentID string    `json:"document_id"`
	Versions   int       `json:"versions"`       // texts that are gone
	Passages   int       `json:"passages"`       // passages that are gone
	Replies    int       `json:"replies_erased"` // earlier replies that lost a quote
	Revision   int64     `json:"knowledge_revision"`
	DeletedAt  time.Time `json:"deleted_at"`

	// OutOfReach lists where copies may be that a delete cannot reach.
	OutOfReach []string `json:"out_of_reach"`
}

// A Filter chooses documents of a list.
type Filter struct {
	AgentID    string // documents of this agent only
	Kind       Kind
	ExternalID string
	SourceID   string // documents of this source only
}

// A Ref names a passage: part Ordinal, from 0, of a version of a document.
type Ref struct {
	DocumentID string
	Version    int
	Ordinal    int
}

// A Passage is what is indexed and cited: a stretch of a document's stored text
// that stands on its own.
type Passage struct {
	Ref
	ID      string   // psg_…
	Start   int      // byte range in the stored text
	End     int      //
	Page    int      // of a PDF, slide of a presentation, sheet of a workbook, from 1; 0: none
	Heading []string // the headings above it, outermost first
	Text    string   // the stored text from Start to End

	// Of its document, filled in on reading.
	Title, URL, ExternalID, AgentID string
	Kind                            Kind
	Language                        string // "" if it is not known
	Metadata                        map[string]any
}

// Live is a document with the passages of its live version.
type Live struct {
	Document // without its text
	Passages []Passage
}

// A Stamp says when a document was last changed. No two states of it have the same.
type Stamp struct {
	DocumentID string
	UpdatedAt  time.Time
}

// ErrFeedPruned means that the feed does not go back as far as it was asked for:
// who follows it begins anew, with all the documents there are.
var ErrFeedPruned = errors.New("the feed of changes does not go back that far")

// A Change is an entry of the feed: a document that was written, got vectors or, when
// it is no longer there, was deleted; without a document, the company's calibration.
type Change struct {
	Revision   int64
	DocumentID string
}
