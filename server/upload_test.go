package server_test

import (
	"archive/zip"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/answerdesk-go/answerdesk/knowledge"
)

// random reads as so many bytes that nothing packs.
func random(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{}), n)
}

// sendForm sends the parts that write writes, while it writes them, and returns the
// answer.
func (h *host) sendForm(t testing.TB, write func(*multipart.Writer) error) answer {
	t.Helper()
	body, out := io.Pipe()
	form := multipart.NewWriter(out)
	var wg sync.WaitGroup
	wg.Go(func() { out.CloseWithError(write(form)) })
	r := httptest.NewRequestWithContext(t.Context(), "POST", "/v1/knowledge/files", body)
	r.Header.Set("X-Api-Key", h.key)
	r.Header.Set("Content-Type", form.FormDataContentType())
	a := h.serve(t, r)
	_ = body.Close() // the writer of what nobody wants any more gives up
	wg.Wait()
	return a
}

// A file of 100 MB goes through the server to a file on disk, whole, and from there
// through what reads it, without ever being in memory; and the disk is given back.
func TestLargeUpload(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	h := open(t, nil, nil)
	// A document of Word, most of which is a picture, as of large files it is.
	document := func(form *multipart.Writer) error {
		part, err := form.CreateFormFile("file", "kites.docx")
		if err != nil {
			return err
		}
		z := zip.NewWriter(part)
		for _, p := range []struct {
			name string
			in   io.Reader
		}{
			{"[Content_Types].xml", strings.NewReader("<Types/>")},
			{"word/media/picture.png", random(knowledge.MaxFile - 4000)},
			{"_rels/.rels", strings.NewReader(`<Relationships><Relationship Id="r" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>`)},
			{"word/document.xml", strings.NewReader(`<w:document xmlns:w="x"><w:body><w:p><w:r><w:t>Kites fly at noon.</w:t></w:r></w:p></w:body></w:document>`)},
		} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: p.name, Method: zip.Store})
			if err == nil {
				_, err = io.Copy(w, p.in)
			}
			if err != nil {
				return err
			}
		}
		if err := z.Close(); err != nil {
			return err
		}
		if err := form.WriteField("title", "Kites"); err != nil { // a field may come last
			return err
		}
		return form.Close()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	a := h.sendForm(t, document)
	runtime.ReadMemStats(&after)
	var out struct {
		Document struct{ Title, Format string }
	}
	a.read(t, 202, &out)
	if out.Document.Title != "Kites" || out.Document.Format != "docx" {
		t.Errorf("the document is %+v, want that of Word", out.Document)
	}
	// All that was taken, given back or not: pools forget more often on a busy machine.
	if took := after.TotalAlloc - before.TotalAlloc; took > knowledge.MaxFile/2 {
		t.Errorf("an upload of %d bytes took %d bytes of memory in all, want half of that at most", knowledge.MaxFile, took)
	}
	found, err := h.desk.Knowledge().Search(t.Context(), knowledge.Query{Text: "When do kites fly?"})
	if err != nil || len(found.Hits) == 0 || !strings.Contains(found.Hits[0].Text, "noon") {
		t.Errorf("what the file says is found as %+v, %v", found.Hits, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("the upload left %v in the folder for temporary files, %v", left, err)
	}
}

// What is larger than a file may be is refused while it comes, and no more of it is
// taken in.
func TestTooLargeUpload(t *testing.T) {
	h := open(t, nil, nil)
	taken := int64(0)
	a := h.sendForm(t, func(form *multipart.Writer) error {
		part, err := form.CreateFormFile("file", "a.pdf")
		if err == nil {
			taken, err = io.Copy(part, random(2*knowledge.MaxFile))
		}
		return err
	})
	if p := a.is(t, 413, "request_too_large"); p.Details["field"] != "file" || fmt.Sprint(p.Details["limit"]) != "1e+08" {
		t.Errorf("it is refused with %v, want the field and the limit", p.Details)
	}
	if taken > knowledge.MaxFile+1<<20 {
		t.Errorf("%d bytes were taken in, want no more than a file may have", taken)
	}
}

// Where there is no place for a large file, the caller is told to come again, and a
// small one is taken all the same.
func TestUploadWithoutPlace(t *testing.T) {
	h := open(t, nil, nil)
	t.Setenv("TMPDIR", t.TempDir()+"/gone")
	body, media := form(t, part{"file", "a.txt", "", strings.Repeat("line of 16 bytes", 1<<17)})
	p := h.do(t, "POST", "/v1/knowledge/files", body, "Content-Type", media).is(t, 503, "store_unavailable")
	if strings.Contains(p.Message, "gone") {
		t.Errorf("the error tells of this machine: %s", p.Message)
	}
	body, media = form(t, part{"file", "a.txt", "", "A text."})
	h.do(t, "POST", "/v1/knowledge/files", body, "Content-Type", media).read(t, 202, nil)
}

// The same form is answered from what it made before, however it is cut and whatever
// its boundary; another file under the same key is refused.
func TestUploadAgain(t *testing.T) {
	h := open(t, nil, nil)
	large := strings.Repeat("A text of some length. ", 1<<17)
	send := func(parts ...part) answer {
		body, media := form(t, parts...)
		return h.do(t, "POST", "/v1/knowledge/files", body, "Content-Type", media, "Idempotency-Key", "upload")
	}
	title := part{field: "title", text: "T"}
	first := send(part{"file", "a.txt", "", large}, title)
	first.read(t, 202, nil)
	again := send(part{"file", "a.txt", "", large}, title)
	again.read(t, 202, nil)
	if string(again.body) != string(first.body) || again.Header().Get("Idempotent-Replayed") != "true" {
		t.Errorf("the same upload gets %s, then %s", first.body, again.body)
	}
	for name, parts := range map[string][]part{
		"another text":      {{"file", "a.txt", "", large[1:]}, title},
		"another name":      {{"file", "b.txt", "", large}, title},
		"another type":      {{"file", "a.txt", "text/markdown", large}, title},
		"another title":     {{"file", "a.txt", "", large}, {field: "title", text: "U"}},
		"without the title": {{"file", "a.txt", "", large}},
	} {
		if p := send(parts...).is(t, 409, "idempotency_key_reused"); p.Message == "" {
			t.Errorf("%s: no reason is given", name)
		}
	}
}
