package server

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

const jsonMedia = "application/json"

// How long a caller may take to send a body, and how much longer for each part of
// a large one.
const (
	bodyTime    = 30 * time.Second
	bodyRate    = 64 << 10 // bytes a second, at least
	unzippedMax = 100      // times its size on the wire
)

// readBody reads the body of an operation whole, within its limits, and gives it
// back to the request.
func readBody(w http.ResponseWriter, r *http.Request, op *operation) ([]byte, error) {
	if op.media == "" {
		return nil, nil
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyTime + time.Duration(op.limit/bodyRate)*time.Second)) // not every server has deadlines
	defer func() { _ = control.SetReadDeadline(time.Time{}) }()

	limited := http.MaxBytesReader(w, r.Body, op.limit)
	body, err := io.ReadAll(limited)
	if err == nil {
		body, err = unzip(body, r.Header, op.limit)
	}
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, &problem{requestTooLarge, fmt.Sprintf("the body is larger than the %d bytes that this operation takes: send it in parts", op.limit), map[string]any{"limit": op.limit}}
	case err != nil:
		if p, ok := errors.AsType[*problem](err); ok {
			return nil, p
		}
		return nil, &problem{code: invalidRequest, message: "the body did not arrive whole"}
	}
	if len(body) == 0 && op.optionalBody {
		r.Body, r.ContentLength = http.NoBody, 0
		return []byte{}, nil
	}
	if err := checkMedia(r.Header.Get("Content-Type"), op.media); err != nil {
		return nil, err
	}
	rewind(r, body)
	return body, nil
}

// rewind lets the body of a request be read from its beginning.
func rewind(r *http.Request, body []byte) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
}

// unzip undoes the Content-Encoding of a body.
func unzip(body []byte, h http.Header, limit int64) ([]byte, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(h.Get("Content-Encoding"))); encoding {
	case "", "identity":
		return body, nil
	case "gzip":
	default:
		return nil, &problem{unsupportedMediaType, "Content-Encoding: only gzip is taken", map[string]any{"field": "Content-Encoding"}}
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, &problem{code: invalidRequest, message: "the body is not gzip, as Content-Encoding says it is"}
	}
	most := min(limit, max(smallBody, int64(len(body))*unzippedMax))
	out, err := io.ReadAll(io.LimitReader(z, most+1))
	switch {
	case err != nil:
		return nil, &problem{code: invalidRequest, message: "the gzip of the body is damaged"}
	case int64(len(out)) > most:
		return nil, &http.MaxBytesError{Limit: most}
	}
	h.Del("Content-Encoding")
	return out, nil
}

// checkMedia says whether a Content-Type is what an operation takes.
func checkMedia(contentType, media string) error {
	got, params, err := mime.ParseMediaType(contentType)
	charset := strings.ToLower(params["charset"])
	merge := media == jsonMedia && got == "application/merge-patch+json"
	if err != nil || got != media && !merge || media == jsonMedia && charset != "" && charset != "utf-8" {
		return &problem{unsupportedMediaType, "Content-Type must be " + media, map[string]any{"field": "Content-Type"}}
	}
	return nil
}
