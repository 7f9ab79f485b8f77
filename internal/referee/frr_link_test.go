package referee_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// linkSpec is a router of two that know each other by their links alone: by one cable in a group with a
// password and BFD, by the other in the same group. No link between them has an address of the spec's.
func linkSpec(own, other int, more string) string {
	return fmt.Sprintf(`
secret "peer" { path = "/var/lib/secrets/peer" }
network "left" { link = port.wan }
network "right" { link = port.lan2 }
network "lan" {
  link = port.lan1
  ipv4 = "10.%[1]d.0.1/24"
  ipv6 = "2001:db8:%[1]d::1/64"
}
zone "all" { networks = [network.left, network.right, network.lan] }
prefix_list "all" { permit = ["10.0.0.0/8 le 24", "2001:db8::/32 le 64"] }
bfd "fast" {}
bgp_group "others" {
  remote_as    = 6500%[2]d
  prefixes_in  = prefix_list.all
  prefixes_out = prefix_list.all
  password     = secret.peer
  bfd          = bfd.fast
  expect       = 2
}
bgp {
  as        = 6500%[1]d
  router_id = "192.0.2.%[1]d"
  networks  = [network.lan]
  neighbor "left" {
    network = network.left
    group   = bgp_group.others
  }
  neighbor "right" {
    network = network.right
    group   = bgp_group.others
  }
}
`, own, other) + more
}

// Two routers meet over two cables without an address, by router advertisements and link-local addresses that pass
// their firewalls, and each has the other's IPv4 in its kernel by an IPv6 next hop. Then one thing after the
// other goes wrong, each red at its own line.
func TestFRRByLink(t *testing.T) {
	t.Parallel()
	two := pairWith(t, lab.Files{"/var/lib/secrets/peer": "a!b#c$%s\n"}, linkSpec(1, 2, ""), linkSpec(2, 1, otherMACs))
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)
	nstest.Wait(t, func() error { // the first of the two cables is enough for the checks
		got := a.NS.Run(t, "ip", "route", "show", "10.2.0.0/24", "proto", "bgp")
		if strings.Count(got, "via inet6 fe80::") != 2 || !strings.Contains(got, "dev wan") || !strings.Contains(got, "dev lan2") {
			return fmt.Errorf("the route of IPv4 is %s", got)
		}
		return nil
	})
	if got := routesOf(t, a.NS, "bgp"); got != "10.2.0.0/24 2001:db8:2::/64" {
		t.Errorf("routes of BGP are %s", got)
	}
	a.apply(t)
	if got := routesOf(t, a.NS, "bgp"); got != "10.2.0.0/24 2001:db8:2::/64" {
		t.Errorf("IfState has left %s", got)
	}

	// Sessions and prefixes stay with another password at both ends, with another list and without BFD.
	for _, r := range two {
		as := map[*frrRouter]string{a: "65001", b: "65002"}[r]
		r.vtysh(t, "configure", "router bgp "+as, "neighbor lan2 password other")
	}
	a.vtysh(t, "configure", "ip prefix-list more permit any", "ipv6 prefix-list more permit any", "router bgp 65001", "no neighbor wan bfd",
		"address-family ipv6 unicast", "neighbor wan prefix-list more in")
	a.becomes(t, "bfd.fast/multiplier/wan skip: no session", "bfd.fast/passive/wan skip: no session", "bfd.fast/receive/wan skip: no session",
		"bfd.fast/transmit/wan skip: no session", "bgp/neighbor.left/bfd fail: no session", "bgp_group.others/bfd-heeded/left fail: BFD is not heeded",
		"bgp_group.others/password/right fail: another password", "bgp_group.others/prefixes-in/left fail: all, more")

	// The neighbour withdraws its prefix of IPv4 from both sessions, and then one cable is out.
	b.vtysh(t, "configure", "router bgp 65002", "address-family ipv4 unicast", "no network 10.2.0.0/24")
	otherwise := []string{
		"bfd.fast/multiplier/wan skip: no session", "bfd.fast/passive/wan skip: no session", "bfd.fast/receive/wan skip: no session",
		"bfd.fast/transmit/wan skip: no session", "bgp/neighbor.left/bfd fail: no session", "bgp/neighbor.left/received fail: 1 prefixes",
	}
	ofGroup := []string{
		"bgp_group.others/bfd-heeded/left fail: BFD is not heeded", "bgp_group.others/password/right fail: another password",
		"bgp_group.others/prefixes-in/left fail: all, more",
	}
	a.becomes(t, slices.Concat(otherwise, []string{"bgp/neighbor.right/received fail: 1 prefixes"}, ofGroup)...)
	b.NS.Run(t, "ip", "link", "set", "lan2", "down")
	a.becomes(t, slices.Concat(otherwise, []string{
		"bgp/neighbor.right/bfd fail: down (control detection time expired)", "bgp/neighbor.right/next-hops fail: no session",
		"bgp/neighbor.right/received fail: no session", "bgp/neighbor.right/sent fail: no session",
		"bgp/neighbor.right/session fail: Idle (Neighbor address lost)",
	}, ofGroup)...)
}
