package crawl

import (
	"strings"
	"testing"
	"time"
)

func TestRobotsRules(t *testing.T) {
	for name, c := range map[string]struct {
		txt         string
		allow, deny string // paths
	}{
		"empty":                    {"", "/ /x", ""},
		"all":                      {"User-agent: *\nDisallow: /", "", "/ /x"},
		"empty disallow":           {"User-agent: *\nDisallow:", "/ /x", ""},
		"prefix":                   {"User-agent: *\nDisallow: /fish", "/ /Fish /a/fish", "/fish /fish/ /fishing /fish.html?id=1"},
		"our group":                {"User-agent: *\nDisallow: /\nUser-agent: AnswerDesk\nDisallow: /a", "/ /b", "/a"},
		"our group with a version": {"User-agent: answerdesk/2.0\nDisallow: /a", "/b", "/a"},
		"another's longer name":    {"User-agent: answerdesk-images\nDisallow: /", "/a", ""},
		"groups are joined":        {"User-agent: answerdesk\nDisallow: /a\n\nUser-agent: x\nDisallow: /\n\nUser-agent: answerdesk\nDisallow: /b", "/c", "/a /b"},
		"names share rules":        {"User-agent: x\nUser-agent: answerdesk\nUser-agent: y\nDisallow: /a", "/b", "/a"},
		"delay ends no names":      {"User-agent: answerdesk\nCrawl-delay: 3\nUser-agent: y\nDisallow: /a", "/b", "/a"},
		"others' rules":            {"User-agent: x\nDisallow: /", "/a", ""},
		"rules before names":       {"Disallow: /\nUser-agent: *\nDisallow: /a", "/b", "/a"},
		"longest wins":             {"User-agent: *\nDisallow: /\nAllow: /docs/\nDisallow: /docs/private", "/docs/ /docs/x", "/ /docs /docs/private/x"},
		"allow wins a tie":         {"User-agent: *\nDisallow: /page\nAllow: /page", "/page", ""},
		"star":                     {"User-agent: *\nDisallow: /*.gif$\nDisallow: /a/*/b", "/x.gif?a /a/b /gif", "/x.gif /d/x.gif /a/x/b /a/x/y/bc"},
		"star at the end":          {"User-agent: *\nDisallow: /fish*", "/a", "/fish /fishing"},
		"dollar":                   {"User-agent: *\nDisallow: /$", "/a", "/"},
		"star and suffix":          {"User-agent: *\nDisallow: /*aab$", "/aabc /aaba", "/aaab /xaab /aabaab"},
		"query":                    {"User-agent: *\nDisallow: /*?", "/a", "/a?b /?x"},
		"escapes":                  {"User-agent: *\nDisallow: /caf\u00e9\nDisallow: /%7ejoe\nDisallow: /a%3cd", "/a<d", "/caf%C3%A9 /~joe/x /a%3Cd"},
		"escaped star":             {"User-agent: *\nDisallow: /a-%2A.html\nDisallow: /b%24", "/a-x.html /b", "/a-*.html /a-%2A.html /b$x"},
		"line ends and case":       {"\xef\xbb\xbfuser-AGENT : *\rDISALLOW :  /a  # why\r\ndisallow:/b", "/c", "/a /b"},
		"not for us":               {"User-agent: *\nDisallow: /x\nnoindex: /b\nnonsense\n: /\n:", "/b", "/x"},
	} {
		t.Run(name, func(t *testing.T) {
			r := parseRobots([]byte(c.txt))
			for path := range strings.FieldsSeq(c.allow) {
				if !r.allows(path) {
					t.Errorf("%q is disallowed, want allowed", path)
				}
			}
			for path := range strings.FieldsSeq(c.deny) {
				if r.allows(path) {
					t.Errorf("%q is allowed, want disallowed", path)
				}
			}
		})
	}
}

func TestRobotsElse(t *testing.T) {
	r := parseRobots([]byte("Sitemap: https://example.com/a.xml # one\nUser-agent: *\nCrawl-delay: 1.5\nSITEMAP: /b.xml\nUser-agent: x\nCrawl-delay: 9"))
	if r.delay != 1500*time.Millisecond || strings.Join(r.sitemaps, " ") != "https://example.com/a.xml /b.xml" {
		t.Errorf("parseRobots = delay %v, sitemaps %q, want 1.5s and two", r.delay, r.sitemaps)
	}
	if r := parseRobots([]byte(strings.Repeat("Sitemap: /a\n", 1000))); len(r.sitemaps) != maxRobotsSitemaps {
		t.Errorf("sitemaps = %d, want %d", len(r.sitemaps), maxRobotsSitemaps)
	}
}

func FuzzRobots(f *testing.F) {
	f.Add([]byte("User-agent: *\nDisallow: /a*b$\nAllow: /a%2A\nCrawl-delay: 1e400\nSitemap: x"), "/axb")
	f.Add([]byte("user-agent:answerdesk\rallow:*\r\n:\ndisallow: **$"), "/?a=*")
	f.Add([]byte("a\x00:b#c:d\n\xff: \xff"), "/%FF")
	f.Fuzz(func(t *testing.T, txt []byte, path string) {
		r := parseRobots(txt)
		r.allows(path)
		if r.delay < 0 || len(r.sitemaps) > maxRobotsSitemaps {
			t.Fatalf("parseRobots(%q) = delay %v, %d sitemaps", txt, r.delay, len(r.sitemaps))
		}
		var d directive
		d.addHeader(path)
	})
}

// FuzzPattern compares matching with what a pattern means.
func FuzzPattern(f *testing.F) {
	f.Add("/a*b$", "/axxb")
	f.Add("*a*ab", "/aaab")
	f.Add("/**$", "/")
	f.Fuzz(func(t *testing.T, s, path string) {
		if len(s) > 20 || len(path) > 40 || strings.Contains(s+path, "%") || normalEscapes(s) != s {
			return
		}
		p := newPattern(s)
		if got, want := p.match(path), means(s, path); got != want {
			t.Fatalf("%q matches %q = %v, want %v", s, path, got, want)
		}
	})
}

// means says whether path begins as the pattern does, letter by letter.
func means(pattern, path string) bool {
	switch {
	case pattern == "":
		return true
	case pattern == "$":
		return path == ""
	case pattern[0] == '*':
		return means(pattern[1:], path) || path != "" && means(pattern, path[1:])
	}
	return path != "" && pattern[0] == path[0] && means(pattern[1:], path[1:])
}
