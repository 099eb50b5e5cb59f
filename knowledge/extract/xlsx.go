package extract

import (
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

const (
	maxCells  = 1 << 20 // filled cells of one sheet
	maxColumn = 1 << 14 // columns that a sheet has
	maxRow    = 1 << 20
)

// readXlsx reads a workbook: a heading a sheet, and below it a table for each
// region of filled cells. Of formulas it reads the values that were last
// computed.
func readXlsx(a *archive, w *writer, main string) error {
	rels, err := a.relations(main)
	if err != nil {
		return err
	}
	b := &workbook{a: a, w: w}
	sheets, err := b.sheets(main)
	if err != nil {
		return err
	}
	if err := b.readStyles(rels["type:styles"]); err != nil {
		return err
	}
	if err := b.readStrings(rels["type:sharedStrings"]); err != nil {
		return err
	}
	for i, s := range sheets {
		w.page = i + 1
		part := rels[s.id]
		if s.hidden || part == "" || strings.Contains(part, "chartsheets/") {
			continue
		}
		if err := b.readSheet(s.name, part); err != nil && !errors.Is(err, errNoPart) {
			return err
		}
		if w.stopped() {
			break
		}
	}
	return nil
}

// A workbook is what its sheets share.
type workbook struct {
	a       *archive
	w       *writer
	strings []string
	formats []cellFormat // by style
	from904 bool         // its days are counted from 1904
}

type sheetName struct {
	name, id string
	hidden   bool
}

func (b *workbook) sheets(main string) (list []sheetName, err error) {
	x, err := b.a.open(main)
	if err != nil {
		return nil, err
	}
	defer x.Close()
	for tok := x.next(); tok != nil; tok = x.next() {
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "workbookPr":
			b.from904 = attr(e, "date1904") == "1" || attr(e, "date1904") == "true"
		case "sheet":
			list = append(list, sheetName{name: attr(e, "name"), id: attr(e, "id"), hidden: strings.Contains(strings.ToLower(attr(e, "state")), "hidden")})
		}
	}
	return list, x.err
}

// readStrings reads the strings that cells refer to by number.
func (b *workbook) readStrings(part string) error {
	x, err := b.a.open(part)
	if errors.Is(err, errNoPart) {
		return nil
	}
	if err != nil {
		return err
	}
	defer x.Close()
	size := 0
	for tok := x.next(); tok != nil; tok = x.next() {
		e, ok := tok.(xml.StartElement)
		if !ok || e.Name.Local != "si" {
			continue
		}
		s := richText(x)
		if size += len(s) + 16; size > 2*MaxBytes {
			return fmt.Errorf("%w: its strings have more than %d bytes: split it", ErrTooLarge, 2*MaxBytes)
		}
		b.strings = append(b.strings, s)
	}
	return x.err
}

// richText reads a string with its runs, without how it is pronounced.
func richText(x *xmlPart) string {
	var s strings.Builder
	var read func(e xml.StartElement)
	read = func(e xml.StartElement) {
		switch e.Name.Local {
		case "t":
			s.WriteString(x.text())
		case "r":
			x.each(read)
		}
	}
	x.each(read)
	return strings.TrimSpace(strings.Map(clean, s.String()))
}

// A sheetCell is a filled cell; row and column count from 0.
type sheetCell struct {
	row, column int32
	text        string
}

// merged is a range of cells that are one.
type merged struct{ top, left, bottom, right int32 }

func (b *workbook) readSheet(name, part string) error {
	x, err := b.a.open(part)
	if err != nil {
		return err
	}
	defer x.Close()
	var cells []sheetCell
	var merges []merged
	hidden := map[int32]bool{} // columns
	row, column := int32(-1), int32(-1)
	for tok := x.next(); tok != nil; tok = x.next() {
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		switch e.Name.Local {
		case "col":
			if h := attr(e, "hidden"); h == "1" || h == "true" {
				from, to := number(attr(e, "min")), number(attr(e, "max"))
				for c := max(from, 1); c <= min(to, maxColumn); c++ {
					hidden[int32(c-1)] = true
				}
			}
		case "row":
			if row, column = row+1, -1; attr(e, "r") != "" {
				row = int32(number(attr(e, "r")) - 1)
			}
			if h := attr(e, "hidden"); h == "1" || h == "true" || row < 0 || row >= maxRow {
				x.skip()
			}
		case "c":
			column++
			if r, c, ok := cellName(attr(e, "r")); ok {
				row, column = r, c
			}
			text := b.value(x, e)
			if text == "" || hidden[column] || row < 0 || column >= maxColumn {
				continue
			}
			if len(cells) == maxCells {
				return fmt.Errorf("%w: sheet %.40q has more than %d filled cells: split it", ErrTooLarge, name, maxCells)
			}
			cells = append(cells, sheetCell{row, column, text})
		case "mergeCell":
			from, to, _ := strings.Cut(attr(e, "ref"), ":")
			top, left, ok1 := cellName(from)
			bottom, right, ok2 := cellName(to)
			if ok1 && ok2 && top <= bottom && left <= right && len(merges) < 1<<16 {
				merges = append(merges, merged{top, left, bottom, right})
			}
		}
	}
	if x.err != nil {
		return x.err
	}
	if len(cells) > 0 {
		b.w.heading(1, name)
		newGrid(cells, merges).write(b.w)
	}
	return nil
}

// value reads the value of the cell that began last.
func (b *workbook) value(x *xmlPart, c xml.StartElement) string {
	kind, style, v, inline := attr(c, "t"), number(attr(c, "s")), "", ""
	x.each(func(e xml.StartElement) {
		switch e.Name.Local {
		case "v":
			v = x.text()
		case "is":
			inline = richText(x)
		}
	})
	switch kind {
	case "s":
		if i := number(v); i >= 0 && i < len(b.strings) && v != "" {
			return b.strings[i]
		}
		return ""
	case "inlineStr":
		return inline
	case "b":
		if v == "1" || v == "true" {
			return "TRUE"
		}
		return "FALSE"
	case "e":
		return "" // #N/A and the like
	case "str":
		return strings.TrimSpace(strings.Map(clean, v))
	case "d":
		return strings.TrimSuffix(strings.TrimSpace(v), "T00:00:00")
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	if err != nil {
		return ""
	}
	var format cellFormat
	if style >= 0 && style < len(b.formats) {
		format = b.formats[style]
	}
	return format.apply(f, b.from904)
}

// number reads an index; what is none is -1.
func number(s string) int {
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil && n >= 0 && n < 1<<30 {
		return n
	}
	return -1
}

// cellName reads a reference such as B7 or $B$7.
func cellName(ref string) (row, column int32, ok bool) {
	r, c := 0, 0
	for _, ch := range strings.ReplaceAll(ref, "$", "") {
		switch {
		case ch >= 'A' && ch <= 'Z' && r == 0 && c < maxColumn:
			c = c*26 + int(ch-'A') + 1
		case ch >= '0' && ch <= '9' && r < maxRow:
			r = r*10 + int(ch-'0')
		default:
			return 0, 0, false
		}
	}
	return int32(r - 1), int32(c - 1), r > 0 && r <= maxRow && c > 0 && c <= maxColumn
}

// sortCells puts cells in the order of rows, then columns, and drops what is
// there twice.
func sortCells(cells []sheetCell) []sheetCell {
	slices.SortStableFunc(cells, func(a, b sheetCell) int {
		if a.row != b.row {
			return int(a.row - b.row)
		}
		return int(a.column - b.column)
	})
	return slices.CompactFunc(cells, func(a, b sheetCell) bool { return a.row == b.row && a.column == b.column })
}
