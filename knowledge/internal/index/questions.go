package index

import (
	"cmp"
	"slices"
)

// A question is one that a passage answers, as a query is compared with it. Its
// passage is the first one of its document.
type question struct {
	form     link // questions of the same normal form
	words    link // questions of the same terms
	sense    sense
	document uint32
	terms    uint32 // where its terms begin in questionTerms
	count    uint16 // of them
}

// A link leads from a question to the one before it that has the same hash.
type link struct {
	hash   uint64
	before uint32 // its number plus one
}

// link notes a question under a hash.
func (s *state) link(hash uint64, number uint32) link {
	l := link{hash, s.byHash[hash]}
	s.byHash[hash] = number + 1
	return l
}

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

// A stagedQuestion is a question of a batch, its terms by their local numbers.
type stagedQuestion struct {
	wording
	numbers []uint32
}

// putQuestions notes the questions of a document that is put.
func (s *state) putQuestions(document uint32, list []stagedQuestion) {
	d := &s.documents[document]
	d.questions, d.questionCount = uint32(len(s.questions)), uint32(len(list))
	for _, q := range list {
		number := uint32(len(s.questions))
		s.questions = append(s.questions, question{
			form: s.link(q.form, number), words: s.link(q.words, number), sense: q.sense,
			document: document, terms: uint32(len(s.questionTerms)), count: uint16(len(q.numbers)),
		})
		s.questionTerms = append(s.questionTerms, q.numbers...)
	}
}

// questionsOf returns the questions of a document.
func (s *state) questionsOf(d *document) []question {
	return s.questions[d.questions : d.questions+d.questionCount]
}

// termsOf returns the numbers of a question's terms, each once, in order.
func (s *state) termsOf(q *question) []uint32 {
	return s.questionTerms[q.terms : q.terms+uint32(q.count)]
}

// An asked is the row of a question that is the query, or nearly.
type asked struct {
	candidate
	likeness float64 // 1 if it is the same, else from nearly to nearest
	own      bool    // of the agent's own, not of all agents
}

// lift finds the questions that the query asks, and puts their passages before the
// others: of those that are as like it, first the agent's own. At most limit
// passages stay.
func (s *search) lift(st *state, f *filter, w wording, agentID string, limit int) {
	if w.form != 0 {
		s.same(st, f, w.form)
	}
	if len(w.terms) > 0 {
		s.near(st, f, &w)
	}
	if own, ok := st.attrs[agentKey(agentID)]; ok && agentID != "" {
		for i := range s.lifted {
			s.lifted[i].own = slices.Contains(st.attributes(st.docs[s.lifted[i].row]), own)
		}
	}
	slices.SortFunc(s.lifted, func(a, b asked) int {
		if c := cmp.Compare(b.likeness, a.likeness); c != 0 || a.own == b.own {
			return cmp.Or(c, st.compare(a.candidate, b.candidate))
		}
		if a.own {
			return -1
		}
		return 1
	})
	s.lifted = s.lifted[:min(limit, len(s.lifted))]
	if len(s.lifted) > 0 {
		others := slices.DeleteFunc(s.top, func(c candidate) bool {
			return slices.ContainsFunc(s.lifted, func(l asked) bool { return st.samePassage(l.row, c.row) })
		})
		s.spare = append(s.spare[:0], others...)
		s.top = s.top[:0]
		for _, l := range s.lifted {
			s.top = append(s.top, l.candidate)
		}
		s.top = append(s.top, s.spare...)
	}
	s.top = s.top[:min(limit, len(s.top))]
}

// rowOf returns the row of a question, and whether it may be found.
func (s *state) rowOf(number uint32, f *filter) (uint32, bool) {
	d := &s.documents[s.questions[number].document]
	row := d.first + number - d.questions
	return row, !s.isDead(row) && f.allows(s, s.questions[number].document)
}

// same finds the questions with a normal form.
func (s *search) same(st *state, f *filter, form uint64) {
	for n := st.byHash[form]; n != 0; n = st.questions[n-1].form.before {
		row, ok := st.rowOf(n-1, f)
		if !ok {
			continue
		}
		if last := len(s.lifted) - 1; last >= 0 && st.docs[s.lifted[last].row] == st.docs[row] {
			s.lifted = s.lifted[:last] // one document asks it twice: its first counts
		}
		s.lifted = append(s.lifted, asked{candidate: candidate{s.scoreOf(st, row), row}, likeness: 1})
	}
}

// near finds questions that are nearly the query: those of the same terms, and those
// of the documents that are ranked best.
func (s *search) near(st *state, f *filter, w *wording) {
	s.want(st, w.terms)
	for n := st.byHash[w.words]; n != 0; n = st.questions[n-1].words.before {
		if row, ok := st.rowOf(n-1, f); ok {
			s.compare(st, w, st.docs[row], n-1, n)
		}
	}
	for _, c := range s.top {
		if d := &st.documents[st.docs[c.row]]; d.questionCount > 0 {
			s.compare(st, w, st.docs[c.row], d.questions, d.questions+d.questionCount)
		}
	}
}

// want looks up the terms of the query.
func (s *search) want(st *state, terms []string) {
	s.wanted, s.wantedWeight = s.wanted[:0], 0
	for _, t := range terms {
		n, ok := st.terms[t]
		df := 0
		if ok {
			df = st.df(&st.postings[n])
		} else {
			n = unknownTerm
		}
		weight := surprise(st.live, df, contentShare)
		s.wanted = append(s.wanted, wantedTerm{n, weight, st.isRare(df)})
		s.wantedWeight += weight
	}
}

// compare lifts a document if one of some of its questions is nearly the query.
func (s *search) compare(st *state, w *wording, document, from, to uint32) {
	if slices.ContainsFunc(s.lifted, func(l asked) bool { return st.docs[l.row] == document }) {
		return
	}
	best, at := 0.0, from
	for n := from; n < to; n++ {
		q := &st.questions[n]
		if !q.sense.agrees(w.sense) {
			continue
		}
		if l := s.likeness(st, st.termsOf(q), w.sense.directed && q.sense.directed); l > best {
			best, at = l, n
		}
	}
	if best >= nearly {
		d := &st.documents[document]
		row := d.first + at - d.questions
		s.lifted = append(s.lifted, asked{candidate: candidate{s.scoreOf(st, row), row}, likeness: min(best, nearest)})
	}
}

// A wantedTerm is a term of the query, as it is compared with those of questions.
type wantedTerm struct {
	number uint32
	weight float64
	rare   bool
}

const unknownTerm = 1<<32 - 1

// isRare reports whether a term stands in few of the passages.
func (s *state) isRare(df int) bool {
	return float64(df)+priorPassages*contentShare < rareTerm*float64(s.live+priorPassages)
}

// likeness returns what part of the terms' weight query and question share: of the
// one of the two that shares less; 0 if only one has a rare term.
func (s *search) likeness(st *state, terms []uint32, directed bool) float64 {
	both, weight := 0.0, 0.0
	for _, t := range s.wanted {
		if slices.Contains(terms, t.number) {
			both += t.weight
		} else if t.rare {
			return 0
		}
	}
	last := -1
	for _, n := range terms {
		i := slices.IndexFunc(s.wanted, func(t wantedTerm) bool { return t.number == n })
		if i >= 0 {
			weight += s.wanted[i].weight
			if directed && i < last {
				return 0
			}
			last = i
			continue
		}
		df := st.df(&st.postings[n])
		if st.isRare(df) {
			return 0
		}
		weight += surprise(st.live, df, contentShare)
	}
	return both / max(weight, s.wantedWeight)
}

// scoreOf returns what the terms of the query give a row.
func (s *search) scoreOf(st *state, row uint32) (score float32) {
	for i := range s.terms {
		t := &s.terms[i]
		if tf := float32(t.in(row)); tf > 0 {
			score += t.weight * tf / (tf + st.norms[st.lengths[row]])
		}
	}
	return score
}
