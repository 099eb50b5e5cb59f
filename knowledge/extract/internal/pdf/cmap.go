package pdf

import (
	"strings"
	"unicode/utf16"
)

// A cmap says what the codes of a font stand for, and how long they are.
type cmap struct {
	spaces []codeSpace
	chars  map[uint32]string // by code, with its length in the top bits
	cids   []cidRange
}

type codeSpace struct {
	size      int
	low, high uint32
}

type cidRange struct {
	size             int
	low, high, first uint32
}

const maxCharacters = 1 << 17 // of one font

func codeKey(size int, code uint32) uint32 { return uint32(size)<<28 ^ code }

func code(s string) (n uint32) {
	for i := range min(len(s), 4) {
		n = n<<8 | uint32(s[i])
	}
	return n
}

// readCmap reads an embedded CMap: ToUnicode, or an encoding.
func (f *File) readCmap(s *stream) *cmap {
	m := &cmap{chars: map[uint32]string{}}
	l := f.lexer(f.decode(s, maxStream/4), 0)
	var args []any
	for {
		v := l.value(0)
		switch op := v.(type) {
		case end:
			return m
		case operator:
			switch op {
			case "endcodespacerange":
				for ; len(args) >= 2; args = args[2:] {
					low, high, ok := pair(args)
					if ok && len(m.spaces) < 64 {
						m.spaces = append(m.spaces, codeSpace{len(low), code(low), code(high)})
					}
				}
			case "endbfchar":
				for ; len(args) >= 2; args = args[2:] {
					if from, to, ok := pair(args); ok {
						m.set(len(from), code(from), utf16Text(to))
					}
				}
			case "endbfrange":
				for ; len(args) >= 3; args = args[3:] {
					f.bfrange(m, args)
				}
			case "endcidrange":
				for ; len(args) >= 3; args = args[3:] {
					low, high, ok := pair(args)
					first, isInt := args[2].(int)
					if ok && isInt && len(m.cids) < 512 {
						m.cids = append(m.cids, cidRange{len(low), code(low), code(high), uint32(first)})
					}
				}
			case "endcidchar":
				for ; len(args) >= 2; args = args[2:] {
					c, ok := args[0].(string)
					first, isInt := args[1].(int)
					if ok && isInt && len(m.cids) < 512 {
						m.cids = append(m.cids, cidRange{len(c), code(c), code(c), uint32(first)})
					}
				}
			}
			args = args[:0]
		case closing:
		default:
			if len(args) < 1<<12 {
				args = append(args, v)
			}
		}
	}
}

func pair(args []any) (a, b string, ok bool) {
	a, ok1 := args[0].(string)
	b, ok2 := args[1].(string)
	return a, b, ok1 && ok2 && len(a) >= 1 && len(a) <= 4
}

func (m *cmap) set(size int, code uint32, text string) {
	if len(m.chars) < maxCharacters {
		m.chars[codeKey(size, code)] = text
	}
}

func (f *File) bfrange(m *cmap, args []any) {
	low, high, ok := pair(args)
	if !ok {
		return
	}
	from, to := code(low), code(high)
	switch dst := args[2].(type) {
	case array:
		for i, v := range dst {
			if s, ok := v.(string); ok && from+uint32(i) <= to {
				m.set(len(low), from+uint32(i), utf16Text(s))
			}
		}
	case string:
		units := []rune(utf16Text(dst))
		if len(units) == 0 {
			return
		}
		last := units[len(units)-1]
		for c := from; c <= to && c-from < 1<<16; c++ {
			f.spend(1)
			units[len(units)-1] = last + rune(c-from)
			m.set(len(low), c, string(units))
			if c == 1<<32-1 {
				return
			}
		}
	}
}

// next takes the first code of s, and returns its length.
func (m *cmap) next(s string, fallback int) (n uint32, size int) {
	for size = 1; size <= min(4, len(s)); size++ {
		n = code(s[:size])
		for _, sp := range m.spaces {
			if sp.size == size && n >= sp.low && n <= sp.high {
				return n, size
			}
		}
	}
	size = min(fallback, len(s))
	return code(s[:size]), size
}

func utf16Text(s string) string {
	if len(s) == 1 {
		return s
	}
	units := make([]uint16, len(s)/2)
	for i := range units {
		units[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1])
	}
	return strings.ToValidUTF8(string(utf16.Decode(units)), "")
}
