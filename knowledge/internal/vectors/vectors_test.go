package vectors_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/vectors"
)

// TestRecall finds at least 99 of 100 of the nearest, however vectors lie.
func TestRecall(t *testing.T) {
	for _, kind := range kinds {
		found, of := 0, 0
		for _, size := range []struct{ dimensions, vectors, questions int }{{64, 6000, 15}, {100, 5000, 10}, {384, 4500, 10}, {1536, 4100, 2}} {
			next := generator(rand.New(rand.NewPCG(1, uint64(size.dimensions))), kind, size.dimensions)
			s, m := filled(t, size.vectors, next)
			for range size.questions {
				q := next()
				f, o := m.check(t, q, 10, nil, search(t, s, q, 10, nil))
				found, of = found+f, of+o
			}
		}
		if recall := float64(found) / float64(of); recall < .99 {
			t.Errorf("%s vectors: recall@10 = %.4f, want at least .99", kind, recall)
		}
	}
}

// TestSmall compares sets too small for codes with reading all vectors: nothing is
// missed, and equal vectors stand in order.
func TestSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for _, dimensions := range []int{1, 2, 3, 7, 64, 65, 384} {
		next := generator(r, "even", dimensions)
		s, m := vectors.New(dimensions), model{}
		var past [][]float32
		for i := range 300 {
			values := [][]float32{next(), next(), next()}[:1+r.IntN(3)]
			if i > 0 && r.IntN(4) == 0 {
				values[0] = past[r.IntN(len(past))] // the same as another's
			}
			past = append(past, values...)
			changes := []vectors.Change{put(fmt.Sprint("doc_", r.IntN(200)), i, values...)}
			if r.IntN(4) == 0 {
				changes = append(changes, vectors.Change{Delete: fmt.Sprint("doc_", r.IntN(200))})
			}
			apply(t, s, changes...)
			m.apply(changes)
			if s.Len() != m.len() {
				t.Fatalf("Len() = %d, want %d", s.Len(), m.len())
			}
			q, limit := next(), 1+r.IntN(40)
			allow := func(id string, ordinal int) bool { return ordinal == 0 && len(id)%2 == 0 }
			for _, allow := range []func(string, int) bool{nil, allow} {
				if found, of := m.check(t, q, limit, allow, search(t, s, q, limit, allow)); found != of {
					t.Fatalf("found %d of the %d nearest", found, of)
				}
			}
		}
		hits := search(t, s, past[len(past)-1], 1, nil)
		if len(hits) != 1 || math.Abs(hits[0].Score-1) > precision {
			t.Errorf("a vector that is there finds %+v, want itself", hits)
		}
	}
}

// TestEqual holds the order of vectors that are all the same, beyond the size where
// codes are made: by document id, then ordinal, wherever they stand.
func TestEqual(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	same := generator(r, "even", 40)()
	s := vectors.New(0)
	for _, i := range r.Perm(2500) {
		apply(t, s, put(fmt.Sprintf("doc_%04d", i), 1, same, same))
	}
	for i, h := range search(t, s, same, 11, nil) {
		if want := fmt.Sprintf("doc_%04d", i/2); h.DocumentID != want || h.Ordinal != i%2 {
			t.Errorf("hit %d is passage %d of %s, want passage %d of %s", i, h.Ordinal, h.DocumentID, i%2, want)
		}
	}
}

// TestHistory plays puts, replacements and deletes past the size where codes are
// made, down again, and up: what is found is what a set made anew finds.
func TestHistory(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	next := generator(r, "groups", 48)
	s, m := vectors.New(0), model{}
	version := 0
	for _, phase := range []struct{ batches, docs, deletes int }{{12, 900, 2}, {60, 900, 8}, {12, 3000, 1}} {
		for range phase.batches {
			var changes []vectors.Change
			for range 500 {
				id := fmt.Sprintf("doc_%04d", r.IntN(4*phase.docs))
				if version++; r.IntN(10) < phase.deletes {
					changes = append(changes, vectors.Change{Delete: id})
				} else {
					changes = append(changes, put(id, version, next(), next(), next()))
				}
			}
			apply(t, s, changes...)
			m.apply(changes)
		}
		if s.Len() != m.len() {
			t.Fatalf("Len() = %d, want %d", s.Len(), m.len())
		}
		anew := vectors.New(0)
		for _, d := range m {
			apply(t, anew, vectors.Change{Put: &d})
		}
		if a, b := s.Bytes(), anew.Bytes(); float64(a) > 1.5*float64(b) {
			t.Errorf("after a history a set takes %d bytes, made anew %d", a, b)
		}
		for _, set := range []*vectors.Set{s, anew} {
			found, of := 0, 0
			for range 20 {
				q := next()
				f, o := m.check(t, q, 10, nil, search(t, set, q, 10, nil))
				found, of = found+f, of+o
			}
			if float64(found) < .99*float64(of) {
				t.Errorf("%d vectors: found %d of the %d nearest, want at least .99", set.Len(), found, of)
			}
		}
	}
}

// TestFilter finds all that a filter leaves, and asks about few when it leaves all.
func TestFilter(t *testing.T) {
	next := generator(rand.New(rand.NewPCG(4, 4)), "cone", 128)
	s, m := filled(t, 8000, next)
	for range 10 {
		q := next()
		few := func(id string, _ int) bool { return strings.HasSuffix(id, "77") } // 80 of 8,000
		if found, of := m.check(t, q, 100, few, search(t, s, q, 100, few)); found != of || of != 80 {
			t.Errorf("found %d of the %d that a filter leaves, want 80 of 80", found, of)
		}
		asked := map[string]int{}
		search(t, s, q, 10, func(id string, _ int) bool { asked[id]++; return true })
		for id, times := range asked {
			if times > 1 {
				t.Errorf("the filter was asked %d times about %s", times, id)
			}
		}
		if len(asked) > 100 {
			t.Errorf("the filter was asked about %d of 8,000 vectors for 10 hits", len(asked))
		}
	}
}

// TestRefused holds that a wrong vector changes nothing and is named.
func TestRefused(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	s := vectors.New(0)
	if hits := search(t, s, []float32{1, 2}, 5, nil); hits != nil || s.Dimensions() != 0 {
		t.Errorf("an empty set finds %v and has %d dimensions", hits, s.Dimensions())
	}
	for _, bad := range [][]float32{{}, {nan}, {0, 0}} {
		if err := s.Apply([]vectors.Change{put("doc_1", 1, bad)}); err == nil || s.Len() != 0 || s.Dimensions() != 0 {
			t.Errorf("Apply(%v) = %v, and a set of %d vectors with %d dimensions", bad, err, s.Len(), s.Dimensions())
		}
	}
	apply(t, s, put("doc_1", 1, []float32{3, 4}))
	for _, bad := range [][]float32{nil, {1}, {1, 2, 3}, {nan, 1}, {1, inf}, {0, 0}} {
		err := s.Apply([]vectors.Change{{Delete: "doc_1"}, put("doc_2", 1, []float32{1, 0}), put("doc_3", 1, []float32{0, 1}, bad)})
		if err == nil || !strings.Contains(err.Error(), "passage 1 of document doc_3") {
			t.Errorf("Apply with %v = %v, want an error that names passage 1 of doc_3", bad, err)
		}
		if _, err := s.Search(bad, 5, nil); err == nil {
			t.Errorf("Search(%v) gives no error", bad)
		}
	}
	if hits := search(t, s, []float32{30, 40}, 5, nil); len(hits) != 1 || hits[0].DocumentID != "doc_1" || math.Abs(hits[0].Score-1) > precision {
		t.Errorf("after changes that were refused, hits = %+v, want doc_1", hits)
	}
	if hits := search(t, s, []float32{1, 0}, 0, nil); hits != nil {
		t.Errorf("limit 0 finds %v", hits)
	}
	apply(t, s, put("doc_1", 2), put("doc_9", 1, []float32{math.MaxFloat32, math.SmallestNonzeroFloat32}))
	if hits := search(t, s, []float32{math.SmallestNonzeroFloat32, 0}, 5, nil); len(hits) != 1 || hits[0].DocumentID != "doc_9" || math.Abs(hits[0].Score-1) > precision {
		t.Errorf("of very long and short vectors, hits = %+v, want doc_9 at 1", hits)
	}
}

// TestReadsWhileWriting holds that a search sees each document whole, in one
// version, while all are replaced again and again, and every one of them.
func TestReadsWhileWriting(t *testing.T) {
	const documents, passages = 60, 3
	r := rand.New(rand.NewPCG(5, 5))
	next := generator(r, "even", 16)
	s := vectors.New(0)
	write := func(version int) {
		var changes []vectors.Change
		for i := range documents {
			changes = append(changes, put(fmt.Sprintf("doc_%02d", i), version, next(), next(), next()))
		}
		r.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
		if err := s.Apply(changes); err != nil {
			t.Error(err)
		}
	}
	write(0)
	done := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 3 {
		question := next()
		readers.Go(func() {
			last := 0
			for searches := 0; ; searches++ {
				select {
				case <-done:
					if searches > 5 {
						return
					}
				default:
				}
				hits, err := s.Search(question, 1000, nil)
				if err != nil || len(hits) != documents*passages {
					t.Errorf("reader %d: %d hits, %v, want %d", i, len(hits), err, documents*passages)
					return
				}
				if v := hits[0].Version; v < last || slices.ContainsFunc(hits, func(h vectors.Hit) bool { return h.Version != v }) {
					t.Errorf("reader %d saw two versions at once, or version %d after %d", i, v, last)
					return
				}
				last = hits[0].Version
				_, _ = s.Len(), s.Bytes()
			}
		})
	}
	for version := range 300 {
		write(version + 1)
	}
	close(done)
	readers.Wait()
}

// TestAllocations holds what a search allocates: its hits, and some bytes a number
// of the question's; nothing for each vector.
func TestAllocations(t *testing.T) {
	next := generator(rand.New(rand.NewPCG(6, 6)), "even", 64)
	s, _ := filled(t, 6000, next)
	q := next()
	n := 1e9
	for range 5 { // what else goes on in the process only ever adds to it
		n = min(n, testing.AllocsPerRun(10, func() { search(t, s, q, 10, nil) }))
	}
	if n > 15 {
		t.Errorf("a search makes %v allocations, want at most 15", n)
	}
}

func FuzzSet(f *testing.F) {
	f.Add([]byte{3, 0, 1, 2, 3, 10, 0, 0, 0, 1, 128, 0, 0, 4, 1, 1, 1})
	f.Add([]byte{1, 0, 5, 0, 5, 128, 5, 7, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		dimensions := 1 + int(data[0])%9
		s, m := vectors.New(dimensions), model{}
		for data = data[1:]; len(data) > dimensions; data = data[1+dimensions:] {
			values := make([]float32, dimensions)
			for i := range values {
				values[i] = float32(int8(data[1+i])) // many are the same
			}
			id := fmt.Sprint("doc_", data[0]%64)
			changes := []vectors.Change{{Delete: id}}
			if data[0] < 128 {
				changes = append(changes, put(id, len(data), values, values))
			}
			bad := vectors.Check(values, dimensions) != nil
			if err := s.Apply(changes); (err != nil) != (bad && len(changes) == 2) {
				t.Fatalf("Apply(%v) = %v", values, err)
			} else if err == nil {
				m.apply(changes)
			}
			if hits, err := s.Search(values, 5, nil); (err != nil) != bad {
				t.Fatalf("Search(%v) = %v", values, err)
			} else if err == nil {
				if found, of := m.check(t, values, 5, nil, hits); found != of {
					t.Fatalf("found %d of the %d nearest", found, of)
				}
			}
		}
	})
}
