package server

import (
	"context"
	"time"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// GetExplanation serves GET /v1/messages/{id}/explanation.
func (h *handlers) GetExplanation(ctx context.Context, r api.GetExplanationRequestObject) (api.GetExplanationResponseObject, error) {
	conversations := callOf(ctx).company.Conversations()
	e, err := conversations.Explain(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	m, err := conversations.Message(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return api.GetExplanation200JSONResponse(explanationShape(m, e)), nil
}

// explanationShape is the explanation of a reply, which m holds.
func explanationShape(m agent.Message, e agent.Explanation) api.Explanation {
	out := api.Explanation{
		MessageID: m.ID, Query: e.Query, Rewritten: e.Rewritten, Decision: e.Decision, Reason: e.Reason, Text: e.Text(nil),
		Confidence: api.Confidence{Score: e.Confidence, Threshold: e.Threshold, Reasons: e.Reasons},
		Candidates: make([]api.Candidate, len(e.Candidates)),
		ModelCalls: make([]api.ModelCall, len(e.ModelCalls)), ToolCalls: make([]api.ExplainedCall, len(e.ToolCalls)), Timings: []api.Timing{},
		KnowledgeRevision: e.Revision, SettingsVersion: int64(e.Settings), MissingSettings: e.Missing, Attempts: int32(e.Attempts), Recovered: e.Recovered,
	}
	if m.Reply != nil {
		out.Outcome, out.Confidence.Calibrated = string(m.Reply.Outcome), m.Reply.Confidence.Calibrated
	}
	if out.Confidence.Reasons == nil {
		out.Confidence.Reasons = []string{}
	}
	for i, c := range e.Candidates {
		out.Candidates[i] = api.Candidate{
			DocumentID: c.DocumentID, DocumentVersion: int64(c.Version), PassageID: c.PassageID, Score: c.Score, Scores: c.Scores, Cited: c.Cited,
		}
		if c.Scores == nil {
			out.Candidates[i].Scores = map[string]float64{}
		}
	}
	for i, c := range e.ModelCalls {
		out.ModelCalls[i] = api.ModelCall{
			Purpose: c.Purpose, Model: c.Model, Finish: c.Finish, Error: c.Error, FailedAttempts: int32(c.Failed),
			InputTokens: int64(c.Usage.InputTokens), CachedTokens: int64(c.Usage.CachedTokens), OutputTokens: int64(c.Usage.OutputTokens),
			Cost: c.Usage.Cost, Estimated: c.Usage.Estimated, FirstMs: milliseconds(c.First), DurationMs: milliseconds(c.Duration),
		}
	}
	for _, s := range e.Sentences {
		out.Sentences = append(out.Sentences, api.Support{Verdict: string(s.Verdict), By: string(s.By), Ids: s.IDs, LeftOut: s.LeftOut})
	}
	for i, c := range e.ToolCalls {
		out.ToolCalls[i] = api.ExplainedCall{ID: c.ID, Name: c.Name, State: string(c.State), Round: int32(c.Round), DurationMs: milliseconds(c.Duration)}
	}
	for _, t := range []struct {
		stage string
		took  time.Duration
	}{{"search", e.Retrieval}, {"answer", e.Answering}} {
		if t.took > 0 {
			out.Timings = append(out.Timings, api.Timing{Stage: t.stage, DurationMs: milliseconds(t.took)})
		}
	}
	return out
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
