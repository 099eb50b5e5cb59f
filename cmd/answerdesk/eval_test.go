package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk/agent/evals"
)

const evalOfHours = `-- conversation open --
> When does the shop open?
outcome: answer
cites: hours.md "at nine"
-- conversation sell --
> Do you sell bicycles?
outcome: answer
`

// shopEvals are evals of which one passes and one fails, and a folder of documents,
// beside which they lie.
func shopEvals(t *testing.T) (folder, dir string) {
	folder = t.TempDir()
	dir = filepath.Join(folder, "evals")
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at nine in the morning.\n"})
	write(t, dir, map[string]string{"hours.txtar": evalOfHours})
	return folder, dir
}

func TestEval(t *testing.T) {
	folder, dir := shopEvals(t)
	r := program(t, "eval", "--documents", folder, dir)
	r.want(t, 1, "passed  hours.txtar/open", "FAILED  hours.txtar/sell", `hours.txtar:7: "Do you sell bicycles?": want outcome: answer, but it is refuse`,
		"1 of 2 conversations passed\n", "answerdesk eval: 1 of 2 conversations are not as expected")
	file := filepath.Join(dir, "hours.txtar")
	program(t, "eval", "--documents", folder, file).want(t, 1, "1 of 2 conversations passed\n")

	var out struct {
		Summary evals.Summary  `json:"summary"`
		Results []evals.Result `json:"results"`
	}
	as := program(t, "eval", "--documents", folder, "--json", "--repeat", "3", dir)
	as.want(t, 1)
	if err := json.Unmarshal([]byte(as.stdout), &out); err != nil || out.Summary != (evals.Summary{Conversations: 2, Always: 1, Ever: 1, Runs: 6, Passed: 3}) || len(out.Results) != 2 {
		t.Errorf("eval --json = %+v, %v, want six runs of which three passed", out.Summary, err)
	}
}

func TestEvalBaseline(t *testing.T) {
	folder, dir := shopEvals(t)
	baseline, report := filepath.Join(folder, "baseline.json"), filepath.Join(folder, "report.xml")
	args := []string{"eval", "--documents", folder, "--baseline", baseline, "--junit", report, dir}
	program(t, args...).want(t, 1, baseline+": is not there: write it with --write-baseline")
	program(t, append(args, "--write-baseline")...).want(t, 0, "1 of 2 conversations passed")
	program(t, args...).want(t, 0, "FAILED  hours.txtar/sell") // as before
	if b, err := os.ReadFile(report); err != nil || !strings.Contains(string(b), `tests="2" failures="1"`) {
		t.Errorf("the report is %s, %v, want two tests with a failure", b, err)
	}
	write(t, folder, map[string]string{"hours.md": "# Opening hours\n\nThe shop opens at ten in the morning.\n"})
	r := program(t, args...)
	r.want(t, 1, "worse: hours.txtar/open: passed 0 of 1 times, before 1 of 1\n", "answerdesk eval: 1 conversations are worse than "+baseline)
}

func TestEvalOnDesk(t *testing.T) {
	folder, desk := shop(t)
	dir := filepath.Join(t.TempDir(), "evals")
	path := filepath.ToSlash(folder) + "/hours.md"
	write(t, dir, map[string]string{"hours.txtar": "-- conversation open --\n> When does the shop open?\ncites: " + path + "\n"})
	program(t, "eval", "--store", desk, dir).want(t, 0, "1 of 1 conversations passed")
	program(t, "explain", "--store", desk).want(t, 1, "there is no reply yet") // nothing stays
	program(t, "eval", "--store", desk, "--keep", dir).want(t, 0)
	told := program(t, "explain", "--store", desk)
	told.want(t, 0, "question    When does the shop open?")
	_, conversation, _ := strings.Cut(told.stdout[:strings.Index(told.stdout, "\n")], " of conversation ")
	export := program(t, "eval", "--store", desk, "--export", conversation)
	export.want(t, 0, "-- conversation recorded --\n> When does the shop open?\noutcome: answer\ncites: "+path+` "The shop opens at nine`)
	write(t, dir, map[string]string{"exported.txtar": export.stdout})
	program(t, "eval", "--store", desk, dir).want(t, 0, "2 of 2 conversations passed")
	program(t, "eval", "--store", desk, "--export", "conv_01kanq0w0h0000000000000000").want(t, 1, "not found")
}

func TestEvalMisuse(t *testing.T) {
	folder, dir := shopEvals(t)
	bad := filepath.Join(t.TempDir(), "bad")
	write(t, bad, map[string]string{"a.txtar": "-- conversation --\n> Hello?\noutcome: maybe\n"})
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"DIR is missing", []string{"--documents", folder}},
		{"--store is missing", []string{dir}},
		{"--export goes with neither", []string{"--store", folder, "--export", "conv_x", dir}},
		{"--write-baseline goes with --baseline", []string{"--documents", folder, "--write-baseline", dir}},
		{"--documents goes with none of", []string{"--documents", folder, "--agent", "agt_x", dir}},
		{"a.txtar:3: outcome:", []string{"--documents", folder, bad}},
		{"there is no file whose name ends with .txtar", []string{"--documents", folder, t.TempDir()}},
		{"there are no documents", []string{"--documents", bad, dir}},
		{"no such file", []string{"--documents", folder, filepath.Join(folder, "none")}},
		{"there is no desk in", []string{"--store", t.TempDir(), dir}},
	} {
		program(t, append([]string{"eval"}, tt.args...)...).want(t, 1, tt.want)
	}
	program(t, "eval", "--documents", folder, "--repeat", "0", dir).want(t, 2, "--repeat")
}
