package extract

import (
	"encoding/xml"
	"errors"
	"strings"
	"unicode/utf8"
)

// readPptx reads a presentation, slide by slide as they are shown. Hidden slides
// and the notes of the speaker are for nobody else to read.
func readPptx(a *archive, w *writer, main string, res *Result) error {
	rels, err := a.relations(main)
	if err != nil {
		return err
	}
	x, err := a.open(main)
	if err != nil {
		return err
	}
	defer x.Close()
	var slides []string
	for tok := x.next(); tok != nil; tok = x.next() {
		e, ok := tok.(xml.StartElement)
		if !ok || e.Name.Local != "sldId" {
			continue
		}
		for _, at := range e.Attr {
			if at.Name.Local == "id" && at.Name.Space != "" { // r:id, beside the slide's own
				slides = append(slides, rels[at.Value])
			}
		}
	}
	if x.err != nil {
		return x.err
	}
	for i, part := range slides {
		w.page = i + 1
		if part == "" {
			continue
		}
		if err := readSlide(a, w, part, res); err != nil && !errors.Is(err, errNoPart) {
			return err
		}
		if w.stopped() {
			break
		}
	}
	return nil
}

// A slide is what is read of one before it is written: the title comes first,
// wherever it stands.
type slide struct {
	x      *xmlPart
	titles []string
	level  int
	blocks []slideBlock
	lang   string
}

type slideBlock struct {
	rows   [][]string // of a table
	text   string
	level  int // of an item of a list, from 1; 0: a paragraph
	number string
}

func readSlide(a *archive, w *writer, part string, res *Result) error {
	x, err := a.open(part)
	if err != nil {
		return err
	}
	defer x.Close()
	s := &slide{x: x, level: 2}
	for tok := x.next(); tok != nil; tok = x.next() {
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "sld":
			if show := attr(e, "show"); show == "0" || show == "false" {
				return nil
			}
		case "spTree":
			s.shapes()
		}
	}
	if x.err != nil {
		return x.err
	}
	if res.Language == "" {
		res.Language = s.lang
	}
	// Slides that were drawn freely have a title all the same: what stands first.
	if len(s.titles) == 0 && len(s.blocks) > 1 {
		if first := s.blocks[0]; first.rows == nil && first.level == 0 && utf8.RuneCountInString(first.text) <= 80 && !endsSentence(first.text) {
			s.titles, s.blocks = []string{first.text}, s.blocks[1:]
		}
	}
	if title := strings.Join(s.titles, " "); title != "" {
		w.heading(s.level, title)
	}
	for _, b := range s.blocks {
		switch {
		case b.rows != nil:
			w.table(b.rows)
		case b.level > 0:
			w.item(b.level, b.number, b.text)
		default:
			w.paragraph(b.text)
		}
	}
	return nil
}

// shapes reads the shapes of the element that began last.
func (s *slide) shapes() {
	s.x.each(func(e xml.StartElement) {
		switch e.Name.Local {
		case "sp":
			s.shape()
		case "grpSp", "AlternateContent", "Choice":
			s.shapes()
		case "graphicFrame":
			s.frame()
		}
	})
}

// shape reads one shape. What kind of placeholder it is says what its text is.
func (s *slide) shape() {
	kind, hidden := "", false
	s.x.each(func(e xml.StartElement) {
		switch e.Name.Local {
		case "nvSpPr":
			s.x.each(func(e xml.StartElement) {
				switch e.Name.Local {
				case "cNvPr":
					hidden = attr(e, "hidden") == "1" || attr(e, "hidden") == "true"
				case "nvPr":
					s.x.each(func(e xml.StartElement) {
						if e.Name.Local == "ph" {
							if kind = attr(e, "type"); kind == "" {
								kind = "obj"
							}
						}
					})
				}
			})
		case "txBody":
			switch {
			case hidden, kind == "dt", kind == "ftr", kind == "hdr", kind == "sldNum", kind == "sldImg":
			case kind == "title", kind == "ctrTitle":
				if kind == "ctrTitle" {
					s.level = 1
				}
				for _, p := range s.paragraphs(false) {
					s.titles = append(s.titles, oneLine(p.text))
				}
			default:
				s.blocks = append(s.blocks, s.paragraphs(kind == "body" || kind == "obj")...)
			}
		}
	})
}

// paragraphs reads the text of a shape. In a placeholder for contents it is a
// list unless it says otherwise; elsewhere it is if it says so.
func (s *slide) paragraphs(list bool) (out []slideBlock) {
	counts := map[int]int{}
	s.x.each(func(e xml.StartElement) {
		if e.Name.Local != "p" {
			return
		}
		listed, numbered, level := list, false, 1
		var b strings.Builder
		s.x.each(func(e xml.StartElement) {
			switch e.Name.Local {
			case "pPr":
				level = small(attr(e, "lvl")) + 1
				s.x.each(func(e xml.StartElement) {
					switch e.Name.Local {
					case "buNone":
						listed = false
					case "buChar", "buBlip":
						listed = true
					case "buAutoNum":
						listed, numbered = true, true
					}
				})
			case "r", "fld":
				s.x.each(func(e xml.StartElement) {
					switch e.Name.Local {
					case "rPr":
						if s.lang == "" {
							s.lang = LanguageTag(attr(e, "lang"))
						}
					case "t":
						b.WriteString(s.x.text())
					}
				})
			case "br":
				b.WriteByte('\n')
			}
		})
		block := slideBlock{text: strings.TrimSpace(strings.Map(clean, b.String()))}
		if block.text == "" {
			return
		}
		if listed {
			block.level = level
			if numbered {
				counts[level]++
				block.number = ordinal(counts[level], "decimal") + "."
			}
		}
		out = append(out, block)
	})
	return out
}

// frame reads the table in a frame. Charts and diagrams are pictures here.
func (s *slide) frame() {
	var rows [][]string
	var find func(e xml.StartElement)
	find = func(e xml.StartElement) {
		switch e.Name.Local {
		case "graphic", "graphicData", "tbl":
			s.x.each(find)
		case "tr":
			var row []string
			s.x.each(func(e xml.StartElement) {
				if e.Name.Local == "tc" && len(row) < 1<<10 {
					row = append(row, s.tableCell(e, rows, len(row)))
				}
			})
			rows = append(rows, row)
		}
	}
	s.x.each(find)
	if rows != nil {
		s.blocks = append(s.blocks, slideBlock{rows: rows})
	}
}

// tableCell reads a cell; one that goes on from the row above says the same.
func (s *slide) tableCell(e xml.StartElement, rows [][]string, column int) string {
	var parts []string
	s.x.each(func(e xml.StartElement) {
		if e.Name.Local == "txBody" {
			for _, p := range s.paragraphs(false) {
				parts = append(parts, p.text)
			}
		}
	})
	if n := len(rows); attr(e, "vMerge") == "1" && len(parts) == 0 && n > 0 && column < len(rows[n-1]) {
		return rows[n-1][column]
	}
	return strings.Join(parts, " ")
}
