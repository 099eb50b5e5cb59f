package vectors_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/vectors"
)

// kinds are the ways in which vectors lie: evenly in all directions, which is the
// hardest; all in about the same direction, as those of many models do; in two
// hundred groups; and in few directions of the many.
var kinds = []string{"even", "cone", "groups", "flat"}

func generator(r *rand.Rand, kind string, dimensions int) func() []float32 {
	around := func(v []float32, by float64) []float32 {
		for i := range v {
			v[i] += float32(by * r.NormFloat64())
		}
		return v
	}
	fresh := func() []float32 { return around(make([]float32, dimensions), 1) }
	several := func(n int) (all [][]float32) {
		for range n {
			all = append(all, fresh())
		}
		return all
	}
	switch kind {
	case "cone":
		middle := around(fresh(), 2)
		return func() []float32 { return around(slices.Clone(middle), 1) }
	case "groups":
		middles := several(200)
		return func() []float32 { return around(slices.Clone(middles[r.IntN(200)]), .6) }
	case "flat":
		axes := several(16)
		return func() []float32 {
			v := around(make([]float32, dimensions), .3)
			for _, a := range axes {
				x := float32(r.NormFloat64())
				for i := range v {
					v[i] += x * a[i]
				}
			}
			return v
		}
	}
	return fresh
}

// model is a set as plain as can be.
type model map[string]vectors.Document

func (m model) apply(changes []vectors.Change) {
	for _, c := range changes {
		if c.Put != nil {
			m[c.Put.ID] = *c.Put
		} else {
			delete(m, c.Delete)
		}
	}
}

func (m model) len() (n int) {
	for _, d := range m {
		n += len(d.Vectors)
	}
	return n
}

func (m model) vector(h vectors.Hit) []float32 {
	for _, v := range m[h.DocumentID].Vectors {
		if v.Ordinal == h.Ordinal && m[h.DocumentID].Version == h.Version {
			return v.Values
		}
	}
	return nil
}

// scores returns the cosines of all vectors that allow lets pass, greatest first.
func (m model) scores(question []float32, allow func(string, int) bool) (all []float64) {
	for _, d := range m {
		for _, v := range d.Vectors {
			if allow == nil || allow(d.ID, v.Ordinal) {
				all = append(all, cosine(v.Values, question))
			}
		}
	}
	slices.Sort(all)
	slices.Reverse(all)
	return all
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// precision is how far a score may be from the cosine.
const precision = 5e-5

// check compares hits with what reading all vectors finds, and returns how many of
// those it found.
func (m model) check(t testing.TB, question []float32, limit int, allow func(string, int) bool, hits []vectors.Hit) (found, of int) {
	t.Helper()
	want := m.scores(question, allow)
	want = want[:min(limit, len(want))]
	if len(hits) != len(want) {
		t.Fatalf("%d hits, want %d", len(hits), len(want))
	}
	for i, h := range hits {
		v := m.vector(h)
		if v == nil || allow != nil && !allow(h.DocumentID, h.Ordinal) {
			t.Fatalf("hit %d is passage %d of %s, version %d, which is not there or not allowed", i, h.Ordinal, h.DocumentID, h.Version)
		}
		if truth := cosine(v, question); math.Abs(h.Score-truth) > precision {
			t.Fatalf("hit %d scores %v, want %v within %v", i, h.Score, truth, precision)
		}
		if h.Score >= want[len(want)-1]-precision {
			found++
		}
		if i == 0 {
			continue
		}
		if p := hits[i-1]; p.Score < h.Score || p.Score == h.Score && (p.DocumentID > h.DocumentID || p.DocumentID == h.DocumentID && p.Ordinal >= h.Ordinal) {
			t.Fatalf("hits %d and %d are %+v and %+v, which is not their order", i-1, i, p, h)
		}
	}
	return found, len(want)
}

func apply(t testing.TB, s *vectors.Set, changes ...vectors.Change) {
	t.Helper()
	if err := s.Apply(changes); err != nil {
		t.Fatal(err)
	}
}

func search(t testing.TB, s *vectors.Set, question []float32, limit int, allow func(string, int) bool) []vectors.Hit {
	t.Helper()
	hits, err := s.Search(question, limit, allow)
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

func put(id string, version int, values ...[]float32) vectors.Change {
	d := &vectors.Document{ID: id, Version: version}
	for i, v := range values {
		d.Vectors = append(d.Vectors, vectors.Vector{Ordinal: i, Values: v})
	}
	return vectors.Change{Put: d}
}

// filled returns a set of n vectors and the same as a model.
func filled(t testing.TB, n int, next func() []float32) (*vectors.Set, model) {
	s, m := vectors.New(0), model{}
	for i := 0; i < n; {
		var changes []vectors.Change
		for range min(500, n-i) {
			changes = append(changes, put(fmt.Sprintf("doc_%06d", i), 1, next()))
			i++
		}
		apply(t, s, changes...)
		m.apply(changes)
	}
	return s, m
}
