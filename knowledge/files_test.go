package knowledge_test

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// walk returns what Files yields: the format of each document by its path, or
// its error.
func walk(t *testing.T, fsys fs.FS, roots ...string) []string {
	t.Helper()
	var out []string
	for d, err := range knowledge.Files(fsys, roots...) {
		if err == nil {
			if d.Metadata["path"] != d.ExternalID || d.Title != "" {
				t.Errorf("the document of %s has the metadata %v and the title %q", d.ExternalID, d.Metadata, d.Title)
			}
			out = append(out, d.ExternalID+" "+string(d.Format))
			continue
		}
		file, ok := errors.AsType[*knowledge.FileError](err)
		if !ok || file.Path != d.ExternalID || d.Text != "" {
			t.Errorf("error %v comes with %+v, want a FileError that names the path, which is also the external id", err, d)
			continue
		}
		out = append(out, fmt.Sprintf("%s: %.200s", file.Path, strings.TrimPrefix(err.Error(), file.Path+": ")))
	}
	return out
}

func TestFiles(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	fsys := fstest.MapFS{
		"a.txt":               file("We open at nine."),
		"b.md":                file("# Hours\n\nNine."),
		"page.html":           file("<html><body><p>Nine."),
		"README":              file("# Read me\n\nPlease."),
		"data.csv":            file("a,b\n1,2\n"),
		"empty.txt":           file(""),
		"image.png":           file("\x89PNG\r\n\x1a\n...."),
		"program.bin":         file("ELF\x00\x01"),
		"scan.pdf":            file("%PDF-1.7 ..."),
		"latin1.txt":          file("caf\xe9"),
		"cut.docx":            file("PK\x03\x04..."),
		"q.jsonl":             file("{}\n"),
		".hidden.md":          file("secret"),
		".git/config.md":      file("secret"),
		"sub/.cache/x.md":     file("secret"),
		"sub/deep/c.markdown": file("Deep."),
		"sub/UPPER.MD":        file("Upper."),
		"large.txt":           file(strings.Repeat("x", knowledge.MaxFile+1)),
		"pipe":                {Mode: fs.ModeNamedPipe},
		"device.txt":          {Mode: fs.ModeDevice},
	}
	all := []string{
		"README markdown",
		"a.txt text",
		"b.md markdown",
		"cut.docx: file is damaged: it begins like a zip archive, as docx, pptx and xlsx are, and is cut off or broken: send it again",
		"data.csv csv",
		"device.txt: is not a regular file",
		"empty.txt: file holds no text: it is empty",
		"image.png: ",
		"large.txt: file too large: 100000001 bytes, at most 100000000: split it",
		"latin1.txt text",
		"page.html html",
		"pipe: is not a regular file",
		"program.bin: ",
		"q.jsonl jsonl",
		"scan.pdf pdf",
		"sub/UPPER.MD markdown",
		"sub/deep/c.markdown markdown",
	}
	for _, tt := range []struct {
		roots []string
		want  []string
	}{
		{nil, all},
		{[]string{"."}, all},
		{[]string{"sub"}, []string{"sub/UPPER.MD markdown", "sub/deep/c.markdown markdown"}},
		{[]string{"b.md", "a.txt", "b.md"}, []string{"b.md markdown", "a.txt text", "b.md markdown"}},
		{[]string{".hidden.md"}, []string{".hidden.md markdown"}}, // asked for by name
		{[]string{"sub/.cache"}, []string{"sub/.cache/x.md markdown"}},
		{[]string{"gone.md", "a.txt"}, []string{"gone.md: file does not exist", "a.txt text"}},
		{[]string{"../up", "/etc", ""}, []string{"../up: ", "/etc: ", ": "}},
		{[]string{"\xff"}, []string{"\xff: "}},
	} {
		got := walk(t, fsys, tt.roots...)
		ok := len(got) == len(tt.want)
		for i := range min(len(got), len(tt.want)) {
			ok = ok && (got[i] == tt.want[i] || strings.HasSuffix(tt.want[i], ": ") && strings.HasPrefix(got[i], tt.want[i]) && len(got[i]) > len(tt.want[i]))
		}
		if !ok {
			t.Errorf("Files(%q) = %q, want %q", tt.roots, got, tt.want)
		}
	}
}

// The loop may be left at any document, and entered again.
func TestFilesLeft(t *testing.T) {
	fsys := fstest.MapFS{"a/1.txt": {Data: []byte("x")}, "a/2.txt": {Data: []byte("x")}, "b/3.txt": {Data: []byte("x")}}
	files := knowledge.Files(fsys, "a", "gone", "b")
	for n := range 5 {
		count := 0
		for range files {
			if count++; count == n {
				break
			}
		}
		if want := min(max(n, 0), 4); n > 0 && count != want {
			t.Errorf("left after %d, the loop saw %d documents, want %d", n, count, want)
		}
	}
}

// failing is a file system that cannot read some files.
type failing struct {
	fstest.MapFS
	opening, reading, listing string
}

func (f failing) Open(name string) (fs.File, error) {
	file, err := f.MapFS.Open(name)
	switch name {
	case f.opening:
		return nil, &fs.PathError{Op: "open", Path: "/secret/place/" + name, Err: fs.ErrPermission}
	case f.reading:
		return failingFile{file}, err
	}
	return file, err
}

func (f failing) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == f.listing {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return f.MapFS.ReadDir(name)
}

func (f failing) Stat(name string) (fs.FileInfo, error) { return f.MapFS.Stat(name) }

// ReadFile is not there: files are read through Open.
func (f failing) ReadFile() {}

type failingFile struct{ fs.File }

func (failingFile) Read([]byte) (int, error) { return 0, syscall.EIO }

// What cannot be read is told by name, and the walk goes on.
func TestFilesUnreadable(t *testing.T) {
	fsys := failing{
		MapFS: fstest.MapFS{
			"a.txt": {Data: []byte("x")}, "b.txt": {Data: []byte("x")}, "c/d.txt": {Data: []byte("x")}, "e.txt": {Data: []byte("x")},
		},
		opening: "a.txt", reading: "b.txt", listing: "c",
	}
	want := []string{"a.txt: permission denied", "b.txt: input/output error", "c: permission denied", "e.txt text"}
	if got := walk(t, fsys); !slices.Equal(got, want) {
		t.Errorf("Files = %q, want %q", got, want)
	}
}
