package vectors

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A Hit is a passage whose vector is near.
type Hit struct {
	DocumentID string
	Version    int
	Ordinal    int
	Score      float64 // the cosine of the two vectors, -1 to 1, within 0.00005
}

// Search returns the passages whose vectors have the greatest cosine with a
// question's, at most limit of those that allow lets pass (nil: all of them), the
// best first; those with the same are in order of document id and ordinal. Allow
// is called for those that would be among the hits, as far as is known then, and
// at most once for each.
//
// Of the nearest ten, on average less than one in a hundred is missed, and none if
// there are fewer than 4,096 vectors. The error is that of [Check].
func (s *Set) Search(question []float32, limit int, allow func(documentID string, ordinal int) bool) ([]Hit, error) {
	v := s.view.Load()
	if v.dimensions == 0 || limit <= 0 {
		return nil, nil
	}
	if err := Check(question, v.dimensions); err != nil {
		return nil, err
	}
	if v.live == 0 {
		return nil, nil
	}
	unit := make([]float32, v.dimensions)
	v.rotation.unit(unit, question)
	n := &nearest{view: v, question: make([]int32, v.dimensions), limit: limit, allow: allow, least: -2}
	n.scale = long(n.question, unit)
	if v.centre == nil {
		for slot := range v.slots {
			n.try(slot)
		}
	} else {
		n.scan(newProbe(unit, v.centre))
	}
	return n.hits, nil
}

// nearest are the best hits of a search so far.
type nearest struct {
	view     *view
	question []int32 // turned, of length 1
	scale    float64 // of the question
	limit    int
	allow    func(string, int) bool
	hits     []Hit
	least    float64 // what a hit must have at least to be among them
}

// estimates are what codes say of each slot.
type estimates struct {
	sums []float32 // of the coarse codes
	most []float32
}

var spare = sync.Pool{New: func() any { return new(estimates) }}

// scan tries the slots whose codes say that they may be among the nearest: first
// those that promise the most, so that less has to be tried of the others.
func (n *nearest) scan(p *probe) {
	v := n.view
	e := spare.Get().(*estimates)
	defer spare.Put(e)
	e.sums = slices.Grow(e.sums[:0], v.slots)[:v.slots]
	e.most = slices.Grow(e.most[:0], v.slots)[:v.slots]
	words := codeWords(v.dimensions)
	for i, b := range v.blocks {
		from, to := i*blockSize, min((i+1)*blockSize, v.slots)
		sums, most := e.sums[from:to], e.most[from:to]
		for j := range sums {
			c := code(b.coarse[j*words : (j+1)*words])
			sums[j] = p.sum(c)
			most[j] = p.most(c, sums[j])
		}
	}
	for _, slot := range greatest(e.most, 2*n.limit) {
		n.try(slot)
		e.most[slot] = -3 // not again
	}
	for slot, most := range e.most {
		if float64(most) >= n.least && float64(p.atMost(v.blocks[slot/blockSize].fineCode(slot%blockSize), e.sums[slot])) >= n.least {
			n.try(slot)
		}
	}
}

// try makes what stands in a slot a hit if it is one.
func (n *nearest) try(slot int) {
	b, i := n.view.blocks[slot/blockSize], slot%blockSize
	if gone := atomic.LoadUint64(&b.gone[i]); gone != 0 && gone <= n.view.age {
		return
	}
	o := &b.owners[i]
	cosine := float64(dot(b.row(i), n.question)) * float64(b.scales[i]) * n.scale
	h := Hit{o.id, o.version, int(o.ordinal), max(-1, min(1, cosine))} // rounding may lead beyond, and those that are the same are in order
	if len(n.hits) == n.limit && compare(h, n.hits[n.limit-1]) > 0 || n.allow != nil && !n.allow(h.DocumentID, h.Ordinal) {
		return
	}
	at, _ := slices.BinarySearchFunc(n.hits, h, compare)
	if len(n.hits) == n.limit {
		n.hits = n.hits[:n.limit-1]
	}
	n.hits = slices.Insert(n.hits, at, h)
	if len(n.hits) == n.limit {
		n.least = n.hits[n.limit-1].Score
	}
}

// compare says which of two hits comes first.
func compare(a, b Hit) int {
	if a.Score != b.Score {
		return cmp.Compare(b.Score, a.Score)
	}
	return cmp.Or(strings.Compare(a.DocumentID, b.DocumentID), cmp.Compare(a.Ordinal, b.Ordinal))
}

// greatest returns the places of the count greatest of some numbers, in order of
// place; of those that are the same as the least of them, the first.
func greatest(numbers []float32, count int) []int {
	count = min(count, len(numbers))
	heap := slices.Clone(numbers[:count]) // the greatest so far, the least of them first
	slices.Sort(heap)
	for _, x := range numbers[count:] {
		if x <= heap[0] {
			continue
		}
		i := 0
		for {
			child := 2*i + 1
			if child+1 < count && heap[child+1] < heap[child] {
				child++
			}
			if child >= count || heap[child] >= x {
				break
			}
			heap[i], i = heap[child], child
		}
		heap[i] = x
	}
	places := make([]int, 0, count)
	for i, x := range numbers {
		if x >= heap[0] && len(places) < count {
			places = append(places, i)
		}
	}
	return places
}
