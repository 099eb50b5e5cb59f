package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/generative"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// passages is how many the desk searches: one a document.
const passages = 10_000

var find = agent.MustTool("order_status", "Where an order is", func(_ context.Context, in order) (status, error) { return look(in), nil }, nil)

// instant asks for the call, and then answers.
func instant() *llmtest.Instant {
	return &llmtest.Instant{Text: answer, Call: &llm.ToolCall{ID: "1", Name: "order_status", Arguments: json.RawMessage(arguments)}}
}

// loop returns a turn of the agent's loop alone, as the peers run theirs: prompt,
// call, answer, with each sentence held to what it stands on; nothing is searched,
// and nothing is stored.
func loop(context.Context) (turn, error) {
	a := generative.New(instant(), nil)
	return func(ctx context.Context, first func()) error {
		q := agent.Question{
			Message: agent.Message{Text: question}, Query: question, Tools: []agent.Tool{find},
			History: func(context.Context) ([]agent.Message, error) { return nil, nil },
			Spend:   func(agent.ModelCall) error { return nil },
			Call: func(ctx context.Context, asked []agent.Asked) ([]agent.ToolCall, error) {
				calls := make([]agent.ToolCall, len(asked))
				for i, c := range asked {
					result, err := find.Run(ctx, agent.Call{ID: "call_1", Name: c.Name, Arguments: c.Arguments})
					if err != nil {
						return nil, err
					}
					calls[i] = agent.ToolCall{ID: "call_1", Name: c.Name, Arguments: c.Arguments, State: agent.CallCompleted, Result: result, Round: 1, ModelID: c.ModelID}
				}
				return calls, nil
			},
		}
		var text strings.Builder
		for part, err := range a.Answer(ctx, q) {
			if err != nil {
				return err
			}
			if text.Len() == 0 && part.Text != "" {
				first()
			}
			text.WriteString(part.Text)
		}
		if text.String() != answer {
			return fmt.Errorf("%w: %q", errAnswer, text.String())
		}
		return nil
	}, nil
}

// whole returns a turn of a desk: stored step by step in SQLite, searched among
// 10,000 passages, the call on record before and after it is made, the answer
// checked and explained.
func whole(ctx context.Context) (turn, error) {
	desk, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, _ func()) error {
		reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: question})
		if err != nil {
			return err
		}
		return check(reply)
	}, nil
}

// streamed is whole for a reader who gets the reply as it comes.
func streamed(ctx context.Context) (turn, error) {
	desk, err := open(ctx)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, first func()) error {
		deltas, reply := 0, agent.Reply{}
		for ev, err := range desk.Agent("").Stream(ctx, agent.Message{Text: question}) {
			switch {
			case err != nil:
				return err
			case ev.Type == agent.TextDelta:
				if deltas++; deltas == 1 {
					first()
				}
			case ev.Type == agent.MessageCompleted:
				reply = *ev.Reply
			}
		}
		return check(reply)
	}, nil
}

func check(reply agent.Reply) error {
	if reply.Text != answer || len(reply.ToolCalls) != 1 {
		return fmt.Errorf("%w: %q after %d calls", errAnswer, reply.Text, len(reply.ToolCalls))
	}
	return nil
}

// open returns a desk with 10,000 passages.
func open(ctx context.Context) (*answerdesk.Desk, error) {
	folder, err := os.MkdirTemp("", "agents")
	if err != nil {
		return nil, err
	}
	atEnd = append(atEnd, func() { os.RemoveAll(folder) })
	desk, err := answerdesk.Open(ctx, folder, &answerdesk.Options{Model: instant(), Tools: []agent.Tool{find}})
	if err != nil {
		return nil, err
	}
	atEnd = append(atEnd, func() { desk.Close() })
	var docs []knowledge.Document
	for i := range passages {
		docs = append(docs, knowledge.Document{
			ExternalID: fmt.Sprint("page-", i), Title: fmt.Sprint("Page ", i),
			Text: fmt.Sprintf("Article %d: parcels of kind %d are sent from hall %d within %d days, and customers of region %d are told by letter.", i, i%97, i%31, i%13, i%201),
		})
		if len(docs) == 500 {
			if _, err := desk.Knowledge().PutAll(ctx, docs...); err != nil {
				return nil, err
			}
			docs = docs[:0]
		}
	}
	return desk, nil
}
