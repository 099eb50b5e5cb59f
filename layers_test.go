package answerdesk_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/answerdesk-go/answerdesk"

// A room is a package, or a family of them, and the packages of this module that
// it may import. Paths are relative to the module, "." is the root package, and
// "*" stands for one element of a path.
type room struct {
	path string
	may  []string
}

// The groups that stand in several rows below.
var (
	tools = []string{"internal/work", "internal/egress", "internal/secretbox", "internal/sse"}

	// inside is what any room may use, but event, store, webhook and client,
	// which stay cheap to import.
	inside = with(tools, "internal/id", "internal/sentence", "internal/failpoint", "internal/exact", "event", "store")

	// stored are the rooms whose interfaces a store satisfies.
	stored = []string{"access", "agent", "knowledge", "integrations", "webhook/delivery", "analytics", "internal/work"}

	// desk is what a program sees of a desk: the root and the rooms behind it.
	desk = []string{".", "access", "agent", "agent/extractive", "knowledge", "knowledge/pull", "integrations", "webhook", "webhook/delivery", "analytics", "event", "store", "store/sqlite"}
)

// rooms says which way imports point. The first row that matches a package
// counts; a package below a room's internal folder that has no row belongs to
// the room. What is in no "may" is imported by tests only: test files are free.
var rooms = []room{
	// Leaves.
	{"event", nil},
	{"store", []string{"event"}},
	{"webhook", []string{"event"}},
	{"client/api", nil},
	{"client/clienttest", nil},
	{"client", []string{"internal/sse", "client/api"}},
	{"docs", nil},
	{"llm", nil},
	{"internal/id", nil},
	{"internal/sentence", nil},
	{"internal/failpoint", nil},
	{"internal/exact", nil},
	{"internal/judged", nil}, // for benchmarks and fitting: no program of users links it
	{"internal/egress", nil},
	{"internal/secretbox", nil},
	{"internal/sse", nil},
	{"internal/work", []string{"store", "internal/id"}},

	// Rooms.
	{"access", inside},
	{"analytics", inside},
	{"knowledge/internal/analysis/rank", with(inside, "internal/judged", "knowledge", "knowledge/extract")},
	{"knowledge/internal/measure", with(inside, "internal/judged", "knowledge", "knowledge/extract")},
	{"knowledge", with(inside, "llm", "knowledge/extract", "knowledge/crawl", "knowledge/pull")},
	{"knowledge/extract", inside},
	{"knowledge/crawl", inside},
	{"knowledge/pull", inside},
	{"agent", with(inside, "knowledge")},
	{"agent/extractive", with(inside, "agent", "knowledge")},
	{"agent/generative", with(inside, "agent", "knowledge", "llm")},
	{"agent/evals", with(inside, "agent", "knowledge")},
	{"webhook/delivery", with(inside, "webhook")},
	{"integrations", inside},

	// Adapters.
	{"llm/llmtest", []string{"llm"}},
	{"llm/internal/wire", with(tools, "llm")},
	{"llm/*", with(tools, "llm", "llm/internal/wire")},
	{"integrations/all", []string{"integrations", "integrations/*"}},
	{"integrations/channel", with(inside, "agent", "integrations")},
	{"integrations/*", with(inside, "integrations")},
	{"store/internal/sqlstore", slices.Concat(inside, stored)},
	{"store/internal/schema", []string{"store"}},
	{"store/sqlite", with(slices.Concat(inside, stored), "store/internal/sqlstore", "store/internal/schema")},
	{"store/postgres", with(slices.Concat(inside, stored), "store/internal/sqlstore", "store/internal/schema")},
	{"store/transfer", []string{"store", "store/sqlite", "store/postgres"}},

	// Where the rooms meet.
	{".", with(inside, "access", "agent", "agent/extractive", "agent/generative", "knowledge", "llm", "integrations", "webhook/delivery", "analytics", "store/sqlite")},
	{"server", with(slices.Concat(inside, desk), "client", "server/*")},
	{"server/*", with(slices.Concat(inside, desk), "client", "server")},
	{"cmd/*", with(slices.Concat(inside, desk), "client", "client/api", "server", "server/*", "docs", "agent/evals", "integrations/all", "store/postgres", "store/transfer", "llm", "llm/*", "agent/generative")},
	{"examples/postgres", with(desk, "docs", "store/postgres")},
	{"examples/tools", with(desk, "llm", "llm/openai", "llm/llmtest")},
	{"examples/*", with(desk, "client", "client/api", "client/clienttest", "server", "docs")},

	// Only tests import these.
	{"store/storetest", slices.Concat(inside, stored)},
	{"agent/agenttest", with(slices.Concat(inside, desk), "agent/evals", "server")},
	{"internal/e2e", with(slices.Concat(inside, desk), "client", "server")},
	{"internal/injection", nil},
	{"internal/pgtest", nil},
	{"internal/pgtest/with", []string{"internal/pgtest"}},
}

// linked are the modules that a program which imports the root may link: SQLite
// with what it stands on, the text libraries, and ids. No vendor, model
// provider, pgx, kin-openapi, progress bar or terminal.
var linked = []string{
	module,
	"github.com/abadojack/whatlanggo",     // which language a text is in
	"github.com/blevesearch/snowballstem", // stems
	"github.com/dustin/go-humanize",       // of modernc.org/libc
	"github.com/google/uuid",              // ids
	"github.com/google/jsonschema-go",     // the schemas of tools
	"github.com/mattn/go-isatty",          // of modernc.org/libc
	"github.com/ncruces/go-strftime",      // of modernc.org/libc
	"github.com/remyoudompheng/bigfft",    // of modernc.org/mathutil
	"github.com/rivo/uniseg",              // words and sentences
	"github.com/robfig/cron/v3",           // schedules
	"github.com/theory/jsonpath",          // paths into what APIs answer
	"github.com/yuin/goldmark",            // Markdown
	"golang.org/x/net",                    // HTML
	"golang.org/x/sys",                    // of modernc.org/libc
	"golang.org/x/text",                   // of golang.org/x/net
	"modernc.org/libc",                    // of modernc.org/sqlite
	"modernc.org/mathutil",                // of modernc.org/libc
	"modernc.org/memory",                  // of modernc.org/libc
	"modernc.org/sqlite",                  // the embedded store
}

// TestArrows reads every file outside tests and compares what it imports with
// the table above, for every operating system at once.
func TestArrows(t *testing.T) {
	for pkg, imports := range packages(t) {
		from, row := roomOf(pkg)
		if row < 0 {
			t.Errorf("package %s has no row in the table of rooms in layers_test.go: add one that says what it may import", pkg)
			continue
		}
		for imported, file := range imports {
			to, _ := roomOf(imported)
			if to != from && !slices.ContainsFunc(rooms[row].may, func(p string) bool { return match(p, to) }) {
				t.Errorf("%s: package %s may not import %s: it may import %v", file, pkg, imported, rooms[row].may)
			}
		}
	}
}

// roomOf returns the room that a package belongs to, and its row in the table.
func roomOf(pkg string) (name string, row int) {
	row = slices.IndexFunc(rooms, func(r room) bool { return match(r.path, pkg) })
	if outer, _, inner := strings.Cut(pkg, "/internal/"); row < 0 && inner {
		return roomOf(outer)
	}
	return pkg, row
}

// TestNames refuses packages that are named for what their code is.
func TestNames(t *testing.T) {
	for pkg := range packages(t) {
		for elem := range strings.SplitSeq(pkg, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helper", "helpers", "misc", "models"}, elem) {
				t.Errorf("package %s: name it for what it provides, not %q", pkg, elem)
			}
		}
	}
}

// TestLinked lists the modules in a program that imports the root alone.
func TestLinked(t *testing.T) {
	_, modules := deps(t, ".")
	for _, m := range modules {
		if !slices.Contains(linked, m) {
			t.Errorf("a program that imports %s links module %s, which is not among those it may link", module, m)
		}
	}
	if !slices.Contains(modules, "modernc.org/sqlite") {
		t.Errorf("modules linked by %s = %q, want modernc.org/sqlite among them", module, modules)
	}
}

// TestLeaves holds the rooms that anybody can import at no cost.
func TestLeaves(t *testing.T) {
	if _, modules := deps(t, "./event", "./store"); !slices.Equal(modules, []string{module}) {
		t.Errorf("event and store link %q, want the standard library alone", modules)
	}
}

// TestModelsLinkNothing: a provider costs a program no module of somebody else's.
func TestModelsLinkNothing(t *testing.T) {
	for _, provider := range []string{"openai", "anthropic", "gemini"} {
		pkgs, modules := deps(t, "./llm/"+provider)
		if !slices.Equal(modules, []string{module}) {
			t.Errorf("llm/%s links %q, want the standard library alone", provider, modules)
		}
		for _, other := range []string{"openai", "anthropic", "gemini"} {
			if other != provider && slices.Contains(pkgs, module+"/llm/"+other) {
				t.Errorf("llm/%s links llm/%s", provider, other)
			}
		}
	}
	if pkgs, _ := deps(t, "./llm"); len(slices.DeleteFunc(pkgs, func(p string) bool { return !strings.HasPrefix(p, module) })) != 1 {
		t.Errorf("llm links other packages of the module: %q", pkgs)
	}
}

// TestParts shows that the rooms can be had without the house: a program that
// puts agent, knowledge and a store together itself links neither the root nor
// a server, a client or a model provider.
func TestParts(t *testing.T) {
	parts := []string{"agent", "agent/extractive", "knowledge", "store/sqlite"}
	var paths []string
	for _, p := range parts {
		paths = append(paths, "./"+p)
	}
	pkgs, modules := deps(t, paths...)
	for _, pkg := range pkgs {
		rel, ours := relative(pkg)
		if !ours {
			continue
		}
		for _, not := range []string{".", "server", "server/*", "client", "llm/*", "integrations/*", "cmd/*", "agent/generative", "store/postgres"} {
			if match(not, rel) {
				t.Errorf("a program that imports %v links %s", parts, pkg)
			}
		}
	}
	for _, m := range modules {
		if !slices.Contains(linked, m) {
			t.Errorf("a program that imports %v links module %s, which is not among those it may link", parts, m)
		}
	}
}

// packages returns, for each package of the module, the packages of the module
// that it imports outside tests, each with a file that does so.
func packages(t *testing.T) map[string]map[string]string {
	t.Helper()
	pkgs := map[string]map[string]string{}
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			_, err := os.Stat(filepath.Join(file, "go.mod"))
			if file != "." && (err == nil || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir // a module of its own, or no package
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(file))
		if pkgs[pkg] == nil {
			pkgs[pkg] = map[string]string{}
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if to, ours := relative(imported); ours {
				pkgs[pkg][to] = file
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(pkgs) < 5 {
		t.Fatalf("found %d packages below the working directory, want the whole module", len(pkgs))
	}
	return pkgs
}

// deps returns the packages and modules that the packages named link, as the go
// command sees them.
func deps(t *testing.T, paths ...string) (pkgs, modules []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-deps", "-f", "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}"}, paths...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, stderr.String())
	}
	for line := range strings.Lines(string(out)) {
		pkg, mod, _ := strings.Cut(strings.TrimSpace(line), " ")
		pkgs = append(pkgs, pkg)
		if mod != "" && !slices.Contains(modules, mod) {
			modules = append(modules, mod)
		}
	}
	return pkgs, modules
}

// relative returns the path of a package within the module.
func relative(pkg string) (rel string, ours bool) {
	if pkg == module {
		return ".", true
	}
	return strings.CutPrefix(pkg, module+"/")
}

func match(pattern, pkg string) bool {
	ok, _ := path.Match(pattern, pkg)
	return ok
}

func with(may []string, more ...string) []string { return slices.Concat(may, more) }
