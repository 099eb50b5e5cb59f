package index

import (
	"cmp"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/analysis"
)

// A query asks nearly what a question asks if they agree in their [sense], and if
// their terms are the same but for words that stand in one of ten passages or more
// and have little of the weight, in both. Of 916 questions of clinc150 and stackfaq
// that come near one, 98 % are answered by it.
const (
	nearly   = 0.85
	rareTerm = 0.1
	nearest  = 0.99 // the most a question is like another that is not the same
)

// nearDepth is how many of the best passages are looked at for questions that are
// nearly the query and have other terms.
const nearDepth = 32

// lifting is what finding questions uses.
type lifting struct {
	lifted       []asked
	spare        []candidate
	wanted       []wantedTerm
	wantedWeight float64
	held         []uint32 // terms of a question
}

// An asked is the row of a question that is the query, or nearly.
type asked struct {
	candidate
	likeness float64 // 1 if it is the same, else from nearly to nearest
	own      bool    // of the agent's own, not of all agents
}

// lift finds the questions that the query asks, and puts their passages before the
// others: of those that are as like it, first the agent's own.
func (s *search) lift(x *Index, q *Query) {
	w := word(s.analyzer(x, q), q.Text)
	s.want(w.terms)
	for i := range s.view.parts {
		if p := &s.view.parts[i]; p.questions.count > 0 {
			s.liftOf(p, uint32(i), q, &w)
		}
	}
	slices.SortFunc(s.lifted, func(a, b asked) int {
		if c := cmp.Compare(b.likeness, a.likeness); c != 0 || a.own == b.own {
			return cmp.Or(c, s.view.compare(a.candidate, b.candidate))
		}
		if a.own {
			return -1
		}
		return 1
	})
	s.lifted = s.lifted[:min(q.Limit, len(s.lifted))]
	if len(s.lifted) == 0 {
		return
	}
	others := slices.DeleteFunc(s.top, func(c candidate) bool {
		return slices.ContainsFunc(s.lifted, func(l asked) bool { return s.view.samePassage(l.candidate, c) })
	})
	s.spare = append(s.spare[:0], others...)
	s.top = s.top[:0]
	for _, l := range s.lifted {
		s.top = append(s.top, l.candidate)
	}
	s.top = append(s.top, s.spare...)
}

// analyzer returns that of the language a question is likeliest in.
func (s *search) analyzer(x *Index, q *Query) *analysis.Analyzer {
	among := q.Languages
	if len(among) == 0 {
		among = s.view.languages
	}
	if len(among) == 0 {
		return x.analyzer
	}
	language, _ := analysis.Detect(q.Text, among)
	return analysis.For(language)
}

// liftOf finds the questions of a part.
func (s *search) liftOf(p *part, number uint32, q *Query, w *wording) {
	f := s.filter(p, q)
	if f.kind() == never {
		return
	}
	begin := len(s.lifted)
	list := &p.questions
	allowed := func(d uint32) bool { return !p.isDocumentGone(d) && f.allows(d) }
	if w.form != 0 {
		list.with(&list.byForm, list.form, w.form, func(n uint32) {
			if d := list.documents.Get(n); allowed(d) && !s.isLifted(p, begin, d) { // its first such question counts
				s.liftRow(p, number, d, n, 1)
			}
		})
	}
	if len(w.terms) > 0 {
		for i := range s.wanted {
			t := &s.wanted[i]
			if n, found := p.terms.Find([]byte(t.text)); found {
				t.number = n
			} else {
				t.number = unknownTerm
			}
		}
		list.with(&list.byWords, list.words, w.words, func(n uint32) {
			if d := list.documents.Get(n); allowed(d) && !s.isLifted(p, begin, d) {
				s.compare(p, number, w, d, n, n+1)
			}
		})
		for _, c := range s.top[:min(len(s.top), nearDepth)] {
			if c.part != number {
				continue
			}
			d := p.docs[c.row]
			if first, end := list.of(d); first < end && !s.isLifted(p, begin, d) {
				s.compare(p, number, w, d, first, end)
			}
		}
	}
	if q.AgentID != "" {
		own, ok := p.attrKeys.Find([]byte(agentKey(q.AgentID)))
		for i := range s.lifted[begin:] {
			l := &s.lifted[begin+i]
			l.own = ok && p.attrs[p.attrStarts[p.docs[l.row]]] == own
		}
	}
}

// isLifted reports whether a question of a document of the part was found, of those
// from begin on.
func (s *search) isLifted(p *part, begin int, document uint32) bool {
	return slices.ContainsFunc(s.lifted[begin:], func(l asked) bool { return p.docs[l.row] == document })
}

// liftRow notes that a question of a document is the query, or nearly.
func (s *search) liftRow(p *part, number, document, question uint32, likeness float64) {
	first, _ := p.questions.of(document)
	row, _ := p.rowsOf(document)
	c := candidate{part: number, row: row + question - first}
	c.bm25 = s.bm25(number, c.row)
	s.approach(&c)
	s.lifted = append(s.lifted, asked{candidate: c, likeness: likeness})
}

// A wantedTerm is a term of the query, as it is compared with those of questions.
type wantedTerm struct {
	text   string
	number uint32 // in the part looked at
	weight float64
	rare   bool
}

const unknownTerm = 1<<32 - 1

// want looks up the terms of the query.
func (s *search) want(terms []string) {
	s.wanted, s.wantedWeight = s.wanted[:0], 0
	for _, t := range terms {
		df := s.view.df([]byte(t))
		weight := surprise(s.view.live, df, contentShare)
		s.wanted = append(s.wanted, wantedTerm{text: t, weight: weight, rare: s.view.isRare(df)})
		s.wantedWeight += weight
	}
}

// compare lifts a document if one of some of its questions is nearly the query.
func (s *search) compare(p *part, number uint32, w *wording, document, from, to uint32) {
	best, at := 0.0, from
	for n := from; n < to; n++ {
		sense := p.questions.sense(n)
		if !sense.agrees(w.sense) {
			continue
		}
		if l := s.likeness(p, n, w.sense.directed && sense.directed); l > best {
			best, at = l, n
		}
	}
	if best >= nearly {
		s.liftRow(p, number, document, at, min(best, nearest))
	}
}

// isRare reports whether a term stands in few of the passages.
func (v *view) isRare(df int) bool {
	return float64(df)+priorPassages*contentShare < rareTerm*float64(v.live+priorPassages)
}

// likeness returns what part of the terms' weight query and question share: of the
// one of the two that shares less; 0 if only one has a rare term.
func (s *search) likeness(p *part, question uint32, directed bool) float64 {
	s.held = p.questions.appendTerms(s.held[:0], question)
	both, weight := 0.0, 0.0
	for _, t := range s.wanted {
		if slices.Contains(s.held, t.number) {
			both += t.weight
		} else if t.rare {
			return 0
		}
	}
	last := -1
	for _, n := range s.held {
		i := slices.IndexFunc(s.wanted, func(t wantedTerm) bool { return t.number == n })
		if i >= 0 {
			weight += s.wanted[i].weight
			if directed && i < last {
				return 0
			}
			last = i
			continue
		}
		var buffer [64]byte
		df := s.view.df(p.terms.Append(buffer[:0], n))
		if s.view.isRare(df) {
			return 0
		}
		weight += surprise(s.view.live, df, contentShare)
	}
	return both / max(weight, s.wantedWeight)
}
