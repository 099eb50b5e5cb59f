package e2e

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server"
	"github.com/answerdesk-go/answerdesk/store"
)

// unsure is a store that may take a step and not learn that it has, as when the
// connection to its server breaks at that moment.
type unsure struct {
	answerdesk.Store
	loses atomic.Int64 // the outcome of which step from now on, from 1; 0: of none
}

// lose returns what a step returned, or that nobody knows.
func (u *unsure) lose(err error) error {
	if err == nil && u.loses.Add(-1) == 0 {
		return store.ErrUnavailable
	}
	return err
}

func (u *unsure) WriteDocuments(ctx context.Context, c store.Commit, w []knowledge.Write) (knowledge.Written, error) {
	out, err := u.Store.WriteDocuments(ctx, c, w)
	return out, u.lose(err)
}

func (u *unsure) BeginTurn(ctx context.Context, c store.Commit, b agent.Begin) (agent.Turn, error) {
	out, err := u.Store.BeginTurn(ctx, c, b)
	return out, u.lose(err)
}

func (u *unsure) EndTurn(ctx context.Context, c store.Commit, t agent.TurnRef, e agent.End) error {
	return u.lose(u.Store.EndTurn(ctx, c, t, e))
}

// A request whose step was taken, and that was answered with an error because
// nobody learned so, is not done twice when it is made again.
func TestStepsWithoutAnAnswerAreNotRepeated(t *testing.T) {
	place := newPlace(t)
	opened, err := openStore(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	db, err := raw(place)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	st := &unsure{Store: opened}
	desk, err := answerdesk.New(t.Context(), st, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	c := server.Client(desk, access.Principal{ID: "test", Company: desk.ID(), Scope: access.ScopeFull, Plan: access.PlanUnlimited}, client.WithMaxRetries(0))
	items := make([]api.BulkItem, bulkSize)
	for i := range items {
		items[i].Content = Text(documentKey(i), i)
	}
	documents, messages := 0, 0
	for _, call := range []struct {
		name                string
		documents, messages int
		step                int64 // that is lost; 0 means the first
		do                  func(client.Option) error
	}{
		{"a document", 1, 0, 0, func(o client.Option) error {
			_, err := c.Knowledge.Documents.Create(t.Context(), api.DocumentRequest{Text: "We open at nine."}, o)
			return err
		}},
		{"a bulk", bulkSize, 0, 0, func(o client.Option) error {
			_, err := c.Content.Bulk(t.Context(), api.BulkRequest{Items: items}, o)
			return err
		}},
		{"a message", 0, 2, 0, func(o client.Option) error {
			_, err := c.Messages.Create(t.Context(), api.MessageRequest{Message: "When do you open?"}, o)
			return err
		}},
		{"the second step of a bulk", bulkSize, 0, 2, func(o client.Option) error {
			_, err := c.Content.Bulk(t.Context(), api.BulkRequest{Items: items}, o)
			return err
		}},
		{"the end of a message", 0, 2, 2, func(o client.Option) error {
			_, err := c.Messages.Create(t.Context(), api.MessageRequest{Message: "When do you open?"}, o)
			return err
		}},
		{"a streamed message", 0, 2, 0, func(o client.Option) error {
			_, err := streamed(c.Messages.Stream(t.Context(), api.MessageRequest{Message: "When do you open?"}, o))
			return err
		}},
	} {
		t.Run(call.name, func(t *testing.T) {
			documents, messages = documents+call.documents, messages+call.messages
			st.loses.Store(max(call.step, 1))
			key := client.WithIdempotencyKey(strings.ReplaceAll(call.name, " ", "-"))
			if err := call.do(key); err != nil && !errors.Is(err, client.ErrServer) {
				t.Errorf("the first answer is %v, want one, or that the store is not there", err)
			}
			lapse(t, db)
			if _, err := db.ExecContext(t.Context(), `UPDATE receipts SET lease_until = 1 WHERE lease_until > 1`); err != nil {
				t.Fatal(err)
			}
			if err := call.do(key); err != nil {
				t.Errorf("made again: %v", err)
			}
			f, err := readFinal(t.Context(), st, db, desk.ID())
			if err != nil {
				t.Fatal(err)
			}
			said := 0
			for _, talk := range f.Talks {
				said += len(talk.Messages)
			}
			if len(f.Documents) != documents || said != messages {
				t.Errorf("there are %d documents and %d messages, want %d and %d", len(f.Documents), said, documents, messages)
			}
		})
	}
}
