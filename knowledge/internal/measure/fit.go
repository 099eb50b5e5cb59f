package main

import (
	"cmp"
	"math"

	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/confidence"
)

// size is how many weights there are.
const size = len(confidence.Weights{})

// ridge keeps weights small that the examples say little of.
const ridge = 1e-5

// fit returns the weights that make the right answers of groups likeliest, none of
// a feature negative: a logistic regression by Newton's method, projected onto what
// is allowed. Examples that take returns false for are left out.
func fit(groups []group, take func(*example) bool) (w confidence.Weights) {
	type sample struct {
		x        [size]float64
		y, weigh float64
	}
	var samples []sample
	for _, g := range groups {
		for i := range g.list {
			e := &g.list[i]
			if e.signals.Coverage <= 0 || !take(e) {
				continue // nothing is found: the confidence is 0
			}
			s := sample{weigh: cmp.Or(g.weight, 1) / float64(len(g.list))}
			s.x[0] = 1
			features := confidence.FeaturesOf(e.signals)
			copy(s.x[1:], features[:])
			if e.right {
				s.y = 1
			}
			samples = append(samples, s)
		}
	}
	for range 50 {
		var slope [size]float64
		var bend [size][size]float64
		for j := range w {
			slope[j], bend[j][j] = -ridge*w[j], ridge
		}
		for i := range samples {
			s := &samples[i]
			logit := 0.0
			for j, x := range s.x {
				logit += w[j] * x
			}
			p := 1 / (1 + math.Exp(-logit))
			for j, x := range s.x {
				slope[j] += s.weigh * (s.y - p) * x
				for k := range j + 1 {
					bend[j][k] += s.weigh * p * (1 - p) * x * s.x[k]
				}
			}
		}
		for j := range w {
			for k := range j {
				bend[k][j] = bend[j][k]
			}
		}
		for j := 1; j < len(w); j++ {
			if w[j] == 0 && slope[j] <= 0 { // stays where it may go no further
				slope[j] = 0
				for k := range w {
					bend[j][k], bend[k][j] = 0, 0
				}
				bend[j][j] = 1
			}
		}
		step, moved := solve(bend, slope), 0.0
		for j := range w {
			before := w[j]
			w[j] += min(max(step[j], -1), 1)
			if j > 0 {
				w[j] = max(w[j], 0)
			}
			moved = max(moved, math.Abs(w[j]-before))
		}
		if moved < 1e-6 {
			break
		}
	}
	return w
}

// solve returns the x with a·x = y, of a matrix that is positive definite, by
// elimination.
func solve(a [size][size]float64, y [size]float64) [size]float64 {
	for i := range a {
		for k := i + 1; k < len(a); k++ {
			f := a[k][i] / a[i][i]
			for j := i; j < len(a); j++ {
				a[k][j] -= f * a[i][j]
			}
			y[k] -= f * y[i]
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := i + 1; j < len(a); j++ {
			y[i] -= a[i][j] * y[j]
		}
		y[i] /= a[i][i]
	}
	return y
}

func all(*example) bool { return true }

// fitted reports whether an example may be fitted on.
func fitted(e *example) bool { return !judged.HeldOut(e.question) }
