package crawl

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// Bounds of what one page may lead to.
const (
	maxLinks      = 10_000 // different addresses of the site
	maxAlternates = 200
	maxTitle      = 500 // bytes
)

// A page is what a crawl takes from the markup of one.
type page struct {
	title, language string
	canonical       *url.URL // nil: none, or none that can be asked for
	alternates      []Alternate
	directive       directive
	hash            string

	links     []link
	elsewhere map[string]int // links to other hosts, by host
	ignored   map[string]int // links that name no page, by scheme
	dropped   int            // links beyond maxLinks
}

// A link is an address of the site, as its key.
type link struct {
	key      string
	nofollow bool
}

// readPage reads the markup of the page at u, an address within sc. It goes
// token by token: no tree is built, so no input takes more than linear time
// and memory.
func readPage(u *url.URL, sc scope, body []byte) *page {
	r := pageReader{
		page:  &page{elsewhere: map[string]int{}, ignored: map[string]int{}},
		base:  u,
		scope: sc,
		seen:  map[string]int{},
		sum:   sha256.New(),
	}
	z := html.NewTokenizer(bytes.NewReader(body))
	for {
		switch z.Next() {
		case html.ErrorToken: // the end: reading from memory fails in no other way
			return r.finish()
		case html.TextToken:
			r.text(z)
		case html.StartTagToken, html.SelfClosingTagToken:
			r.start(z)
		case html.EndTagToken:
			r.inTitle, r.hidden = false, false
		}
	}
}

type pageReader struct {
	*page
	base    *url.URL
	hasBase bool
	scope   scope
	seen    map[string]int // by address as written: its index in links, or -1
	inTitle bool
	hidden  bool // in a script or a style sheet
	sum     hash.Hash
	chunk   []byte // of text, on its way into sum

	title      strings.Builder
	robots     directive // for everybody
	ours       directive // for us
	hasOurs    bool
	canonical  string
	alternates []Alternate // as written
}

func (r *pageReader) finish() *page {
	r.sum.Write(r.chunk)
	p := r.page
	p.hash = hex.EncodeToString(r.sum.Sum(nil)[:16])
	p.title = strings.Join(strings.Fields(r.title.String()), " ")
	p.title = strings.ToValidUTF8(p.title[:min(len(p.title), maxTitle)], "")
	if p.directive = r.robots; r.hasOurs {
		p.directive = r.ours
	}
	if r.canonical != "" {
		p.canonical, _, _ = resolve(r.base, r.canonical)
	}
	for _, a := range r.alternates {
		if u, _, ok := resolve(r.base, a.URL); ok {
			p.alternates = append(p.alternates, Alternate{a.Language, text(u)})
		}
	}
	return p
}

// text adds a stretch of text to the title and to the hash, in which white
// space counts as one space and characters count as they are written.
func (r *pageReader) text(z *html.Tokenizer) {
	if !r.hidden {
		r.chunkText(z.Raw())
	}
	if r.inTitle && r.title.Len() < 4*maxTitle {
		t := z.Text()
		r.title.Write(t[:min(len(t), 4*maxTitle)])
	}
}

func (r *pageReader) chunkText(t []byte) {
	space := len(r.chunk) > 0 && (r.chunk[len(r.chunk)-1] == ' ' || r.chunk[len(r.chunk)-1] == '>')
	for _, c := range t {
		if c <= ' ' {
			if !space {
				r.chunk = append(r.chunk, ' ')
			}
			space = true
			continue
		}
		r.chunk, space = append(r.chunk, c), false
	}
	r.flush()
}

// flush feeds the hash when enough has come together.
func (r *pageReader) flush() {
	if len(r.chunk) >= 4<<10 {
		r.sum.Write(r.chunk)
		r.chunk = r.chunk[:0]
	}
}

// start reads a start tag. Attributes are not in the hash, since servers write
// tokens into them that differ each time.
func (r *pageReader) start(z *html.Tokenizer) {
	at := len(r.chunk) + 1
	r.chunk = appendTagName(append(r.chunk, '<'), z.Raw())
	name := r.chunk[at:]
	r.chunk = append(r.chunk, '>')
	r.inTitle, r.hidden = false, false
	switch string(name) {
	case "a", "area":
		a := readAttrs(z)
		r.link(a.href, hasWord(a.rel, "nofollow"))
	case "frame":
		r.link(readAttrs(z).src, false)
	case "link":
		r.headLink(readAttrs(z))
	case "meta":
		r.meta(readAttrs(z))
	case "base":
		a := readAttrs(z)
		if u, _, ok := resolve(r.base, a.href); ok && !r.hasBase && a.href != "" {
			r.base, r.hasBase = u, true
		}
	case "html":
		if a := readAttrs(z); r.language == "" && languageTag(a.lang) {
			r.language = a.lang
		}
	case "title":
		r.inTitle = r.title.Len() == 0
	case "script", "style":
		r.hidden = true
	}
	r.flush()
}

// appendTagName appends the name in a start tag, in lower case. The tokenizer's
// own method allocates for each tag of a page.
func appendTagName(b, tag []byte) []byte {
	for _, c := range tag[1:] {
		switch {
		case c <= ' ' || c == '/' || c == '>':
			return b
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		}
		b = append(b, c)
	}
	return b
}

// languageTag says whether s looks like one (RFC 5646).
func languageTag(s string) bool {
	return len(s) >= 2 && len(s) <= 35 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

// link adds what an element leads to.
func (r *pageReader) link(href string, nofollow bool) {
	if href == "" || href[0] == '#' {
		return
	}
	if i, ok := r.seen[href]; ok {
		if i >= 0 && !nofollow {
			r.links[i].nofollow = false
		}
		return
	}
	if len(r.seen) >= 2*maxLinks {
		r.dropped++
		return
	}
	r.seen[href] = -1
	u, kind, ok := resolve(r.base, href)
	switch {
	case !ok && kind == "":
		return
	case !ok:
		count(r.ignored, kind)
		return
	case !r.scope.has(u):
		count(r.elsewhere, u.Host)
		return
	}
	k := key(u)
	if i, ok := r.seen[" "+k]; ok { // the same in another spelling
		r.seen[href] = i
		r.links[i].nofollow = r.links[i].nofollow && nofollow
		return
	}
	if len(r.links) == maxLinks {
		r.dropped++
		return
	}
	r.seen[href], r.seen[" "+k] = len(r.links), len(r.links)
	r.links = append(r.links, link{key: k, nofollow: nofollow})
}

// maxCounted bounds the different words of a count.
const maxCounted = 100

// count adds one to what m says of word, if there is room for it.
func count(m map[string]int, word string) {
	if _, ok := m[word]; ok || len(m) < maxCounted {
		m[word]++
	}
}

func (r *pageReader) headLink(a attrs) {
	switch {
	case hasWord(a.rel, "canonical"):
		if r.canonical == "" {
			r.canonical = a.href
		}
	case hasWord(a.rel, "alternate") && a.hreflang != "":
		if len(r.alternates) < maxAlternates && languageTag(a.hreflang) {
			r.alternates = append(r.alternates, Alternate{a.hreflang, a.href})
			r.link(a.href, false)
		}
	case hasWord(a.rel, "next"), hasWord(a.rel, "prev"):
		r.link(a.href, false)
	}
}

func (r *pageReader) meta(a attrs) {
	switch {
	case strings.EqualFold(a.name, "robots"):
		r.robots.add(a.content)
	case strings.EqualFold(a.name, Agent):
		r.ours.add(a.content)
		r.hasOurs = true
	case strings.EqualFold(a.httpEquiv, "refresh"):
		if _, to, ok := strings.Cut(a.content, ";"); ok {
			if name, to, ok := strings.Cut(to, "="); ok && strings.EqualFold(strings.TrimSpace(name), "url") {
				r.link(strings.Trim(strings.TrimSpace(to), `'"`), false)
			}
		}
	case strings.EqualFold(a.httpEquiv, "content-language"):
		if r.language == "" && languageTag(a.content) {
			r.language = a.content
		}
	}
}

// attrs are the attributes of a start tag that are looked at.
type attrs struct {
	href, src, rel, hreflang, name, content, httpEquiv, lang string
}

func readAttrs(z *html.Tokenizer) attrs {
	var a attrs
	for more := true; more; {
		var name, value []byte
		name, value, more = z.TagAttr() // of nothing, if there is none
		var to *string
		switch string(name) {
		case "href":
			to = &a.href
		case "src":
			to = &a.src
		case "rel":
			to = &a.rel
		case "hreflang":
			to = &a.hreflang
		case "name":
			to = &a.name
		case "content":
			to = &a.content
		case "http-equiv":
			to = &a.httpEquiv
		case "lang", "xml:lang":
			to = &a.lang
		default:
			continue
		}
		if *to == "" && len(value) <= 4*maxURL { // of two the first counts
			*to = string(value)
		}
	}
	return a
}

// hasWord says whether word is among the words of s, in any case.
func hasWord(s, word string) bool {
	for w := range strings.FieldsSeq(s) {
		if strings.EqualFold(w, word) {
			return true
		}
	}
	return false
}
