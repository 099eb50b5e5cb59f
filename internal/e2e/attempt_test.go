package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// attempt makes one request, and notes what came of it.
func (c *trafficCaller) attempt(o *op, server int) *attempt {
	ctx, cancel := context.WithTimeout(context.Background(), attemptTime)
	defer cancel()
	a := &attempt{Server: server, Start: c.now()}
	o.Attempts = append(o.Attempts, a)
	var resp *http.Response
	opts := []client.Option{client.WithResponse(&resp)}
	if o.repeatable() {
		opts = append(opts, client.WithIdempotencyKey(fmt.Sprintf("%d-%d", c.seed, o.N)))
	}
	err := send(ctx, c, o, a, opts)
	a.End = c.now()
	if resp != nil {
		a.Replayed = resp.Header.Get("Idempotent-Replayed") == "true"
		if n, err := strconv.ParseInt(resp.Header.Get("X-Knowledge-Revision"), 10, 64); err == nil {
			a.Revision = n
		}
	}
	if err == nil {
		return a
	}
	if e, ok := errors.AsType[*client.Error](err); ok && e.Code != "" {
		a.Status, a.Code, a.Message = e.StatusCode, e.Code, e.Message
		return a
	}
	a.Err, a.Timeout = err.Error(), ctx.Err() != nil
	return a
}

// send makes the request of an op.
func send(ctx context.Context, c *trafficCaller, o *op, a *attempt, opts []client.Option) (err error) {
	to := c.clients[a.Server]
	var answer any
	switch o.Do {
	case opAsk, opStream:
		m := api.MessageRequest{Message: question(o.Keys[0]), Metadata: api.MetadataInput{"op": o.N}, ConversationID: o.Talk, MinRevision: o.MinRevision}
		if o.Talk == "" {
			m.User.ID = o.Caller
		}
		if o.Do == opAsk {
			a.Reply, err = to.Messages.Create(ctx, m, opts...)
		} else {
			a.Reply, err = streamed(to.Messages.Stream(ctx, m, opts...))
		}
		answer = a.Reply
	case opPut:
		var d *api.Document
		d, err = to.Knowledge.Documents.Create(ctx, api.DocumentRequest{Title: "About " + o.Keys[0], Text: Text(o.Keys[0], o.Marks[0]), ExternalID: externalID(o.Keys[0])}, opts...)
		if err == nil {
			a.IDs = []string{d.ID}
		}
	case opBulk:
		err = bulk(ctx, to, o, a, opts)
	case opDelete:
		var d *api.DeletionReceipt
		if isPiece(o.Keys[0]) {
			d, err = to.Content.Delete(ctx, o.Target, opts...)
		} else {
			d, err = to.Knowledge.Documents.Delete(ctx, o.Target, opts...)
		}
		if err == nil {
			a.Revision = d.KnowledgeRevision
		}
	case opSearch:
		var found *api.SearchResults
		if found, err = to.Knowledge.Search(ctx, api.SearchRequest{Query: question(o.Keys[0]), MinRevision: o.MinRevision}, opts...); err == nil {
			answer, a.Revision = found.Data, found.KnowledgeRevision
		}
	case opList:
		var l *api.DocumentList
		if l, err = to.Knowledge.Documents.List(ctx, &api.ListDocumentsParams{ExternalID: &o.Keys[0]}, opts...); err == nil {
			a.Listed = l.Data
		}
	case opRead:
		var l *api.MessageList
		if l, err = to.Conversations.Messages(ctx, o.Target, &api.ListConversationMessagesParams{Limit: new(int32(100))}, opts...); err == nil {
			answer, a.Messages = l.Data, l.Data
		}
	}
	if err == nil && answer != nil {
		b, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		a.Text = string(b)
	}
	return err
}

// bulk writes several documents.
func bulk(ctx context.Context, to *client.Client, o *op, a *attempt, opts []client.Option) error {
	items := make([]api.BulkItem, len(o.Keys))
	for i, key := range o.Keys {
		items[i] = api.BulkItem{Content: Text(key, o.Marks[i]), ExternalID: externalID(key)}
	}
	result, err := to.Content.Bulk(ctx, api.BulkRequest{Items: items}, opts...)
	if err != nil {
		return err
	}
	for _, r := range result.Results {
		a.IDs = append(a.IDs, r.ID)
		if r.Error.Code != "" { // as if it were the whole answer
			a.Status, a.Code, a.Message = http.StatusOK, r.Error.Code, r.Error.Message
		}
	}
	a.Revision = result.KnowledgeRevision
	return nil
}

// streamed reads a stream to its end and returns the reply.
func streamed(events iter.Seq2[api.StreamEvent, error]) (*api.Reply, error) {
	sequence, message := int64(0), ""
	for ev, err := range events {
		if err != nil {
			return nil, err
		}
		if ev.Sequence <= sequence || message != "" && ev.MessageID != message {
			return nil, fmt.Errorf("event %d of reply %s comes after event %d of reply %s", ev.Sequence, ev.MessageID, sequence, message)
		}
		if sequence, message = ev.Sequence, ev.MessageID; ev.Type == "message.completed" {
			return &ev.Reply, nil
		}
	}
	return nil, errors.New("the stream ended without a reply")
}

// isPiece reports whether the document called key is put by bulk, as content.
func isPiece(key string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(key, "gadget"))
	return err == nil && n%100 >= pieces
}

// externalID is the external id of the document called key: none for those that
// are put once.
func externalID(key string) string {
	if strings.HasPrefix(key, "lone") {
		return ""
	}
	return key
}
