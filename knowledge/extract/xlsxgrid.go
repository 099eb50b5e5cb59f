package extract

import (
	"slices"
	"strings"
)

const (
	maxSpan = 256     // columns or rows that a merged cell is said to go over
	maxArea = 4 << 20 // cells, filled or not, of one table
)

// A grid is the filled cells of a sheet.
type grid struct {
	cells  []sheetCell
	merges []merged
}

func newGrid(cells []sheetCell, merges []merged) *grid {
	cells = sortCells(cells)
	slices.SortFunc(merges, func(a, b merged) int { return int(a.top - b.top) })
	g := &grid{cells: cells, merges: merges}
	// A cell that is merged over rows says the same in each of them.
	extra := 0
	for _, m := range merges {
		text := g.at(m.top, m.left)
		if text == "" || m.bottom == m.top {
			continue
		}
		for row := m.top + 1; row <= min(m.bottom, m.top+maxSpan) && extra < 1<<16; row++ {
			cells = append(cells, sheetCell{row, m.left, text})
			extra++
		}
	}
	g.cells = sortCells(cells)
	return g
}

// at returns what stands in a cell.
func (g *grid) at(row, column int32) string {
	i, ok := slices.BinarySearchFunc(g.cells, sheetCell{row: row, column: column}, func(a, b sheetCell) int {
		if a.row != b.row {
			return int(a.row - b.row)
		}
		return int(a.column - b.column)
	})
	if !ok {
		return ""
	}
	return g.cells[i].text
}

// write writes each region of cells: rows without an empty one between them,
// and of those the columns without an empty one between them.
func (g *grid) write(w *writer) {
	for from := 0; from < len(g.cells) && !w.stopped(); {
		to := from + 1
		for to < len(g.cells) && g.cells[to].row-g.cells[to-1].row <= 1 {
			to++
		}
		g.band(w, g.cells[from:to])
		from = to
	}
}

// band writes the regions that stand side by side in neighbouring rows.
func (g *grid) band(w *writer, cells []sheetCell) {
	used := map[int32]bool{}
	for _, c := range cells {
		used[c.column] = true
	}
	for _, m := range g.mergesIn(cells[0].row, cells[len(cells)-1].row) {
		if used[m.left] {
			for c := m.left; c <= min(m.right, m.left+maxSpan); c++ {
				used[c] = true // an empty part of a merged cell parts nothing
			}
		}
	}
	columns := make([]int32, 0, len(used))
	for c := range used {
		columns = append(columns, c)
	}
	slices.Sort(columns)
	region := make(map[int32]int, len(columns)) // number by column
	lefts := []int32{columns[0]}
	for i, c := range columns {
		if i > 0 && c-columns[i-1] > 1 {
			lefts = append(lefts, c)
		}
		region[c] = len(lefts) - 1
	}
	parts := make([][]sheetCell, len(lefts))
	for _, c := range cells {
		n := region[c.column]
		parts[n] = append(parts[n], c)
	}
	for i, part := range parts {
		g.region(w, part, lefts[i])
	}
}

// region writes one table. Lines above it with one cell are captions; header
// cells that are merged over columns stand before the names below them.
func (g *grid) region(w *writer, cells []sheetCell, left int32) {
	var rows [][]string
	width := int64(0)
	for _, c := range cells {
		width = max(width, int64(c.column-left)+1)
	}
	if height := int64(cells[len(cells)-1].row-cells[0].row) + 1; width*height > maxArea {
		g.sparse(w, cells)
		return
	}
	var numbers []int32 // of the rows in the sheet
	for i, c := range cells {
		if i == 0 || c.row != cells[i-1].row {
			rows, numbers = append(rows, nil), append(numbers, c.row)
		}
		r := &rows[len(rows)-1]
		for int32(len(*r)) < c.column-left {
			*r = append(*r, "")
		}
		*r = append(*r, c.text)
	}
	for len(rows) > 1 && len(filled(rows[0])) == 1 && len(filled(rows[1])) > 0 && widest(rows) > 1 {
		w.paragraph(strings.Join(filled(rows[0]), " "))
		rows, numbers = rows[1:], numbers[1:]
	}
	for len(rows) > 2 {
		over := g.spanning(numbers[0], left)
		if len(over) == 0 {
			break
		}
		head := make([]string, max(len(rows[0]), len(rows[1])))
		for i := range head {
			above, below := over[i], ""
			if i < len(rows[0]) && rows[0][i] != "" {
				above = rows[0][i]
			}
			if i < len(rows[1]) {
				below = rows[1][i]
			}
			if above == below {
				above = ""
			}
			head[i] = strings.TrimSpace(above + " " + below)
		}
		rows, numbers = rows[1:], numbers[1:]
		rows[0] = head
	}
	w.table(rows)
}

// sparse writes the rows of a region that is too large, and so nearly empty, to
// be written as a table.
func (g *grid) sparse(w *writer, cells []sheetCell) {
	var row []string
	for i, c := range cells {
		row = append(row, c.text)
		if i+1 == len(cells) || cells[i+1].row != c.row {
			w.line(strings.Join(row, " | "))
			row = row[:0]
		}
	}
}

// mergesIn returns the merged cells that begin in those rows.
func (g *grid) mergesIn(first, last int32) []merged {
	byTop := func(m merged, row int32) int { return int(m.top - row) }
	from, _ := slices.BinarySearchFunc(g.merges, first, byTop)
	to, _ := slices.BinarySearchFunc(g.merges, last+1, byTop)
	return g.merges[from:to]
}

func widest(rows [][]string) int {
	n := 0
	for _, r := range rows {
		n = max(n, len(filled(r)))
	}
	return n
}

// spanning returns, by column from left, what cells of a row say that are merged
// over several columns.
func (g *grid) spanning(row, left int32) map[int]string {
	over := map[int]string{}
	for _, m := range g.mergesIn(row, row) {
		if m.left == m.right || m.left < left {
			continue
		}
		if text := g.at(m.top, m.left); text != "" {
			for c := m.left; c <= min(m.right, m.left+maxSpan); c++ {
				over[int(c-left)] = text
			}
		}
	}
	return over
}
