package telemetry_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/llmtest"
	"github.com/answerdesk-go/answerdesk/telemetry"
)

// A watched is what is told of turns.
type watched struct {
	*telemetry.Telemetry
	spans   *tracetest.SpanRecorder
	metrics *metric.ManualReader
}

func watch(t *testing.T) watched {
	t.Helper()
	w := watched{spans: tracetest.NewSpanRecorder(), metrics: metric.NewManualReader()}
	var err error
	w.Telemetry, err = telemetry.New(&telemetry.Options{
		TracerProvider: trace.NewTracerProvider(trace.WithSpanProcessor(w.spans)),
		MeterProvider:  metric.NewMeterProvider(metric.WithReader(w.metrics)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// span returns the one span of a name, and what it says.
func (w watched) span(t *testing.T, name string) (trace.ReadOnlySpan, map[attribute.Key]string) {
	t.Helper()
	all := w.spans.Ended()
	i := slices.IndexFunc(all, func(s trace.ReadOnlySpan) bool { return s.Name() == name })
	if i < 0 {
		t.Fatalf("there is no span %q among %d", name, len(all))
	}
	attrs := map[attribute.Key]string{}
	for _, a := range all[i].Attributes() {
		attrs[a.Key] = a.Value.Emit()
	}
	return all[i], attrs
}

// The words of a customer, which must stand nowhere.
const (
	words  = "Where is the parcel for Mrs Kowalczyk?"
	secret = "Kowalczyk"
)

func TestTurn(t *testing.T) {
	w := watch(t)
	find := agent.MustTool("find_parcel", "Finds a parcel", func(context.Context, struct {
		Name string `json:"name"`
	}) (string, error) {
		return "with the neighbours of " + secret, nil
	}, nil)
	model := llmtest.NewScript(
		llmtest.Call("find_parcel", map[string]string{"name": secret}),
		llmtest.Say("It is with the neighbours of "+secret+"."),
	)
	desk, err := answerdesk.Open(t.Context(), t.TempDir(), &answerdesk.Options{
		Model: w.Model(model), Tools: []agent.Tool{find},
		Middleware: []agent.Middleware{w.Turn}, ToolMiddleware: []agent.ToolMiddleware{w.Tool},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	reply, err := desk.Agent("").Ask(t.Context(), agent.Message{Text: words})
	if err != nil || reply.Outcome != agent.Answer {
		t.Fatalf("the turn = %q %q, %v, want an answer", reply.Outcome, reply.Text, err)
	}

	a, err := desk.Agent("").Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	turn, said := w.span(t, "invoke_agent "+a.Name)
	want := map[attribute.Key]string{
		"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": reply.AgentID, "gen_ai.conversation.id": reply.ConversationID,
		"answerdesk.company.id": desk.ID(), "answerdesk.outcome": "answer",
	}
	for key, value := range want {
		if said[key] != value {
			t.Errorf("the turn's %s = %q, want %q", key, said[key], value)
		}
	}
	tool, said := w.span(t, "execute_tool find_parcel")
	if tool.Parent().TraceID() != turn.SpanContext().TraceID() || said["gen_ai.tool.call.id"] != reply.ToolCalls[0].ID {
		t.Errorf("the call = %v, want that of %s, in the turn's trace", said, reply.ToolCalls[0].ID)
	}
	for _, s := range w.spans.Ended() {
		if said := fmt.Sprint(s.Name(), s.Attributes(), s.Events(), s.Status()); strings.Contains(said, secret) || strings.Contains(said, "parcel?") {
			t.Errorf("a customer's words stand in %s", said)
		}
	}
}

func TestModel(t *testing.T) {
	w := watch(t)
	ask := llm.Request{Messages: []llm.Message{{Role: llm.User, Text: words}}, MaxTokens: 50}
	got, err := llm.Collect(w.Model(&llmtest.Instant{Text: "With the neighbours."}).Generate(t.Context(), ask))
	if err != nil || got.Text != "With the neighbours." {
		t.Fatalf("the answer = %q, %v", got.Text, err)
	}
	provider, name, _ := strings.Cut(got.Model, ":")
	_, said := w.span(t, "chat "+name)
	for key, value := range map[attribute.Key]string{
		"gen_ai.operation.name": "chat", "gen_ai.provider.name": provider, "gen_ai.response.model": name, "gen_ai.request.max_tokens": "50",
		"gen_ai.usage.input_tokens": fmt.Sprint(got.Usage.Input), "gen_ai.usage.output_tokens": fmt.Sprint(got.Usage.Output),
		"gen_ai.response.finish_reasons": `["stop"]`,
	} {
		if said[key] != value {
			t.Errorf("%s = %q, want %q", key, said[key], value)
		}
	}
	var told metricdata.ResourceMetrics
	if err := w.metrics.Collect(t.Context(), &told); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range told.ScopeMetrics[0].Metrics {
		names = append(names, m.Name)
	}
	for _, name := range []string{"gen_ai.client.operation.duration", "gen_ai.client.token.usage", "gen_ai.client.operation.time_to_first_chunk"} {
		if !slices.Contains(names, name) {
			t.Errorf("the metrics are %q, which lacks %s", names, name)
		}
	}
}

func TestModelFails(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&llm.Error{Provider: "openai", Kind: llm.RateLimit, Code: "slow_down"}, "rate_limit"},
		{fmt.Errorf("broke: %w", llm.ErrIncomplete), "incomplete"},
		{context.Canceled, "cancelled"},
		{errors.New("not found: " + secret), "_OTHER"},
	} {
		w := watch(t)
		_, err := llm.Collect(w.Model(llmtest.NewScript(llmtest.Fail(test.err))).Generate(t.Context(), llm.Request{Messages: []llm.Message{{Role: llm.User, Text: words}}}))
		if !errors.Is(err, test.err) {
			t.Errorf("the error is %v, want %v", err, test.err)
		}
		span, said := w.span(t, "chat")
		if said["error.type"] != test.want || span.Status().Code != codes.Error || strings.Contains(fmt.Sprint(span.Status()), secret) {
			t.Errorf("of %v is told %v, %v, want %s and no words", test.err, said, span.Status(), test.want)
		}
	}
}

// Whoever leaves an answer ends its span too.
func TestModelLeft(t *testing.T) {
	w := watch(t)
	for range w.Model(&llmtest.Instant{Text: "With the neighbours."}).Generate(t.Context(), llm.Request{Messages: []llm.Message{{Role: llm.User, Text: words}}}) {
		break
	}
	if _, said := w.span(t, "chat"); said["error.type"] != "abandoned" {
		t.Errorf("of an answer that was left is told %v", said)
	}
}
