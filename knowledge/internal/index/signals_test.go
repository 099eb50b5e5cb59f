package index

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestSignalsOfAnyLimit searches with many limits: what is found is no worse for how
// much of it is asked for.
func TestSignalsOfAnyLimit(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 8))
	words := strings.Fields("ship return open close pay card key lamp boat tea price delivery")
	say := func(n int) string {
		var list []string
		for range n {
			list = append(list, words[rnd.IntN(len(words))])
		}
		return strings.Join(list, " ")
	}
	margins := map[float64]bool{}
	for range 60 {
		x := New(nil)
		for i := range 1 + rnd.IntN(20) {
			d := Document{ID: fmt.Sprint(i)}
			for n := range 1 + rnd.IntN(60) {
				d.Passages = append(d.Passages, Passage{Ordinal: n, Body: say(2 + rnd.IntN(12))})
			}
			if rnd.IntN(4) == 0 {
				d = pair(d.ID, say(5), say(3))
			}
			x.Put(d)
		}
		query := Query{Text: say(1 + rnd.IntN(4)), Limit: 10}
		want := x.Search(query).Signals
		margins[want.Margin] = true
		for _, query.Limit = range []int{1, 2, 5, 31, 32, 33, 100, 1000} {
			if got := x.Search(query).Signals; got != want {
				t.Errorf("signals of %q with limit %d = %+v, want %+v as with limit 10", query.Text, query.Limit, got, want)
			}
		}
	}
	if len(margins) < 20 {
		t.Errorf("%d different margins, want at least 20", len(margins))
	}
}

func TestMargin(t *testing.T) {
	long := Document{ID: "long"}
	for n := range 2 * pairDepth {
		long.Passages = append(long.Passages, Passage{Ordinal: n, Body: "tea" + strings.Repeat(" leaf", n%5)})
	}
	for name, tt := range map[string]struct {
		documents   []Document
		least, most float64
	}{
		"one passage":      {[]Document{doc("a", "tea")}, 1, 1},
		"one document":     {[]Document{doc("a", "tea", "tea and milk", "coffee")}, 1, 1},
		"the same twice":   {[]Document{doc("a", "tea"), doc("b", "tea")}, 0, 0},
		"the second":       {[]Document{doc("a", "tea"), doc("b", "tea and milk and sugar and honey")}, 0.05, 0.6},
		"behind its own":   {[]Document{doc("a", "tea", "tea", "tea"), doc("b", "tea and milk and sugar and honey")}, 0.05, 0.6},
		"a long one":       {[]Document{long}, 0, 0.6}, // nobody has looked at the rest of it
		"a long one first": {[]Document{long, doc("z", "tea leaf leaf leaf leaf leaf leaf leaf")}, 0, 0.6},
	} {
		x := New(nil)
		for _, d := range tt.documents {
			x.Put(d)
		}
		if got := x.Search(Query{Text: "tea"}).Signals.Margin; got < tt.least || got > tt.most {
			t.Errorf("%s: margin %v, want %v to %v", name, got, tt.least, tt.most)
		}
	}
}

// TestWording: a passage that has the stop words of the question, too, has more of
// its wording, and as much of what is asked; the more so, the better a company can
// tell how common they are.
func TestWording(t *testing.T) {
	last := 0.0
	for _, passages := range []int{2, 200, 2000} {
		x := New(nil)
		for i := range passages {
			x.Put(doc(fmt.Sprint(i), []string{"Nobody asks for this.", "The name of a thing."}[i%2]))
		}
		ask := func(body string) Signals {
			x.Put(doc("asked", body))
			return x.Search(Query{Text: "the price of a boat"}).Signals
		}
		without, with := ask("Boat, price: ten."), ask("The price of a boat: ten.")
		if without.Coverage != 1 || with.Coverage != 1 || with.Wording != 1 {
			t.Errorf("%d passages: coverage %v and %v, wording %v, want 1", passages, without.Coverage, with.Coverage, with.Wording)
		}
		if missed := 1 - without.Wording; missed <= last || missed > 0.5 {
			t.Errorf("%d passages: wording without stop words misses %v, want more than %v and at most .5", passages, missed, last)
		} else {
			last = missed
		}
	}
	if last < 0.1 {
		t.Errorf("wording without stop words misses %v of 2000 passages, want .1", last)
	}
	x := New(nil)
	x.Put(doc("a", "boats"))
	if got := x.Search(Query{Text: "the"}).Signals; got.Wording != 0 || got.Coverage != 0 {
		t.Errorf("signals of a question of stop words = %+v, want nothing met", got)
	}
}
