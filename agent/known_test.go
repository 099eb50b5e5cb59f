package agent_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// anyModel is an answerer that does not say which models it has.
type anyModel struct{ agent.Answerer }

// whole are the parts of a desk that has all that allSettings name.
func whole(t testing.TB) parts {
	t.Helper()
	model := llmtest.Reply(func(llm.Request) llmtest.Answer { return llmtest.Say("We open at 9.") })
	a := generative.New(model, &generative.Options{Models: map[string]llm.Model{"openai:small": model, "openai:large": model}})
	return withTools(a, orderTool(t, "refund", shipped, nil), orderTool(t, "order_status", shipped, nil))
}

// What the desk does not have cannot be chosen, and whoever tries hears what it has.
func TestUnknownNames(t *testing.T) {
	declared := agent.ToolSettings{Parameters: json.RawMessage(`{"type":"object"}`)}
	for _, tt := range []struct {
		name     string
		parts    parts
		settings agent.Settings
		field    string // empty: it is taken
		want     []string
	}{
		{"a model of none", parts{}, agent.Settings{Model: "openai:small"}, "model", []string{"there are none"}},
		{"a model of two", whole(t), agent.Settings{Model: "openai:smal"}, "model", []string{`"openai:large", "openai:small"`}},
		{"one of two models", whole(t), agent.Settings{Model: "openai:large"}, "", nil},
		{"a model of who knows", parts{Answerer: anyModel{extractive.New(nil)}}, agent.Settings{Model: "openai:small"}, "", nil},
		{"a tool of none", parts{}, agent.Settings{Tools: map[string]agent.ToolSettings{"refund": {Approval: agent.ApprovalNever}}}, "tools.refund", []string{"there are none", "parameters"}},
		{"a tool of two", whole(t), agent.Settings{Tools: map[string]agent.ToolSettings{"refnd": {}}}, "tools.refnd", []string{`"order_status", "refund"`, "parameters"}},
		{"a tool declared", parts{}, agent.Settings{Tools: map[string]agent.ToolSettings{"refund": declared}}, "", nil},
		{"one of two tools", whole(t), agent.Settings{Tools: map[string]agent.ToolSettings{"refund": {Approval: agent.ApprovalAsk}}}, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, tt.parts)
			agents := d.Agents(d.company)
			before, err := agents.Get(t.Context(), "")
			if err != nil {
				t.Fatal(err)
			}
			changed, tools := before, map[string]*agent.ToolSettingsPatch{}
			changed.Model, changed.Tools = tt.settings.Model, tt.settings.Tools
			for name, s := range tt.settings.Tools {
				tools[name] = &agent.ToolSettingsPatch{Approval: &s.Approval, Parameters: &s.Parameters}
			}
			fresh := changed.Settings
			for way, write := range map[string]func() (agent.Agent, error){
				"Create": func() (agent.Agent, error) { return agents.Create(t.Context(), fresh) },
				"Patch": func() (agent.Agent, error) {
					return agents.Patch(t.Context(), "", agent.SettingsPatch{Model: &tt.settings.Model, Tools: &tools}, 0)
				},
				"Update": func() (agent.Agent, error) {
					now, err := agents.Get(t.Context(), "")
					if err != nil {
						return now, err
					}
					changed.Version = now.Version
					return agents.Update(t.Context(), changed)
				},
			} {
				_, err := write()
				if tt.field == "" {
					if err != nil {
						t.Errorf("%s = %v, want it taken", way, err)
					}
					continue
				}
				e, ok := errors.AsType[*agent.InvalidError](err)
				if !ok || e.Field != tt.field {
					t.Fatalf("%s = %v, want %s named", way, err, tt.field)
				}
				for _, name := range tt.want {
					if !strings.Contains(e.Reason, name) {
						t.Errorf("%s = %v, want %q told", way, err, name)
					}
				}
			}
			if after, err := agents.Get(t.Context(), ""); err != nil || tt.field != "" && after.Version != before.Version {
				t.Errorf("the agent is at version %d, %v, want %d", after.Version, err, before.Version)
			}
		})
	}
}

// A program that comes without a model or a tool that settings name leaves them as they
// are: other settings change, customers are answered, and explanations say what is missing.
func TestMissingNames(t *testing.T) {
	st := newStore(t)
	d := deskOn(t, st, whole(t), hours)
	d.patch(t, func(s *agent.Settings) {
		s.Model = "openai:small"
		s.Tools = map[string]agent.ToolSettings{"refund": {Approval: agent.ApprovalAsk}, "order_status": {Approval: agent.ApprovalAsk}}
	})
	ask := agent.Message{Text: "When do you open on weekdays?"}
	if e := d.explain(t, d.ask(t, ask)); len(e.Missing) != 0 || strings.Contains(e.Text(nil), "missing") {
		t.Errorf("%q are missing of a desk that has all", e.Missing)
	}
	var offered []string
	less := deskOn(t, st, withTools(chooses{answering(func(_ context.Context, q agent.Question, say func(agent.Part)) error {
		for _, tool := range q.Tools {
			offered = append(offered, tool.Name)
		}
		say(agent.Part{Text: "At 9."})
		return nil
	})}, orderTool(t, "order_status", shipped, nil)))
	agents := less.Agents(less.company)
	if _, err := agents.Patch(t.Context(), "", agent.SettingsPatch{Tone: new("warm")}, 0); err != nil {
		t.Errorf("Patch of the tone = %v, want it taken: it says nothing of what is missing", err)
	}
	less.patch(t, func(s *agent.Settings) { s.Tone = "short" })
	never := agent.ApprovalNever
	_, err := agents.Patch(t.Context(), "", agent.SettingsPatch{Tools: &map[string]*agent.ToolSettingsPatch{"refund": {Approval: &never}}}, 0)
	if e, ok := errors.AsType[*agent.InvalidError](err); !ok || e.Field != "tools.refund" {
		t.Errorf("Patch of the tool that is gone = %v, want it named", err)
	}
	e := less.explain(t, less.ask(t, ask))
	has(t, "the missing fields", e.Missing, "model", "tools.refund")
	has(t, "the tools", offered, "order_status")
	if want := "missing     what the settings name in model, tools.refund: it had no effect\n"; !strings.Contains(e.Text(nil), want) {
		t.Errorf("Text =\n%s\nwant %q", e.Text(nil), want)
	}
	none := map[string]*agent.ToolSettingsPatch{"refund": nil}
	now, err := agents.Patch(t.Context(), "", agent.SettingsPatch{Model: new(""), Tools: &none}, 0)
	if err != nil || len(agents.Missing(now.Settings)) != 0 {
		t.Errorf("Patch that takes them out = %v, and %q are missing", err, agents.Missing(now.Settings))
	}
}

// chooses is an answerer with one model to choose.
type chooses struct{ agent.Answerer }

func (chooses) Models() []string { return []string{"openai:large"} }
