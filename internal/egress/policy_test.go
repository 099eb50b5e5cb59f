package egress

import (
	"net/netip"
	"net/url"
	"testing"
)

// What the socket is asked goes through [policy.dial], which no URL can reach
// with most of these: the check of the URL stands before it.
func TestDialPolicy(t *testing.T) {
	allowAll := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
	for _, tt := range []struct {
		network, address string
		policy           policy
		want             bool
	}{
		{"tcp4", "8.8.8.8:443", policy{}, true},
		{"tcp6", "[2606:4700::1]:443", policy{}, true},
		{"tcp4", "8.8.8.8:80", policy{}, false},
		{"tcp4", "8.8.8.8:80", policy{http: true}, true},
		{"tcp4", "8.8.8.8:8443", policy{ports: []uint16{8443}}, true},
		{"tcp4", "8.8.8.8:8443", policy{highPorts: true}, true},
		{"tcp4", "8.8.8.8:1024", policy{highPorts: true}, true},
		{"tcp4", "8.8.8.8:1023", policy{highPorts: true}, false},
		{"tcp4", "10.0.0.1:8443", policy{highPorts: true}, false},
		{"tcp4", "8.8.8.8:0", policy{}, false},
		{"udp4", "8.8.8.8:443", policy{}, false},
		{"unix", "/run/docker.sock", policy{}, false},
		{"tcp4", "example.com:443", policy{}, false},
		{"tcp4", "8.8.8.8", policy{}, false},
		{"tcp6", "[2606:4700::1%eth0]:443", policy{}, false},
		{"tcp6", "[::ffff:8.8.8.8%eth0]:443", policy{}, false},
		{"tcp6", "[fd00::1%eth0]:443", policy{allow: allowAll}, false},
		{"tcp6", "[fd00::1]:443", policy{allow: allowAll}, true},
		{"tcp6", "[::ffff:10.0.0.1]:443", policy{allow: allowAll[:1]}, true},
		{"tcp6", "[::ffff:10.0.0.1]:443", policy{allow: allowAll[1:]}, false},
		{"tcp6", "[::ffff:10.0.0.1]:443", policy{allow: allowAll, deny: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}}, false},
		{"tcp4", "10.0.0.1:443", policy{}, false},
	} {
		if err := tt.policy.dial(tt.network, tt.address); (err == nil) != tt.want {
			t.Errorf("dial(%s, %s) with %+v = %v, want allowed %v", tt.network, tt.address, tt.policy, err, tt.want)
		}
	}
}

// Every range of the two registries is refused from its first address to its
// last, and the addresses beside IPv4's own list are not (see
// TestPublicAddressesAreAllowed).
func TestRegistries(t *testing.T) {
	for _, text := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.0.0/29",
		"192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/31", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
		"192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
		"240.0.0.0/4", "255.255.255.255/32", "168.63.129.16/32",

		"::1/128", "::/128", "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23",
		"2001::/32", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28",
		"2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7",
		"fe80::/10", "fec0::/10", "ff00::/8", "4000::/3", "8000::/1",
	} {
		r := netip.MustParsePrefix(text)
		last := r.Addr().AsSlice()
		for bit := r.Bits(); bit < len(last)*8; bit++ {
			last[bit/8] |= 0x80 >> (bit % 8)
		}
		end, _ := netip.AddrFromSlice(last)
		for _, addr := range []netip.Addr{r.Addr(), end} {
			if err := new(policy).address(addr); err == nil {
				t.Errorf("%s of %s is allowed", addr, r)
			}
		}
	}
}

func TestOrigin(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"https://Example.com", "https://example.com:443"},
		{"https://example.com:443/a", "https://example.com:443"},
		{"https://example.com:80/", "https://example.com:80"},
		{"http://example.com/", "http://example.com:80"},
		{"http://example.com:8080/", "http://example.com:8080"},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		if got := origin(u); got != tt.want {
			t.Errorf("origin(%s) = %s, want %s", tt.url, got, tt.want)
		}
	}
}

// FuzzAddress holds the lists against what the standard library knows, and
// against the ways IPv6 has to say an IPv4 address.
func FuzzAddress(f *testing.F) {
	for _, s := range specials {
		b := s.prefix.Addr().As16()
		f.Add(b[:])
	}
	f.Add(netip.MustParseAddr("8.8.8.8").AsSlice())
	f.Add(netip.MustParseAddr("::ffff:7f00:1").AsSlice())
	f.Add(netip.MustParseAddr("::ffff:8.8.8.8").AsSlice())
	f.Fuzz(func(t *testing.T, b []byte) {
		addr, ok := netip.AddrFromSlice(b)
		if !ok {
			return
		}
		var p policy
		allowed := p.address(addr) == nil
		plain := addr.Unmap()
		if allowed && (!plain.IsGlobalUnicast() || plain.IsPrivate()) {
			t.Errorf("%s is allowed", addr)
		}
		if plain != addr && allowed != (p.address(plain) == nil) {
			t.Errorf("%s is allowed %v, unlike %s", addr, allowed, plain)
		}
		if addr.Is6() && p.address(addr.WithZone("lo")) == nil {
			t.Errorf("%s with a zone is allowed", addr)
		}
		if p.deny = []netip.Prefix{netip.PrefixFrom(plain, plain.BitLen())}; p.address(addr) == nil {
			t.Errorf("%s is allowed though denied", addr)
		}
	})
}

// FuzzCheckURL checks that what passes has every property that is promised,
// when it is read again the way the transport reads it.
func FuzzCheckURL(f *testing.F) {
	for _, s := range []string{
		"https://example.com/", "https://example.com:443/a?b#c", "https://[::1%25lo]/", "https://good@127.0.0.1/", `https://a\@b/`,
		"https://[2606:4700::1]:8443/", "http://example.com/", "https://①②⑦.⓪.⓪.①/", "https:127.0.0.1", "//h", "https://8.8.8.8:65536/",
		"https://%31%32%37.0.0.1/", "https://[::ffff:127.0.0.1]/", "https://127.0.0.1./", "https://a:b:443/",
	} {
		f.Add(s)
	}
	p := policy{ports: []uint16{8443}}
	f.Fuzz(func(t *testing.T, raw string) {
		if p.rawURL(raw) != nil {
			return
		}
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatalf("%q passes and cannot be read: %v", raw, err)
		}
		if u.Scheme != "https" || u.User != nil || u.Fragment != "" || u.Opaque != "" || u.Hostname() == "" {
			t.Errorf("%q passes as %+v", raw, u)
		}
		if port := u.Port(); port != "" && port != "443" && port != "8443" && port[0] != '0' {
			t.Errorf("%q passes with port %s", raw, port)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && (addr.Zone() != "" || p.address(addr) != nil) {
			t.Errorf("%q passes with address %s", raw, addr)
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Host != u.Host || p.url(again) != nil {
			t.Errorf("%q passes, and written again as %q means %v (%v)", raw, u, again, err)
		}
	})
}
