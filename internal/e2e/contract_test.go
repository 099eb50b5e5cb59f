package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"github.com/answerdesk-go/answerdesk"
)

// A contract is openapi.yaml, against which requests and answers are held, and a
// record of what came by.
type contract struct {
	doc        *openapi3.T
	router     routers.Router
	operations []operation

	mu   sync.Mutex
	seen map[sighting]bool
}

// An operation is one of the contract.
type operation struct {
	id, method, path string
	scope            string // that a key must have; empty if none is needed
	of               *openapi3.Operation
}

// A sighting is a status that an operation was seen to answer with.
type sighting struct {
	operation string
	status    int
}

func init() {
	// What is not JSON is a string to the contract.
	for _, media := range []string{"application/yaml", "text/html", "text/markdown", "text/event-stream"} {
		openapi3filter.RegisterBodyDecoder(media, openapi3filter.PlainBodyDecoder)
	}
}

func newContract(t testing.TB) *contract {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(answerdesk.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	doc.Servers = nil // paths are looked up as they are
	c := &contract{doc: doc, seen: map[sighting]bool{}}
	if c.router, err = legacy.NewRouter(doc); err != nil {
		t.Fatal(err)
	}
	for path, item := range doc.Paths.Map() {
		for method, o := range item.Operations() {
			scope, _ := o.Extensions["x-scope"].(string)
			c.operations = append(c.operations, operation{o.OperationID, method, path, scope, o})
		}
	}
	slices.SortFunc(c.operations, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return c
}

// keyed are the operations that take a key.
func (c *contract) keyed() []operation {
	return slices.DeleteFunc(slices.Clone(c.operations), func(o operation) bool { return o.scope == "" })
}

// takes reports whether an operation has a parameter.
func (o operation) takes(name string) bool {
	return slices.ContainsFunc(o.of.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == name })
}

// media is the type of the operation's body; empty if it has none.
func (o operation) media() string {
	if o.of.RequestBody == nil {
		return ""
	}
	return slices.Collect(maps.Keys(o.of.RequestBody.Value.Content))[0]
}

// body is the schema of the operation's body.
func (o operation) body() *openapi3.Schema {
	return o.of.RequestBody.Value.Content[o.media()].Schema.Value
}

// statuses are those that the contract has for an operation, without 429, 500 and
// 503, which any may answer with.
func (o operation) statuses() (out []int) {
	for name := range o.of.Responses.Map() {
		var status int
		if _, err := fmt.Sscan(name, &status); err != nil {
			panic(fmt.Sprintf("%s: status %q", o.id, name))
		}
		if status != http.StatusTooManyRequests && status < 500 {
			out = append(out, status)
		}
	}
	slices.Sort(out)
	return out
}

// check returns what is wrong with an exchange: the answer must be one of those
// that the contract has, to the last field and header, and if it is a success, so
// must the request be.
func (c *contract) check(x *exchanged) []error {
	route, params, err := c.router.FindRoute(x.request)
	if err != nil {
		if x.status == http.StatusNotFound || x.status == http.StatusMethodNotAllowed {
			return checkError(x.header, x.body)
		}
		return []error{fmt.Errorf("status %d, where the contract has nothing", x.status)}
	}
	x.operation = route.Operation.OperationID
	c.mu.Lock()
	c.seen[sighting{x.operation, x.status}] = true
	c.mu.Unlock()

	var wrong []error
	add := func(what string, err error) {
		if err != nil {
			wrong = append(wrong, fmt.Errorf("%s: %w", what, err))
		}
	}
	in := &openapi3filter.RequestValidationInput{
		Request: x.request, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: shows, IncludeResponseStatus: true, SkipSettingDefaults: true},
	}
	if x.status < 400 && x.status != http.StatusNotModified {
		err := openapi3filter.ValidateRequest(context.Background(), in)
		if x.operation == "createContentBulk" && failedSome(x.body) { // an item that cannot be taken is refused alone
			err = nil
		}
		add("a request that the contract forbids was served", err)
	}
	answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: in, Status: x.status, Header: x.header.Clone(), Options: in.Options}
	media, _, _ := strings.Cut(x.header.Get("Content-Type"), ";")
	documented := route.Operation.Responses.Status(x.status)
	switch {
	case documented == nil:
		add("the answer", fmt.Errorf("status %d is not in the contract", x.status))
		return wrong
	case media == "text/event-stream":
		add("the stream", c.checkEvents(x))
	case len(documented.Value.Content) == 0 && len(x.body) > 0:
		add("the answer", errors.New("it has a body, and the contract has none"))
	default:
		answer.SetBodyBytes(x.body)
		add("the answer", openapi3filter.ValidateResponse(context.Background(), answer))
		if schema := documented.Value.Content.Get(media); schema != nil && media == "application/json" {
			add("the answer", known(schema.Schema.Value, x.body))
		}
	}
	add("the headers", checkHeaders(documented.Value, x))
	if x.status >= 400 && x.operation != "getReadiness" {
		wrong = append(wrong, checkError(x.header, x.body)...)
	}
	return wrong
}

// shows reports whether a request shows a key in the way that a security scheme
// names.
func shows(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	h := in.RequestValidationInput.Request.Header
	ok := h.Get(in.SecurityScheme.Name) != ""
	if in.SecurityScheme.Type == "http" {
		ok = strings.HasPrefix(h.Get("Authorization"), "Bearer ")
	}
	if !ok {
		return errors.New("no key was shown")
	}
	return nil
}

// failedSome reports whether a bulk's answer says of items that they failed.
func failedSome(body []byte) bool {
	var answer struct{ Failed int }
	return json.Unmarshal(body, &answer) == nil && answer.Failed > 0
}

// checkHeaders compares the headers that mean something to callers with those
// that the contract has for an answer.
func checkHeaders(want *openapi3.Response, x *exchanged) error {
	var wrong []error
	for _, name := range []string{
		"X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "WWW-Authenticate",
		"ETag", "Location", "Idempotent-Replayed", "Allow",
	} {
		_, documented := want.Headers[name]
		sent := x.header.Get(name) != ""
		switch {
		case sent && !documented:
			wrong = append(wrong, fmt.Errorf("%s is not in the contract", name))
		case documented && !sent && name != "Idempotent-Replayed" && name != "Retry-After":
			wrong = append(wrong, fmt.Errorf("%s is missing", name))
		}
	}
	return errors.Join(wrong...)
}

// checkError compares an answer with the form that all errors have.
func checkError(header http.Header, body []byte) (wrong []error) {
	var answer struct {
		Error struct {
			Code, Message string
			Details       map[string]any
			RequestID     string `json:"request_id"`
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return []error{fmt.Errorf("the error is not JSON: %w", err)}
	}
	e := answer.Error
	if e.Code == "" || e.Message == "" || e.Details == nil {
		wrong = append(wrong, fmt.Errorf("the error %s has no code, message or details", body))
	}
	if id := header.Get("X-Request-Id"); e.RequestID != id || id == "" {
		wrong = append(wrong, fmt.Errorf("the error's request_id is %q, and X-Request-Id %q", e.RequestID, id))
	}
	return wrong
}

// known reports the first field of a JSON value that its schema does not name, or
// string that is none of those it lists: callers may have to take more than the
// contract says, and we do not send it.
func known(schema *openapi3.Schema, body []byte) error {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	return knownValue("", schema, v)
}

func knownValue(at string, schema *openapi3.Schema, v any) error {
	switch v := v.(type) {
	case map[string]any:
		extra := schema.AdditionalProperties
		for _, name := range slices.Sorted(maps.Keys(v)) {
			switch p := schema.Properties[name]; {
			case p != nil:
				if err := knownValue(at+"."+name, p.Value, v[name]); err != nil {
					return err
				}
			case extra.Schema == nil && (extra.Has == nil || !*extra.Has):
				return fmt.Errorf("%s.%s is not in the contract", at, name)
			}
		}
	case []any:
		for i, e := range v {
			if err := knownValue(fmt.Sprintf("%s[%d]", at, i), schema.Items.Value, e); err != nil {
				return err
			}
		}
	case string:
		if values, ok := schema.Extensions["x-known-values"].([]any); ok && !slices.Contains(values, any(v)) {
			return fmt.Errorf("%s is %q, which is not among the known values", at, v)
		}
	}
	return nil
}
