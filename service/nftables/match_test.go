package nftables

import (
	"net/netip"
	"testing"

	"github.com/nbr-dev/nbr/router"
)

func TestMatch(t *testing.T) {
	groups := []netip.Addr{netip.MustParseAddr("224.0.0.5"), netip.MustParseAddr("224.0.0.6")}
	for want, m := range map[string]router.Match{
		"": {},
		"meta nfproto ipv4 ip daddr { 224.0.0.5, 224.0.0.6 } meta l4proto 89": {Family: router.IPv4, Protocol: router.OSPF, Groups: groups},
		"meta nfproto ipv4 ip saddr { 192.0.2.2 } tcp dport 179": {
			Family: router.IPv4, Protocol: router.TCP, Ports: router.OnePort(179), Sources: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/32")},
		},
		"meta nfproto ipv4 ip ttl 255 udp dport 3784": {Family: router.IPv4, Protocol: router.UDP, Ports: router.OnePort(3784), HopLimit: 255},
		"meta nfproto ipv6 ip6 hoplimit 255 ip6 saddr { fe80::1 } udp dport 3784": {
			Family: router.IPv6, Protocol: router.UDP, Ports: router.OnePort(3784), HopLimit: 255, Sources: []netip.Prefix{netip.MustParsePrefix("fe80::1/128")},
		},
		"ip6 saddr { 2001:db8::/32, 2001:db8:f::2 } tcp dport 179": {
			Protocol: router.TCP, Ports: router.OnePort(179),
			Sources: []netip.Prefix{netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2001:db8:f::2/128")},
		},
	} {
		if got := match(m); got != want {
			t.Errorf("%+v:\n%s\nwant\n%s", m, got, want)
		}
	}
}
