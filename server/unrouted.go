package server

import (
	"net/http"
	"path"
	"strings"
)

// unrouted answers requests that no operation takes, in the form of every other
// error.
func (s *Server) unrouted(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, pattern := mux.Handler(r)
		if pattern != "" && !redirected(r, pattern) {
			mux.ServeHTTP(w, r)
			return
		}
		seen := &muted{header: http.Header{}}
		if pattern == "" {
			found.ServeHTTP(seen, r) // the mux knows which methods a path has
		}
		allowed := seen.header.Get("Allow")
		if allowed == "" {
			s.nothing(w)
			return
		}
		w.Header().Set("Allow", allowed)
		(&problem{methodNotAllowed, "this path takes " + allowed, map[string]any{"allow": allowed}}).write(w, w.Header().Get(requestIDHeader))
	})
}

// nothing answers that a path leads nowhere.
func (s *Server) nothing(w http.ResponseWriter) {
	(&problem{code: notFound, message: "there is nothing at this path: see " + s.opts.BasePath + "/openapi.yaml"}).write(w, w.Header().Get(requestIDHeader))
}

// redirected reports whether the mux would send the caller to another path, which
// has the pattern: a path with "//", "." or ".." to what it comes to, and one of a
// folder to the folder's own. Paths here have one spelling, and callers are
// programs, which lose the body or the key on the way.
func redirected(r *http.Request, pattern string) bool {
	escaped := r.URL.EscapedPath()
	if !strings.HasPrefix(escaped, "/") || path.Clean(escaped) != strings.TrimSuffix(escaped, "/") && escaped != "/" {
		return true
	}
	return strings.HasSuffix(pattern, "/") && !strings.HasSuffix(escaped, "/") && !strings.HasPrefix(escaped, pattern[strings.Index(pattern, "/"):])
}

// muted is a response of which only the headers are read.
type muted struct{ header http.Header }

func (m *muted) Header() http.Header         { return m.header }
func (m *muted) WriteHeader(int)             {}
func (m *muted) Write(p []byte) (int, error) { return len(p), nil }

// based takes the path off a request under which the server is mounted. What is
// not below it is not here.
func (s *Server) based(next http.Handler) http.Handler {
	base := s.opts.BasePath
	if base == "" {
		return next
	}
	below := http.StripPrefix(base, next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.EscapedPath(), base+"/") {
			below.ServeHTTP(w, r)
			return
		}
		s.nothing(w)
	})
}
