package agent

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"unicode/utf8"
)

// Erasure stands in a reply where text was that came from a document deleted
// since.
const Erasure = "[erased]"

// Erase returns the reply without anything that came from a document: its
// quotes, titles, headings and addresses, the parts of the text that they bore
// out, and wherever else in the text and the calls of tools a quote stands word for
// word. If it cites the document, what nothing bears out goes from the text too, and so
// do its data and the replies it suggests, which may be made of it; and its summary, if
// that sums up what cites the document.
func (r Reply) Erase(documentID string) Reply {
	if r.Summary != nil && slices.Contains(r.Summary.Documents, documentID) {
		r.Summary = nil
	}
	r.eraseCalls(r.Quotes(documentID))
	r.Citations = slices.Clone(r.Citations)
	var spans [][2]int
	if slices.ContainsFunc(r.Citations, func(c Citation) bool { return c.DocumentID == documentID && !c.Erased }) {
		for _, s := range r.Unsupported {
			if 0 <= s.Start && s.Start < s.End && s.End <= len(r.Text) {
				spans = append(spans, wholeRunes(r.Text, s.Start, s.End))
			}
		}
		r.Unsupported, r.SuggestedReplies, r.Data = nil, nil, nil
	}
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
	for _, of := range []*[]Span{&r.Unsupported, &r.Translated} {
		*of = slices.Clone(*of)
		for i, u := range *of {
			(*of)[i].Start = moved(spans, u.Start)
			(*of)[i].End = max(moved(spans, u.End), (*of)[i].Start)
		}
	}
	r.Text = b.String()
	return r
}

// Quotes returns what the reply quotes of a document.
func (r Reply) Quotes(documentID string) (quotes []string) {
	for _, c := range r.Citations {
		if c.DocumentID == documentID && c.Quote != "" {
			quotes = append(quotes, c.Quote)
		}
	}
	return quotes
}

// eraseCalls takes quotes out of the calls of tools.
func (r *Reply) eraseCalls(quotes []string) {
	r.ToolCalls = slices.Clone(r.ToolCalls)
	for i := range r.ToolCalls {
		c := &r.ToolCalls[i]
		c.Arguments, _ = EraseQuotes(c.Arguments, quotes)
		c.Result, _ = EraseQuotes(c.Result, quotes)
		c.Error, _ = eraseString(c.Error, quotes)
	}
}

// EraseQuotes returns JSON with an [Erasure] in the place of each quote that stands
// in one of its strings, and whether there was any.
func EraseQuotes(data []byte, quotes []string) (erased []byte, changed bool) {
	if len(quotes) == 0 || len(data) == 0 {
		return data, false
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		s, changed := eraseString(string(data), quotes)
		return []byte(s), changed
	}
	if v, changed = eraseValue(v, quotes); !changed {
		return data, false
	}
	out, err := json.Marshal(v)
	if err != nil {
		return []byte("null"), true // it was read as JSON, and is written as such
	}
	return out, true
}

func eraseValue(v any, quotes []string) (erased any, changed bool) {
	switch v := v.(type) {
	case string:
		return eraseString(v, quotes)
	case []any:
		for i := range v {
			e, c := eraseValue(v[i], quotes)
			v[i], changed = e, changed || c
		}
	case map[string]any:
		for name, value := range v {
			e, c := eraseValue(value, quotes)
			renamed, r := eraseString(name, quotes)
			if r {
				delete(v, name)
			}
			if c || r {
				v[renamed], changed = e, true
			}
		}
	}
	return v, changed
}

func eraseString(s string, quotes []string) (erased string, changed bool) {
	for _, q := range quotes {
		if q != "" && strings.Contains(s, q) {
			s, changed = strings.ReplaceAll(s, q, Erasure), true
		}
	}
	return s, changed
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
