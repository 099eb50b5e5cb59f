package agent

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds of a tool.
const (
	maxToolDescription = 4_000 // characters
	maxToolOutput      = 64 << 10
	maxToolTimeout     = time.Hour
	maxDeskTools       = 200

	defaultToolOutput    = 16 << 10
	defaultToolTimeout   = 30 * time.Second
	defaultAnswerTimeout = 2 * time.Minute // of a caller
)

var (
	toolName   = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	wordEquals = regexp.MustCompile(`^\S*=`) // what jsonschema-go keeps for itself
)

// check returns an error that says what is wrong with the tool.
func (t Tool) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("tool %q: %s", clip(t.Name), fmt.Sprintf(format, args...))
	}
	if !toolName.MatchString(t.Name) {
		return wrong("its name is to be 1 to 64 letters, digits, _ and -")
	}
	if err := checkText("description", t.Description, 0, maxToolDescription); err != nil {
		return wrong("%v", err)
	}
	if _, err := readSchema(t.Parameters); err != nil {
		return wrong("its parameters: %v", err)
	}
	switch t.Approval {
	case "", ApprovalAuto, ApprovalAsk, ApprovalNever:
	default:
		return wrong("its approval is none of %q, %q and %q", ApprovalAuto, ApprovalAsk, ApprovalNever)
	}
	if t.Timeout < 0 || t.Timeout > maxToolTimeout {
		return wrong("its timeout of %v is not between 0 and %v", t.Timeout, maxToolTimeout)
	}
	if t.MaxOutput < 0 || t.MaxOutput > maxToolOutput {
		return wrong("its output bound of %d bytes is not between 0 and %d", t.MaxOutput, maxToolOutput)
	}
	return nil
}

// CheckTools returns an error that names the first of some tools that a desk cannot
// have: one with a fault, or with the name of another.
func CheckTools(tools []Tool) error {
	if len(tools) > maxDeskTools {
		return fmt.Errorf("%d tools are more than %d", len(tools), maxDeskTools)
	}
	seen := map[string]bool{}
	for _, t := range tools {
		if err := t.check(); err != nil {
			return err
		}
		if seen[t.Name] {
			return fmt.Errorf("tool %q: there are two of that name", t.Name)
		}
		seen[t.Name] = true
	}
	return nil
}

// A toolbox has the tools of an agent by their names.
type toolbox struct {
	tools   []Tool // that it may be told of, in a fixed order
	byName  map[string]Tool
	schemas map[string]*schema
}

// toolbox returns what an agent may call: the desk's tools and those that its
// settings declare, which stand in the place of a desk's tool of the same name.
func (e *Engine) toolbox(s Settings) (toolbox, error) {
	if len(e.opts.Tools) == 0 && len(s.Tools) == 0 {
		return toolbox{}, nil
	}
	box := toolbox{byName: map[string]Tool{}, schemas: map[string]*schema{}}
	add := func(t Tool) error {
		if set := s.Tools[t.Name].Approval; set != "" {
			t.Approval = set
		}
		if t.Approval == ApprovalNever {
			return nil
		}
		t = t.filled()
		read, err := e.schemas.read(t.Parameters)
		if err != nil {
			return fmt.Errorf("tool %q: its parameters: %w", t.Name, err)
		}
		box.tools, box.byName[t.Name], box.schemas[t.Name] = append(box.tools, t), t, read
		return nil
	}
	for _, t := range e.opts.Tools {
		if len(s.Tools[t.Name].Parameters) > 0 {
			continue
		}
		if err := add(t); err != nil {
			return box, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tools)) {
		d := s.Tools[name]
		if len(d.Parameters) == 0 {
			continue
		}
		err := add(Tool{
			Name: name, Description: d.Description, Parameters: d.Parameters, Idempotent: d.Idempotent, ReadOnly: d.ReadOnly,
			Timeout: time.Duration(d.TimeoutSeconds) * time.Second,
		})
		if err != nil {
			return box, err
		}
	}
	return box, nil
}

// filled returns the tool with its defaults.
func (t Tool) filled() Tool {
	if len(t.Parameters) == 0 {
		t.Parameters = json.RawMessage(noParameters)
	}
	if t.Approval == "" {
		t.Approval = ApprovalAuto
	}
	if t.Timeout == 0 {
		t.Timeout = defaultToolTimeout
		if t.Run == nil {
			t.Timeout = defaultAnswerTimeout
		}
	}
	t.Timeout = min(t.Timeout, maxToolTimeout)
	if t.MaxOutput == 0 {
		t.MaxOutput = defaultToolOutput
	}
	return t
}

// checkOutput returns what is wrong with what a tool, or a caller in its place, gave
// back; empty if it can be used.
func (t Tool) checkOutput(out json.RawMessage) string {
	switch {
	case len(out) > t.MaxOutput:
		return fmt.Sprintf("the result has %d bytes, and %d are the most", len(out), t.MaxOutput)
	case !utf8.Valid(out) || !json.Valid(out):
		return "the result is not valid JSON"
	}
	return ""
}

// arguments reads what a model wrote as the arguments of a tool, and fills in what it
// left out and the context has; drawn says whether it had something. The words of the
// error are for the model.
func (b toolbox) arguments(t Tool, raw json.RawMessage, context map[string]any) (args json.RawMessage, drawn bool, err error) {
	s := b.schemas[t.Name]
	if len(raw) > maxArguments {
		return nil, false, fmt.Errorf("the arguments have %d bytes, and %d are the most: call it again with less", len(raw), maxArguments)
	}
	if !utf8.Valid(raw) {
		return nil, false, errors.New("the arguments are not valid UTF-8 text: call it again")
	}
	given, err := readObject(raw)
	if err != nil {
		return nil, false, errors.New("the arguments are not a JSON object: call it again with one that fits its parameters")
	}
	filled := map[string]json.RawMessage{}
	for name := range s.properties {
		known, ok := context[name]
		if _, there := given[name]; there || !ok {
			continue
		}
		b, err := json.Marshal(known)
		var v any
		if err == nil && json.Unmarshal(b, &v) == nil && s.allows(name, v) {
			given[name], filled[name] = v, b
		}
	}
	if err := s.check(given); err != nil {
		return nil, len(filled) > 0, fmt.Errorf("the arguments do not fit its parameters: %s: call it again with ones that do", clipTo(err.Error(), 500))
	}
	if len(filled) == 0 && len(raw) > 0 {
		return raw, false, nil
	}
	if len(raw) > 0 { // as they were written, to the last digit
		if err := json.Unmarshal(raw, &filled); err != nil {
			return nil, true, err
		}
	}
	args, err = json.Marshal(filled)
	return args, true, err
}

// clipTo bounds a text to n bytes of whole characters.
func clipTo(s string, n int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}

// maxSchemas bounds how many schemas are kept.
const maxSchemas = 1024

// A shelf keeps schemas that were read, by their text.
type shelf struct {
	mu     sync.Mutex
	byText map[string]*schema
}

func (k *shelf) read(raw json.RawMessage) (*schema, error) {
	k.mu.Lock()
	s := k.byText[string(raw)]
	k.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := readSchema(raw)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.byText == nil || len(k.byText) >= maxSchemas {
		k.byText = map[string]*schema{}
	}
	k.byText[string(raw)] = s
	return s, nil
}
