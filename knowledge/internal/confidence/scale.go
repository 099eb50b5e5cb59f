package confidence

import "math"

// A Scale brings a confidence to the odds of one company: their logarithm, times
// Slope, plus Intercept.
type Scale struct{ Intercept, Slope float64 }

// leastSlope keeps a scale from turning confidence round, whatever it is fitted to.
const leastSlope = 0.05

// Of returns a confidence on the scale. One of 0, where nothing was found, stays 0.
func (s Scale) Of(p float64) float64 {
	if p <= 0 {
		return 0
	}
	return 1 / (1 + math.Exp(-(s.Intercept + s.Slope*logit(p))))
}

func logit(p float64) float64 {
	p = min(max(p, 1e-4), 1-1e-4)
	return math.Log(p / (1 - p))
}

// FitScale returns the scale on which confidences fit what was right best: Platt's
// ("Probabilistic outputs for support vector machines", 1999), by Newton's method.
// What is aimed at is not 0 and 1 but what Laplace's rule of succession says of so
// many right and wrong answers, so that few of them cannot make it certain; Platt
// has that from there, and Niculescu-Mizil and Caruana ("Predicting good
// probabilities with supervised learning", 2005) found that for sets of less than a
// thousand it does better than what fits more freely.
func FitScale(confidence []float64, right []bool) Scale {
	good, bad := 0.0, 0.0
	for i, p := range confidence {
		switch {
		case p <= 0:
		case right[i]:
			good++
		default:
			bad++
		}
	}
	high, low := (good+1)/(good+2), 1/(bad+2)
	s := Scale{math.Log((good + 1) / (bad + 1)), 0} // as if confidence said nothing
	loss := s.loss(confidence, right, high, low)
	for range 100 {
		var g0, g1, h01 float64
		h00, h11 := 1e-9, 1e-9
		for i, p := range confidence {
			if p <= 0 {
				continue
			}
			x, t := logit(p), low
			if right[i] {
				t = high
			}
			q := s.Of(p)
			g0, g1 = g0+q-t, g1+(q-t)*x
			w := q * (1 - q)
			h00, h01, h11 = h00+w, h01+w*x, h11+w*x*x
		}
		det := h00*h11 - h01*h01
		if det <= 0 || math.Abs(g0)+math.Abs(g1) < 1e-7 {
			break
		}
		d0, d1 := (h11*g0-h01*g1)/det, (h00*g1-h01*g0)/det
		step := 1.0
		for ; step > 1e-10; step /= 2 {
			next := Scale{s.Intercept - step*d0, s.Slope - step*d1}
			if l := next.loss(confidence, right, high, low); l < loss {
				s, loss = next, l
				break
			}
		}
		if step <= 1e-10 {
			break
		}
	}
	if s.Slope < leastSlope {
		return Scale{math.Log((good + 1) / (bad + 1)), leastSlope}
	}
	return s
}

// loss is how unlikely what was right is on the scale.
func (s Scale) loss(confidence []float64, right []bool, high, low float64) float64 {
	sum := 0.0
	for i, p := range confidence {
		if p <= 0 {
			continue
		}
		t := low
		if right[i] {
			t = high
		}
		q := min(max(s.Of(p), 1e-15), 1-1e-15)
		sum -= t*math.Log(q) + (1-t)*math.Log(1-q)
	}
	return sum
}
