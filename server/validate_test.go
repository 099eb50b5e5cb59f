package server

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/oapi-codegen/runtime"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// bodies are the Go types of what operations take.
var bodies = map[string]func() any{
	"createMessage":       func() any { return new(api.MessageRequest) },
	"streamMessage":       func() any { return new(api.MessageRequest) },
	"giveFeedback":        func() any { return new(api.FeedbackRequest) },
	"answerToolCall":      func() any { return new(api.ToolResultRequest) },
	"createAgent":         func() any { return new(api.AgentRequest) },
	"updateAgentSettings": func() any { return new(api.AgentSettingsPatch) },
	"createDocument":      func() any { return new(api.DocumentRequest) },
	"updateDocument":      func() any { return new(api.DocumentPatch) },
	"rollbackDocument":    func() any { return new(api.RollbackRequest) },
	"createWebsite":       func() any { return new(api.WebsiteRequest) },
	"updateWebsite":       func() any { return new(api.WebsitePatch) },
	"crawlWebsite":        func() any { return new(api.CrawlRequest) },
	"createAPISource":     func() any { return new(api.APISourceRequest) },
	"updateAPISource":     func() any { return new(api.APISourcePatch) },
	"syncAPISource":       func() any { return new(api.SyncRequest) },
	"previewAPISource":    func() any { return new(api.APISourcePreviewRequest) },
	"startTraining":       func() any { return new(api.TrainRequest) },
	"createQAPairs":       func() any { return new(api.QAPairsRequest) },
	"updateQAPair":        func() any { return new(api.QAPairPatch) },
	"searchKnowledge":     func() any { return new(api.SearchRequest) },
	"createContent":       func() any { return new(api.ContentRequest) },
	"updateContent":       func() any { return new(api.ContentPatch) },
	"createAPIKey":        func() any { return new(api.APIKeyRequest) },
	"rotateAPIKey":        func() any { return new(api.RotateAPIKeyRequest) },
	"createCompany":       func() any { return new(api.CompanyRequest) },
	"an item of a bulk":   func() any { return new(api.BulkItem) },
	"the frame of a bulk": func() any { return new(api.BulkRequest) },
}

// schemas are those of the bodies of operations, as they are loaded.
func schemas(t testing.TB) map[string]*openapi3.Schema {
	t.Helper()
	doc, ops, err := load(answerdesk.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	bulk := newBulkSchemas(doc)
	out := map[string]*openapi3.Schema{"an item of a bulk": bulk.item, "the frame of a bulk": bulk.frame}
	for _, op := range ops {
		if op.schema != nil {
			out[op.id] = op.schema
		}
	}
	return out
}

// written are the same schemas as the contract has them.
func written(t testing.TB) map[string]*openapi3.Schema {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(answerdesk.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	bulk := newBulkSchemas(doc) // of which the frame takes any items
	out := map[string]*openapi3.Schema{"an item of a bulk": bulk.item, "the frame of a bulk": bulk.frame}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			if op.RequestBody != nil && op.RequestBody.Value.Content[jsonMedia] != nil {
				out[op.OperationID] = op.RequestBody.Value.Content[jsonMedia].Schema.Value
			}
		}
	}
	return out
}

// The verdict on a body is that of JSON Schema 2020-12, which OpenAPI 3.1 says it
// is; and what is taken can be read.
func TestSchemas(t *testing.T) {
	originals := written(t)
	for name, schema := range schemas(t) {
		original := originals[name]
		t.Run(name, func(t *testing.T) {
			if bodies[name] == nil {
				t.Fatal("there is no type for it in this test")
			}
			taken, refused := 0, 0
			for _, value := range corpus(schema) {
				body, err := json.Marshal(value)
				if err != nil {
					t.Fatal(err)
				}
				_, err = read(body, schema)
				want := original.VisitJSON(value, append(slices.Clone(asRequest), openapi3.EnableJSONSchema2020())...)
				if (err == nil) != (want == nil) {
					t.Errorf("%s: the verdict is %v, want that of JSON Schema 2020-12: %v", clip(string(body)), err, want)
					continue
				}
				if err != nil {
					refused++
					wellTold(t, string(body), err)
					continue
				}
				taken++
				if name == "the frame of a bulk" {
					delete(value.(map[string]any), "items") // which are read one by one
				}
				c := &call{op: &operation{schema: schema}, body: body, value: value}
				r := httptest.NewRequest("POST", "/", nil)
				c.rewind(r)
				if err := runtime.BindJSONBody(r, bodies[name]()); err != nil {
					t.Errorf("%s is taken, and cannot be read: %v", clip(string(body)), err)
				}
			}
			if taken == 0 || refused < 2 {
				t.Errorf("%d bodies were taken and %d refused: the test has lost its bite", taken, refused)
			}
			t.Logf("%d taken, %d refused", taken, refused)
		})
	}
}

// secret stands in all strings of the corpus: no error may repeat it.
const secret = "Sentinel"

// wellTold checks that an error says what is wrong where, without any value.
func wellTold(t *testing.T, body string, err error) {
	t.Helper()
	p, ok := errors.AsType[*problem](err)
	if !ok {
		t.Fatalf("%s: the error is %v, want a problem", clip(body), err)
	}
	if strings.Contains(p.message, secret) || strings.Contains(p.message, "987654321") {
		t.Errorf("%s: the message %q repeats a value", clip(body), p.message)
	}
	field, ok := p.details["field"].(string)
	if p.code != invalidRequest || !ok || !strings.HasPrefix(p.message, field+": ") {
		t.Errorf("%s: the error is %s %q about %q, want one that begins with the field", clip(body), p.code, p.message, field)
	}
	if strings.Contains(p.message, "/openapi.yaml") {
		t.Errorf("%s: the error %q leaves to the reader what is wrong", clip(body), p.message)
	}
}

// corpus returns values for a schema: some that fit, and what becomes of them when
// one thing at a time is changed.
func corpus(schema *openapi3.Schema) []any {
	least, whole := example(schema, false), example(schema, true)
	out := []any{least, whole, nil, []any{}, secret, 1.0, true, map[string]any{}}
	visit(schema, whole, func(changed any) any { return changed }, func(changed any) { out = append(out, changed) })
	return out
}

// example returns a value that fits, with all fields or with those required.
func example(s *openapi3.Schema, all bool) any {
	switch {
	case s.Type.Includes("object"):
		out := map[string]any{}
		for name, p := range s.Properties {
			if all || slices.Contains(s.Required, name) {
				out[name] = example(p.Value, all)
			}
		}
		if s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has && all {
			out["note"] = secret
		}
		return out
	case s.Type.Includes("array"):
		if s.Items == nil {
			return []any{secret}
		}
		return []any{example(s.Items.Value, all)}
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Format == "date-time":
		return "2031-05-04T03:02:01.5+02:00"
	case s.Type.Includes("string"):
		return secret
	case s.Type.Includes("boolean"):
		return true
	case s.ExclusiveMax.IsSet():
		return *s.ExclusiveMax.Value - .5
	}
	return 1.0
}

// visit calls yield with the whole value, for each thing within it that can be
// changed; put puts a changed part back into a copy of the whole.
func visit(s *openapi3.Schema, value any, put func(any) any, yield func(any)) {
	for _, other := range []any{nil, true, -987654321.0, 987654321.5, 1e300, 0.0, 1.0, 2.0, "", secret, strings.Repeat(secret, 100), []any{}, []any{nil}, []any{secret}, map[string]any{}, map[string]any{"x": secret}} {
		yield(put(other))
	}
	for _, other := range bounds(s) {
		yield(put(other))
	}
	switch v := value.(type) {
	case map[string]any:
		without := func(name string) map[string]any {
			out := maps.Clone(v)
			delete(out, name)
			return out
		}
		for name, field := range v {
			yield(put(without(name)))
			within := func(changed any) any {
				out := without(name)
				out[name] = changed
				return put(out)
			}
			if p := s.Properties[name]; p != nil {
				visit(p.Value, field, within, yield)
			}
			for _, other := range []string{strings.ToUpper(name), name + " ", "unknown", "", "0", "a.b", secret[:1]} {
				out := maps.Clone(v)
				out[other] = field
				yield(put(out))
			}
		}
	case []any:
		if s.Items != nil {
			visit(s.Items.Value, v[0], func(changed any) any { return put([]any{v[0], changed}) }, yield)
		}
	}
}

// bounds returns values at the bounds of a schema, and beyond them.
func bounds(s *openapi3.Schema) (out []any) {
	if s.Type.Includes("string") && s.MaxLength != nil && *s.MaxLength < 1<<20 {
		n := int(*s.MaxLength)
		out = append(out, strings.Repeat("a", n), strings.Repeat("a", n+1))
		if n < 10_000 {
			out = append(out, strings.Repeat("😀", n), strings.Repeat("😀", n+1), strings.Repeat("é", n), strings.Repeat("e\u0301", n/2+1))
		}
	}
	if s.Type.Includes("string") && s.MinLength > 0 {
		out = append(out, strings.Repeat("a", int(s.MinLength)), strings.Repeat("a", int(s.MinLength)-1))
	}
	for _, bound := range []*float64{s.Min, s.Max, s.ExclusiveMin.Value, s.ExclusiveMax.Value} {
		if bound != nil {
			out = append(out, *bound, *bound-1, *bound+1, *bound+.001, *bound-.001)
		}
	}
	if s.Type.Includes("array") && s.MaxItems != nil {
		for _, n := range []int{int(s.MinItems), int(*s.MaxItems), int(*s.MaxItems) + 1} {
			items := make([]any, n)
			for i := range items {
				if s.Items != nil {
					items[i] = example(s.Items.Value, false)
				}
			}
			out = append(out, items)
		}
	}
	if s.MaxProps != nil {
		for _, n := range []int{int(*s.MaxProps), int(*s.MaxProps) + 1} {
			object := map[string]any{}
			for i := range n {
				object[strconv.Itoa(i)] = secret
			}
			out = append(out, object)
		}
	}
	if s.Format == "date-time" {
		for _, at := range []string{
			"2031-05-04T03:02:01Z", "2031-05-04t03:02:01z", "2031-05-04 03:02:01Z", "2031-05-04T03:02:01", "2031-05-04", "2031-02-30T00:00:00Z",
			"2031-05-04T23:59:60Z", "2031-05-04T24:00:00Z", "2031-05-04T03:02:01+24:00", "2031-05-04T03:02:01.123456789Z", "0000-01-01T00:00:00Z", "+12031-05-04T03:02:01Z", "9999-12-31T23:59:59Z",
		} {
			out = append(out, at)
		}
	}
	for _, e := range s.Enum {
		out = append(out, strings.ToUpper(e.(string)), e.(string)+" ")
	}
	return out
}

// The fields of errors are told as callers write them.
func TestFields(t *testing.T) {
	all := schemas(t)
	for _, tt := range []struct{ of, body, want string }{
		{"createMessage", `{}`, "message: is missing"},
		{"createMessage", `[]`, "body: must be an object"},
		{"createMessage", `null`, "body: must be an object"},
		{"createMessage", `{"message":""}`, "message: must have at least 1 characters"},
		{"createMessage", `{"message":1}`, "message: must be a string"},
		{"createMessage", `{"message":null}`, "message: must be a string"},
		{"createMessage", `{"message":"a","user":{"id":1}}`, "user.id: must be a string"},
		{"createMessage", `{"message":"a","user":{"what":1}}`, "user.what: is not a field of this request"},
		{"createMessage", `{"message":"a","Message":"b"}`, "Message: is not a field of this request"},
		{"createMessage", `{"message":"a","a\"b":"b"}`, `a"b: is not a field of this request`},
		{"createMessage", `{"message":"a","` + strings.Repeat("a", 100) + `":1}`, strings.Repeat("a", 64) + "…: is not a field of this request"},
		{"createQAPairs", `{"items":[{"question":"a","answer":"b"},{"question":"a","answer":"b","alternates":["a",2]}]}`, "items[1].alternates[1]: must be a string"},
		{"createQAPairs", `{"items":[{"question":"a"}]}`, "items[0].answer: is missing"},
		{"searchKnowledge", `{"query":"a","limit":101}`, "limit: must be at most 100"},
		{"searchKnowledge", `{"query":"a","limit":1.5}`, "limit: must be an integer"},
		{"rotateAPIKey", `{"overlap_seconds":2592001}`, "overlap_seconds: must be at most 2592000"},
		{"giveFeedback", `{"rating":"sideways"}`, "rating: must be up or down"},
		{"createAPIKey", `{"name":"a","scope":"all"}`, "scope: must be read, write or full"},
		{"createAPIKey", `{"name":"a","scope":"read","expires_at":"tomorrow"}`, "expires_at: is not of the format date-time"},
		{"updateAgentSettings", `{"threshold":"a"}`, "threshold: must be a number or null"},
		{"updateAgentSettings", `{"target_error":0}`, "target_error: must be more than 0"},
		{"createAgent", `{"name":"a","target_error":1}`, "target_error: must be less than 1"},
		{"updateAgentSettings", `{"languages":["e"]}`, "languages[0]: must have at least 2 characters"},
	} {
		if _, err := read([]byte(tt.body), all[tt.of]); err == nil || err.Error() != tt.want {
			t.Errorf("read(%s) of %s = %v, want %q", tt.body, tt.of, err, tt.want)
		}
	}
	for n, taken := range map[int]bool{16 << 20: true, 16<<20 + 1: false} {
		if _, err := read([]byte(`{"text":"`+strings.Repeat("a", n)+`"}`), all["createDocument"]); (err == nil) != taken {
			t.Errorf("read of a text of %d bytes = %v, want it taken: %v", n, err, taken)
		}
	}
	for body, want := range map[string]string{
		`{"message":"a","metadata":{"n":1e999}}`:                                    "a number is out of range",
		`{"message":"a","metadata":{"n":[` + strings.Repeat("1,", 200_000) + `1]}}`: "more than 200000 values",
	} {
		_, err := read([]byte(body), all["createMessage"])
		if p, ok := errors.AsType[*problem](err); !ok || p.code != invalidJSON || !strings.Contains(p.message, want) {
			t.Errorf("read(%s) = %v, want %s with %q", clip(body), err, invalidJSON, want)
		}
	}
}
