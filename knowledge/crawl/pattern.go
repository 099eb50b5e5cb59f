package crawl

import "strings"

// A pattern is a path as robots.txt writes it (RFC 9309 section 2.2.3): a
// prefix in which "*" is any run of characters and "$" at the end is the end.
type pattern struct {
	parts []string // between the stars
	end   bool
	size  int // bytes as written: the longest pattern that matches counts
}

func newPattern(s string) pattern {
	p := pattern{size: len(s)}
	s, p.end = strings.CutSuffix(s, "$")
	p.parts = strings.Split(s, "*")
	for i, part := range p.parts {
		p.parts[i] = matchForm(normalEscapes(part))
	}
	return p
}

// matchForm is path, a normal one, as it is compared: an escaped star or dollar
// is the character, which it can be in a path and not in a pattern.
func matchForm(path string) string {
	if !strings.Contains(path, "%2") {
		return path
	}
	return matchForms.Replace(path)
}

var matchForms = strings.NewReplacer("%2A", "*", "%24", "$")

// match says whether p matches path, in its matchForm. Taking each part where
// it stands first is enough, and keeps the time linear.
func (p *pattern) match(path string) bool {
	rest, ok := strings.CutPrefix(path, p.parts[0])
	if !ok {
		return false
	}
	if len(p.parts) == 1 {
		return !p.end || rest == ""
	}
	middle, last := p.parts[1:len(p.parts)-1], p.parts[len(p.parts)-1]
	for _, part := range middle {
		_, rest, ok = strings.Cut(rest, part)
		if !ok {
			return false
		}
	}
	if p.end {
		return strings.HasSuffix(rest, last)
	}
	return strings.Contains(rest, last)
}
