package transfer

import (
	"encoding/binary"
	"fmt"
	"hash"
	"iter"
	"strings"
	"unicode/utf8"
)

// A row has a value for each column of its table: a string, an int64 or a []byte.
type row []any

// newRow checks the values of a row that a database has read.
func newRow(t table, values []any) (row, error) {
	for i, c := range t.columns {
		v, why := c.kind.of(values[i])
		if why != "" {
			return nil, fmt.Errorf("table %s, key %s: column %s %s: mend the row, and then copy", t.name, showKey(t, values), c.name, why)
		}
		values[i] = v
	}
	return values, nil
}

// of returns a value as one of the kind, or why it is none.
func (k kind) of(v any) (value any, why string) {
	switch k {
	case integer:
		if n, ok := v.(int64); ok {
			return n, ""
		}
		return nil, fmt.Sprintf("holds a %T where a whole number belongs", v)
	case blob:
		switch v := v.(type) {
		case []byte:
			if v == nil {
				v = []byte{} // how SQLite's driver reads an empty one
			}
			return v, ""
		case string:
			return []byte(v), ""
		}
		return nil, fmt.Sprintf("holds a %T where bytes belong", v)
	}
	s, ok := v.(string)
	if b, is := v.([]byte); is {
		s, ok = string(b), true
	}
	switch {
	case !ok:
		return nil, fmt.Sprintf("holds a %T where text belongs", v)
	case strings.ContainsRune(s, 0):
		return nil, "has a text with a zero byte, which PostgreSQL cannot store"
	case !utf8.ValidString(s):
		return nil, "has a text that is not UTF-8, which PostgreSQL cannot store"
	}
	return s, ""
}

// showKey names a row.
func showKey(t table, values []any) string {
	var parts []string
	for _, i := range t.key {
		if b, ok := values[i].([]byte); ok {
			parts = append(parts, fmt.Sprintf("%.64q", b))
			continue
		}
		parts = append(parts, fmt.Sprintf("%.64q", fmt.Sprint(values[i])))
	}
	return strings.Join(parts, " ")
}

// write adds a row to a hash. Each value has its kind and its length before it, so
// that two rows which differ are never written the same; the columns are in the
// order of their names.
func (r row) write(h hash.Hash) {
	var head [9]byte
	for _, v := range r {
		switch v := v.(type) {
		case int64:
			head[0] = byte(integer)
			binary.BigEndian.PutUint64(head[1:], uint64(v))
			h.Write(head[:])
		case string:
			head[0] = byte(text)
			binary.BigEndian.PutUint64(head[1:], uint64(len(v)))
			h.Write(head[:])
			h.Write([]byte(v))
		case []byte:
			head[0] = byte(blob)
			binary.BigEndian.PutUint64(head[1:], uint64(len(v)))
			h.Write(head[:])
			h.Write(v)
		}
	}
}

// size is about how many bytes a row has.
func (r row) size() int {
	n := 8 * len(r)
	for _, v := range r {
		switch v := v.(type) {
		case string:
			n += len(v)
		case []byte:
			n += len(v)
		}
	}
	return n
}

// Bounds of a batch: it is one transaction, and what a process that is killed in
// the middle of it has to write again.
const (
	maxRows  = 10_000
	maxBytes = 8 << 20
)

// batches hands out the rows of a table, a batch at a time.
type batches struct {
	next        func() (row, error, bool)
	stop        func()
	head        row // that comes next, nil if there is none
	rows, bytes int // of this batch
	err         error
}

func newBatches(rows iter.Seq2[row, error], _ table) *batches {
	b := new(batches)
	b.next, b.stop = iter.Pull2(rows)
	b.step()
	return b
}

func (b *batches) step() {
	r, err, ok := b.next()
	b.head = r
	if !ok || err != nil {
		b.head, b.err = nil, err
	}
}

// more begins a batch, and reports whether it has rows.
func (b *batches) more() bool {
	b.rows, b.bytes = 0, 0
	return b.head != nil
}

// take returns the next row of the batch, or nil at its end.
func (b *batches) take() row {
	if b.head == nil || b.rows >= maxRows || b.bytes >= maxBytes {
		return nil
	}
	r := b.head
	b.rows, b.bytes = b.rows+1, b.bytes+r.size()
	b.step()
	return r
}
