package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/agent"
	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

func TestIngest(t *testing.T) {
	folder, desk := shop(t)
	program(t, "ingest", "--data", desk, folder).want(t, 0, "0 created, 0 updated, 1 unchanged, 0 refused\n")
	write(t, folder, map[string]string{
		"hours.md":           "# Opening hours\n\nThe shop opens at ten in the morning.\n",
		"returns.txt":        "You can return an item within thirty days.\n",
		"legal/imprint.html": "<title>Imprint</title><main><p>The shop belongs to Ada Example.</p></main>",
		".draft.md":          "The shop opens at noon.\n",
		".git/config":        "The shop opens at midnight.\n",
	})
	program(t, "ingest", "--data", desk, folder).want(t, 0, "2 created, 1 updated, 0 unchanged, 0 refused\n")
	program(t, "ask", "--data", desk, whenOpen).want(t, 0, "opens at ten")
	program(t, "ask", "--data", desk, "To whom does the shop belong?").want(t, 0, "Ada Example")
	want := []string{folder + "/hours.md", folder + "/legal/imprint.html", folder + "/returns.txt"}
	if got := documentsOf(t, desk); !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}
}

// A file is the same document however its path is spelled, alone or as part of a
// folder, and two folders of one name are not confused.
func TestIngestSpellings(t *testing.T) {
	top := t.TempDir()
	write(t, top, map[string]string{
		"a/docs/hours.md": "The shop opens at nine.\n",
		"b/docs/hours.md": "The office opens at ten.\n",
	})
	desk := filepath.Join(top, "desk")
	program(t, "ingest", "--data", desk, top+"/a", top+"/b/docs").want(t, 0, "2 created, 0 updated, 0 unchanged")
	t.Chdir(filepath.Join(top, "a"))
	for _, path := range []string{
		".", "./", "docs", "./docs/", "docs/hours.md", "../a/docs", "docs/../docs//hours.md",
		top + "/a", top + "/a/docs/hours.md", "../b",
	} {
		program(t, "ingest", "--data", desk, path).want(t, 0, "0 created, 0 updated, 1 unchanged, 0 refused\n")
	}
	program(t, "ingest", "--data", "../desk", ".", "docs", "..").want(t, 0, "0 created, 0 updated, 4 unchanged, 0 refused\n")
	if got, want := documentsOf(t, desk), []string{top + "/a/docs/hours.md", top + "/b/docs/hours.md"}; !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}
}

// A desk in the midst of the documents is no document.
func TestIngestAroundTheDesk(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, map[string]string{"hours.md": "The shop opens at nine.\n"})
	program(t, "ingest", "--data", folder, folder).want(t, 0, "1 created, 0 updated, 0 unchanged, 0 refused\n")
	desk := filepath.Join(folder, "desk")
	program(t, "ingest", "--data", desk, folder+"/hours.md").want(t, 0, "1 created, 0 updated, 0 unchanged, 0 refused\n")
}

func TestIngestForAgent(t *testing.T) {
	folder, dir := shop(t)
	desk, err := answerdesk.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	sales, err := desk.Agents().Create(t.Context(), agent.Settings{Name: "Sales"})
	if err != nil {
		t.Fatal(err)
	}
	if err := desk.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, folder, map[string]string{"margin.md": "# Margins\n\nThe margin of tea is forty percent.\n"})
	const question = "What is the margin of tea?"
	program(t, "ingest", "--data", dir, "--agent", sales.ID, folder+"/margin.md").want(t, 0, "1 created")
	program(t, "ask", "--data", dir, "--agent", sales.ID, question).want(t, 0, "outcome: answer", "forty percent")
	program(t, "ask", "--data", dir, "--agent", sales.ID, whenOpen).want(t, 0, "outcome: answer", "at nine")
	program(t, "ask", "--data", dir, question).want(t, 0, "outcome: refuse")
}

// What cannot be taken is named with the reason, nothing of it is stored, and the
// rest is taken.
func TestIngestRefused(t *testing.T) {
	folder, desk := shop(t)
	write(t, folder, map[string]string{
		"empty.md":     "",
		"blank.txt":    " \n\n",
		"latin1.md":    "The caf\xe9 opens at nine.\n", // which is read as what it is
		"charset.txt":  "\xff\xff\x81\x81",
		"nul.txt":      "The shop\x00opens at nine.\n",
		"program.bin":  "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00",
		"paper.pdf":    "%PDF-1.7 The shop opens at nine.\n",
		"scan.pdf":     sample(t, "scan.pdf"),
		"secret.pdf":   sample(t, "password.pdf"),
		"half.docx":    sample(t, "handbook.docx")[:3000],
		"nothing.html": "<html><body><script>open()</script></body></html>",
		"huge.txt":     strings.Repeat("The shop opens.\n", knowledge.MaxText/16+1),
	})
	if err := os.WriteFile(filepath.Join(folder, "sparse.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(folder, "sparse.txt"), 1<<40); err != nil { // no disk holds it, nor any memory
		t.Fatal(err)
	}
	for name, target := range map[string]string{"up": ".", "around": "around", "gone.md": "nowhere"} {
		if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	r := program(t, "ingest", "--data", desk, folder)
	r.want(t, 0, "1 created, 0 updated, 1 unchanged, 14 refused\n")
	for name, reason := range map[string]string{
		"empty.md":     "it is empty",
		"blank.txt":    "nothing that could be cited",
		"charset.txt":  "save it as UTF-8",
		"nul.txt":      "binary",
		"program.bin":  "program",
		"paper.pdf":    "print it to PDF again",
		"scan.pdf":     "run OCR over it",
		"secret.pdf":   "password",
		"half.docx":    "cut off or broken: send it again",
		"nothing.html": "nothing that could be cited",
		"huge.txt":     "more than the 16777216",
		"sparse.txt":   "at most 100000000: split it",
		"around":       "too many levels of symbolic links",
		"gone.md":      "no such file",
	} {
		if !slices.ContainsFunc(strings.Split(r.stderr, "\n"), func(line string) bool {
			return strings.HasPrefix(line, "refused "+filepath.Join(folder, name)+": ") && strings.Contains(line, reason)
		}) {
			t.Errorf("ingest of %s does not say %q:\n%s", name, reason, r.stderr)
		}
	}
	if got, want := documentsOf(t, desk), []string{folder + "/hours.md", folder + "/latin1.md"}; !slices.Equal(got, want) {
		t.Errorf("documents = %q, want %q", got, want)
	}
	program(t, "ask", "--data", desk, "When does the café open?").want(t, 0, "The café opens at nine.")
}

// sample is a file that a program made.
func sample(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile("../../knowledge/extract/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Files of all kinds in a folder are taken in; those that have not changed are
// passed over.
func TestIngestFiles(t *testing.T) {
	folder, desk := t.TempDir(), filepath.Join(t.TempDir(), "desk")
	write(t, folder, map[string]string{
		"handbook.docx": sample(t, "handbook.docx"), "pages.pdf": sample(t, "pages.pdf"), "slides.pptx": sample(t, "slides.pptx"), "prices.xlsx": sample(t, "prices.xlsx"),
		"tea.csv": "Tea,Price\nSencha,4.50\nAssam,3.20\n", "faq.json": `[{"question":"Do you repair clocks?","answer":"On Fridays."}]`,
	})
	program(t, "ingest", "--data", desk, folder).want(t, 0, "6 created, 0 updated, 0 unchanged, 0 refused\n")
	program(t, "ask", "--data", desk, "Which ships berth at quay 27?").want(t, 0, "Ships of class 9 berth at quay 27", "pages.pdf")
	program(t, "ask", "--data", desk, "Do you repair clocks?").want(t, 0, "On Fridays.")
	write(t, folder, map[string]string{"tea.csv": "Tea,Price\nSencha,4.50\nAssam,3.40\n"})
	program(t, "ingest", "--data", desk, folder).want(t, 0, "0 created, 1 updated, 5 unchanged, 0 refused\n")
}

func TestIngestStatus(t *testing.T) {
	folder, desk := shop(t)
	write(t, folder, map[string]string{"bad/program.bin": "\x7fELF\x02\x01\x01\x00"})
	if err := os.Symlink("around", folder+"/around"); err != nil {
		t.Fatal(err)
	}
	empty := t.TempDir()
	for _, test := range []struct {
		name   string
		paths  []string
		status int
		want   []string
	}{
		{"taken and refused", []string{folder + "/hours.md", folder + "/bad"}, 0, []string{"1 unchanged, 1 refused", "program.bin: "}},
		{"nothing but refused", []string{folder + "/bad"}, 1, []string{"0 unchanged, 1 refused", "nothing could be taken"}},
		{"one path missing", []string{folder + "/none", folder + "/hours.md"}, 1, []string{"cannot read " + folder + "/none: no such file", "1 unchanged", "1 of 2 paths could not be read"}},
		{"all missing", []string{folder + "/none"}, 1, []string{"cannot read " + folder + "/none: no such file", "nothing to read"}},
		{"a loop", []string{folder + "/around"}, 1, []string{"cannot read " + folder + "/around: too many levels of symbolic links"}},
		{"a device", []string{os.DevNull}, 1, []string{"cannot read " + os.DevNull + ": is neither a file nor a folder"}},
		{"an empty folder", []string{empty}, 0, []string{"0 created, 0 updated, 0 unchanged, 0 refused", "there are no files there"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			program(t, append([]string{"ingest", "--data", desk}, test.paths...)...).want(t, test.status, test.want...)
		})
	}
}

// What cannot work leaves nothing behind.
func TestIngestNowhere(t *testing.T) {
	folder, _ := shop(t)
	top := t.TempDir()
	program(t, "ingest", "--data", top+"/desk", folder+"/none").want(t, 1, "nothing to read")
	program(t, "ingest", "--data", folder+"/hours.md", folder).want(t, 1, folder+"/hours.md", "not a directory")
	if there, err := os.ReadDir(top); err != nil || len(there) > 0 {
		t.Errorf("ingest of nothing left %v, %v", there, err)
	}
	desk := top + "/desk"
	for _, id := range []string{"agt_01kanq0w0h0000000000000000", "doc_01kanq0w0h0000000000000000", "Support"} {
		program(t, "ingest", "--data", desk, "--agent", id, folder).want(t, 1, fmt.Sprintf("desk in %s: agent %q not found", desk, id))
	}
	if got := documentsOf(t, desk); len(got) > 0 {
		t.Errorf("documents after ingest for agents that are not there = %q", got)
	}
}

// An ingest that is interrupted keeps what it has counted, and goes on from there
// when it is called again.
func TestIngestInterrupted(t *testing.T) {
	folder, desk := t.TempDir(), filepath.Join(t.TempDir(), "desk")
	files := map[string]string{"p0500.bin": "\x7fELF\x02\x01\x01\x00"}
	for i := range 1000 {
		files[fmt.Sprintf("p%04d.md", i)] = fmt.Sprintf("Page %d is about thing %d.\n", i, i)
	}
	write(t, folder, files)
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, said bytes.Buffer
	refused := writerFunc(func(b []byte) (int, error) {
		cancel() // when the binary file is refused, in the midst of the others
		return said.Write(b)
	})
	r := result{run(ctx, []string{"ingest", "--data", desk, folder}, &stdout, refused), stdout.String(), said.String()}
	r.want(t, 1, "answerdesk ingest: interrupted\n")
	stored := len(documentsOf(t, desk))
	if stored == 0 || stored == 1000 {
		t.Errorf("%d documents are stored, want some and not all", stored)
	}
	r.want(t, 1, fmt.Sprintf("%d created, 0 updated, 0 unchanged, 1 refused\n", stored))
	program(t, "ingest", "--data", desk, folder).want(t, 0, fmt.Sprintf("%d created, 0 updated, %d unchanged, 1 refused\n", 1000-stored, stored))
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// What cannot be printed is no success.
func TestOutputFails(t *testing.T) {
	folder, desk := shop(t)
	full := writerFunc(func([]byte) (int, error) { return 0, io.ErrShortWrite })
	for _, args := range [][]string{{"ask", "--data", desk, whenOpen}, {"ingest", "--data", desk, folder}, {"version"}} {
		var stderr strings.Builder
		if status := run(t.Context(), args, full, &stderr); status != 1 || !strings.Contains(stderr.String(), "short write") {
			t.Errorf("%q to an output that takes nothing = %d, %q, want 1 and the reason", args, status, stderr.String())
		}
	}
}

func TestProgress(t *testing.T) {
	var out strings.Builder
	bar := newBar(&out, "ingesting", 3)
	bar.advance()
	bar.interrupt()
	fmt.Fprintln(&out, "refused a file")
	bar.advance()
	bar.reach(3)
	bar.end()
	for _, want := range []string{"ingesting", "1/3", "\rrefused a file\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("progress = %q, want %q in it", out.String(), want)
		}
	}
	if r := newProgress(&out, "ingesting", func() int { return 3 }); r.bar != nil {
		t.Error("there is a bar where there is no terminal")
	}
}

// documentsOf returns the external ids of the documents in a desk, sorted.
func documentsOf(t testing.TB, dir string) (ids []string) {
	t.Helper()
	desk, err := answerdesk.Open(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer desk.Close()
	for page := (store.Page{Limit: 100}); ; {
		list, err := desk.Knowledge().List(t.Context(), knowledge.Filter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list.Data {
			if d.Metadata["path"] != d.ExternalID {
				t.Errorf("document %s has the path %v", d.ExternalID, d.Metadata["path"])
			}
			ids = append(ids, d.ExternalID)
		}
		if page.Cursor = list.NextCursor; !list.HasMore {
			break
		}
	}
	slices.Sort(ids)
	return ids
}
