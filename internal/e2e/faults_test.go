package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What is not as the contract has it is found: so the sessions would fail for it.
func TestContractFindsFaults(t *testing.T) {
	const (
		agent = `{"id":"agt_1","name":"Zoe","is_default":false,"status":"active","version":1,"created_at":"2026-01-02T03:04:05Z","updated_at":"2026-01-02T03:04:05Z"}`
		wrong = `{"error":{"code":"not_found","message":"there is none","details":{},"request_id":"req_1"}}`
		begun = "event: message.started\nid: 1\ndata: {\"type\":\"message.started\",\"sequence\":1,\"message_id\":\"m\",\"conversation_id\":\"c\"}\n\n"
		ended = "event: error\nid: 2\ndata: {\"type\":\"error\",\"sequence\":2,\"message_id\":\"m\",\"conversation_id\":\"c\",\"error\":{\"code\":\"turn_failed\",\"message\":\"m\",\"details\":{},\"request_id\":\"r\"}}\n\n"
	)
	c := newContract(t)
	for _, n := range []struct {
		name           string
		method, path   string
		sent           string
		status         int
		header, body   string // of the answer; the header is what differs from the usual
		without, fault string
	}{
		{name: "an agent", method: "GET", path: "/v1/agents/agt_1", status: 200, body: agent},
		{name: "a new agent", method: "POST", path: "/v1/agents", sent: `{"name":"Zoe"}`, status: 201, header: "Location: /v1/agents/agt_1", body: agent},
		{name: "an error", method: "GET", path: "/v1/agents/agt_1", status: 404, without: "ETag", body: wrong},
		{name: "a stream", method: "POST", path: "/v1/message/stream", sent: `{"message":"a"}`, status: 200, without: "ETag", header: "Content-Type: text/event-stream", body: begun + ended},
		{name: "no path of ours", method: "GET", path: "/v1/nothing", status: 404, without: "ETag", body: wrong},

		{name: "a path that nobody knows", method: "GET", path: "/v1/nothing", status: 200, body: agent, fault: "the contract has nothing"},
		{name: "an unknown status", method: "GET", path: "/v1/agents/agt_1", status: 418, body: agent, fault: "418 is not in the contract"},
		{name: "an unknown field", method: "GET", path: "/v1/agents/agt_1", status: 200, body: strings.Replace(agent, `"name"`, `"nick":"Z","name"`, 1), fault: "nick is not in the contract"},
		{name: "a field is missing", method: "GET", path: "/v1/agents/agt_1", status: 200, body: strings.Replace(agent, `"is_default":false,`, ``, 1), fault: "is_default"},
		{name: "a field of another type", method: "GET", path: "/v1/agents/agt_1", status: 200, body: strings.Replace(agent, `:1,`, `:"1",`, 1), fault: "version"},
		{name: "no time", method: "GET", path: "/v1/agents/agt_1", status: 200, body: strings.Replace(agent, `2026-01-02T03:04:05Z`, `yesterday`, 1), fault: "created_at"},
		{name: "no JSON", method: "GET", path: "/v1/agents/agt_1", status: 200, body: "{", fault: "decode"},
		{name: "another media type", method: "GET", path: "/v1/agents/agt_1", status: 200, header: "Content-Type: text/plain", body: "Zoe", fault: "Content-Type"},
		{name: "no ETag", method: "GET", path: "/v1/agents/agt_1", status: 200, without: "ETag", body: agent, fault: "ETag is missing"},
		{name: "no request id", method: "GET", path: "/v1/agents/agt_1", status: 200, without: "X-Request-Id", body: agent, fault: "X-Request-Id is missing"},
		{name: "an unknown header", method: "GET", path: "/v1/agents/agt_1", status: 200, header: "Location: /v1/agents/agt_1", body: agent, fault: "Location is not in the contract"},
		{name: "no limit is told", method: "GET", path: "/v1/agents/agt_1", status: 200, without: "X-RateLimit-Limit", body: agent, fault: "X-RateLimit-Limit is missing"},
		{name: "an ETag of an error", method: "GET", path: "/v1/agents/agt_1", status: 404, body: wrong, fault: "ETag is not in the contract"},
		{name: "an unknown code", method: "GET", path: "/v1/agents/agt_1", status: 404, without: "ETag", body: strings.Replace(wrong, "not_found", "lost", 1), fault: "known values"},
		{name: "an error of another request", method: "GET", path: "/v1/agents/agt_1", status: 404, without: "ETag", body: strings.Replace(wrong, "req_1", "req_2", 1), fault: "request_id"},
		{name: "a forbidden request is served", method: "POST", path: "/v1/agents", sent: `{"nick":"Z"}`, status: 201, header: "Location: /v1/agents/agt_1", body: agent, fault: "a request that the contract forbids"},
		{name: "a parameter out of bounds is served", method: "GET", path: "/v1/agents?limit=0", status: 200, without: "ETag", body: `{"data":[],"has_more":false}`, fault: "a request that the contract forbids"},
		{name: "a body where there is none", method: "DELETE", path: "/v1/api-keys/key_1", status: 204, without: "ETag", body: "{}", fault: "the contract has none"},
		{name: "a stream without an end", method: "POST", path: "/v1/message/stream", sent: `{"message":"a"}`, status: 200, without: "ETag", header: "Content-Type: text/event-stream", body: begun, fault: "message.started"},
		{name: "a stream that goes on", method: "POST", path: "/v1/message/stream", sent: `{"message":"a"}`, status: 200, without: "ETag", header: "Content-Type: text/event-stream", body: begun + ended + strings.ReplaceAll(ended, "2", "3"), fault: "event 1 of 3"},
		{name: "a stream that counts back", method: "POST", path: "/v1/message/stream", sent: `{"message":"a"}`, status: 200, without: "ETag", header: "Content-Type: text/event-stream", body: begun + strings.ReplaceAll(ended, "2", "1"), fault: "sequence 1 after 1"},
		{name: "an event under another name", method: "POST", path: "/v1/message/stream", sent: `{"message":"a"}`, status: 200, without: "ETag", header: "Content-Type: text/event-stream", body: begun + strings.Replace(ended, "error", "fault", 1), fault: "type"},
		{name: "an event of another form", method: "POST", path: "/v1/message/stream", sent: `{"message":"a"}`, status: 200, without: "ETag", header: "Content-Type: text/event-stream", body: begun + strings.Replace(ended, `"message_id":"m",`, "", 1), fault: "message_id"},
	} {
		r := httptest.NewRequest(n.method, n.path, strings.NewReader(n.sent))
		r.Header.Set("Authorization", "Bearer key")
		r.Header.Set("Content-Type", "application/json")
		h := http.Header{}
		for _, name := range []string{"ETag", "X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} {
			h.Set(name, "1")
		}
		h.Set("X-Request-Id", "req_1")
		h.Set("Content-Type", "application/json")
		h.Del(n.without)
		if name, value, ok := strings.Cut(n.header, ": "); ok {
			h.Set(name, value)
		}
		var got []string
		for _, err := range c.check(&exchanged{request: r, status: n.status, header: h, body: []byte(n.body)}) {
			got = append(got, err.Error())
		}
		switch all := strings.Join(got, "\n"); {
		case n.fault == "" && len(got) > 0:
			t.Errorf("%s: faults %s, want none", n.name, all)
		case n.fault != "" && !strings.Contains(all, n.fault):
			t.Errorf("%s: faults %q, want one about %q", n.name, all, n.fault)
		}
	}
}
