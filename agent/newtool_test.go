package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
)

// Tools are plain functions of a context and a struct: a program's own tests call them
// as they are. It compiles, or this test fails.
var _ = []agent.Tool{
	agent.MustTool("plain", "", func(context.Context, struct{}) (string, error) { return "", nil }, nil),
	agent.MustTool("method", "", (&shop{}).Status, &agent.ToolOptions{Idempotent: true}),
}

type shop struct{}

func (*shop) Status(ctx context.Context, in order) (string, error) { return shipped(ctx, in) }

func TestToolsTakePlainContext(t *testing.T) {
	if got, err := (&shop{}).Status(t.Context(), order{"A-1"}); got != "shipped" || err != nil {
		t.Errorf("Status = %q, %v", got, err)
	}
}

// The schema of a tool says what its function reads.
func TestToolSchema(t *testing.T) {
	type address struct {
		City string `json:"city" jsonschema:"where it goes"`
	}
	type in struct {
		Order string     `json:"order" jsonschema:"the number on the receipt"`
		To    *address   `json:"to,omitempty"`
		Lines []int      `json:"lines,omitempty"`
		At    time.Time  `json:"at,omitzero"`
		Call  agent.Call `json:"-"`
	}
	tool, err := agent.NewTool("send", "Sends an order.", func(context.Context, in) (address, error) { return address{}, nil }, nil)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Type       string
		Required   []string
		Properties map[string]struct{ Description string }
	}
	if err := json.Unmarshal(tool.Parameters, &s); err != nil {
		t.Fatal(err)
	}
	if s.Type != "object" || fmt.Sprint(s.Required) != "[order]" || s.Properties["order"].Description != "the number on the receipt" || len(s.Properties) != 4 {
		t.Errorf("the schema is %s", tool.Parameters)
	}
}

type tree struct {
	Left *tree `json:"left,omitempty"`
}

type mutualA struct {
	B []mutualB `json:"b"`
}
type mutualB struct {
	A map[string]mutualA `json:"a"`
}

// What cannot be a parameter is an error that names the field, and no panic.
func TestBadToolTypes(t *testing.T) {
	type inner struct {
		Done chan int `json:"done"`
	}
	none := func(err error) error { return err }
	_, ch := agent.NewTool("x", "", func(context.Context, struct{ Done chan int }) (int, error) { return 0, nil }, nil)
	_, fn := agent.NewTool("x", "", func(context.Context, struct{ Each func() }) (int, error) { return 0, nil }, nil)
	_, nested := agent.NewTool("x", "", func(context.Context, struct{ In []map[string]*inner }) (int, error) { return 0, nil }, nil)
	_, hidden := agent.NewTool("x", "", func(context.Context, struct{ hidden string }) (int, error) { return 0, nil }, nil)
	_, recursive := agent.NewTool("x", "", func(context.Context, struct{ Tree tree }) (int, error) { return 0, nil }, nil)
	_, mutual := agent.NewTool("x", "", func(context.Context, mutualA) (int, error) { return 0, nil }, nil)
	_, complexes := agent.NewTool("x", "", func(context.Context, struct{ C complex128 }) (int, error) { return 0, nil }, nil)
	_, keys := agent.NewTool("x", "", func(context.Context, struct{ M map[float64]int }) (int, error) { return 0, nil }, nil)
	_, iface := agent.NewTool("x", "", func(context.Context, struct{ R io.Reader }) (int, error) { return 0, nil }, nil)
	_, tag := agent.NewTool("x", "", func(context.Context, struct {
		Tag string `jsonschema:"required=true"`
	}) (int, error) {
		return 0, nil
	}, nil)
	_, empty := agent.NewTool("x", "", func(context.Context, struct {
		Tag string `jsonschema:""`
	}) (int, error) {
		return 0, nil
	}, nil)
	_, call := agent.NewTool("x", "", func(context.Context, struct{ Who agent.Call }) (int, error) { return 0, nil }, nil)
	_, text := agent.NewTool("x", "", func(context.Context, string) (int, error) { return 0, nil }, nil)
	_, pointer := agent.NewTool("x", "", func(context.Context, *order) (int, error) { return 0, nil }, nil)
	_, out := agent.NewTool("x", "", func(context.Context, struct{}) (struct{ Out func() }, error) { panic("") }, nil)
	_, missing := agent.NewTool[order, int]("x", "", nil, nil)
	_, name := agent.NewTool("look up", "", func(context.Context, struct{}) (int, error) { return 0, nil }, nil)
	_, approval := agent.NewTool("x", "", func(context.Context, struct{}) (int, error) { return 0, nil }, &agent.ToolOptions{Approval: "perhaps"})
	_, timeout := agent.NewTool("x", "", func(context.Context, struct{}) (int, error) { return 0, nil }, &agent.ToolOptions{Timeout: 2 * time.Hour})
	for want, err := range map[string]error{
		"field Done": ch, "field Each": fn, "field In.Done": nested, "field hidden": hidden, "field Tree.Left": recursive, "field B.A": mutual,
		"field C": complexes, "field M": keys, "field R": iface, "field Tag": tag, "description, and not \"\"": empty, "field Who": call,
		"make them a struct": text, "*agent_test.order": pointer, "field the result.Out": out, "no function": missing,
		"letters, digits": name, "approval": approval, "timeout": timeout,
	} {
		if none(err) == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewTool = error %v, want one with %q", err, want)
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("MustTool did not panic")
			}
		}()
		agent.MustTool("", "", shipped, nil)
	}()
}

// Tools that a desk cannot have are named.
func TestCheckTools(t *testing.T) {
	ok := orderTool(t, "ok", shipped, nil)
	var grows strings.Builder
	for i := range 40 {
		fmt.Fprintf(&grows, `,"d%d":{"allOf":[{"$ref":"#/$defs/d%d"},{"$ref":"#/$defs/d%d"}]}`, i+1, i, i)
	}
	bomb := `{"type":"object","$defs":{"d0":{"type":"string"}` + grows.String() + `},"properties":{"x":{"$ref":"#/$defs/d40"}}}`
	for _, tt := range []struct {
		name   string
		schema string
		want   string
	}{
		{"a list", `[]`, "not a JSON object"},
		{"null", `null`, "not a JSON object"},
		{"broken", `{"type":`, "not a JSON object"},
		{"of a string", `{"type":"string"}`, `not "object"`},
		{"of anything", `{}`, `not "object"`},
		{"too long", `{"type":"object","description":"` + strings.Repeat("x", 33<<10) + `"}`, "more than 32768"},
		{"too deep", `{"type":"object","properties":` + strings.Repeat(`{"a":`, 100) + `{}` + strings.Repeat(`}`, 100) + `}`, "deep"},
		{"refers elsewhere", `{"type":"object","properties":{"x":{"$ref":"http://127.0.0.1/schema"}}}`, "names nothing in $defs"},
		{"refers to a file", `{"type":"object","properties":{"x":{"$ref":"file:///etc/passwd"}}}`, "names nothing in $defs"},
		{"refers to itself", `{"type":"object","$ref":"#"}`, "names nothing in $defs"},
		{"refers in a circle", `{"type":"object","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},"properties":{"x":{"$ref":"#/$defs/a"}}}`, "refers to itself"},
		{"grows by references", bomb, "more than 20000 values"},
		{"dynamic", `{"type":"object","properties":{"x":{"$dynamicRef":"#x"}}}`, "$dynamicRef"},
		{"bad pattern", `{"type":"object","properties":{"x":{"pattern":"("}}}`, "pattern"},
		{"bad type", `{"type":"object","properties":{"x":{"type":7}}}`, "type"},
		{"bad properties", `{"type":"object","properties":7}`, "properties"},
	} {
		err := agent.CheckTools([]agent.Tool{ok, {Name: "bad", Parameters: json.RawMessage(tt.schema)}})
		if err == nil || !strings.Contains(err.Error(), `tool "bad"`) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: CheckTools = error %v, want one of tool \"bad\" with %q", tt.name, err, tt.want)
		}
	}
	good := json.RawMessage(`{"type":"object","$defs":{"id":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/id"},"b":{"$ref":"#/$defs/id"}}}`)
	if err := agent.CheckTools([]agent.Tool{ok, {Name: "refers", Parameters: good}, {Name: "none"}}); err != nil {
		t.Errorf("CheckTools = %v", err)
	}
	if err := agent.CheckTools([]agent.Tool{ok, ok}); err == nil || !strings.Contains(err.Error(), "two of that name") {
		t.Errorf("CheckTools of two alike = %v", err)
	}
}

// Whatever a schema and a value are, to hold one to the other ends, without a panic.
func FuzzSchema(f *testing.F) {
	f.Add(`{"type":"object","properties":{"x":{"type":"integer","minimum":1}},"required":["x"]}`, `{"x":2}`)
	f.Add(`{"type":"object","$defs":{"a":{"items":{"type":"string"}}},"properties":{"x":{"$ref":"#/$defs/a"}}}`, `{"x":["y",1]}`)
	f.Add(`{"type":"object","patternProperties":{"^a":{"enum":[1,2]}},"unevaluatedProperties":false}`, `{"ab":3}`)
	f.Add(`{"type":"object","properties":{"x":{"default":1,"contains":{"const":null},"uniqueItems":true}}}`, `{"x":[null,null]}`)
	f.Fuzz(func(t *testing.T, schema, value string) {
		if agent.CheckTools([]agent.Tool{{Name: "x", Parameters: json.RawMessage(schema)}}) == nil {
			agent.HoldTo(json.RawMessage(schema), json.RawMessage(value))
		}
	})
}
