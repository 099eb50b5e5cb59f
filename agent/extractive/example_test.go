package extractive_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store/sqlite"
)

// A program may put the parts together itself. This one links neither the root
// package nor a server.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "answerdesk")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	st, err := sqlite.Open(ctx, dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer st.Close()
	company, err := access.NewCompanies(st).First(ctx)
	if err != nil {
		log.Fatal(err)
	}
	library := knowledge.New(st, nil)
	_, err = library.Company(company.ID).Put(ctx, knowledge.Document{
		Title:  "Returns",
		Format: knowledge.Markdown,
		Text:   "# Returning a product\n\nTo return a product:\n\n1. Pack it.\n2. Bring it to the shop.\n\nPaddles stay with you.\n",
	})
	if err != nil {
		log.Fatal(err)
	}

	engine := agent.New(st, library, extractive.New(nil), nil)
	defer engine.Drain(ctx)
	reply, err := engine.Agent(company.ID, "").Ask(ctx, agent.Message{Text: "How do I return a product?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	fmt.Println("--", reply.Citations[0].Title, reply.Citations[0].Heading)
	// Output:
	// To return a product:
	//
	// 1. Pack it.
	// 2. Bring it to the shop.
	// -- Returns [Returning a product]
}
