package referee_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// translatedHouse has unique local addresses alone, and one upstream that delegates.
const translatedHouse = `
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
prefix "fibre" {
  network = network.fibre
  length  = 56
}
prefix_nat "fibre" {
  network  = network.fibre
  internal = "fd00:9::/64"
  prefix   = prefix.fibre
  subnet   = 201
}
zone "home" { networks = [network.lan] }
zone "world" { networks = [network.fibre] }
policy "out" {
  from   = [zone.home]
  to     = [zone.world]
  action = "accept"
}
`

// A translatingMachine is translatedHouse with systemd for process 1, dhcpcd, the firewall and the unit
// that keeps the delegated prefix in it. At lan1 is a host, at wan the provider.
type translatingMachine struct {
	*lab.Machine
	router, home, isp *nstest.NS
}

func bootTranslating(t *testing.T) *translatingMachine {
	t.Helper()
	g := fromText(t, translatedHouse)
	m := &translatingMachine{home: nstest.New(t, "home"), isp: nstest.New(t, "world")}
	m.router = board(t, map[string]*nstest.NS{"lan1": m.home, "wan": m.isp})
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, m.router, g)
	ip(t, m.home, "addr add fd00:9::50/64 dev eth0 nodad\nroute add default via fd00:9::1\n")
	via := strings.Split(strings.Fields(m.router.Run(t, "ip", "-6", "-brief", "addr", "show", "dev", "wan", "scope", "link"))[2], "/")[0]
	ip(t, m.isp, fmt.Sprintf(`addr add 2001:db8:f::1/64 dev eth0 nodad
addr add 2001:db8:ffff::1/128 dev lo nodad
route add 2001:db8:8000::/36 via %[1]s dev eth0 src 2001:db8:ffff::1
route add 2001:db8:9000::/36 via %[1]s dev eth0 src 2001:db8:ffff::1
route add 2001:db8:a000::/36 via %[1]s dev eth0 src 2001:db8:ffff::1
`, via))
	m.isp.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	listen(t, m.isp, "tcp", 80)
	repeat(t, m.isp, 7)

	files := lab.Files{
		"/etc/nftables.conf":                   ruleset(t, g),
		"/etc/sysctl.d/60-nixos.conf":          sysctlConf(g),
		"/etc/nbr/spec/router.hcl":             translatedHouse,
		"/etc/dhcpcd.conf":                     dhcpcdConf(t, g),
		"/etc/dhcpcd.exit-hook":                g.text(t, "networking", "dhcpcd", "runHook"),
		"/etc/resolv.conf":                     "nameserver 127.0.0.1\n",
		"/etc/systemd/system/dhcpcd.service":   nixosUnits["dhcpcd.service"],
		"/etc/systemd/system/nftables.service": nixosUnits["nftables.service"],
	}
	maps.Copy(files, etcFiles(t, g))
	m.Machine = lab.Boot(t, m.router, files, append(ownUnits(t, g, files), "nftables.service", "dhcpcd.service")...)
	installNBR(t, m.Root, "/usr/local/bin/nbr")
	return m
}

// delegates has a server of the provider delegate prefixes of a pool from now on, in place of one that
// did before.
func (m *translatingMachine) delegates(t *testing.T, before *lab.Daemon, pool string) *lab.Daemon {
	t.Helper()
	if before != nil {
		before.Stop(t)
	}
	root := lab.Rootfs(t, lab.Files{"/etc/kea.conf": strings.ReplaceAll(delegatingKea, "2001:db8:8000::", pool), "/run/kea/": "", "/var/lib/kea/": ""})
	kea := root.Daemon(t, m.isp, "kea-dhcp6", "-c", "/etc/kea.conf")
	kea.Ready(t, said(kea, "DHCP6_STARTED"))
	return kea
}

// heard waits until the world hears a new connection of the host from an address.
func (m *translatingMachine) heard(t *testing.T, when, want string) {
	t.Helper()
	nstest.Wait(t, func() error {
		if got := seen(m.home, "fd00:9::50", "[2001:db8:ffff::1]:80"); got != want {
			return fmt.Errorf("%s the world hears %s, want %s\n%s", when, got, want, m.Journal(t, "nbr-prefix-nat.service", "dhcpcd.service"))
		}
		return nil
	})
}

// finds waits until nbr verify says this of the translation and its unit, and nothing else.
func (m *translatingMachine) finds(t *testing.T, when string, want ...string) {
	t.Helper()
	lines := strings.Split(translatedHouse, "\n")
	nstest.Wait(t, func() error {
		text, err := m.Try(t, "nbr", "verify", "-format", "json", "-only", "prefix_nat.*/*", "-only", "prefix.*/*", "-only", "firewall/prefix_nat", "-only", "firewall/rules", "-only", "firewall/ruleset", "-only", "policy.*/rules")
		got := []string{}
		for _, f := range notPassed(t, text, err, 7) {
			got = append(got, fmt.Sprintf("%s %s: %s", f.ID, f.Status, strings.TrimSpace(lines[f.Range.Line-1])))
		}
		if d := cmp.Diff(append([]string{}, want...), got); d != "" {
			return fmt.Errorf("%s (-want +got):\n%s%s", when, d, text)
		}
		return nil
	})
}

// has tells whether the firewall has the prefix of 64 bits for the hosts of the house at this moment.
func (m *translatingMachine) has(t *testing.T, prefix string) error {
	t.Helper()
	if text := m.Run(t, "nft", "list", "map", "inet", "nbr", "prefix_nat_fibre_out"); !strings.Contains(text, "fd00:9::/64 : "+prefix) {
		return errors.New("not " + prefix + ": " + text)
	}
	return nil
}

// The unit that keeps the delegated prefix in the firewall, as systemd runs it, with the rights that its
// hardening leaves it: it follows the provider from one prefix to the next and has conntrack forget what
// had the old one, the firewall has the prefix at the end of each start and each reload, and systemd
// starts the unit again when it is killed. What is broken is found.
func TestPrefixNATUnit(t *testing.T) {
	t.Parallel()
	m := bootTranslating(t)
	const first, second, third = "2001:db8:8000:c9::/64", "2001:db8:9000:c9::/64", "2001:db8:a000:c9::/64"
	host := func(prefix string) string { return strings.Replace(prefix, "/64", "50", 1) }
	m.finds(t, "no prefix yet", "prefix.fibre/delegated fail: length  = 56", "prefix_nat.fibre/prefix unknown: prefix   = prefix.fibre")

	radvd := lab.Rootfs(t, lab.Files{"/etc/radvd.conf": upstreamRadvd})
	radvd.Daemon(t, m.isp, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	kea := m.delegates(t, nil, "2001:db8:8000::")
	m.Systemctl(t, "restart", "dhcpcd.service") // which has asked less and less often
	m.heard(t, "with a prefix", host(first))
	m.finds(t, "with a prefix")

	on := open(t, m.home, "fd00:9::50", "[2001:db8:ffff::1]:7")
	alive := func(when string) {
		t.Helper()
		if err := on.goesOn(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	alive("begun")
	for _, how := range []string{"reload", "restart"} {
		m.Systemctl(t, how, "nftables.service")
		if err := m.has(t, first); err != nil {
			t.Errorf("right after a %s: %v", how, err)
		}
		alive("after a " + how)
	}
	m.finds(t, "after a restart of the firewall")

	kea = m.delegates(t, kea, "2001:db8:9000::")
	m.heard(t, "with another prefix", host(second))
	nstest.Wait(t, func() error {
		if old := flowsOutside(t, m.router, strings.TrimSuffix(first, "/64")); old != 0 {
			return fmt.Errorf("%d connections of the old prefix, want none", old)
		}
		return nil
	})
	m.finds(t, "with another prefix")

	// Another prefix comes while the unit is dead.
	id := func() string { return m.Run(t, "systemctl", "show", "-P", "InvocationID", "nbr-prefix-nat") }
	before := id()
	m.Run(t, "systemctl", "kill", "--signal=KILL", "nbr-prefix-nat.service")
	m.delegates(t, kea, "2001:db8:a000::")
	m.heard(t, "killed, and started by systemd", host(third))
	m.finds(t, "killed, and started by systemd")
	if id() == before {
		t.Error("the unit was not started again")
	}

	// It does not mend what is wrong meanwhile when it does not run.
	m.Systemctl(t, "stop", "nbr-prefix-nat.service")
	const stopped, atPrefix, atNAT = `firewall/prefix_nat fail: prefix_nat "fibre" {`, "prefix_nat.fibre/prefix fail: prefix   = prefix.fibre", `prefix_nat.fibre/rules fail: prefix_nat "fibre" {`
	m.finds(t, "stopped", stopped)
	for _, x := range []struct {
		does  string
		finds []string
	}{
		{"nft flush map inet nbr prefix_nat_fibre_out", []string{stopped, atPrefix}},
		{"nft flush set inet nbr prefix_nat_fibre_inside", []string{stopped, atPrefix}},
		{"nft flush set inet nbr prefix_nat_fibre_outside; nft add element inet nbr prefix_nat_fibre_outside '{ " + first + " }'", []string{stopped, atPrefix}},
		{`nft delete rule inet nbr nat_out handle $(nft -a list chain inet nbr nat_out | sed -n 's/.*oifname "wan" .*snat ip6 prefix.* handle //p')`, []string{stopped, "firewall/ruleset fail: router \"r\" {", atNAT}},
	} {
		m.Run(t, must(x.does)...)
		m.finds(t, x.does, x.finds...)
		m.Systemctl(t, "reload", "nftables.service")
		m.finds(t, "mended by a reload", stopped)
	}
	m.Systemctl(t, "start", "nbr-prefix-nat.service")
	m.finds(t, "at the end")
}
