package extract

import (
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
)

// A docxStyle is what a style of paragraphs says that matters here.
type docxStyle struct {
	name, base string
	outline    int // level of heading, from 1; 0: says nothing; -1: body text
	list       docxList
	vanish     bool
}

// docxList says in which list a paragraph stands, and how deep, from 0.
type docxList struct {
	id    string // "" says nothing, "0" that it is in none
	level int
}

// docxStyles are the styles of a document by their id.
type docxStyles map[string]docxStyle

func readDocxStyles(a *archive, part string) (docxStyles, error) {
	styles := docxStyles{}
	x, err := a.open(part)
	if errors.Is(err, errNoPart) {
		return styles, nil
	}
	if err != nil {
		return nil, err
	}
	defer x.Close()
	id, s := "", docxStyle{}
	for {
		switch tok := x.next().(type) {
		case nil:
			return styles, x.err
		case xml.StartElement:
			switch tok.Name.Local {
			case "style":
				id, s = attr(tok, "styleId"), docxStyle{}
			case "name":
				s.name = strings.ToLower(attr(tok, "val"))
			case "basedOn":
				s.base = attr(tok, "val")
			case "outlineLvl":
				s.outline = outlineLevel(tok)
			case "numId":
				s.list.id = attr(tok, "val")
			case "ilvl":
				s.list.level = small(attr(tok, "val"))
			case "vanish":
				s.vanish = on(tok)
			}
		case xml.EndElement:
			if tok.Name.Local == "style" {
				styles[id] = s
			}
		}
	}
}

func outlineLevel(e xml.StartElement) int {
	if n := small(attr(e, "val")); n < 9 {
		return n + 1
	}
	return -1
}

// small reads a number of one or two digits; all else is 0.
func small(s string) int {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 && n < 100 {
		return n
	}
	return 0
}

// resolve returns what a style says with all that it is based on. The names of
// the styles that come with Word are English in every language's files; their
// ids are not.
func (s docxStyles) resolve(id string) docxStyle {
	var r docxStyle
	for range 20 { // styles may be based on each other in a circle
		st, ok := s[id]
		if !ok {
			break
		}
		if r.name == "" {
			r.name = st.name
		}
		if r.outline == 0 {
			r.outline = st.outline
			if level, ok := strings.CutPrefix(st.name, "heading "); ok && r.outline == 0 {
				r.outline = small(level)
			}
			if r.outline == 0 && st.name == "title" {
				r.outline = 1
			}
		}
		if r.list.id == "" {
			r.list = st.list
		}
		r.vanish = r.vanish || st.vanish
		id = st.base
	}
	return r
}

// docxNumbers are the lists of a document.
type docxNumbers struct {
	levels   map[string][]docxLevel // by abstract list
	lists    map[string]string      // abstract list by list
	counters map[string]*[9]int
}

// A docxLevel says how the items of one level are numbered.
type docxLevel struct {
	format, text string
	start        int
}

func readDocxNumbers(a *archive, part string) (*docxNumbers, error) {
	n := &docxNumbers{levels: map[string][]docxLevel{}, lists: map[string]string{}, counters: map[string]*[9]int{}}
	x, err := a.open(part)
	if errors.Is(err, errNoPart) {
		return n, nil
	}
	if err != nil {
		return nil, err
	}
	defer x.Close()
	abstract, num := "", ""
	var level docxLevel
	for {
		switch tok := x.next().(type) {
		case nil:
			return n, x.err
		case xml.StartElement:
			switch tok.Name.Local {
			case "abstractNum":
				abstract, num = attr(tok, "abstractNumId"), ""
			case "num":
				abstract, num = "", attr(tok, "numId")
			case "abstractNumId":
				n.lists[num] = attr(tok, "val")
			case "lvl":
				level = docxLevel{start: 1}
			case "start":
				level.start = small(attr(tok, "val"))
			case "numFmt":
				level.format = attr(tok, "val")
			case "lvlText":
				level.text = attr(tok, "val")
			}
		case xml.EndElement:
			if tok.Name.Local == "lvl" && abstract != "" && len(n.levels[abstract]) < 9 {
				n.levels[abstract] = append(n.levels[abstract], level)
			}
		}
	}
}

// next counts an item of a list, and returns what it is numbered with: "" if
// that is a bullet. ok is false if there is no such list.
func (n *docxNumbers) next(list docxList) (number string, ok bool) {
	abstract := n.lists[list.id]
	levels := n.levels[abstract]
	if list.id == "" || list.id == "0" || list.level >= len(levels) {
		return "", false
	}
	counts := n.counters[abstract]
	if counts == nil {
		counts = &[9]int{}
		for i, l := range levels {
			counts[i] = l.start - 1
		}
		n.counters[abstract] = counts
	}
	counts[list.level]++
	for i := list.level + 1; i < len(levels); i++ {
		counts[i] = levels[i].start - 1
	}
	l := levels[list.level]
	if l.format == "bullet" || l.format == "none" || !strings.Contains(l.text, "%") {
		return "", true
	}
	number = l.text
	for i := range list.level + 1 {
		number = strings.ReplaceAll(number, "%"+strconv.Itoa(i+1), ordinal(max(counts[i], levels[i].start), levels[i].format))
	}
	return strings.TrimSpace(number), true
}

// ordinal writes a number of a list.
func ordinal(n int, format string) string {
	switch format {
	case "lowerLetter", "upperLetter":
		if n >= 1 && n <= 26 {
			s := string(rune('a' + n - 1))
			if format == "upperLetter" {
				s = strings.ToUpper(s)
			}
			return s
		}
	case "lowerRoman", "upperRoman":
		if n >= 1 && n < 400 {
			s := roman(n)
			if format == "lowerRoman" {
				s = strings.ToLower(s)
			}
			return s
		}
	}
	return strconv.Itoa(n)
}

func roman(n int) string {
	var b strings.Builder
	for _, d := range []struct {
		value int
		sign  string
	}{{100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for n >= d.value {
			b.WriteString(d.sign)
			n -= d.value
		}
	}
	return b.String()
}
