package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/cloudwego/eino/adk"
	"github.com/cloudwego/eino/components/model"
	"github.com/cloudwego/eino/components/tool"
	"github.com/cloudwego/eino/components/tool/utils"
	"github.com/cloudwego/eino/compose"
	"github.com/cloudwego/eino/schema"
	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/core"
	"github.com/firebase/genkit/go/genkit"
	"github.com/tmc/langchaingo/agents"
	"github.com/tmc/langchaingo/chains"
	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/tools"
)

// What every turn consists of: a question, one call of a tool, and an answer.
const (
	question  = "Where is order A-1?"
	arguments = `{"order_id":"A-1"}`
	answer    = "Order A-1 was shipped on Tuesday."
)

var errAnswer = errors.New("the answer is another")

type order struct {
	OrderID string `json:"order_id" jsonschema:"required" jsonschema_description:"the number of the order"`
}

type status struct {
	State string `json:"state"`
}

// look is the tool.
func look(order) status { return status{State: "shipped on Tuesday"} }

// langchain returns a turn of langchaingo: an agent of OpenAI's functions in an
// executor, as its documentation runs agents with tools.
func langchain(context.Context) (turn, error) {
	executor := agents.NewExecutor(agents.NewOpenAIFunctionsAgent(langchainModel{}, []tools.Tool{langchainTool{}}))
	return func(ctx context.Context, _ func()) error {
		got, err := chains.Run(ctx, executor, question)
		if err == nil && got != answer {
			err = errAnswer
		}
		return err
	}, nil
}

type langchainTool struct{}

func (langchainTool) Name() string        { return "order_status" }
func (langchainTool) Description() string { return "Where an order is" }
func (langchainTool) Call(_ context.Context, input string) (string, error) {
	var in order
	if err := json.Unmarshal([]byte(input), &in); err != nil {
		return "", err
	}
	out, err := json.Marshal(look(in))
	return string(out), err
}

type langchainModel struct{}

func (m langchainModel) Call(ctx context.Context, prompt string, options ...llms.CallOption) (string, error) {
	return llms.GenerateFromSinglePrompt(ctx, m, prompt, options...)
}

func (langchainModel) GenerateContent(_ context.Context, messages []llms.MessageContent, _ ...llms.CallOption) (*llms.ContentResponse, error) {
	if messages[len(messages)-1].Role == llms.ChatMessageTypeHuman {
		call := llms.ToolCall{ID: "1", Type: "function", FunctionCall: &llms.FunctionCall{Name: "order_status", Arguments: `{"__arg1":` + quoted(arguments) + `}`}}
		return &llms.ContentResponse{Choices: []*llms.ContentChoice{{ToolCalls: []llms.ToolCall{call}, FuncCall: call.FunctionCall}}}, nil
	}
	return &llms.ContentResponse{Choices: []*llms.ContentChoice{{Content: answer}}}, nil
}

func quoted(s string) string { b, _ := json.Marshal(s); return string(b) }

// genkitTurn returns a turn of Genkit: a model and a tool that are defined, and
// Generate.
func genkitTurn(ctx context.Context) (turn, error) {
	g := genkit.Init(ctx)
	m := genkit.DefineModel(g, "bench/instant", &ai.ModelOptions{Supports: &ai.ModelSupports{Tools: true, Multiturn: true}},
		func(_ context.Context, r *ai.ModelRequest, _ core.StreamCallback[*ai.ModelResponseChunk]) (*ai.ModelResponse, error) {
			if r.Messages[len(r.Messages)-1].Role == ai.RoleUser {
				call := ai.NewToolRequestPart(&ai.ToolRequest{Name: "order_status", Ref: "1", Input: map[string]any{"order_id": "A-1"}})
				return &ai.ModelResponse{Request: r, Message: ai.NewModelMessage(call)}, nil
			}
			return &ai.ModelResponse{Request: r, Message: ai.NewModelTextMessage(answer), FinishReason: ai.FinishReasonStop}, nil
		})
	t := genkit.DefineTool(g, "order_status", "Where an order is", func(_ *ai.ToolContext, in order) (status, error) { return look(in), nil })
	return func(ctx context.Context, _ func()) error {
		got, err := genkit.Generate(ctx, g, ai.WithModel(m), ai.WithTools(t), ai.WithPrompt(question))
		if err == nil && got.Text() != answer {
			err = errAnswer
		}
		return err
	}, nil
}

// einoTurn returns a turn of Eino: an agent with a chat model and a tool, run by
// a runner.
func einoTurn(ctx context.Context) (turn, error) {
	t, err := utils.InferTool("order_status", "Where an order is", func(_ context.Context, in order) (status, error) { return look(in), nil })
	if err != nil {
		return nil, err
	}
	a, err := adk.NewChatModelAgent(ctx, &adk.ChatModelAgentConfig{
		Name: "desk", Description: "answers customers", Model: einoModel{},
		ToolsConfig: adk.ToolsConfig{ToolsNodeConfig: compose.ToolsNodeConfig{Tools: []tool.BaseTool{t}}},
	})
	if err != nil {
		return nil, err
	}
	runner := adk.NewRunner(ctx, adk.RunnerConfig{Agent: a})
	return func(ctx context.Context, _ func()) error {
		last := ""
		for events := runner.Query(ctx, question); ; {
			ev, ok := events.Next()
			if !ok {
				break
			}
			if ev.Err != nil {
				return ev.Err
			}
			if ev.Output != nil && ev.Output.MessageOutput != nil {
				m, err := ev.Output.MessageOutput.GetMessage()
				if err != nil {
					return err
				}
				last = m.Content
			}
		}
		if last != answer {
			return errAnswer
		}
		return nil
	}, nil
}

type einoModel struct{}

func (m einoModel) WithTools([]*schema.ToolInfo) (model.ToolCallingChatModel, error) { return m, nil }

func (einoModel) Generate(_ context.Context, messages []*schema.Message, _ ...model.Option) (*schema.Message, error) {
	if messages[len(messages)-1].Role == schema.User {
		return schema.AssistantMessage("", []schema.ToolCall{{ID: "1", Type: "function", Function: schema.FunctionCall{Name: "order_status", Arguments: arguments}}}), nil
	}
	return schema.AssistantMessage(answer, nil), nil
}

func (m einoModel) Stream(ctx context.Context, messages []*schema.Message, options ...model.Option) (*schema.StreamReader[*schema.Message], error) {
	whole, err := m.Generate(ctx, messages, options...)
	return schema.StreamReaderFromArray([]*schema.Message{whole}), err
}
