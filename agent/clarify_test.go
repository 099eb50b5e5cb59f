package agent_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A foundRetriever finds what a test says.
type foundRetriever struct{ knowledge.Results }

func (f foundRetriever) Retrieve(_ context.Context, _ string, q knowledge.Query) (knowledge.Results, error) {
	if len(f.Languages) == 0 {
		f.Languages = []string{"en"}
	}
	return f.Results, nil
}

// Which of two things is meant is asked when a question of few words fits both as well,
// and seldom else.
func TestClarify(t *testing.T) {
	named := func(title string, score float64, heading ...string) knowledge.Document {
		return knowledge.Document{Title: title, Text: "How it goes stands here. It takes a day.", Metadata: map[string]any{"score": score, "heading": strings.Join(heading, "|")}}
	}
	for _, tt := range []struct {
		name     string
		question string
		docs     []knowledge.Document
		language string
		text     string // empty: it answers
	}{
		{"two pages", "kayak", []knowledge.Document{named("Renting a kayak", 10), named("Returning a kayak", 9.8)}, "", "Do you mean “Renting a kayak” or “Returning a kayak”?"},
		{"as a question", "What about the kayaks?", []knowledge.Document{named("Renting a kayak", 10), named("Returning a kayak", 9.8)}, "", "Do you mean “Renting a kayak” or “Returning a kayak”?"},
		{"two headings", "kayak", []knowledge.Document{named("Boats", 10, "Boats", "Renting a kayak"), named("Boats", 9.8, "Boats", "Returning a kayak")}, "", "Do you mean “Renting a kayak” or “Returning a kayak”?"},
		{"in German", "Kajak", []knowledge.Document{named("Kajak mieten", 10), named("Kajak zurückgeben", 9.8)}, "de", "Meinen Sie „Kajak mieten“ oder „Kajak zurückgeben“?"},
		{"in Chinese", "皮艇", []knowledge.Document{named("租用皮艇", 10), named("归还皮艇", 9.9)}, "zh", "您指的是“租用皮艇”还是“归还皮艇”？"},
		{"in a language without a template", "kajak", []knowledge.Document{named("Kajak wynajem", 10), named("Kajak zwrot", 9.9)}, "pl", "Do you mean “Kajak wynajem” or “Kajak zwrot”?"},
		{"one fits better", "kayak", []knowledge.Document{named("Renting a kayak", 10), named("Returning a kayak", 9)}, "", ""},
		{"it says which", "returning a kayak", []knowledge.Document{named("Renting a kayak", 10), named("Returning a kayak", 9.8)}, "", ""},
		{"one of them is just that", "kayak", []knowledge.Document{named("Kayak", 10), named("Returning a kayak", 9.8)}, "", ""},
		{"one of them is of something else", "kayak", []knowledge.Document{named("Renting a kayak", 10), named("Returning a boat", 9.8)}, "", ""},
		{"the same name", "kayak", []knowledge.Document{named("Renting a kayak", 10), named("Renting a kayak", 9.8)}, "", ""},
		{"no names", "kayak", []knowledge.Document{named("", 10), named("", 9.8)}, "", ""},
		{"many words", "kayak paddle river morning", []knowledge.Document{named("Kayak paddle river morning rent", 10), named("Kayak paddle river morning return", 9.8)}, "", ""},
		{"alone", "kayak", []knowledge.Document{named("Renting a kayak", 10)}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &foundRetriever{knowledge.Results{Confidence: 0.9}}
			if tt.language != "" {
				f.Languages = []string{tt.language}
			}
			d := newDesk(t, parts{Retriever: f}, tt.docs...)
			found, err := d.knowledge().Search(t.Context(), knowledge.Query{Text: "how it goes"})
			if err != nil || len(found.Hits) != len(tt.docs) {
				t.Fatalf("Search = %d hits, %v", len(found.Hits), err)
			}
			for _, h := range found.Hits {
				h.Score = h.Metadata["score"].(float64)
				h.Language = tt.language
				if heading := h.Metadata["heading"].(string); heading != "" {
					h.Heading = strings.Split(heading, "|")
				}
				f.Hits = append(f.Hits, h)
			}
			if tt.name == "two headings" {
				f.Hits[1].Ref, f.Hits[1].ID = f.Hits[0].Ref, f.Hits[0].ID
			}
			slices.SortFunc(f.Hits, func(a, b knowledge.Hit) int { return int(100 * (b.Score - a.Score)) })
			reply := d.ask(t, agent.Message{Text: tt.question})
			if tt.text == "" {
				if reply.Outcome == agent.Clarify {
					t.Errorf("Ask(%q) asks back %q", tt.question, reply.Text)
				}
				return
			}
			if reply.Outcome != agent.Clarify || reply.Text != tt.text || len(reply.SuggestedReplies) != 2 || len(reply.Citations) != 2 {
				t.Fatalf("Ask(%q) = %s %q, suggests %q, cites %d, want %q", tt.question, reply.Outcome, reply.Text, reply.SuggestedReplies, len(reply.Citations), tt.text)
			}
			for i, c := range reply.Citations {
				if got := reply.Text[c.ClaimStart:c.ClaimEnd]; got != reply.SuggestedReplies[i] {
					t.Errorf("citation %d is of %q, want the name %q", i, got, reply.SuggestedReplies[i])
				}
			}
		})
	}
}
