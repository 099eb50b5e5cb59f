package extract

import (
	"bytes"
	"cmp"
	"strings"

	"golang.org/x/net/html"
)

// tag says what an element does to the text around it.
type tag uint32

const (
	block      tag = 1 << iota // begins and ends a block
	skip                       // its content is not the page's text
	void                       // has no content and no end tag
	spaced                     // stands apart from the words around it
	scope                      // end tags inside close nothing outside
	heading                    // h1 … h6
	pre                        // white space is kept
	quote                      // blockquote
	ordered                    // ol
	unordered                  // ul
	listItem                   // li
	tableTag                   // table
	row                        // tr
	cell                       // td, th
	mainTag                    // main
	articleTag                 // article
	furniture                  // header, footer, aside
)

var headingNames = []string{"h1", "h2", "h3", "h4", "h5", "h6"}

var tags = func() map[string]tag {
	m := map[string]tag{
		"pre": block | pre, "listing": block | pre, "blockquote": block | quote,
		"ol": block | ordered, "ul": block | unordered, "menu": block | unordered, "dir": block | unordered,
		"li": block | listItem, "main": block | mainTag, "article": block | articleTag,
		"header": block | furniture, "footer": block | furniture, "aside": block | furniture,
		"table": block | tableTag | scope, "tr": block | row, "td": block | cell | scope, "th": block | cell | scope,
		"caption": block | scope, "nav": block | skip, "dialog": block | skip, "template": skip, "title": 0,
	}
	for _, name := range headingNames {
		m[name] = block | heading
	}
	for name := range strings.FieldsSeq(`address body center dd details div dl dt fieldset figcaption figure form
		hgroup html legend p search section summary tbody thead tfoot optgroup noframes`) {
		m[name] = block
	}
	for name := range strings.FieldsSeq(`script style noscript svg iframe object select textarea canvas audio video
		map noembed datalist`) {
		m[name] = skip
	}
	for name := range strings.FieldsSeq("area base br col embed hr img input link meta param source track wbr") {
		m[name] = void
	}
	for name := range strings.FieldsSeq("button label output") {
		m[name] = spaced
	}
	return m
}()

// roles are the ARIA roles that say what an element's name does not.
var roles = map[string]tag{
	"navigation": skip, "search": skip, "main": mainTag, "article": articleTag,
	"banner": furniture, "contentinfo": furniture, "complementary": furniture,
}

// attributes are those of a start tag that are looked at.
type attributes struct {
	id, name, role, controls, lang string
	hidden, open                   bool
}

// anchor returns the fragment by which the element is reached.
func (a attributes) anchor() string {
	if a.id != "" {
		return a.id
	}
	return a.name
}

func readAttributes(z *html.Tokenizer, more bool) attributes {
	var a attributes
	var key, value []byte
	for more {
		key, value, more = z.TagAttr()
		switch string(key) {
		case "id":
			a.id = clip(value)
		case "name":
			a.name = clip(value)
		case "lang":
			a.lang = clip(value)
		case "role":
			a.role = strings.ToLower(clip(value))
		case "aria-controls":
			a.controls = clip(value)
		case "hidden":
			a.hidden = a.hidden || !strings.EqualFold(string(value), "until-found")
		case "aria-hidden":
			a.hidden = a.hidden || strings.EqualFold(string(value), "true")
		case "open":
			a.open = true
		case "style":
			s := strings.ToLower(string(bytes.Join(bytes.Fields(value), nil)))
			a.hidden = a.hidden || strings.Contains(s, "display:none") || strings.Contains(s, "visibility:hidden")
		}
	}
	return a
}

// clip copies an attribute's value if it is of a sane length.
func clip(value []byte) string {
	if len(value) > 256 {
		return ""
	}
	return string(bytes.ToValidUTF8(value, nil))
}

// meta reads when the page was written.
func (p *page) meta(z *html.Tokenizer, more bool) {
	name, content := "", ""
	for more {
		var key, value []byte
		switch key, value, more = z.TagAttr(); string(key) {
		case "name", "property":
			name = strings.ToLower(clip(value))
		case "content":
			content = clip(value)
		}
	}
	at := w3cDate(content)
	switch name {
	case "article:published_time", "dcterms.created", "created":
		p.created = cmp.Or(p.created, at)
	case "article:modified_time", "dcterms.modified", "changed":
		p.modified = cmp.Or(p.modified, at)
	}
}
