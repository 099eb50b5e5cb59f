package pdf

import (
	"bytes"
	"strconv"
)

// The values of PDF: nil, bool, int, float64, string, name, array, dict, ref and
// *stream; and operator, which stands in content alone.
type (
	name     string
	operator string
	array    []any
	dict     map[name]any
	ref      struct{ num, gen int }
	stream   struct {
		dict dict
		raw  []byte
		id   ref // whose key it is encrypted with
	}
)

// maxNesting is how deep arrays and dictionaries may stand in each other.
const maxNesting = 64

// A lexer reads values one after the other.
type lexer struct {
	data  []byte
	pos   int
	spend func(n int)
}

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelim(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func (l *lexer) space() {
	begin := l.pos
	for l.pos < len(l.data) {
		switch c := l.data[l.pos]; {
		case isSpace(c):
			l.pos++
		case c == '%':
			for l.pos < len(l.data) && l.data[l.pos] != '\n' && l.data[l.pos] != '\r' {
				l.pos++
			}
		default:
			l.spend((l.pos - begin) / 64)
			return
		}
	}
	l.spend((l.pos - begin) / 64)
}

// end is what value returns behind the last value.
type end struct{}

// closing is a bracket without the one that opens it.
type closing string

// value reads a value, or an operator, or the end.
func (l *lexer) value(depth int) any {
	l.spend(1)
	l.space()
	if l.pos >= len(l.data) {
		return end{}
	}
	c := l.data[l.pos]
	switch {
	case c == '/':
		l.pos++
		return l.name()
	case c == '(':
		l.pos++
		return l.literal()
	case c == '<' && l.at(1) == '<':
		l.pos += 2
		return l.dict(depth)
	case c == '<':
		l.pos++
		return l.hex()
	case c == '>' && l.at(1) == '>':
		l.pos += 2
		return closing(">>")
	case c == '[':
		l.pos++
		return l.array(depth)
	case isDelim(c):
		l.pos++
		return closing(c)
	}
	begin := l.pos
	for l.pos < len(l.data) && !isSpace(l.data[l.pos]) && !isDelim(l.data[l.pos]) {
		l.pos++
	}
	word := l.data[begin:l.pos]
	if n, ok := number(word); ok {
		return n
	}
	if len(word) > 127 {
		word = word[:127]
	}
	switch string(word) {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	return operator(word)
}

func (l *lexer) at(i int) byte {
	if l.pos+i < len(l.data) {
		return l.data[l.pos+i]
	}
	return 0
}

// number reads what programs write for numbers, "--5" and "1.2.3" among it.
func number(word []byte) (any, bool) {
	if len(word) == 0 || len(word) > 40 || word[0] != '.' && word[0] != '-' && word[0] != '+' && (word[0] < '0' || word[0] > '9') {
		return nil, false
	}
	s := string(word)
	if n, err := strconv.Atoi(s); err == nil {
		return n, true
	}
	for _, c := range word {
		if c != '.' && c != '-' && c != '+' && (c < '0' || c > '9') {
			return nil, false
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f, true
	}
	return 0, true
}

func (l *lexer) name() name {
	var b []byte
	for l.pos < len(l.data) && !isSpace(l.data[l.pos]) && !isDelim(l.data[l.pos]) && len(b) < 256 {
		c := l.data[l.pos]
		l.pos++
		if hi, lo := unhex(l.at(0)), unhex(l.at(1)); c == '#' && hi >= 0 && lo >= 0 {
			c = byte(hi<<4 | lo)
			l.pos += 2
		}
		b = append(b, c)
	}
	return name(b)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lexer) hex() string {
	var b []byte
	half := -1
	for l.pos < len(l.data) {
		c := l.data[l.pos]
		l.pos++
		if c == '>' {
			break
		}
		n := unhex(c)
		switch {
		case n < 0:
		case half < 0:
			half = n
		default:
			b = append(b, byte(half<<4|n))
			half = -1
		}
	}
	if half >= 0 {
		b = append(b, byte(half<<4))
	}
	l.spend(len(b) / 64)
	return string(b)
}

func (l *lexer) literal() string {
	var b []byte
	for depth := 1; l.pos < len(l.data); {
		c := l.data[l.pos]
		l.pos++
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.spend(len(b) / 64)
				return string(b)
			}
		case '\\':
			if l.pos >= len(l.data) {
				continue
			}
			c = l.data[l.pos]
			l.pos++
			switch c {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			case 'b':
				c = '\b'
			case 'f':
				c = '\f'
			case '\r':
				if l.at(0) == '\n' {
					l.pos++
				}
				continue
			case '\n':
				continue
			default:
				if c >= '0' && c <= '7' {
					n := int(c - '0')
					for range 2 {
						if d := l.at(0); d >= '0' && d <= '7' {
							n = n*8 + int(d-'0')
							l.pos++
						}
					}
					c = byte(n)
				}
			}
		}
		b = append(b, c)
	}
	l.spend(len(b) / 64)
	return string(b)
}

func (l *lexer) array(depth int) any {
	if depth >= maxNesting {
		panic(damaged("values are nested too deep"))
	}
	a := array{}
	for {
		switch v := l.value(depth + 1).(type) {
		case end:
			return a
		case closing:
			if v == "]" {
				return a
			}
		case operator:
			a = l.reference(a, v)
		default:
			a = append(a, v)
		}
	}
}

// reference makes one of the last two numbers before an R.
func (l *lexer) reference(a array, op operator) array {
	if n := len(a); op == "R" && n >= 2 {
		num, ok1 := a[n-2].(int)
		gen, ok2 := a[n-1].(int)
		if ok1 && ok2 {
			return append(a[:n-2], ref{num, gen})
		}
	}
	return a
}

func (l *lexer) dict(depth int) any {
	if depth >= maxNesting {
		panic(damaged("values are nested too deep"))
	}
	var flat array
	d := dict{}
	for {
		v := l.value(depth + 1)
		switch op := v.(type) {
		case operator:
			if op == "endobj" || op == "stream" {
				l.pos -= len(op)
				v = closing(">>")
			} else {
				flat = l.reference(flat, op)
				continue
			}
		case end:
			v = closing(">>")
		}
		if v != closing(">>") {
			flat = append(flat, v)
			continue
		}
		for i := 0; i+1 < len(flat); i++ {
			if key, ok := flat[i].(name); ok {
				if _, there := d[key]; !there {
					d[key] = flat[i+1]
				}
				i++
			}
		}
		return d
	}
}
