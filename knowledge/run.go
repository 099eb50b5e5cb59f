package knowledge

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// A RunKind says what a run does.
type RunKind string

// The kinds of runs.
const (
	RunTraining RunKind = "training" // reads all sources of an agent or a company, each by a run of its own
	RunCrawl    RunKind = "crawl"    // reads a website
	RunSync     RunKind = "sync"     // reads an API
	RunFile     RunKind = "file"     // took a file, within the call that brought it
	RunBulk     RunKind = "bulk"     // puts many documents all or none, within the call that brings them
)

// A RunState says how a run stands.
type RunState string

// The states of a run. It goes from queued to running, and from either to one of
// the last three, for good.
const (
	RunQueued    RunState = "queued"
	RunRunning   RunState = "running"
	RunCompleted RunState = "completed"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
)

// Ended reports whether the state is one that a run stays in.
func (s RunState) Ended() bool {
	return s == RunCompleted || s == RunFailed || s == RunCancelled
}

// A Run is work on knowledge that goes on after it was asked for. What it writes
// is staged first, where nothing finds it, and published in one step at its end.
type Run struct {
	ID    string // run_…
	Kind  RunKind
	State RunState
	Phase string // what it is at: "queued", "fetch", "publish" …

	AgentID  string // whose documents it is about; empty: the company's
	SourceID string // of a crawl or a sync
	ParentID string // the training run it belongs to, if any

	Force    bool // reads also what says that it has not changed
	NewPages bool // follows links to pages that are not known yet

	Counts   Counts
	Error    *RunError // why it failed; nil if it did not
	Revision int64     // of the knowledge, at which what it published can be found; 0 before
	Attempts int       // how often a worker took it up and did not put it down in order
	Ahead    int       // of a queued run: how many runs of the company were asked for before it and have not ended

	CreatedAt time.Time
	StartedAt time.Time // zero while it is queued
	UpdatedAt time.Time // when it last said how far it is
	EndedAt   time.Time // zero before
}

// Counts say how far a run is, and what it has done. Created, updated and deleted
// are documents; they are what was published at the end, and before it what would
// be.
type Counts struct {
	Total     int            `json:"total"` // items there are as far as is known; 0: not known
	Done      int            `json:"done"`  // items that were looked at
	Created   int            `json:"created"`
	Updated   int            `json:"updated"`
	Unchanged int            `json:"unchanged"`
	Deleted   int            `json:"deleted"`
	Skipped   int            `json:"skipped"`         // items that are not wanted
	Failed    int            `json:"failed"`          // items that could not be read
	Bytes     int64          `json:"bytes"`           // that were read
	Errors    map[string]int `json:"errors,omitzero"` // failed items by kind
}

// Progress is how far the run is, from 0 to 1. Until the number of items is known,
// it is a guess that never falls back to 0.
func (r Run) Progress() float64 {
	switch {
	case r.State == RunCompleted:
		return 1
	case r.Counts.Total <= 0:
		return 0
	}
	return min(1, float64(r.Counts.Done)/float64(r.Counts.Total))
}

// Estimate returns when a running run will end if it goes on as it has gone so far;
// the zero time if that cannot be told.
func (r Run) Estimate(now time.Time) time.Time {
	p := r.Progress()
	if r.State != RunRunning || p < 0.01 {
		return time.Time{}
	}
	gone := now.Sub(r.StartedAt)
	return r.StartedAt.Add(time.Duration(float64(gone) / p)).Truncate(time.Second)
}

// A RunError says why a run, or one item of it, failed.
type RunError struct {
	// Kind is what went wrong: "auth", "rate_limit", "schema", "network",
	// "mapping", "robots", "blocked", "empty", "limit", "crashed" or "internal".
	Kind    string `json:"kind"`
	Message string `json:"message"`       // for the person who must act, without secrets
	Item    string `json:"item,omitzero"` // the address, id or number of the item it is about
	Path    string `json:"path,omitzero"` // where in the item
	Status  int    `json:"status,omitzero"`
	Curl    string `json:"curl,omitzero"` // a command that shows the same, with the secret as $TOKEN
}

func (e *RunError) Error() string {
	if e.Item != "" {
		return fmt.Sprintf("%s: %s: %s", e.Kind, e.Item, e.Message)
	}
	return e.Kind + ": " + e.Message
}

// ErrRunEnded is wrapped by the error for a step of a run that has ended: it was
// cancelled, or its source was deleted.
var ErrRunEnded = errors.New("the run has ended")

// A RunEvent is one step of a run.
type RunEvent struct {
	Sequence  int64 // counts the events of a run from 1
	Type      string
	Item      string // the address, name or number it is about
	Counts    Counts
	Error     *RunError
	CreatedAt time.Time
}

// The types of events of a run.
const (
	RunStarted     = "run.started"
	RunProgress    = "run.progress"
	RunItemFailed  = "item.failed"
	RunIsCompleted = "run.completed"
	RunHasFailed   = "run.failed"
	RunIsCancelled = "run.cancelled"
)

// MaxItemEvents is how many failed items a run tells of one by one; the others are
// only counted.
const MaxItemEvents = 1000

// A RunFilter chooses runs of a list.
type RunFilter struct {
	AgentID  string
	SourceID string
	ParentID string
	Kind     RunKind
	State    RunState
}

// A Staging is what a run adds to what it will publish.
type Staging struct {
	Writes  []Write  // documents of the run's source: [Document.SourceID] and an external id are set
	Deletes []string // ids of documents of the source that are to go
	Pages   []Page   // what was seen; one of the same URL again replaces what the run said before
}

// A Staged is what became of a write that was staged.
type Staged struct {
	DocumentID string // as it is, or will be when the run is published
	ExternalID string
	Status     Status // against what is live; [Refused] where a tombstone keeps the document away
	TextHash   [32]byte
}

// Refused is the status of a write that is not staged because its document, or
// another of the source with the same text, was deleted by somebody.
const Refused Status = "refused"

// A SourceDocument is a document of a source, as much as a run compares.
type SourceDocument struct {
	ID, ExternalID, URL string
	Version             int
	Hash, TextHash      [32]byte
}

// A Version is one text that a document has had.
type Version struct {
	Version   int
	Title     string // of the document when it got this text
	Format    Format
	Bytes     int    // of the stored text
	Live      bool   // it is the one that is found
	Actor     string // the id of who wrote it; empty for a run
	CreatedAt time.Time
}

// A Retention says how long things are kept. Zero means the default on each field,
// and a negative value for good.
type Retention struct {
	Versions int           // texts kept of a document, the live one among them; default 20
	Events   time.Duration // events that others may still read; default 30 days
	Bulks    time.Duration // a bulk that is all or none and has said nothing since, before what it staged goes; default 15 minutes
	Runs     time.Duration // runs that have ended, and what they saw; default 90 days. The latest of a source stays.
	Changes  int64         // revisions of the knowledge that an index may be behind before it is made anew; default 100,000
	DeadJobs time.Duration // jobs that were given up; default 30 days
	Audit    time.Duration // entries of the audit log; default for good
}

// Filled returns r with the defaults filled in.
func (r Retention) Filled() Retention {
	const day = 24 * time.Hour
	r.Versions, r.Changes = cmp.Or(r.Versions, 20), cmp.Or(r.Changes, 100_000)
	r.Bulks = cmp.Or(r.Bulks, 15*time.Minute)
	r.Events, r.Runs, r.DeadJobs = cmp.Or(r.Events, 30*day), cmp.Or(r.Runs, 90*day), cmp.Or(r.DeadJobs, 30*day)
	return r
}

// Swept is what a sweep removed, by name of what it was.
type Swept map[string]int64
