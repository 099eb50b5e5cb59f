package pull

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/theory/jsonpath"
	"github.com/theory/jsonpath/spec"
)

// Bounds of a path. Whatever a path says, looking for it in an item takes time
// in proportion to the item.
const (
	maxPath        = 512    // bytes
	maxSegments    = 32     // steps from a value to its members
	maxUnion       = 16     // combinations of what stands with commas between brackets
	maxDescendants = 2      // steps to all that is below
	maxMatches     = 10_000 // values that a path may match
)

// A path finds values in JSON.
type path struct {
	text     string // as written
	segments []*spec.Segment
}

// parsePath reads a JSONPath query (RFC 9535) or, if text does not begin with
// "$", its short form: names, and indexes of lists, with dots between, as in
// "data.items", "tags[*].name" and "answers.0.body".
func parsePath(text string) (*path, error) {
	if len(text) > maxPath {
		return nil, fmt.Errorf("is longer than %d bytes", maxPath)
	}
	query := strings.TrimSpace(text)
	if !strings.HasPrefix(query, "$") {
		var err error
		if query, err = long(query); err != nil {
			return nil, err
		}
	}
	parsed, err := jsonpath.Parse(query)
	if err != nil {
		return nil, fmt.Errorf("is no JSONPath: %s; write a name such as data.items, or a query such as $.data.items[*]", reason(err))
	}
	p := &path{text: text, segments: parsed.Query().Segments()}
	return p, p.check()
}

// reason is what the library says, without its own name.
func reason(err error) string { return strings.TrimPrefix(err.Error(), "jsonpath: ") }

// long writes the short form of a path as a query.
func long(short string) (string, error) {
	var b strings.Builder
	b.WriteByte('$')
	for rest := strings.TrimPrefix(short, "."); rest != ""; {
		switch {
		case rest[0] == '.': // the second of two
			b.WriteString("..")
			rest = rest[1:]
			if rest == "" || rest[0] == '[' || rest[0] == '.' {
				return "", errors.New("must have a name after its dots")
			}
		case strings.HasPrefix(rest, "[]"):
			b.WriteString("[*]")
			rest = strings.TrimPrefix(rest[2:], ".")
			continue
		case rest[0] == '[':
			end := bracket(rest)
			if end < 0 {
				return "", errors.New("has a bracket that is not closed")
			}
			b.WriteString(rest[:end])
			rest = strings.TrimPrefix(rest[end:], ".")
			continue
		}
		end := strings.IndexAny(rest, ".[")
		if end < 0 {
			end = len(rest)
		}
		b.WriteString(element(rest[:end]))
		rest = rest[end:]
		if strings.HasPrefix(rest, ".") {
			if rest = rest[1:]; rest == "" {
				return "", errors.New("ends with a dot")
			}
		}
	}
	if b.Len() == 1 {
		return "", errors.New("is empty; write $ for the whole")
	}
	return b.String(), nil
}

// bracket returns the end of what begins with a bracket, or -1.
func bracket(s string) int {
	depth, quote := 0, byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[':
			depth++
		case c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}

// element writes one name of the short form, or what it stands for.
func element(name string) string {
	if name == "*" {
		return "[*]"
	}
	if n, err := strconv.ParseUint(name, 10, 31); err == nil && strconv.FormatUint(n, 10) == name {
		return "[" + name + "]"
	}
	return "[" + spec.Name(name).String() + "]"
}

// quoted are the strings in a filter as the library writes it.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// check refuses a path that could take much longer than reading what it is
// applied to.
func (p *path) check() error {
	union, descendants := 1, 0
	for _, s := range p.segments {
		union = min(union*len(s.Selectors()), maxUnion+1)
		if s.IsDescendant() {
			descendants++
		}
		for _, sel := range s.Selectors() {
			if f, ok := sel.(*spec.FilterSelector); ok && !plainFilter(quoted.ReplaceAllString(f.String(), `""`)) {
				return errors.New(`has a filter that looks further than below "@": leave out "$", ".." and lists in brackets`)
			}
		}
	}
	switch {
	case len(p.segments) > maxSegments:
		return fmt.Errorf("has more than %d steps", maxSegments)
	case union > maxUnion:
		return fmt.Errorf("has lists in brackets that make more than %d combinations", maxUnion)
	case descendants > maxDescendants:
		return fmt.Errorf(`has ".." more than %d times`, maxDescendants)
	}
	return nil
}

// plainFilter says whether a filter, its strings left out, visits no value
// twice.
func plainFilter(f string) bool {
	if strings.Contains(f, "$") || strings.Contains(f, "..") {
		return false
	}
	var open []rune
	for _, c := range f {
		switch c {
		case '[', '(':
			open = append(open, c)
		case ']', ')':
			open = open[:max(0, len(open)-1)]
		case ',':
			if len(open) == 0 || open[len(open)-1] == '[' {
				return false
			}
		}
	}
	return true
}

// errMatches is the error for a path that matches more than maxMatches values.
var errMatches = fmt.Errorf("path matches more than %d values", maxMatches)

// find returns what p matches in root: in the order p gives or, where it gives
// none, that of indexes and of names by their letters. The same values in
// another order of members are found in the same order.
func (p *path) find(root any) ([]*spec.LocatedNode, error) {
	nodes := []*spec.LocatedNode{{Node: root}}
	for _, s := range p.segments {
		var found []*spec.LocatedNode
		for _, n := range nodes {
			below := s.SelectLocated(n.Node, root, n.Path)
			if len(found)+len(below) > maxMatches {
				return nil, errMatches
			}
			if unordered(s) {
				slices.SortStableFunc(below, func(a, b *spec.LocatedNode) int { return a.Path.Compare(b.Path) })
			}
			found = append(found, below...)
		}
		nodes = found
	}
	return nodes, nil
}

// unordered says whether s goes through the members of an object.
func unordered(s *spec.Segment) bool {
	return s.IsDescendant() || slices.ContainsFunc(s.Selectors(), func(sel spec.Selector) bool {
		switch sel.(type) {
		case spec.WildcardSelector, *spec.FilterSelector:
			return true
		}
		return false
	})
}

// names returns the names of a path that consists of names alone, and whether a
// wildcard follows them.
func (p *path) names() (names []string, wildcard, ok bool) {
	for i, s := range p.segments {
		if s.IsDescendant() || len(s.Selectors()) != 1 {
			return nil, false, false
		}
		switch sel := s.Selectors()[0].(type) {
		case spec.Name:
			names = append(names, string(sel))
		case spec.WildcardSelector:
			if i != len(p.segments)-1 {
				return nil, false, false
			}
			wildcard = true
		default:
			return nil, false, false
		}
	}
	return names, wildcard, true
}

// first returns the first value that p matches, if there is one.
func (p *path) first(root any) (any, bool) {
	found, err := p.find(root)
	if err != nil || len(found) == 0 {
		return nil, false
	}
	return found[0].Node, true
}

// leads says whether the names that p begins with are there, so that a list
// which comes after them is only empty.
func (p *path) leads(root any) bool {
	for i, s := range p.segments {
		if s.IsDescendant() || len(s.Selectors()) != 1 || unordered(s) {
			found, err := (&path{segments: p.segments[:i]}).find(root)
			return err == nil && len(found) > 0 && i > 0
		}
	}
	return false
}
