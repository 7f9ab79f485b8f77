package referee_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const mdnsSpec = `
network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}
network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}
network "old" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
}
network "guest" {
  link = port.lan2
  ipv4 = "192.168.2.1/24"
  ipv6 = "fd00:2::1/64"
}
zone "wan" { networks = [network.wan] }
zone "lan" {
  networks = [network.lan, network.old]
  allow    = ["mdns"]
}
zone "guest" {
  networks = [network.guest]
  allow    = ["mdns"]
}
policy "guest" {
  from   = [zone.lan]
  to     = [zone.guest]
  action = "accept"
}
mdns {
  networks = [network.old, network.lan, network.guest]
  types    = ["_ipp._tcp"]
}
`

// avahiConf is what the module of NixOS makes of services.avahi (avahi-daemon.nix).
func (g *generated) avahiConf(t *testing.T) string {
	t.Helper()
	yes := func(path ...string) string {
		if v, _ := g.at(append([]string{"services", "avahi"}, path...)...).(bool); v {
			return "yes"
		}
		return "no"
	}
	var links []string
	for _, l := range g.list(t, "services", "avahi", "allowInterfaces") {
		links = append(links, l.(string))
	}
	disabled := map[string]string{"yes": "no", "no": "yes"}
	extra, _ := g.at("services", "avahi", "extraConfig").(string)
	return fmt.Sprintf(`[server]
host-name=%s
use-ipv4=%s
use-ipv6=%s
allow-interfaces=%s
domain-name=local
[wide-area]
enable-wide-area=%s
[publish]
disable-publishing=%s
disable-user-service-publishing=yes
publish-addresses=%s
publish-hinfo=no
publish-workstation=no
publish-domain=no
[reflector]
enable-reflector=%s
%s`, g.text(t, "networking", "hostName"), yes("ipv4"), yes("ipv6"), strings.Join(links, ","), yes("wideArea"),
		disabled[yes("publish", "enable")], yes("publish", "addresses"), yes("reflector"), extra)
}

// mdnsHost is a machine that offers services of some types, and can look for others.
func mdnsHost(t *testing.T, ns *nstest.NS, name string, types ...string) *lab.Root {
	t.Helper()
	files := lab.Files{
		"/etc/avahi/avahi-daemon.conf": "[server]\nhost-name=" + name + "\n[publish]\npublish-workstation=no\n",
		"/run/dbus/":                   "",
	}
	for i, typ := range types {
		files[fmt.Sprintf("/etc/avahi/services/%d.service", i)] = `<?xml version="1.0"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name>` + name + `</name><service><type>` + typ + `</type><port>631</port></service></service-group>
`
	}
	root := lab.Rootfs(t, files)
	if err := os.Chmod(root.Path("/run/dbus"), 0o755); err != nil { // Avahi is another user
		t.Fatal(err)
	}
	bus := root.Daemon(t, ns, "dbus-daemon", "--system", "--nofork", "--nopidfile")
	bus.Ready(t, func() error {
		_, err := root.Try(t, ns, "dbus-send", "--system", "--print-reply", "--dest=org.freedesktop.DBus", "/", "org.freedesktop.DBus.ListNames")
		return err
	})
	root.Daemon(t, ns, "avahi-daemon", "--no-rlimits")
	return root
}

// finds is what a machine finds of a type of services: names, hosts and addresses.
func finds(t *testing.T, root *lab.Root, ns *nstest.NS, typ string) (string, error) {
	t.Helper()
	return root.Try(t, ns, "avahi-browse", "-rpt", typ)
}

// A machine of one network finds the printer of the other and what its address is, no service that is
// not passed on, and the router by its name. On the line of the provider nothing is heard. nbr verify
// says what is otherwise.
func TestPrintersAreFoundAcrossNetworks(t *testing.T) {
	t.Parallel()
	g := fromText(t, mdnsSpec)
	router, host, printer, provider := nstest.New(t, "router"), nstest.New(t, "host"), nstest.New(t, "printer"), nstest.New(t, "provider")
	load(t, router, ruleset(t, g))
	nstest.Link(t, router, "lan1", host, "eth0")
	nstest.Link(t, router, "lan2", printer, "eth0")
	nstest.Link(t, router, "wan", provider, "eth0")
	ip(t, router, "addr add 192.168.1.1/24 dev lan1\naddr add 10.1.0.1/24 dev lan1\naddr add fd00:2::1/64 dev lan2 nodad\naddr add 192.168.2.1/24 dev lan2\naddr add 203.0.113.9/24 dev wan\nroute add default via 203.0.113.1\n")
	ip(t, host, "addr add 192.168.1.50/24 dev eth0\nroute add default via 192.168.1.1\n")
	ip(t, printer, "addr add 192.168.2.50/24 dev eth0\nroute add default via 192.168.2.1\n")
	ip(t, provider, "addr add 203.0.113.1/24 dev eth0\n")

	root := lab.Rootfs(t, lab.Files{
		"/etc/nbr/spec/router.hcl": template + mdnsSpec,
	})
	installNBR(t, root, "/usr/bin/nbr")
	start := func(change ...string) *lab.Daemon {
		conf := strings.NewReplacer(change...).Replace(g.avahiConf(t))
		root.Write(t, "/etc/avahi/conf", strings.Replace(conf, "[server]\n", "[server]\nenable-dbus=no\n", 1))
		return root.Daemon(t, router, "avahi-daemon", "--no-rlimits", "-f", "/etc/avahi/conf")
	}
	daemon := start()
	printers := mdnsHost(t, printer, "printer", "_ipp._tcp", "_ssh._tcp")
	hosts := mdnsHost(t, host, "host")
	outside := mdnsHost(t, provider, "outside")

	wrong := func() []string { return unmet(t, root, router, "mdns") }
	becomes(t, wrong, nil)
	seen := func(root *lab.Root, ns *nstest.NS, typ, want string) error {
		out, err := finds(t, root, ns, typ)
		if err == nil && !strings.Contains(out, want) {
			err = fmt.Errorf("of %s there is %q, not %q", typ, out, want)
		}
		return err
	}
	nstest.Wait(t, func() error { return seen(hosts, host, "_ipp._tcp", ";printer.local;192.168.2.50;631;") })
	nstest.Wait(t, func() error {
		out, err := hosts.Try(t, host, "avahi-resolve", "-4", "-n", g.text(t, "networking", "hostName")+".local")
		if err == nil && !strings.Contains(out, "192.168.1.1") {
			err = fmt.Errorf("the router is %q", out)
		}
		return err
	})
	// On its own link the printer's other service is found; here it is not, although the printer is.
	nstest.Wait(t, func() error { return seen(printers, printer, "_ssh._tcp", ";printer.local;") })
	for name, out := range map[string]struct {
		root *lab.Root
		ns   *nstest.NS
		typ  string
	}{"the host": {hosts, host, "_ssh._tcp"}, "the provider": {outside, provider, "_ipp._tcp"}} {
		if found, err := finds(t, out.root, out.ns, out.typ); err != nil || strings.Contains(found, "printer") {
			t.Errorf("%s finds %q (%v)", name, found, err)
		}
	}

	none := []string{"mdns/name/lan1 fail: no answer", "mdns/name/lan2 fail: no answer", "mdns/name/lan2/ipv6 fail: no answer", "mdns/passes/lan1/lan2 fail: none", "mdns/passes/lan2/lan1 fail: none"}
	daemon.Stop(t)
	becomes(t, wrong, none)
	for _, b := range []struct {
		change []string
		finds  []string
	}{
		{[]string{"enable-reflector=yes", "enable-reflector=no"}, none[3:]},
		{[]string{"reflect-filters=_ipp._tcp.local", ""}, []string{"mdns/passes/lan1/lan2 fail: _ipp._tcp, _nbr-verify._tcp", "mdns/passes/lan2/lan1 fail: _ipp._tcp, _nbr-verify._tcp"}},
		{[]string{"_ipp._tcp", "_http._tcp"}, none[3:]},
		{[]string{"publish-addresses=yes", "publish-addresses=no"}, none[:3]},
		{[]string{"allow-interfaces=lan1,lan2", "allow-interfaces=lan1,wan"}, none[1:]},
		{[]string{"host-name=", "host-name=other-"}, none[:3]},
		{[]string{"use-ipv4=yes", "use-ipv4=no"}, slices.Concat(none[:2], none[3:])},
		{[]string{"use-ipv6=yes", "use-ipv6=no"}, none[2:3]},
		{[]string{"reflect-filters=_ipp", "reflect-filters=_IPP"}, none[3:]},
	} {
		d := start(b.change...)
		becomes(t, wrong, b.finds)
		d.Stop(t)
	}
	start()
	becomes(t, wrong, nil)
	// What the firewall does not let in is no question.
	load(t, router, strings.ReplaceAll(ruleset(t, g), "udp dport 5353", "udp dport 5354"))
	becomes(t, wrong, none)
	load(t, router, ruleset(t, g))
	becomes(t, wrong, nil)
}
