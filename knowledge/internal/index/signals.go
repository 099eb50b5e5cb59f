package index

import "math"

// Signals say how well the best passage meets the question: what a confidence
// is made of. They mean something with a single passage too, where scores do
// not.
type Signals struct {
	// Words is how many different words say what the question is about.
	Words int
	// Coverage is the share of the question, by weight, that the best passage
	// holds, and Known the share that any passage of the company holds, both
	// without stop words.
	Coverage, Known float64
	// Wording is Coverage with stop words, each with what it counts in the ranking:
	// next to nothing in a small company, where nobody can tell how common it is.
	Wording float64
	// Evidence is the weight of what the best passage holds: how surprising it
	// would be to meet it by chance, in nats.
	Evidence float64
	// Echo is the share of the best passage's own words that are words of the
	// question: 1 if it says what the question says and nothing else.
	Echo float64
	// Ratio is the weight of what the best passage holds, more for words that stand
	// in it often or stand in a short one, as a share of what it would be if each
	// word stood once in a passage of average length: 0, 1, and up to 2.2. Words
	// that an answer need not repeat count their weight if they are missing.
	Ratio float64
	// Volume is how many terms the company's passages have together: the more
	// there are, the more of a question is met by chance.
	Volume uint64
	// Top is the best passage's score, and Margin how far the best passage of
	// another document falls behind at least, as a share of it; 1 if there is none.
	Top, Margin float64
	// Asked is how much the question is one that the best passage answers, see
	// [Hit.Asked].
	Asked float64
}

// A word's weight is how surprising it would be to meet it in a passage. What
// the company's passages say of that is mixed with a prior worth priorPassages
// passages, in which a word stands in share of them: with one passage alone,
// inverse document frequency would say that its words are worth nothing. No word
// is rarer than rarest, so that a misspelling does not outweigh the rest of the
// question in a large company.
func surprise(n, df int, share float64) float64 {
	p := (float64(df) + priorPassages*share) / (float64(n) + priorPassages)
	return -math.Log(max(p, rarest))
}

const (
	priorPassages = 20
	contentShare  = 0.005
	functionShare = 0.1
	rarest        = 1e-4
)

// A word such as "how" or "please" counts a tenth in what a passage should hold:
// an answer need not repeat it. As evidence it counts more: a passage that asks
// the question in the same words is one of questions and answers. Both were
// chosen on clinc150 and msdocs100k.
const (
	functionWeight   = 0.1
	functionEvidence = 0.6
)

// evidence returns what a term of the question counts in Signals.
func (v *view) evidence(t *term) (weight, evidence float64) {
	if t.Content {
		w := surprise(v.live, t.df, contentShare)
		return w, w
	}
	w := surprise(v.live, t.df, functionShare)
	return w * functionWeight, w * functionEvidence
}

// queryTerm tells of a term of the question.
func (s *search) queryTerm(i int) QueryTerm {
	t := &s.terms[i]
	weight, _ := s.view.evidence(t)
	out := QueryTerm{Text: t.Text, Weight: weight}
	if t.guess > 0 {
		out.For = s.terms[t.guess-1].Text
	}
	return out
}

// A met is a word of the question and how far it is met.
type met struct {
	weight, evidence float64 // what it counts
	known, held      float64 // the shares of it that any passage and the best one hold
	strength         float64 // what evidence is multiplied by
	echo             float64 // the share of the best passage that it is
	content          bool
}

// signals describes the best of top.
func (s *search) signals() Signals {
	g := Signals{Volume: s.view.total}
	var all, known, held, strength, possible float64
	if len(s.top) > 0 {
		s.read(s.top[0].part, s.top[0].row)
	}
	for i := range s.terms[:s.said] {
		if s.terms[i].guess > 0 || s.isAlternative(i) {
			continue
		}
		m, ok := s.meet(i)
		if !ok {
			continue
		}
		all += m.weight
		if m.content {
			g.Words++
		}
		known += m.known * m.weight
		held += m.held * m.weight
		if len(s.top) > 0 {
			possible += m.weight + m.held*(m.evidence-m.weight)
		}
		strength += m.evidence * m.held * m.strength
		g.Echo += m.echo
	}
	if all > 0 {
		heldStops, allStops := s.wording()
		g.Coverage, g.Known, g.Evidence = held/all, known/all, held
		g.Wording = (held + heldStops) / (all + allStops)
	}
	if possible > 0 {
		g.Ratio = strength / possible
	}
	if len(s.lifted) > 0 {
		g.Asked = s.lifted[0].likeness
	}
	if len(s.top) > 0 {
		g.Top, g.Margin = float64(s.top[0].score), s.margin()
	}
	return g
}

// wording returns what the stop words of the question count, those in the best
// passage and all.
func (s *search) wording() (held, all float64) {
	if len(s.top) == 0 {
		return 0, 0
	}
	for _, i := range s.stops {
		term := s.words[i].term
		weight := float64(s.terms[term].single)
		if all += weight; len(s.places[term]) > 0 {
			held += weight
		}
	}
	return held, all
}

// margin is that of [Signals]. It is the same for any limit of hits: what is behind
// the best pairDepth passages may be as good as the last of them.
func (s *search) margin() float64 {
	top := s.top[0]
	for i, c := range s.front {
		if !s.view.sameDocument(c, top) || i == pairDepth-1 {
			return max(0, 1-float64(c.score/top.score))
		}
	}
	return 1
}

// isAlternative reports whether a term is another reading of one before it.
func (s *search) isAlternative(i int) bool {
	for j := range i {
		if s.alternatives(i, j) {
			return true
		}
	}
	return false
}

// alternatives reports whether two terms are readings of one word of the question.
func (s *search) alternatives(i, j int) bool {
	a, b := &s.terms[i], &s.terms[j]
	return a.At == b.At && !a.Whole && !b.Whole && a.guess == 0 && b.guess == 0
}

// meet tells how far a word is met: in that of its readings that is met best, else
// by what stands in for it.
func (s *search) meet(i int) (m met, ok bool) {
	for j := i; j < s.said; j++ {
		t := &s.terms[j]
		share := 1.0
		switch {
		case t.guess > 0 && s.alternatives(i, t.guess-1):
			share = guessWeight
		case !s.alternatives(i, j) && j != i, t.Whole && t.df == 0:
			continue // a word as a whole that nobody wrote: its parts count
		}
		n := met{content: t.Content}
		n.weight, n.evidence = s.view.evidence(t)
		if t.guess > 0 {
			n.weight, n.evidence = m.weight, m.evidence
		}
		if t.df > 0 {
			n.known = share
		}
		if tf := s.frequency(j); tf > 0 {
			length := s.view.parts[s.top[0].part].lengths[s.top[0].row]
			n.held, n.strength = share, (s.view.k1+1)*float64(s.view.impact(tf, length))
			n.echo = float64(tf) / float64(max(1, lengthOf[length]))
		}
		if !ok || n.held > m.held || n.held == m.held && n.known > m.known {
			m = n
		}
		ok = true
	}
	return m, ok
}

// frequency returns how often a term stands in the best passage, which was read last.
func (s *search) frequency(term int) uint32 {
	if len(s.top) == 0 {
		return 0
	}
	return uint32(len(s.places[term]))
}
