package confidence

import (
	"math"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// A question about something that no passage of the company mentions is not answered
// by the passage that has the rest of its words. The sets say so less than sense does,
// because questions about another company's subject are not in them: this is a rule
// and was not fitted. It leaves a quarter of the confidence once half of a question,
// by weight, is unheard of, nothing being lost up to unknownLeast of it; in questions
// of more than fewWords words of content, where each says less, it takes less. It
// costs .003 of the AUROC on clinc150, .004 on stackfaq and nothing on xquad-en.
const (
	unknownLeast = 0.45
	unknownShare = 0.5
	unknownCost  = 0.75
	fewWords     = 3
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

// Of returns the confidence that the best hit answers the question, 0 to 1. It is
// high if the question is one that the best hit is the answer to.
func Of(g index.Signals) float64 { return weights.Of(g) }

// Weights are those of the logistic function: the first stands alone, the others
// are of [Features] and not negative.
type Weights [1 + len(Features{})]float64

// Of is [Of] with these weights.
func (w Weights) Of(g index.Signals) float64 {
	p := 0.0
	if g.Coverage > 0 {
		logit := w[0]
		for i, f := range FeaturesOf(g) {
			logit += w[1+i] * f
		}
		p = Discount(g) / (1 + math.Exp(-logit))
	}
	switch {
	case g.Asked == 1:
		return max(p, sameQuestion)
	case g.Asked > 0:
		return max(p, nearQuestion)
	}
	return p
}

// Features are what is weighed: each, the more the surer.
type Features [7]float64

// FeatureNames tell what they are.
var FeatureNames = [len(Features{})]string{"log ratio", "root evidence", "wording", "standing out", "smallness", "tininess", "brevity"}

// FeaturesOf returns the features of signals: the logarithm of ratio, the root of
// evidence, wording, how far the best passage stands out, two of the company's volume,
// and how short the question is, of a longer one more being met by chance. The volume
// is in decades: how far it is above smallVolume, negative, for the more there is, the
// more is met by chance, and how far below, where words cannot be rare. A passage that
// says what the question says and nothing else, by its echo, is not met by chance, and
// stands out even if others say the same.
func FeaturesOf(g index.Signals) Features {
	echo := min(1, max(0, (g.Echo-leastEcho)/(mostEcho-leastEcho)))
	volume := float64(g.Volume)
	large := math.Log10(min(max(volume, smallVolume), mostVolume) / smallVolume)
	tiny := math.Log10(smallVolume / min(max(volume, leastVolume), smallVolume))
	return Features{math.Log(max(leastRatio, g.Ratio)), math.Sqrt(g.Evidence), g.Wording, 1 - (1-g.Margin)*(1-echo), -large * (1 - echo), tiny, -math.Log1p(float64(g.Words))}
}

// Where features end. Volume is in terms: below leastVolume there is nothing to fit
// on; above mostVolume the sets hold the same page many times over.
const (
	leastRatio  = 0.02
	leastEcho   = 0.1
	mostEcho    = 0.5
	leastVolume = 100
	smallVolume = 3_000
	mostVolume  = 300_000
)

// Discount is the part of [Of] that is a rule.
func Discount(g index.Signals) float64 {
	if g.Words == 0 {
		return aimless
	}
	unknown := min(max((1-g.Known-unknownLeast)/(unknownShare-unknownLeast), 0), 1)
	return 1 - unknownCost*unknown*min(1, fewWords/float64(g.Words))
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
