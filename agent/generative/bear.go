package generative

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative/internal/evidence"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A given is something besides passages that sentences may stand on, and which cannot
// be cited: the result of a tool, the context or a file of the message.
type given struct {
	*evidence.Source
	by    agent.Basis
	id    string          // of the call or the file
	flags map[string]bool // what is true and false in it, by name
}

// against reports whether a claim says of what is false that it is so, or denies what is
// true.
func (g given) against(c *evidence.Claim, language string) bool {
	named := map[bool]bool{} // whether it speaks of something that is true, and false
	for name, v := range g.flags {
		if c.Names(name, language) {
			named[v] = true
		}
	}
	denies := c.Denies(language)
	return named[false] && !denies || named[true] && !named[false] && denies
}

func (g given) support(v agent.Verdict) *agent.Support {
	s := &agent.Support{Verdict: v, By: g.by}
	if g.id != "" {
		s.IDs = []string{g.id}
	}
	return s
}

// bear returns what bears a claim out, nil if nothing does: places in the passages
// cited, else what tools said, else places in other passages, else the context or a
// file. One in another language than the passages cited may be a translation of them.
func (w *writer) bear(c *evidence.Claim, cited []int) ([]agent.Citation, *agent.Support) {
	var first []int // the passages cited that are there, and then the others
	for _, n := range cited {
		if n >= 1 && n <= len(w.q.Passages) {
			first = append(first, n-1)
		}
	}
	find := func(i int) []agent.Citation {
		if start, end, ok := w.passage(i).Find(c); ok {
			return []agent.Citation{w.cite(i, start, end)}
		}
		return nil
	}
	var cites []agent.Citation
	for _, i := range first {
		cites = append(cites, find(i)...)
	}
	if len(cites) == 0 {
		cites = w.together(c, first)
	}
	if len(cites) > 0 {
		return cites, onPassages(agent.Verified, cites)
	}
	foreign := w.q.Language != "" && w.q.Language != "en" && !strings.HasPrefix(w.q.Language, "en-") // than names in data are
	for _, g := range w.data {
		switch {
		case g.against(c, w.q.Language):
		case g.All(c):
			return nil, g.support(agent.Verified)
		case foreign && g.Figures(c):
			return nil, g.support(agent.Translated)
		}
	}
	for i := range w.q.Passages {
		if slices.Contains(first, i) {
			continue
		}
		if cites := find(i); cites != nil {
			return cites, onPassages(agent.Verified, cites)
		}
	}
	for _, g := range w.own() {
		ok := g.by == agent.OnContext && g.Says(c)
		if g.by == agent.OnFiles {
			_, _, ok = g.Find(c)
		}
		if ok && !g.against(c, w.q.Language) {
			return nil, g.support(agent.Verified)
		}
	}
	if w.q.Agent.Translates() != agent.TranslatedFlag {
		return nil, nil
	}
	for _, i := range first {
		if start, end, ok := w.passage(i).Across(c, w.q.Language); ok {
			cites = append(cites, w.cite(i, start, end))
		}
	}
	if len(cites) > 0 {
		return cites, onPassages(agent.Translated, cites)
	}
	for _, g := range w.own() {
		if g.AcrossFigures(c, w.q.Language) && !g.against(c, w.q.Language) {
			return nil, g.support(agent.Translated)
		}
	}
	return nil, nil
}

// onPassages is what citations say of a sentence.
func onPassages(v agent.Verdict, cites []agent.Citation) *agent.Support {
	s := &agent.Support{Verdict: v, By: agent.OnPassages}
	for _, c := range cites {
		if !slices.Contains(s.IDs, c.PassageID) {
			s.IDs = append(s.IDs, c.PassageID)
		}
	}
	return s
}

// own reads the context and the files of the message, once, as far as the model sees
// them. Of the context a sentence must have a value: names alone say nothing.
func (w *writer) own() []given {
	if w.read || w.clean {
		return w.brought
	}
	w.read = true
	if len(w.q.Message.Context) > 0 {
		var names, values strings.Builder
		leaves(&names, &values, "", w.q.Message.Context)
		w.brought = append(w.brought, given{
			Source: evidence.NewSource(cut(values.String(), mostContext), w.q.Language, cut(names.String(), mostContext)),
			by:     agent.OnContext, flags: flagsOf(w.q.Message.Context),
		})
	}
	for _, f := range w.q.Files {
		text := cut(f.Text, mostFiles/len(w.q.Files))
		language := w.q.Language
		if tag, sure := knowledge.DetectLanguage(text, evidence.Compared()); sure {
			language = tag
		}
		w.brought = append(w.brought, given{Source: evidence.NewSource(text, language, f.Name), by: agent.OnFiles, id: f.ID})
	}
	return w.brought
}

// leaves writes the values in a context, a line each, and the names above them. What is
// true is a value by its name, and what is false by its denial.
func leaves(names, values *strings.Builder, name string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			plain := strings.ReplaceAll(key, "_", " ")
			names.WriteString(plain + "\n")
			leaves(names, values, plain, v[key])
		}
	case []any:
		for _, e := range v {
			leaves(names, values, name, e)
		}
	case string:
		values.WriteString(v + "\n\n")
	case bool:
		if !v {
			name = "not " + name
		}
		values.WriteString(name + "\n\n")
	case float64:
		values.WriteString(strconv.FormatFloat(v, 'f', -1, 64) + "\n\n")
	case nil:
	default: // a number of another type, as it reads in JSON
		if b, err := json.Marshal(v); err == nil {
			values.WriteString(string(b) + "\n\n")
		}
	}
}

// flagsOf returns what is true and false in a value, by name; a name that is both is
// neither.
func flagsOf(v any) map[string]bool {
	flags, both := map[string]bool{}, map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, e := range v {
				if b, ok := e.(bool); ok {
					name = strings.ReplaceAll(name, "_", " ")
					if was, there := flags[name]; there && was != b {
						both[name] = true
					}
					flags[name] = b
				}
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(v)
	maps.DeleteFunc(flags, func(name string, _ bool) bool { return both[name] })
	return flags
}

// foreign reports whether a sentence is in another language than a passage.
func (w *writer) foreign(c *evidence.Claim) bool {
	for i := range w.q.Passages {
		if w.passage(i).Foreign(c, w.q.Language) {
			return true
		}
	}
	return false
}

// known reports whether what a heading, a question or a choice speaks of is spoken of
// in what was found, by the customer, or in what came with the message.
func (w *writer) known(c *evidence.Claim) bool {
	if w.clean {
		return true
	}
	sources := []*evidence.Source{w.customer()}
	for _, g := range slices.Concat(w.data, w.own()) {
		sources = append(sources, g.Source)
	}
	for i := range w.q.Passages {
		sources = append(sources, w.passage(i))
	}
	return evidence.Known(c, sources)
}

// together returns the places that bear a claim out with each other.
func (w *writer) together(c *evidence.Claim, passages []int) (cites []agent.Citation) {
	if len(passages) < 2 {
		return nil
	}
	sources := make([]*evidence.Source, len(passages))
	for i, p := range passages {
		sources[i] = w.passage(p)
	}
	for _, r := range evidence.Together(c, sources) {
		cites = append(cites, w.cite(passages[r.Source], r.Start, r.End))
	}
	return cites
}

func (w *writer) cite(passage, start, end int) agent.Citation {
	p := w.q.Passages[passage].Passage
	return agent.Cite(p, p.Start+start, p.Start+end)
}

// passage reads a passage, once.
func (w *writer) passage(i int) *evidence.Source {
	if w.passages == nil {
		w.passages = make([]*evidence.Source, len(w.q.Passages))
	}
	if w.passages[i] == nil {
		h := w.q.Passages[i]
		w.passages[i] = evidence.NewSource(h.Text, h.Language, append(slices.Clone(h.Heading), h.Title)...)
	}
	return w.passages[i]
}

// customer reads the message.
func (w *writer) customer() *evidence.Source {
	if w.asked == nil {
		w.asked = evidence.NewSource(w.q.Message.Text+"\n\n"+w.q.Query, w.q.Language)
	}
	return w.asked
}
