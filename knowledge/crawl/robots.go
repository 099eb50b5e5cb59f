package crawl

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Agent is the name this crawler goes by in robots.txt, robots meta elements
// and X-Robots-Tag headers.
const Agent = "answerdesk"

// maxRobots is how much of a robots.txt is read: what RFC 9309 section 2.5
// asks for at least, and what others read at most.
const maxRobots = 500 << 10

// maxRobotsSitemaps bounds the sitemaps one robots.txt can name.
const maxRobotsSitemaps = 100

// robots is what a robots.txt says to us.
type robots struct {
	rules    []robotsRule
	delay    time.Duration // Crawl-delay, which is in no standard; 0: none
	sitemaps []string      // as written
	denied   Reason        // everything is disallowed, for this reason
}

type robotsRule struct {
	pattern
	allow bool
}

// parseRobots reads a robots.txt (RFC 9309). The groups for our name count,
// all of them as one, or where there is none those for "*".
func parseRobots(data []byte) *robots {
	data = bytes.TrimPrefix(data[:min(len(data), maxRobots)], []byte("\xef\xbb\xbf"))
	var ours, all group
	var now []*group // that the lines are for
	named := false   // a group of our own was found
	inNames := false // no rule stands between the names and here
	undelayed := 0   // the first of now that no Crawl-delay stands behind
	delayed := false // one stands between the last name and here
	var sitemaps []string
	for len(data) > 0 {
		line := data
		if i := bytes.IndexAny(data, "\r\n"); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		line, _, _ = bytes.Cut(line, []byte("#"))
		field, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			continue
		}
		v := string(bytes.TrimSpace(value))
		switch strings.ToLower(string(bytes.TrimSpace(field))) {
		case "user-agent":
			switch {
			case !inNames:
				now, undelayed = now[:0], 0
			case delayed:
				undelayed = len(now)
			}
			inNames, delayed = true, false
			switch name := productToken(v); {
			case v == "*":
				now = append(now, &all)
			case strings.EqualFold(name, Agent):
				now, named = append(now, &ours), true
			}
		case "allow", "disallow":
			inNames = false
			if v == "" {
				continue // allows everything, as no rule does
			}
			rule := robotsRule{pattern: newPattern(v), allow: field0(field) == 'a'}
			for _, g := range now {
				g.rules = append(g.rules, rule)
			}
		case "crawl-delay": // no rule, so it does not end the names (section 2.2.4)
			delayed = true
			if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
				for _, g := range now[undelayed:] {
					g.delay = time.Duration(min(s, 3600) * float64(time.Second))
				}
			}
		case "sitemap":
			if len(sitemaps) < maxRobotsSitemaps {
				sitemaps = append(sitemaps, v)
			}
		}
	}
	if named {
		all = ours
	}
	return &robots{rules: all.rules, delay: all.delay, sitemaps: sitemaps}
}

type group struct {
	rules []robotsRule
	delay time.Duration
}

// productToken is the part of a user-agent line that names a crawler: letters,
// "-" and "_".
func productToken(v string) string {
	end := strings.IndexFunc(v, func(r rune) bool {
		return (r|0x20 < 'a' || r|0x20 > 'z') && r != '_' && r != '-'
	})
	if end < 0 {
		return v
	}
	return v[:end]
}

// field0 is the first letter of a line's name, in lower case.
func field0(field []byte) byte { return bytes.TrimSpace(field)[0] | 0x20 }

// allows says whether the page at key may be asked for: the longest rule that
// matches decides, and of two as long the one that allows.
func (r *robots) allows(key string) bool {
	if len(r.rules) == 0 {
		return true
	}
	key = matchForm(key)
	allowed, longest := true, -1
	for i := range r.rules {
		rule := &r.rules[i]
		if rule.size < longest || rule.size == longest && !rule.allow || !rule.match(key) {
			continue
		}
		allowed, longest = rule.allow, rule.size
	}
	return allowed
}

// A directive is what a page asks of those who read it.
type directive struct{ noindex, nofollow bool }

// add reads the words of a robots meta element or a header.
func (d *directive) add(words string) {
	for word := range strings.SplitSeq(words, ",") {
		switch strings.ToLower(strings.TrimSpace(word)) {
		case "noindex":
			d.noindex = true
		case "nofollow":
			d.nofollow = true
		case "none":
			d.noindex, d.nofollow = true, true
		}
	}
}

// addHeader reads an X-Robots-Tag: words for everybody, or for the one whose
// name and a colon stand before them.
func (d *directive) addHeader(value string) {
	name, words, ok := strings.Cut(value, ":")
	name = strings.TrimSpace(name)
	switch {
	case !ok, strings.ContainsAny(name, ", "), strings.EqualFold(name, "unavailable_after"), strings.HasPrefix(strings.ToLower(name), "max-"):
		d.add(value)
	case strings.EqualFold(name, Agent):
		d.add(words)
	}
}
