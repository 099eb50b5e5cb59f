package server_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/VictoriaMetrics/metrics"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/agent/agenttest"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/server"
)

// The log and the counters tell of each request, and hold neither a key nor a word of
// a customer, whatever goes wrong.
func TestNoSecretsInTheLog(t *testing.T) {
	out := &log{}
	logger := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	fails := agenttest.Script(func(_ context.Context, q agent.Question) (agent.Part, error) {
		if strings.Contains(q.Message.Text, "panic") {
			panic(q.Message.Text)
		}
		return agent.Part{}, errors.New(q.Message.Text)
	})
	h := open(t, &answerdesk.Options{Answerer: fails, Logger: logger}, &server.Options{Logger: logger})
	h.do(t, "PUT", "/v1/agents/"+h.agent(t)+"/settings", `{"threshold":0.001}`).read(t, 200, nil) // it answers whatever it is asked
	const word = "Sentinel"
	for _, tt := range []struct{ method, path, body string }{
		{"GET", "/Sentinel?Sentinel=Sentinel", ""},
		{"Sentinel", "/v1/agents", ""},
		{"GET", "/v1/agents/Sentinel", ""},
		{"GET", "/v1/messages?user_id=Sentinel", ""},
		{"GET", "/v1/messages?limit=Sentinel", ""},
		{"GET", "/v1/messages?cursor=Sentinel", ""},
		{"POST", "/v1/message", `{"message":"We open Sentinel nine"}`},
		{"POST", "/v1/message", `{"message":"We open Sentinel panic"}`},
		{"POST", "/v1/message/stream", `{"message":"We open Sentinel nine","user":{"id":"Sentinel"}}`},
		{"POST", "/v1/message", `{"Sentinel":"Sentinel"}`},
		{"POST", "/v1/message", `Sentinel`},
		{"POST", "/v1/message", `{"message":"","conversation_id":"Sentinel"}`},
		{"POST", "/v1/message", `{"message":"a","agent_id":"Sentinel"}`},
		{"POST", "/v1/knowledge/search", `{"query":"Sentinel"}`},
		{"POST", "/v1/knowledge/documents", `{"text":"Sentinel","external_id":"Sentinel","url":"Sentinel","metadata":{"Sentinel":"Sentinel"}}`},
		{"POST", "/v1/content/bulk", `{"items":[{"content":"Sentinel","external_id":"Sentinel"},{"Sentinel":1}]}`},
		{"POST", "/v1/agents", `{"name":"Sentinel","website_url":"Sentinel"}`},
		{"POST", "/v1/api-keys", `{"name":"Sentinel","scope":"Sentinel"}`},
	} {
		a := h.do(t, tt.method, tt.path, tt.body, "User-Agent", word, "Referer", word, "Cookie", word, "X-Request-Id", word+" ", "Idempotency-Key", word, "Last-Event-ID", word)
		if a.Code >= 500 && !strings.HasPrefix(tt.path, "/v1/message") {
			t.Errorf("%s %s = %d %s", tt.method, tt.path, a.Code, a.body)
		}
	}
	h.do(t, "GET", "/v1/agents", "", "X-Api-Key", word).is(t, 401, "invalid_api_key")
	var made struct{ Secret string }
	h.do(t, "POST", "/v1/api-keys", `{"name":"k","scope":"read"}`).read(t, 201, &made)
	h.do(t, "GET", "/v1/agents", "", "X-Api-Key", made.Secret).read(t, 200, nil)

	counters := h.do(t, "GET", "/metrics", "").body
	told := strings.ReplaceAll(out.String(), `"method":"Sentinel"`, "") // a method is no one's words
	for _, secret := range []string{word, h.key, h.key[4:20], made.Secret, made.Secret[4:20]} {
		if i := strings.Index(told, secret); i >= 0 {
			t.Errorf("the log has %q: …%s", secret, told[max(0, i-200):min(len(told), i+100)])
		}
		if strings.Contains(string(counters), secret) {
			t.Errorf("the counters have %q", secret)
		}
	}
	for _, want := range []string{`"operation":"createMessage"`, `"status":500`, `"operation":"none"`, `"principal":"key_`, `"company":"`, `"request":"req_`, `"msg":"panic while answering"`} {
		if !strings.Contains(told, want) {
			t.Errorf("the log does not have %s", want)
		}
	}
	if strings.Contains(string(counters), h.desk.ID()) || strings.Contains(string(counters), id.UUID(h.desk.ID())) || strings.Contains(string(counters), "key_") {
		t.Error("the counters tell companies or keys apart")
	}
}

// Each request has one line in the log and one count, of its operation and status;
// probes do not fill the log.
func TestLogAndCounters(t *testing.T) {
	out := &log{}
	h := open(t, nil, &server.Options{Logger: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == "operation" || a.Key == "status" || a.Key == "level" {
			return a
		}
		return slog.Attr{}
	}}))})
	for _, tt := range []struct {
		do        func() answer
		operation string
		status    int
		line      bool
	}{
		{func() answer { return h.do(t, "GET", "/v1/agents", "") }, "listAgents", 200, true},
		{func() answer { return h.do(t, "HEAD", "/v1/agents", "") }, "listAgents", 200, true},
		{func() answer { return h.do(t, "POST", "/v1/agents", `{"name":"New"}`) }, "createAgent", 201, true},
		{func() answer { return h.do(t, "POST", "/v1/agents", `{`) }, "createAgent", 400, true},
		{func() answer { return h.do(t, "GET", "/v1/agents", "", "X-Api-Key", "") }, "listAgents", 401, true},
		{func() answer { return h.do(t, "GET", "/v1/agents/"+h.agent(t), "", "If-None-Match", "*") }, "getAgent", 304, true},
		{func() answer { return h.do(t, "POST", "/v1/message/stream", question) }, "streamMessage", 200, true},
		{func() answer { return h.do(t, "GET", "/nothing", "") }, "none", 404, true},
		{func() answer { return h.do(t, "DELETE", "/v1/agents", "") }, "none", 405, true},
		{func() answer { return h.do(t, "GET", "/v1/agents/z", "") }, "getAgent", 404, true},
		{func() answer { return h.do(t, "GET", "/openapi.yaml", "") }, "getOpenAPI", 200, true},
		{func() answer { return h.do(t, "GET", "/healthz", "") }, "getHealth", 200, false},
		{func() answer { return h.do(t, "GET", "/readyz", "") }, "getReadiness", 200, false},
		{func() answer { return h.do(t, "GET", "/metrics", "") }, "getMetrics", 200, false},
	} {
		counter := fmt.Sprintf(`answerdesk_http_requests_total{operation=%q,status="%d"}`, tt.operation, tt.status)
		before, lines := h.counted(t, counter), len(out.String())
		tt.do()
		if tt.operation == "getMetrics" {
			before-- // it has been asked before
		}
		if got := h.counted(t, counter); got != before+1 && !(tt.operation == "getMetrics" && got > before) {
			t.Errorf("%s went from %d to %d, want one more", counter, before, got)
		}
		line := ""
		if tt.line {
			line = fmt.Sprintf("level=INFO operation=%s status=%d\n", tt.operation, tt.status)
		}
		if got := out.String()[lines:]; got != line {
			t.Errorf("the log of %s has %q, want %q", tt.operation, got, line)
		}
	}
	text := string(h.do(t, "GET", "/metrics", "").body)
	for _, want := range []string{"answerdesk_http_streams_open 0\n", "answerdesk_http_request_duration_seconds_count ", "process_", "go_"} {
		if !strings.Contains(text, want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
}

// counted returns what a counter is at.
func (h *host) counted(t testing.TB, counter string) (n int) {
	t.Helper()
	text := string(h.do(t, "GET", "/metrics", "").body)
	if m := regexp.MustCompile(regexp.QuoteMeta(counter) + ` (\d+)`).FindStringSubmatch(text); m != nil {
		_, _ = fmt.Sscan(m[1], &n)
	}
	return n
}

// However odd the requests, there are no more counters than operations and statuses.
func TestCountersAreBounded(t *testing.T) {
	set := metrics.NewSet()
	h := open(t, nil, &server.Options{Metrics: set})
	h.do(t, "GET", "/v1/agents/x", "")
	h.do(t, "GET", "/x", "")
	h.do(t, "BREW", "/v1/agents", "")
	before := len(set.ListMetricNames())
	for i := range 100 {
		h.do(t, "GET", fmt.Sprintf("/v1/agents/%d?a%d=b", i, i), "", "X-Request-Id", fmt.Sprint(i))
		h.do(t, "GET", fmt.Sprintf("/%d", i), "")
		h.do(t, fmt.Sprintf("BREW%d", i), "/v1/agents", "")
	}
	if after := len(set.ListMetricNames()); after != before {
		t.Errorf("300 requests later there are %d counters, want %d", after, before)
	}
}

// Two servers may share their counters; open streams are counted while they are open.
func TestSharedCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set := metrics.NewSet()
		answerer, next := said("Nine.")
		a := open(t, &answerdesk.Options{Answerer: answerer}, &server.Options{Metrics: set})
		b := open(t, &answerdesk.Options{Answerer: answerer}, &server.Options{Metrics: set})
		streams := []*live{
			a.stream(t.Context(), t, "POST", "/v1/message/stream", question),
			b.stream(t.Context(), t, "POST", "/v1/message/stream", question),
		}
		synctest.Wait()
		if n := a.counted(t, "answerdesk_http_streams_open"); n != 2 {
			t.Errorf("%d streams are open, want 2", n)
		}
		for range streams {
			next <- struct{}{}
		}
		for _, l := range streams {
			<-l.done
		}
		if n := b.counted(t, "answerdesk_http_streams_open"); n != 0 {
			t.Errorf("%d streams are open, want none", n)
		}
		if n := b.counted(t, `answerdesk_http_requests_total{operation="streamMessage",status="200"}`); n != 2 {
			t.Errorf("%d streams were counted, want 2", n)
		}
	})
}

// That a caller leaves is no error of the server.
func TestCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &log{}
		release := make(chan struct{})
		h := open(t, &answerdesk.Options{Answerer: agenttest.Script(agenttest.Block(release), agenttest.Say("Nine."))}, &server.Options{Logger: slog.New(slog.NewTextHandler(out, nil))})
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.ServeHTTP(httptest.NewRecorder(), request(t, h.key, "POST", "/v1/message", question).WithContext(ctx))
		}()
		synctest.Wait()
		leave()
		<-done
		if n := h.counted(t, `answerdesk_http_requests_total{operation="createMessage",status="499"}`); n != 1 {
			t.Errorf("%d callers were counted to have left, want one", n)
		}
		if told := out.String(); !strings.Contains(told, "status=499") || strings.Contains(told, "level=ERROR") || strings.Contains(told, "level=WARN") {
			t.Errorf("the log has %s", told)
		}
		close(release)
		synctest.Wait()
	})
}

// A method that panics is answered for, and the server goes on; an answer that has
// begun is broken off, so that nobody takes it for a whole one.
func TestPanics(t *testing.T) {
	out := &log{}
	d := agenttest.Desk(t, hours)
	var value any
	h := &host{Server: server.New(d, &server.Options{
		Logger: slog.New(slog.NewTextHandler(out, nil)),
		Authenticate: func(r *http.Request) (access.Principal, error) {
			if r.Header.Get("X-Panic") != "" {
				panic(value)
			}
			return access.Principal{ID: "ada", Company: d.ID(), Scope: access.ScopeFull}, nil
		},
	}), desk: d}
	for _, value = range []any{"Sentinel", errors.New("Sentinel"), 1, http.ErrBodyNotAllowed} {
		h.do(t, "GET", "/v1/agents", "", "X-Panic", "1").is(t, 500, "internal_error")
	}
	if told := out.String(); strings.Contains(told, "Sentinel") || strings.Count(told, "panic while serving") != 4 || strings.Count(told, "status=500") != 4 || !strings.Contains(told, "logged_test.go") {
		t.Errorf("the log has %s", told)
	}
	h.do(t, "GET", "/v1/agents", "").read(t, 200, nil)

	value = http.ErrAbortHandler
	if p := panicked(func() { h.do(t, "GET", "/v1/agents", "", "X-Panic", "1") }); !aborted(p) {
		t.Errorf("http.ErrAbortHandler became %v", p)
	}
	if p := panicked(func() {
		h.ServeHTTP(&bursting{ResponseRecorder: httptest.NewRecorder()}, request(t, "", "GET", "/v1/agents", ""))
	}); !aborted(p) {
		t.Errorf("a panic within an answer became %v, want it broken off", p)
	}
	if told := out.String(); strings.Count(told, "panic while serving") != 5 {
		t.Errorf("the log has %s", told)
	}
}

func panicked(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

// A bursting response panics when it is written to.
type bursting struct{ *httptest.ResponseRecorder }

func (*bursting) Write([]byte) (int, error) { panic("burst") }

// aborted reports whether a panic is the one that breaks off an answer.
func aborted(p any) bool {
	err, ok := p.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}
