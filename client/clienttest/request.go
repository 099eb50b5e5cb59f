package clienttest

import (
	"io"
	"net/http"
	"slices"
	"time"
)

// A Request is what the server saw of one.
type Request struct {
	Method string
	Host   string // as the client named it
	URL    string // the path and query, as they were sent
	Header http.Header
	Body   []byte    // as far as it was read: by [Respond] and the like to its end, by a handler at its will; at most 1 MiB
	At     time.Time // when its headers had been read

	// ConnID says which connection it came over: 1 is the first that the server
	// accepted.
	ConnID int

	// Gone says that the client went away before it had the answer. It is not
	// set for a connection that the step or [Server.Close] ended. It is settled
	// when [Server.Wait] returns.
	Gone bool
}

// maxBody bounds what is kept of a body.
const maxBody = 1 << 20

func (r *Request) clone() Request {
	c := *r
	c.Header = r.Header.Clone()
	c.Body = slices.Clone(r.Body)
	return c
}

// A body records what is read of a request's body.
type body struct {
	io.ReadCloser
	server *Server
	record *Request
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.server.mu.Lock()
	defer b.server.mu.Unlock()
	b.record.Body = append(b.record.Body, p[:min(n, maxBody-len(b.record.Body))]...)
	return n, err
}
