package knowledge

import (
	"context"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/vectors"
)

// loadVectors brings the vectors of documents to the state that they have in the
// store, a few documents at a time.
func (x *indexes) loadVectors(ctx context.Context, company string, f *followed, docs []string) error {
	if x.space == "" {
		return nil
	}
	for some := range slices.Chunk(docs, vectorsRead) {
		all, err := x.store.Vectors(ctx, company, x.space, some)
		if err != nil {
			return err
		}
		byDocument := make(map[string]*vectors.Document, len(some))
		changes := make([]vectors.Change, 0, len(some))
		for _, v := range all {
			d := byDocument[v.DocumentID]
			if d == nil {
				d = &vectors.Document{ID: v.DocumentID, Version: v.Version}
				byDocument[v.DocumentID] = d
			}
			d.Vectors = append(d.Vectors, vectors.Vector{Ordinal: v.Ordinal, Values: v.Vector})
		}
		for _, docID := range some {
			changes = append(changes, vectors.Change{Put: byDocument[docID], Delete: docID})
		}
		if f.vectors.Apply(changes) == nil {
			continue
		}
		for _, c := range changes { // one of them has another number of dimensions
			if err := f.vectors.Apply([]vectors.Change{c}); err != nil {
				x.log.WarnContext(ctx, "vectors of a document cannot be searched", "company", company, "document", c.Put.ID, "error", err)
				_ = f.vectors.Apply([]vectors.Change{{Delete: c.Put.ID}}) // which has none to refuse
			}
		}
	}
	return nil
}

// followVectors lets the index of a company, if it is in memory, follow a revision
// of this process at which documents got vectors. To an index that stands just
// before it nothing else is new.
func (x *indexes) followVectors(ctx context.Context, company string, docs []string, revision int64) {
	x.mu.Lock()
	f := x.byCompany[company]
	x.mu.Unlock()
	if f == nil || f.wrote(revision) {
		return
	}
	if f.takeVectors(revision, func() error { return x.loadVectors(ctx, company, f, docs) }) {
		if err := x.fit(company, f, revision); err != nil {
			x.log.WarnContext(ctx, "index could not follow vectors", "company", company, "error", err)
		}
		return
	}
	x.follow(ctx, company, revision)
}

// takeVectors brings an index that stands just before a revision to it. At any
// other, or if it cannot, it returns false.
func (f *followed) takeVectors(revision int64, load func() error) bool {
	<-f.following
	defer func() { f.following <- struct{}{} }()
	if f.at() != revision-1 || load() != nil {
		return false
	}
	f.set(revision)
	return true
}

// bytes is what the index takes, of words and of vectors.
func (f *followed) bytes() int64 { return f.index.Bytes() + f.vectors.Bytes() }
