// Tools gives an agent two functions: one that looks up an order, and one that
// cancels it, which waits until somebody approves. Run it at the top of the
// repository:
//
//	go run ./examples/tools                                # a model that follows a script
//	go run ./examples/tools -model gpt-5-mini              # OpenAI's, with the key in OPENAI_API_KEY
//	go run ./examples/tools -model qwen3 -url http://localhost:11434/v1
//
// Ask where an order is, or have one cancelled: are there.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/openai"
)

func main() {
	name := flag.String("model", "", "the model `NAME` answers (default: one that follows a script)")
	url := flag.String("url", "", "the model is served at `URL` (default: by OpenAI)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *name, *url, bufio.NewScanner(os.Stdin)); err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

// Orders are what the functions work on.
type orders struct {
	mu     sync.Mutex
	states map[string]string
}

// An orderQuery is what the functions are called with. Its tags tell the model what
// to write, and what does not fit never reaches the functions.
type orderQuery struct {
	OrderID string     `json:"order_id" jsonschema:"the number of the order, such as A-1"`
	Call    agent.Call `json:"-"` // who asks: filled in by the desk, never by the model
}

func (o *orders) status(_ context.Context, q orderQuery) (string, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if state, ok := o.states[q.OrderID]; ok {
		return "Order " + q.OrderID + " is " + state + ".", nil
	}
	return "", errors.New("there is no order " + q.OrderID) // the model is told
}

func (o *orders) cancel(ctx context.Context, q orderQuery) (string, error) {
	if _, err := o.status(ctx, q); err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.states[q.OrderID] = "cancelled"
	return "Order " + q.OrderID + " is cancelled.", nil
}

func run(ctx context.Context, name, url string, typed *bufio.Scanner) error {
	model, err := choose(name, url)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "tools")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	o := &orders{states: map[string]string{"A-1": "on its way", "A-2": "being packed"}}
	desk, err := answerdesk.Open(ctx, folder, &answerdesk.Options{Model: model, Tools: []agent.Tool{
		agent.MustTool("order_status", "Where an order is", o.status, &agent.ToolOptions{ReadOnly: true, Idempotent: true}),
		agent.MustTool("cancel_order", "Cancels an order", o.cancel, &agent.ToolOptions{Approval: agent.ApprovalAsk, Idempotent: true}),
	}})
	if err != nil {
		return err
	}
	defer desk.Close()

	conversation := ""
	for prompt("Ask, or press Enter to end: "); typed.Scan() && typed.Text() != ""; prompt("\nAsk, or press Enter to end: ") {
		for ev, err := range desk.Agent("").Stream(ctx, agent.Message{ConversationID: conversation, Text: typed.Text()}) {
			if err != nil {
				return err
			}
			conversation = ev.ConversationID
			if err := show(ctx, desk, ev, typed); err != nil {
				return err
			}
		}
	}
	return typed.Err()
}

// show prints what a turn tells, and asks whether a call that waits may be made.
func show(ctx context.Context, desk *answerdesk.Desk, ev agent.Event, typed *bufio.Scanner) error {
	switch ev.Type {
	case agent.ToolWaiting:
		prompt(fmt.Sprintf("%s %s: may it be done? [y/N] ", ev.ToolCall.Name, ev.ToolCall.Arguments))
		decide := desk.Conversations().Reject
		if typed.Scan() && strings.EqualFold(strings.TrimSpace(typed.Text()), "y") {
			decide = desk.Conversations().Approve
		}
		_, err := decide(ctx, ev.ToolCall.ID)
		return err
	case agent.ToolEnded:
		fmt.Printf("(%s: %s)\n", ev.ToolCall.Name, ev.ToolCall.State)
	case agent.MessageCompleted:
		fmt.Println(ev.Reply.Text)
	}
	return nil
}

func prompt(text string) { fmt.Fprint(os.Stderr, text) }

// choose returns the model. This is all that changes from one to another.
func choose(name, url string) (llm.Model, error) {
	if name == "" {
		return scripted(), nil
	}
	o := openai.Options{APIKey: os.Getenv("OPENAI_API_KEY"), Model: name, BaseURL: url}
	if url != "" {
		o.Client = http.DefaultClient // which may reach this machine
	}
	m, err := openai.New(o)
	if err != nil {
		return nil, err
	}
	return llm.Retry(m, nil), nil
}
