package egress_test

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

// tlsConfig offers what a receiver usually does.
func tlsConfig(cert tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2", "http/1.1"}}
}

// request reads the request and leaves the rest to the caller.
func request(c net.Conn) {
	_, _ = http.ReadRequest(bufio.NewReader(c))
}

// reply returns a receiver that reads the request, writes head, and then
// writes more until the client hangs up. No more means: it hangs up itself.
func reply(head, more string) func(net.Conn) {
	return func(c net.Conn) {
		request(c)
		_, _ = io.WriteString(c, head)
		if more != "" {
			flood(c, more)
		}
	}
}

// flood writes text over and over until the other side hangs up.
func flood(c net.Conn, text string) {
	block := []byte(strings.Repeat(text, 1+16<<10/len(text)))
	for {
		if _, err := c.Write(block); err != nil {
			return
		}
	}
}

// hold says nothing until the other side hangs up.
func hold(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// reset ends c with an RST.
func reset(c net.Conn) {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	_ = c.(*net.TCPConn).SetLinger(0)
	c.Close()
}

// A sink is a receiver that misbehaves.
type sink struct {
	name  string
	serve func(net.Conn) // over TLS, HTTP/1.1
	raw   func(net.Conn) // over TCP
	h2    func(net.Conn) // over TLS, HTTP/2, after the client's preface
	want  egress.Class   // of the request, or of reading the body; "" is success
	or    egress.Class   // what else it may be, by who is quicker
	limit int            // most bytes the receiver may have got rid of
	check func(*testing.T, []byte, error)
}

const kib = 1 << 10

var sinks = []sink{
	{name: "endless body", serve: reply("HTTP/1.1 200 OK\r\n\r\n", "x"), want: egress.TooLarge, limit: 8192 * kib, check: wantBytes(64 * kib)},
	{name: "endless chunked body", serve: reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "4\r\nxxxx\r\n"), want: egress.TooLarge, limit: 8192 * kib, check: wantBytes(64 * kib)},
	{name: "body of the largest size", serve: reply("HTTP/1.1 200 OK\r\nContent-Length: 65536\r\n\r\n"+strings.Repeat("x", 64*kib), ""), check: wantBytes(64 * kib)},
	{name: "body a byte too long", serve: reply("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n"+strings.Repeat("x", 64*kib+1), ""), want: egress.TooLarge, check: wantBytes(64 * kib)},
	{name: "announced huge", serve: reply("HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\n", "x"), want: egress.TooLarge, limit: 8192 * kib},
	{name: "body byte by byte", serve: drip("HTTP/1.1 200 OK\r\n\r\n", "x"), want: egress.Timeout},
	{name: "body that stops", serve: func(c net.Conn) { reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxx", "")(c); hold(c) }, want: egress.Timeout},
	{name: "body cut short", serve: reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxx", ""), want: egress.Broken},
	{name: "body then reset", serve: func(c net.Conn) { reply("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxx", "")(c); reset(c) }, want: egress.Broken},
	{name: "chunk extensions", serve: reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1;x=yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\nx\r\n"), want: egress.Broken, limit: 8192 * kib},
	{name: "endless trailer", serve: reply("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: y\r\n"), want: egress.Broken, limit: 8192 * kib},

	{name: "100 MB of header", serve: reply("HTTP/1.1 200 OK\r\n", "X-Filler: "+strings.Repeat("y", 100)+"\r\n"), want: egress.Broken, limit: 8192 * kib},
	{name: "endless header line", serve: reply("HTTP/1.1 200 OK\r\nX: ", "y"), want: egress.Broken, limit: 8192 * kib},
	{name: "endless status line", serve: reply("HTTP/1.1 200 ", "K"), want: egress.Broken, limit: 8192 * kib},
	{name: "informational flood", serve: reply("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"), want: egress.Broken, limit: 8192 * kib},
	{name: "continue flood", serve: reply("", "HTTP/1.1 100 Continue\r\n\r\n"), want: egress.Broken, limit: 8192 * kib},
	{name: "header byte by byte", serve: drip("HTTP/1.1 200 OK\r\nX: ", "y"), want: egress.Timeout},
	{name: "not HTTP", serve: reply("SSH-2.0-OpenSSH_9.9\r\n", ""), want: egress.Broken},
	{name: "negative length", serve: reply("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", ""), want: egress.Broken},
	{name: "two lengths", serve: reply("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", ""), want: egress.Broken},
	{name: "binary", serve: reply("\x00\xff\x00\xff\r\n\r\n", ""), want: egress.Broken},

	{name: "silence after the handshake", serve: hold, want: egress.Timeout},
	{name: "silence after accept", raw: hold, want: egress.Timeout},
	{name: "handshake never finishing", raw: dripHandshake, want: egress.Timeout},
	{name: "hang up at accept", raw: func(net.Conn) {}, want: egress.TLS},
	{name: "reset at accept", raw: reset, want: egress.TLS, or: egress.Connect},
	{name: "hang up after the request", serve: request, want: egress.Broken},
	{name: "reset after the request", serve: func(c net.Conn) { request(c); reset(c) }, want: egress.Broken},
	{name: "plain HTTP", raw: reply("HTTP/1.1 200 OK\r\n\r\n", ""), want: egress.TLS},

	{name: "GOAWAY with an error", h2: h2Frames(frame(7, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x02")), want: egress.Broken},
	{name: "GOAWAY for ever", h2: h2Frames(frame(7, 0, 0, "\x00\x00\x00\x00\x00\x00\x00\x00")), want: egress.Timeout},
	{name: "GOAWAY after the header", h2: h2Frames(frame(1, 4, 1, "\x88") + frame(7, 0, 0, "\x00\x00\x00\x01\x00\x00\x00\x02")), want: egress.Timeout},
	{name: "HTTP/2 stream reset", h2: h2Frames(frame(3, 0, 1, "\x00\x00\x00\x02")), want: egress.Broken},
	{name: "HTTP/2 header flood", h2: h2Flood(frame(1, 0, 1, "\x88"), frame(9, 0, 1, strings.Repeat("\x40\x01x\x01y", 1000))), want: egress.Broken, limit: 8192 * kib},
	{name: "HTTP/2 informational flood", h2: h2Flood("", frame(1, 4, 1, "\x08\x03103")), want: egress.Broken, limit: 8192 * kib},
	{name: "HTTP/2 endless body", h2: h2Flood(frame(1, 4, 1, "\x88"), frame(0, 0, 1, strings.Repeat("x", 1000))), want: egress.TooLarge, limit: 8192 * kib},
	{name: "HTTP/2 ping flood", h2: h2Flood("", frame(6, 0, 0, "12345678")), want: egress.Timeout},
	{name: "HTTP/2 huge frame", h2: h2Flood("\xff\xff\xff\x00\x00\x00\x00\x00\x01", "x"), want: egress.Broken, limit: 8192 * kib},
	{name: "HTTP/2 silence", h2: hold, want: egress.Timeout},
}

// drip writes head, then more in small steps for as long as the client waits.
func drip(head, more string) func(net.Conn) {
	return func(c net.Conn) {
		reply(head, "")(c)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for range tick.C {
			if _, err := io.WriteString(c, more); err != nil {
				return
			}
		}
	}
}

// dripHandshake announces a long handshake message and sends it byte by byte.
func dripHandshake(c net.Conn) {
	_, _ = io.WriteString(c, "\x16\x03\x03\x40\x00\x02\x00\x3f\xfc")
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if _, err := c.Write([]byte{0}); err != nil {
			return
		}
	}
}

// frame is an HTTP/2 frame (RFC 9113 section 4.1).
func frame(kind, flags, stream byte, payload string) string {
	n := len(payload)
	return string([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, 0, 0, 0, stream}) + payload
}

// h2Frames answers every connection's first bytes with frames, then holds it.
func h2Frames(frames string) func(net.Conn) {
	return func(c net.Conn) {
		_, _ = io.WriteString(c, frames)
		hold(c)
	}
}

// h2Flood answers with head, then with more until the client hangs up.
func h2Flood(head, more string) func(net.Conn) {
	return func(c net.Conn) {
		go hold(c) // so that the client can write, and its end is seen
		_, _ = io.WriteString(c, head)
		flood(c, more)
	}
}

// h2Preface reads the client's preface and first request, and sends settings.
func h2Preface(c net.Conn) {
	_, _ = io.ReadFull(c, make([]byte, len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")))
	_, _ = io.WriteString(c, frame(4, 0, 0, ""))
	head := make([]byte, 9)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		_, _ = io.CopyN(io.Discard, c, int64(head[0])<<16|int64(head[1])<<8|int64(head[2]))
		if head[3] == 1 { // HEADERS: the request is there
			return
		}
	}
}

func wantBytes(n int) func(*testing.T, []byte, error) {
	return func(t *testing.T, body []byte, _ error) {
		t.Helper()
		if len(body) != n {
			t.Errorf("read %d bytes of body, want %d", len(body), n)
		}
	}
}

// A counted connection counts what is written to it.
type counted struct {
	net.Conn
	written *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

func TestSinks(t *testing.T) {
	cert, pool := certificate(t, time.Now().Add(time.Hour), "sink.example")
	for _, s := range sinks {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			var written atomic.Int64
			body, err := askSink(t, pool, s.want == egress.Timeout, func(c net.Conn) {
				if s.raw != nil {
					s.raw(c)
					return
				}
				proto := "http/1.1"
				if s.h2 != nil {
					proto = "h2"
				}
				tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{proto}})
				if tc.Handshake() != nil {
					return
				}
				defer tc.Close()
				if s.h2 != nil {
					h2Preface(tc)
					s.h2(counted{tc, &written})
				} else if s.limit > 0 {
					s.serve(counted{tc, &written})
				} else {
					s.serve(tc)
				}
			})
			if got := class(err); got != s.want && got != cmp.Or(s.or, s.want) || (s.want == "") != (err == nil) {
				t.Errorf("class %q (%v), want %q", class(err), err, s.want)
			}
			if s.check != nil {
				s.check(t, body, err)
			}
			if got := written.Load(); s.limit > 0 && got > int64(s.limit) {
				t.Errorf("the receiver sent %d bytes, want at most %d", got, s.limit)
			}
		})
	}
}

// askSink asks serve for a page and reads it whole. Deadlines are short only
// for those who are to meet one, so that a busy machine changes nothing.
func askSink(t *testing.T, pool *x509.CertPool, short bool, serve func(net.Conn)) ([]byte, error) {
	t.Helper()
	deadline := time.Minute
	if short {
		deadline = 500 * time.Millisecond
	}
	l := listen(t, "127.0.0.1:0", serve)
	l.client = newClient(t, &egress.Options{
		Allow:          prefixes("127.0.0.1/32"),
		Ports:          []uint16{l.at.Port()},
		RootCAs:        pool,
		Resolver:       resolver(zone(map[string][]string{"sink.example": {"127.0.0.1"}, "other.example": {"127.0.0.1"}})),
		MaxBody:        64 * kib,
		ConnectTimeout: deadline,
		HeaderTimeout:  deadline,
		Timeout:        deadline,
	})
	begun := time.Now()
	var body []byte
	resp, _, err := get(t, l.client, "https://sink.example:"+strconv.Itoa(int(l.at.Port()))+"/")
	if err == nil {
		body, err = io.ReadAll(resp.Body)
		resp.Body.Close()
	}
	if took := time.Since(begun); took > 50*time.Second {
		t.Errorf("took %v, want less than any deadline or about 0.5 s", took)
	}
	if err != nil && strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("Error() = %q tells the address", err)
	}
	return body, err
}

func TestCertificates(t *testing.T) {
	good, pool := certificate(t, time.Now().Add(time.Hour), "sink.example")
	other, otherPool := certificate(t, time.Now().Add(time.Hour), "other.test", "secret.internal")
	old, oldPool := certificate(t, time.Now().Add(-time.Hour), "sink.example")
	for _, tt := range []struct {
		name  string
		cert  tls.Certificate
		trust *x509.CertPool
		max   uint16
		want  string // "" is success
	}{
		{"good", good, pool, 0, ""},
		{"TLS 1.2", good, pool, tls.VersionTLS12, ""},
		{"self-signed", good, nil, 0, "tls: the certificate is signed by an unknown authority"},
		{"expired", old, oldPool, 0, "tls: the certificate has expired or is not valid yet"},
		{"wrong name", other, otherPool, 0, "tls: the certificate is for another name"},
		{"TLS 1.1", good, pool, tls.VersionTLS11, "tls: the handshake failed; the server must speak TLS 1.2 or later"},
		{"TLS 1.0", good, pool, tls.VersionTLS10, "tls: the handshake failed; the server must speak TLS 1.2 or later"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := false
			_, err := askSink(t, tt.trust, false, func(c net.Conn) {
				tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{tt.cert}, MinVersion: tls.VersionTLS10, MaxVersion: tt.max})
				defer tc.Close()
				if tc.Handshake() == nil {
					_, readErr := tc.Read(make([]byte, 1))
					asked = readErr == nil
					_, _ = io.WriteString(tc, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				}
			})
			got := ""
			if e, ok := errors.AsType[*egress.Error](err); ok {
				got = e.Error()
			}
			if got != tt.want || (err == nil) != (tt.want == "") {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
			t.Cleanup(func() {
				if asked != (tt.want == "") {
					t.Errorf("a request was sent: %v", asked)
				}
			})
		})
	}
}

func TestGzipBombStaysPacked(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(make([]byte, 10<<20))
	z.Close()
	opts, port := public(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("Accept-Encoding = %q, want none", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	})
	resp, _, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !bytes.Equal(got, packed.Bytes()) {
		t.Errorf("read %d bytes (%v), want the %d sent", len(got), err, packed.Len())
	}
}

func TestStatusesComeThrough(t *testing.T) {
	for _, tt := range []struct {
		status int
		retry  string
	}{
		{200, ""}, {204, ""}, {299, ""}, {300, ""}, {304, ""}, {410, ""},
		{429, "120"}, {429, "Wed, 21 Oct 2026 07:28:00 GMT"}, {429, "315360000"}, {503, "-5"},
	} {
		opts, port := public(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", tt.retry)
			w.WriteHeader(tt.status)
		})
		resp, _, err := get(t, newClient(t, opts), "https://a.example:"+port+"/")
		if err != nil {
			t.Fatalf("%d: %v", tt.status, err)
		}
		resp.Body.Close()
		if resp.StatusCode != tt.status || resp.Header.Get("Retry-After") != tt.retry {
			t.Errorf("got %d, Retry-After %q, want %d, %q", resp.StatusCode, resp.Header.Get("Retry-After"), tt.status, tt.retry)
		}
	}
}

func TestLateAndUnread(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"a success after the deadline": func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(5100 * time.Millisecond):
			}
		},
		"a request body never read": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			opts, port := public(t, h)
			opts.HeaderTimeout, opts.Timeout = 100*time.Millisecond, 300*time.Millisecond
			c := newClient(t, opts)
			resp, err := c.HTTP().Post("https://a.example:"+port+"/", "text/plain", io.LimitReader(zeros{}, 64<<20))
			if err == nil {
				resp.Body.Close()
			}
			if class(err) != egress.Timeout {
				t.Errorf("post = %v, want timeout", err)
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Each deadline ends a request by itself, when the others are far away.
func TestEachDeadline(t *testing.T) {
	cert, pool := certificate(t, time.Now().Add(time.Hour), "sink.example")
	overTLS := func(serve func(net.Conn)) func(net.Conn) {
		return func(c net.Conn) {
			tc := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{cert}})
			defer tc.Close()
			serve(tc)
		}
	}
	const short = 50 * time.Millisecond
	for _, tt := range []struct {
		name  string
		serve func(net.Conn)
		opts  egress.Options
		mute  bool // the name server says nothing
		want  egress.Class
	}{
		{"name", hold, egress.Options{ConnectTimeout: short}, true, egress.Name},
		{"handshake", hold, egress.Options{ConnectTimeout: short}, false, egress.Timeout},
		{"header", overTLS(hold), egress.Options{HeaderTimeout: short}, false, egress.Timeout},
		{"whole, before the header", overTLS(hold), egress.Options{Timeout: short}, false, egress.Timeout},
		{"whole, in the body", overTLS(drip("HTTP/1.1 200 OK\r\n\r\n", "x")), egress.Options{Timeout: 5 * short}, false, egress.Timeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := listen(t, "127.0.0.1:0", tt.serve)
			opts := tt.opts
			opts.Allow, opts.Ports, opts.RootCAs = prefixes("127.0.0.1/32"), []uint16{l.at.Port()}, pool
			opts.ConnectTimeout = cmp.Or(opts.ConnectTimeout, time.Minute)
			opts.HeaderTimeout = cmp.Or(opts.HeaderTimeout, time.Minute)
			opts.Timeout = cmp.Or(opts.Timeout, time.Minute)
			opts.Resolver = resolver(func(string) []string {
				if tt.mute {
					<-t.Context().Done()
				}
				return []string{"127.0.0.1"}
			})
			l.client = newClient(t, &opts)
			begun := time.Now()
			resp, _, err := get(t, l.client, "https://sink.example:"+strconv.Itoa(int(l.at.Port()))+"/")
			if err == nil {
				_, err = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			if took := time.Since(begun); class(err) != tt.want || took > 50*time.Second {
				t.Errorf("got %v after %v, want %s at the deadline", err, took, tt.want)
			}
		})
	}
}
