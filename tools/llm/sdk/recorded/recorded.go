// Package recorded reads recordings and plays them to clients.
package recorded

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/answerdesk-go/answerdesk/llm"
)

// Key is what clients are given as a key.
const Key = "a-key"

// A Recording is a request and its answer.
type Recording struct {
	Name   string
	Ask    llm.Request
	Answer []byte // as HTTP

	mu   sync.Mutex
	sent []byte
}

// Each runs f for each recording in a folder.
func Each(t *testing.T, folder string, f func(*testing.T, *Recording)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(folder, "*.txtar"))
	if err != nil || len(files) < 10 {
		t.Fatalf("%s has %d recordings, %v, want more", folder, len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := &Recording{Name: strings.TrimSuffix(filepath.Base(file), ".txtar")}
		for _, part := range txtar.Parse(raw).Files {
			switch part.Name {
			case "ask":
				if err := json.Unmarshal(part.Data, &r.Ask); err != nil {
					t.Fatalf("%s: %v", file, err)
				}
			case "answer":
				r.Answer = part.Data
			}
		}
		t.Run(r.Name, func(t *testing.T) { f(t, r) })
	}
}

// Server plays the recording to whoever asks, and keeps what it is sent.
func (r *Recording) Server(t *testing.T) *httptest.Server {
	t.Helper()
	head, body, _ := bytes.Cut(r.Answer, []byte("\n\n"))
	answer, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(slices.Concat(head, []byte("\n\n")))), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		sent, err := io.ReadAll(req.Body)
		if err != nil {
			t.Error(err)
		}
		r.mu.Lock()
		r.sent = sent
		r.mu.Unlock()
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		if _, err := w.Write(body); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// Sent is the body of the last request.
func (r *Recording) Sent() []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sent
}

// A Heard is what a client has read of an answer.
type Heard struct {
	Text  string
	Calls []Call
	Usage llm.Usage
	Err   error
	Code  int // the status in Err
}

// A Call is one of a tool.
type Call struct {
	ID, Name  string
	Arguments json.RawMessage
}

// Ours reads the recording with one of our models, and returns what it has sent.
func (r *Recording) Ours(t *testing.T, m llm.Model) (h Heard, sent []byte) {
	t.Helper()
	a, err := llm.Collect(m.Generate(t.Context(), r.Ask))
	h = Heard{Text: a.Text, Usage: a.Usage, Err: err}
	for _, c := range a.ToolCalls {
		h.Calls = append(h.Calls, Call{c.ID, c.Name, c.Arguments})
	}
	if failed, ok := errors.AsType[*llm.Error](err); ok {
		h.Code = failed.Status
	}
	if err == nil && len(r.Sent()) == 0 {
		t.Fatal("nothing was sent")
	}
	return h, r.Sent()
}

// Same fails the test if two JSON texts are not the same.
func Same(t *testing.T, ours, theirs []byte) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(ours, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(theirs, &b); err != nil {
		t.Fatalf("%s: %v", theirs, err)
	}
	if !reflect.DeepEqual(a, b) {
		t.Errorf("we send\n%s\nand with the types of the SDK it is\n%s", ours, theirs)
	}
}

// Compare fails the test if two clients have read something else.
func Compare(t *testing.T, ours, theirs Heard) {
	t.Helper()
	if ours.Err != nil || theirs.Err != nil {
		if (ours.Err == nil) != (theirs.Err == nil) || ours.Code != theirs.Code && ours.Code != 0 {
			t.Errorf("we fail with %v, the SDK with %v", ours.Err, theirs.Err)
		}
	}
	if ours.Text != theirs.Text {
		t.Errorf("we read %q, the SDK %q", ours.Text, theirs.Text)
	}
	if len(ours.Calls) != len(theirs.Calls) {
		t.Fatalf("we read %d calls, the SDK %d", len(ours.Calls), len(theirs.Calls))
	}
	for i, c := range ours.Calls {
		d := theirs.Calls[i]
		if c.Name != d.Name || c.ID != d.ID && d.ID != "" {
			t.Errorf("call %d: we read %s %s, the SDK %s %s", i, c.ID, c.Name, d.ID, d.Name)
		}
		if len(d.Arguments) == 0 || string(d.Arguments) == "null" {
			d.Arguments = json.RawMessage("{}")
		}
		Same(t, c.Arguments, d.Arguments)
	}
	if ours.Err == nil && !ours.Usage.Estimated && ours.Usage != theirs.Usage {
		t.Errorf("we count %+v, the SDK %+v", ours.Usage, theirs.Usage)
	}
}
