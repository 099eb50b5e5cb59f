package pull

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Names that APIs give to the parts of an item, the likeliest first.
var (
	listNames  = []string{"items", "data", "results", "articles", "products", "entries", "records", "documents", "docs", "posts", "pages", "nodes", "rows", "hits", "values", "list", "content", "elements", "objects"}
	idNames    = []string{"id", "uuid", "_id", "guid", "gid", "key", "slug", "handle", "sku", "code", "number"}
	titleNames = []string{"title", "question", "headline", "subject", "name", "heading", "display_name", "displayname", "label", "term"}
	textNames  = []string{"body", "answer", "content", "text", "description", "html", "body_html", "bodyhtml", "content_html", "article", "markdown", "details", "message", "excerpt", "summary", "instructions"}
	urlNames   = []string{"html_url", "permalink", "web_url", "weburl", "canonical_url", "public_url", "link", "url", "href", "path"}
	metaNames  = []string{"category", "categories", "tags", "labels", "label_names", "section", "type", "status", "brand", "vendor", "product_type", "author", "language", "locale", "lang", "price", "currency", "sku", "published_at", "created_at", "updated_at", "modified", "updated", "date", "last_modified", "updatedat", "createdat"}

	// wrappers are members that hold the value of what they are in.
	wrappers = []string{"rendered", "value", "raw", "plain", "html", "storage", "view", "default", "en", "name"}
)

// Bounds of suggestions.
const (
	maxSuggested = 8  // names of metadata
	shortValue   = 64 // bytes, the mean length of what is suggested as metadata
	longText     = 40 // bytes, the mean length of a text without a known name
)

// suggestItems is where the items seem to be: in the list with the most objects,
// of those with equally many in the one with the likelier name, nearer to the
// top. An empty list counts if its name is likely.
func suggestItems(s stats) string {
	best := (*stat)(nil)
	better := func(a, b *stat) bool {
		return b == nil || cmp.Or(b.objects-a.objects, a.rank(listNames)-b.rank(listNames), len(a.names)-len(b.names), strings.Compare(a.path, b.path)) < 0
	}
	for _, one := range s {
		empty := s[one.path+"[*]"] == nil && one.rank(listNames) < len(listNames)
		if one.types["list"] && one.lists == 0 && (one.objects > 0 || empty) && better(one, best) {
			best = one
		}
	}
	if best == nil {
		return "$"
	}
	return best.path
}

// rank is the place of a stat's name in a list of names; behind all if it is in
// none.
func (s *stat) rank(names []string) int {
	if i := slices.Index(names, s.name(names)); i >= 0 {
		return i
	}
	return len(names)
}

// name is the last name on the way to a stat, in lower case; that of what it is
// in, if the last one is of a wrapper and not itself looked for.
func (s *stat) name(wanted []string) string {
	for i := len(s.names) - 1; i >= 0; i-- {
		n := strings.ToLower(s.names[i])
		if outer := i > 0 && slices.Contains(wrappers, n) && (!slices.Contains(wanted, n) || slices.Contains(wanted, strings.ToLower(s.names[i-1]))); !outer {
			return n
		}
	}
	return ""
}

// only says whether a stat's values are of the types given, or null.
func (s *stat) only(types ...string) bool {
	some := false
	for t := range s.types {
		if t != "null" && !slices.Contains(types, t) {
			return false
		}
		some = some || t != "null"
	}
	return some
}

func (s *stat) mean() int { return s.length / max(s.count, 1) }

// nearest orders stats by how well their name is known, and how near they are
// to the top of an item.
func nearest(names []string) func(a, b *stat) int {
	return func(a, b *stat) int {
		return cmp.Or(len(a.names)-len(b.names), a.rank(names)-b.rank(names), strings.Compare(a.path, b.path))
	}
}

// suggestMapping is a mapping for items that look like s, of which there are n.
func suggestMapping(s stats, n int) Mapping {
	if n == 0 {
		return Mapping{}
	}
	var m Mapping
	var all []*stat
	for _, path := range slices.Sorted(maps.Keys(s)) {
		all = append(all, s[path])
	}
	pick := func(order func(a, b *stat) int, fits func(*stat) bool) string {
		var fit []*stat
		for _, one := range all {
			if fits(one) {
				fit = append(fit, one)
			}
		}
		if len(fit) == 0 {
			return ""
		}
		return slices.MinFunc(fit, order).path
	}
	known := func(one *stat, names []string) bool { return slices.Contains(names, one.name(names)) }

	m.ID = pick(nearest(idNames), func(one *stat) bool {
		return known(one, idNames) && one.lists == 0 && one.only("string", "number") && one.items == n && len(one.values) == min(n, maxList) && one.mean() <= maxID/4
	})
	m.URL = pick(func(a, b *stat) int {
		return cmp.Or(a.rank(urlNames)-b.rank(urlNames), len(a.names)-len(b.names), strings.Compare(a.path, b.path))
	}, func(one *stat) bool {
		return known(one, urlNames) && one.lists == 0 && one.only("string") && address(one.example)
	})
	m.Title = pick(nearest(titleNames), func(one *stat) bool {
		return known(one, titleNames) && one.lists == 0 && one.only("string") && one.mean() <= maxTitle && one.path != m.ID
	})
	longest := func(a, b *stat) int {
		return cmp.Or(b.length-a.length, a.rank(textNames)-b.rank(textNames), strings.Compare(a.path, b.path))
	}
	m.Text = pick(longest, func(one *stat) bool {
		return known(one, textNames) && one.only("string") && one.spaces > 0 && one.path != m.Title
	})
	if m.Text == "" {
		m.Text = pick(longest, func(one *stat) bool {
			return one.only("string") && one.path != m.Title && one.mean() >= longText && one.spaces*2 >= one.count
		})
	}
	m.Flatten = m.Text == ""
	m.Metadata = suggestMetadata(all, m)
	return m
}

// address says whether an example is the address of a page.
func address(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "/")
}

// suggestMetadata takes the short values whose names are known.
func suggestMetadata(all []*stat, m Mapping) map[string]string {
	used := []string{m.ID, m.Title, m.Text, m.URL}
	var fit []*stat
	for _, one := range all {
		if slices.Contains(metaNames, one.name(metaNames)) && one.lists <= 1 && len(one.names) <= 2 && one.only("string", "number", "boolean") && one.mean() <= shortValue && !slices.Contains(used, one.path) {
			fit = append(fit, one)
		}
	}
	slices.SortFunc(fit, func(a, b *stat) int {
		return cmp.Or(a.rank(metaNames)-b.rank(metaNames), len(a.names)-len(b.names), strings.Compare(a.path, b.path))
	})
	out := map[string]string{}
	for _, one := range fit {
		name := one.name(metaNames)
		if _, taken := out[name]; !taken && len(out) < maxSuggested {
			out[name] = one.path
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// Names that APIs give to what leads to the next page.
var (
	nextNames   = []string{"next", "next_page", "next_page_url", "nextpage", "next_url", "nextlink", "@odata.nextlink", "href"}
	cursorNames = []string{"next_cursor", "nextcursor", "after_cursor", "end_cursor", "endcursor", "next_page_token", "nextpagetoken", "next_token", "continuation_token", "after", "cursor"}
	cursorParam = map[string]string{
		"next_page_token": "page_token", "nextpagetoken": "pageToken", "next_token": "next_token", "after": "after", "after_cursor": "page[after]",
		"end_cursor": "after", "endcursor": "after", "continuation_token": "continuation_token",
	}
	moreNames = []string{"has_more", "hasmore", "has_next_page", "hasnextpage", "has_next"}
)

// suggestPagination is how an answer seems to lead to the next one.
func suggestPagination(s stats, items string, h http.Header) Pagination {
	if next, _ := nextLink(h); next != "" {
		return Pagination{Kind: Link}
	}
	var p Pagination
	for _, path := range slices.Sorted(maps.Keys(s)) {
		one := s[path]
		if one.lists > 0 || len(one.names) == 0 || strings.HasPrefix(path, items+"[*]") {
			continue
		}
		last := strings.ToLower(one.names[len(one.names)-1])
		outer := ""
		if len(one.names) > 1 {
			outer = strings.ToLower(one.names[len(one.names)-2])
		}
		switch {
		case slices.Contains(moreNames, last) && one.only("boolean"):
			p.More = path
		case p.Kind == Next:
		case slices.Contains(nextNames, last) && (last != "href" || outer == "next") && one.only("string") && address(one.example):
			p.Kind, p.Path, p.Param = Next, path, ""
		case p.Kind == None && slices.Contains(cursorNames, last) && one.only("string", "number") && one.example != "":
			p.Kind, p.Path, p.Param = Cursor, path, cursorParam[last]
		}
	}
	if p.Kind == None {
		return Pagination{}
	}
	if p.Kind == Next {
		p.More = ""
	}
	return p
}
