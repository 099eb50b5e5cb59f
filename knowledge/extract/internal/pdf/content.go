package pdf

import (
	"math"
	"slices"
	"unicode/utf8"
)

// A Glyph is a piece of text that stands on a page.
type Glyph struct {
	Text     string
	X, Y     float64 // where it begins on its baseline, in points from the lower left
	W        float64 // how far the next one is
	Size     float64
	Angle    int // its direction in degrees, to the nearest quarter of a turn
	Bold     bool
	Artifact bool // marked as no part of the text, as page numbers are
}

// Content is what stands on a page.
type Content struct {
	Glyphs        []Glyph
	Width, Height float64
	Pictures      int
	Unknown       int // characters whose font does not say what they are
}

const (
	maxGlyphs = 1 << 18 // of a page
	maxForms  = 12      // drawings that stand in each other
)

// matrix is the first two columns of a transformation.
type matrix [6]float64

func (m matrix) mul(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// Page reads page number n, from 1. Rotated pages are turned upright.
func (f *File) Page(n int) (c Content, err error) {
	defer catch(&err)
	p := f.pages[n-1]
	in := interpreter{f: f, c: &c, budget: 8 * maxGlyphs}
	ctm := matrix{1, 0, 0, 1, -p.box[0], -p.box[1]}
	c.Width, c.Height = math.Abs(p.box[2]-p.box[0]), math.Abs(p.box[3]-p.box[1])
	switch p.rotate {
	case 90:
		ctm = ctm.mul(matrix{0, -1, 1, 0, 0, c.Width})
		c.Width, c.Height = c.Height, c.Width
	case 180:
		ctm = ctm.mul(matrix{-1, 0, 0, -1, c.Width, c.Height})
	case 270:
		ctm = ctm.mul(matrix{0, 1, -1, 0, c.Height, 0})
		c.Width, c.Height = c.Height, c.Width
	}
	var data []byte
	for _, v := range f.list(p.dict["Contents"]) {
		if s, ok := f.resolve(v).(*stream); ok && len(data) < maxStream {
			data = append(append(data, f.decode(s, maxStream/2)...), '\n')
		}
	}
	in.run(data, f.dict(p.resources), state{ctm: ctm, scale: 1}, 0)
	return c, nil
}

// state is what q keeps and Q brings back.
type state struct {
	ctm                 matrix
	font                *font
	size, leading, rise float64
	chars, words        float64 // spacing
	scale               float64 // of the width
}

type interpreter struct {
	f        *File
	c        *Content
	budget   int // of glyphs
	forms    []ref
	marks    []mark
	artifact int // how many marks of artifacts stand around
}

// A mark is what a stretch of content is said to be.
type mark struct {
	artifact bool
	actual   *string // the text that it stands for, until it is used
	said     bool
}

func (in *interpreter) run(data []byte, resources dict, s state, depth int) {
	f := in.f
	l := f.lexer(data, 0)
	var stack []state
	var args []any
	var tm, tlm matrix
	tm, tlm = matrix{1, 0, 0, 1, 0, 0}, matrix{1, 0, 0, 1, 0, 0}
	marks := len(in.marks)
	num := func(i int) float64 {
		if i < len(args) {
			switch v := args[i].(type) {
			case int:
				return float64(v)
			case float64:
				return v
			}
		}
		return 0
	}
	six := func() matrix { return matrix{num(0), num(1), num(2), num(3), num(4), num(5)} }
	move := func(x, y float64) {
		tlm = matrix{1, 0, 0, 1, x, y}.mul(tlm)
		tm = tlm
	}
	for {
		v := l.value(0)
		op, ok := v.(operator)
		if !ok {
			if v == (end{}) {
				break
			}
			if _, stray := v.(closing); !stray && len(args) < 64 {
				args = append(args, v)
			}
			continue
		}
		switch op {
		case "q":
			if len(stack) < 256 {
				stack = append(stack, s)
			}
		case "Q":
			if n := len(stack); n > 0 {
				s, stack = stack[n-1], stack[:n-1]
			}
		case "cm":
			s.ctm = six().mul(s.ctm)
		case "BT":
			tm, tlm = matrix{1, 0, 0, 1, 0, 0}, matrix{1, 0, 0, 1, 0, 0}
		case "Tf":
			if len(args) > 0 {
				n, _ := args[0].(name)
				s.font = f.font(f.dict(resources["Font"])[n])
			}
			s.size = num(1)
		case "gs":
			if len(args) > 0 {
				n, _ := args[0].(name)
				if a := f.array(f.dict(f.dict(resources["ExtGState"])[n])["Font"]); len(a) == 2 {
					s.font, s.size = f.font(a[0]), f.float(a[1])
				}
			}
		case "Tc":
			s.chars = num(0)
		case "Tw":
			s.words = num(0)
		case "Tz":
			s.scale = num(0) / 100
		case "TL":
			s.leading = num(0)
		case "Ts":
			s.rise = num(0)
		case "Td":
			move(num(0), num(1))
		case "TD":
			s.leading = -num(1)
			move(num(0), num(1))
		case "Tm":
			tm, tlm = six(), six()
		case "T*":
			move(0, -s.leading)
		case "Tj":
			in.show(&s, &tm, args)
		case "'":
			move(0, -s.leading)
			in.show(&s, &tm, args)
		case "\"":
			s.words, s.chars = num(0), num(1)
			move(0, -s.leading)
			in.show(&s, &tm, args)
		case "TJ":
			if len(args) > 0 {
				a, _ := args[0].(array)
				in.show(&s, &tm, a)
			}
		case "Do":
			if len(args) > 0 {
				n, _ := args[0].(name)
				in.form(f.dict(resources["XObject"])[n], resources, s, depth)
			}
		case "BI":
			in.c.Pictures++
			skipPicture(l)
		case "BMC", "BDC":
			in.begin(op, args, resources)
		case "EMC":
			if n := len(in.marks); n > marks {
				in.finish(in.marks[n-1])
				in.marks = in.marks[:n-1]
			}
		}
		args = args[:0]
	}
	for n := len(in.marks); n > marks; n-- {
		in.finish(in.marks[n-1])
		in.marks = in.marks[:n-1]
	}
}

func (in *interpreter) begin(op operator, args []any, resources dict) {
	var m mark
	if len(args) > 0 && args[0] == name("Artifact") {
		m.artifact = true
		in.artifact++
	}
	if op == "BDC" && len(args) > 1 {
		d, ok := args[1].(dict)
		if n, isName := args[1].(name); isName && !ok {
			d = in.f.dict(in.f.dict(resources["Properties"])[n])
		}
		if s, ok := in.f.resolve(d["ActualText"]).(string); ok {
			text := textString(s)
			m.actual = &text
		}
	}
	if len(in.marks) < 1<<10 {
		in.marks = append(in.marks, m)
	} else if m.artifact {
		in.artifact--
	}
}

func (in *interpreter) finish(m mark) {
	if m.artifact {
		in.artifact--
	}
}

// form draws what is kept as a drawing of its own, which may hold text.
func (in *interpreter) form(v any, resources dict, s state, depth int) {
	f := in.f
	x, ok := f.resolve(v).(*stream)
	if !ok {
		return
	}
	switch f.name(x.dict["Subtype"]) {
	case "Image":
		in.c.Pictures++
		return
	case "Form":
	default:
		return
	}
	if slices.Contains(in.forms, x.id) {
		return
	}
	if depth >= maxForms {
		return
	}
	in.forms = append(in.forms, x.id)
	if m := f.array(x.dict["Matrix"]); len(m) == 6 {
		var t matrix
		for i := range m {
			t[i] = f.float(m[i])
		}
		s.ctm = t.mul(s.ctm)
	}
	if r := f.dict(x.dict["Resources"]); r != nil {
		resources = r
	}
	in.run(f.decode(x, maxStream/2), resources, s, depth+1)
	in.forms = in.forms[:len(in.forms)-1]
}

// skipPicture reads on behind a picture that stands in the content itself.
func skipPicture(l *lexer) {
	for {
		v := l.value(0)
		if v == operator("ID") || v == (end{}) {
			break
		}
	}
	for l.pos = max(l.pos, 1); l.pos < len(l.data); l.pos++ {
		if isSpace(l.data[l.pos-1]) && l.data[l.pos] == 'E' && l.at(1) == 'I' && (l.pos+2 >= len(l.data) || isSpace(l.at(2))) {
			l.pos += 2
			return
		}
	}
}

// show places the characters of strings, and the gaps between them.
func (in *interpreter) show(s *state, tm *matrix, parts []any) {
	if s.font == nil {
		return
	}
	for _, v := range parts {
		switch v := v.(type) {
		case int:
			in.gap(s, tm, float64(v))
		case float64:
			in.gap(s, tm, v)
		case string:
			for len(v) > 0 {
				ch, n := s.font.next(v)
				v = v[max(n, 1):]
				in.f.spend(1)
				in.place(s, tm, ch)
			}
		}
	}
}

func (in *interpreter) gap(s *state, tm *matrix, thousandths float64) {
	*tm = matrix{1, 0, 0, 1, -thousandths / 1000 * s.size * s.scale, 0}.mul(*tm)
}

// place puts one character on the page and moves on behind it.
func (in *interpreter) place(s *state, tm *matrix, ch char) {
	advance := ch.width*s.size + s.chars
	if ch.space {
		advance += s.words
	}
	advance *= s.scale
	m := matrix{s.size * s.scale, 0, 0, s.size, 0, s.rise}.mul(*tm).mul(s.ctm)
	step := math.Hypot((*tm)[0]*s.ctm[0]+(*tm)[1]*s.ctm[2], (*tm)[0]*s.ctm[1]+(*tm)[1]*s.ctm[3])
	width := ch.width * s.size * s.scale * step
	*tm = matrix{1, 0, 0, 1, advance, 0}.mul(*tm)

	text := ch.text
	for i := len(in.marks) - 1; i >= 0; i-- {
		if mk := &in.marks[i]; mk.actual != nil {
			if n := len(in.c.Glyphs); mk.said && n > 0 {
				in.c.Glyphs[n-1].W += width // it stands for this one too
				return
			} else if !mk.said {
				text, mk.said = *mk.actual, true
			}
			break
		}
	}
	if in.budget--; in.budget < 0 || len(in.c.Glyphs) >= maxGlyphs {
		return
	}
	if text == "" {
		if ch.text == "" {
			in.c.Unknown++
		}
		return
	}
	if r, _ := utf8.DecodeRuneInString(text); r == utf8.RuneError || r >= 0xE000 && r <= 0xF8FF {
		if r < 0xF020 || r > 0xF0FF {
			in.c.Unknown++
			return
		}
		text = "•" // a sign of Symbol or Wingdings
	}
	size := math.Hypot(m[2], m[3])
	if size == 0 || math.IsNaN(size) || math.IsInf(size, 0) || size > 1e5 || math.Abs(m[4]) > 1e6 || math.Abs(m[5]) > 1e6 {
		return
	}
	angle := int(math.Round(math.Atan2(m[1], m[0])/(math.Pi/2)))*90 + 360
	in.c.Glyphs = append(in.c.Glyphs, Glyph{
		Text: text, X: m[4], Y: m[5], W: width, Size: size, Angle: angle % 360, Bold: s.font.bold, Artifact: in.artifact > 0,
	})
}
