package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

func TestAsk(t *testing.T) {
	folder, desk := shop(t)
	r := program(t, "ask", "--data", desk, whenOpen)
	r.want(t, 0)
	want := regexp.MustCompile(`^The shop opens at nine in the morning\.

outcome: answer
confidence: [01]\.\d\d
` + regexp.QuoteMeta(filepath.ToSlash(folder)) + `/hours\.md > Opening hours: "The shop opens at nine in the morning\."
$`)
	if !want.MatchString(r.stdout) || r.stderr != "" {
		t.Errorf("ask = %q, %q, want %s and nothing said", r.stdout, r.stderr, want)
	}
	if words := program(t, "ask", "When", "does", "--data", desk, "the", "shop", "open?"); words != r {
		t.Errorf("ask with the words one by one = %v, want %v", words, r)
	}
}

func TestAskRefused(t *testing.T) {
	_, desk := shop(t)
	r := program(t, "ask", "--data", desk, "What is the capital of Mongolia?")
	r.want(t, 0)
	want := regexp.MustCompile(`^` + regexp.QuoteMeta(agent.DefaultFallbackText) + `

outcome: refuse
confidence: 0\.\d\d
$`)
	if !want.MatchString(r.stdout) || r.stderr != "" {
		t.Errorf("ask = %q, %q, want %s and nothing said", r.stdout, r.stderr, want)
	}
}

// The pages that come with Go are HTML and Markdown as they are out in the world.
func TestAskAboutGo(t *testing.T) {
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	pages := filepath.Join(strings.TrimSpace(string(root)), "doc")
	if _, err := os.Stat(filepath.Join(pages, "go_mem.html")); err != nil {
		t.Skipf("this Go comes without its documentation: %v", err)
	}
	desk := filepath.Join(t.TempDir(), "desk")
	program(t, "ingest", "--data", desk, pages).want(t, 0, " 0 refused")
	r := program(t, "ask", "--data", desk, "What does the happens before relation mean?")
	r.want(t, 0, "outcome: answer", filepath.ToSlash(pages)+"/go_mem.html > ")
}

// A citation of a document that was put by a program and has no path shows the
// title, on one line, and what a terminal would take as a command is left out.
func TestAskShowsText(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "desk")
	desk, err := answerdesk.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = desk.Knowledge().Put(t.Context(), knowledge.Document{
		Title: "Hours", Text: "The shop\n   opens \"early\"\tat \x1b[31mnine in the morning.",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Close(); err != nil {
		t.Fatal(err)
	}
	r := program(t, "ask", "--data", dir, whenOpen)
	r.want(t, 0, "Hours: \"The shop opens \"early\" at [31mnine in the morning.\"\n")
	if strings.Contains(r.stdout, "\x1b") {
		t.Errorf("ask = %q, want no escape character in it", r.stdout)
	}
}

func TestAskBadInput(t *testing.T) {
	folder, desk := shop(t)
	file := filepath.Join(folder, "hours.md")
	empty := t.TempDir()
	other := filepath.Join(t.TempDir(), "desk")
	write(t, other, map[string]string{"answerdesk.db": "This is no database, though it has its name. " + strings.Repeat("It is long. ", 100)})
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no desk", []string{"--data", empty, whenOpen}, "there is no desk in " + empty},
		{"no folder", []string{"--data", empty + "/none", whenOpen}, "there is no desk in " + empty + "/none"},
		{"a file for a folder", []string{"--data", file, whenOpen}, file},
		{"no database", []string{"--data", other, whenOpen}, "open " + other + ": store unavailable: the file is not a database"},
		{"unknown agent", []string{"--data", desk, "--agent", "agt_01kanq0w0h0000000000000000", whenOpen}, `desk in ` + desk + `: agent "agt_01kanq0w0h0000000000000000" not found`},
		{"id of another kind", []string{"--data", desk, "--agent", "doc_01kanq0w0h0000000000000000", whenOpen}, `agent "doc_01kanq0w0h0000000000000000" not found`},
		{"no id", []string{"--data", desk, "--agent", "Support", whenOpen}, `agent "Support" not found`},
		{"empty", []string{"--data", desk, " "}, "message: is empty"},
		{"too long", []string{"--data", desk, strings.Repeat("why ", 10_000)}, "message: 40000 bytes are more than the 32768"},
		{"not text", []string{"--data", desk, "caf\xe9"}, "message: is not valid UTF-8"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := program(t, append([]string{"ask"}, test.args...)...)
			r.want(t, 1, "answerdesk ask: ", test.want)
			if r.stdout != "" || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("ask = %q, %q, want one line of error", r.stdout, r.stderr)
			}
		})
	}
	if there, err := os.ReadDir(empty); err != nil || len(there) > 0 {
		t.Errorf("ask left %v, %v in a folder without a desk", there, err)
	}
}
