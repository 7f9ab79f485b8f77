package referee_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// staticNATSpec gives a host of the DMZ an address outside, where the policies let some in.
const staticNATSpec = `
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}
network "dmz" {
  link = port.lan2
  ipv4 = "10.2.0.1/24"
}
network "out" {
  link    = port.wan
  ipv4    = "198.51.100.2/24"
  gateway = "198.51.100.1"
}
zone "lan" { networks = [network.lan] }
zone "dmz" { networks = [network.dmz] }
zone "out" { networks = [network.out] }
host "web" {
  network = network.dmz
  ipv4    = "10.2.0.10"
}
static_nat "web" {
  from    = zone.out
  address = "203.0.113.77"
  to      = host.web
}
policy "web" {
  from   = [zone.out, zone.lan, zone.dmz]
  to     = [host.web]
  action = "accept"
  ports  = [80]
}
policy "internet" {
  from       = [zone.lan, zone.dmz]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
`

// A host has its address outside both ways: who comes by it gets to the host where a policy says
// so, also from inside, and what the host sends has it, whatever address the policy gives others.
func TestStaticNAT(t *testing.T) {
	t.Parallel()
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(head + staticNATSpec)}})
	router, lan, dmz, internet := nstest.New(t, "router"), nstest.New(t, "lan"), nstest.New(t, "dmz"), nstest.New(t, "internet")
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	nstest.Link(t, router, "lan1", lan, "eth0")
	nstest.Link(t, router, "lan2", dmz, "eth0")
	nstest.Link(t, router, "wan", internet, "eth0")
	ip(t, router, `
addr add 10.1.0.1/24 dev lan1
addr add 10.2.0.1/24 dev lan2
addr add 198.51.100.2/24 dev wan
route add default via 198.51.100.1
`)
	ip(t, lan, "addr add 10.1.0.20/24 dev eth0\nroute add default via 10.1.0.1\n")
	ip(t, dmz, "addr add 10.2.0.10/24 dev eth0\naddr add 10.2.0.11/24 dev eth0\nroute add default via 10.2.0.1 src 10.2.0.10\n")
	ip(t, internet, `
addr add 198.51.100.1/24 dev eth0
addr add `+somewhere+`/32 dev lo
route add 203.0.113.77/32 via 198.51.100.2
`)
	for _, proto := range []string{"tcp", "udp"} {
		for _, port := range []int{80, 81} {
			listen(t, dmz, proto, port)
			listen(t, internet, proto, port)
			listen(t, router, proto, port)
		}
	}
	var flows []flow
	for _, proto := range []string{"tcp", "udp"} {
		flows = append(flows,
			flow{"in, to the address", internet, "", proto, "203.0.113.77:80", "198.51.100.1 at dmz"},
			flow{"in, from further away", internet, somewhere, proto, "203.0.113.77:80", somewhere + " at dmz"},
			flow{"in, where no policy says so", internet, "", proto, "203.0.113.77:81", "drop"},
			flow{"to the router's own address", internet, "", proto, "198.51.100.2:80", "drop"},
			flow{"from the LAN by the address outside", lan, "", proto, "203.0.113.77:80", "10.1.0.20 at dmz"},
			flow{"from a neighbour by the address outside", dmz, "10.2.0.11", proto, "203.0.113.77:80", "10.2.0.1 at dmz"},
			flow{"out", dmz, "10.2.0.10", proto, somewhere + ":81", "203.0.113.77 at internet"},
			flow{"a neighbour, out", dmz, "10.2.0.11", proto, somewhere + ":81", "198.51.100.2 at internet"},
			flow{"the LAN, out", lan, "", proto, somewhere + ":81", "198.51.100.2 at internet"},
		)
	}
	check(t, flows)
	load(t, router, ruleset(t, g)) // a reload keeps it
	check(t, flows)
}
