package answerdesk_test

import (
	"context"
	"fmt"
	"iter"
	"log"
	"os"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// shop opens a desk on a temporary folder, for the examples below.
func shop(opts *answerdesk.Options, docs ...knowledge.Document) (desk *answerdesk.Desk, done func()) {
	dir, err := os.MkdirTemp("", "answerdesk")
	if err != nil {
		log.Fatal(err)
	}
	desk, err = answerdesk.Open(context.Background(), dir, opts)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := desk.Knowledge().PutAll(context.Background(), docs...); err != nil {
		log.Fatal(err)
	}
	return desk, func() {
		if err := desk.Close(); err != nil {
			log.Fatal(err)
		}
		os.RemoveAll(dir)
	}
}

// polite is an answerer that quotes the best passage with a few words of its own.
// What it quotes is checked when the turn ends, as with any answerer.
type polite struct{}

func (polite) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	return func(yield func(agent.Part, error) bool) {
		best := q.Passages[0].Passage
		quote := agent.Cite(best, best.Start, best.End)
		if yield(agent.Part{Text: "Gladly! "}, nil) {
			yield(agent.Part{Text: quote.Quote, Citation: &quote}, nil)
		}
	}
}

// An answerer of your own writes the replies.
func ExampleOptions_answerer() {
	desk, done := shop(&answerdesk.Options{Answerer: polite{}},
		knowledge.Document{Title: "Hours", Text: "We open at nine in the morning."})
	defer done()

	reply, err := desk.Agent("").Ask(context.Background(), agent.Message{Text: "When do you open?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	c := reply.Citations[0]
	fmt.Printf("%s bears out %q\n", c.Title, reply.Text[c.ClaimStart:c.ClaimEnd])
	// Output:
	// Gladly! We open at nine in the morning.
	// Hours bears out "We open at nine in the morning."
}

// seasonal is a retriever that looks only at what holds in this season.
type seasonal struct {
	desk   *answerdesk.Desk
	season string
}

func (s *seasonal) Retrieve(ctx context.Context, company string, q knowledge.Query) (knowledge.Results, error) {
	q.Filter = map[string]any{"season": s.season}
	return s.desk.Company(company).Knowledge().Search(ctx, q)
}

// A retriever of your own finds the passages, here by the desk's own search with
// a filter.
func ExampleOptions_retriever() {
	finder := &seasonal{season: "winter"}
	desk, done := shop(&answerdesk.Options{Retriever: finder},
		knowledge.Document{Title: "Hours", Text: "We open at eight in the morning.", Metadata: map[string]any{"season": "summer"}},
		knowledge.Document{Title: "Hours", Text: "We open at ten in the morning.", Metadata: map[string]any{"season": []string{"autumn", "winter"}}})
	defer done()
	finder.desk = desk

	reply, err := desk.Agent("").Ask(context.Background(), agent.Message{Text: "When do you open?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	// Output: We open at ten in the morning.
}

// byPhone is middleware that answers a greeting itself, and tells who gets no
// answer whom to call.
func byPhone(next agent.TurnFunc) agent.TurnFunc {
	return func(ctx context.Context, x *agent.Exchange) (agent.Reply, error) {
		if strings.TrimRight(strings.ToLower(x.Message.Text), "!. ") == "hello" {
			return agent.Reply{Text: "Hello! What would you like to know?"}, nil
		}
		reply, err := next(ctx, x)
		if reply.Outcome == agent.Refuse {
			reply.Text += " Please call us at 555-0100."
		}
		return reply, err
	}
}

// Middleware looks at every message before it is answered, and at every reply.
func ExampleOptions_middleware() {
	desk, done := shop(&answerdesk.Options{Middleware: []agent.Middleware{byPhone}},
		knowledge.Document{Title: "Hours", Text: "We open at nine in the morning."})
	defer done()

	for _, text := range []string{"Hello!", "When do you open?", "Do you sell bicycles?"} {
		reply, err := desk.Agent("").Ask(context.Background(), agent.Message{Text: text})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(reply.Text)
	}
	// Output:
	// Hello! What would you like to know?
	// We open at nine in the morning.
	// I could not find an answer to that in what I have been given. Please call us at 555-0100.
}

// Whoever keeps the cursor of the last event handled goes on from there, in any
// process and after any crash.
func ExampleCompany_Events() {
	desk, done := shop(nil)
	defer done()
	ctx := context.Background()
	doc, err := desk.Knowledge().Put(ctx, knowledge.Document{Title: "Hours", Text: "We open at nine."})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := desk.Agent("").Ask(ctx, agent.Message{Text: "When do you open?"}); err != nil {
		log.Fatal(err)
	}

	cursor := ""
	for ev, err := range desk.Events(ctx, cursor) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(ev.Type, ev.Sequence, ev.Refs.DocumentID == doc.ID)
		cursor = ev.Cursor // to be kept, once the event is handled
		if ev.Type == event.MessageSent {
			break
		}
	}
	fmt.Println(cursor != "")
	// Output:
	// agent.created 1 false
	// content.created 1 true
	// conversation.started 1 false
	// message.received 2 false
	// message.sent 3 false
	// true
}

// A question that is asked often gets the answer that was written for it.
func ExampleCompany_Knowledge_questions() {
	desk, done := shop(nil)
	defer done()
	ctx := context.Background()
	_, err := desk.Knowledge().PutQA(ctx, "Do you deliver?", "Yes, within the city, for 4 euros.",
		"What does delivery cost?", "Can you send it to me?")
	if err != nil {
		log.Fatal(err)
	}

	reply, err := desk.Agent("").Ask(ctx, agent.Message{Text: "Can you send it to me?"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(reply.Text)
	fmt.Println("--", reply.Citations[0].Title)
	// Output:
	// Yes, within the city, for 4 euros.
	// -- Do you deliver?
}

// Each company has agents, knowledge and conversations of its own.
func ExampleDesk_Companies() {
	desk, done := shop(nil)
	defer done()
	ctx := context.Background()
	for _, name := range []string{"Boats", "Bikes"} {
		c, err := desk.Companies().Create(ctx, name)
		if err != nil {
			log.Fatal(err)
		}
		_, err = desk.Company(c.ID).Knowledge().Put(ctx, knowledge.Document{Text: "We sell " + strings.ToLower(name) + "."})
		if err != nil {
			log.Fatal(err)
		}
	}

	companies, err := desk.Companies().List(ctx, store.Page{})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range companies.Data {
		reply, err := desk.Company(c.ID).Agent("").Ask(ctx, agent.Message{Text: "What do you sell?"})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.Name, reply.Outcome, len(reply.Citations))
	}
	// Output:
	// Bikes answer 1
	// Boats answer 1
	// Default refuse 0
}
