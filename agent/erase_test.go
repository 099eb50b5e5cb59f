package agent_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/agent"
)

// claim is a citation of a document for a stretch of the reply's text.
func claim(document string, start, end int, quote string) agent.Citation {
	return agent.Citation{
		DocumentID: document, DocumentVersion: 2, PassageID: "psg_" + document, Ordinal: 3, Start: 10, End: 10 + len(quote),
		Quote: quote, Title: "The " + document, URL: "https://example.com/" + document, ExternalID: document + ".md",
		Heading: []string{"About " + document}, ClaimStart: start, ClaimEnd: end,
	}
}

func TestErase(t *testing.T) {
	const gone = agent.Erasure
	for _, tt := range []struct {
		name      string
		text      string
		citations []agent.Citation
		want      string
		claims    []string // what the text of each citation's claim is afterwards
	}{
		{"all of it", "Nine.", []agent.Citation{claim("a", 0, 5, "Nine.")}, gone, []string{gone}},
		{"between others", "Hi. Nine. Bye.", []agent.Citation{claim("a", 4, 9, "Nine.")}, "Hi. " + gone + " Bye.", []string{gone}},
		{"another document's stays", "Nine. Ten.", []agent.Citation{claim("a", 0, 5, "Nine."), claim("b", 6, 10, "Ten.")}, gone + " Ten.", []string{gone, "Ten."}},
		{"another document's before it", "Ten. Nine.", []agent.Citation{claim("b", 0, 4, "Ten."), claim("a", 5, 10, "Nine.")}, "Ten. " + gone, []string{"Ten.", gone}},
		{"two quotes", "Nine. Ten. Six.", []agent.Citation{claim("a", 0, 5, "Nine."), claim("b", 6, 10, "Ten."), claim("a", 11, 15, "Six.")}, gone + " Ten. " + gone, []string{gone, "Ten.", gone}},
		{"two quotes side by side", "NineTen", []agent.Citation{claim("a", 0, 4, "Nine"), claim("a", 4, 7, "Ten")}, gone + gone, []string{gone, gone}},
		{"overlapping claims of one document", "Nine to ten.", []agent.Citation{claim("a", 0, 7, "x"), claim("a", 5, 12, "y")}, gone, []string{gone, ""}},
		{"a claim within another", "Nine to ten.", []agent.Citation{claim("a", 0, 12, "x"), claim("a", 5, 7, "y")}, gone, []string{gone, ""}},
		{"overlapping another document's", "Nine to ten.", []agent.Citation{claim("a", 0, 7, "x"), claim("b", 5, 12, "y")}, gone + " ten.", []string{gone, " ten."}},
		{"within another document's", "Nine to ten.", []agent.Citation{claim("b", 0, 12, "y"), claim("a", 5, 7, "x")}, "Nine " + gone + " ten.", []string{"Nine " + gone + " ten.", gone}},
		{"around another document's", "Nine to ten.", []agent.Citation{claim("a", 0, 12, "x"), claim("b", 5, 7, "y")}, gone, []string{gone, ""}},
		{"a paraphrase", "We start at 9.", []agent.Citation{claim("a", 0, 14, "We open at nine.")}, gone, []string{gone}},
		{"a quote once more, uncited", "Nine. I said: Nine.", []agent.Citation{claim("a", 0, 5, "Nine.")}, gone + " I said: " + gone, []string{gone}},
		{"a claim that was not moved along", "Hi! Nine.", []agent.Citation{claim("a", 0, 5, "Nine.")}, gone, []string{gone}},
		{"characters of several bytes", "Geöffnet — ab 9 ♥", []agent.Citation{claim("a", 0, 9, "Geöffnet")}, gone + " — ab 9 ♥", []string{gone}},
		{"claims that are none", "Nine.", []agent.Citation{claim("a", -1, 3, "x"), claim("a", 3, 2, "x"), claim("a", 0, 99, "x")}, "Nine.", nil},
		{"not cited", "Nine.", []agent.Citation{claim("b", 0, 5, "Nine.")}, "Nine.", []string{"Nine."}},
		{"nothing cited", "Nine.", nil, "Nine.", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := agent.Reply{Text: tt.text, Citations: slices.Clone(tt.citations)}
			got := before.Erase("a")
			if got.Text != tt.want {
				t.Errorf("Erase of %q = %q, want %q", tt.text, got.Text, tt.want)
			}
			for i, want := range tt.claims {
				if c := got.Citations[i]; got.Text[c.ClaimStart:c.ClaimEnd] != want {
					t.Errorf("claim %d is %q, want %q", i, got.Text[c.ClaimStart:c.ClaimEnd], want)
				}
			}
			for i, c := range got.Citations {
				was := tt.citations[i]
				c.ClaimStart, c.ClaimEnd, was.ClaimStart, was.ClaimEnd = 0, 0, 0, 0
				if was.DocumentID == "a" {
					was = agent.Citation{DocumentID: "a", DocumentVersion: 2, PassageID: "psg_a", Ordinal: 3, Erased: true}
				}
				if !equalCitation(c, was) {
					t.Errorf("citation %d = %+v, want %+v", i, c, was)
				}
			}
			if !slices.EqualFunc(before.Citations, tt.citations, equalCitation) || before.Text != tt.text {
				t.Errorf("Erase changed the reply it was given: %+v", before)
			}
			if again := got.Erase("a"); again.Text != got.Text {
				t.Errorf("Erase of the same document again = %q, want %q", again.Text, got.Text)
			}
		})
	}
}

func equalCitation(a, b agent.Citation) bool {
	heading := slices.Equal(a.Heading, b.Heading)
	a.Heading, b.Heading = nil, nil
	return heading && a.DocumentID == b.DocumentID && a.DocumentVersion == b.DocumentVersion && a.PassageID == b.PassageID &&
		a.Ordinal == b.Ordinal && a.Start == b.Start && a.End == b.End && a.Quote == b.Quote && a.Title == b.Title && a.URL == b.URL &&
		a.ExternalID == b.ExternalID && a.ClaimStart == b.ClaimStart && a.ClaimEnd == b.ClaimEnd && a.Erased == b.Erased
}

// FuzzErase: whatever the claims are, nothing panics, no quote of the document is
// left, and what it did not bear out stays in place.
func FuzzErase(f *testing.F) {
	f.Add("Nine to ten.", 0, 7, 5, 12, 2, 3)
	f.Add("Geöffnet ♥", 1, 4, -3, 99, 3, 3)
	f.Add("", 0, 0, 0, 0, 0, 0)
	f.Fuzz(func(t *testing.T, text string, aStart, aEnd, bStart, bEnd, cStart, cEnd int) {
		const secret = "\x01secret\x01"
		in := func(start, end int) bool { return 0 <= start && start < end && end <= len(text) }
		r := agent.Reply{Text: text, Citations: []agent.Citation{
			claim("a", aStart, aEnd, secret), claim("b", bStart, bEnd, "b's"), claim("a", cStart, cEnd, secret),
		}}
		got := r.Erase("a")

		for i, c := range got.Citations {
			if strings.Contains(c.Quote+c.Title+c.URL+c.ExternalID+strings.Join(c.Heading, ""), "secret") || c.Erased != (c.DocumentID == "a") {
				t.Errorf("citation %d = %+v, want nothing of a document that is gone", i, c)
			}
			before := r.Citations[i]
			if in(before.ClaimStart, before.ClaimEnd) && (c.ClaimStart < 0 || c.ClaimEnd < c.ClaimStart || c.ClaimEnd > len(got.Text)) {
				t.Errorf("claim %d:%d of %q is %d:%d of %q", before.ClaimStart, before.ClaimEnd, text, c.ClaimStart, c.ClaimEnd, got.Text)
			}
		}
		if len(got.Text) > len(text)+2*len(agent.Erasure) {
			t.Errorf("Erase of %d bytes = %d bytes, want at most two erasures more", len(text), len(got.Text))
		}

		if strings.Contains(text, "[") || strings.Contains(text, secret) {
			return // what follows takes every erasure in the result for a new one
		}
		held := func(i int) bool {
			return in(aStart, aEnd) && aStart <= i && i < aEnd || in(cStart, cEnd) && cStart <= i && i < cEnd
		}
		var want strings.Builder // character by character, what no claim of a's holds a part of
		for i, n := 0, 0; i < len(text); i += n {
			_, n = utf8.DecodeRuneInString(text[i:])
			whole := true
			for j := i; j < i+n; j++ {
				whole = whole && !held(j)
			}
			if whole {
				want.WriteString(text[i : i+n])
			}
		}
		if rest := strings.ReplaceAll(got.Text, agent.Erasure, ""); rest != want.String() {
			t.Errorf("Erase of %q with claims %d:%d and %d:%d = %q, want %q left", text, aStart, aEnd, cStart, cEnd, got.Text, want.String())
		}
	})
}

// What may be made of a document goes with it: data, suggestions, what nothing bears
// out, and a summary of what cites it.
func TestEraseBeside(t *testing.T) {
	r := agent.Reply{
		Text: "Nine. Perhaps ten. Bye.", Citations: []agent.Citation{claim("a", 0, 5, "Nine.")}, Unsupported: []agent.Span{{Start: 6, End: 18}},
		SuggestedReplies: []string{"Nine"}, Data: []byte(`{"hour":9}`), Summary: &agent.Summary{Text: "At nine.", Documents: []string{"b", "a"}},
	}
	got := r.Erase("a")
	if want := agent.Erasure + " " + agent.Erasure + " Bye."; got.Text != want || got.Unsupported != nil || got.SuggestedReplies != nil || got.Data != nil || got.Summary != nil {
		t.Errorf("Erase = %+v, want %q and nothing beside it", got, want)
	}
	if got := r.Erase("b"); got.Summary != nil || got.Text != r.Text || len(got.SuggestedReplies) != 1 || got.Data == nil {
		t.Errorf("Erase of a document that it only sums up = %+v, want it without the summary", got)
	}
	if got := r.Erase("c"); got.Summary == nil || got.Text != r.Text {
		t.Errorf("Erase of another document = %+v, want it as it was", got)
	}
}
