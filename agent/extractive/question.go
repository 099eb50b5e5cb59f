package extractive

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A set is a set of the question's terms, the heaviest 64 of them.
type set uint64

// maxTerms is how many terms a set has room for.
const maxTerms = 64

// A question is what is asked, as it is held against sentences.
type question struct {
	text     string
	terms    []knowledge.QueryTerm // as the index weighs them; nil: of a retriever of another make
	parts    []string              // what is asked one after another; at least one
	wants    expected
	readings []*reading
}

func newQuestion(q agent.Question) *question {
	return &question{text: q.Query, terms: q.Terms, parts: parts(q.Query), wants: expects(q.Query)}
}

// A reading is the question in the terms of one language.
type reading struct {
	language string
	weights  []float64 // by term
	at       map[string]int
	all      float64
	parts    []set    // the terms of the parts of the question
	words    []string // scratch
}

// in returns the question as passages in a language have its words.
func (q *question) in(language string) *reading {
	for _, r := range q.readings {
		if r.language == language {
			return r
		}
	}
	terms := q.weighed(language)
	r := &reading{language: language, at: make(map[string]int, len(terms))}
	for i, t := range terms {
		r.at[t.Text] = i
		r.weights = append(r.weights, t.Weight)
		r.all += t.Weight
	}
	r.all = max(r.all, 1e-9)
	if len(q.parts) > 1 {
		for _, p := range q.parts {
			r.parts = append(r.parts, r.held(p))
		}
	}
	q.readings = append(q.readings, r)
	return r
}

// weighed returns the terms of the question in a language with the weights of the
// index. Where the index read the question in another language than a passage is
// in, a term that it did not weigh counts like the mean of those it did.
func (q *question) weighed(language string) []knowledge.QueryTerm {
	own := knowledge.QueryTerms(q.text, language)
	terms := q.terms
	known := func(t knowledge.QueryTerm) bool {
		return slices.ContainsFunc(q.terms, func(o knowledge.QueryTerm) bool { return o.Text == t.Text })
	}
	if !slices.ContainsFunc(own, known) || slices.ContainsFunc(own, func(t knowledge.QueryTerm) bool { return t.Weight > 0 && !known(t) }) {
		sum, n := 0.0, 0.0
		for _, t := range q.terms {
			if t.Weight > 0 {
				sum, n = sum+t.Weight, n+1
			}
		}
		for i, t := range own {
			own[i].Weight *= cmp.Or(sum/max(n, 1), 1)
			if j := slices.IndexFunc(q.terms, func(o knowledge.QueryTerm) bool { return o.Text == t.Text }); j >= 0 {
				own[i].Weight = q.terms[j].Weight
			}
		}
		terms = own
	}
	if len(terms) > maxTerms {
		terms = slices.Clone(terms)
		slices.SortStableFunc(terms, func(a, b knowledge.QueryTerm) int { return cmp.Compare(b.Weight, a.Weight) })
		terms = terms[:maxTerms]
	}
	return terms
}

// held returns the terms of the question that a text holds.
func (r *reading) held(text string) (out set) {
	r.words = knowledge.AppendTerms(r.words[:0], text, r.language)
	for _, w := range r.words {
		if i, ok := r.at[w]; ok {
			out |= 1 << i
		}
	}
	return out
}

// share returns the share of the question's weight that a set holds.
func (r *reading) share(s set) float64 {
	held := 0.0
	for ; s != 0; s &= s - 1 {
		held += r.weights[bits.TrailingZeros64(uint64(s))]
	}
	return held / r.all
}
