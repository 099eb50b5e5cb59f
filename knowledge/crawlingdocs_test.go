package knowledge_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"html"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/knowledge/crawl"
	"github.com/answerdesk-go/answerdesk/store"
)

// A docSite serves the documentation that comes with Go: the pages of its doc folder,
// and one for each package, made from its comments.
type docSite struct {
	root string

	mu       sync.Mutex
	pkgs     map[string]string // pages of packages, which take a while to make
	edits    map[string]string // in place of what is there; "": nothing is
	moves    map[string]string
	statuses map[string]int             // what was answered, by path
	links    map[string]map[string]bool // what the pages that were sent lead to
}

func (s *docSite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	s.serve(answer, r)
	body := answer.Body.Bytes()
	if answer.Code == http.StatusOK {
		tag := fmt.Sprintf(`"%x"`, len(body))
		answer.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			answer.Code, body = http.StatusNotModified, nil
		}
	}
	s.mu.Lock()
	s.statuses[r.URL.Path] = answer.Code
	if body != nil || answer.Code != http.StatusNotModified {
		delete(s.links, r.URL.Path)
	}
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllSubmatch(body, -1) {
		if s.links[r.URL.Path] == nil {
			s.links[r.URL.Path] = map[string]bool{}
		}
		s.links[r.URL.Path][html.UnescapeString(string(m[1]))] = true
	}
	s.mu.Unlock()
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(body)
}

func (s *docSite) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	edit, edited := s.edits[r.URL.Path]
	to := s.moves[r.URL.Path]
	s.mu.Unlock()
	name := strings.Trim(r.URL.Path, "/")
	switch {
	case to != "":
		http.Redirect(w, r, to, http.StatusMovedPermanently)
	case edited && edit == "":
		http.NotFound(w, r)
	case edited:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, edit)
	case r.URL.Path == "/robots.txt":
		fmt.Fprint(w, "User-agent: *\nDisallow: /pkg/runtime/\n")
	case name == "":
		s.page(w, "Go", `<ul><li><a href="/doc/">Documents</a><li><a href="/pkg/">Packages</a></ul>`)
	case name == "doc":
		s.folder(w, "doc", func(e fs.DirEntry) bool { return !e.IsDir() })
	case strings.HasPrefix(name, "doc/"):
		text, err := os.ReadFile(filepath.Join(s.root, "doc", path.Base(name)))
		if err != nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/markdown; charset=utf-8")
		if path.Ext(name) == ".html" {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
		}
		_, _ = w.Write(text)
	case name == "pkg":
		s.folder(w, "src", func(e fs.DirEntry) bool { return e.IsDir() && e.Name() != "cmd" && e.Name() != "vendor" })
	case strings.HasPrefix(name, "pkg/"):
		s.pkg(w, r, strings.TrimPrefix(name, "pkg/"))
	default:
		http.NotFound(w, r)
	}
}

func (s *docSite) page(w http.ResponseWriter, title, body string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, `<!DOCTYPE html><html lang="en"><title>%[1]s</title><nav><a href="/">Go</a></nav><main><h1>%[1]s</h1>%[2]s</main></html>`, title, body)
}

// folder serves links to what is in a folder.
func (s *docSite) folder(w http.ResponseWriter, name string, wanted func(fs.DirEntry) bool) {
	entries, err := os.ReadDir(filepath.Join(s.root, name))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var b strings.Builder
	at := map[string]string{"doc": "/doc/", "src": "/pkg/"}[name]
	for _, e := range entries {
		if wanted(e) {
			fmt.Fprintf(&b, `<li><a href="%s%s">%s</a>`, at, e.Name(), e.Name())
		}
	}
	s.page(w, "Index of "+name, "<ul>"+b.String()+"</ul>")
}

// pkg serves what the comments of a package say.
func (s *docSite) pkg(w http.ResponseWriter, r *http.Request, name string) {
	s.mu.Lock()
	made := s.pkgs[name]
	s.mu.Unlock()
	if made == "" {
		if made = s.makePkg(name); made == "" {
			http.NotFound(w, r)
			return
		}
		s.mu.Lock()
		s.pkgs[name] = made
		s.mu.Unlock()
	}
	s.page(w, "package "+name, made)
}

// makePkg makes the page of a package, or returns "" if there is none.
func (s *docSite) makePkg(name string) string {
	files, err := filepath.Glob(filepath.Join(s.root, "src", filepath.FromSlash(name), "*.go"))
	if err != nil || len(files) == 0 {
		return ""
	}
	fset := token.NewFileSet()
	parsed := map[string][]*ast.File{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		if f, err := parser.ParseFile(fset, file, nil, parser.ParseComments); err == nil {
			parsed[f.Name.Name] = append(parsed[f.Name.Name], f)
		}
	}
	p, err := doc.NewFromFiles(fset, parsed[path.Base(name)], name)
	if err != nil {
		return ""
	}
	printer := p.Printer()
	printer.DocLinkBaseURL = "/pkg"
	var b bytes.Buffer
	section := func(title, comment string) {
		fmt.Fprintf(&b, "<h2>%s</h2>\n", html.EscapeString(title))
		b.Write(printer.HTML(p.Parser().Parse(comment)))
	}
	section("Overview", p.Doc)
	for _, f := range p.Funcs {
		section("func "+f.Name, f.Doc)
	}
	for _, t := range p.Types {
		section("type "+t.Name, t.Doc)
		for _, f := range slices.Concat(t.Funcs, t.Methods) {
			section("func "+f.Name, f.Doc)
		}
	}
	below, _ := os.ReadDir(filepath.Join(s.root, "src", filepath.FromSlash(name)))
	for _, e := range below {
		if e.IsDir() && e.Name() != "internal" && e.Name() != "testdata" {
			fmt.Fprintf(&b, `<p>See also <a href="/pkg/%[1]s/%[2]s">package %[1]s/%[2]s</a>`, name, e.Name())
		}
	}
	return b.String()
}

// given returns what was answered since it was asked before, by path.
func (s *docSite) given() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	given := s.statuses
	s.statuses = map[string]int{}
	return given
}

// paths returns the addresses of the site that the pages sent lead to.
func (s *docSite) paths(t *testing.T) map[string]bool {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]bool{}
	for from, links := range s.links {
		base := &url.URL{Path: from}
		for link := range links {
			ref, err := url.Parse(link)
			if err != nil {
				t.Errorf("link %q of %s: %v", link, from, err)
				continue
			}
			if ref.Host == "" && ref.Scheme == "" {
				out[base.ResolveReference(ref).Path] = true
			}
		}
	}
	return out
}

// TestCrawlOfRealDocumentation crawls the documentation that comes with Go, kept in
// SQLite, and compares the report with what the server knows; then pages are edited,
// removed, moved and deleted.
func TestCrawlOfRealDocumentation(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	s := &docSite{root: strings.TrimSpace(string(out)), pkgs: map[string]string{}, edits: map[string]string{}, moves: map[string]string{}, statuses: map[string]int{}, links: map[string]map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	const patience = 10 * time.Minute // some pages take the server long to make
	way, err := egress.New(&egress.Options{
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, AllowHTTP: true, HighPorts: true, MaxBody: 50 << 20, HeaderTimeout: patience, Timeout: patience,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(way.CloseIdleConnections)
	st := openStore(t, t.TempDir())
	r := &rig{lib: knowledge.New(st, &knowledge.Options{HTTPClient: way.HTTP(), Crawl: &crawl.Options{PageTimeout: patience}}), company: company(t, st), poll: 5 * time.Millisecond}
	r.Base = r.lib.Company(r.company)
	r.worksOn(t, st)

	w, run := r.addSite(t, knowledge.Website{
		Source: knowledge.Source{URL: server.URL}, Include: []string{"/$", "/doc/", "/pkg/$", "/pkg/net", "/pkg/encoding", "/pkg/runtime"}, Exclude: []string{"/pkg/net/http/cgi"},
	})
	if run.State != knowledge.RunCompleted {
		t.Fatalf("run is %s, %v", run.State, run.Error)
	}
	// accounted checks that the report is what the server has answered and what its
	// pages lead to.
	accounted := func() map[string]string {
		t.Helper()
		rows, statuses := map[string]knowledge.Page{}, map[string]int{}
		for p := (store.Page{Limit: 100}); ; {
			l, err := r.WebsiteReport(t.Context(), w.ID, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range l.Data {
				if name, ok := strings.CutPrefix(row.URL, server.URL); ok {
					if _, twice := rows[name]; twice {
						t.Errorf("%s is in the report twice", name)
					}
					rows[name] = row
					if row.Status != 0 {
						statuses[name] = row.Status
					}
				}
			}
			if !l.HasMore {
				break
			}
			p.Cursor = l.NextCursor
		}
		if given := s.given(); !maps.Equal(statuses, given) {
			t.Errorf("statuses in the report = %v\nwant those the server gave: %v", statuses, given)
		}
		for link := range s.paths(t) {
			if _, ok := rows[link]; !ok {
				t.Errorf("%s is linked to, and not in the report", link)
			}
		}
		ids := r.docs(t)
		became := map[string]string{}
		for name, row := range rows {
			became[name] = strings.TrimSpace(row.Outcome + " " + row.Reason)
			if isDoc := row.Outcome == "fetched" || row.Outcome == "unchanged"; isDoc != (ids[name] != "") || ids[name] != row.DocumentID {
				t.Errorf("%s is %s as document %q, and document %q is there", name, became[name], row.DocumentID, ids[name])
			}
			if (row.Outcome == "skipped" || row.Outcome == "failed") && row.Reason == "" {
				t.Errorf("%s is %s without a reason", name, row.Outcome)
			}
		}
		return became
	}
	became := accounted()
	for name, want := range map[string]string{
		"/": "fetched", "/doc/go_spec.html": "fetched", "/doc/godebug.md": "fetched", "/pkg/net/http": "fetched", "/pkg/encoding/json": "fetched",
		"/pkg/net/http/cgi": "skipped excluded", "/pkg/fmt": "skipped excluded", "/pkg/runtime/debug": "skipped robots", "/robots.txt": "skipped robots_txt", "/sitemap.xml": "gone status",
	} {
		if became[name] != want {
			t.Errorf("%s became %q, want %q", name, became[name], want)
		}
	}
	if run.Counts.Created < 30 {
		t.Errorf("%d documents were created, want most of the packages", run.Counts.Created)
	}
	asks := func(question, want string) {
		t.Helper()
		found, err := r.Search(t.Context(), knowledge.Query{Text: question, Limit: 3})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range found.Hits {
			if h.URL == server.URL+want {
				return
			}
		}
		if want != "" {
			t.Errorf("search for %q finds %+v, want %s", question, found.Hits, want)
		}
	}
	asks("How does the happens before relation order goroutines?", "/doc/go_mem.html")
	asks("Unmarshal parses the JSON-encoded data and stores the result", "/pkg/encoding/json")
	asks("register slot TEXT directive NOSPLIT assembler", "/doc/asm.html")

	before := r.docs(t)
	completed(t, r.crawl(t, w.ID, nil), knowledge.Counts{Unchanged: run.Counts.Created, Skipped: run.Counts.Skipped})
	accounted()

	spec, err := os.ReadFile(filepath.Join(s.root, "doc", "go_mem.html"))
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	s.edits["/doc/go_mem.html"] = strings.Replace(string(spec), "<h2", "<p>Zebrafish are striped.</p><h2", 1)
	s.edits["/doc/asm.html"] = ""
	s.moves["/doc/godebug.md"] = "/doc/settings/godebug.md"
	s.mu.Unlock()
	if _, err := r.Delete(t.Context(), before["/pkg/encoding/json"]); err != nil {
		t.Fatal(err)
	}
	run = r.crawl(t, w.ID, nil)
	became = accounted()
	for name, want := range map[string]string{
		"/doc/go_mem.html": "fetched", "/doc/asm.html": "gone status", "/doc/godebug.md": "moved", "/doc/settings/godebug.md": "fetched",
		"/pkg/encoding/json": "skipped deleted", "/doc/go_spec.html": "unchanged",
	} {
		if became[name] != want {
			t.Errorf("%s became %q, want %q", name, became[name], want)
		}
	}
	if c := run.Counts; c.Created != 0 || c.Updated != 2 || c.Deleted != 1 {
		t.Errorf("run = %+v, want two pages updated and one deleted", c)
	}
	after := r.docs(t)
	if after["/doc/settings/godebug.md"] != before["/doc/godebug.md"] || after["/doc/go_mem.html"] != before["/doc/go_mem.html"] || after["/pkg/encoding/json"] != "" {
		t.Errorf("documents = %v, want those that moved and changed to have their ids, and none of what was deleted", after)
	}
	asks("Zebrafish are striped", "/doc/go_mem.html")
	found, err := r.Search(t.Context(), knowledge.Query{Text: "Unmarshal NOSPLIT TEXT directive", Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range found.Hits {
		if strings.HasSuffix(h.URL, "/asm.html") || strings.HasSuffix(h.URL, "/pkg/encoding/json") {
			t.Errorf("%s is still found", h.URL)
		}
	}
}
