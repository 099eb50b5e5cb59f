package egress_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/answerdesk-go/answerdesk/internal/egress"
)

// certificate makes a certificate that signs itself, and the pool that trusts it.
func certificate(t testing.TB, until time.Time, names ...string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(1),
		NotBefore:             until.Add(-48 * time.Hour),
		NotAfter:              until,
		DNSNames:              names,
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// A listener serves raw connections, and fails its test if one is still open
// long after its client was told to let go of it.
type listener struct {
	at     netip.AddrPort
	client *egress.Client // who connects to it
	wg     sync.WaitGroup
}

// listen serves each connection to address with handle, and then closes it.
func listen(t testing.TB, address string, handle func(net.Conn)) *listener {
	t.Helper()
	socket, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{at: netip.MustParseAddrPort(socket.Addr().String())}
	l.wg.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			l.wg.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		socket.Close()
		l.wait(t)
	})
	return l
}

// wait returns when no connection is open, or too long after.
func (l *listener) wait(t testing.TB) {
	done := make(chan struct{})
	go func() {
		l.wg.Wait()
		close(done)
	}()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	tooLong := time.After(time.Minute)
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			l.client.CloseIdleConnections() // some become idle only now
		case <-tooLong:
			t.Error("a connection is still open after the request ended")
			return
		}
	}
}

// dials records the addresses a client tried, by what came of it.
type dials struct {
	mu      sync.Mutex
	reached []string // a connection was asked for
	refused []string // policy stopped the socket before it connected
}

func (d *dials) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		ConnectDone: func(_, addr string, err error) {
			d.mu.Lock()
			defer d.mu.Unlock()
			if e, ok := errors.AsType[*egress.Error](err); ok && e.Class == egress.Refused {
				d.refused = append(d.refused, addr)
			} else {
				d.reached = append(d.reached, addr)
			}
		},
	})
}

// connected returns the addresses that were dialled, each once.
func (d *dials) connected() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	slices.Sort(d.reached)
	return slices.Compact(d.reached)
}

// newClient returns the client for opts; its idle connections end with the test.
func newClient(t testing.TB, opts *egress.Options) *egress.Client {
	t.Helper()
	c, err := egress.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// get asks for url and reports what was dialled. The caller closes the body.
func get(t testing.TB, c *egress.Client, url string) (*http.Response, *dials, error) {
	t.Helper()
	d := new(dials)
	req, err := http.NewRequestWithContext(d.trace(t.Context()), http.MethodGet, url, nil)
	if err != nil {
		return nil, d, err
	}
	resp, err := c.HTTP().Do(req)
	return resp, d, err
}

// class returns the class of err, or "" if it has none.
func class(err error) egress.Class {
	if e, ok := errors.AsType[*egress.Error](err); ok {
		return e.Class
	}
	return ""
}

func prefixes(texts ...string) []netip.Prefix {
	var ps []netip.Prefix
	for _, s := range texts {
		ps = append(ps, netip.MustParsePrefix(s))
	}
	return ps
}
