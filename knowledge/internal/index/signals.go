package index

import "math"

// Signals say how well the best passage meets the question: what a confidence
// is made of. They mean something with a single passage too, where scores do
// not.
type Signals struct {
	// Words is how many different words say what the question is about.
	Words int
	// Coverage is the share of the question, by weight, that the best passage
	// holds.
	Coverage float64
	// Known is the share that any passage of the company holds.
	Known float64
	// Evidence is the weight of what the best passage holds, more for words
	// that stand in it often or stand in a short one: how surprising it would
	// be to meet them by chance, in nats.
	Evidence float64
	// Ratio is Evidence as a share of what it would be if each word stood once
	// in a passage of average length: 0, 1, and up to 2.2.
	Ratio float64
	// Volume is how many terms the company's passages have together: the more
	// there are, the more of a question is met by chance.
	Volume uint64
	// Top is the best passage's score, and Margin how far the best passage of
	// another document falls behind, as a share of it; 1 if there is none.
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
	functionEvidence = 0.4
)

// weight returns what a term of the question counts in Signals.
func (s *state) weight(t *term) (weight, evidence float64) {
	if t.Content {
		w := surprise(s.live, t.df, contentShare)
		return w, w
	}
	w := surprise(s.live, t.df, functionShare)
	return w * functionWeight, w * functionEvidence
}

// signals describes the best of top.
func (s *search) signals(st *state) Signals {
	g := Signals{Volume: st.total}
	var all, known, held, possible float64
	for i := range s.terms {
		t := &s.terms[i]
		if t.Whole && t.df == 0 {
			continue // a word as a whole that nobody wrote: its parts count
		}
		weight, evidence := st.weight(t)
		all += weight
		possible += evidence
		if t.Content {
			g.Words++
		}
		if t.df > 0 {
			known += weight
		}
		if len(s.top) == 0 {
			continue
		}
		row := s.top[0].row
		if tf := float64(t.in(row)); tf > 0 {
			held += weight
			g.Evidence += evidence * tf * (st.k1 + 1) / (tf + float64(st.norms[st.lengths[row]]))
		}
	}
	if all > 0 {
		g.Coverage, g.Known, g.Ratio = held/all, known/all, g.Evidence/possible
	}
	if len(s.lifted) > 0 {
		g.Asked = s.lifted[0].likeness
	}
	if len(s.top) > 0 {
		g.Top, g.Margin = float64(s.top[0].score), 1
		for _, c := range s.top[1:] {
			if st.docs[c.row] != st.docs[s.top[0].row] {
				g.Margin = max(0, 1-float64(c.score)/g.Top)
				break
			}
		}
	}
	return g
}
