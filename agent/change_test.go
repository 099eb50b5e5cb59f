package agent_test

import (
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A document that is changed or deleted while a reply is written from it: the
// turn begins again from what there is now, and says so to who reads the stream.
func TestSourcesChangeMeanwhile(t *testing.T) {
	newDesk := newDesks(t)
	atTen := knowledge.Document{Title: "News", Text: "From May on we open at ten in the morning on weekdays."}
	newText := "We open at eleven on weekdays, as of today."
	for _, tt := range []struct {
		name     string
		docs     []knowledge.Document
		change   func(t *testing.T, d *desk, attempt int, cited agent.Citation)
		want     agent.Outcome
		text     string // part of the reply
		decision string
		attempts int
	}{
		{"deleted, and another one answers", []knowledge.Document{hours, atTen}, func(t *testing.T, d *desk, attempt int, c agent.Citation) {
			if attempt == 1 {
				d.remove(t, c.DocumentID)
			}
		}, agent.Answer, "morning on weekdays.", "answered", 2},
		{"deleted, and nothing is left", []knowledge.Document{hours}, func(t *testing.T, d *desk, _ int, c agent.Citation) {
			d.remove(t, c.DocumentID)
		}, agent.Refuse, agent.DefaultFallbackText, "nothing_found", 2},
		{"changed", []knowledge.Document{hours}, func(t *testing.T, d *desk, attempt int, c agent.Citation) {
			if attempt == 1 {
				if _, err := d.knowledge().Patch(t.Context(), c.DocumentID, knowledge.Patch{Text: &newText}); err != nil {
					t.Error(err)
				}
			}
		}, agent.Answer, "We open at eleven", "answered", 2},
		{"changed again and again", []knowledge.Document{hours}, func(t *testing.T, d *desk, attempt int, c agent.Citation) {
			text := newText + strings.Repeat(" Really.", attempt)
			if _, err := d.knowledge().Patch(t.Context(), c.DocumentID, knowledge.Patch{Text: &text}); err != nil {
				t.Error(err)
			}
		}, agent.Refuse, agent.DefaultFallbackText, "sources_kept_changing", 3},
		{"renamed", []knowledge.Document{hours}, func(t *testing.T, d *desk, _ int, c agent.Citation) {
			title := "When we are there"
			if _, err := d.knowledge().Patch(t.Context(), c.DocumentID, knowledge.Patch{Title: &title}); err != nil {
				t.Error(err)
			}
		}, agent.Answer, "nine in the morning", "answered", 1},
		{"another one deleted", []knowledge.Document{hours, returns}, func(t *testing.T, d *desk, attempt int, _ agent.Citation) {
			docs, err := d.knowledge().List(t.Context(), knowledge.Filter{ExternalID: "returns.md"}, store.Page{})
			if err != nil || len(docs.Data) != 1 {
				t.Errorf("List = %d documents, %v", len(docs.Data), err)
				return
			}
			d.remove(t, docs.Data[0].ID)
		}, agent.Answer, "nine in the morning", "answered", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var d *desk
			attempt := 0
			d = newDesk(t, parts{Answerer: agenttest.Script(func(_ context.Context, q agent.Question) (agent.Part, error) {
				p := q.Passages[0].Passage
				at := strings.Index(p.Text, "We open")
				if at < 0 {
					at = strings.Index(p.Text, "we open")
				}
				c := agent.Cite(p, p.Start+at, p.End)
				attempt++
				tt.change(t, d, attempt, c)
				return agent.Part{Text: c.Quote, Citation: &c}, nil
			})}, tt.docs...)
			always(t, d)
			got, err := stream(t, d.agent(), agent.Message{Text: "When do you open in the morning on weekdays?"})
			if err != nil {
				t.Fatal(err)
			}
			r := got.reply
			if r.Outcome != tt.want || !strings.Contains(r.Text, tt.text) {
				t.Errorf("Stream = %s %q, want %s with %q", r.Outcome, r.Text, tt.want, tt.text)
			}
			if got.text != r.Text || !reflect.DeepEqual(append([]agent.Citation{}, got.citations...), r.Citations) {
				t.Errorf("the reader has %q with %d citations, want %q with %d", got.text, len(got.citations), r.Text, len(r.Citations))
			}
			if replaced := slices.Contains(got.types(), agent.MessageReplaced); replaced != (tt.attempts > 1) {
				t.Errorf("the stream told %v, want %s: %v", got.types(), agent.MessageReplaced, tt.attempts > 1)
			}
			if why := d.explain(t, *r); why.Decision != tt.decision || why.Attempts != tt.attempts {
				t.Errorf("Explain = %s after %d attempts, want %s after %d", why.Decision, why.Attempts, tt.decision, tt.attempts)
			}
			for _, c := range r.Citations {
				text, err := d.knowledge().Text(t.Context(), c.DocumentID, 0)
				if err != nil || text[c.Start:c.End] != c.Quote {
					t.Errorf("the newest text from %d to %d is %q, %v, want %q", c.Start, c.End, text, err, c.Quote)
				}
			}
		})
	}
}

// When a delete has returned, no reply, citation or explanation holds the text.
func TestDeleteErasesReplies(t *testing.T) {
	d := newDesk(t, parts{}, hours, returns)
	always(t, d)
	both := d.ask(t, agent.Message{Text: "When do you open on weekdays, and within how many days can I return a product?", User: agent.User{ID: "u"}})
	one := d.ask(t, agent.Message{Text: "When do you open on weekdays?", User: agent.User{ID: "u"}})
	other := d.ask(t, agent.Message{Text: "Within how many days can I return a product?", User: agent.User{ID: "u"}})
	gone := one.Citations[0]

	deleted := d.remove(t, gone.DocumentID)
	if deleted.Replies != 2 {
		t.Errorf("Delete = %d replies erased, want 2", deleted.Replies)
	}
	for _, r := range []agent.Reply{both, one, other} {
		m, err := d.conversations().Message(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		why := d.explain(t, r)
		all, err := json.Marshal([]any{m, why})
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"nine in the morning", "Sundays", "Hours", "Opening", "shop.example", "hours.md"} {
			if strings.Contains(string(all), secret) {
				t.Errorf("after the delete the reply still has %q: %s", secret, all)
			}
		}
		for i, c := range m.Reply.Citations {
			if c.Erased != (c.DocumentID == gone.DocumentID) || c.Erased && m.Text[c.ClaimStart:c.ClaimEnd] != agent.Erasure {
				t.Errorf("citation %d of %q = %+v, want it erased if it was the document's", i, m.Text, c)
			}
		}
	}
	if m, err := d.conversations().Message(t.Context(), other.ID); err != nil || !reflect.DeepEqual(*m.Reply, other) {
		t.Errorf("the reply from another document = %+v, %v, want it untouched", m.Reply, err)
	}
	if r := d.ask(t, agent.Message{Text: "When do you open on weekdays?"}); r.Outcome != agent.Refuse {
		t.Errorf("Ask after the delete = %s %q, want %s", r.Outcome, r.Text, agent.Refuse)
	}
}

func TestMiddleware(t *testing.T) {
	newDesk := newDesks(t)
	// wrap is middleware that changes replies.
	wrap := func(change func(*agent.Reply)) agent.Middleware {
		return func(next agent.TurnFunc) agent.TurnFunc {
			return func(ctx context.Context, x *agent.Exchange) (agent.Reply, error) {
				r, err := next(ctx, x)
				change(&r)
				return r, err
			}
		}
	}
	const signature = "\n\nYour shop"
	for _, tt := range []struct {
		name       string
		middleware []agent.Middleware
		want       string // part of the reply
		outcome    agent.Outcome
		citations  int
		replaced   bool
	}{
		{"changes nothing", []agent.Middleware{wrap(func(*agent.Reply) {})}, "We open at nine", agent.Answer, 1, false},
		{"signs", []agent.Middleware{wrap(func(r *agent.Reply) { r.Text += signature })}, "closed." + signature, agent.Answer, 1, true},
		{"the first one is outermost", []agent.Middleware{
			wrap(func(r *agent.Reply) { r.Text += "1" }), wrap(func(r *agent.Reply) { r.Text += "2" }),
		}, "closed.21", agent.Answer, 1, true},
		{"drops the citations", []agent.Middleware{wrap(func(r *agent.Reply) { r.Citations = nil })}, "We open at nine", agent.Answer, 0, false},
		{"forges a quote", []agent.Middleware{wrap(func(r *agent.Reply) {
			for i := range r.Citations {
				r.Citations[i].Quote = "We open at ten"
			}
		})}, agent.DefaultFallbackText, agent.Refuse, 0, true},
		{"refuses", []agent.Middleware{wrap(func(r *agent.Reply) { *r = agent.Reply{Text: "Ask me later.", Outcome: agent.Refuse} })}, "Ask me later.", agent.Refuse, 0, true},
		{"answers itself", around(func(_ context.Context, x *agent.Exchange) (agent.Reply, error) {
			return agent.Reply{Text: "You said: " + x.Message.Text}, nil
		}), "You said: When do you open on weekdays?", agent.Answer, 0, true},
		{"says nothing", around(func(context.Context, *agent.Exchange) (agent.Reply, error) { return agent.Reply{}, nil }), "", agent.Answer, 0, false},
		{"changes the message", []agent.Middleware{func(next agent.TurnFunc) agent.TurnFunc {
			return func(ctx context.Context, x *agent.Exchange) (agent.Reply, error) {
				x.Message.Text = "Within how many days can I return every product?"
				return next(ctx, x)
			}
		}}, "within thirty days", agent.Answer, 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, parts{Options: agent.Options{Middleware: tt.middleware}}, hours, returns)
			always(t, d)
			got, err := stream(t, d.agent(), agent.Message{Text: "When do you open on weekdays?"})
			if err != nil {
				t.Fatal(err)
			}
			r := got.reply
			if !strings.Contains(r.Text, tt.want) || r.Outcome != tt.outcome || len(r.Citations) != tt.citations {
				t.Errorf("Stream = %s %q with %d citations, want %s with %q and %d", r.Outcome, r.Text, len(r.Citations), tt.outcome, tt.want, tt.citations)
			}
			if got.text != r.Text || slices.Contains(got.types(), agent.MessageReplaced) != tt.replaced {
				t.Errorf("the stream told %v and %q, want the reply, replaced: %v", got.types(), got.text, tt.replaced)
			}
			if m := d.messages(t, r.ConversationID); m[0].Text != "When do you open on weekdays?" || m[1].Text != r.Text {
				t.Errorf("stored are %q and %q, want the message as it was sent, and the reply", m[0].Text, m[1].Text)
			}
			if r.Confidence.Threshold != 1e-9 || r.Confidence.Reasons == nil || r.Citations == nil || r.ID == "" || r.AgentID == "" {
				t.Errorf("the reply is %+v, want the rest of it filled in", r)
			}
		})
	}
}

// When a turn begins again, middleware starts from the message as it was sent.
func TestMiddlewareRunsAgain(t *testing.T) {
	var d *desk
	var seen []string
	d = newDesk(t, parts{
		Answerer: agenttest.Script(func(_ context.Context, q agent.Question) (agent.Part, error) {
			p := q.Passages[0].Passage
			c := agent.Cite(p, p.Start, p.End)
			if len(seen) == 1 {
				d.remove(t, c.DocumentID)
			}
			return agent.Part{Text: c.Quote, Citation: &c}, nil
		}),
		Options: agent.Options{Middleware: []agent.Middleware{func(next agent.TurnFunc) agent.TurnFunc {
			return func(ctx context.Context, x *agent.Exchange) (agent.Reply, error) {
				x.Message.Text += " open"
				seen = append(seen, x.Message.Text)
				return next(ctx, x)
			}
		}}},
	}, hours, knowledge.Document{Title: "News", Text: "We open at ten."})
	always(t, d)
	if r := d.ask(t, agent.Message{Text: "When?"}); r.Outcome != agent.Answer {
		t.Errorf("Ask = %s, want an answer from the other document", r.Outcome)
	}
	if want := []string{"When? open", "When? open"}; !slices.Equal(seen, want) {
		t.Errorf("middleware made the messages %q, want %q", seen, want)
	}
}

// The history of a turn holds the messages before it, and once a document is
// deleted in the middle of a turn, nothing of it.
func TestHistory(t *testing.T) {
	var d *desk
	var texts [][]string
	d = newDesk(t, parts{Answerer: agenttest.Script(func(ctx context.Context, q agent.Question) (agent.Part, error) {
		history, err := q.History(ctx)
		if err != nil {
			return agent.Part{}, err
		}
		var all []string
		for _, m := range history {
			all = append(all, string(m.Role)+": "+m.Text)
		}
		texts = append(texts, all)
		p := q.Passages[0].Passage
		c := agent.Cite(p, p.Start, p.End)
		if len(texts) == 3 {
			d.remove(t, c.DocumentID)
		}
		return agent.Part{Text: c.Quote, Citation: &c}, nil
	})}, knowledge.Document{Title: "One", Text: "We open at nine, nine."}, knowledge.Document{Title: "Two", Text: "We open at ten."})
	always(t, d)
	for _, text := range []string{"Do you open at nine?", "Do you open at ten?", "Do you open at nine?"} {
		d.ask(t, agent.Message{Text: text, User: agent.User{ID: "u"}})
	}
	want := [][]string{
		nil,
		{"user: Do you open at nine?", "agent: We open at nine, nine."},
		{"user: Do you open at nine?", "agent: We open at nine, nine.", "user: Do you open at ten?", "agent: We open at ten."},
		{"user: Do you open at nine?", "agent: " + agent.Erasure, "user: Do you open at ten?", "agent: We open at ten."},
	}
	if !reflect.DeepEqual(texts, want) {
		t.Errorf("histories = %q, want %q", texts, want)
	}
}
