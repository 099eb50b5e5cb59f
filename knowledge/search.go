package knowledge

import (
	"context"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/confidence"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// Limits of a search.
const (
	DefaultHits = 10
	MaxHits     = 100
	MaxQuery    = 32 << 10 // bytes
)

// A Query is what to look for.
type Query struct {
	Text    string
	AgentID string // what this agent may use: its own documents and those of all; empty: everything

	// Filter chooses by metadata, before ranking. Each key must have the value
	// given, or one of the values of a list, or one that an object of operators
	// allows:
	//
	//	{"lang": "en", "tags": ["boat", "raft"], "price": {"$gte": 10, "$lt": 20}}
	//
	// The operators are $eq, $in, $gt, $gte, $lt, $lte, $prefix; $ne and $nin,
	// which turn $eq and $in round; and $exists with true or false. $and and $or
	// are keys with a list of filters, $not one with a filter. Strings are
	// compared with strings, byte by byte, and numbers with numbers; a value of
	// another type does not match. A list in the metadata matches if one of its
	// elements does all that is asked of its key, and an empty one is no value.
	//
	// $kind, $language, $source_id, $url and $external_id are keys for those of
	// the document, and title is one for that of content. A key of the metadata
	// that begins with $ is written with another $ before it.
	//
	// What breaks the rules, or a limit such as [MaxConditions], is an
	// [InvalidError] whose field is the place, such as filter.$or[1].price.$gte.
	Filter map[string]any

	Limit int // of hits; 0 means [DefaultHits], at most [MaxHits]

	// Languages are those that the text is likely to be in, as BCP 47 tags, the
	// likeliest first, such as those of an agent's settings. Its words are read as
	// those of the one it looks like, among these and those of the documents; if
	// nothing tells, the first. They choose no documents.
	Languages []string

	// Explain has [Results.Candidates] told. It changes nothing else.
	Explain bool

	// MinRevision is the revision that the knowledge searched has at least,
	// whatever [Options.Staleness] says: one that [Base.Revision] told after a
	// write, or that an earlier search or reply was made from. 0 asks for none;
	// one that the company has not reached is an [InvalidError].
	MinRevision int64
}

// Results are what a search found.
type Results struct {
	Hits []Hit // best first

	// Confidence is how likely it is that the hits answer the query, 0 to 1.
	Confidence float64

	// Calibrated is whether it was fitted to the company's own questions, see
	// [Base.Calibrate].
	Calibrated bool

	// Reasons say in short codes what lowers the confidence, and embedder_failed
	// that the query could not be embedded, so that words alone have found.
	Reasons []string

	// Terms are the words of the query as the index knows them, each once.
	Terms []QueryTerm

	// Languages are those that the query was read in, the likeliest first: two if
	// it is not sure which.
	Languages []string

	// Candidates are the passages that were looked at, if [Query.Explain] is set, at
	// most [MaxCandidates]: by rank, the hits first, and then those that the agent or
	// the filter leaves out.
	Candidates []Candidate

	Revision int64 // of the knowledge that was searched
}

// A QueryTerm is a word of a query, stemmed.
type QueryTerm struct {
	Text   string
	Weight float64 // how much it tells passages apart, 0 or more

	// For is the word of the query, which stands nowhere, that this one is looked
	// for instead, as if misspelt; empty: it is of the query itself.
	For string
}

// A Hit is a passage that was found.
type Hit struct {
	Passage
	Score  float64            // higher is better; comparable within one search only
	Scores map[string]float64 // how it came about, by stage: [ScoreBM25] and the others
}

// The stages of [Hit.Scores].
const (
	// ScoreBM25 is how the words of passage and query meet.
	ScoreBM25 = "bm25"

	// ScoreProximity is what words give that stand near each other in the passage as
	// they do in the query.
	ScoreProximity = "proximity"

	// ScoreQA is there if the passage is the answer of a pair that asks what the
	// query asks: 1 if one of its questions is the query, but for case,
	// punctuation and spaces, and .85 up to .99 if they are nearly the same. Such
	// passages come first.
	ScoreQA = "qa"

	// ScoreVector is the cosine of the vectors of passage and query, -1 to 1, if it
	// is among the greatest hundred.
	ScoreVector = "vector"

	// ScoreFused is what words and vectors come to together, as [Fusion] says, if
	// the query was embedded.
	ScoreFused = "fused"
)

// Search returns the passages that fit a query best. It is what a reply is made
// from.
func (b *Base) Search(ctx context.Context, q Query) (Results, error) {
	if q.Limit == 0 {
		q.Limit = DefaultHits
	}
	switch {
	case q.Limit < 1 || q.Limit > MaxHits:
		return Results{}, invalid("limit", "%d is not between 1 and %d", q.Limit, MaxHits)
	case len(q.Text) > MaxQuery:
		return Results{}, invalid("query", "%d bytes are more than %d", len(q.Text), MaxQuery)
	case strings.TrimSpace(q.Text) == "":
		return Results{}, invalid("query", "is empty")
	case q.MinRevision < 0:
		return Results{}, invalid("min_revision", "%d is less than 0", q.MinRevision)
	}
	if err := readable(q.Text); err != nil {
		return Results{}, invalid("query", "%v", err)
	}
	filter, err := readFilter(q.Filter)
	if err != nil {
		return Results{}, err
	}
	if q.AgentID, err = parseAgent(q.AgentID); err != nil {
		return Results{}, err
	}
	l := &look{
		base: b, likely: q.Languages, explains: q.Explain,
		query: index.Query{Text: q.Text, Limit: q.Limit, AgentID: q.AgentID, Filter: filter},
	}
	found, hits, revision, err := l.find(ctx, q.MinRevision)
	if err != nil {
		return Results{}, err
	}
	out := Results{Hits: hits, Terms: terms(found), Languages: l.languages, Candidates: l.candidates, Revision: revision}
	if len(hits) > 0 {
		out.Confidence, out.Reasons = confidence.Of(found.Signals), confidence.Reasons(found.Signals)
	} else {
		out.Reasons = []string{"nothing_found"}
	}
	scale, err := b.lib.scales.of(ctx, b.lib.store, b.company, revision)
	if err != nil {
		return Results{}, err
	}
	if scale != nil {
		out.Confidence, out.Calibrated = scale.Of(out.Confidence), true
	}
	if l.failed {
		out.Reasons = append(slices.Clip(out.Reasons), reasonWordsOnly)
	}
	return out, nil
}

// reasonWordsOnly says that the question could not be embedded.
const reasonWordsOnly = "embedder_failed"

// find searches the index, at a revision of at least least. One that finds what is
// gone is behind the store: if it has not caught up just now, it does, and is
// searched again, so that the new version of a document is not missed with the old.
func (l *look) find(ctx context.Context, least int64) (index.Result, []Hit, int64, error) {
	for now := false; ; now = true {
		at, err := l.base.lib.indexes.get(ctx, l.base.company, least, now)
		if err != nil {
			return index.Result{}, nil, 0, err
		}
		l.query.Languages = slices.Concat(l.likely, at.index.Languages())
		found, candidates, err := l.in(ctx, at)
		if err != nil {
			return index.Result{}, nil, 0, err
		}
		hits, err := l.base.hydrate(ctx, candidates)
		if err != nil {
			return index.Result{}, nil, 0, err
		}
		if !at.checked && len(hits) < len(candidates) {
			continue
		}
		l.languages = analysis.Reading(l.query.Text, l.query.Languages)
		if l.explains {
			l.candidates, err = l.explain(ctx, at, candidates, hits)
		}
		return found, hits, at.revision, err
	}
}

// reached returns an [InvalidError] if a revision that is asked for is not reached.
func reached(revision, least int64) error {
	if least > revision {
		return invalid("min_revision", "%d is more than %d, the revision that the company's knowledge has reached", least, revision)
	}
	return nil
}

// hydrate reads the passages of hits from the store, and drops those that are
// not live any more.
func (b *Base) hydrate(ctx context.Context, found []ranked) ([]Hit, error) {
	refs := make([]Ref, len(found))
	for i, h := range found {
		refs[i] = h.Ref
	}
	passages, err := b.lib.store.Passages(ctx, b.company, refs)
	if err != nil {
		return nil, err
	}
	byRef := make(map[Ref]Passage, len(passages))
	for _, p := range passages {
		byRef[p.Ref] = p
	}
	hits := make([]Hit, 0, len(found))
	for _, h := range found {
		if p, ok := byRef[h.Ref]; ok {
			hits = append(hits, Hit{Passage: p, Score: h.score, Scores: h.scores})
		}
	}
	return hits, nil
}

func headingText(path []string) string { return strings.Join(path, "\n") }

func terms(found index.Result) []QueryTerm {
	out := make([]QueryTerm, len(found.Terms))
	for i, t := range found.Terms {
		out[i] = QueryTerm{Text: t.Text, Weight: t.Weight, For: t.For}
	}
	return out
}

// Retrieve is Search in the knowledge of a company: a [Library] is what an agent
// retrieves from.
func (l *Library) Retrieve(ctx context.Context, company string, q Query) (Results, error) {
	return l.Company(company).Search(ctx, q)
}
