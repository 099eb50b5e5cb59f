package server

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

// routes puts the handler together: what is the same for all requests, outermost
// first, then one pipeline an operation.
func (s *Server) routes() http.Handler {
	ops, bulk := loaded()
	s.bulk = bulk
	strict := api.NewStrictHandlerWithOptions(&handlers{s}, []api.StrictMiddlewareFunc{revised}, api.StrictHTTPServerOptions{RequestErrorHandlerFunc: unreadable, ResponseErrorHandlerFunc: kept})
	generated := api.HandlerWithOptions(strict, api.StdHTTPServerOptions{ErrorHandlerFunc: unreadable})

	mux, compress := http.NewServeMux(), compressor()
	own := s.operations(answerdesk.OpenAPI())
	for _, op := range ops {
		pattern := op.method + " " + op.path
		switch {
		case op.scope != "":
			h := s.pipeline(op, generated)
			if !op.streams() {
				h = compress(h)
			}
			mux.Handle(pattern, h)
		case own[op.id] != nil:
			mux.Handle(pattern, compress(told(op, own[op.id])))
		default:
			panic("openapi.yaml: " + op.id + " has neither a scope nor a handler of its own")
		}
	}
	s.assets(mux)
	return s.marked(s.logged(s.recovered(s.shared(s.based(s.unrouted(mux))))))
}

// shared lets pages of the origins that the operator names read answers. They send
// their key themselves: no cookie and no password of a browser counts.
func (s *Server) shared(next http.Handler) http.Handler {
	if len(s.opts.AllowedOrigins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: s.opts.AllowedOrigins,
		AllowedMethods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
		AllowedHeaders: []string{"Authorization", "Content-Type", "X-Api-Key", "X-Request-Id", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID"},
		ExposedHeaders: []string{"X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "ETag", "Location", "Idempotent-Replayed", revisionHeader},
		MaxAge:         600,
	}).Handler(next)
}

// compressor sends answers in gzip to who takes it.
func compressor() func(http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(
		gzhttp.MinSize(1024),
		gzhttp.ContentTypes([]string{jsonMedia, "application/yaml", "text/html", "text/plain"}),
		gzhttp.EnableZstd(false),
		gzhttp.SuffixETag(gzipTag),        // the same tag is the same bytes
		gzhttp.RandomJitter(32, 0, false), // lengths tell less of what is inside (the BREACH attack), and are the same for the same answer
	)
	if err != nil {
		panic(err)
	}
	return func(h http.Handler) http.Handler { return wrap(h) }
}
