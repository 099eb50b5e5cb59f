package extract

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge/extract/internal/pdf"
)

// A pdfLine is what stands on one baseline of one column.
type pdfLine struct {
	cells       []pdfCell // more than one where wide gaps part them
	y           float64   // from the bottom, in points
	size        float64
	bold        bool // all of it
	top, bottom bool // it is among the first or last lines of the page
}

// A pdfCell is text without a wide gap in it.
type pdfCell struct {
	text   string
	x0, x1 float64
	y      float64
	size   float64
	bold   bool
}

func (l *pdfLine) text() string {
	if len(l.cells) == 1 {
		return l.cells[0].text
	}
	parts := make([]string, len(l.cells))
	for i, c := range l.cells {
		parts[i] = c.text
	}
	return strings.Join(parts, " | ")
}

func (l *pdfLine) x0() float64 { return l.cells[0].x0 }
func (l *pdfLine) x1() float64 { return l.cells[len(l.cells)-1].x1 }

// pageLines returns the lines of a page in the order in which they are read.
// Text in another direction, as along an edge, comes after all other.
func pageLines(c pdf.Content) []pdfLine {
	real := 0
	for _, g := range c.Glyphs {
		if !g.Artifact {
			real++
		}
	}
	byAngle := map[int][]pdf.Glyph{}
	for _, g := range c.Glyphs {
		if g.Artifact && real > 0 {
			continue
		}
		switch g.Angle {
		case 90:
			g.X, g.Y = g.Y, -g.X
		case 180:
			g.X, g.Y = -g.X, -g.Y
		case 270:
			g.X, g.Y = -g.Y, g.X
		}
		byAngle[g.Angle] = append(byAngle[g.Angle], g)
	}
	angles := make([]int, 0, 4)
	for a := range byAngle {
		angles = append(angles, a)
	}
	slices.SortFunc(angles, func(a, b int) int {
		return cmp.Or(len(byAngle[b])-len(byAngle[a]), a-b)
	})
	var lines []pdfLine
	for _, a := range angles {
		part := joinLines(inReadingOrder(cellsOf(byAngle[a]), 0))
		markEdges(part, c.Height)
		lines = append(lines, part...)
	}
	return lines
}

// markEdges marks the two highest and the two lowest lines, as far as they stand
// in the outer parts of the page.
func markEdges(lines []pdfLine, height float64) {
	ys := make([]float64, 0, len(lines))
	for _, l := range lines {
		ys = append(ys, math.Round(l.y))
	}
	slices.Sort(ys)
	ys = slices.Compact(ys)
	if len(ys) == 0 {
		return
	}
	low, high := ys[min(1, len(ys)-1)], ys[max(0, len(ys)-2)]
	for i := range lines {
		y := math.Round(lines[i].y)
		lines[i].top, lines[i].bottom = y >= high && y > 0.85*height, y <= low && y < 0.15*height
	}
}

// cellsOf groups characters by baseline, and cuts them at gaps wider than a
// letter is high.
func cellsOf(glyphs []pdf.Glyph) []pdfCell {
	slices.SortStableFunc(glyphs, func(a, b pdf.Glyph) int { return cmp.Compare(b.Y, a.Y) })
	var cells []pdfCell
	for from := 0; from < len(glyphs); {
		to, size := from+1, glyphs[from].Size
		for to < len(glyphs) && glyphs[from].Y-glyphs[to].Y < 0.4*max(size, glyphs[to].Size) {
			size = max(size, glyphs[to].Size)
			to++
		}
		row := glyphs[from:to]
		slices.SortStableFunc(row, func(a, b pdf.Glyph) int { return cmp.Compare(a.X, b.X) })
		start := 0
		for i := 1; i <= len(row); i++ {
			if i < len(row) && row[i].X-row[i-1].X-row[i-1].W <= 0.95*max(row[i].Size, row[i-1].Size) {
				continue
			}
			if c, ok := cellOf(row[start:i]); ok {
				cells = append(cells, c)
			}
			start = i
		}
		from = to
	}
	return cells
}

// cellOf reads one row of neighbouring characters.
func cellOf(row []pdf.Glyph) (pdfCell, bool) {
	for len(row) > 0 && strings.TrimSpace(row[0].Text) == "" {
		row = row[1:]
	}
	for len(row) > 0 && strings.TrimSpace(row[len(row)-1].Text) == "" {
		row = row[:len(row)-1]
	}
	if len(row) == 0 {
		return pdfCell{}, false
	}
	c := pdfCell{x0: row[0].X, bold: true}
	var pieces []string
	sizes := map[float64]int{}
	most := 0
	for i, g := range row {
		if i > 0 {
			prev := row[i-1]
			if g.Text == " " && i+1 < len(row) && row[i+1].X-prev.X-prev.W < 0.08*g.Size {
				continue // the next letter stands on it
			}
			if g.Text == prev.Text && g.X-prev.X < 0.1*g.Size && strings.TrimSpace(g.Text) != "" {
				continue // printed twice to look bold
			}
			if g.X-prev.X-prev.W > 0.17*g.Size {
				pieces = append(pieces, " ")
			}
		}
		pieces = append(pieces, plainLetters(strings.Map(clean, g.Text)))
		c.x1 = max(c.x1, g.X+g.W)
		if strings.TrimSpace(g.Text) != "" {
			c.bold = c.bold && g.Bold
			size := math.Round(g.Size*4) / 4
			if sizes[size]++; sizes[size] > most {
				most, c.size, c.y = sizes[size], size, g.Y
			}
		}
	}
	c.text = oneLine(logical(pieces))
	return c, c.text != ""
}

// maxLaidOut is how many cells a page may have for columns to be looked for.
const maxLaidOut = 2000

// inReadingOrder puts cells in order: where two columns of text stand side by
// side, the left one first. Cells come sorted from the top.
func inReadingOrder(cells []pdfCell, depth int) []pdfCell {
	at, ok := 0.0, false
	if depth < 4 && len(cells) <= maxLaidOut {
		at, ok = gutter(cells)
	}
	if !ok {
		return cells
	}
	var out, left, right []pdfCell
	flush := func() {
		out = append(out, inReadingOrder(left, depth+1)...)
		out = append(out, inReadingOrder(right, depth+1)...)
		left, right = nil, nil
	}
	rtl := rightToLeft(cells)
	for _, c := range cells {
		switch {
		case c.x1 <= at && !rtl, c.x0 >= at-1 && rtl:
			left = append(left, c)
		case c.x0 >= at-1, c.x1 <= at:
			right = append(right, c)
		default: // goes over both
			flush()
			out = append(out, c)
		}
	}
	flush()
	return out
}

// gutter returns where the right one of two columns begins. Columns of text are
// filled from edge to edge; those of tables are not, and are read by rows.
func gutter(cells []pdfCell) (float64, bool) {
	starts := map[float64]int{}
	for _, c := range cells {
		starts[math.Round(c.x0)]++
	}
	var likely []float64
	for x, n := range starts {
		if n >= 4 {
			likely = append(likely, x)
		}
	}
	slices.SortFunc(likely, func(a, b float64) int { return cmp.Or(starts[b]-starts[a], cmp.Compare(a, b)) })
	best, bestCount := 0.0, 0
	for _, x := range likely[:min(len(likely), 32)] {
		var left, right, across int
		var leftWidth, rightWidth, leftText, rightText float64
		minX, maxLeft, maxX := math.Inf(1), math.Inf(-1), math.Inf(-1)
		for _, c := range cells {
			switch {
			case c.x0 >= x-1:
				right++
				rightWidth += c.x1 - c.x0
				rightText += float64(utf8.RuneCountInString(c.text))
				maxX = max(maxX, c.x1)
			case c.x1 <= x-4:
				left++
				leftWidth += c.x1 - c.x0
				leftText += float64(utf8.RuneCountInString(c.text))
				minX, maxLeft = min(minX, c.x0), max(maxLeft, c.x1)
			default:
				across++
			}
		}
		if left < 4 || right < 4 || across*3 > left+right {
			continue
		}
		full := leftWidth/float64(left) > 0.6*(maxLeft-minX) && rightWidth/float64(right) > 0.6*(maxX-x)
		wide := (maxLeft-minX)*4 > maxX-minX && (maxX-x)*4 > maxX-minX
		text := leftText/float64(left) > 12 && rightText/float64(right) > 12
		if n := min(left, right); full && wide && text && (n > bestCount || n == bestCount && x < best) {
			best, bestCount = x, n
		}
	}
	return best, bestCount > 0
}

// joinLines puts the cells of one baseline that follow each other into one line.
func joinLines(cells []pdfCell) []pdfLine {
	var lines []pdfLine
	for _, c := range cells {
		if n := len(lines); n > 0 {
			l := &lines[n-1]
			last := &l.cells[len(l.cells)-1]
			if math.Abs(l.y-c.y) < 0.4*max(l.size, c.size) && c.x0 >= last.x1-1 {
				if c.x0-last.x1 < 1.5*c.size || len(l.cells) == 1 && isMark(last.text) {
					last.text += " " + c.text
					last.x1 = c.x1
				} else {
					l.cells = append(l.cells, c)
				}
				l.bold = l.bold && c.bold
				l.size = max(l.size, c.size)
				continue
			}
		}
		lines = append(lines, pdfLine{cells: []pdfCell{c}, y: c.y, size: c.size, bold: c.bold})
	}
	for i := range lines {
		if l := &lines[i]; len(l.cells) > 1 && rightToLeft(l.cells) {
			slices.Reverse(l.cells)
		}
	}
	return lines
}
