package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestRoutes: the routes that the pages name are in the contract. The page on other
// APIs is about theirs.
func TestRoutes(t *testing.T) {
	contract, err := os.ReadFile("../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var (
		aPath   = regexp.MustCompile(`^  (/\S*):$`)
		aMethod = regexp.MustCompile(`^    (get|post|put|patch|delete):$`)
		aRoute  = regexp.MustCompile(`\b(GET|POST|PUT|PATCH|DELETE) (/[\w/{}.-]*[\w}])`)
		anID    = regexp.MustCompile(`\{\w+\}`)
		routes  = map[string]bool{}
		path    string
	)
	for line := range strings.Lines(string(contract)) {
		if m := aPath.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			path = anID.ReplaceAllString(m[1], "{}")
		} else if m := aMethod.FindStringSubmatch(strings.TrimRight(line, "\n")); m != nil {
			routes[strings.ToUpper(m[1])+" "+path] = true
		}
	}
	found := 0
	for name, page := range pages(t) {
		if name == "reference-examples.md" {
			continue
		}
		for _, m := range aRoute.FindAllStringSubmatch(page, -1) {
			found++
			if !routes[m[1]+" "+anID.ReplaceAllString(m[2], "{}")] {
				t.Errorf("%s names %s, which is not in openapi.yaml", name, m[0])
			}
		}
	}
	if len(routes) < 50 || found < 20 {
		t.Errorf("%d routes were read from the contract and %d from the pages, want more of both", len(routes), found)
	}
}

// TestEventTypes: the page on events has every type that is written.
func TestEventTypes(t *testing.T) {
	page := pages(t)["events.md"]
	file, err := parser.ParseFile(token.NewFileSet(), "../event/event.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == "Type" {
			for _, v := range spec.Values {
				text, err := strconv.Unquote(v.(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				found++
				if !strings.Contains(page, "\n| `"+text+"` |") {
					t.Errorf("events.md has no row for %s", text)
				}
			}
		}
		return true
	})
	if found < 10 {
		t.Errorf("event.go has %d types, want more", found)
	}
}
