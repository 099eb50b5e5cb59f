package index

import "math"

// Signals say how well the best passage meets the question: what a confidence
// is made of. They do not depend on how many passages there are as scores do,
// and mean something with a single one.
type Signals struct {
	// Words is how many different words say what the question is about.
	Words int
	// Coverage is the share of them the best passage holds, by weight.
	Coverage float64
	// Known is the share of them that any passage of the company holds.
	Known float64
	// Ratio is what the best passage scores of what it would if every word
	// stood in it once, in a passage of average length: 0, 1, and up to 2.2.
	Ratio float64
	// Top is the best passage's score.
	Top float64
	// Margin is how far the best passage of another document falls behind, as
	// a share of Top; 1 if there is none.
	Margin float64
}

// The weight of a word in Signals is how surprising it would be to meet it in a
// passage. What the company's passages say of that is mixed with a prior worth
// priorPassages passages in which one word in 1/priorShare occurs: with one
// passage, inverse document frequency alone would say that its words are worth
// nothing. No word is rarer than rarest, so that a misspelling does not outweigh
// the rest of the question in a large company.
const (
	priorPassages = 20
	priorShare    = 0.005
	rarest        = 1e-4
)

// functionWeight is what a word such as "how" or "please" counts of its surprise
// where sentences are weighed.
const functionWeight = 0.1

func surprise(n, df int) float64 {
	p := (float64(df) + priorPassages*priorShare) / (float64(n) + priorPassages)
	return -math.Log(max(p, rarest))
}

// signals describes the best of top.
func (s *search) signals(st *state) Signals {
	var g Signals
	content := false
	for i := range s.terms {
		content = content || s.terms[i].Content
	}
	var all, known, held, scored float64
	for i := range s.terms {
		t := &s.terms[i]
		if content && !t.Content || t.Whole && t.df == 0 {
			continue // a word as a whole that nobody wrote: its parts count
		}
		w := surprise(st.live, t.df)
		all += w
		if content {
			g.Words++
		}
		if t.df > 0 {
			known += w
		}
		if len(s.top) == 0 {
			continue
		}
		row := s.top[0].row
		if tf := float64(t.in(row)); tf > 0 {
			held += w
			scored += w * tf * (st.k1 + 1) / (tf + float64(st.norms[st.lengths[row]]))
		}
	}
	if all > 0 {
		g.Known, g.Coverage, g.Ratio = known/all, held/all, scored/all
	}
	if len(s.top) > 0 {
		g.Top, g.Margin = float64(s.top[0].score), 1
		for _, c := range s.top[1:] {
			if st.docs[c.row] != st.docs[s.top[0].row] {
				g.Margin = 1 - float64(c.score)/g.Top
				break
			}
		}
	}
	return g
}
