package evidence

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/sentence"
)

// A Source is a text that may bear claims out. It is used by one goroutine.
type Source struct {
	language string
	around   facts // of titles and headings
	parts    []part
}

// A part is a sentence of a source.
type part struct {
	start, end int
	facts
}

// maxParts bounds the sentences of a source that are looked at.
const maxParts = 400

// NewSource reads a text in a language, "" being read as English. Around are texts
// such as its title, which say what it speaks of.
func NewSource(text, language string, around ...string) *Source {
	s := &Source{language: language, around: factsOf(strings.Join(around, "\n"), language)}
	for start, end := range sentence.All(text) {
		if len(s.parts) == maxParts {
			break
		}
		s.parts = append(s.parts, part{start: start, end: end, facts: factsOf(text[start:end], language)})
	}
	return s
}

const (
	// maxRun is how many sentences in a row may bear a claim out together.
	maxRun = 4

	// enough is the share of a claim's words of content that must stand in what
	// bears it out. Of the pairs in testdata/pairs.txt, at .6 all that are said
	// are found, and none that are not; see TestPairs.
	enough = 0.6

	// enoughPairs is that share where terms are pairs of characters.
	enoughPairs = 0.55
)

// Find returns the smallest run of sentences that bears a claim out, as bytes of the
// text; of several the one that has most of its words.
func (s *Source) Find(c *Claim) (start, end int, ok bool) {
	r := c.in(s.language)
	for n := 1; n <= min(maxRun, len(s.parts)); n++ {
		best, at := -1.0, 0
		for i := 0; i+n <= len(s.parts); i++ {
			if share, ok := r.borneOut(enough, span{s, s.parts[i : i+n]}); ok && share > best {
				best, at = share, i
			}
		}
		if best >= 0 {
			return s.parts[at].start, s.parts[at+n-1].end, true
		}
	}
	return 0, 0, false
}

// All reports whether the whole text bears a claim out, which may be worded freely:
// that of data, such as the result of a tool.
func (s *Source) All(c *Claim) bool {
	_, ok := c.in(s.language).borneOut(loose, span{s, s.parts})
	return ok
}

// Says reports whether the whole text bears a claim out, with as many of its words as a
// run of sentences must have: that of values, which stand in no order.
func (s *Source) Says(c *Claim) bool {
	_, ok := c.in(s.language).borneOut(enough, span{s, s.parts})
	return ok
}

// Figures reports whether a claim has figures or names, and the text has all of them:
// as much as can be told of data whose names are in another language than the claim.
func (s *Source) Figures(c *Claim) bool {
	r := c.in(s.language)
	all := span{s, s.parts}
	return len(r.numbers)+len(r.names) > 0 &&
		!slices.ContainsFunc(r.numbers, func(n number) bool { return !hasNumber(n, all) }) &&
		!slices.ContainsFunc(r.names, func(name string) bool {
			return !s.has(func(f *facts) bool { return hasWord(f.lower, strings.ToLower(name)) })
		})
}

// loose is the share of its words that a claim must have of data, of which a sentence
// says in words what stands there as names and values.
const loose = 0.5

// A Run is a place in one of several sources.
type Run struct{ Source, Start, End int }

// Together returns a run of sentences in each of the sources that it takes to bear a
// claim out; none bears it out alone.
func Together(c *Claim, sources []*Source) []Run {
	var spans []span
	var runs []Run
	for i, s := range sources {
		r := c.in(s.language)
		best, from, to := 0, 0, 0
		for n := 1; n <= min(2, len(s.parts)); n++ {
			for at := 0; at+n <= len(s.parts); at++ {
				if held := r.weight(span{s, s.parts[at : at+n]}); held > best {
					best, from, to = held, at, at+n
				}
			}
		}
		if best > 0 {
			spans = append(spans, span{s, s.parts[from:to]})
			runs = append(runs, Run{i, s.parts[from].start, s.parts[to-1].end})
		}
	}
	if len(spans) < 2 {
		return nil
	}
	if _, ok := c.in(spans[0].source.language).borneOut(enough, spans...); !ok {
		return nil
	}
	return runs
}

// A span is a run of sentences of a source.
type span struct {
	source *Source
	parts  []part
}

// weight counts what of a claim stands in a span, a figure and a name for three words.
func (r *claimed) weight(s span) (n int) {
	for _, t := range r.content {
		if slices.ContainsFunc(s.parts, func(p part) bool { return p.terms[t] }) {
			n++
		}
	}
	for _, f := range r.numbers {
		if hasNumber(f, s) {
			n += 3
		}
	}
	return n
}

// borneOut reports whether spans together bear a claim out, and the share of its
// words of content that stand in them.
func (r *claimed) borneOut(least float64, spans ...span) (share float64, ok bool) {
	in := func(has func(*facts) bool, around bool) bool {
		for _, s := range spans {
			for i := range s.parts {
				if has(&s.parts[i].facts) {
					return true
				}
			}
			if around && has(&s.source.around) {
				return true
			}
		}
		return false
	}
	for _, n := range r.numbers {
		if !slices.ContainsFunc(spans, func(s span) bool { return hasNumber(n, s) }) {
			return 0, false
		}
	}
	for _, name := range r.names {
		lower := strings.ToLower(name)
		if !in(func(f *facts) bool { return hasWord(f.lower, lower) }, true) {
			return 0, false
		}
	}
	held, within := 0, 0
	for _, t := range r.content {
		here := in(func(f *facts) bool { return f.has(t) }, false)
		if here {
			within++
		}
		if here || in(func(f *facts) bool { return f.has(t) }, true) {
			held++
		}
	}
	if within == 0 && len(r.numbers) == 0 {
		return 0, false
	}
	share = 1
	if len(r.content) > 0 {
		share = float64(held) / float64(len(r.content))
	}
	if r.bigrams {
		least = min(least, enoughPairs)
	}
	if share < least {
		return share, false
	}
	return share, !r.denied(spans)
}

// has reports whether a text has a term, be it with or without the "un" or "in" that
// makes its opposite, which [claimed.denied] looks at.
func (f *facts) has(term string) bool {
	if f.terms[term] {
		return true
	}
	if m := months[term]; m != "" {
		return slices.ContainsFunc(f.numbers, func(n number) bool { return slices.Contains(n.parts, m) })
	}
	if f.akin(term) {
		return true
	}
	for _, prefix := range negating {
		if rest, ok := strings.CutPrefix(term, prefix); ok && len(rest) > 3 && f.terms[rest] || f.terms[prefix+term] {
			return true
		}
	}
	return false
}

// akin reports whether a text has a term that begins as another does, most of it: the
// stems of "zurückgeben" and "zurückgegeben".
func (f *facts) akin(term string) bool {
	if len(term) < 6 || term[0] >= utf8.RuneSelf {
		return false
	}
	for t := range f.terms {
		n := 0
		for n < min(len(t), len(term)) && t[n] == term[n] {
			n++
		}
		if n >= 5 && n*10 >= min(len(t), len(term))*7 && n*2 >= max(len(t), len(term)) {
			return true
		}
	}
	return false
}

// negating begin the opposite of a word.
var negating = []string{"un", "in", "im", "non", "dis"}

// denied reports whether the sentences that say most of a claim deny it, or are
// denied by it.
func (r *claimed) denied(spans []span) bool {
	best := -1
	agreed := false
	for _, s := range spans {
		for i := range s.parts {
			p := &s.parts[i].facts
			n, turned := 0, false
			for _, t := range r.content {
				if !p.terms[t] && !p.akin(t) && p.has(t) && months[t] == "" {
					turned = !turned
				}
				if p.has(t) {
					n++
				}
			}
			for _, f := range r.numbers {
				if f.within(p.numbers, func(string) bool { return true }) {
					n++
				}
			}
			agrees := (r.stance.denies != turned) == p.stance.denies && !r.stance.against(p.stance)
			switch {
			case n > best:
				best, agreed = n, agrees
			case n == best:
				agreed = agreed || agrees
			}
		}
	}
	return cmp.Compare(best, 0) >= 0 && !agreed
}

// hasNumber reports whether a span or what is around it says a number.
func hasNumber(n number, s span) bool {
	words := func(class string) bool {
		return slices.ContainsFunc(s.parts, func(p part) bool { return saysUnit(p.lower, class) }) || saysUnit(s.source.around.lower, class)
	}
	for i := range s.parts {
		if n.within(s.parts[i].numbers, words) {
			return true
		}
	}
	return n.within(s.source.around.numbers, words)
}

// saysUnit reports whether a text in lower case has a word of a unit anywhere.
func saysUnit(lower, class string) bool {
	for word := range fields(lower) {
		if units[word] == class {
			return true
		}
	}
	for mark, c := range spacelessUnits {
		if c == class && strings.Contains(lower, mark) {
			return true
		}
	}
	return false
}

// hasWord reports whether a name stands in a text, both in lower case, as a word of
// its own or with an ending such as that of a genitive.
func hasWord(lower, name string) bool {
	for at := 0; ; {
		i := strings.Index(lower[at:], name)
		if i < 0 {
			break
		}
		i += at
		if before := strings.TrimRightFunc(lower[:i], isWordRune); len(before) == i {
			if rest := lower[i+len(name):]; len(rest)-len(strings.TrimLeftFunc(rest, isWordRune)) <= 2 {
				return true
			}
		}
		at = i + len(name)
	}
	// The claim may have the ending.
	if cut, ok := strings.CutSuffix(name, "s"); ok && len(cut) > 2 {
		return hasWord(lower, cut)
	}
	return false
}

// Known reports whether sources together speak of what a sentence speaks of, and say
// its names and figures, be it of something else: half of its words are there.
func Known(c *Claim, sources []*Source) bool {
	held, all, least := 0, 0, 0
	for i, s := range sources {
		r := c.in(s.language)
		if i == 0 {
			all = len(r.content)
			least = (all + 1) / 2
		}
		for _, n := range r.numbers {
			if !slices.ContainsFunc(sources, func(s *Source) bool { return hasNumber(n, span{s, s.parts}) }) {
				return false
			}
		}
		for _, name := range r.names {
			if !slices.ContainsFunc(sources, func(s *Source) bool {
				return s.has(func(f *facts) bool { return hasWord(f.lower, strings.ToLower(name)) })
			}) {
				return false
			}
		}
	}
	if len(sources) == 0 {
		return false
	}
	for _, t := range c.in(sources[0].language).content {
		if slices.ContainsFunc(sources, func(s *Source) bool { return s.has(func(f *facts) bool { return f.has(t) }) }) {
			held++
		}
	}
	return held >= least
}

// About returns the sentence of a source that has most of what a sentence speaks of,
// and how many of its words stand there or in what is around the source; 0 if none do.
func (s *Source) About(c *Claim) (start, end, weight int) {
	r := c.in(s.language)
	around := 0
	for _, t := range r.content {
		if s.around.has(t) {
			around++
		}
	}
	best := -1
	for i, p := range s.parts {
		if n := r.weight(span{s, s.parts[i : i+1]}); n > best {
			best, start, end = n, p.start, p.end
		}
	}
	if best < 0 {
		return 0, 0, 0
	}
	return start, end, best + around
}

func (s *Source) has(f func(*facts) bool) bool {
	return f(&s.around) || slices.ContainsFunc(s.parts, func(p part) bool { return f(&p.facts) })
}
