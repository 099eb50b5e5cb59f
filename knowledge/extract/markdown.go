package extract

import (
	"bytes"
	"cmp"
	"strconv"
	"strings"
	"unicode"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// What people write stays far below these. Beyond them the parser's memory
// grows much faster than its input, so the file is read as plain text.
const (
	maxMarkdownLines = 1 << 17
	maxNesting       = 32
	maxIndent        = 200
)

// blockParser finds blocks only: their inner markup is left as it is written,
// and tables are found by findTable, because the parser's own makes rows times
// columns cells out of nothing.
var blockParser = parser.NewParser(
	parser.WithBlockParsers(parser.DefaultBlockParsers()...),
	parser.WithParagraphTransformers(util.Prioritized(parser.LinkReferenceParagraphTransformer, 100)),
	parser.WithHeadingAttribute(),
)

func markdown(data []byte) Result {
	full := string(data)
	res, body := frontMatter(full)
	if !reasonable(data[body:]) {
		return plainText(full)
	}
	m := markdownReader{source: data[body:], offset: body, anchors: map[string]int{}}
	m.text = full
	root := blockParser.Parse(text.NewReader(m.source))
	m.walk(root, Paragraph, 0)
	if res.Title == "" {
		res.Title = firstHeading(full, m.list)
	}
	res.Text, res.Blocks = full, m.list
	return res
}

type markdownReader struct {
	blocks
	source  []byte // the text after its front matter
	offset  int    // of source in text
	anchors map[string]int
}

// walk adds the leaves below n. They are of kind unless they say otherwise.
func (m *markdownReader) walk(n ast.Node, kind Kind, depth int) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		start, end := m.span(c)
		switch c := c.(type) {
		case *ast.List:
			m.walk(c, kind, depth+1)
		case *ast.ListItem:
			m.walk(c, ListItem, depth)
		case *ast.Blockquote:
			m.walk(c, Quote, 0)
		case *ast.Heading:
			m.heading(c, start, end)
		case *ast.CodeBlock, *ast.FencedCodeBlock:
			m.add(Block{Kind: Code, Start: start, End: end})
		case *ast.HTMLBlock:
			if isProse(m.text[start:end]) {
				m.add(Block{Kind: kind, Level: depth, Start: start, End: end})
			}
		case *ast.Paragraph, *ast.TextBlock:
			if m.text[start] == '<' && !isProse(m.text[start:end]) {
				continue
			}
			if table := m.findTable(c.Lines()); table >= 0 {
				m.add(Block{Kind: kind, Level: depth, Start: start, End: table})
				m.add(Block{Kind: Table, Start: table, End: end})
				continue
			}
			m.add(Block{Kind: kind, Level: depth, Start: start, End: end})
		}
	}
}

// span returns the bytes of text from n's first line to its last.
func (m *markdownReader) span(n ast.Node) (start, end int) {
	if n.Type() != ast.TypeBlock || n.Lines() == nil || n.Lines().Len() == 0 {
		return m.offset, m.offset
	}
	l := n.Lines()
	return l.At(0).Start + m.offset, l.At(l.Len()-1).Stop + m.offset
}

func (m *markdownReader) heading(h *ast.Heading, start, end int) {
	anchor := slug(m.text[start:end])
	if id, ok := h.AttributeString("id"); ok {
		if id, ok := id.([]byte); ok {
			anchor = string(id)
		}
	}
	if anchor != "" {
		n := m.anchors[anchor]
		m.anchors[anchor]++
		if n > 0 {
			anchor += "-" + strconv.Itoa(n)
		}
	}
	m.add(Block{Kind: Heading, Level: h.Level, Start: start, End: end, Anchor: anchor})
}

// findTable returns where a GFM table begins in the lines of a paragraph: at
// the line before the first row of dashes with as many cells as it. -1: none.
func (m *markdownReader) findTable(lines *text.Segments) int {
	for i := 1; i < lines.Len(); i++ {
		at := lines.At(i)
		cells := delimiterCells(string(at.Value(m.source)))
		if cells == 0 {
			continue
		}
		header := lines.At(i - 1)
		if tableCells(string(header.Value(m.source))) != cells {
			return -1
		}
		return header.Start + m.offset
	}
	return -1
}

// delimiterCells counts the cells of a line like "| --- | :-: |"; 0 if it is
// none.
func delimiterCells(line string) int {
	line = strings.TrimSpace(line)
	if !strings.Contains(line, "-") || !strings.ContainsAny(line, "|:") || strings.Trim(line, "|-: \t") != "" {
		return 0
	}
	n := 0
	for cell := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|") {
		cell = strings.TrimSpace(cell)
		cell = strings.TrimSuffix(strings.TrimPrefix(cell, ":"), ":")
		if cell == "" || strings.Trim(cell, "-") != "" {
			return 0
		}
		n++
	}
	return n
}

// tableCells counts the cells of a table's row.
func tableCells(line string) int {
	line = strings.TrimSpace(line)
	line = strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|")
	return 1 + strings.Count(line, "|") - strings.Count(line, `\|`)
}

// frontMatter returns what YAML or TOML front matter says of the document, and
// where that begins after it.
func frontMatter(text string) (said Result, body int) {
	fence := ""
	for start, next := range lines(text) {
		line := strings.TrimRight(text[start:next], " \t\r\n")
		if start == 0 {
			if line != "---" && line != "+++" {
				return Result{}, 0
			}
			fence = line
			continue
		}
		if line == fence || fence == "---" && line == "..." {
			return said, next
		}
		if next > 64<<10 {
			break
		}
		key, value, ok := strings.Cut(line, ":")
		if fence == "+++" {
			key, value, ok = strings.Cut(line, "=")
		}
		if ok {
			said.note(strings.TrimRight(key, " \t"), strings.Trim(strings.TrimSpace(value), `"'`))
		}
	}
	return Result{}, 0 // a thematic break, not front matter
}

// note takes what a line of front matter says; the first line of a name counts.
func (r *Result) note(key, value string) {
	switch key {
	case "title":
		r.Title = cmp.Or(r.Title, value)
	case "lang", "language":
		r.Language = cmp.Or(r.Language, LanguageTag(value))
	case "date", "created":
		r.Created = cmp.Or(r.Created, w3cDate(value))
	case "lastmod", "modified", "updated":
		r.Modified = cmp.Or(r.Modified, w3cDate(value))
	}
}

// reasonable reports whether data is shaped as people write: lines without
// absurd nesting.
func reasonable(data []byte) bool {
	if bytes.Count(data, []byte("\n")) > maxMarkdownLines {
		return false
	}
	for line := range bytes.Lines(data) {
		markers, indent := 0, 0
	prefix:
		for i, c := range line {
			switch c {
			case ' ':
				indent++
			case '\t':
				indent += 4
			case '>':
				markers++
			case '-', '*', '+', '.', ')':
				if i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t') {
					markers++
				}
			case '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
			default:
				break prefix
			}
			if markers > maxNesting || indent > maxIndent {
				return false
			}
		}
	}
	return true
}

// isProse reports whether a block of raw HTML says something to a reader
// beside its tags and comments.
func isProse(block string) bool {
	for _, prefix := range []string{"<!--", "<script", "<style", "<?", "<!", "<svg", "<iframe"} {
		if len(block) >= len(prefix) && strings.EqualFold(block[:len(prefix)], prefix) {
			return false
		}
	}
	inTag := false
	for _, r := range block {
		switch {
		case r == '<':
			inTag = true
		case r == '>':
			inTag = false
		case !inTag && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			return true
		}
	}
	return false
}

// firstHeading returns the first heading of level 1 in words, or the very
// first block if it is a heading.
func firstHeading(text string, list []Block) string {
	for i, b := range list {
		if b.Kind == Heading && (b.Level == 1 || i == 0) {
			return Words(text[b.Start:b.End])
		}
	}
	return ""
}

// slug makes the anchor that GitHub and most site generators give a heading.
func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(Words(heading)) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '_', r == '-':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}
