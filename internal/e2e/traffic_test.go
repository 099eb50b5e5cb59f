package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/api"
)

const (
	attemptTime = 4 * time.Second  // that a caller waits for a server before it asks the other
	patience    = 30 * time.Second // within which service is back when the last fault is over
	bulkSize    = 300              // pieces of a large bulk: more than are stored in one step
	pieces      = 50               // number, after its caller's first, of the first document that is put by bulk
)

// Traffic is callers who use the servers of one store at the same time, and note
// what comes of it.
type traffic struct {
	seed    uint64
	shared  string               // the id of a conversation that all of them speak in
	clients []*client.Client     // one a server
	now     func() time.Duration // since the round began
	callers int
	unaware bool // they ask for no revision at least
	history *history
	ops     atomic.Int64
	marks   atomic.Int64
}

// run has callers do what they want until ctx ends, and to the end what they are
// at then.
func (tr *traffic) run(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range tr.callers {
		c := &trafficCaller{traffic: tr, name: fmt.Sprint("caller", i), first: 100 * (i + 1), rand: rand.New(rand.NewPCG(tr.seed, uint64(i))), docs: map[string]string{}}
		wg.Go(func() {
			for ctx.Err() == nil {
				c.do(c.want())
			}
		})
	}
	wg.Wait()
}

// look has one caller look at every document there is or was, at each server.
func (tr *traffic) look() {
	c := &trafficCaller{traffic: tr, name: "look", rand: rand.New(rand.NewPCG(tr.seed, 99))}
	var keys []string
	for _, o := range tr.history.Ops {
		if o.writes() && len(o.Keys) < bulkSize {
			keys = append(keys, o.Keys...)
		}
	}
	slices.Sort(keys)
	for i, key := range slices.Compact(keys) {
		o := c.op(opSearch, key)
		o.prefer = i % len(tr.clients)
		c.do(o)
	}
	for server := range tr.clients {
		for _, of := range []wanted{c.op(opAsk, documentKey(0)), c.op(opPut, fmt.Sprint("lone", 900+server)), c.op(opRead)} {
			of.prefer = server
			of.Target = tr.shared
			c.do(of)
		}
	}
}

// A trafficCaller wants one thing at a time.
type trafficCaller struct {
	*traffic
	name  string
	first int // number of its first document; nobody else writes those
	rand  *rand.Rand
	docs  map[string]string // ids of its documents, by key
	seen  int64             // the latest revision that a server told it
}

// A wanted is an op that is to be done.
type wanted struct {
	*op
	prefer int // the server to ask first
}

// op returns an op.
func (c *trafficCaller) op(do string, keys ...string) wanted {
	o := &op{N: int(c.ops.Add(1)), Caller: c.name, Do: do, Keys: keys}
	if do == opPut || do == opBulk {
		for range keys {
			o.Marks = append(o.Marks, int(c.marks.Add(1)))
		}
	}
	return wanted{o, c.rand.IntN(len(c.clients))}
}

// want makes up an op.
func (c *trafficCaller) want() wanted {
	r := c.rand
	own := documentKey(c.first + r.IntN(6))
	piece := documentKey(c.first + pieces + r.IntN(4))
	anyone := documentKey(100*(1+r.IntN(c.callers)) + []int{0, pieces}[r.IntN(2)] + r.IntN(6))
	lone := func() string { return fmt.Sprint("lone", c.ops.Load(), "of", c.name) } // without an external id
	switch n := r.IntN(100); {
	case n < 15:
		return c.op(opAsk, anyone)
	case n < 30:
		return c.op(opStream, anyone)
	case n < 45:
		return c.op(opPut, own)
	case n < 50:
		return c.op(opPut, lone())
	case n < 60:
		keys := []string{lone()}
		for i := range 1 + r.IntN(4) {
			keys = append(keys, documentKey(c.first+pieces+i))
		}
		if r.IntN(12) == 0 {
			for i := range bulkSize {
				keys = append(keys, fmt.Sprint(keys[0], "x", i))
			}
		}
		return c.op(opBulk, keys...)
	case n < 66 && c.docs[own] != "":
		return c.delete(own)
	case n < 70 && c.docs[piece] != "":
		return c.delete(piece)
	case n < 90:
		return c.op(opSearch, anyone)
	case n < 95:
		return c.op(opList, anyone)
	}
	o := c.op(opRead)
	o.Target = c.shared
	return o
}

// delete returns the delete of a document that is there.
func (c *trafficCaller) delete(key string) wanted {
	o := c.op(opDelete, key)
	o.Target = c.docs[key]
	return o
}

// do does what is wanted, with another server each time that one fails, until it
// is acknowledged or refused for good, or service is not back in time.
func (c *trafficCaller) do(w wanted) {
	o := w.op
	if o.asks() && c.rand.IntN(3) == 0 {
		o.Talk = c.shared
	}
	if (o.asks() || o.Do == opSearch) && !c.unaware && c.rand.IntN(2) == 0 {
		o.MinRevision = c.seen
	}
	o.Begin = c.now()
	c.history.begin(o)
	for server, failures := w.prefer, 0; ; server++ {
		a := c.attempt(o, server%len(c.clients))
		switch {
		case a.ok():
			o.State = acked
		case a.Code == "turn_failed" || a.Code == "turn_cancelled":
			if failures++; failures > 3 { // it is the answer
				o.State = failed
			}
		case o.Do == opDelete && a.Status == http.StatusNotFound && len(o.Attempts) > 1:
			o.State = acked // by an attempt whose answer was lost
		case !passing(a):
			o.State = refused
		}
		over, quiet := c.history.over()
		if o.End = c.now(); o.State != pending || quiet && o.End-max(over, o.Begin) > patience {
			break
		}
		time.Sleep(time.Duration(10+c.rand.IntN(90)) * time.Millisecond) // as callers do who are told to try again
	}
	if o.Do == opDelete && o.State == acked {
		delete(c.docs, o.Keys[0])
	}
	if a := o.first(); a != nil {
		c.learn(o, a)
	}
	if o.State == acked && o.repeatable() && c.rand.IntN(8) == 0 {
		c.attempt(o, c.rand.IntN(len(c.clients)))
	}
}

// learn notes what later ops depend on.
func (c *trafficCaller) learn(o *op, a *attempt) {
	c.seen = max(c.seen, a.Revision)
	for i, id := range a.IDs {
		if o.writes() && i < len(o.Keys) && c.docs != nil {
			c.docs[o.Keys[i]] = id
		}
	}
}

// passing reports whether a failure is one that time or another server mends.
func passing(a *attempt) bool {
	again := []string{"turn_in_progress", "server_draining", "store_unavailable"} // also within a stream, whose status is 200
	return a.Err != "" || slices.Contains(again, a.Code) || slices.Contains([]int{429, 500, 502, 503, 504}, a.Status)
}

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
