package server

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// checkParams compares the parameters of a request with the contract.
func checkParams(ctx context.Context, r *http.Request, op *operation) error {
	if len(op.params) == 0 {
		return nil
	}
	in := &openapi3filter.RequestValidationInput{Request: r, PathParams: map[string]string{}, Options: &openapi3filter.Options{}}
	for _, p := range op.params {
		if p.In == openapi3.ParameterInPath {
			in.PathParams[p.Name] = r.PathValue(p.Name)
		}
	}
	for _, p := range op.params {
		if err := openapi3filter.ValidateParameter(ctx, in, p); err != nil {
			return wrong(p.Name, "%s", reasonOf(err))
		}
	}
	return nil
}

// checkBody compares a JSON body with its schema. What it reads is what the
// operation reads: names differing in case are other names.
//
// The schemas are written in the part of JSON Schema that kin-openapi checks
// itself; its validator for all of 3.1 compiles the schema anew for each request.
// A test holds the verdicts of both against each other.
func checkBody(body []byte, schema *openapi3.Schema) error {
	if p := checkJSON(body); p != nil {
		return p
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return &problem{code: invalidJSON, message: "the body cannot be read as JSON: a number is out of range"}
	}
	err := schema.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.EnableFormatValidation())
	if err == nil {
		return nil
	}
	return wrong(fieldOf(err), "%s", reasonOf(err))
}

// fieldOf names the place in a body that an error is about, such as
// "items[2].content".
func fieldOf(err error) string {
	e, ok := errors.AsType[*openapi3.SchemaError](err)
	if !ok {
		return "body"
	}
	var b strings.Builder
	for _, part := range e.JSONPointer() {
		switch {
		case part != "" && strings.Trim(part, "0123456789") == "":
			b.WriteString("[" + part + "]")
		case b.Len() > 0:
			b.WriteString("." + clip(part))
		default:
			b.WriteString(clip(part))
		}
	}
	if name, ok := unsupported(e); ok {
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(clip(name))
	}
	if b.Len() == 0 {
		return "body"
	}
	return b.String()
}

// unsupported returns the name of a field that the schema does not have: it is told
// in the reason alone.
func unsupported(e *openapi3.SchemaError) (string, bool) {
	quoted, ok := strings.CutSuffix(e.Reason, " is unsupported")
	if !ok {
		return "", false
	}
	name, err := strconv.Unquote(strings.TrimPrefix(quoted, "property "))
	return name, err == nil
}

// reasonOf says what is wrong with a value, without the value.
func reasonOf(err error) string {
	if e, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		if _, ok := unsupported(e); ok {
			return "is not a field of this request"
		}
		switch e.SchemaField {
		case "required":
			return "is missing"
		case "pattern":
			return "has characters that may not be there"
		case "format":
			return "is not of the format " + e.Schema.Format
		}
		return e.Reason
	}
	if e, ok := errors.AsType[*openapi3filter.ParseError](err); ok {
		return "is not of the right type: " + e.Reason
	}
	if e, ok := errors.AsType[*openapi3filter.RequestError](err); ok && e.Reason != "" {
		return e.Reason
	}
	return "cannot be taken"
}
