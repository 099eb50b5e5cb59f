package server

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"unicode/utf8"

	"github.com/answerdesk-go/answerdesk/knowledge"
	"github.com/answerdesk-go/answerdesk/store"
)

const (
	maxParts = 16       // of a multipart body
	maxField = 64 << 10 // bytes of a field beside the file
)

// formMedia is the type of a body in parts.
const formMedia = "multipart/form-data"

// An upload is a form that has arrived: its fields, and its file in a [spool].
type upload struct {
	knowledge.File
	spool spool
	alone bool      // it takes no field beside the file
	sum   hash.Hash // of all parts; their boundary is another one each time the same form is sent
}

// receiveUpload reads a form while it comes. Of its file no more than a little is
// held in memory.
func receiveUpload(w http.ResponseWriter, r *http.Request, op *operation) (u *upload, err error) {
	if r.ContentLength > op.limit {
		return nil, tooLarge(op.limit)
	}
	if err := checkMedia(r.Header.Get("Content-Type"), op); err != nil {
		return nil, err
	}
	_, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	boundary := params["boundary"]
	if boundary == "" {
		return nil, errForm
	}
	in, end := incoming(w, r, op)
	defer end()
	if in, err = unzipping(in, r.Header, op.limit); err != nil {
		return nil, broken(err, op)
	}
	u = &upload{sum: sha256.New(), alone: op.id == "uploadAttachment"}
	defer func() {
		if err != nil {
			u.close()
		}
	}()
	body := &ending{Reader: in, mark: []byte("--" + boundary + "--")}
	if err := u.read(multipart.NewReader(body, boundary)); err != nil {
		return nil, formProblem(err, op)
	}
	if _, err := io.Copy(io.Discard, body); err != nil { // what stands behind the last part
		return nil, formProblem(err, op)
	}
	switch {
	case !body.seen:
		return nil, errForm
	case u.Content == nil:
		return nil, wrong("file", "is missing")
	}
	return u, nil
}

// errForm is the problem of what is no form, or not all of one.
var errForm = wrong("body", "is not multipart/form-data as its Content-Type says, or did not arrive whole")

// formProblem says why a form could not be read.
func formProblem(err error, op *operation) error {
	if _, ours := errors.AsType[*problem](err); ours || errors.As(err, new(*http.MaxBytesError)) {
		return broken(err, op)
	}
	if errors.Is(err, store.ErrUnavailable) {
		return err
	}
	return errForm
}

// An ending reader looks for the mark that a form ends with: package multipart takes
// one that is cut between two parts for a whole one.
type ending struct {
	io.Reader
	mark []byte
	tail []byte // the last bytes read, in which it may begin
	seen bool
}

// Read implements [io.Reader].
func (e *ending) Read(b []byte) (int, error) {
	n, err := e.Reader.Read(b)
	if !e.seen {
		head := append(e.tail, b[:min(n, len(e.mark))]...)
		e.seen = bytes.Contains(head, e.mark) || bytes.Contains(b[:n], e.mark)
		if n < len(e.mark) {
			e.tail = head[max(0, len(head)-len(e.mark)):]
		} else {
			e.tail = append(e.tail[:0], b[n-len(e.mark):n]...)
		}
	}
	return n, err
}

// read reads the parts of a form, in any order.
func (u *upload) read(parts *multipart.Reader) error {
	seen := map[string]bool{}
	for n := 0; ; n++ {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case n == maxParts:
			return wrong("body", "has more than %d parts", maxParts)
		}
		name := part.FormName()
		if seen[name] {
			return wrong(clip(name), "is there twice")
		}
		seen[name] = true
		_, _ = fmt.Fprintf(u.sum, "%q %q %q ", name, part.FileName(), part.Header.Get("Content-Type"))
		of := sha256.New()
		if name == "file" {
			err = u.readFile(part, of)
		} else {
			err = u.readField(name, part, of)
		}
		if err != nil {
			return err
		}
		u.sum.Write(of.Sum(nil))
	}
}

// readFile reads the file itself.
func (u *upload) readFile(part *multipart.Part, of io.Writer) error {
	if part.FileName() == "" {
		return wrong("file", "has no file name")
	}
	n, err := io.Copy(io.MultiWriter(&u.spool, of), io.LimitReader(part, knowledge.MaxFile+1))
	switch {
	case err != nil:
		return err
	case n > knowledge.MaxFile:
		return &problem{requestTooLarge, fmt.Sprintf("file: is larger than the %d bytes a file may have: split it", knowledge.MaxFile), map[string]any{"field": "file", "limit": knowledge.MaxFile}}
	case n == 0:
		return wrong("file", "is empty")
	}
	u.Name, u.ContentType, u.Size = part.FileName(), part.Header.Get("Content-Type"), n
	u.Content, err = u.spool.content()
	return err
}

// readField reads one of the fields beside the file.
func (u *upload) readField(name string, part *multipart.Part, of io.Writer) error {
	text, err := io.ReadAll(io.LimitReader(part, maxField+1))
	switch {
	case err != nil:
		return err
	case len(text) > maxField:
		return wrong(clip(name), "is longer than %d bytes", maxField)
	case !utf8.Valid(text):
		return wrong(clip(name), "is not UTF-8")
	}
	_, _ = of.Write(text) // a hash takes all
	if u.alone {
		return wrong(clip(name), "is not a field of this request")
	}
	switch name {
	case "agent_id":
		u.AgentID = string(text)
	case "external_id":
		u.ExternalID = string(text)
	case "title":
		u.Title = string(text)
	case "url":
		u.URL = string(text)
	case "metadata":
		if len(text) == 0 {
			return nil
		}
		if p := checkJSON(text); p != nil {
			return wrong("metadata", "%s", p.message)
		}
		if json.Unmarshal(text, &u.Metadata) != nil {
			return wrong("metadata", "must be a JSON object")
		}
	default:
		return wrong(clip(name), "is not a field of this request")
	}
	return nil
}

// close lets go of the file.
func (u *upload) close() {
	if u != nil {
		u.spool.close()
	}
}

// A spool holds what is written to it: a little in memory, and more in a file of
// the folder for temporary files. Where the system allows, that file has no name,
// so that nothing of it is left whatever happens to the process.
type spool struct {
	head bytes.Buffer
	file *os.File
	out  *bufio.Writer // to file
}

// Write implements [io.Writer].
func (s *spool) Write(b []byte) (n int, err error) {
	if s.file == nil {
		if s.head.Len()+len(b) <= smallBody {
			return s.head.Write(b)
		}
		if err := s.spill(); err != nil {
			return 0, unheld(err)
		}
	}
	if n, err = s.out.Write(b); err != nil {
		return n, unheld(err)
	}
	return n, nil
}

// spill moves what is there to a file.
func (s *spool) spill() (err error) {
	if s.file, err = os.CreateTemp("", "answerdesk-upload-*"); err != nil {
		return err
	}
	_ = os.Remove(s.file.Name()) // not every system lets go of the name of an open file: see close
	s.out = bufio.NewWriterSize(s.file, 64<<10)
	_, err = s.head.WriteTo(s.out)
	s.head = bytes.Buffer{}
	return err
}

// content returns what was written.
func (s *spool) content() (io.ReaderAt, error) {
	if s.file == nil {
		return bytes.NewReader(s.head.Bytes()), nil
	}
	if err := s.out.Flush(); err != nil {
		return nil, unheld(err)
	}
	return s.file, nil
}

func (s *spool) close() {
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
}

// unheld says that there is no place for a file. Where it was to be is not told.
func unheld(err error) error { return fmt.Errorf("%w: hold an upload: %v", store.ErrUnavailable, err) }
