package answerdesk_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "answerdesk")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	desk, err := answerdesk.Open(ctx, dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer desk.Close()
	_, err = desk.Knowledge().Put(ctx, knowledge.Document{
		Title: "Opening hours",
		Text:  "We open at nine in the morning. On Sundays we stay closed.",
	})
	if err != nil {
		log.Fatal(err)
	}

	reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When do you open?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Outcome, reply.Text)
	fmt.Println(reply.Citations[0].Title, reply.Citations[0].Start, reply.Citations[0].End)

	reply, err = desk.Agent("").Ask(ctx, agent.Message{Text: "What is the capital of Mongolia?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Outcome)
	// Output:
	// answer We open at nine in the morning. On Sundays we stay closed.
	// Opening hours 0 58
	// refuse
}
