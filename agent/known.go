package agent

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// A Chooser is an [Answerer] that knows which models it can write with.
type Chooser interface {
	// Models returns the names that [Settings.Model] may have, in order; none if there
	// is no choice. They stay the same.
	Models() []string
}

// toldNames bounds how many names an error tells.
const toldNames = 20

// An unknown is a name in settings that the desk has nothing of.
type unknown struct {
	path   string // of the field
	reason string
}

// unknown returns the names in settings that the desk has nothing of: that of a model
// that its [Answerer] does not know, and those of tools that are neither the desk's nor
// declared.
func (e *Engine) unknown(s Settings) (out []unknown) {
	if c, ok := e.answerer.(Chooser); ok && s.Model != "" {
		if names := c.Models(); !slices.Contains(names, s.Model) {
			out = append(out, unknown{"model", "names none of the models to choose from" + listed(names)})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Tools)) {
		own := slices.ContainsFunc(e.opts.Tools, func(t Tool) bool { return t.Name == name })
		if own || len(s.Tools[name].Parameters) > 0 {
			continue
		}
		var names []string
		for _, t := range e.opts.Tools {
			names = append(names, t.Name)
		}
		slices.Sort(names)
		out = append(out, unknown{"tools." + name, "names none of the desk's own tools" + listed(names) + "; one that the caller answers has parameters"})
	}
	return out
}

// listed is a list of names behind what they are.
func listed(names []string) string {
	if len(names) == 0 {
		return ", of which there are none"
	}
	told := names[:min(toldNames, len(names))]
	quoted := make([]string, len(told))
	for i, name := range told {
		quoted[i] = fmt.Sprintf("%q", clip(name))
	}
	if more := len(names) - len(told); more > 0 {
		return fmt.Sprintf(", which are %s and %d more", strings.Join(quoted, ", "), more)
	}
	return ", which are " + strings.Join(quoted, ", ")
}

// checkKnown returns an [InvalidError] naming the first field of settings with a name
// that the desk has nothing of. What is as it was stays: the program may have had it, or
// have it elsewhere.
func (e *Engine) checkKnown(s, before Settings) error {
	if s.Model == before.Model {
		s.Model = ""
	}
	s.Tools = maps.Clone(s.Tools)
	maps.DeleteFunc(s.Tools, func(name string, t ToolSettings) bool {
		was, there := before.Tools[name]
		return there && reflect.DeepEqual(t, was)
	})
	for _, u := range e.unknown(s) {
		return invalid(u.path, "%s", u.reason)
	}
	return nil
}

// Missing returns the fields of settings with names that the desk has nothing of, such as
// "model" and "tools.refund". Such a field cannot be set; one that was, since the desk had
// it then, has no effect, and explanations of replies tell of it.
func (as *Agents) Missing(s Settings) []string { return as.engine.missing(s) }

func (e *Engine) missing(s Settings) (paths []string) {
	for _, u := range e.unknown(s) {
		paths = append(paths, u.path)
	}
	return paths
}
