package e2e

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/extractive"
	"github.com/answerdesk-go/answerdesk/client/api"
)

// callsTools is an answerer that first calls each tool that the agent has, and says
// what came of it; without tools it is as keyless desks have it.
type callsTools struct{ agent.Answerer }

func newCallsTools() agent.Answerer { return callsTools{extractive.New(nil)} }

// Answer implements [agent.Answerer].
func (a callsTools) Answer(ctx context.Context, q agent.Question) iter.Seq2[agent.Part, error] {
	if len(q.Tools) == 0 {
		return a.Answerer.Answer(ctx, q)
	}
	return func(yield func(agent.Part, error) bool) {
		made := q.Called
		if len(made) == 0 {
			var asked []agent.Asked
			for _, t := range q.Tools {
				asked = append(asked, agent.Asked{Name: t.Name, Arguments: json.RawMessage(`{}`)})
			}
			var err error
			if made, err = q.Call(ctx, asked); err != nil {
				yield(agent.Part{}, err)
				return
			}
		}
		if q.Spend != nil {
			_ = q.Spend(agent.ModelCall{Purpose: "answer", Model: "test:model", Finish: "stop", Usage: agent.Usage{InputTokens: 10, OutputTokens: 2}})
		}
		for _, c := range made {
			if !yield(agent.Part{Text: c.Name + " " + string(c.State) + " " + string(c.Result) + c.Error + ". "}, nil) {
				return
			}
		}
	}
}

// declare has an agent declare a tool that callers answer.
func (s *suite) declare(company, agentID, name string, approval agent.Approval) {
	s.Helper()
	agents := s.desk.Company(company).Agents()
	a := ok(agents.Get(s.Context(), agentID))(s)
	a.Tools = map[string]agent.ToolSettings{name: {Approval: approval, Description: "Where the user is.", Parameters: json.RawMessage(`{"type":"object"}`)}}
	ok(agents.Update(s.Context(), a))(s)
}

// asksTool asks an agent, and returns the id of the reply and the call that waits.
func (c *caller) asksTool(agentID string) (replyID string, call api.ToolCall) {
	s := c.s
	s.Helper()
	for ev, err := range c.Messages.Stream(s.Context(), api.MessageRequest{Message: "Where am I?", AgentID: agentID}) {
		if err != nil {
			s.Fatal(err)
		}
		if ev.Type == "tool.waiting" {
			return ev.MessageID, ev.ToolCall
		}
	}
	s.Fatal("the stream ended, and no call has waited")
	return "", call
}

// completes returns the reply of a turn, with the types of the events to it.
func (c *caller) completes(replyID string) (reply api.Reply, types []string) {
	s := c.s
	s.Helper()
	var events []api.StreamEvent
	for ev, err := range c.Messages.Resume(s.Context(), replyID, 0) {
		if err != nil {
			s.Fatal(err)
		}
		events = append(events, ev)
		reply = ev.Reply
	}
	return reply, typesOf(events)
}

// playToolCalls has callers approve, reject and answer calls.
func playToolCalls(s *suite) {
	refund := agent.MustTool("refund", "Gives money back.", func(context.Context, struct{}) (string, error) { return "refunded", nil },
		&agent.ToolOptions{Approval: agent.ApprovalAsk})
	s.begin(&answerdesk.Options{Answerer: newCallsTools(), Tools: []agent.Tool{refund}})
	for _, decide := range []struct {
		path, state, other string
	}{{"approve", "completed", "reject"}, {"reject", "rejected", "approve"}} {
		replyID, call := s.admin.asksTool("")
		if call.State != "awaiting_approval" || call.Name != "refund" || call.ExpiresAt.Before(time.Now()) || call.Approval != "ask" {
			s.Errorf("the call that waits is %+v", call)
		}
		s.findsCall(replyID, call.ID)
		post := request{method: "POST", path: "/v1/tool-calls/" + call.ID + "/" + decide.path}
		by := s.admin.want(http.StatusOK, post).at("decided_by")
		reply, types := s.admin.completes(replyID)
		if len(reply.ToolCalls) != 1 || reply.ToolCalls[0].State != decide.state || by == "" || reply.ToolCalls[0].DecidedBy != by {
			s.Errorf("after %s the reply is %+v, want its call %s, decided by %v", decide.path, reply, decide.state, by)
		}
		if reply.Usage.Model != "test:model" || reply.Usage.InputTokens != 10 || reply.Usage.ModelCalls != 1 {
			s.Errorf("the usage is %+v", reply.Usage)
		}
		if !slices.Contains(types, "tool.ended") || types[len(types)-1] != "message.completed" {
			s.Errorf("the events are %v", types)
		}
		s.admin.want(http.StatusOK, post) // once more is the same
		s.admin.wantError(http.StatusConflict, "conflict", "", request{method: "POST", path: "/v1/tool-calls/" + call.ID + "/" + decide.other})
		s.admin.wantError(http.StatusConflict, "conflict", "", request{method: "POST", path: "/v1/tool-calls/" + call.ID + "/result", body: fields{"result": 1}})
	}

	callers := ok(s.admin.Agents.Create(s.Context(), api.AgentRequest{Name: "Of callers"}))(s).ID
	s.declare(s.desk.ID(), callers, "location", "")
	never := agent.ToolSettings{Approval: agent.ApprovalNever}
	a := ok(s.desk.Agents().Get(s.Context(), callers))(s)
	a.Tools["refund"] = never
	ok(s.desk.Agents().Update(s.Context(), a))(s)
	for _, tt := range []struct {
		body  fields
		state string
		text  string
	}{
		{fields{"result": fields{"city": "Bremen", "id": 4711}}, "completed", `location completed {"city":"Bremen","id":4711}. `},
		{fields{"error": "no permission"}, "failed", ""},
	} {
		replyID, call := s.admin.asksTool(callers)
		path := "/v1/tool-calls/" + call.ID + "/result"
		s.admin.wantError(http.StatusBadRequest, "invalid_request", "result", request{method: "POST", path: path, body: fields{}})
		s.admin.wantError(http.StatusBadRequest, "invalid_request", "error", request{method: "POST", path: path, body: fields{"result": 1, "error": "both"}})
		s.admin.wantError(http.StatusConflict, "conflict", "", request{method: "POST", path: "/v1/tool-calls/" + call.ID + "/approve"})
		s.admin.want(http.StatusOK, request{method: "POST", path: path, body: tt.body})
		reply, _ := s.admin.completes(replyID)
		if len(reply.ToolCalls) != 1 || reply.ToolCalls[0].State != tt.state || tt.text != "" && reply.Text != tt.text {
			s.Errorf("answered with %v the reply is %q with the call %+v", tt.body, reply.Text, reply.ToolCalls)
		}
		s.admin.want(http.StatusOK, request{method: "POST", path: path, body: tt.body}) // once more is the same
	}

	// Another start of the process goes on waiting.
	replyID, call := s.admin.asksTool("")
	s.restart()
	if _, err := s.admin.Messages.ApproveTool(s.Context(), call.ID); err != nil {
		s.Fatal(err)
	}
	if reply, _ := s.admin.completes(replyID); len(reply.ToolCalls) != 1 || reply.ToolCalls[0].State != "completed" || reply.Text != `refund completed "refunded". ` {
		s.Errorf("after a restart the reply is %+v", reply)
	}
}

// findsCall has somebody who reads no stream look for a call that waits.
func (s *suite) findsCall(replyID, callID string) {
	s.Helper()
	conversations := ok(s.admin.Conversations.List(s.Context(), nil))(s)
	if len(conversations.Data) == 0 || !conversations.Data[0].Running || conversations.Data[0].ReplyID != replyID {
		s.Fatalf("the conversations are %+v, want the newest to run for %s", conversations.Data, replyID)
	}
	events := ok(s.admin.Messages.Events(s.Context(), conversations.Data[0].ReplyID, nil))(s)
	if !slices.ContainsFunc(events.Data, func(ev api.StreamEvent) bool { return ev.Type == "tool.waiting" && ev.ToolCall.ID == callID }) {
		s.Errorf("the events are %+v, want the call %s among them", events.Data, callID)
	}
}
