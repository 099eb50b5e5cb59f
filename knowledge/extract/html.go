package extract

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"
)

// htmlPage reads a page token by token. No tree is built: browsers' rules for
// broken markup copy elements, and a small hostile page can make a tree of
// gigabytes. What the text needs of those rules (which tag closes which, see
// [elements]) takes linear time and memory.
func htmlPage(data []byte) Result {
	p := page{controlled: map[string]bool{}}
	p.open.at = map[string][]int32{}
	z := html.NewTokenizer(bytes.NewReader(data))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end: reading from memory fails in no other way
			p.flush()
			return p.result()
		case html.CommentToken:
			p.comment(z.Text())
		case html.TextToken:
			p.characters(z.Text())
		case html.StartTagToken, html.SelfClosingTagToken:
			p.start(z)
		case html.EndTagToken:
			name, _ := z.TagName()
			p.end(name)
		}
	}
}

// A page is what has been read so far.
type page struct {
	open  elements
	buf   []byte // the block being read, white space collapsed
	space bool   // white space stands between buf and what follows
	id    string // fragment of the heading being read

	arena  []byte // text of the items, one after the other
	items  []item
	tables []table // by number

	title, h1, jsonTitle string
	language             string
	created, modified    time.Time
	inTitle              bool
	controlled           map[string]bool // ids that some button shows and hides
}

// An item is a block before it is known whether it is furniture.
type item struct {
	start, end int32 // in arena
	table      int32 // number of the innermost table, from 1; 0: none
	row, cell  int32
	number     int32 // of a list item; 0: bullet; -1: not the first block of one
	kind       Kind
	level      uint8
	region     region
	anchor     string
}

// region says in which of a page's parts a block stands.
type region uint8

const (
	inMain region = 1 << iota
	inArticle
	inChrome // header, footer or aside of the page itself
)

type table struct {
	layout    bool // holds headings or other tables: not data
	row, cell int32
}

// comment takes the title of pages that begin with a comment holding JSON, as
// Go's own documentation does.
func (p *page) comment(data []byte) {
	if len(p.items) > 0 || len(data) > 64<<10 || !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return
	}
	var meta struct{ Title string }
	if json.Unmarshal(data, &meta) == nil {
		p.jsonTitle = meta.Title
	}
}

func (p *page) start(z *html.Tokenizer) {
	raw, hasAttr := z.TagName()
	selfClosing := bytes.HasSuffix(bytes.TrimRight(z.Raw(), "> "), []byte("/"))
	if string(raw) == "meta" {
		p.meta(z, hasAttr)
		return
	}
	t := tags[string(raw)]
	if t&void != 0 {
		p.void(string(raw))
		return
	}
	if p.open.skipping() {
		if !selfClosing {
			p.open.push(element{name: string(raw), tag: t})
		}
		return
	}
	attrs := readAttributes(z, hasAttr)
	if string(raw) == "html" && p.language == "" {
		p.language = LanguageTag(attrs.lang)
	}
	p.noteControls(attrs)
	hide := t&skip != 0 && !(string(raw) == "dialog" && attrs.open) ||
		attrs.hidden && !p.controlled[attrs.id] || roles[attrs.role]&skip != 0
	if t&block == 0 && !hide {
		if string(raw) == "title" && p.title == "" {
			p.inTitle = true
		}
		if p.open.heading > 0 && p.id == "" {
			p.id = attrs.anchor()
		}
		if t&spaced != 0 {
			p.space = true
		}
		return
	}
	if t&block != 0 {
		p.open.closeImplied(string(raw), t, p.boundary)
		p.boundary(t)
	}
	e := element{name: string(raw), tag: t | roles[attrs.role], skip: hide}
	if !p.open.push(e) || hide {
		return
	}
	switch {
	case t&heading != 0:
		p.id = attrs.id
		p.layout()
	case t&tableTag != 0:
		p.layout()
		p.tables = append(p.tables, table{layout: attrs.role == "presentation" || attrs.role == "none"})
		p.open.tables = append(p.open.tables, int32(len(p.tables)))
	case t&row != 0:
		if t := p.table(); t != nil {
			t.row, t.cell = t.row+1, 0
		}
	case t&cell != 0:
		if t := p.table(); t != nil {
			t.cell++
		}
	}
}

// noteControls remembers the ids of panels that a button opens: a collapsed
// answer in a list of questions is hidden, and yet part of the page.
func (p *page) noteControls(a attributes) {
	for id := range strings.FieldsSeq(a.controls) {
		if len(p.controlled) < 1<<12 {
			p.controlled[id] = true
		}
	}
}

// layout marks the table around as one that arranges a page.
func (p *page) layout() {
	if t := p.table(); t != nil {
		t.layout = true
	}
}

// table returns the innermost open table, or nil.
func (p *page) table() *table {
	if n := p.open.table(); n > 0 {
		return &p.tables[n-1]
	}
	return nil
}

// void handles tags without content.
func (p *page) void(name string) {
	if p.open.skipping() {
		return
	}
	switch name {
	case "br":
		p.space = false
		if len(p.buf) > 0 {
			p.buf = append(p.buf, '\n')
		}
	case "hr":
		p.boundary(block)
	}
}

func (p *page) end(name []byte) {
	p.inTitle = false
	t := tags[string(name)]
	if t&spaced != 0 {
		p.space = true
	}
	p.open.closeNamed(string(name), t, p.boundary)
}

// boundary ends the block being read where an element of tag t begins or ends.
// Inside pre it is a line's end.
func (p *page) boundary(t tag) {
	if p.open.pre > 0 && t&pre == 0 {
		if len(p.buf) > 0 && p.buf[len(p.buf)-1] != '\n' {
			p.buf = append(p.buf, '\n')
		}
		return
	}
	p.flush()
}

// characters adds text to the block being read, as a browser would show it.
func (p *page) characters(text []byte) {
	switch {
	case p.inTitle:
		p.title = strings.Join(strings.Fields(p.title+" "+string(text)), " ")
		return
	case p.open.skipping():
		return
	case p.open.pre > 0:
		p.buf = append(p.buf, bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))...)
		return
	}
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\f' || r == 0xA0:
			p.space = true
		case r == 0xAD || r == 0x200B || r == 0xFEFF || r == 0:
			// soft hyphen, zero width space, byte order mark: never seen
		default:
			if p.space && len(p.buf) > 0 && p.buf[len(p.buf)-1] != '\n' {
				p.buf = append(p.buf, ' ')
			}
			p.space = false
			p.buf = append(p.buf, text[:n]...)
		}
		text = text[n:]
	}
}

// flush makes an item of the block being read.
func (p *page) flush() {
	p.space = false
	text := bytes.TrimFunc(p.buf, unicode.IsSpace)
	p.buf = p.buf[:0]
	o := &p.open
	if o.heading > 0 {
		text = bytes.TrimRight(text, " ¶#§🔗")
	}
	if len(text) == 0 {
		return
	}
	text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	if n := len(p.items); n >= maxBlocks {
		p.arena = append(append(p.arena, '\n'), text...)
		p.items[n-1].end = int32(len(p.arena))
		return
	}
	it := item{start: int32(len(p.arena)), region: o.region(), number: -1, table: o.table()}
	p.arena = append(p.arena, text...)
	it.end = int32(len(p.arena))
	switch {
	case o.heading > 0:
		it.kind, it.level, it.anchor = Heading, o.heading, p.id
		p.id = ""
		if it.level == 1 && p.h1 == "" {
			p.h1 = strings.Join(strings.Fields(string(text)), " ")
		}
	case o.pre > 0:
		it.kind = Code
	case len(o.lists) > 0:
		l := &o.lists[len(o.lists)-1]
		it.kind, it.level = ListItem, uint8(min(len(o.lists), 255))
		if l.fresh {
			it.number, l.fresh = l.number, false
		}
	case o.quote > 0:
		it.kind = Quote
	}
	if it.table > 0 {
		t := p.tables[it.table-1]
		it.row, it.cell = t.row, t.cell
	}
	p.items = append(p.items, it)
}
