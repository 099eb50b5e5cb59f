package main

import (
	"fmt"
	"net/netip"
	"strings"
)

// What may be reached by what reads websites and APIs.
var (
	devSetting = setting{
		name: "dev", shared: true,
		about: "allow the loopback addresses for what the server fetches or calls, such as your own program while you write it",
		set:   func(given *call, s string) (err error) { given.serving.dev, err = readBool(s); return err },
	}
	networksSetting = setting{
		name: "allow-networks", value: "LIST", shared: true,
		about: "ranges of private addresses that websites and APIs may be read from, such as 10.20.0.0/16,fd00:1234::/32; public addresses always may be",
		set: func(given *call, s string) (err error) {
			given.serving.allowNetworks, err = readNetworks(s)
			return err
		},
	}
)

// readNetworks reads a list of ranges of addresses.
func readNetworks(s string) (networks []netip.Prefix, err error) {
	for part := range strings.SplitSeq(s, ",") {
		p, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil || p.Addr().Is4In6() {
			return nil, fmt.Errorf("%q is no range of addresses such as 10.20.0.0/16", part)
		}
		networks = append(networks, p.Masked())
	}
	return networks, nil
}

// loopback is what --dev allows.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// networks returns the ranges that may be read from: those that were named, and
// with --dev the addresses of this machine.
func (s *serving) networks() []netip.Prefix {
	if s.dev {
		return append(s.allowNetworks[:len(s.allowNetworks):len(s.allowNetworks)], loopback...)
	}
	return s.allowNetworks
}
