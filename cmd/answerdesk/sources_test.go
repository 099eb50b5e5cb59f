package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
)

var oneSource = regexp.MustCompile(`^src_[0-9a-z]{26}\n$`)

func TestSources(t *testing.T) {
	var closed atomic.Bool
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			_, _ = fmt.Fprint(w, `<title>Bakery</title><h1>Bakery</h1><p>Our bread is baked at night.</p><a href="/hours">Hours</a> <a href="/old/1">Old</a> <a href="/gone">Gone</a>`)
		case "/hours":
			if closed.Load() {
				http.NotFound(w, r)
				return
			}
			_, _ = fmt.Fprint(w, `<title>Hours</title><h1>Hours</h1><p>The bakery opens at six in the morning.</p>`)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(site.Close)
	desk := filepath.Join(t.TempDir(), "desk")

	r := program(t, "sources", "add", "--data", desk, "--exclude", "/old/", "--max-pages", "10", site.URL+"/")
	if r.want(t, 0); !oneSource.MatchString(r.stdout) {
		t.Fatalf("sources add = %q, want an id and nothing else", r.stdout)
	}
	id := strings.TrimSpace(r.stdout)
	program(t, "sources", "list", "--data", desk).want(t, 0, id, "website", "queued", site.URL)

	// Without leave this machine's own addresses are not read.
	program(t, "sources", "read", "--data", desk, id).want(t, 1, "an operator can allow its network")
	program(t, "sources", "list", "--data", desk).want(t, 0, "failed (blocked)")

	program(t, "sources", "read", "--data", desk, "--dev", id).want(t, 0, "2 created, 0 updated, 0 unchanged, 0 deleted")
	program(t, "sources", "list", "--data", desk).want(t, 0, "ready", "  2  ")
	program(t, "sources", "report", "--data", desk, id).want(t, 0, "fetched", "/hours", "excluded", "/old/1", "gone", "/gone")
	program(t, "ask", "--data", desk, "When does the bakery open?").want(t, 0, "six in the morning", "outcome: answer")

	r = program(t, "sources", "add", "--data", desk, "--max-depth", "0", site.URL+"/?alone")
	r.want(t, 0)
	program(t, "sources", "read", "--data", desk, "--dev", strings.TrimSpace(r.stdout)).want(t, 0, "1 created")

	closed.Store(true)
	program(t, "sources", "read", "--data", desk, "--dev", "--force", id).want(t, 0, "0 created", "1 deleted")
	program(t, "sources", "remove", "--data", desk, id).want(t, 0, id+" is deleted", "out of reach: ")
	if r := program(t, "sources", "list", "--data", desk); strings.Contains(r.stdout, id) {
		t.Errorf("sources list = %s, want nothing of what was removed", r.stdout)
	}
	program(t, "sources", "read", "--data", desk, id).want(t, 1, "not found")
}

func TestSourcesMisuse(t *testing.T) {
	desk := filepath.Join(t.TempDir(), "desk")
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"URL is missing", nil},
		{"no whole number from 1 to 100000", []string{"--max-pages", "0", "https://example.com"}},
		{"no whole number from 0 to 100", []string{"--max-depth", "-1", "https://example.com"}},
		{"no whole number from 0 to 100", []string{"--max-depth", "101", "https://example.com"}},
		{"never, hourly, daily, weekly, monthly or a cron expression", []string{"--schedule", "often", "https://example.com"}},
	} {
		program(t, append([]string{"sources", "add", "--data", desk}, tt.args...)...).want(t, 2, tt.want)
	}
	program(t, "sources", "add", "--data", desk, "ftp://example.com").want(t, 1, "url: must begin with http:// or https://")
	program(t, "sources", "add", "--data", desk, "--include", "docs", "https://example.com").want(t, 1, "include[0]")
	program(t, "sources", "list", "--data", filepath.Join(desk, "nowhere")).want(t, 1, "there is no desk in")
}
