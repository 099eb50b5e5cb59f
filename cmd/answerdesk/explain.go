package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
)

var explainCommand = command{
	name: "explain", takes: "[ID]", about: "tell why a reply came out as it did",
	more: `ID is that of a reply, or of a conversation, whose last reply is meant. Without it,
the last reply of all is.

Prints the question and the reply, why it answered or refused, what was searched for,
the confidence with what lowered it, every passage that was considered with its
scores and whether it is cited, what models and tools were called, and how long it
took. With --json it is what GET /v1/messages/ID/explanation answers.`,
	settings: []setting{
		storeSetting, dataSetting, companySetting,
		{
			name: "json", about: "print JSON",
			set: func(given *call, s string) (err error) { given.json, err = readBool(s); return err },
		},
	}, max: 1, do: explain,
}

func explain(ctx context.Context, given *call) error {
	desk, err := given.open(ctx)
	if err != nil {
		return err
	}
	defer desk.Close()
	company, err := given.of(ctx, desk)
	if err != nil {
		return err
	}
	question, reply, err := given.toExplain(ctx, company.Conversations())
	if err != nil {
		return err
	}
	if given.json {
		c := server.Client(desk.Desk, access.Principal{ID: "answerdesk explain", Company: company.ID(), Scope: access.ScopeRead, Plan: access.PlanUnlimited})
		e, err := c.Messages.Explanation(ctx, reply.ID)
		if err != nil {
			return given.named(err)
		}
		out := json.NewEncoder(given.stdout)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(e)
	}
	e, err := company.Conversations().Explain(ctx, reply.ID)
	if err != nil {
		return given.named(err)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "reply       %s of conversation %s\n", reply.ID, reply.ConversationID)
	if question.Text != "" {
		fmt.Fprintf(&b, "question    %s\n", oneLine(question.Text))
	}
	if reply.Reply != nil && reply.Reply.Failure == "" {
		fmt.Fprintf(&b, "text        %s\noutcome     %s\n", oneLine(reply.Text), reply.Reply.Outcome)
	}
	b.WriteString(e.Text(titles(ctx, company)))
	_, err = io.WriteString(given.stdout, printable(b.String()))
	return err
}

// toExplain returns the reply that is meant, and the message that it answers.
func (given *call) toExplain(ctx context.Context, conversations *agent.Conversations) (question, reply agent.Message, err error) {
	which := agent.MessageFilter{}
	switch id := strings.Join(given.args, ""); {
	case strings.HasPrefix(id, "conv_"):
		which.ConversationID = id
	case id != "":
		if reply, err = conversations.Message(ctx, id); err != nil {
			return question, reply, given.named(err)
		}
		if reply.Role != agent.RoleAgent {
			return question, reply, fmt.Errorf("%s is a message of a user: give the id of the reply to it", reply.ID)
		}
	}
	if reply.ID == "" {
		for m, err := range newest(ctx, conversations, which) {
			if err != nil {
				return question, reply, given.named(err)
			}
			if m.Role == agent.RoleAgent {
				reply = m
				break
			}
		}
	}
	if reply.ID == "" {
		return question, reply, fmt.Errorf("desk in %s: there is no reply yet", given.store)
	}
	passed := false
	for m, err := range newest(ctx, conversations, agent.MessageFilter{ConversationID: reply.ConversationID}) {
		if err != nil {
			return question, reply, given.named(err)
		}
		if passed && m.Role == agent.RoleUser {
			return m, reply, nil
		}
		passed = passed || m.ID == reply.ID
	}
	return question, reply, nil
}

// newest yields messages, the newest first, over all pages.
func newest(ctx context.Context, conversations *agent.Conversations, which agent.MessageFilter) iter.Seq2[agent.Message, error] {
	return func(yield func(agent.Message, error) bool) {
		for page := (store.Page{Limit: store.MaxLimit}); ; {
			messages, err := conversations.Find(ctx, which, page)
			if err != nil {
				yield(agent.Message{}, err)
				return
			}
			for _, m := range messages.Data {
				if !yield(m, nil) {
					return
				}
			}
			if page.Cursor = messages.NextCursor; page.Cursor == "" {
				return
			}
		}
	}
}

// titles returns what documents are called, as long as they are there.
func titles(ctx context.Context, company *answerdesk.Company) func(string) string {
	known := map[string]string{}
	return func(id string) string {
		if title, ok := known[id]; ok {
			return title
		}
		d, err := company.Knowledge().Get(ctx, id)
		if err == nil {
			known[id] = d.Title
			if d.ExternalID != "" {
				known[id] = d.ExternalID
			}
		} else {
			known[id] = id + " (deleted)"
		}
		return known[id]
	}
}
