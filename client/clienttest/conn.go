package clienttest

import (
	"net"
	"sync"
)

// A conn is a connection that the server accepted.
type conn struct {
	net.Conn
	id     int // 1 is the first
	once   sync.Once
	closed func(*conn)
}

func (c *conn) Close() error {
	err := net.ErrClosed
	c.once.Do(func() {
		c.closed(c) // before the client can know
		err = c.Conn.Close()
	})
	return err
}

// end closes the connection, as a reset if it is to be one.
func (c *conn) end(how ending) {
	if l, ok := c.Conn.(interface{ SetLinger(seconds int) error }); ok && how == reset {
		l.SetLinger(0) //nolint:errcheck // fails on what is closed already
	}
	c.Close()
}

// A listener gives each connection to the server before it is used.
type listener struct {
	net.Listener
	opened func(net.Conn) *conn
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.opened(c), nil
}
