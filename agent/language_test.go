package agent_test

import (
	"context"
	"slices"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A noting retriever notes what it is asked.
type noting struct {
	agent.Retriever
	last knowledge.Query
}

func (n *noting) Retrieve(ctx context.Context, company string, q knowledge.Query) (knowledge.Results, error) {
	n.last = q
	return n.Retriever.Retrieve(ctx, company, q)
}

// Questions are searched for in the languages of the agent, and a reply says which
// of them its question was in.
func TestReplyLanguage(t *testing.T) {
	notes := &noting{}
	d := newDesk(t, parts{Retriever: notes}, hours)
	notes.Retriever = d.library
	for _, tt := range []struct {
		languages []string
		question  string
		want      string
	}{
		{nil, "When do you open?", ""},
		{[]string{"en"}, "When do you open?", "en"},
		{[]string{"de-AT", "en"}, "When do you open?", "en"},
		{[]string{"en", "de-AT"}, "Wann macht ihr am Sonntag auf?", "de-AT"},
		{[]string{"en", "ar"}, "متى تفتحون؟", "ar"},
		{[]string{"de-AT", "en"}, "Wi-Fi", "de-AT"},
		{[]string{"de-AT", "en"}, "متى تفتحون؟", "de-AT"},
		{[]string{"de-AT", "en"}, "?!", "de-AT"},
	} {
		a, err := d.Agents(d.company).Create(t.Context(), agent.Settings{Name: "Shop", Languages: tt.languages})
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Agent(d.company, a.ID).Ask(t.Context(), agent.Message{Text: tt.question})
		if err != nil {
			t.Fatal(err)
		}
		if got.Language != tt.want || !slices.Equal(notes.last.Languages, tt.languages) || notes.last.Explain {
			t.Errorf("a reply to %q by an agent of %q is in %q after a search in %q, want %q", tt.question, tt.languages, got.Language, notes.last.Languages, tt.want)
		}
	}
}

// The languages of the default agent are those of the company: agents that name none
// have them.
func TestLanguagesOfTheCompany(t *testing.T) {
	notes := &noting{}
	d := newDesk(t, parts{Retriever: notes}, hours)
	notes.Retriever = d.library
	agents := d.Agents(d.company)
	silent, err := agents.Create(t.Context(), agent.Settings{Name: "Silent"})
	if err != nil {
		t.Fatal(err)
	}
	german, err := agents.Create(t.Context(), agent.Settings{Name: "German", Languages: []string{"de"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := agents.Patch(t.Context(), "", agent.SettingsPatch{Languages: new([]string{"ms", "en"})}, 0); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		agentID   string
		languages []string
		reply     string
	}{
		{"", []string{"ms", "en"}, "en"},
		{silent.ID, []string{"ms", "en"}, "en"},
		{german.ID, []string{"de"}, "de"},
	} {
		got, err := d.Agent(d.company, tt.agentID).Ask(t.Context(), agent.Message{Text: "When do you open?"})
		if err != nil {
			t.Fatal(err)
		}
		if got.Language != tt.reply || !slices.Equal(notes.last.Languages, tt.languages) {
			t.Errorf("a reply of agent %q is in %q after a search in %q, want %q and %q", tt.agentID, got.Language, notes.last.Languages, tt.reply, tt.languages)
		}
	}
	a, err := agents.Get(t.Context(), silent.ID)
	if err != nil || len(a.Languages) > 0 {
		t.Errorf("the agent without languages reads back with %q, %v, want none of its own", a.Languages, err)
	}
}
