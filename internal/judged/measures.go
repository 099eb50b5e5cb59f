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

// CalibrationError is how far confidence is from the share that is right, in
// tenths, weighted by how many fall into each.
func CalibrationError(list []Outcome) float64 {
	var gap [10]float64
	for _, o := range list {
		i := min(int(o.Confidence*10), 9)
		gap[i] += o.Confidence
		if o.Right {
			gap[i]--
		}
	}
	sum := 0.0
	for _, g := range gap {
		sum += math.Abs(g)
	}
	return sum / float64(len(list))
}
