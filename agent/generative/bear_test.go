package generative_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// Whoever asks in German of pages in English is answered in German: what can be compared
// is compared, and the sentence is flagged and cites the passage.
func TestTranslated(t *testing.T) {
	for _, tt := range []struct {
		name, says  string
		translated  agent.TranslatedSetting
		unsupported agent.Unsupported
		want        string
		quotes      []string
		outcome     agent.Outcome
	}{
		{name: "right", says: "Gerne! Sie können die Artikel innerhalb von 30 Tagen zurückgeben [1]. Wir schließen um 18 Uhr [2].",
			want: "Gerne! Sie können die Artikel innerhalb von 30 Tagen zurückgeben. Wir schließen um 18 Uhr.", quotes: []string{"Items can be returned within 30 days.", "We open at 9 am and close at 6 pm."}},
		{name: "another number", says: "Sie können die Artikel innerhalb von 60 Tagen zurückgeben [1].", outcome: agent.Refuse},
		{name: "another unit", says: "Sie können die Artikel innerhalb von 30 Wochen zurückgeben [1].", outcome: agent.Refuse},
		{name: "a name that is not there", says: "Die Artikel nimmt Frau Huber innerhalb von 30 Tagen zurück [1].", outcome: agent.Refuse},
		{name: "without a mark", says: "Sie können die Artikel innerhalb von 30 Tagen zurückgeben.", outcome: agent.Refuse},
		{name: "another passage", says: "Sie können die Artikel innerhalb von 30 Tagen zurückgeben [2].", outcome: agent.Refuse},
		{name: "no passage", says: "Sie können die Artikel innerhalb von 30 Tagen zurückgeben [7].", outcome: agent.Refuse},
		{name: "in the language of the passage", says: "The founder likes to sail with her sister [1].", outcome: agent.Refuse},
		{name: "dropped", translated: agent.TranslatedDrop, says: "Sie können die Artikel innerhalb von 30 Tagen zurückgeben [1].", outcome: agent.Refuse},
		{name: "refused by default", unsupported: agent.UnsupportedRefuse, says: "Sie können die Artikel innerhalb von 30 Tagen zurückgeben [1].", outcome: agent.Refuse},
		{name: "flagged where others refuse", unsupported: agent.UnsupportedRefuse, translated: agent.TranslatedFlag, says: "Sie können die Artikel innerhalb von 30 Tagen zurückgeben [1].",
			want: "Sie können die Artikel innerhalb von 30 Tagen zurückgeben.", quotes: []string{"Items can be returned within 30 days."}},
		{name: "a question back", says: "CLARIFY\nWelches Boot meinen Sie?", want: "Welches Boot meinen Sie?", outcome: agent.Clarify},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := asked("Wie lange kann ich etwas zurückgeben?", returns, hours)
			q.Language, q.Agent.Translated, q.Agent.Unsupported = "de", tt.translated, tt.unsupported
			got := mustCollect(t, says(llmtest.NewScript(llmtest.Say(tt.says))), q)
			if got.text != tt.want || !slices.Equal(got.quotes(), tt.quotes) || got.outcome != tt.outcome || len(got.unsupported) > 0 {
				t.Errorf("the reply is %q, %q, with the quotes %q, want %q, %q, %q", got.text, got.outcome, got.quotes(), tt.want, tt.outcome, tt.quotes)
			}
			for _, s := range got.support {
				if want := tt.outcome != agent.Refuse; (s.Verdict == agent.Translated) != want || s.LeftOut == want {
					t.Errorf("a sentence is %+v, want a translation: %v", s, want)
				}
			}
		})
	}
}

// A sentence may stand on the context and the files of the message: it cites nothing,
// and its support says what bears it out.
func TestStandsOnTheMessage(t *testing.T) {
	q := asked("When is my order A-17 due, and what does the letter say?", returns)
	q.Message.Context = map[string]any{"screen": "orders", "selected_order": map[string]any{"number": "A-17", "total": 45.5, "currency": "EUR", "paid": false, "gift": true}}
	q.Files = []agent.Attachment{{ID: "att_1", Name: "invoice.txt", Text: "Invoice for order A-17.\nThe sum of 45.50 EUR is due on 1 December 2026. Interest is not charged."}}
	for _, tt := range []struct {
		says string
		by   agent.Basis // empty: left out
		ids  []string
	}{
		{"The sum of 45.50 EUR is due on 1 December 2026.", agent.OnFiles, []string{"att_1"}},
		{"The sum of 45.50 EUR is due on 2 December 2026.", "", nil},
		{"Interest is charged.", "", nil},
		{"Your selected order is A-17.", agent.OnContext, nil},
		{"Your selected order is A-18.", "", nil},
		{"The total is 45.50 EUR.", agent.OnContext, nil},
		{"Your selected order is paid.", "", nil},
		{"Your selected order is a gift.", agent.OnContext, nil},
		{"Your selected order is not paid.", agent.OnContext, nil},
		{"You have a currency.", "", nil}, // a name without a value
		{"Our founder is Maria Lopez.", "", nil},
		{"Items can be returned within 30 days [1].", agent.OnPassages, []string{"psg_returns"}},
	} {
		got := mustCollect(t, says(llmtest.NewScript(llmtest.Say(tt.says))), q)
		if len(got.support) != 1 {
			t.Fatalf("%q has %d supports, want 1", tt.says, len(got.support))
		}
		s := got.support[0]
		if s.By != tt.by || s.LeftOut != (tt.by == "") || !slices.Equal(s.IDs, tt.ids) || (len(got.citations) > 0) != (tt.by == agent.OnPassages) || (got.text == "") != (tt.by == "") {
			t.Errorf("%q stands on %+v with %d citations in %q, want %q %v", tt.says, s, len(got.citations), got.text, tt.by, tt.ids)
		}
	}
	german := q
	german.Language, german.Passages = "de", nil
	got := mustCollect(t, says(llmtest.NewScript(llmtest.Say("Die Summe von 45,50 EUR ist am 1. Dezember 2026 zu zahlen. Die Zinsen sind hoch und sie steigen."))), german)
	if want := "Die Summe von 45,50 EUR ist am 1. Dezember 2026 zu zahlen."; got.text != want || got.support[0].Verdict != agent.Translated || got.support[0].By != agent.OnFiles {
		t.Errorf("of a file in English a German reply is %q with %+v, want %q", got.text, got.support, want)
	}
}

// What a tool says is false is not told as true, nor the other way round.
func TestFlagsOfTools(t *testing.T) {
	for said, want := range map[string]bool{
		"Your order 4711 is paid.": false, "Your order 4711 is insured.": true, "Your order 4711 is not insured.": false,
	} {
		d := &desk{tools: map[string]func(json.RawMessage) (string, error){"order_status": func(json.RawMessage) (string, error) {
			return `{"order":4711,"paid":false,"insured":true}`, nil
		}}}
		m := llmtest.NewScript(llmtest.Call("order_status", nil), llmtest.Say(said))
		if got := mustCollect(t, says(m), d.ask(asked("What about my order 4711?"))); (got.text == said) != want {
			t.Errorf("%q is told: %v, want %v", said, !want, want)
		}
	}
}

// A question that nothing answers but a file of the message, or its context, is answered
// by a model, says so, and cites nothing. Without a model it is refused.
func TestOnlyTheMessageAnswers(t *testing.T) {
	letter := llmtest.Say("Counter Q17-B is for your appointment on Thursday.")
	m := llmtest.NewScript(letter, letter, llmtest.Say("Your selected order is A-17."), llmtest.Say("The moon is made of cheese."))
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: generative.New(m, nil)}, shop)
	keyless := agenttest.DeskWith(t, &answerdesk.Options{Answerer: extractive.New(nil)}, shop)
	ask := func(d *answerdesk.Desk, text string, context map[string]any, attach bool) (agent.Reply, agent.Explanation) {
		t.Helper()
		msg := agent.Message{Text: text, Context: context}
		if attach {
			note, err := d.Attachments().Put(t.Context(), "appointment.txt", strings.NewReader("Appointment: Thursday, counter Q17-B."))
			if err != nil {
				t.Fatal(err)
			}
			msg.Attachments = []agent.AttachmentRef{{ID: note.ID}}
		}
		reply, err := d.Agent("").Ask(t.Context(), msg)
		if err != nil {
			t.Fatal(err)
		}
		why, err := d.Conversations().Explain(t.Context(), reply.ID)
		if err != nil {
			t.Fatal(err)
		}
		return reply, why
	}
	const which = "Which counter is my appointment at?"
	order := map[string]any{"selected_order": "A-17"}

	reply, why := ask(desk, which, nil, true)
	if reply.Outcome != agent.Answer || reply.Text != "Counter Q17-B is for your appointment on Thursday." || len(reply.Citations) != 0 ||
		!slices.Contains(reply.Confidence.Reasons, "message_files") || len(why.Sentences) != 1 || why.Sentences[0].By != agent.OnFiles {
		t.Errorf("with a file the reply is %s %q with %v and %+v, want it answered from the file", reply.Outcome, reply.Text, reply.Confidence.Reasons, why.Sentences)
	}
	if text := why.Text(nil); !strings.Contains(text, "borne out by files of the message: att_") {
		t.Errorf("the explanation reads\n%s", text)
	}
	if reply, _ := ask(desk, which, nil, false); reply.Outcome != agent.Refuse || len(m.Requests()) != 1 {
		t.Errorf("without a file the reply is %s after %d requests, want it refused without asking", reply.Outcome, len(m.Requests()))
	}
	if reply, why := ask(desk, "Does anybody sell lawn mowers?", order, true); reply.Outcome != agent.Answer && why.Decision == "" {
		t.Errorf("the reply is %s", reply.Outcome)
	}
	reply, why = ask(desk, "Which order have I selected?", order, false)
	if reply.Outcome != agent.Answer || reply.Text != "Your selected order is A-17." || len(reply.Citations) != 0 || !slices.Contains(reply.Confidence.Reasons, "message_context") {
		t.Errorf("with a context the reply is %s %q, %v, want it answered", reply.Outcome, reply.Text, reply.Confidence.Reasons)
	}
	reply, why = ask(desk, "Which order is made of cheese?", order, false)
	if reply.Outcome != agent.Refuse || len(why.Sentences) != 1 || !why.Sentences[0].LeftOut {
		t.Errorf("what neither says is %s %q with %+v, want it refused", reply.Outcome, reply.Text, why.Sentences)
	}
	before := len(m.Requests())
	if reply, _ := ask(desk, "What is the capital of Mongolia?", order, false); reply.Outcome != agent.Refuse || len(m.Requests()) != before {
		t.Errorf("a context that does not speak of it has a model asked: %s", reply.Outcome)
	}
	if reply, _ := ask(keyless, which, order, true); reply.Outcome != agent.Refuse {
		t.Errorf("without a model the reply is %s %q, want it refused", reply.Outcome, reply.Text)
	}
}
