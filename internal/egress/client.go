package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A Client makes requests under one policy and keeps the connections made
// under it. It is safe for concurrent use, and a round tripper itself, for
// libraries that want one to wrap.
type Client struct {
	policy    policy
	transport *http.Transport
	redirects int
	maxBody   int64
	timeout   time.Duration
}

var _ http.RoundTripper = (*Client)(nil)

// New returns a client. A nil opts means the defaults written on [Options].
func New(opts *Options) (*Client, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if err := o.fill(); err != nil {
		return nil, fmt.Errorf("egress options: %w", err)
	}
	c := &Client{
		policy:    policy{allow: o.Allow, deny: o.Deny, http: o.AllowHTTP, highPorts: o.HighPorts, ports: o.Ports},
		redirects: o.Redirects,
		maxBody:   o.MaxBody,
		timeout:   o.Timeout,
	}
	dialer := net.Dialer{Timeout: o.ConnectTimeout, Resolver: o.Resolver, ControlContext: c.control(o.Logger)}
	c.transport = &http.Transport{
		Proxy:                  nil, // through a proxy the dial would see the proxy alone
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    o.ConnectTimeout,
		ResponseHeaderTimeout:  o.HeaderTimeout,
		MaxResponseHeaderBytes: o.MaxHeader,
		DisableCompression:     true, // MaxBody counts what is sent and what is read
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
		HTTP2: &http.HTTP2Config{
			MaxReceiveBufferPerConnection: 1 << 20,
			MaxReceiveBufferPerStream:     256 << 10,
			SendPingTimeout:               o.HeaderTimeout, // else a dead connection is found out only by its users
			PingTimeout:                   o.ConnectTimeout,
		},
	}
	return c, nil
}

// control returns the hook that every socket passes after it has its address
// and before it connects. It is where the policy is kept; all else is a hint.
func (c *Client) control(log *slog.Logger) func(context.Context, string, string, syscall.RawConn) error {
	return func(ctx context.Context, network, address string, _ syscall.RawConn) error {
		err := c.policy.dial(network, address)
		if e, ok := errors.AsType[*Error](err); ok {
			log.WarnContext(ctx, "egress refused", "address", address, "reason", e.Detail())
		}
		return err
	}
}

// HTTP returns an [http.Client] that sends through c. Its own Timeout is unset
// because c bounds each request; its redirects follow [Options].
func (c *Client) HTTP() *http.Client {
	return &http.Client{Transport: c, CheckRedirect: c.checkRedirect}
}

// CheckURL says whether raw may be asked for, as far as a URL can tell without
// resolving its name: use it when a URL is saved, to tell its owner early. The
// error is an [*Error] of class [Refused].
func (c *Client) CheckURL(raw string) error { return c.policy.rawURL(raw) }

// RoundTrip sends one request if policy allows it; see [http.RoundTripper].
// The errors of it and of reading the response's body are [*Error].
func (c *Client) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := c.policy.url(req.URL); err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	}
	var handshake atomic.Bool // failed; set where the connection is made
	trace := &httptrace.ClientTrace{TLSHandshakeDone: func(_ tls.ConnectionState, err error) { handshake.Store(err != nil) }}
	ctx, cancel := context.WithTimeout(httptrace.WithClientTrace(req.Context(), trace), c.timeout)
	fail := func(err error) error { return failure(ctx, err, handshake.Load()) }

	resp, err := c.transport.RoundTrip(req.WithContext(ctx))
	if err != nil {
		defer cancel()
		return nil, fail(err)
	}
	resp.Body = &body{ReadCloser: http.MaxBytesReader(nil, resp.Body, c.maxBody), fail: fail, cancel: cancel}
	if _, err := resp.Location(); resp.StatusCode/100 == 3 && err != nil && err != http.ErrNoLocation {
		defer resp.Body.Close()
		return nil, fail(err) // http.Client would give its own error for it
	}
	return resp, nil
}

// CloseIdleConnections closes the connections no request is using.
func (c *Client) CloseIdleConnections() { c.transport.CloseIdleConnections() }

// checkRedirect lets a redirect be followed within one origin, up to the
// number the options give, and makes any other the final response.
func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > c.redirects || origin(req.URL) != origin(via[0].URL) {
		return http.ErrUseLastResponse
	}
	req.URL.Fragment, req.URL.RawFragment = "", "" // for a browser, not for a server
	return nil
}

func origin(u *url.URL) string {
	port := u.Port()
	switch {
	case port == "" && u.Scheme == "https":
		port = "443"
	case port == "" && u.Scheme == "http":
		port = "80"
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
