package knowledge

import (
	"context"
	"reflect"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// leastForecast is how many bytes of text a write has at least that is read for the
// index before it is stored: fewer take less than a millisecond.
const leastForecast = 16 << 10

// fewNames is up to how many external ids the store is asked in any case: of more it
// takes long to ask, and where the last forecast came true it is taken that nothing is
// there of this one either.
const fewNames = 16

// A forecast is what a write will change in the index if nothing is there yet of what
// it writes. Searches wait for the index from the moment in which the write is stored:
// so what takes long is done before.
type forecast struct {
	followed *followed
	changes  []index.Change
	prepared *index.Prepared
}

// foresee reads a write for the index of a company. It returns nil if the index is not
// in memory, if the write is small, or if it may change documents that are there.
func (x *indexes) foresee(ctx context.Context, company string, writes []Write) *forecast {
	x.mu.Lock()
	f := x.byCompany[company]
	x.mu.Unlock()
	if f == nil || f.at() < 0 {
		return nil
	}
	size := 0
	a := &forecast{followed: f}
	externals := map[string][]string{} // by agent
	for _, w := range writes {
		if w.ID != "" || w.KeepText {
			return nil
		}
		if w.ExternalID != "" {
			externals[w.AgentID] = append(externals[w.AgentID], w.ExternalID)
		}
		for _, p := range w.Passages {
			size += len(p.Text)
		}
		d := w.Document
		d.ID, d.Version = w.NewID, 1
		a.changes = append(a.changes, index.Change{Put: indexed(Live{Document: d, Passages: w.Passages})})
	}
	if size < leastForecast {
		return nil
	}
	for agentID, list := range externals {
		if len(list) > fewNames && f.foreseen.Load() {
			continue
		}
		if there, err := x.store.DocumentHashes(ctx, company, agentID, list); err != nil || len(there) > 0 {
			return nil
		}
	}
	a.prepared = f.index.Prepare(a.changes)
	return a
}

// of returns changes as an index takes them: read before, if they were foreseen.
func (a *forecast) of(f *followed, changes []index.Change) *index.Prepared {
	if a != nil && a.followed == f {
		came := reflect.DeepEqual(a.changes, changes)
		f.foreseen.Store(came)
		if came {
			return a.prepared
		}
	}
	return f.index.Prepare(changes)
}
