package knowledge

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/store"
)

// A SourceStore keeps sources and what deletes of their documents forbid.
//
// A document of a source is written by the source's runs alone: WriteDocuments
// neither finds one by its external id, nor changes one by its id, which is
// [store.ErrConflict]. DeleteDocument of one leaves tombstones behind, of its
// external id and of what the passages of each version that is kept are made of,
// that runs of the source obey; what they have staged of it goes at once.
type SourceStore interface {
	// CreateSource adds a source and, if r is not nil, its first run, queued,
	// together with the commit's work. It returns a [store.NotFoundError] for an
	// agent that is not there.
	CreateSource(ctx context.Context, c store.Commit, s Source, r *Run) error

	// UpdateSource changes the name, URL, schedule, metadata, settings and next
	// run of a source, and moves UpdatedAt on. It returns [store.ErrConflict] if
	// the source is not as it was at ifUpdated; zero means any.
	UpdateSource(ctx context.Context, c store.Commit, s Source, ifUpdated time.Time) (Source, error)

	// DeleteSource removes a source with all its documents, as DeleteDocument
	// does, with what its runs saw and staged, and with its tombstones. A run of
	// it that has not ended is cancelled. It writes content.deleted for each
	// document. DocumentID of what it returns is the source's id.
	DeleteSource(ctx context.Context, c store.Commit, id string) (Deleted, error)

	// Source returns a source.
	Source(ctx context.Context, company, id string) (Source, error)

	// Sources lists sources, newest first.
	Sources(ctx context.Context, company string, f SourceFilter, p store.Page) (store.List[Source], error)

	// DueSources returns sources of all companies whose NextRunAt is not later
	// than the store's clock, those due longest first.
	DueSources(ctx context.Context, limit int) ([]DueSource, error)

	// SourceDocuments returns documents of a source, ordered by id, those after
	// the given id.
	SourceDocuments(ctx context.Context, company, sourceID, after string, limit int) ([]SourceDocument, error)

	// Page returns what a run saw at an address, and false if it was not there.
	Page(ctx context.Context, company, runID, url string) (Page, bool, error)

	// Pages lists what a run saw, in reverse order of Sequence. They have no
	// Links.
	Pages(ctx context.Context, company, runID string, p store.Page) (store.List[Page], error)

	// Versions returns the texts a document has had that are still kept, newest
	// first.
	Versions(ctx context.Context, company, documentID string) ([]Version, error)

	// VersionPassages returns the passages of a version that is still kept, in
	// order, or a [store.NotFoundError]. A version that is staged is not there.
	VersionPassages(ctx context.Context, company, documentID string, version int) ([]Passage, error)
}

// A RunStore keeps runs and what they stage. A step that takes a lease is fenced by
// it: it returns [store.ErrFenced] unless the lease is the newest claim of its key.
// A step of a run that has ended returns an error that wraps [ErrRunEnded].
//
// Events of a commit whose stream is the run's are numbered behind those of the run
// before.
type RunStore interface {
	// StartRun adds a queued run together with the commit's work. If the run is
	// of a source that has one queued already, that one is returned and nothing
	// is added but the commit's receipt and audit entry; the same for a training
	// run of the same agent, and for a run whose id is there. The commit's
	// receipt, if any, gets the id of the run returned as its result, and its
	// audit entry the id as its object where it has none.
	//
	// If next is not zero, the source is due at next from now on, provided that
	// it was due at ifDue, or ifDue is zero; else nothing is done, and that is
	// [store.ErrConflict].
	StartRun(ctx context.Context, c store.Commit, r Run, next, ifDue time.Time) (Run, error)

	// BeginRun takes a run up: it is running, StartedAt is set at the first
	// time, and Attempts grows. The commit's events are written at the first
	// time only, and so is a [RunEvent] of type [RunStarted]. What was staged
	// stays.
	BeginRun(ctx context.Context, c store.Commit, l store.Lease, runID string) (Run, error)

	// LeaveRun takes back the attempt that BeginRun has counted, of a run that its
	// worker puts down in order: it stops, and another goes on. All else stays.
	LeaveRun(ctx context.Context, l store.Lease, runID string) error

	// MoveRun sets phase and counts of a run, and adds events to it, of which it
	// sets the sequence. Of [RunItemFailed] no more than [MaxItemEvents] are
	// kept.
	MoveRun(ctx context.Context, l store.Lease, runID, phase string, counts Counts, events []RunEvent) error

	// Stage adds to what a run will publish, and says what became of each write.
	// A document is matched by its id if it has one, which may be that of a
	// document of the source with another external id, and otherwise by its
	// external id among those of the source, staged ones first. One of the same
	// Hash as what is live is [Unchanged] and not staged; what was staged of it
	// before goes. Staging the same document again replaces what was staged.
	// Where the run's source has a tombstone for the external id or the text
	// hash, it is [Refused].
	Stage(ctx context.Context, l store.Lease, runID string, s Staging) ([]Staged, error)

	// StagedDocuments returns what a run has staged and not deleted again,
	// ordered by document id, those after the given one.
	StagedDocuments(ctx context.Context, company, runID, after string, limit int) ([]Staged, error)

	// Restage makes of a staged document that would be new the next version of
	// one that is live, which so keeps its id under another external id: a page
	// that has moved.
	Restage(ctx context.Context, l store.Lease, runID, from, to string) error

	// StageTexts keeps the texts and passages of writes aside under their new ids,
	// where nothing finds them, for WriteDocuments to publish: see
	// [Write.StagedBy]. The run, of kind [RunBulk], is begun as r says if it is not
	// there. No worker has it, and who cancels it keeps the writes from being
	// published. It returns an error that wraps [ErrRunEnded] if the run has ended,
	// and [store.ErrConflict] if it is of another kind.
	StageTexts(ctx context.Context, company string, r Run, writes []Write) error

	// EndRun ends a run in the state, phase, counts and error that r says. If
	// that is [RunCompleted], all that was staged is published in this step, at
	// one new revision if anything changes; but for documents that somebody has
	// changed or deleted since they were staged, or has put a tombstone for. The
	// counts of what was created, updated and deleted are set to what was, but for
	// those of a run without a source. For each of them an event is written,
	// content.created, content.updated or content.deleted, beside those of the
	// commit. Pages of the source's other runs go, and the source's PublishedID is
	// the run's.
	//
	// In any other state, what was staged goes, and the knowledge stays as it
	// is. The run that was published keeps its pages. A last [RunEvent] tells the
	// state.
	EndRun(ctx context.Context, c store.Commit, l store.Lease, r Run) (Run, error)

	// CancelRun ends a run that has not ended as cancelled, whoever works on it,
	// and returns it as it is then. The commit's events are written if it was
	// not ended before.
	CancelRun(ctx context.Context, c store.Commit, runID string) (Run, error)

	// Run returns a run.
	Run(ctx context.Context, company, id string) (Run, error)

	// Runs lists runs, newest first.
	Runs(ctx context.Context, company string, f RunFilter, p store.Page) (store.List[Run], error)

	// RunEvents returns events of a run after a sequence, in order.
	RunEvents(ctx context.Context, company, runID string, after int64, limit int) ([]RunEvent, error)

	// Sweep removes what is older than r says, at most limit rows of each thing,
	// of all companies. It is called again while it returns anything.
	Sweep(ctx context.Context, r Retention, limit int) (Swept, error)
}
