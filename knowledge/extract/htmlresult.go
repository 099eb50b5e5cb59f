package extract

import (
	"strconv"
	"strings"
)

// result writes the items that are the page's content.
func (p *page) result() Result {
	keep := p.content()
	w := resultWriter{}
	for i := 0; i < len(p.items); {
		it := &p.items[i]
		if !keep(it) {
			i++
			continue
		}
		if it.table == 0 || p.tables[it.table-1].layout {
			w.block(it, string(p.arena[it.start:it.end]))
			i++
			continue
		}
		end := i
		for end < len(p.items) && p.items[end].table == it.table {
			end++
		}
		w.block(&item{kind: Table, number: -1}, p.rows(p.items[i:end]))
		i = end
	}
	title := p.title
	if title == "" {
		title = p.jsonTitle
	}
	if title == "" {
		title = p.h1
	}
	return Result{Title: title, Text: w.b.String(), Blocks: w.list, Language: p.language, Created: p.created, Modified: p.modified}
}

// content tells the page's content from its furniture: what main holds if that
// is half of the text or more, else what the articles hold if that is, else
// all but the page's own header, footer and asides, if there is anything else.
func (p *page) content() func(*item) bool {
	var all, main, article, body int32
	for i := range p.items {
		it := &p.items[i]
		n := it.end - it.start
		all += n
		if it.region&inMain != 0 {
			main += n
		}
		if it.region&inArticle != 0 {
			article += n
		}
		if it.region&inChrome == 0 {
			body += n
		}
	}
	switch {
	case main > 0 && main*2 >= body:
		return func(it *item) bool { return it.region&inMain != 0 }
	case article > 0 && article*2 >= body:
		return func(it *item) bool { return it.region&inArticle != 0 }
	case body > 0:
		return func(it *item) bool { return it.region&inChrome == 0 }
	}
	return func(*item) bool { return true }
}

// rows writes a table of data: a line a row, cells parted by " | ".
func (p *page) rows(items []item) string {
	var b strings.Builder
	for i, it := range items {
		if i > 0 {
			switch prev := items[i-1]; {
			case prev.row != it.row:
				b.WriteByte('\n')
			case prev.cell != it.cell:
				b.WriteString(" | ")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString(strings.ReplaceAll(string(p.arena[it.start:it.end]), "\n", " "))
	}
	return b.String()
}

// resultWriter puts blocks one below the other: list items on lines of their
// own, all else parted by a blank line.
type resultWriter struct {
	b    strings.Builder
	list []Block
}

func (w *resultWriter) block(it *item, text string) {
	if n := len(w.list); n > 0 {
		if it.kind == ListItem && w.list[n-1].Kind == ListItem {
			w.b.WriteByte('\n')
		} else {
			w.b.WriteString("\n\n")
		}
	}
	if it.kind == ListItem {
		w.b.WriteString(strings.Repeat("  ", min(int(it.level)-1, 8)))
		switch {
		case it.number > 0:
			w.b.WriteString(strconv.Itoa(int(it.number)) + ". ")
		case it.number == 0:
			w.b.WriteString("- ")
		default:
			w.b.WriteString("  ")
		}
	}
	start := w.b.Len()
	w.b.WriteString(text)
	w.list = append(w.list, Block{Kind: it.kind, Level: int(it.level), Start: start, End: w.b.Len(), Anchor: it.anchor})
}
