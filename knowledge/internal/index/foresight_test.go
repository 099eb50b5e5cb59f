package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestForesight searches where the first rows say little about the others: what is best
// stands among them, among those behind, or in another segment.
func TestForesight(t *testing.T) {
	const first = 1 << 12
	const rows = 3 * first
	defer func(n uint32) { window = n }(window)
	window = first
	filler := strings.Fields("boat lamp card shoe moon rain door leaf")
	rare := strings.Fields("tea jug cup pan")
	for name, good := range map[string]func(n int) bool{ // rows with many rare words
		"everywhere": func(n int) bool { return n%97 == 0 },
		"first":      func(n int) bool { return n%97 == 0 && n < first },
		"a few":      func(n int) bool { return n%97 == 0 && n < first || n%997 == 0 },
		"last":       func(n int) bool { return n%97 == 0 && n > 2*first },
	} {
		rnd := rand.New(rand.NewPCG(3, uint64(len(name))))
		x := New(nil)
		live := map[string]Document{}
		var changes []Change
		for n := range rows {
			words := []string{filler[rnd.IntN(len(filler))], filler[rnd.IntN(len(filler))]}
			if n%6 == 0 && (n < first || n%24 == 0) {
				words = append(words, rare[rnd.IntN(len(rare))])
			}
			if good(n) {
				rnd.Shuffle(len(rare), func(i, j int) { rare[i], rare[j] = rare[j], rare[i] })
				words = append(words, rare[:2+rnd.IntN(3)]...)
			}
			d := doc(fmt.Sprintf("%05d", n), strings.Join(words, " "))
			live[d.ID] = d
			changes = append(changes, Change{Put: &d})
		}
		x.Apply(changes[:rows-100])
		for x.Maintain(t.Context()) {
		}
		x.Apply(changes[rows-100:])
		e := newExhaustive(x.options, live)
		for _, text := range []string{"tea jug cup", "jug", "tea boat cup moon pan jug", "a jug and a pan for tea in the rain"} {
			for _, limit := range []int{10, 40} {
				q := Query{Text: text, Limit: limit}
				got, want := x.Search(q).Hits, e.search(q, func(*Document) bool { return true })
				for i := range got {
					got[i].Matched = 0
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s: %q with limit %d = %v, want %v", name, text, limit, got, want)
				}
			}
		}
	}
}
