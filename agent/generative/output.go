package generative

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/llm"
)

// outputName names the form to providers.
const outputName = "reply"

// fill has the model answer in the form that the caller asks for: an object with the
// text for the customer, which is checked as every text is, and the data. Data that
// does not fit the schema is sent back once, with what is wrong.
func (t *turn) fill(ctx context.Context, req llm.Request) error {
	schema, err := resolve(t.q.Message.ReplySchema)
	if err != nil {
		return fmt.Errorf("reply_schema: %w", err)
	}
	outer, err := json.Marshal(map[string]any{
		"type": "object", "additionalProperties": false, "required": []string{"text", "data"},
		"properties": map[string]any{
			"text": map[string]any{"type": "string", "description": "The answer for the customer, by the rules, or " + markNoAnswer + "."},
			"data": t.q.Message.ReplySchema,
		},
	})
	if err != nil {
		return err
	}
	req.Output = &llm.Output{Name: outputName, Schema: outer}
	for try := range 2 {
		said, calls, err := t.listen(ctx, req, "answer", nil)
		if err != nil || t.out.left {
			return err
		}
		text, data, wrong := read(said, schema)
		if wrong == nil || strings.Contains(text, markNoAnswer) {
			t.say(text, data)
			return nil
		}
		if try == 1 || t.last || len(calls) > 0 {
			return modelError{fmt.Errorf("model: %w", &llm.Error{Provider: "model", Kind: llm.Malformed, Detail: "the data does not fit the reply's schema"})}
		}
		req.Messages = append(slices.Clip(req.Messages),
			llm.Message{Role: llm.Assistant, Text: nonEmpty(said)},
			llm.Message{Role: llm.User, Text: "That does not fit the form: " + cut(wrong.Error(), 1000) + "\nGive the whole answer again, in the form."})
	}
	return nil
}

// say writes the text of an answer, and passes its data on if there is an answer.
func (t *turn) say(text string, data json.RawMessage) {
	t.tell(text)
	if t.out.shown && t.out.length > 0 && !t.privateData(data) && (t.out.dropped == 0 || t.q.Agent.Unsupported != agent.UnsupportedRefuse) {
		t.out.send(agent.Part{Data: data})
	}
}

// resolve reads a schema that was checked when the message was taken.
func resolve(raw json.RawMessage) (*jsonschema.Resolved, error) {
	var s jsonschema.Schema
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("is no JSON Schema: %w", err)
	}
	return s.Resolve(nil)
}

// read takes an answer apart; wrong says how it does not fit.
func read(said string, schema *jsonschema.Resolved) (text string, data json.RawMessage, wrong error) {
	said = strings.TrimSpace(said)
	if inner, ok := strings.CutPrefix(said, "```json"); ok {
		said = strings.TrimSuffix(strings.TrimSpace(inner), "```")
	}
	var form struct {
		Text string          `json:"text"`
		Data json.RawMessage `json:"data"`
	}
	d := json.NewDecoder(strings.NewReader(said))
	if err := d.Decode(&form); err != nil {
		return "", nil, fmt.Errorf("it is no JSON object with text and data")
	}
	var value map[string]any
	if err := json.Unmarshal(form.Data, &value); err != nil || value == nil {
		return form.Text, nil, fmt.Errorf("data is no JSON object")
	}
	if err := schema.Validate(value); err != nil {
		return form.Text, nil, fmt.Errorf("data: %w", err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, form.Data); err != nil {
		return form.Text, nil, err
	}
	return form.Text, b.Bytes(), nil
}

func nonEmpty(s string) string {
	if s == "" {
		return "{}"
	}
	return s
}
