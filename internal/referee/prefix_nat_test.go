package referee_test

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const translatedRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["2001:db8:ffff::1"]
}
network "lan" {
  link = port.lan1
  ipv6 = "fd00:9::1/64"
}
network "fibre" {
  link = port.wan
  ipv6 = "auto"
}
network "lte" {
  link = port.lan3
  ipv6 = "auto"
}
prefix "fibre" {
  network = network.fibre
  length  = 56
}
prefix "lte" {
  network = network.lte
  length  = 60
}
prefix_nat "fibre" {
  network  = network.fibre
  internal = "fd00:9::/64"
  prefix   = prefix.fibre
  subnet   = 201
}
prefix_nat "lte" {
  network  = network.lte
  internal = "fd00:9::/64"
  prefix   = prefix.lte
  subnet   = 0
}
zone "home" { networks = [network.lan] }
zone "world" { networks = [network.fibre, network.lte] }
policy "out" {
  from   = [zone.home]
  to     = [zone.world]
  action = "accept"
}
host "lamp" {
  network = network.lan
  ipv6    = "::50"
}
policy "lamp" {
  from   = [zone.world, zone.home]
  to     = [host.lamp]
  action = "accept"
  ports  = [8080]
}
uplink "fibre" {
  network   = network.fibre
  priority  = 1
  probes    = ["icmp:2001:db8:ffff::1"]
  interval  = "1s"
  failures  = 2
  successes = 2
}
uplink "lte" {
  network   = network.lte
  priority  = 2
  probes    = ["tcp:[2001:db8:ffff::1]:80"]
  interval  = "1s"
  failures  = 2
  successes = 2
}
`

// Hosts with unique local addresses alone reach the world by whichever of two uplinks works, with
// a prefix that this one's provider delegates: by real servers and clients of DHCPv6. Another prefix
// takes the place of one, with the connections that had it; a reload of the firewall ends none. At no
// time does a packet leave with an address inside.
func TestPrefixesOutsideAreDelegated(t *testing.T) {
	g := fromText(t, translatedRouter)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	home, a, b, world := nstest.New(t, "home"), nstest.New(t, "a"), nstest.New(t, "b"), nstest.New(t, "world")
	router := board(t, map[string]*nstest.NS{"lan1": home, "wan": a, "lan3": b})
	nstest.Link(t, a, "world", world, "eth1")
	nstest.Link(t, b, "world", world, "eth2")
	ip(t, home, "addr add fd00:9::50/64 dev eth0 nodad\naddr add fd00:9::51/64 dev eth0 nodad\nroute add default via fd00:9::1\n")
	ip(t, world, `
addr add 2001:db8:ffff::1/128 dev lo nodad
addr add fd00:1::9/64 dev eth1 nodad
addr add fd00:2::9/64 dev eth2 nodad
route add 2001:db8:f::/64 via fd00:1::1 src 2001:db8:ffff::1
route add 2001:db8:8000::/36 via fd00:1::1 src 2001:db8:ffff::1
route add 2001:db8:9000::/36 via fd00:1::1 src 2001:db8:ffff::1
route add 2001:db8:e::/64 via fd00:2::1 src 2001:db8:ffff::1
route add 2001:db8:a000::/36 via fd00:2::1 src 2001:db8:ffff::1
`)
	providers := []struct {
		ns       *nstest.NS
		on       string // the router's link
		own      string
		prefixes []string
		world    string
	}{
		{a, "wan", "2001:db8:f::", []string{"2001:db8:8000::/36", "2001:db8:9000::/36"}, "fd00:1::"},
		{b, "lan3", "2001:db8:e::", []string{"2001:db8:a000::/36"}, "fd00:2::"},
	}
	for _, p := range providers {
		ip(t, p.ns, fmt.Sprintf("addr add %s1/64 dev eth0 nodad\naddr add %s1/64 dev world nodad\nroute add default via %[2]s9\n", p.own, p.world))
		p.ns.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
		// As providers do, neither takes what is not from its own addresses (RFC 2827).
		load(t, p.ns, fmt.Sprintf(`table inet f {
  counter leaked { }
  chain inside { type filter hook prerouting priority 0; iifname eth0 ip6 saddr fc00::/7 counter name leaked drop; }
  chain own { type filter hook forward priority 0; iifname eth0 ip6 saddr != { %s/64, %s } drop; }
}
`, p.own, strings.Join(p.prefixes, ", ")))
	}
	leaked := func(when string) {
		t.Helper()
		for _, p := range providers {
			if text := p.ns.Run(t, "nft", "list", "counter", "inet", "f", "leaked"); !strings.Contains(text, "packets 0 ") {
				t.Fatalf("%s: packets with an address inside left by %s:\n%s", when, p.on, text)
			}
		}
	}
	listen(t, world, "tcp", 80)
	listen(t, home, "tcp", 8080)
	repeat(t, world, 7)
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)
	for _, p := range providers {
		via := strings.Fields(router.Run(t, "ip", "-6", "-brief", "addr", "show", "dev", p.on, "scope", "link"))[2]
		for _, prefix := range p.prefixes {
			ip(t, p.ns, fmt.Sprintf("route add %s via %s dev eth0\n", prefix, strings.Split(via, "/")[0]))
		}
	}
	files := lab.Files{
		"/etc/dhcpcd.conf": dhcpcdConf(t, g), "/etc/resolv.conf": "nameserver 127.0.0.1\n",
		"/etc/dhcpcd.exit-hook": g.text(t, "networking", "dhcpcd", "runHook"),
		"/etc/nbr/":             "", "/etc/nbr/prefix-nat": g.text(t, "environment", "etc", "nbr/prefix-nat", "text"),
	}
	root := lab.Rootfs(t, files)
	start := func() *lab.Daemon {
		return root.Daemon(t, router, "bash", "-ec", g.text(t, "systemd", "services", "nbr-prefix-nat", "script"))
	}
	unit := start()
	stop := func() { // the first process of a namespace hears no other signal
		unit.Signal(t, syscall.SIGKILL)
		unit.Stop(t)
	}
	kea := func(pool, length, own string) string {
		return strings.NewReplacer("2001:db8:8000::", pool, `"prefix-len": 56, "delegated-len": 56`, `"prefix-len": `+length+`, "delegated-len": `+length, "2001:db8:f::", own).Replace(delegatingKea)
	}
	ispA := lab.Rootfs(t, lab.Files{
		"/etc/kea.conf": kea("2001:db8:8000::", "56", "2001:db8:f::"), "/etc/kea-moved.conf": kea("2001:db8:9000::", "56", "2001:db8:f::"),
		"/etc/radvd.conf": upstreamRadvd, "/run/kea/": "", "/var/lib/kea/": "",
	})
	ispB := lab.Rootfs(t, lab.Files{
		"/etc/kea.conf":   kea("2001:db8:a000::", "60", "2001:db8:e::"),
		"/etc/radvd.conf": strings.ReplaceAll(upstreamRadvd, "2001:db8:f::", "2001:db8:e::"), "/run/kea/": "", "/var/lib/kea/": "",
	})
	ispA.Daemon(t, a, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	ispB.Daemon(t, b, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	w := watcherOf(t, router, g, translatedRouter)
	w.start(t)
	green := func() error { return w.green(t, 8) }
	nstest.Wait(t, green)

	const out = "[2001:db8:ffff::1]:80"
	// The uplinks work, and no prefix is delegated yet.
	refused := func() error {
		if got := seen(home, "fd00:9::50", out); !strings.Contains(got, "permission denied") {
			return fmt.Errorf("without a prefix outside the world is called: %s", got)
		}
		return nil
	}
	if err := refused(); err != nil {
		t.Error(err)
	}
	of := []string{"prefix_nat.fibre/prefix", "prefix_nat.lte/prefix", "prefix_nat.fibre/rules", "prefix_nat.lte/rules"}
	say := func(fibre, lte string) map[string]string {
		m := passBut(of)
		m[of[0]], m[of[1]] = fibre, lte
		return m
	}
	verdicts(t, router, translatedRouter, say("unknown", "unknown"))
	leaked("before there is a lease")

	dhcpcd := root.Daemon(t, router, "dhcpcd", "-B", "--nodev", "--persistent", "--config", "/etc/dhcpcd.conf")
	keaA := ispA.Daemon(t, a, "kea-dhcp6", "-c", "/etc/kea.conf")
	keaB := ispB.Daemon(t, b, "kea-dhcp6", "-c", "/etc/kea.conf")
	keaA.Ready(t, said(keaA, "DHCP6_STARTED"))
	keaB.Ready(t, said(keaB, "DHCP6_STARTED"))
	heard := func(want string) func() error {
		return func() error {
			if got := seen(home, "fd00:9::50", out); got != want {
				return fmt.Errorf("the world hears %s, want %s\n%s", got, want, unit.Log())
			}
			return nil
		}
	}
	const byA, moved, byB = "2001:db8:8000:c9::50", "2001:db8:9000:c9::50", "2001:db8:a000::50"
	dhcpcd.Ready(t, heard(byA))
	dhcpcd.Ready(t, func() error { // the other one's may come later
		if text := router.Run(t, "nft", "list", "map", "inet", "nbr", "prefix_nat_lte_out"); !strings.Contains(text, "fd00:9::/64 : 2001:db8:a000::/64") {
			return errors.New(text)
		}
		return nil
	})
	verdicts(t, router, translatedRouter, say("pass", "pass"))
	for name, f := range map[string]flow{
		"a translated host by the chosen uplink": {from: world, proto: "tcp", to: "[" + byA + "]:8080", want: "2001:db8:ffff::1 at home"},
		"by the other":                           {from: world, proto: "tcp", to: "[" + byB + "]:8080", want: "2001:db8:ffff::1 at home"},
		"a neighbour":                            {from: home, src: "fd00:9::51", proto: "tcp", to: "[" + byB + "]:8080", want: "2001:db8:a000::51 at home"},
		"a neighbour by the chosen":              {from: home, src: "fd00:9::51", proto: "tcp", to: "[" + byA + "]:8080", want: "2001:db8:8000:c9::51 at home"},
	} {
		if got, err := f.exchange(nil); err != nil || string(got) != f.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, f.want)
		}
	}
	for _, address := range []string{byA, byB} { // ping_hosts is for hosts with such an address, too
		if !ping(t, world, address) {
			t.Errorf("the world does not reach %s by ping", address)
		}
	}
	// IfState, at a switch of the system, leaves the routes that tell the prefixes alone.
	apply(t, ifstate, router, g)
	if err := heard(byA)(); err != nil {
		t.Errorf("after IfState: %v", err)
	}

	// A reload: no connection ends, and no new one passes before the prefixes are there again.
	onA := open(t, home, "fd00:9::50", "[2001:db8:ffff::1]:7")
	alive := func(who *conversation, when string) {
		t.Helper()
		if err := who.goesOn(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	alive(onA, "begun")
	fill := func() { root.Run(t, router, "bash", "/etc/nbr/prefix-nat") }
	stop()
	load(t, router, ruleset(t, g))
	alive(onA, "while the rules are loaded anew")
	if err := refused(); err != nil {
		t.Errorf("while the rules are loaded anew: %v", err)
	}
	leaked("while the rules are loaded anew")
	fill()
	if err := heard(byA)(); err != nil {
		t.Errorf("after a reload: %v", err)
	}
	alive(onA, "after a reload")
	unit = start()

	// The fibre fails behind its first hop, and works again.
	wreck := func() {
		load(t, a, "table inet broken { chain c { type filter hook forward priority -10; drop; }; }\n")
	}
	wreck()
	nstest.Wait(t, heard(byB))
	onB := open(t, home, "fd00:9::50", "[2001:db8:ffff::1]:7")
	alive(onB, "by the other uplink")
	a.Run(t, "nft", "delete", "table", "inet", "broken")
	nstest.Wait(t, heard(byA))
	alive(onB, "when the fibre works again")
	nstest.Wait(t, green)
	leaked("when the uplink changes")

	// The provider of the fibre delegates another prefix. What had the old one is forgotten.
	onA = open(t, home, "fd00:9::50", "[2001:db8:ffff::1]:7")
	alive(onA, "before the prefix changes")
	keaA.Stop(t)
	ispA.Daemon(t, a, "kea-dhcp6", "-c", "/etc/kea-moved.conf")
	dhcpcd.Ready(t, heard(moved))
	nstest.Wait(t, func() error {
		old, other := flowsOutside(t, router, "2001:db8:8000:c9::"), flowsOutside(t, router, "2001:db8:a000::")
		if old != 0 || other == 0 {
			return fmt.Errorf("%d connections of the old prefix, want none; %d of the other uplink's, want some", old, other)
		}
		return nil
	})
	if err := onA.goesOn(); err == nil {
		t.Error("a connection of the old prefix goes on")
	}
	alive(onB, "when the fibre has another prefix")
	verdicts(t, router, translatedRouter, say("pass", "pass"))
	leaked("when the prefix changes")

	// What is wrong is found, each on its line; a renewal would tell the prefix again meanwhile.
	stop()
	dhcpcd.Signal(t, syscall.SIGSTOP)
	for _, x := range []struct {
		does  string
		finds map[string]string
	}{
		{"nft flush map inet nbr prefix_nat_fibre_out", say("fail", "pass")},
		{"nft flush map inet nbr prefix_nat_lte_out && nft add element inet nbr prefix_nat_lte_out '{ fd00:9::/64 : 2001:db8:9000:c9::/64 }'", say("pass", "fail")},
		{"nft flush set inet nbr prefix_nat_fibre_inside", say("fail", "pass")},
		{"nft flush set inet nbr prefix_nat_fibre_outside && nft add element inet nbr prefix_nat_fibre_outside '{ 2001:db8:8000:c9::/64 }'", say("fail", "pass")},
		{"ip -6 route delete unreachable 2001:db8:a000::/60 proto 206", say("pass", "fail")}, // and the map has it still
	} {
		router.Run(t, "sh", "-c", x.does)
		verdicts(t, router, translatedRouter, x.finds)
		if strings.HasPrefix(x.does, "ip ") {
			break // dhcpcd says it again with the next lease
		}
		fill()
		verdicts(t, router, translatedRouter, say("pass", "pass"))
	}
	unit = start()
	dhcpcd.Signal(t, syscall.SIGCONT)
	dhcpcd.Ready(t, func() error { // a renewal tells it
		if text := router.Run(t, "ip", "-6", "route", "show", "proto", "206"); !strings.Contains(text, "2001:db8:a000::/60") {
			return errors.New("no route tells the prefix of lte")
		}
		return nil
	})
	verdicts(t, router, translatedRouter, say("pass", "pass"))

	// The fibre's prefix is gone: dhcpcd's own route goes with it. The uplink is chosen still.
	dhcpcd.Signal(t, syscall.SIGSTOP)
	defer dhcpcd.Signal(t, syscall.SIGCONT) // cleanups come after the context of the test has ended, and dhcpcd with it
	router.Run(t, "ip", "-6", "route", "delete", "unreachable", "2001:db8:9000::/56", "proto", "dhcp")
	nstest.Wait(t, refused)
	verdicts(t, router, translatedRouter, say("unknown", "pass"))
	alive(onB, "at the end")
	// A map that is emptied alone leaves nothing through either.
	stop()
	router.Run(t, "nft", "add", "element", "inet", "nbr", "prefix_nat_fibre_inside", "{ fd00:9::/64 }")
	if ping(t, home, "-W1", "2001:db8:ffff::1") {
		t.Error("without a map the world answers")
	}
	leaked("at the end")
}

// flowsOutside counts what conntrack has of connections with an address of a prefix of 64 bits outside.
func flowsOutside(t *testing.T, router *nstest.NS, prefix string) int {
	t.Helper()
	n := 0
	err := within(router, func() error {
		flows, err := netlink.ConntrackTableList(netlink.ConntrackTable, unix.AF_INET6)
		for _, f := range flows {
			for _, address := range []string{f.Forward.DstIP.String(), f.Reverse.DstIP.String()} {
				if strings.HasPrefix(address, prefix) {
					n++
				}
			}
		}
		return err
	})
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		t.Fatal(err)
	}
	return n
}
