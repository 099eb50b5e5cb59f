package extract

import (
	"encoding/xml"
	"errors"
	"strings"
	"unicode/utf8"
)

// A docx is a document of Word while it is read.
type docx struct {
	w       *writer
	x       *xmlPart
	styles  docxStyles
	numbers *docxNumbers
	notes   map[string]string // by "footnote 1" or "endnote 1"

	// Of the paragraph being read. Text boxes stand inside of paragraphs, and
	// come after them.
	pending []string // notes it refers to
	boxes   []docxParagraph
	boxed   int // how many text boxes stand around
}

// A docxParagraph is a paragraph that has been read.
type docxParagraph struct {
	text, style string
	outline     int
	list        docxList
}

func readDocx(a *archive, w *writer, main string) error {
	rels, err := a.relations(main)
	if err != nil {
		return err
	}
	d := &docx{w: w, notes: map[string]string{}}
	if d.styles, err = readDocxStyles(a, rels["type:styles"]); err != nil {
		return err
	}
	if d.numbers, err = readDocxNumbers(a, rels["type:numbering"]); err != nil {
		return err
	}
	for kind, part := range map[string]string{"footnote": rels["type:footnotes"], "endnote": rels["type:endnotes"]} {
		if err := d.readNotes(a, kind, part); err != nil {
			return err
		}
	}
	x, err := a.open(main)
	if err != nil {
		return err
	}
	defer x.Close()
	d.x = x
	for {
		tok := x.next()
		if tok == nil || w.stopped() {
			return x.err
		}
		if e, ok := tok.(xml.StartElement); ok && e.Name.Local == "body" {
			d.body()
		}
	}
}

// readNotes keeps the text of footnotes or endnotes by their ids.
func (d *docx) readNotes(a *archive, kind, part string) error {
	x, err := a.open(part)
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	defer x.Close()
	d.x = x
	size := 0
	for {
		tok := x.next()
		if tok == nil {
			return x.err
		}
		e, ok := tok.(xml.StartElement)
		if !ok || e.Name.Local != kind {
			continue
		}
		id, separator := attr(e, "id"), attr(e, "type") != "" && attr(e, "type") != "normal"
		text := oneLine(strings.Join(d.cell(), " "))
		if size += len(text); size <= maxToken && !separator {
			d.notes[kind+" "+id] = text
		}
	}
}

// body writes the blocks of the element that began last.
func (d *docx) body() {
	d.x.each(func(e xml.StartElement) {
		switch e.Name.Local {
		case "p":
			d.write(d.paragraph())
		case "tbl":
			rows := d.rows()
			d.w.table(rows)
			d.after()
		case "sdt", "sdtContent", "ins", "moveTo", "customXml", "smartTag", "AlternateContent", "Choice":
			d.body()
		}
		if d.w.stopped() {
			d.x.fail(d.w.err)
		}
	})
}

// write writes a paragraph with what belongs behind it.
func (d *docx) write(p docxParagraph) {
	style := d.styles.resolve(p.style)
	if p.outline == 0 {
		p.outline = style.outline
	}
	if p.list.id == "" {
		p.list = docxList{style.list.id, max(style.list.level, p.list.level)}
	}
	text := strings.TrimSpace(p.text)
	tableOfContents := strings.HasPrefix(style.name, "toc ") && style.name != "toc heading" ||
		strings.HasPrefix(style.name, "contents ") || strings.HasPrefix(style.name, "index ") && style.name != "index heading"
	if text != "" && !style.vanish && !tableOfContents {
		number, listed := d.numbers.next(p.list)
		switch {
		case p.outline > 0 && utf8.RuneCountInString(text) <= 2*maxTitle:
			d.w.heading(p.outline, strings.TrimSpace(number+" "+text))
		case listed:
			d.w.item(p.list.level+1, number, text)
		case strings.HasPrefix(style.name, "list bullet") || strings.HasPrefix(style.name, "list number"):
			d.w.item(1+max(small(style.name[len(style.name)-1:])-1, 0), "", text)
		case strings.Contains(style.name, "quote"):
			d.w.add(Block{Kind: Quote}, "", text)
		default:
			d.w.paragraph(text)
		}
	}
	d.after()
}

// after writes the text boxes and notes of what was just written.
func (d *docx) after() {
	boxes, notes := d.boxes, d.pending
	d.boxes, d.pending = nil, nil
	for _, b := range boxes {
		d.write(b)
	}
	for _, id := range notes {
		d.w.paragraph(d.notes[id])
	}
}

// rows reads a table. Cells that go over several columns are followed by empty
// ones, and cells that go on from the row above repeat what it says.
func (d *docx) rows() [][]string {
	var rows [][]string
	d.x.each(func(e xml.StartElement) {
		switch e.Name.Local {
		case "tr":
			var above []string
			if len(rows) > 0 {
				above = rows[len(rows)-1]
			}
			if row := d.row(above); row != nil {
				rows = append(rows, row)
			}
		case "sdt", "sdtContent", "ins", "customXml":
			rows = append(rows, d.rows()...)
		}
	})
	return rows
}

func (d *docx) row(above []string) (row []string) {
	deleted := false
	row = []string{}
	var cells func(e xml.StartElement)
	cells = func(e xml.StartElement) {
		switch e.Name.Local {
		case "trPr":
			d.x.each(func(e xml.StartElement) { deleted = deleted || e.Name.Local == "del" })
		case "sdt", "sdtContent":
			d.x.each(cells)
		case "tc":
			span, goesOn := 1, false
			text := oneLine(strings.Join(d.cellWith(func(e xml.StartElement) {
				switch e.Name.Local {
				case "gridSpan":
					span = min(max(small(attr(e, "val")), 1), 64)
				case "vMerge":
					goesOn = attr(e, "val") != "restart"
				}
			}), " "))
			if goesOn && text == "" && len(row) < len(above) {
				text = above[len(row)]
			}
			if len(row) < 1<<10 {
				row = append(append(row, text), make([]string, span-1)...)
			}
		}
	}
	d.x.each(cells)
	if deleted {
		return nil
	}
	return row
}

// cell returns the paragraphs of the element that began last, tables in it by
// their rows.
func (d *docx) cell() []string { return d.cellWith(nil) }

func (d *docx) cellWith(property func(xml.StartElement)) (out []string) {
	d.x.each(func(e xml.StartElement) {
		switch e.Name.Local {
		case "p":
			p := d.paragraph()
			out = append(out, p.text)
		case "tbl":
			for _, r := range d.rows() {
				out = append(out, strings.Join(filled(r), ", ")+";")
			}
		case "tcPr":
			if property != nil {
				d.x.each(property)
			}
		case "sdt", "sdtContent", "ins", "moveTo", "customXml":
			out = append(out, d.cellWith(property)...)
		}
	})
	return out
}
