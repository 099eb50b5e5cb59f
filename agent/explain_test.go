package agent_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Every reply can be explained: what was searched for, what was considered, why
// it answered or refused; and the explanation holds no text of a document.
func TestExplain(t *testing.T) {
	d := newDesk(t, parts{}, hours, returns)
	always(t, d)
	revision, err := d.knowledge().Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const question = "When do you open a product on weekdays?"
	reply := d.ask(t, agent.Message{Text: question})
	why := d.explain(t, reply)
	if why.Query != question || why.Rewritten || why.Decision != "answered" || why.Attempts != 1 || why.Recovered || why.Steps != 0 {
		t.Errorf("Explain = %+v, want the question as it was searched, answered at once", why)
	}
	if why.Revision != revision || reply.KnowledgeRevision != revision || why.Settings != 2 || why.Confidence != reply.Confidence.Score || why.Threshold != reply.Confidence.Threshold {
		t.Errorf("Explain = %+v, want revision %d, version 2 of the settings and the reply's confidence %+v", why, revision, reply.Confidence)
	}
	if why.Retrieval <= 0 || why.Answering <= 0 {
		t.Errorf("Explain took %v and %v, want how long searching and answering took", why.Retrieval, why.Answering)
	}
	if len(why.Candidates) != 2 {
		t.Fatalf("Explain = %d candidates, want both passages", len(why.Candidates))
	}
	for i, c := range why.Candidates {
		cited := false
		for _, r := range reply.Citations {
			cited = cited || r.PassageID == c.PassageID
		}
		if !strings.HasPrefix(c.DocumentID, "doc_") || !strings.HasPrefix(c.PassageID, "psg_") || c.Version != 1 || c.Score <= 0 || len(c.Scores) == 0 || c.Cited != cited {
			t.Errorf("candidate %d = %+v, want ids, scores, and whether it is cited: %v", i, c, cited)
		}
		if i > 0 && c.Score > why.Candidates[i-1].Score {
			t.Errorf("candidate %d has score %v after %v, want the best first", i, c.Score, why.Candidates[i-1].Score)
		}
	}
	text, err := json.Marshal(why)
	if err != nil {
		t.Fatal(err)
	}
	for _, words := range []string{"nine", "Sundays", "thirty", "receipt", "Hours", "Returns", "hours.md", "shop.example"} {
		if strings.Contains(string(text), words) {
			t.Errorf("the explanation has %q of a document: %s", words, text)
		}
	}
}

// The events of a turn, in the order in which they happened.
func TestTurnEvents(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	first := d.ask(t, agent.Message{Text: "When do you open on weekdays?"})
	d.ask(t, agent.Message{Text: "and on Sundays?", ConversationID: first.ConversationID})
	messages := d.messages(t, first.ConversationID)
	if _, err := d.conversations().Delete(t.Context(), first.ConversationID); err != nil {
		t.Fatal(err)
	}
	want := []struct {
		kind    event.Type
		message string
	}{
		{event.ConversationStarted, ""},
		{event.MessageReceived, messages[0].ID},
		{event.MessageSent, messages[1].ID},
		{event.MessageReceived, messages[2].ID},
		{event.MessageSent, messages[3].ID},
		{event.ConversationDeleted, ""},
	}
	var got []event.Event
	for _, ev := range d.events(t) {
		if ev.Refs.ConversationID != "" {
			got = append(got, ev)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d events of the conversation, want %d: %+v", len(got), len(want), got)
	}
	for i, ev := range got {
		if ev.Type != want[i].kind || ev.Refs.MessageID != want[i].message || ev.Sequence != int64(i+1) || ev.Stream != first.ConversationID ||
			ev.Refs.ConversationID != first.ConversationID || ev.Refs.AgentID != first.AgentID || !strings.HasPrefix(ev.ID, "evt_") || ev.CreatedAt.IsZero() {
			t.Errorf("event %d = %+v, want %s of %s in its stream", i, ev, want[i].kind, want[i].message)
		}
		if text := fmt.Sprintf("%+v", ev); strings.Contains(text, "open") || strings.Contains(text, "nine") {
			t.Errorf("event %d has words of the conversation: %s", i, text)
		}
	}
}

// The confidence shown does not depend on how a question is asked twice.
func TestConfidenceIsStable(t *testing.T) {
	d := newDesk(t, parts{}, hours, returns)
	for _, question := range []string{"When do you open on weekdays?", "What is the capital of Mongolia?", "Do you take products back?"} {
		a, b := d.ask(t, agent.Message{Text: question}), d.ask(t, agent.Message{Text: question})
		if a.Confidence.Score != b.Confidence.Score || a.Confidence.Score < 0 || a.Confidence.Score > 1 || a.Confidence.Calibrated {
			t.Errorf("Ask(%q) = confidence %+v, then %+v, want the same probability", question, a.Confidence, b.Confidence)
		}
		if found, err := d.knowledge().Search(t.Context(), knowledge.Query{Text: question}); err != nil || found.Confidence != a.Confidence.Score {
			t.Errorf("Search(%q) = confidence %v, %v, want the reply's, %v", question, found.Confidence, err, a.Confidence.Score)
		}
	}
}

// A reply says whether its confidence was fitted on the company's own questions.
func TestConfidenceIsCalibrated(t *testing.T) {
	d := newDesk(t, parts{}, hours, returns)
	if err := d.knowledge().SetCalibration(t.Context(), &knowledge.Calibration{Intercept: -1, Slope: 0.5}); err != nil {
		t.Fatal(err)
	}
	for _, question := range []string{"When do you open on weekdays?", "What is the capital of Mongolia?"} {
		reply := d.ask(t, agent.Message{Text: question})
		found, err := d.knowledge().Search(t.Context(), knowledge.Query{Text: question})
		if err != nil || !reply.Confidence.Calibrated || reply.Confidence.Score != found.Confidence {
			t.Errorf("Ask(%q) = confidence %+v, want the search's, %v calibrated, error %v", question, reply.Confidence, found.Confidence, err)
		}
	}
}
