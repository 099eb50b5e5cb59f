package knowledge

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
)

// failures says of each reason of a page that failed which kind of error it is, and
// what to do.
var failures = map[crawl.Reason]struct{ kind, message string }{
	crawl.Blocked:     {"blocked", "its host has an address that this process may not call: an operator can allow its network"},
	crawl.DNS:         {"network", "the name of its host is not known: check the address"},
	crawl.Connect:     {"network", "no connection could be made: check that the server is up and can be reached from here"},
	crawl.TLS:         {"network", "its certificate is not valid, or no secure connection could be made: check the server's certificate"},
	crawl.Timeout:     {"network", "no whole answer came in time: try again when the server is less busy"},
	crawl.Broken:      {"network", "the answer broke off or breaks a rule of HTTP: check the server"},
	crawl.Loop:        {"network", "its redirects lead back to it, or are more than ten: check the server's redirects"},
	crawl.RobotsError: {"robots", "robots.txt could not be read, so no page may be: let the server answer with the file, or with 404"},
	crawl.Unreachable: {"network", "it was not asked for, after ten failures one after the other: try again when the server is up"},
	crawl.LimitTime:   {"limit", "it was not asked for, since the crawl had taken all the time that it may: name fewer pages with include and exclude"},
	crawl.LimitBytes:  {"limit", "it was not asked for, since the crawl had read all the bytes that it may: name fewer pages with include and exclude"},
	reasonDamaged:     {"network", "the file is damaged or was not sent whole: open it in a browser to see"},
}

// failureOf says why a page failed.
func failureOf(v crawl.Visit) *RunError {
	e := &RunError{Kind: "network", Item: v.URL, Status: v.Status}
	switch f, ok := failures[v.Reason]; {
	case ok:
		e.Kind, e.Message = f.kind, f.message
	case v.Status == http.StatusUnauthorized || v.Status == http.StatusForbidden || v.Status == http.StatusProxyAuthRequired:
		e.Kind = "auth"
		e.Message = fmt.Sprintf("the server answers %d: let the crawler in, whose user agent begins with %s, or leave the page out with exclude", v.Status, crawl.Agent)
	case v.Status == http.StatusTooManyRequests:
		e.Kind, e.Message = "rate_limit", "the server answers 429, and asks to wait longer than a crawl does: try again later, or have it allow more"
	default:
		e.Message = fmt.Sprintf("the server answers %d: open it in a browser to see", v.Status)
	}
	return e
}

// lost notes what became of the first page, and says whether the crawl is over
// because it could not be read.
func (c *crawling) lost(v crawl.Visit) bool {
	if pageKey(v.URL) != c.entrance {
		return false
	}
	v.Body, v.Links = nil, nil
	c.first = v
	if v.Outcome == crawl.Moved && v.Reason == "" {
		c.entrance = pageKey(v.FinalURL)
	}
	return v.Outcome == crawl.Failed
}

// verdict returns why the crawl failed, if it did: the first page could not be read,
// or none could. Then nothing is published.
func (c *crawling) verdict() error {
	fail := func(kind, format string, args ...any) error {
		return &RunError{Kind: kind, Item: cmp.Or(c.first.URL, c.site.URL), Status: c.first.Status, Message: fmt.Sprintf(format, args...)}
	}
	switch first := c.first; {
	case first.Outcome == crawl.Failed:
		return failureOf(first)
	case c.readable > 0 || !c.run.NewPages && c.failure == nil:
		return nil
	case c.failure != nil:
		return c.failure
	case first.Reason == crawl.Robots:
		return fail("robots", "robots.txt does not let %s read it: allow it there", crawl.Agent)
	case first.Reason == crawl.NoIndex:
		return fail("robots", "the page asks not to be indexed, and no other could be read: take that out for %s", crawl.Agent)
	case first.Outcome == crawl.Moved:
		return fail("network", "it leads to %s, which is another site: add that one instead", first.FinalURL)
	case first.Outcome == crawl.Gone:
		return fail("network", "there is no such page: check the address")
	case first.Reason == crawl.Excluded:
		return fail("empty", "no page could be read that fits include and exclude: check the patterns")
	}
	return fail("empty", "no page holds text: pages that are made by scripts in the browser cannot be read, nor can pictures")
}
