package storetest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// sourceFaults are about sources, runs and what they stage.
var sourceFaults = []fault{
	{"writes documents of sources", "sources/documents of its own", func(s storetest.Store) storetest.Store { return writesForSources{s} }},
	{"takes turns among sources", "sources/due", func(s storetest.Store) storetest.Store { return duesByID{s} }},
	{"changes any source", "sources/update refused", func(s storetest.Store) storetest.Store { return updatesAny{s} }},
	{"leaves quotes of a source", "sources/delete", func(s storetest.Store) storetest.Store { return &leavesQuotes{Store: s} }},
	{"leaves quotes of what a run deletes", "publishing/deletes", func(s storetest.Store) storetest.Store { return &leavesQuotes{Store: s} }},
	{"leaves no tombstone", "sources/delete a document", func(s storetest.Store) storetest.Store { return &buriesNothing{Store: s} }},
	{"leaves a run of what is gone", "sources/delete", func(s storetest.Store) storetest.Store { return leavesRuns{s} }},
	{"forgets who wrote", "sources/versions", func(s storetest.Store) storetest.Store { return forgetsActors{s} }},
	{"notes no joined run", "runs/join", func(s storetest.Store) storetest.Store { return notesNoRun{s} }},
	{"starts what is not due", "runs/start what is due", func(s storetest.Store) storetest.Store { return startsUndue{s} }},
	{"begins a run again and again", "runs/begin", func(s storetest.Store) storetest.Store { return beginsAgain{s} }},
	{"counts what is put down", "runs/leave", func(s storetest.Store) storetest.Store { return countsStops{s} }},
	{"says nothing of a run", "runs/move", func(s storetest.Store) storetest.Store { return movesSilently{s} }},
	{"makes a run's steps under old leases", "runs/fenced", func(s storetest.Store) storetest.Store { return &newestLeases{Store: s} }},
	{"moves what has ended", "runs/ended", func(s storetest.Store) storetest.Store { return movesEnded{s} }},
	{"cancels what has ended", "runs/cancel", func(s storetest.Store) storetest.Store { return cancelsEnded{s} }},
	{"tells whose run it is", "tenancy/Run", func(s storetest.Store) storetest.Store { return &tellsOfRuns{Store: s} }},
	{"shows what is staged", "staging/found by nobody", func(s storetest.Store) storetest.Store { return &showsStaged{Store: s} }},
	{"stages half a batch", "staging/errors", func(s storetest.Store) storetest.Store { return stagesHalf{s} }},
	{"keeps what is as it was", "staging/again", func(s storetest.Store) storetest.Store { return keepsStaged{s} }},
	{"moves no document", "staging/moved", func(s storetest.Store) storetest.Store { return restagesNothing{s} }},
	{"publishes what failed", "publishing/not published", func(s storetest.Store) storetest.Store { return publishesFailed{s} }},
	{"counts what it is told", "publishing/at once", func(s storetest.Store) storetest.Store { return countsAsTold{s} }},
	{"says nothing of whose change it is", "publishing/at once", func(s storetest.Store) storetest.Store { return hidesRuns{s} }},
	{"loses what was staged", "publishing/taken up again", func(s storetest.Store) storetest.Store { return losesStaged{s} }},
	{"keeps pages of other runs", "publishing/pages", func(s storetest.Store) storetest.Store { return &keepsPages{Store: s} }},
	{"sweeps one version more", "sweeps/versions", func(s storetest.Store) storetest.Store { return sweepsMore{s} }},
	{"sweeps too much at once", "sweeps/limited", func(s storetest.Store) storetest.Store { return sweepsMuch{s} }},
	{"says nothing of what it swept from the feed", "sweeps/changes", func(s storetest.Store) storetest.Store { return hidesPruning{s} }},
	{"counts documents wrong", "model/random moves", func(s storetest.Store) storetest.Store { return countsDocumentsWrong{s} }},
	{"starts twice at once", "concurrency/start at once", func(s storetest.Store) storetest.Store { return &startsTwice{Store: s} }},
	{"starts what another has started", "concurrency/due at once", func(s storetest.Store) storetest.Store { return startsUndue{s} }},
	{"stages for what is cancelled", "concurrency/stage or cancel", func(s storetest.Store) storetest.Store { return stagesCancelled{s} }},
	{"ends what is cancelled", "concurrency/end or cancel", func(s storetest.Store) storetest.Store { return endsCancelled{s} }},
	{"starts runs of what is gone", "concurrency/gather or delete the source", func(s storetest.Store) storetest.Store { return startsGone{s} }},
}

type writesForSources struct{ storetest.Store }

func (f writesForSources) WriteDocuments(ctx context.Context, c store.Commit, writes []knowledge.Write) (knowledge.Written, error) {
	for i := range writes {
		writes[i].SourceID = ""
	}
	return f.Store.WriteDocuments(ctx, c, writes)
}

type duesByID struct{ storetest.Store }

func (f duesByID) DueSources(ctx context.Context, limit int) ([]knowledge.DueSource, error) {
	all, err := f.Store.DueSources(ctx, limit)
	slices.SortFunc(all, func(a, b knowledge.DueSource) int { return strings.Compare(a.ID, b.ID) })
	return all, err
}

type updatesAny struct{ storetest.Store }

func (f updatesAny) UpdateSource(ctx context.Context, c store.Commit, s knowledge.Source, _ time.Time) (knowledge.Source, error) {
	return f.Store.UpdateSource(ctx, c, s, time.Time{})
}

// buriesNothing deletes what was staged with the document, and stages it again as
// something else where it is refused.
type buriesNothing struct {
	storetest.Store
	n atomic.Int64
}

func (f *buriesNothing) Stage(ctx context.Context, l store.Lease, runID string, st knowledge.Staging) ([]knowledge.Staged, error) {
	out, err := f.Store.Stage(ctx, l, runID, st)
	for i, d := range out {
		if d.Status == knowledge.Refused {
			w := st.Writes[i]
			w.ExternalID = fmt.Sprint(w.ExternalID, f.n.Add(1))
			w.TextHash[0]++
			again, err := f.Store.Stage(ctx, l, runID, knowledge.Staging{Writes: []knowledge.Write{w}})
			if err != nil {
				return nil, err
			}
			out[i] = again[0]
		}
	}
	return out, err
}

type leavesRuns struct{ storetest.Store }

func (f leavesRuns) Run(ctx context.Context, company, id string) (knowledge.Run, error) {
	r, err := f.Store.Run(ctx, company, id)
	if _, e := f.Store.Source(ctx, company, r.SourceID); r.State == knowledge.RunCancelled && errors.Is(e, store.ErrNotFound) {
		r.State, r.EndedAt = knowledge.RunRunning, time.Time{}
	}
	return r, err
}

type forgetsActors struct{ storetest.Store }

func (f forgetsActors) Versions(ctx context.Context, company, id string) ([]knowledge.Version, error) {
	all, err := f.Store.Versions(ctx, company, id)
	for i := range all {
		all[i].Actor = ""
	}
	return all, err
}

type notesNoRun struct{ storetest.Store }

func (f notesNoRun) StartRun(ctx context.Context, c store.Commit, r knowledge.Run, next, ifDue time.Time) (knowledge.Run, error) {
	c.Receipt = nil
	return f.Store.StartRun(ctx, c, r, next, ifDue)
}

type startsUndue struct{ storetest.Store }

func (f startsUndue) StartRun(ctx context.Context, c store.Commit, r knowledge.Run, next, _ time.Time) (knowledge.Run, error) {
	return f.Store.StartRun(ctx, c, r, next, time.Time{})
}

type beginsAgain struct{ storetest.Store }

func (f beginsAgain) BeginRun(ctx context.Context, c store.Commit, l store.Lease, id string) (knowledge.Run, error) {
	r, err := f.Store.BeginRun(ctx, c, l, id)
	if err == nil && r.Attempts > 1 {
		err = f.Store.Enqueue(ctx, store.Commit{Company: c.Company, Events: c.Events})
	}
	return r, err
}

type countsStops struct{ storetest.Store }

func (f countsStops) LeaveRun(context.Context, store.Lease, string) error { return nil }

type movesSilently struct{ storetest.Store }

func (f movesSilently) MoveRun(ctx context.Context, l store.Lease, id, phase string, n knowledge.Counts, _ []knowledge.RunEvent) error {
	return f.Store.MoveRun(ctx, l, id, phase, n, nil)
}

// newestLeases makes steps under the newest lease of the key.
type newestLeases struct {
	storetest.Store
	newest sync.Map
}

func (f *newestLeases) ClaimKeys(ctx context.Context, company, queue, worker string, lease time.Duration, limit int) ([]store.Lease, error) {
	all, err := f.Store.ClaimKeys(ctx, company, queue, worker, lease, limit)
	for _, l := range all {
		f.newest.Store(l.Company+l.Queue+l.Key, l)
	}
	return all, err
}

func (f *newestLeases) MoveRun(ctx context.Context, l store.Lease, id, phase string, n knowledge.Counts, events []knowledge.RunEvent) error {
	if last, ok := f.newest.Load(l.Company + l.Queue + l.Key); ok {
		l = last.(store.Lease)
	}
	return f.Store.MoveRun(ctx, l, id, phase, n, events)
}

type movesEnded struct{ storetest.Store }

func (f movesEnded) MoveRun(ctx context.Context, l store.Lease, id, phase string, n knowledge.Counts, events []knowledge.RunEvent) error {
	if err := f.Store.MoveRun(ctx, l, id, phase, n, events); !errors.Is(err, knowledge.ErrRunEnded) {
		return err
	}
	return nil
}

type cancelsEnded struct{ storetest.Store }

func (f cancelsEnded) CancelRun(ctx context.Context, c store.Commit, id string) (knowledge.Run, error) {
	was, err := f.Store.Run(ctx, c.Company, id)
	if err == nil && was.State.Ended() {
		err = f.Store.Enqueue(ctx, store.Commit{Company: c.Company, Events: c.Events})
	}
	if err != nil {
		return knowledge.Run{}, err
	}
	return f.Store.CancelRun(ctx, c, id)
}

// tellsOfRuns has other words for a run that is another company's.
type tellsOfRuns struct {
	storetest.Store
	known sync.Map
}

func (f *tellsOfRuns) StartRun(ctx context.Context, c store.Commit, r knowledge.Run, next, ifDue time.Time) (knowledge.Run, error) {
	f.known.Store(r.ID, true)
	return f.Store.StartRun(ctx, c, r, next, ifDue)
}

func (f *tellsOfRuns) Run(ctx context.Context, company, id string) (knowledge.Run, error) {
	r, err := f.Store.Run(ctx, company, id)
	if _, known := f.known.Load(id); known && errors.Is(err, store.ErrNotFound) {
		err = fmt.Errorf("run %s is not yours: %w", id, store.ErrNotFound)
	}
	return r, err
}

// showsStaged has the hashes of what is staged.
type showsStaged struct {
	storetest.Store
	staged sync.Map
}

func (f *showsStaged) Stage(ctx context.Context, l store.Lease, runID string, st knowledge.Staging) ([]knowledge.Staged, error) {
	for _, w := range st.Writes {
		f.staged.Store(w.ExternalID, w.Hash)
	}
	return f.Store.Stage(ctx, l, runID, st)
}

func (f *showsStaged) DocumentHashes(ctx context.Context, company, agentID string, externalIDs []string) (map[string][32]byte, error) {
	all, err := f.Store.DocumentHashes(ctx, company, agentID, externalIDs)
	for _, externalID := range externalIDs {
		if hash, ok := f.staged.Load(externalID); ok && err == nil {
			all[externalID] = hash.([32]byte)
		}
	}
	return all, err
}

type stagesHalf struct{ storetest.Store }

func (f stagesHalf) Stage(ctx context.Context, l store.Lease, runID string, st knowledge.Staging) (out []knowledge.Staged, err error) {
	for i, w := range st.Writes {
		one, err := f.Store.Stage(ctx, l, runID, knowledge.Staging{Writes: []knowledge.Write{w}})
		if item, is := errors.AsType[*knowledge.ItemError](err); is {
			err = &knowledge.ItemError{Index: i, Err: item.Err}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, one...)
	}
	_, err = f.Store.Stage(ctx, l, runID, knowledge.Staging{Deletes: st.Deletes, Pages: st.Pages})
	return out, err
}

// keepsStaged does not look at what is as it was.
type keepsStaged struct{ storetest.Store }

func (f keepsStaged) Stage(ctx context.Context, l store.Lease, runID string, st knowledge.Staging) ([]knowledge.Staged, error) {
	r, err := f.Store.Run(ctx, l.Company, runID)
	if err != nil || len(st.Writes) != 1 {
		return f.Store.Stage(ctx, l, runID, st)
	}
	docs, err := f.Store.SourceDocuments(ctx, l.Company, r.SourceID, "", 100)
	for _, d := range docs {
		if d.Hash == st.Writes[0].Hash {
			return []knowledge.Staged{{DocumentID: d.ID, ExternalID: d.ExternalID, Status: knowledge.Unchanged, TextHash: d.TextHash}}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return f.Store.Stage(ctx, l, runID, st)
}

type restagesNothing struct{ storetest.Store }

func (f restagesNothing) Restage(context.Context, store.Lease, string, string, string) error {
	return nil
}

type publishesFailed struct{ storetest.Store }

func (f publishesFailed) EndRun(ctx context.Context, c store.Commit, l store.Lease, r knowledge.Run) (knowledge.Run, error) {
	state := r.State
	r.State = knowledge.RunCompleted
	out, err := f.Store.EndRun(ctx, c, l, r)
	out.State = state
	return out, err
}

type countsAsTold struct{ storetest.Store }

func (f countsAsTold) EndRun(ctx context.Context, c store.Commit, l store.Lease, r knowledge.Run) (knowledge.Run, error) {
	out, err := f.Store.EndRun(ctx, c, l, r)
	out.Counts = r.Counts
	return out, err
}

type hidesRuns struct{ storetest.Store }

func (f hidesRuns) Events(ctx context.Context, company, after string, limit int) ([]event.Event, error) {
	all, err := f.Store.Events(ctx, company, after, limit)
	for i := range all {
		if all[i].Refs.DocumentID != "" {
			all[i].Refs.RunID = ""
		}
	}
	return all, err
}

type losesStaged struct{ storetest.Store }

func (f losesStaged) BeginRun(ctx context.Context, c store.Commit, l store.Lease, id string) (knowledge.Run, error) {
	r, err := f.Store.BeginRun(ctx, c, l, id)
	if err != nil || r.Attempts < 2 {
		return r, err
	}
	staged, err := f.Store.StagedDocuments(ctx, c.Company, id, "", 100)
	for _, d := range staged {
		if d.Status == knowledge.Created {
			_, err = f.Store.Stage(ctx, l, id, knowledge.Staging{Deletes: []string{d.DocumentID}})
		}
	}
	return r, err
}

// keepsPages lists what a run saw for good.
type keepsPages struct {
	storetest.Store
	seen sync.Map
}

func (f *keepsPages) Pages(ctx context.Context, company, runID string, p store.Page) (store.List[knowledge.Page], error) {
	l, err := f.Store.Pages(ctx, company, runID, p)
	if was, ok := f.seen.Load(runID); ok && len(l.Data) == 0 && err == nil {
		return was.(store.List[knowledge.Page]), nil
	}
	if len(l.Data) > 0 && !l.HasMore {
		f.seen.Store(runID, l)
	}
	return l, err
}

type sweepsMore struct{ storetest.Store }

func (f sweepsMore) Sweep(ctx context.Context, r knowledge.Retention, limit int) (knowledge.Swept, error) {
	if r.Versions > 1 {
		r.Versions--
	}
	return f.Store.Sweep(ctx, r, limit)
}

type sweepsMuch struct{ storetest.Store }

func (f sweepsMuch) Sweep(ctx context.Context, r knowledge.Retention, limit int) (knowledge.Swept, error) {
	return f.Store.Sweep(ctx, r, 2*limit)
}

type hidesPruning struct{ storetest.Store }

func (f hidesPruning) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	all, err := f.Store.Changes(ctx, company, after, limit)
	if errors.Is(err, knowledge.ErrFeedPruned) {
		return nil, nil
	}
	return all, err
}

type countsDocumentsWrong struct{ storetest.Store }

func (f countsDocumentsWrong) Sources(ctx context.Context, company string, filter knowledge.SourceFilter, p store.Page) (store.List[knowledge.Source], error) {
	l, err := f.Store.Sources(ctx, company, filter, p)
	for i := range l.Data {
		if l.Data[i].Documents > 1 {
			l.Data[i].Documents--
		}
	}
	return l, err
}

// startsTwice starts a run apart from its source if two are started at once.
type startsTwice struct {
	storetest.Store
	busy atomic.Int32
}

func (f *startsTwice) StartRun(ctx context.Context, c store.Commit, r knowledge.Run, next, ifDue time.Time) (knowledge.Run, error) {
	defer f.busy.Add(-1)
	if f.busy.Add(1) > 1 {
		r.SourceID, r.Kind = "", knowledge.RunCrawl
	}
	meanwhile()
	return f.Store.StartRun(ctx, c, r, next, ifDue)
}

type stagesCancelled struct{ storetest.Store }

func (f stagesCancelled) Stage(ctx context.Context, l store.Lease, runID string, st knowledge.Staging) ([]knowledge.Staged, error) {
	out, err := f.Store.Stage(ctx, l, runID, st)
	if errors.Is(err, knowledge.ErrRunEnded) {
		return make([]knowledge.Staged, len(st.Writes)), nil
	}
	return out, err
}

type endsCancelled struct{ storetest.Store }

func (f endsCancelled) EndRun(ctx context.Context, c store.Commit, l store.Lease, r knowledge.Run) (knowledge.Run, error) {
	out, err := f.Store.EndRun(ctx, c, l, r)
	if errors.Is(err, knowledge.ErrRunEnded) {
		return r, nil
	}
	return out, err
}

type startsGone struct{ storetest.Store }

func (f startsGone) StartRun(ctx context.Context, c store.Commit, r knowledge.Run, next, ifDue time.Time) (knowledge.Run, error) {
	out, err := f.Store.StartRun(ctx, c, r, next, ifDue)
	if errors.Is(err, store.ErrNotFound) {
		r.SourceID = ""
		return f.Store.StartRun(ctx, c, r, time.Time{}, time.Time{})
	}
	return out, err
}
