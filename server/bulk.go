package server

import (
	"context"
	"errors"
	"maps"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/runtime"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// bulkSchemas are what POST /v1/content/bulk takes. Items are looked at one by one,
// so that one that is wrong does not stop the others, and a large body is not held
// several times over.
type bulkSchemas struct {
	frame *openapi3.Schema // with any items
	item  *openapi3.Schema
}

func newBulkSchemas(doc *openapi3.T) bulkSchemas {
	whole := doc.Components.Schemas["BulkRequest"].Value
	frame, items := *whole, *whole.Properties["items"].Value
	item := items.Items.Value
	items.Items = nil
	frame.Properties = openapi3.Schemas{}
	maps.Copy(frame.Properties, whole.Properties)
	frame.Properties["items"] = items.NewRef()
	return bulkSchemas{&frame, item}
}

// A bulk is the body of POST /v1/content/bulk.
type bulk struct {
	api.BulkRequest
	docs []knowledge.Document // the items that can be read
	at   []int                // where each document stands in the request
	errs []error              // of each item: why it cannot be read
}

// CreateContentBulk serves POST /v1/content/bulk. Its body is read from the call.
func (h *handlers) CreateContentBulk(ctx context.Context, _ api.CreateContentBulkRequestObject) (api.CreateContentBulkResponseObject, error) {
	c := callOf(ctx)
	b, err := h.readBulk(ctx, c)
	if err != nil {
		return nil, err
	}
	out := api.BulkResult{Results: make([]api.BulkItemResult, len(b.errs))}
	for i, err := range b.errs {
		if err != nil {
			out.Results[i] = refused(c, i, err)
		}
	}
	done, err := h.putBulk(ctx, c, b)
	if e, ok := errors.AsType[*knowledge.ItemError](err); ok {
		return nil, inItem(&knowledge.ItemError{Index: b.at[e.Index], Err: inContent(e.Err)}, true)
	}
	if err != nil {
		return nil, err
	}
	for i, in := range done {
		if in.Err != nil {
			out.Results[b.at[i]] = refused(c, b.at[i], inContent(in.Err))
			continue
		}
		out.Results[b.at[i]] = api.BulkItemResult{Index: int32(b.at[i]), Status: string(in.Status), ID: in.Document.ID}
	}
	count(&out)
	if out.KnowledgeRevision, err = c.company.Knowledge().Revision(ctx); err != nil {
		return nil, err
	}
	return api.CreateContentBulk200JSONResponse(out), nil
}

// putBulk stores the documents of a bulk, or says what the same request stored
// before.
func (h *handlers) putBulk(ctx context.Context, c *call, b *bulk) ([]knowledge.Ingested, error) {
	company := c.company
	if result, ok := c.made(); ok {
		company = company.By(store.Request{Receipt: &store.Receipt{Result: result, Done: true}})
	}
	done, err := company.Knowledge().Bulk(ctx, b.docs, &knowledge.BulkOptions{Atomic: value(b.Atomic), DryRun: value(b.DryRun)})
	c.goesOn = err != nil && len(done) > 0 // what is stored is accounted for: a repetition goes on from there
	if value(b.DryRun) {
		h.release(ctx, c, nil) // nothing was done that a repetition could do twice
	}
	return done, err
}

// refused is an item that could not be taken.
func refused(c *call, index int, err error) api.BulkItemResult {
	return api.BulkItemResult{Index: int32(index), Status: "failed", Error: problemOf(err).body(c.id)}
}

// count counts what became of the items.
func count(out *api.BulkResult) {
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
}

// readBulk reads the body of a call, which is let go: of a large one there is then
// one copy. The call keeps what was read, in case it is served once more.
func (h *handlers) readBulk(ctx context.Context, c *call) (*bulk, error) {
	if b, ok := c.value.(*bulk); ok {
		return b, nil
	}
	b := &bulk{}
	items, err := h.bulk.readFrame(c.body, &b.BulkRequest)
	if err != nil {
		return nil, err
	}
	if b.AgentID, err = c.agentID(ctx, b.AgentID); err != nil {
		return nil, err
	}
	b.errs = make([]error, len(items))
	for i, raw := range items {
		d, err := h.bulk.readItem(b.AgentID, raw)
		switch {
		case err == nil:
			b.docs, b.at = append(b.docs, d), append(b.at, i)
		case value(b.Atomic):
			return nil, inItem(&knowledge.ItemError{Index: i, Err: err}, true)
		default:
			b.errs[i] = err
		}
	}
	c.body, c.value = nil, b
	return b, nil
}

// readFrame reads a bulk but for its items, which it returns as they are written.
func (s bulkSchemas) readFrame(body []byte, into *api.BulkRequest) (items [][]byte, err error) {
	if p := checkJSON(body); p != nil {
		return nil, p
	}
	if body[spaces(body, 0)] != '{' {
		return nil, wrong("body", "must be an object")
	}
	frame := map[string]any{}
	for name, raw := range members(body) {
		if name == "items" && raw[0] == '[' {
			for item := range elements(raw) {
				if items = append(items, item); uint64(len(items)) > *s.frame.Properties[name].Value.MaxItems {
					break // which the frame says
				}
			}
			frame[name] = make([]any, len(items))
			continue
		}
		if frame[name], err = parse(raw); err != nil {
			return nil, err
		}
	}
	if err := compare(frame, s.frame); err != nil {
		return nil, err
	}
	delete(frame, "items")
	return items, runtime.BindJSONValue(frame, into)
}

// readItem reads one item of a bulk.
func (s bulkSchemas) readItem(agentID string, raw []byte) (knowledge.Document, error) {
	v, err := read(raw, s.item)
	if err != nil {
		return knowledge.Document{}, err
	}
	var item api.BulkItem
	if err := runtime.BindJSONValue(v, &item); err != nil {
		return knowledge.Document{}, wrong("content", "cannot be read")
	}
	return contentDocument(agentID, item)
}
