package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// Bounds of settings that others are measured by too.
const (
	maxTools    = 64       // of an agent
	maxToolName = 64       // bytes
	maxFilter   = 16 << 10 // bytes of JSON
	maxDays     = 36_500   // that conversations are kept
)

// check makes the settings as they read back, and returns an [InvalidError] naming
// the first field that cannot be stored.
func (s *Settings) check() error {
	s.Name = strings.TrimSpace(s.Name)
	for _, check := range []func() error{s.checkTexts, s.checkScores, s.checkLists, s.checkFilter, s.checkTools, s.Budget.check} {
		if err := check(); err != nil {
			return err
		}
	}
	if s.RetentionDays < 0 || s.RetentionDays > maxDays {
		return invalid("retention_days", "must be between 0 and %d", maxDays)
	}
	b, err := json.Marshal(s)
	switch {
	case err != nil:
		return invalid("settings", "%v", err)
	case len(b) > MaxSettings:
		return invalid("settings", "all together are %d bytes of JSON, more than %d", len(b), MaxSettings)
	}
	return nil
}

func (s *Settings) checkTexts() error {
	for _, f := range []struct {
		name, value string
		min, max    int
	}{
		{"name", s.Name, 1, 200},
		{"industry", s.Industry, 0, 100},
		{"instructions", s.Instructions, 0, 20_000},
		{"fallback_text", s.FallbackText, 0, 2_000},
		{"persona", s.Persona, 0, 2_000},
		{"tone", s.Tone, 0, 500},
		{"model", s.Model, 0, 200},
		{"greeting", s.Greeting, 0, 2_000},
		{"handoff_text", s.HandoffText, 0, 2_000},
	} {
		if err := checkText(f.name, f.value, f.min, f.max); err != nil {
			return err
		}
	}
	if strings.ContainsFunc(s.Model, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return invalid("model", "is not a name such as \"openai:gpt-4o\"")
	}
	switch s.Unsupported {
	case "", UnsupportedFlag, UnsupportedDrop, UnsupportedRefuse:
	default:
		return invalid("unsupported", "must be one of flag, drop and refuse")
	}
	switch s.Translated {
	case "", TranslatedFlag, TranslatedDrop:
	default:
		return invalid("translated", "must be one of flag and drop")
	}
	return checkURL("website_url", s.WebsiteURL)
}

func (s *Settings) checkScores() error {
	if !(s.Threshold >= 0 && s.Threshold <= 1) {
		return invalid("threshold", "must be between 0 and 1")
	}
	if !(s.TargetError >= 0 && s.TargetError < 1) {
		return invalid("target_error", "must be more than 0 and less than 1")
	}
	if s.Threshold != 0 && s.TargetError != 0 {
		return invalid("target_error", "cannot stand beside threshold: give one of the two")
	}
	if s.Temperature != nil && !(*s.Temperature >= 0 && *s.Temperature <= 2) {
		return invalid("temperature", "must be between 0 and 2")
	}
	return nil
}

func (s *Settings) checkLists() error {
	if len(s.Languages) > 50 {
		return invalid("languages", "%d are more than 50", len(s.Languages))
	}
	for i, l := range s.Languages {
		if !isTag(l) {
			return invalid(fmt.Sprintf("languages[%d]", i), "is not a language tag such as \"en\" or \"pt-BR\"")
		}
	}
	if len(s.StarterQuestions) > 10 {
		return invalid("starter_questions", "%d are more than 10", len(s.StarterQuestions))
	}
	for i, q := range s.StarterQuestions {
		if err := checkText(fmt.Sprintf("starter_questions[%d]", i), q, 1, 200); err != nil {
			return err
		}
	}
	return nil
}

// checkFilter goes by the rules of [knowledge.Query.Filter].
func (s *Settings) checkFilter() error {
	if len(s.KnowledgeFilter) == 0 {
		s.KnowledgeFilter = nil
		return nil
	}
	if err := knowledge.CheckFilter(s.KnowledgeFilter); err != nil {
		if e, ok := errors.AsType[*knowledge.InvalidError](err); ok {
			return invalid("knowledge_"+e.Field, "%s", e.Reason)
		}
		return err
	}
	filter, n, err := plainObject(s.KnowledgeFilter)
	switch {
	case err != nil:
		return invalid("knowledge_filter", "%v", err)
	case n > maxFilter:
		return invalid("knowledge_filter", "is %d bytes of JSON, more than %d", n, maxFilter)
	}
	s.KnowledgeFilter = filter
	return nil
}

// plainObject returns an object as it reads back from JSON, and how long that is.
func plainObject(v map[string]any) (out map[string]any, n int, err error) {
	b, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(b, &out)
	}
	return out, len(b), err
}

func (s *Settings) checkTools() error {
	if len(s.Tools) == 0 {
		s.Tools = nil
		return nil
	}
	if len(s.Tools) > maxTools {
		return invalid("tools", "%d are more than %d", len(s.Tools), maxTools)
	}
	s.Tools = maps.Clone(s.Tools)
	for _, name := range slices.Sorted(maps.Keys(s.Tools)) {
		if !isToolName(name) {
			return invalid("tools", "the name %q must be 1 to %d letters, digits, \"_\" and \"-\"", clip(name), maxToolName)
		}
		t := s.Tools[name]
		if err := t.check("tools." + name); err != nil {
			return err
		}
		s.Tools[name] = t
	}
	return nil
}

// isToolName reports whether a tool may have a name: it is sent to models, of which
// none takes more.
func isToolName(name string) bool {
	for _, c := range []byte(name) {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return len(name) >= 1 && len(name) <= maxToolName
}

// check returns an [InvalidError] naming the first field below path that cannot be
// stored.
func (t *ToolSettings) check(path string) error {
	switch t.Approval {
	case "", ApprovalAuto, ApprovalAsk, ApprovalNever:
	default:
		return invalid(path+".approval", "must be one of auto, ask and never")
	}
	if err := checkText(path+".description", t.Description, 0, 4_000); err != nil {
		return err
	}
	if t.TimeoutSeconds < 0 || t.TimeoutSeconds > 3_600 {
		return invalid(path+".timeout_seconds", "must be between 0 and 3600")
	}
	if len(t.Parameters) == 0 {
		const alone = "stands beside parameters only: the tool is this program's own without"
		switch t.Parameters = nil; {
		case t.Description != "":
			return invalid(path+".description", alone)
		case t.Idempotent:
			return invalid(path+".idempotent", alone)
		case t.ReadOnly:
			return invalid(path+".read_only", alone)
		case t.TimeoutSeconds != 0:
			return invalid(path+".timeout_seconds", alone)
		}
		return nil
	}
	if err := checkSchema(path+".parameters", t.Parameters); err != nil {
		return err
	}
	compact, err := json.Marshal(t.Parameters) // as it reads back
	t.Parameters = compact
	return err
}

func (b *Budget) check() error {
	for _, f := range []struct {
		name       string
		value, max int
	}{
		{"model_calls", b.ModelCalls, 50}, {"tool_calls", b.ToolCalls, 100}, {"tokens", b.Tokens, 10_000_000}, {"seconds", b.Seconds, 600},
	} {
		if f.value < 0 || f.value > f.max {
			return invalid("budget."+f.name, "must be between 0 and %d", f.max)
		}
	}
	if !(b.Cost >= 0 && b.Cost <= 1_000) {
		return invalid("budget.cost", "must be between 0 and 1000")
	}
	return nil
}

// checkURL returns an [InvalidError] unless a field is empty or the address of a
// page.
func checkURL(field, value string) error {
	if value == "" {
		return nil
	}
	if len(value) > 2_000 {
		return invalid(field, "%d bytes are more than 2000", len(value))
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !utf8.ValidString(value) {
		return invalid(field, "is not an address such as https://shop.example")
	}
	return nil
}

// isTag reports whether s has the shape of a language tag of BCP 47: subtags of
// 1 to 8 letters and digits, the first of 2 to 8 letters.
func isTag(s string) bool {
	if len(s) < 2 || len(s) > 35 {
		return false
	}
	for i, sub := range strings.Split(s, "-") {
		if len(sub) < 1 || len(sub) > 8 || i == 0 && len(sub) < 2 {
			return false
		}
		for _, c := range []byte(sub) {
			letter := c|0x20 >= 'a' && c|0x20 <= 'z'
			if !letter && (i == 0 || c < '0' || c > '9') {
				return false
			}
		}
	}
	return true
}
