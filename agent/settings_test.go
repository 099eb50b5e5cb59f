package agent_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
)

// allSettings are settings of which none is at its default.
func allSettings() agent.Settings {
	return agent.Settings{
		Name: "Shop", WebsiteURL: "https://shop.example", Industry: "boats", Instructions: "Be kind.", Languages: []string{"en", "pt-BR"},
		FallbackText: "No.", TargetError: 0.1, Persona: "Mia", Tone: "warm", Model: "openai:small", Temperature: new(0.0),
		Unsupported: agent.UnsupportedFlag, Translated: agent.TranslatedDrop, KnowledgeFilter: map[string]any{"screen": "billing", "$kind": []any{"page", "qa"}},
		Greeting: "Hello.", StarterQuestions: []string{"When do you open?", "Where?"}, HandoffText: "Wait.",
		Tools: map[string]agent.ToolSettings{
			"refund": {Approval: agent.ApprovalAsk},
			"order_status": {
				Approval: agent.ApprovalAuto, Description: "Looks up an order.", Idempotent: true, ReadOnly: true, TimeoutSeconds: 30,
				Parameters: json.RawMessage(`{"type":"object","properties":{"id":{"type":"string"}},"required":["id"]}`),
			},
		},
		Budget: agent.Budget{ModelCalls: 3, ToolCalls: 4, Tokens: 5_000, Cost: 0.25, Seconds: 20}, RetentionDays: 90,
	}
}

func TestSettingsReadBack(t *testing.T) {
	k := newDesk(t, whole(t))
	want := allSettings()
	made, err := k.Agents(k.company).Create(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Agents(k.company).Get(t.Context(), made.ID)
	if err != nil || !reflect.DeepEqual(got, made) || !reflect.DeepEqual(got.Settings, want) {
		t.Errorf("Get = %+v, %v\nwant %+v", got, err, made)
	}
	for i := range reflect.TypeFor[agent.Settings]().NumField() {
		if f := reflect.TypeFor[agent.Settings]().Field(i); reflect.ValueOf(want).Field(i).IsZero() && f.Name != "Threshold" {
			t.Errorf("the test says nothing of %s", f.Name)
		}
	}
}

func TestSettingsName(t *testing.T) {
	k := newDesk(t, parts{})
	long := func(n int) string { return strings.Repeat("x", n) }
	tool := func(name string, s agent.ToolSettings) func(*agent.Settings) {
		return func(all *agent.Settings) { all.Tools = map[string]agent.ToolSettings{name: s} }
	}
	schema := func(s string) func(*agent.Settings) {
		return tool("order_status", agent.ToolSettings{Parameters: json.RawMessage(s)})
	}
	deep := strings.Repeat(`{"type":"object","properties":{"a":`, 17) + `{}` + strings.Repeat(`}}`, 17)
	for field, faults := range map[string][]func(*agent.Settings){
		"persona":               {func(s *agent.Settings) { s.Persona = long(2_001) }},
		"tone":                  {func(s *agent.Settings) { s.Tone = long(501) }},
		"model":                 {func(s *agent.Settings) { s.Model = "a b" }, func(s *agent.Settings) { s.Model = long(201) }, func(s *agent.Settings) { s.Model = "a\x00" }},
		"temperature":           {func(s *agent.Settings) { s.Temperature = new(2.1) }, func(s *agent.Settings) { s.Temperature = new(math.NaN()) }, func(s *agent.Settings) { s.Temperature = new(-1.0) }},
		"unsupported":           {func(s *agent.Settings) { s.Unsupported = "keep" }},
		"translated":            {func(s *agent.Settings) { s.Translated = "keep" }},
		"greeting":              {func(s *agent.Settings) { s.Greeting = long(2_001) }},
		"handoff_text":          {func(s *agent.Settings) { s.HandoffText = long(2_001) }},
		"starter_questions":     {func(s *agent.Settings) { s.StarterQuestions = slices.Repeat([]string{"a"}, 11) }},
		"starter_questions[2]":  {func(s *agent.Settings) { s.StarterQuestions = []string{"a", "b", ""} }, func(s *agent.Settings) { s.StarterQuestions = []string{"a", "b", long(201)} }},
		"retention_days":        {func(s *agent.Settings) { s.RetentionDays = -1 }, func(s *agent.Settings) { s.RetentionDays = 36_501 }},
		"budget.model_calls":    {func(s *agent.Settings) { s.Budget.ModelCalls = 51 }, func(s *agent.Settings) { s.Budget.ModelCalls = -1 }},
		"budget.tool_calls":     {func(s *agent.Settings) { s.Budget.ToolCalls = 101 }},
		"budget.tokens":         {func(s *agent.Settings) { s.Budget.Tokens = 10_000_001 }},
		"budget.seconds":        {func(s *agent.Settings) { s.Budget.Seconds = 601 }},
		"budget.cost":           {func(s *agent.Settings) { s.Budget.Cost = 1_001 }, func(s *agent.Settings) { s.Budget.Cost = math.NaN() }, func(s *agent.Settings) { s.Budget.Cost = math.Inf(1) }},
		"knowledge_filter.$xor": {func(s *agent.Settings) { s.KnowledgeFilter = map[string]any{"$xor": 1} }},
		"knowledge_filter.$or[1].price.$about": {func(s *agent.Settings) {
			s.KnowledgeFilter = map[string]any{"$or": []any{map[string]any{"a": 1}, map[string]any{"price": map[string]any{"$about": 1}}}}
		}},
		"knowledge_filter":                   {func(s *agent.Settings) { s.KnowledgeFilter = map[string]any{"a": slices.Repeat([]any{long(500)}, 40)} }},
		"tools":                              {tool("order status", agent.ToolSettings{}), tool("", agent.ToolSettings{}), tool(long(65), agent.ToolSettings{}), tool("ordör", agent.ToolSettings{})},
		"tools.order_status.approval":        {tool("order_status", agent.ToolSettings{Approval: "maybe"})},
		"tools.order_status.description":     {tool("order_status", agent.ToolSettings{Description: long(4_001)}), tool("order_status", agent.ToolSettings{Description: "alone"})},
		"tools.order_status.idempotent":      {tool("order_status", agent.ToolSettings{Idempotent: true})},
		"tools.order_status.read_only":       {tool("order_status", agent.ToolSettings{ReadOnly: true})},
		"tools.order_status.timeout_seconds": {tool("order_status", agent.ToolSettings{TimeoutSeconds: 3_601}), tool("order_status", agent.ToolSettings{TimeoutSeconds: 1})},
		"tools.order_status.parameters": {
			schema(`"text"`), schema(`{`), schema(`{"type":"string"}`), schema(`{}`), schema(deep),
			schema(`{"type":"object","properties":{"a":{"$ref":"https://example.com/schema"}}}`),
			schema(`{"type":"object","properties":{"a":{"pattern":"("}}}`),
			schema(`{"type":"object","properties":{"a":{"items":{"type":["null","strin"]}}}}`),
			schema(`{"type":"object","description":"` + long(agent.MaxSchema) + `"}`),
		},
		"settings": {func(s *agent.Settings) {
			s.Tools = map[string]agent.ToolSettings{}
			for name := range strings.SplitSeq("a b c d e f g h i", " ") {
				s.Tools[name] = agent.ToolSettings{Parameters: json.RawMessage(`{"type":"object","description":"` + long(30<<10) + `"}`)}
			}
		}},
	} {
		for i, fault := range faults {
			s := agent.Settings{Name: "Shop"}
			fault(&s)
			_, err := k.Agents(k.company).Create(t.Context(), s)
			if e, ok := errors.AsType[*agent.InvalidError](err); !ok || e.Field != field {
				t.Errorf("fault %d of %s: Create returned %v", i, field, err)
			}
		}
	}
	s := agent.Settings{Name: "Shop"}
	schema(`{"type":"object","properties":{"a":{"oneOf":[true,{"items":{"type":["null","strin"]}}]}}}`)(&s)
	if _, err := k.Agents(k.company).Create(t.Context(), s); err == nil || !strings.Contains(err.Error(), `properties.a.oneOf.1.items.type: "strin" is none of string, `) {
		t.Errorf("a type that there is not: %v", err)
	}
	if _, err := k.Agents(k.company).Create(t.Context(), agent.Settings{Name: "Refs", Tools: map[string]agent.ToolSettings{
		"inner": {Parameters: json.RawMessage(`{"type":"object","$defs":{"x":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/x"}}}`)},
	}}); err != nil {
		t.Errorf("a schema that refers to itself: %v", err)
	}
}

func TestPatchEverySetting(t *testing.T) {
	k := newDesk(t, whole(t))
	agents := k.Agents(k.company)
	a, err := agents.Create(t.Context(), allSettings())
	if err != nil {
		t.Fatal(err)
	}
	patch := func(p agent.SettingsPatch, want func(*agent.Settings)) {
		t.Helper()
		then := a.Settings
		want(&then)
		got, err := agents.Patch(t.Context(), a.ID, p, 0)
		if err != nil || !reflect.DeepEqual(got.Settings, then) {
			t.Fatalf("Patch = %+v, %v\nwant %+v", got.Settings, err, then)
		}
		a = got
	}
	patch(agent.SettingsPatch{Tools: &map[string]*agent.ToolSettingsPatch{"refund": {Approval: new(agent.ApprovalNever)}, "order_status": {TimeoutSeconds: new(0)}}},
		func(s *agent.Settings) {
			order := s.Tools["order_status"]
			order.TimeoutSeconds = 0
			s.Tools = map[string]agent.ToolSettings{"refund": {Approval: agent.ApprovalNever}, "order_status": order}
		})
	patch(agent.SettingsPatch{Budget: &agent.BudgetPatch{Seconds: new(0), Cost: new(2.0)}}, func(s *agent.Settings) { s.Budget.Seconds, s.Budget.Cost = 0, 2 })
	patch(agent.SettingsPatch{Tools: &map[string]*agent.ToolSettingsPatch{"order_status": nil, "gone": nil}},
		func(s *agent.Settings) {
			s.Tools = map[string]agent.ToolSettings{"refund": {Approval: agent.ApprovalNever}}
		})
	patch(agent.SettingsPatch{KnowledgeFilter: &map[string]any{"year": 2026}}, func(s *agent.Settings) { s.KnowledgeFilter = map[string]any{"year": 2026.0} })
	version := a.Version
	patch(agent.SettingsPatch{KnowledgeFilter: &map[string]any{"year": 2026.0}, Temperature: new(new(0.0)), Tools: &map[string]*agent.ToolSettingsPatch{}}, func(*agent.Settings) {})
	if a.Version != version {
		t.Errorf("a patch that changes nothing made version %d of %d", a.Version, version)
	}
	if _, err := agents.Patch(t.Context(), a.ID, agent.SettingsPatch{Tools: &map[string]*agent.ToolSettingsPatch{"new": {Idempotent: new(true)}}}, 0); !errors.Is(err, agent.ErrInvalid) {
		t.Errorf("Patch of half a tool: %v", err)
	}

	zero := agent.SettingsPatch{Budget: &agent.BudgetPatch{}}
	for _, v := range []reflect.Value{reflect.ValueOf(&zero).Elem(), reflect.ValueOf(zero.Budget).Elem()} {
		for i := range v.NumField() {
			if f := v.Field(i); f.IsNil() && v.Type().Field(i).Name != "Name" {
				f.Set(reflect.New(f.Type().Elem()))
			}
		}
	}
	patch(zero, func(s *agent.Settings) { *s = agent.Settings{Name: "Shop"} })
}
