package generative

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The fences that data stands between: "<passage number="1">" and "</passage>".
var fences = []string{"passage", "context", "file", "result", "message", "conversation"}

// fenced puts data between the marks of a fence, which the data cannot contain.
func fenced(b *strings.Builder, name, attributes, data string) {
	b.WriteString("<" + name + attributes + ">\n")
	b.WriteString(guarded(data))
	b.WriteString("\n</" + name + ">")
}

// guarded returns data in which no mark of a fence stands, nor what looks like one:
// the "<" of such a mark is written as "&lt;". All else stays as it is, so that it can
// be quoted.
func guarded(data string) string {
	var b strings.Builder
	done := 0
	for i, r := range data {
		if isOpening(r) && isFence(data[i+utf8.RuneLen(r):]) {
			b.WriteString(data[done:i])
			b.WriteString("&lt;")
			done = i + utf8.RuneLen(r)
		}
	}
	if done == 0 {
		return data
	}
	b.WriteString(data[done:])
	return b.String()
}

// isOpening reports whether a character is "<", or is easily taken for one.
func isOpening(r rune) bool {
	switch r {
	case '<', '＜', '‹', '〈', '\u2329', '⟨', '˂', '﹤', '❮', '❬':
		return true
	}
	return false
}

// isFence reports whether the name of a fence follows an opening mark, whatever stands
// before it or between its letters that is no letter or digit.
func isFence(rest string) bool {
	const looked = 40
	var word strings.Builder
	n := 0
	for _, r := range rest {
		if n++; n > looked || word.Len() > 12 {
			break
		}
		switch {
		case r >= 0xFF01 && r <= 0xFF5E: // full width
			r += '!' - 0xFF01
		case !unicode.IsPrint(r) || unicode.Is(unicode.Mn, r):
			continue
		}
		switch {
		case unicode.IsLetter(r):
			word.WriteRune(unicode.ToLower(r))
		case word.Len() > 0 || unicode.IsDigit(r):
			n = looked
		}
	}
	for _, f := range fences {
		if strings.HasPrefix(word.String(), f) {
			return true
		}
	}
	return false
}

// line returns data on one line, bounded, for what stands beside a text, such as its
// title.
func line(data string, most int) string {
	data = strings.Join(strings.FieldsFunc(data, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	return cut(data, most)
}

// cut returns the first most bytes of a text, in whole characters.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
