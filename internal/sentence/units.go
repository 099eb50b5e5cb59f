package sentence

import (
	"iter"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A unit is a stretch of text that no sentence leaves.
type unit struct {
	start, end int
	whole      bool // one sentence, whatever it holds
}

// units yields the paragraphs, items, headings, rows and code of text.
func units(text string) iter.Seq[unit] {
	return func(yield func(unit) bool) {
		open := unit{start: -1}
		fence, last := "", "" // the fence of the code under way; the line before
		done := func() bool {
			if open.start < 0 {
				return true
			}
			u := open
			open = unit{start: -1}
			return yield(u)
		}
		for start := 0; start < len(text); {
			end := len(text)
			if i := strings.IndexByte(text[start:], '\n'); i >= 0 {
				end = start + i + 1
			}
			l := readLine(text[start:end])
			at := start + l.skip
			start = end
			switch {
			case fence != "":
				if l.kind == fenceLine && strings.HasPrefix(l.text, fence) {
					fence = ""
					if !done() {
						return
					}
					continue
				}
				if open.start < 0 {
					open = unit{start: at, whole: true}
				}
				open.end = end
				continue
			case l.kind == fenceLine:
				fence = l.text[:3]
				if !done() {
					return
				}
				continue
			case l.kind == blank:
				if !done() {
					return
				}
				continue
			case l.kind != prose || open.start >= 0 && !wraps(last, l.text):
				if !done() {
					return
				}
			}
			last = l.text
			if open.start < 0 {
				open = unit{start: at, whole: l.kind == rowLine || l.kind == headingLine}
			}
			open.end = end
			if l.kind == headingLine || l.kind == rowLine {
				if !done() {
					return
				}
			}
		}
		done()
	}
}

type lineKind uint8

const (
	prose lineKind = iota
	blank
	headingLine
	itemLine
	rowLine
	fenceLine
)

type line struct {
	kind lineKind
	skip int    // bytes before text: indent and marks
	text string // without white space at its ends
}

// readLine tells what a line is by how it begins.
func readLine(s string) line {
	t := strings.TrimLeft(s, " \t>")
	skip := len(s) - len(t)
	t = strings.TrimRightFunc(t, unicode.IsSpace)
	switch {
	case t == "":
		return line{kind: blank}
	case strings.HasPrefix(t, "```") || strings.HasPrefix(t, "~~~"):
		return line{fenceLine, skip, t}
	case t[0] == '#':
		if rest := strings.TrimLeft(t, "#"); len(t)-len(rest) <= 6 && strings.HasPrefix(rest, " ") {
			return line{headingLine, skip + len(t) - len(rest), rest}
		}
	case t[0] == '|' || strings.Contains(t, " | "):
		return line{rowLine, skip, t}
	case strings.Trim(t, "=-*_ ") == "":
		return line{headingLine, skip, t} // underline or thematic break
	}
	if n := bullet(t); n > 0 {
		return line{itemLine, skip + n, t[n:]}
	}
	if numbered(t) {
		return line{itemLine, skip, t}
	}
	return line{prose, skip, t}
}

// bullet returns the length of the bullet t begins with, its space included.
func bullet(t string) int {
	for _, b := range []string{"- ", "* ", "+ ", "• ", "– ", "· ", "◦ ", "▪ "} {
		if strings.HasPrefix(t, b) {
			return len(b)
		}
	}
	return 0
}

// numbered reports whether t begins like "1. " or "2) ".
func numbered(t string) bool {
	rest := strings.TrimLeft(t, "0123456789")
	n := len(t) - len(rest)
	return n > 0 && n <= 3 && (strings.HasPrefix(rest, ". ") || strings.HasPrefix(rest, ") "))
}

// shortLine is how many characters a line of wrapped prose has at least.
const shortLine = 45

// wraps reports whether a line goes on on the next, as in wrapped prose. Lines
// of addresses and opening hours are short and begin with a capital or digit.
func wraps(line, next string) bool {
	if len(line) >= 3*shortLine || utf8.RuneCountInString(line) >= shortLine {
		return true
	}
	r, _ := utf8.DecodeRuneInString(next)
	return !unicode.IsUpper(r) && !unicode.IsDigit(r)
}
