package packed

import (
	"encoding/binary"
	"fmt"
)

// A Reader takes what was appended from the front of some bytes, and keeps the
// first error. What it returns shares their memory.
type Reader struct {
	data []byte
	at   int
	err  error
}

// NewReader reads data.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// Err returns the first error there was.
func (r *Reader) Err() error { return r.err }

// Rest returns how many bytes are left.
func (r *Reader) Rest() int { return len(r.data) - r.at }

// Fail notes an error, unless there was one.
func (r *Reader) Fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s at byte %d: %w", what, r.at, ErrMalformed)
	}
}

// Uint reads a number of at most most.
func (r *Reader) Uint(most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.data[r.at:])
	if n <= 0 || v > most {
		r.Fail("number")
		return 0
	}
	r.at += n
	return v
}

// Bytes reads so many bytes.
func (r *Reader) Bytes(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > r.Rest() {
		r.Fail("length")
		return nil
	}
	r.at += n
	return r.data[r.at-n : r.at : r.at]
}

// Ints reads numbers, which have to be count numbers of at most most.
func (r *Reader) Ints(count int, most uint64) Ints {
	n := r.Uint(1<<32 - 1)
	head := r.Bytes(1)
	if r.err != nil || int(n) != count || head[0] > MaxWidth {
		r.Fail("count of numbers")
		return Ints{}
	}
	a := Ints{width: uint32(head[0]), count: uint32(n), mask: 1<<head[0] - 1}
	a.data = r.Bytes(Bytes(count, int(a.width)) + padding)
	if r.err != nil || a.mask <= most {
		return a
	}
	for i := range a.count {
		if a.At(i) > most {
			r.Fail("number out of range")
			break
		}
	}
	return a
}

// Rising reads numbers that do not fall, from 0 to last.
func (r *Reader) Rising(count int, last uint64) Ints {
	a := r.Ints(count, last)
	if r.err != nil {
		return Ints{}
	}
	before := uint64(0)
	for i := range a.count {
		v := a.At(i)
		if v < before || i == 0 && v != 0 || i == a.count-1 && v != last {
			r.Fail("order of numbers")
			return Ints{}
		}
		before = v
	}
	return a
}

// Strings reads strings, of at most most; in order if they have to be.
func (r *Reader) Strings(most int, sorted bool) Strings {
	t := Strings{count: uint32(r.Uint(uint64(most)))}
	t.starts = r.Ints((int(t.count)+group-1)/group, 1<<32-1)
	t.data = r.Bytes(int(r.Uint(1<<32 - 1)))
	if r.err != nil {
		return Strings{}
	}
	t.fronts = make([]uint64, 0, min(t.starts.Len(), len(t.data))) // a string takes a byte or more
	at, length := 0, 0
	var last []byte
	for i := range t.count {
		if i%group == 0 && t.starts.At(i/group) != uint64(at) {
			r.Fail("group of strings")
			return Strings{}
		}
		same, more, next, ok := checkedShape(t.data, at)
		if !ok || same > length || i%group == 0 && same > 0 {
			r.Fail("string")
			return Strings{}
		}
		if i%group == 0 {
			t.fronts = append(t.fronts, front(t.data[next:next+more]))
		}
		if sorted {
			rest := t.data[next : next+more]
			if i > 0 && i%group != 0 && string(rest) <= string(last[same:]) || i > 0 && i%group == 0 && string(rest) <= string(last) {
				r.Fail("order of strings")
				return Strings{}
			}
			last = append(last[:same], rest...)
		}
		at, length = next+more, same+more
	}
	if at != len(t.data) {
		r.Fail("strings")
		return Strings{}
	}
	return t
}

// checkedShape is shape for bytes that may be anything.
func checkedShape(data []byte, at int) (same, more, next int, ok bool) {
	if at >= len(data) {
		return 0, 0, 0, false
	}
	c := data[at]
	same, more, at = int(c>>4), int(c&15), at+1
	for _, v := range []*int{&same, &more} {
		if *v == 15 {
			u, n := binary.Uvarint(data[at:])
			if n <= 0 || u > 1<<32 {
				return 0, 0, 0, false
			}
			*v, at = 15+int(u), at+n
		}
	}
	return same, more, at, more <= len(data)-at
}
