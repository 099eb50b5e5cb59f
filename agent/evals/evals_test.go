package evals_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/agent/evals"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

const hours = "-- hours.md --\n# Hours\nWe open at nine in the morning. On Sundays we stay closed.\n"

// files are evals in memory.
func files(texts ...string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for i, text := range texts {
		fsys[fmt.Sprintf("%c.txtar", 'a'+i)] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// play runs evals and returns what they come to.
func play(t *testing.T, desk evals.Desk, opts *evals.Options, texts ...string) []evals.Result {
	t.Helper()
	read, err := evals.Read(files(texts...))
	if err != nil {
		t.Fatal(err)
	}
	var results []evals.Result
	for r, err := range evals.Run(t.Context(), desk, read, opts) {
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	return results
}

// Each expectation is met by what it names, and by nothing else.
func TestExpectations(t *testing.T) {
	desk := agenttest.Desk(t, knowledge.Document{Title: "Prices", Text: "A boat costs 20 euros a day.", ExternalID: "prices.md", URL: "https://shop.example/prices"})
	for _, tt := range []struct {
		expect string
		want   string // part of the failure; empty: none
	}{
		{"outcome: answer", ""},
		{"outcome: refuse", "want outcome: refuse, but it is answer with confidence "},
		{"cites: prices.md", ""},
		{"cites: Prices", ""},
		{"cites: https://shop.example/prices", ""},
		{`cites: prices.md "COSTS  20 euros"`, ""},
		{"cites: hours.md or prices.md", ""},
		{"cites: hours.md", `it cites prices.md "A boat costs`},
		{`cites: prices.md "30 euros"`, `it cites prices.md "A boat costs`},
		{"cites: nothing", `it cites prices.md "A boat costs`},
		{"never cites: hours.md", ""},
		{"never cites: prices.md", "it cites prices.md"},
		{"says: 20 Euros", ""},
		{`says: /\b\d+ euros/`, ""},
		{`says: /\b\d+ Euros/`, `it says "A boat`},
		{"says: 30 euros", `it says "A boat costs 20 euros a day."`},
		{"never says: dollars", ""},
		{"never says: /euros?/", "it says"},
		{"calls: nothing", ""},
		{"never calls: find_order", ""},
		{`calls: find_order {"number": "4711"}`, "it calls nothing"},
		{"confidence: at least 0.1", ""},
		{"confidence: at most 0.1", "it is 0."},
		{"confidence: at least 1", "it is 0."},
		{"language: de", `it is ""`},
		{"reason: budget", `it is ""`},
		{"suggests: Yes", "it suggests []"},
	} {
		t.Run(tt.expect, func(t *testing.T) {
			result := play(t, desk, nil, "-- conversation --\n> What does a boat cost a day?\n"+tt.expect+"\n")[0]
			got := result.Runs[0].Failures
			switch {
			case tt.want == "" && len(got) > 0:
				t.Errorf("the failures are %v, want none", got)
			case tt.want != "" && (len(got) != 1 || got[0].Line != 3 || got[0].File != "a.txtar" || !strings.Contains(got[0].String(), "want "+tt.expect) || !strings.Contains(got[0].Message, tt.want)):
				t.Errorf("the failures are %v, want one at a.txtar:3 with %q", got, tt.want)
			}
		})
	}
}

// What is wrong in a file is told with its place, all of it at once.
func TestSyntax(t *testing.T) {
	const talk = "-- conversation --\n> Hello?\n"
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"no conversation":      {"About.\n" + hours, []string{"a.txtar:1: there is no conversation in it"}},
		"nobody speaks":        {"-- conversation late --\n", []string{`a.txtar:1: nobody says anything in conversation "late"`}},
		"no key":               {talk + "answer\n", []string{`a.txtar:3: "answer" is neither a message`}},
		"unknown key":          {talk + "outcom: answer\n", []string{`a.txtar:3: "outcom" is not known: there are outcome,`}},
		"unknown outcome":      {talk + "outcome: answered\n", []string{`a.txtar:3: outcome: "answered" is none of answer, clarify, refuse and handoff`}},
		"before a message":     {"-- conversation --\noutcome: answer\n> Hello?\n", []string{"a.txtar:2: outcome: stands before the first message"}},
		"empty message":        {"-- conversation --\n>\n", []string{"a.txtar:2: the message is empty"}},
		"bad regexp":           {talk + "says: /(/\n", []string{"a.txtar:3: says: error parsing regexp"}},
		"no words":             {talk + "says:\n", []string{"a.txtar:3: says: say which words"}},
		"open quote":           {talk + "cites: hours.md \"at nine\n", []string{`a.txtar:3: cites: the words of the quote must end with "`}},
		"bad arguments":        {talk + "calls: find {x}\n", []string{"a.txtar:3: calls: the arguments must be a JSON object"}},
		"bad confidence":       {talk + "confidence: 0.5\n", []string{"a.txtar:3: confidence: must be at least or at most"}},
		"bad repeat":           {"-- conversation --\nrepeat: 0\n> Hello?\n", []string{"a.txtar:2: repeat: must be a number from 1"}},
		"bad context":          {talk + "context: page\n", []string{"a.txtar:3: context: must be a JSON object"}},
		"unknown section":      {"-- notes --\nHello.\n" + talk, []string{`a.txtar:1: "notes" is no section`}},
		"twice":                {talk + talk, []string{`a.txtar:3: there is a section "conversation" already, at line 1`}},
		"settings no JSON":     {talk + "-- settings --\n{\n  \"threshold\": x\n}\n", []string{"a.txtar:5: settings: must be a JSON object"}},
		"settings unknown":     {talk + "-- settings --\n{\"treshold\": 1}\n", []string{`a.txtar:4: settings: must be a JSON object of settings of an agent, such as {"threshold": 0.6}: json: unknown field "treshold"`}},
		"documents elsewhere":  {talk + "-- documents --\n../secret\n", []string{"a.txtar:4: ../secret: is outside of the folder"}},
		"documents not there":  {talk + "-- documents --\nnone.md\n", []string{"a.txtar:4: none.md: "}},
		"tool without words":   {talk + "-- tool find --\n=> {}\n", []string{`a.txtar:3: say what tool "find" does`}},
		"tool without results": {talk + "-- tool find --\nFinds.\n", []string{`a.txtar:3: tool "find" gives nothing`}},
		"tool's bad schema":    {talk + "-- tool find --\nFinds.\nparameters: {\n=> {}\n", []string{"a.txtar:5: parameters: must be a JSON Schema"}},
		"tool's bad result":    {talk + "-- tool find --\nFinds.\n{} => sent\n[1] => 1\n", []string{"a.txtar:5: what stands behind => must be JSON", "a.txtar:6: what stands before => must be a JSON object"}},
		"many faults":          {talk + "outcome: maybe\nsays: /)/\n", []string{"a.txtar:3: outcome", "a.txtar:4: says"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := evals.Read(files(tt.text))
			for _, want := range tt.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Read = error %v, want one with %q", err, want)
				}
			}
		})
	}
	if _, err := evals.Read(fstest.MapFS{}); err == nil {
		t.Error("Read of no file = no error")
	}
}

// What a file brings belongs to an agent of its own, which answers from that alone,
// and nothing of it stays.
func TestNothingStays(t *testing.T) {
	desk := agenttest.Desk(t, knowledge.Document{Title: "Boats", Text: "We hire out boats of every size."})
	results := play(t, desk, nil, "About.\n"+hours+"-- settings --\n{\"fallback_text\": \"No idea.\"}\n"+`-- conversation of the shop --
> When do you
> open?
outcome: answer
cites: hours.md "at nine"

> And on Sundays?
says: closed
-- conversation of boats --
> Do you hire out boats?
outcome: refuse
says: No idea.
`)
	for _, r := range results {
		if !r.Always() {
			t.Errorf("%s: %v", r.ID(), r.Runs[0].Failures)
		}
	}
	if len(results) != 2 || results[0].ID() != "a.txtar/of the shop" || results[0].Line != 7 || len(results[0].Runs[0].Replies) != 2 {
		t.Errorf("the results are %+v, want both conversations with their places and replies", results)
	}
	agents, err := desk.Agents().List(t.Context(), store.Page{})
	documents, err2 := desk.Knowledge().List(t.Context(), knowledge.Filter{}, store.Page{})
	conversations, err3 := desk.Conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
	if err != nil || err2 != nil || err3 != nil || len(agents.Data) != 1 || len(documents.Data) != 1 || len(conversations.Data) != 0 {
		t.Errorf("%d agents, %d documents and %d conversations stay, want those of before: 1, 1, 0 (%v, %v, %v)",
			len(agents.Data), len(documents.Data), len(conversations.Data), err, err2, err3)
	}
	kept := play(t, desk, &evals.Options{Keep: true}, "-- conversation --\n> Do you hire out boats?\noutcome: answer\n")
	if m, err := desk.Conversations().Messages(t.Context(), kept[0].Runs[0].ConversationID, store.Page{}); err != nil || len(m.Data) != 2 {
		t.Errorf("the conversation that was to be kept has %d messages, %v", len(m.Data), err)
	}
}

// Documents may be those of a folder beside the evals, where evals are no documents.
func TestFolder(t *testing.T) {
	fsys := fstest.MapFS{
		"a/evals/b.txtar":           {Data: []byte("-- documents --\n# the handbook\nhandbook\n-- conversation --\n> When do you open?\ncites: a/evals/handbook/hours.md \"at nine\"\n-- conversation other --\n> Do you hire out boats?\noutcome: refuse\n")},
		"a/evals/handbook/hours.md": {Data: []byte("We open at nine in the morning.")},
		"a/evals/handbook/x.png":    {Data: []byte("\x89PNG\r\n\x1a\n")},
		"a/evals/handbook/c.txtar":  {Data: []byte("-- conversation --\n> Do you hire out boats?\n")},
	}
	files, err := evals.Read(fsys)
	if err != nil || len(files) != 2 {
		t.Fatalf("Read = %v, %v, want two files", files, err)
	}
	for r, err := range evals.Run(t.Context(), agenttest.Desk(t), files[:1], nil) {
		if err != nil || !r.Always() {
			t.Errorf("%s = %+v, %v, want it to pass", r.ID(), r.Runs, err)
		}
	}
}

// moody answers rightly every other time.
type moody struct{ n atomic.Int64 }

func (m *moody) Answer(context.Context, agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		text := "At nine."
		if m.n.Add(1)%2 == 0 {
			text = "At ten."
		}
		yield(agent.Part{Text: text}, nil)
	}
}

// What passes now and then is told from what passes always, and is held to it.
func TestRepeat(t *testing.T) {
	desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: new(moody)}, knowledge.Document{Title: "Hours", Text: "We open at nine in the morning."})
	const talk = "-- conversation moody --\n> When do you open?\nsays: nine\n-- conversation sure --\nrepeat: 2\n> When do you open?\noutcome: answer\n-- conversation never --\n> When do you open?\nsays: noon\n"
	results := play(t, desk, &evals.Options{Repeat: 4}, talk)
	want := evals.Summary{Conversations: 3, Always: 1, Ever: 2, Runs: 10, Passed: 4}
	if got := evals.Sum(results); got != want {
		t.Errorf("Sum = %+v, want %+v", got, want)
	}
	var table bytes.Buffer
	if err := evals.Table(&table, results); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"FAILED 2 of 4", "passed 2 of 2", "FAILED 0 of 4", `    a.txtar:3: "When do you open?": want says: nine, but it says "At ten."`, "1 of 3 conversations passed each time, 2 at least once; 4 of 10 runs passed"} {
		if strings.Count(table.String(), line) != 1 {
			t.Errorf("Table =\n%s\nwant %q in it once", &table, line)
		}
	}

	var written bytes.Buffer
	if err := evals.NewBaseline(results).Write(&written); err != nil {
		t.Fatal(err)
	}
	baseline, err := evals.ReadBaseline(&written)
	if err != nil || len(baseline) != 3 || baseline["a.txtar/moody"] != (evals.Rate{Passed: 2, Runs: 4}) {
		t.Fatalf("ReadBaseline = %v, %v, want what was written", baseline, err)
	}
	if worse := baseline.Worse(results); len(worse) != 0 {
		t.Errorf("Worse than themselves: %q", worse)
	}
	// Once instead of four times: the rate is what counts.
	baseline["a.txtar/moody"], baseline["a.txtar/gone"] = evals.Rate{Passed: 3, Runs: 4}, evals.Rate{Passed: 0, Runs: 1}
	delete(baseline, "a.txtar/never")
	got := strings.Join(baseline.Worse(results), "\n")
	if got != "a.txtar/moody: passed 2 of 4 times, before 3 of 4\na.txtar/never: passed 0 of 4 times\na.txtar/gone: is gone" {
		t.Errorf("Worse = %s", got)
	}
	for _, bad := range []string{"", "[]", `{"x": {"passed": 2, "runs": 1}}`, `{"x": {"passed": 0, "runs": 0}}`} {
		if b, err := evals.ReadBaseline(strings.NewReader(bad)); err == nil {
			t.Errorf("ReadBaseline(%q) = %v, want an error", bad, b)
		}
	}
}

// A report has what build servers read.
func TestJUnit(t *testing.T) {
	results := []evals.Result{
		{File: "a.txtar", Name: "fine", Runs: []evals.Once{{Duration: 1500 * time.Millisecond}}},
		{File: "a.txtar", Name: "not <fine>", Runs: []evals.Once{{Duration: time.Second}, {Failures: []evals.Failure{{File: "a.txtar", Line: 7, Message: "\"Hi\x01\": want says: & more"}}}}},
		{File: "b.txtar", Name: "fine", Runs: []evals.Once{{}}},
	}
	var out bytes.Buffer
	if err := evals.JUnit(&out, results, time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	var read struct {
		Suites []struct {
			Attrs []xml.Attr `xml:",any,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Class   string `xml:"classname,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Type    string `xml:"type,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(out.Bytes(), &read); err != nil {
		t.Fatalf("JUnit =\n%s\n%v", &out, err)
	}
	if len(read.Suites) != 2 || len(read.Suites[0].Cases) != 2 || len(read.Suites[1].Cases) != 1 {
		t.Fatalf("JUnit =\n%s\nwant a suite for each file and a case for each conversation", &out)
	}
	attrs := map[string]string{}
	for _, a := range read.Suites[0].Attrs {
		attrs[a.Name.Local] = a.Value
	}
	for name, want := range map[string]string{"name": "a.txtar", "id": "0", "tests": "2", "failures": "1", "errors": "0", "time": "2.500", "timestamp": "2026-11-22T12:00:00", "hostname": "localhost", "package": "evals"} {
		if attrs[name] != want {
			t.Errorf("%s of the suite is %q, want %q", name, attrs[name], want)
		}
	}
	c := read.Suites[0].Cases[1]
	if c.Name != "not <fine>" || c.Class != "a" || c.Failure == nil || c.Failure.Message != "1 of 2 runs passed" || c.Failure.Type == "" || !strings.Contains(c.Failure.Text, `a.txtar:7: "Hi`) || !strings.Contains(c.Failure.Text, "& more") {
		t.Errorf("the case that failed is %+v", c)
	}
	if first := read.Suites[0].Cases[0]; first.Failure != nil {
		t.Errorf("the case that passed is %+v", first)
	}
}
