package main

import (
	"net"
	"net/http"
	"sync"
)

// silent are the connections on which nothing has been asked yet. A server that
// shuts down waits for them as for requests; there is nothing to wait for.
type silent struct {
	mu     sync.Mutex
	conns  map[net.Conn]bool
	closed bool
}

// follow is the server's ConnState.
func (s *silent) follow(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.conns, c)
	case s.closed:
		_ = c.Close()
	default:
		s.conns[c] = true
	}
}

// close closes those that are there and those that come.
func (s *silent) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		_ = c.Close()
	}
}
