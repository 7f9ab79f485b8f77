package referee_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// leasingKea is a DHCPv4 server with one address to give.
const leasingKea = `{"Dhcp4": {
  "interfaces-config": {"interfaces": ["eth0"]}, "authoritative": true,
  "lease-database": {"type": "memfile", "persist": false},
  "valid-lifetime": 900, "renew-timer": 2, "rebind-timer": 800,
  "subnet4": [{
    "id": 1, "subnet": "NET.0/24", "pools": [{"pool": "NET.50-NET.50"}],
    "option-data": [{"name": "routers", "data": "NET.1"}]
  }]
}}
`

// The router of docs/uplinks.md, whose uplinks have what their providers give: DHCP, router
// advertisements and a delegated prefix, by real servers and clients. New connections follow what
// works, and routes and rules follow what is given: another address, another gateway, another
// prefix, a cable that is pulled.
func TestUplinksByTheirProviders(t *testing.T) {
	text, err := os.ReadFile("../../testdata/routers/two-uplinks/router.hcl")
	if err != nil {
		t.Fatal(err)
	}
	spec := string(text)
	for old, quick := range map[string]string{
		`interval = "100s"`: `interval = "1s"`,
		"  priority = 1\n":  "  priority = 1\n  interval = \"1s\"\n  failures = 2\n  successes = 2\n",
		"  priority = 2\n":  "  priority = 2\n  failures = 2\n  successes = 2\n",
	} {
		if strings.Count(spec, old) != 1 {
			t.Fatalf("%q stands %d times in the spec", old, strings.Count(spec, old))
		}
		spec = strings.Replace(spec, old, quick, 1)
	}
	g := fromText(t, spec)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	home, fibre, lte, world := nstest.New(t, "home"), nstest.New(t, "fibre"), nstest.New(t, "lte"), nstest.New(t, "world")
	router := board(t, map[string]*nstest.NS{"lan1": home, "wan": fibre, "lan3": lte})
	nstest.Link(t, fibre, "world", world, "eth1")
	nstest.Link(t, lte, "world", world, "eth2")
	ip(t, home, `
addr add 192.168.1.50/24 dev eth0
addr add 2001:db8:8000:1::50/64 dev eth0 nodad
route add default via 192.168.1.1
route add default via 2001:db8:8000:1::1
`)
	ip(t, fibre, `
addr add 198.51.100.1/24 dev eth0
addr add 2001:db8:f::1/64 dev eth0 nodad
addr add 172.16.1.1/24 dev world
addr add fd00:1::1/64 dev world nodad
route add default via 172.16.1.9
route add default via fd00:1::9
`)
	ip(t, lte, "addr add 192.168.8.1/24 dev eth0\naddr add 172.16.2.1/24 dev world\nroute add default via 172.16.2.9\n")
	ip(t, world, `
addr add 9.9.9.9/32 dev lo
addr add 1.1.1.1/32 dev lo
addr add 2620:fe::fe/128 dev lo nodad
addr add 2606:4700:4700::1111/128 dev lo nodad
addr add 172.16.1.9/24 dev eth1
addr add fd00:1::9/64 dev eth1 nodad
addr add 172.16.2.9/24 dev eth2
route add 198.51.100.0/24 via 172.16.1.1 src 9.9.9.9
route add 203.0.113.0/24 via 172.16.1.1 src 9.9.9.9
route add 2001:db8::/32 via fd00:1::1 src 2620:fe::fe
`)
	for _, ns := range []*nstest.NS{fibre, lte} {
		ns.Run(t, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	}
	load(t, lte, "table ip nat { chain c { type nat hook postrouting priority 100; oifname world masquerade; }; }\n")
	// As providers do, this one takes nothing from others' addresses (RFC 2827).
	load(t, fibre, "table inet f { chain c { type filter hook forward priority 0; iifname eth0 ip saddr != { 198.51.100.0/24, 203.0.113.0/24 } drop; iifname eth0 ip6 saddr != 2001:db8::/32 drop; }; }\n")
	listen(t, world, "tcp", 80)
	repeat(t, world, 7)
	refuse(t, world, "1.1.1.1:53", "[2606:4700:4700::1111]:53")

	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)

	leases := func(net string) string { return strings.ReplaceAll(leasingKea, "NET", net) }
	isp := lab.Rootfs(t, lab.Files{
		"/etc/kea4.conf": leases("198.51.100"), "/etc/kea4-moved.conf": leases("203.0.113"),
		"/etc/kea6.conf": delegatingKea, "/etc/kea6-moved.conf": strings.ReplaceAll(delegatingKea, "2001:db8:8000::", "2001:db8:9000::"),
		"/etc/radvd.conf": upstreamRadvd, "/run/kea/": "", "/var/lib/kea/": "",
	})
	kea4 := isp.Daemon(t, fibre, "kea-dhcp4", "-c", "/etc/kea4.conf")
	kea6 := isp.Daemon(t, fibre, "kea-dhcp6", "-c", "/etc/kea6.conf")
	isp.Daemon(t, fibre, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	other := lab.Rootfs(t, lab.Files{"/etc/kea4.conf": leases("192.168.8"), "/run/kea/": ""})
	keaLTE := other.Daemon(t, lte, "kea-dhcp4", "-c", "/etc/kea4.conf")
	kea4.Ready(t, said(kea4, "DHCP4_STARTED"))
	kea6.Ready(t, said(kea6, "DHCP6_STARTED"))
	keaLTE.Ready(t, said(keaLTE, "DHCP4_STARTED"))
	client := lab.Rootfs(t, lab.Files{
		"/etc/dhcpcd.conf": dhcpcdConf(t, g), "/etc/resolv.conf": "nameserver 127.0.0.1\n",
		"/etc/dhcpcd.exit-hook": g.text(t, "networking", "dhcpcd", "runHook"),
	})
	dhcpcd := client.Daemon(t, router, "dhcpcd", "-B", "--nodev", "--persistent", "--config", "/etc/dhcpcd.conf")
	w := watcherOf(t, router, g, spec)
	w.start(t)
	// The provider knows the way to what it delegates by the router's link-local address.
	delegates := func(prefix string) {
		via := strings.Fields(router.Run(t, "ip", "-6", "-brief", "addr", "show", "dev", "wan", "scope", "link"))[2]
		ip(t, fibre, fmt.Sprintf("route replace %s via %s dev eth0\n", prefix, strings.Split(via, "/")[0]))
	}
	delegates("2001:db8:8000::/40")

	green := func() error { return w.green(t, 15) }
	// heard are the addresses that the world hears of new connections: of a host behind the router
	// in both families, and of the router. By the LTE router all have that one's.
	ask := map[string]func() string{
		"host":   func() string { return seen(home, "192.168.1.50", "9.9.9.9:80") },
		"host6":  func() string { return seen(home, "2001:db8:8000:1::50", "[2620:fe::fe]:80") },
		"router": func() string { return seen(router, "", "9.9.9.9:80") },
	}
	heard := func(want map[string]string) func() error {
		return func() error {
			got := map[string]string{}
			for who := range want {
				got[who] = ask[who]()
			}
			if d := cmp.Diff(want, got); d != "" {
				return fmt.Errorf("heard (-want +got):\n%s", d)
			}
			return nil
		}
	}
	byFibre := heard(map[string]string{"host": "198.51.100.50", "router": "198.51.100.50", "host6": "2001:db8:8000:1::50"})
	byLTE := heard(map[string]string{"host": "172.16.2.1", "router": "172.16.2.1"})
	dhcpcd.Ready(t, green)
	nstest.Wait(t, byFibre)

	leadsBy := func(link string) func() error {
		return func() error {
			if text := router.Run(t, "ip", "route", "show", "default", "proto", "205"); !strings.Contains(text, "dev "+link+" ") {
				return fmt.Errorf("the default route is %q", text)
			}
			return nil
		}
	}

	// The fibre fails behind the first hop: DHCP notices nothing.
	wreck := func() {
		load(t, fibre, "table inet broken { chain c { type filter hook forward priority -10; drop; }; }\n")
	}
	mend := func() { fibre.Run(t, "nft", "delete", "table", "inet", "broken") }
	onFibre := open(t, home, "192.168.1.50", "9.9.9.9:7")
	if err := onFibre.goesOn(); err != nil {
		t.Fatal(err)
	}
	wreck()
	nstest.Wait(t, func() error {
		if d := cmp.Diff([]string{"uplink.fibre/works/ipv4 fail", "uplink.fibre/works/ipv6 fail", "uplink/chosen/ipv6 skip"}, w.red(t, 15)); d != "" {
			return fmt.Errorf("broken (-want +got):\n%s", d)
		}
		return nil
	})
	nstest.Wait(t, byLTE)
	onLTE := open(t, home, "192.168.1.50", "9.9.9.9:7")
	alive := func(when string) {
		t.Helper()
		if err := onLTE.goesOn(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	mend()
	nstest.Wait(t, green)
	nstest.Wait(t, byFibre)
	alive("when the fibre works again")

	// A renewal of both leases, and IfState at a switch of the system, change nothing.
	for _, k := range []*lab.Daemon{kea4, keaLTE} {
		before := strings.Count(k.Log(), "DHCP4_LEASE_ALLOC")
		k.Ready(t, func() error {
			if strings.Count(k.Log(), "DHCP4_LEASE_ALLOC") == before {
				return errors.New("no renewal")
			}
			return nil
		})
	}
	apply(t, ifstate, router, g)
	if err := errors.Join(byFibre(), green()); err != nil {
		t.Errorf("after a renewal and IfState: %v", err)
	}
	alive("after a renewal and IfState")

	// The modem is replaced: another address, by another gateway.
	unplug := func() { ip(t, fibre, "link set eth0 down\n") }
	plug := func() {
		ip(t, fibre, "link set eth0 up\naddr add 2001:db8:f::1/64 dev eth0 nodad\n")
		delegates("2001:db8:8000::/40")
		delegates("2001:db8:9000::/40")
	}
	kea4.Stop(t)
	unplug()
	ip(t, fibre, "addr add 203.0.113.1/24 dev eth0\naddr del 198.51.100.1/24 dev eth0\n")
	nstest.Wait(t, leadsBy("lan3"))
	plug()
	isp.Daemon(t, fibre, "kea-dhcp4", "-c", "/etc/kea4-moved.conf")
	nstest.Wait(t, func() error {
		if !slices.Contains(links(t, router)["wan"].Addresses, "203.0.113.50/24") {
			return errors.New("no other address")
		}
		return green()
	})
	nstest.Wait(t, heard(map[string]string{"host": "203.0.113.50", "router": "203.0.113.50"}))
	alive("when the fibre has another address")

	// Another prefix. What hosts still have of the old one is not sent by another uplink.
	kea6.Stop(t)
	isp.Daemon(t, fibre, "kea-dhcp6", "-c", "/etc/kea6-moved.conf")
	delegates("2001:db8:9000::/40")
	ip(t, home, "addr add 2001:db8:9000:1::50/64 dev eth0 nodad\n")
	nstest.Wait(t, func() error {
		if got := seen(home, "2001:db8:9000:1::50", "[2620:fe::fe]:80"); got != "2001:db8:9000:1::50" {
			return fmt.Errorf("from the new prefix: %s", got)
		}
		return green()
	})
	if rules := router.Run(t, "ip", "-6", "rule"); !strings.Contains(rules, "from 2001:db8:9000:1::/64 lookup 131") {
		t.Errorf("no rule for the new prefix:\n%s", rules)
	}
	alive("when the fibre has another prefix")

	// The cable of the fibre is pulled, and then that of the LTE router, which is asked for nothing.
	unplug()
	nstest.Wait(t, leadsBy("lan3"))
	nstest.Wait(t, byLTE)
	alive("without the fibre's cable")
	plug()
	nstest.Wait(t, green)
	ip(t, lte, "link set eth0 down\n")
	nstest.Wait(t, heard(map[string]string{"host": "203.0.113.50", "router": "203.0.113.50"}))
}

// refuse answers each question of DNS with REFUSED, as servers do that are not for all.
func refuse(t *testing.T, ns *nstest.NS, addresses ...string) {
	t.Helper()
	for _, a := range addresses {
		var conn net.PacketConn
		if err := within(ns, func() (err error) { conn, err = net.ListenPacket("udp", a); return err }); err != nil {
			t.Fatal(err)
		}
		server := &dns.Server{PacketConn: conn, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(q, dns.RcodeRefused))
		})}
		go func() { _ = server.ActivateAndServe() }()
		t.Cleanup(func() { _ = server.Shutdown() })
	}
}
