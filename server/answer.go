package server

import "net/http"

// An answer is the response to a call. It turns what a caller still has into 304.
type answer struct {
	http.ResponseWriter
	call   *call
	status int
	silent bool // the body is left out
}

// WriteHeader implements [http.ResponseWriter].
func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	h := a.Header()
	if status == http.StatusOK && a.call.op.method == http.MethodGet {
		if tag, ok := held(a.call.notModified, h.Get("ETag")); ok {
			status, a.silent = http.StatusNotModified, true
			h.Set("ETag", tag)
			h.Del("Content-Type")
			h.Del("Content-Length")
		}
	}
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write implements [http.ResponseWriter].
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.silent {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets [http.ResponseController] reach what it wraps.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }
