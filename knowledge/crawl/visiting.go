package crawl

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// A result is what came of visiting an entry.
type result struct {
	entry     *entry
	visit     *Visit
	scope     scope    // of the answer
	target    *url.URL // of a page that has Moved
	canonical *url.URL // that the page names; nil if none

	links              []link
	elsewhere, ignored map[string]int
	dropped            int
}

// visit asks for an entry's page, and reads it.
func (r *Run) visit(ctx context.Context, e *entry, sc scope) result {
	res := result{entry: e, visit: &Visit{}, scope: sc}
	v := res.visit
	u := sc.url(e.key)
	for hop := 0; ; hop++ {
		res.scope.scheme, res.scope.host = u.Scheme, u.Host
		address := text(u)
		known, have := r.known(address)
		if !have {
			known = Known{}
		}
		var body []byte
		a := r.get(ctx, u, known, func(resp *http.Response, in io.Reader) (why Reason) {
			if v.ContentType, why = mediaType(resp.Header, u); why != "" {
				return why
			}
			body, why = readAll(resp, in, r.crawler.opts.MaxPageBytes)
			return why
		})
		v.Status, v.Took = a.status, v.Took+a.took
		switch {
		case a.reason == Type || a.reason == TooLarge:
			v.Outcome, v.Reason = Skipped, a.reason
		case a.reason != "":
			v.Outcome, v.Reason = Failed, a.reason
		case a.status/100 == 2:
			v.Outcome = Fetched
			v.ETag, v.LastModified = validator(a.header, "ETag"), validator(a.header, "Last-Modified")
			res.read(u, a.header, body)
			if v.Outcome == Fetched && have && v.Hash == known.Hash {
				v.Outcome = Unchanged
			}
		case a.status == http.StatusNotModified && known.ETag+known.LastModified != "":
			res.unchanged(known, a.header)
		case a.status == http.StatusNotFound || a.status == http.StatusGone:
			v.Outcome, v.Reason = Gone, Status
		case a.location == nil:
			v.Outcome, v.Reason = Failed, Status
		case text(a.location) == address || hop == maxHops:
			v.Outcome, v.Reason = Failed, Loop
		case sc.has(a.location) && key(a.location) == e.key:
			u = a.location // the same page, on the host's other name or by the other scheme
			continue
		default:
			v.Outcome, res.target = Moved, a.location
			if sc.has(a.location) {
				res.scope.scheme, res.scope.host = a.location.Scheme, a.location.Host
			}
		}
		if a.reason != "" {
			res.scope = sc // nothing is learned from it
		}
		return res
	}
}

// read takes from a page that was sent what a visit says of it.
func (res *result) read(u *url.URL, header http.Header, body []byte) {
	v := res.visit
	skip := func(why Reason) { v.Outcome, v.Reason = Skipped, why }
	if v.ContentType == "" {
		if v.ContentType = sniff(body); v.ContentType == "" {
			skip(Type)
			return
		}
	}
	if v.ContentType != typePDF {
		var ok bool
		if body, ok = toUTF8(body, header.Get("Content-Type"), v.ContentType == typeHTML); !ok {
			skip(Charset)
			return
		}
	} else if !bytes.Contains(body[:min(len(body), 1<<10)], []byte("%PDF-")) {
		skip(Type)
		return
	}
	v.Body = body
	d := headerDirective(header)
	if v.ContentType == typeHTML {
		p := readPage(u, res.scope, body)
		v.Hash, v.Title, v.Language, v.Alternates = p.hash, p.title, p.language, p.alternates
		d.noindex, d.nofollow = d.noindex || p.directive.noindex, d.nofollow || p.directive.nofollow
		if res.canonical = p.canonical; p.canonical != nil {
			v.Canonical = text(p.canonical)
		}
		res.links, res.elsewhere, res.ignored, res.dropped = p.links, p.elsewhere, p.ignored, p.dropped
	} else {
		sum := sha256.Sum256(body)
		v.Hash = hex.EncodeToString(sum[:16])
	}
	for i := range res.links {
		l := &res.links[i]
		if l.nofollow = l.nofollow || d.nofollow; !l.nofollow {
			v.Links = append(v.Links, l.key)
		}
	}
	if d.noindex {
		skip(NoIndex)
	}
}

// unchanged takes from what is known of a page what a visit says of it.
func (res *result) unchanged(known Known, header http.Header) {
	v := res.visit
	v.Outcome, v.Hash, v.Canonical, v.Links = Unchanged, known.Hash, known.Canonical, known.Links
	v.ETag = cmp.Or(validator(header, "ETag"), known.ETag)
	v.LastModified = cmp.Or(validator(header, "Last-Modified"), known.LastModified)
	if headerDirective(header).noindex {
		v.Outcome, v.Reason = Skipped, NoIndex
	}
	if known.Canonical != "" {
		res.canonical, _, _ = resolve(nil, known.Canonical)
	}
	res.links = make([]link, 0, len(known.Links))
	for _, key := range known.Links {
		if strings.HasPrefix(key, "/") {
			res.links = append(res.links, link{key: key})
		}
	}
}

// headerDirective is what a page's header asks for.
func headerDirective(header http.Header) directive {
	var d directive
	for _, value := range header.Values("X-Robots-Tag") {
		d.addHeader(value)
	}
	return d
}

// validator is a header that is sent back as it came, if it is of a sane length.
func validator(header http.Header, name string) string { return clip(header.Get(name), 1<<10) }

// The media types that are read.
const (
	typeHTML     = "text/html"
	typeText     = "text/plain"
	typeMarkdown = "text/markdown"
	typePDF      = "application/pdf"
)

// mediaType is the type of what u sends; "" if its bytes have to tell.
func mediaType(header http.Header, u *url.URL) (string, Reason) {
	sent := header.Get("Content-Type")
	mt, _, err := mime.ParseMediaType(sent)
	if err != nil {
		before, _, _ := strings.Cut(sent, ";")
		mt = strings.ToLower(strings.TrimSpace(before))
	}
	ext := strings.ToLower(path.Ext(u.Path))
	switch mt {
	case "text/html", "application/xhtml+xml":
		return typeHTML, ""
	case "text/markdown", "text/x-markdown":
		return typeMarkdown, ""
	case "text/plain":
		if ext == ".md" || ext == ".markdown" {
			return typeMarkdown, ""
		}
		return typeText, ""
	case "application/pdf", "application/x-pdf":
		return typePDF, ""
	case "":
		return "", ""
	case "application/octet-stream", "binary/octet-stream":
		switch ext {
		case ".html", ".htm", ".xhtml":
			return typeHTML, ""
		case ".md", ".markdown":
			return typeMarkdown, ""
		case ".txt":
			return typeText, ""
		case ".pdf":
			return typePDF, ""
		}
	}
	return "", Type
}

// sniff tells a type by how body begins; "" is one that is not read.
func sniff(body []byte) string {
	mt, _, _ := strings.Cut(http.DetectContentType(body), ";")
	switch mt {
	case typeHTML, typeText, typePDF:
		return mt
	}
	return ""
}
