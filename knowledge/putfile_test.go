package knowledge_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// sent is a file of these bytes.
func sent(name, data string) knowledge.File {
	return knowledge.File{Name: name, Content: strings.NewReader(data), Size: int64(len(data))}
}

// real is a file that a program made.
func real(t testing.TB, name string) knowledge.File {
	t.Helper()
	data, err := os.ReadFile("extract/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return sent(name, string(data))
}

// What is read from files of all kinds is found, and stands on the page it says.
func TestPutFile(t *testing.T) {
	kb := newBase(t)
	typed := func(f knowledge.File, contentType string) knowledge.File {
		f.ContentType = contentType
		return f
	}
	for _, tt := range []struct {
		file            knowledge.File
		format          knowledge.Format
		title, language string
		query, text     string // what is asked, and what stands in the passage that is found
		page            int
	}{
		{real(t, "pages.pdf"), knowledge.PDF, "Section 1", "en", "Which class berths at quay 27?", "class 9", 9},
		{real(t, "table.pdf"), knowledge.PDF, "Price list of the harbour", "en", "What does black tea cost?", "| Black tea | 250 g | 8.20 |", 1},
		{real(t, "handbook.docx"), knowledge.DOCX, "Shop handbook", "en-US", "When do refunds come?", "five working days", 0},
		{real(t, "slides.pptx"), knowledge.PPTX, "Training", "en-GB", "When does the early shift begin?", "six in the morning", 4},
		{real(t, "prices.xlsx"), knowledge.XLSX, "Price list", "en-GB", "Which region had South quarters?", "| South | 8 | 9 |", 2},
		{sent("tea.csv", "Tea;Price\nSencha;4,50\nAssam;3,20\n"), knowledge.CSV, "tea.csv", "", "What does Assam cost?", "Tea: Assam; Price: 3,20", 0},
		{sent("faq.json", `[{"question":"Do you repair clocks?","answer":"On Fridays."}]`), knowledge.JSON, "faq.json", "", "Do you repair clocks?", "answer: On Fridays.", 0},
		{sent("faq.jsonl", `{"question":"Do you repair watches?","answer":"On Mondays."}`), knowledge.JSONL, "faq.jsonl", "", "Do you repair watches?", "answer: On Mondays.", 0},
		{sent(`C:\notes\kites.txt`, "Kites fly at noon."), knowledge.Text, "kites.txt", "", "When do kites fly?", "at noon", 0},
		{typed(sent("umbrella", "# Umbrellas\n\nUmbrellas are lent at the desk."), "text/markdown"), knowledge.Markdown, "Umbrellas", "", "Where are umbrellas lent?", "at the desk", 0},
		{typed(sent("café.txt", "Le caf\xe9 cr\xe8me est servi apr\xe8s le th\xe9."), "text/plain; charset=iso-8859-1"), knowledge.Text, "café.txt", "", "café crème", "café crème est servi", 0},
		{typed(sent("utf16.txt", "\xff\xfeL\x00a\x00m\x00p\x00s\x00"), "text/plain; charset=utf-8"), knowledge.Text, "utf16.txt", "", "lamps", "Lamps", 0},
		{typed(sent("mislabelled.txt", "Grüne Laternen"), "text/plain; charset=windows-1252"), knowledge.Text, "mislabelled.txt", "", "Laternen", "Grüne Laternen", 0},
	} {
		t.Run(tt.file.Name, func(t *testing.T) {
			d, err := kb.PutFile(t.Context(), tt.file)
			if err != nil || d.Status != knowledge.Created || d.Format != tt.format || d.Title != tt.title || d.Language != tt.language || d.Text != "" {
				t.Fatalf("PutFile = %s %+v, %v, want %s %q in %q", d.Status, d.Document, err, tt.format, tt.title, tt.language)
			}
			found, err := kb.Search(t.Context(), knowledge.Query{Text: tt.query})
			if err != nil || len(found.Hits) == 0 {
				t.Fatalf("Search(%q) = %d hits, %v", tt.query, len(found.Hits), err)
			}
			if h := found.Hits[0]; h.DocumentID != d.ID || !strings.Contains(h.Text, tt.text) || h.Page != tt.page {
				t.Errorf("Search(%q) finds %q on page %d of %s, want %q on page %d", tt.query, h.Text, h.Page, h.Title, tt.text, tt.page)
			}
			text, err := kb.Text(t.Context(), d.ID, 0)
			if h := found.Hits[0]; err != nil || text[h.Start:h.End] != h.Text {
				t.Errorf("the stored text from %d to %d is not the passage, %v", h.Start, h.End, err)
			}
		})
	}
}

// counting counts the bytes that are read of it.
type counting struct {
	io.ReaderAt
	n atomic.Int64
}

func (c *counting) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}

// A file that is stored just as given is passed over: no more of it is read than
// its beginning and, once, its bytes. What counts is the file, not what is read
// there.
func TestPutFileAgain(t *testing.T) {
	kb := newBase(t)
	f := real(t, "handbook.docx")
	f.ExternalID = "handbook"
	in := &counting{ReaderAt: f.Content}
	f.Content = in
	put := func(what string, f knowledge.File, want knowledge.Status, version int) {
		t.Helper()
		in.n.Store(0)
		d, err := kb.PutFile(t.Context(), f)
		if err != nil || d.Status != want || d.Version != version {
			t.Errorf("%s: PutFile = %s version %d, %v, want %s version %d", what, d.Status, d.Version, err, want, version)
		}
		run, err := kb.Run(t.Context(), d.RunID)
		c := run.Counts
		if err != nil || run.Kind != knowledge.RunFile || run.State != knowledge.RunCompleted || c.Done != 1 || (c.Created == 1) != (want == knowledge.Created) || (c.Updated == 1) != (want == knowledge.Updated) || (c.Unchanged == 1) != (want == knowledge.Unchanged) {
			t.Errorf("%s: the run is %+v, %v, want one that has %s a document", what, run, err, want)
		}
	}
	put("first", f, knowledge.Created, 1)
	put("again", f, knowledge.Unchanged, 1)
	if n, most := in.n.Load(), 2*f.Size+8<<10; n > most {
		t.Errorf("%d bytes are read of an unchanged file of %d, want its bytes once and its directory, %d at most", n, f.Size, most)
	}
	renamed := f
	renamed.Name = "manual.docx"
	put("under another name", renamed, knowledge.Unchanged, 1)
	titled := f
	titled.Title = "Handbook"
	put("with a title", titled, knowledge.Updated, 1)
	other := real(t, "manual.docx")
	other.ExternalID = "handbook"
	put("another file", other, knowledge.Updated, 2)
	put("and back", f, knowledge.Updated, 3)

	agents := f
	agents.AgentID = "agt_01999999999999999999999999"
	if _, err := kb.PutFile(t.Context(), agents); err == nil {
		t.Error("a file for an agent that is not there was taken")
	}
}

// When a file says when it was written, searches may filter by it, unless the
// caller says something else.
func TestDatesOfFiles(t *testing.T) {
	kb := newBase(t)
	page := sent("a.html", `<meta name=created content=2026-01-02><meta name=changed content="2026-01-03T00:00:00+01:00"><p>A page on kites.`)
	page.Metadata = map[string]any{"created": "long ago", "topic": "kites"}
	d, err := kb.PutFile(t.Context(), page)
	if err != nil || fmt.Sprint(d.Metadata) != "map[created:long ago modified:2026-01-02T23:00:00Z topic:kites]" {
		t.Errorf("the metadata of the page is %v, %v", d.Metadata, err)
	}
	page.ExternalID = "a"
	for _, want := range []knowledge.Status{knowledge.Created, knowledge.Unchanged} {
		if d, err = kb.PutFile(t.Context(), page); err != nil || d.Status != want {
			t.Errorf("PutFile = %s, %v, want %s", d.Status, err, want)
		}
	}
	full := sent("a.html", `<meta name=created content=2026-01-02><p>A page on kites.`)
	full.Metadata = map[string]any{"a": strings.Repeat("a", knowledge.MaxMetadata-10)}
	if d, err = kb.PutFile(t.Context(), full); err != nil || len(d.Metadata) != 1 {
		t.Errorf("a page with as much metadata as there may be has %d keys, %v, want its own alone", len(d.Metadata), err)
	}
}

// A document that was a file may be changed like any other. A new text makes it one
// of text.
func TestPatchFile(t *testing.T) {
	kb := newBase(t)
	f, err := kb.PutFile(t.Context(), real(t, "table.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := kb.Patch(t.Context(), f.ID, knowledge.Patch{Metadata: map[string]any{"topic": "prices"}})
	if err != nil || d.Format != knowledge.PDF || d.Version != 1 || d.Metadata["topic"] != "prices" {
		t.Errorf("Patch of the metadata = %+v, %v, want version 1 of the PDF", d, err)
	}
	if d, err = kb.Patch(t.Context(), f.ID, knowledge.Patch{Title: new("")}); err != nil || d.Title == "" {
		t.Errorf("Patch of the title = %q, %v, want one from the text", d.Title, err)
	}
	d, err = kb.Patch(t.Context(), f.ID, knowledge.Patch{Text: new("Tea is free.")})
	if err != nil || d.Format != knowledge.Text || d.Version != 2 {
		t.Errorf("Patch of the text = %+v, %v, want version 2, of text", d, err)
	}
	_, err = kb.Put(t.Context(), knowledge.Document{Text: "%PDF-1.7", Format: knowledge.PDF})
	if e, ok := errors.AsType[*knowledge.InvalidError](err); !ok || e.Field != "format" || !strings.Contains(e.Reason, "send the file") {
		t.Errorf("Put of a text as PDF = %v, want an InvalidError for the format", err)
	}
}

// packed is a docx whose document is body.
func packed(t testing.TB, body io.Reader) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, part := range []struct {
		name string
		in   io.Reader
	}{
		{"[Content_Types].xml", strings.NewReader("<Types/>")},
		{"_rels/.rels", strings.NewReader(`<Relationships><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`)},
		{"word/document.xml", io.MultiReader(strings.NewReader(`<w:document xmlns:w="x"><w:body>`), body, strings.NewReader(`</w:body></w:document>`))},
	} {
		w, err := z.Create(part.name)
		if err == nil {
			_, err = io.Copy(w, part.in)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// repeated reads as n times the same.
func repeated(s string, n int) io.Reader {
	readers := make([]io.Reader, n)
	for i := range readers {
		readers[i] = strings.NewReader(s)
	}
	return io.MultiReader(readers...)
}

// What cannot be taken is refused with the reason and the way out, and nothing of
// it is stored.
func TestPutFileRefused(t *testing.T) {
	kb := newBase(t)
	var numbers strings.Builder
	for i := range 18 << 10 {
		fmt.Fprintf(&numbers, "<w:p><w:r><w:t>%d %s</w:t></w:r></w:p>", i*i, strings.Repeat("word ", 200))
	}
	handbook := real(t, "handbook.docx")
	all, err := io.ReadAll(io.NewSectionReader(handbook.Content, 0, handbook.Size))
	if err != nil {
		t.Fatal(err)
	}
	broken := bytes.Clone(all)
	copy(broken[len(broken)/3:], make([]byte, 64))
	for _, tt := range []struct {
		name string
		file knowledge.File
		want error
		says string
	}{
		{"a scan", real(t, "scan.pdf"), knowledge.ErrNoText, "run OCR over it"},
		{"a PDF with a password", real(t, "password.pdf"), knowledge.ErrPassword, "print it to PDF again without one"},
		{"a PDF that is none", sent("a.pdf", "%PDF-1.7 We open at nine."), knowledge.ErrDamaged, "print it to PDF again"},
		{"a document that is cut off", sent("a.docx", string(all[:len(all)/2])), knowledge.ErrDamaged, "send it again"},
		{"a document with a hole", sent("a.docx", string(broken)), knowledge.ErrDamaged, "damaged"},
		{"a bomb", sent("a.docx", packed(t, repeated("<w:p>"+strings.Repeat("<w:r/>", 1<<16)+"</w:p>", 30))), knowledge.ErrFileTooLarge, "unpack"},
		{"more text than a document may have", sent("a.docx", packed(t, strings.NewReader(numbers.String()))), knowledge.ErrFileTooLarge, "more than the 16777216 a document may have: split it"},
		{"a text too large to be read whole", knowledge.File{Name: "a.csv", Content: strings.NewReader(strings.Repeat("a,b\n", 9<<20)), Size: 36 << 20}, knowledge.ErrFileTooLarge, "split it"},
		{"a file too large", knowledge.File{Name: "a.pdf", Content: strings.NewReader(""), Size: knowledge.MaxFile + 1}, knowledge.ErrFileTooLarge, "at most 100000000: split it"},
		{"a file that is shorter than it says", knowledge.File{Name: "a.txt", Content: strings.NewReader("short"), Size: 100}, io.EOF, ""},
		{"an empty file", sent("a.txt", ""), knowledge.ErrNoText, "it is empty"},
		{"a blank file", sent("a.txt", " \n\n"), knowledge.ErrNoText, "nothing that could be cited"},
		{"a page of nothing", sent("a.html", "<script>open()</script>"), knowledge.ErrNoText, "nothing that could be cited"},
		{"a table of nothing", sent("a.csv", ",,\n,,\n"), knowledge.ErrNoText, "nothing that could be cited"},
		{"broken JSON", sent("a.json", `{"a":`), knowledge.ErrDamaged, "not JSON"},
		{"two values of JSON", sent("a.json", `{} {}`), knowledge.ErrDamaged, "JSONL"},
		{"JSON that is nested without end", sent("a.json", strings.Repeat("[", 1<<20)), knowledge.ErrDamaged, "nested more than"},
		{"no charset at all", sent("a.txt", "\xff\xff\xff\x81"), nil, "save it as UTF-8"},
		{"a label that the bytes show wrong", knowledge.File{Name: "a.txt", ContentType: "text/plain; charset=shift_jis", Content: strings.NewReader("\xff\xfd\xff\xfd\x80\x80"), Size: 6}, nil, "as it was labelled"},
		{"a picture", sent("a.png", "\x89PNG\r\n"), knowledge.ErrFormat, "PDF, docx, pptx and xlsx are read"},
		{"an archive", sent("a.zip", packed(t, strings.NewReader(""))[:0]+"PK\x05\x06"+strings.Repeat("\x00", 18)), knowledge.ErrFormat, "binary"},
		{"an old Word file", sent("a.doc", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1W\x00o\x00r\x00d\x00D\x00o\x00c\x00u\x00m\x00e\x00n\x00t\x00\x00\x00"), knowledge.ErrFormat, "save it as docx"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := kb.PutFile(t.Context(), tt.file)
			e, ok := errors.AsType[*knowledge.FileError](err)
			if !ok || e.Path != tt.file.Name || tt.want != nil && !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 300 {
				t.Errorf("PutFile = %v, want a FileError that wraps %v and says %q", err, tt.want, tt.says)
			}
		})
	}
	if r := revision(t, kb); r != 0 {
		t.Errorf("what was refused raised the revision to %d", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := kb.PutFile(ctx, real(t, "manual.docx")); !errors.Is(err, context.Canceled) {
		t.Errorf("PutFile under an ended context = %v, want %v", err, context.Canceled)
	}
}

// Files that unpack to much text are committed one by one, so that no more than one
// is held.
func TestIngestLargeFiles(t *testing.T) {
	kb := newBase(t)
	dir := t.TempDir()
	para := "<w:p><w:r><w:t>" + strings.Repeat("word ", 200) + "</w:t></w:r></w:p>"
	large := packed(t, repeated(para, 2<<10)) // 2 MB of text in a few KB
	for i := range 3 {
		if err := os.WriteFile(fmt.Sprintf("%s/%d.docx", dir, i), []byte(large), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	taken, err := ingest(t, kb, knowledge.Files(os.DirFS(dir)))
	if err != nil || len(taken) != 3 || revision(t, kb) != 3 {
		t.Errorf("Ingest = %q in %d commits, %v, want three in three", taken, revision(t, kb), err)
	}
	if taken, err = ingest(t, kb, knowledge.Files(os.DirFS(dir))); err != nil || strings.Count(fmt.Sprint(taken), "unchanged") != 3 {
		t.Errorf("Ingest again = %q, %v, want nothing to change", taken, err)
	}
}
