package gemini

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/answerdesk-go/answerdesk/llm"
	"github.com/answerdesk-go/answerdesk/llm/internal/schema"
)

// opening stands for what a user said before an assistant that spoke first.
const opening = "(The conversation begins.)"

// unsigned is the signature of a call that another model made: what Google documents
// for that, https://ai.google.dev/gemini-api/docs/thought-signatures.
const unsigned = "skip_thought_signature_validator"

// dialect is what Gemini takes of JSON Schema: the list is that of Google's Go SDK
// 1.77, at GenerateContentConfig.ResponseJsonSchema.
var dialect = schema.Dialect{
	Keywords: []string{
		"$id", "$defs", "$ref", "$anchor", "type", "format", "title", "description", "enum", "items", "prefixItems",
		"minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf", "properties", "additionalProperties", "required",
		"propertyOrdering",
	},
	Formats: []string{"date-time", "date", "time", "duration", "int32", "int64", "float", "double", "enum"},
	Mend: func(s map[string]any) {
		if one, ok := s["const"]; ok && s["enum"] == nil {
			s["enum"] = []any{one}
		}
	},
}

type (
	body struct {
		System     *content   `json:"systemInstruction,omitempty"`
		Contents   []content  `json:"contents"`
		Tools      []tools    `json:"tools,omitempty"`
		ToolConfig *config    `json:"toolConfig,omitempty"`
		Generation generation `json:"generationConfig,omitzero"`
	}

	content struct {
		Role  string `json:"role"`
		Parts []part `json:"parts"`
	}

	// A part has one of Text, Call and Result.
	part struct {
		Text      string  `json:"text,omitempty"`
		Call      *call   `json:"functionCall,omitempty"`
		Result    *result `json:"functionResponse,omitempty"`
		Signature string  `json:"thoughtSignature,omitempty"`
	}

	call struct {
		ID   string          `json:"id,omitempty"`
		Name string          `json:"name"`
		Args json.RawMessage `json:"args,omitempty"`
	}

	result struct {
		ID       string         `json:"id,omitempty"`
		Name     string         `json:"name"`
		Response map[string]any `json:"response"`
	}

	tools struct {
		Functions []function `json:"functionDeclarations"`
	}

	function struct {
		Name        string         `json:"name"`
		Description string         `json:"description,omitempty"`
		Parameters  map[string]any `json:"parametersJsonSchema,omitempty"`
	}

	config struct {
		Calling calling `json:"functionCallingConfig"`
	}

	calling struct {
		Mode    string   `json:"mode"`
		Allowed []string `json:"allowedFunctionNames,omitempty"`
	}

	generation struct {
		MaxTokens   int            `json:"maxOutputTokens,omitzero"`
		Temperature *float64       `json:"temperature,omitempty"`
		MIMEType    string         `json:"responseMimeType,omitempty"`
		Schema      map[string]any `json:"responseJsonSchema,omitempty"`
	}
)

// render makes the body of a request.
func (m *Model) render(req llm.Request) (body, error) {
	b := body{Generation: generation{MaxTokens: cmp.Or(max(0, req.MaxTokens), m.maxTokens)}}
	if req.Temperature != nil {
		b.Generation.Temperature = new(min(2, max(0, *req.Temperature)))
	}
	if !blank(req.Instructions) {
		b.System = &content{"user", []part{{Text: req.Instructions}}}
	}
	if o := req.Output; o != nil {
		narrowed, err := dialect.Narrow(o.Schema)
		if err != nil {
			return body{}, m.api.BadRequest("the schema of the output %v", err)
		}
		b.Generation.MIMEType, b.Generation.Schema = "application/json", narrowed
	}
	if len(req.Tools) > 0 {
		var all []function
		for _, t := range req.Tools {
			f := function{Name: t.Name, Description: t.Description}
			if len(t.Parameters) > 0 {
				var err error
				if f.Parameters, err = dialect.Narrow(t.Parameters); err != nil {
					return body{}, m.api.BadRequest("the schema of a tool's parameters %v", err)
				}
			}
			all = append(all, f)
		}
		b.Tools, b.ToolConfig = []tools{{all}}, &config{choice(req.ToolChoice)}
	}
	b.contents(req.Messages, m.signed)
	if len(b.Contents) == 0 {
		return body{}, m.api.BadRequest("there is no message")
	}
	return b, nil
}

func choice(c llm.ToolChoice) calling {
	switch c {
	case llm.ToolAuto:
		return calling{Mode: "AUTO"}
	case llm.ToolNone:
		return calling{Mode: "NONE"}
	case llm.ToolRequired:
		return calling{Mode: "ANY"}
	}
	return calling{Mode: "ANY", Allowed: []string{string(c)}}
}

// contents renders the conversation. Only calls since the last text of a user need
// a signature.
func (b *body) contents(messages []llm.Message, signed bool) {
	turn := 0 // the current one begins here
	for i, m := range messages {
		if m.Role == llm.User {
			turn = i
		}
	}
	for i, m := range messages {
		switch {
		case m.Role == llm.Assistant:
			if len(b.Contents) == 0 && (!blank(m.Text) || len(m.ToolCalls) > 0) {
				b.text("user", opening)
			}
			b.text("model", m.Text)
			b.calls(m.ToolCalls, signed && i > turn)
		case len(m.Results) > 0:
			var parts []part
			for _, r := range m.Results {
				parts = append(parts, part{Result: &result{ID: callID(r.CallID), Name: r.Name, Response: response(r)}})
			}
			b.Contents = append(b.Contents, content{"user", parts})
		default:
			b.text("user", m.Text)
		}
	}
}

// text adds a text, to the last content if that is text of the same role.
func (b *body) text(role, text string) {
	if blank(text) {
		return
	}
	if last := len(b.Contents) - 1; last >= 0 && b.Contents[last].Role == role {
		if parts := b.Contents[last].Parts; parts[len(parts)-1].Text != "" {
			b.Contents[last].Parts = append(parts, part{Text: text})
			return
		}
	}
	b.Contents = append(b.Contents, content{role, []part{{Text: text}}})
}

// calls adds the calls of a model, after its text. The first of those that were made
// at once is the one that has a signature.
func (b *body) calls(all []llm.ToolCall, signed bool) {
	var parts []part
	for i, c := range all {
		p := part{Call: &call{ID: callID(c.ID), Name: c.Name, Args: c.Arguments}, Signature: signature(c.Signature)}
		if i == 0 && signed && p.Signature == "" {
			p.Signature = unsigned
		}
		parts = append(parts, p)
	}
	if len(parts) == 0 {
		return
	}
	if last := len(b.Contents) - 1; last >= 0 && b.Contents[last].Role == "model" {
		b.Contents[last].Parts = append(b.Contents[last].Parts, parts...)
		return
	}
	b.Contents = append(b.Contents, content{"model", parts})
}

// response is a result as an object, JSON in it as what it is.
func response(r llm.ToolResult) map[string]any {
	var value any = r.Content
	if s := strings.TrimSpace(r.Content); (strings.HasPrefix(s, "{") || strings.HasPrefix(s, "[")) && json.Valid([]byte(s)) {
		value = json.RawMessage(s)
	}
	if r.Failed {
		return map[string]any{"error": value}
	}
	return map[string]any{"output": value}
}

// callID returns the id of a call if Gemini gave it. Where it gives none, results
// stand in the order of calls.
func callID(id string) string {
	if strings.HasPrefix(id, "call_") { // ours, and those of some other providers
		return ""
	}
	return id
}

// signature returns what is base64, since that of another provider is not.
func signature(s string) string {
	for _, form := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		if _, err := form.DecodeString(s); err == nil {
			return s
		}
	}
	return ""
}

func blank(s string) bool { return strings.TrimSpace(s) == "" }
