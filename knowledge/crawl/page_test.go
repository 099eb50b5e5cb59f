package crawl

import (
	"bytes"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestToUTF8(t *testing.T) {
	for name, c := range map[string]struct {
		body, contentType string
		want              string // "" if it cannot be told
	}{
		"utf-8":            {"caf\u00e9", "text/html; charset=utf-8", "caf\u00e9"},
		"mark":             {"\xef\xbb\xbfcaf\u00e9", "text/html; charset=iso-8859-1", "caf\u00e9"},
		"labelled wrongly": {"caf\u00e9", "text/html; charset=iso-8859-1", "caf\u00e9"},
		"latin 1":          {"caf\xe9", "text/html; charset=ISO-8859-1", "caf\u00e9"},
		"meta":             {"<meta charset=windows-1251>\xcf\xf0\xe8\xe2\xe5\xf2", "text/html", "<meta charset=windows-1251>\u041f\u0440\u0438\u0432\u0435\u0442"},
		"old meta":         {"<meta http-equiv=content-type content='text/html; charset=gbk'>\xc4\xe3\xba\xc3", "text/html", "<meta http-equiv=content-type content='text/html; charset=gbk'>\u4f60\u597d"},
		"header is wrong":  {"<meta charset=windows-1256>\xe3\xd1\xcd\xc8\xc7 \xe3\xd1\xcd\xc8\xc7", "text/html; charset=utf-8", "<meta charset=windows-1256>\u0645\u0631\u062d\u0628\u0627 \u0645\u0631\u062d\u0628\u0627"},
		"shift jis":        {"\x82\xb1\x82\xf1", "text/plain; charset=Shift_JIS", "\u3053\u3093"},
		"seven bits":       {"\x1b$B$3$s\x1b(B", "text/html; charset=iso-2022-jp", "\u3053\u3093"},
		"utf-16":           {"\xff\xfeh\x00i\x00", "text/html", "hi"},
		"one byte broken":  {"a\xffb", "text/html", "a\ufffdb"},
		"unknown label":    {"\xc4\xe3\xba\xc3\xc4\xe3", "text/html; charset=klingon", ""},
		"no label":         {"\xc4\xe3\xba\xc3\xc4\xe3", "text/html", ""},
		"replacement":      {"\xc4\xe3\xba\xc3\xc4\xe3", "text/html; charset=iso-2022-kr", ""},
		"a picture":        {"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\xff\xfe\xfd", "text/html", ""},
		"a few NUL":        {"a\x00b", "text/html", "ab"},
		"binary":           {strings.Repeat("a\x00", 100), "text/plain", ""},
	} {
		got, ok := toUTF8([]byte(c.body), c.contentType, true)
		if ok != (c.want != "") || ok && string(got) != c.want {
			t.Errorf("toUTF8 of %s = %q, %v, want %q", name, got, ok, c.want)
		}
	}
}

func TestHashSeesElementsAndText(t *testing.T) {
	u, _ := url.Parse("https://example.com/")
	hash := func(page string) string { return readPage(u, newScope(u, false), []byte(page)).hash }
	base := hash("<p>Open from <b>9</b> to 5</p>")
	for page, same := range map[string]bool{
		"<p>Open  from\n<b>9</b> to 5</p>":                             true,
		"<p class=x>Open from <b>9</b> to 5</p><!-- 12:00 -->":         true,
		"<p>Open from <b>9</b> to 6</p>":                               false,
		"<p>Open from <i>9</i> to 5</p>":                               false,
		"<p>Open from <b>9</b> to 5</p><script>1</script>":             false,
		"<p>Open from<b>9</b> to 5</p>":                                false,
		"<p>Open from <b>9</b> to 5</p>" + strings.Repeat("x", 10_000): false,
	} {
		if got := hash(page) == base; got != same {
			t.Errorf("hash of %.60q is equal = %v, want %v", page, got, same)
		}
	}
	if hash("<script>a</script>x") != hash("<script nonce=1>b</script>x") {
		t.Error("the hash sees what is in a script")
	}
}

func TestLargeHostilePagesTakeLinearTime(t *testing.T) {
	u, _ := url.Parse("https://example.com/")
	for name, unit := range map[string]string{
		"tags": "<a ", "attributes": "x=1 ", "quotes": "<a href=\"", "comments": "<!--", "entities": "&amp", "open": "<div>",
		"titles": "<title>x", "bases": "<base href=/a/>", "metas": "<meta name=robots content=none>", "links": "<a href=../x>",
	} {
		began := time.Now()
		readPage(u, newScope(u, false), []byte("<p "+strings.Repeat(unit, (1<<20)/len(unit))))
		if took := time.Since(began); took > time.Minute {
			t.Errorf("1 MB of %s took %v", name, took)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add([]byte("<html lang=en><base href=//x><title>a</title><link rel='canonical nofollow' href=/c><a href='b' rel=nofollow>x"))
	f.Add([]byte("<meta http-equiv=refresh content='0;url=x'><meta name=answerdesk content=none><link rel=alternate hreflang=de href=/de>"))
	f.Add([]byte("<script><a href=/x></scr<a href=/y><!--<a \xff href=\xff>"))
	u, _ := url.Parse("https://example.com/a/b")
	f.Fuzz(func(t *testing.T, body []byte) {
		text8, ok := toUTF8(bytes.Clone(body), "text/html; charset=gbk", true)
		if ok && !utf8.Valid(text8) {
			t.Fatalf("toUTF8(%q) = %q, which is not UTF-8", body, text8)
		}
		p := readPage(u, newScope(u, false), body)
		seen := map[string]bool{}
		for _, l := range p.links {
			if again, _, ok := resolve(nil, "https://example.com"+l.key); seen[l.key] || !ok || key(again) != l.key {
				t.Fatalf("link %q: twice %v, resolved %v", l.key, seen[l.key], ok)
			}
			seen[l.key] = true
		}
		if len(p.hash) != 32 || len(p.title) > maxTitle || !utf8.ValidString(p.title) || len(p.language) > 35 {
			t.Fatalf("page = %+v", p)
		}
	})
}
