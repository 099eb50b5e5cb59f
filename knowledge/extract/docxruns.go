package extract

import (
	"encoding/xml"
	"strings"
)

// paragraph reads the paragraph that began last, as it reads with all changes
// accepted.
func (d *docx) paragraph() docxParagraph {
	p := docxParagraph{}
	var b strings.Builder
	r := docxRuns{d: d, b: &b}
	r.properties = func() {
		d.x.each(func(e xml.StartElement) {
			switch e.Name.Local {
			case "pStyle":
				p.style = attr(e, "val")
			case "outlineLvl":
				p.outline = outlineLevel(e)
			case "numPr":
				d.x.each(func(e xml.StartElement) {
					switch e.Name.Local {
					case "numId":
						p.list.id = attr(e, "val")
					case "ilvl":
						p.list.level = min(small(attr(e, "val")), 8)
					}
				})
			}
		})
	}
	r.read()
	p.text = strings.Map(clean, b.String())
	return p
}

// docxRuns reads what stands in a paragraph.
type docxRuns struct {
	d          *docx
	b          *strings.Builder
	properties func()
	hidden     bool   // the run being read is
	fields     []bool // of the fields that stand around: whether their result has begun
}

func (r *docxRuns) read() { r.d.x.each(r.element) }

func (r *docxRuns) element(e xml.StartElement) {
	d := r.d
	switch e.Name.Local {
	case "pPr":
		r.properties()
	case "r":
		r.run()
	case "del", "moveFrom", "Fallback", "rt", "instrText", "delText", "sdtPr", "rPr", "tblPr":
	case "t":
		if r.visible() {
			r.b.WriteString(d.x.text())
		}
	case "tab", "ptab":
		r.b.WriteByte(' ')
	case "br", "cr":
		r.b.WriteByte('\n')
	case "noBreakHyphen":
		r.b.WriteByte('-')
	case "fldChar":
		switch attr(e, "fldCharType") {
		case "begin":
			r.fields = append(r.fields, false)
		case "separate":
			if n := len(r.fields); n > 0 {
				r.fields[n-1] = true
			}
		case "end":
			if n := len(r.fields); n > 0 {
				r.fields = r.fields[:n-1]
			}
		}
	case "footnoteReference", "endnoteReference":
		if id := strings.TrimSuffix(e.Name.Local, "Reference") + " " + attr(e, "id"); d.notes[id] != "" && len(d.pending) < 1<<10 {
			d.pending = append(d.pending, id)
		}
	case "txbxContent":
		r.textBox()
	case "docPr":
	default:
		r.read()
	}
}

// visible reports whether what comes is to be seen, and no field around is being
// told how to make its result.
func (r *docxRuns) visible() bool {
	if r.hidden {
		return false
	}
	for _, result := range r.fields {
		if !result {
			return false
		}
	}
	return true
}

// run reads a stretch of one look; none of it if that is to be hidden.
func (r *docxRuns) run() {
	r.d.x.each(func(e xml.StartElement) {
		if e.Name.Local == "rPr" { // which comes first
			r.d.x.each(func(e xml.StartElement) { r.hidden = r.hidden || e.Name.Local == "vanish" && on(e) })
			return
		}
		r.element(e)
	})
	r.hidden = false
}

// textBox keeps the paragraphs of a text box for behind the one around it.
func (r *docxRuns) textBox() {
	d := r.d
	if d.boxed > 8 {
		return
	}
	d.boxed++
	d.x.each(func(e xml.StartElement) {
		switch e.Name.Local {
		case "p":
			p := d.paragraph()
			d.boxes = append(d.boxes, p)
		case "tbl":
			for _, row := range d.rows() {
				d.boxes = append(d.boxes, docxParagraph{text: strings.Join(filled(row), " | ")})
			}
		}
	})
	d.boxed--
}
