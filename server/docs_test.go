package server_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/server"
)

// documented serves a new desk.
func documented(t testing.TB, opts *server.Options) http.Handler {
	t.Helper()
	desk, err := answerdesk.Open(t.Context(), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { desk.Close() })
	return server.New(desk, opts)
}

// get reads from a handler, with headers given by name and value.
func get(t testing.TB, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

var loads = regexp.MustCompile(`(?:src|href)="(docs/[^"]+)"`)

// All that the page loads is served beside it, whatever path it is mounted under.
func TestDocs(t *testing.T) {
	for _, base := range []string{"", "/support"} {
		h := documented(t, &server.Options{BasePath: base})
		page := get(t, h, base+"/docs")
		if page.Code != 200 || page.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Fatalf("/docs = %d %s", page.Code, page.Header().Get("Content-Type"))
		}
		policy := page.Header().Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self'; ") || strings.Contains(policy, "://") {
			t.Errorf("the policy of the page is %s", policy)
		}
		if strings.Contains(page.Body.String(), "://") {
			t.Errorf("the page leads elsewhere:\n%s", page.Body)
		}
		found := loads.FindAllStringSubmatch(page.Body.String(), -1)
		if len(found) != 4 {
			t.Fatalf("the page loads %q", found)
		}
		for _, m := range found {
			a := get(t, h, path.Join("/", base, m[1]))
			if a.Code != 200 || a.Body.Len() == 0 || a.Header().Get("Cache-Control") != "public, max-age=31536000, immutable" || a.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("%s = %d, %d bytes, %v", m[1], a.Code, a.Body.Len(), a.Header())
			}
			if media := a.Header().Get("Content-Type"); !strings.HasPrefix(media, map[string]string{".js": "text/javascript;", ".css": "text/css;", ".txt": "text/plain;"}[path.Ext(m[1])]) {
				t.Errorf("%s is %s", m[1], media)
			}
		}
	}
}

// What the page loads comes in gzip to those who take it, and is not sent to those
// who have it.
func TestDocsFiles(t *testing.T) {
	h := documented(t, nil)
	page := get(t, h, "/docs").Body.String()
	bundle := "/" + regexp.MustCompile(`docs/[0-9a-f]{16}/swagger-ui-bundle\.js`).FindString(page)
	plain := get(t, h, bundle)
	for _, accept := range []string{"gzip", "br, GZIP;q=0.5", "deflate, gzip, br"} {
		packed := get(t, h, bundle, "Accept-Encoding", accept)
		if packed.Header().Get("Content-Encoding") != "gzip" || packed.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("with Accept-Encoding: %s headers = %v", accept, packed.Header())
			continue
		}
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(z); err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
			t.Errorf("with Accept-Encoding: %s it is another file, %v", accept, err)
		}
	}
	for _, accept := range []string{"", "br", "gzip;q=0", "gzip; q=0.0"} {
		if w := get(t, h, bundle, "Accept-Encoding", accept); w.Header().Get("Content-Encoding") != "" || w.Body.Len() != plain.Body.Len() {
			t.Errorf("with Accept-Encoding: %q it is in %s", accept, w.Header().Get("Content-Encoding"))
		}
	}
	tag := plain.Header().Get("ETag")
	if w := get(t, h, bundle, "If-None-Match", tag); tag == "" || w.Code != 304 || w.Body.Len() > 0 {
		t.Errorf("with If-None-Match: %s it is %d with %d bytes, want 304", tag, w.Code, w.Body.Len())
	}
	for _, none := range []string{"/docs/", "/docs/swagger-ui.css", path.Dir(bundle), path.Dir(bundle) + "/README.md"} {
		if w := get(t, h, none); w.Code != 404 {
			t.Errorf("%s = %d, want 404", none, w.Code)
		}
	}
}
