package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
)

// A space bounds the memory, or the disk, that the bodies of requests take together.
// Those of up to smallBody bytes are not counted.
type space struct {
	mu   sync.Mutex
	free int64
	more chan struct{} // closed when some of it has become free
}

const (
	spaceForBodies  = 2 * bulkBody    // of memory: room for two of the largest
	spaceForUploads = 10 * uploadBody // of disk, while they come
)

// spaceFor returns where the body of an operation is held while it comes.
func (s *Server) spaceFor(op *operation) *space {
	if op.media == formMedia {
		return s.disk
	}
	return s.space
}

func newSpace(size int64) *space { return &space{free: size, more: make(chan struct{})} }

// take takes room for n bytes, as soon as there is any, until leave is called. When
// there is none for too long, the caller is to come again.
func (s *space) take(ctx context.Context, n int64) (leave func(), err error) {
	if n <= smallBody {
		return func() {}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, bodyTime)
	defer cancel()
	for {
		more, ok := s.try(n)
		if ok {
			return func() { s.give(n) }, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			if !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
				return nil, ctx.Err()
			}
			return nil, &problem{code: serverBusy, message: "the server is taking in as many large bodies as it has room for: try again in a moment"}
		}
	}
}

func (s *space) try(n int64) (more <-chan struct{}, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.free < n {
		return s.more, false
	}
	s.free -= n
	return nil, true
}

func (s *space) give(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
	close(s.more)
	s.more = make(chan struct{})
}

// sizeOf returns how large the body of a request may become: as large as it says,
// or else, and if it is still to be unzipped, as its operation takes.
func sizeOf(r *http.Request, op *operation) int64 {
	switch {
	case op.media == "" || r.Body == nil || r.Body == http.NoBody || r.ContentLength > op.limit: // which is refused
		return 0
	case r.ContentLength > 0 && r.Header.Get("Content-Encoding") == "":
		return r.ContentLength
	}
	return op.limit
}
