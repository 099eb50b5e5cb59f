package telemetry

import (
	"context"
	"iter"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/answerdesk-go/answerdesk/llm"
)

// Model returns m with a span "chat MODEL" an answer, and the metrics of the
// conventions: how long answers take, how long until their first part, and how many
// tokens they have.
func (t *Telemetry) Model(m llm.Model) llm.Model { return model{t, m} }

type model struct {
	*Telemetry
	llm.Model
}

// Generate implements [llm.Model].
func (m model) Generate(ctx context.Context, req llm.Request) iter.Seq2[llm.Event, error] {
	return func(yield func(llm.Event, error) bool) {
		ctx, span := m.tracer.Start(ctx, "chat", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			semconv.GenAIOperationNameChat, semconv.GenAIRequestStream(true),
		))
		defer span.End()
		if req.MaxTokens > 0 {
			span.SetAttributes(semconv.GenAIRequestMaxTokens(req.MaxTokens))
		}
		if req.Temperature != nil {
			span.SetAttributes(semconv.GenAIRequestTemperature(*req.Temperature))
		}
		c := chat{Telemetry: m.Telemetry, begun: time.Now(), failure: "abandoned"} // by its reader, unless an end comes
		defer func() { c.end(ctx, span) }()
		for ev, err := range m.Model.Generate(ctx, req) {
			c.take(ev, err)
			if !yield(ev, err) {
				return
			}
		}
	}
}

// A chat is one answer of a model.
type chat struct {
	*Telemetry
	begun   time.Time
	first   time.Duration
	done    llm.Done
	failure string // what went wrong, if anything
}

func (c *chat) take(ev llm.Event, err error) {
	if c.first == 0 {
		c.first = time.Since(c.begun)
	}
	if err != nil {
		c.failure = kindOf(err)
	}
	if done, ok := ev.(llm.Done); ok && err == nil {
		c.done, c.failure = done, ""
	}
}

// end tells what there was of the answer.
func (c *chat) end(ctx context.Context, span trace.Span) {
	provider, name, _ := strings.Cut(c.done.Model, ":")
	if name != "" {
		span.SetName("chat " + name)
		span.SetAttributes(semconv.GenAIResponseModel(name), semconv.GenAIProviderNameKey.String(provider))
	}
	as := genaiconv.ProviderNameAttr(provider)
	if provider == "" {
		as = "_OTHER"
	}
	attrs := []attribute.KeyValue{semconv.GenAIResponseModel(name)}
	if c.failure != "" {
		failed(span, c.failure)
		attrs = append(attrs, semconv.ErrorTypeKey.String(c.failure))
	}
	c.durations.Record(ctx, time.Since(c.begun).Seconds(), genaiconv.OperationNameChat, as, attrs...)
	if c.first > 0 {
		c.Telemetry.first.Record(ctx, c.first.Seconds(), genaiconv.OperationNameChat, as, attrs...)
	}
	if c.failure != "" {
		return
	}
	u := c.done.Usage
	span.SetAttributes(
		semconv.GenAIResponseFinishReasons(string(c.done.Reason)), semconv.GenAIResponseTimeToFirstChunk(c.first.Seconds()),
		semconv.GenAIUsageInputTokens(u.Input), semconv.GenAIUsageOutputTokens(u.Output),
		semconv.GenAIUsageCacheReadInputTokens(u.Cached), semconv.GenAIUsageCacheCreationInputTokens(u.CacheNew),
		semconv.GenAIUsageReasoningOutputTokens(u.Reasoning),
	)
	c.tokens.Record(ctx, int64(u.Input), genaiconv.OperationNameChat, as, genaiconv.TokenTypeInput, attrs...)
	c.tokens.Record(ctx, int64(u.Output), genaiconv.OperationNameChat, as, genaiconv.TokenTypeOutput, attrs...)
}
