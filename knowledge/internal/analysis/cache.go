package analysis

import (
	"hash/maphash"
	"sync/atomic"
)

// A word is what analysis makes of one word as it is written.
type word struct {
	raw   [30]byte // as it is written, so that one look at memory tells
	size  uint8
	flags flags
	term  string // "" if nothing is left of it
}

type flags uint8

const (
	stop     flags = 1 << iota // never indexed
	long                       // left out of long questions
	function                   // says nothing about what a question is about
)

func (w *word) is(f flags) bool { return w.flags&f != 0 }

// A cache holds the words seen lately, by a hash of how they are written: the
// latest of a hash in its slot, and the one before in the slot beside it. Longer
// ones than a word's raw are not kept: most are seen once.
type cache [1 << 15]atomic.Pointer[word]

var seed = maphash.MakeSeed()

// slot returns where a word is kept if it is the latest of its hash.
func (c *cache) slot(raw string) uint64 { return maphash.String(seed, raw) % uint64(len(c)) }

func (c *cache) find(raw string, slot uint64) *word {
	if w := c[slot].Load(); w != nil && string(w.raw[:w.size]) == raw {
		return w
	}
	if w := c[slot^1].Load(); w != nil && string(w.raw[:w.size]) == raw {
		return w
	}
	return nil
}

// keep keeps w, which nobody else knows yet.
func (c *cache) keep(raw string, slot uint64, w *word) {
	if len(raw) > len(w.raw) {
		return
	}
	w.size = uint8(copy(w.raw[:], raw))
	c[slot^1].Store(c[slot].Swap(w))
}
