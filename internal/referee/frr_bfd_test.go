package referee_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// watchedSpec is a router of two that exchange prefixes by BGP, in both versions of IP, and routes
// by OSPF, with BFD at their side.
func watchedSpec(own, other int, more string) string {
	return fmt.Sprintf(`
network "peering" {
  link = port.wan
  ipv4 = "192.0.2.%[1]d/24"
  ipv6 = "2001:db8:f::%[1]d/64"
}
network "core" {
  link = port.lan2
  ipv4 = "10.255.0.%[1]d/24"
}
network "lan" {
  link = port.lan1
  ipv4 = "10.%[1]d.0.1/24"
  ipv6 = "2001:db8:%[1]d::1/64"
}
network "things" {
  link = port.lan3
  ipv4 = "10.%[1]d.1.1/24"
}
zone "all" { networks = [network.peering, network.core, network.lan, network.things] }
prefix_list "all" { permit = ["10.0.0.0/8 le 24", "2001:db8::/32 le 64"] }
bfd "fast" {
  receive    = 200
  transmit   = 250
  multiplier = 5
}
bfd "other" { passive = %[3]t }
bgp {
  as        = 6500%[1]d
  router_id = "192.0.2.%[1]d"
  networks  = [network.lan]
  neighbor "other" {
    address      = "192.0.2.%[2]d"
    remote_as    = 6500%[2]d
    prefixes_in  = prefix_list.all
    prefixes_out = prefix_list.all
    bfd          = bfd.fast
  }
  neighbor "other6" {
    address      = "2001:db8:f::%[2]d"
    remote_as    = 6500%[2]d
    prefixes_in  = prefix_list.all
    prefixes_out = prefix_list.all
    bfd          = bfd.other
  }
}
ospf {
  router_id = "192.0.2.%[1]d"
  area "0" {
    networks = [network.core]
    passive  = [network.things]
    bfd      = bfd.fast
  }
}
`, own, other, own == 1) + more
}

// otherMACs are for the second of two routers: IfState makes addresses of the machine's identifier, and
// both are on one machine.
const otherMACs = `interfaces { extra = { interfaces = { wan = { link = { address = "02:00:00:00:00:02" } }, lan2 = { link = { address = "02:00:00:00:00:03" } } } } }
`

// A cable that loses everything without a word costs BGP its session by BFD, in less time than
// the hold time of BGP (180 s) or OSPF's dead interval, of which FRR says which it was: its
// reason.
func TestFRRBFD(t *testing.T) {
	t.Parallel()
	two := pair(t, watchedSpec(1, 2, ""), watchedSpec(2, 1, otherMACs))
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)

	// What is of the link alone comes in, and nothing else of BFD.
	if got := a.NS.Run(t, "nft", "list", "ruleset"); !strings.Contains(got, "ip ttl 255 ip saddr 192.0.2.2 udp dport 3784") ||
		!strings.Contains(got, "ip ttl 255 ip saddr 10.255.0.0/24 udp dport 3784") || strings.Contains(got, "dport 4784") {
		t.Errorf("the firewall has\n%s", got)
	}

	// The link drops what is sent over it, and both of its ends stay up.
	drop := "table netdev silent { chain in { type filter hook ingress device wan priority -500; policy drop; }; chain lan2 { type filter hook ingress device lan2 priority -500; policy drop; }; }"
	for _, r := range two {
		r.NS.Run(t, "nft", strings.ReplaceAll(drop, "; }; ", ";\n}\n"))
	}
	nstest.Wait(t, func() error {
		for _, peer := range []string{"192.0.2.2", "2001:db8:f::2"} {
			if got := a.vtysh(t, "show bgp neighbors "+peer+" json"); !strings.Contains(got, `"lastResetDueTo":"BFD down initiated"`) {
				return fmt.Errorf("BGP says %s", got)
			}
		}
		if got := a.vtysh(t, "show ip ospf neighbor"); strings.Contains(got, "192.0.2.2") {
			return fmt.Errorf("OSPF has %s", got)
		}
		return nil
	})
	got := a.wrong(t)
	for _, want := range []string{
		"bgp/neighbor.other/bfd fail: down (control detection time expired)", "bgp/neighbor.other6/bfd fail: down (control detection time expired)",
		"bgp/routes/ipv4 fail: 0 routes", "ospf/area.0/bfd/network.core fail: no session", "ospf/routes fail: 0 routes",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("without %s: %q", want, got)
		}
	}
	if !slices.ContainsFunc(got, func(s string) bool {
		return strings.HasPrefix(s, "bgp/neighbor.other/session fail: ") && strings.HasSuffix(s, " (BFD down initiated)")
	}) {
		t.Errorf("BGP does not say why: %q", got)
	}
	for _, r := range two {
		r.NS.Run(t, "nft", "delete table netdev silent")
	}
	a.becomes(t)
	b.becomes(t)
}

// Within one autonomous system the session is one of the link as well: bgpd has a session of several hops
// (udp/4784, which the firewall keeps shut) until it knows that both are in one network. BGP's sessions in
// the network of an area are not OSPF's.
func TestFRRBFDInOneSystem(t *testing.T) {
	t.Parallel()
	const second = `network "second" {
  link = port.lan2
  ipv4 = "10.254.0.%d/24"
}
zone "all" { networks = [network.second, `
	specs := []string{watchedSpec(1, 2, ""), watchedSpec(2, 1, otherMACs)}
	for i := range specs {
		neighbours := fmt.Sprintf("neighbor \"core\" {\n address = \"10.255.0.%[1]d\"\n remote_as = 65001\n bfd = bfd.fast\n expect = 0\n }\n"+
			"neighbor \"second\" {\n address = \"10.254.0.%[1]d\"\n remote_as = 65001\n bfd = bfd.other\n expect = 0\n }\n}\nospf {", 2-i)
		specs[i] = strings.NewReplacer("65002", "65001", "}\nospf {", neighbours, `zone "all" { networks = [`, fmt.Sprintf(second, 1+i)).Replace(specs[i])
	}
	two := pair(t, specs...)
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)
	if got := a.vtysh(t, "show bfd peers json"); strings.Contains(got, `"multihop":true`) || strings.Count(got, `"multihop":false`) != 4 {
		t.Errorf("BFD has %s", got)
	}

	// The neighbour's OSPF goes, and BGP's sessions in the network are not enough.
	b.vtysh(t, "configure", "no router ospf")
	nstest.Wait(t, func() error {
		got := a.wrong(t)
		if !slices.Contains(got, "ospf/area.0/bfd/network.core fail: no session") || slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "bgp/neighbor.core/bfd ") }) {
			return fmt.Errorf("wrong are %q", got)
		}
		return nil
	})
}

// What is otherwise than the spec says is seen at its own line, and so is a neighbour whose bfdd is
// dead while its BGP lives.
func TestFRRBFDIsOtherwise(t *testing.T) {
	t.Parallel()
	two := pair(t, watchedSpec(1, 2, ""), watchedSpec(2, 1, otherMACs))
	a, b := two[0], two[1]
	a.becomes(t)
	b.becomes(t)

	a.vtysh(t, "configure", "bfd", "profile fast", "receive-interval 201", "transmit-interval 251", "detect-multiplier 6", "passive-mode")
	a.vtysh(t, "configure", "bfd", "profile other", "no passive-mode")
	var want []string
	for _, v := range []string{"multiplier/%s fail: 6", "passive/%s fail: passive", "receive/%s fail: 201 ms", "transmit/%s fail: 251 ms"} {
		for _, at := range []string{"192.0.2.2", "network.core"} {
			want = append(want, "bfd.fast/"+fmt.Sprintf(v, at))
		}
	}
	a.becomes(t, append(want, "bfd.other/passive/2001:db8:f::2 fail: active")...)
	a.vtysh(t, "configure", "bfd", "profile fast", "receive-interval 200", "transmit-interval 250", "detect-multiplier 5", "no passive-mode")
	a.vtysh(t, "configure", "bfd", "profile other", "passive-mode")
	a.becomes(t)

	// The protocols go on without BFD, which is as good as no BFD.
	a.vtysh(t, "configure", "router bgp 65001", "no neighbor 192.0.2.2 bfd")
	a.vtysh(t, "configure", "interface lan2", "no ip ospf bfd")
	want = nil
	for _, v := range []string{"multiplier", "passive", "receive", "transmit"} {
		for _, at := range []string{"192.0.2.2", "network.core"} {
			want = append(want, "bfd.fast/"+v+"/"+at+" skip: no session")
		}
	}
	a.becomes(t, append(want, "bgp/neighbor.other/bfd fail: no session", "bgp/neighbor.other/bfd-heeded fail: BFD is not heeded",
		"ospf/area.0/bfd-heeded/network.core fail: BFD is not heeded", "ospf/area.0/bfd/network.core fail: no session")...)
	a.vtysh(t, "configure", "router bgp 65001", "neighbor 192.0.2.2 bfd", "neighbor 192.0.2.2 bfd profile fast")
	a.vtysh(t, "configure", "interface lan2", "ip ospf bfd", "ip ospf bfd profile fast")
	a.becomes(t)

	b.signal(t, "STOP", "watchfrr") // it would start another one
	b.signal(t, "KILL", "bfdd")
	nstest.Wait(t, func() error {
		got := a.wrong(t)
		for _, check := range []string{"bgp/neighbor.other/bfd ", "bgp/neighbor.other6/bfd "} {
			if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, check+"fail: down (") }) {
				return fmt.Errorf("%s is not red: %q", check, got)
			}
		}
		if got := a.vtysh(t, "show bgp summary"); strings.Count(got, "\n192.0.2.2 ")+strings.Count(got, "\n2001:db8:f::2 ") != 2 {
			return fmt.Errorf("BGP has %s", got)
		}
		return nil
	})
}

// signal sends a signal to the router's processes of a name.
func (r *frrRouter) signal(t *testing.T, signal, comm string) {
	t.Helper()
	r.NS.Run(t, "sh", "-ec", `for p in $(ip netns pids "$(ip netns identify $$)"); do if [ "$(cat /proc/$p/comm)" = "$1" ]; then kill -"$2" $p; done=1; fi; done; [ -n "$done" ]`, "sh", comm, signal)
}
