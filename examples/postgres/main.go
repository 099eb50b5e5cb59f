// Postgres is the quickstart on PostgreSQL: a desk that many processes can have,
// in a database of yours, on a pool that your program has anyway. Run it at the top
// of the repository:
//
//	export ANSWERDESK_STORE=postgres://user:secret@localhost/app
//	go run ./examples/postgres                                 # asks you for questions about Answerdesk
//	go run ./examples/postgres -ask "How do I rotate an API key?"
//	go run ./examples/postgres -from ~/notes                   # answers from your own folder or file
//
// It makes the schema "answerdesk" with its tables, keeps there what it reads and is
// asked, and prints what the quickstart prints.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"iter"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/docs"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store/postgres"
)

func main() {
	from := flag.String("from", "", "answer from the files at `PATH` (default: the documentation of Answerdesk)")
	ask := flag.String("ask", "", "answer the question `Q` and end (default: ask for questions)")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv("ANSWERDESK_STORE"), *from, *ask); err != nil {
		fmt.Fprintln(os.Stderr, "postgres:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, from, ask string) error {
	if url == "" {
		return errors.New("say in ANSWERDESK_STORE which database to use: postgres://user:secret@localhost/app")
	}
	pool, err := pgxpool.New(ctx, url) // yours may do: the store shares it
	if err != nil {
		return err
	}
	defer pool.Close()
	desk, err := answerdesk.New(ctx, postgres.New(pool, nil), nil)
	if err != nil {
		return err
	}
	defer desk.Close()
	if err := read(ctx, desk.Knowledge(), from); err != nil {
		return err
	}

	conversation := "" // a new one; the replies after it know what was said before
	for question := range questions(ctx, ask) {
		reply, err := desk.Agent("").Ask(ctx, agent.Message{ConversationID: conversation, Text: question})
		if err != nil {
			return err
		}
		conversation = reply.ConversationID
		show(reply)
	}
	return nil
}

// read takes in a folder, a file, or the documentation of Answerdesk.
func read(ctx context.Context, kb *knowledge.Base, from string) error {
	files := knowledge.Files(docs.Pages)
	if from != "" {
		path, err := filepath.Abs(from)
		if err != nil {
			return err
		}
		files = knowledge.Files(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	}
	taken := 0
	for in, err := range kb.Ingest(ctx, files) {
		switch {
		case err != nil:
			return err
		case in.Err != nil:
			fmt.Fprintln(os.Stderr, "passed over:", in.Err)
		default:
			taken++
		}
	}
	if taken == 0 {
		return fmt.Errorf("%s: there is nothing to answer from", from)
	}
	return nil
}

// show prints a reply and what it stands on.
func show(r agent.Reply) {
	fmt.Printf("%s\n\noutcome: %s\nconfidence: %.2f\n", r.Text, r.Outcome, r.Confidence.Score)
	for _, c := range r.Citations {
		where := strings.Join(append([]string{c.ExternalID}, c.Heading...), " > ")
		quote := strings.Join(strings.Fields(c.Quote), " ")
		fmt.Printf("%s: \"%s\"\n", where, quote)
	}
}

// questions yields the one that is given or, if there is none, each that is
// typed, until an empty line.
func questions(ctx context.Context, given string) iter.Seq[string] {
	if given != "" {
		return slices.Values([]string{given})
	}
	typed := make(chan string)
	go func() { // on its own, since reading a line cannot be interrupted
		defer close(typed)
		for in := bufio.NewReader(os.Stdin); ; {
			line, err := in.ReadString('\n')
			if line = strings.TrimSpace(line); line != "" {
				typed <- line
			}
			if line == "" || err != nil {
				return
			}
		}
	}()
	return func(yield func(string) bool) {
		for {
			fmt.Fprint(os.Stderr, "\nAsk, or press Enter to end: ")
			select {
			case question, more := <-typed:
				if !more || !yield(question) {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}
}
