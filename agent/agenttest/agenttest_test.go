package agenttest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

var hours = knowledge.Document{Title: "Hours", Text: "We open at nine in the morning. On Sundays we stay closed."}

// The answers that a shop's customers should get, kept as a test.
func TestDesk(t *testing.T) {
	desk := agenttest.Desk(t, hours)
	reply := agenttest.MustAnswer(t, desk.Agent(""), "When do you open?", "Hours", "at nine")
	if reply.ID == "" || reply.ConversationID == "" {
		t.Errorf("MustAnswer returned %+v, want the reply as stored", reply)
	}
	agenttest.MustRefuse(t, desk.Agent(""), "What is the capital of Mongolia?")
}

func TestMustFails(t *testing.T) {
	desk := agenttest.Desk(t, hours)
	for _, tt := range []struct {
		name string
		call func(testing.TB)
		want string // part of what the test is told; empty: it passes
	}{
		{"refused", func(t testing.TB) { agenttest.MustAnswer(t, desk.Agent(""), "Capital of Mongolia?", "Hours", "nine") }, `= refuse with`},
		{"wrong title", func(t testing.TB) { agenttest.MustAnswer(t, desk.Agent(""), "When do you open?", "Prices", "nine") }, `cites "Hours", want a quote of "Prices"`},
		{"wrong words", func(t testing.TB) { agenttest.MustAnswer(t, desk.Agent(""), "When do you open?", "Hours", "ten") }, `with "ten"`},
		{"answered", func(t testing.TB) { agenttest.MustRefuse(t, desk.Agent(""), "When do you open?") }, `= answer "We open`},
		{"no such agent", func(t testing.TB) { agenttest.MustRefuse(t, desk.Agent("agt_nobody"), "When?") }, `= error agent "agt_nobody" not found`},
		{"as it should be", func(t testing.TB) { agenttest.MustAnswer(t, desk.Agent(""), "When do you open?", "Hours", "nine") }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fatal(t, tt.call); !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("the test is told %q, want %q in it", got, tt.want)
			}
		})
	}
}

// fatal runs call with a test that it may end, and returns what it said.
func fatal(t *testing.T, call func(testing.TB)) string {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		call(r)
	}()
	<-done
	return r.said
}

type recorder struct {
	testing.TB
	said string
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestScript(t *testing.T) {
	errOffline := errors.New("offline")
	for _, tt := range []struct {
		name   string
		script agent.Answerer
		text   string
		err    error
	}{
		{"says and quotes", agenttest.Script(agenttest.Say("Yes: "), agenttest.Quote("We open at nine")), "Yes: We open at nine", nil},
		{"fails", agenttest.Script(agenttest.Say("Yes"), agenttest.Fail(errOffline), agenttest.Say("no")), "", errOffline},
		{"its own step", agenttest.Script(func(_ context.Context, q agent.Question) (agent.Part, error) {
			return agent.Part{Text: "You asked " + q.Message.Text}, nil
		}), "You asked When do you open?", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: tt.script}, hours)
			for turn := range 2 { // every turn is played alike
				reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "When do you open?"})
				if reply.Text != tt.text || !errors.Is(err, tt.err) {
					t.Errorf("Ask at turn %d = %q, %v, want %q, %v", turn, reply.Text, err, tt.text, tt.err)
				}
			}
		})
	}

	t.Run("quotes what is not there", func(t *testing.T) {
		desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: agenttest.Script(agenttest.Quote("at ten"))}, hours)
		_, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "When do you open?"})
		if err == nil || !strings.Contains(err.Error(), `"at ten" stands in none of the 1 passages`) {
			t.Errorf("Ask = error %v, want one that names the words", err)
		}
	})
}

func TestBlock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		script := agenttest.Script(agenttest.Block(release), agenttest.Say("At last."))
		desk := agenttest.DeskWith(t, &answerdesk.Options{Answerer: script}, hours)
		time.AfterFunc(time.Minute, func() { release <- struct{}{} })

		begun := time.Now()
		reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: "When do you open?"})
		if took := time.Since(begun); err != nil || reply.Text != "At last." || took < time.Minute {
			t.Errorf("Ask = %q, %v after %v, want the reply after a minute", reply.Text, err, took)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When do you open?"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Ask with a deadline = error %v, want %v", err, context.DeadlineExceeded)
		}
	})
}

// Run holds the conversations of a folder, and a baseline beside them lets fail what
// failed before.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("hours.txtar", "-- conversation open --\n> When do you open?\noutcome: answer\ncites: Hours \"at nine\"\n\n> And on Sundays?\nsays: closed\n-- conversation sell --\n> Do you sell bicycles?\noutcome: answer\n")
	write(agenttest.BaselineFile, `{"hours.txtar/open": {"passed": 1, "runs": 1}, "hours.txtar/sell": {"passed": 0, "runs": 1}}`)
	results := agenttest.Run(t, agenttest.Desk(t, hours), folder)
	if len(results) != 2 || !results[0].Always() || results[1].Ever() {
		t.Errorf("Run = %+v, want that the first passes and the second does not", results)
	}
}

func TestEval(t *testing.T) {
	desk := agenttest.Desk(t, hours)
	results, err := agenttest.Eval(t.Context(), desk, fstest.MapFS{"a/b.txtar": {Data: []byte("-- conversation --\n> When do you open?\nsays: ten\n")}})
	if err != nil || len(results) != 1 || results[0].ID() != "a/b.txtar/1" || len(results[0].Runs[0].Failures) != 1 || results[0].Runs[0].Failures[0].Line != 3 {
		t.Errorf("Eval = %+v, %v, want a failure at line 3", results, err)
	}
	if _, err := agenttest.Eval(t.Context(), desk, fstest.MapFS{"b.txtar": {Data: []byte("-- conversation --\nHello!\n")}}); err == nil || !strings.Contains(err.Error(), "b.txtar:2: ") {
		t.Errorf("Eval = error %v, want one with the line", err)
	}
}
