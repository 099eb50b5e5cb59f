package server

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// CreateQAPairs serves POST /v1/knowledge/qa-pairs.
func (h *handlers) CreateQAPairs(ctx context.Context, r api.CreateQAPairsRequestObject) (api.CreateQAPairsResponseObject, error) {
	b := r.Body
	agentID, err := callOf(ctx).agentID(ctx, b.AgentID)
	if err != nil {
		return nil, err
	}
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
			Kind: knowledge.KindQA, AgentID: agentID, Questions: append([]string{item.Question}, item.Alternates...), Text: item.Answer,
			ExternalID: item.ExternalID, Metadata: item.Metadata,
		}
	}
	out, err := put(ctx, docs...)
	if len(b.Items) == 1 && (errors.Is(err, knowledge.ErrInvalid) || errors.Is(err, store.ErrConflict)) {
		err = &knowledge.ItemError{Err: err} // a single document is not numbered
	}
	if err != nil {
		return nil, inItem(inPair(err), len(b.Items) > 0)
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
	p, place := problemOf(e.Err), fmt.Sprintf("items[%d]", e.Index)
	named := map[string]any{"field": place}
	if field, ok := p.details["field"].(string); ok && field != "body" {
		named["field"] = place + "." + field
	}
	return &problem{p.code, place + ": " + p.message, named}
}

// inPair calls the fields of a document what they are called in a pair.
func inPair(err error) error {
	if e, ok := errors.AsType[*knowledge.ItemError](err); ok {
		return &knowledge.ItemError{Index: e.Index, Err: inPair(e.Err)}
	}
	e, ok := errors.AsType[*knowledge.InvalidError](err)
	if !ok {
		return err
	}
	var n int
	switch _, scanErr := fmt.Sscanf(e.Field, "questions[%d]", &n); {
	case e.Field == "text":
		return wrong("answer", "%s", e.Reason)
	case e.Field == "questions":
		return wrong("alternates", "%s", e.Reason)
	case scanErr == nil && n == 0:
		return wrong("question", "%s", e.Reason)
	case scanErr == nil:
		return wrong(fmt.Sprintf("alternates[%d]", n-1), "%s", e.Reason)
	}
	return err
}

// ListQAPairs serves GET /v1/knowledge/qa-pairs.
func (h *handlers) ListQAPairs(ctx context.Context, r api.ListQAPairsRequestObject) (api.ListQAPairsResponseObject, error) {
	l, err := callOf(ctx).documents(ctx, knowledge.Filter{Kind: knowledge.KindQA, ExternalID: value(r.Params.ExternalID)}, r.Params.AgentID, page(r.Params.Limit, r.Params.Cursor))
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
	for tries := 1; ; tries++ {
		d, err := updatePair(ctx, r)
		if _, asked := wanted(r.Params.IfMatch); !asked && errors.Is(err, knowledge.ErrChanged) {
			if tries == pairTries {
				return nil, contended
			}
			continue // the question was changed beside its alternates, or the other way round: both are kept
		}
		return api.UpdateQAPair200JSONResponse(qaShape(d)), inPair(err)
	}
}

// pairTries bounds how often a change of a pair begins again because of others.
const pairTries = 100

// updatePair changes a pair. All of its questions are one field of its document: if
// the caller sends some of them, the others are those that were read.
func updatePair(ctx context.Context, r api.UpdateQAPairRequestObject) (knowledge.Document, error) {
	there, err := ofKind(ctx, knowledge.KindQA, "qa pair", r.ID)
	if err != nil {
		return there, err
	}
	b, match := r.Body, r.Params.IfMatch
	patch := knowledge.Patch{Text: b.Answer}
	if b.Question != nil || b.Alternates.IsSpecified() {
		patch.Questions = slices.Clone(there.Questions)
		if b.Question != nil {
			patch.Questions[0] = *b.Question
		}
		if alternates := reset(b.Alternates); alternates != nil {
			patch.Questions = append(patch.Questions[:1], *alternates...)
		}
		if _, asked := wanted(match); !asked {
			match = new(documentTag(there.UpdatedAt))
		}
	}
	return callOf(ctx).patch(ctx, r.ID, patch, b.Metadata, match)
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
