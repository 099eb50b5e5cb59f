package agent

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Erasure stands in a reply where text was that came from a document deleted
// since.
const Erasure = "[erased]"

// Erase returns the reply without anything that came from a document: its
// quotes, titles, headings and addresses, the parts of the text that they bore
// out, and wherever else in the text a quote stands word for word.
func (r Reply) Erase(documentID string) Reply {
	r.Citations = slices.Clone(r.Citations)
	var spans [][2]int
	for i, c := range r.Citations {
		if c.DocumentID != documentID || c.Erased {
			continue
		}
		if 0 <= c.ClaimStart && c.ClaimStart < c.ClaimEnd && c.ClaimEnd <= len(r.Text) {
			spans = append(spans, wholeRunes(r.Text, c.ClaimStart, c.ClaimEnd))
		}
		for at := 0; c.Quote != ""; {
			i := strings.Index(r.Text[at:], c.Quote)
			if i < 0 {
				break
			}
			spans = append(spans, [2]int{at + i, at + i + len(c.Quote)})
			at += i + len(c.Quote)
		}
		r.Citations[i] = Citation{
			DocumentID: c.DocumentID, DocumentVersion: c.DocumentVersion, PassageID: c.PassageID, Ordinal: c.Ordinal,
			ClaimStart: c.ClaimStart, ClaimEnd: c.ClaimEnd, Erased: true,
		}
	}
	spans = union(spans)

	var b strings.Builder
	at := 0
	for _, s := range spans {
		b.WriteString(r.Text[at:s[0]])
		b.WriteString(Erasure)
		at = s[1]
	}
	b.WriteString(r.Text[at:])
	for i, c := range r.Citations {
		r.Citations[i].ClaimStart = moved(spans, c.ClaimStart)
		r.Citations[i].ClaimEnd = max(moved(spans, c.ClaimEnd), r.Citations[i].ClaimStart)
	}
	r.Text = b.String()
	return r
}

// wholeRunes widens a span of a text to the characters it cuts through.
func wholeRunes(text string, start, end int) [2]int {
	start, _ = runeAround(text, start)
	_, end = runeAround(text, end)
	return [2]int{start, end}
}

// runeAround returns the bounds of the character that a place is in the middle of,
// or the place twice if it is in the middle of none.
func runeAround(text string, at int) (start, end int) {
	for start = at; start > max(0, at-utf8.UTFMax) && start < len(text) && !utf8.RuneStart(text[start]); {
		start--
	}
	if _, n := utf8.DecodeRuneInString(text[start:]); start < at && start+n > at {
		return start, start + n
	}
	return at, at
}

// union sorts spans and joins those that overlap.
func union(spans [][2]int) [][2]int {
	slices.SortFunc(spans, func(a, b [2]int) int { return a[0] - b[0] })
	var out [][2]int
	for _, s := range spans {
		if n := len(out); n > 0 && s[0] < out[n-1][1] {
			out[n-1][1] = max(out[n-1][1], s[1])
			continue
		}
		out = append(out, s)
	}
	return out
}

// moved returns where a place in the text is once each span is an [Erasure].
func moved(spans [][2]int, at int) int {
	shift := 0
	for _, s := range spans {
		switch {
		case at >= s[1]:
			shift += len(Erasure) - (s[1] - s[0])
		case at > s[0]:
			return s[0] + shift + len(Erasure)
		}
	}
	return at + shift
}
