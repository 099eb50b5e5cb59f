package knowledge

import (
	"encoding/json"
	"time"
)

// A SourceKind says what a source reads.
type SourceKind string

// The kinds of sources.
const (
	SourceWebsite SourceKind = "website" // pages of a website, which become documents of [KindPage]
	SourceAPI     SourceKind = "api"     // items that an API answers with, which become documents of [KindSynced]
)

// A Source is where documents come from, again and again: each [Run] of it reads
// what is there by then, and makes its documents what they should be.
type Source struct {
	ID      string     // src_…
	Kind    SourceKind // for good
	AgentID string     // whose its documents are, for good; empty: all the company's agents may use them

	Name     string          // what people call it; empty for a website
	URL      string          // where it is read
	Schedule string          // when it is read by itself: see [CheckSchedule]
	Metadata map[string]any  // of each of its documents
	Settings json.RawMessage // what else its kind needs, with secrets only sealed

	RunID       string    // its latest run, if it has had one
	PublishedID string    // its latest run that was published, of which [SourceStore.Pages] tells what there is
	NextRunAt   time.Time // when it is read next by itself; zero if it is not
	CreatedAt   time.Time
	UpdatedAt   time.Time // when it was last changed by somebody, not by a run

	// Filled in on reading.
	Run           Run       // the latest; the zero value if there was none
	Documents     int       // how many come from it
	LastSuccessAt time.Time // when its latest run that was published ended; zero if none was
	LastError     *RunError // what the latest run failed of, and nil if it did not
}

// A SourceState says how a source stands.
type SourceState string

// The states of a source.
const (
	SourceIdle    SourceState = "idle"    // it has not been read yet
	SourceQueued  SourceState = "queued"  // a run waits for its turn
	SourceRunning SourceState = "running" // a run reads it
	SourceReady   SourceState = "ready"   // its documents are as it was when it was last read
	SourceFailed  SourceState = "failed"  // its latest run failed; its documents are as they were before
)

// State says how the source stands.
func (s Source) State() SourceState {
	switch {
	case s.Run.State == RunQueued:
		return SourceQueued
	case s.Run.State == RunRunning:
		return SourceRunning
	case s.Run.State == RunFailed:
		return SourceFailed
	case !s.LastSuccessAt.IsZero():
		return SourceReady
	}
	return SourceIdle
}

// Stale reports whether the documents of a source that is read by itself are older
// than they should be: its latest run failed, or the next one is overdue by an
// hour.
func (s Source) Stale(now time.Time) bool {
	if s.NextRunAt.IsZero() {
		return false
	}
	return s.Run.State == RunFailed || now.Sub(s.NextRunAt) > time.Hour
}

// A SourceFilter chooses sources of a list.
type SourceFilter struct {
	Kind    SourceKind
	AgentID string // sources of this agent only
}

// A DueSource is a source that is to be read by now.
type DueSource struct {
	Company string
	Source
}

// A Page is what a run of a source saw at one address, and what became of it. For
// an API it is the answer at one address, of which only the validators are kept.
type Page struct {
	RunID    string
	Sequence int64 // counts the pages of a run in the order seen, from 1
	URL      string

	Outcome string // "fetched", "unchanged", "moved", "gone", "skipped" or "failed"
	Reason  string // a short code of why it was not fetched, such as "robots"
	Status  int    // of the last answer; 0 if none came
	Depth   int    // links from the first page
	FoundOn string // the page or sitemap that first led here
	Final   string // where a redirect leads

	DocumentID string // what it became, if it is one
	FetchedAt  time.Time

	// What the next run asks whether the page has changed by.
	ETag, LastModified, Hash, Canonical string
	Links                               []string
}
