package server

import (
	"context"
	"net/http"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/store"
)

// A call is a request on its way through the server.
type call struct {
	op        *operation
	id        string // of the request
	principal access.Principal
	company   *answerdesk.Company // the caller's, with its steps put down to this request
	header    http.Header         // of the answer
	accept    string

	body     []byte // whole; nil if the operation takes none
	claimed  *store.Receipt
	replayed bool   // the answer is to be that of result
	result   string // of the same request, made before
	err      error  // what the operation ended with, if it has not answered
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
