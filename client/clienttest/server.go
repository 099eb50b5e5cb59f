package clienttest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A Server answers requests as its script says, and records them. Its methods
// may be called by several goroutines at once.
type Server struct {
	// URL is the server's, without a slash at its end: "http://127.0.0.1:PORT".
	URL string

	steps  []Step
	http   http.Server
	client *http.Client
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	ctx    context.Context // of every request
	cancel context.CancelFunc
	ended  sync.WaitGroup // the loop that accepts connections

	mu      sync.Mutex
	changed *sync.Cond // busy or conns have
	seen    []*Request
	busy    int // requests under way
	opened  int // connections ever
	conns   map[*conn]struct{}
	closing bool
	refuse  int // dials yet to refuse
}

// New starts a server on a port of the loopback interface, which closes when
// the test ends. The first request is answered by the first step and so on; the
// last step answers all that follow. Requests count in the order in which their
// headers arrive. Without steps every answer is an empty one of status 200.
func New(tb testing.TB, steps ...Step) *Server {
	tb.Helper()
	s, err := start(steps)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// NewInMemory is like [New] for a server without sockets, which works in the
// bubbles of testing/synctest and is reached through [Server.DialContext] only.
func NewInMemory(tb testing.TB, steps ...Step) *Server {
	tb.Helper()
	m := newMemory()
	s := serve(m, m.DialContext, steps)
	tb.Cleanup(s.Close)
	return s
}

// Start is [New] for programs that are no tests: [Server.Close] is theirs to
// call. It panics if there is no port to listen on.
func Start(steps ...Step) *Server {
	s, err := start(steps)
	if err != nil {
		panic("clienttest: " + err.Error())
	}
	return s
}

func start(steps []Step) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		var err6 error
		if l, err6 = net.Listen("tcp", "[::1]:0"); err6 != nil {
			return nil, errors.Join(err, err6)
		}
	}
	return serve(l, new(net.Dialer).DialContext, steps), nil
}

// serve answers the connections of l, which dial makes.
func serve(l net.Listener, dial func(context.Context, string, string) (net.Conn, error), steps []Step) *Server {
	if len(steps) == 0 {
		steps = []Step{Respond(http.StatusOK, nil)}
	}
	s := &Server{
		URL:   "http://" + l.Addr().String(),
		steps: steps,
		dial:  dial,
		conns: map[*conn]struct{}{},
	}
	s.changed = sync.NewCond(&s.mu)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.client = &http.Client{Transport: &http.Transport{DialContext: s.DialContext}}
	s.http.Handler = http.HandlerFunc(s.answer)
	s.http.BaseContext = func(net.Listener) context.Context { return s.ctx }
	s.http.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		return context.WithValue(ctx, connKey{}, c)
	}
	s.ended.Go(func() {
		s.http.Serve(&listener{l, s.accept}) //nolint:errcheck // it ends when the server closes
	})
	return s
}

type connKey struct{}

// Client returns a client that connects with [Server.DialContext]: the same one
// at each call, whose idle connections Close closes. It has no timeout, uses no
// proxy and keeps no cookies.
func (s *Server) Client() *http.Client { return s.client }

// DialContext connects to the server, for the transport of a client. That of a
// server in memory refuses all addresses but the server's.
func (s *Server) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	refuse := s.refuse > 0
	if refuse {
		s.refuse--
	}
	s.mu.Unlock()
	if refuse {
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	return s.dial(ctx, network, address)
}

// RefuseDials makes the next n calls of [Server.DialContext] fail with
// ECONNREFUSED, as if nobody listened: no request is sent, and no step is used.
func (s *Server) RefuseDials(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refuse = n
}

// Requests returns the requests that were made, in the order of their steps.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var requests []Request
	for _, r := range s.seen {
		requests = append(requests, r.clone())
	}
	return requests
}

// Connections says how many connections were made to the server, and how many
// of them it has open now: one that a client closed is open until that is
// noticed.
func (s *Server) Connections() (opened, open int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened, len(s.conns)
}

// Wait returns when no request is under way: each was answered or cut, or its
// client went away.
func (s *Server) Wait() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy > 0 {
		s.changed.Wait()
	}
}

// Close ends all connections, cancels the contexts of the requests under way,
// and returns when their handlers have. What was recorded can still be read.
func (s *Server) Close() {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	s.http.Close()
	s.cancel() // now that nothing can be answered any more
	s.client.CloseIdleConnections()
	s.ended.Wait()

	s.mu.Lock()
	open := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		open = append(open, c) // accepted while the server closed
	}
	s.mu.Unlock()
	for _, c := range open {
		c.Close()
	}
	s.Wait()
}

// accept takes in a new connection.
func (s *Server) accept(c net.Conn) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened++
	accepted := &conn{Conn: c, id: s.opened, closed: s.forget}
	s.conns[accepted] = struct{}{}
	return accepted
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// answer answers one request by the step whose turn it is.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	c := r.Context().Value(connKey{}).(*conn)
	step, record := s.begin(r, c.id)
	a := newAnswer(w, r, c, step)
	defer s.finish(a, record)
	if step.end != whole && step.at == BeforeReading {
		return
	}
	if r.Body != http.NoBody {
		r = r.WithContext(r.Context()) // a copy
		r.Body = &body{r.Body, s, record}
	}
	step.serve.ServeHTTP(a, r)
}

func (s *Server) begin(r *http.Request, connID int) (Step, *Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	record := &Request{
		Method: r.Method,
		Host:   r.Host,
		URL:    r.RequestURI,
		Header: r.Header.Clone(),
		At:     time.Now(),
		ConnID: connID,
	}
	step := s.steps[min(len(s.seen), len(s.steps)-1)]
	s.seen = append(s.seen, record)
	s.busy++
	return step, record
}

// finish does what the step has left to do when its handler has returned, or
// has panicked, as handlers do to end a connection.
func (s *Server) finish(a *answer, record *Request) {
	a.finish()
	s.mu.Lock()
	defer s.mu.Unlock()
	record.Gone = a.gone && !s.closing
	s.busy--
	s.changed.Broadcast()
}
