package server

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/answerdesk-go/answerdesk/internal/exact"
)

// read reads a JSON body and compares it with its schema. The value it returns is
// what the operation gets, so that nothing reaches it that was not compared: names
// differing in case are other names.
//
// The schemas are written in the part of JSON Schema that kin-openapi checks
// itself; its validator for all of 3.1 compiles the schema anew for each request.
// A test holds the verdicts of both against each other.
func read(body []byte, schema *openapi3.Schema) (any, error) {
	value, err := parse(body)
	if err != nil {
		return nil, err
	}
	return value, compare(value, schema)
}

// parse reads JSON that was checked, with all digits of its numbers.
func parse(body []byte) (value any, err error) {
	if _, n := measure(body); n > maxValues {
		return nil, badJSON("the body has more than %d values: send it in parts", maxValues)
	}
	if value, err = exact.Value(body); err != nil {
		return nil, badJSON("the body cannot be read as JSON: a number is out of range")
	}
	return value, nil
}

// compare compares a value with its schema.
func compare(value any, schema *openapi3.Schema) error {
	if err := schema.VisitJSON(value, asRequest...); err != nil {
		return wrong(fieldOf(err), "%s", reasonOf(err))
	}
	return nil
}

// asRequest is how bodies are compared.
var asRequest = []openapi3.SchemaValidationOption{
	openapi3.VisitAsRequest(), openapi3.EnableFormatValidation(), openapi3.WithStringFormatValidator("date-time", dateTime{}),
}

// dateTime takes the times that there are: kin-openapi would take 30 February.
type dateTime struct{}

// Validate implements [openapi3.StringFormatValidator].
func (dateTime) Validate(s string) error {
	_, err := time.Parse(time.RFC3339, s)
	return err
}

// A validated body carries the value that was compared to where the generated code
// takes it from.
type validated struct {
	io.ReadCloser
	value any
}

// ValidatedValue is looked for by the generated code's [runtime.BindJSONBody].
//
// [runtime.BindJSONBody]: https://pkg.go.dev/github.com/oapi-codegen/runtime#BindJSONBody
func (v validated) ValidatedValue() any { return v.value }

// fieldOf names the place in a body that an error is about, such as
// "items[2].content".
func fieldOf(err error) string {
	e, ok := errors.AsType[*openapi3.SchemaError](err)
	if !ok {
		return "body"
	}
	path := e.JSONPointer()
	if name, ok := unsupported(e); ok {
		path = append(path, name)
	}
	var b strings.Builder
	for _, part := range path {
		switch {
		case part != "" && strings.Trim(part, "0123456789") == "":
			b.WriteString("[" + clip(part) + "]")
		case b.Len() > 0:
			b.WriteString("." + clip(part))
		default:
			b.WriteString(clip(part))
		}
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
	e, ok := errors.AsType[*openapi3.SchemaError](err)
	if !ok {
		return "cannot be taken"
	}
	if _, ok := unsupported(e); ok {
		return "is not a field of this request"
	}
	s := e.Schema
	switch e.SchemaField {
	case "required":
		return "is missing"
	case "type", "nullable":
		return "must be " + kindOf(s)
	case "enum":
		return "must be " + oneOf(s.Enum)
	case "pattern":
		return "has characters that may not be there"
	case "format":
		return "is not of the format " + s.Format
	case "minLength":
		return fmt.Sprintf("must have at least %d characters", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("must have at most %d characters", *s.MaxLength)
	case "minimum":
		return "must be at least " + number(*s.Min)
	case "maximum":
		return "must be at most " + number(*s.Max)
	case "exclusiveMinimum":
		return "must be more than " + number(*s.ExclusiveMin.Value)
	case "exclusiveMaximum":
		return "must be less than " + number(*s.ExclusiveMax.Value)
	case "minItems":
		return fmt.Sprintf("must have at least %d items", s.MinItems)
	case "maxItems":
		return fmt.Sprintf("must have at most %d items: send them in parts", *s.MaxItems)
	case "maxProperties":
		return fmt.Sprintf("must have at most %d names", *s.MaxProps)
	}
	return "cannot be taken: see " + e.SchemaField + " of it in /openapi.yaml"
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// kindOf says of which type a schema's values are.
func kindOf(s *openapi3.Schema) string {
	var kinds []any
	for _, t := range s.Type.Slice() {
		switch t {
		case "null":
			kinds = append(kinds, t)
		case "array", "integer", "object":
			kinds = append(kinds, "an "+t)
		default:
			kinds = append(kinds, "a "+t)
		}
	}
	return oneOf(kinds)
}

// oneOf lists what a value may be.
func oneOf(values []any) string {
	var b strings.Builder
	for i, v := range values {
		switch {
		case i == 0:
		case i == len(values)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}
