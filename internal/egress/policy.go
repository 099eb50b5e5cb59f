package egress

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxURL bounds a URL in bytes.
const maxURL = 8 << 10

// A policy says which URLs may be asked for and which addresses dialled.
type policy struct {
	allow, deny []netip.Prefix
	http        bool
	highPorts   bool
	ports       []uint16
}

// rawURL is url for a URL as somebody wrote it.
func (p *policy) rawURL(raw string) error {
	if len(raw) > maxURL {
		return refused(fmt.Sprintf("url is longer than %d bytes", maxURL), "")
	}
	if strings.Contains(raw, "#") {
		return refused("url has a fragment; leave out # and what follows", "")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return refused("url cannot be read", err.Error())
	}
	return p.url(u)
}

// url says whether u may be asked for, as far as a URL can tell.
func (p *policy) url(u *url.URL) error {
	switch {
	case u == nil:
		return refused("request has no url", "")
	case u.Scheme == "http" && !p.http:
		return refused("url must begin with https://", "plain http is not allowed by the options")
	case u.Scheme != "https" && u.Scheme != "http":
		return refused("url must begin with https://", "")
	case u.Opaque != "":
		return refused("url must begin with https:// and a host", "")
	case u.User != nil:
		return refused("url holds a user name or password; send them in a header", "")
	case u.Fragment != "":
		return refused("url has a fragment; leave out # and what follows", "")
	case u.Hostname() == "":
		return refused("url has no host", "")
	}
	if !p.port(u) {
		return refused("url's port is not allowed; use the standard one", "port "+u.Port()+" is in no list of the options")
	}
	if addr, err := netip.ParseAddr(u.Hostname()); err == nil {
		return p.address(addr)
	}
	return nil // a name: what it means is asked when it is dialled
}

// port says whether u names a port that its scheme may use.
func (p *policy) port(u *url.URL) bool {
	text := u.Port()
	if text == "" {
		return true
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return false
	}
	return port == 443 && u.Scheme == "https" || port == 80 && u.Scheme == "http" || p.listed(uint16(port))
}

// listed says whether the options permit a port beside those of http and https.
func (p *policy) listed(port uint16) bool {
	return p.highPorts && port >= 1024 || slices.Contains(p.ports, port)
}

// dial says whether a socket may connect to hostport, an address and a port
// as the socket is about to use them.
func (p *policy) dial(network, hostport string) error {
	to, err := netip.ParseAddrPort(hostport)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return refused(notAllowed, network+" "+hostport+" is not an address to dial")
	}
	if port := to.Port(); port != 443 && (port != 80 || !p.http) && !p.listed(port) {
		return refused(notAllowed, hostport+" has a port that is in no list of the options")
	}
	return p.address(to.Addr())
}

// notAllowed is all that the owner of a URL is told about an address.
const notAllowed = "the host's address is not one this server may call; its operator can allow more"

// address says whether addr is a public host's, or one the operator named.
func (p *policy) address(addr netip.Addr) error {
	if addr.Zone() != "" { // no prefix contains an address with a zone
		return refused(notAllowed, addr.String()+" has a zone")
	}
	addr = addr.Unmap()
	within := func(r netip.Prefix) bool { return r.Contains(addr) }
	if i := slices.IndexFunc(p.deny, within); i >= 0 {
		return refused(notAllowed, fmt.Sprintf("%s is in %s, denied by the options", addr, p.deny[i]))
	}
	if slices.ContainsFunc(p.allow, within) {
		return nil
	}
	if addr.Is6() && !publicV6.Contains(addr) {
		return refused(notAllowed, fmt.Sprintf("%s is outside %s", addr, publicV6))
	}
	for _, s := range specials {
		if s.prefix.Contains(addr) {
			return refused(notAllowed, fmt.Sprintf("%s is in %s (%s)", addr, s.prefix, s.use))
		}
	}
	return nil
}
