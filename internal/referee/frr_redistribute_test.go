package referee_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// toldSpec is a router of two that speak OSPF over lan2, and RIP and BGP over wan.
func toldSpec(own, other int, tells [3]string, more string) string {
	return fmt.Sprintf(`
network "core" {
  link = port.lan2
  ipv4 = "10.255.0.%[1]d/24"
}
network "peering" {
  link = port.wan
  ipv4 = "192.0.2.%[1]d/24"
}
network "lan" {
  link = port.lan1
  ipv4 = "10.%[1]d.0.1/24"
}
network "things" {
  link = port.lan3
  ipv4 = "10.%[1]d.1.1/24"
}
zone "all" { networks = [network.core, network.peering, network.lan, network.things] }
prefix_list "inner" { permit = ["10.0.0.0/8 le 24"] }
prefix_list "all" { permit = ["0.0.0.0/0 le 32"] }
bgp {
  as        = 6500%[1]d
  router_id = "192.0.2.%[1]d"
  neighbor "other" {
    address      = "192.0.2.%[2]d"
    remote_as    = 6500%[2]d
    prefixes_in  = prefix_list.inner
    prefixes_out = prefix_list.all
    expect       = %[4]d
  }
  %[5]s
}
ospf {
  router_id = "192.0.2.%[1]d"
  area "0" {
    networks = [network.core]
    passive  = [network.things]
  }
  %[6]s
}
rip {
  networks = [network.peering]
  passive  = [network.lan]
  %[7]s
}
%[3]s`, own, other, more, own-1, tells[0], tells[1], tells[2])
}

// A router tells each protocol what the spec says of routes from elsewhere, and no other. Then FRR
// has it otherwise, each red at its own line.
func TestFRRRedistributes(t *testing.T) {
	t.Parallel()
	two := pair(t, toldSpec(1, 2, [3]string{
		`redistribute "static" { prefixes = prefix_list.inner }`,
		"redistribute \"static\" {\n prefixes = prefix_list.dmz\n metric = 30\n }\n redistribute \"rip\" { prefixes = prefix_list.inner }",
		`redistribute "static" { prefixes = prefix_list.lab }`,
	}, `
prefix_list "dmz" { permit = ["203.0.113.0/24"] }
prefix_list "lab" { permit = ["198.51.100.0/24"] }
route "dmz" {
  to  = "203.0.113.0/24"
  via = "10.1.0.9"
}
route "office" {
  to  = "10.77.0.0/24"
  via = "10.1.0.9"
}
route "lab" {
  to  = "198.51.100.0/24"
  via = "10.1.0.9"
}
`), toldSpec(2, 1, [3]string{}, otherMACs))
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)
	for protocol, want := range map[string]string{"bgp": "10.77.0.0/24", "ospf": "10.1.1.0/24 203.0.113.0/24", "rip": "10.1.0.0/24 198.51.100.0/24"} {
		nstest.Wait(t, func() error { // the first of them is enough for the checks
			if got := routesOf(t, b.NS, protocol); got != want {
				return fmt.Errorf("routes of %s are %s, want %s", protocol, got, want)
			}
			return nil
		})
	}
	if got := b.vtysh(t, "show ip ospf database external"); !strings.Contains(got, "Link State ID: 10.2.0.0 ") || strings.Contains(got, "198.51.100.0") {
		t.Errorf("by OSPF the branch hears of %s", got)
	}

	a.vtysh(t, "configure", "router ospf", "no redistribute kernel")
	a.vtysh(t, "configure", "route-map ospf:static permit 10", "set metric 31")
	a.vtysh(t, "configure", "route-map rip:static permit 10", "match ip address prefix-list all")
	a.vtysh(t, "configure", "router bgp 65001", "address-family ipv4 unicast", "no redistribute kernel")
	a.becomes(t, "bgp/redistribute.static/told fail: no such line", "ospf/redistribute.static/metric fail: set metric 31",
		"ospf/redistribute.static/told fail: no such line", "rip/redistribute.static/prefixes fail: match ip address prefix-list all")
	b.becomes(t, "bgp/neighbor.other/received fail: 0 prefixes", "bgp/routes/ipv4 fail: 0 routes")
	if got := routesOf(t, b.NS, "ospf"); got != "10.1.1.0/24" {
		t.Errorf("routes of OSPF are %s", got)
	}
}
