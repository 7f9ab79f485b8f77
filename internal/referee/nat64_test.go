package referee_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// translatingSpec has hosts with IPv6 alone, of which the guests may use NAT64 for the web only, the
// things not at all, and an inner network with IPv4 that no host is let into.
const translatingSpec = `
network "out" {
  link     = port.wan
  ipv4     = "198.51.100.2/24"
  ipv6     = "2001:db8:f::2/64"
  gateway  = "198.51.100.1"
  gateway6 = "2001:db8:f::1"
}
network "lan" {
  link = port.lan1
  ipv6 = "2001:db8:1::1/64"
}
network "guests" {
  link = port.lan2
  ipv6 = "2001:db8:2::1/64"
}
network "inner" {
  link = port.lan3
  ipv4 = "10.3.0.1/24"
}
nat64 "nat64" {
  prefix = "2001:db8:64:6464::/96"
}
network "nat64" {
  link = nat64.nat64
  ipv4 = "192.168.255.1/24"
  ipv6 = "2001:db8:64::1/64"
}
zone "out" { networks = [network.out] }
zone "lan" { networks = [network.lan] }
zone "guests" { networks = [network.guests] }
zone "inner" { networks = [network.inner] }
zone "nat64" { networks = [network.nat64] }
policy "translated" {
  from   = [zone.lan]
  to     = [zone.nat64]
  action = "accept"
}
policy "web" {
  from   = [zone.guests]
  to     = [zone.nat64]
  ports  = [80]
  action = "accept"
}
policy "from-nat64" {
  from       = [zone.nat64]
  to         = [zone.out]
  action     = "accept"
  masquerade = true
}
`

// clat has a host translate what its own programs send by IPv4 to addresses of a prefix (464XLAT,
// RFC 6877): from 192.0.0.1 (RFC 7335), as an address of its network of IPv6, whose 64 bits are given.
func clat(t *testing.T, host *nstest.NS, root *lab.Root, prefix netip.Prefix, network string) {
	t.Helper()
	root.Write(t, "/etc/clat.conf", fmt.Sprintf(`tun-device clat
ipv4-addr 192.0.0.2
ipv6-addr %[2]s::22
prefix %[1]s
map 192.0.0.1 %[2]s::21
`, prefix, network))
	host.Run(t, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.eth0.proxy_ndp=1")
	ip(t, host, fmt.Sprintf(`
tuntap add clat mode tun
link set clat up
addr add 192.0.0.1/32 dev clat
route add default dev clat src 192.0.0.1
route add %[1]s::21/128 dev clat
neigh add proxy %[1]s::21 dev eth0
`, network))
	root.Daemon(t, host, "tayga", "-d", "--nodetach", "--config", "/etc/clat.conf")
}

// through is an IPv4 address by the translator's prefix.
func through(a string) string {
	var b [4]byte
	if _, err := fmt.Sscanf(a, "%d.%d.%d.%d", &b[0], &b[1], &b[2], &b[3]); err != nil {
		panic(err)
	}
	return fmt.Sprintf("2001:db8:64:6464::%x:%x", int(b[0])<<8|int(b[1]), int(b[2])<<8|int(b[3]))
}

// taygaConf is the file that the unit gives Tayga.
func taygaConf(t *testing.T, g *generated) string {
	t.Helper()
	start, _ := g.at("systemd", "services", "tayga", "serviceConfig", "ExecStart").(string)
	_, conf, ok := strings.Cut(start, " --config text:")
	if !ok {
		t.Fatalf("tayga is started by %q", start)
	}
	return conf
}

// Hosts with IPv6 alone reach those with IPv4 alone by IfState's link, Tayga and the rules, as far
// as policies let them: with the router's address, and neither past the policies nor from outside.
func TestHostsWithIPv6AloneReachIPv4(t *testing.T) {
	t.Parallel()
	head := strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)
	g := generate(t, fstest.MapFS{"router.hcl": {Data: []byte(head + translatingSpec)}})
	lan, guests, inner, internet := nstest.New(t, "lan"), nstest.New(t, "guests"), nstest.New(t, "inner"), nstest.New(t, "internet")
	router := board(t, map[string]*nstest.NS{"lan1": lan, "lan2": guests, "lan3": inner, "wan": internet})
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, router, g)
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	ip(t, lan, "addr add 2001:db8:1::20/64 dev eth0 nodad\nroute add default via 2001:db8:1::1\n")
	ip(t, guests, "addr add 2001:db8:2::20/64 dev eth0 nodad\nroute add default via 2001:db8:2::1\n")
	ip(t, inner, "addr add 10.3.0.20/24 dev eth0\nroute add default via 10.3.0.1\n")
	ip(t, internet, `
addr add 198.51.100.1/24 dev eth0
addr add `+somewhere+`/32 dev lo
addr add 2001:db8:f::1/64 dev eth0 nodad
route add 2001:db8::/32 via 2001:db8:f::2
route add 192.168.255.0/24 via 198.51.100.2
`)
	for _, port := range []int{22, 80} {
		listen(t, internet, "tcp", port)
		listen(t, internet, "udp", port)
		listen(t, inner, "tcp", port)
	}
	listen(t, router, "tcp", 22)

	root := lab.Rootfs(t, lab.Files{"/etc/tayga.conf": taygaConf(t, g), "/var/lib/tayga/": ""})
	probe := []string{"ping", "-6", "-n", "-c", "2", "-i", "0.5", "-W", "2", "-t", "2", "-I", "2001:db8:64::1", through("192.0.0.170")}
	answer := func() error {
		if out, _ := root.Try(t, router, probe...); !strings.Contains(out, "From 2001:db8:64::3 icmp_seq=1 Time exceeded") {
			return errors.New(out)
		}
		return nil
	}
	if answer() == nil {
		t.Error("without Tayga the packet of nbr verify is answered")
	}
	tayga := root.Daemon(t, router, "tayga", "-d", "--nodetach", "--config", "/etc/tayga.conf")
	tayga.Ready(t, func() error {
		if out, err := root.Try(t, lan, "ping", "-6", "-n", "-c", "1", "-W", "2", through(somewhere)); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
	if out, _ := root.Try(t, router, probe...); !strings.Contains(out, "From 2001:db8:64::3 icmp_seq=") || !strings.Contains(out, "Time exceeded: Hop limit") {
		t.Errorf("the packet of nbr verify is answered by\n%s", out)
	}

	clat(t, lan, root, netip.MustParsePrefix("2001:db8:64:6464::/96"), "2001:db8:1")
	nstest.Wait(t, func() error {
		out, err := root.Try(t, lan, "ping", "-4", "-n", "-c", "1", "-W", "2", somewhere)
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})

	to := func(a string, port int) string { return fmt.Sprintf("[%s]:%d", through(a), port) }
	check(t, []flow{
		{"a host", lan, "", "tcp", to(somewhere, 80), "198.51.100.2 at internet"},
		{"a host by UDP", lan, "", "udp", to(somewhere, 80), "198.51.100.2 at internet"},
		{"another port", lan, "", "tcp", to(somewhere, 22), "198.51.100.2 at internet"},
		{"464XLAT", lan, "", "tcp", somewhere + ":80", "198.51.100.2 at internet"},
		{"464XLAT by UDP", lan, "", "udp", somewhere + ":80", "198.51.100.2 at internet"},
		{"464XLAT and an inner network", lan, "", "tcp", "10.3.0.20:80", "drop"},
		{"a guest and the web", guests, "", "tcp", to(somewhere, 80), "198.51.100.2 at internet"},
		{"a guest and ssh", guests, "", "tcp", to(somewhere, 22), "drop"},
		{"an inner network", lan, "", "tcp", to("10.3.0.20", 80), "drop"},
		{"the router's inner address", lan, "", "tcp", to("10.3.0.1", 22), "drop"},
		{"the router's outer address", lan, "", "tcp", to("198.51.100.2", 22), "drop"},
		{"a host of the Internet", internet, "", "tcp", to(somewhere, 80), "drop"},
		{"an address of the pool", internet, "", "tcp", "192.168.255.77:80", "drop"},
	})
	// A ping from outside is for hosts, not for what is behind the translator.
	if out, err := root.Try(t, internet, "ping", "-6", "-n", "-c", "1", "-W", "1", through(somewhere)); err == nil {
		t.Errorf("a host of the Internet pings through the translator:\n%s", out)
	}

	tayga.Stop(t)
	if out, _ := root.Try(t, router, probe...); strings.Contains(out, "From ") {
		t.Errorf("without Tayga the packet of nbr verify is answered by\n%s", out)
	}
	if dev := router.Run(t, "ip", "-6", "route", "get", through(somewhere)); !strings.Contains(dev, "dev nat64") {
		t.Errorf("without Tayga packets for the prefix go elsewhere: %s", dev)
	}
}
