package knowledge

import (
	"context"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// MaxCandidates is how many candidates a search tells of at most; no more than half
// of them are such as the agent or the filter leaves out.
const MaxCandidates = 100

// A Candidate is a passage that a search has looked at.
type Candidate struct {
	Ref
	PassageID string // empty if it is gone
	Title     string // likewise

	// Rank is its place among all that the query may find, 1 being the best; 0 if
	// it may not be found, or is gone.
	Rank   int
	Score  float64            // as in [Hit]; 0 without a rank
	Scores map[string]float64 // by stage, as in [Hit]

	// Left is why it is not among the hits: one of [LeftAgent] and the others;
	// empty if it is.
	Left string
}

// Why a candidate is not among the hits.
const (
	LeftAgent  = "agent"  // it is another agent's
	LeftFilter = "filter" // the filter leaves it out
	LeftLimit  = "limit"  // there are better ones, as many as were asked for
	LeftGone   = "gone"   // it was deleted, or replaced, a moment ago
)

// explain returns what an index has for the query: first what it was answered with
// and was read from the store as hits, then what comes behind that, then what agent
// and filter leave out, in the order it would have without them.
func (l *look) explain(ctx context.Context, at lookup, answered []ranked, hits []Hit) ([]Candidate, error) {
	q := l.query
	q.Limit = legHits
	_, wide, err := l.legs(at, q)
	if err != nil {
		return nil, err
	}
	listed := map[Ref]bool{}
	var list []Candidate
	add := func(r ranked, left string) {
		if !listed[r.Ref] {
			listed[r.Ref] = true
			list = append(list, Candidate{Ref: r.Ref, Score: r.score, Scores: r.scores, Left: left})
		}
	}
	for _, r := range answered {
		add(r, "")
	}
	for _, r := range wide {
		add(r, LeftLimit)
	}
	if may := at.index.Allow(q); may != nil {
		behind := len(list)
		mayAgent := at.index.Allow(index.Query{AgentID: q.AgentID})
		q.AgentID, q.Filter = "", nil
		_, all, err := l.legs(at, q)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			r.score = 0
			delete(r.scores, ScoreFused)
			switch {
			case may(r.DocumentID):
			case mayAgent != nil && !mayAgent(r.DocumentID):
				add(r, LeftAgent)
			default:
				add(r, LeftFilter)
			}
		}
		out := min(len(list)-behind, MaxCandidates/2, MaxCandidates-len(answered))
		list = slices.Delete(list[:behind+out], min(behind, MaxCandidates-out), behind)
	}
	list = list[:min(len(list), MaxCandidates)]
	return list, l.base.identify(ctx, list, hits)
}

// identify fills in what candidates are, and their ranks. Those that are not live
// any more are gone: of the first, what is not among hits.
func (b *Base) identify(ctx context.Context, list []Candidate, hits []Hit) error {
	there := make(map[Ref]Passage, len(list))
	for _, h := range hits {
		there[h.Ref] = h.Passage
	}
	var refs []Ref
	for _, c := range list {
		if c.Left != "" {
			refs = append(refs, c.Ref)
		}
	}
	passages, err := b.lib.store.Passages(ctx, b.company, refs)
	if err != nil {
		return err
	}
	for _, p := range passages {
		there[p.Ref] = p
	}
	rank := 0
	for i := range list {
		c := &list[i]
		p, live := there[c.Ref]
		if !live {
			c.Left, c.Score = LeftGone, 0
			continue
		}
		c.PassageID, c.Title = p.ID, p.Title
		if c.Left == "" || c.Left == LeftLimit {
			rank++
			c.Rank = rank
		}
	}
	return nil
}
