package crawl

import (
	"net/netip"
	"net/url"
	"strings"

	"golang.org/x/net/idna"
)

// maxURL bounds an address in bytes: what browsers and servers agree on.
const maxURL = 2048

// resolve reads ref as it stands on a page whose addresses are relative to
// base, and returns the normal form of what it names. ok is false for what is
// no address of a page: then kind is the scheme of it, such as "mailto", or
// "invalid", "credentials" or "" for a place on the same page.
func resolve(base *url.URL, ref string) (u *url.URL, kind string, ok bool) {
	ref = cleanRef(ref)
	if ref == "" || ref[0] == '#' {
		return nil, "", false
	}
	if len(ref) > 4*maxURL {
		return nil, "invalid", false
	}
	if scheme := schemeOf(ref); scheme != "" && scheme != "http" && scheme != "https" {
		return nil, scheme, false
	}
	parsed, err := url.Parse(ref)
	if err != nil {
		if parsed, err = url.Parse(normalEscapes(ref)); err != nil {
			return nil, "invalid", false
		}
	}
	if base != nil {
		parsed = base.ResolveReference(parsed)
	}
	switch {
	case parsed.User != nil:
		return nil, "credentials", false
	case parsed.Scheme != "http" && parsed.Scheme != "https", parsed.Opaque != "":
		return nil, "invalid", false
	}
	if !normalize(parsed) {
		return nil, "invalid", false
	}
	return parsed, "", true
}

// cleanRef drops what browsers drop of an address: white space and control
// characters around it, tabs and line ends within; a backslash is a slash.
func cleanRef(ref string) string {
	ref = strings.TrimFunc(ref, func(r rune) bool { return r <= ' ' })
	if !strings.ContainsAny(ref, "\t\r\n\\") {
		return ref
	}
	path, query, _ := strings.Cut(strings.NewReplacer("\t", "", "\r", "", "\n", "").Replace(ref), "?")
	path = strings.ReplaceAll(path, `\`, "/")
	if query != "" {
		path += "?" + query
	}
	return path
}

// schemeOf returns the scheme that ref begins with, in lower case, or "".
func schemeOf(ref string) string {
	for i, c := range []byte(ref) {
		switch {
		case c == ':' && i > 0 && i <= 32:
			return strings.ToLower(ref[:i])
		case c|0x20 >= 'a' && c|0x20 <= 'z', i > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
		default:
			return ""
		}
	}
	return ""
}

// normalize writes u in the one way addresses are compared in, see the
// package's comment, and says whether that is an address to ask for.
func normalize(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "" || host[0] == '.' || strings.HasSuffix(host, ".") || strings.Contains(host, "..") || strings.ContainsAny(host, "%/ <>\"") {
		return false
	}
	ascii, ok := asciiHost(host)
	if !ok {
		return false
	}
	if strings.Contains(ascii, ":") {
		addr, err := netip.ParseAddr(ascii)
		if err != nil {
			return false
		}
		ascii = "[" + addr.String() + "]"
	}
	if port := u.Port(); port != "" && (u.Scheme != "http" || port != "80") && (u.Scheme != "https" || port != "443") {
		ascii += ":" + port
	}
	path := dropSession(removeDots(normalEscapes(u.EscapedPath())))
	query := dropTracking(normalEscapes(u.RawQuery))
	plain, err := url.PathUnescape(path)
	if err != nil {
		return false
	}
	*u = url.URL{Scheme: u.Scheme, Host: ascii, Path: plain, RawPath: path, RawQuery: query}
	return len(u.Scheme)+len(u.Host)+len(path)+len(query)+4 <= maxURL
}

// asciiHost is host, in lower case, as DNS has it.
func asciiHost(host string) (string, bool) {
	for _, c := range []byte(host) {
		if c >= 0x80 {
			ascii, err := idna.Lookup.ToASCII(host)
			return ascii, err == nil
		}
	}
	return host, true
}

// key returns what tells the pages of one site apart: path and query.
func key(u *url.URL) string {
	if u.RawQuery == "" {
		return u.RawPath
	}
	return u.RawPath + "?" + u.RawQuery
}

// text is a normal u as a string. [url.URL.String] would write some paths in
// its own way.
func text(u *url.URL) string { return u.Scheme + "://" + u.Host + key(u) }

// normalEscapes writes percent-encoding as RFC 3986 section 6.2.2 has it:
// unreserved characters plain, hexadecimal digits in upper case, and what may
// not stand in a URL escaped.
func normalEscapes(s string) string {
	i := 0
	for i < len(s) && plain[s[i]] {
		i++
	}
	if i == len(s) {
		return s
	}
	const hex = "0123456789ABCDEF"
	b := make([]byte, i, len(s)+16)
	copy(b, s)
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			if v := unhex(s[i+1])<<4 | unhex(s[i+2]); unreserved(v) {
				b = append(b, v)
			} else {
				b = append(b, '%', hex[v>>4], hex[v&15])
			}
			i += 2
		case plain[c]:
			b = append(b, c)
		default:
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// plain are the bytes that stand for themselves in a path or a query.
var plain = func() (t [256]bool) {
	for c := range 256 {
		t[c] = unreserved(byte(c)) || c != 0 && strings.IndexByte("!$&'()*+,;=:@/?[]#", byte(c)) >= 0
	}
	return t
}()

func unreserved(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

func unhex(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// removeDots makes path absolute and takes "." and ".." out of it (RFC 3986
// section 5.2.4).
func removeDots(path string) string {
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	if !strings.Contains(path, "/.") {
		return path
	}
	var out []string
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		switch s {
		case "..":
			out = out[:max(0, len(out)-1)]
			fallthrough
		case ".":
			if i == len(segments)-1 {
				out = append(out, "")
			}
		default:
			out = append(out, s)
		}
	}
	return "/" + strings.Join(out, "/")
}

// dropSession takes ";jsessionid=…" out of a path.
func dropSession(path string) string {
	i := strings.Index(strings.ToLower(path), ";jsessionid=")
	if i < 0 {
		return path
	}
	if end := strings.IndexByte(path[i:], '/'); end >= 0 {
		return path[:i] + path[i+end:]
	}
	return path[:i]
}

// dropTracking takes out of a query what only tells where a visitor comes
// from, or who it is.
func dropTracking(query string) string {
	if query == "" {
		return ""
	}
	out := make([]string, 0, 8)
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if part != "" && !tracks(strings.ToLower(name)) {
			out = append(out, part)
		}
	}
	return strings.Join(out, "&")
}

func tracks(name string) bool {
	switch name {
	case "gclid", "gclsrc", "dclid", "gbraid", "wbraid", "fbclid", "msclkid", "yclid", "twclid", "ttclid", "igshid",
		"mc_cid", "mc_eid", "mkt_tok", "_ga", "_gl", "_hsenc", "_hsmi", "hsctatracking", "vero_id", "oly_anon_id", "oly_enc_id",
		"phpsessid", "jsessionid":
		return true
	}
	return strings.HasPrefix(name, "utm_") || strings.HasPrefix(name, "aspsessionid") || strings.HasPrefix(name, "pk_campaign") || strings.HasPrefix(name, "mtm_")
}
