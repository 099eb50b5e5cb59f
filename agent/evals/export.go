package evals

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/tools/txtar"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/store"
)

// Export makes a file of evals of a conversation that took place: what the user
// said, and of each reply the outcome, what it cites, and what it called; and the
// tools that it called with what came of it. Who the user is is left out: id, name,
// address, and metadata. What they said, and what tools were called with and gave,
// is in it word for word, since it is what the evals are about: whoever passes the
// file on should look it over first.
func Export(ctx context.Context, desk Desk, conversationID string) ([]byte, error) {
	messages, err := oldest(ctx, desk.Conversations(), conversationID)
	if err != nil {
		return nil, err
	}
	about := "Recorded from a conversation. It has no id, name or address of the user, and their words as they are.\n\n"
	out := txtar.Archive{Comment: []byte(about)}
	settings, err := settingsOf(ctx, desk, messages)
	if err != nil {
		return nil, err
	}
	out.Files = append(out.Files, exportedTools(messages, settings.Tools)...)
	var talk strings.Builder
	turns := 0
	for i, m := range messages {
		if m.Role != agent.RoleUser {
			continue
		}
		turns++
		for line := range strings.Lines(strings.TrimSpace(m.Text)) {
			fmt.Fprintf(&talk, "> %s\n", strings.TrimSpace(line))
		}
		if len(m.Context) > 0 {
			b, err := json.Marshal(m.Context)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&talk, "context: %s\n", b)
		}
		if i+1 < len(messages) && messages[i+1].Reply != nil && messages[i+1].Reply.Failure == "" {
			expected(&talk, *messages[i+1].Reply)
		}
		talk.WriteString("\n")
	}
	if turns == 0 {
		return nil, fmt.Errorf("conversation %s has no message of a user", conversationID)
	}
	out.Files = append(out.Files, txtar.File{Name: "conversation recorded", Data: []byte(strings.TrimSuffix(talk.String(), "\n"))})
	return txtar.Format(&out), nil
}

// oldest returns the messages of a conversation, the oldest first.
func oldest(ctx context.Context, conversations *agent.Conversations, id string) (all []agent.Message, err error) {
	for page := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := conversations.Messages(ctx, id, page)
		if err != nil {
			return nil, err
		}
		all = append(all, l.Data...)
		if page.Cursor = l.NextCursor; page.Cursor == "" {
			slices.Reverse(all)
			return all, nil
		}
	}
}

// expected writes what a reply was as what is expected of it.
func expected(b *strings.Builder, r agent.Reply) {
	fmt.Fprintf(b, "outcome: %s\n", r.Outcome)
	told := map[string]bool{}
	for _, c := range r.Citations {
		line := fmt.Sprintf("cites: %s", documentOf(c))
		if quote := strings.Join(strings.Fields(c.Quote), " "); quote != "" && !c.Erased {
			line += ` "` + quote + `"`
		}
		if !told[line] && !c.Erased {
			told[line] = true
			fmt.Fprintln(b, line)
		}
	}
	for _, c := range r.ToolCalls {
		fmt.Fprintf(b, "calls: %s %s\n", c.Name, compact(c.Arguments))
		if c.Approval == agent.ApprovalAsk {
			verb := "approves"
			if c.State == agent.CallRejected {
				verb = "rejects"
			}
			fmt.Fprintf(b, "%s: %s\n", verb, c.Name)
		}
	}
}

// settingsOf returns the settings of the agent of a conversation.
func settingsOf(ctx context.Context, desk Desk, messages []agent.Message) (agent.Settings, error) {
	if len(messages) == 0 {
		return agent.Settings{}, nil
	}
	a, err := desk.Agent(messages[0].AgentID).Get(ctx)
	return a.Settings, err
}

// exportedTools are sections of the tools that were called, with what they gave.
func exportedTools(messages []agent.Message, declared map[string]agent.ToolSettings) (sections []txtar.File) {
	results := map[string][]string{}
	for _, m := range messages {
		if m.Reply == nil {
			continue
		}
		for _, c := range m.Reply.ToolCalls {
			line := ""
			switch {
			case c.State == agent.CallCompleted:
				line = fmt.Sprintf("%s => %s", compact(c.Arguments), compact(c.Result))
			case c.State == agent.CallFailed:
				line = fmt.Sprintf("%s => error: %s", compact(c.Arguments), strings.Join(strings.Fields(c.Error), " "))
			default:
				continue
			}
			if !slices.Contains(results[c.Name], line) {
				results[c.Name] = append(results[c.Name], line)
			}
		}
	}
	for name, lines := range results {
		t := declared[name]
		description := strings.Join(strings.Fields(strings.ReplaceAll(t.Description, "=>", "->")), " ")
		if description = strings.TrimLeft(description, "-# "); description == "" {
			description = "Say here what the tool does."
		}
		text := description + "\n"
		if t.Parameters != nil {
			text += "parameters: " + compact(t.Parameters) + "\n"
		}
		if t.ReadOnly {
			text += "read only\n"
		}
		sections = append(sections, txtar.File{Name: "tool " + name, Data: []byte(text + strings.Join(lines, "\n") + "\n")})
	}
	slices.SortFunc(sections, func(a, b txtar.File) int { return strings.Compare(a.Name, b.Name) })
	return sections
}
