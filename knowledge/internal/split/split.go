// Package split cuts a document into passages: what is indexed, ranked and
// cited. A passage holds about one idea under one heading.
package split

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/sentence"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
)

// Widths are in characters, of which those of Chinese, Japanese and Korean
// count two: they say about twice as much.
const (
	// full is where a passage ends if it can; 600 to 900 characters is the size
	// that the help texts of the retrieval measurements were cut to.
	full = 900
	// small is what is not left alone if there is something to join it to.
	small = 300
	// most is how far a passage grows to take in something small.
	most = 1200
	// tiny is a section that shares a passage with its neighbours.
	tiny = 100
	// together is how wide such a shared passage gets.
	together = 600
	// whole is how many bytes of code, table, steps or sentence are kept in one
	// piece.
	whole = 2000
	// columns is how many bytes of a table's header stand above each of the
	// passages that the table is cut into.
	columns = 200
	// border is the level of headings that passages do not cross.
	border = 3
)

// A Passage is a stretch of a document's text.
type Passage struct {
	Start, End int // bytes of the text, without white space at the ends
	Page       int // on which it begins; 0: none

	// Heading are the headings it stands under, outermost first. For what is cut
	// off a table, the last one is the table's header: "Plan | Price".
	Heading []string
}

// Split cuts text along its blocks. Passages are in order and do not overlap.
// A sentence is cut only if it alone is longer than a passage may be, and code,
// tables and steps likewise, between lines and items. A passage stays on one page,
// unless a sentence, a list or what leads up to one goes on over the next.
func Split(text string, blocks []extract.Block) []Passage {
	s := splitter{text: text}
	sections := s.sections(blocks)
	for i := 0; i < len(sections); {
		if n := s.group(sections[i:]); n > 1 {
			first, last := sections[i], sections[i+n-1]
			s.add(lineStart(text, first.heading.Start), last.end(), first.heading.Page, first.path[:len(first.path)-1])
			i += n
			continue
		}
		s.section(sections[i])
		i++
	}
	return s.passages
}

type splitter struct {
	text     string
	passages []Passage
}

// A section is a heading with what follows it up to the next of level 1 to 3.
type section struct {
	heading extract.Block // of no kind for what comes before the first
	path    []string      // the headings down to this one
	blocks  []extract.Block
	leaf    bool // no section stands below it
}

func (s section) end() int {
	if n := len(s.blocks); n > 0 {
		return s.blocks[n-1].End
	}
	return s.heading.End
}

// page is the one that the section ends on.
func (s section) page() int {
	if n := len(s.blocks); n > 0 {
		return s.blocks[n-1].Page
	}
	return s.heading.Page
}

func (s *splitter) sections(blocks []extract.Block) []section {
	var list []section
	var path []string
	var levels []int
	current := section{leaf: true}
	for _, b := range blocks {
		if b.Kind != extract.Heading || b.Level > border {
			current.blocks = append(current.blocks, b)
			continue
		}
		for len(levels) > 0 && levels[len(levels)-1] >= b.Level {
			levels, path = levels[:len(levels)-1], path[:len(path)-1]
		}
		current.leaf = len(path) < len(current.path) || len(current.path) == 0
		list = append(list, current)
		levels = append(levels, b.Level)
		path = append(slices.Clip(path), extract.Words(s.text[b.Start:b.End]))
		current = section{heading: b, path: path, leaf: true}
	}
	return append(list, current)
}

// group returns how many of the first sections are tiny, neighbours under one
// heading, and together fit a passage. A heading that asks a question is never
// joined with others: it is half of an answer.
func (s *splitter) group(list []section) int {
	n, sum := 0, 0
	for _, sec := range list {
		if len(sec.path) == 0 || len(sec.path) != len(list[0].path) || sec.heading.Level != list[0].heading.Level || !sec.leaf || sec.heading.Page != list[0].heading.Page || sec.page() != sec.heading.Page {
			break
		}
		title := sec.path[len(sec.path)-1]
		wide := width(s.text[sec.heading.Start:sec.end()])
		if strings.ContainsAny(title, "?？؟") || wide-width(title) > tiny || sum+wide > together {
			break
		}
		sum += wide
		n++
	}
	return n
}

// A piece is what is not cut again.
type piece struct {
	start, end int
	page       int
	solid      bool   // code, table or steps
	goesOn     bool   // it belongs to what is before it, whatever page that is on
	heading    string // of level 4 to 6; else ""
	level      int
	columns    string // the header of the table it is cut off; else ""
}

// section cuts one section into passages.
func (s *splitter) section(sec section) {
	if len(sec.blocks) == 0 {
		if len(sec.path) > 0 && sec.leaf {
			s.add(lineStart(s.text, sec.heading.Start), sec.heading.End, sec.heading.Page, sec.path[:len(sec.path)-1]) // with its marks, to be told from a sentence
		}
		return
	}
	first := len(s.passages)
	path := sec.path
	var levels []int // of the headings below border in path
	start, end, page, wide := -1, 0, 0, 0
	from, cutOff := path, false
	flush := func() {
		if start >= 0 {
			s.add(start, end, page, from)
		}
		start, wide = -1, 0
	}
	for p := range s.pieces(sec.blocks) {
		if start >= 0 && p.page != page && !p.goesOn {
			flush()
		}
		if p.heading != "" {
			for len(levels) > 0 && levels[len(levels)-1] >= p.level {
				levels, path = levels[:len(levels)-1], path[:len(path)-1]
			}
			levels = append(levels, p.level)
			path = append(slices.Clip(path), p.heading)
			if wide >= small {
				flush()
			}
			if start < 0 {
				end = p.end // the heading stands in the path, not in the text
				continue
			}
		}
		if start >= 0 {
			grown := wide + width(s.text[end:p.end])
			limit := full
			if wide < small || p.solid && p.end-start <= whole {
				limit = most
			}
			if grown <= limit {
				end, wide = p.end, grown
				continue
			}
			flush()
		}
		start, end, page, wide, from = p.start, p.end, p.page, width(s.text[p.start:p.end]), path
		if cutOff = p.columns != ""; cutOff {
			from = append(slices.Clip(path), p.columns)
		}
	}
	if start < 0 && end > 0 && len(s.passages) == first { // nothing but headings
		s.add(lineStart(s.text, sec.blocks[0].Start), end, sec.blocks[0].Page, sec.path)
	}
	flush()
	s.joinLast(first, cutOff)
}

// joinLast adds a section's small last passage to the one before. What is cut off a
// table goes back to its beginning.
func (s *splitter) joinLast(first int, cutOff bool) {
	n := len(s.passages)
	if n-first < 2 {
		return
	}
	last, prev := s.passages[n-1], &s.passages[n-2]
	above := last.Heading
	if cutOff && len(prev.Heading) < len(above) {
		above = above[:len(above)-1]
	}
	if last.Page == prev.Page && slices.Equal(above, prev.Heading) && width(s.text[last.Start:last.End]) < small && width(s.text[prev.Start:last.End]) <= most {
		prev.End = last.End
		s.passages = s.passages[:n-1]
	}
}

// pieces yields the blocks, steps together and the long ones in parts.
func (s *splitter) pieces(blocks []extract.Block) func(yield func(piece) bool) {
	return func(yield func(piece) bool) {
		for i := 0; i < len(blocks); {
			b := blocks[i]
			inList := i > 0 && blocks[i-1].Kind == extract.ListItem
			if n := s.steps(blocks[i:]); n > 1 && !inList {
				start, _ := outer(s.text, b)
				_, end := outer(s.text, blocks[i+n-1])
				if !yield(piece{start: start, end: end, page: b.Page, solid: true}) {
					return
				}
				i += n
				continue
			}
			p := piece{page: b.Page, goesOn: i > 0 && s.goesOn(blocks[i-1], b)}
			i++
			if b.Kind == extract.Heading {
				p.start, p.end, p.heading, p.level = b.Start, b.End, extract.Words(s.text[b.Start:b.End]), b.Level
				if !yield(p) {
					return
				}
				continue
			}
			p.start, p.end = outer(s.text, b)
			p.solid = b.Kind == extract.Code || b.Kind == extract.Table
			if p.solid && p.end-p.start <= whole || !p.solid && width(s.text[p.start:p.end]) <= full {
				if !yield(p) {
					return
				}
				continue
			}
			text := s.text[b.Start:b.End]
			for from, to := range parts(text, p.solid) {
				part := piece{start: b.Start + from, end: b.Start + to, page: b.Page, goesOn: p.goesOn || from > 0}
				if b.Kind == extract.Table {
					part.columns = header(text, from)
				}
				if !yield(part) {
					return
				}
			}
		}
	}
}

// goesOn reports whether a block goes on with the one before it, also on another
// page: a list does, and so does what is led up to.
func (s *splitter) goesOn(before, b extract.Block) bool {
	return b.Kind == extract.ListItem && before.Kind == extract.ListItem || s.leads(before) && b.Kind != extract.Heading
}

// leads reports whether a block leads up to what follows it.
func (s *splitter) leads(b extract.Block) bool {
	text := s.text[b.Start:b.End]
	return b.Kind == extract.Paragraph && (strings.HasSuffix(text, ":") || strings.HasSuffix(text, "："))
}

// steps returns how many of the first blocks are the steps of one list, with what
// leads up to it and the code and tables between them, if they are kept whole; else
// 0.
func (s *splitter) steps(blocks []extract.Block) int {
	first := 0
	if s.leads(blocks[0]) {
		first = 1
	}
	if len(blocks) <= first || blocks[first].Kind != extract.ListItem || !s.numbered(blocks[first]) {
		return 0
	}
	n := first
	for i, b := range blocks[first:] {
		if b.Kind == extract.Heading || b.Kind == extract.Paragraph || b.End-blocks[0].Start > whole {
			break
		}
		if b.Kind == extract.ListItem {
			n = first + i + 1
		}
	}
	if n < len(blocks) && blocks[n].Kind == extract.ListItem { // there are more than fit
		return 0
	}
	return n
}

// numbered reports whether the item of a list has a number.
func (s *splitter) numbered(b extract.Block) bool {
	return strings.ContainsFunc(s.text[lineStart(s.text, b.Start):b.Start], unicode.IsDigit)
}

// header returns the names of a table's columns for what is cut off it at an
// offset; "" if they stand there, or if the table has none.
func header(table string, at int) string {
	head, rest, _ := strings.Cut(table, "\n")
	rule, _, _ := strings.Cut(rest, "\n")
	if at <= len(head)+1+len(rule) || !strings.Contains(rule, "-") || strings.Trim(rule, "|:- \t\r") != "" {
		return ""
	}
	var names []string
	size := 0
	for name := range strings.SplitSeq(strings.Trim(strings.TrimSpace(head), "|"), "|") {
		if name = extract.Words(name); name == "" {
			continue
		}
		if size += len(name); size > columns {
			break
		}
		names = append(names, name)
	}
	return strings.Join(names, " | ")
}

// parts yields the lines of code and tables and the sentences of all else, cut
// again at white space where longer than [whole].
func parts(text string, solid bool) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		all := sentence.All(text)
		if solid {
			all = lines(text)
		}
		for from, to := range all {
			for to-from > whole {
				cut := strings.LastIndexFunc(text[from:from+whole], unicode.IsSpace)
				if cut <= 0 {
					for cut = whole; !utf8.RuneStart(text[from+cut]); cut-- {
					}
				}
				if !yield(from, from+cut) {
					return
				}
				from += cut
			}
			if !yield(from, to) {
				return
			}
		}
	}
}

func lines(text string) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		from := 0
		for line := range strings.Lines(text) {
			if !yield(from, from+len(line)) {
				return
			}
			from += len(line)
		}
	}
}

// add appends a passage, unless trimming leaves nothing of it.
func (s *splitter) add(start, end, page int, heading []string) {
	if n := len(s.passages); n > 0 {
		start = max(start, s.passages[n-1].End)
	}
	if start >= end {
		return
	}
	t := s.text[start:end]
	left := strings.TrimLeftFunc(t, unicode.IsSpace)
	start += len(t) - len(left)
	end = start + len(strings.TrimRightFunc(left, unicode.IsSpace))
	if start < end {
		s.passages = append(s.passages, Passage{Start: start, End: end, Page: page, Heading: heading})
	}
}

// outer widens a block to the marks that belong to it: the bullet or quote mark
// before it on its line, the fences around code.
func outer(text string, b extract.Block) (start, end int) {
	start, end = b.Start, b.End
	switch b.Kind {
	case extract.ListItem, extract.Quote:
		if at := lineStart(text, start); strings.Trim(text[at:start], " \t>-*+.)0123456789") == "" {
			return at, end
		}
	case extract.Code:
		at := lineStart(text, start)
		if at == 0 {
			break
		}
		fence := lineStart(text, at-1)
		mark := strings.TrimLeft(text[fence:at], " \t>-*+.)0123456789")
		if !strings.HasPrefix(mark, "```") && !strings.HasPrefix(mark, "~~~") {
			break
		}
		start = fence
		if i := strings.IndexByte(text[end:], '\n'); i >= 0 {
			after, _, _ := strings.Cut(text[end+i+1:], "\n")
			if strings.HasPrefix(strings.TrimLeft(after, " \t>"), mark[:3]) {
				end += i + 1 + len(after)
			}
		}
	}
	return start, end
}

func lineStart(text string, at int) int { return strings.LastIndexByte(text[:at], '\n') + 1 }

// width measures text as passages are measured; see [full].
func width(text string) int {
	n := 0
	for _, r := range text {
		n++
		if r >= 0x2E80 && r < 0xE000 || r >= 0xF900 && r < 0xFB00 || r >= 0xFF00 && r < 0xFF61 || r >= 0x20000 {
			n++
		}
	}
	return n
}
