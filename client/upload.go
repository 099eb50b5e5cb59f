package client

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/answerdesk-go/answerdesk/client/api"
	"github.com/answerdesk-go/answerdesk/client/internal/raw"
)

// Files are uploaded, and become documents.
type Files struct{ client *Client }

// maxUpload is how large a file may be, in bytes.
const maxUpload = 16 << 20

// A File is what to upload. It is opened again for each attempt, so nothing of
// it is kept in memory.
type File struct {
	// Name is that of the file, without its folder; empty means "file". The type
	// is told by its extension where ContentType is empty.
	Name string

	// ContentType is text/plain, text/markdown or text/html, or empty.
	ContentType string

	// Open opens the file at its beginning, each time anew.
	Open func() (io.ReadCloser, error)

	once bool // Open works once
}

// FileFromPath returns the file at path, which is opened when it is sent.
func FileFromPath(path string) File {
	return File{Name: filepath.Base(path), Open: func() (io.ReadCloser, error) { return os.Open(path) }}
}

// FileFromBytes returns a file of this text. It must not change before the
// upload has returned.
func FileFromBytes(name string, text []byte) File {
	return File{Name: name, Open: func() (io.ReadCloser, error) { return sized{bytes.NewReader(text)}, nil }}
}

// FileFromReader returns a file of what is left in r, closed after it was sent if
// it can be. It is sent once: an upload of it is not repeated when it fails.
func FileFromReader(name string, r io.Reader) File {
	return File{Name: name, once: true, Open: func() (io.ReadCloser, error) {
		if r == nil {
			return nil, errors.New("the reader was read before")
		}
		rc, ok := r.(io.ReadCloser)
		if !ok {
			rc = io.NopCloser(r)
		}
		r = nil
		return rc, nil
	}}
}

// sized is a reader with nothing to close, that knows its length.
type sized struct{ *bytes.Reader }

func (sized) Close() error { return nil }

// FileFields are what can be noted about a file.
type FileFields struct {
	AgentID    string         // the agent that may use it; empty means all agents of the company
	ExternalID string         // the caller's own name for it: the file with the same one is replaced
	Title      string         // empty means taken from the text
	URL        string         // where a customer can read it
	Metadata   map[string]any // what searches may filter by
}

// Upload uploads a file of at most 16 MiB of plain text, Markdown or HTML. A nil
// fields means that there is nothing to note about it. The file is streamed, and
// opened again for another attempt.
func (f *Files) Upload(ctx context.Context, file File, fields *FileFields, opts ...Option) (*api.FileReceipt, error) {
	u, err := newUpload(file, fields)
	if err != nil {
		return nil, fmt.Errorf("client: %s: %w", uploadFile.id, err)
	}
	defer u.close()
	req, err := u.sent(raw.NewUploadFileRequestWithBody(f.client.server, nil, u.contentType, nil))
	return send[api.FileReceipt](ctx, f.client, uploadFile, opts)(req, err)
}

// Attachments are files that messages carry.
type Attachments struct{ client *Client }

// Upload uploads a file that a message is to carry, as [Files.Upload] does. Without
// such a message it is gone after 24 hours.
func (a *Attachments) Upload(ctx context.Context, file File, opts ...Option) (*api.Attachment, error) {
	u, err := newUpload(file, nil)
	if err != nil {
		return nil, fmt.Errorf("client: %s: %w", uploadAttachment.id, err)
	}
	defer u.close()
	req, err := u.sent(raw.NewUploadAttachmentRequestWithBody(a.client.server, nil, u.contentType, nil))
	return send[api.Attachment](ctx, a.client, uploadAttachment, opts)(req, err)
}

// sent gives a request the upload as its body.
func (u *upload) sent(req *http.Request, err error) (*http.Request, error) {
	if err != nil {
		return nil, err
	}
	req.ContentLength = u.size()
	if u.file.once {
		req.Body, err = u.body()
		u.only = req.Body
	} else {
		req.GetBody = u.body
	}
	return req, err
}

// An upload is a file as multipart/form-data (RFC 7578): what stands before the
// text and after it is made once, and the text is read as it is sent.
type upload struct {
	file        File
	contentType string
	head, tail  []byte
	opened      io.ReadCloser // and not yet sent
	only        io.Closer     // the body, of a file that can be sent once
	length      int64         // of the text; below 0 if it is not known
}

func newUpload(file File, fields *FileFields) (*upload, error) {
	if file.Open == nil {
		return nil, errors.New("the file has no Open")
	}
	if fields == nil {
		fields = &FileFields{}
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	metadata := ""
	if fields.Metadata != nil {
		m, err := json.Marshal(fields.Metadata)
		if err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		metadata = string(m)
	}
	for _, f := range [...]struct{ name, value string }{
		{"agent_id", fields.AgentID}, {"external_id", fields.ExternalID}, {"title", fields.Title}, {"url", fields.URL}, {"metadata", metadata},
	} {
		if f.value != "" {
			_ = w.WriteField(f.name, f.value) // a bytes.Buffer takes all
		}
	}
	kind, err := partType(file)
	if err != nil {
		return nil, err
	}
	_, _ = w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {multipart.FileContentDisposition("file", cmp.Or(file.Name, "file"))},
		"Content-Type":        {kind},
	})
	u := &upload{file: file, contentType: w.FormDataContentType(), head: bytes.Clone(b.Bytes())}
	b.Reset()
	w.Close()
	u.tail = b.Bytes()

	if u.opened, err = file.Open(); err != nil {
		return nil, fmt.Errorf("open the file: %w", err)
	}
	u.length = length(u.opened)
	return u, nil
}

// partType returns the content type of a file.
func partType(file File) (string, error) {
	if file.ContentType != "" {
		kind, params, err := mime.ParseMediaType(file.ContentType)
		if err != nil {
			return "", errors.New("the content type of the file is none")
		}
		return mime.FormatMediaType(kind, params), nil
	}
	switch strings.ToLower(filepath.Ext(file.Name)) {
	case ".txt", ".text":
		return "text/plain", nil
	case ".md", ".markdown":
		return "text/markdown", nil
	case ".html", ".htm":
		return "text/html", nil
	}
	return "application/octet-stream", nil
}

// length returns how much is in a file that was just opened, if that is known.
func length(r io.Reader) int64 {
	switch f := r.(type) {
	case interface{ Stat() (fs.FileInfo, error) }:
		if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	case interface{ Len() int }:
		return int64(f.Len())
	}
	return -1
}

// size returns the length of the whole body, or -1.
func (u *upload) size() int64 {
	if u.length < 0 {
		return -1
	}
	return int64(len(u.head)) + u.length + int64(len(u.tail))
}

// body returns the body for another attempt.
func (u *upload) body() (io.ReadCloser, error) {
	f := u.opened
	u.opened = nil
	if f == nil {
		var err error
		if f, err = u.file.Open(); err != nil {
			return nil, fmt.Errorf("open the file again: %w", err)
		}
	}
	return &part{text: io.MultiReader(bytes.NewReader(u.head), f, bytes.NewReader(u.tail)), file: f}, nil
}

// A part is the body of one attempt. Once it is closed, the file is not read any
// more: the server may answer before it has read all, and net/http goes on
// sending for a moment.
type part struct {
	text   io.Reader
	file   io.Closer
	closed atomic.Bool
}

func (p *part) Read(b []byte) (int, error) {
	if p.closed.Load() {
		return 0, fs.ErrClosed
	}
	return p.text.Read(b)
}

func (p *part) Close() error {
	if p.closed.Swap(true) {
		return nil
	}
	return p.file.Close()
}

// close closes what was opened and never sent.
func (u *upload) close() {
	if u.opened != nil {
		u.opened.Close()
	}
	if u.only != nil {
		u.only.Close()
	}
}
