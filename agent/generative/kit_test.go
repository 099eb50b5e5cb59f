package generative_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm"
)

// passage is a passage that begins at byte 100 of its document.
func passage(title, language, text string) knowledge.Hit {
	return knowledge.Hit{Passage: knowledge.Passage{
		Ref: knowledge.Ref{DocumentID: "doc_" + strings.ToLower(title), Version: 1}, ID: "psg_" + strings.ToLower(title),
		Start: 100, End: 100 + len(text), Text: text, Title: title, Language: language,
	}}
}

var (
	returns = passage("Returns", "en", "Items can be returned within 30 days. The refund is paid to the card that you paid with. Deposits are not refundable.")
	hours   = passage("Hours", "en", "We open at 9 am and close at 6 pm. On Sundays we stay closed.")
	prices  = passage("Prices", "en", "- The Blue Kayak costs €20 a day.\n- The Red Kayak costs €25 a day.\n- Paddles are free.")
)

// asked is a question with passages.
func asked(text string, passages ...knowledge.Hit) agent.Question {
	return agent.Question{Message: agent.Message{Text: text}, Query: text, Passages: passages, Language: "en"}
}

// A reply is what an answerer's parts come to, as the engine puts them together.
type reply struct {
	text        string
	citations   []agent.Citation
	unsupported []string
	support     []agent.Support
	outcome     agent.Outcome
	reason      string
	suggest     []string
	data        string
	summary     *agent.Summary
	resets      int
	parts       int
}

func (r reply) quotes() (out []string) {
	for _, c := range r.citations {
		out = append(out, c.Quote)
	}
	return out
}

// claims returns the text of the reply that each citation bears out.
func (r reply) claims() (out []string) {
	for _, c := range r.citations {
		out = append(out, r.text[c.ClaimStart:c.ClaimEnd])
	}
	return out
}

func collect(t testing.TB, a agent.Answerer, q agent.Question) (reply, error) {
	t.Helper()
	var r reply
	for p, err := range a.Answer(t.Context(), q) {
		if err != nil {
			return r, err
		}
		r.parts++
		if p.Reset {
			r = reply{resets: r.resets + 1, parts: r.parts, summary: r.summary}
		}
		from := len(r.text)
		r.text += p.Text
		if c := p.Citation; c != nil {
			c := *c
			if trimmed := strings.TrimSpace(p.Text); trimmed != "" {
				c.ClaimStart = from + strings.Index(p.Text, trimmed)
				c.ClaimEnd = c.ClaimStart + len(trimmed)
			}
			r.citations = append(r.citations, c)
			if i := slices.IndexFunc(q.Passages, func(h knowledge.Hit) bool { return h.ID == c.PassageID }); i < 0 {
				t.Errorf("cites passage %s, which was not given", c.PassageID)
			} else if h := q.Passages[i]; c.Start < h.Start || c.End > h.End || h.Text[c.Start-h.Start:c.End-h.Start] != c.Quote {
				t.Errorf("cites bytes %d to %d as %q, which are others", c.Start, c.End, c.Quote)
			}
			if c.ClaimStart < 0 || c.ClaimEnd > len(r.text) || c.ClaimStart >= c.ClaimEnd {
				t.Errorf("a citation is of bytes %d to %d of %q", c.ClaimStart, c.ClaimEnd, r.text)
			}
		}
		if p.Support != nil {
			r.support = append(r.support, *p.Support)
		}
		if p.Unsupported {
			r.unsupported = append(r.unsupported, strings.TrimSpace(p.Text))
		}
		if p.Outcome != "" {
			r.outcome = p.Outcome
		}
		if p.Reason != "" {
			r.reason = p.Reason
		}
		if p.Suggest != nil {
			r.suggest = p.Suggest
		}
		if p.Data != nil {
			r.data = string(p.Data)
		}
		if p.Summary != nil {
			r.summary = p.Summary
		}
	}
	return r, nil
}

func mustCollect(t testing.TB, a agent.Answerer, q agent.Question) reply {
	t.Helper()
	r, err := collect(t, a, q)
	if err != nil {
		t.Fatalf("Answer(%q) = error %v", q.Message.Text, err)
	}
	return r
}

// says is an answerer over a model.
func says(m llm.Model) *generative.Answerer { return generative.New(m, nil) }

// desk is what the engine is for an answerer: it makes calls and counts.
type desk struct {
	tools  map[string]func(args json.RawMessage) (string, error)
	spent  []agent.ModelCall
	calls  []agent.ToolCall
	rounds int
	models int // budget of answers; 0: none
	most   int // budget of calls; 0: none
}

// ask returns the question with what the engine does for it.
func (d *desk) ask(q agent.Question) agent.Question {
	for name := range d.tools {
		q.Tools = append(q.Tools, agent.Tool{Name: name, Description: "Looks up the status of an order", Parameters: json.RawMessage(`{"type":"object"}`)})
	}
	slices.SortFunc(q.Tools, func(a, b agent.Tool) int { return strings.Compare(a.Name, b.Name) })
	q.Spend = func(c agent.ModelCall) error {
		if d.spent = append(d.spent, c); d.models > 0 && len(d.spent) >= d.models {
			return fmt.Errorf("model calls: %w", agent.ErrBudget)
		}
		return nil
	}
	q.Call = func(_ context.Context, asked []agent.Asked) (out []agent.ToolCall, err error) {
		d.rounds++
		for _, a := range asked {
			if d.most > 0 && len(d.calls) >= d.most {
				return out, fmt.Errorf("tool calls: %w", agent.ErrBudget)
			}
			c := agent.ToolCall{ID: fmt.Sprintf("call_%d", len(d.calls)), Name: a.Name, Arguments: a.Arguments, ModelID: a.ModelID, Signature: a.Signature, Round: d.rounds}
			tool := d.tools[a.Name]
			result, err := "", errors.New("there is no such tool")
			if tool != nil {
				result, err = tool(a.Arguments)
			}
			c.State, c.Result = agent.CallCompleted, json.RawMessage(result)
			if err != nil {
				c.State, c.Result, c.Error = agent.CallFailed, nil, err.Error()
			}
			d.calls = append(d.calls, c)
			out = append(out, c)
		}
		return out, nil
	}
	return q
}

func shipped(json.RawMessage) (string, error) {
	return `{"status":"shipped","number":4711,"arrives":"2026-11-24"}`, nil
}
