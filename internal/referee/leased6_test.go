package referee_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const leased6Router = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}
network "wan" {
  link = port.wan
  ipv6 = "dhcp"
}
network "cable" { # a second provider, whose prefix the house has
  link = port.lan3
  ipv6 = "dhcp"
}
prefix "cable" {
  network = network.cable
  length  = 56
}
network "lan" {
  link   = port.lan1
  prefix = prefix.cable
  subnet = 3
}
zone "lan" { networks = [network.lan] }
zone "wan" { networks = [network.wan, network.cable] }
`

// A server that leases an address, and delegates a prefix to who asks for one.
const leasingKea6 = `{"Dhcp6": {
  "server-id": {"type": "EN", "enterprise-id": 2495, "identifier": "0123456789abcdef", "persist": false},
  "interfaces-config": {"interfaces": ["eth0"]},
  "lease-database": {"type": "memfile", "persist": false},
  "preferred-lifetime": 600, "valid-lifetime": 900, "renew-timer": 2, "rebind-timer": 800,
  "subnet6": [{
    "id": 1, "subnet": "NET::/64", "interface": "eth0",
    "pools": [{"pool": "NET::5ca1-NET::5ca1"}],
    "pd-pools": [{"prefix": "2001:db8:8000::", "prefix-len": 56, "delegated-len": 56}]
  }]
}}
`

// managedRadvd says that addresses are by DHCPv6, and has a prefix of which hosts could make one all
// the same.
const managedRadvd = `interface eth0 {
  AdvSendAdvert on;
  AdvManagedFlag on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  prefix NET::/64 { };
};
`

// Two upstreams lease addresses by DHCPv6, one of them together with a prefix, while the firewall is
// loaded. The router has these and makes none itself, its default routes are those of router
// advertisements, IfState leaves all of it alone, and nbr verify sees what is taken away.
func TestUpstreamsLeaseIPv6Addresses(t *testing.T) {
	t.Parallel()
	g := fromText(t, leased6Router)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	upstreams := map[string]*nstest.NS{"wan": nstest.New(t, "first"), "lan3": nstest.New(t, "second")}
	router := board(t, map[string]*nstest.NS{"wan": upstreams["wan"], "lan3": upstreams["lan3"], "lan1": nstest.New(t, "client")})
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)

	servers := map[string]*lab.Daemon{}
	for port, net := range map[string]string{"wan": "2001:db8:e", "lan3": "2001:db8:f"} {
		ns := upstreams[port]
		ip(t, ns, "addr add "+net+"::1/64 dev eth0 nodad\n")
		ns.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
		isp := lab.Rootfs(t, lab.Files{
			"/etc/kea.conf": strings.ReplaceAll(leasingKea6, "NET", net), "/run/kea/": "", "/var/lib/kea/": "",
			"/etc/radvd.conf": strings.ReplaceAll(managedRadvd, "NET", net),
		})
		isp.Daemon(t, ns, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
		servers[port] = isp.Daemon(t, ns, "kea-dhcp6", "-c", "/etc/kea.conf")
		servers[port].Ready(t, said(servers[port], "DHCP6_STARTED"))
	}
	root := lab.Rootfs(t, lab.Files{"/etc/dhcpcd.conf": dhcpcdConf(t, g), "/etc/resolv.conf": "nameserver 127.0.0.1\n"})
	dhcpcd := root.Daemon(t, router, "dhcpcd", "-B", "--nodev", "--persistent", "--config", "/etc/dhcpcd.conf")

	given := func() []string {
		var out []string
		for name, l := range links(t, router) {
			for _, a := range l.Addresses {
				if strings.HasPrefix(a, "2001:") {
					out = append(out, name+" "+a)
				}
			}
		}
		for line := range strings.Lines(router.Run(t, "ip", "-6", "route", "show", "default")) {
			words := strings.Fields(line)
			out = append(out, fmt.Sprintf("default %s %s", words[slices.Index(words, "dev")+1], words[slices.Index(words, "proto")+1]))
		}
		slices.Sort(out)
		return out
	}
	want := []string{"default lan3 ra", "default wan ra", "lan1 2001:db8:8000:3::1/64", "lan3 2001:db8:f::5ca1/128", "wan 2001:db8:e::5ca1/128"}
	settled := func() error {
		if d := cmp.Diff(want, given()); d != "" {
			return errors.New("(-want +got):\n" + d)
		}
		return nil
	}
	dhcpcd.Ready(t, settled)
	for _, kea := range servers {
		kea.Ready(t, func() error {
			if strings.Count(kea.Log(), "DHCP6_LEASE_REUSE") < 2 {
				return errors.New("no renewals")
			}
			return nil
		})
	}
	apply(t, ifstate, router, g)
	if err := settled(); err != nil {
		t.Errorf("after renewals and IfState %v\n%s", err, dhcpcd.Log())
	}

	checks := []string{
		"interfaces/foreign/addresses", "interfaces/foreign/routes", "network.cable/ipv6", "network.lan/prefix", "network.wan/ipv6", "network.wan/overlap",
		"network.wan/sysctl/net/ipv6/conf/wan/accept_ra", "network.wan/sysctl/net/ipv6/conf/wan/autoconf", "prefix.cable/delegated",
	}
	verdictsAre := func(failed ...string) {
		t.Helper()
		verdicts(t, router, leased6Router, passBut(checks, failed...))
	}
	verdictsAre()
	dhcpcd.Signal(t, syscall.SIGSTOP)       // a renewal would bring the address back
	defer dhcpcd.Signal(t, syscall.SIGCONT) // cleanups come after the context of the test has ended, and dhcpcd with it
	ip(t, router, "addr del 2001:db8:e::5ca1/128 dev wan\n")
	verdictsAre("network.wan/ipv6")
	router.Run(t, "sysctl", "-qw", "net.ipv6.conf.wan.autoconf=1")
	verdictsAre("network.wan/ipv6", "network.wan/sysctl/net/ipv6/conf/wan/autoconf")
	router.Run(t, "sysctl", "-qw", "net.ipv6.conf.wan.autoconf=0", "net.ipv6.conf.wan.accept_ra=0")
	verdictsAre("network.wan/ipv6", "network.wan/sysctl/net/ipv6/conf/wan/accept_ra")
	ip(t, router, "addr add 2001:db8:e::bad/64 dev wan\n")
	verdictsAre("network.wan/ipv6", "network.wan/sysctl/net/ipv6/conf/wan/accept_ra", "interfaces/foreign/addresses")
}
