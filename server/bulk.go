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
	schemas bulkSchemas
	items   []piece // without data once stored
}

// document returns an item that is not stored yet.
func (b *bulk) document(i int) (knowledge.Document, error) {
	if b.items[i].data == nil {
		return knowledge.Document{}, nil // what became of it is known
	}
	return b.schemas.readItem(b.AgentID, b.items[i].raw())
}

// CreateContentBulk serves POST /v1/content/bulk. Its body is read from the call.
func (h *handlers) CreateContentBulk(ctx context.Context, _ api.CreateContentBulkRequestObject) (api.CreateContentBulkResponseObject, error) {
	c := callOf(ctx)
	b, err := h.readBulk(ctx, c)
	if err != nil {
		return nil, err
	}
	out := api.BulkResult{Results: make([]api.BulkItemResult, 0, len(b.items))}
	err = h.putBulk(ctx, c, b, &out)
	if errors.Is(err, knowledge.ErrRunEnded) {
		return nil, &problem{code: conflict, message: "the run of the bulk was cancelled: nothing of it is stored"}
	}
	if e, ok := errors.AsType[*knowledge.ItemError](err); ok {
		return nil, inItem(&knowledge.ItemError{Index: e.Index, Err: inContent(e.Err)}, true)
	}
	if err != nil {
		return nil, err
	}
	count(&out)
	if out.KnowledgeRevision, err = c.company.Knowledge().Revision(ctx); err != nil {
		return nil, err
	}
	return api.CreateContentBulk200JSONResponse(out), nil
}

// putBulk stores the items of a bulk, or says what the same request stored before.
// An item is let go as soon as it is stored.
func (h *handlers) putBulk(ctx context.Context, c *call, b *bulk, out *api.BulkResult) (err error) {
	company, dry := c.company, value(b.DryRun)
	if result, ok := c.made(); ok {
		company = company.By(store.Request{Receipt: &store.Receipt{Result: result, Done: true}})
	}
	var in knowledge.Ingested
	for in, err = range company.Knowledge().BulkOf(ctx, len(b.items), b.document, &knowledge.BulkOptions{Atomic: value(b.Atomic), DryRun: dry}) {
		i := len(out.Results)
		switch {
		case err != nil:
		case in.Err != nil:
			out.Results = append(out.Results, refused(c, i, inContent(in.Err)))
		default:
			out.Results = append(out.Results, api.BulkItemResult{Index: int32(i), Status: string(in.Status), ID: in.Document.ID})
			if !dry {
				b.items[i] = piece{}
			}
		}
	}
	c.goesOn = err != nil && len(out.Results) > 0 // what is stored is accounted for: a repetition goes on from there
	if dry {
		h.release(ctx, c, nil) // nothing was done that a repetition could do twice
	}
	return err
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

// readBulk reads the body of a call, all but its items. The call keeps what was
// read, in case it is served once more.
func (h *handlers) readBulk(ctx context.Context, c *call) (*bulk, error) {
	if b, ok := c.value.(*bulk); ok {
		return b, nil
	}
	b := &bulk{schemas: h.bulk}
	var err error
	if b.items, err = h.bulk.readFrame(&c.pieces, &b.BulkRequest); err != nil {
		return nil, err
	}
	if b.AgentID, err = c.agentID(ctx, b.AgentID); err != nil {
		return nil, err
	}
	c.pieces, c.value = pieces{}, b
	return b, nil
}

// readFrame reads a bulk but for its items, which it returns.
func (s bulkSchemas) readFrame(body *pieces, into *api.BulkRequest) (items []piece, err error) {
	if p := body.check(); p != nil {
		return nil, p
	}
	if body.frame[spaces(body.frame, 0)] != '{' {
		return nil, wrong("body", "must be an object")
	}
	frame := map[string]any{}
	for name, raw := range members(body.frame) {
		if name == "items" && raw[0] == '[' {
			items = body.elements(raw, s.mostItems())
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

// mostItems is one more than a bulk may have: enough for the frame to say so.
func (s bulkSchemas) mostItems() int { return int(*s.frame.Properties["items"].Value.MaxItems) + 1 }

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
