package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A served desk answers over HTTP.
type served struct {
	url string
	log *buffer
	end func() int // interrupts it, and returns its status
}

// A buffer may be written to and read at the same time.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var listening = regexp.MustCompile(`^answerdesk: listening on (http://127\.0\.0\.1:[1-9][0-9]*)\n$`)

// startServe serves a desk within this process, on a free port.
func startServe(t testing.TB, desk string, args ...string) *served {
	t.Helper()
	ctx, interrupt := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	s := &served{log: new(buffer)}
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, append([]string{"serve", "--data", desk, "--addr", "127.0.0.1:0"}, args...), stdout, s.log)
		stdout.Close()
	}()
	s.end = sync.OnceValue(func() int {
		interrupt()
		select {
		case n := <-status:
			return n
		case <-time.After(5 * time.Minute):
			t.Errorf("answerdesk serve hangs after an interrupt:\n%s", s.log)
			return -1
		}
	})
	t.Cleanup(func() { s.end() })
	lines := bufio.NewReader(out)
	first, err := lines.ReadString('\n')
	m := listening.FindStringSubmatch(first)
	if m == nil {
		t.Fatalf("the first line is %q, %v, want %s\n%s", first, err, listening, s.log)
	}
	go io.Copy(io.Discard, lines)
	s.url = m[1]
	return s
}

// call makes a request, and returns the status and the body of the answer.
func (s *served) call(t testing.TB, method, path, key, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// ask sends a message and returns the text of the reply.
func (s *served) ask(t testing.TB, key, question string) string {
	t.Helper()
	body, err := json.Marshal(map[string]string{"message": question})
	if err != nil {
		t.Fatal(err)
	}
	status, text := s.call(t, "POST", "/v1/message", key, string(body))
	var reply struct{ Text string }
	if err := json.Unmarshal([]byte(text), &reply); err != nil || status != 200 {
		t.Fatalf("status %d, %v: %s", status, err, text)
	}
	return reply.Text
}

// A server serves a folder that is made for it, and keys made beside it work at
// once and end at once.
func TestServe(t *testing.T) {
	desk := filepath.Join(t.TempDir(), "desk")
	s := startServe(t, desk)
	key := newKey(t, desk, "--scope", "full")
	if status, body := s.call(t, "GET", "/v1/agents", key, ""); status != 200 || !strings.Contains(body, `"is_default":true`) {
		t.Errorf("agents = %d %s, want the default one", status, body)
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/openapi.yaml", "/docs"} {
		if status, _ := s.call(t, "GET", path, "", ""); status != 200 {
			t.Errorf("%s = %d, want 200 without a key", path, status)
		}
	}
	folder := filepath.Join(t.TempDir(), "shop")
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at nine in the morning.\n"})
	program(t, "ingest", "--data", desk, folder).want(t, 0, "1 created")
	if got := s.ask(t, key, whenOpen); !strings.Contains(got, "at nine") {
		t.Errorf("the reply is %q, want what was ingested beside the server", got)
	}
	program(t, "keys", "revoke", "--data", desk, keyID.FindString(program(t, "keys", "list", "--data", desk).stdout)).want(t, 0)
	if status, body := s.call(t, "GET", "/v1/agents", key, ""); status != 401 {
		t.Errorf("a key that was revoked gets %d %s, want 401", status, body)
	}
	if status := s.end(); status != 0 {
		t.Errorf("status = %d, want 0\n%s", status, s.log)
	}
	program(t, "ask", "--data", desk, whenOpen).want(t, 0, "outcome: answer")
}

// The log is JSON, a line each, and holds nothing that anybody said, and no key.
func TestServeLog(t *testing.T) {
	desk := filepath.Join(t.TempDir(), "desk")
	s := startServe(t, desk, "--log-level", "debug", "--dev")
	key := newKey(t, desk, "--scope", "full", "--plan", "unlimited")
	const secret = "marzipan"
	for _, c := range []struct{ method, path, body string }{
		{"POST", "/v1/knowledge/documents", `{"title": "marzipan", "text": "A marzipan costs 3 euros.", "external_id": "marzipan", "metadata": {"marzipan": "marzipan"}}`},
		{"POST", "/v1/message", `{"message": "What does a marzipan cost?", "user": {"id": "marzipan", "email": "marzipan@example.com"}}`},
		{"POST", "/v1/message/stream", `{"message": "What does a marzipan cost?"}`},
		{"POST", "/v1/message", `{"message": "marzipan", "agent_id": "marzipan"}`},
		{"POST", "/v1/message", `{"marzipan": "marzipan"}`},
		{"POST", "/v1/message", `{"message": marzipan}`},
		{"POST", "/v1/agents", `{"name": "marzipan"}`},
		{"POST", "/v1/api-keys", `{"name": "marzipan", "scope": "read"}`},
		{"GET", "/v1/conversations?user_id=marzipan", ""},
		{"GET", "/v1/messages/marzipan", ""},
		{"GET", "/marzipan", ""},
	} {
		if status, body := s.call(t, c.method, c.path, key, c.body); status >= 500 {
			t.Errorf("%s %s = %d %s", c.method, c.path, status, body)
		}
	}
	s.call(t, "GET", "/v1/agents", "adk_marzipan", "")
	if status := s.end(); status != 0 {
		t.Errorf("status = %d, want 0", status)
	}
	requests := 0
	for line := range strings.Lines(s.log.String()) {
		var entry struct{ Level, Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "" {
			t.Errorf("the log has %q, which is no JSON with a message", line)
		}
		if entry.Msg == "request" {
			requests++
		}
	}
	if requests != 12 {
		t.Errorf("the log has %d requests, want 12:\n%s", requests, s.log)
	}
	if text := s.log.String(); strings.Contains(text, secret) || strings.Contains(text, "adk_") || strings.Contains(text, key) {
		t.Errorf("the log tells what it must not:\n%s", text)
	}
	if !strings.Contains(s.log.String(), "--dev is on") {
		t.Error("the log does not warn of --dev")
	}
}

func TestServeUnderPath(t *testing.T) {
	desk := filepath.Join(t.TempDir(), "desk")
	s := startServe(t, desk, "--base-path", "/support", "--public-url", "https://desk.example.com/", "--allowed-origins", "https://shop.example.com")
	key := newKey(t, desk, "--scope", "read")
	if status, _ := s.call(t, "GET", "/support/v1/agents", key, ""); status != 200 {
		t.Errorf("under the path = %d, want 200", status)
	}
	if status, _ := s.call(t, "GET", "/v1/agents", key, ""); status != 404 {
		t.Errorf("outside the path = %d, want 404", status)
	}
	if _, body := s.call(t, "GET", "/support/openapi.yaml", "", ""); !strings.Contains(body, `url: "https://desk.example.com/support"`) {
		t.Error("/openapi.yaml does not tell the public address")
	}
	for origin, want := range map[string]string{"https://shop.example.com": "https://shop.example.com", "https://evil.example.com": ""} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", s.url+"/support/healthz", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Origin", origin)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := answer.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("for %s Access-Control-Allow-Origin = %q, want %q", origin, got, want)
		}
	}
}

// What cannot be served says so, and makes nothing.
func TestServeBadInput(t *testing.T) {
	folder, desk := shop(t)
	taken, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	none := filepath.Join(t.TempDir(), "none")
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"address in use", []string{"--data", none, "--addr", taken.Addr().String()}, "listen tcp " + taken.Addr().String()},
		{"no such host", []string{"--data", none, "--addr", "nowhere.invalid:0"}, "listen tcp: "},
		{"no desk to check", []string{"--data", none, "--migrate", "check"}, none},
		{"a file for a folder", []string{"--data", filepath.Join(folder, "hours.md")}, "hours.md"},
		{"index memory", []string{"--data", desk, "--index-memory", "0"}, "--index-memory"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := program(t, append([]string{"serve", "--addr", "127.0.0.1:0"}, test.args...)...)
			if r.status == 0 || !strings.Contains(r.stderr, test.want) || r.stdout != "" {
				t.Errorf("serve = %d, %q, %q, want an error with %s", r.status, r.stdout, r.stderr, test.want)
			}
			if _, err := os.Stat(none); err == nil {
				t.Errorf("%s is there", none)
			}
		})
	}
}

func TestReachable(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80", "192.0.2.1:80": "192.0.2.1:80", "[::1]:80": "[::1]:80",
		"[::]:80": "127.0.0.1:80", "0.0.0.0:80": "127.0.0.1:80",
	} {
		if got := reachable(address); got != want {
			t.Errorf("reachable(%s) = %s, want %s", address, got, want)
		}
	}
}
