package agent

import (
	"encoding/json"
	"maps"
	"slices"
)

// A SettingsPatch changes some settings of an agent: nil leaves one as it is, and a
// pointer to the zero value brings its default back. The name has none.
type SettingsPatch struct {
	Name             *string
	WebsiteURL       *string
	Industry         *string
	Instructions     *string
	Languages        *[]string
	Threshold        *float64
	FallbackText     *string
	TargetError      *float64
	Persona          *string
	Tone             *string
	Model            *string
	Temperature      **float64
	Unsupported      *Unsupported
	Translated       *TranslatedSetting
	KnowledgeFilter  *map[string]any // replaced as a whole
	Greeting         *string
	StarterQuestions *[]string
	HandoffText      *string

	// Tools changes what it names: nil removes the settings of a tool. A pointer to
	// nil removes all.
	Tools *map[string]*ToolSettingsPatch

	// Budget changes what it sets.
	Budget *BudgetPatch

	RetentionDays *int
}

// A ToolSettingsPatch changes some settings of a tool, as a [SettingsPatch] does.
type ToolSettingsPatch struct {
	Approval       *Approval
	Parameters     *json.RawMessage // replaced as a whole
	Description    *string
	Idempotent     *bool
	ReadOnly       *bool
	TimeoutSeconds *int
}

// A BudgetPatch changes some bounds, as a [SettingsPatch] does.
type BudgetPatch struct {
	ModelCalls *int
	ToolCalls  *int
	Tokens     *int
	Cost       *float64
	Seconds    *int
}

// apply returns the settings with the patch applied.
func (p SettingsPatch) apply(s Settings) Settings {
	change(&s.Name, p.Name)
	change(&s.WebsiteURL, p.WebsiteURL)
	change(&s.Industry, p.Industry)
	change(&s.Instructions, p.Instructions)
	change(&s.Threshold, p.Threshold)
	change(&s.FallbackText, p.FallbackText)
	change(&s.TargetError, p.TargetError)
	change(&s.Persona, p.Persona)
	change(&s.Tone, p.Tone)
	change(&s.Model, p.Model)
	change(&s.Temperature, p.Temperature)
	change(&s.Unsupported, p.Unsupported)
	change(&s.Translated, p.Translated)
	change(&s.KnowledgeFilter, p.KnowledgeFilter)
	change(&s.Greeting, p.Greeting)
	change(&s.HandoffText, p.HandoffText)
	change(&s.RetentionDays, p.RetentionDays)
	s.Languages = changeList(s.Languages, p.Languages)
	s.StarterQuestions = changeList(s.StarterQuestions, p.StarterQuestions)
	if p.Tools != nil {
		s.Tools = patchTools(s.Tools, *p.Tools)
	}
	if b := p.Budget; b != nil {
		change(&s.Budget.ModelCalls, b.ModelCalls)
		change(&s.Budget.ToolCalls, b.ToolCalls)
		change(&s.Budget.Tokens, b.Tokens)
		change(&s.Budget.Cost, b.Cost)
		change(&s.Budget.Seconds, b.Seconds)
	}
	return s
}

// patchTools returns the settings of tools with a patch of them applied.
func patchTools(tools map[string]ToolSettings, patch map[string]*ToolSettingsPatch) map[string]ToolSettings {
	if patch == nil {
		return nil
	}
	tools = maps.Clone(tools)
	if tools == nil {
		tools = map[string]ToolSettings{}
	}
	for name, p := range patch {
		if p == nil {
			delete(tools, name)
			continue
		}
		t := tools[name]
		change(&t.Approval, p.Approval)
		change(&t.Parameters, p.Parameters)
		change(&t.Description, p.Description)
		change(&t.Idempotent, p.Idempotent)
		change(&t.ReadOnly, p.ReadOnly)
		change(&t.TimeoutSeconds, p.TimeoutSeconds)
		tools[name] = t
	}
	return tools
}

// clash returns an [InvalidError] if the patch has set a threshold beside the target
// error that was there, or a target error beside the threshold.
func (p SettingsPatch) clash(patched Settings) error {
	const wayOut = "cannot be set while %[1]s is: set %[1]s to null as well"
	switch {
	case patched.Threshold == 0 || patched.TargetError == 0:
	case p.Threshold == nil:
		return invalid("target_error", wayOut, "threshold")
	case p.TargetError == nil:
		return invalid("threshold", wayOut, "target_error")
	}
	return nil
}

func change[T any](field *T, to *T) {
	if to != nil {
		*field = *to
	}
}

// changeList returns a list as it reads back after a change.
func changeList[T any](list []T, to *[]T) []T {
	if to != nil {
		list = slices.Clone(*to)
	}
	if len(list) == 0 {
		return nil
	}
	return list
}
