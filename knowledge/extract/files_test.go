package extract

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the files of testdata become")

// read reads a file as ingestion does: its format is recognized, then it is
// extracted.
func read(t testing.TB, name string, data []byte, opts *Options) (Result, error) {
	t.Helper()
	f, err := Recognize(name, "", bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return Result{}, err
	}
	r, err := ExtractReader(t.Context(), f, bytes.NewReader(data), int64(len(data)), opts)
	if err == nil {
		checkResult(t, r)
	}
	return r, err
}

// TestFiles reads files that real programs made; what they become stands beside
// them in .golden files, which -update writes.
func TestFiles(t *testing.T) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, name := range names {
		switch filepath.Ext(name) {
		case ".golden", ".sh":
			continue
		}
		count++
		t.Run(filepath.Base(name), func(t *testing.T) {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			r, err := read(t, name, data, nil)
			got := fmt.Sprintf("title: %s\nlanguage: %s\n%s", r.Title, r.Language, pagesOf(r))
			if err != nil {
				got = "error: " + err.Error() + "\n"
			}
			golden := name + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s becomes\n%s\nwant\n%s", name, got, want)
			}
		})
	}
	if count < 15 {
		t.Errorf("%d files in testdata, want those that make.sh makes", count)
	}
}

// pagesOf is outline with a line where a page begins.
func pagesOf(r Result) string {
	var b strings.Builder
	page := 0
	for _, bl := range r.Blocks {
		if bl.Page != page {
			page = bl.Page
			fmt.Fprintf(&b, "page %d\n", page)
		}
		b.WriteString(outline(Result{Text: r.Text, Blocks: []Block{bl}}))
	}
	return b.String()
}
