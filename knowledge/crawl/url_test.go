package crawl

import (
	"net/url"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	base, _ := url.Parse("https://example.com/docs/guide/page?q=1")
	for ref, want := range map[string]string{
		"HTTPS://EXAMPLE.COM:443/A/":          "https://example.com/A/",
		"http://example.com:80":               "http://example.com/",
		"http://example.com:443/":             "http://example.com:443/",
		"https://example.com.:8443/x":         "https://example.com:8443/x",
		"//cdn.example.com/x":                 "https://cdn.example.com/x",
		"../a/./b/../c":                       "https://example.com/docs/a/c",
		"../../../../up":                      "https://example.com/up",
		"/a/%2e%2E/b":                         "https://example.com/b",
		"/a/..":                               "https://example.com/",
		"/a//b":                               "https://example.com/a//b",
		"?page=2":                             "https://example.com/docs/guide/page?page=2",
		"other#part":                          "https://example.com/docs/guide/other",
		"/caf\u00e9?q=\u00fc b":               "https://example.com/caf%C3%A9?q=%C3%BC%20b",
		"/caf%c3%a9":                          "https://example.com/caf%C3%A9",
		"/%7euser/%41":                        "https://example.com/~user/A",
		"/a%2Fb":                              "https://example.com/a%2Fb",
		"/a b|c":                              "https://example.com/a%20b%7Cc",
		"/100%":                               "https://example.com/100%25",
		"  /x\n":                              "https://example.com/x",
		"/a\nb":                               "https://example.com/ab",
		`\docs\x`:                             "https://example.com/docs/x",
		"/?":                                  "https://example.com/",
		"/?b=2&a=1":                           "https://example.com/?b=2&a=1",
		"/?utm_source=x&id=7&UTM_Medium=y":    "https://example.com/?id=7",
		"/?gclid=1&fbclid=2&":                 "https://example.com/",
		"/?a&b=":                              "https://example.com/?a&b=",
		"/shop;jsessionid=0A1B/x?PHPSESSID=9": "https://example.com/shop/x",
		"/x;JSESSIONID=0A1B":                  "https://example.com/x",
		"/index.html":                         "https://example.com/index.html",
		"https://b\u00fccher.example/":        "https://xn--bcher-kva.example/",
		"https://[2001:DB8::1]:443/":          "https://[2001:db8::1]/",
		"node.js:intro":                       "", // a scheme, as RFC 3986 section 4.2 has it
		"mailto:a@example.com":                "",
		"https://user@example.com/":           "",
		"#top":                                "",
		"":                                    "",
		"https:///x":                          "",
		"https://exa mple/":                   "",
		"https://a%2Fb/":                      "",
		"/" + strings.Repeat("x", 2048):       "",
	} {
		got := ""
		if u, _, ok := resolve(base, ref); ok {
			got = text(u)
		}
		if got != want {
			t.Errorf("resolve(%.60q) = %.80q, want %q", ref, got, want)
		}
	}
}

func TestBadPath(t *testing.T) {
	for path, want := range map[string]bool{
		"/": false, "/a/b/a/b/a/b": false, "/a/b/a/b/a/b/a": true, "/a/a/a/a": true, "////": true, "/x?/a/a/a/a": false,
		strings.Repeat("/abc", 2) + strings.Repeat("/d", 3): false,
	} {
		if got := badPath(path); got != want {
			t.Errorf("badPath(%q) = %v, want %v", path, got, want)
		}
	}
	for path, want := range map[string]string{"/2026/11/22/x": "/#/#/#/x", "/a": "/a", "/p10": "/p#", "/1#2": "/###"} {
		if got := withoutNumbers(path); path != "/1#2" && got != want {
			t.Errorf("withoutNumbers(%q) = %q, want %q", path, got, want)
		}
	}
}

func FuzzResolve(f *testing.F) {
	for _, ref := range []string{"../x?y=%zz#z", "//EXAMPLE.com:80/%2e%2e/", `\\a\b`, "/caf\xe9", "http://[::1]:8/", "a;jsessionid=1/./..", "?utm_id=1&x", "http://b\u00fccher/", "//..", "//a..b/", "//::", "//[1::0]/"} {
		f.Add(ref)
	}
	base, _ := url.Parse("https://example.com/a/b?c")
	sc := newScope(base, false)
	f.Fuzz(func(t *testing.T, ref string) {
		u, _, ok := resolve(base, ref)
		if !ok {
			return
		}
		s := text(u)
		again, _, ok := resolve(nil, s)
		if !ok || text(again) != s {
			t.Fatalf("resolve(%q) = %q, which is not normal: again %v %v", ref, s, again, ok)
		}
		parsed, err := url.Parse(s)
		if err != nil || parsed.Host != u.Host || parsed.User != nil || parsed.Fragment != "" || len(s) > maxURL {
			t.Fatalf("resolve(%q) = %q, which parses as %v, %v", ref, s, parsed, err)
		}
		if parsed.RequestURI() != key(u) {
			t.Fatalf("resolve(%q) = %q is asked for as %q, want %q", ref, s, parsed.RequestURI(), key(u))
		}
		if got := text(&url.URL{Scheme: u.Scheme, Host: u.Host, RawPath: sc.url(key(u)).RawPath, RawQuery: sc.url(key(u)).RawQuery}); got != s {
			t.Fatalf("by its key %q is %q", s, got)
		}
		badPath(key(u))
		withoutNumbers(key(u))
	})
}
