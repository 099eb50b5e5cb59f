package main

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/internal/pgtest"
)

// The commands of docs/operating.md are one session, in the order of the page, and
// do what it says: each is run as it stands there, on a server of its own.
func TestOperatingSession(t *testing.T) {
	page, err := os.ReadFile(filepath.FromSlash("../../docs/operating.md"))
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		t.Skip("the session is for a shell that Windows does not have")
	}
	server := pgtest.Own(t, nil)
	path := os.Getenv("PATH")
	if dirs, _ := filepath.Glob("/usr/lib/postgresql/*/bin"); len(dirs) > 0 {
		path += ":" + dirs[len(dirs)-1]
	}
	t.Setenv("PATH", path)
	for _, tool := range []string{"bash", "psql", "createdb", "pg_dump", "pg_restore"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("ANSWERDESK_TEST_POSTGRES") == "required" {
				t.Fatal(err)
			}
			t.Skipf("the session of docs/operating.md is NOT RUN: %v", err)
		}
	}
	at, err := url.Parse(server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}

	// A desk in the folder data is what the page begins with.
	folder := t.TempDir()
	write(t, folder, map[string]string{"handbook/hours.md": "# Opening hours\n\nWe open at nine in the morning.\n"})
	program(t, "ingest", "--store", filepath.Join(folder, "data"), filepath.Join(folder, "handbook")).want(t, 0, "1 created")

	var session strings.Builder
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindAllStringSubmatch(string(page), -1) {
		session.WriteString("echo '==='\n" + block[1])
	}
	out, _ := runSession(t, folder, session.String(), "PGHOST="+at.Hostname(), "PGPORT="+at.Port())
	key := regexp.MustCompile(`(?m)^\S{20,}$`)
	blocks := strings.Split(strings.TrimPrefix(out, "===\n"), "===\n")
	for i, want := range [][]string{
		{}, // psql: the role and the database
		{"applied 1 0001_init.sql\n", "the desk in postgres://answerdesk@localhost/desk is up to date: migration "},
		{"outcome: refuse"}, // the other role, on a desk without documents
		{"outcome: refuse"}, // as with a pooler
		{"the desk in data is up to date", "the desk in data is copied to postgres://answerdesk@localhost/desk?schema=moved\n", "outcome: answer", "at nine"},
		{"the desk in postgres://answerdesk@localhost/desk?schema=moved is copied to back\n", "outcome: answer", "at nine"},
		{"the desk in data is copied to desk.db\n"},
		{}, // pg_dump
		{"the desk in restored is restored from desk.db\n"},
		{"the desk in postgres://answerdesk@localhost/restored is up to date"},
		{}, // VACUUM FULL
		{"the desk in postgres://answerdesk@localhost/desk is up to date"},
	} {
		if i >= len(blocks) {
			t.Fatalf("the page has %d blocks of shell:\n%s", len(blocks), out)
		}
		for _, text := range want {
			if !strings.Contains(blocks[i], text) {
				t.Errorf("block %d prints %q, want %q", i+1, blocks[i], text)
			}
		}
		if len(want) == 0 && blocks[i] != "" {
			t.Errorf("block %d prints %q, want nothing", i+1, blocks[i])
		}
	}
	if len(blocks) != 12 {
		t.Errorf("the page has %d blocks of shell, this test knows 12:\n%s", len(blocks), out)
	}
	if !key.MatchString(blocks[1]) || strings.Contains(out, "secret") {
		t.Errorf("no key is printed, or a password is:\n%s", out)
	}
	program(t, "keys", "list", "--store", filepath.Join(folder, "restored")).want(t, 0, "ID")
	program(t, "ask", "--store", filepath.Join(folder, "restored"), "When do you open?").want(t, 0, "at nine")
}
