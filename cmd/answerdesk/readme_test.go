package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// The shell of README.md is that of examples/curl.sh, and does what it says: each
// line is run as it stands there, with this program.
func TestReadmeSession(t *testing.T) {
	readme, err := os.ReadFile(filepath.FromSlash("../../README.md"))
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.FromSlash("../../examples/curl.sh"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?ms)^```sh\n(.*?)^```$").FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md has no shell")
	}
	session := string(block[1])
	if !strings.HasSuffix(string(script), "\n\n"+session) {
		t.Errorf("examples/curl.sh does not end with the shell of README.md:\n%s", session)
	}

	if runtime.GOOS == "windows" {
		t.Skip("the session is for a shell that Windows does not have")
	}
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("README.md's session is NOT RUN: %v", err)
		}
	}
	out, log := runSession(t, t.TempDir(), session)
	want := regexp.MustCompile(`(?s)^answerdesk: listening on http://127\.0\.0\.1:\d+
\{"status":"ready"\}
(\{[^\n]+\})
: msg_\w+
.*
event: message\.completed
data: (\{[^\n]+\})

(\{[^\n]+\})
(\{[^\n]+\})
$`)
	m := want.FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("the session prints\n%s\nwant %s\nthe log:\n%s", out, want, log)
	}
	const text = "We open at nine in the morning. On Sundays we stay closed."
	type reply struct {
		Outcome, Text string
		Citations     []struct{ Quote, Title string }
	}
	var asked, refused reply
	var last struct{ Reply reply }
	var deleted struct {
		Kind     string
		Versions int
	}
	for i, v := range []any{&asked, &last, &deleted, &refused} {
		if err := json.Unmarshal([]byte(m[i+1]), v); err != nil {
			t.Errorf("%v in %s", err, m[i+1])
		}
	}
	for _, r := range []reply{asked, last.Reply} {
		if r.Outcome != "answer" || r.Text != text || len(r.Citations) != 1 || r.Citations[0].Quote != text || r.Citations[0].Title != "Hours" {
			t.Errorf("the reply is %+v, want an answer that quotes Hours", r)
		}
	}
	if deleted.Kind != "document" || deleted.Versions != 1 {
		t.Errorf("the receipt is %s", m[3])
	}
	if refused.Outcome != "refuse" || len(refused.Citations) > 0 || strings.Contains(m[4], "nine") {
		t.Errorf("after the delete the reply is %s, want a refusal", m[4])
	}
}

// freeAddress returns an address that nobody listens at. It is of a range that the
// system gives to nobody who asks for any port, so that it is still free when the
// server comes to it.
func freeAddress(t testing.TB) string {
	t.Helper()
	for range 1000 {
		address := fmt.Sprint("127.0.0.1:", 15000+rand.IntN(15000))
		if l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
	t.Fatal("there is no free port")
	return ""
}

// runSession runs shell in a folder, with this program as answerdesk and more in
// the environment, and returns what it prints and what the server logs.
func runSession(t testing.TB, folder, session string, env ...string) (out, log string) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(folder, "answerdesk")); err != nil {
		t.Fatal(err)
	}
	address := freeAddress(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", session)
	cmd.Dir, cmd.WaitDelay = folder, time.Second
	cmd.Env = append(os.Environ(), roleVariable+"=program", "PATH="+folder+":"+os.Getenv("PATH"),
		"ANSWERDESK_ADDR="+address, "DESK=http://"+address, "NO_PROXY=*", "no_proxy=*")
	cmd.Env = append(cmd.Env, env...)
	var said strings.Builder
	cmd.Stderr = &said
	printed, err := cmd.Output()
	logged, _ := os.ReadFile(filepath.Join(folder, "desk.log"))
	if err != nil || said.Len() > 0 {
		t.Fatalf("the session ends with %v and says %q:\n%s\nthe log:\n%s", err, &said, printed, logged)
	}
	return string(printed), string(logged)
}
