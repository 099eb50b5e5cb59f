package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/answerdesk-go/answerdesk"
	"github.com/answerdesk-go/answerdesk/access"
)

// Options are what may be chosen about a server. The zero value suits most.
type Options struct {
	// Authenticate says who makes a request; nil means by API key, as
	// [Desk.Authenticate] knows them. The principal needs an ID and a Company.
	// An error wrapping [access.ErrExpiredKey] or [access.ErrInvalidKey] says
	// why not; any other, but one wrapping [store.ErrUnavailable], means that
	// nobody is known.
	//
	// [Desk.Authenticate]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk#Desk.Authenticate
	Authenticate func(*http.Request) (access.Principal, error)

	// BasePath is the path under which the server is mounted, such as
	// "/support": it is taken off before a request is looked at. Empty means
	// none.
	BasePath string

	// PublicURL is the address at which callers reach the server, without
	// BasePath; it is told in /openapi.yaml. Empty means the address the
	// document was read at. Whoever takes a path off requests before they come
	// here names it in PublicURL, as in "https://example.com/support", rather
	// than in BasePath.
	PublicURL string

	// AllowedOrigins are the origins, such as "https://example.com" or
	// "https://*.example.com", whose pages may call the server from a
	// browser. None may if it is empty.
	AllowedOrigins []string

	// Metrics is where requests are counted, and what /metrics shows to
	// whoever asks; nil means a set of the server's own. Servers may share one.
	Metrics *metrics.Set

	// MaxStreams is how many streams of events may be open at once; more are
	// told to come again later. 0 means 10,000.
	MaxStreams int

	// Version of the program, as /healthz tells it.
	Version string

	// Logger is told of each request, without customers' words and secrets;
	// nil is silence.
	Logger *slog.Logger
}

// A Server is the [http.Handler] of the hosted API.
type Server struct {
	desk    *answerdesk.Desk
	opts    Options
	log     *slog.Logger
	handler http.Handler
	root    string // the path under which callers reach it
	bulk    bulkSchemas
	limits  limits
	meters  meters
	space   *space // of memory
	disk    *space

	draining, drained context.Context // done once Drain was called, and once its turns have ended
	drain, cut        context.CancelFunc
}

const (
	heartbeat    = 10 * time.Second // between the comments of a quiet stream
	streamsLimit = 10_000
)

// basePath is what [Options.BasePath] may look like: what no client writes in two
// ways.
var basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

// New returns the handler of the hosted API on a desk. A nil opts means the
// defaults written on [Options]. It panics if BasePath or PublicURL is none.
func New(desk *answerdesk.Desk, opts *Options) *Server {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Metrics == nil {
		o.Metrics = metrics.NewSet()
	}
	if o.MaxStreams == 0 {
		o.MaxStreams = streamsLimit
	}
	o.BasePath = strings.TrimSuffix(o.BasePath, "/")
	if !basePath.MatchString(o.BasePath) || o.BasePath != "" && path.Clean(o.BasePath) != o.BasePath {
		panic("server: BasePath " + strconv.Quote(o.BasePath) + ` must be of the form "/support"`)
	}
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	public, err := url.Parse(o.PublicURL)
	if err != nil {
		panic("server: PublicURL: " + err.Error())
	}
	s := &Server{
		desk: desk, opts: o, log: o.Logger, root: public.EscapedPath() + o.BasePath,
		meters: newMeters(o.Metrics), space: newSpace(spaceForBodies), disk: newSpace(spaceForUploads),
	}
	s.draining, s.drain = context.WithCancel(context.Background())
	s.drained, s.cut = context.WithCancel(context.Background())
	if o.Authenticate == nil {
		s.opts.Authenticate = s.byKey
	}
	s.handler = s.routes()
	return s
}

// ServeHTTP implements [http.Handler].
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain tells /readyz that no more requests should come, and then lets the turns
// that run end, as [Desk.Drain] does. Streams end with their turns, and those of
// another process's turns when ours have ended: their readers take them up again
// elsewhere. Messages are refused; other requests are served until the shutdown of
// the [http.Server], before which Drain is to be called.
//
// [Desk.Drain]: https://pkg.go.dev/github.com/answerdesk-go/answerdesk#Desk.Drain
func (s *Server) Drain(ctx context.Context) error {
	s.drain()
	defer s.cut()
	return s.desk.Drain(ctx)
}
