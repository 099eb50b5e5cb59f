package storetest_test

import (
	"context"
	"slices"
	"sync"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
	"github.com/answerdesk-go/answerdesk/store/storetest"
)

// vectorFaults are about vectors and calibrations.
var vectorFaults = []fault{
	{"keeps vectors of texts that are gone", "vectors/go with their passages", func(s storetest.Store) storetest.Store { return &keepsVectors{Store: s} }},
	{"keeps vectors of what a run replaces", "vectors/published", func(s storetest.Store) storetest.Store { return &keepsVectors{Store: s} }},
	{"keeps vectors where much is done", "model/random moves", func(s storetest.Store) storetest.Store { return &keepsVectors{Store: s} }},
	{"cuts documents", "vectors/unembedded", func(s storetest.Store) storetest.Store { return cutsDocuments{s} }},
	{"looks at few documents", "vectors/many unembedded", func(s storetest.Store) storetest.Store { return looksAtFew{s} }},
	{"puts vectors into one space", "vectors/put again", func(s storetest.Store) storetest.Store { return oneSpace{s} }},
	{"moves on for nothing", "vectors/left out", func(s storetest.Store) storetest.Store { return movesOn{s} }},
	{"stores any vector", "vectors/refused", func(s storetest.Store) storetest.Store { return anyVector{s} }},
	{"drops all at once", "vectors/drop", func(s storetest.Store) storetest.Store { return dropsAll{s} }},
	{"says nothing of a calibration", "vectors/set calibration", func(s storetest.Store) storetest.Store { return hidesCalibrations{s} }},
	{"tells of vectors of others", "tenancy/Vectors", func(s storetest.Store) storetest.Store { return tellsVectors{s} }},
}

// keepsVectors returns every vector that was ever stored.
type keepsVectors struct {
	storetest.Store
	mu  sync.Mutex
	all map[string][]knowledge.PassageVector // by company and space
}

func (f *keepsVectors) PutVectors(ctx context.Context, c store.Commit, space string, vectors []knowledge.PassageVector) (int64, error) {
	revision, err := f.Store.PutVectors(ctx, c, space, vectors)
	var docs []string
	for _, v := range vectors {
		docs = append(docs, v.DocumentID)
	}
	if there, e := f.Store.Vectors(ctx, c.Company, space, docs); e == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.all == nil {
			f.all = map[string][]knowledge.PassageVector{}
		}
		f.all[c.Company+space] = append(f.all[c.Company+space], there...)
	}
	return revision, err
}

func (f *keepsVectors) Vectors(ctx context.Context, company, space string, documents []string) ([]knowledge.PassageVector, error) {
	out, err := f.Store.Vectors(ctx, company, space, documents)
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, v := range slices.Backward(f.all[company+space]) {
		if slices.Contains(documents, v.DocumentID) && !slices.ContainsFunc(out, func(o knowledge.PassageVector) bool { return o.Ref == v.Ref }) {
			out = append(out, v)
		}
	}
	return out, err
}

type cutsDocuments struct{ storetest.Store }

func (f cutsDocuments) Unembedded(ctx context.Context, company, space, after string, limit int) ([]knowledge.Passage, error) {
	all, err := f.Store.Unembedded(ctx, company, space, after, 1000)
	return all[:min(len(all), limit)], err
}

// looksAtFew looks only among the first documents.
type looksAtFew struct{ storetest.Store }

func (f looksAtFew) Unembedded(ctx context.Context, company, space, after string, limit int) ([]knowledge.Passage, error) {
	all, err := f.Store.Unembedded(ctx, company, space, after, limit)
	live, e := f.Store.LiveDocuments(ctx, company, after, 1<<30)
	if e != nil {
		return nil, e
	}
	return slices.DeleteFunc(all, func(p knowledge.Passage) bool { return len(live) > 512 && p.DocumentID > live[511].ID }), err
}

type oneSpace struct{ storetest.Store }

func (f oneSpace) PutVectors(ctx context.Context, c store.Commit, space string, vectors []knowledge.PassageVector) (int64, error) {
	if space != "" {
		space = "all"
	}
	return f.Store.PutVectors(ctx, c, space, vectors)
}

func (f oneSpace) Vectors(ctx context.Context, company, space string, documents []string) ([]knowledge.PassageVector, error) {
	return f.Store.Vectors(ctx, company, "all", documents)
}

type movesOn struct{ storetest.Store }

func (f movesOn) PutVectors(ctx context.Context, c store.Commit, space string, vectors []knowledge.PassageVector) (int64, error) {
	before, _ := f.Store.Revision(ctx, c.Company)
	revision, err := f.Store.PutVectors(ctx, c, space, vectors)
	if err == nil && revision == before && len(vectors) > 0 {
		return f.Store.SetCalibration(ctx, store.Commit{Company: c.Company}, nil)
	}
	return revision, err
}

// anyVector makes what would be refused fit.
type anyVector struct{ storetest.Store }

func (f anyVector) PutVectors(ctx context.Context, c store.Commit, space string, vectors []knowledge.PassageVector) (int64, error) {
	vectors = slices.Clone(vectors)
	for i := range vectors {
		v := &vectors[i].Vector
		if *v = (*v)[:min(len(*v), knowledge.MaxDimensions)]; len(*v) == 0 {
			*v = []float32{0}
		}
	}
	return f.Store.PutVectors(ctx, c, space, vectors)
}

type dropsAll struct{ storetest.Store }

func (f dropsAll) DropVectors(ctx context.Context, company, keep string, limit int) (int, error) {
	return f.Store.DropVectors(ctx, company, keep, max(limit, 1000))
}

type hidesCalibrations struct{ storetest.Store }

func (f hidesCalibrations) Changes(ctx context.Context, company string, after int64, limit int) ([]knowledge.Change, error) {
	all, err := f.Store.Changes(ctx, company, after, limit)
	return slices.DeleteFunc(all, func(c knowledge.Change) bool { return c.DocumentID == "" }), err
}

type tellsVectors struct{ storetest.Store }

func (f tellsVectors) Vectors(ctx context.Context, company, space string, documents []string) (out []knowledge.PassageVector, err error) {
	out, err = f.Store.Vectors(ctx, company, space, documents)
	others(ctx, f.Store, func(other string) {
		if found, e := f.Store.Vectors(ctx, other, space, documents); e == nil && other != company {
			out = append(out, found...)
		}
	})
	return out, err
}
