package server_test

import (
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/server"
)

// A request keeps the id that it was given if that is one, and otherwise gets one.
func TestRequestIDs(t *testing.T) {
	h := open(t, nil, nil)
	own := regexp.MustCompile(`^req_[0-9a-z]{26}$`)
	seen := map[string]bool{}
	for given, kept := range map[string]bool{
		"":                        false,
		"a":                       true,
		"A.b-c_9":                 true,
		strings.Repeat("a", 128):  true,
		strings.Repeat("a", 129):  false,
		"a b":                     false,
		"a\tb":                    false,
		"a;b":                     false,
		"é":                       false,
		"<script>":                false,
		"a\n":                     false,
		"${jndi:ldap://evil}":     false,
		"019a0000-7000-8000-0000": true,
	} {
		for _, path := range []string{"/healthz", "/v1/agents", "/v1/agents/x", "/nothing"} {
			a := h.do(t, "GET", path, "", "X-Request-Id", given)
			got := a.Header().Get("X-Request-Id")
			if kept && got != given || !kept && (!own.MatchString(got) || seen[got]) {
				t.Errorf("GET %s with the id %q has %q, want it kept: %v", path, given, got, kept)
			}
			seen[got] = !kept
		}
	}
}

// Every answer keeps browsers from guessing, framing, storing and telling where they
// came from.
func TestSecurityHeaders(t *testing.T) {
	h := open(t, nil, nil)
	for _, tt := range []struct{ method, path, body, cache string }{
		{"GET", "/healthz", "", "private, no-cache"},
		{"GET", "/openapi.yaml", "", "private, no-cache"},
		{"GET", "/v1/agents", "", "private, no-cache"},
		{"GET", "/v1/agents/x", "", "no-store"},
		{"GET", "/nothing", "", "no-store"},
		{"POST", "/v1/api-keys", `{"name":"k","scope":"read"}`, "no-store"},
		{"POST", "/v1/message", `{"message":"When do you open?"}`, "no-store"},
		{"POST", "/v1/message/stream", `{"message":"When do you open?"}`, "no-cache"},
	} {
		a := h.do(t, tt.method, tt.path, tt.body)
		for name, want := range map[string]string{
			"X-Content-Type-Options":  "nosniff",
			"Referrer-Policy":         "no-referrer",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
			"Cache-Control":           tt.cache,
		} {
			if got := a.Header().Get(name); got != want {
				t.Errorf("%s %s has %s: %q, want %q", tt.method, tt.path, name, got, want)
			}
		}
		for name := range a.Header() {
			if slices.Contains([]string{"Set-Cookie", "Server", "X-Powered-By", "Access-Control-Allow-Origin"}, name) {
				t.Errorf("%s %s has %s", tt.method, tt.path, name)
			}
		}
	}
}

// Pages of the origins that were named may read answers; no other page may, and no
// browser adds a password of its own.
func TestOrigins(t *testing.T) {
	h := open(t, nil, &server.Options{AllowedOrigins: []string{"https://shop.example", "https://*.help.example"}})
	for origin, allowed := range map[string]bool{
		"https://shop.example":               true,
		"https://a.help.example":             true,
		"https://a.b.help.example":           true,
		"https://help.example":               false,
		"http://shop.example":                false,
		"https://shop.example:8443":          false,
		"https://shop.example.evil.example":  false,
		"https://evilshop.example":           false,
		"https://evil.example/.help.example": true, // no browser sends a path
		"null":                               false,
		"https://evil.example":               false,
	} {
		want := ""
		if allowed {
			want = origin
		}
		r := httptest.NewRequest("OPTIONS", "/v1/message", nil)
		r.Header.Set("Origin", origin)
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set("Access-Control-Request-Headers", "content-type,idempotency-key,x-api-key")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("a preflight from %s is allowed to %q, want %q", origin, got, want)
		}
		if allowed && (w.Header().Get("Access-Control-Allow-Headers") == "" || w.Header().Get("Access-Control-Allow-Methods") != "POST" || w.Header().Get("Access-Control-Max-Age") != "600") {
			t.Errorf("the preflight from %s is answered with %v", origin, w.Header())
		}
		for _, tt := range []struct{ method, path, key string }{{"GET", "/v1/agents", h.key}, {"GET", "/v1/agents", "wrong"}, {"GET", "/nothing", ""}, {"PUT", "/v1/agents", ""}} {
			a := h.do(t, tt.method, tt.path, "", "Origin", origin, "X-Api-Key", tt.key)
			if got := a.Header().Get("Access-Control-Allow-Origin"); got != want {
				t.Errorf("%s %s from %s = %d that %q may read, want %q", tt.method, tt.path, origin, a.Code, got, want)
			}
			if exposed := a.Header().Get("Access-Control-Expose-Headers"); allowed && !strings.Contains(exposed, "X-Request-Id") {
				t.Errorf("%s %s shows pages the headers %q", tt.method, tt.path, exposed)
			}
			if a.Header().Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s allows credentials", tt.method, tt.path)
			}
			if vary := a.Header().Values("Vary"); !slices.Contains(vary, "Origin") {
				t.Errorf("%s %s has Vary: %v, without Origin", tt.method, tt.path, vary)
			}
		}
	}
	// A method and a header that the API does not have.
	for name, value := range map[string]string{"Access-Control-Request-Method": "TRACE", "Access-Control-Request-Headers": "cookie"} {
		r := httptest.NewRequest("OPTIONS", "/v1/message", nil)
		r.Header.Set("Origin", "https://shop.example")
		r.Header.Set("Access-Control-Request-Method", "POST")
		r.Header.Set(name, value)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("a preflight with %s: %s is allowed to %s", name, value, got)
		}
	}
}

// Without origins named, no page may read anything.
func TestNoOrigins(t *testing.T) {
	h := open(t, nil, nil)
	a := h.do(t, "OPTIONS", "/v1/message", "", "Origin", "https://shop.example", "Access-Control-Request-Method", "POST")
	a.is(t, 405, "method_not_allowed")
	for name := range h.do(t, "GET", "/v1/agents", "", "Origin", "https://shop.example").Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("an answer has %s", name)
		}
	}
}
