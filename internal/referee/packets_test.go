package referee_test

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A house is a router with its rules loaded, a host in its network and the Internet.
type house struct{ router, client, internet *nstest.NS }

// The Internet beyond the upstream, and who is there.
const (
	somewhere  = "203.0.113.200"
	somewhere6 = "2001:db8:ffff::9"
)

// Links are made by hand: what IfState makes of the settings is its own test.
func articleHouse(t *testing.T) house {
	t.Helper()
	g := spec(t, "bpi-r4")
	h := house{nstest.New(t, "router"), nstest.New(t, "client"), nstest.New(t, "internet")}
	sysctls(t, h.router, g)
	load(t, h.router, ruleset(t, g)) // before the links, as at boot
	nstest.Link(t, h.router, "lan1", h.client, "eth0")
	nstest.Link(t, h.router, "wan", h.internet, "eth0")
	ip(t, h.router, `
link add br-lan type bridge
link set lan1 master br-lan
link set br-lan up
addr add 192.168.178.1/24 dev br-lan
addr add 198.51.100.2/24 dev wan
route add default via 198.51.100.1
`)
	ip(t, h.client, `
addr add 192.168.178.50/24 dev eth0
addr add 192.0.2.66/32 dev lo
addr add 198.51.100.77/32 dev lo
route add default via 192.168.178.1
`)
	ip(t, h.internet, `
addr add 198.51.100.1/24 dev eth0
addr add `+somewhere+`/32 dev lo
addr add 192.168.178.77/32 dev lo
route add 192.168.178.0/24 via 198.51.100.2
`)
	return h
}

// sample are ports to probe: some of the privileged ones and those of programs that a router
// tends to have.
func sample() []int {
	list := []int{21, 22, 23, 53, 67, 68, 80, 123, 161, 179, 323, 443, 514, 546, 547, 631, 853, 1900, 5353, 8000, 8080, 9100, 51820}
	for p := 1; p <= 1024; p += 13 {
		list = append(list, p)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func without(list []int, drop ...int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(p int) bool { return slices.Contains(drop, p) })
}

func TestPacketsOfTheArticle(t *testing.T) {
	t.Parallel()
	h := articleHouse(t)
	for _, network := range []string{"tcp", "udp"} {
		listen(t, h.internet, network, 80)
		listen(t, h.client, network, 80)
		for _, port := range []int{22, 53, 67, 123, 8000} {
			listen(t, h.router, network, port)
		}
	}
	const own, wan = "192.168.178.1", "198.51.100.2"
	check(t, []flow{
		{"out, masqueraded", h.client, "", "tcp", somewhere + ":80", wan + " at internet"},
		{"out, masqueraded", h.client, "", "udp", somewhere + ":80", wan + " at internet"},
		{"the neighbour of the router", h.client, "", "tcp", "198.51.100.1:80", wan + " at internet"},
		{"an error finds its way back", h.client, "", "udp", somewhere + ":81", "refuse"},
		{"a reset finds its way back", h.client, "", "tcp", somewhere + ":81", "refuse"},
		{"the router itself", h.router, "", "tcp", somewhere + ":80", wan + " at internet"},
		{"the router itself", h.router, "", "tcp", "192.168.178.50:80", own + " at client"},

		{"in", h.internet, "", "tcp", "192.168.178.50:80", "drop"},
		{"in", h.internet, "", "udp", "192.168.178.50:80", "drop"},
		{"in, where nothing listens", h.internet, "", "tcp", "192.168.178.50:81", "drop"},
		{"in, to the router's other address", h.internet, "", "tcp", own + ":22", "drop"},

		{"ssh", h.client, "", "tcp", own + ":22", "192.168.178.50 at router"},
		{"dns", h.client, "", "udp", own + ":53", "192.168.178.50 at router"},
		{"dns", h.client, "", "tcp", own + ":53", "192.168.178.50 at router"},
		{"dhcp, a renewal", h.client, "", "udp", own + ":67", "192.168.178.50 at router"},
		{"ssh over udp", h.client, "", "udp", own + ":22", "drop"},
		{"dhcp over tcp", h.client, "", "tcp", own + ":67", "drop"},
		{"what listens and is not allowed", h.client, "", "tcp", own + ":8000", "drop"},
		{"what listens and is not allowed", h.client, "", "udp", own + ":123", "drop"},
		{"what nothing listens on", h.client, "", "udp", own + ":51820", "drop"},
	})
	t.Run("scan", func(t *testing.T) {
		var flows []flow
		for _, proto := range []string{"tcp", "udp"} {
			inside, outside := without(sample(), 53), sample()
			if proto == "tcp" {
				inside = without(inside, 22)
			} else {
				inside, outside = without(inside, 67), without(outside, 51820) // the tunnel's
			}
			flows = append(flows, ports(flow{"from lan", h.client, "", proto, own, "drop"}, inside...)...)
			flows = append(flows, ports(flow{"from wan", h.internet, "", proto, wan, "drop"}, outside...)...)
		}
		check(t, flows)
	})
	t.Run("ping", func(t *testing.T) {
		for name, f := range map[string]struct {
			from *nstest.NS
			to   string
			want bool
		}{
			"the router from lan":  {h.client, own, true},
			"the router from wan":  {h.internet, wan, true},
			"the Internet from it": {h.router, somewhere, true},
			"the Internet":         {h.client, somewhere, true},
			"a host from outside":  {h.internet, "192.168.178.50", false},
		} {
			if got := ping(t, f.from, f.to); got != f.want {
				t.Errorf("ping %s: answered is %t", name, got)
			}
		}
	})
}

// Strict source checks of RFC 3704: a source that belongs behind another interface, or nowhere
// on this one, is dropped before anything else looks at the packet.
func TestSpoofedSourcesAreDropped(t *testing.T) {
	t.Parallel()
	h := articleHouse(t)
	listen(t, h.internet, "udp", 80)
	listen(t, h.router, "udp", 53)
	for _, f := range []flow{
		{"from nowhere", h.client, "192.0.2.66", "udp", somewhere + ":80", "drop"},
		{"from the wan's network", h.client, "198.51.100.77", "udp", somewhere + ":80", "drop"},
		{"from nowhere to the router", h.client, "192.0.2.66", "udp", "192.168.178.1:53", "drop"},
		{"from the lan's network, outside", h.internet, "192.168.178.77", "udp", "198.51.100.2:80", "drop"},
	} {
		before := counted(t, h.router, "anti_spoof", "firewall")
		check(t, []flow{f})
		if n := counted(t, h.router, "anti_spoof", "firewall") - before; n != 1 {
			t.Errorf("%s: the rule has counted %d packets", f.name, n)
		}
	}
	// And an honest one is not counted.
	before := counted(t, h.router, "anti_spoof", "firewall")
	check(t, []flow{{"honest", h.client, "", "udp", somewhere + ":80", "198.51.100.2 at internet"}})
	if n := counted(t, h.router, "anti_spoof", "firewall") - before; n != 0 {
		t.Errorf("an honest packet was counted")
	}
}

func TestCountersCount(t *testing.T) {
	t.Parallel()
	h := articleHouse(t)
	listen(t, h.internet, "tcp", 80)
	listen(t, h.router, "tcp", 22)
	for _, c := range []struct {
		chain, by string
		flow      flow
		times     int
	}{
		{"forward", "policy.internet", flow{"", h.client, "", "tcp", somewhere + ":80", "198.51.100.2 at internet"}, 3},
		{"nat_out", "policy.internet", flow{"", h.client, "", "tcp", somewhere + ":80", "198.51.100.2 at internet"}, 3},
		{"input_lan", "zone.lan", flow{"", h.client, "", "tcp", "192.168.178.1:22", "192.168.178.50 at router"}, 2},
		{"input", "firewall", flow{"", h.internet, "", "udp", "198.51.100.2:99", "drop"}, 4},
		{"forward", "firewall", flow{"", h.internet, "", "udp", "192.168.178.50:99", "drop"}, 5},
	} {
		before := counted(t, h.router, c.chain, c.by)
		check(t, slices.Repeat([]flow{c.flow}, c.times))
		if got := counted(t, h.router, c.chain, c.by) - before; got != c.times {
			t.Errorf("%s of %s counts %d of %d packets", c.chain, c.by, got, c.times)
		}
	}
}

var receivedRE = regexp.MustCompile(`(\d+) received`)

// "Answer pings, at most ten a second": also those that belong to a ping that was answered.
func TestPingsAreLimited(t *testing.T) {
	t.Parallel()
	h := articleHouse(t)
	start := time.Now()
	out, _ := h.internet.Try(t, "ping", "-n", "-q", "-i0.005", "-c200", "-W0.3", "198.51.100.2")
	m := receivedRE.FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	// A burst of 20, and ten a second.
	took := time.Since(start)
	if n, _ := strconv.Atoi(m[1]); n < 20 || n > 21+int(10*took.Seconds()) {
		t.Errorf("%d of 200 pings within %v were answered", n, took)
	}
	if !ping(t, h.client, somewhere) {
		t.Error("a flood of pings to the router stops those through it")
	}
}

// Pings of the world reach hosts by IPv6, at most ten a second, unless the spec says no (RFC 4890
// section 4.3.1).
func TestPingsOfHosts(t *testing.T) {
	t.Parallel()
	h, _ := staticHouse(t)
	const host = "2001:db8:1::50"
	for !ping(t, h.internet, host) {
	}
	start := time.Now()
	out, _ := h.internet.Try(t, "ping", "-n", "-q", "-i0.005", "-c200", "-W0.3", host)
	m := receivedRE.FindStringSubmatch(out)
	if m == nil {
		t.Fatal(out)
	}
	took := time.Since(start)
	if n, _ := strconv.Atoi(m[1]); n == 0 || n > 21+int(10*took.Seconds()) {
		t.Errorf("%d of 200 pings within %v were answered", n, took)
	}
	load(t, h.router, ruleset(t, fromText(t, inline["static"]+"\nfirewall { ping_hosts = false }\n")))
	if ping(t, h.internet, host) {
		t.Error("a ping passes although the spec says no")
	}
	if !ping(t, h.client, somewhere6) {
		t.Error("the house cannot ping the world")
	}
}

// A site's own addresses stay in the site, both ways (RFC 4193 section 4.3), and those who use
// them hear of it.
func TestUniqueLocalAddressesStayInTheSite(t *testing.T) {
	t.Parallel()
	h, dmz := staticHouse(t)
	for _, ns := range []*nstest.NS{h.internet, dmz} {
		listen(t, ns, "tcp", 80)
	}
	ip(t, h.router, "addr add fd00:1::1/64 dev br-lan nodad\naddr add fd00:d::1/64 dev lan3 nodad\n")
	ip(t, h.client, "addr add fd00:1::50/64 dev eth0 nodad\n")
	ip(t, dmz, "addr add fd00:d::5/64 dev eth0 nodad\n")
	ip(t, h.internet, "addr add fd77::1/128 dev lo\nroute add fd00:d::/64 via 2001:db8:f::2\nroute add fd00:1::/64 via 2001:db8:f::2\n")
	for !ping(t, h.client, somewhere6) || !ping(t, h.internet, "2001:db8:d::5") {
	}
	const out6 = "[" + somewhere6 + "]"
	check(t, []flow{
		{"within the site", h.client, "fd00:1::50", "tcp", "[fd00:d::5]:80", "fd00:1::50 at dmz"},
		{"out, from the world's address", h.client, "2001:db8:1::50", "tcp", out6 + ":80", "2001:db8:1::50 at internet"},
		{"out", h.client, "fd00:1::50", "tcp", out6 + ":80", "error"},
		{"to another site", h.client, "2001:db8:1::50", "tcp", "[fd77::1]:80", "error"},
		{"in, from another site", h.internet, "fd77::1", "tcp", "[2001:db8:d::5]:80", "drop"},
		{"in, to this site", h.internet, "2001:db8:f::1", "tcp", "[fd00:d::5]:80", "drop"},
		{"in", h.internet, "2001:db8:f::1", "tcp", "[2001:db8:d::5]:80", "2001:db8:f::1 at dmz"},
	})
	if ping(t, h.internet, "-I", "fd77::1", "2001:db8:f::2") {
		t.Error("the router answers another site")
	}
	// "unless they are explicitly configured": an upstream that leads to another site.
	routed := fromText(t, strings.Replace(inline["static"], "\nroute \"branch\"", "\nroute \"site\" {\n  to  = \"fd77::/64\"\n  via = \"2001:db8:f::1\"\n}\nroute \"branch\"", 1))
	load(t, h.router, ruleset(t, routed))
	check(t, []flow{
		{"to a site that the spec knows", h.client, "2001:db8:1::50", "tcp", "[fd77::1]:80", "2001:db8:1::50 at internet"},
		{"to one that it does not", h.client, "2001:db8:1::50", "tcp", "[fd78::1]:80", "error"},
	})
}

// behind counts what the input chain lets in for the DHCP client.
const behind = `
table inet behind {
  chain input {
    type filter hook input priority filter + 10
    udp dport 68 counter comment "let in"
  }
}
`

// What a server sends to the client's port comes over IPv4 and to the router's own address; an
// answer by broadcast the client reads from a packet socket.
func TestAnswersToTheDHCPClient(t *testing.T) {
	t.Parallel()
	h := articleHouse(t)
	load(t, h.router, behind)
	ip(t, h.router, "addr add 2001:db8:f::2/64 dev wan nodad\n")
	ip(t, h.internet, "addr add 2001:db8:f::1/64 dev eth0 nodad\n")
	send := func(network, to string) {
		t.Helper()
		err := within(h.internet, func() error {
			dialer := net.Dialer{LocalAddr: &net.UDPAddr{Port: 67}, Control: func(_, _ string, raw syscall.RawConn) (err error) {
				cerr := raw.Control(func(fd uintptr) {
					err = errors.Join(unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_BROADCAST, 1), unix.BindToDevice(int(fd), "eth0"))
				})
				return errors.Join(cerr, err)
			}}
			c, err := dialer.Dial(network, to)
			if err != nil {
				return err
			}
			defer c.Close()
			_, err = c.Write([]byte("x"))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	dropped := counted(t, h.router, "input", "firewall")
	send("udp4", "255.255.255.255:68")
	send("udp4", "198.51.100.255:68")
	send("udp6", "[2001:db8:f::2]:68")
	for counted(t, h.router, "input", "firewall")-dropped < 3 && letIn(t, h.router) == 0 {
	}
	if n := letIn(t, h.router); n != 0 {
		t.Errorf("%d of three packets came in that are nothing for the client", n)
	}
	send("udp4", "198.51.100.2:68")
	for letIn(t, h.router) == 0 {
	}
}

func letIn(t *testing.T, ns *nstest.NS) int {
	t.Helper()
	return comments(t, ns.Run(t, "nft", "-j", "list", "table", "inet", "behind"))["let in"]
}

// staticHouse is the spec with fixed addresses of both protocols, and a host in its dmz.
func staticHouse(t *testing.T) (h house, dmz *nstest.NS) {
	t.Helper()
	g := spec(t, "static")
	h = house{nstest.New(t, "router"), nstest.New(t, "client"), nstest.New(t, "internet")}
	dmz = nstest.New(t, "dmz")
	sysctls(t, h.router, g)
	load(t, h.router, ruleset(t, g))
	nstest.Link(t, h.router, "lan1", h.client, "eth0")
	nstest.Link(t, h.router, "lan3", dmz, "eth0")
	nstest.Link(t, h.router, "wan", h.internet, "eth0")
	ip(t, h.router, `
link add br-lan type bridge
link set lan1 master br-lan
link set br-lan up
addr add 10.1.0.1/24 dev br-lan
addr add 2001:db8:1::1/64 dev br-lan
addr add 203.0.113.1/28 dev lan3
addr add 2001:db8:d::1/64 dev lan3
addr add 198.51.100.2/24 dev wan
addr add 2001:db8:f::2/64 dev wan
route add default via 198.51.100.1
route add default via 2001:db8:f::1
`)
	// Also the host that ports are forwarded to.
	ip(t, h.client, `
addr add 10.1.0.50/24 dev eth0
addr add 10.1.0.10/24 dev eth0
addr add 2001:db8:1::50/64 dev eth0
addr add 2001:db8:77::1/128 dev lo
route add default via 10.1.0.1
route add default via 2001:db8:1::1
`)
	ip(t, dmz, `
addr add 203.0.113.5/28 dev eth0
addr add 2001:db8:d::5/64 dev eth0
route add default via 203.0.113.1
route add default via 2001:db8:d::1
`)
	ip(t, h.internet, `
addr add 198.51.100.1/24 dev eth0
addr add 2001:db8:f::1/64 dev eth0
addr add `+somewhere+`/32 dev lo
addr add `+somewhere6+`/128 dev lo
route add 10.1.0.0/24 via 198.51.100.2
route add 203.0.113.0/28 via 198.51.100.2
route add 2001:db8:1::/64 via 2001:db8:f::2
route add 2001:db8:d::/64 via 2001:db8:f::2
`)
	return h, dmz
}

func TestPacketsOfPoliciesAndForwards(t *testing.T) {
	t.Parallel()
	h, dmz := staticHouse(t)
	for _, port := range []int{22, 25, 53, 80, 443, 5000, 5003, 5010, 5011, 6000, 6015, 8080} {
		for _, network := range []string{"tcp", "udp"} {
			for _, ns := range []*nstest.NS{h.client, h.internet, dmz} {
				listen(t, ns, network, port)
			}
		}
	}
	const client, client6 = "10.1.0.50", "2001:db8:1::50"
	const own, wan, wan6 = "10.1.0.1", "198.51.100.2", "2001:db8:f::2"
	const out, out6 = somewhere, "[" + somewhere6 + "]"
	check(t, []flow{
		{"mail is refused", h.client, "", "tcp", out + ":25", "refuse"},
		{"mail is refused", h.client, "", "tcp", out6 + ":25", "refuse"},
		{"mail over udp is something else", h.client, "", "udp", out + ":25", client + " at internet"},
		{"games are dropped", h.client, "", "tcp", out + ":6000", "drop"},
		{"games are dropped", h.client, "", "udp", out + ":6015", "drop"},
		{"games are dropped", h.client, "", "udp", out6 + ":6015", "drop"},
		{"tcp is masqueraded", h.client, "", "tcp", out + ":80", wan + " at internet"},
		{"udp is not", h.client, "", "udp", out + ":80", client + " at internet"},
		{"IPv6 never is", h.client, "", "tcp", out6 + ":80", client6 + " at internet"},
		{"IPv6 never is", h.client, "", "udp", out6 + ":80", client6 + " at internet"},

		{"lan to dmz", h.client, "", "tcp", "203.0.113.5:22", client + " at dmz"},
		{"lan to dmz", h.client, "", "tcp", "[2001:db8:d::5]:22", client6 + " at dmz"},
		{"dmz out", dmz, "", "tcp", out + ":443", "203.0.113.5 at internet"},
		{"dmz to lan", dmz, "", "tcp", client + ":22", "drop"},
		{"dmz to lan", dmz, "", "tcp", "[" + client6 + "]:22", "drop"},
		{"dmz to the router", dmz, "", "tcp", "203.0.113.1:22", "drop"},

		{"wan to lan", h.internet, "", "tcp", client + ":80", "drop"},
		{"wan to lan", h.internet, "", "tcp", "[" + client6 + "]:80", "drop"},
		{"wan to lan", h.internet, "", "udp", "[" + client6 + "]:53", "drop"},
		{"wan to dmz, published", h.internet, "", "tcp", "203.0.113.5:80", "198.51.100.1 at dmz"},
		{"wan to dmz, published", h.internet, "", "tcp", "[2001:db8:d::5]:80", "2001:db8:f::1 at dmz"},
		{"wan to dmz, not published", h.internet, "", "tcp", "203.0.113.5:443", "drop"},
		{"wan to dmz, not published", h.internet, "", "udp", "[2001:db8:d::5]:80", "drop"},
		{"wan to dmz, a port that is forwarded", h.internet, "", "tcp", "203.0.113.5:8080", "drop"},
		{"wan to the router", h.internet, "", "tcp", wan + ":22", "drop"},
		{"wan to the router", h.internet, "", "tcp", "[" + wan6 + "]:22", "drop"},

		{"forwarded to the same port", h.internet, "", "tcp", wan + ":8080", "198.51.100.1 at client"},
		{"forwarded to another port", h.internet, "", "tcp", wan + ":2222", "198.51.100.1 at client"},
		{"forwarded, first of a range", h.internet, "", "udp", wan + ":5000", "198.51.100.1 at client"},
		{"forwarded, in a range", h.internet, "", "udp", wan + ":5003", "198.51.100.1 at client"},
		{"forwarded, last of a range", h.internet, "", "udp", wan + ":5010", "198.51.100.1 at client"},
		{"beyond the range", h.internet, "", "udp", wan + ":5011", "drop"},
		{"not the forwarded protocol", h.internet, "", "tcp", wan + ":5003", "drop"},
		{"not from its zone", h.client, "", "tcp", wan + ":8080", "drop"},
		{"not from its zone", dmz, "", "tcp", wan + ":8080", "drop"},
		{"the forwarded host directly", h.internet, "", "tcp", "10.1.0.10:8080", "drop"},

		{"a spoofed source", h.client, "2001:db8:77::1", "udp", out6 + ":80", "drop"},
	})
	t.Run("ping", func(t *testing.T) {
		for name, f := range map[string]struct {
			from *nstest.NS
			to   string
			want bool
		}{
			"the router's wan":  {h.internet, wan6, true},
			"the router's lan":  {h.client, "2001:db8:1::1", true},
			"the Internet":      {h.client, somewhere6, true},
			"dmz, published":    {h.internet, "2001:db8:d::5", true},
			"dmz, published v4": {h.internet, "203.0.113.5", true},
			"lan":               {h.internet, client6, true},
			"lan v4":            {h.internet, client, false},
			"lan, from the dmz": {dmz, client6, false},
		} {
			if got := ping(t, f.from, f.to); got != f.want {
				t.Errorf("%s: answered is %t", name, got)
			}
		}
	})
	if n := counted(t, h.router, "anti_spoof", "firewall"); n != 1 {
		t.Errorf("anti_spoof has counted %d packets, one was spoofed", n)
	}
}

// Zones keep each other's packets, whatever makes the interface: here a cable stands for each
// VLAN, which this kernel cannot make.
func TestPacketsBetweenZones(t *testing.T) {
	t.Parallel()
	g := spec(t, "vlans")
	router, internet := nstest.New(t, "router"), nstest.New(t, "internet")
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	room := map[string]*nstest.NS{}
	for name, id := range map[string]int{"office": 10, "guests": 20, "things": 30} {
		room[name] = nstest.New(t, name)
		nstest.Link(t, router, fmt.Sprintf("v%d", id), room[name], "eth0")
		ip(t, router, fmt.Sprintf("addr add 10.0.%[1]d.1/24 dev v%[1]d\naddr add fd00:0:0:%[1]d::1/64 dev v%[1]d\n", id))
		ip(t, room[name], fmt.Sprintf("addr add 10.0.%[1]d.5/24 dev eth0\nroute add default via 10.0.%[1]d.1\naddr add fd00:0:0:%[1]d::5/64 dev eth0\nroute add default via fd00:0:0:%[1]d::1\n", id))
		for _, port := range []int{80, 443, 8005} {
			listen(t, room[name], "tcp", port)
			listen(t, room[name], "udp", port)
		}
	}
	nstest.Link(t, router, "wan", internet, "eth0")
	ip(t, router, "addr add 198.51.100.2/24 dev wan\nroute add default via 198.51.100.1\n")
	ip(t, internet, "addr add 198.51.100.1/24 dev eth0\nroute add default via 198.51.100.2\n")
	listen(t, internet, "tcp", 443)
	for _, port := range []int{22, 53, 67, 123} {
		listen(t, router, "tcp", port)
		listen(t, router, "udp", port)
	}
	office, guests, things := room["office"], room["guests"], room["things"]
	check(t, []flow{
		{"office out", office, "", "tcp", "198.51.100.1:443", "198.51.100.2 at internet"},
		{"guests out", guests, "", "tcp", "198.51.100.1:443", "198.51.100.2 at internet"},
		{"office to things", office, "", "tcp", "10.0.30.5:80", "10.0.10.5 at things"},
		{"office to things", office, "", "tcp", "10.0.30.5:8005", "10.0.10.5 at things"},
		{"office to things", office, "", "tcp", "[fd00:0:0:30::5]:443", "fd00:0:0:10::5 at things"},
		{"office to things, another port", office, "", "tcp", "10.0.30.5:22", "drop"},
		{"office to things, another protocol", office, "", "udp", "10.0.30.5:80", "drop"},
		{"things to office", things, "", "tcp", "10.0.10.5:80", "drop"},
		{"guests to office", guests, "", "tcp", "10.0.10.5:80", "drop"},
		{"guests to office", guests, "", "tcp", "[fd00:0:0:10::5]:80", "drop"},
		{"guests to things", guests, "", "udp", "10.0.30.5:80", "drop"},
		{"internet to guests", internet, "", "tcp", "10.0.20.5:80", "drop"},

		{"ssh from the office", office, "", "tcp", "10.0.10.1:22", "10.0.10.5 at router"},
		{"ssh from guests", guests, "", "tcp", "10.0.20.1:22", "drop"},
		{"ssh from guests, by the office's address", guests, "", "tcp", "10.0.10.1:22", "drop"},
		{"dns for guests", guests, "", "udp", "10.0.20.1:53", "10.0.20.5 at router"},
		{"dns for things", things, "", "tcp", "[fd00:0:0:30::1]:53", "fd00:0:0:30::5 at router"},
		{"dhcp for guests", guests, "", "udp", "10.0.20.1:67", "10.0.20.5 at router"},
		{"time for the office", office, "", "udp", "10.0.10.1:123", "10.0.10.5 at router"},
		{"time for guests", guests, "", "udp", "10.0.20.1:123", "drop"},
		{"dns for the internet", internet, "", "udp", "198.51.100.2:53", "drop"},
	})
	if !ping(t, office, "10.0.30.5") || ping(t, things, "10.0.10.5") {
		t.Error("pings do not pass as the policy says")
	}
}
