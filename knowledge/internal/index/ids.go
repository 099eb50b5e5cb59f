package index

import (
	"bytes"
	"encoding/binary"

	"github.com/answerdesk-go/answerdesk/knowledge/internal/packed"
)

// idList are the ids of the documents of a segment. Those of a desk are 128 bits
// behind a prefix, and are kept as those bits if all of a segment are.
type idList struct {
	prefix []byte
	bits   []byte         // 16 bytes of each; nil: in texts
	texts  packed.Strings // in the order of documents
}

const (
	idBytes  = 16
	idDigits = 26 // of base32, that write 128 bits behind two zeros
	// base32 is Crockford's alphabet in lower case.
	base32 = "0123456789abcdefghjkmnpqrstvwxyz"
)

// digits are what characters of base32 stand for, and 255 what no others do.
var digits = func() (table [256]byte) {
	for i := range table {
		table[i] = 255
	}
	for i := range len(base32) {
		table[base32[i]] = byte(i)
	}
	return table
}()

// Append appends an id to dst.
func (l *idList) Append(dst []byte, i uint32) []byte {
	if l.bits == nil {
		return l.texts.Append(dst, i)
	}
	b := l.bits[idBytes*i:][:idBytes]
	hi, lo := binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	var id [idDigits]byte
	for n := idDigits - 1; n >= 0; n-- {
		id[n] = base32[lo%32]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return append(append(dst, l.prefix...), id[:]...)
}

// Is reports whether an id is s.
func (l *idList) Is(i uint32, s string) bool {
	var buffer [64]byte
	return string(l.Append(buffer[:0], i)) == s
}

// appendBits appends the bits of an id whose prefix is so long. It reports false if
// they do not say what it is.
func appendBits(dst, id []byte, prefix int) ([]byte, bool) {
	if len(id) != prefix+idDigits || id[prefix] > '7' {
		return dst, false
	}
	var hi, lo uint64
	for _, c := range id[prefix:] {
		d := digits[c]
		if d == 255 {
			return dst, false
		}
		hi = hi<<5 | lo>>59
		lo = lo<<5 | uint64(d)
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(dst, hi), lo), true
}

// An idWriter collects ids.
type idWriter struct {
	data []byte
	ends []int
}

func (w *idWriter) add(id []byte) {
	w.data = append(w.data, id...)
	w.ends = append(w.ends, len(w.data))
}

// appendTo appends the ids so that read finds them again: the length of the prefix
// plus one, the prefix and the bits, or 0 and the texts.
func (w *idWriter) appendTo(dst []byte) []byte {
	begin := len(dst)
	prefix := w.data[:max(0, min(w.ends[0]-idDigits, maxPrefix))]
	dst = append(append(dst, byte(len(prefix)+1)), prefix...)
	at, ok := 0, true
	for _, end := range w.ends {
		id := w.data[at:end]
		if ok = bytes.HasPrefix(id, prefix); ok {
			dst, ok = appendBits(dst, id, len(prefix))
		}
		if !ok {
			break
		}
		at = end
	}
	if ok {
		return dst
	}
	var texts packed.StringsWriter
	at = 0
	for _, end := range w.ends {
		texts.Add(w.data[at:end])
		at = end
	}
	return texts.AppendTo(append(dst[:begin], 0))
}

// maxPrefix is how many bytes a prefix has at most.
const maxPrefix = 30

// read reads the ids of so many documents.
func (l *idList) read(r *packed.Reader, documents int) {
	if n := r.Uint(maxPrefix + 1); n > 0 {
		l.prefix = r.Bytes(int(n) - 1)
		l.bits = r.Bytes(documents * idBytes)
	} else if l.texts = r.Strings(documents, false); l.texts.Len() != documents {
		r.Fail("count of ids")
	}
}
