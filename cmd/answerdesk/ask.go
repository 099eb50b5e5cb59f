package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/answerdesk-go/answerdesk/agent"
)

var askCommand = command{
	name: "ask", takes: "QUESTION", about: "answer a question from what was ingested",
	more: `Prints the answer, the outcome and the confidence, and for each citation the
document, the headings above the quote, and the quote. Without --agent the
company's default agent answers. That no answer was found is the outcome "refuse"
and no failure.

The question is kept as a conversation of its own. Another process may have the
folder open meanwhile.`,
	settings: []setting{storeSetting, dataSetting, companySetting, agentSetting, modelSetting, modelURLSetting, modelKeySetting, modelPriceSetting}, min: 1, max: -1, do: ask,
}

// ask prints the reply to a question, which may be given as several words.
func ask(ctx context.Context, given *call) error {
	desk, err := given.open(ctx)
	if err != nil {
		return err
	}
	defer desk.Close()
	company, err := given.of(ctx, desk)
	if err != nil {
		return err
	}
	reply, err := company.Agent(given.agent).Ask(ctx, agent.Message{Text: strings.Join(given.args, " ")})
	if err != nil {
		return given.named(err)
	}
	_, err = io.WriteString(given.stdout, printable(show(reply)))
	return err
}

// show renders a reply and what it stands on, as examples/quickstart does.
func show(r agent.Reply) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\noutcome: %s\nconfidence: %.2f\n", r.Text, r.Outcome, r.Confidence.Score)
	for _, c := range r.Citations {
		where := strings.Join(append([]string{source(c)}, c.Heading...), " > ")
		quote := strings.Join(strings.Fields(c.Quote), " ")
		fmt.Fprintf(&b, "%s: \"%s\"\n", where, quote)
	}
	return b.String()
}

// source is the path of the document cited or, if it was not read from a file,
// its title.
func source(c agent.Citation) string {
	if c.ExternalID == "" {
		return c.Title
	}
	return c.ExternalID
}

// oneLine is text in a line with others.
func oneLine(s string) string { return strings.Join(strings.Fields(printable(s)), " ") }

// printable leaves out the control characters with which a document or the name
// of a file could take over a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
}
