package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/klauspost/compress/s2"
)

// Pieces are the body of a bulk, taken apart as it arrives, so that each item can be
// let go by itself once it is stored. The objects in the array "items" are cut out,
// and each leaves an empty object behind; items of other kinds stay where they are.
type pieces struct {
	frame []byte  // the body with {} for what was cut out
	items []piece // what was cut out, in order
	at    []int   // where in frame the {} of each stands
}

// A piece is a stretch of a body that waits for its turn. A large one does so
// compressed: there may be 100 MB of them, and to the collector twice that.
type piece struct {
	data   []byte
	packed bool
}

// packSize is how long a piece is at least that is compressed. What is shorter
// gains little, and 1,000 of them are 4 MB.
const packSize = 4 << 10

// pack returns a piece that holds on to no more memory than it needs.
func pack(raw []byte) piece {
	if len(raw) < packSize {
		return piece{data: bytes.Clone(raw)}
	}
	return piece{data: bytes.Clone(s2.Encode(nil, raw)), packed: true}
}

// raw returns a piece as it was written.
func (p piece) raw() []byte {
	if !p.packed {
		return p.data
	}
	raw, err := s2.Decode(nil, p.data)
	if err != nil {
		panic(err) // of what was compressed in this process
	}
	return raw
}

// readPieces reads a body to its end, and cuts out most items at most. Whether it
// is JSON is not known yet: putting the items back gives the body as it came.
func readPieces(in io.Reader, most int) (pieces, error) {
	c := cutter{most: most}
	buffer := make([]byte, 64<<10)
	for {
		n, err := in.Read(buffer)
		c.take(buffer[:n])
		if errors.Is(err, io.EOF) {
			c.frame = append(c.frame, c.item...) // one that does not end
			return c.pieces, nil
		}
		if err != nil {
			return pieces{}, err
		}
	}
}

// A cutter takes a body apart. It knows strings and brackets, and where it stands
// among them; what is not JSON is found later.
type cutter struct {
	pieces
	most int

	depth    int    // of brackets
	inString bool   // and not behind its end
	escaped  bool   // by a backslash before
	name     [2]int // where in frame the last string at depth 1 begins and ends
	named    bool   // what follows at depth 1 is called items
	inItems  bool   // at depth 2 and deeper
	cutting  bool
	item     []byte // what is being cut out
}

func (c *cutter) take(b []byte) {
	kept := 0 // of b
	keep := func(to int) {
		if c.cutting {
			c.item = append(c.item, b[kept:to]...)
		} else {
			c.frame = append(c.frame, b[kept:to]...)
		}
		kept = to
	}
	for i := 0; i < len(b); i++ {
		if c.inString {
			if i = c.string(b, i); !c.inString && c.depth == 1 {
				c.name[1] = len(c.frame) + i + 1 - kept
			}
			continue
		}
		switch b[i] {
		case '"':
			if c.inString = true; c.depth == 1 {
				c.name[0] = len(c.frame) + i - kept
			}
		case ':':
			if c.depth == 1 {
				keep(i)
				c.named = c.isItems()
			}
		case '{', '[':
			if b[i] == '{' && c.depth == 2 && c.inItems && len(c.items) < c.most {
				keep(i)
				c.cutting = true
			}
			if c.depth++; c.depth == 2 {
				c.inItems = c.named && b[i] == '['
			}
		case '}', ']':
			if c.depth--; c.depth == 2 && c.cutting {
				keep(i + 1)
				c.cut()
			}
		}
	}
	keep(len(b))
}

// string returns where the string that b[i] is in ends, if it does.
func (c *cutter) string(b []byte, i int) int {
	for ; i < len(b); i++ {
		switch {
		case c.escaped:
			c.escaped = false
		case b[i] == '\\':
			c.escaped = true
		case b[i] == '"':
			c.inString = false
			return i
		}
	}
	return i
}

// isItems reports whether the last string at depth 1 says items. One so long that
// it cannot be is not looked at.
func (c *cutter) isItems() bool {
	from, to := c.name[0], c.name[1]
	return 0 <= from && from < to && to <= len(c.frame) && to-from <= len(`"\u0069\u0074\u0065\u006d\u0073"`) && unquote(c.frame[from:to]) == "items"
}

// cut puts the item that has ended among the others.
func (c *cutter) cut() {
	c.items, c.at = append(c.items, pack(c.item)), append(c.at, len(c.frame))
	c.frame = append(c.frame, "{}"...)
	c.item, c.cutting = c.item[:0], false
}

// check is [checkJSON] of the whole body, which is put together again only to say
// what is wrong with it.
func (p *pieces) check() *problem {
	fine := func(part []byte, nested int) bool {
		depth, _ := measure(part)
		return utf8.Valid(part) && nested+depth <= maxDepth && json.Valid(part) && checkNames(part) == nil
	}
	ok := fine(p.frame, 0)
	for _, item := range p.items {
		ok = ok && fine(item.raw(), 2)
	}
	if ok {
		return nil
	}
	return checkJSON(p.whole())
}

// whole returns the body as it came.
func (p *pieces) whole() []byte {
	var b bytes.Buffer
	from := 0
	for i, item := range p.items {
		b.Write(p.frame[from:p.at[i]])
		b.Write(item.raw())
		from = p.at[i] + len("{}")
	}
	b.Write(p.frame[from:])
	return b.Bytes()
}

// elements returns the first items of the array that they were cut out of, those
// that stayed there among them.
func (p *pieces) elements(array []byte, most int) (items []piece) {
	cut := p.items
	for raw := range elements(array) {
		item := piece{data: raw}
		if raw[0] == '{' && len(cut) > 0 {
			item, cut = cut[0], cut[1:]
		}
		if items = append(items, item); len(items) == most {
			break
		}
	}
	return items
}
