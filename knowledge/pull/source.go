package pull

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// A Source says what is pulled, and how it is read. Every path in it is a
// JSONPath query (RFC 9535) such as "$.data.items[*]", or its short form: names
// and indexes with dots between, such as "data.items" or "tags[*].name".
type Source struct {
	// URL is where the list is, or its first page: https, or http if the client
	// allows it, without user name, password and fragment. A secret belongs in a
	// header; in a parameter it is kept out of errors if the parameter is named
	// like one, such as api_key.
	URL string `json:"url"`

	// Header is sent with every request, and only to the host of URL.
	Header http.Header `json:"-"`

	// Items is where the items are in the answer: a list, whose elements they
	// are, or a path that matches each of them. Empty: the answer is the list, or
	// itself the only item.
	Items string `json:"items,omitzero"`

	Mapping    Mapping    `json:"mapping"`
	Pagination Pagination `json:"pagination,omitzero"`

	// MaxItems and MaxPages end a run. The defaults are 100,000 and 10,000.
	MaxItems int `json:"max_items,omitzero"`
	MaxPages int `json:"max_pages,omitzero"`
}

// A Mapping says where in an item its parts are. In its paths "$" is the item.
// A path that matches a list, or several values, takes them all.
type Mapping struct {
	// ID names the item for good; two items of a source have different ones.
	// Empty: the item's address or, without one, its content is what it is
	// known by, so that an item that changes is another one.
	ID string `json:"id,omitzero"`

	Title string `json:"title,omitzero"` // several values are joined by spaces
	URL   string `json:"url,omitzero"`   // where a customer can read the item; may be relative to the source's

	// Text is what the item says, and Texts what comes after it. Several values
	// are joined with an empty line between. A string that is HTML is taken as
	// HTML.
	Text  string   `json:"text,omitzero"`
	Texts []string `json:"texts,omitzero"`

	// Metadata is what searches can filter by: a path for each name. Several
	// values become a list.
	Metadata map[string]string `json:"metadata,omitzero"`

	// Flatten adds to the text all that no other path has taken, in lines such
	// as "price › amount: 5"; see [Item.Text]. Text may be empty then.
	Flatten bool `json:"flatten,omitzero"`
}

// A Paging says how the pages of a list follow each other.
type Paging string

// The ways in which the pages of a list follow each other.
const (
	None   Paging = ""       // there is one page
	Page   Paging = "page"   // pages are numbered in a parameter
	Offset Paging = "offset" // a parameter says how many items are skipped
	Cursor Paging = "cursor" // an answer holds the value of a parameter for the next
	Link   Paging = "link"   // a header says the next page's address (RFC 8288, rel=next)
	Next   Paging = "next"   // an answer holds the next page's address
)

// A Pagination says how to get from one page to the next. The next page's
// address is on the host of the source, whatever the answer says.
type Pagination struct {
	Kind Paging `json:"kind,omitzero"`

	// Param is the parameter that says which page is wanted. The default is
	// "page", "offset" or "cursor", as Kind is.
	Param string `json:"param,omitzero"`

	// FromZero says that the number of the first page is 0, not 1.
	FromZero bool `json:"from_zero,omitzero"`

	// Size is how many items a page is asked to have, in the parameter SizeParam,
	// whose default is "limit", or "per_page" if Kind is [Page]. 0 asks for none.
	Size      int    `json:"size,omitzero"`
	SizeParam string `json:"size_param,omitzero"`

	// Path is where in an answer the next [Cursor], or the [Next] address, is. A
	// page where it is missing, null, empty or false is the last one. A cursor
	// that is the last item's id is found by a path such as $.data[-1].id.
	Path string `json:"path,omitzero"`

	// More is where in an answer it says whether there are more pages, such as
	// has_more. Empty: it does not say.
	More string `json:"more,omitzero"`
}

// Bounds of a source.
const (
	maxURL      = 4 << 10
	maxHeader   = 64
	maxMetadata = 64
	maxTexts    = 16
	maxPageSize = 100_000
	maxParam    = 128
)

// A plan is a source that was checked.
type plan struct {
	Source
	url        *url.URL
	items      *path
	mapper     mapper
	next, more *path
	mask       *mask
}

// Check returns the [*FieldError] with which [Puller.Pull] would refuse a source, or
// nil.
func Check(s Source) error {
	_, err := newPlan(s, true)
	return err
}

// newPlan checks s. The error is a [*FieldError].
func newPlan(s Source, mapped bool) (*plan, error) {
	s.Header = s.Header.Clone()
	p := &plan{Source: s}
	var err error
	if p.url, err = checkURL(s.URL); err != nil {
		return nil, err
	}
	if err := checkHeader(s.Header); err != nil {
		return nil, err
	}
	if err := p.Pagination.fill(); err != nil {
		return nil, err
	}
	if s.MaxItems < 0 {
		return nil, field("max_items", "cannot be negative; 0 means the default")
	}
	if s.MaxPages < 0 {
		return nil, field("max_pages", "cannot be negative; 0 means the default")
	}
	p.MaxItems = cmp.Or(s.MaxItems, 100_000)
	p.MaxPages = cmp.Or(s.MaxPages, 10_000)
	read := func(name, text string) *path {
		if text == "" || err != nil {
			return nil
		}
		one, wrong := parsePath(text)
		if wrong != nil {
			err = field(name, "%q %v", clip(text, 80), wrong)
		}
		return one
	}
	p.items = read("items", s.Items)
	p.next = read("pagination.path", p.Pagination.Path)
	p.more = read("pagination.more", p.Pagination.More)
	p.mapper = newMapper(p.Mapping, p.url, read)
	if err != nil {
		return nil, err
	}
	if mapped && len(p.mapper.texts) == 0 && !s.Mapping.Flatten {
		return nil, field("mapping.text", "is needed, or mapping.flatten")
	}
	if len(s.Mapping.Texts) > maxTexts {
		return nil, field("mapping.texts", "has %d paths, more than %d", len(s.Mapping.Texts), maxTexts)
	}
	if len(s.Mapping.Metadata) > maxMetadata {
		return nil, field("mapping.metadata", "has %d names, more than %d", len(s.Mapping.Metadata), maxMetadata)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Mapping.Metadata)) {
		if name == "" || len(name) > 128 || s.Mapping.Metadata[name] == "" {
			return nil, field("mapping.metadata", "needs names of 1 to 128 bytes, each with a path")
		}
	}
	p.mask = newMask(p)
	return p, nil
}

func checkURL(raw string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case len(raw) > maxURL:
		return nil, field("url", "is longer than %d bytes", maxURL)
	case err != nil:
		return nil, field("url", "cannot be read")
	case u.User != nil:
		return nil, field("url", "holds a user name or password; send them in a header")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.Opaque != "":
		return nil, field("url", "must begin with https:// and a host")
	case strings.Contains(raw, "#"):
		return nil, field("url", "has a fragment; leave out # and what follows")
	}
	return u, nil
}

// ours are headers that say how a request is sent, which the puller decides.
var ours = []string{
	"Accept-Encoding", "Connection", "Content-Length", "Expect", "Host", "If-Match", "If-Modified-Since", "If-None-Match", "If-Range",
	"If-Unmodified-Since", "Keep-Alive", "Proxy-Authorization", "Proxy-Connection", "Range", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
}

func checkHeader(h http.Header) error {
	if len(h) > maxHeader {
		return field("headers", "has %d names, more than %d", len(h), maxHeader)
	}
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return field("headers", "has a name that is none of HTTP")
		case slices.Contains(ours, canonical):
			return field("headers."+canonical, "cannot be set; leave it out")
		case seen[canonical] || len(h[name]) != 1:
			return field("headers."+canonical, "must have one value")
		case !httpguts.ValidHeaderFieldValue(h[name][0]) || len(h[name][0]) > 16<<10:
			return field("headers."+canonical, "has a value that HTTP cannot send; look for a line end")
		}
		seen[canonical] = true
	}
	return nil
}

// fill puts the defaults in and checks.
func (p *Pagination) fill() error {
	if p.Size < 0 || p.Size > maxPageSize {
		return field("pagination.size", "must be 1 to %d, or 0 for what the API does by itself", maxPageSize)
	}
	if len(p.Param) > maxParam {
		return field("pagination.param", "has %d bytes, more than %d", len(p.Param), maxParam)
	}
	if len(p.SizeParam) > maxParam {
		return field("pagination.size_param", "has %d bytes, more than %d", len(p.SizeParam), maxParam)
	}
	size := "limit"
	switch p.Kind {
	case None:
	case Page:
		p.Param, size = cmp.Or(p.Param, "page"), "per_page"
	case Offset:
		p.Param = cmp.Or(p.Param, "offset")
	case Cursor:
		p.Param = cmp.Or(p.Param, "cursor")
	case Link, Next:
	default:
		return field("pagination.kind", "%q is none: use page, offset, cursor, link or next, or leave it out", clip(string(p.Kind), 32))
	}
	if needs := p.Kind == Cursor || p.Kind == Next; needs != (p.Path != "") {
		return field("pagination.path", "is needed where pages follow each other by cursor or next, and only there")
	}
	p.SizeParam = cmp.Or(p.SizeParam, size)
	return nil
}

// fingerprint is equal for sources that read the same items in the same way.
// Headers have no part in it.
func (s *Source) fingerprint() string {
	raw, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a struct of strings and numbers: %v", err))
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}
