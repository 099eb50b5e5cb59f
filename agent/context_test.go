package agent_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

var screens = []knowledge.Document{
	{Title: "Billing", Text: "# Billing\n\nTo remove a card on the billing page, choose the card and press Remove."},
	{Title: "Devices", Text: "# Devices\n\nTo remove a phone on the devices page, choose the phone and press Remove."},
	{Title: "Hours", Text: "# Hours\n\nWe open at nine in the morning, and on Sundays we stay closed."},
}

// The same words mean another thing on another page.
func TestContextJoinsTheSearch(t *testing.T) {
	d := newDesk(t, parts{}, screens...)
	for screen, want := range map[string]string{"billing": "card", "devices": "phone"} {
		reply, err := d.Agent(d.company, "").Ask(t.Context(), agent.Message{Text: "How do I remove it?", Context: map[string]any{"screen": screen}})
		if err != nil || reply.Outcome != agent.Answer || !strings.Contains(reply.Text, want) {
			t.Errorf("on the screen %s the reply is %s %q, %v", screen, reply.Outcome, reply.Text, err)
		}
	}
}

// What the user looks at does not change what a plain question is about.
func TestQuestionDecidesOverContext(t *testing.T) {
	d := newDesk(t, parts{}, screens...)
	ask := func(text string, context map[string]any) agent.Reply {
		t.Helper()
		reply, err := d.Agent(d.company, "").Ask(t.Context(), agent.Message{Text: text, Context: context})
		if err != nil {
			t.Fatal(err)
		}
		if why := d.explain(t, reply); len(context) == 0 && why.Query != text || why.Rewritten != (why.Query != text) {
			t.Errorf("with the context %v %q is explained as %q, rewritten: %v", context, text, why.Query, why.Rewritten)
		}
		return reply
	}
	for _, text := range []string{"When do you open in the morning?", "When do you open?"} {
		plain := ask(text, nil)
		for _, context := range []map[string]any{
			{"screen": "billing"}, {"screen": "devices", "title": "Devices"}, {"user_agent": "Mozilla/5.0 (X11; Linux)", "url": "https://example.com/billing?id=7"},
			{"page": map[string]any{"title": "Billing and cards", "path": []any{"account", "billing"}}, "total": 12, "order": "A-17"},
			{"text": strings.Repeat("remove the phone on the devices page ", 100)},
		} {
			if got := ask(text, context); got.Text != plain.Text || plain.Outcome != agent.Answer {
				t.Errorf("%s: with the context %v the reply is %s %q, without %s %q", text, context, got.Outcome, got.Text, plain.Outcome, plain.Text)
			}
		}
	}
}

// Words that a file begins with join the search of a question that leaves open what it is
// about, and no other.
func TestFilesJoinTheSearch(t *testing.T) {
	d := newDesk(t, parts{}, screens...)
	ask := func(text, file string) (agent.Reply, agent.Explanation) {
		t.Helper()
		a, err := d.Attachments(d.company).Put(t.Context(), "letter.txt", strings.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		reply, err := d.Agent(d.company, "").Ask(t.Context(), agent.Message{Text: text, Attachments: []agent.AttachmentRef{{ID: a.ID}}})
		if err != nil {
			t.Fatal(err)
		}
		return reply, d.explain(t, reply)
	}
	for file, want := range map[string]string{
		"Notice 4711: the card on your billing page is no longer valid.": "How do I remove it? Notice card billing page longer",
		"Your phone on the devices page was last seen in Graz.":          "How do I remove it? phone devices page last seen",
	} {
		reply, why := ask("How do I remove it?", file)
		if why.Query != want || !why.Rewritten || reply.Outcome != agent.Answer || !strings.Contains(reply.Text, strings.Fields(want)[6]) && !strings.Contains(reply.Text, "phone") {
			t.Errorf("with the file %q it is searched as %q, and the reply is %s %q, want %q", file, why.Query, reply.Outcome, reply.Text, want)
		}
	}
	reply, why := ask("When do you open?", "Dear customer, the card on your billing page is no longer valid.")
	if reply.Outcome != agent.Answer || !strings.Contains(reply.Text, "nine") || why.Query != "When do you open?" || why.Rewritten {
		t.Errorf("a plain question with a file is searched as %q: %s %q", why.Query, reply.Outcome, reply.Text)
	}
}

func TestMessageCarries(t *testing.T) {
	d := newDesk(t, parts{}, screens...)
	a, err := d.Attachments(d.company).Put(t.Context(), `C:\scans\receipt.txt`, strings.NewReader("Paid in full."))
	if err != nil || a.Name != "receipt.txt" || a.MediaType != "text/plain" || a.Size != 13 || a.ExpiresAt.IsZero() {
		t.Fatalf("Put = %+v, %v", a, err)
	}
	m := agent.Message{
		Text: "How do I remove it?", Context: map[string]any{"screen": "billing", "items": []any{1, "two"}},
		Attachments: []agent.AttachmentRef{{ID: a.ID}}, ReplyFormat: agent.FormatPlain, ReplySchema: []byte(`{"type":"object"}`),
	}
	reply, err := d.Agent(d.company, "").Ask(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Conversations(d.company).Messages(t.Context(), reply.ConversationID, store.Page{})
	if err != nil {
		t.Fatal(err)
	}
	got := list.Data[1]
	m.Context["items"] = []any{1.0, "two"}
	if !reflect.DeepEqual(got.Context, m.Context) || !slices.Equal(got.Attachments, m.Attachments) || got.ReplyFormat != m.ReplyFormat || string(got.ReplySchema) != string(m.ReplySchema) {
		t.Errorf("the message reads back as %+v", got)
	}
	if kept, err := d.Attachments(d.company).Get(t.Context(), a.ID); err != nil || !kept.ExpiresAt.IsZero() || kept.Text != "Paid in full." {
		t.Errorf("Get of an attachment that a message names = %+v, %v", kept, err)
	}
	if _, err := d.Agent(d.company, "").Ask(t.Context(), m); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another conversation with the same attachment: %v", err)
	}
	if _, err := d.Conversations(d.company).Delete(t.Context(), reply.ConversationID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Attachments(d.company).Get(t.Context(), a.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get after its conversation was deleted: %v", err)
	}
}

func TestMessageNames(t *testing.T) {
	d := newDesk(t, parts{})
	deep := any("end")
	for range 8 {
		deep = map[string]any{"a": deep}
	}
	for field, m := range map[string]agent.Message{
		"context":                 {Context: map[string]any{"a": strings.Repeat("x", agent.MaxContext)}},
		"context.b.a.a.a.a.a.a.a": {Context: map[string]any{"b": deep}},
		"attachments":             {Attachments: make([]agent.AttachmentRef, 11)},
		"reply_format":            {ReplyFormat: "html"},
		"reply_schema":            {ReplySchema: []byte(`{"type":"string"}`)},
	} {
		m.Text = "Hello?"
		_, err := d.Agent(d.company, "").Ask(t.Context(), m)
		if e, ok := errors.AsType[*agent.InvalidError](err); !ok || e.Field != field {
			t.Errorf("%s: Ask returned %v", field, err)
		}
	}
}
