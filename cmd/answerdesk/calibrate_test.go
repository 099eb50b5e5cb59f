package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// judgedDesk is a desk with twenty things in it, and a file of 60 questions: two
// about each, and one that nothing answers.
func judgedDesk(t *testing.T) (desk, file string) {
	t.Helper()
	desk = filepath.Join(t.TempDir(), "desk")
	d, err := answerdesk.Open(t.Context(), desk, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	var lines strings.Builder
	for i := range 20 {
		thing := fmt.Sprintf("gadget%c%c", 'a'+i, 'q'+i%7)
		doc, err := d.Knowledge().Put(t.Context(), knowledge.Document{ExternalID: "e" + thing, Text: "The " + thing + " weighs two kilograms and comes in green."})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&lines, "{\"question\": \"What does the %s weigh?\", \"answers\": [%q]}\n", thing, doc.ID)
		fmt.Fprintf(&lines, "{\"question\": \"Colour and durability of the %s?\", \"answers\": [\"e%s\"]}\n\n", thing, thing)
		fmt.Fprintf(&lines, "{\"question\": \"Which %sless lantern is green?\", \"answers\": []}\n", thing)
	}
	file = filepath.Join(t.TempDir(), "questions.jsonl")
	if err := os.WriteFile(file, []byte("\ufeff"+lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return desk, file
}

func TestCalibrate(t *testing.T) {
	desk, file := judgedDesk(t)
	calibrated := func() bool {
		t.Helper()
		d, err := answerdesk.Open(t.Context(), desk, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		r, err := d.Knowledge().Search(t.Context(), knowledge.Query{Text: "What does it weigh?"})
		if err != nil {
			t.Fatal(err)
		}
		return r.Calibrated
	}
	shown := `^questions: 60, 40 with an answer
calibration error: 0\.\d{3} before, 0\.\d{3} after

confidence   questions   mean  right
(\d\.\d to \d\.\d +\d+   \d\.\d\d   \d\.\d\d\n)+
target error threshold  answered     wrong
0\.05 +0\.95 +\d+ % +\d+ %
0\.10 +0\.90 +\d+ % +\d+ %
0\.20 +0\.80 +\d+ % +\d+ %

`
	r := program(t, "calibrate", "--data", desk, "--dry-run", file)
	r.want(t, 0)
	if !regexp.MustCompile(shown + "nothing was changed\n$").MatchString(r.stdout) {
		t.Errorf("calibrate --dry-run printed\n%s", r.stdout)
	}
	if calibrated() {
		t.Error("--dry-run calibrated the desk")
	}
	r = program(t, "calibrate", "--data", desk, file)
	r.want(t, 0)
	if !regexp.MustCompile(shown + "the calibration is in use\n$").MatchString(r.stdout) {
		t.Errorf("calibrate printed\n%s", r.stdout)
	}
	if !calibrated() {
		t.Error("calibrate did not calibrate the desk")
	}
	program(t, "calibrate", "--data", desk, "--reset").want(t, 0, "the calibration is removed\n")
	if calibrated() {
		t.Error("--reset left the calibration")
	}
	program(t, "calibrate", "--data", desk, "--reset").want(t, 0, "there is no calibration\n")
}

// TestCalibrateAgent: the questions are asked as those of the agent, in its languages.
func TestCalibrateAgent(t *testing.T) {
	data, file := judgedDesk(t)
	desk, err := answerdesk.Open(t.Context(), data, nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := desk.Knowledge().Put(t.Context(), knowledge.Document{Text: "Die Häuser dauern lange.", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, languages := range [][]string{{"en"}, {"de"}} {
		a, err := desk.Agents().Create(t.Context(), agent.Settings{Name: "Shop", Languages: languages})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	if err := desk.Close(); err != nil {
		t.Fatal(err)
	}
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("{\"question\": \"Häuser dauern\", \"answers\": [%q]}\n", doc.ID)
	if err := os.WriteFile(file, append(all, strings.Repeat(line, 20)...), 0o600); err != nil {
		t.Fatal(err)
	}
	english := program(t, "calibrate", "--data", data, "--dry-run", "--agent", ids[0], file)
	german := program(t, "calibrate", "--data", data, "--dry-run", "--agent", ids[1], file)
	english.want(t, 0, "questions: 80, 60 with an answer")
	german.want(t, 0, "questions: 80, 60 with an answer")
	if english.stdout == german.stdout {
		t.Errorf("agents of English and of German both have\n%s", german.stdout)
	}
}

func TestCalibrateRefuses(t *testing.T) {
	desk, file := judgedDesk(t)
	all, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	program(t, "calibrate", "--data", desk).want(t, 1, "FILE is missing")
	program(t, "calibrate", "--data", desk, "--reset", file).want(t, 1, "--reset goes with neither")
	program(t, "calibrate", "--data", desk, "--reset", "--dry-run").want(t, 1, "--reset goes with neither")
	program(t, "calibrate", "--data", desk, filepath.Join(t.TempDir(), "nowhere")).want(t, 1, "nowhere")
	program(t, "calibrate", "--data", filepath.Join(t.TempDir(), "none"), file).want(t, 1, "there is no desk")
	program(t, "calibrate", "--data", desk, "--agent", "agt_nobody", file).want(t, 1, "agent")
	for _, tt := range []struct{ line, want string }{
		{`{"question": "a"`, `line 2: is not JSON such as {"question"`},
		{`["a"]`, "line 2: is not JSON such as"},
		{`{"question": "a", "answers": []} {}`, "line 2: has more than one JSON value"},
		{`{"question": "a", "answer": []}`, `line 2: "answer" is not a field`},
		{`{"question": "a"}`, "line 2: answers: is missing"},
		{`{"question": 7, "answers": []}`, "line 2: question: is a number"},
		{`{"question": "a", "answers": [7]}`, "line 2: answers"},
		{`{"question": " ", "answers": []}`, "line 2: question: is empty"},
		{`{"question": "a", "answers": ["nobody knows"]}`, `line 2: answers: "nobody knows" is neither`},
		{`{"question": "a", "answers": ["doc_0"]}`, `line 2: answers: "doc_0" is neither`},
		{`{"question": "` + strings.Repeat("a", maxJudgedLine) + `", "answers": []}`, "line 2: is longer than"},
	} {
		bad := filepath.Join(t.TempDir(), "bad.jsonl")
		if err := os.WriteFile(bad, []byte("\n"+tt.line+"\n"+strings.TrimPrefix(string(all), "\ufeff")), 0o600); err != nil {
			t.Fatal(err)
		}
		program(t, "calibrate", "--data", desk, bad).want(t, 1, bad+", "+tt.want)
	}
	few := filepath.Join(t.TempDir(), "few.jsonl")
	if err := os.WriteFile(few, []byte(`{"question": "a", "answers": []}`), 0o600); err != nil {
		t.Fatal(err)
	}
	program(t, "calibrate", "--data", desk, few).want(t, 1, few+": questions: 1 are fewer than the 30")
}

func FuzzParseJudged(f *testing.F) {
	f.Add([]byte(`{"question": "When do you open?", "answers": ["doc_1", "hours.md"]}`))
	f.Add([]byte(`{"question": null, "answers": null}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		q, err := parseJudged(line)
		if err == nil && len(q.Text) > len(line)*3 {
			t.Errorf("%d bytes became a question of %d", len(line), len(q.Text))
		}
	})
}
