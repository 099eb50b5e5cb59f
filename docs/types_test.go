package docs_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

const module = "github.com/answerdesk-go/answerdesk"

// TestGoFits holds the Go on each page to the packages as they are: that what it calls
// is there, and takes and gives what the page says. Variables that a page takes for
// granted, such as orders, may be missing.
func TestGoFits(t *testing.T) {
	list := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Export,Name", "./...")
	list.Dir, list.Stderr = "..", os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	exports, paths := map[string]string{}, map[string]string{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ ImportPath, Export, Name string }
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		ours := strings.HasPrefix(p.ImportPath, module) && p.Name != "main" && !strings.Contains(p.ImportPath, "/internal/")
		if _, taken := paths[p.Name]; ours || !taken && !strings.Contains(p.ImportPath, "internal") && !strings.Contains(p.ImportPath, ".") {
			paths[p.Name] = p.ImportPath // the shorter names of the standard library come first
		}
	}
	maps.Copy(paths, map[string]string{"context": "context", "rand": "math/rand/v2", "http": "net/http", "log": "log"})
	fset := token.NewFileSet()
	from := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if exports[path] == "" {
			return nil, fmt.Errorf("there is no package %s", path)
		}
		return os.Open(exports[path])
	})
	granted := regexp.MustCompile(`undefined: [a-z]\w*$|declared and not used|no new variables|too many return values|imported and not used`)
	for name, page := range pages(t) {
		for _, block := range fence.FindAllStringSubmatch(page, -1) {
			if block[1] != "go" {
				continue
			}
			file, err := parser.ParseFile(fset, name, whole(block[2], paths), 0)
			if err != nil {
				t.Errorf("%s: %v in\n%s", name, err, block[2])
				continue
			}
			check := types.Config{Importer: from, Error: func(err error) {
				if e, ok := errors.AsType[types.Error](err); !ok || !granted.MatchString(e.Msg) {
					t.Errorf("%s: %v in\n%s", name, err, block[2])
				}
			}}
			_, _ = check.Check("page", fset, []*ast.File{file}, nil) // Error has been told
		}
	}
}

// whole makes a file of a block of Go: what it names of packages is imported, and
// statements stand in a function.
func whole(block string, paths map[string]string) string {
	if strings.HasPrefix(block, "package ") {
		return block
	}
	var b strings.Builder
	b.WriteString("package page\n")
	for name, path := range paths {
		if regexp.MustCompile(`\b`+name+`\.[A-Z]`).MatchString(block) && !regexp.MustCompile(`\b`+name+`(, \w+)? :?= |\b`+name+`\.ID\b`).MatchString(block) {
			fmt.Fprintf(&b, "import %s %q\n", name, path)
		}
	}
	if strings.HasPrefix(block, "func ") {
		return b.String() + block
	}
	return b.String() + "func _() error {\n" + block + "\nreturn nil\n}\n"
}
