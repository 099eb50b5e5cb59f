package pull

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// minSecret is the length in bytes from which on a secret is looked for in what
// is said of a request; a shorter one would be found in half of all words.
const minSecret = 6

// open are headers whose values are no secrets. All others are.
var open = []string{"Accept", "Accept-Language", "Content-Type", "User-Agent"}

// schemes are words that Authorization may begin with.
var schemes = []string{"basic", "bearer", "token", "apikey", "api-key", "key", "digest", "negotiate"}

// A mask writes requests and messages without secrets.
type mask struct {
	header  []line
	secrets []secret // the longest first
	own     string   // the parameter that says which page, which is no secret
}

// A line is a header as it may be shown.
type line struct{ name, before, variable string }

type secret struct{ value, variable string }

func newMask(p *plan) *mask {
	m := &mask{own: p.Pagination.Param}
	shown := p.Header.Clone()
	if shown == nil {
		shown = http.Header{}
	}
	accept := false
	for _, name := range slices.SortedFunc(maps.Keys(shown), authorizationFirst) {
		canonical, value := http.CanonicalHeaderKey(name), shown[name][0]
		accept = accept || canonical == "Accept"
		if slices.Contains(open, canonical) || strings.HasSuffix(canonical, "-Version") {
			m.header = append(m.header, line{name: canonical, before: value})
			continue
		}
		before, rest := "", value
		if scheme, after, ok := strings.Cut(value, " "); ok && slices.Contains(schemes, strings.ToLower(scheme)) {
			before, rest = scheme+" ", strings.TrimSpace(after)
		}
		m.header = append(m.header, line{canonical, before, m.add(rest)})
		if decoded, err := base64.StdEncoding.DecodeString(rest); err == nil && strings.EqualFold(strings.TrimSpace(before), "basic") {
			user, password, _ := strings.Cut(string(decoded), ":")
			m.addAs(user, m.add(rest))
			m.addAs(password, m.add(rest))
		}
	}
	if !accept {
		m.header = append(m.header, line{name: "Accept", before: accepted})
	}
	query := p.url.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		for _, v := range query[name] {
			if m.isSecret(name) && v != "" {
				m.add(v)
			}
		}
	}
	slices.SortStableFunc(m.secrets, func(a, b secret) int { return len(b.value) - len(a.value) })
	for i, l := range m.header { // what an open header holds of a secret
		if l.variable == "" {
			m.header[i].before = m.text(l.before)
		}
	}
	return m
}

func authorizationFirst(a, b string) int {
	first := func(s string) int {
		if http.CanonicalHeaderKey(s) == "Authorization" {
			return 0
		}
		return 1
	}
	return cmp.Or(first(a)-first(b), strings.Compare(a, b))
}

// add makes value a secret, and returns the variable that stands for it.
func (m *mask) add(value string) string {
	seen := map[string]bool{}
	for _, s := range m.secrets {
		if s.value == value {
			return s.variable
		}
		seen[s.variable] = true
	}
	variable := "TOKEN"
	if n := len(seen); n > 0 {
		variable = fmt.Sprintf("TOKEN_%d", n+1)
	}
	m.addAs(value, variable)
	return variable
}

// addAs makes value, and what a URL makes of it, a secret.
func (m *mask) addAs(value, variable string) {
	for _, v := range []string{value, url.QueryEscape(value), url.PathEscape(value)} {
		if !slices.Contains(m.secrets, secret{v, variable}) {
			m.secrets = append(m.secrets, secret{v, variable})
		}
	}
}

// isSecret says whether a parameter is named like a secret. Those that name a
// page are not, although some are called tokens.
func (m *mask) isSecret(name string) bool {
	n := strings.ToLower(strings.NewReplacer("-", "", "_", "", ".", "", "[", "", "]", "").Replace(name))
	if name == m.own && name != "" {
		return false
	}
	for _, page := range []string{"page", "next", "cursor", "continu", "start", "scroll"} {
		if strings.Contains(n, page) {
			return false
		}
	}
	switch n {
	case "key", "sig", "code", "appid", "pass", "pwd", "pw", "sid", "hash":
		return true
	}
	for _, word := range []string{"token", "secret", "passw", "apikey", "accesskey", "authkey", "privatekey", "signature", "auth", "credential", "session", "jwt"} {
		if strings.Contains(n, word) {
			return true
		}
	}
	return false
}

// text is s without secrets.
func (m *mask) text(s string) string {
	for _, one := range m.secrets {
		if len(one.value) >= minSecret {
			s = strings.ReplaceAll(s, one.value, "$"+one.variable)
		}
	}
	return s
}

// curl is a shell command that makes the request for u again.
func (m *mask) curl(u *url.URL) string {
	if u == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("curl -sS -i")
	for _, l := range m.header {
		b.WriteString(" -H " + m.quote(l.name+": "+l.before, l.variable))
	}
	shown := *u
	shown.User = nil
	if shown.RawQuery == "" {
		b.WriteString(" " + m.quote(shown.String(), ""))
		return b.String()
	}
	pairs := strings.Split(shown.RawQuery, "&")
	shown.RawQuery = ""
	var word []piece
	word = append(word, piece{text: shown.String()})
	for i, pair := range pairs {
		sign := "&"
		if i == 0 {
			sign = "?"
		}
		name, value, ok := strings.Cut(pair, "=")
		plainName, err := url.QueryUnescape(name)
		if err != nil {
			plainName = name
		}
		if ok && value != "" && m.isSecret(plainName) {
			word = append(word, piece{text: sign + name + "="}, piece{variable: m.variable(value)})
		} else {
			word = append(word, piece{text: sign + pair})
		}
	}
	b.WriteString(" " + quote(m.pieces(word)))
	return b.String()
}

// variable is what stands for a value, which another answer of the API may have
// put into an address.
func (m *mask) variable(value string) string {
	for _, s := range m.secrets {
		if s.value == value {
			return s.variable
		}
	}
	return "SECRET"
}

// A piece of a word of a shell: text, or a variable.
type piece struct{ text, variable string }

// quote is text and a variable after it as one word of a shell.
func (m *mask) quote(text, variable string) string {
	return quote(m.pieces([]piece{{text: text}, {variable: variable}}))
}

// pieces takes the secrets out of the text of list.
func (m *mask) pieces(list []piece) []piece {
	for _, one := range m.secrets {
		if len(one.value) < minSecret {
			continue
		}
		var next []piece
		for _, p := range list {
			for p.variable == "" {
				before, after, found := strings.Cut(p.text, one.value)
				if !found {
					break
				}
				next = append(next, piece{text: before}, piece{variable: one.variable})
				p.text = after
			}
			next = append(next, p)
		}
		list = next
	}
	return list
}

// quote writes pieces as one word of a POSIX shell: between double quotes if
// nothing in it has a meaning there, else the text between single ones.
func quote(list []piece) string {
	list = joined(list)
	var text strings.Builder
	variables := 0
	for _, p := range list {
		text.WriteString(p.text)
		if p.variable != "" {
			variables++
		}
	}
	var b strings.Builder
	if variables > 0 && !strings.ContainsAny(text.String(), "\"$`\\!") {
		b.WriteByte('"')
		for i, p := range list {
			switch {
			case p.variable == "":
				b.WriteString(p.text)
			case i+1 < len(list) && wordy(list[i+1].text):
				b.WriteString("${" + p.variable + "}")
			default:
				b.WriteString("$" + p.variable)
			}
		}
		b.WriteByte('"')
		return b.String()
	}
	for _, p := range list {
		switch {
		case p.variable != "":
			b.WriteString(`"$` + p.variable + `"`)
		case p.text != "":
			b.WriteString("'" + strings.ReplaceAll(p.text, "'", `'\''`) + "'")
		}
	}
	return b.String()
}

// joined is list with pieces of text that follow each other made one.
func joined(list []piece) []piece {
	var out []piece
	for _, p := range list {
		if last := len(out) - 1; p.variable == "" && last >= 0 && out[last].variable == "" {
			out[last].text += p.text
		} else {
			out = append(out, p)
		}
	}
	return out
}

// wordy says whether s would make a variable's name longer.
func wordy(s string) bool {
	return s != "" && (s[0] == '_' || s[0] >= '0' && s[0] <= '9' || s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z')
}
