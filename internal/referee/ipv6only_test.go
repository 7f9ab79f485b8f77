package referee_test

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/insomniacslk/dhcp/dhcpv4/nclient4"
	"github.com/mdlayher/ndp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const ipv6Only = "../../testdata/routers/ipv6-only"

// elsewhere6 are the checks of that router that the bench cannot pass, for the reasons of
// [elsewhere].
var elsewhere6 = func() map[string]string {
	out := map[string]string{}
	for _, pattern := range []string{"firmware/*", "*/port/*/switch", "firewall/sysctl/net.*", "*/port/*/mac", "time/synchronised"} {
		out[pattern] = elsewhere[pattern]
	}
	return out
}()

// bootIPv6Only brings up the router whose hosts have IPv6 alone. Its ISP leases an IPv4 address,
// delegates a prefix, and has the names of the Internet and a server with IPv4 alone.
func bootIPv6Only(t *testing.T) *wholeRouter {
	t.Helper()
	r := &wholeRouter{g: fromDir(t, ipv6Only), elsewhere: elsewhere6, asks: map[string]bool{}, client: nstest.New(t, "client"), isp: nstest.New(t, "isp")}
	r.router = board(t, map[string]*nstest.NS{"wan": r.isp, "lan1": r.client})
	r.isp.Run(t, "sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
	ip(t, r.isp, "addr add 198.51.100.1/24 dev eth0\naddr add 2001:db8:f::1/64 dev eth0 nodad\naddr add "+onlyIPv4+"/32 dev lo\n")
	listen(t, r.isp, "tcp", 80)
	isp := lab.Rootfs(t, lab.Files{
		"/etc/kea.conf": ispKea, "/etc/kea6.conf": delegatingKea, "/run/kea/": "", "/var/lib/kea/": "", "/etc/radvd.conf": upstreamRadvd,
	})
	hints, err := os.ReadFile(isp.Path("/usr/share/dns/root.hints"))
	if err != nil {
		t.Fatal(err)
	}
	anchor := dnsTree(t, r.isp, string(hints))
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	apply(t, ifstate, r.router, r.g)
	isp.Daemon(t, r.isp, "radvd", "-n", "-C", "/etc/radvd.conf", "-m", "stderr", "-u", "root")
	for program, started := range map[string]string{"kea-dhcp4 -c /etc/kea.conf": "DHCP4_STARTED", "kea-dhcp6 -c /etc/kea6.conf": "DHCP6_STARTED"} {
		kea := isp.Daemon(t, r.isp, strings.Fields(program)...)
		kea.Ready(t, said(kea, started))
	}

	conf := taygaConf(t, r.g)
	r.g.at("systemd", "services", "tayga", "serviceConfig").(map[string]any)["ExecStart"] = "tayga --nodetach --config /etc/tayga.conf"
	files, units := r.disk(t)
	files["/etc/tayga.conf"] = conf
	files["/etc/dhcpcd.exit-hook"] = r.g.text(t, "networking", "dhcpcd", "runHook")
	files["/etc/systemd/system/radvd.service"] = radvdUnit
	files["/usr/share/dns/root.key"] = anchor
	r.Machine = lab.Boot(t, r.router, files, append(units, "radvd.service")...)
	r.furnish(t)
	return r
}

// onlyIPv4 is a global address, as the well-known prefix wants it (RFC 6052 section 3.1): those of
// documentation are none. Of dnsTree it is v4only.example.org.
const onlyIPv4 = "192.31.196.7"

// An advice is what hosts are told by a router advertisement.
type advice struct {
	DNS    map[netip.Addr]time.Duration
	PREF64 map[netip.Prefix]time.Duration // RFC 8781
}

// solicit asks for a router as a host does that has just come to a link (RFC 4861 section 6.3.7),
// and says what it is told.
func solicit(t *testing.T, host *nstest.NS) advice {
	t.Helper()
	var conn *ndp.Conn
	if err := within(host, func() error {
		eth0, err := net.InterfaceByName("eth0")
		if err == nil {
			conn, _, err = ndp.Listen(eth0, ndp.LinkLocal)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	out := advice{map[netip.Addr]time.Duration{}, map[netip.Prefix]time.Duration{}}
	nstest.Wait(t, func() error {
		if err := errors.Join(conn.WriteTo(&ndp.RouterSolicitation{}, nil, netip.IPv6LinkLocalAllRouters()), conn.SetReadDeadline(time.Now().Add(4*time.Second))); err != nil {
			return err
		}
		for {
			m, _, _, err := conn.ReadFrom()
			if err != nil {
				return err
			}
			advert, ok := m.(*ndp.RouterAdvertisement)
			if !ok {
				continue
			}
			for _, o := range advert.Options {
				switch o := o.(type) {
				case *ndp.RecursiveDNSServer:
					for _, a := range o.Servers {
						out.DNS[a] = o.Lifetime
					}
				case *ndp.PREF64:
					out.PREF64[o.Prefix] = o.Lifetime
				}
			}
			return nil
		}
	})
	return out
}

// withoutIPv4 asks for a lease as a host does that can live without IPv4, and returns for how long it
// is told to (RFC 8925 section 3.2).
func withoutIPv4(t *testing.T, host *nstest.NS) time.Duration {
	t.Helper()
	var client *nclient4.Client
	if err := within(host, func() (err error) { client, err = nclient4.New("eth0"); return err }); err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var wait time.Duration
	nstest.Wait(t, func() error {
		offer, err := client.DiscoverOffer(t.Context(), dhcpv4.WithRequestedOptions(dhcpv4.OptionIPv6OnlyPreferred))
		if err != nil {
			return err
		}
		var ok bool
		if wait, ok = offer.IPv6OnlyPreferred(); !ok || !offer.YourIPAddr.IsUnspecified() {
			return fmt.Errorf("it is offered %s", offer.Summary())
		}
		return nil
	})
	return wait
}

// A host with IPv6 alone makes its addresses of what the router advertises, finds by the name server
// that it is told of a server that has IPv4 alone, and reaches it. What knows an IPv4 address alone
// gets there by the prefix that the host is told (464XLAT, RFC 6877). A host that asks for IPv4 all
// the same is told that it can live without. nbr verify agrees, and says what is broken when
// something is.
func TestIPv6AloneReachesIPv4ByName(t *testing.T) {
	t.Parallel()
	r := bootIPv6Only(t)
	// Advertisements count for a host that forwards, too: its CLAT's packets.
	r.client.Run(t, "sysctl", "-qw", "net.ipv6.conf.eth0.accept_ra=2")
	ip(t, r.client, "link set eth0 down\nlink set eth0 up\n")
	const fixed, delegated = "fd5c:8a1e:7b40::/64", "2001:db8:8000::/64"
	nstest.Wait(t, func() error {
		if got := madeAddresses(t, r.client); len(got) != 2 || got[fixed].Valid == 0 || got[delegated].Valid == 0 {
			return fmt.Errorf("addresses of %v", got)
		}
		return nil
	})

	const lifetime = 1800 * time.Second
	told, prefix := solicit(t, r.client), netip.MustParsePrefix("64:ff9b::/96")
	server := netip.MustParseAddr("fd5c:8a1e:7b40::1")
	want := advice{map[netip.Addr]time.Duration{server: lifetime}, map[netip.Prefix]time.Duration{prefix: lifetime}}
	if !maps.Equal(want.DNS, told.DNS) || !maps.Equal(want.PREF64, told.PREF64) {
		t.Fatalf("hosts are told %v, want %v", told, want)
	}
	if got := withoutIPv4(t, r.client); got != time.Hour {
		t.Errorf("a host that can live without IPv4 is told to for %s", got)
	}

	host := lab.Rootfs(t, lab.Files{"/etc/resolv.conf": "nameserver " + server.String() + "\n"})
	reaches := func(name string) {
		t.Helper()
		nstest.Wait(t, func() error {
			out, err := host.Try(t, r.client, "nc", "-w", "5", name, "80")
			if err != nil || out != "198.51.100.50 at isp" {
				return fmt.Errorf("%s: %q, %w", name, out, err)
			}
			return nil
		})
	}
	reaches("v4only.example.org")
	if _, err := host.Try(t, r.client, "nc", "-w", "1", onlyIPv4, "80"); err == nil {
		t.Error("the host has IPv4")
	}
	clat(t, r.client, host, slices.Collect(maps.Keys(told.PREF64))[0], "2001:db8:8000")
	reaches(onlyIPv4)

	if wrong := r.settles(t); len(wrong) > 0 {
		t.Fatalf("nbr verify on a healthy router: %v\n%s", wrong, r.Journal(t))
	}
	r.breaksAll(t, breakages6)
	reaches("v4only.example.org")
	reaches(onlyIPv4)
}

// breakages6 are those of what hosts with IPv6 alone need, and of what none outside is to have.
var breakages6 = []breakage{
	{
		name:  "Tayga has stopped",
		wreck: "systemctl stop tayga",
		mend:  "systemctl start tayga",
		finds: []string{"nat64.nat64/translates", "nat64.nat64/unit"}, line: `nat64 "nat64" {}`,
	},
	{
		name:  "Tayga with another prefix",
		wreck: "sed -i.old 's|^prefix.*|prefix 2001:db8:64::/96|' /etc/tayga.conf; systemctl restart tayga",
		mend:  "mv /etc/tayga.conf.old /etc/tayga.conf; systemctl restart tayga",
		finds: []string{"nat64.nat64/translates"}, line: `nat64 "nat64" {}`,
	},
	{
		name:  "no DNS64",
		wreck: knot(`del(.dns64)`) + forget,
		mend:  unknot + forget,
		finds: []string{"resolver/dns64/fd5c:8a1e:7b40::1", "resolver/dns64/192.168.178.1", "resolver/dns64/fd5c:8a1e:7b40:1::1"}, line: `  dns64 {}`,
	},
	{
		name:  "DNS64 of another prefix",
		wreck: knot(`.dns64.prefix = "2001:db8:64::/96"`) + forget,
		mend:  unknot + forget,
		finds: []string{"resolver/dns64/fd5c:8a1e:7b40::1", "resolver/dns64/192.168.178.1", "resolver/dns64/fd5c:8a1e:7b40:1::1"}, line: `  dns64 {}`,
	},
	{
		name:  "no PREF64", // and the unit has ended between writing that and telling it
		wreck: "systemctl stop nbr-advertisements; sed -i.old /nat64prefix/,/}/d /etc/nbr/radvd.conf; sed -i /nat64prefix/,/}/d /run/nbr-advertisements/radvd.conf; systemctl start nbr-advertisements",
		mend:  "mv /etc/nbr/radvd.conf.old /etc/nbr/radvd.conf; systemctl restart nbr-advertisements",
		finds: []string{"router_advert.lan/pref64", "router_advert.guests/pref64"}, line: `  network = network.lan`,
	},
	{
		name:  "PREF64 of another prefix",
		wreck: "sed -i.old 's|nat64prefix [^ ]*|nat64prefix 2001:db8:64::/96|' /etc/nbr/radvd.conf; systemctl restart nbr-advertisements",
		mend:  "mv /etc/nbr/radvd.conf.old /etc/nbr/radvd.conf; systemctl restart nbr-advertisements",
		finds: []string{"router_advert.lan/pref64", "router_advert.guests/pref64"}, line: `  network = network.lan`,
	},
	{
		name:  "PREF64 for another time",
		wreck: "sed -i.old '/nat64prefix/,/}/s/1800/600/' /etc/nbr/radvd.conf; systemctl restart nbr-advertisements",
		mend:  "mv /etc/nbr/radvd.conf.old /etc/nbr/radvd.conf; systemctl restart nbr-advertisements",
		finds: []string{"router_advert.lan/pref64", "router_advert.guests/pref64"}, line: `  network = network.lan`,
	},
	{
		name:  "no option 108",
		wreck: kea(`del(.subnet4[]."option-data"[] | select(.name == "v6-only-preferred"))`),
		mend:  unkea,
		finds: []string{"dhcp4.lan/v6-only"}, line: `  v6_only = "1h"`,
	},
	{
		name:  "what is translated has no way out",
		wreck: "nft -a list chain inet nbr forward | sed -n '/policy.nat64-internet/s/.* # handle /nft delete rule inet nbr forward handle /p' | sh",
		mend:  "systemctl reload nftables",
		finds: []string{"policy.nat64-internet/rules", "firewall/ruleset"}, line: `policy "nat64-internet" {`,
	},
	{
		name:  "sshd open to the world over IPv6 alone", // it listens on all addresses, of which some change
		wreck: "nft insert rule inet nbr input meta nfproto ipv6 tcp dport 22 accept",
		mend:  "systemctl reload nftables",
		finds: []string{"zone.wan/closed/wan/tcp/22/ipv6", "firewall/ruleset"}, line: `zone "wan" {`,
	},
}

// forget has the resolver forget what it has made of names.
const forget = "; kresctl cache clear"
