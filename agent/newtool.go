package agent

import (
	"bytes"
	"context"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

// ToolOptions are what may be chosen about a tool: see the fields of [Tool] with the
// same names.
type ToolOptions struct {
	Idempotent bool
	ReadOnly   bool
	Approval   Approval
	Timeout    time.Duration
	MaxOutput  int
}

// NewTool makes a tool of a function. In is a struct, whose exported fields are the
// parameters: they have the names that encoding/json gives them, are required unless
// they say omitempty or omitzero, and are described by the tag jsonschema:
//
//	type lookup struct {
//		Order string     `json:"order" jsonschema:"the number on the receipt"`
//		Call  agent.Call `json:"-"` // filled in: who asks, and for which company
//	}
//
// Arguments that do not fit In go back to the model, and fn is not called. Out is
// anything that encoding/json writes. A nil opts means the defaults. What cannot be a
// parameter, such as a channel, a function, or a type that contains itself, is an
// error that names the field.
func NewTool[In, Out any](name, description string, fn func(context.Context, In) (Out, error), opts *ToolOptions) (Tool, error) {
	var o ToolOptions
	if opts != nil {
		o = *opts
	}
	parameters, calls, err := parametersOf(reflect.TypeFor[In]())
	if err == nil {
		err = checkType(reflect.TypeFor[Out](), "the result", false, nil)
	}
	if err == nil && fn == nil {
		err = errors.New("it has no function")
	}
	if err != nil {
		return Tool{}, fmt.Errorf("tool %q: %w", name, err)
	}
	t := Tool{
		Name: name, Description: description, Parameters: parameters,
		Idempotent: o.Idempotent, ReadOnly: o.ReadOnly, Approval: o.Approval, Timeout: o.Timeout, MaxOutput: o.MaxOutput,
		Run: func(ctx context.Context, c Call) (json.RawMessage, error) {
			var in In
			d := json.NewDecoder(bytes.NewReader(c.Arguments))
			d.DisallowUnknownFields()
			if err := d.Decode(&in); err != nil {
				return nil, fmt.Errorf("the arguments cannot be read: %w", err)
			}
			for _, field := range calls {
				reflect.ValueOf(&in).Elem().FieldByIndex(field).Set(reflect.ValueOf(c))
			}
			out, err := fn(ctx, in)
			if err != nil {
				return nil, err
			}
			return json.Marshal(out)
		},
	}
	return t, t.check()
}

// MustTool is [NewTool] for tools that are made when a program starts: it panics
// where that returns an error.
func MustTool[In, Out any](name, description string, fn func(context.Context, In) (Out, error), opts *ToolOptions) Tool {
	t, err := NewTool(name, description, fn, opts)
	if err != nil {
		panic(err)
	}
	return t
}

// parametersOf returns the schema of a struct, and where in it a [Call] is wanted.
func parametersOf(t reflect.Type) (schema json.RawMessage, calls [][]int, err error) {
	if t.Kind() != reflect.Struct {
		return nil, nil, fmt.Errorf("its parameters are %s: make them a struct", t)
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("its parameters %s cannot be described as JSON", t)
		}
	}()
	for _, f := range reflect.VisibleFields(t) {
		if f.Type == reflect.TypeFor[Call]() {
			if f.Tag.Get("json") != "-" {
				return nil, nil, fmt.Errorf("field %s is filled in, and not a parameter: give it the tag `json:\"-\"`", f.Name)
			}
			if !f.IsExported() {
				return nil, nil, fmt.Errorf("field %s cannot be set: begin it with a capital", f.Name)
			}
			calls = append(calls, f.Index)
		}
	}
	if err := checkType(t, "", true, nil); err != nil {
		return nil, nil, err
	}
	s, err := jsonschema.ForType(t, &jsonschema.ForOptions{})
	if err != nil {
		return nil, nil, fmt.Errorf("its parameters cannot be described as JSON: %w", err)
	}
	schema, err = json.Marshal(s)
	return schema, calls, err
}

// checkType returns an error that names the field unless values of a type can be
// read from JSON, or written as it.
func checkType(t reflect.Type, field string, read bool, within []reflect.Type) error {
	own := []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()}
	if read {
		own = []reflect.Type{reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()}
	}
	for _, i := range own {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return nil
		}
	}
	if t.Name() != "" && t.Kind() != reflect.Interface {
		for _, w := range within {
			if w == t {
				if !read {
					return nil // what contains itself can be written
				}
				return fmt.Errorf("field %s: type %s contains itself", field, t)
			}
		}
		within = append(within[:len(within):len(within)], t)
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return checkType(t.Elem(), field, read, within)
	case reflect.Map:
		if k := t.Key(); k.Kind() != reflect.String && !k.Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
			return fmt.Errorf("field %s: a map with keys of type %s is no JSON object", field, k)
		}
		return checkType(t.Elem(), field, read, within)
	case reflect.Interface:
		if read && t.NumMethod() > 0 {
			return fmt.Errorf("field %s: nothing can be read into the interface %s", field, t)
		}
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer, reflect.Uintptr, reflect.Invalid:
		return fmt.Errorf("field %s: a %s is nothing in JSON", field, t.Kind())
	case reflect.Struct:
		for f := range t.Fields() {
			if err := checkField(f, field, read, within); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkField is checkType for a field of a struct at a path.
func checkField(f reflect.StructField, path string, read bool, within []reflect.Type) error {
	if f.Tag.Get("json") == "-" {
		return nil
	}
	name := f.Name
	if path != "" {
		name = path + "." + f.Name
	}
	embedded := f.Anonymous && (f.Type.Kind() == reflect.Struct || f.Type.Kind() == reflect.Pointer)
	switch tag, described := f.Tag.Lookup("jsonschema"); {
	case !f.IsExported() && !embedded && read:
		return fmt.Errorf("field %s is not exported, so that nothing can be read into it", name)
	case !f.IsExported() && !embedded:
		return nil
	case embedded && !f.IsExported() && f.Type.Kind() == reflect.Pointer && read:
		return fmt.Errorf("field %s is a pointer to what is not exported, so that nothing can be read into it", name)
	case read && described && (tag == "" || wordEquals.MatchString(tag)):
		return fmt.Errorf("field %s: its jsonschema tag is to be a description, and not %q", name, tag)
	}
	return checkType(f.Type, name, read, within)
}
