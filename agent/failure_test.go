package agent_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// answererFunc is an answerer made of a function.
type answererFunc func(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error]

func (f answererFunc) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return f(ctx, q)
}

// retrieverFunc is a retriever made of a function.
type retrieverFunc func(ctx context.Context, company string, q knowledge.Query) (knowledge.Results, error)

func (f retrieverFunc) Retrieve(ctx context.Context, company string, q knowledge.Query) (knowledge.Results, error) {
	return f(ctx, company, q)
}

// around is middleware that answers itself.
func around(f agent.TurnFunc) []agent.Middleware {
	return []agent.Middleware{func(agent.TurnFunc) agent.TurnFunc { return f }}
}

// endless writes the same part for ever.
func endless(part agent.Part) agent.Answerer {
	return answererFunc(func(context.Context, agent.Question) iter.Seq2[agent.Part, error] {
		return func(yield func(agent.Part, error) bool) {
			for yield(part, nil) {
			}
		}
	})
}

// Whatever goes wrong in a part that is not ours fails the turn and nothing else:
// the error says what it was, the failure is on record, and the conversation goes
// on.
func TestFailures(t *testing.T) {
	newDesk := newDesks(t)
	script := func(steps ...agenttest.Step) parts { return parts{Answerer: agenttest.Script(steps...)} }
	panics := func(context.Context, agent.Question) (agent.Part, error) { panic("a customer's words") }
	for _, tt := range []struct {
		name  string
		parts parts
		want  string // of the error
		is    error
	}{
		{"the answerer fails", script(agenttest.Fail(errTest)), "answer: out of paper", errTest},
		{"the answerer fails late", script(agenttest.Say("We "), agenttest.Fail(errTest)), "answer: out of paper", errTest},
		{"the answerer runs into a deadline of its own", script(agenttest.Fail(context.DeadlineExceeded)), "answer: context deadline exceeded", nil},
		{"the answerer panics", script(panics), "panic while answering", nil},
		{"the answerer panics late", script(agenttest.Say("We "), panics), "panic while answering", nil},
		{"the answerer returns nothing to range over", parts{Answerer: answererFunc(func(context.Context, agent.Question) iter.Seq2[agent.Part, error] { return nil })}, "panic while answering", nil},
		{"the answer has no end", parts{Answerer: endless(agent.Part{Text: strings.Repeat("word ", 100)})}, "the reply is longer than 65536 bytes", nil},
		{"the answer has parts without end", parts{Answerer: endless(agent.Part{})}, "or 4096 parts", nil},
		{"the answer is too long at once", script(agenttest.Say(strings.Repeat("x", agent.MaxReply+1))), "the reply is longer than 65536 bytes", nil},
		{"the answer is no text", script(agenttest.Say("caf\xe9")), "part 1 of the reply is not valid UTF-8 text", nil},
		{"the answer has a zero byte", script(agenttest.Say("caf\x00")), "the reply is not valid UTF-8 text", nil},
		{"the retriever fails", parts{Retriever: retrieverFunc(func(context.Context, string, knowledge.Query) (knowledge.Results, error) {
			return knowledge.Results{}, errTest
		})}, "search: out of paper", errTest},
		{"the retriever panics", parts{Retriever: retrieverFunc(func(context.Context, string, knowledge.Query) (knowledge.Results, error) {
			panic(errTest)
		})}, "panic while answering", nil},
		{"middleware fails", parts{Options: agent.Options{Middleware: around(func(context.Context, *agent.Exchange) (agent.Reply, error) {
			return agent.Reply{}, errTest
		})}}, "out of paper", errTest},
		{"middleware panics", parts{Options: agent.Options{Middleware: around(func(context.Context, *agent.Exchange) (agent.Reply, error) {
			panic(errTest)
		})}}, "panic while answering", nil},
		{"middleware passes nothing on", parts{Options: agent.Options{Middleware: []agent.Middleware{func(next agent.TurnFunc) agent.TurnFunc {
			return func(ctx context.Context, _ *agent.Exchange) (agent.Reply, error) { return next(ctx, nil) }
		}}}}, "panic while answering", nil},
		{"middleware says too much", parts{Options: agent.Options{Middleware: around(func(context.Context, *agent.Exchange) (agent.Reply, error) {
			return agent.Reply{Text: strings.Repeat("x", agent.MaxReply+1)}, nil
		})}}, "the reply is longer than 65536 bytes", nil},
		{"middleware says no text", parts{Options: agent.Options{Middleware: around(func(context.Context, *agent.Exchange) (agent.Reply, error) {
			return agent.Reply{Text: "\xff"}, nil
		})}}, "the reply is not valid UTF-8 text", nil},
		{"middleware cites half a character", parts{Options: agent.Options{Middleware: around(func(context.Context, *agent.Exchange) (agent.Reply, error) {
			return agent.Reply{Text: "ö", Citations: []agent.Citation{{DocumentID: "doc_1", Quote: "\xc3"}}}, nil
		})}}, "cuts a character in two", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var log bytes.Buffer
			tt.parts.Logger = slog.New(slog.NewTextHandler(&log, nil))
			d := newDesk(t, tt.parts, hours)
			always(t, d)
			m := agent.Message{Text: "When do you open?", User: agent.User{ID: "u"}}
			_, err := d.agent().Ask(t.Context(), m)
			if err == nil || !strings.Contains(err.Error(), tt.want) || tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("Ask = error %v, want %q", err, tt.want)
			}
			told, err := stream(t, d.agent(), m)
			if err == nil || !strings.Contains(err.Error(), tt.want) || told.reply != nil {
				t.Errorf("Stream = error %v, want %q", err, tt.want)
			}
			for _, text := range []string{log.String(), fmt.Sprint(err)} {
				if strings.Contains(text, "customer's words") {
					t.Errorf("a log or an error has a customer's words in it: %s", text)
				}
			}
			const want = "user: When do you open?\nfailure: internal\nuser: When do you open?\nfailure: internal"
			if got := d.script(t, told.events[0].ConversationID); got != want {
				t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
			}
			var types []event.Type
			for _, ev := range d.events(t) {
				if ev.Refs.ConversationID != "" {
					types = append(types, ev.Type)
				}
			}
			if got, want := fmt.Sprint(types), "[conversation.started message.received message.failed message.received message.failed]"; got != want {
				t.Errorf("events = %s, want %s", got, want)
			}
		})
	}
}

// A test that ends itself inside a turn, as t.Fatal does, leaves no caller
// waiting; the turn lapses, and the conversation goes on.
func TestExitWhileAnswering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		exits := true
		d := newDesk(t, parts{Answerer: agenttest.Script(func(context.Context, agent.Question) (agent.Part, error) {
			if exits {
				exits = false
				runtime.Goexit()
			}
			return agent.Part{Text: "Nine."}, nil
		})}, hours)
		always(t, d)
		if _, err := d.agent().Ask(t.Context(), agent.Message{Text: "When do you open?"}); err == nil || !strings.Contains(err.Error(), "exited") {
			t.Errorf("Ask = error %v, want one that says so", err)
		}
		time.Sleep(11 * time.Second)
		if err := d.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		page, err := d.conversations().List(t.Context(), agent.ConversationFilter{}, store.Page{})
		if err != nil || len(page.Data) != 1 {
			t.Fatalf("List = %d conversations, %v, want one", len(page.Data), err)
		}
		if got, want := d.script(t, page.Data[0].ID), "user: When do you open?\nagent: Nine."; got != want {
			t.Errorf("the conversation is\n%s\nwant\n%s", got, want)
		}
	})
}
