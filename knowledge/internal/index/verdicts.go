package index

import (
	"slices"
	"sync"
	"sync/atomic"
)

// verdicts are what filters were found to say of the rows of a segment: an agent
// asks with the same one again and again.
type verdicts struct {
	lock sync.Mutex
	list []*verdict // asked for last first
}

// A verdict is what one filter says.
type verdict struct {
	checks  []check
	numbers []uint32
	root    int32
	known   []uint64 // by row
	yes     []uint64 // by row; written before it is known
}

// verdictsKept is how many filters are remembered, of segments of verdictRows or
// more: a quarter of a byte a row and filter.
const (
	verdictsKept = 16
	verdictRows  = 1 << 8
)

// of returns the verdict of the filter that b has looked up.
func (v *verdicts) of(g *segment, b *binder, root int32) *verdict {
	v.lock.Lock()
	defer v.lock.Unlock()
	for i, d := range v.list {
		if d.root == root && slices.Equal(d.checks, b.checks) && slices.Equal(d.numbers, b.numbers) {
			copy(v.list[1:i+1], v.list[:i])
			v.list[0] = d
			return d
		}
	}
	words := (g.rows + 63) / 64
	d := &verdict{slices.Clone(b.checks), slices.Clone(b.numbers), root, make([]uint64, words), make([]uint64, words)}
	v.list = slices.Insert(v.list[:min(len(v.list), verdictsKept-1)], 0, d)
	return d
}

// find returns what is known of a row.
func (d *verdict) find(row uint32) (known, yes bool) {
	bit := uint64(1) << (row % 64)
	known = atomic.LoadUint64(&d.known[row/64])&bit != 0
	return known, known && atomic.LoadUint64(&d.yes[row/64])&bit != 0
}

// no returns those rows of a block of 64 that are known not to be chosen.
func (d *verdict) no(block uint32) uint64 {
	known := atomic.LoadUint64(&d.known[block])
	return known &^ atomic.LoadUint64(&d.yes[block])
}

// note remembers what is known of a row.
func (d *verdict) note(row uint32, yes bool) {
	bit := uint64(1) << (row % 64)
	if yes {
		atomic.OrUint64(&d.yes[row/64], bit)
	}
	atomic.OrUint64(&d.known[row/64], bit)
}
