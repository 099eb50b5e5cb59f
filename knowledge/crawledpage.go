package knowledge

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/knowledge/extract"
	"github.com/answerdesk-go/answerdesk/knowledge/internal/split"
)

// reading is the version of how a page becomes a document, before its text is cut.
// Raising it has all pages read again.
const reading = "1"

// stampOf sums up what a page's document is made by besides the page. It stands in
// [Page.Hash] behind the hash of the page: one that was read otherwise is not asked
// whether it has changed.
func stampOf(w Website) string {
	made, _ := json.Marshal([]any{reading, splitting, extraction, w.Metadata}) // it was read from JSON
	sum := sha256.Sum256(made)
	return hex.EncodeToString(sum[:4])
}

// textMark is what stands in [Page.Hash] behind that, of what the page's document
// says: it tells whether the document is what became of the page.
func textMark(textHash [32]byte) string { return hex.EncodeToString(textHash[:8]) }

// cutOrigin cuts an address before its host without "www.".
func cutOrigin(address string) (prefix, rest string) {
	rest = address
	for _, p := range []string{"https://", "http://"} {
		rest = strings.TrimPrefix(rest, p)
	}
	rest = strings.TrimPrefix(rest, "www.")
	return address[:len(address)-len(rest)], rest
}

// externalID is the external id of the page at an address: the address, of which
// the end is summed up where it is too long.
func externalID(address string) string {
	const most = MaxID - len("https://www.")
	prefix, rest := cutOrigin(address)
	if len(rest) > most {
		sum := sha256.Sum256([]byte(rest))
		rest = rest[:most-17] + "#" + hex.EncodeToString(sum[:8])
	}
	return prefix + rest
}

// pageKey is what tells the pages of a website apart, of an address or an external
// id: with and without "www.", by http and https, one page is one. See package
// crawl.
func pageKey(address string) string {
	_, rest := cutOrigin(externalID(address))
	return rest
}

// pageOf is what the report says of a visit.
func (c *crawling) pageOf(v crawl.Visit) Page {
	p := Page{
		URL: v.URL, Outcome: string(v.Outcome), Reason: string(v.Reason), Status: v.Status, Depth: v.Depth, FoundOn: v.FoundOn, Final: v.FinalURL,
		FetchedAt: time.Now().UTC().Truncate(time.Microsecond), ETag: storable(v.ETag), LastModified: storable(v.LastModified), Canonical: v.Canonical, Links: joined(v.Links),
	}
	if v.Hash != "" {
		p.Hash = v.Hash + "-" + c.stamp
	}
	return p
}

// joined is how links are stored: as one string, since a page may have hundreds. A
// path has no line ends.
func joined(links []string) []string {
	if len(links) == 0 {
		return nil
	}
	return []string{strings.Join(links, "\n")}
}

// unjoined returns links as they were before joined.
func unjoined(links []string) []string {
	if len(links) == 0 {
		return nil
	}
	return strings.Split(links[0], "\n")
}

// storable is s if it can be stored: servers may send any bytes in a header.
func storable(s string) string {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return ""
	}
	return s
}

// Why a page was not taken, besides the reasons of package crawl.
const (
	reasonEmpty    = "empty"     // it holds no text that could be cited
	reasonDeleted  = "deleted"   // its document, or another with its text, was deleted by somebody
	reasonPassword = "password"  // it opens with a password only
	reasonDamaged  = "damaged"   // it is no whole PDF
	reasonTooLarge = "too_large" // it holds more text than a document may
	reasonCharset  = "charset"   // what was read is no text
)

// document turns a page that was fetched into its document. If there is none in it, why
// says the reason. An error is that of ctx.
func (c *crawling) document(ctx context.Context, v crawl.Visit) (w Write, why string, err error) {
	d := Document{Kind: KindPage, SourceID: c.source.ID, AgentID: c.source.AgentID, ExternalID: externalID(v.URL), URL: v.URL, Metadata: c.site.Metadata}
	var res extract.Result
	switch v.ContentType {
	case "text/html":
		d.Format = HTML
		res, err = extract.Extract(extract.HTML, crawl.MainContent(v.Body))
	case "text/markdown":
		d.Format = Markdown
		res, err = extract.Extract(extract.Markdown, v.Body)
	case "application/pdf":
		d.Format = PDF
		res, err = extract.ExtractReader(ctx, extract.PDF, bytes.NewReader(v.Body), int64(len(v.Body)), nil)
	default:
		d.Format = Text
		res, err = extract.Extract(extract.Text, v.Body)
	}
	switch {
	case ctx.Err() != nil:
		return Write{}, "", ctx.Err()
	case errors.Is(err, extract.ErrNoText):
		return Write{}, reasonEmpty, nil
	case errors.Is(err, extract.ErrPassword):
		return Write{}, reasonPassword, nil
	case errors.Is(err, extract.ErrTooLarge) || len(res.Text) > MaxText:
		return Write{}, reasonTooLarge, nil
	case err != nil:
		return Write{}, reasonDamaged, nil
	case readable(res.Text) != nil:
		return Write{}, reasonCharset, nil
	}
	d.Title = pageTitle(v, res)
	d.Language = cmp.Or(extract.LanguageTag(v.Language), res.Language, languageOf(res.Text))
	d.Metadata = withDates(d.Metadata, res)
	w = Write{Document: d, NewID: id.New(id.Document)}
	for i, p := range split.Split(res.Text, res.Blocks) {
		w.Passages = append(w.Passages, Passage{
			Ref: Ref{Ordinal: i}, Start: p.Start, End: p.End, Page: p.Page, Heading: p.Heading, Text: res.Text[p.Start:p.End],
		})
	}
	if len(w.Passages) == 0 {
		return Write{}, reasonEmpty, nil
	}
	w.Text = res.Text
	w.TextHash = textHash(d, w.Text, w.Passages)
	w.Hash = pageHash(w)
	w.UpdatedAt = time.Now().UTC().Truncate(time.Microsecond)
	w.CreatedAt = w.UpdatedAt
	return w, "", nil
}

// pageTitle is what the document of a page is called.
func pageTitle(v crawl.Visit, res extract.Result) string {
	title := cmp.Or(strings.TrimSpace(res.Title), strings.TrimSpace(v.Title))
	if title == "" || readable(title) != nil {
		u, err := url.Parse(v.URL)
		if err != nil {
			return v.URL
		}
		if title = path.Base(u.Path); title == "/" || title == "." || readable(title) != nil {
			title = u.Host
		}
	}
	return clip(title, MaxTitle)
}

// pageHash sums up everything of a page's document.
func pageHash(w Write) [32]byte {
	all, _ := json.Marshal([]any{w.Kind, w.Title, w.URL, w.ExternalID, w.Language, w.Metadata, w.TextHash}) // metadata was read from JSON
	return sha256.Sum256(all)
}
