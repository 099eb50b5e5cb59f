package extract

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxPassage = 16 << 10 // bytes of lines that are put together
	maxRows    = 256      // of a table of which the columns are looked for
)

// A pdfDocument is the lines of all pages, before they become blocks.
type pdfDocument struct {
	pages [][]pdfLine
	body  float64    // the size most text has
	sizes []float64  // of headings, the largest first
	right float64    // where the lines of the column end
	para  pdfPassage // being put together
}

// A pdfPassage is lines that belong together.
type pdfPassage struct {
	text    string
	last    *pdfLine
	heading int
	item    string // its mark, if it is an item of a list
	level   int
	page    int
}

func (d *pdfDocument) write(w *writer) {
	d.measure()
	d.dropRunning()
	for i, lines := range d.pages {
		if w.stopped() {
			return
		}
		leading := usualLeading(lines)
		for j := 0; j < len(lines); {
			if rows, n := tableRows(lines[j:]); n > 0 {
				d.flush(w)
				w.page = i + 1
				w.table(rows)
				j += n
				continue
			}
			d.right = columnEnd(lines, j)
			d.line(w, &lines[j], i+1, leading)
			j++
		}
	}
	d.flush(w)
}

// dropRunning takes out what stands over or under most pages: the lines there
// that are alike but for their numbers.
func (d *pdfDocument) dropRunning() {
	if len(d.pages) < 3 {
		return
	}
	count := map[string]int{}
	for _, lines := range d.pages {
		seen := map[string]bool{}
		for i := range lines {
			if key := d.runningKey(&lines[i]); key != "" && !seen[key] {
				seen[key] = true
				count[key]++
			}
		}
	}
	for i, lines := range d.pages {
		kept := slices.DeleteFunc(slices.Clone(lines), func(l pdfLine) bool {
			key := d.runningKey(&l)
			return key != "" && count[key] >= 3 && count[key]*2 > len(d.pages)
		})
		d.pages[i] = kept
	}
}

// runningKey is what a line at an edge of a page says and where it stands; "" if
// it is no such line. Numbers count as all alike, but not those of headings.
func (d *pdfDocument) runningKey(l *pdfLine) string {
	if !l.top && !l.bottom {
		return ""
	}
	text := oneLine(l.text())
	if l.size < 1.15*d.body {
		text = strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return '#'
			}
			return r
		}, text)
		for strings.Contains(text, "##") {
			text = strings.ReplaceAll(text, "##", "#")
		}
	}
	return fmt.Sprintf("%d %d %s", int(l.size), int(l.y/8), text)
}

// measure finds the size of the text, and those that headings have.
func (d *pdfDocument) measure() {
	weight := map[float64]int{}
	for _, lines := range d.pages {
		for i := range lines {
			weight[lines[i].size] += utf8.RuneCountInString(lines[i].text())
		}
	}
	most := 0
	for size, n := range weight {
		if n > most || n == most && size < d.body {
			most, d.body = n, size
		}
	}
	for size := range weight {
		if size >= 1.15*d.body {
			d.sizes = append(d.sizes, size)
		}
	}
	slices.SortFunc(d.sizes, func(a, b float64) int { return cmp.Compare(b, a) })
	d.sizes = slices.CompactFunc(d.sizes, func(a, b float64) bool { return math.Abs(a-b) < 0.06*a })
}

// headingLevel tells by its look whether a line is a heading, and of which
// level; 0 if it is none.
func (d *pdfDocument) headingLevel(l *pdfLine) int {
	text := l.text()
	if len(l.cells) > 1 || utf8.RuneCountInString(text) > maxTitle || strings.IndexFunc(text, unicode.IsLetter) < 0 {
		return 0
	}
	if l.size >= 1.15*d.body {
		for i, s := range d.sizes {
			if l.size >= 0.94*s {
				return min(i+1, 5)
			}
		}
	}
	if l.bold && l.size >= 0.95*d.body && utf8.RuneCountInString(text) <= 80 && !endsSentence(text) && !bulletMark.MatchString(text) {
		return min(len(d.sizes)+1, 6)
	}
	return 0
}

// usualLeading is how far lines of one size stand from each other.
func usualLeading(lines []pdfLine) float64 {
	var gaps []float64
	for i := 1; i < len(lines); i++ {
		if g := lines[i-1].y - lines[i].y; g > 0 && g < 3*lines[i].size && math.Abs(lines[i].size-lines[i-1].size) < 0.1*lines[i].size {
			gaps = append(gaps, g/lines[i].size)
		}
	}
	if len(gaps) == 0 {
		return 1.2
	}
	slices.Sort(gaps)
	return min(max(gaps[len(gaps)/3], 0.9), 1.8)
}

// columnEnd returns how far to the right the lines around line number i go that
// begin about where it does.
func columnEnd(lines []pdfLine, i int) float64 {
	end := lines[i].x1()
	for _, l := range lines[max(0, i-12):min(len(lines), i+12)] {
		if math.Abs(l.x0()-lines[i].x0()) < 3*l.size && len(l.cells) == 1 {
			end = max(end, l.x1())
		}
	}
	return end
}

// line adds a line to the passage before it, or begins another.
func (d *pdfDocument) line(w *writer, l *pdfLine, page int, leading float64) {
	text := l.text()
	p := &d.para
	heading := d.headingLevel(l)
	mark := bulletMark.FindString(text)
	if mark == "" && heading == 0 {
		mark = numberMark.FindString(text)
	}
	if p.text != "" && mark == "" && d.goesOn(l, heading, page, leading) {
		p.text = joinWords(p.text, text)
		p.last = l
		return
	}
	d.flush(w)
	*p = pdfPassage{text: text, last: l, heading: heading, page: page}
	if mark != "" && len(text) > len(mark) && heading == 0 {
		p.item, p.text, p.level = strings.TrimSpace(mark), text[len(mark):], 1
		if bulletMark.MatchString(mark) {
			p.item = ""
		}
	}
	p.item = strings.TrimSpace(p.item)
}

// goesOn reports whether a line goes on with the passage before it.
func (d *pdfDocument) goesOn(l *pdfLine, heading, page int, leading float64) bool {
	p := &d.para
	if heading != p.heading || len(p.text) > maxPassage || math.Abs(l.size-p.last.size) > 0.1*l.size || len(l.cells) > 1 || len(p.last.cells) > 1 {
		return false
	}
	first, _ := utf8.DecodeRuneInString(l.text())
	gap := p.last.y - l.y
	if page != p.page && gap <= 0 || gap <= 0 { // another page, or the next column
		return heading == 0 && !endsSentence(p.text) && !unicode.IsUpper(first) && utf8.RuneCountInString(p.text) > 40
	}
	if gap > (leading*1.25+0.05)*l.size {
		return false
	}
	indent := l.x0() - p.last.x0()
	if rightToLeft(l.cells) {
		indent = p.last.x1() - l.x1()
	}
	// A line that ends before the next word had to go on to another was ended.
	word, _, _ := strings.Cut(l.cells[0].text, " ")
	room := float64(utf8.RuneCountInString(word)+1) * 0.55 * l.size
	if !wideScript(first) && !strings.HasSuffix(p.text, "-") && !rightToLeft(l.cells) && d.right-p.last.x1() > room+2*l.size {
		return false
	}
	return p.level > 0 || indent < 0.8*l.size || indent > 6*l.size || !endsSentence(p.text)
}

// flush writes the passage that has been put together.
func (d *pdfDocument) flush(w *writer) {
	p := d.para
	d.para = pdfPassage{}
	if p.text == "" {
		return
	}
	w.page = p.page
	switch {
	case p.heading > 0:
		w.heading(p.heading, p.text)
	case p.level > 0:
		w.item(p.level, p.item, p.text)
	default:
		w.paragraph(p.text)
	}
}

// tableRows reads lines as rows of a table if two or more that follow each
// other are made of cells that stand below each other, and returns how many.
func tableRows(lines []pdfLine) (rows [][]string, n int) {
	for n < min(len(lines), maxRows) && len(lines[n].cells) > 1 && (n == 0 || lines[n-1].y-lines[n].y > 0 && lines[n-1].y-lines[n].y < 4*lines[n].size) {
		n++
	}
	if n < 2 {
		return nil, 0
	}
	// The columns are what the cells cover of the width of the page.
	type span struct{ from, to float64 }
	var spans []span
	for _, l := range lines[:n] {
		for _, c := range l.cells {
			spans = append(spans, span{c.x0, c.x1})
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	columns := spans[:1]
	for _, s := range spans[1:] {
		if last := &columns[len(columns)-1]; s.from < last.to {
			last.to = max(last.to, s.to)
		} else {
			columns = append(columns, s)
		}
	}
	if len(columns) < 2 {
		return nil, 0
	}
	rtl := rightToLeft(lines[0].cells)
	for _, l := range lines[:n] {
		row := make([]string, len(columns))
		for _, c := range l.cells {
			i, _ := slices.BinarySearchFunc(columns, c.x0, func(s span, x float64) int { return cmp.Compare(s.to, x) })
			i = min(i, len(columns)-1)
			if rtl {
				i = len(columns) - 1 - i
			}
			row[i] = strings.TrimSpace(row[i] + " " + c.text)
		}
		rows = append(rows, row)
	}
	return rows, n
}
