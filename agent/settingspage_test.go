package agent_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent"
)

// settingNames are the names of the settings of a type, those of its objects too.
func settingNames(t reflect.Type, prefix string) (names []string) {
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		name = prefix + name
		switch field.Type {
		case reflect.TypeFor[agent.Budget]():
			names = append(names, settingNames(field.Type, name+".")...)
		case reflect.TypeFor[map[string]agent.ToolSettings]():
			names = append(names, name)
			names = append(names, settingNames(field.Type.Elem(), name+".NAME.")...)
		default:
			names = append(names, name)
		}
	}
	return names
}

// given is an agent's settings with one of them set to a value.
func given(t *testing.T, name string, value any) agent.Settings {
	t.Helper()
	path := strings.Split(strings.Replace(name, "NAME", "look_up", 1), ".")
	for _, part := range slices.Backward(path[1:]) {
		set := map[string]any{part: value}
		if strings.HasPrefix(name, "tools.") && part == path[2] && part != "parameters" && part != "approval" {
			set["parameters"] = map[string]any{"type": "object"}
		}
		value = set
	}
	b, err := json.Marshal(map[string]any{"name": "Agent", path[0]: value})
	if err != nil {
		t.Fatal(err)
	}
	var s agent.Settings
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s
}

var (
	textBound   = regexp.MustCompile(`^(?:1 to|up to) ([\d,]+) characters`)
	numberBound = regexp.MustCompile(`^(?:0 to|up to) ([\d,]+)(?:;|$)`)
	numberInit  = regexp.MustCompile(`0 means the default ([\d.,]+)`)
)

// number reads one as pages write it.
func number(t *testing.T, s string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", ""), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The page on agents has a row for each setting and no other, and what it says of
// bounds and defaults is so.
func TestSettingsPage(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../docs/agents.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "| setting | meaning | limits and default |\n| --- | --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	limits := map[string]string{}
	for line := range strings.Lines(table) {
		if cells := strings.Split(strings.Trim(line, "| \n"), " | "); len(cells) == 3 {
			limits[cells[0]] = cells[2]
		} else {
			t.Errorf("the row %q has not three cells", line)
		}
	}
	names := settingNames(reflect.TypeFor[agent.Settings](), "")
	slices.Sort(names)
	if rows := slices.Sorted(maps.Keys(limits)); !slices.Equal(rows, names) {
		t.Fatalf("the rows are %v, want %v", rows, names)
	}

	d := newDesk(t, parts{})
	takes := func(name string, value any) bool {
		_, err := d.Agents(d.company).Create(t.Context(), given(t, name, value))
		return err == nil
	}
	measured := 0
	for name, limit := range limits {
		if m := textBound.FindStringSubmatch(limit); m != nil {
			n := int(number(t, m[1]))
			if measured++; !takes(name, strings.Repeat("ü", n)) || takes(name, strings.Repeat("ü", n+1)) {
				t.Errorf("%s: %q does not hold", name, limit)
			}
		} else if m := numberBound.FindStringSubmatch(limit); m != nil && name != "tools" && name != "languages" {
			n := number(t, m[1])
			if measured++; !takes(name, n) || takes(name, n+1) || takes(name, -1) {
				t.Errorf("%s: %q does not hold", name, limit)
			}
		}
	}
	if measured < 15 {
		t.Errorf("%d bounds were tried, which cannot be all", measured)
	}
	b := agent.Budget{}.Filled()
	for name, want := range map[string]float64{
		"threshold": agent.DefaultThreshold, "budget.model_calls": float64(b.ModelCalls), "budget.tool_calls": float64(b.ToolCalls),
		"budget.tokens": float64(b.Tokens), "budget.seconds": float64(b.Seconds),
	} {
		if m := numberInit.FindStringSubmatch(limits[name]); m == nil || number(t, strings.TrimRight(m[1], ".")) != want {
			t.Errorf("%s: %q, want the default %v", name, limits[name], want)
		}
	}
	for _, text := range []string{agent.DefaultFallbackText, agent.DefaultHandoffText} {
		if !strings.Contains(strings.Join(strings.Fields(string(page)), " "), `"`+text+`"`) {
			t.Errorf("the page does not say that %q is a default", text)
		}
	}
}
