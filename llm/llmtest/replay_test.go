package llmtest_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// TestRecord keeps an answer as it came, without what is nobody's business.
func TestRecord(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil || string(sent) != `{"user":"acme"}` || r.Header.Get("Authorization") != "Bearer secret" {
			t.Errorf("the server got %s, %v, %v, want what was sent", sent, r.Header, err)
		}
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Retry-After", "7")
		w.Header().Set("Set-Cookie", "a=b")
		io.WriteString(w, "data: for acme, with secret\n\n")
	}))
	defer server.Close()

	var kept []string
	client := &http.Client{Transport: llmtest.Record(http.DefaultTransport, func(file []byte) { kept = append(kept, string(file)) }, "secret", "acme", "")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(`{"user":"acme"}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer secret")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body.Close()
	if err != nil || string(got) != "data: for acme, with secret\n\n" {
		t.Errorf("the client got %q, %v, want what was answered", got, err)
	}
	if len(kept) != 1 {
		t.Fatalf("%d files, want 1", len(kept))
	}
	want := map[string]string{
		"request": "{\n  \"user\": \"SECRET\"\n}\n",
		"answer":  "HTTP/1.1 200 OK\nContent-Type: text/event-stream\nRetry-After: 7\n\ndata: for SECRET, with SECRET\n\n",
	}
	for _, f := range txtar.Parse([]byte(kept[0])).Files {
		if string(f.Data) != want[f.Name] {
			t.Errorf("section %s = %q, want %q", f.Name, f.Data, want[f.Name])
		}
		delete(want, f.Name)
	}
	if len(want) != 0 {
		t.Errorf("no sections %v in %s", want, kept[0])
	}
}
