package postings

import (
	"encoding/binary"
	"errors"
	"slices"
)

// ErrMalformed is what [Check] returns.
var ErrMalformed = errors.New("malformed list of postings")

// Check reads the list at the front of data, which may be anything, and returns an
// error unless it takes all of it, but for padding, and its rows are less than rows.
// Then nothing that is asked of the list reads beyond it and its padding.
func Check(data []byte, rows uint32) error {
	end := len(data) - Padding
	count, at := binary.Uvarint(data)
	if end < 0 || at <= 0 || count == 0 || count > uint64(rows) {
		return ErrMalformed
	}
	blocks := int(count+Block-1) / Block
	size := -1
	table := 0
	if blocks > 1 {
		v, n := binary.Uvarint(data[at:])
		if n <= 0 || v > uint64(end) || blocks*skip > end-at-n {
			return ErrMalformed
		}
		size, table = int(v), at+n
		at = table + blocks*skip
	}
	if at > end {
		return ErrMalformed
	}
	begin := at
	var cursor Cursor
	cursor.Begin(List{Count: int(count)})
	next := uint64(0) // the first row that may come
	for b := range blocks {
		n := min(int(count)-b*Block, Block)
		if end-at < 2 {
			return ErrMalformed
		}
		h := readHead(data[at:])
		if h.count > 8 || end-at < h.size(n) {
			return ErrMalformed
		}
		if blocks > 1 && (binary.LittleEndian.Uint32(data[table+b*skip+4:]) != uint32(at-begin)) {
			return ErrMalformed
		}
		cursor.list.blocks, cursor.at = data[at:], 0
		cursor.block = b
		cursor.Next()
		for _, r := range cursor.Rows[:n] { // distances are added up modulo 1<<32
			if uint64(r) < next || r >= rows {
				return ErrMalformed
			}
			next = uint64(r) + 1
		}
		if blocks > 1 && binary.LittleEndian.Uint32(data[table+b*skip:]) != uint32(next-1) {
			return ErrMalformed
		}
		if !cursor.Once && slices.Contains(cursor.Counts[:n], MaxFrequency) {
			return ErrMalformed
		}
		at += h.size(n)
	}
	if size >= 0 && at-begin != size || at != end {
		return ErrMalformed
	}
	return nil
}
