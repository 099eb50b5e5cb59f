package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
)

// serve is the site, until standard input ends.
func serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s/\n", l.Addr())
	hs := &http.Server{Handler: http.HandlerFunc(answer)}
	go func() { _ = hs.Serve(l) }() // until it is closed
	_, _ = io.Copy(io.Discard, os.Stdin)
	return hs.Close()
}

// answer serves a page, if it is not the one that the caller has.
func answer(w http.ResponseWriter, r *http.Request) {
	n, ok := number(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	tag := fmt.Sprintf(`"%d"`, n)
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, page(n)) // the crawler has left
}

// path is that of a page: in letters, since a crawl goes on with some pages alone of
// those whose addresses differ in numbers.
func path(n int) string {
	if n == 0 {
		return "/"
	}
	var name strings.Builder
	for ; n > 0; n /= 26 {
		name.WriteString(string(rune('a' + n%26)))
	}
	return "/manual/" + name.String()
}

// number returns which page stands at a path.
func number(path string) (n int, ok bool) {
	if path == "/" {
		return 0, true
	}
	name, ok := strings.CutPrefix(path, "/manual/")
	for _, c := range slices.Backward([]byte(name)) {
		n = n*26 + int(c) - 'a'
	}
	return n, ok && n > 0 && n < *pages
}

// words are what the articles are made of.
var words = strings.Fields(`account address agent answer billing browser button change click company contact customer data date delete
	device email error export field file folder group help invoice key language limit link list message minute name number open order page password
	payment period plan price printer product question refund region reply report request role rule search select send server setting shop state
	store table text ticket time token tool user value version view webhook week window year zone the a to of in and for with is when you your if`)

// page is page n: a style sheet, 100 links of a menu, an article of eight parts that no
// other page has, and 10 links to other pages, by which all can be reached. It has some
// 17 KB, a third of them text.
func page(n int) string {
	r := rand.New(rand.NewPCG(uint64(n), 1))
	var b strings.Builder
	link := func(to int) {
		if to < *pages {
			fmt.Fprintf(&b, `<li class="menu-item"><a class="menu-link" href="%s">Page %d</a></li>`, path(to), to)
		}
	}
	fmt.Fprintf(&b, `<!doctype html><html lang="en"><head><title>Page %d of the manual</title><meta charset="utf-8"><style>`, n)
	for i := range 40 {
		fmt.Fprintf(&b, ".menu-level-%d > .menu-item:hover .menu-link{color:#14%02x3a;padding:0 %dpx}\n", i, i, i)
	}
	b.WriteString(`</style></head><body><header><nav class="menu"><ul>`)
	for i := range 100 {
		link(i)
	}
	fmt.Fprintf(&b, `</ul></nav></header><main><article><h1>Page %d of the manual</h1>`, n)
	for part := range 8 {
		fmt.Fprintf(&b, "<h2 id=\"part-%d\">Part %d of page %d</h2>", part, part, n)
		for range 2 {
			b.WriteString("<p>")
			for range 4 {
				b.WriteString("Here the")
				for range 10 + r.IntN(8) {
					b.WriteString(" " + words[r.IntN(len(words))])
				}
				b.WriteString(". ")
			}
			b.WriteString("</p>\n")
		}
	}
	b.WriteString(`</article><aside><ul>`)
	for i := range 10 {
		link(10*n + i)
	}
	b.WriteString(`</ul></aside></main><footer>Imprint</footer></body></html>`)
	return b.String()
}
