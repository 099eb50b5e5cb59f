package storetest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// gatherToo are the moves of other themes that runs meet.
var gatherToo = []string{"CreateAgent", "DeleteAgent", "DeleteDocument", "LiveDocuments", "Changes", "PutVectors", "Unembedded", "Vectors"}

// hold is the lease under which the moves of a company's runs are made; now and
// then it is an old one.
func (w *world) hold(ctx context.Context, k *kit, n int) (store.Lease, error) {
	l, held := w.holds[k]
	if !held || n%16 == 1 {
		if held {
			if err := k.ReleaseKey(ctx, l); err != nil {
				return l, err
			}
		}
		var err error
		if l, err = k.grips(ctx, "moves", long); err != nil {
			return l, err
		}
		w.holds[k] = l
	}
	if n%16 == 2 {
		l.Fence--
	}
	return l, nil
}

// leased is a move of a run under a lease: mostly of one that goes on, which is
// begun if need be.
func leased(make func(ctx context.Context, w *world, k *kit, l store.Lease, runID string, n [6]int) (any, error)) func(context.Context, *world, *kit, [6]int) (any, error) {
	return func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		l, err := w.hold(ctx, k, n[5])
		if err != nil {
			return nil, err
		}
		if n[1]%8 == 0 {
			return make(ctx, w, k, l, pick(w.runs, n[1]), n)
		}
		for _, state := range []knowledge.RunState{knowledge.RunRunning, knowledge.RunQueued} {
			found, err := k.Runs(ctx, k.company, knowledge.RunFilter{State: state}, store.Page{})
			if err != nil {
				return nil, err
			}
			if len(found.Data) > 0 {
				return make(ctx, w, k, l, pick(found.Data, n[1]/8).ID, n)
			}
		}
		r, err := startMove(ctx, w, k, [6]int{0, n[1], 2, 1, 1, 0})
		if err != nil {
			return nil, err
		}
		if r, err = k.BeginRun(ctx, k.commit(), l, r.ID); err != nil {
			return nil, err
		}
		return make(ctx, w, k, l, r.ID, n)
	}
}

// sourceMoves are the moves about sources and runs.
var sourceMoves = []moveKind{
	{"CreateSource", gather, 1, nothing, createSourceMove},
	{"UpdateSource", gather, 1, aSource, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		s, err := k.Source(ctx, k.company, pick(w.sources, n[1]))
		if err != nil {
			return nil, err
		}
		ifUpdated := s.UpdatedAt
		if n[3]%3 == 0 {
			ifUpdated = ifUpdated.Add(-time.Second)
		}
		s.Name, s.Metadata, s.NextRunAt = fmt.Sprint("name ", n[2]%3), map[string]any{"n": n[2] % 3}, w.due(n[4])
		return result(k.UpdateSource(ctx, k.commit(tell("source.updated", s.ID)), s, ifUpdated))
	}},
	{"DeleteSource", gather, 1, aSource, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		s := pick(w.sources, n[1])
		got, err := k.DeleteSource(ctx, k.commit(tell("source.deleted", s)), s)
		w.sources = dropped(w.sources, n[2], func(o string) bool { return o == s })
		return got, err
	}},
	{"StartRun", gather, 3, aSource, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(startMove(ctx, w, k, n))
	}},
	{"BeginRun", gather, 2, aRun, leased(func(ctx context.Context, w *world, k *kit, l store.Lease, runID string, n [6]int) (any, error) {
		return result(k.BeginRun(ctx, k.commit(aboutRun(event.TrainingStarted, runID)), l, runID))
	})},
	{"MoveRun", gather, 3, aRun, leased(func(ctx context.Context, w *world, k *kit, l store.Lease, runID string, n [6]int) (any, error) {
		counts := knowledge.Counts{Total: 9, Done: n[2] % 9, Failed: n[3] % 3, Errors: map[string]int{"network": n[3] % 3}}
		var events []knowledge.RunEvent
		for i := range n[4] % 3 {
			events = append(events, knowledge.RunEvent{
				Type: []string{knowledge.RunProgress, knowledge.RunItemFailed}[i], Item: fmt.Sprint("item ", n[3]%4), Counts: counts, CreatedAt: now(),
			})
		}
		return none(k.MoveRun(ctx, l, runID, fmt.Sprint("phase ", n[2]%3), counts, events))
	})},
	{"LeaveRun", gather, 1, aRun, leased(func(ctx context.Context, w *world, k *kit, l store.Lease, runID string, n [6]int) (any, error) {
		return none(k.LeaveRun(ctx, l, runID))
	})},
	{"Stage", gather, 18, aRun, leased(stageMove)},
	{"Restage", gather, 3, aDocument, leased(func(ctx context.Context, w *world, k *kit, l store.Lease, runID string, n [6]int) (any, error) {
		from := pick(w.documents, n[2])
		if staged, err := k.StagedDocuments(ctx, k.company, runID, "", 10); err == nil && len(staged) > 0 {
			from = pick(staged, n[2]).DocumentID
		}
		return none(k.Restage(ctx, l, runID, from, w.document(ctx, k, runID, n[3])))
	})},
	{"EndRun", gather, 3, aRun, leased(func(ctx context.Context, w *world, k *kit, l store.Lease, runID string, n [6]int) (any, error) {
		r := knowledge.Run{ID: runID, State: knowledge.RunCompleted, Phase: "done", Counts: knowledge.Counts{Done: n[2] % 9, Created: 7, Bytes: 9}}
		switch n[3] % 8 {
		case 0:
			r.State, r.Error = knowledge.RunFailed, &knowledge.RunError{Kind: "network", Message: "it does not answer", Item: fmt.Sprint("item ", n[2]%3)}
		case 1:
			r.State = knowledge.RunCancelled
		}
		return result(k.EndRun(ctx, k.commit(aboutRun(endings[r.State], runID)), l, r))
	})},
	{"CancelRun", gather, 1, aRun, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		r := pick(w.runs, n[1])
		return result(k.CancelRun(ctx, k.commit(aboutRun(event.TrainingCancelled, r)), r))
	}},
	{"DeleteDocument of a source", gather, 2, aSource, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		docs, err := k.SourceDocuments(ctx, k.company, pick(w.sources, n[1]), "", 10)
		if err != nil {
			return nil, err
		}
		return result(k.DeleteDocument(ctx, k.commit(), pick(docs, n[2]).ID))
	}},
	{"Source", gather, 1, aSource, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.Source(ctx, k.company, pick(w.sources, n[1])))
	}},
	{"Sources", gather, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		f := []knowledge.SourceFilter{{}, {Kind: knowledge.SourceWebsite}, {AgentID: pick(w.agents, n[2])}}[n[1]%3]
		return result(paged(n[3]%3+1, func(p store.Page) (store.List[knowledge.Source], error) { return k.Sources(ctx, k.company, f, p) }))
	}},
	{"DueSources", gather, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		all, err := k.DueSources(ctx, 10_000)
		var mine []string
		for _, s := range all {
			if s.Company == k.company {
				mine = append(mine, s.ID)
			}
		}
		return slices.Sorted(slices.Values(mine)), err
	}},
	{"SourceDocuments", gather, 2, aSource, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.SourceDocuments(ctx, k.company, pick(w.sources, n[1]), pick(w.documents, n[2]), n[3]%3+1))
	}},
	{"Page", gather, 1, aRun, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		p, found, err := k.Page(ctx, k.company, pick(w.runs, n[1]), fmt.Sprint("https://example.com/", n[2]%4))
		return []any{p, found}, err
	}},
	{"Runs", gather, 2, aRun, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		f := []knowledge.RunFilter{
			{}, {SourceID: pick(w.sources, n[2])}, {AgentID: pick(w.agents, n[2])}, {Kind: knowledge.RunTraining}, {State: knowledge.RunRunning},
			{State: knowledge.RunCompleted, SourceID: pick(w.sources, n[2])}, {Kind: knowledge.RunFile},
		}[n[1]%7]
		return result(paged(n[3]%3+1, func(p store.Page) (store.List[knowledge.Run], error) { return k.Runs(ctx, k.company, f, p) }))
	}},
	{"RunEvents", gather, 1, aRun, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.RunEvents(ctx, k.company, pick(w.runs, n[1]), int64(n[2]%3), n[3]%3+1))
	}},
	{"VersionPassages", gather, 1, aDocument, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.VersionPassages(ctx, k.company, pick(w.documents, n[1]), n[2]%3+1))
	}},
}

// document is the id of a document, mostly one of a run's source.
func (w *world) document(ctx context.Context, k *kit, runID string, n int) string {
	if r, err := k.Run(ctx, k.company, runID); err == nil && n%4 > 0 {
		if docs, err := k.SourceDocuments(ctx, k.company, r.SourceID, "", 100); err == nil && len(docs) > 0 {
			return pick(docs, n/4).ID
		}
	}
	return pick(w.documents, n/4)
}

// due is when a source is due: at no time, long ago or in a while.
func (w *world) due(n int) time.Time {
	return []time.Time{{}, now().Add(-time.Hour), now().Add(long)}[n%3]
}

func createSourceMove(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
	s := knowledge.Source{
		ID: w.id(id.Source), Kind: []knowledge.SourceKind{knowledge.SourceWebsite, knowledge.SourceAPI}[n[1]%2], Name: fmt.Sprint("name ", n[1]%3), URL: "https://example.com",
		Settings: json.RawMessage(`{"a":[1]}`), NextRunAt: w.due(n[2]), CreatedAt: now(), UpdatedAt: now(),
	}
	if n[3]%3 == 0 {
		s.AgentID = cmp.Or(pick(w.agents, n[4]), k.agent)
	}
	var first *knowledge.Run
	if n[4]%3 == 0 {
		first = new(newRun(s))
		first.ID = w.id(id.Run)
	}
	err := k.CreateSource(ctx, k.commit(tell("source.created", s.ID)), s, first)
	if err == nil {
		w.sources = append(w.sources, s.ID)
	}
	if err == nil && first != nil {
		w.runs = append(w.runs, first.ID)
	}
	return nil, err
}

func startMove(ctx context.Context, w *world, k *kit, n [6]int) (knowledge.Run, error) {
	r := knowledge.Run{ID: w.id(id.Run), Kind: knowledge.RunCrawl, Phase: "queued", Force: n[4]%2 == 0, CreatedAt: now()}
	var next, ifDue time.Time
	s, err := k.Source(ctx, k.company, pick(w.sources, n[1]))
	for i := range w.sources { // one of the company's, if it has any
		if err == nil || n[4]%8 == 0 {
			break
		}
		s, err = k.Source(ctx, k.company, w.sources[(n[1]+i)%len(w.sources)])
	}
	switch {
	case n[2]%8 == 0:
		r.Kind, r.AgentID = knowledge.RunTraining, pick(w.agents, n[3])
	case err != nil:
		r.SourceID = pick(w.sources, n[1])
	default:
		r.SourceID, r.AgentID = s.ID, s.AgentID
		if n[3]%3 == 0 {
			next, ifDue = now().Add(long), s.NextRunAt
		}
		if n[3]%9 == 0 {
			ifDue = now()
		}
	}
	if again := pick(w.runs, n[4]); n[2]%8 == 1 && again != "" {
		if _, err := k.Run(ctx, k.company, again); err == nil { // an id of what is gone is given to nothing else
			r.ID = again
		}
	}
	cm := k.commit(aboutRun("run.queued", r.ID))
	if n[4]%3 == 0 {
		cm.Audit = &store.Audit{ID: w.id(id.Audit), Actor: "key_1", Action: "run.start", At: now()}
	}
	got, err := k.StartRun(ctx, cm, r, next, ifDue)
	if err == nil && !slices.Contains(w.runs, got.ID) {
		w.runs = append(w.runs, got.ID)
	}
	return got, err
}

func stageMove(ctx context.Context, w *world, k *kit, l store.Lease, runID string, n [6]int) (any, error) {
	var s knowledge.Source
	if r, err := k.Run(ctx, k.company, runID); err == nil {
		if s, err = k.Source(ctx, k.company, r.SourceID); err != nil {
			s.ID = r.SourceID
		}
	}
	var st knowledge.Staging
	for i := range n[2]%3 + 1 {
		x := n[2]/3 + i*n[3]
		d := text(fmt.Sprint("title ", x%2), fmt.Sprintf("Text number %d.", x/2%3), "A second line.")
		d.NewID, d.Kind, d.SourceID, d.AgentID, d.ExternalID = w.id(id.Document), knowledge.KindPage, s.ID, s.AgentID, fmt.Sprint("x", x/6%3)
		if x%9 == 0 {
			d.ID = w.document(ctx, k, runID, n[4])
		}
		st.Writes = append(st.Writes, hashed(d))
	}
	if n[4]%4 == 0 {
		st.Deletes = append(st.Deletes, w.document(ctx, k, runID, n[3]))
	}
	if n[3]%4 == 0 {
		url := fmt.Sprint("https://example.com/", n[4]%4)
		st.Pages = append(st.Pages, knowledge.Page{URL: url, Outcome: "fetched", Status: 200 + n[2]%3, DocumentID: pick(w.documents, n[2]), FetchedAt: now(), Links: []string{url}})
	}
	got, err := k.Stage(ctx, l, runID, st)
	for _, d := range got {
		if d.DocumentID != "" && !slices.Contains(w.documents, d.DocumentID) {
			w.documents = append(w.documents, d.DocumentID)
		}
	}
	return got, err
}
