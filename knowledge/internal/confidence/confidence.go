// Package confidence says how likely it is that what was found answers a
// question.
package confidence

import (
	"math"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// The coefficients of the logistic function in [Of], as printed by
//
//	go run ./knowledge/internal/measure -data DIR
//
// which fits them to 33,000 questions asked of companies drawn from clinc150
// (CC BY 3.0, clinc/oos-eval) and msdocs100k (CC BY 4.0, MicrosoftDocs): 4,800
// to 2.7 million terms in size, half of the questions with an answer and half
// without. On sets they were not fitted on, with half of the documents removed,
// the confidence tells right from wrong best hits with an AUROC of .92 (xquad-en)
// and .77 (stackfaq), and is off by .06 and .11 (mean error over tenths).
const (
	intercept = -4.51
	coverage  = 4.03
	evidence  = 1.33
	volume    = -2.17
)

// Between these numbers of terms in a company's passages, the more there are,
// the less the same match says. Below, there is nothing to fit on; above, the
// sets hold the same page many times over.
const (
	leastVolume = 3_000
	mostVolume  = 300_000
)

// A part of the question that no passage of the company mentions cannot be
// answered about. The sets say so less than sense does, because questions about
// another company's subject are not in them: this is a rule and was not fitted.
// It leaves 30 % of the confidence once half of the question is unheard of, and
// costs .02 to .03 of the AUROC on xquad-en.
const (
	unknownShare = 0.5
	unknownCost  = 0.7
)

// aimless is what is left for a question without a word of content, such as
// "how are you?".
const aimless = 0.6

// A question that is one of a pair, or nearly, is answered by the pair: its words
// stand for it, however few they are and however often they stand elsewhere. This is
// a rule too. With the texts of clinc150 and stackfaq as questions of pairs, 24 of 26
// questions that are one of them word for word are answered right (the set gives the
// other two, in the same words, another meaning), and 98 % of 916 that nearly are.
const (
	sameQuestion = 0.95
	nearQuestion = 0.9
)

// Of returns the confidence that the best hit answers the question, 0 to 1. It
// rises with coverage, known share and evidence, and falls with volume. It is high
// if the question is one that the best hit is the answer to.
func Of(g index.Signals) float64 {
	p := 0.0
	if g.Coverage > 0 {
		p = Discount(g) / (1 + math.Exp(-Logit(g, intercept, coverage, evidence, volume)))
	}
	switch {
	case g.Asked == 1:
		return max(p, sameQuestion)
	case g.Asked > 0:
		return max(p, nearQuestion)
	}
	return p
}

// Logit is the part of [Of] whose coefficients are fitted.
func Logit(g index.Signals, intercept, coverage, evidence, volume float64) float64 {
	f := Features(g)
	return intercept + coverage*f[0] + evidence*f[1] + volume*f[2]
}

// Features are what the coefficients multiply: coverage, the logarithm of
// evidence, and that of volume in decades from 10,000.
func Features(g index.Signals) [3]float64 {
	v := min(max(float64(g.Volume), leastVolume), mostVolume)
	return [3]float64{g.Coverage, math.Log1p(g.Evidence), math.Log10(v) - 4}
}

// Discount is the part of [Of] that is a rule.
func Discount(g index.Signals) float64 {
	d := 1 - unknownCost*min(1, (1-g.Known)/unknownShare)
	if g.Words == 0 {
		d *= aimless
	}
	return d
}

// Reasons name what lowers the confidence, in short codes: "nothing_found",
// "unknown_words" (some stand nowhere in the knowledge), "partial_match" (the
// best passage holds only a part of the question), "no_subject" (no word says
// what the question is about).
func Reasons(g index.Signals) []string {
	var reasons []string
	if g.Asked > 0 {
		return nil
	}
	if g.Coverage <= 0 {
		return []string{"nothing_found"}
	}
	if g.Words == 0 {
		reasons = append(reasons, "no_subject")
	}
	if g.Known < 0.8 {
		reasons = append(reasons, "unknown_words")
	}
	if g.Known-g.Coverage > 0.3 {
		reasons = append(reasons, "partial_match")
	}
	return reasons
}
