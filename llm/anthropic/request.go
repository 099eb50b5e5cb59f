package anthropic

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
)

// maxMarks is how many cache_control the API takes in a request.
const maxMarks = 4

// opening stands for what a user said before an assistant that spoke first.
const opening = "(The conversation begins.)"

type (
	body struct {
		Model        string        `json:"model"`
		MaxTokens    int           `json:"max_tokens"`
		Stream       bool          `json:"stream"`
		System       []block       `json:"system,omitempty"`
		Tools        []tool        `json:"tools,omitempty"`
		ToolChoice   *choice       `json:"tool_choice,omitempty"`
		Messages     []message     `json:"messages"`
		Temperature  *float64      `json:"temperature,omitempty"`
		OutputConfig *outputConfig `json:"output_config,omitempty"`
	}

	tool struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		InputSchema json.RawMessage `json:"input_schema"`
		Cache       *mark           `json:"cache_control,omitempty"`
	}

	choice struct {
		Type string `json:"type"`
		Name string `json:"name,omitempty"`
	}

	message struct {
		Role    string  `json:"role"`
		Content []block `json:"content"`
	}

	// A block is a part of a message; Type says which of the others it has.
	block struct {
		Type      string          `json:"type"`
		Text      *string         `json:"text,omitempty"`
		ID        string          `json:"id,omitempty"`
		Name      string          `json:"name,omitempty"`
		Input     json.RawMessage `json:"input,omitempty"`
		ToolUseID string          `json:"tool_use_id,omitempty"`
		Content   []block         `json:"content,omitempty"`
		IsError   bool            `json:"is_error,omitempty"`
		Thinking  *string         `json:"thinking,omitempty"`
		Signature string          `json:"signature,omitempty"`
		Data      string          `json:"data,omitempty"`
		Cache     *mark           `json:"cache_control,omitempty"`
	}

	mark struct {
		Type string `json:"type"`
	}

	outputConfig struct {
		Format format `json:"format"`
	}

	format struct {
		Type   string         `json:"type"`
		Schema map[string]any `json:"schema"`
	}
)

// render makes the body of a request.
func (m *Model) render(req llm.Request) (body, error) {
	b := body{
		Model:     m.api.Model(),
		MaxTokens: cmp.Or(max(0, req.MaxTokens), m.maxTokens),
		Stream:    true,
	}
	if req.Temperature != nil && m.temperature {
		b.Temperature = new(min(1, max(0, *req.Temperature)))
	}
	if !blank(req.Instructions) {
		b.System = []block{text(req.Instructions)}
	}
	b.tools(req)
	if req.Output != nil {
		schema, err := output.Narrow(req.Output.Schema)
		if err != nil {
			return body{}, m.api.BadRequest("the schema of the output %v", err)
		}
		b.OutputConfig = &outputConfig{format{"json_schema", schema}}
	}
	b.messages(req)
	if len(b.Messages) == 0 {
		return body{}, m.api.BadRequest("there is no message")
	}
	return b, nil
}

// tools declares the tools, and those that were called earlier, which the API wants
// to know too.
func (b *body) tools(req llm.Request) {
	for _, t := range req.Tools {
		b.Tools = append(b.Tools, tool{Name: t.Name, Description: t.Description, InputSchema: parameters(t.Parameters)})
	}
	for _, m := range req.Messages {
		for _, c := range m.ToolCalls {
			if len(req.Tools) == 0 && !slices.ContainsFunc(b.Tools, func(t tool) bool { return t.Name == c.Name }) {
				b.Tools = append(b.Tools, tool{Name: c.Name, InputSchema: parameters(nil)})
			}
		}
	}
	switch {
	case len(b.Tools) == 0:
	case len(req.Tools) == 0 || req.ToolChoice == llm.ToolNone:
		b.ToolChoice = &choice{Type: "none"}
	case req.ToolChoice == llm.ToolAuto:
		b.ToolChoice = &choice{Type: "auto"}
	case req.ToolChoice == llm.ToolRequired:
		b.ToolChoice = &choice{Type: "any"}
	default:
		b.ToolChoice = &choice{Type: "tool", Name: string(req.ToolChoice)}
	}
	if req.CacheInstructions && len(b.Tools) > 0 {
		b.Tools[len(b.Tools)-1].Cache = &mark{"ephemeral"}
	}
	if req.CacheInstructions && len(b.System) > 0 {
		b.System[len(b.System)-1].Cache = &mark{"ephemeral"}
	}
}

// messages renders the conversation, one message a turn.
func (b *body) messages(req llm.Request) {
	var marked []*block
	for _, m := range req.Messages {
		role, blocks := "user", results(m.Results)
		if m.Role == llm.Assistant {
			role, blocks = "assistant", spoken(m)
		} else if !blank(m.Text) {
			blocks = append(blocks, text(m.Text))
		}
		if len(blocks) == 0 {
			continue
		}
		if len(b.Messages) == 0 && role == "assistant" {
			b.Messages = append(b.Messages, message{"user", []block{text(opening)}})
		}
		if m.Cache {
			blocks[len(blocks)-1].Cache = &mark{"ephemeral"}
		}
		if last := len(b.Messages) - 1; last >= 0 && b.Messages[last].Role == role {
			b.Messages[last].Content = append(b.Messages[last].Content, blocks...)
		} else {
			b.Messages = append(b.Messages, message{role, blocks})
		}
	}
	for i := range b.Messages {
		for j := range b.Messages[i].Content {
			if b.Messages[i].Content[j].Cache != nil {
				marked = append(marked, &b.Messages[i].Content[j])
			}
		}
	}
	room := maxMarks
	for _, s := range b.System {
		if s.Cache != nil {
			room--
		}
	}
	for _, t := range b.Tools {
		if t.Cache != nil {
			room--
		}
	}
	for _, early := range marked[:max(0, len(marked)-room)] {
		early.Cache = nil
	}
}

// spoken renders what an assistant said and called, with what it thought before each
// call. A message with calls must not begin with text if there were thoughts.
func spoken(m llm.Message) []block {
	var blocks []block
	for i, c := range m.ToolCalls {
		blocks = append(blocks, thoughts(c.Signature)...)
		if i == 0 && !blank(m.Text) {
			blocks = append(blocks, text(m.Text))
		}
		input := c.Arguments
		if len(input) == 0 {
			input = json.RawMessage("{}")
		}
		blocks = append(blocks, block{Type: "tool_use", ID: callID(c.ID), Name: c.Name, Input: input})
	}
	if len(m.ToolCalls) == 0 && !blank(m.Text) {
		blocks = append(blocks, text(m.Text))
	}
	return blocks
}

func results(all []llm.ToolResult) []block {
	var blocks []block
	for _, r := range all {
		b := block{Type: "tool_result", ToolUseID: callID(r.CallID), IsError: r.Failed}
		if !blank(r.Content) {
			b.Content = []block{text(r.Content)}
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// thoughts reads blocks of thinking from the signature of a call. That of another
// provider holds none.
func thoughts(signature string) []block {
	var blocks []block
	if !strings.HasPrefix(signature, "[") || json.Unmarshal([]byte(signature), &blocks) != nil {
		return nil
	}
	var kept []block
	for _, b := range blocks {
		switch {
		case b.Type == "thinking" && b.Thinking != nil && b.Signature != "":
			kept = append(kept, block{Type: b.Type, Thinking: b.Thinking, Signature: b.Signature})
		case b.Type == "redacted_thinking" && b.Data != "":
			kept = append(kept, block{Type: b.Type, Data: b.Data})
		}
	}
	return kept
}

func text(s string) block { return block{Type: "text", Text: &s} }

// blank reports whether a text is one that the API refuses as empty.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

// callID returns the id of a call as the API takes it: that of another provider may
// have other characters.
func callID(id string) string {
	if id != "" && len(id) <= 64 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == "" {
		return id
	}
	return fmt.Sprintf("call_%x", sha256.Sum256([]byte(id)))[:32]
}
