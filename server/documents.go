package server

import (
	"context"
	"errors"

	"github.com/oapi-codegen/nullable"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// put stores documents, or finds those that the same request stored before.
func put(ctx context.Context, docs ...knowledge.Document) ([]knowledge.WrittenDocument, error) {
	c := callOf(ctx)
	result, ok := c.made()
	if !ok {
		return c.company.Knowledge().PutAll(ctx, docs...)
	}
	made, err := knowledge.ParseResult(result)
	out := make([]knowledge.WrittenDocument, len(made))
	for i, m := range made {
		if err == nil {
			out[i].Status = m.Status
			out[i].Document, err = c.company.Knowledge().Get(ctx, m.DocumentID)
		}
	}
	return out, err
}

// ofKind returns a document if it is of a kind: to others it is not there.
func ofKind(ctx context.Context, kind knowledge.Kind, name, id string) (knowledge.Document, error) {
	d, err := callOf(ctx).company.Knowledge().Get(ctx, id)
	if err == nil && d.Kind != kind {
		err = store.NotFound(name, clip(id))
	}
	return d, renamed(err, name)
}

// renamed calls a document that is not there what the route calls it.
func renamed(err error, name string) error {
	if e, ok := errors.AsType[*store.NotFoundError](err); ok && e.Kind == "document" {
		return store.NotFound(name, e.ID)
	}
	return err
}

// ListDocuments serves GET /v1/knowledge/documents.
func (h *handlers) ListDocuments(ctx context.Context, r api.ListDocumentsRequestObject) (api.ListDocumentsResponseObject, error) {
	c := callOf(ctx)
	sourceID, err := c.sourceID(ctx, value(r.Params.SourceID))
	if err != nil {
		return nil, err
	}
	f := knowledge.Filter{Kind: knowledge.Kind(value(r.Params.Kind)), SourceID: sourceID, ExternalID: value(r.Params.ExternalID)}
	l, err := c.documents(ctx, f, r.Params.AgentID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, documentShape)
	return api.ListDocuments200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// documents lists the documents that a filter chooses, of an agent only if one is
// named.
func (c *call) documents(ctx context.Context, f knowledge.Filter, agent *api.AgentID, p store.Page) (store.List[knowledge.Document], error) {
	var err error
	if f.AgentID, err = c.agentID(ctx, value(agent)); err != nil {
		return store.List[knowledge.Document]{}, err
	}
	return c.company.Knowledge().List(ctx, f, p)
}

// CreateDocument serves POST /v1/knowledge/documents.
func (h *handlers) CreateDocument(ctx context.Context, r api.CreateDocumentRequestObject) (api.CreateDocumentResponseObject, error) {
	b := r.Body
	out, err := put(ctx, knowledge.Document{
		AgentID: b.AgentID, Title: b.Title, Text: b.Text, Format: knowledge.Format(b.Format), URL: b.URL, ExternalID: b.ExternalID, Metadata: b.Metadata,
	})
	if err != nil {
		return nil, err
	}
	d := callOf(ctx).wrote("/v1/knowledge/documents/", out[0])
	if out[0].Status == knowledge.Created {
		return api.CreateDocument201JSONResponse(documentShape(d)), nil
	}
	return api.CreateDocument200JSONResponse(documentShape(d)), nil
}

// wrote tells where a document is that was written, and its state.
func (c *call) wrote(path string, d knowledge.WrittenDocument) knowledge.Document {
	c.header.Set("ETag", documentTag(d.UpdatedAt))
	c.created(path, d.ID)
	return d.Document
}

// GetDocument serves GET /v1/knowledge/documents/{id}.
func (h *handlers) GetDocument(ctx context.Context, r api.GetDocumentRequestObject) (api.GetDocumentResponseObject, error) {
	d, err := whole(ctx, r.ID)
	return api.GetDocument200JSONResponse(documentShape(d)), err
}

// whole returns a document with its text.
func whole(ctx context.Context, id string) (knowledge.Document, error) {
	c := callOf(ctx)
	for {
		d, err := c.company.Knowledge().Get(ctx, id)
		if err != nil {
			return d, err
		}
		if d.Text, err = c.company.Knowledge().Text(ctx, d.ID, 0); err != nil {
			return d, err
		}
		again, err := c.company.Knowledge().Get(ctx, id)
		if err != nil || again.Version == d.Version {
			c.header.Set("ETag", documentTag(d.UpdatedAt))
			return d, err
		}
	}
}

// UpdateDocument serves PATCH /v1/knowledge/documents/{id}.
func (h *handlers) UpdateDocument(ctx context.Context, r api.UpdateDocumentRequestObject) (api.UpdateDocumentResponseObject, error) {
	b := r.Body
	patch := knowledge.Patch{Title: reset(b.Title), URL: reset(b.URL), Text: b.Text}
	if b.Format != "" {
		patch.Format = new(knowledge.Format(b.Format))
	}
	d, err := callOf(ctx).patch(ctx, r.ID, patch, b.Metadata, r.Params.IfMatch)
	return api.UpdateDocument200JSONResponse(documentShape(d)), err
}

// patch changes a document whose ETag is still the one given.
func (c *call) patch(ctx context.Context, id string, p knowledge.Patch, metadata nullable.Nullable[api.MetadataInput], match *string) (knowledge.Document, error) {
	updated, err := ifUpdated(match)
	if err != nil {
		return knowledge.Document{}, err
	}
	p.IfUpdated = updated
	if metadata.IsNull() { // all of it goes
		d, err := c.company.Knowledge().Get(ctx, id)
		if err != nil {
			return d, err
		}
		p.Metadata = map[string]any{}
		for name := range d.Metadata {
			p.Metadata[name] = nil
		}
	} else if metadata.IsSpecified() {
		p.Metadata = metadata.MustGet()
	}
	d, err := c.company.Knowledge().Patch(ctx, id, p)
	c.header.Set("ETag", documentTag(d.UpdatedAt))
	return d, err
}

// DeleteDocument serves DELETE /v1/knowledge/documents/{id}.
func (h *handlers) DeleteDocument(ctx context.Context, r api.DeleteDocumentRequestObject) (api.DeleteDocumentResponseObject, error) {
	out, err := callOf(ctx).company.Knowledge().Delete(ctx, r.ID)
	return api.DeleteDocument200JSONResponse(deletionShape(out)), err
}

// SearchKnowledge serves POST /v1/knowledge/search.
func (h *handlers) SearchKnowledge(ctx context.Context, r api.SearchKnowledgeRequestObject) (api.SearchKnowledgeResponseObject, error) {
	c := callOf(ctx)
	query := knowledge.Query{Text: r.Body.Query, Filter: r.Body.Filter, Limit: int(value(r.Body.Limit)), MinRevision: r.Body.MinRevision, Explain: value(r.Body.Explain)}
	if query.Limit == 0 {
		query.Limit = 10
	}
	if r.Body.AgentID != "" {
		a, err := c.company.Agents().Get(ctx, r.Body.AgentID)
		if err != nil {
			return nil, err
		}
		query.AgentID = a.ID
		if query.Languages, err = c.company.Agents().Languages(ctx, a); err != nil {
			return nil, err
		}
	}
	found, err := c.company.Knowledge().Search(ctx, query)
	return api.SearchKnowledge200JSONResponse(searchShape(found)), err
}
