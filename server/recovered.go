package server

import (
	"errors"
	"net/http"
	"runtime/debug"
)

// recovered answers for a method that panics, and goes on with other requests. An
// answer that has begun is broken off, so that nobody takes it for a whole one.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(p)
			}
			// Its value might hold a customer's words.
			requestID, rec := w.Header().Get(requestIDHeader), recordOf(r.Context())
			s.log.ErrorContext(r.Context(), "panic while serving a request", "request", requestID, "operation", rec.operation, "stack", string(debug.Stack()))
			if rec.status != 0 {
				panic(http.ErrAbortHandler)
			}
			fault.write(w, requestID)
		}()
		next.ServeHTTP(w, r)
	})
}
