package postings

import (
	"encoding/binary"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
)

// A Writer writes lists, one after the other.
type Writer struct {
	data []byte

	count  int // of rows in the list under way
	last   uint32
	blocks []byte
	skips  []byte

	// The block under way.
	n         int
	distances [Block]uint32
	counts    [Block]uint8
	all       uint32 // distances, or'ed
	allCounts uint8
}

// Len returns how many bytes were written, that is where the next list begins.
func (w *Writer) Len() int { return len(w.data) }

// Bytes returns the lists. Padding is not part of them.
func (w *Writer) Bytes() []byte { return w.data }

// Reset takes all lists out, but keeps the memory they took.
func (w *Writer) Reset() {
	w.data, w.blocks, w.skips = w.data[:0], w.blocks[:0], w.skips[:0]
	w.count, w.last, w.n, w.all, w.allCounts = 0, 0, 0, 0, 0
}

// Add adds a row, greater than the row before, and how often the term stands in it,
// 1 to [MaxFrequency].
func (w *Writer) Add(row uint32, frequency uint8) {
	distance := row
	if w.count > 0 {
		distance = row - w.last - 1
	}
	w.distances[w.n], w.counts[w.n] = distance, frequency-1
	w.all |= distance
	w.allCounts |= frequency - 1
	w.last = row
	w.n++
	w.count++
	if w.n == Block {
		w.flush()
	}
}

// flush writes the block under way.
func (w *Writer) flush() {
	if w.n == 0 {
		return
	}
	w.skips = binary.LittleEndian.AppendUint32(w.skips, w.last)
	w.skips = binary.LittleEndian.AppendUint32(w.skips, uint32(len(w.blocks)))
	distance, count := packed.Width(w.all), packed.Width(uint32(w.allCounts))
	w.blocks = binary.LittleEndian.AppendUint16(w.blocks, uint16(distance|count<<5))
	w.blocks = packed.Append(w.blocks, w.distances[:w.n], distance)
	w.blocks = packed.Append(w.blocks, w.counts[:w.n], count)
	w.n, w.all, w.allCounts = 0, 0, 0
}

// End ends the list under way, of at least one row.
func (w *Writer) End() {
	w.flush()
	w.data = binary.AppendUvarint(w.data, uint64(w.count))
	if w.count > Block {
		w.data = binary.AppendUvarint(w.data, uint64(len(w.blocks)))
		w.data = append(w.data, w.skips...)
	}
	w.data = append(w.data, w.blocks...)
	w.count, w.last, w.blocks, w.skips = 0, 0, w.blocks[:0], w.skips[:0]
}
