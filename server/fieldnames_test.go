package server_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// renamed are the fields of knowledge that the contract calls otherwise, each by what
// the server says in their place.
var renamed = map[string]string{
	"pagination.kind": "pagination.type", "pagination.param": "pagination.parameter", "pagination.size_param": "pagination.size_parameter",
	"questions": "alternates", "documents": "items",
}

// inGoAlone are fields that no request has.
var inGoAlone = []string{
	"answers", "question", "slope", "intercept", // of a calibration
	"kind", "format", "source_id", // of a document, which its route and its media type say
}

// Every field that knowledge finds wrong is one that the contract has, and what it says
// of a field names no other that is not.
func TestFieldsThatErrorsName(t *testing.T) {
	doc, _ := contract()
	known := map[string]bool{}
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, p := range op.Parameters {
				known[p.Value.Name] = true
			}
			if op.RequestBody != nil {
				for _, media := range op.RequestBody.Value.Content {
					fieldsOf(known, "", media.Schema, 0)
				}
			}
		}
	}
	if !known["pagination.size_parameter"] || !known["mapping.texts"] || known["pagination.kind"] {
		t.Fatalf("the contract has no fields of an API source among %d", len(known))
	}
	dotted := regexp.MustCompile(`\b(?:auth|mapping|pagination)\.[a-z_]+`)
	seen := 0
	for _, dir := range []string{"../knowledge", "../knowledge/pull"} {
		eachFieldError(t, dir, func(at, name, reason string) {
			seen++
			field := strings.TrimSuffix(name, ".") // what follows is the caller's
			if to, ok := renamed[field]; ok {
				field = to
			}
			if !known[field] && !slices.Contains(inGoAlone, field) {
				t.Errorf("%s: an error is of the field %q, which no request has", at, name)
			}
			for _, other := range dotted.FindAllString(reason, -1) {
				if !known[other] {
					t.Errorf("%s: what is said of %q names %q, which no request has", at, name, other)
				}
			}
		})
	}
	if seen < 50 {
		t.Errorf("%d errors of fields were found, want more", seen)
	}
}

// fieldsOf adds the paths of the fields that a schema has.
func fieldsOf(known map[string]bool, path string, ref *openapi3.SchemaRef, deep int) {
	if ref == nil || deep > 6 {
		return
	}
	for name, property := range ref.Value.Properties {
		known[path+name] = true
		fieldsOf(known, path+name+".", property, deep+1)
	}
	for _, part := range slices.Concat(ref.Value.AllOf, ref.Value.AnyOf, ref.Value.OneOf) {
		fieldsOf(known, path, part, deep+1)
	}
}

// eachFieldError calls fn with each field and reason that a package writes out where it
// makes an error of a field.
func eachFieldError(t *testing.T, dir string, fn func(at, name, reason string)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	set := token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(set, file, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			if name, ok := call.Fun.(*ast.Ident); !ok || name.Name != "invalid" && name.Name != "field" {
				return true
			}
			if field := written(call.Args[0]); field != "" {
				fn(set.Position(call.Pos()).String(), field, written(call.Args[1]))
			}
			return true
		})
	}
}

// written is the text that an expression begins with, or nothing.
func written(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		return written(e.X)
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil {
			return text
		}
	}
	return ""
}

// The contract takes as many other ways to ask for an answer as a document may have.
func TestAlternatesOfTheContract(t *testing.T) {
	doc, _ := contract()
	seen := 0
	for name, schema := range doc.Components.Schemas {
		if p := schema.Value.Properties["alternates"]; p != nil && p.Value.MaxItems != nil {
			seen++
			if *p.Value.MaxItems != knowledge.MaxAlternates {
				t.Errorf("%s takes %d alternates, want %d", name, *p.Value.MaxItems, knowledge.MaxAlternates)
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d requests take alternates, want 3", seen)
	}
}
