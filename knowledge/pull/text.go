package pull

import (
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"unicode"

	tokens "golang.org/x/net/html"
)

// text writes a value that is neither an object nor a list.
func text(v any) string {
	switch v := v.(type) {
	case string:
		return clean(v)
	case json.Number:
		return v.String()
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// clean leaves out of s what is no character of a text.
func clean(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r != '\n' && r != '\t' && unicode.IsControl(r):
			return -1
		}
		return r
	}, s)
}

// oneLine is s as a title shows it: without HTML and line ends.
func oneLine(s string) string {
	return strings.Join(strings.Fields(plain(clean(s))), " ")
}

// tag is the beginning of an element that texts are made of, and its end or an
// element that has none.
var tag = regexp.MustCompile(`(?i)<(?:(?:p|div|br|hr|img)\b[^<>]*>|/(?:p|div|span|a|h[1-6]|ul|ol|li|dl|table|tr|td|strong|em|b|i|u|s|blockquote|pre|code|section|article|main|body|html|font|figure|sup|sub)>)`)

// isHTML says whether s is HTML: it has an end of an element that texts are
// made of, or an element that needs none.
func isHTML(s string) bool { return tag.MatchString(s) }

// toHTML writes plain text as HTML.
func toHTML(s string) string {
	var b strings.Builder
	for paragraph := range strings.SplitSeq(s, "\n\n") {
		b.WriteString("<p>")
		b.WriteString(strings.ReplaceAll(html.EscapeString(paragraph), "\n", "<br>"))
		b.WriteString("</p>")
	}
	return b.String()
}

// plain is the text of s if it is HTML, and s if it is not.
func plain(s string) string {
	if !isHTML(s) {
		if strings.Contains(s, "&") {
			return html.UnescapeString(s)
		}
		return s
	}
	var b strings.Builder
	hidden := 0
	for z := tokens.NewTokenizer(strings.NewReader(s)); ; {
		switch z.Next() {
		case tokens.ErrorToken:
			return b.String()
		case tokens.TextToken:
			if hidden == 0 {
				b.WriteString(html.UnescapeString(string(z.Raw())))
			}
		case tokens.StartTagToken:
			name, _ := z.TagName()
			if n := string(name); n == "script" || n == "style" {
				hidden++
			}
			b.WriteByte(' ')
		case tokens.EndTagToken:
			name, _ := z.TagName()
			if n := string(name); hidden > 0 && (n == "script" || n == "style") {
				hidden--
			}
			b.WriteByte(' ')
		case tokens.SelfClosingTagToken:
			b.WriteByte(' ')
		}
	}
}
