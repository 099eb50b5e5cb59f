package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Documents stand in the order of their paths, whether a segment was built at once or
// merged of others.
func TestOrder(t *testing.T) {
	defer func(n int) { orderedRows = n }(orderedRows)
	orderedRows = 100
	rnd := rand.New(rand.NewPCG(5, 7))
	var changes []Change
	var want []string
	for n := range 300 {
		d := doc(fmt.Sprintf("doc_%03d", n), fmt.Sprintf("tea number %d", n))
		switch n % 3 {
		case 0:
			d.ExternalID = fmt.Sprintf("shop/%03d", rnd.IntN(1000))
		case 1:
			d.URL, d.ExternalID = fmt.Sprintf("https://example.com/%03d", rnd.IntN(1000)), "guide/1"
		case 2:
			d.ExternalID = fmt.Sprintf("%03d", rnd.IntN(1000)) // no path
		}
		changes = append(changes, Change{Put: &d})
	}
	for _, i := range []int{2, 0, 1} { // without a path, external ids, URLs
		var some []*Document
		for n := i; n < len(changes); n += 3 {
			some = append(some, changes[n].Put)
		}
		if i < 2 {
			slices.SortStableFunc(some, func(a, b *Document) int {
				if a.URL+a.ExternalID < b.URL+b.ExternalID {
					return -1
				}
				return 1
			})
		}
		for _, d := range some {
			want = append(want, d.ID)
		}
	}
	built, merged := New(nil), New(nil)
	b := built.Builder()
	for _, c := range changes {
		b.Put(c.Put)
	}
	b.Close()
	for some := range slices.Chunk(changes, 60) {
		merged.Apply(some)
	}
	for merged.Maintain(t.Context()) {
	}
	for name, x := range map[string]*Index{"built": built, "merged": merged} {
		parts := x.view.Load().parts
		if len(parts) != 1 {
			t.Fatalf("%s: %d segments, want 1", name, len(parts))
		}
		var got []string
		for d := range parts[0].documents {
			got = append(got, string(parts[0].ids.Append(nil, d)))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: documents stand as %v, want %v", name, got, want)
		}
	}
}
