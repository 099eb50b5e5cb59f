package knowledge

import (
	"context"

	"github.com/answerdesk-go/answerdesk/store"
)

// A VectorStore keeps the vectors of passages, those of one embedder beside those of
// another. They come after the passages they are of and go with them.
type VectorStore interface {
	// PutVectors stores vectors of one space, in place of those that are there of
	// the same passages. Those whose passage is not of the live version of a
	// document that is still there are left out. If any are stored, the revision
	// moves on by one and their documents stand in the feed; otherwise nothing
	// changes. It returns the revision. It writes no event.
	PutVectors(ctx context.Context, c store.Commit, space string, vectors []PassageVector) (int64, error)

	// Unembedded returns live passages without a vector in a space, ordered by
	// document and ordinal, those of documents after the given id, at most limit:
	// all of a document's that have none, or none of it if they are not the first
	// and there is no room for them.
	Unembedded(ctx context.Context, company, space, after string, limit int) ([]Passage, error)

	// Vectors returns the vectors that the live passages of some documents have in
	// a space, in any order.
	Vectors(ctx context.Context, company, space string, documents []string) ([]PassageVector, error)

	// DropVectors removes up to limit vectors of a company that are of other spaces
	// than the one to keep, and returns how many it removed.
	DropVectors(ctx context.Context, company, keep string, limit int) (int, error)
}

// A PassageVector is the vector of a passage in some space.
type PassageVector struct {
	Ref
	Vector []float32
}

// Bounds of what a [VectorStore] takes, which returns an error for more, as it does
// for none.
const (
	MaxDimensions = 4096 // numbers of a vector
	MaxSpace      = 200  // bytes of the name of a space, which is text
)
