package server

import (
	"context"
	"errors"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
	"github.com/answerdesk-go/answerdesk/store"
)

// started tells of a run that a request has asked for: start asks for it, unless the
// same request has before.
func (c *call) started(ctx context.Context, start func(*knowledge.Base) (knowledge.Run, error)) (api.Run, error) {
	kb := c.company.Knowledge()
	var r knowledge.Run
	var err error
	if made, ok := c.made(); ok {
		r, err = kb.Run(ctx, made)
	} else {
		r, err = start(kb)
	}
	c.created("/v1/runs/", r.ID)
	return runShape(r), err
}

// StartTraining serves POST /v1/train.
func (h *handlers) StartTraining(ctx context.Context, r api.StartTrainingRequestObject) (api.StartTrainingResponseObject, error) {
	c, b := callOf(ctx), value(r.Body)
	out, err := c.started(ctx, func(kb *knowledge.Base) (knowledge.Run, error) {
		agentID, err := c.agentID(ctx, b.AgentID)
		if err != nil {
			return knowledge.Run{}, err
		}
		return kb.Train(ctx, &knowledge.TrainOptions{AgentID: agentID, Force: value(b.Force), NoNewPages: no(b.IncludeNewPages)})
	})
	return api.StartTraining202JSONResponse(out), err
}

// no reports whether a parameter that is true if it is left out was sent as false.
func no(p *bool) bool { return p != nil && !*p }

// GetTrainingStatus serves GET /v1/train/status.
func (h *handlers) GetTrainingStatus(ctx context.Context, r api.GetTrainingStatusRequestObject) (api.GetTrainingStatusResponseObject, error) {
	run, err := callOf(ctx).company.Knowledge().Run(ctx, value(r.Params.RunID))
	return api.GetTrainingStatus200JSONResponse(runShape(run)), err
}

// CancelTraining serves POST /v1/train/cancel.
func (h *handlers) CancelTraining(ctx context.Context, r api.CancelTrainingRequestObject) (api.CancelTrainingResponseObject, error) {
	run, err := callOf(ctx).company.Knowledge().CancelRun(ctx, value(r.Params.RunID))
	return api.CancelTraining200JSONResponse(runShape(run)), err
}

// ListRuns serves GET /v1/runs.
func (h *handlers) ListRuns(ctx context.Context, r api.ListRunsRequestObject) (api.ListRunsResponseObject, error) {
	c, p := callOf(ctx), r.Params
	f := knowledge.RunFilter{Kind: knowledge.RunKind(value(p.Kind)), State: knowledge.RunState(value(p.State))}
	var err, of, in error
	f.AgentID, err = c.agentID(ctx, value(p.AgentID))
	f.SourceID, of = c.sourceID(ctx, value(p.SourceID))
	f.ParentID, in = c.runID(ctx, value(p.ParentID))
	if err := errors.Join(err, of, in); err != nil {
		return nil, err
	}
	l, err := c.company.Knowledge().Runs(ctx, f, page(p.Limit, p.Cursor))
	data, next, more, err := listed(l, err, runShape)
	return api.ListRuns200JSONResponse{Data: data, NextCursor: next, HasMore: more}, err
}

// sourceID returns the id of the source that a request names; empty if it names
// none.
func (c *call) sourceID(ctx context.Context, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	w, err := c.company.Knowledge().Website(ctx, named)
	if !errors.Is(err, store.ErrNotFound) {
		return w.ID, err
	}
	a, err := c.company.Knowledge().APISource(ctx, named)
	if errors.Is(err, store.ErrNotFound) {
		err = store.NotFound("source", clip(named))
	}
	return a.ID, err
}

// runID returns the id of the run that a request names; empty if it names none.
func (c *call) runID(ctx context.Context, named string) (string, error) {
	if named == "" {
		return "", nil
	}
	r, err := c.company.Knowledge().Run(ctx, named)
	return r.ID, err
}

// GetRun serves GET /v1/runs/{id}.
func (h *handlers) GetRun(ctx context.Context, r api.GetRunRequestObject) (api.GetRunResponseObject, error) {
	run, err := callOf(ctx).company.Knowledge().Run(ctx, r.ID)
	return api.GetRun200JSONResponse(runShape(run)), err
}

// CancelRun serves POST /v1/runs/{id}/cancel.
func (h *handlers) CancelRun(ctx context.Context, r api.CancelRunRequestObject) (api.CancelRunResponseObject, error) {
	run, err := callOf(ctx).company.Knowledge().CancelRun(ctx, r.ID)
	return api.CancelRun200JSONResponse(runShape(run)), err
}
