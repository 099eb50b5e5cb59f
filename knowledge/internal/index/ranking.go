package index

import (
	"math"
	"slices"
)

// A ranking keeps the best candidates, each passage once. They are offered in
// the order of their rows, so those of one passage follow each other.
type ranking struct {
	view    *view
	limit   int
	list    []candidate // a heap, the worst first
	enough  float32     // what a candidate needs to be looked at
	pending candidate   // the best so far of the passage under way
}

func (r *ranking) begin(v *view, limit int, list []candidate) {
	*r = ranking{view: v, limit: limit, list: list[:0], enough: math.SmallestNonzeroFloat32}
}

func (r *ranking) offer(c candidate) {
	if r.pending.score > 0 && r.view.samePassage(r.pending, c) {
		if c.score > r.pending.score {
			r.pending = c
		}
		return
	}
	r.flush()
	r.pending = c
}

// flush moves the pending candidate into the heap.
func (r *ranking) flush() {
	c := r.pending
	r.pending = candidate{}
	if c.score > 0 {
		r.push(c)
	}
}

// push moves a candidate into the heap if it is among the best.
func (r *ranking) push(c candidate) {
	h := r.list
	if len(h) < r.limit {
		h = append(h, c)
		i := len(h) - 1
		for i > 0 {
			up := (i - 1) / 2
			if !r.view.less(&c, &h[up]) {
				break
			}
			h[i] = h[up]
			i = up
		}
		h[i] = c
		r.list = h
	} else if r.view.less(&h[0], &c) {
		i := 0
		for down := 1; down < len(h); down = 2*i + 1 {
			if down+1 < len(h) && r.view.less(&h[down+1], &h[down]) {
				down++
			}
			if !r.view.less(&h[down], &c) {
				break
			}
			h[i] = h[down]
			i = down
		}
		h[i] = c
	}
	if len(r.list) == r.limit {
		r.enough = r.list[0].score
	}
}

func (r *ranking) done() []candidate {
	r.flush()
	list := r.view.sort(r.list)
	*r = ranking{}
	return list
}

// sort puts candidates in order, the best first: by their scores, as numbers, and then
// those of equal ones.
func (v *view) sort(list []candidate) []candidate {
	if len(list) > sortedFast {
		slices.SortFunc(list, v.compare)
		return list
	}
	var (
		keys  [sortedFast]uint64
		spare [sortedFast]candidate
	)
	for i := range list {
		keys[i] = uint64(^math.Float32bits(list[i].score))<<32 | uint64(i)
	}
	slices.Sort(keys[:len(list)])
	copy(spare[:], list)
	for i := range list {
		list[i] = spare[uint32(keys[i])]
	}
	for from, to := 0, 0; from < len(list); from = to {
		for to = from + 1; to < len(list) && list[to].score == list[from].score; to++ {
		}
		if to-from > 1 {
			slices.SortFunc(list[from:to], v.compare)
		}
	}
	return list
}

// sortedFast is how many candidates are sorted by numbers at most.
const sortedFast = pairDepth
