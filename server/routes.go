package server

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"
	"github.com/rs/cors"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/internal/id"
	"github.com/answerdesk-go/answerdesk/server/internal/api"
)

const requestIDHeader = "X-Request-Id"

// routes puts the handler together: what is the same for all requests, outermost
// first, then one pipeline an operation.
func (s *Server) routes() http.Handler {
	contract := answerdesk.OpenAPI()
	doc, ops, err := load(contract)
	if err != nil {
		panic(err) // a test loads it
	}
	s.doc = doc
	strict := api.NewStrictHandlerWithOptions(&handlers{s}, nil, api.StrictHTTPServerOptions{RequestErrorHandlerFunc: unreadable, ResponseErrorHandlerFunc: kept})
	generated := api.HandlerWithOptions(strict, api.StdHTTPServerOptions{ErrorHandlerFunc: unreadable})

	mux, compress := http.NewServeMux(), compressor()
	own := s.operations(contract)
	for _, op := range ops {
		pattern := op.method + " " + op.path
		switch {
		case op.scope != "":
			h := s.pipeline(op, served(op, generated))
			if !op.streams() {
				h = compress(h)
			}
			mux.Handle(pattern, h)
		case own[op.id] != nil:
			mux.Handle(pattern, compress(own[op.id]))
		default:
			panic("openapi.yaml: " + op.id + " has neither a scope nor a handler of its own")
		}
	}
	s.assets(mux)

	h := s.unrouted(mux)
	if len(s.opts.AllowedOrigins) > 0 {
		h = cors.New(cors.Options{
			AllowedOrigins: s.opts.AllowedOrigins,
			AllowedMethods: []string{"GET", "POST", "PUT", "PATCH", "DELETE"},
			AllowedHeaders: []string{"Authorization", "Content-Type", "X-Api-Key", "X-Request-Id", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID"},
			ExposedHeaders: []string{"X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After", "ETag", "Location", "Idempotent-Replayed"},
			MaxAge:         600,
		}).Handler(h)
	}
	h = s.marked(s.logged(s.recovered(h)))
	if s.opts.BasePath != "" {
		h = http.StripPrefix(s.opts.BasePath, h)
	}
	return h
}

// served is the generated handler of an operation.
func served(op *operation, generated http.Handler) http.Handler {
	if op.id == "createContentBulk" {
		return largeBody(generated)
	}
	return generated
}

// unrouted answers requests that no operation takes, in the form of every other
// error.
func (s *Server) unrouted(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, pattern := mux.Handler(r)
		if pattern != "" {
			mux.ServeHTTP(w, r)
			return
		}
		// The mux knows which methods a path has.
		seen := &muted{header: http.Header{}}
		found.ServeHTTP(seen, r)
		requestID := w.Header().Get(requestIDHeader)
		switch {
		case seen.status == http.StatusMethodNotAllowed:
			allowed := seen.header.Get("Allow")
			w.Header().Set("Allow", allowed)
			(&problem{methodNotAllowed, "this path takes " + allowed, map[string]any{"allow": allowed}}).write(w, requestID)
		default:
			(&problem{code: notFound, message: "there is nothing at this path: see /openapi.yaml"}).write(w, requestID)
		}
	})
}

// muted is a response that nobody reads.
type muted struct {
	header http.Header
	status int
}

func (m *muted) Header() http.Header         { return m.header }
func (m *muted) WriteHeader(status int)      { m.status = status }
func (m *muted) Write(p []byte) (int, error) { return len(p), nil }

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
		h.Set("Cache-Control", "private, no-cache")
		next.ServeHTTP(w, r)
	})
}

// compressor sends answers in gzip to who takes it.
func compressor() func(http.Handler) http.Handler {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(1024), gzhttp.ContentTypes([]string{jsonMedia, "application/yaml", "text/html", "text/plain"}),
		gzhttp.RandomJitter(32, 0, false)) // lengths tell less of what is inside (the BREACH attack)
	if err != nil {
		panic(err)
	}
	return func(h http.Handler) http.Handler { return wrap(h) }
}

// A record is what the log tells of a request.
type record struct{ call *call }

type recordKey struct{}

func recordOf(ctx context.Context) *record { return ctx.Value(recordKey{}).(*record) }

// logged tells the log of each request: ids, sizes and times, nothing that a
// customer wrote and no query, which may hold a customer's id.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun, rec, seen := time.Now(), &record{}, &statusWriter{ResponseWriter: w}
		r = r.WithContext(context.WithValue(r.Context(), recordKey{}, rec))
		next.ServeHTTP(seen, r)
		took := time.Since(begun)
		s.meters.took(took)
		attrs := []slog.Attr{
			slog.String("request", w.Header().Get(requestIDHeader)), slog.String("method", r.Method),
			slog.Int("status", seen.status), slog.Int64("bytes", seen.bytes), slog.Duration("took", took),
		}
		if c := rec.call; c != nil {
			attrs = append(attrs, slog.String("operation", c.op.id), slog.String("company", c.principal.Company), slog.String("principal", c.principal.ID))
		}
		level := slog.LevelInfo
		if strings.HasSuffix(r.URL.Path, "z") && seen.status == http.StatusOK {
			level = slog.LevelDebug // probes come every few seconds
		}
		s.log.LogAttrs(r.Context(), level, "request", attrs...)
	})
}

// A statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(p)
	w.bytes += int64(n)
	return n, err
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
