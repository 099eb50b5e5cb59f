package egress

import "net/netip"

// publicV6 is the only part of IPv6 that is given out as global unicast
// (RFC 4291 section 2.4, IANA "Internet Protocol Version 6 Address Space").
// Loopback, mapped and compatible IPv4, NAT64, unique local, link-local,
// site-local and multicast addresses all lie outside, as does any zone.
var publicV6 = netip.MustParsePrefix("2000::/3")

// A special is a range that is not a public host's.
type special struct {
	prefix netip.Prefix
	use    string
}

// specials holds every entry of the registries below that an IPv4 address, or
// an IPv6 address inside publicV6, can match. Entries the registries call
// globally reachable are refused too: no customer's service lives there.
//
//   - IANA IPv4 Special-Purpose Address Registry, RFC 6890,
//     https://www.iana.org/assignments/iana-ipv4-special-registry
//   - IANA IPv6 Special-Purpose Address Registry, RFC 6890,
//     https://www.iana.org/assignments/iana-ipv6-special-registry
//   - IANA IPv4 Multicast Address Space Registry, RFC 5771,
//     https://www.iana.org/assignments/multicast-addresses
//
// Azure's host is a public address in no registry: Microsoft, "What is IP
// address 168.63.129.16?".
var specials = []special{
	{netip.MustParsePrefix("0.0.0.0/8"), "this network, RFC 791"},
	{netip.MustParsePrefix("10.0.0.0/8"), "private use, RFC 1918"},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared address space, RFC 6598"},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback, RFC 1122"},
	{netip.MustParsePrefix("168.63.129.16/32"), "Azure host"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local and cloud metadata, RFC 3927"},
	{netip.MustParsePrefix("172.16.0.0/12"), "private use, RFC 1918"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol assignments, RFC 6890"},
	{netip.MustParsePrefix("192.0.2.0/24"), "documentation, RFC 5737"},
	{netip.MustParsePrefix("192.31.196.0/24"), "AS112, RFC 7535"},
	{netip.MustParsePrefix("192.52.193.0/24"), "AMT, RFC 7450"},
	{netip.MustParsePrefix("192.88.99.0/24"), "6to4 relay, RFC 7526"},
	{netip.MustParsePrefix("192.168.0.0/16"), "private use, RFC 1918"},
	{netip.MustParsePrefix("192.175.48.0/24"), "AS112, RFC 7534"},
	{netip.MustParsePrefix("198.18.0.0/15"), "benchmarking, RFC 2544"},
	{netip.MustParsePrefix("198.51.100.0/24"), "documentation, RFC 5737"},
	{netip.MustParsePrefix("203.0.113.0/24"), "documentation, RFC 5737"},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast, RFC 5771"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved and broadcast, RFC 1112"},

	{netip.MustParsePrefix("2001::/23"), "protocol assignments and Teredo, RFC 2928"},
	{netip.MustParsePrefix("2001:db8::/32"), "documentation, RFC 3849"},
	{netip.MustParsePrefix("2002::/16"), "6to4, RFC 3056"},
	{netip.MustParsePrefix("2620:4f:8000::/48"), "AS112, RFC 7534"},
	{netip.MustParsePrefix("3fff::/20"), "documentation, RFC 9637"},
}
