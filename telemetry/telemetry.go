package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
)

// scope names who makes the spans and metrics.
const scope = "github.com/answerdesk-go/answerdesk/telemetry"

// The attributes that the conventions have no name for.
const (
	companyKey    = attribute.Key("answerdesk.company.id")
	outcomeKey    = attribute.Key("answerdesk.outcome")
	confidenceKey = attribute.Key("answerdesk.confidence")
	citationsKey  = attribute.Key("answerdesk.citations")
)

// Options say where spans and metrics go.
type Options struct {
	TracerProvider trace.TracerProvider // nil: the global one
	MeterProvider  metric.MeterProvider // nil: the global one
}

// Telemetry wraps turns, tools and models. It is safe for use by many goroutines.
type Telemetry struct {
	tracer    trace.Tracer
	durations genaiconv.ClientOperationDuration
	first     genaiconv.ClientOperationTimeToFirstChunk
	tokens    genaiconv.ClientTokenUsage
}

// New returns a Telemetry. A nil opts means the global providers. Its error is that
// of a provider that makes no instrument.
func New(opts *Options) (*Telemetry, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.TracerProvider == nil {
		o.TracerProvider = otel.GetTracerProvider()
	}
	if o.MeterProvider == nil {
		o.MeterProvider = otel.GetMeterProvider()
	}
	meter := o.MeterProvider.Meter(scope)
	durations, err := genaiconv.NewClientOperationDuration(meter)
	first, err2 := genaiconv.NewClientOperationTimeToFirstChunk(meter)
	tokens, err3 := genaiconv.NewClientTokenUsage(meter)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, fmt.Errorf("telemetry: %w", err)
	}
	return &Telemetry{tracer: o.TracerProvider.Tracer(scope), durations: durations, first: first, tokens: tokens}, nil
}

// Turn is an [agent.Middleware]: a span "invoke_agent NAME" a turn.
func (t *Telemetry) Turn(next agent.TurnFunc) agent.TurnFunc {
	return func(ctx context.Context, x *agent.Exchange) (agent.Reply, error) {
		ctx, span := t.tracer.Start(ctx, "invoke_agent "+x.Agent.Name, trace.WithAttributes(
			semconv.GenAIOperationNameInvokeAgent, semconv.GenAIAgentID(x.Agent.ID), semconv.GenAIAgentName(x.Agent.Name),
			semconv.GenAIAgentVersion(fmt.Sprint(x.Agent.Version)), semconv.GenAIConversationID(x.Message.ConversationID),
			companyKey.String(x.Company),
		))
		defer span.End()
		reply, err := next(ctx, x)
		if err != nil {
			failed(span, kindOf(err))
			return reply, err
		}
		span.SetAttributes(outcomeKey.String(string(reply.Outcome)), confidenceKey.Float64(reply.Confidence.Score), citationsKey.Int(len(reply.Citations)))
		return reply, nil
	}
}

// Tool is an [agent.ToolMiddleware]: a span "execute_tool NAME" a call that is made.
func (t *Telemetry) Tool(next agent.ToolFunc) agent.ToolFunc {
	return func(ctx context.Context, c agent.Call) (json.RawMessage, error) {
		ctx, span := t.tracer.Start(ctx, "execute_tool "+c.Name, trace.WithAttributes(
			semconv.GenAIOperationNameExecuteTool, semconv.GenAIToolName(c.Name), semconv.GenAIToolCallID(c.ID), semconv.GenAIToolType("function"),
			semconv.GenAIAgentID(c.AgentID), semconv.GenAIConversationID(c.ConversationID), companyKey.String(c.Company),
		))
		defer span.End()
		result, err := next(ctx, c)
		if err != nil {
			failed(span, kindOf(err))
		}
		return result, err
	}
}

// failed marks a span as failed, with a code in place of the words of the error,
// which may be a customer's.
func failed(span trace.Span, kind string) {
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	span.SetStatus(codes.Error, kind)
}

// kindOf is what of an error may be told.
func kindOf(err error) string {
	failed, ok := errors.AsType[*llm.Error](err)
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case ok:
		return string(failed.Kind)
	case errors.Is(err, llm.ErrIncomplete):
		return "incomplete"
	}
	return "_OTHER"
}
