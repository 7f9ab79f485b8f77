//go:build guest

package referee_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// What the provider of a fibreLine gives with its first session, and with the next one.
const (
	firstAddress, firstPrefix   = "198.51.100.50", "2001:db8:8000::/56"
	secondAddress, secondPrefix = "198.51.100.90", "2001:db8:9000::/56"
)

// A fibreLine is the router of testdata/routers/german-fibre at the line of a provider: with IfState's
// links, the firewall, pppd, dhcpcd, radvd and what keeps its configuration true. Behind the provider
// is the Internet, at lan1 a host.
type fibreLine struct {
	*isp
	router, host, internet *nstest.NS

	pppd, dhcpcd, radvd, current *running
	session                      func() // ends what serves the present session at the provider's end
}

func newFibreLine(t *testing.T) *fibreLine {
	t.Helper()
	l := &fibreLine{isp: &isp{ns: nstest.New(t, "isp")}, host: nstest.New(t, "host"), internet: nstest.New(t, "internet")}
	l.router = boardOf(t, map[string]cable{"wan": {l.ns, "line"}, "lan1": {l.host, "eth0"}})
	nstest.Link(t, l.ns, "core", l.internet, "eth0")
	ip(t, l.ns, `link add link line name line.7 type vlan id 7
link set line.7 up
addr add 203.0.113.1/24 dev core
addr add 2001:db8:ffff::1/64 dev core
`)
	ip(t, l.internet, `addr add 203.0.113.80/24 dev eth0
addr add 2001:db8:ffff::80/64 dev eth0
route add default via 203.0.113.1
route add default via 2001:db8:ffff::1
`)
	ip(t, l.host, "addr add 192.168.178.5/24 dev eth0\nroute add default via 192.168.178.1\n")
	for _, ns := range []*nstest.NS{l.ns, l.router} {
		ns.Run(t, "sh", "-c", "cd /proc/sys/net; echo 1 >ipv4/conf/all/forwarding; echo 1 >ipv6/conf/all/forwarding; echo 0 >ipv6/conf/default/accept_ra; echo 0 >ipv6/conf/default/autoconf")
	}
	for _, ns := range []*nstest.NS{l.host, l.internet} { // which take 12 bytes of each segment
		ns.Run(t, "sh", "-c", "echo 0 >/proc/sys/net/ipv4/tcp_timestamps")
	}
	// The host's packets are as long as Ethernet's, whatever the router says, so that the firewall
	// has something to do.
	l.host.Run(t, "sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_ra_mtu")
	for _, dir := range []string{"/var/lib/dhcpcd", "/run/dhcpcd", "/run/nbr-advertisements", "/var/lib/nbr-advertisements"} {
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o750)); err != nil {
			t.Fatal(err)
		}
	}
	l.links(t)
	l.router.Run(t, "nft", "-f", fibreDir+"rules")
	accounts(t, dialInPassword)

	l.gives(t, firstAddress)
	l.pppd = dialIn(t, l.router, "fibre", dialInPassword)
	l.dhcpcd = start(t, l.router, "/run/dhcpcd.log", "dhcpcd", "-B", "--nodev", "--persistent", "-c", "/bin/true", "--config", fibreDir+"dhcpcd.conf")
	l.current = start(t, l.router, "/run/current.log", "env", "PATH="+fibreDir+"bin:"+os.Getenv("PATH"), "bash", "-e", fibreDir+"advertisements")
	l.advertises(t)
	l.takesUp(t, firstPrefix)
	return l
}

// links has IfState make the links of the router.
func (l *fibreLine) links(t *testing.T) {
	t.Helper()
	config, err := os.ReadFile(fibreDir + "links")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, l.router, string(config))
}

// advertises starts radvd, once there is what it reads, and waits until it says which process it is.
func (l *fibreLine) advertises(t *testing.T) {
	t.Helper()
	there := func(file string) {
		nstest.Wait(t, func() error {
			_, err := os.Stat(file)
			return err
		})
	}
	there("/run/nbr-advertisements/radvd.conf")
	if err := os.RemoveAll(radvdPid); err != nil { // of one that was killed
		t.Fatal(err)
	}
	l.radvd = start(t, l.router, "/run/lan-radvd.log", "radvd", "-n", "-C", "/run/nbr-advertisements/radvd.conf", "-m", "stderr", "-u", "root", "-p", radvdPid)
	there(radvdPid)
}

// gives has the provider take a session, in which the router gets an address of IPv4.
func (l *fibreLine) gives(t *testing.T, address string, more ...string) {
	t.Helper()
	l.serve(t, "require-pap", address, more...)
}

// takesUp waits for the session at the provider's end, and has the provider advertise a network there and
// delegate a prefix, unless it is none.
func (l *fibreLine) takesUp(t *testing.T, prefix string) {
	t.Helper()
	radvd, end := l.advertise(t), func() {}
	ip(t, l.ns, "route add 2001:db8:f::/64 dev ppp0\n") // what is advertised
	if prefix != "" {
		end = l.delegate(t, prefix)
		ip(t, l.ns, "route add "+prefix+" dev ppp0\n")
	}
	l.session = func() { radvd.stop(); end() }
}

// cuts ends the session, as a provider does.
func (l *fibreLine) cuts(t *testing.T) {
	t.Helper()
	l.session()
	l.session = func() {}
	l.hangUp(t)
}

// said is what the programs of the line have said, for a message.
func (l *fibreLine) said() string {
	out := ""
	for _, r := range []struct {
		name string
		*running
	}{{"pppd", l.pppd}, {"the provider's server", l.server}, {"dhcpcd", l.dhcpcd}, {"radvd", l.radvd}, {"nbr-advertisements", l.current}} {
		if r.running != nil {
			out += r.name + ": " + r.said() + "\n"
		}
	}
	return out
}

// fibreChecks are the checks that nbr verify makes of a fibreLine, and notThere those among them whose
// subject the guest has not: units of systemd, and ports of a switch.
var (
	fibreChecks = []string{"vlan.internet", "secret.dsl", "pppoe.ppp0", "network.wan", "network.lan", "prefix.house", "bridge.br-lan", "router_advert.lan", "zone.*/rules", "policy.internet", "dhcp_client", "firewall/table", "firewall/rules", "firewall/ruleset", "interfaces/foreign/*", "interfaces/sysctl/*"}
	notThere    = []string{"*/unit", "router_advert.lan/current", "*/port/*/switch", "*/port/*/mac", "interfaces/foreign/listeners"}
)

// verify returns what nbr verify finds that does not pass.
func (l *fibreLine) verify(t *testing.T) []finding {
	t.Helper()
	return slices.DeleteFunc(verifyIn(t, l.router, fibreDir+"spec", 70, fibreChecks...), func(f finding) bool {
		return slices.ContainsFunc(notThere, func(p string) bool { return fits(p, f.ID) })
	})
}

// verifyIn has nbr verify judge a router in a guest by the spec in a folder, and returns what does not
// pass of some checks, of which there are as many as is said at least.
func verifyIn(t *testing.T, router *nstest.NS, spec string, least int, only ...string) []finding {
	t.Helper()
	args := []string{"verify", "-format", "json"}
	for _, id := range only {
		args = append(args, "-only", id)
	}
	text, err := router.Try(t, "/bin/nbr", append(args, spec)...)
	return notPassed(t, text, err, least)
}

// green waits until nbr verify finds that all is well.
func (l *fibreLine) green(t *testing.T, when string) {
	t.Helper()
	nstest.Wait(t, func() error {
		if wrong := l.verify(t); len(wrong) > 0 {
			return fmt.Errorf("%s: %v\n%s", when, wrong, l.said())
		}
		return nil
	})
}

// has waits until the host has addresses of these prefixes, each deprecated or not.
func (l *fibreLine) has(t *testing.T, when string, want map[string]bool) {
	t.Helper()
	nstest.Wait(t, func() error {
		got := map[string]bool{}
		for prefix, a := range madeAddresses(t, l.host) {
			got[prefix] = a.Deprecated
		}
		if d := cmp.Diff(want, got); d != "" {
			return fmt.Errorf("%s: prefixes of the host, and whether they are deprecated (-want +got):\n%s\n%s", when, d, l.said())
		}
		return nil
	})
}

// lanOf is the prefix of the network lan in one that is delegated, and houseULA the one that stays.
func lanOf(delegated string) string { return strings.Replace(delegated, "/56", "/64", 1) }

const houseULA = "fd5c:8a1e:7b40::/64"

// connects has the host speak with the Internet in both families, more than fits into a few packets. The
// Internet hears it from the address of the session and from the prefix, and both ends are told of
// segments that fit the session.
func (l *fibreLine) connects(t *testing.T, taken <-chan net.Conn, address, prefix string) {
	t.Helper()
	for _, x := range []struct{ to, from, prefix string }{{"203.0.113.80:80", address, address + "/32"}, {"[2001:db8:ffff::80]:80", "", lanOf(prefix)}} {
		c := dial(t, l.host, x.to)
		server := <-taken
		c.says(t, strings.Repeat("0123456789abcdef", 2000))
		overhead := 40
		if x.from == "" {
			overhead = 60
		}
		if there, here := maxSegment(t, server), maxSegment(t, c.Conn); there != 1492-overhead || here != 1492-overhead {
			t.Errorf("%s: segments of %d and %d bytes, and %d fit the session", x.to, there, here, 1492-overhead)
		}
		from := netip.MustParseAddrPort(server.RemoteAddr().String()).Addr().Unmap()
		if !netip.MustParsePrefix(x.prefix).Contains(from) {
			t.Errorf("%s is called from %s, which is not of %s", x.to, from, x.prefix)
		}
		c.closes(t)
	}
}

// The router of a German fibre line dials in by PPPoE in VLAN 7. A host makes an address of what the
// provider delegates, and speaks with the Internet through the firewall in segments that fit. The
// provider ends the session, as it does each night, and gives another address and another prefix in the
// next: the host takes the old one for nothing new from then on (RFC 9096 section 3.5) and goes on with
// the new one, and nbr verify follows.
func TestGuestFibre(t *testing.T) {
	l := newFibreLine(t)
	l.green(t, "in the first session")
	l.has(t, "in the first session", map[string]bool{houseULA: false, lanOf(firstPrefix): false})
	taken := echo(t, l.internet, 80)
	l.connects(t, taken, firstAddress, firstPrefix)

	// What nothing of the house has asked for does not come in: IPv6 has no NAT that would keep it out.
	listen(t, l.host, "tcp", 8080)
	inside := ""
	for line := range strings.Lines(l.host.Run(t, "ip", "-6", "-o", "addr", "show", "dev", "eth0", "scope", "global")) {
		if f := strings.Fields(line); strings.HasPrefix(f[3], "2001:db8:8000:") {
			inside, _, _ = strings.Cut(f[3], "/")
		}
	}
	check(t, []flow{
		{"from outside", l.internet, "", "tcp", "[" + inside + "]:8080", "drop"},
		{"the session's address", l.internet, "", "tcp", firstAddress + ":8080", "drop"},
	})
	// A host that believes the router sends what fits the session from the start.
	l.host.Run(t, "sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/eth0/accept_ra_mtu")
	ip(t, l.host, "link set eth0 down\nlink set eth0 up\naddr replace 192.168.178.5/24 dev eth0\nroute replace default via 192.168.178.1\n")
	nstest.Wait(t, func() error {
		if got := strings.TrimSpace(l.host.Run(t, "sh", "-c", "cat /proc/sys/net/ipv6/conf/eth0/mtu")); got != "1492" {
			return errors.New("the host's MTU of IPv6 is " + got)
		}
		return nil
	})

	l.cuts(t)
	l.gives(t, secondAddress)
	l.takesUp(t, secondPrefix)
	l.has(t, "in the second session", map[string]bool{houseULA: false, lanOf(firstPrefix): true, lanOf(secondPrefix): false})
	l.green(t, "in the second session")
	l.connects(t, taken, secondAddress, secondPrefix)
}
