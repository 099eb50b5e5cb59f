package server_test

import (
	"net/url"
	"strings"
	"testing"
)

// Parameters are compared with the contract, may be there once, and are read as they
// are encoded. Those that the contract does not have are passed over.
func TestParameters(t *testing.T) {
	h := open(t, nil, nil)
	h.do(t, "POST", "/v1/content", `{"content":"A","external_id":"a & b/é"}`).read(t, 201, nil)
	h.do(t, "POST", "/v1/content", `{"content":"B"}`).read(t, 201, nil)
	for _, tt := range []struct {
		query string
		items int    // -1: it is refused
		field string // that the error names, and
		says  string
	}{
		{"", 2, "", ""},
		{"limit=1", 1, "", ""},
		{"limit=100", 2, "", ""},
		{"limit=%31", 1, "", ""},
		{"%6Cimit=1", 1, "", ""},
		{"unknown=1&limit=1&unknown=2", 1, "", ""},
		{"Limit=1", 2, "", ""},
		{"limit[]=1", 2, "", ""},
		{"external_id=" + url.QueryEscape("a & b/é"), 1, "", ""},
		{"external_id=nobody", 0, "", ""},
		{"cursor=", 2, "", ""},

		{"limit=1&limit=1", -1, "limit", "is there twice"},
		{"limit=1&limit=", -1, "limit", "is there twice"},
		{"cursor=a&cursor=b", -1, "cursor", "is there twice"},
		{"limit=", -1, "limit", "is empty"},
		{"limit=0", -1, "limit", "must be at least 1"},
		{"limit=101", -1, "limit", "must be at most 100"},
		{"limit=-1", -1, "limit", "must be at least 1"},
		{"limit=1.5", -1, "limit", "must be an integer"},
		{"limit=1e1", -1, "limit", "must be an integer"},
		{"limit=+1", -1, "limit", "must be an integer"},
		{"limit=99999999999", -1, "limit", "must be an integer"},
		{"limit=Sentinel", -1, "limit", "must be an integer"},
		{"limit=1,2", -1, "limit", "must be an integer"},
		{"cursor=Sentinel", -1, "cursor", "does not belong to this list"},
		{"cursor=" + strings.Repeat("a", 1025), -1, "cursor", "must have at most 1024 characters"},
		{"external_id=" + strings.Repeat("a", 513), -1, "external_id", "must have at most 512 characters"},
		{"limit=%zz", -1, "query", "is not encoded"},
		{"limit=1;cursor=2", -1, "query", "is not encoded"},
	} {
		a := h.do(t, "GET", "/v1/content?"+tt.query, "")
		if tt.items >= 0 {
			var page struct{ Data []any }
			a.read(t, 200, &page)
			if len(page.Data) != tt.items {
				t.Errorf("?%s lists %d, want %d", tt.query, len(page.Data), tt.items)
			}
			continue
		}
		p := a.is(t, 400, "invalid_request")
		if p.Details["field"] != tt.field || !strings.HasPrefix(p.Message, tt.field+": ") || !strings.Contains(p.Message, tt.says) || strings.Contains(p.Message, "Sentinel") {
			t.Errorf("?%s: %q about %v, want %s: …%s…", tt.query, p.Message, p.Details["field"], tt.field, tt.says)
		}
	}
}

// A request is not changed by what it is compared with: whoever stands around the
// server finds it as it came.
func TestRequestIsLeftAlone(t *testing.T) {
	h := open(t, nil, nil)
	r := request(t, h.key, "GET", "/v1/agents?a=b", "")
	before := r.Header.Clone()
	h.serve(t, r).read(t, 200, nil)
	if r.URL.RawQuery != "a=b" || len(r.Header) != len(before) {
		t.Errorf("the request has become %s %v", r.URL, r.Header)
	}
}
