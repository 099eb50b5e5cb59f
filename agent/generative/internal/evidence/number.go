package evidence

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A number is a figure of a text, in a form that does not depend on how it is
// written.
type number struct {
	value string // digits, with a point before decimals
	unit  string // a class of [units]; "" if none stands beside it
	// parts are the figures that value was put together from, such as those of a
	// telephone number or a date; nil: value is one.
	parts []string
}

// numbers returns the figures of a text: "1,000" and "1.000" and "١٠٠٠" are 1000,
// "20.00" is 20, "9:00" is 9, and "2026-11-22" is a figure of three parts.
func numbers(text, language string) (out []number) {
	text = westernDigits(text)
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if unicode.IsLetter(r) {
				if !unicode.Is(unicode.Han, r) {
					n = wordLength(text[i:])
				}
				word := strings.ToLower(text[i : i+n])
				if v := spelled(text[i:], word, language); v != "" {
					out = append(out, number{value: v, unit: unitBeside(text, i, i+n)})
				} else if m := months[word]; m != "" && besideDigit(text, i, i+n) {
					out = append(out, number{value: m, unit: monthName})
				}
			}
			i += n
			continue
		}
		end := i
		for end < len(text) && (isDigit(text[end]) || joint(text, end) > 0) {
			end += max(1, joint(text, end))
		}
		n := figure(text[i:end])
		n.unit = unitBeside(text, i, end)
		out = append(out, n)
		i = end
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// joint returns the length of what stands between two digits of one figure, or 0.
func joint(text string, i int) int {
	if i == 0 || i+1 >= len(text) || !isDigit(text[i-1]) {
		return 0
	}
	n := 1
	switch {
	case strings.IndexByte(".,:/-'", text[i]) >= 0:
	case text[i] == ' ':
		// "1 000" and "01 234 567", but not "5 20 kg bags".
	case strings.HasPrefix(text[i:], "’"), strings.HasPrefix(text[i:], "\u2009"), strings.HasPrefix(text[i:], "\u202f"):
		n = 3
	case strings.HasPrefix(text[i:], "\u00a0"), strings.HasPrefix(text[i:], "٬"), strings.HasPrefix(text[i:], "٫"):
		n = 2
	default:
		return 0
	}
	if i+n >= len(text) || !isDigit(text[i+n]) {
		return 0
	}
	if text[i] == ' ' && (run(text[i+1:]) < 3 || run(text[i+1:]) > 4) {
		return 0
	}
	return n
}

// run counts the digits that a text begins with.
func run(text string) (n int) {
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

// figure reads digits and what joins them.
func figure(s string) number {
	var groups []string
	var joints []string
	for i := 0; i < len(s); {
		n := run(s[i:])
		groups = append(groups, s[i:i+n])
		i += n
		j := i
		for j < len(s) && !isDigit(s[j]) {
			j++
		}
		if j > i {
			joints = append(joints, s[i:j])
		}
		i = j
	}
	if len(groups) == 1 {
		return number{value: trimZeros(groups[0])}
	}
	last := len(groups) - 1
	switch mark := joints[last-1]; {
	case grouped(groups, joints):
		return number{value: trimZeros(strings.Join(groups, ""))}
	case (mark == "." || mark == "," || mark == "٫") && len(groups[last]) <= 2 &&
		(last == 1 || joints[0] != mark && grouped(groups[:last], joints[:last-1])): // decimals
		v := trimZeros(strings.Join(groups[:last], ""))
		if d := strings.TrimRight(groups[last], "0"); d != "" {
			v += "." + d
		}
		return number{value: v}
	case last == 1 && mark == ":" && strings.Trim(groups[1], "0") == "": // a full hour
		return number{value: trimZeros(groups[0])}
	}
	n := number{value: strings.Join(groups, "")}
	for _, g := range groups {
		n.parts = append(n.parts, trimZeros(g))
	}
	return n
}

// monthName is the unit of a month in a date that is written as a word.
const monthName = "month name"

// besideDigit reports whether a word stands next to a figure, as a month does in a
// date.
func besideDigit(text string, start, end int) bool {
	before, after := strings.TrimRight(text[:start], " .,th"), strings.TrimLeft(text[end:], " .,")
	return before != "" && isDigit(before[len(before)-1]) || after != "" && isDigit(after[0])
}

// grouped reports whether digits are parted into thousands.
func grouped(groups, joints []string) bool {
	if len(groups[0]) > 3 || groups[0] == "0" || len(groups) == 1 {
		return len(groups) == 1
	}
	for i, j := range joints {
		if j != joints[0] || strings.ContainsAny(j, ":/-") || len(groups[i+1]) != 3 {
			return false
		}
	}
	return true
}

func trimZeros(s string) string {
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return "0"
}

// westernDigits writes the digits of other scripts as 0 to 9.
func westernDigits(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r >= utf8.RuneSelf && unicode.IsDigit(r) }) < 0 {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r < utf8.RuneSelf || !unicode.IsDigit(r) {
			return r
		}
		for zero := r; ; zero-- { // the digits of a script follow each other
			if !unicode.IsDigit(zero-1) || r-zero == 9 {
				return '0' + (r-zero)%10
			}
		}
	}, text)
}

// within reports whether a text with figures has says n.
func (n number) within(has []number, words func(unit string) bool) bool {
	for _, h := range has {
		if h.value == n.value && (h.unit == n.unit || n.unit == "" && h.unit != monthName || h.unit == "" && words(n.unit)) {
			return true
		}
	}
	single := func(v string) bool {
		return slices.ContainsFunc(has, func(h number) bool { return h.value == v || slices.Contains(h.parts, v) })
	}
	if n.parts != nil {
		return !slices.ContainsFunc(n.parts, func(p string) bool { return !single(p) })
	}
	// A day or a year of a date that is written in figures.
	return (n.unit == "" || n.unit == monthName) && slices.ContainsFunc(has, func(h number) bool { return slices.Contains(h.parts, n.value) })
}
