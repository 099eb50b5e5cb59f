package knowledge_test

import (
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A document that has an earlier text again has the language of that text, also if
// the text between told none.
func TestRollbackTellsTheLanguage(t *testing.T) {
	kb := newBase(t)
	first, err := kb.Put(t.Context(), knowledge.Document{Title: "Hours", Text: "We open at nine in the morning, and on Sundays we stay closed."})
	if err != nil || first.Language != "en" {
		t.Fatalf("Put = %+v, %v, want it in English", first, err)
	}
	between, err := kb.Patch(t.Context(), first.ID, knowledge.Patch{Text: new("9:00")})
	if err != nil || between.Language != "" {
		t.Fatalf("Patch = %+v, %v, want no language", between, err)
	}
	back, err := kb.Rollback(t.Context(), first.ID, 1, time.Time{})
	if err != nil || back.Version != 3 || back.Language != "en" {
		t.Errorf("Rollback = %+v, %v, want version 3 in English", back, err)
	}
}
