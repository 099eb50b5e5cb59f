package judged

import (
	"cmp"
	"math"
	"slices"
)

// Ranked measures the first ten hits of a question: nDCG with gains 2^grade − 1,
// the reciprocal rank of the first relevant one, and the share of the relevant
// documents that are among them.
func Ranked(hits []string, grades map[string]float64) (ndcg, reciprocal, recall float64) {
	gain := func(grade float64, rank int) float64 { return (math.Exp2(grade) - 1) / math.Log2(float64(rank)+2) }
	var sum, ideal float64
	found := 0
	for i, id := range hits[:min(len(hits), 10)] {
		g := grades[id]
		if g <= 0 {
			continue
		}
		sum += gain(g, i)
		found++
		if reciprocal == 0 {
			reciprocal = 1 / float64(i+1)
		}
	}
	var best []float64
	for _, g := range grades {
		if g > 0 {
			best = append(best, g)
		}
	}
	slices.SortFunc(best, func(a, b float64) int { return cmp.Compare(b, a) })
	for i, g := range best[:min(len(best), 10)] {
		ideal += gain(g, i)
	}
	return sum / ideal, reciprocal, float64(found) / float64(len(best))
}

// An Outcome is a confidence and whether it was right to have it.
type Outcome struct {
	Confidence float64
	Right      bool
}

// AUROC is the probability that a right Outcome has more confidence than a
// wrong one.
func AUROC(list []Outcome) float64 {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Outcome) int { return cmp.Compare(a.Confidence, b.Confidence) })
	var sum, right float64
	for i := 0; i < len(list); {
		j := i
		for j < len(list) && list[j].Confidence == list[i].Confidence {
			j++
		}
		for _, o := range list[i:j] {
			if o.Right {
				sum += float64(i+j+1) / 2 // ties share their ranks
				right++
			}
		}
		i = j
	}
	return (sum - right*(right+1)/2) / (right * (float64(len(list)) - right))
}

// A Tenth is the outcomes of a confidence within a tenth: how many, their mean
// confidence, and the share of them that is right.
type Tenth struct {
	Questions         int
	Confidence, Right float64
}

// Reliability tells how confidence and outcome agree in each tenth.
func Reliability(list []Outcome) (tenths [10]Tenth) {
	for _, o := range list {
		t := &tenths[min(int(o.Confidence*10), 9)]
		t.Questions++
		t.Confidence += o.Confidence
		if o.Right {
			t.Right++
		}
	}
	for i := range tenths {
		if n := float64(tenths[i].Questions); n > 0 {
			tenths[i].Confidence /= n
			tenths[i].Right /= n
		}
	}
	return tenths
}

// CalibrationError is how far confidence is from the share that is right, in
// tenths, weighted by how many fall into each.
func CalibrationError(list []Outcome) float64 {
	sum := 0.0
	for _, t := range Reliability(list) {
		sum += math.Abs(t.Confidence-t.Right) * float64(t.Questions)
	}
	return sum / float64(len(list))
}

// Share is how many of the list are right, as a share.
func Share(list []Outcome) float64 {
	n := 0.0
	for _, o := range list {
		if o.Right {
			n++
		}
	}
	return n / float64(len(list))
}

// RiskCoverage returns, for each number of questions that are answered, the surest
// first, the share of the answers that are wrong. Of questions that are equally sure
// each is answered in part.
func RiskCoverage(list []Outcome) []float64 {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Outcome) int { return cmp.Compare(b.Confidence, a.Confidence) })
	curve := make([]float64, 0, len(list))
	wrong := 0.0
	for len(list) > 0 {
		same := 1
		for same < len(list) && list[same].Confidence == list[0].Confidence {
			same++
		}
		each := 1 - Share(list[:same])
		for range same {
			wrong += each
			curve = append(curve, wrong/float64(len(curve)+1))
		}
		list = list[same:]
	}
	return curve
}
