package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/judged"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/confidence"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/index"
)

// TestFit draws examples from known weights and finds them again.
func TestFit(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	want := confidence.Weights{-1, 1, 0.7, 2, 1, 1.5, 1, 1}
	list := make([]example, 40_000)
	for i := range list {
		e := &list[i]
		e.signals = index.Signals{
			Words: 1 + rnd.IntN(20), Known: 1, Coverage: 1, Wording: rnd.Float64(), Evidence: 30 * rnd.Float64(), Ratio: 2 * rnd.Float64(), Echo: rnd.Float64(), Margin: rnd.Float64(),
			Volume: uint64(math.Pow(10, 2+4*rnd.Float64())),
		}
		e.right = rnd.Float64() < want.Of(e.signals)
	}
	got := fit([]group{{list: list}}, all)
	for i := range want {
		if math.Abs(got[i]-want[i]) > 0.25 {
			t.Errorf("weight %d = %.2f, want %.2f", i, got[i], want[i])
		}
	}
	for i := range list {
		list[i].right = !list[i].right
	}
	turned := fit([]group{{list: list}}, all)
	for i, w := range turned[1:] {
		if w < 0 {
			t.Errorf("weight of %s = %.2f, below 0", confidence.FeatureNames[i], w)
		}
	}
}

// TestHeldOut: what is held out changes nothing that is fitted.
func TestHeldOut(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	var list []example
	held := 0
	for i := range 2000 {
		e := example{question: fmt.Sprint(i), right: rnd.IntN(2) == 0, signals: index.Signals{Coverage: rnd.Float64(), Wording: rnd.Float64(), Evidence: 9 * rnd.Float64(), Ratio: rnd.Float64(), Volume: 5000}}
		if judged.HeldOut(e.question) {
			held++
		}
		list = append(list, e)
	}
	if held < 900 || held > 1100 {
		t.Errorf("%d of 2000 questions are held out, want about half", held)
	}
	want := fit([]group{{list: list}}, fitted)
	for i := range list {
		if judged.HeldOut(list[i].question) {
			list[i].right, list[i].signals.Evidence = true, 20
		}
	}
	if got := fit([]group{{list: list}}, fitted); got != want {
		t.Errorf("fit = %v, want %v as before what is held out changed", got, want)
	}
}
