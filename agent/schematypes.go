package agent

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// jsonTypes are the types that JSON Schema has (draft 2020-12, Validation, 6.1.1).
var jsonTypes = []string{"string", "number", "integer", "boolean", "object", "array", "null"}

// checkTypes looks for a type that JSON Schema does not have in the schema at a path,
// and in all that stand in it: a provider would refuse it at every turn.
func checkTypes(s *jsonschema.Schema, path string) error {
	if s == nil {
		return nil
	}
	types := s.Types
	if s.Type != "" {
		types = []string{s.Type}
	}
	for _, t := range types {
		if !slices.Contains(jsonTypes, t) {
			return fmt.Errorf("%stype: %q is none of %s", path, t, strings.Join(jsonTypes, ", "))
		}
	}
	within := innerSchemas(s)
	for _, at := range slices.Sorted(maps.Keys(within)) {
		if err := checkTypes(within[at], path+at+"."); err != nil {
			return err
		}
	}
	return nil
}

// innerSchemas returns the schemas that stand in s, by where.
func innerSchemas(s *jsonschema.Schema) map[string]*jsonschema.Schema {
	within := map[string]*jsonschema.Schema{
		"items": s.Items, "additionalItems": s.AdditionalItems, "contains": s.Contains, "unevaluatedItems": s.UnevaluatedItems,
		"additionalProperties": s.AdditionalProperties, "propertyNames": s.PropertyNames, "unevaluatedProperties": s.UnevaluatedProperties,
		"not": s.Not, "if": s.If, "then": s.Then, "else": s.Else, "contentSchema": s.ContentSchema,
	}
	for keyword, named := range map[string]map[string]*jsonschema.Schema{
		"properties": s.Properties, "patternProperties": s.PatternProperties, "$defs": s.Defs, "definitions": s.Definitions,
		"dependentSchemas": s.DependentSchemas, "dependencies": s.DependencySchemas,
	} {
		for name, one := range named {
			within[keyword+"."+name] = one
		}
	}
	for keyword, list := range map[string][]*jsonschema.Schema{
		"prefixItems": s.PrefixItems, "items": s.ItemsArray, "allOf": s.AllOf, "anyOf": s.AnyOf, "oneOf": s.OneOf,
	} {
		for i, one := range list {
			within[keyword+"."+strconv.Itoa(i)] = one
		}
	}
	return within
}
