package postgres_test

import (
	"encoding/binary"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A verdict is what a proxy does about a message.
type verdict int

const (
	pass      verdict = iota
	cutBefore         // cut the connection, and keep the message
	cutAfter          // give the message to the server, keep its answer, and cut the connection
	sayAfter          // the same, and answer with an error, as a pooler does
	stall             // keep this and whatever else comes on any connection, and answer nothing
)

// A proxy stands between a pool and a server, and reads what the pool sends.
type proxy struct {
	url      string // of the database, through the proxy
	target   string
	listener net.Listener
	says     atomic.Value // the SQLSTATE of the error, a string
	judge    atomic.Pointer[func(kind byte, text string) verdict]
	stalled  atomic.Bool
	wg       sync.WaitGroup
	mu       sync.Mutex
	open     map[net.Conn]bool
}

// newProxy starts a proxy before a database.
func newProxy(t testing.TB, database string) *proxy {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: u.Host, listener: l, open: map[net.Conn]bool{}}
	u.Host = l.Addr().String()
	q := u.Query()
	q.Set("sslmode", "disable")
	u.RawQuery = q.Encode()
	p.url = u.String()
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.wg.Wait()
	})
	return p
}

// on has a function judge each message of the pool's: its type and its text.
func (p *proxy) on(judge func(kind byte, text string) verdict) { p.judge.Store(&judge) }

// once has the first message with a text judged.
func (p *proxy) once(text string, v verdict) (happened func() bool) {
	var done atomic.Bool
	p.on(func(_ byte, got string) verdict {
		if strings.HasPrefix(got, text) && done.CompareAndSwap(false, true) {
			return v
		}
		return pass
	})
	return done.Load
}

// heal lets everything through from now on, on new connections if it stood still.
func (p *proxy) heal() {
	p.judge.Store(nil)
	if p.stalled.Swap(false) {
		p.cut()
	}
}

// cut closes every connection.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.open {
		_ = c.Close()
	}
}

func (p *proxy) note(c net.Conn, open bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if open {
		p.open[c] = true
	} else {
		delete(p.open, c)
		_ = c.Close()
	}
}

// serve goes between a client and the server.
func (p *proxy) serve(client net.Conn) {
	p.note(client, true)
	defer p.note(client, false)
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	p.note(server, true)
	defer p.note(server, false)
	var mute atomic.Bool // whether what the server says is kept from now on
	p.wg.Go(func() {
		defer client.Close()
		defer server.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			switch {
			case err != nil || mute.Load():
				return
			case p.stalled.Load():
				continue
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	for first := true; ; first = false {
		message, kind, text, err := readMessage(client, first)
		if err != nil {
			return
		}
		v := pass
		if judge := p.judge.Load(); judge != nil && !first && !p.stalled.Load() {
			v = (*judge)(kind, text)
		}
		switch {
		case v == cutBefore:
			return
		case v == stall || p.stalled.Load():
			p.stalled.Store(true)
			_, _ = io.Copy(io.Discard, client)
			return
		case v == cutAfter, v == sayAfter:
			mute.Store(true)
		}
		if _, err := server.Write(message); err != nil {
			return
		}
		if v == sayAfter {
			body := "SFATAL\x00VFATAL\x00C" + p.says.Load().(string) + "\x00Mserver conn crashed?\x00\x00"
			_, _ = client.Write(append(binary.BigEndian.AppendUint32([]byte("E"), uint32(len(body)+4)), body...))
		}
	}
}

// readMessage reads a message of PostgreSQL's protocol, of which the first has no
// type: https://www.postgresql.org/docs/current/protocol-message-formats.html.
func readMessage(r io.Reader, first bool) (message []byte, kind byte, text string, err error) {
	head := make([]byte, 5)
	if first {
		head = head[1:]
	}
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, 0, "", err
	}
	body := make([]byte, max(0, int(binary.BigEndian.Uint32(head[len(head)-4:]))-4))
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, 0, "", err
	}
	if !first {
		kind = head[0]
	}
	return append(head, body...), kind, string(body), nil
}
