package crawl

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// Bounds of one sitemap: sitemaps.org gives the first two.
const (
	maxSitemapURLs  = 50_000
	maxSitemapBytes = 50 << 20
	maxSitemapToken = 64 << 10 // bytes of one element's name and attributes, or of one text
	maxSitemapNest  = 16       // elements within elements
)

// errSitemap says that what was read is no sitemap, or goes beyond a bound.
var errSitemap = errors.New("no sitemap, or larger than sitemaps may be")

// A sitemapEntry is a page, or another sitemap, that a sitemap lists.
type sitemapEntry struct {
	loc, lastmod string // as written
	index        bool   // loc is a sitemap
}

// readSitemap calls each for the entries of a sitemap of at most limit bytes,
// unpacked: XML or a line a page, compressed or not. What stands before an error
// was reported all the same.
func readSitemap(r io.Reader, limit int64, each func(sitemapEntry)) error {
	in := bufio.NewReader(r)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte("\x1f\x8b")) {
		zip, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		in = bufio.NewReader(zip)
	}
	whole := &io.LimitedReader{R: in, N: limit}
	in = bufio.NewReader(whole)
	if bom, _ := in.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // just peeked
	}
	for {
		c, err := in.ReadByte()
		switch {
		case err == io.EOF && whole.N > 0:
			return nil // an empty file lists nothing
		case err != nil:
			return err
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			continue
		}
		if err := in.UnreadByte(); err != nil {
			return err
		}
		if c == '<' {
			err = xmlSitemap(in, each)
		} else {
			err = textSitemap(in, each)
		}
		if err == nil && whole.N == 0 {
			return errSitemap
		}
		return err
	}
}

// textSitemap reads an address a line.
func textSitemap(in *bufio.Reader, each func(sitemapEntry)) error {
	lines := bufio.NewScanner(in)
	n := 0
	for lines.Scan() {
		loc := strings.TrimSpace(lines.Text())
		if loc == "" {
			continue
		}
		if !strings.HasPrefix(loc, "http://") && !strings.HasPrefix(loc, "https://") {
			return errSitemap
		}
		if n++; n > maxSitemapURLs {
			return errSitemap
		}
		each(sitemapEntry{loc: loc})
	}
	return lines.Err()
}

// xmlSitemap reads <urlset><url><loc> and <sitemapindex><sitemap><loc>.

func xmlSitemap(in *bufio.Reader, each func(sitemapEntry)) error {
	tokens := &tokenReader{in: in}
	d := xml.NewDecoder(tokens)
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil } // addresses are ASCII
	var open []string
	var now sitemapEntry
	n := 0
	for {
		tokens.left = maxSitemapToken
		tok, err := d.RawToken()
		if err == io.EOF && len(open) == 0 {
			return nil
		}
		if err != nil {
			return errors.Join(errSitemap, err)
		}
		switch t := tok.(type) {
		case xml.StartElement:
			if len(open) == 0 && t.Name.Local != "urlset" && t.Name.Local != "sitemapindex" || len(open) == maxSitemapNest {
				return errSitemap
			}
			open = append(open, t.Name.Local)
			if len(open) == 2 {
				now = sitemapEntry{index: t.Name.Local == "sitemap"}
			}
		case xml.CharData:
			if len(open) != 3 {
				continue
			}
			switch open[2] {
			case "loc":
				now.loc = clip(now.loc+string(bytes.TrimSpace(t)), 4*maxURL)
			case "lastmod":
				now.lastmod = clip(now.lastmod+string(bytes.TrimSpace(t)), 64)
			}
		case xml.EndElement:
			if len(open) == 2 && now.loc != "" {
				if n++; n > maxSitemapURLs {
					return errSitemap
				}
				each(now)
				now = sitemapEntry{}
			}
			open = open[:max(0, len(open)-1)]
		}
	}
}

// A tokenReader gives an XML decoder a bounded number of bytes a token, since
// that is what it keeps in memory. It reads byte by byte, so nothing is read ahead.
type tokenReader struct {
	in   *bufio.Reader
	left int
}

func (t *tokenReader) ReadByte() (byte, error) {
	if t.left--; t.left < 0 {
		return 0, errSitemap
	}
	return t.in.ReadByte()
}

func (t *tokenReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := t.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// clip is s if it is of a sane length.
func clip(s string, limit int) string {
	if len(s) > limit {
		return ""
	}
	return s
}
