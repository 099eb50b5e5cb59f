package crawl

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestReadSitemap(t *testing.T) {
	var zip bytes.Buffer
	w := gzip.NewWriter(&zip)
	io.WriteString(w, "<urlset><url><loc>https://example.com/zip</loc></url></urlset>")
	w.Close()
	for name, c := range map[string]struct {
		in   string
		want string
		fail bool
	}{
		"pages": {`<?xml version="1.0" encoding="UTF-8"?><!-- x --><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
			xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><loc> https://example.com/?a=1&amp;b=2
			</loc><lastmod>2026-01-02</lastmod><image:image><image:loc>https://example.com/i.png</image:loc></image:image></url>
			<url><loc><![CDATA[/b]]></loc></url><url></url></urlset>`, "https://example.com/?a=1&b=2@2026-01-02 /b@", false},
		"index":       {"<sitemapindex><sitemap><loc>/a.xml</loc></sitemap></sitemapindex>", "+/a.xml@", false},
		"prefix":      {"<s:urlset xmlns:s='x'><s:url><s:loc>/a</s:loc></s:url></s:urlset>", "/a@", false},
		"bare &":      {"<urlset><url><loc>/a?b&c=1</loc></url></urlset>", "/a?b&c=1@", false},
		"latin 1":     {"<?xml version='1.0' encoding='ISO-8859-1'?><urlset><url><loc>/a</loc></url></urlset>", "/a@", false},
		"lines":       {"\n https://example.com/a \r\nhttps://example.com/b", "https://example.com/a@ https://example.com/b@", false},
		"compressed":  {zip.String(), "https://example.com/zip@", false},
		"mark":        {"\xef\xbb\xbf<urlset><url><loc>/a</loc></url></urlset>", "/a@", false},
		"empty":       {"", "", false},
		"broken off":  {"<urlset><url><loc>/a</loc></url><url><loc>/b", "/a@", true},
		"a page":      {"<!doctype html><html><url><loc>/a</loc></url></html>", "", true},
		"a feed":      {"<rss><channel><item><link>/a</link></item></channel></rss>", "", true},
		"words":       {"not found", "", true},
		"broken gzip": {"\x1f\x8bxxxxxxxxxxxxxxx", "", true},
	} {
		var got []string
		err := readSitemap(strings.NewReader(c.in), 1<<20, func(e sitemapEntry) {
			s := e.loc + "@" + e.lastmod
			if e.index {
				s = "+" + s
			}
			got = append(got, s)
		})
		if strings.Join(got, " ") != c.want || (err != nil) != c.fail {
			t.Errorf("readSitemap of %s = %q, %v, want %q, error %v", name, got, err, c.want, c.fail)
		}
	}
}

// endless repeats a text without end.
type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.at:])
	e.at = (e.at + n) % len(e.text)
	return n, nil
}

func TestSitemapsThatAreTooLarge(t *testing.T) {
	for name, in := range map[string]io.Reader{
		"pages":      io.MultiReader(strings.NewReader("<urlset>"), &endless{text: "<url><loc>/a</loc></url>"}),
		"comments":   io.MultiReader(strings.NewReader("<urlset>"), &endless{text: "<!-- -->"}),
		"depth":      io.MultiReader(strings.NewReader("<urlset>"), &endless{text: "<a>"}),
		"attributes": io.MultiReader(strings.NewReader("<urlset "), &endless{text: "a='' "}),
		"text":       io.MultiReader(strings.NewReader("<urlset><url><loc>"), &endless{text: "x"}),
		"lines":      &endless{text: "https://example.com/\n"},
		"a line":     io.MultiReader(strings.NewReader("http://"), &endless{text: "x"}),
		"spaces":     &endless{text: " "},
		"a bomb":     bomb(t),
	} {
		before := live()
		w := &weighed{Reader: in}
		n := 0
		err := readSitemap(w, 2<<20, func(sitemapEntry) { n++ })
		if err == nil || n > maxSitemapURLs {
			t.Errorf("readSitemap of endless %s = %v, %d entries, want an error and %d at most", name, err, n, maxSitemapURLs)
		}
		if w.most > before+20<<20 {
			t.Errorf("readSitemap of endless %s keeps %d MB", name, (w.most-before)>>20)
		}
	}
}

// weighed notes the most memory that is in use while it is read.
type weighed struct {
	io.Reader
	n, next int
	most    uint64
}

func (w *weighed) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	if w.n += n; w.n >= w.next {
		w.most, w.next = max(w.most, live()), w.n+128<<10
	}
	return n, err
}

// live returns the bytes that are in use, without those that only wait for the
// collector.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// bomb is a small file that unpacks to 20 MB.
func bomb(t *testing.T) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	fmt.Fprint(w, "<urlset>")
	if _, err := io.CopyN(w, &endless{text: strings.Repeat(" ", 1<<16)}, 20<<20); err != nil {
		t.Fatal(err)
	}
	w.Close()
	return &b
}

func FuzzSitemap(f *testing.F) {
	f.Add([]byte("<urlset><url><loc>/a</loc><lastmod>x</lastmod></url></urlset>"))
	f.Add([]byte("<?xml version='1.0' encoding='x'?><!DOCTYPE a [<!ENTITY b 'c'>]><sitemapindex><sitemap><loc>&b;</loc></sitemap>"))
	f.Add([]byte("https://example.com/\nhttp://x"))
	f.Add([]byte("\x1f\x8b\x08"))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := readSitemap(bytes.NewReader(data), 1<<20, func(e sitemapEntry) {
			if e.loc == "" || len(e.loc) > 64<<10 || len(e.lastmod) > 64 {
				t.Fatalf("entry %+v", e)
			}
		})
		_ = err // an error is one of many right answers
	})
}
