package referee_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const keaConf6 = "/etc/kea/dhcp6-server.conf"

// kea6JSON is /etc/kea/dhcp6-server.conf, with Kea's script at a path of the lab.
func kea6JSON(t *testing.T, g *generated) string {
	t.Helper()
	text := keaSettings(t, g, "dhcp6", "Dhcp6")
	for _, h := range hooks6(g) {
		text = strings.Replace(text, strings.TrimSuffix(toJSON(t, h), "\n"), `"/nix/store/nbr-delegated"`, 1)
	}
	return text
}

// hooks6 are the texts of Kea's scripts.
func hooks6(g *generated) (out []string) {
	list, _ := g.at("services", "kea", "dhcp6", "settings", "hooks-libraries").([]any)
	for _, h := range list {
		out = append(out, h.(map[string]any)["parameters"].(map[string]any)["name"].(string))
	}
	return out
}

func kea6Root(t *testing.T, g *generated) *lab.Root {
	t.Helper()
	files := lab.Files{keaConf6: kea6JSON(t, g), "/run/kea/": "", "/var/lib/kea/": "", "/nix/store/": ""}
	root := lab.Rootfs(t, files)
	for _, h := range hooks6(g) {
		root.Write(t, "/nix/store/nbr-delegated", "#!/bin/bash\n"+strings.TrimPrefix(h, "text:"))
		if err := os.Chmod(root.Path("/nix/store/nbr-delegated"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// withScripts is a command in the environment of the unit.
func withScripts(g *generated, args ...string) []string {
	path, _ := g.at("systemd", "services", "kea-dhcp6-server", "environment", "KEA_HOOK_SCRIPTS_PATH").(string)
	return append([]string{"env", "KEA_HOOK_SCRIPTS_PATH=" + path}, args...)
}

func startKea6(t *testing.T, g *generated, root *lab.Root, ns *nstest.NS) *lab.Daemon {
	t.Helper()
	kea := root.Daemon(t, ns, withScripts(g, "kea-dhcp6", "-c", keaConf6)...)
	kea.Ready(t, said(kea, "DHCP6_STARTED"))
	return kea
}

const router6 = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["2001:db8:f::53"]
}
bridge "br-lan" { ports = [port.lan1, port.lan2] }
network "wan" {
  link     = port.wan
  ipv6     = "2001:db8:f::2/64"
  gateway6 = "2001:db8:f::1"
}
network "lan" {
  link   = bridge.br-lan
  ipv6   = "2001:db8:1::1/64"
  domain = "home.arpa"
}
network "guest" { # hosts make their addresses themselves
  link = port.lan3
  ipv6 = "2001:db8:2::1/64"
}
zone "lan" {
  networks = [network.lan, network.guest]
  allow    = ["dhcp6"]
}
zone "wan" { networks = [network.wan] }
policy "out" {
  from   = [zone.lan]
  to     = [zone.wan]
  action = "accept"
}
host "nas" {
  network = network.lan
  mac     = "00:11:22:33:44:55"
  ipv6    = "::10"
}
host "phone" {
  network = network.lan
  duid    = "00:03:00:01:02:aa:bb:cc:dd:ee"
  ipv6    = "::11"
}
router_advert "lan" {
  network = network.lan
}
router_advert "guest" { network = network.guest }
dhcp6 "lan" {
  network = network.lan
  pool    = ["::1000-::1fff"]
  dns     = ["2001:db8:f::53"]
  lease   = "40s"
  preferred_lifetime = "20s"

  delegate "behind" {
    prefix = "2001:db8:9000::/48"
    length = 56
  }
}
dhcp6 "guest" {
  network = network.guest
  dns     = ["2001:db8:f::54"]
}
`

// dhcpcd6 starts a client of DHCPv6 on eth0 with a DUID, or one of its own; more are lines of
// dhcpcd.conf(5) for it.
func dhcpcd6(t *testing.T, ns *nstest.NS, duid string, more ...string) *lab.Daemon {
	t.Helper()
	return dhcpcd(t, ns, duid, append([]string{"ipv6only", "noipv6rs", "duid"}, more...)...)
}

// dhcpcd starts a client on eth0 with a DUID, or one of its own, and lines of dhcpcd.conf(5).
func dhcpcd(t *testing.T, ns *nstest.NS, duid string, lines ...string) *lab.Daemon {
	t.Helper()
	conf := "script /bin/true\ninterface eth0\n" + strings.Join(lines, "\n") + "\n"
	files := lab.Files{"/etc/dhcpcd.conf": conf, "/etc/resolv.conf": ""}
	if duid != "" {
		files["/var/lib/dhcpcd/duid"] = duid + "\n"
	}
	root := lab.Rootfs(t, files)
	return root.Daemon(t, ns, "dhcpcd", "-B", "--nodev", "--config", "/etc/dhcpcd.conf")
}

// has waits for an address or a route of a namespace.
func has(t *testing.T, d *lab.Daemon, ns *nstest.NS, what string, args ...string) {
	t.Helper()
	d.Ready(t, func() error {
		if out := ns.Run(t, "ip", append([]string{"-6"}, args...)...); !strings.Contains(out, what) {
			return fmt.Errorf("ip %q has no %q:\n%s", args, what, out)
		}
		return nil
	})
}

// Hosts get addresses, those of the spec get theirs, and a router behind gets a prefix: what is
// behind it reaches the world, and the world it. All of it lives through restarts of Kea and of
// the unit that makes routes.
func TestKea6Leases(t *testing.T) {
	t.Parallel()
	g := fromText(t, router6)
	internet, behind, client, inner := nstest.New(t, "internet"), nstest.New(t, "behind"), nstest.New(t, "client"), nstest.New(t, "inner")
	router := board(t, map[string]*nstest.NS{"wan": internet, "lan1": behind, "lan2": client})
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	nstest.Link(t, behind, "eth1", inner, "eth0")
	internet.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	behind.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	ip(t, internet, "addr add 2001:db8:f::1/64 dev eth0 nodad\naddr add 2001:db8:ffff::1/128 dev lo\nroute add 2001:db8:9000::/48 via 2001:db8:f::2\nroute add 2001:db8:1::/64 via 2001:db8:f::2\n")
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)

	root := kea6Root(t, g)
	root.Run(t, router, withScripts(g, "kea-dhcp6", "-T", keaConf6)...)
	routes := func() *lab.Daemon {
		return root.Daemon(t, router, "bash", "-e", "-c", g.text(t, "systemd", "services", "nbr-delegated-routes", "script"))
	}
	maker, kea := routes(), startKea6(t, g, root, router)

	one := dhcpcd6(t, client, "", "ia_na 1")
	has(t, one, client, "2001:db8:1::1000/128", "addr", "show", "dev", "eth0")
	gw := strings.Fields(router.Run(t, "ip", "-6", "-brief", "addr", "show", "dev", "br-lan", "scope", "link"))[2]
	for _, ns := range []*nstest.NS{client, behind} { // what router advertisements do
		ip(t, ns, "route add default via "+strings.Split(gw, "/")[0]+" dev eth0\n")
	}
	two := dhcpcd6(t, behind, "", "ia_pd 2/::/56 eth1/7/64/1", "release")
	has(t, two, behind, "2001:db8:9000:7::1/64", "addr", "show", "dev", "eth1")
	ip(t, inner, "addr add 2001:db8:9000:7::9/64 dev eth0 nodad\nroute add default via 2001:db8:9000:7::1\n")
	reaches := func(when string) {
		t.Helper()
		maker.Ready(t, func() error {
			if _, err := inner.Try(t, "ping", "-c1", "-W2", "2001:db8:ffff::1"); err != nil {
				return fmt.Errorf("%s: a host behind the router behind reaches nothing: %w\n%s", when, err, router.Run(t, "ip", "-6", "route"))
			}
			return nil
		})
	}
	reaches("at first")
	has(t, maker, router, "2001:db8:9000::/56 via fe80::", "route", "show", "proto", "203", "dev", "br-lan")
	// What is not leased goes nowhere.
	if out, err := internet.Try(t, "ping", "-c1", "-W2", "2001:db8:9000:4500::1"); err == nil || !strings.Contains(fmt.Sprint(out, err), "nreachable") {
		t.Errorf("a prefix that no router has: %s, %v", out, err)
	}
	// A switch of the system leaves the route alone.
	apply(t, ifstate, router, g)
	reaches("after IfState")
	// A restart of Kea, as each change of the configuration makes one, and of the unit.
	kea.Stop(t)
	kea = startKea6(t, g, root, router)
	maker.Stop(t)
	router.Run(t, "ip", "-6", "route", "flush", "proto", "203")
	maker = routes()
	reaches("after a restart")
	// Renewals, by Kea's script and its lease file.
	expires := func() string {
		return router.Run(t, "ip", "-6", "route", "show", "2001:db8:9000::/56")
	}
	kea.Ready(t, func() error {
		if !strings.Contains(kea.Log(), "DHCP6_PD_LEASE_RENEW") {
			return errors.New("no renewal")
		}
		return nil
	})
	reaches("after a renewal")
	maker.Ready(t, func() error {
		var left int
		_, after, _ := strings.Cut(expires(), "expires ")
		if _, err := fmt.Sscanf(after, "%dsec", &left); err != nil || left < 25 {
			return fmt.Errorf("the route is not renewed: %s", expires())
		}
		return nil
	})
	has(t, one, client, "2001:db8:1::1000/128", "addr", "show", "dev", "eth0")
	// The prefix is given back, and the route goes with it.
	two.Stop(t)
	maker.Ready(t, func() error {
		if out := router.Run(t, "ip", "-6", "route", "show", "proto", "203"); strings.Contains(out, " via ") {
			return errors.New("the route is still there: " + out)
		}
		return nil
	})
	one.Stop(t)

	// The hosts of the spec.
	client.Run(t, "ip", "link", "set", "eth0", "down")
	client.Run(t, "ip", "link", "set", "eth0", "address", "00:11:22:33:44:55")
	client.Run(t, "ip", "link", "set", "eth0", "up")
	nas := dhcpcd6(t, client, "00:02:00:00:00:09:01:02:03:04", "ia_na 1")
	has(t, nas, client, "2001:db8:1::10/128", "addr", "show", "dev", "eth0")
	nas.Stop(t)
	client.Run(t, "ip", "link", "set", "eth0", "down")
	client.Run(t, "ip", "link", "set", "eth0", "address", "02:11:22:33:44:66")
	client.Run(t, "ip", "link", "set", "eth0", "up")
	phone := dhcpcd6(t, client, "00:03:00:01:02:aa:bb:cc:dd:ee", "ia_na 1")
	has(t, phone, client, "2001:db8:1::11/128", "addr", "show", "dev", "eth0")
}

// The scripts are a shell's, and the shell's own critic has nothing to say.
func TestTheDelegationsScriptsAreAShells(t *testing.T) {
	t.Parallel()
	g := fromText(t, router6)
	for _, text := range append(slices.Clone(hooks6(g)), g.text(t, "systemd", "services", "nbr-delegated-routes", "script")) {
		file := write(t, "#!/usr/bin/env bash\n"+strings.TrimPrefix(text, "text:"))
		if out, err := exec.CommandContext(t.Context(), "shellcheck", file).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}
}
