package server

import (
	"net/http"
	"regexp"

	"github.com/answerdesk-go/answerdesk/internal/id"
)

const requestIDHeader = "X-Request-Id"

// requestID is what an id that a caller gives a request may look like.
var requestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,128}$`)

// marked gives every request an id, and every answer the headers that keep
// browsers from making more of it than it is.
func (s *Server) marked(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get(requestIDHeader)
		if !requestID.MatchString(given) {
			given = id.New(id.Request)
		}
		h := w.Header()
		h.Set(requestIDHeader, given)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			h.Set("Cache-Control", "private, no-cache")
		} else {
			h.Set("Cache-Control", "no-store") // it may hold the secret of a key
		}
		next.ServeHTTP(w, r)
	})
}
