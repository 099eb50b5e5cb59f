package client

import (
	"context"
	"iter"
	"net/http"
	"strconv"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Training has sources read again.
type Training struct{ client *Client }

// Start has each source of an agent, or of the whole company if the request names
// none, read again, and returns the run, or the one that waits already. What is
// written through this API is found at once, without training.
func (t *Training) Start(ctx context.Context, req api.TrainRequest, opts ...Option) (*api.Run, error) {
	return send[api.Run](ctx, t.client, startTraining, opts)(raw.NewStartTrainingRequest(t.client.server, nil, req))
}

// Status reads the latest training, or the run that params name.
func (t *Training) Status(ctx context.Context, params *api.GetTrainingStatusParams, opts ...Option) (*api.Run, error) {
	return send[api.Run](ctx, t.client, getTrainingStatus, opts)(raw.NewGetTrainingStatusRequest(t.client.server, params))
}

// Cancel stops the latest training, or the run that params name, as [Runs.Cancel]
// does.
func (t *Training) Cancel(ctx context.Context, params *api.CancelTrainingParams, opts ...Option) (*api.Run, error) {
	return send[api.Run](ctx, t.client, cancelTraining, opts)(raw.NewCancelTrainingRequest(t.client.server, params))
}

// Runs are trainings, crawls and all other work on knowledge that goes on after the
// call that asked for it.
type Runs struct{ client *Client }

// Get reads a run: how far it is, and why it failed if it did.
func (r *Runs) Get(ctx context.Context, id string, opts ...Option) (*api.Run, error) {
	return send[api.Run](ctx, r.client, getRun, opts)(raw.NewGetRunRequest(r.client.server, id))
}

// List returns a page of runs, newest first. A nil params means the first page of
// all.
func (r *Runs) List(ctx context.Context, params *api.ListRunsParams, opts ...Option) (*api.RunList, error) {
	return send[api.RunList](ctx, r.client, listRuns, opts)(raw.NewListRunsRequest(r.client.server, params))
}

// All yields the runs that List has, over all pages.
func (r *Runs) All(ctx context.Context, params *api.ListRunsParams, opts ...Option) iter.Seq2[*api.Run, error] {
	return all(params, func(p *api.ListRunsParams) **string { return &p.Cursor },
		func(p *api.ListRunsParams) (*api.RunList, error) { return r.List(ctx, p, opts...) })
}

// Watch yields the events of a run after the one whose sequence is given, or all of
// them after 0, as they come, ending with "run.completed", "run.failed" or
// "run.cancelled". That a run failed is no error of the stream.
//
// A connection that is lost is made again, and nothing is yielded twice, up to
// [WithMaxRetries] times between two events; then the error is
// [ErrIncompleteStream]. To leave the loop leaves the run as it is: Cancel stops it.
// The stream can be read once.
func (r *Runs) Watch(ctx context.Context, id string, after int64, opts ...Option) iter.Seq2[api.RunEvent, error] {
	return stream(ctx, r.client, &runFeed, listRunEvents, opts, id, after, func() (*http.Request, error) {
		return r.client.runResumption(id, after)
	})
}

// runFeed are the events of a run.
var runFeed = feed[api.RunEvent]{
	resume: listRunEvents, request: (*Client).runResumption,
	sequence: func(ev *api.RunEvent) *int64 { return &ev.Sequence },
	id:       func(*api.RunEvent) string { return "" },
	last: func(ev *api.RunEvent) bool {
		return ev.Type == "run.completed" || ev.Type == "run.failed" || ev.Type == "run.cancelled"
	},
	failed: func(*api.RunEvent) *api.ErrorBody { return nil },
	long:   true,
}

// runResumption is the request for the events of a run after one of them.
func (c *Client) runResumption(id string, after int64) (*http.Request, error) {
	var params api.ListRunEventsParams
	if after > 0 {
		params.LastEventID = new(strconv.FormatInt(after, 10))
	}
	return raw.NewListRunEventsRequest(c.server, id, &params)
}

// Events returns the events of a run so far, up to 256 of them. A nil params means
// the first ones, without waiting for any.
func (r *Runs) Events(ctx context.Context, id string, params *api.ListRunEventsParams, opts ...Option) (*api.RunEvents, error) {
	return send[api.RunEvents](ctx, r.client, listRunEvents, opts)(raw.NewListRunEventsRequest(r.client.server, id, params))
}

// Cancel stops a run, with those that belong to it, and returns it as it is then.
// What it has not published goes, and what it has stays. One that has ended stays
// as it is.
func (r *Runs) Cancel(ctx context.Context, id string, opts ...Option) (*api.Run, error) {
	return send[api.Run](ctx, r.client, cancelRun, opts)(raw.NewCancelRunRequest(r.client.server, id))
}
