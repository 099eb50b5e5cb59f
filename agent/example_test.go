package agent_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A stream tells the reply while it comes.
func ExampleHandle_Stream() {
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
	_, err = desk.Knowledge().Put(ctx, knowledge.Document{Title: "Hours", Text: "We open at nine in the morning."})
	if err != nil {
		log.Fatal(err)
	}

	for ev, err := range desk.Agent("").Stream(ctx, agent.Message{Text: "When do you open?"}) {
		if err != nil {
			log.Fatal(err)
		}
		switch ev.Type {
		case agent.TextDelta:
			fmt.Println("more:", ev.Delta)
		case agent.CitationAdded:
			fmt.Println("from:", ev.Citation.Title)
		case agent.MessageReplaced:
			fmt.Println("instead:", ev.Delta)
		case agent.MessageCompleted:
			fmt.Println("whole:", ev.Reply.Text)
		}
	}
	// Output:
	// more: We open at nine in the morning.
	// from: Hours
	// whole: We open at nine in the morning.
}

// A turn that was started goes on by itself; whoever comes later finds its reply.
func ExampleHandle_Start() {
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
	_, err = desk.Knowledge().Put(ctx, knowledge.Document{Title: "Hours", Text: "We open at nine in the morning."})
	if err != nil {
		log.Fatal(err)
	}

	started, err := desk.Agent("").Start(ctx, agent.Message{Text: "When do you open?"})
	if err != nil {
		log.Fatal(err)
	}
	reply, err := desk.Conversations().Wait(ctx, started.ReplyID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	for ev, err := range desk.Conversations().Watch(ctx, reply.ID, 0) { // as often as anybody likes
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ev.Type, ev.Sequence == agent.StoredSequence)
	}
	// Output:
	// We open at nine in the morning.
	// message.completed true
}
