package index

// An Explanation says why a passage is where it is in a result, or is in none.
type Explanation struct {
	Found   bool // it is in the index
	Allowed bool // the agent and the filter of the query allow it
	// Rank is its place, 1 being the best, in a result without limit; 0 if it is in
	// none: it is not allowed, or holds no word of the question.
	Rank int
	Hit  Hit // as it is in that result, or what is known of it

	Terms []TermScore // of the question, as in [Result.Terms]
}

// A TermScore is what a word of the question gives a passage.
type TermScore struct {
	QueryTerm
	Passages  int     // that hold it, in the whole index
	Frequency int     // how often the passage does, by the weights of fields
	Score     float64 // its part of [Hit.BM25]
}

// Explain ranks as Search does, and says what became of a passage.
func (x *Index) Explain(q Query, documentID string, ordinal int) (e Explanation) {
	s := searches.Get().(*search)
	defer s.end()
	if q.Limit <= 0 {
		q.Limit = 10
	}
	s.begin(x, &q)
	v := s.view
	p, d, ok := v.find(documentID)
	if !ok {
		return e
	}
	c := candidate{}
	for &v.parts[c.part] != p {
		c.part++
	}
	first, end := p.rowsOf(d)
	for row := first; row < end; row++ {
		if int(p.ordinals.At(row)) != ordinal {
			continue
		}
		if of := (candidate{part: c.part, row: row, bm25: s.bm25(c.part, row)}); !e.Found || of.bm25 > c.bm25 {
			c = of
		}
		e.Found = true
	}
	if !e.Found {
		return e
	}
	f := s.filter(p, &q)
	e.Allowed = f.allows(d)
	if c.bm25 > 0 {
		s.approach(&c)
	}
	v.describe(c, &e.Hit)
	e.Hit.DocumentID = string(v.appendID(nil, c))
	e.Hit.Matched = s.matched(c)

	q.Limit = max(v.live, 1)
	best := s.rank(x, &q)
	for i, o := range s.top {
		if !v.samePassage(o, c) {
			continue
		}
		e.Rank = i + 1
		c = o
		v.describe(c, &e.Hit)
		e.Hit.Matched = s.matched(c)
		if i < len(s.lifted) {
			e.Hit.Asked = s.lifted[i].likeness
			e.Hit.Score = (1 + best) * (1 + e.Hit.Asked)
		}
		break
	}
	for i := range s.terms[:s.said] {
		t := TermScore{QueryTerm: s.queryTerm(i), Passages: s.terms[i].df, Frequency: int(s.list(i, c.part).In(c.row))}
		if t.Frequency > 0 {
			t.Score = float64(s.terms[i].weight * v.impact(uint32(t.Frequency), p.lengths[c.row]))
		}
		e.Terms = append(e.Terms, t)
	}
	return e
}
