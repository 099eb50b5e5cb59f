package confidence

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestFitScale finds a scale again that outcomes were drawn from.
func TestFitScale(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	for _, want := range []Scale{{0, 1}, {-1, 0.7}, {1.5, 2}} {
		p, right := make([]float64, 20_000), make([]bool, 20_000)
		for i := range p {
			p[i] = 0.01 + 0.98*rnd.Float64()
			right[i] = rnd.Float64() < want.Of(p[i])
		}
		got := FitScale(p, right)
		if math.Abs(got.Intercept-want.Intercept) > 0.1 || math.Abs(got.Slope-want.Slope) > 0.1 {
			t.Errorf("FitScale = %+v, want %+v", got, want)
		}
	}
}

func TestFitScaleOfFew(t *testing.T) {
	for name, tt := range map[string]struct {
		p     []float64
		right []bool
	}{
		"none":             {nil, nil},
		"all right":        {[]float64{0.5, 0.6, 0.9}, []bool{true, true, true}},
		"all wrong":        {[]float64{0.5, 0.6, 0.9}, []bool{false, false, false}},
		"kept apart":       {[]float64{0.1, 0.2, 0.8, 0.9}, []bool{false, false, true, true}},
		"turned round":     {[]float64{0.1, 0.2, 0.8, 0.9}, []bool{true, true, false, false}},
		"all alike":        {[]float64{0.5, 0.5, 0.5, 0.5}, []bool{true, false, true, false}},
		"nothing is found": {[]float64{0, 0}, []bool{false, false}},
		"certain":          {[]float64{1, 1, 1e-300}, []bool{true, false, false}},
	} {
		s := FitScale(tt.p, tt.right)
		if math.IsNaN(s.Intercept) || math.IsInf(s.Intercept, 0) || !(s.Slope > 0) || math.IsInf(s.Slope, 0) {
			t.Errorf("%s: FitScale = %+v, want a scale that rises", name, s)
		}
		last := 0.0
		for _, p := range []float64{0, 1e-9, 0.1, 0.5, 0.9, 1} {
			q := s.Of(p)
			if q < last || q > 1 || p == 0 && q != 0 {
				t.Errorf("%s: %+v of %v = %v, below %v or not a probability", name, s, p, q, last)
			}
			last = q
		}
	}
}
