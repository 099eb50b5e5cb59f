package agent

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/jsonschema-go/jsonschema"
)

// AskFor asks for an answer in the form of a Go type, which must be a struct: it sets
// the message's ReplySchema to that of T, and reads [Reply.Data]. The value is T's zero
// value unless the reply's Outcome is [Answer]; an answer without data, such as that of
// an [Answerer] that makes none, is an error. Whether the data is right nothing checks
// but its form: what the text says is borne out, as in every reply.
func AskFor[T any](ctx context.Context, h *Handle, m Message) (T, Reply, error) {
	var value T
	schema, err := jsonschema.For[T](nil)
	if err != nil {
		return value, Reply{}, fmt.Errorf("the schema of %T: %w", value, err)
	}
	if m.ReplySchema, err = json.Marshal(schema); err != nil {
		return value, Reply{}, fmt.Errorf("the schema of %T: %w", value, err)
	}
	reply, err := h.Ask(ctx, m)
	if err != nil || reply.Outcome != Answer {
		return value, reply, err
	}
	if reply.Data == nil {
		return value, reply, fmt.Errorf("reply %s has no data: whoever writes replies here makes none", reply.ID)
	}
	if err := json.Unmarshal(reply.Data, &value); err != nil {
		var none T
		return none, reply, fmt.Errorf("the data of reply %s does not read as %T: %w", reply.ID, value, err)
	}
	return value, reply, nil
}
