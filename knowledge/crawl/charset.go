package crawl

import (
	"bytes"
	"mime"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
)

// metaBytes is how far into a page its charset is looked for: HTML allows it
// within the first 1,024 bytes, and some pages have it a little later.
const metaBytes = 4 << 10

// toUTF8 returns the text of body, whose Content-Type is given. Bytes that are
// UTF-8 are that, whatever the label says; other bytes are what the header or
// the page says they are. ok is false if that is nothing known, or not so.
func toUTF8(body []byte, contentType string, isHTML bool) (text []byte, ok bool) {
	switch {
	case bytes.HasPrefix(body, []byte("\xef\xbb\xbf")):
		body = body[3:]
	case bytes.HasPrefix(body, []byte("\xff\xfe")), bytes.HasPrefix(body, []byte("\xfe\xff")):
		return decode(body, "utf-16")
	}
	if utf8.Valid(body) && !bytes.Contains(body, []byte("\x1b$")) { // which begins Japanese in seven bits
		return withoutNUL(body)
	}
	label := ""
	if _, params, err := mime.ParseMediaType(contentType); err == nil {
		label = params["charset"]
	}
	if text, ok := decode(body, label); ok {
		return text, true
	}
	if isHTML {
		if text, ok := decode(body, metaCharset(body[:min(len(body), metaBytes)])); ok {
			return text, true
		}
	}
	return decode(body, "utf-8") // with a few bytes broken
}

// decode reads body in the charset of label. ok is false if label is unknown,
// or more than one character in a thousand is not of that charset.
func decode(body []byte, label string) (text []byte, ok bool) {
	enc, name := charset.Lookup(label)
	if enc == nil || name == "replacement" {
		return nil, false
	}
	text, err := enc.NewDecoder().Bytes(body)
	if err != nil {
		return nil, false
	}
	text = bytes.TrimPrefix(bytes.ToValidUTF8(text, broken), []byte("\ufeff"))
	if tooMany(bytes.Count(text, broken), text) {
		return nil, false
	}
	return withoutNUL(text)
}

// broken stands for a character that could not be read.
var broken = []byte("\ufffd")

// withoutNUL drops a few NUL bytes, which no text has; many are of no text.
func withoutNUL(text []byte) ([]byte, bool) {
	n := bytes.Count(text, []byte{0})
	if n == 0 {
		return text, true
	}
	return bytes.ReplaceAll(text, []byte{0}, nil), !tooMany(n, text)
}

// tooMany says whether n bad characters are more than text can be read with:
// one in a thousand, but one at least.
func tooMany(n int, text []byte) bool { return n > max(1, utf8.RuneCount(text)/1000) }

// metaCharset is the charset that the beginning of a page names, or "".
func metaCharset(head []byte) string {
	z := html.NewTokenizer(bytes.NewReader(head))
	for {
		switch z.Next() {
		case html.ErrorToken:
			return ""
		case html.StartTagToken, html.SelfClosingTagToken:
			raw, more := z.TagName()
			if string(raw) != "meta" {
				continue
			}
			content := ""
			for more {
				var name, value []byte
				name, value, more = z.TagAttr()
				switch string(name) {
				case "charset":
					return string(value)
				case "content":
					content = string(value)
				}
			}
			if _, params, err := mime.ParseMediaType(content); err == nil && params["charset"] != "" {
				return params["charset"]
			}
		}
	}
}
