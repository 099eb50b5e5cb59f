package server

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const jsonMedia = "application/json"

// How long a caller may take to send a body: a while, and more with each part of it
// that has come.
const (
	bodyTime = 30 * time.Second
	slowest  = 64 << 10 // bytes a second
)

// timeFor is how long n bytes may take.
func timeFor(n int) time.Duration { return time.Duration(n) * time.Second / slowest }

// readBody reads the body of an operation whole, within its limits, and undoes its
// Content-Encoding.
func readBody(w http.ResponseWriter, r *http.Request, op *operation) ([]byte, error) {
	if op.media == "" {
		return nil, nil
	}
	if r.ContentLength > op.limit {
		return nil, tooLarge(op.limit)
	}
	in, end := incoming(w, r, op)
	defer end()
	body, err := readAll(in, r.ContentLength)
	if err == nil {
		body, err = unzip(body, r.Header, op.limit)
	}
	switch {
	case err != nil:
		return nil, broken(err, op)
	case len(body) == 0 && op.optionalBody:
		return []byte{}, nil
	}
	return body, checkMedia(r.Header.Get("Content-Type"), op)
}

// readBulkBody reads the body of a bulk in pieces, most items apart, and sums it up
// as [hashOf] does if it is to be told from others.
func readBulkBody(w http.ResponseWriter, r *http.Request, op *operation, most int) (body pieces, hash []byte, err error) {
	if r.ContentLength > op.limit {
		return pieces{}, nil, tooLarge(op.limit)
	}
	coming, end := incoming(w, r, op)
	defer end()
	in, err := unzipping(coming, r.Header, op.limit)
	sum := sha256.New()
	if r.Header.Get("Idempotency-Key") != "" {
		in = io.TeeReader(in, sum)
	}
	if err == nil {
		body, err = readPieces(in, most)
	}
	if err != nil {
		return pieces{}, nil, broken(err, op)
	}
	return body, sum.Sum(nil), checkMedia(r.Header.Get("Content-Type"), op)
}

// incoming returns the body of a request as it comes, within the limit of its
// operation and the time that it may take.
func incoming(w http.ResponseWriter, r *http.Request, op *operation) (in io.Reader, end func()) {
	control := http.NewResponseController(w)
	in = &paced{Reader: http.MaxBytesReader(w, r.Body, op.limit), control: control, begun: time.Now()}
	return in, func() { _ = control.SetReadDeadline(time.Time{}) } // not every server has deadlines
}

// broken says why a body could not be read.
func broken(err error, op *operation) error {
	if errors.As(err, new(*http.MaxBytesError)) {
		return tooLarge(op.limit)
	}
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	return &problem{code: invalidRequest, message: "the body did not arrive whole, or came too slowly"}
}

func tooLarge(limit int64) *problem {
	return &problem{requestTooLarge, fmt.Sprintf("the body is larger than the %d bytes that this operation takes: send it in parts", limit), map[string]any{"limit": limit}}
}

// A paced reader gives up on a caller who sends too slowly.
type paced struct {
	io.Reader
	control *http.ResponseController
	begun   time.Time
	n       int
}

// Read implements [io.Reader].
func (p *paced) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(p.begun.Add(bodyTime + timeFor(p.n)))
	n, err := p.Reader.Read(b)
	p.n += n
	return n, err
}

// readAll reads to the end. Memory for what was announced is taken at once only
// where [space] has counted it, or where it is little.
func readAll(in io.Reader, announced int64) ([]byte, error) {
	if announced <= smallBody {
		announced = min(max(announced, 0), 16<<10)
	}
	b := bytes.NewBuffer(make([]byte, 0, announced+bytes.MinRead)) // which ReadFrom wants to find free at the end
	_, err := b.ReadFrom(in)
	return b.Bytes(), err
}

// unzip undoes the Content-Encoding of a body.
func unzip(body []byte, h http.Header, limit int64) ([]byte, error) {
	in, err := unzipping(bytes.NewReader(body), h, limit)
	if _, same := in.(*bytes.Reader); same || err != nil {
		return body, err
	}
	return readAll(in, 0)
}

// unzipping undoes the Content-Encoding of a body while it comes.
func unzipping(in io.Reader, h http.Header, limit int64) (io.Reader, error) {
	switch encoding := strings.ToLower(strings.Join(h.Values("Content-Encoding"), ",")); encoding {
	case "", "identity":
		return in, nil
	case "gzip":
	default:
		return nil, &problem{unsupportedMediaType, "Content-Encoding: only gzip is taken", map[string]any{"field": "Content-Encoding"}}
	}
	z, err := gzip.NewReader(in)
	if errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = &problem{code: invalidRequest, message: "the body is not gzip, as Content-Encoding says it is"}
	}
	return &unzipped{z, limit, limit}, err
}

// unzipped reads what is in gzip, up to a limit.
type unzipped struct {
	in          *gzip.Reader
	left, limit int64
}

// Read implements [io.Reader].
func (u *unzipped) Read(b []byte) (int, error) {
	n, err := u.in.Read(b)
	u.left -= int64(n)
	switch {
	case u.left < 0:
		return 0, tooLarge(u.limit)
	case errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, new(flate.CorruptInputError)):
		return n, &problem{code: invalidRequest, message: "the gzip of the body is damaged"}
	}
	return n, err
}

// checkMedia says whether a Content-Type is what an operation takes.
func checkMedia(contentType string, op *operation) error {
	got, params, err := mime.ParseMediaType(contentType)
	charset := strings.ToLower(params["charset"])
	fits := got == op.media || op.patches() && got == "application/merge-patch+json"
	if err != nil || !fits || op.media == jsonMedia && charset != "" && charset != "utf-8" {
		return &problem{unsupportedMediaType, "Content-Type must be " + op.media, map[string]any{"field": "Content-Type"}}
	}
	return nil
}

// patches reports whether the body of an operation is a merge patch.
func (op *operation) patches() bool {
	return op.media == jsonMedia && (op.method == http.MethodPatch || op.method == http.MethodPut)
}
