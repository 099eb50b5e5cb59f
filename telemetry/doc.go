// Package telemetry tells OpenTelemetry how turns, tools and models do: spans and
// metrics after its conventions for generative AI, version 1.41 of
// https://opentelemetry.io/docs/specs/semconv/gen-ai/. It is a module of its own, so
// that whoever does not import it has no module of OpenTelemetry.
//
//	t, err := telemetry.New(nil) // the global providers
//	desk, err := answerdesk.Open(ctx, "data", &answerdesk.Options{
//		Model:          t.Model(model),
//		Middleware:     []agent.Middleware{t.Turn},
//		ToolMiddleware: []agent.ToolMiddleware{t.Tool},
//	})
//
// Spans and metrics hold ids, counts and codes: no words of customers, documents,
// prompts or answers, and no arguments or results of tools.
package telemetry
