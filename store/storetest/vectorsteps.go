package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// vectorSteps are the steps of vectors and of the calibration, which their commits
// alone make fail.
var vectorSteps = []step{
	{"PutVectors", func(t *testing.T, k *kit) attempt {
		d := k.putOne(t, hours())
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error {
				return second(k.PutVectors(ctx, cm, spaceOne, someVectors(d.ID, 1, 3, 1)))
			},
			stream: k.agent,
		}
	}},
	{"SetCalibration", func(t *testing.T, k *kit) attempt {
		return attempt{
			good: func(ctx context.Context, cm store.Commit) error {
				return second(k.SetCalibration(ctx, cm, aCalibration(1)))
			},
			stream: k.agent,
		}
	}},
}

// absent is the result of a read of a company that is not there, which may as well
// have nothing.
func absent[T any](v []T, err error) (any, error) {
	if errors.Is(err, store.ErrNotFound) || len(v) == 0 && err == nil {
		return nil, nil
	}
	return v, err
}

// embedded are the vectors of the stage's documents.
func (st *stage) embedded(nth int) []knowledge.PassageVector {
	return append(someVectors(st.ids(id.Document, "all"), 1, 1, nth), someVectors(st.ids(id.Document, "own"), 1, 1, nth)...)
}

var embeddedTalks = append(slices.Clone(talks), "vectors")

var vectorActs = []act{
	{"PutVectors", ofDocuments, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.PutVectors(ctx, st.commit(), spaceOne, st.embedded(nth)))
	}},
	{"PutVectors of a new version", ofDocuments, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.PutVectors(ctx, st.commit(), spaceTwo, someVectors(st.ids(id.Document, "all"), 2, 1, nth)))
	}},
	{"DropVectors", ofDocuments, embeddedTalks, false, func(ctx context.Context, st *stage, _ int) (any, error) {
		return result(st.DropVectors(ctx, st.company, spaceTwo, 100))
	}},
	{"Unembedded", ofDocuments, embeddedTalks, true, func(ctx context.Context, st *stage, _ int) (any, error) {
		all, err := st.Unembedded(ctx, st.company, spaceOne, "", 100)
		return absent(bare(all), err)
	}},
	{"Vectors", ofDocuments, embeddedTalks, true, func(ctx context.Context, st *stage, _ int) (any, error) {
		all, err := st.Vectors(ctx, st.company, spaceOne, []string{st.ids(id.Document, "all")})
		return absent(sortedVectors(all), err)
	}},
	{"SetCalibration", ofDocuments, talks, false, func(ctx context.Context, st *stage, nth int) (any, error) {
		return result(st.SetCalibration(ctx, st.commit(), aCalibration(nth)))
	}},
}

var vectorMoves = []moveKind{
	{"PutVectors", talk, 4, aDocument, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		var all []knowledge.PassageVector
		for i := range n[1]%2 + 1 {
			docID, version := pick(w.documents, n[2]+i), n[3]%3+1
			if live, err := k.LiveDocument(ctx, k.company, docID); err == nil && n[3]%4 > 0 {
				version = live.Version
			}
			all = append(all, someVectors(docID, version, n[4]%3+1, n[5]%5)...)
		}
		return result(k.PutVectors(ctx, k.commit(), []string{spaceOne, spaceTwo}[n[5]%2], all))
	}},
	{"Unembedded", talk, 2, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.Unembedded(ctx, k.company, []string{spaceOne, spaceTwo}[n[1]%2], pick(append([]string{""}, w.documents...), n[2]), n[3]%9+1))
	}},
	{"Vectors", talk, 1, aDocument, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		all, err := k.Vectors(ctx, k.company, []string{spaceOne, spaceTwo}[n[1]%2], []string{pick(w.documents, n[2])})
		return sortedVectors(all), err
	}},
	{"DropVectors", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.DropVectors(ctx, k.company, []string{spaceOne, spaceTwo, ""}[n[1]%3], 10_000))
	}},
	{"SetCalibration", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		c := aCalibration(n[1] % 5)
		if n[2]%4 == 0 {
			c = nil
		}
		return result(k.SetCalibration(ctx, k.commit(), c))
	}},
	{"Calibration", talk, 1, nothing, func(ctx context.Context, w *world, k *kit, n [6]int) (any, error) {
		return result(k.Calibration(ctx, k.company))
	}},
}
