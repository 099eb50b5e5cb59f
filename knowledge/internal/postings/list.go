package postings

import (
	"encoding/binary"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
)

// A List is read where it lies. The zero value has no rows.
type List struct {
	Count  int // of rows
	skips  []byte
	blocks []byte // and all that follows
}

// Open reads the list at the front of data, which is one that a [Writer] wrote or
// [Check] found well formed, and the padding or more behind it.
func Open(data []byte) (l List) {
	count, at := binary.Uvarint(data)
	l.Count = int(count)
	if l.Count <= Block {
		l.blocks = data[at:]
		return l
	}
	_, n := binary.Uvarint(data[at:])
	at += n
	table := (l.Count + Block - 1) / Block * skip
	l.skips = data[at : at+table]
	l.blocks = data[at+table:]
	return l
}

// head is the widths of a block.
type head struct{ distance, count uint32 }

func readHead(block []byte) head {
	v := uint32(block[0]) | uint32(block[1])<<8
	return head{v & 31, v >> 5 & 15}
}

// size is how many bytes a block of n rows takes.
func (h head) size(n int) int {
	return 2 + packed.Bytes(n, int(h.distance)) + packed.Bytes(n, int(h.count))
}

// A Cursor goes through a list block by block.
type Cursor struct {
	Rows   [Block]uint32
	Counts [Block]uint8 // how often the term stands in each row, less one
	Len    int          // of the block
	Once   bool         // all Counts are 0, and were not written

	list  List
	block int // the next
	at    int // where it begins in list.blocks
	row   uint32
}

// Begin sets the cursor before the first block of a list.
func (c *Cursor) Begin(l List) {
	c.list, c.block, c.at, c.Len = l, 0, 0, 0
	c.row = ^uint32(0)
}

// Next reads the next block, if there is one.
func (c *Cursor) Next() bool {
	n := min(c.list.Count-c.block*Block, Block)
	if n <= 0 {
		c.Len = 0
		return false
	}
	data := c.list.blocks[c.at:]
	h := readHead(data)
	c.at += h.size(n)
	c.block++
	c.Len = n
	c.row = rowsOf(&c.Rows, n, data[2:], c.row, h.distance)
	if c.Once = h.count == 0; !c.Once {
		countsOf(&c.Counts, n, data[2+packed.Bytes(n, int(h.distance)):], h.count)
	}
	return true
}

// rowsOf adds up n distances of a width behind a row. With distances of up to
// seven bits, as frequent terms have, one load takes eight of them.
func rowsOf(rows *[Block]uint32, n int, data []byte, row, width uint32) uint32 {
	mask := uint64(1)<<width - 1
	i, bit := 0, uint32(0)
	if width <= 7 {
		for ; i+8 <= n; i += 8 {
			v := binary.LittleEndian.Uint64(data)
			data = data[width:]
			out := rows[i : i+8 : i+8]
			for k := range out {
				row += 1 + uint32(v&mask)
				out[k] = row
				v >>= width & 63
			}
		}
	} else if width <= 14 {
		for ; i+4 <= n; i += 4 {
			v := binary.LittleEndian.Uint64(data[bit>>3:]) >> (bit & 7)
			bit += 4 * width
			out := rows[i : i+4 : i+4]
			for k := range out {
				row += 1 + uint32(v&mask)
				out[k] = row
				v >>= width & 63
			}
		}
	}
	for ; i < n; i++ {
		row += 1 + uint32(binary.LittleEndian.Uint64(data[bit>>3:])>>(bit&7)&mask)
		rows[i] = row
		bit += width
	}
	return row
}

// countsOf reads n counts of a width, at most eight bits.
func countsOf(counts *[Block]uint8, n int, data []byte, width uint32) {
	mask := uint64(1)<<width - 1
	i, bit := 0, uint32(0)
	if width <= 7 {
		for ; i+8 <= n; i += 8 {
			v := binary.LittleEndian.Uint64(data)
			data = data[width:]
			out := counts[i : i+8 : i+8]
			for k := range out {
				out[k] = uint8(v & mask)
				v >>= width & 63
			}
		}
	}
	for ; i < n; i++ {
		counts[i] = uint8(binary.LittleEndian.Uint64(data[bit>>3:]) >> (bit & 7) & mask)
		bit += width
	}
}

// blockOf returns the block a row would be in, where it begins and which row was
// before it.
func (l *List) blockOf(row uint32) (block, at int, before uint32) {
	if l.skips == nil {
		return 0, 0, ^uint32(0)
	}
	from, to := 0, len(l.skips)/skip
	for from < to {
		middle := (from + to) / 2
		if binary.LittleEndian.Uint32(l.skips[middle*skip:]) < row {
			from = middle + 1
		} else {
			to = middle
		}
	}
	if from == len(l.skips)/skip {
		return -1, 0, 0
	}
	before = ^uint32(0)
	if from > 0 {
		before = binary.LittleEndian.Uint32(l.skips[(from-1)*skip:])
	}
	return from, int(binary.LittleEndian.Uint32(l.skips[from*skip+4:])), before
}

// In returns how often the term stands in a row.
func (l *List) In(row uint32) uint32 {
	if l.Count == 0 {
		return 0
	}
	block, begin, r := l.blockOf(row)
	if block < 0 {
		return 0
	}
	n := min(l.Count-block*Block, Block)
	data := l.blocks[begin:]
	h := readHead(data)
	i, r := seek(data[2:], n, r, row, h.distance)
	if i == n || r != row {
		return 0
	}
	if h.count == 0 {
		return 1
	}
	counts := data[2+packed.Bytes(n, int(h.distance)):]
	bit := uint32(i) * h.count
	return 1 + uint32(binary.LittleEndian.Uint64(counts[bit>>3:])>>(bit&7)&(1<<h.count-1))
}

// seek adds up distances behind a row until it is target or more, and returns how
// many rows, of n, are before that.
func seek(data []byte, n int, row, target, width uint32) (int, uint32) {
	mask := uint64(1)<<width - 1
	i, bit := 0, uint32(0)
	if width <= 7 {
		for ; i+8 <= n; i += 8 {
			v := binary.LittleEndian.Uint64(data)
			data = data[width:]
			for k := range 8 {
				if row += 1 + uint32(v&mask); row >= target {
					return i + k, row
				}
				v >>= width & 63
			}
		}
	}
	for ; i < n; i++ {
		if row += 1 + uint32(binary.LittleEndian.Uint64(data[bit>>3:])>>(bit&7)&mask); row >= target {
			return i, row
		}
		bit += width
	}
	return n, row
}
