package referee_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const delegatedRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["9.9.9.9"]
}
network "wan" {
  link = port.wan
  ipv6 = "auto"
}
prefix "isp" {
  network = network.wan
  length  = 56
}
network "lan" {
  link   = port.lan1
  ipv4   = "192.168.1.1/24"
  ipv6   = "fd00:1::1/64"
  prefix = prefix.isp
  subnet = 3
}
network "guest" {
  link         = port.lan2
  ipv4         = "192.168.2.1/24"
  prefix       = prefix.isp
  subnet       = 255
  interface_id = "::2:5"
}
network "apart" { # gets nothing
  link = port.lan3
  ipv4 = "192.168.3.1/24"
}
zone "lan" { networks = [network.lan, network.guest, network.apart] }
zone "wan" { networks = [network.wan] }
policy "out" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
}
`

// A server that delegates the one prefix that its pool has: on a busy machine a client asks twice, and Kea offers the
// second time what comes next.
const delegatingKea = `{"Dhcp6": {
  "server-id": {"type": "EN", "enterprise-id": 2495, "identifier": "0123456789abcdef", "persist": false},
  "interfaces-config": {"interfaces": ["eth0"]},
  "lease-database": {"type": "memfile", "persist": false},
  "preferred-lifetime": 600, "valid-lifetime": 900, "renew-timer": 2, "rebind-timer": 800,
  "subnet6": [{
    "id": 1, "subnet": "2001:db8:f::/64", "interface": "eth0",
    "pd-pools": [{"prefix": "2001:db8:8000::", "prefix-len": 56, "delegated-len": 56}]
  }]
}}
`

// An upstream delegates a prefix while the firewall is loaded. The router gets an address in
// each network of it and in no other, hosts there reach the world, what is in no network is
// refused, and IfState, which runs at every switch, leaves all of it alone.
func TestAnUpstreamDelegatesAPrefix(t *testing.T) {
	t.Parallel()
	g := fromText(t, delegatedRouter)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	internet, client, guest := nstest.New(t, "internet"), nstest.New(t, "client"), nstest.New(t, "guest")
	apart := nstest.New(t, "apart")
	router := board(t, map[string]*nstest.NS{"wan": internet, "lan1": client, "lan2": guest, "lan3": apart})
	ip(t, internet, "addr add 2001:db8:f::1/64 dev eth0\naddr add 2001:db8:ffff::1/128 dev lo\n")
	ip(t, client, "addr add 2001:db8:8000:3::9/64 dev eth0\nroute add default via 2001:db8:8000:3::1\n")
	internet.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")

	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)

	isp := lab.Rootfs(t, lab.Files{"/etc/kea.conf": delegatingKea, "/run/kea/": "", "/var/lib/kea/": "", "/etc/radvd.conf": upstreamRadvd})
	isp.Daemon(t, internet, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	kea := isp.Daemon(t, internet, "kea-dhcp6", "-c", "/etc/kea.conf")
	kea.Ready(t, said(kea, "DHCP6_STARTED"))
	root := lab.Rootfs(t, lab.Files{
		"/etc/dhcpcd.conf": dhcpcdConf(t, g), "/etc/resolv.conf": "nameserver 127.0.0.1\n",
		"/etc/dhcpcd.exit-hook": g.text(t, "networking", "dhcpcd", "runHook"),
	})
	dhcpcd := root.Daemon(t, router, "dhcpcd", "-B", "--nodev", "--persistent", "--config", "/etc/dhcpcd.conf")

	// The addresses of the world, by their links, and the routes to nowhere.
	delegated := func() map[string]string {
		out := map[string]string{}
		for name, l := range links(t, router) {
			for _, a := range l.Addresses {
				if strings.HasPrefix(a, "2001:db8:8000:") || name != "wan" && strings.HasPrefix(a, "2001:") {
					out[name] += a
				}
			}
		}
		for line := range strings.Lines(router.Run(t, "ip", "-6", "route", "show", "type", "unreachable")) {
			out["nowhere"] = strings.Fields(line)[1]
		}
		return out
	}
	want := map[string]string{"lan1": "2001:db8:8000:3::1/64", "lan2": "2001:db8:8000:ff::2:5/64", "nowhere": "2001:db8:8000::/56"}
	settled := func() error {
		if d := cmp.Diff(want, delegated()); d != "" {
			return errors.New("(-want +got):\n" + d)
		}
		return nil
	}
	dhcpcd.Ready(t, settled)
	// A renewal: the answer is an ordinary packet to port 546, through the firewall.
	dhcpcd.Ready(t, func() error {
		if strings.Count(kea.Log(), "DHCP6_PD_LEASE_REUSE") < 2 {
			return errors.New("no renewals")
		}
		return nil
	})
	// A switch of the system applies the configuration again: nothing to do, nothing undone.
	apply(t, ifstate, router, g)
	if err := settled(); err != nil {
		t.Errorf("after IfState %v\n%s", err, dhcpcd.Log())
	}
	// The upstream knows the way back by what it delegated.
	via := strings.Fields(router.Run(t, "ip", "-6", "-brief", "addr", "show", "dev", "wan", "scope", "link"))[2]
	ip(t, internet, fmt.Sprintf("route add 2001:db8:8000::/56 via %s dev eth0\n", strings.Split(via, "/")[0]))
	dhcpcd.Ready(t, func() error {
		_, err := client.Try(t, "ping", "-c1", "-W5", "2001:db8:ffff::1")
		return err
	})
	if out, err := internet.Try(t, "ping", "-c1", "-W5", "2001:db8:8000:77::1"); err == nil || !strings.Contains(fmt.Sprint(out, err), "nreachable") {
		t.Errorf("a network that the router does not have: %s, %v", out, err)
	}
	// The kernel still takes the upstream's advertisements, and no other's.
	for link, accept := range map[string]string{"wan": "2", "lan1": "0", "lan2": "0", "lan3": "0"} {
		if got := strings.TrimSpace(router.Run(t, "sysctl", "-n", "net.ipv6.conf."+link+".accept_ra")); got != accept {
			t.Errorf("accept_ra of %s is %s, want %s", link, got, accept)
		}
	}
	// nbr verify says the same of what is there; and it does not when the prefix is another.
	verdicts(t, router, delegatedRouter, passBut(promised))
	dhcpcd.Signal(t, syscall.SIGSTOP)       // a renewal would bring it back
	defer dhcpcd.Signal(t, syscall.SIGCONT) // cleanups come after the context of the test has ended, and dhcpcd with it
	ip(t, router, "addr del 2001:db8:8000:3::1/64 dev lan1\n")
	verdicts(t, router, delegatedRouter, passBut(promised, "network.lan/prefix"))
}

// promised are the checks of what is delegated.
var promised = []string{
	"interfaces/foreign/addresses", "interfaces/foreign/routes", "network.guest/prefix", "network.lan/overlap", "network.lan/prefix", "prefix.isp/delegated",
}
