package knowledge

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/store"
)

// queueRuns and queueTrainings are the queues that runs wait in. A training waits
// for runs of the other queue, and so must not take their places.
const (
	queueRuns      = "runs"
	queueTrainings = "trainings"
)

// runKind is what a run of a source is called.
func runKind(k SourceKind) RunKind {
	if k == SourceAPI {
		return RunSync
	}
	return RunCrawl
}

// addSource stores a source with its first run, which begins at once.
func (b *Base) addSource(ctx context.Context, s Source) (Source, error) {
	agentID, err := parseAgent(s.AgentID)
	if err != nil {
		return Source{}, err
	}
	if err := CheckSchedule(s.Schedule); err != nil {
		return Source{}, err
	}
	if s.Metadata, err = normalMetadata(s.Metadata); err != nil {
		return Source{}, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	s.AgentID, s.CreatedAt, s.UpdatedAt, s.NextRunAt = agentID, now, now, nextRun(s.Schedule, now)
	r := Run{ID: id.New(id.Run), Kind: runKind(s.Kind), State: RunQueued, Phase: "queued", AgentID: s.AgentID, SourceID: s.ID, NewPages: true, CreatedAt: now}
	s.RunID = r.ID
	c := b.request.Ending(b.commit("source.create", s.ID), s.ID)
	c.Work = append(c.Work, runWork(r))
	if err := b.lib.sources.CreateSource(ctx, c, s, &r); err != nil {
		return Source{}, err
	}
	b.lib.wake(queueRuns)
	return b.lib.sources.Source(ctx, b.company, s.ID)
}

// runWork is the job that does a run.
func runWork(r Run) store.Work {
	w := store.Work{ID: id.New(id.Work), Queue: queueRuns, Key: r.SourceID, Payload: []byte(r.ID)}
	if r.Kind == RunTraining {
		w.Queue, w.Key = queueTrainings, "company"
		if r.AgentID != "" {
			w.Key = r.AgentID
		}
	}
	return w
}

// runEvent is the event that tells of a run.
func runEvent(t event.Type, r Run) event.Event {
	return event.Event{
		ID: id.New(id.Event), Type: t, Stream: r.ID, CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
		Refs: event.Refs{AgentID: r.AgentID, RunID: r.ID, SourceID: r.SourceID},
	}
}

// source returns a source of a kind, if one is given; one of another is not there.
func (b *Base) source(ctx context.Context, kind SourceKind, name, sourceID string) (Source, error) {
	canonical, err := id.Parse(id.Source, sourceID)
	if err != nil {
		return Source{}, store.NotFound(name, clip(sourceID, 64))
	}
	s, err := b.lib.sources.Source(ctx, b.company, canonical)
	if err == nil && kind != "" && s.Kind != kind {
		return Source{}, store.NotFound(name, canonical)
	}
	return s, err
}

// changeSource stores a source that was changed, as it was at ifUpdated.
func (b *Base) changeSource(ctx context.Context, s Source, schedule string, ifUpdated time.Time) (Source, error) {
	if err := CheckSchedule(s.Schedule); err != nil {
		return Source{}, err
	}
	var err error
	if s.Metadata, err = normalMetadata(s.Metadata); err != nil {
		return Source{}, err
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	if s.Schedule != schedule {
		s.NextRunAt = nextRun(s.Schedule, now)
	}
	s.UpdatedAt = now
	return b.lib.sources.UpdateSource(ctx, b.request.Ending(b.commit("source.update", s.ID), s.ID), s, ifUpdated)
}

// deleteSource removes a source with all its documents.
func (b *Base) deleteSource(ctx context.Context, s Source) (Deleted, error) {
	out, err := b.lib.sources.DeleteSource(ctx, b.request.Ending(b.commit("source.delete", s.ID), s.ID), s.ID)
	if err != nil {
		return Deleted{}, err
	}
	out.OutOfReach = b.OutOfReach()
	b.lib.indexes.follow(ctx, b.company, out.Revision)
	return out, nil
}

// RunOptions are what may be chosen about a run. The zero value suits most.
type RunOptions struct {
	Force      bool // read also what says that it has not changed
	NoNewPages bool // of a website only the pages that are known
}

// startRun queues a run of a source, or returns the one that waits already.
func (b *Base) startRun(ctx context.Context, s Source, opts *RunOptions) (Run, error) {
	var o RunOptions
	if opts != nil {
		o = *opts
	}
	r := Run{
		ID: id.New(id.Run), Kind: runKind(s.Kind), State: RunQueued, Phase: "queued", AgentID: s.AgentID, SourceID: s.ID,
		Force: o.Force, NewPages: !o.NoNewPages, CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	c := b.request.Ending(b.commit("run.start", ""), "")
	c.Work = append(c.Work, runWork(r))
	defer b.lib.wake(c.Work[0].Queue)
	return b.lib.runs.StartRun(ctx, c, r, time.Time{}, time.Time{})
}

// sourcesOf lists the sources of a kind.
func (b *Base) sourcesOf(ctx context.Context, kind SourceKind, agentID string, p store.Page) (store.List[Source], error) {
	canonical, err := parseAgent(agentID)
	if err != nil {
		return store.List[Source]{}, err
	}
	return b.lib.sources.Sources(ctx, b.company, SourceFilter{Kind: kind, AgentID: canonical}, p)
}

// Sources lists sources of all kinds, newest first: those of an agent only, if one
// is given.
func (b *Base) Sources(ctx context.Context, agentID string, p store.Page) (store.List[Source], error) {
	return b.sourcesOf(ctx, "", agentID, p)
}

// ReadSource queues a run of a source of whatever kind, or returns the one that
// waits already. A nil opts means the zero value.
func (b *Base) ReadSource(ctx context.Context, sourceID string, opts *RunOptions) (Run, error) {
	s, err := b.source(ctx, "", "source", sourceID)
	if err != nil {
		return Run{}, err
	}
	return b.startRun(ctx, s, opts)
}

// DeleteSource removes a source of whatever kind with all its documents, and stops
// its run.
func (b *Base) DeleteSource(ctx context.Context, sourceID string) (Deleted, error) {
	s, err := b.source(ctx, "", "source", sourceID)
	if err != nil {
		return Deleted{}, err
	}
	return b.deleteSource(ctx, s)
}

// parseAgent returns the canonical form of an agent's id, if there is one.
func parseAgent(agentID string) (string, error) {
	if agentID == "" {
		return "", nil
	}
	canonical, err := id.Parse(id.Agent, agentID)
	if err != nil {
		return "", store.NotFound("agent", clip(agentID, 64))
	}
	return canonical, nil
}

// normalMetadata checks metadata, and brings it into the form it is stored in.
func normalMetadata(m map[string]any) (map[string]any, error) {
	if err := checkMetadata(m); err != nil {
		return nil, err
	}
	return normal(m)
}

// settings reads what the kind of a source needs.
func settings[T any](s Source) (t T, err error) {
	if err = json.Unmarshal(s.Settings, &t); err != nil {
		err = fmt.Errorf("settings of source %s do not read: %w", s.ID, err)
	}
	return t, err
}

// stored is how settings are kept.
func stored(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil { // settings are structs of strings and numbers
		panic(err)
	}
	return raw
}

// mergeMetadata returns metadata with a patch in it: a nil value removes its key.
func mergeMetadata(there, patch map[string]any, reset bool) map[string]any {
	out := map[string]any{}
	if !reset {
		maps.Copy(out, there)
	}
	maps.Copy(out, patch)
	maps.DeleteFunc(out, func(_ string, v any) bool { return v == nil })
	return out
}

// changedSource says that a source is not as the caller thought.
func changedSource(sourceID string, updated time.Time) error {
	return fmt.Errorf("source %s: %w: it was updated at %s", sourceID, ErrChanged, updated.Format(time.RFC3339Nano))
}

// listEach turns a list of sources into one of what they are.
func listEach[T any](l store.List[Source], of func(Source) (T, error), err error) (out store.List[T], _ error) {
	if err != nil {
		return out, err
	}
	out = store.List[T]{NextCursor: l.NextCursor, HasMore: l.HasMore}
	for _, s := range l.Data {
		t, err := of(s)
		if err != nil {
			return out, err
		}
		out.Data = append(out.Data, t)
	}
	return out, nil
}
