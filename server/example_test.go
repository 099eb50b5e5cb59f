package server_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/server"
)

// A session with one desk, in this process and over the network: it makes no
// difference.
func ExampleClient() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "desk")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	desk, err := answerdesk.Open(ctx, dir, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer desk.Close()

	inProcess := server.Client(desk, access.Principal{ID: "example", Company: desk.ID(), Scope: access.ScopeFull})
	if err := session(ctx, inProcess); err != nil {
		fmt.Println(err)
		return
	}

	_, key, err := desk.Keys().Create(ctx, access.NewKey{Name: "Example", Scope: access.ScopeFull})
	if err != nil {
		fmt.Println(err)
		return
	}
	s := httptest.NewServer(server.New(desk, nil))
	defer s.Close()
	overNetwork, err := client.New(s.URL, client.WithAPIKey(key))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := session(ctx, overNetwork); err != nil {
		fmt.Println(err)
		return
	}
	// Output:
	// answer: We open at nine in the morning. On Sundays we stay closed.
	// Hours, bytes 0 to 58
	// streamed: We open at nine in the morning. On Sundays we stay closed.
	// deleted: 1 version, quotes erased from 2 replies
	// refuse
	// the document is gone
	// answer: We open at nine in the morning. On Sundays we stay closed.
	// Hours, bytes 0 to 58
	// streamed: We open at nine in the morning. On Sundays we stay closed.
	// deleted: 1 version, quotes erased from 2 replies
	// refuse
	// the document is gone
}

// session is what README.md does with curl.
func session(ctx context.Context, c *client.Client) error {
	agent, err := c.Agents.Create(ctx, api.AgentRequest{Name: "Shop"})
	if err != nil {
		return err
	}
	document, err := c.Knowledge.Documents.Create(ctx, api.DocumentRequest{
		Title: "Hours", Text: "We open at nine in the morning. On Sundays we stay closed.",
	})
	if err != nil {
		return err
	}

	question := api.MessageRequest{AgentID: agent.ID, Message: "When do you open?"}
	reply, err := c.Messages.Create(ctx, question)
	if err != nil {
		return err
	}
	fmt.Printf("%s: %s\n", reply.Outcome, reply.Text)
	for _, cited := range reply.Citations {
		fmt.Printf("%s, bytes %d to %d\n", cited.Title, cited.Start, cited.End)
	}

	fmt.Print("streamed: ")
	for ev, err := range c.Messages.Stream(ctx, question) {
		if err != nil {
			return err
		}
		fmt.Print(ev.Delta)
	}
	fmt.Println()

	receipt, err := c.Knowledge.Documents.Delete(ctx, document.ID)
	if err != nil {
		return err
	}
	fmt.Printf("deleted: %d version, quotes erased from %d replies\n", receipt.Versions, receipt.RepliesErased)
	if reply, err = c.Messages.Create(ctx, question); err != nil {
		return err
	}
	fmt.Println(reply.Outcome)
	if _, err := c.Knowledge.Documents.Get(ctx, document.ID); errors.Is(err, client.ErrNotFound) {
		fmt.Println("the document is gone")
	}
	return nil
}
