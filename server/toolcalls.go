package server

import (
	"context"
	"encoding/json"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// ApproveToolCall serves POST /v1/tool-calls/{id}/approve.
func (h *handlers) ApproveToolCall(ctx context.Context, r api.ApproveToolCallRequestObject) (api.ApproveToolCallResponseObject, error) {
	c, err := callOf(ctx).company.Conversations().Approve(ctx, r.ID)
	return api.ApproveToolCall200JSONResponse(toolCallShape(c)), err
}

// RejectToolCall serves POST /v1/tool-calls/{id}/reject.
func (h *handlers) RejectToolCall(ctx context.Context, r api.RejectToolCallRequestObject) (api.RejectToolCallResponseObject, error) {
	c, err := callOf(ctx).company.Conversations().Reject(ctx, r.ID)
	return api.RejectToolCall200JSONResponse(toolCallShape(c)), err
}

// AnswerToolCall serves POST /v1/tool-calls/{id}/result.
func (h *handlers) AnswerToolCall(ctx context.Context, r api.AnswerToolCallRequestObject) (api.AnswerToolCallResponseObject, error) {
	result, failed := r.Body.Result, r.Body.Error != ""
	switch {
	case failed && len(result) > 0:
		return nil, &agent.InvalidError{Field: "error", Reason: "cannot stand beside result: give one of the two"}
	case failed:
		var err error
		if result, err = json.Marshal(r.Body.Error); err != nil {
			return nil, err
		}
	case len(result) == 0:
		return nil, &agent.InvalidError{Field: "result", Reason: "is missing: give it, or error"}
	}
	c, err := callOf(ctx).company.Conversations().Answer(ctx, r.ID, result, failed)
	return api.AnswerToolCall200JSONResponse(toolCallShape(c)), err
}

func toolCallShape(c agent.ToolCall) api.ToolCall {
	out := api.ToolCall{
		ID: c.ID, Name: c.Name, State: string(c.State), Result: c.Result, Error: c.Error, Approval: string(c.Approval),
		DecidedBy: c.DecidedBy, CreatedAt: c.CreatedAt, ExpiresAt: c.ExpiresAt, EndedAt: c.EndedAt,
		Arguments: c.Arguments,
	}
	if string(c.Result) == "null" {
		out.Result = nil
	}
	if objectShape(c.Arguments) == nil { // of a reply of which a document was erased
		out.Arguments = json.RawMessage(`{}`)
	}
	return out
}

// objectShape reads a JSON object as it was written, numbers to the last digit; nil if
// there is none.
func objectShape(raw json.RawMessage) map[string]any {
	var fields map[string]json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &fields) != nil || fields == nil {
		return nil
	}
	out := make(map[string]any, len(fields))
	for name, value := range fields {
		out[name] = value
	}
	return out
}

func usageShape(u agent.Usage) api.Usage {
	return api.Usage{
		Model: u.Model, ModelCalls: int32(u.ModelCalls), InputTokens: int64(u.InputTokens), CachedTokens: int64(u.CachedTokens),
		OutputTokens: int64(u.OutputTokens), Cost: u.Cost, Estimated: u.Estimated,
	}
}
