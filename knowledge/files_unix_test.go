//go:build unix

package knowledge_test

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"syscall"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// A real folder with what real folders have: links in circles, links that lead
// nowhere, pipes, odd names.
func TestFilesOnDisk(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(dir, "sub", "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("a.txt", "We open at nine.")
	write("sub/b.txt", "We close at six.")
	write("  spaces & ünïcode ♥.txt", "Odd.")
	write("broken\xff.txt", "Odd.")
	link("a.txt", "file-link.txt")
	link("sub", "folder-link")
	link("..", "sub/up")
	link(".", "self")
	link("loop-b", "loop-a")
	link("loop-a", "loop-b")
	link("gone", "nowhere.txt")
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.txt"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"  spaces & ünïcode ♥.txt text",
		"a.txt text",
		"broken\xff.txt: invalid argument",
		"file-link.txt text",
		"loop-a: too many levels of symbolic links",
		"loop-b: too many levels of symbolic links",
		"nowhere.txt: no such file or directory",
		"pipe.txt: is not a regular file",
		"sub/b.txt text",
	}
	if got := walk(t, os.DirFS(dir)); !slices.Equal(got, want) {
		t.Errorf("Files = %q, want %q", got, want)
	}

	kb := newBase(t)
	var refused, taken []string
	for in, err := range kb.Ingest(t.Context(), knowledge.Files(os.DirFS(dir))) {
		switch {
		case err != nil:
			t.Fatal(err)
		case in.Err != nil:
			refused = append(refused, in.Document.ExternalID)
		default:
			taken = append(taken, in.Document.ExternalID)
		}
	}
	slices.Sort(taken)
	if want := []string{"  spaces & ünïcode ♥.txt", "a.txt", "file-link.txt", "sub/b.txt"}; !slices.Equal(taken, want) || len(refused) != 5 {
		t.Errorf("Ingest took %q and refused %q, want %q and five", taken, refused, want)
	}
	if r, err := kb.Search(t.Context(), knowledge.Query{Text: "close", Filter: map[string]any{"path": "sub/b.txt"}}); err != nil || len(r.Hits) != 1 || !reflect.DeepEqual(r.Hits[0].Metadata, map[string]any{"path": "sub/b.txt"}) {
		t.Errorf("Search by path = %+v, %v, want the file", r.Hits, err)
	}
}
