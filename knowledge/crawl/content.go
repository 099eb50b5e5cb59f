package crawl

import (
	"bytes"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// MainContent returns page, which is HTML, without the parts that stand on
// every page of a site and are marked by their class or id alone: cookie
// banners, side bars, breadcrumbs, tables of contents, share buttons, comments,
// links to a heading itself. Where a page has neither main nor article, lists of
// links go too. What elements and roles say (nav, footer, aside …) is left to
// who reads the page, as knowledge/extract does.
//
// Nothing is cut that holds a page's main, article or h1, or half of its text,
// or that is never closed. All else stays byte by byte.
func MainContent(page []byte) []byte {
	c := cutter{known: map[string]bool{}}
	c.read(page)
	return c.apply(page)
}

// Bounds of what is remembered while a page is read.
const (
	maxOpen  = 512   // elements within elements; deeper ones belong to the one around
	maxMatch = 64    // open elements that an end tag may close at a time
	maxCuts  = 4096  // parts that are cut
	maxWords = 10000 // different classes
	minLinks = 5     // links in a list that is nothing else
)

type cutter struct {
	known map[string]bool // classes, and whether they are of furniture
	open  []part
	cuts  []part
	body  bool // the page has main or article
	now   part // text and links of the page so far
	at    int  // byte of the page
	link  bool // in a link
}

// A part is an element that is open, or is to be cut.
type part struct {
	name       string
	start, end int // bytes of the page
	furniture  bool
	central    bool // it holds main, article or h1
	text       int  // bytes of text, white space not counted
	linked     int  // of them in links
	links      int
}

// parts are the elements that can be cut.
var parts = func() map[string]bool {
	m := map[string]bool{}
	for name := range strings.FieldsSeq("div ul ol dl section aside table td nav header footer form span p a button details") {
		m[name] = true
	}
	return m
}()

func (c *cutter) read(page []byte) {
	z := html.NewTokenizer(bytes.NewReader(page))
	raw := false // in a script or a style sheet
	for {
		kind := z.Next()
		begin := c.at
		c.at += len(z.Raw())
		switch kind {
		case html.ErrorToken:
			return
		case html.TextToken:
			if !raw {
				c.text(z.Raw())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			raw = c.startTag(z, begin)
		case html.EndTagToken:
			name, _ := z.TagName()
			raw = false
			c.endTag(string(name))
		}
	}
}

func (c *cutter) text(t []byte) {
	n := 0
	for _, b := range t {
		if b > ' ' {
			n++
		}
	}
	c.now.text += n
	if c.link {
		c.now.linked += n
	}
}

func (c *cutter) startTag(z *html.Tokenizer, begin int) (raw bool) {
	tag, more := z.TagName()
	name := string(tag)
	switch name {
	case "main", "article", "h1":
		c.body = c.body || name != "h1"
		for i, p := range slices.Backward(c.open) {
			if p.central {
				break // and so are those around it
			}
			c.open[i].central = true
		}
	case "script", "style":
		return true
	case "a":
		c.link = true
		c.now.links++
	}
	if !parts[name] || len(c.open) == maxOpen {
		return false
	}
	p := part{name: name, start: begin, text: c.now.text, linked: c.now.linked, links: c.now.links}
	for more {
		var key, value []byte
		key, value, more = z.TagAttr()
		switch string(key) {
		case "class":
			p.furniture = p.furniture || c.furniture(string(value[:min(len(value), 1<<10)]), name == "a")
		case "id":
			// A section's id is often made of its heading's words.
			p.furniture = p.furniture || name != "section" && name != "a" && len(value) < 100 && c.furniture(string(value), false)
		}
	}
	c.open = append(c.open, p)
	return false
}

func (c *cutter) endTag(name string) {
	if name == "a" {
		c.link = false
	}
	if !parts[name] {
		return
	}
	from := max(0, len(c.open)-maxMatch)
	i := slices.IndexFunc(c.open[from:], func(p part) bool { return p.name == name })
	if i < 0 {
		return
	}
	last := len(c.open) - 1
	for c.open[last].name != name {
		last--
	}
	p := c.open[last]
	c.open = c.open[:last] // those within were not closed
	p.end = c.at
	p.text, p.linked, p.links = c.now.text-p.text, c.now.linked-p.linked, c.now.links-p.links
	list := p.links >= minLinks && p.linked*10 >= p.text*9 && name != "a"
	if !p.central && (p.furniture || list) && len(c.cuts) < maxCuts {
		c.cuts = append(c.cuts, p)
	}
}

// apply cuts. Parts within parts that are cut go with them.
func (c *cutter) apply(page []byte) []byte {
	slices.SortStableFunc(c.cuts, func(a, b part) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return b.end - a.end
	})
	out := make([]byte, 0, len(page))
	at := 0
	for _, p := range c.cuts {
		if p.start < at || p.text*2 >= c.now.text || !p.furniture && c.body {
			continue
		}
		out = append(append(out, page[at:p.start]...), ' ')
		at = p.end
	}
	return append(out, page[at:]...)
}

// furniture says whether one of the classes is that of page furniture.
func (c *cutter) furniture(classes string, link bool) bool {
	for class := range strings.FieldsSeq(classes) {
		key := class
		if link {
			key = "a " + class
		}
		is, ok := c.known[key]
		if !ok {
			is = isFurniture(words(class), link)
			if len(c.known) < maxWords {
				c.known[key] = is
			}
		}
		if is {
			return true
		}
	}
	return false
}

// words writes a class as "-its-words-in-lower-case-".
func words(class string) string {
	b := make([]byte, 0, len(class)+8)
	b = append(b, '-')
	lower := false
	for _, ch := range []byte(class) {
		switch {
		case ch == '-' || ch == '_' || ch == ':':
			ch = '-'
		case ch >= 'A' && ch <= 'Z':
			if lower {
				b = append(b, '-')
			}
			ch |= 0x20
			lower = false
		default:
			lower = true
		}
		if ch != '-' || b[len(b)-1] != '-' {
			b = append(b, ch)
		}
	}
	return string(append(b, '-'))
}

// whole are classes that say it alone; phrases say it within a longer class.
var (
	whole = wordSet(`menu nav navigation navbar footer related comments share toc topbar`)

	phrases = wordSet(`sidebar side-bar sidenav side-nav side-menu sphinxsidebar wy-nav-side breadcrumb breadcrumbs toc-mobile
		table-of-contents on-this-page cookie-banner cookie-consent cookie-notice cookie-bar cookie-popup cookie-law cookie-dialog
		cookies-banner cookiebanner cookieconsent cookiebot onetrust gdpr consent-banner consent-sdk skip-link skip-to skiplink
		edit-this-page edit-page edit-link pagination pagination-nav pager post-navigation nav-links share-buttons share-links
		social-share social-links social-icons sharedaddy related-posts related-articles relatedposts comments-area comment-respond
		comment-form newsletter-form newsletter-signup widget-area main-menu main-nav main-navigation primary-menu primary-nav
		site-nav site-navigation nav-menu top-menu mobile-menu site-footer footer-buttons page-footer was-this-helpful
		page-feedback back-to-top announcement-bar`)

	// selfLinks are those of links that lead to the heading they stand in.
	selfLinks = wordSet("headerlink hash-link anchor-link heading-anchor header-anchor permalink skip-link edit-this-page edit-link")
)

func wordSet(list string) []string {
	var out []string
	for w := range strings.FieldsSeq(list) {
		out = append(out, "-"+w+"-")
	}
	return out
}

func isFurniture(class string, link bool) bool {
	has := func(phrase string) bool { return strings.Contains(class, phrase) }
	if link {
		return slices.ContainsFunc(selfLinks, has)
	}
	return slices.Contains(whole, class) || slices.ContainsFunc(phrases, has)
}
