package answerdesk_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
)

// The Go of README.md stands here, word for word; see [TestReadme].
func Example_readme() {
	defer inTemporaryFolder()()
	ctx := context.Background()

	desk, err := answerdesk.Open(ctx, "data", nil) // SQLite in a folder, made on first use
	if err != nil {
		log.Fatal(err)
	}
	defer desk.Close()

	_, err = desk.Knowledge().Put(ctx, knowledge.Document{
		Title: "Hours",
		Text:  "We open at nine in the morning. On Sundays we stay closed.",
	})
	if err != nil {
		log.Fatal(err)
	}

	reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When do you open?"}) // "" is the default agent
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Outcome)
	for _, c := range reply.Citations {
		fmt.Printf("%s, bytes %d to %d: %q\n", c.Title, c.Start, c.End, c.Quote)
	}

	for ev, err := range desk.Agent("").Stream(ctx, agent.Message{Text: "When do you open?"}) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Print(ev.Delta)
	}
	// Output:
	// answer
	// Hours, bytes 0 to 58: "We open at nine in the morning. On Sundays we stay closed."
	// We open at nine in the morning. On Sundays we stay closed.
}

// The Go of README.md that has a tool.
func Example_readmeTool() {
	defer inTemporaryFolder()()
	ctx := context.Background()
	orders := map[string]string{"A-1": "shipped on Tuesday"}

	type order struct{ ID string }
	status := agent.MustTool("order_status", "Where an order is", func(ctx context.Context, o order) (string, error) {
		return orders[o.ID], nil
	}, nil)
	model := llmtest.NewScript(llmtest.Call("order_status", order{"A-1"}), llmtest.Say("Order A-1 was shipped on Tuesday."))
	desk, err := answerdesk.Open(ctx, "data", &answerdesk.Options{Model: model, Tools: []agent.Tool{status}})
	if err != nil {
		log.Fatal(err)
	}
	defer desk.Close()
	reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: "Where is order A-1?"})
	fmt.Println(reply.Text, err)
	// Output: Order A-1 was shipped on Tuesday. <nil>
}

// The Go of README.md that calls stands here; package server has the same run.
func Example_readmeClient() {
	ctx, key := context.Background(), os.Getenv("DESK_KEY")

	c, err := client.New("https://desk.example.com", client.WithAPIKey(key))
	if err != nil {
		log.Fatal(err)
	}
	reply, err := c.Messages.Create(ctx, api.MessageRequest{Message: "When do you open?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Outcome, reply.Text)
}

// inTemporaryFolder goes to a new folder, and returns how to come back.
func inTemporaryFolder() func() {
	before, err := os.Getwd()
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "answerdesk")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.Chdir(dir); err != nil {
		log.Fatal(err)
	}
	return func() {
		if err := os.Chdir(before); err != nil {
			log.Fatal(err)
		}
		os.RemoveAll(dir)
	}
}

// TestReadme holds that the Go of README.md is that of the examples above, and that
// its links lead somewhere. Its shell is run by the tests of cmd/answerdesk.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("readme_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) == 0 {
		t.Error("README.md has no Go")
	}
	for _, block := range blocks {
		indented := regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(block[1], "\t$1")
		if !strings.Contains(string(source), indented) {
			t.Errorf("README.md has Go that does not stand in readme_test.go:\n%s", block[1])
		}
	}
	for _, link := range regexp.MustCompile(`\]\(([^)#\s]+)[^)]*\)`).FindAllStringSubmatch(string(readme), -1) {
		if strings.Contains(link[1], "://") {
			continue
		}
		if _, err := os.Stat(filepath.FromSlash(link[1])); err != nil {
			t.Errorf("README.md links to %s: %v", link[1], err)
		}
	}
}
