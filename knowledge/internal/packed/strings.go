package packed

import (
	"encoding/binary"
)

// group is how many strings are written behind one that is whole.
const group = 16

// Strings are read where they lie. The zero value has none.
type Strings struct {
	data   []byte
	starts Ints // of groups
	count  uint32
	fronts []uint64 // of the first strings of groups
}

// front returns the first eight bytes of a string as a number. Of two strings the lesser
// one never has the greater front.
func front[T string | []byte](s T) uint64 {
	var first [8]byte
	copy(first[:], s)
	return binary.BigEndian.Uint64(first[:])
}

// Len returns how many strings there are.
func (t *Strings) Len() int { return int(t.count) }

// Extra returns how many bytes the strings take beside those that they are read from.
func (t *Strings) Extra() int { return 8 * len(t.fronts) }

// A Walk goes through strings in the order they were written.
type Walk struct {
	data []byte
	at   int
	left uint32
	text []byte
	same int
}

// Walk begins before a string.
func (t *Strings) Walk(i uint32) *Walk {
	w := t.walk(i, make([]byte, 0, 64))
	return &w
}

func (t *Strings) walk(i uint32, buffer []byte) Walk {
	w := Walk{data: t.data, left: t.count, text: buffer[:0]}
	if i >= t.count {
		w.left = 0
		return w
	}
	w.at, w.left = int(t.starts.At(i/group)), t.count-i/group*group
	for range i % group {
		w.Next()
	}
	return w
}

// Next moves to the next string, if there is one.
func (w *Walk) Next() bool {
	if w.left == 0 {
		return false
	}
	w.left--
	same, more, at := shape(w.data, w.at)
	w.same = same
	w.text = append(w.text[:same], w.data[at:at+more]...)
	w.at = at + more
	return true
}

// Text returns the string, valid until Next.
func (w *Walk) Text() []byte { return w.text }

// Same returns how many of its first bytes are those of the string before, as it
// was written: 0 for the first of a group.
func (w *Walk) Same() int { return w.same }

// shape reads what stands before the bytes of a string: how many bytes it shares
// with the one before, how many follow, and where.
func shape(data []byte, at int) (same, more, next int) {
	c := data[at]
	same, more, at = int(c>>4), int(c&15), at+1
	if same == 15 {
		v, n := binary.Uvarint(data[at:])
		same, at = same+int(v), at+n
	}
	if more == 15 {
		v, n := binary.Uvarint(data[at:])
		more, at = more+int(v), at+n
	}
	return same, more, at
}

// Append appends a string to dst. An index that is not below Len is a mistake of
// the caller.
func (t *Strings) Append(dst []byte, i uint32) []byte {
	at := int(t.starts.At(i / group))
	begin := len(dst)
	for range i%group + 1 {
		same, more, next := shape(t.data, at)
		dst = append(dst[:begin+same], t.data[next:next+more]...)
		at = next + more
	}
	return dst
}

// Is reports whether a string is s.
func (t *Strings) Is(i uint32, s string) bool {
	var buffer [64]byte
	return string(t.Append(buffer[:0], i)) == s
}

// Find returns the first string, of strings in order, that is not less than key,
// or Len, and whether it is key.
func (t *Strings) Find(key []byte) (uint32, bool) {
	from, to := upTo(t.fronts, front(key)), uint32(len(t.fronts)) // the last group that begins with key or less is in [from-1, to-1]
	if v := front(key) + 1; v > 0 {
		to = upTo(t.fronts, v)
	}
	for from < to {
		at := (from + to) / 2
		_, more, next := shape(t.data, int(t.starts.At(at)))
		if string(t.data[next:next+more]) <= string(key) {
			from = at + 1
		} else {
			to = at
		}
	}
	if from == 0 {
		return 0, false
	}
	g := from - 1
	at, met := int(t.starts.At(g)), 0 // met: how much of key the string before has
	for i := g * group; i < min(t.count, (g+1)*group); i++ {
		same, more, next := shape(t.data, at)
		at = next + more
		switch {
		case same > met:
			continue // less than key as the one before was
		case same < met:
			return i, false
		}
		rest := t.data[next:at]
		n := 0
		for n < len(rest) && met+n < len(key) && rest[n] == key[met+n] {
			n++
		}
		switch {
		case met+n == len(key):
			return i, n == len(rest)
		case n < len(rest) && rest[n] > key[met+n]:
			return i, false
		}
		met += n
	}
	return min(t.count, (g+1)*group), false
}

// upTo returns how many of some numbers, which are in order, are less than v. What is
// looked at next depends on no branch, which no processor would foresee.
func upTo(list []uint64, v uint64) uint32 {
	from, n := 0, len(list)
	for n > 1 {
		half := n / 2
		if list[from+half-1] < v {
			from += half
		}
		n -= half
	}
	if n > 0 && list[from] < v {
		from++
	}
	return uint32(from)
}

// A StringsWriter collects strings.
type StringsWriter struct {
	data   []byte
	starts []uint32
	last   []byte
	count  int
}

// Len returns how many strings were added.
func (w *StringsWriter) Len() int { return w.count }

// Bytes returns about how many bytes they take.
func (w *StringsWriter) Bytes() int { return len(w.data) + 4*len(w.starts) }

// Reset takes all strings out, but keeps the memory they took.
func (w *StringsWriter) Reset() {
	w.data, w.starts, w.last, w.count = w.data[:0], w.starts[:0], w.last[:0], 0
}

// Add adds a string. It keeps no part of it.
func (w *StringsWriter) Add(s []byte) {
	same := 0
	if w.count%group == 0 {
		w.starts = append(w.starts, uint32(len(w.data)))
	} else {
		for same < len(s) && same < len(w.last) && s[same] == w.last[same] {
			same++
		}
	}
	more := len(s) - same
	w.data = append(w.data, byte(min(same, 15)<<4|min(more, 15)))
	if same >= 15 {
		w.data = binary.AppendUvarint(w.data, uint64(same-15))
	}
	if more >= 15 {
		w.data = binary.AppendUvarint(w.data, uint64(more-15))
	}
	w.data = append(w.data, s[same:]...)
	w.last = append(w.last[:same], s[same:]...)
	w.count++
}

// AddString is Add.
func (w *StringsWriter) AddString(s string) { w.Add([]byte(s)) }

// AppendTo appends the strings to dst so that [Reader.Strings] finds them again.
func (w *StringsWriter) AppendTo(dst []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(w.count))
	dst = AppendInts(dst, w.starts)
	dst = binary.AppendUvarint(dst, uint64(len(w.data)))
	return append(dst, w.data...)
}
