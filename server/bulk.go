package server

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// maxItems is how many items a bulk may have.
const maxItems = 1000

// A bulk is the body of POST /v1/content/bulk, with items that are looked at one by
// one, so that one that is wrong does not stop the others, and a large body is
// read without being held several times over.
type bulk struct {
	AgentID string            `json:"agent_id"`
	Items   []json.RawMessage `json:"items"`
	Atomic  bool              `json:"atomic"`
	DryRun  bool              `json:"dry_run"`
}

// CreateContentBulk serves POST /v1/content/bulk. The body is read from the call: see
// [bulk].
func (h *handlers) CreateContentBulk(ctx context.Context, _ api.CreateContentBulkRequestObject) (api.CreateContentBulkResponseObject, error) {
	select {
	case h.bulks <- struct{}{}:
		defer func() { <-h.bulks }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	c := callOf(ctx)
	b, err := h.readBulk(c.body)
	if err != nil {
		return nil, err
	}
	docs := make([]knowledge.Document, 0, len(b.Items))
	at := make([]int, 0, len(b.Items)) // where each document stands in the request
	out := api.BulkResult{Results: make([]api.BulkItemResult, len(b.Items))}
	for i, raw := range b.Items {
		d, err := h.readItem(b.AgentID, raw)
		if err == nil {
			docs, at = append(docs, d), append(at, i)
			continue
		}
		if b.Atomic {
			return nil, inItem(&knowledge.ItemError{Index: i, Err: err}, true)
		}
		out.Results[i] = refused(c, i, err)
	}
	company := c.company
	if result, ok := c.made(); ok {
		company = company.By(store.Request{Receipt: &store.Receipt{Result: result, Done: true}})
	}
	done, err := company.Knowledge().Bulk(ctx, docs, &knowledge.BulkOptions{Atomic: b.Atomic, DryRun: b.DryRun})
	switch {
	case err != nil && len(done) > 0:
		c.claimed = nil // what is stored is accounted for: the claim lapses, and a repetition goes on from there
	case b.DryRun:
		h.release(ctx, c) // nothing was done that a repetition could do twice
	}
	if err != nil {
		if e, ok := err.(*knowledge.ItemError); ok {
			err = inItem(&knowledge.ItemError{Index: at[e.Index], Err: inContent(e.Err)}, true)
		}
		return nil, err
	}
	for i, in := range done {
		r := api.BulkItemResult{Index: int32(at[i]), Status: string(in.Status), ID: in.Document.ID}
		if in.Err != nil {
			r = refused(c, at[i], inContent(in.Err))
		}
		out.Results[at[i]] = r
	}
	for _, r := range out.Results {
		switch r.Status {
		case string(knowledge.Created):
			out.Created++
		case string(knowledge.Updated):
			out.Updated++
		case string(knowledge.Unchanged):
			out.Unchanged++
		default:
			out.Failed++
		}
	}
	if out.KnowledgeRevision, err = c.company.Knowledge().Revision(ctx); err != nil {
		return nil, err
	}
	return api.CreateContentBulk200JSONResponse(out), nil
}

// refused is an item that could not be taken.
func refused(c *call, index int, err error) api.BulkItemResult {
	return api.BulkItemResult{Index: int32(index), Status: "failed", Error: problemOf(err).body(c.id)}
}

// readBulk reads the frame of a bulk.
func (h *handlers) readBulk(body []byte) (bulk, error) {
	var b bulk
	if p := checkJSON(body); p != nil {
		return b, p
	}
	var frame map[string]json.RawMessage
	if json.Unmarshal(body, &frame) != nil {
		return b, wrong("body", "must be an object")
	}
	for name := range frame {
		if _, ok := h.bulkSchema().Properties[name]; !ok {
			return b, wrong(clip(name), "is not a field of this request")
		}
	}
	switch err := json.Unmarshal(body, &b); {
	case err != nil:
		field := "body"
		if e, ok := err.(*json.UnmarshalTypeError); ok && e.Field != "" {
			field = e.Field
		}
		return b, wrong(field, "is not of the right type")
	case len(b.Items) == 0:
		return b, wrong("items", "must have at least one item")
	case len(b.Items) > maxItems:
		return b, wrong("items", "%d are more than the %d of one request: send them in parts", len(b.Items), maxItems)
	}
	return b, nil
}

// readItem reads one item of a bulk.
func (h *handlers) readItem(agentID string, raw json.RawMessage) (knowledge.Document, error) {
	var any any
	if err := json.Unmarshal(raw, &any); err != nil {
		return knowledge.Document{}, wrong("content", "cannot be read")
	}
	if err := h.bulkSchema().Properties["items"].Value.Items.Value.VisitJSON(any, openapi3.VisitAsRequest()); err != nil {
		return knowledge.Document{}, wrong(fieldOf(err), "%s", reasonOf(err))
	}
	var item api.BulkItem
	if err := json.Unmarshal(raw, &item); err != nil {
		return knowledge.Document{}, wrong("content", "cannot be read")
	}
	return contentDocument(agentID, item)
}

// bulkSchema is the schema of the body.
func (h *handlers) bulkSchema() *openapi3.Schema {
	return h.doc.Components.Schemas["BulkRequest"].Value
}

// largeBody lets the generated handler of a bulk read nothing: its body is read
// piece by piece.
func largeBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rewind(r, []byte("{}"))
		next.ServeHTTP(w, r)
	})
}
