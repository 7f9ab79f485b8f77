package nat64

import (
	"net/netip"
	"testing"
)

// The examples of RFC 6052 section 2.4.
func TestEmbed(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"2001:db8::/32":            "2001:db8:c000:221::",
		"2001:db8:100::/40":        "2001:db8:1c0:2:21::",
		"2001:db8:122::/48":        "2001:db8:122:c000:2:2100::",
		"2001:db8:122:300::/56":    "2001:db8:122:3c0:0:221::",
		"2001:db8:122:344::/64":    "2001:db8:122:344:c0:2:2100::",
		"2001:db8:122:344::/96":    "2001:db8:122:344::192.0.2.33",
		"64:ff9b::/96":             "64:ff9b::192.0.2.33",
		"2001:db8:122:344:5::/96":  "2001:db8:122:344:5::192.0.2.33",
		"2001:db8:122:344:55::/96": "2001:db8:122:344:55:0:192.0.2.33",
	} {
		if got := embed(netip.MustParsePrefix(prefix), netip.MustParseAddr("192.0.2.33")); got != netip.MustParseAddr(want) {
			t.Errorf("%s: %s, want %s", prefix, got, want)
		}
	}
}

// The router may have any address of the network: Tayga's are others.
func TestOthers(t *testing.T) {
	t.Parallel()
	for own, want := range map[string][]string{
		"fd00::1/64":         {"fd00::2", "fd00::3", "fd00::4"},
		"fd00::2/64":         {"fd00::1", "fd00::3", "fd00::4"},
		"fd00::ffff/64":      {"fd00::1", "fd00::2", "fd00::3"},
		"192.168.255.254/24": {"192.168.255.1"},
	} {
		got := others(netip.MustParsePrefix(own), len(want))
		for i, w := range want {
			if got[i].String() != w {
				t.Errorf("%s: %s, want %s", own, got[i], w)
			}
		}
	}
}

// What iputils prints.
func TestParse(t *testing.T) {
	t.Parallel()
	for out, want := range map[string]said{
		"PING 64:ff9b::c000:aa(64:ff9b::c000:aa) from fd64::1 : 56 data bytes\nFrom fd64::3 icmp_seq=1 Time exceeded: Hop limit\n\n--- 64:ff9b::c000:aa ping statistics ---\n": {"fd64::3", "Time exceeded: Hop limit"},
		"From fd64::3: icmp_seq=2 Destination unreachable: No route\n": {"fd64::3", "Destination unreachable: No route"},
		"PING 64:ff9b::c000:aa(64:ff9b::c000:aa) from fd64::1 : 56 data bytes\n\n--- 64:ff9b::c000:aa ping statistics ---\n2 packets transmitted, 0 received, 100% packet loss\n": {},
		"From nowhere icmp_seq=x Time exceeded\n": {},
	} {
		if got := parse([]byte(out)); got != want {
			t.Errorf("%q: %+v, want %+v", out, got, want)
		}
	}
}
