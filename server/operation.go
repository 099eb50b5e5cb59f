package server

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
	"github.com/answerdesk-go/answerdesk/knowledge"
)

// An operation is what the contract says about one route.
type operation struct {
	id, method, path string
	scope            access.Scope // empty: no key is needed
	operatorOnly     bool
	repeatable       bool // whether it honours Idempotency-Key
	revises          bool // whether its answer tells the revision of the knowledge
	params           []*openapi3.Parameter
	media            string // of its body; empty: it has none
	optionalBody     bool
	schema           *openapi3.Schema // of its body, if that is JSON
	limit            int64            // of its body, in bytes
}

const (
	smallBody    = 1 << 20
	documentBody = 32 << 20                                       // a text of 16 MiB, written with escapes
	bulkBody     = 100_000_000                                    // as the contract says
	uploadBody   = knowledge.MaxFile + maxParts*(maxField+16<<10) // a file, its fields, and what parts them
)

// limits of bodies that are not small.
var bodyLimits = map[string]int64{
	"createDocument":   documentBody,
	"updateDocument":   documentBody,
	"createContent":    documentBody,
	"updateContent":    documentBody,
	"uploadFile":       uploadBody,
	"uploadAttachment": uploadBody,
	"createQAPairs":    documentBody,
	bulkID:             bulkBody,
}

// bulkID is the operation whose body is too large to be compared with the contract
// as a whole: it does so itself, piece by piece.
const bulkID = "createContentBulk"

// streams reports whether an operation may answer with events, each of which is to
// arrive at once: what compresses an answer holds it back.
func (op *operation) streams() bool {
	return op.id == "streamMessage" || op.id == "listMessageEvents" || op.id == "listRunEvents"
}

// loaded are the operations of the contract, read once: that takes longer than all
// else about a server.
var loaded = sync.OnceValues(func() ([]*operation, bulkSchemas) {
	doc, ops, err := load(answerdesk.OpenAPI())
	if err != nil {
		panic(err) // a test loads it
	}
	return ops, newBulkSchemas(doc)
})

// load reads the contract.
func load(contract []byte) (*openapi3.T, []*operation, error) {
	doc, err := openapi3.NewLoader().LoadFromData(contract)
	if err == nil {
		err = doc.Validate(context.Background())
	}
	if err != nil {
		return nil, nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	for _, s := range doc.Components.Schemas {
		plainNulls(s.Value)
	}
	var ops []*operation
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			ops = append(ops, newOperation(method, path, o))
		}
	}
	slices.SortFunc(ops, func(a, b *operation) int { return strings.Compare(a.id, b.id) })
	return doc, ops, nil
}

// plainNulls writes the fields of a schema that are "one of X and null" as X of which
// null is one more type. It is the same, and errors then say what is wrong with X.
func plainNulls(s *openapi3.Schema) {
	for name, field := range s.Properties {
		s.Properties[name] = plainNull(field)
		if others := &field.Value.AdditionalProperties; others.Schema != nil {
			others.Schema = plainNull(others.Schema)
		}
	}
}

func plainNull(field *openapi3.SchemaRef) *openapi3.SchemaRef {
	of := field.Value.OneOf
	if len(of) != 2 || !of[1].Value.Type.Is("null") {
		return field
	}
	plain := *of[0].Value
	plain.Type = new(append(slices.Clone(*plain.Type), "null"))
	return plain.NewRef()
}

func newOperation(method, path string, o *openapi3.Operation) *operation {
	op := &operation{id: o.OperationID, method: method, path: path, limit: smallBody}
	if scope, ok := o.Extensions["x-scope"].(string); ok {
		op.scope = access.Scope(scope)
	}
	op.operatorOnly = strings.HasPrefix(path, "/v1/companies")
	for _, p := range o.Parameters {
		op.params = append(op.params, p.Value)
		op.repeatable = op.repeatable || p.Value.Name == "Idempotency-Key"
	}
	for _, response := range o.Responses.Map() {
		op.revises = op.revises || response.Value.Headers[revisionHeader] != nil
	}
	if o.RequestBody != nil {
		body := o.RequestBody.Value
		op.optionalBody = !body.Required
		op.media = slices.Collect(maps.Keys(body.Content))[0]
		if op.media == jsonMedia && op.id != bulkID {
			op.schema = body.Content[op.media].Schema.Value
		}
	}
	if n, ok := bodyLimits[op.id]; ok {
		op.limit = n
	}
	return op
}
