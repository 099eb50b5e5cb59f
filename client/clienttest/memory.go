package clienttest

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// A memory is a network of one listener, in memory.
type memory struct {
	dialled chan net.Conn
	dials   atomic.Int32
	done    chan struct{}
	close   func()
}

func newMemory() *memory {
	m := &memory{dialled: make(chan net.Conn), done: make(chan struct{})}
	m.close = sync.OnceFunc(func() { close(m.done) })
	return m
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.dialled:
		return c, nil
	case <-m.done:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.close()
	return nil
}

// Addr is a loopback address that no socket can have, so that who dials it
// without the server's dialler reaches nobody.
func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// DialContext connects to the listener.
func (m *memory) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	refused := &net.OpError{Op: "dial", Net: network, Addr: m.Addr(), Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	if address != m.Addr().String() {
		return nil, refused
	}
	near, far := net.Pipe()
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: int(m.dials.Add(1))}
	w := new(wire)
	select {
	case m.dialled <- &end{Conn: far, wire: w, local: m.Addr(), remote: from}:
		return &end{Conn: near, wire: w, local: from, remote: m.Addr()}, nil
	case <-m.done:
		return nil, refused
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// A wire is what the two ends of a connection share.
type wire struct{ reset atomic.Bool }

// An end of a connection in memory fails as a TCP connection does. It has no
// buffer: a write waits until all of it was read.
type end struct {
	net.Conn
	wire          *wire
	local, remote net.Addr
	linger        atomic.Bool // closing is to be a reset
	told          atomic.Bool // of the other end's reset, which a socket says once
	closed        atomic.Bool
}

func (e *end) LocalAddr() net.Addr  { return e.local }
func (e *end) RemoteAddr() net.Addr { return e.remote }

// SetLinger says, for 0 seconds, that closing this end resets the connection,
// as the method of a [net.TCPConn] does.
func (e *end) SetLinger(seconds int) error {
	e.linger.Store(seconds == 0)
	return nil
}

func (e *end) Close() error {
	if e.closed.Swap(true) {
		return e.fault("close", io.ErrClosedPipe)
	}
	if e.linger.Load() {
		e.wire.reset.Store(true)
	}
	return e.Conn.Close()
}

func (e *end) Read(p []byte) (int, error) {
	n, err := e.Conn.Read(p)
	return n, e.fault("read", err)
}

func (e *end) Write(p []byte) (int, error) {
	n, err := e.Conn.Write(p)
	return n, e.fault("write", err)
}

// fault makes of a pipe's error what a socket would have returned.
func (e *end) fault(op string, err error) error {
	if err != io.EOF && !errors.Is(err, io.ErrClosedPipe) {
		return err
	}
	switch {
	case e.closed.Load():
		err = net.ErrClosed
	case e.wire.reset.Load() && !e.told.Swap(true):
		err = os.NewSyscallError(op, syscall.ECONNRESET)
	case err == io.EOF:
		return err
	default:
		err = os.NewSyscallError(op, syscall.EPIPE)
	}
	return &net.OpError{Op: op, Net: "tcp", Source: e.local, Addr: e.remote, Err: err}
}
