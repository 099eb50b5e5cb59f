package extract

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A writer puts the text of a document together: list items and records on lines
// of their own, all else parted by a blank line.
type writer struct {
	ctx  context.Context
	b    strings.Builder
	list []Block
	page int   // of what is written next
	err  error // why nothing more is written
}

// stopped reports whether there is no use in going on.
func (w *writer) stopped() bool {
	if w.err == nil {
		w.err = w.ctx.Err()
	}
	return w.err != nil
}

// add writes a block with a mark before it that stands outside of its range.
func (w *writer) add(b Block, mark, text string) {
	text = strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))
	if text == "" || w.stopped() {
		return
	}
	if w.b.Len()+len(text) > MaxBytes {
		w.err = fmt.Errorf("%w: its text has more than %d bytes: split it", ErrTooLarge, MaxBytes)
		return
	}
	n := len(w.list)
	switch {
	case n == 0:
	case b.Kind == ListItem && w.list[n-1].Kind == ListItem:
		w.b.WriteByte('\n')
	default:
		w.b.WriteString("\n\n")
	}
	w.b.WriteString(mark)
	b.Start = w.b.Len()
	w.b.WriteString(text)
	b.End = w.b.Len()
	if n >= maxBlocks {
		w.list[n-1].End = b.End
		return
	}
	b.Page = w.page
	w.list = append(w.list, b)
}

func (w *writer) paragraph(text string) { w.add(Block{Kind: Paragraph}, "", text) }

func (w *writer) heading(level int, text string) {
	text = strings.Join(strings.Fields(text), " ")
	w.add(Block{Kind: Heading, Level: min(max(level, 1), 6)}, "", text)
}

// item writes a list item, nested level deep, from 1; its number is "" for a
// bullet.
func (w *writer) item(level int, number, text string) {
	if number == "" {
		number = "-"
	}
	w.add(Block{Kind: ListItem, Level: max(level, 1)}, strings.Repeat("  ", min(max(level, 1)-1, 8))+number+" ", text)
}

// table writes rows as Markdown has them, of which the first names the columns.
// However long it is, it is one block.
func (w *writer) table(rows [][]string) {
	width := 0
	for _, r := range rows {
		for i, c := range r {
			if c != "" {
				width = max(width, i+1)
			}
		}
	}
	if width == 0 {
		return
	}
	if len(rows) == 1 || width == 1 {
		for _, r := range rows {
			w.paragraph(strings.Join(filled(r), " | "))
		}
		return
	}
	var all strings.Builder
	all.WriteString(tableLine(rows[0], width) + "\n|" + strings.Repeat(" --- |", width))
	for _, r := range rows[1:] {
		if len(filled(r)) == 0 {
			continue
		}
		all.WriteString("\n" + tableLine(r, width))
		if w.stopped() || all.Len() > MaxBytes { // which add refuses
			break
		}
	}
	w.add(Block{Kind: Table}, "", all.String())
}

func tableLine(cells []string, width int) string {
	var b strings.Builder
	b.WriteByte('|')
	for i := range width {
		cell := ""
		if i < len(cells) {
			cell = strings.ReplaceAll(oneLine(cells[i]), "|", "/")
		}
		b.WriteString(" " + cell + " |")
	}
	return b.String()
}

// filled returns the cells that are not empty.
func filled(cells []string) []string {
	var out []string
	for _, c := range cells {
		if c = oneLine(c); c != "" {
			out = append(out, c)
		}
	}
	return out
}

// oneLine collapses white space.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// result is what was written, or why it is not all there.
func (w *writer) result(r Result) (Result, error) {
	if w.stopped() {
		return Result{}, w.err
	}
	r.Text, r.Blocks = w.b.String(), w.list
	if r.Title == "" {
		r.Title = leadingHeading(r)
	}
	if !latin(r.Text) && strings.HasPrefix(r.Language, "en") {
		r.Language = "" // the language of the program, not of the text
	}
	r.Title = strings.ToValidUTF8(oneLine(r.Title), "\uFFFD")
	return r, nil
}

// latin reports whether half of the letters a text begins with are Latin.
func latin(text string) bool {
	n, all := 0, 0
	for _, r := range text[:min(len(text), 4<<10)] {
		if unicode.IsLetter(r) {
			all++
			if unicode.Is(unicode.Latin, r) {
				n++
			}
		}
	}
	return n*2 >= all
}

// leadingHeading is what the first heading of the highest level says, if that is
// no longer than titles are.
func leadingHeading(r Result) string {
	best := Block{Level: 7}
	for _, b := range r.Blocks[:min(len(r.Blocks), 40)] {
		if b.Kind == Heading && b.Level < best.Level {
			best = b
		}
	}
	title := r.Text[best.Start:best.End]
	if utf8.RuneCountInString(title) > maxTitle {
		return ""
	}
	return title
}
