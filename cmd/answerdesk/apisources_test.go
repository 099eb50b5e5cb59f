package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPISources(t *testing.T) {
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sentinel-token" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = w.Write([]byte(`{"data": {"items": [
			{"id": "1", "name": "Hours", "body": {"text": "The bakery opens at six in the morning."}, "category": "times"},
			{"id": "2", "name": "Bread", "body": {"text": "Our bread is baked at night."}, "category": "goods"}]}}`))
	}))
	t.Cleanup(shop.Close)
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	auth := `"auth": {"type": "bearer", "token": "sentinel-token"}`
	preview := program(t, "sources", "preview", "--dev", file("bare.json", `{"name": "Shop", "url": "`+shop.URL+`", `+auth+`}`))
	preview.want(t, 0, "2 items in the answer", "body.text", "opens at six", `"text": `, "Hours")
	if strings.Contains(preview.stdout+preview.stderr, "sentinel") {
		t.Errorf("the preview shows the token: %s%s", preview.stdout, preview.stderr)
	}
	program(t, "sources", "preview", "--dev", file("secret.json", `{"name": "Shop", "url": "`+shop.URL+`", "auth": {"type": "bearer", "token": "wrong-sentinel"}}`)).
		want(t, 1, "auth: ", "try it: curl", "$TOKEN")
	program(t, "sources", "preview", file("bare.json", `{"name": "Shop", "url": "`+shop.URL+`"}`)).want(t, 1, "network: ")
	program(t, "sources", "preview", file("bad.json", `{"name": "Shop", "uri": ""}`)).want(t, 1, `unknown field "uri"`)
	program(t, "sources", "preview", filepath.Join(dir, "nowhere.json")).want(t, 1, "no such file")

	desk := filepath.Join(dir, "desk")
	whole := file("whole.json", `{"name": "Shop", "url": "`+shop.URL+`", "items": "data.items", "mapping": {"id": "id", "title": "name", "text": "body.text"}, `+auth+`}`)
	r := program(t, "sources", "add-api", "--data", desk, whole)
	if r.want(t, 0); !oneSource.MatchString(r.stdout) {
		t.Fatalf("sources add-api = %q, want an id and nothing else", r.stdout)
	}
	id := strings.TrimSpace(r.stdout)
	program(t, "sources", "read", "--data", desk, "--dev", id).want(t, 0, "2 created")
	program(t, "sources", "list", "--data", desk).want(t, 0, id, "api", "ready")
	program(t, "ask", "--data", desk, "When does the bakery open?").want(t, 0, "six in the morning")
	program(t, "sources", "add-api", "--data", desk, file("empty.json", `{"name": "Shop", "url": "`+shop.URL+`", "mapping": {}}`)).want(t, 1, "mapping")
}
