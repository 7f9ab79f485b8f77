package referee_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// narrowSpec has policies for one version of IP, with limits, and with addresses of the router's
// choice.
const narrowSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:1::1/64"
}
network "out" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}
zone "lan" { networks = [network.lan] }
zone "out" { networks = [network.out] }
policy "four" {
  from   = [zone.lan]
  to     = [zone.out]
  action = "accept"
  family = "ipv4"
  ports  = [80]
}
policy "six" {
  from   = [zone.lan]
  to     = [zone.out]
  action = "accept"
  family = "ipv6"
  ports  = [81]
}
policy "refused" {
  from   = [zone.lan]
  to     = [zone.out]
  action = "reject"
  family = "ipv6"
}
policy "routed" {
  from       = [zone.lan]
  to         = [zone.out]
  action     = "accept"
  ports      = [443]
  source_nat = "203.0.113.77"
}
policy "own" {
  from       = [zone.lan]
  to         = [zone.out]
  action     = "accept"
  ports      = [444]
  source_nat = "198.51.100.2"
}
policy "few" {
  from      = [zone.out]
  to        = [zone.lan]
  action    = "accept"
  protocols = ["tcp", "udp"]
  ports     = [22, 2222]
  limit     = "3/day"
}
`

// A policy is for one version of IP if it says so, gives packets the address that it names, and
// lets so many connections pass as its limit says, over all its protocols and both versions of IP
// together.
func TestNarrowPolicies(t *testing.T) {
	t.Parallel()
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(head + narrowSpec)}})
	router, lan, internet := nstest.New(t, "router"), nstest.New(t, "lan"), nstest.New(t, "internet")
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	nstest.Link(t, router, "lan1", lan, "eth0")
	nstest.Link(t, router, "wan", internet, "eth0")
	ip(t, router, `
addr add 10.1.0.1/24 dev lan1
addr add 2001:db8:1::1/64 dev lan1 nodad
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:f::2/64 dev wan nodad
route add default via 198.51.100.1
route add default via 2001:db8:f::1
`)
	ip(t, lan, `
addr add 10.1.0.20/24 dev eth0
addr add 2001:db8:1::20/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, internet, `
addr add 198.51.100.1/24 dev eth0
addr add `+somewhere+`/32 dev lo
addr add 2001:db8:f::1/64 dev eth0 nodad
addr add `+somewhere6+`/128 dev lo
route add 10.1.0.0/24 via 198.51.100.2
route add 203.0.113.77/32 via 198.51.100.2
route add 2001:db8:1::/64 via 2001:db8:f::2
`)
	for _, port := range []int{80, 81, 443, 444} {
		listen(t, internet, "tcp", port)
		listen(t, internet, "udp", port)
	}
	for _, proto := range []string{"tcp", "udp"} {
		listen(t, lan, proto, 22)
		listen(t, lan, proto, 2222)
	}
	const out, out6 = somewhere, "[" + somewhere6 + "]"
	check(t, []flow{
		{"IPv4 alone", lan, "", "tcp", out + ":80", "10.1.0.20 at internet"},
		{"IPv4 alone", lan, "", "udp", out + ":80", "10.1.0.20 at internet"},
		{"IPv4 alone", lan, "", "tcp", out6 + ":80", "refuse"},
		{"IPv6 alone", lan, "", "tcp", out6 + ":81", "2001:db8:1::20 at internet"},
		{"IPv6 alone", lan, "", "tcp", out + ":81", "drop"},
		{"IPv6 alone", lan, "", "udp", out + ":81", "drop"},
		{"all of IPv6 is refused", lan, "", "tcp", out6 + ":443", "refuse"},
		{"an address that is routed to the router", lan, "", "tcp", out + ":443", "203.0.113.77 at internet"},
		{"an address that is routed to the router", lan, "", "udp", out + ":443", "203.0.113.77 at internet"},
		{"an address of the router", lan, "", "tcp", out + ":444", "198.51.100.2 at internet"},
	})
	passed := 0
	for i, to := range []string{"tcp 10.1.0.20:22", "udp [2001:db8:1::20]:22", "tcp 10.1.0.20:2222", "udp 10.1.0.20:22", "tcp [2001:db8:1::20]:2222"} {
		proto, addr, _ := strings.Cut(to, " ")
		src := "198.51.100.1"
		if strings.HasPrefix(addr, "[") {
			src = "2001:db8:f::1"
		}
		want := "drop"
		if passed < 3 {
			passed, want = passed+1, src+" at lan"
		}
		check(t, []flow{{fmt.Sprintf("connection %d of the limited policy", i+1), internet, "", proto, addr, want}})
	}
}
