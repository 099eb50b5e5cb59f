package llmtest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/answerdesk-go/answerdesk/llm"
)

// A recording is one request and its answer: a txtar file with the sections "ask",
// an llm.Request as JSON; "request", what is sent for it; "answer", the HTTP
// response as it came; and "want", what must be read of that. The second and the
// last are rewritten where [TestModel] is told to.
type recording struct {
	name    string
	file    string
	archive *txtar.Archive
	ask     llm.Request
	request string
	status  string // the first line and the header of the answer
	body    string
	want    string
}

// outcome is what a section "want" holds: of an answer or of an error.
type outcome struct {
	Text      string         `json:",omitzero"`
	ToolCalls []llm.ToolCall `json:",omitzero"`
	*llm.Done `json:",omitzero"`
	Error     *failure `json:",omitzero"`
}

type failure struct {
	Kind       llm.Kind
	Status     int    `json:",omitzero"`
	Code       string `json:",omitzero"`
	RetryAfter string `json:",omitzero"`
	Incomplete bool   `json:",omitzero"`
}

// read reads the recordings in a folder.
func read(t *testing.T, folder string) (all []*recording) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := &recording{name: strings.TrimSuffix(filepath.Base(file), ".txtar"), file: file, archive: txtar.Parse(b)}
		for _, f := range r.archive.Files {
			switch f.Name {
			case "ask":
				if err := json.Unmarshal(f.Data, &r.ask); err != nil {
					t.Fatalf("%s: ask: %v", file, err)
				}
			case "request":
				r.request = string(f.Data)
			case "answer":
				head, body, ok := strings.Cut(string(f.Data), "\n\n")
				if !ok {
					t.Fatalf("%s: the answer has no empty line after its header", file)
				}
				r.status, r.body = head, body
			case "want":
				r.want = string(f.Data)
			}
		}
		if r.status == "" || len(r.ask.Messages) == 0 {
			t.Fatalf("%s has no answer, or asks nothing", file)
		}
		all = append(all, r)
	}
	return all
}

// response is the answer with another body.
func (r *recording) response(req *http.Request, body io.ReadCloser) (*http.Response, error) {
	head := strings.ReplaceAll(r.status, "\n", "\r\n") + "\r\n\r\n"
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(head)), req)
	if err != nil {
		return nil, err
	}
	resp.Body, resp.ContentLength = body, -1
	return resp, nil
}

// stream reports whether the answer is one of events.
func (r *recording) stream() bool {
	return strings.Contains(strings.ToLower(r.status), "text/event-stream")
}

// refused reports whether the answer is an error by its status.
func (r *recording) refused() bool {
	return !strings.Contains(strings.SplitN(r.status, "\n", 2)[0], " 200")
}

// hold compares a section with what is true, or has it say that.
func (r *recording) hold(t *testing.T, update bool, name, have, got string) {
	t.Helper()
	if have == got {
		return
	}
	if !update {
		t.Errorf("%s: %s = %s\nwant %s", r.name, name, got, have)
		return
	}
	found := false
	for i := range r.archive.Files {
		if r.archive.Files[i].Name == name {
			r.archive.Files[i].Data, found = []byte(got), true
		}
	}
	if !found {
		r.archive.Files = append(r.archive.Files, txtar.File{Name: name, Data: []byte(got)})
	}
	if err := os.WriteFile(r.file, txtar.Format(r.archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// heard is what came of an answer, as a section "want" has it.
func heard(got llm.Response, err error) string {
	o := outcome{Text: got.Text, ToolCalls: got.ToolCalls}
	if err != nil {
		o.Error = &failure{Incomplete: errors.Is(err, llm.ErrIncomplete)}
		if e, ok := errors.AsType[*llm.Error](err); ok {
			o.Error.Kind, o.Error.Status, o.Error.Code = e.Kind, e.Status, e.Code
			if e.RetryAfter > 0 {
				o.Error.RetryAfter = e.RetryAfter.Round(time.Millisecond).String()
			}
		}
	} else {
		o.Done = &got.Done
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(o); err != nil {
		return fmt.Sprint(err)
	}
	return b.String()
}

// tidy is JSON as a section has it.
func tidy(raw []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return string(raw) + "\n"
	}
	return b.String() + "\n"
}
