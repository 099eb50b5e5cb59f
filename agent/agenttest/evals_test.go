package agenttest_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/evals"
	"github.com/answerdesk-go/answerdesk/docs"
)

// The files on the page on evals read, and their conversations pass.
func TestPageOnEvals(t *testing.T) {
	page, err := docs.Pages.ReadFile("evals.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```txtar\n(.*?)^```$").FindAllSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("the page has %d files, want 2", len(blocks))
	}
	results, err := agenttest.Eval(t.Context(), agenttest.Desk(t), fstest.MapFS{"page.txtar": {Data: blocks[0][1]}})
	if err != nil || len(results) != 3 {
		t.Fatalf("Eval = %v, %v, want three conversations", results, err)
	}
	for _, r := range results {
		if !r.Always() {
			t.Errorf("%s: %v", r.ID(), r.Runs[0].Failures)
		}
	}
	tool := string(blocks[1][1]) + "-- conversation --\n> Where is my order?\n"
	if _, err := evals.Read(fstest.MapFS{"tool.txtar": {Data: []byte(tool)}}); err != nil {
		t.Error(err)
	}
}

// Every line that the page on evals names is known.
func TestLinesOnPage(t *testing.T) {
	page, err := docs.Pages.ReadFile("evals.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile("(?m)^\\| `([a-z]+: .+?)` \\|").FindAllSubmatch(page, -1)
	if len(rows) < 10 {
		t.Fatalf("the page has %d lines, want those of its table", len(rows))
	}
	for _, row := range rows {
		line := strings.ReplaceAll(string(row[1]), `\|`, "|")
		if _, err := evals.Read(fstest.MapFS{"line.txtar": {Data: []byte("-- conversation --\n> Hello?\n" + line + "\n")}}); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
