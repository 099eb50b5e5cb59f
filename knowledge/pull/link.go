package pull

import (
	"net/http"
	"slices"
	"strings"
)

// Bounds of Link headers.
const (
	maxLinks     = 100
	maxLinkBytes = 32 << 10
)

// nextLink returns the target of the first link whose relation is next
// (RFC 8288 section 3), and whether there are links that say something of
// pages at all.
func nextLink(h http.Header) (target string, paged bool) {
	left := maxLinkBytes
	for _, value := range h.Values("Link") {
		if left -= len(value); left < 0 {
			break
		}
		for _, l := range links(value) {
			for rel := range strings.FieldsSeq(strings.ToLower(l.rel)) {
				if rel == "next" {
					return l.target, true
				}
				paged = paged || slices.Contains([]string{"prev", "previous", "first", "last"}, rel)
			}
		}
	}
	return "", paged
}

// A link is what a Link header says of one target.
type link struct{ target, rel string }

// links reads one value of a Link header, as far as it keeps to the rules.
func links(s string) []link {
	var out []link
	for len(out) < maxLinks {
		s = strings.TrimLeft(s, " \t,")
		if !strings.HasPrefix(s, "<") {
			return out
		}
		target, rest, ok := strings.Cut(s[1:], ">")
		if !ok {
			return out
		}
		l, given := link{target: strings.TrimSpace(target)}, false
		for {
			rest = strings.TrimLeft(rest, " \t")
			if !strings.HasPrefix(rest, ";") {
				break
			}
			var name, value string
			name, value, rest = parameter(rest[1:])
			if strings.EqualFold(name, "rel") && !given { // the first one counts
				l.rel, given = value, true
			}
		}
		out = append(out, l)
		s = rest
	}
	return out
}

// parameter reads one parameter of a link.
func parameter(s string) (name, value, rest string) {
	s = strings.TrimLeft(s, " \t")
	end := strings.IndexAny(s, "=;,")
	if end < 0 {
		return strings.TrimSpace(s), "", ""
	}
	name, rest = strings.TrimSpace(s[:end]), s[end:]
	if rest[0] != '=' {
		return name, "", rest
	}
	rest = strings.TrimLeft(rest[1:], " \t")
	if !strings.HasPrefix(rest, `"`) {
		if end = strings.IndexAny(rest, ";,"); end < 0 {
			end = len(rest)
		}
		return name, strings.TrimSpace(rest[:end]), rest[end:]
	}
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch {
		case rest[i] == '\\' && i+1 < len(rest):
			i++
			b.WriteByte(rest[i])
		case rest[i] == '"':
			return name, b.String(), rest[i+1:]
		default:
			b.WriteByte(rest[i])
		}
	}
	return name, b.String(), ""
}
