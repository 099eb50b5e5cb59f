package index

import "math/bits"

// A passage's length is kept in a byte: exact up to 40 terms, above to four
// significant bits, rounded down, as Lucene keeps it (SmallFloat.intToByte4).
const exactLengths = 24

// lengthByte returns the byte of a length.
func lengthByte(n int) byte {
	if n < exactLengths {
		return byte(n)
	}
	v := uint32(min(n-exactLengths, 1<<31-1))
	shift := bits.Len32(v) - 4
	if shift < 0 {
		return byte(exactLengths + v)
	}
	return byte(exactLengths + (v>>shift&7 | uint32(shift+1)<<3))
}

// lengthOf returns the length a byte stands for.
var lengthOf = func() (table [256]uint32) {
	for i := range table {
		if i < exactLengths {
			table[i] = uint32(i)
			continue
		}
		v := uint32(i - exactLengths)
		if shift := v >> 3; shift > 0 {
			v = (v&7 | 8) << (shift - 1)
		}
		table[i] = exactLengths + v
	}
	return table
}()
