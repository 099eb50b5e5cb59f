package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// CreateQAPairs serves POST /v1/knowledge/qa-pairs.
func (h *handlers) CreateQAPairs(ctx context.Context, r api.CreateQAPairsRequestObject) (api.CreateQAPairsResponseObject, error) {
	b := r.Body
	items := b.Items
	single := b.Question != "" || b.Answer != "" || len(b.Alternates) > 0 || b.ExternalID != "" || len(b.Metadata) > 0
	switch {
	case single && len(items) > 0:
		return nil, wrong("items", "stands instead of question and answer: send one of the two")
	case len(items) == 0 && b.Question == "":
		return nil, wrong("question", "is missing: send question and answer, or items")
	case len(items) == 0 && b.Answer == "":
		return nil, wrong("answer", "is missing")
	case single:
		items = []api.QAPairInput{{Question: b.Question, Answer: b.Answer, Alternates: b.Alternates, ExternalID: b.ExternalID, Metadata: b.Metadata}}
	}
	docs := make([]knowledge.Document, len(items))
	for i, item := range items {
		docs[i] = knowledge.Document{
			Kind: knowledge.KindQA, AgentID: b.AgentID, Questions: append([]string{item.Question}, item.Alternates...), Text: item.Answer,
			ExternalID: item.ExternalID, Metadata: item.Metadata,
		}
	}
	out, err := put(ctx, docs...)
	if err != nil {
		return nil, inItem(err, len(b.Items) > 0)
	}
	data := make([]api.QAPair, len(out))
	for i, d := range out {
		data[i] = qaShape(d.Document)
	}
	return api.CreateQAPairs201JSONResponse{Data: data}, nil
}

// inItem names the item of a list that an error is about.
func inItem(err error, list bool) error {
	e, ok := errors.AsType[*knowledge.ItemError](err)
	if !ok || !list {
		return err
	}
	p := problemOf(e.Err)
	if field, ok := p.details["field"].(string); ok {
		return &problem{p.code, fmt.Sprintf("items[%d]: %s", e.Index, p.message), map[string]any{"field": fmt.Sprintf("items[%d].%s", e.Index, field)}}
	}
	return &problem{p.code, fmt.Sprintf("items[%d]: %s", e.Index, p.message), map[string]any{"field": fmt.Sprintf("items[%d]", e.Index)}}
}

// ListQAPairs serves GET /v1/knowledge/qa-pairs.
func (h *handlers) ListQAPairs(ctx context.Context, r api.ListQAPairsRequestObject) (api.ListQAPairsResponseObject, error) {
	l, err := callOf(ctx).documents(ctx, knowledge.KindQA, r.Params.AgentID, r.Params.ExternalID, page(r.Params.Limit, r.Params.Cursor))
	data, next, more, err := listed(l, err, qaShape)
	return api.ListQAPairs200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// GetQAPair serves GET /v1/knowledge/qa-pairs/{id}.
func (h *handlers) GetQAPair(ctx context.Context, r api.GetQAPairRequestObject) (api.GetQAPairResponseObject, error) {
	if _, err := ofKind(ctx, knowledge.KindQA, "qa pair", r.ID); err != nil {
		return nil, err
	}
	d, err := whole(ctx, r.ID)
	return api.GetQAPair200JSONResponse(qaShape(d)), err
}

// UpdateQAPair serves PATCH /v1/knowledge/qa-pairs/{id}.
func (h *handlers) UpdateQAPair(ctx context.Context, r api.UpdateQAPairRequestObject) (api.UpdateQAPairResponseObject, error) {
	there, err := ofKind(ctx, knowledge.KindQA, "qa pair", r.ID)
	if err != nil {
		return nil, err
	}
	b := r.Body
	patch := knowledge.Patch{Text: b.Answer}
	if b.Question != nil || b.Alternates.IsSpecified() {
		questions := append([]string{}, there.Questions...)
		if b.Question != nil {
			questions[0] = *b.Question
		}
		if alternates := reset(b.Alternates); alternates != nil {
			questions = append(questions[:1], *alternates...)
		}
		patch.Questions = questions
		if r.Params.IfMatch == nil { // of two changes at once, one must see the other
			r.Params.IfMatch = new(documentTag(there.UpdatedAt))
		}
	}
	d, err := callOf(ctx).patch(ctx, r.ID, patch, b.Metadata, r.Params.IfMatch)
	return api.UpdateQAPair200JSONResponse(qaShape(d)), err
}

// DeleteQAPair serves DELETE /v1/knowledge/qa-pairs/{id}.
func (h *handlers) DeleteQAPair(ctx context.Context, r api.DeleteQAPairRequestObject) (api.DeleteQAPairResponseObject, error) {
	d, err := ofKind(ctx, knowledge.KindQA, "qa pair", r.ID)
	if err != nil {
		return nil, err
	}
	out, err := callOf(ctx).company.Knowledge().Delete(ctx, d.ID)
	return api.DeleteQAPair200JSONResponse(deletionShape(out)), err
}
