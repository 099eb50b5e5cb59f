package pull

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// begin is the address of the first page.
func (p *plan) begin() *url.URL {
	u := *p.url
	switch p.Pagination.Kind {
	case Page:
		u.RawQuery = with(u.RawQuery, p.Pagination.Param, strconv.Itoa(p.number(1)))
	case Offset:
		u.RawQuery = with(u.RawQuery, p.Pagination.Param, "0")
	}
	if p.Pagination.Size > 0 {
		u.RawQuery = with(u.RawQuery, p.Pagination.SizeParam, strconv.Itoa(p.Pagination.Size))
	}
	return &u
}

// number is what the API calls the nth page.
func (p *plan) number(n int) int {
	if p.Pagination.FromZero {
		return n - 1
	}
	return n
}

// after returns the address of the page after the nth, which was read from u
// when items were read in all; nil if there is none.
func (p *plan) after(u *url.URL, n, items int, h http.Header, pg *page) (*url.URL, *Error) {
	var answer any
	if p.next != nil || p.more != nil {
		var fail *Error
		if answer, fail = pg.envelope(); fail != nil {
			return nil, fail
		}
	}
	if p.more != nil {
		if v, ok := p.more.first(answer); ok && (v == false || v == nil || v == "" || v == "false" || v == json.Number("0")) {
			return nil, nil
		}
	}
	next := *p.url
	switch p.Pagination.Kind {
	case Page, Offset:
		if pg.count == 0 || lastByHeader(h, n) {
			return nil, nil
		}
		at := strconv.Itoa(items)
		if p.Pagination.Kind == Page {
			at = strconv.Itoa(p.number(n + 1))
		}
		next = *p.begin()
		next.RawQuery = with(next.RawQuery, p.Pagination.Param, at)
		return &next, nil
	case Cursor:
		at, fail := p.word(answer)
		if at == "" || fail != nil {
			return nil, fail
		}
		next = *p.begin()
		next.RawQuery = with(next.RawQuery, p.Pagination.Param, at)
		return &next, nil
	case Link:
		to, _ := nextLink(h)
		return p.follow(u, to)
	case Next:
		to, fail := p.word(answer)
		if fail != nil {
			return nil, fail
		}
		return p.follow(u, to)
	}
	return nil, nil
}

// lastByHeader says whether the nth page is the last one by the headers that
// APIs with numbered pages send.
func lastByHeader(h http.Header, n int) bool {
	if next, paged := nextLink(h); paged && next == "" {
		return true
	}
	for _, name := range []string{"X-Wp-Totalpages", "X-Total-Pages"} {
		if total, err := strconv.Atoi(h.Get(name)); err == nil && total > 0 && n >= total {
			return true
		}
	}
	return false
}

// word is the cursor or the address that an answer holds.
func (p *plan) word(answer any) (string, *Error) {
	v, _ := p.next.first(answer)
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		if len(v) <= maxURL {
			return strings.TrimSpace(v), nil
		}
	case json.Number:
		return v.String(), nil
	case bool:
		if !v {
			return "", nil
		}
	}
	return "", &Error{Kind: KindMapping, Path: p.next.text, Message: "path of the next page matches what is neither a string nor a number"}
}

// follow is the address that an answer from u gives for the next page.
func (p *plan) follow(u *url.URL, to string) (*url.URL, *Error) {
	if to == "" {
		return nil, nil
	}
	next, err := p.within(u, to)
	if err != nil {
		return nil, &Error{Kind: KindNetwork, Message: "the address of the next page " + err.Error()}
	}
	query := next.Query()
	for name, values := range p.url.Query() { // what is left out there, although it is asked for
		if p.mask.isSecret(name) && !query.Has(name) && len(values) > 0 {
			next.RawQuery = with(next.RawQuery, name, values[0])
		}
	}
	return next, nil
}

// within resolves an address that an answer from u gives, if it is on the host
// of the source. Many a server behind a proxy believes that it is asked by
// http: that is set right.
func (p *plan) within(u *url.URL, to string) (*url.URL, error) {
	if len(to) > maxURL {
		return nil, errors.New("is too long")
	}
	next, err := u.Parse(to)
	if err != nil || next.Opaque != "" || next.Scheme != "http" && next.Scheme != "https" {
		return nil, errors.New("is none of a page")
	}
	next.Fragment, next.RawFragment = "", ""
	if p.url.Scheme == "https" && next.Scheme == "http" && (next.Port() == "" || next.Port() == "80") {
		next.Scheme, next.Host = "https", p.hostOf(next)
	}
	if next.User != nil || next.Scheme != p.url.Scheme || !strings.EqualFold(next.Hostname(), p.url.Hostname()) || port(next) != port(p.url) {
		return nil, errors.New("is on another host, or of another scheme or port; only the host of the source is asked")
	}
	return next, nil
}

// hostOf is the host and port of the source, if next has its name.
func (p *plan) hostOf(next *url.URL) string {
	if strings.EqualFold(next.Hostname(), p.url.Hostname()) {
		return p.url.Host
	}
	return next.Host
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "http":
		return "80"
	}
	return "443"
}

// with sets a parameter of a query, and leaves the others as they are written.
func with(query, name, value string) string {
	var kept []string
	for pair := range strings.SplitSeq(query, "&") {
		key, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(key); pair != "" && (err != nil || plain != name) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(append(kept, url.QueryEscape(name)+"="+url.QueryEscape(value)), "&")
}
