package main

import (
	"math"
	"testing"
)

func TestSolve(t *testing.T) {
	x := solve([4][4]float64{{0, 1, 0, 0}, {2, 0, 0, 0}, {0, 0, 1, 1}, {0, 0, 1, -1}}, [4]float64{3, 4, 5, 1})
	for i, want := range []float64{2, 3, 3, 2} {
		if math.Abs(x[i]-want) > 1e-9 {
			t.Errorf("solution %d = %v, want %v", i, x[i], want)
		}
	}
}
