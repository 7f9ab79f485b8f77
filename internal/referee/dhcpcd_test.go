package referee_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// dhcpcdConf is what networking.dhcpcd makes of its options.
func dhcpcdConf(t *testing.T, g *generated) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("hostname\noption domain_name_servers, domain_name, domain_search\n" +
		"option classless_static_routes, ntp_servers, interface_mtu\nnohook lookup-hostname\n" +
		"denyinterfaces lo peth* vif* tap* tun* virbr* vnet* vboxnet* sit*\nallowinterfaces")
	for _, name := range g.list(t, "networking", "dhcpcd", "allowInterfaces") {
		if g.at("networking", "interfaces", name.(string), "useDHCP") != true && g.at("networking", "interfaces", "lo", "useDHCP") != true {
			t.Fatalf("%s does not start dhcpcd.service", name)
		}
		fmt.Fprintf(&b, " %s", name)
	}
	if wait := g.text(t, "networking", "dhcpcd", "wait"); wait != "background" {
		t.Fatalf("boot waits for the upstream: %s", wait)
	}
	b.WriteString("\n" + g.text(t, "networking", "dhcpcd", "extraConfig"))
	return b.String()
}

// An upstream's server: leases are renewed while the test looks.
const upstreamKea = `{"Dhcp4": {
  "interfaces-config": {"interfaces": ["eth0"]},
  "lease-database": {"type": "memfile", "persist": false},
  "valid-lifetime": 900, "renew-timer": 2, "rebind-timer": 800,
  "subnet4": [{
    "id": 1, "subnet": "198.51.100.0/24",
    "pools": [{"pool": "198.51.100.50-198.51.100.60"}],
    "option-data": [
      {"name": "routers", "data": "198.51.100.1"},
      {"name": "domain-name-servers", "data": "198.51.100.53"}
    ]
  }]
}}
`

const upstreamRadvd = `interface eth0 {
  AdvSendAdvert on;
  MinRtrAdvInterval 3;
  MaxRtrAdvInterval 4;
  prefix 2001:db8:f::/64 { };
};
`

// The reason for the division of labour: dhcpcd and the kernel get the upstream's addresses and
// routes while the firewall is loaded, renew them, and IfState, which runs at every switch,
// leaves them alone.
func TestUpstreamGivesAddresses(t *testing.T) {
	t.Parallel()
	g := spec(t, "quiet")
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	internet, client := nstest.New(t, "internet"), nstest.New(t, "client")
	router := board(t, map[string]*nstest.NS{"wan": internet, "lan1": client})
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\naddr add "+somewhere+"/32 dev lo\naddr add 2001:db8:f::1/64 dev eth0\n")
	ip(t, client, "addr add 10.2.0.50/24 dev eth0\nroute add default via 10.2.0.1\n")
	internet.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	listen(t, internet, "tcp", 80)

	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	apply(t, ifstate, router, g)

	isp := lab.Rootfs(t, lab.Files{"/etc/kea.conf": upstreamKea, "/run/kea/": "", "/etc/radvd.conf": upstreamRadvd})
	kea := isp.Daemon(t, internet, "kea-dhcp4", "-c", "/etc/kea.conf")
	kea.Ready(t, said(kea, "DHCP4_STARTED"))
	isp.Daemon(t, internet, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	root := lab.Rootfs(t, lab.Files{"/etc/dhcpcd.conf": dhcpcdConf(t, g), "/etc/resolv.conf": "nameserver 127.0.0.1\n"})
	// There is no udev that could tell dhcpcd of the links.
	args := []string{"dhcpcd", "-B", "--nodev", "--config", "/etc/dhcpcd.conf"}
	if g.at("networking", "dhcpcd", "persistent") == true {
		args = append(args, "--persistent")
	}
	dhcpcd := root.Daemon(t, router, args...)

	dynamic := func() (lines []string) {
		for _, route := range routes(t, router) {
			if strings.HasPrefix(route, "default ") {
				lines = append(lines, regexp.MustCompile(`proto (\w+)`).FindString(route))
			}
		}
		for _, a := range links(t, router)["wan"].Addresses {
			addr, _, _ := strings.Cut(a, "/")
			if strings.HasPrefix(addr, "2001:db8:f:") {
				addr = "2001:db8:f::/64"
			}
			lines = append(lines, addr)
		}
		slices.Sort(lines)
		return lines
	}
	want := []string{"198.51.100.50", "2001:db8:f::/64", "proto dhcp", "proto ra"}
	dhcpcd.Ready(t, func() error {
		if d := cmp.Diff(want, dynamic()); d != "" {
			return errors.New("(-want +got):\n" + d)
		}
		return nil
	})
	// A switch of the system applies the configuration again: nothing to do, nothing undone.
	apply(t, ifstate, router, g)
	if d := cmp.Diff(want, dynamic()); d != "" {
		t.Errorf("after IfState (-want +got):\n%s", d)
	}
	check(t, []flow{{"out", client, "", "tcp", somewhere + ":80", "198.51.100.50 at internet"}})
	// A renewal: the answer is an ordinary packet to port 68, through the firewall.
	kea.Ready(t, func() error {
		if strings.Count(kea.Log(), "DHCP4_LEASE_ALLOC") < 2 {
			return errors.New("no renewals")
		}
		return nil
	})
	if strings.Contains(dhcpcd.Log(), "expire") || strings.Contains(dhcpcd.Log(), "rebind") {
		t.Errorf("the server's answers do not arrive:\n%s", dhcpcd.Log())
	}
	if text, err := os.ReadFile(root.Path("/etc/resolv.conf")); err != nil || string(text) != "nameserver 127.0.0.1\n" {
		t.Errorf("resolv.conf: %q, %v", text, err)
	}
	// A restart of dhcpcd.service, as a new version of it brings: the address stays.
	dhcpcd.Stop(t)
	if d := cmp.Diff(want, dynamic()); d != "" {
		t.Errorf("after dhcpcd has stopped (-want +got):\n%s", d)
	}
}

// An upstream that gives nothing: dhcpcd must not make up an address (RFC 3927), which would come
// with a default route to nowhere and without the lifetime that makes IfState leave it alone.
func TestNoAddressIsMadeUp(t *testing.T) {
	t.Parallel()
	router, internet := nstest.New(t, "router"), nstest.New(t, "internet")
	nstest.Link(t, router, "wan", internet, "eth0")
	root := lab.Rootfs(t, lab.Files{"/etc/dhcpcd.conf": dhcpcdConf(t, spec(t, "bpi-r4"))})
	dhcpcd := root.Daemon(t, router, "dhcpcd", "-B", "--nodev", "--config", "/etc/dhcpcd.conf")
	dhcpcd.Ready(t, said(dhcpcd, "soliciting a DHCP lease"))
	// One that may make up addresses, begins later and has made up one shows that there was
	// time enough.
	other, nobody := nstest.New(t, "other"), nstest.New(t, "nobody")
	nstest.Link(t, other, "wan", nobody, "eth0")
	may := lab.Rootfs(t, lab.Files{"/etc/dhcpcd.conf": "allowinterfaces wan\nipv4only\n"}).Daemon(t, other, "dhcpcd", "-B", "--nodev", "--config", "/etc/dhcpcd.conf")
	may.Ready(t, said(may, "using IPv4LL address"))
	if got := links(t, router)["wan"].Addresses; got != nil || strings.Contains(dhcpcd.Log(), "IPv4LL") {
		t.Errorf("it has made up %v\n%s", got, dhcpcd.Log())
	}
	if got := routes(t, router); got != nil {
		t.Errorf("it has made up %v", got)
	}
}

// A provider needs no name of the router and no kernel's version to give it an address.
func TestUpstreamLearnsNoName(t *testing.T) {
	t.Parallel()
	router, internet := nstest.New(t, "router"), nstest.New(t, "internet")
	nstest.Link(t, router, "wan", internet, "eth0")
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\n")
	var server net.PacketConn
	if err := within(internet, func() (err error) {
		server, err = net.ListenPacket("udp4", ":67")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	root := lab.Rootfs(t, lab.Files{"/etc/dhcpcd.conf": dhcpcdConf(t, spec(t, "bpi-r4"))})
	// The name is the machine's: one of its own keeps the test from changing it.
	dhcpcd := root.Daemon(t, router, "unshare", "--uts", "sh", "-c", "hostname nightingale && exec dhcpcd -B --nodev --config /etc/dhcpcd.conf")
	asked := make(chan *dhcpv4.DHCPv4, 1)
	go func() {
		buf := make([]byte, 1500)
		if n, _, err := server.ReadFrom(buf); err == nil {
			d, _ := dhcpv4.FromBytes(buf[:n])
			asked <- d
		}
	}()
	var d *dhcpv4.DHCPv4
	dhcpcd.Ready(t, func() error {
		select {
		case d = <-asked:
			return nil
		default:
			return errors.New("no DISCOVER")
		}
	})
	if d == nil || d.MessageType() != dhcpv4.MessageTypeDiscover {
		t.Fatalf("no DISCOVER: %v", d)
	}
	for _, o := range []dhcpv4.OptionCode{dhcpv4.OptionHostName, dhcpv4.OptionFQDN, dhcpv4.OptionClassIdentifier} {
		if b := d.Options.Get(o); b != nil {
			t.Errorf("the router tells its %s: %q", o, b)
		}
	}
}
