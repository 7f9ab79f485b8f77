package referee_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// hostSpec has policies about hosts that are known by their addresses, and about one that is
// known by its MAC address.
const hostSpec = `
bridge "br0" { ports = [port.lan1, port.lan2] }
network "lan" {
  link = bridge.br0
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
host "nas" {
  network = network.lan
  ipv4    = "10.1.0.10"
  ipv6    = "::10"
}
host "pc" {
  network = network.lan
  ipv4    = "10.1.0.20"
}
host "tv" {
  network = network.lan
  mac     = "02:00:00:00:00:77"
}
zone "lan" { networks = [network.lan] }
zone "out" { networks = [network.out] }
policy "tv" {
  from       = [host.tv]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
policy "pc" {
  from      = [host.pc]
  to        = [zone.out]
  action    = "accept"
  protocols = ["tcp"]
  ports     = [80]
}
policy "in" {
  from      = [zone.out]
  to        = [host.nas]
  action    = "accept"
  protocols = ["tcp"]
  ports     = [443]
}
port_forward "web" {
  from    = zone.out
  port    = 8443
  to      = host.nas
  to_port = 443
}
port_forward "web-inside" {
  from    = zone.lan
  port    = 8443
  to      = host.nas
  to_port = 443
}
`

// Policies about hosts hold for these hosts and no others: for the addresses that a spec can
// know, whatever the prefix, and for all addresses of a host with a known MAC address.
func TestPoliciesOfHosts(t *testing.T) {
	t.Parallel()
	g := fromText(t, hostSpec)
	router, home, tv, internet := nstest.New(t, "router"), nstest.New(t, "home"), nstest.New(t, "tv"), nstest.New(t, "internet")
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	nstest.Link(t, router, "lan1", home, "eth0")
	nstest.Link(t, router, "lan2", tv, "eth0")
	nstest.Link(t, router, "wan", internet, "eth0")
	ip(t, router, `
link add br0 type bridge
link set lan1 master br0
link set lan2 master br0
link set br0 up
addr add 10.1.0.1/24 dev br0
addr add 2001:db8:1::1/64 dev br0 nodad
addr add 2001:db8:2::1/64 dev br0 nodad
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:f::2/64 dev wan nodad
route add default via 198.51.100.1
route add default via 2001:db8:f::1
`)
	ip(t, home, `
addr add 10.1.0.10/24 dev eth0
addr add 10.1.0.20/24 dev eth0
addr add 10.1.0.30/24 dev eth0
addr add 2001:db8:1::10/64 dev eth0 nodad
addr add 2001:db8:2::10/64 dev eth0 nodad
addr add 2001:db8:1::20/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, tv, `
link set eth0 address 02:00:00:00:00:77
addr add 10.1.0.40/24 dev eth0
addr add 2001:db8:1::abcd/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, internet, `
addr add 198.51.100.1/24 dev eth0
addr add `+somewhere+`/32 dev lo
addr add 2001:db8:f::1/64 dev eth0 nodad
addr add `+somewhere6+`/128 dev lo
route add 10.1.0.0/24 via 198.51.100.2
route add 2001:db8:1::/64 via 2001:db8:f::2
route add 2001:db8:2::/64 via 2001:db8:f::2
`)
	for _, port := range []int{80, 81} {
		listen(t, internet, "tcp", port)
	}
	listen(t, home, "tcp", 443)
	listen(t, tv, "tcp", 443)
	const wan = "198.51.100.2"
	check(t, []flow{
		{"by its MAC address", tv, "", "tcp", somewhere + ":80", wan + " at internet"},
		{"by its MAC address, any port", tv, "", "tcp", somewhere + ":81", wan + " at internet"},
		{"by its MAC address, an address that the spec does not know", tv, "2001:db8:1::abcd", "tcp", "[" + somewhere6 + "]:80", "2001:db8:1::abcd at internet"},
		{"by its address, without NAT", home, "10.1.0.20", "tcp", somewhere + ":80", "10.1.0.20 at internet"},
		{"by its address, another port", home, "10.1.0.20", "tcp", somewhere + ":81", "drop"},
		{"of no policy", home, "10.1.0.30", "tcp", somewhere + ":80", "drop"},
		{"of no policy", home, "2001:db8:1::10", "tcp", "[" + somewhere6 + "]:80", "drop"},

		{"to the host", internet, "", "tcp", "10.1.0.10:443", "198.51.100.1 at home"},
		{"to the host", internet, "2001:db8:f::1", "tcp", "[2001:db8:1::10]:443", "2001:db8:f::1 at home"},
		{"to the host, in a new prefix", internet, "2001:db8:f::1", "tcp", "[2001:db8:2::10]:443", "2001:db8:f::1 at home"},
		{"to the host, another port", internet, "", "tcp", "10.1.0.10:80", "drop"},
		{"to another host", internet, "", "tcp", "10.1.0.20:443", "drop"},
		{"to another host", internet, "2001:db8:f::1", "tcp", "[2001:db8:1::20]:443", "drop"},
		{"to another host", internet, "", "tcp", "10.1.0.40:443", "drop"},
		{"forwarded to a host of the client's network", tv, "", "tcp", wan + ":8443", "10.1.0.1 at home"},
		{"forwarded to the host", internet, "", "tcp", wan + ":8443", "198.51.100.1 at home"},
	})
}

// Of the connections of a host that is known by its MAC address only half could be inspected.
func TestInspectedHosts(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ policies, want string }{
		"by its MAC address":       {"policy.tv", "inspected-host"},
		"by its address":           {"policy.pc", "inspected-host"}, // policy.tv comes first
		"before any such policies": {"policy.first", ""},
	} {
		t.Run(name, func(t *testing.T) {
			first := `
policy "first" {
  from      = [host.nas]
  to        = [zone.out]
  action    = "accept"
  protocols = ["udp"]
}
`
			text := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1) +
				strings.Replace(hostSpec, "policy \"tv\"", first+"policy \"tv\"", 1) + "inspector { policies = [" + tt.policies + "] }\n"
			reg := &service.Registry{Kinds: append(all.Kinds(), inspectorKind()), Boards: firmware.Boards()}
			_, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(text)}}, nil)
			var codes []string
			for _, d := range diags {
				codes = append(codes, diag.Code(d))
			}
			if got := strings.Join(codes, " "); got != tt.want {
				t.Errorf("%q, want %q: %v", got, tt.want, diags)
			}
		})
	}
}
