package agent_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// Ask and Stream are one path: the same question gets the same reply, and what
// was streamed is what is stored.
func TestAskAndStreamAgree(t *testing.T) {
	d := newDesk(t, parts{}, hours, returns, knowledge.Document{Kind: knowledge.KindQA, Questions: []string{"Do you sell bicycles?"}, Text: "No, only boats."})
	always(t, d)
	for _, tt := range []struct {
		question string
		outcome  agent.Outcome
	}{
		{"When do you open on weekdays?", agent.Answer},
		{"When do you open on weekdays, and within how many days can I return a product?", agent.Answer},
		{"Do you sell bicycles?", agent.Answer},
		{"What is the capital of Mongolia?", agent.Refuse},
		{"Capital?", agent.Refuse},
	} {
		t.Run(tt.question, func(t *testing.T) {
			asked := d.ask(t, agent.Message{Text: tt.question})
			if asked.Outcome != tt.outcome || (tt.outcome == agent.Answer) != (len(asked.Citations) > 0) {
				t.Errorf("Ask = %s with %d citations, want %s", asked.Outcome, len(asked.Citations), tt.outcome)
			}
			got, err := stream(t, d.agent(), agent.Message{Text: tt.question})
			if err != nil {
				t.Fatalf("Stream = error %v", err)
			}
			streamed := *got.reply
			if !reflect.DeepEqual(plain(streamed), plain(asked)) {
				t.Errorf("Stream = %+v, want what Ask returned, %+v", plain(streamed), plain(asked))
			}
			if got.text != streamed.Text || !reflect.DeepEqual(append([]agent.Citation{}, got.citations...), streamed.Citations) {
				t.Errorf("the stream told %q with %+v, want %q with %+v", got.text, got.citations, streamed.Text, streamed.Citations)
			}
			types := got.types()
			if types[0] != agent.MessageStarted || slices.Index(types, agent.MessageCompleted) != len(types)-1 || slices.Contains(types, agent.MessageReplaced) {
				t.Errorf("the stream told %v, want %s first and %s last", types, agent.MessageStarted, agent.MessageCompleted)
			}
			for i, ev := range got.events {
				if ev.Sequence != i+1 || ev.MessageID != streamed.ID || ev.ConversationID != streamed.ConversationID {
					t.Errorf("event %d = %d of %s in %s, want its number, and the reply's ids", i, ev.Sequence, ev.MessageID, ev.ConversationID)
				}
			}
			for _, r := range []agent.Reply{asked, streamed} {
				m, err := d.conversations().Message(t.Context(), r.ID)
				if err != nil || m.Reply == nil || !reflect.DeepEqual(*m.Reply, r) || m.Text != r.Text || m.Role != agent.RoleAgent {
					t.Errorf("Message(%s) = %+v, %v, want the reply as returned, %+v", r.ID, m.Reply, err, r)
				}
			}
		})
	}
}

// A citation names a place in the stored text, and the quote stands there.
func TestCitations(t *testing.T) {
	d := newDesk(t, parts{}, hours, returns)
	always(t, d)
	reply := d.ask(t, agent.Message{Text: "When do you open on weekdays, and within how many days can I return a product?"})
	if len(reply.Citations) != 2 {
		t.Fatalf("Ask = %q with %d citations, want two", reply.Text, len(reply.Citations))
	}
	for _, c := range reply.Citations {
		text, err := d.knowledge().Text(t.Context(), c.DocumentID, c.DocumentVersion)
		if err != nil || text[c.Start:c.End] != c.Quote || c.Quote == "" {
			t.Errorf("%s from %d to %d is %q, %v, want the quote %q", c.DocumentID, c.Start, c.End, text[c.Start:c.End], err, c.Quote)
		}
		if got := reply.Text[c.ClaimStart:c.ClaimEnd]; got != c.Quote {
			t.Errorf("the claim from %d to %d is %q, want %q", c.ClaimStart, c.ClaimEnd, got, c.Quote)
		}
		if c.PassageID == "" || c.Erased || c.DocumentVersion != 1 {
			t.Errorf("citation = %+v, want a passage of version 1", c)
		}
	}
	c := reply.Citations[slices.IndexFunc(reply.Citations, func(c agent.Citation) bool { return c.Title == "Hours" })]
	if c.URL != hours.URL || c.ExternalID != hours.ExternalID || !slices.Equal(c.Heading, []string{"Opening hours"}) {
		t.Errorf("citation = %q %q %q, want where a customer can read it", c.URL, c.ExternalID, c.Heading)
	}
	if !slices.IsSortedFunc(reply.Citations, func(a, b agent.Citation) int { return a.ClaimStart - b.ClaimStart }) {
		t.Errorf("citations = %+v, want them in the order of their claims", reply.Citations)
	}
}

// An answerer cannot cite what is not there: nothing of its reply is stored.
func TestCitationsAreChecked(t *testing.T) {
	newDesk := newDesks(t)
	cite := func(change func(*agent.Citation)) agent.Answerer {
		return agenttest.Script(func(_ context.Context, q agent.Question) (agent.Part, error) {
			p := q.Passages[0].Passage
			c := agent.Cite(p, p.Start, p.Start+10)
			change(&c)
			return agent.Part{Text: "A made-up claim.", Citation: &c}, nil
		})
	}
	for _, tt := range []struct {
		name   string
		change func(*agent.Citation)
	}{
		{"another quote", func(c *agent.Citation) { c.Quote = "We open at ten" }},
		{"no quote", func(c *agent.Citation) { c.Quote, c.End = "", c.Start }},
		{"moved", func(c *agent.Citation) { c.Start++; c.End++ }},
		{"longer than its quote", func(c *agent.Citation) { c.End++ }},
		{"backwards", func(c *agent.Citation) { c.Start, c.End = c.End, c.Start }},
		{"behind the end", func(c *agent.Citation) { c.Start, c.End = 1<<40, 1<<40+10 }},
		{"before the beginning", func(c *agent.Citation) { c.Start, c.End = -10, 0 }},
		{"another version", func(c *agent.Citation) { c.DocumentVersion++ }},
		{"another passage", func(c *agent.Citation) { c.Ordinal++ }},
		{"another document", func(c *agent.Citation) { c.DocumentID = "doc_00000000000000000000000000" }},
		{"nothing", func(c *agent.Citation) { *c = agent.Citation{} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, parts{Answerer: cite(tt.change)}, hours)
			got, err := stream(t, d.agent(), agent.Message{Text: "When do you open on weekdays?"})
			if err != nil {
				t.Fatal(err)
			}
			if got.reply.Outcome != agent.Refuse || got.reply.Text != agent.DefaultFallbackText || len(got.reply.Citations) != 0 || got.text != got.reply.Text {
				t.Errorf("Stream = %s %q, told as %q, want a refusal", got.reply.Outcome, got.reply.Text, got.text)
			}
			if why := d.explain(t, *got.reply); why.Decision != "sources_kept_changing" || why.Attempts != 3 {
				t.Errorf("Explain = %s after %d attempts, want sources_kept_changing after 3", why.Decision, why.Attempts)
			}
		})
	}
	t.Run("as it stands", func(t *testing.T) {
		d := newDesk(t, parts{Answerer: cite(func(*agent.Citation) {})}, hours)
		if reply := d.ask(t, agent.Message{Text: "When do you open on weekdays?"}); reply.Outcome != agent.Answer || len(reply.Citations) != 1 {
			t.Errorf("Ask = %s %+v, want the answer: otherwise the cases above show nothing", reply.Outcome, reply.Citations)
		}
	})
}

// A claim that an answerer does not name, or names wrongly, is the whole text:
// what a delete erases is never too little.
func TestClaims(t *testing.T) {
	newDesk := newDesks(t)
	const text = "Geöffnet ab neun."
	for _, tt := range []struct{ from, to, wantFrom, wantTo int }{
		{0, len("Geöffnet"), 0, len("Geöffnet")},
		{10, len(text), 10, len(text)},
		{0, 0, 0, len(text)},
		{5, 3, 0, len(text)},
		{-1, 3, 0, len(text)},
		{0, 99, 0, len(text)},
		{0, len("Ge") + 1, 0, len(text)}, // in the middle of the ö
		{len("Ge") + 1, 8, 0, len(text)},
	} {
		d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Say(text), func(_ context.Context, q agent.Question) (agent.Part, error) {
			p := q.Passages[0].Passage
			c := agent.Cite(p, p.Start, p.End)
			c.ClaimStart, c.ClaimEnd = tt.from, tt.to
			return agent.Part{Citation: &c}, nil
		})}, hours)
		c := d.ask(t, agent.Message{Text: "When do you open on weekdays?"}).Citations[0]
		if c.ClaimStart != tt.wantFrom || c.ClaimEnd != tt.wantTo {
			t.Errorf("claim %d:%d of %d bytes is stored as %d:%d, want %d:%d", tt.from, tt.to, len(text), c.ClaimStart, c.ClaimEnd, tt.wantFrom, tt.wantTo)
		}
	}
}

// Citations are in the order of what they bear out, in whatever order they came.
func TestCitationsInOrder(t *testing.T) {
	const text = "one two three"
	at := func(words string) agenttest.Step {
		return func(_ context.Context, q agent.Question) (agent.Part, error) {
			p := q.Passages[0].Passage
			c := agent.Cite(p, p.Start, p.End)
			c.ClaimStart = strings.Index(text, words)
			c.ClaimEnd = c.ClaimStart + len(words)
			return agent.Part{Citation: &c}, nil
		}
	}
	d := newDesk(t, parts{Answerer: agenttest.Script(agenttest.Say(text), at("three"), at("one"), at("two"))}, hours)
	reply := d.ask(t, agent.Message{Text: "When do you open on weekdays?"})
	var got []string
	for _, c := range reply.Citations {
		got = append(got, reply.Text[c.ClaimStart:c.ClaimEnd])
	}
	if want := []string{"one", "two", "three"}; !slices.Equal(got, want) {
		t.Errorf("the citations bear out %q, want %q", got, want)
	}
}

func TestRefuse(t *testing.T) {
	newDesk := newDesks(t)
	const own = "Bitte fragen Sie im Laden."
	for _, tt := range []struct {
		name       string
		settings   agent.Settings
		docs       []knowledge.Document
		confidence float64
		script     []agenttest.Step
		question   string
		want       agent.Outcome
		text       string // of a refusal
		decision   string
	}{
		{"nothing is known", agent.Settings{}, nil, 1, nil, "When do you open?", agent.Refuse, agent.DefaultFallbackText, "nothing_found"},
		{"nothing is found", agent.Settings{}, []knowledge.Document{hours}, 1, nil, "Capital of Mongolia?", agent.Refuse, agent.DefaultFallbackText, "nothing_found"},
		{"nothing that could be searched for", agent.Settings{}, []knowledge.Document{hours}, 1, nil, "?!", agent.Refuse, agent.DefaultFallbackText, "nothing_found"},
		{"below the default threshold", agent.Settings{}, []knowledge.Document{hours}, 0.49, nil, "When do you open?", agent.Refuse, agent.DefaultFallbackText, "confidence_below_threshold"},
		{"at the default threshold", agent.Settings{}, []knowledge.Document{hours}, 0.5, nil, "When do you open?", agent.Answer, "", "answered"},
		{"below its own threshold", agent.Settings{Threshold: 0.9, FallbackText: own}, []knowledge.Document{hours}, 0.89, nil, "When do you open?", agent.Refuse, own, "confidence_below_threshold"},
		{"at its own threshold", agent.Settings{Threshold: 0.9}, []knowledge.Document{hours}, 0.9, nil, "When do you open?", agent.Answer, "", "answered"},
		{"at a low threshold", agent.Settings{Threshold: 0.1}, []knowledge.Document{hours}, 0.1, nil, "When do you open?", agent.Answer, "", "answered"},
		{"below what its target error asks", agent.Settings{TargetError: 0.25}, []knowledge.Document{hours}, 0.74, nil, "When do you open?", agent.Refuse, agent.DefaultFallbackText, "confidence_below_threshold"},
		{"at what its target error asks", agent.Settings{TargetError: 0.25}, []knowledge.Document{hours}, 0.75, nil, "When do you open?", agent.Answer, "", "answered"},
		{"the answerer has nothing to say", agent.Settings{FallbackText: own}, []knowledge.Document{hours}, 1, []agenttest.Step{agenttest.Say("")}, "When do you open?", agent.Refuse, own, "passages_do_not_answer"},
		{"the answerer says white space", agent.Settings{}, []knowledge.Document{hours}, 1, []agenttest.Step{agenttest.Say(" \n")}, "When do you open?", agent.Refuse, agent.DefaultFallbackText, "passages_do_not_answer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			finds := &sure{confidence: tt.confidence}
			p := parts{Retriever: finds}
			if tt.script != nil {
				p.Answerer = agenttest.Script(tt.script...)
			}
			d := newDesk(t, p, tt.docs...)
			finds.Retriever = d.library
			tt.settings.Name, tt.settings.Languages = "Shop", []string{"de-AT"}
			a, err := d.Agents(d.company).Create(t.Context(), tt.settings)
			if err != nil {
				t.Fatal(err)
			}
			got, err := stream(t, d.Agent(d.company, a.ID), agent.Message{Text: tt.question})
			if err != nil {
				t.Fatal(err)
			}
			r := got.reply
			if r.Outcome != tt.want || tt.want == agent.Refuse && (r.Text != tt.text || len(r.Citations) > 0) || got.text != r.Text {
				t.Errorf("Stream = %s %q, told as %q, want %s %q", r.Outcome, r.Text, got.text, tt.want, tt.text)
			}
			threshold := cmp.Or(tt.settings.Threshold, agent.DefaultThreshold)
			if tt.settings.TargetError != 0 {
				threshold = 1 - tt.settings.TargetError
			}
			why := d.explain(t, *r)
			if why.Decision != tt.decision || r.Confidence.Threshold != threshold || why.Threshold != threshold || r.Confidence.Score != why.Confidence {
				t.Errorf("Explain = %s at threshold %v, want %s at %v", why.Decision, why.Threshold, tt.decision, threshold)
			}
			if r.Language != "de-AT" || r.AgentID != a.ID || r.Citations == nil || r.Confidence.Reasons == nil {
				t.Errorf("reply = %+v, want its agent's id and language, and lists that are not null", r)
			}
		})
	}
}

// Agents answer from their own documents and those of all, and never from
// another agent's.
func TestAgentsOwnDocuments(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	var ids []string
	for i := range 2 {
		a, err := d.Agents(d.company).Create(t.Context(), agent.Settings{Name: fmt.Sprint("Branch ", i)})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	d.put(t,
		knowledge.Document{AgentID: ids[0], Title: "Parking", Text: "Parking is free behind the cathedral."},
		knowledge.Document{AgentID: ids[1], Title: "Parking", Text: "Parking costs two euros in the harbour garage."})
	for _, tt := range []struct {
		agent, question, want string // part of the answer, or empty for a refusal
	}{
		{ids[0], "Is parking free?", "cathedral"},
		{ids[1], "What does parking cost?", "harbour"},
		{ids[0], "How much is the harbour garage?", ""},
		{"", "What does parking cost?", ""},
		{ids[0], "When do you open on weekdays?", "nine"},
		{ids[1], "When do you open on weekdays?", "nine"},
		{"", "When do you open on weekdays?", "nine"},
	} {
		reply, err := d.Agent(d.company, tt.agent).Ask(t.Context(), agent.Message{Text: tt.question})
		if err != nil || (tt.want == "") != (reply.Outcome == agent.Refuse) || !strings.Contains(reply.Text, tt.want) {
			t.Errorf("agent %q: Ask(%q) = %s %q, %v, want %q", tt.agent, tt.question, reply.Outcome, reply.Text, err, tt.want)
		}
		for _, c := range d.explain(t, reply).Candidates {
			if doc, err := d.knowledge().Get(t.Context(), c.DocumentID); err != nil || doc.AgentID != "" && doc.AgentID != tt.agent {
				t.Errorf("agent %q considered a document of agent %q, %v", tt.agent, doc.AgentID, err)
			}
		}
	}

	t.Run("cited all the same", func(t *testing.T) {
		// A retriever that finds everything does not get another agent's text
		// into a reply either.
		d := deskOn(t, d.store, parts{Retriever: everything{d.library}})
		reply, err := d.Agent(d.company, ids[0]).Ask(t.Context(), agent.Message{Text: "How much is the harbour garage?"})
		if err != nil || reply.Outcome != agent.Refuse {
			t.Errorf("Ask = %s %q, %v, want a refusal", reply.Outcome, reply.Text, err)
		}
	})
}

// everything is a retriever that does not look at whose documents it finds.
type everything struct{ *knowledge.Library }

func (e everything) Retrieve(ctx context.Context, company string, q knowledge.Query) (knowledge.Results, error) {
	q.AgentID = ""
	r, err := e.Library.Retrieve(ctx, company, q)
	r.Confidence = 1
	return r, err
}

func TestMessageInvalid(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	long := strings.Repeat("x", 257)
	for _, tt := range []struct {
		field   string
		message agent.Message
	}{
		{"message", agent.Message{}},
		{"message", agent.Message{Text: " \t\n"}},
		{"message", agent.Message{Text: strings.Repeat("x", agent.MaxMessage+1)}},
		{"message", agent.Message{Text: "a\xffb"}},
		{"message", agent.Message{Text: "a\x00b"}},
		{"user.id", agent.Message{Text: "Hi", User: agent.User{ID: long}}},
		{"user.name", agent.Message{Text: "Hi", User: agent.User{Name: "\xff"}}},
		{"user.email", agent.Message{Text: "Hi", User: agent.User{Email: long}}},
		{"user.phone", agent.Message{Text: "Hi", User: agent.User{Phone: "\x00"}}},
		{"metadata", agent.Message{Text: "Hi", Metadata: map[string]any{"page": strings.Repeat("x", 16<<10)}}},
		{"metadata", agent.Message{Text: "Hi", Metadata: map[string]any{"page": func() {}}}},
	} {
		_, err := d.agent().Ask(t.Context(), tt.message)
		invalid, ok := errors.AsType[*agent.InvalidError](err)
		if !ok || invalid.Field != tt.field || !errors.Is(err, agent.ErrInvalid) || len(err.Error()) > 200 {
			t.Errorf("Ask(%.20q) = error %v, want an InvalidError of the field %s", tt.message.Text, err, tt.field)
		}
		if _, err := stream(t, d.agent(), tt.message); !errors.Is(err, agent.ErrInvalid) {
			t.Errorf("Stream(%.20q) = error %v, want the same as Ask", tt.message.Text, err)
		}
	}
	if page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{}); err != nil || len(page.Data) > 0 {
		t.Errorf("List = %d conversations, %v, want none: nothing is stored", len(page.Data), err)
	}
	if reply := d.ask(t, agent.Message{Text: strings.Repeat("open ", agent.MaxMessage/5)}); reply.ID == "" {
		t.Errorf("a message of %d bytes is not taken", agent.MaxMessage)
	}
}

// What a message carries is stored with it.
func TestMessageStored(t *testing.T) {
	d := newDesk(t, parts{}, hours)
	sent := agent.Message{
		Text: "When do you open on weekdays?", User: agent.User{ID: "u1", Name: "Ada", Email: "ada@example.com", Phone: "+43 1"},
		Metadata: map[string]any{"page": "/contact", "visits": 3.0},
	}
	before := time.Now().Add(-time.Second)
	reply := d.ask(t, sent)
	messages := d.messages(t, reply.ConversationID)
	got := messages[0]
	if got.Text != sent.Text || got.User != sent.User || !reflect.DeepEqual(got.Metadata, sent.Metadata) || got.Role != agent.RoleUser || got.Reply != nil ||
		got.ConversationID != reply.ConversationID || got.AgentID != reply.AgentID || got.CreatedAt.Before(before) || got.ID == "" {
		t.Errorf("the message is stored as %+v, want %+v", got, sent)
	}
	c, err := d.conversations().Get(t.Context(), reply.ConversationID)
	if err != nil || c.UserID != "u1" || c.Turns != 1 || c.Running || c.AgentID != reply.AgentID || c.LastMessageAt.Before(c.CreatedAt) {
		t.Errorf("Get = %+v, %v, want the conversation of u1, not running", c, err)
	}
}
