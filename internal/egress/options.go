package egress

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Options say what a [Client] may reach and how much it may take. The zero
// value reaches https on port 443 of public addresses.
type Options struct {
	// Allow names ranges that may be dialled although they are private or
	// otherwise special, such as the operator's own network.
	Allow []netip.Prefix

	// Deny names ranges that may never be dialled, even inside Allow: this
	// server's own public addresses, and whatever trusts it.
	Deny []netip.Prefix

	// AllowHTTP permits plain http beside https, and port 80 for it.
	AllowHTTP bool

	// Ports are permitted beside 443 (and 80 for http).
	Ports []uint16

	// HighPorts permits every port from 1024 on, where no service of old protocols
	// is that takes a request for a command.
	HighPorts bool

	// Redirects is how many redirects to the same scheme, host and port are
	// followed; each is checked like a first request. Any other redirect, and
	// one too many, is handed to the caller as the response it is. The default
	// 0 follows none.
	Redirects int

	// MaxHeader bounds a response's header in bytes, informational responses
	// before it included. The default is 64 KiB.
	MaxHeader int64

	// MaxBody bounds a response's body in bytes, as sent. The default is 10 MiB.
	MaxBody int64

	// ConnectTimeout bounds finding the address and connecting to it, and then
	// again the TLS handshake. The default is 5 s.
	ConnectTimeout time.Duration

	// HeaderTimeout bounds the wait between the request being sent and the
	// response's header being read. The default is 15 s.
	HeaderTimeout time.Duration

	// Timeout bounds one whole request, from the call to the last byte of the
	// body; a followed redirect is a request of its own. The default is 30 s.
	Timeout time.Duration

	// RootCAs are the authorities trusted to sign certificates; nil means the
	// system's.
	RootCAs *x509.CertPool

	// Resolver finds the addresses of names; nil means [net.DefaultResolver].
	Resolver *net.Resolver

	// Logger is told, at level warn, of each address that was refused, with the
	// address and the rule. Nil is silence.
	Logger *slog.Logger
}

// fill checks o and puts the defaults in.
func (o *Options) fill() error {
	o.Allow, o.Deny, o.Ports = slices.Clone(o.Allow), slices.Clone(o.Deny), slices.Clone(o.Ports)
	for _, p := range slices.Concat(o.Allow, o.Deny) {
		if !p.IsValid() {
			return errors.New("an address range in Allow or Deny is not valid")
		}
		if p.Addr().Is4In6() {
			return fmt.Errorf("address range %s must be written as IPv4", p)
		}
	}
	if slices.Contains(o.Ports, 0) {
		return errors.New("port 0 cannot be allowed")
	}
	if min(o.MaxHeader, o.MaxBody, int64(o.Redirects)) < 0 || min(o.ConnectTimeout, o.HeaderTimeout, o.Timeout) < 0 {
		return errors.New("a limit is negative; 0 means the default")
	}
	o.MaxHeader = cmp.Or(o.MaxHeader, 64<<10)
	o.MaxBody = cmp.Or(o.MaxBody, 10<<20)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	o.HeaderTimeout = cmp.Or(o.HeaderTimeout, 15*time.Second)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Second)
	o.Resolver = cmp.Or(o.Resolver, net.DefaultResolver)
	o.Logger = cmp.Or(o.Logger, slog.New(slog.DiscardHandler))
	return nil
}
