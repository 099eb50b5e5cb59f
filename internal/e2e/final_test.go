package e2e

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/event"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

// A final is what a store holds of a company when all is over.
type final struct {
	Documents []finalDocument
	Talks     []finalTalk
	Events    []event.Event
	Changes   []knowledge.Change
	Revision  int64
}

type finalDocument struct {
	ID      string
	Version int
	Marks   []int // in the text
}

type finalTalk struct {
	agent.Conversation
	Messages []agent.Message // oldest first
	Numbers  []int64         // of the messages, in order
}

// readFinal reads what a store holds; db reads the same database.
func readFinal(ctx context.Context, st answerdesk.Store, db Rows, company string) (*final, error) {
	f := &final{}
	documents, err := every(func(p store.Page) (store.List[knowledge.Document], error) {
		return st.Documents(ctx, company, knowledge.Filter{}, p)
	})
	if err != nil {
		return nil, err
	}
	for _, d := range documents {
		text, err := st.DocumentText(ctx, company, d.ID, 0)
		if err != nil {
			return nil, fmt.Errorf("text of document %s: %w", d.ID, err)
		}
		f.Documents = append(f.Documents, finalDocument{d.ID, d.Version, marksIn(text)})
	}
	talks, err := every(func(p store.Page) (store.List[agent.Conversation], error) {
		return st.Conversations(ctx, company, agent.ConversationFilter{}, p)
	})
	if err != nil {
		return nil, err
	}
	for _, c := range talks {
		messages, err := every(func(p store.Page) (store.List[agent.Message], error) {
			return st.Messages(ctx, company, agent.MessageFilter{ConversationID: c.ID}, p)
		})
		if err != nil {
			return nil, err
		}
		slices.Reverse(messages)
		t := finalTalk{Conversation: c, Messages: messages}
		err = each(ctx, db, `SELECT seq FROM messages WHERE company = ? AND conversation_id = ? ORDER BY seq`, func(r *sql.Rows) error {
			var n int64
			err := r.Scan(&n)
			t.Numbers = append(t.Numbers, n)
			return err
		}, company, c.ID)
		if err != nil {
			return nil, err
		}
		f.Talks = append(f.Talks, t)
	}
	for after := ""; ; {
		events, err := st.Events(ctx, company, after, 1000)
		if err != nil {
			return nil, err
		}
		if f.Events = append(f.Events, events...); len(events) == 0 {
			break
		}
		after = events[len(events)-1].Cursor
	}
	for after := int64(0); ; {
		changes, err := st.Changes(ctx, company, after, 1000)
		if err != nil {
			return nil, err
		}
		if f.Changes = append(f.Changes, changes...); len(changes) == 0 {
			break
		}
		after = changes[len(changes)-1].Revision
	}
	f.Revision, err = st.Revision(ctx, company)
	return f, err
}

// every reads a list to its end.
func every[T any](page func(store.Page) (store.List[T], error)) (out []T, err error) {
	for p := (store.Page{Limit: store.MaxLimit}); ; {
		l, err := page(p)
		if err != nil {
			return nil, err
		}
		if out, p.Cursor = append(out, l.Data...), l.NextCursor; !l.HasMore {
			return out, nil
		}
	}
}
