package packed

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// MaxWidth is how many bits a number may have: what eight bytes hold behind the
// up to seven bits of the number before.
const MaxWidth = 57

// Ints are numbers from 0 to below 1<<MaxWidth. The zero value has none.
type Ints struct {
	data  []byte
	width uint32
	count uint32
	mask  uint64
}

// Len returns how many numbers there are.
func (a *Ints) Len() int { return int(a.count) }

// At returns a number. An index that is not below Len is a mistake of the caller.
func (a *Ints) At(i uint32) uint64 {
	bit := uint64(i) * uint64(a.width)
	return binary.LittleEndian.Uint64(a.data[bit>>3:]) >> (bit & 7) & a.mask
}

// Get is At for numbers that are known to fit.
func (a *Ints) Get(i uint32) uint32 { return uint32(a.At(i)) }

// Plain returns the numbers, which have to fit, one to four bytes.
func (a *Ints) Plain() []uint32 {
	list := make([]uint32, a.count)
	for i := range list {
		list[i] = a.Get(uint32(i))
	}
	return list
}

// Search returns how many numbers, which are in order, are less than v.
func (a *Ints) Search(v uint64) uint32 {
	from, to := uint32(0), a.count
	for from < to {
		if at := (from + to) / 2; a.At(at) < v {
			from = at + 1
		} else {
			to = at
		}
	}
	return from
}

// Width returns how many bits a number needs.
func Width[T ~uint32 | ~uint64](v T) int { return bits.Len64(uint64(v)) }

// Bytes returns how many bytes so many numbers of a width take, without padding.
func Bytes(count, width int) int { return (count*width + 7) / 8 }

// Append appends numbers of a width to dst, without their count and padding.
func Append[T ~uint8 | ~uint32 | ~uint64](dst []byte, list []T, width int) []byte {
	if width == 0 {
		return dst
	}
	var pending uint64
	filled := 0
	for _, v := range list {
		pending |= uint64(v) << filled
		filled += width
		for filled >= 8 {
			dst = append(dst, byte(pending))
			pending >>= 8
			filled -= 8
		}
	}
	if filled > 0 {
		dst = append(dst, byte(pending))
	}
	return dst
}

// AppendInts appends numbers so that [Reader.Ints] finds them again. Those that
// need more than MaxWidth bits lose the upper ones.
func AppendInts[T ~uint32 | ~uint64](dst []byte, list []T) []byte {
	var all T
	for _, v := range list {
		all |= v
	}
	width := min(Width(all), MaxWidth)
	dst = binary.AppendUvarint(dst, uint64(len(list)))
	dst = append(dst, byte(width))
	dst = slices.Grow(dst, Bytes(len(list), width)+padding)
	if mask := uint64(1)<<width - 1; uint64(all) > mask {
		for i := range list {
			list[i] = T(uint64(list[i]) & mask)
		}
	}
	dst = Append(dst, list, width)
	return append(dst, make([]byte, padding)...)
}
