package vectors

import (
	"fmt"
	"iter"
	"sync/atomic"
	"unsafe"
)

// A view is a state of a set. It never changes, but for the room behind its last
// slot and for slots marked as gone by later views, which it does not heed.
type view struct {
	dimensions int
	rotation   *rotation
	age        uint64 // counts the calls of Apply
	blocks     []*block
	slots      int   // that are used
	live       int   // that are not gone
	documents  int64 // bytes that are kept of documents

	// centre is taken from vectors before their code is made; nil if there are
	// no codes. It is the mean of all there were when they were centred in number.
	centre  []float32
	centred int
}

// A block is memory for the vectors of some slots: blockSize of them, but in the
// first block, which grows up to that.
type block struct {
	dimensions int
	values     []int16   // turned, of length 1
	scales     []float32 // of the values
	owners     []place
	gone       []uint64 // the age of the view that removed it; 0: none has

	coarse, fine []uint64 // codes; empty if there is no centre
}

const blockSize = 1024

// A place is the passage that a vector is of.
type place struct {
	*owner
	ordinal int32
}

// An owner is a document that a vector is of.
type owner struct {
	id      string
	version int
}

func newView(dimensions int) *view { return &view{dimensions: dimensions} }

// next returns a view that is the writer's to change, then to be seen.
func (v *view) next() *view {
	n := *v
	n.age++
	n.blocks = append(make([]*block, 0, len(v.blocks)+1), v.blocks...)
	return &n
}

// check looks at all vectors that changes would add, and learns from the first
// how many dimensions there are.
func (v *view) check(changes []Change) error {
	for _, c := range changes {
		if c.Put == nil {
			continue
		}
		for _, x := range c.Put.Vectors {
			if v.dimensions == 0 {
				v.dimensions = len(x.Values)
			}
			if err := Check(x.Values, v.dimensions); err != nil {
				return fmt.Errorf("passage %d of document %s: %w", x.Ordinal, c.Put.ID, err)
			}
		}
	}
	return nil
}

// add puts a document's vectors into slots that nobody reads yet.
func (v *view) add(d *Document) span {
	if v.rotation == nil {
		v.rotation = newRotation(v.dimensions)
	}
	s := span{v.slots, len(d.Vectors)}
	o, unit := &owner{d.ID, d.Version}, make([]float32, v.dimensions)
	for _, x := range d.Vectors {
		b, i := v.grow()
		v.rotation.unit(unit, x.Values)
		b.scales[i] = round(b.row(i), unit)
		b.owners[i] = place{o, int32(x.Ordinal)}
		if v.centre != nil {
			b.encode(i, v.centre)
		}
	}
	return s
}

// remove marks slots as gone, for this view and later ones.
func (v *view) remove(s span) {
	for slot := s.first; slot < s.first+s.count; slot++ {
		atomic.StoreUint64(&v.blocks[slot/blockSize].gone[slot%blockSize], v.age)
	}
	v.live -= s.count
}

// grow returns one more row.
func (v *view) grow() (b *block, row int) {
	row = v.slots % blockSize
	last := len(v.blocks) - 1
	switch {
	case v.slots == 0:
		v.blocks = append(v.blocks[:0], newBlock(v.dimensions, 16, v.centre != nil))
	case row == 0:
		v.blocks = append(v.blocks, newBlock(v.dimensions, blockSize, v.centre != nil))
	case row == len(v.blocks[last].scales):
		v.blocks[last] = v.blocks[last].double()
	}
	v.slots++
	v.live++
	return v.blocks[len(v.blocks)-1], row
}

func newBlock(dimensions, rows int, coded bool) *block {
	b := &block{
		dimensions: dimensions,
		values:     make([]int16, rows*dimensions),
		scales:     make([]float32, rows),
		owners:     make([]place, rows),
		gone:       make([]uint64, rows),
	}
	if coded {
		b.makeCodes()
	}
	return b
}

// double returns a block with the same rows and room for as many again.
func (b *block) double() *block {
	d := newBlock(b.dimensions, 2*len(b.scales), len(b.coarse) > 0)
	copy(d.values, b.values)
	copy(d.scales, b.scales)
	copy(d.owners, b.owners)
	copy(d.gone, b.gone)
	copy(d.coarse, b.coarse)
	copy(d.fine, b.fine)
	return d
}

func (b *block) row(i int) []int16 { return b.values[i*b.dimensions:][:b.dimensions] }

func (b *block) makeCodes() {
	words := len(b.scales) * codeWords(b.dimensions)
	b.coarse, b.fine = make([]uint64, words), make([]uint64, words)
}

func (b *block) coarseCode(i int) code {
	words := codeWords(b.dimensions)
	return code(b.coarse[i*words:][:words])
}

func (b *block) fineCode(i int) code {
	words := codeWords(b.dimensions)
	return code(b.fine[i*words:][:words])
}

func (b *block) encode(i int, centre []float32) {
	encode(b.coarseCode(i), b.fineCode(i), b.row(i), b.scales[i], centre)
}

// rows yields the rows that are not gone, in order.
func (v *view) rows() iter.Seq2[*block, int] {
	return func(yield func(*block, int) bool) {
		for slot := range v.slots {
			b, i := v.blocks[slot/blockSize], slot%blockSize
			if b.gone[i] == 0 && !yield(b, i) {
				return
			}
		}
	}
}

// Codes are made once there are coded vectors, before which reading all of them
// takes less than a millisecond, and made again around the mean of all whenever
// there are centreAgain times as many as that was of.
const (
	coded       = 4096
	centreAgain = 4
)

// recentre makes the codes of all vectors, if it is time to.
func (v *view) recentre() {
	if v.live < max(coded, centreAgain*v.centred) {
		return
	}
	sum := make([]float64, v.dimensions)
	for b, i := range v.rows() {
		for j, x := range b.row(i) {
			sum[j] += float64(x) * float64(b.scales[i])
		}
	}
	v.centred, v.centre = v.live, make([]float32, v.dimensions)
	for j, x := range sum {
		v.centre[j] = float32(x / float64(v.live))
	}
	for n, b := range v.blocks { // searches under way read the codes there were
		again := *b
		again.makeCodes()
		v.blocks[n] = &again
	}
	for b, i := range v.rows() {
		b.encode(i, v.centre)
	}
}

// documentBytes is about what a document takes beside its id: an owner and a place
// in a map.
const documentBytes = 100

// bytes returns the memory that vectors and documents take.
func (v *view) bytes() int64 {
	if len(v.blocks) == 0 {
		return v.documents
	}
	each := 2*v.dimensions + 4 + int(unsafe.Sizeof(place{})) + 8
	if v.centre != nil {
		each += 2 * 8 * codeWords(v.dimensions)
	}
	rows := (len(v.blocks)-1)*blockSize + len(v.blocks[len(v.blocks)-1].scales)
	return v.documents + int64(rows)*int64(each)
}
