package knowledge

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/vectors"
)

// A Fusion says how what the words of a question find and what its vector finds
// become one list. The zero value adds the scores of both, each put between 0 and 1
// by the least and the greatest of its hundred candidates, half and half.
type Fusion struct {
	// Weight is what the vectors count, above 0 and below 1, the words counting the
	// rest; 0 means .5.
	Weight float64

	// Ranks takes the places in the two lists in the place of the scores: each gives
	// a passage 1/(60+place), weighted likewise. (Reciprocal rank fusion: Cormack,
	// Clarke and Büttcher, SIGIR 2009, from which the 60 is.)
	Ranks bool
}

const (
	legHits  = 100 // candidates of the words, and of the vectors
	rankBase = 60
)

// A ranked passage was found by its words, its vector, or both.
type ranked struct {
	Ref
	asked  float64 // as in [index.Hit]
	score  float64
	scores map[string]float64
}

// lexical returns what words alone have found.
func lexical(found []index.Hit) []ranked {
	out := make([]ranked, len(found))
	for i, h := range found {
		out[i] = ranked{Ref: Ref{DocumentID: h.DocumentID, Version: h.Version, Ordinal: h.Ordinal}, asked: h.Asked, score: h.Score, scores: map[string]float64{ScoreBM25: h.BM25}}
		if h.Proximity != 0 {
			out[i].scores[ScoreProximity] = h.Proximity
		}
		if h.Asked > 0 {
			out[i].scores[ScoreQA] = h.Asked
		}
	}
	return out
}

// fuse makes one list of what words and vectors have found, best first. Answers of
// pairs that ask the question come before all others, in their order.
func (o Fusion) fuse(words []index.Hit, near []vectors.Hit) []ranked {
	weight := cmp.Or(o.Weight, .5)
	out := lexical(words)
	places := make(map[Ref]int, len(out)+len(near))
	byWords, byVectors := make([]float64, len(out)), make([]float64, len(near))
	for i, h := range words {
		places[out[i].Ref], byWords[i] = i, h.Score
		if h.Asked > 0 {
			byWords[i] = h.BM25 // its score puts it before all others
		}
	}
	for i, h := range near {
		byVectors[i] = h.Score
	}
	if len(words) < legHits {
		byWords = append(byWords, 0) // what all others have
	}
	byWords, byVectors = o.shares(byWords), o.shares(byVectors)
	for i := range out {
		out[i].score = (1 - weight) * byWords[i]
	}
	for i, h := range near {
		ref := Ref{DocumentID: h.DocumentID, Version: h.Version, Ordinal: h.Ordinal}
		at, there := places[ref]
		if !there {
			at = len(out)
			out = append(out, ranked{Ref: ref, scores: map[string]float64{}})
		}
		out[at].score += weight * byVectors[i]
		out[at].scores[ScoreVector] = h.Score
	}
	for i := range out {
		out[i].scores[ScoreFused] = out[i].score
		if out[i].asked > 0 {
			out[i].score = 1 + out[i].asked // more than any other has
		}
	}
	slices.SortStableFunc(out, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.DocumentID, b.DocumentID), cmp.Compare(a.Ordinal, b.Ordinal))
	})
	return out
}

// shares returns what each of some scores, best first, counts, from 0 to 1.
func (o Fusion) shares(scores []float64) []float64 {
	out := make([]float64, len(scores))
	if len(scores) == 0 {
		return out
	}
	least, most := slices.Min(scores), slices.Max(scores)
	for i, s := range scores {
		switch {
		case o.Ranks:
			out[i] = 1 / float64(rankBase+i+1)
		case most == least:
			out[i] = 1
		default:
			out[i] = (s - least) / (most - least)
		}
	}
	return out
}

// A look is one search of an index, with the question's vector once there is one.
type look struct {
	base     *Base
	query    index.Query
	likely   []string // languages, before those of the documents
	explains bool
	question []float32
	failed   bool // to embed the question

	languages  []string // that it was read in
	candidates []Candidate
}

// in searches an index by words and, if it has vectors, by vectors.
func (l *look) in(ctx context.Context, at lookup) (index.Result, []ranked, error) {
	if err := l.embed(ctx, at); err != nil {
		return index.Result{}, nil, err
	}
	found, hits, err := l.legs(at, l.query)
	return found, hits[:min(l.query.Limit, len(hits))], err
}

// embed asks for the question's vector, once, if the index has vectors.
func (l *look) embed(ctx context.Context, at lookup) error {
	e := l.base.lib.embedding
	if e == nil || at.vectors.Len() == 0 || l.question != nil || l.failed {
		return nil
	}
	question, err := e.question(ctx, l.query.Text)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil {
		err = vectors.Check(question, at.vectors.Dimensions())
	}
	if l.failed = err != nil; l.failed {
		e.log.WarnContext(ctx, "a question could not be embedded", "company", l.base.company, "space", e.space, "kind", kindOfFailure(err))
		return nil
	}
	l.question = question
	return nil
}

// legs returns what words find and, if there are vectors and the question has one,
// what both find, of which there may be more than the query's limit.
func (l *look) legs(at lookup, q index.Query) (index.Result, []ranked, error) {
	if l.question == nil || at.vectors.Len() == 0 {
		found := at.index.Search(q)
		return found, lexical(found.Hits), nil
	}
	q.Limit = legHits
	found := at.index.Search(q)
	near, err := at.vectors.Search(l.question, legHits, allowed(at.index, q))
	if err != nil {
		return index.Result{}, nil, err
	}
	return found, l.base.lib.fusion.fuse(found.Hits, near), nil
}

// allowed returns what of an index a query may find, nil for all of it.
func allowed(x *index.Index, q index.Query) func(documentID string, ordinal int) bool {
	may := x.Allow(q)
	if may == nil {
		return nil
	}
	return func(documentID string, _ int) bool { return may(documentID) }
}
