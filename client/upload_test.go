package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/answerdesk-go/answerdesk/client"
	"github.com/answerdesk-go/answerdesk/client/clienttest"
)

// A counted file says how often it was opened and closed.
type counted struct {
	opened, closed, read atomic.Int64
	text                 []byte
}

func (c *counted) file() client.File {
	return client.File{Name: "hours.md", Open: func() (io.ReadCloser, error) {
		c.opened.Add(1)
		return &reading{bytes.NewReader(c.text), c}, nil
	}}
}

type reading struct {
	io.Reader
	of *counted
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.of.read.Add(int64(n))
	return n, err
}

func (r *reading) Close() error {
	r.of.closed.Add(1)
	return nil
}

// form takes a recorded request apart.
func form(t *testing.T, r clienttest.Request) (fields map[string]string, file *multipart.FileHeader, text string) {
	t.Helper()
	req, _ := http.NewRequest("POST", "/", bytes.NewReader(r.Body))
	req.Header = r.Header
	if err := req.ParseMultipartForm(1 << 20); err != nil {
		t.Fatalf("%v in %q", err, r.Body)
	}
	fields = map[string]string{}
	for k, v := range req.MultipartForm.Value {
		fields[k] = strings.Join(v, "|")
	}
	file = req.MultipartForm.File["file"][0]
	f, err := file.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return fields, file, string(b)
}

// TestUpload sends a file with its fields.
func TestUpload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hours.md")
	if err := os.WriteFile(path, []byte("At nine."), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		file  client.File
		known bool // its length
		name  string
		kind  string
	}{
		"path":    {client.FileFromPath(path), true, "hours.md", "text/markdown"},
		"bytes":   {client.FileFromBytes("a \"b\"\r\nc.HTM", []byte("At nine.")), true, "a \"b\"\r\nc.HTM", "text/html"},
		"reader":  {client.FileFromReader("hours.txt", strings.NewReader("At nine.")), false, "hours.txt", "text/plain"},
		"no name": {client.File{Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("At nine.")), nil }}, false, "file", "application/octet-stream"},
		"typed":   {client.File{Name: "x", ContentType: "text/plain; charset=utf-8", Open: func() (io.ReadCloser, error) { return os.Open(path) }}, true, "x", "text/plain; charset=utf-8"},
	} {
		s := clienttest.New(t, clienttest.Respond(202, `{"document":{"id":"doc_1"}}`))
		got, err := to(t, s).Knowledge.Files.Upload(t.Context(), test.file, &client.FileFields{
			AgentID: "agt_1", ExternalID: "hours", Title: "Hours", URL: "https://example.com", Metadata: map[string]any{"tags": []string{"a"}},
		})
		if err != nil || got.Document.ID != "doc_1" {
			t.Errorf("%s: %v, %v", name, got, err)
			continue
		}
		r := s.Requests()[0]
		fields, file, text := form(t, r)
		if want := `map[agent_id:agt_1 external_id:hours metadata:{"tags":["a"]} title:Hours url:https://example.com]`; fmt.Sprint(fields) != want || text != "At nine." {
			t.Errorf("%s: fields %v and text %q", name, fields, text)
		}
		if file.Header.Get("Content-Type") != test.kind || strings.NewReplacer("%0D", "\r", "%0A", "\n").Replace(file.Filename) != test.name {
			t.Errorf("%s: part %v of %q", name, file.Header, file.Filename)
		}
		if known := r.Header.Get("Content-Length") == fmt.Sprint(len(r.Body)); known != test.known {
			t.Errorf("%s: Content-Length %q for %d bytes", name, r.Header.Get("Content-Length"), len(r.Body))
		}
	}
	s := clienttest.New(t, clienttest.Respond(202, `{}`))
	if _, err := to(t, s).Knowledge.Files.Upload(t.Context(), client.FileFromBytes("x", nil), nil); err != nil {
		t.Fatal(err)
	}
	if fields, _, text := form(t, s.Requests()[0]); len(fields) > 0 || text != "" {
		t.Errorf("%v, %q", fields, text)
	}
}

// TestUploadRetry opens a file again for every attempt, sends the same bytes each
// time and leaves nothing open.
func TestUploadRetry(t *testing.T) {
	for name, fault := range map[string]clienttest.Step{
		"503":            clienttest.Respond(503, nil),
		"before reading": clienttest.Reset(clienttest.BeforeReading),
		"after reading":  clienttest.Reset(clienttest.AfterReading),
		"no answer":      clienttest.Hang(),
		"429":            clienttest.RateLimited("1"),
	} {
		for failures := range 4 {
			synctest.Test(t, func(t *testing.T) {
				f := &counted{text: bytes.Repeat([]byte("x"), 100<<10)}
				script := []clienttest.Step{}
				for range failures {
					script = append(script, fault)
				}
				s := clienttest.NewInMemory(t, append(script, clienttest.Respond(202, "{}"))...)
				_, err := to(t, s).Knowledge.Files.Upload(t.Context(), f.file(), nil)
				if (err == nil) != (failures < 3) {
					t.Errorf("%s, %d times: %v", name, failures, err)
				}
				synctest.Wait()
				if o, c := f.opened.Load(), f.closed.Load(); o != c || o != int64(min(failures+1, 3)) {
					t.Errorf("%s, %d times: opened %d times and closed %d times", name, failures, o, c)
				}
				if len(keys(s)) != 1 {
					t.Errorf("%s, %d times: keys %q", name, failures, keys(s))
				}
				var bodies []string
				for _, r := range s.Requests() {
					if len(r.Body) > len(f.text) {
						bodies = append(bodies, string(r.Body))
					}
				}
				for _, b := range bodies {
					if b != bodies[0] {
						t.Errorf("%s: two attempts send different bytes", name)
					}
				}
			})
		}
	}
}

// TestUploadHeldBack closes a file that was opened for a request that is not sent.
func TestUploadHeldBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(202, "{}").Header("X-RateLimit-Remaining", "0").Header("X-RateLimit-Reset", "3600"))
		c := to(t, s)
		f := &counted{text: []byte("x")}
		for range 2 {
			c.Knowledge.Files.Upload(t.Context(), f.file(), nil)
		}
		c.Knowledge.Files.Upload(t.Context(), f.file(), nil, client.WithIfMatch("x"))
		synctest.Wait()
		if o, cl := f.opened.Load(), f.closed.Load(); o != 3 || cl != 3 || len(s.Requests()) != 1 {
			t.Errorf("opened %d times and closed %d times for %d requests", o, cl, len(s.Requests()))
		}
	})
}

// TestUploadOnce sends what can be read once in one attempt, and closes it
// whatever happens.
func TestUploadOnce(t *testing.T) {
	for name, test := range map[string]struct {
		script []clienttest.Step
		opts   []client.Option
		sent   int
	}{
		"accepted":    {[]clienttest.Step{clienttest.Respond(202, "{}")}, nil, 1},
		"refused":     {[]clienttest.Step{clienttest.Respond(503, nil)}, nil, 1},
		"reset":       {[]clienttest.Step{clienttest.Reset(clienttest.AfterReading)}, nil, 1},
		"bad options": {[]clienttest.Step{clienttest.Respond(202, "{}")}, []client.Option{client.WithIfMatch("x")}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, test.script...)
			var f counted
			r := &reading{strings.NewReader("At nine."), &f}
			file := client.FileFromReader("hours.txt", r)
			_, err := to(t, s).Knowledge.Files.Upload(t.Context(), file, nil, test.opts...)
			synctest.Wait()
			if (err == nil) != (name == "accepted") || len(s.Requests()) != test.sent || f.closed.Load() != 1 {
				t.Errorf("%s: %v after %d requests, closed %d times", name, err, len(s.Requests()), f.closed.Load())
			}
			if _, err := to(t, s).Knowledge.Files.Upload(t.Context(), file, nil); err == nil || !strings.Contains(err.Error(), "read before") {
				t.Errorf("%s: again: %v", name, err)
			}
		})
	}
}

// TestUploadErrors are told before anything is sent, or as they are.
func TestUploadErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := clienttest.NewInMemory(t, clienttest.Respond(503, nil))
		c := to(t, s)
		for _, test := range []struct {
			file   client.File
			fields *client.FileFields
			want   string
		}{
			{client.File{}, nil, "no Open"},
			{client.FileFromPath("/does/not/exist"), nil, "no such file"},
			{client.File{ContentType: "text/plain\r\nX: y", Open: func() (io.ReadCloser, error) { return nil, fs.ErrNotExist }}, nil, "content type"},
			{client.FileFromBytes("x", nil), &client.FileFields{Metadata: map[string]any{"f": func() {}}}, "metadata"},
		} {
			if _, err := c.Knowledge.Files.Upload(t.Context(), test.file, test.fields); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		}
		if n := len(s.Requests()); n > 0 {
			t.Errorf("%d requests", n)
		}
		n := 0
		_, err := c.Knowledge.Files.Upload(t.Context(), client.File{Open: func() (io.ReadCloser, error) {
			if n++; n > 1 {
				return nil, fs.ErrPermission
			}
			return io.NopCloser(strings.NewReader("x")), nil
		}}, nil)
		if !errors.Is(err, fs.ErrPermission) || !errors.Is(err, client.ErrServer) || len(s.Requests()) != 1 {
			t.Errorf("a file that cannot be opened again: %v after %d requests", err, len(s.Requests()))
		}
		broken := errors.New("the disk is gone")
		_, err = c.Knowledge.Files.Upload(t.Context(), client.FileFromReader("x", io.MultiReader(strings.NewReader("x"), failing{broken})), nil)
		if !errors.Is(err, broken) {
			t.Errorf("a file that cannot be read: %v", err)
		}
	})
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestUploadTime gives a large file more time than a small request.
func TestUploadTime(t *testing.T) {
	for size, most := range map[int]time.Duration{1 << 10: time.Minute, 15 << 20: 3 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := clienttest.NewInMemory(t, clienttest.Hang())
			begin := time.Now()
			_, err := to(t, s).Knowledge.Files.Upload(t.Context(), client.FileFromBytes("x", make([]byte, size)), nil, client.WithMaxRetries(0))
			if took := time.Since(begin); err == nil || took < most || took > most+time.Second {
				t.Errorf("%d bytes may take %v, want %v", size, took, most)
			}
		})
	}
}

// TestUploadMemory streams a file: it is not held in memory, also when it is
// sent again.
func TestUploadMemory(t *testing.T) {
	const size = 64 << 20
	s := clienttest.New(t, clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		if n < size {
			w.WriteHeader(400)
		}
		w.WriteHeader(503)
	})))
	file := client.File{Name: "x", Open: func() (io.ReadCloser, error) { return io.NopCloser(io.LimitReader(zeros{}, size)), nil }}
	c := to(t, s, client.WithMaxRetries(1))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := c.Knowledge.Files.Upload(t.Context(), file, nil)
	runtime.ReadMemStats(&after)
	if !errors.Is(err, client.ErrServer) || len(s.Requests()) != 2 {
		t.Errorf("%v after %d requests", err, len(s.Requests()))
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 16<<20 { // the server keeps the beginning of each
		t.Errorf("two attempts to send 64 MiB allocated %d MiB", got>>20)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestUploadEarlyAnswer is refused before all was sent: nothing reads the file
// any more once the call has returned and the file is closed.
func TestUploadEarlyAnswer(t *testing.T) {
	s := clienttest.New(t, clienttest.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close")
		w.WriteHeader(413)
	})))
	for range 20 {
		f := &counted{text: make([]byte, 4<<20)}
		_, err := to(t, s).Knowledge.Files.Upload(t.Context(), f.file(), nil, client.WithMaxRetries(0))
		if err == nil {
			t.Fatal("no error")
		}
		for i := 0; f.closed.Load() == 0; i++ { // net/http closes it in its own time
			if i > 1e8 {
				t.Fatal("the file stays open")
			}
			runtime.Gosched()
		}
	}
}
