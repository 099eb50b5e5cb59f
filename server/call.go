package server

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
)

// A call is a request on its way through the server.
type call struct {
	op          *operation
	id          string // of the request
	principal   access.Principal
	company     *answerdesk.Company // the caller's, with its steps put down to this request
	header      http.Header         // of the answer
	root        string              // the path of the API, as callers see it
	accept      string
	notModified string // the tags of what the caller has

	body   []byte  // whole; nil if the operation takes none, or takes a form or a bulk
	upload *upload // the form, if the operation takes one
	pieces pieces  // the bulk, if the operation takes one
	value  any     // what the body says, if the operation has a schema for it
	err    error   // what the operation ended with, if it has not answered

	hash     []byte // of the body, if the request may be repeated
	claimed  *store.Receipt
	replayed bool   // the answer is to be that of result
	result   string // of the same request, made before
	goesOn   bool   // what was begun goes on without this request, and the receipt names it
}

type callKey struct{}

// callOf returns the call that an operation serves.
func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// request is what the steps of the call are put down to.
func (c *call) request() store.Request {
	return store.Request{Actor: c.principal.ID, Receipt: c.claimed}
}

// made returns the id of what the same request made before, if it did.
func (c *call) made() (string, bool) { return c.result, c.replayed }

// created tells where the new thing is.
func (c *call) created(path, id string) { c.header.Set("Location", c.root+path+id) }

// object returns an object of the body as it was sent, with all digits of its numbers:
// in the generated code's value they are a float64.
func (c *call) object(name string) map[string]any {
	body, _ := c.value.(map[string]any)
	object, _ := body[name].(map[string]any)
	return object
}

// rewind gives the body back to the request, to be read from its beginning.
func (c *call) rewind(r *http.Request) {
	switch {
	case c.op.id == bulkID:
		r.Body, r.ContentLength = validated{http.NoBody, map[string]any{}}, 0 // see readBulk
	case len(c.body) == 0:
		r.Body, r.ContentLength = http.NoBody, 0
	default:
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(c.body)), int64(len(c.body))
		if c.op.schema != nil {
			r.Body = validated{r.Body, c.value}
		}
	}
}
