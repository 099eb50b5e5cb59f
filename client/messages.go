package client

import (
	"context"
	"iter"
	"net/http"
	"strconv"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Messages are asked of agents, and answered by them.
type Messages struct{ client *Client }

// Create asks an agent and waits for the reply. That the agent does not know is
// no error but a reply whose outcome is "refuse".
func (m *Messages) Create(ctx context.Context, req api.MessageRequest, opts ...Option) (*api.Reply, error) {
	return send[api.Reply](ctx, m.client, createMessage, opts)(raw.NewCreateMessageRequest(m.client.server, nil, req))
}

// Stream asks an agent and yields the events of the reply as it comes, ending
// with "message.completed", which has the whole reply. An event of type "error"
// is not yielded but returned as the [*Error] it stands for.
//
// A connection that is lost is made again, and nothing is yielded twice, up to
// [WithMaxRetries] times; then the error is [ErrIncompleteStream]. Once the
// stream has been taken up again the text may come whole in "message.completed"
// rather than in deltas. To leave the loop closes the connection. The turn goes
// on for 30 s then: Resume takes it up, and Cancel ends it. The stream can be
// read once.
func (m *Messages) Stream(ctx context.Context, req api.MessageRequest, opts ...Option) iter.Seq2[api.StreamEvent, error] {
	return stream(ctx, m.client, &replyFeed, streamMessage, opts, "", 0, func() (*http.Request, error) {
		return raw.NewStreamMessageRequest(m.client.server, nil, req)
	})
}

// Resume yields the events of a reply after the one whose sequence is given, or
// all of them after 0, while the reply comes and afterwards. It is like Stream
// in all else.
func (m *Messages) Resume(ctx context.Context, messageID string, after int64, opts ...Option) iter.Seq2[api.StreamEvent, error] {
	return stream(ctx, m.client, &replyFeed, listMessageEvents, opts, messageID, after, func() (*http.Request, error) {
		return m.client.resumption(messageID, after)
	})
}

// resumption is the request for the events of a reply after one of them.
func (c *Client) resumption(messageID string, after int64) (*http.Request, error) {
	var params api.ListMessageEventsParams
	if after > 0 {
		params.LastEventID = new(strconv.FormatInt(after, 10))
	}
	return raw.NewListMessageEventsRequest(c.server, messageID, &params)
}

// Events returns the events of a reply so far. A nil params means all of them,
// without waiting for any.
func (m *Messages) Events(ctx context.Context, messageID string, params *api.ListMessageEventsParams, opts ...Option) (*api.MessageEvents, error) {
	return send[api.MessageEvents](ctx, m.client, listMessageEvents, opts)(raw.NewListMessageEventsRequest(m.client.server, messageID, params))
}

// Get reads a message.
func (m *Messages) Get(ctx context.Context, messageID string, opts ...Option) (*api.Message, error) {
	return send[api.Message](ctx, m.client, getMessage, opts)(raw.NewGetMessageRequest(m.client.server, messageID))
}

// Explanation reads how a reply came about.
func (m *Messages) Explanation(ctx context.Context, messageID string, opts ...Option) (*api.Explanation, error) {
	return send[api.Explanation](ctx, m.client, getExplanation, opts)(raw.NewGetExplanationRequest(m.client.server, messageID))
}

// List returns a page of messages, newest first. A nil params means the first
// page of all.
func (m *Messages) List(ctx context.Context, params *api.ListMessagesParams, opts ...Option) (*api.MessageList, error) {
	return send[api.MessageList](ctx, m.client, listMessages, opts)(raw.NewListMessagesRequest(m.client.server, params))
}

// All yields the messages that List has, over all pages.
func (m *Messages) All(ctx context.Context, params *api.ListMessagesParams, opts ...Option) iter.Seq2[*api.Message, error] {
	return all(params, func(p *api.ListMessagesParams) **string { return &p.Cursor },
		func(p *api.ListMessagesParams) (*api.MessageList, error) { return m.List(ctx, p, opts...) })
}

// Cancel stops a reply that is being made, and returns it as it is then. One
// that has ended stays as it is.
func (m *Messages) Cancel(ctx context.Context, messageID string, opts ...Option) (*api.Message, error) {
	return send[api.Message](ctx, m.client, cancelMessage, opts)(raw.NewCancelMessageRequest(m.client.server, messageID))
}

// ApproveTool lets a call of a tool be made that waits to be approved.
func (m *Messages) ApproveTool(ctx context.Context, callID string, opts ...Option) (*api.ToolCall, error) {
	return send[api.ToolCall](ctx, m.client, approveToolCall, opts)(raw.NewApproveToolCallRequest(m.client.server, callID))
}

// RejectTool ends a call of a tool that waits to be approved.
func (m *Messages) RejectTool(ctx context.Context, callID string, opts ...Option) (*api.ToolCall, error) {
	return send[api.ToolCall](ctx, m.client, rejectToolCall, opts)(raw.NewRejectToolCallRequest(m.client.server, callID))
}

// AnswerTool gives the result of a call of a tool that its caller answers, or says why
// there is none.
func (m *Messages) AnswerTool(ctx context.Context, callID string, req api.ToolResultRequest, opts ...Option) (*api.ToolCall, error) {
	return send[api.ToolCall](ctx, m.client, answerToolCall, opts)(raw.NewAnswerToolCallRequest(m.client.server, callID, req))
}

// Feedback says what somebody thought of a reply, in place of what was said
// before.
func (m *Messages) Feedback(ctx context.Context, messageID string, req api.FeedbackRequest, opts ...Option) (*api.Feedback, error) {
	return send[api.Feedback](ctx, m.client, giveFeedback, opts)(raw.NewGiveFeedbackRequest(m.client.server, messageID, req))
}
