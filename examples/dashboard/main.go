// Dashboard is the help of a program with screens: the same words are answered by
// what the customer is looking at. Run it at the top of the repository:
//
//	go run ./examples/dashboard                              # the same questions on two screens
//	go run ./examples/dashboard -screen devices -ask "How do I remove it?"
//
// It needs no key and no network. The screen goes along with the message as its
// context: a question that says itself what it is about is answered by its own words
// on any screen.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// help are the pages that answers are taken from.
var help = []knowledge.Document{
	{Title: "Billing", Text: `# Billing

## Adding a card

To add a card on the billing screen, press New card and type its number.

## Removing a card

To remove a card on the billing screen, open its menu and press Remove. The last card stays while the plan is paid.
`},
	{Title: "Devices", Text: `# Devices

## Adding a phone

To add a phone on the devices screen, press New phone and scan the code that it shows.

## Removing a phone

To remove a phone on the devices screen, swipe it to the left. It is signed out within a minute.
`},
	{Title: "Opening hours", Text: `# Opening hours

The support team answers calls from nine to five on working days.
`},
}

// questions are asked on both screens if none is given.
var questions = []string{"How do I add it?", "How do I remove it?", "How do I remove a phone from the devices screen?"}

func main() {
	screen := flag.String("screen", "", "the customer looks at the `NAME` screen: billing or devices (default: one after the other)")
	ask := flag.String("ask", "", "answer the question `Q` (default: some questions)")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	screens, asked := []string{"billing", "devices"}, questions
	if *screen != "" {
		screens = []string{*screen}
	}
	if *ask != "" {
		asked = []string{*ask}
	}
	if err := run(ctx, screens, asked); err != nil {
		fmt.Fprintln(os.Stderr, "dashboard:", err)
		os.Exit(1)
	}
}

// run answers each question on each screen.
func run(ctx context.Context, screens, asked []string) error {
	folder, err := os.MkdirTemp("", "dashboard")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	desk, err := answerdesk.Open(ctx, folder, nil)
	if err != nil {
		return err
	}
	defer desk.Close()
	for _, page := range help {
		if _, err := desk.Knowledge().Put(ctx, page); err != nil {
			return err
		}
	}
	for _, question := range asked {
		fmt.Println(question)
		for _, screen := range screens {
			reply, err := desk.Agent("").Ask(ctx, agent.Message{
				Text:    question,
				Context: map[string]any{"screen": screen}, // what your program knows of where its user is
			})
			if err != nil {
				return err
			}
			fmt.Printf("  %s: %s (%s)\n", screen, reply.Text, reply.Outcome)
		}
	}
	return nil
}
