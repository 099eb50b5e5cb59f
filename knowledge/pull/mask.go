package pull

import (
	"cmp"
	"encoding/base64"
	"encoding/hex"
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
	secrets []secret
	own     string // the parameter that says which page, which is no secret
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

func (m *mask) addAs(value, variable string) {
	if one := (secret{value, variable}); !slices.Contains(m.secrets, one) {
		m.secrets = append(m.secrets, one)
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
	var b strings.Builder
	for _, p := range m.cut(s) {
		if p.variable != "" {
			b.WriteByte('$')
		}
		b.WriteString(p.text + p.variable)
	}
	return b.String()
}

// A place is where a secret is in a text.
type place struct {
	from, to int
	variable string
}

// cut takes the secrets out of s, and what is at the places given.
func (m *mask) cut(s string, places ...place) []piece {
	places = append(places, m.places(s)...)
	slices.SortStableFunc(places, func(a, b place) int { return cmp.Or(a.from-b.from, b.to-a.to) })
	var out []piece
	done := 0
	for _, p := range places {
		if p.from >= done {
			out = append(out, piece{text: s[done:p.from]}, piece{variable: p.variable})
		} // else it is within the one before, or an end of it
		done = max(done, p.to)
	}
	return append(out, piece{text: s[done:]})
}

// places are where the secrets are in s, in whatever way the characters of a
// URL write them.
func (m *mask) places(s string) []place {
	var out []place
	find := func(text string, at []int, secret secret) {
		for i := 0; len(secret.value) >= minSecret; i++ {
			next := strings.Index(text[i:], secret.value)
			if next < 0 {
				return
			}
			i += next
			out = append(out, place{at[i], at[i+len(secret.value)], secret.variable})
		}
	}
	text, at := literally(s)
	plain, plainAt := percents(s)
	spaced := strings.ReplaceAll(plain, "+", " ") // which a query may write as a plus
	for _, one := range m.secrets {
		find(text, at, one)
		find(plain, plainAt, one)
		find(spaced, plainAt, secret{strings.ReplaceAll(one.value, "+", " "), one.variable})
		meant, _ := percents(one.value) // if it has escapes itself, which were left
		find(spaced, plainAt, secret{strings.ReplaceAll(meant, "+", " "), one.variable})
	}
	return out
}

// literally is s, and where its bytes are in s.
func literally(s string) (string, []int) {
	at := make([]int, len(s)+1)
	for i := range at {
		at[i] = i
	}
	return s, at
}

// percents is what the escapes of a URL in s mean, and where its bytes are in s.
func percents(s string) (string, []int) {
	var b strings.Builder
	var at []int
	for i := 0; i < len(s); {
		at = append(at, i)
		if code, err := hex.DecodeString(s[i+min(1, len(s)-i) : min(i+3, len(s))]); s[i] == '%' && err == nil && len(code) == 1 {
			b.WriteByte(code[0])
			i += 3
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String(), append(at, len(s))
}

// curl is a shell command that makes the request for u again.
func (m *mask) curl(u *url.URL) string {
	if u == nil {
		return ""
	}
	var b strings.Builder
	b.WriteString("curl -sS -i")
	for _, l := range m.header {
		b.WriteString(" -H " + quote(append(m.cut(l.name+": "+l.before), piece{variable: l.variable})))
	}
	shown := *u
	shown.User = nil
	text := shown.String()
	b.WriteString(" " + quote(m.cut(text, m.parameters(text)...)))
	return b.String()
}

// parameters are where in a URL the values of parameters are that are named
// like secrets.
func (m *mask) parameters(text string) []place {
	var out []place
	at := strings.IndexByte(text, '?') + 1
	if at == 0 {
		return nil
	}
	for pair := range strings.SplitSeq(text[at:], "&") {
		name, value, _ := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if err != nil {
			plain = name
		}
		if value != "" && m.isSecret(plain) {
			out = append(out, place{at + len(name) + 1, at + len(pair), m.variable(value)})
		}
		at += len(pair) + 1
	}
	return out
}

// variable is what stands for the value of a parameter, which may be one that
// only an answer of the API has put there.
func (m *mask) variable(value string) string {
	plain, err := url.QueryUnescape(value)
	for _, s := range m.secrets {
		if s.value == value || err == nil && s.value == plain {
			return s.variable
		}
	}
	return "SECRET"
}

// A piece of a word of a shell: text, or a variable.
type piece struct{ text, variable string }

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
