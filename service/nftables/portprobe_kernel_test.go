package nftables

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/observe/host"
	"github.com/nbr-dev/nbr/verify/observe/inject"
	"github.com/nbr-dev/nbr/verify/observe/sockets"
	"github.com/nbr-dev/nbr/verify/probe"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// acceptAll takes connections on a port of all addresses, of both versions of IP, and says nothing.
func acceptAll(t *testing.T, port string) {
	t.Helper()
	l, err := net.Listen("tcp", ":"+port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
}

// upstream gives this machine a wan with addresses of both versions of IP, whose gateway is another
// machine: for IPv6 by its link-local address, as an advertisement would say it.
func upstream(t *testing.T) *nstest.NS {
	t.Helper()
	isp := nstest.Upstream(t)
	isp.Run(t, "ip", "addr", "add", gateway6+"/64", "dev", "eth0", "nodad")
	nstest.Run(t, "addr add 2001:db8:f::2/64 dev wan nodad\nroute add default via "+gateway6+" dev wan\n", "ip", "-6", "-batch", "-")
	return isp
}

const gateway6 = "fe80::1"

// port reads what remotePort writes.
func port(t testing.TB, text string) remotePort {
	t.Helper()
	link, rest, _ := strings.Cut(text, " ")
	rest, six := strings.CutSuffix(rest, " ipv6")
	family := map[bool]router.Family{false: router.IPv4, true: router.IPv6}[six]
	protocol, number, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return remotePort{link, map[string]router.IPProtocol{"tcp": router.TCP, "udp": router.UDP}[protocol], uint16(n), family, 0}
}

// probed probes ports and returns the answers, or the errors.
func probed(t *testing.T, names ...string) map[string]string {
	t.Helper()
	var ports []remotePort
	for _, n := range names {
		ports = append(ports, port(t, n))
	}
	out := map[string]string{}
	for q, a := range probetest.Ask(t, replyOf, ports...) {
		text, err := q.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		name := string(text)
		out[name] = said(a)
		if a.Answer.Answered != (a.Answer.Answer != "") {
			t.Errorf("%s: %+v", name, a)
		}
	}
	return out
}

// said is an answer in words.
func said(a probetest.Answer[reply]) string {
	switch {
	case a.Error != "":
		return "error: " + a.Error
	case a.Answer.Leaves != "":
		return "answers leave on " + a.Answer.Leaves
	case a.Answer.NoWay != "":
		return a.Answer.NoWay
	case a.Answer.Answered:
		return a.Answer.Answer
	}
	return "silence"
}

// watched is this machine, with something that happens at a certain point of a probe.
type watched struct {
	probe.Host
	mark   uint32 // of what the port is asked
	silent func() // nothing was heard for as long as silence takes
	again  func() // the probe sends once more, to a gateway that has been silent
}

func (w watched) Exchange(ctx context.Context, x probe.Exchange) (bool, error) {
	if w.again != nil && x.Wait == gateway {
		w.again()
	}
	return inject.Exchange(ctx, x, func(ctx context.Context, link int, to probe.Socket, hear func(time.Duration) (bool, error)) error {
		if w.silent != nil {
			w.silent()
		}
		return sockets.Attend(ctx, "", link, to, hear)
	})
}

// asks probes one port of a machine that is watched.
func asks(t *testing.T, name string, w watched) string {
	t.Helper()
	w.Host = host.New(t.Context(), "", false)
	q := port(t, name)
	q.Mark = w.mark
	r, err := probePort(t.Context(), w, q)
	a := probetest.Answer[reply]{Answer: r}
	if err != nil {
		a.Error = err.Error()
	}
	return said(a)
}

func wantProbed(t *testing.T, want map[string]string) {
	t.Helper()
	if d := cmp.Diff(want, probed(t, slices.Collect(maps.Keys(want))...)); d != "" {
		t.Error(d)
	}
}

// Without rules, all ports answer, each in its own way; and the answers are all that is
// transmitted.
func TestPortProbeWithoutRules(t *testing.T) {
	isp := upstream(t)
	acceptAll(t, "8022")
	if !nstest.Privileged(t) {
		if got := probed(t, "wan tcp/8022")["wan tcp/8022"]; !strings.HasPrefix(got, "error: no permission") {
			t.Error(got)
		}
		return
	}
	transmitted := probetest.Tap(t, isp, "wan")
	wantProbed(t, map[string]string{
		"wan tcp/8022": "SYN-ACK", "wan tcp/8022 ipv6": "SYN-ACK",
		"wan tcp/8023": "RST", "wan tcp/8023 ipv6": "RST",
		"wan udp/53": "ICMP port unreachable", "wan udp/53 ipv6": "ICMPv6 port unreachable",
		"wan udp/123": "ICMP port unreachable", "wan udp/123 ipv6": "ICMPv6 port unreachable",
		"wan udp/5351": "ICMP port unreachable", "wan udp/5351 ipv6": "ICMPv6 port unreachable",
	})
	seen := transmitted()
	for _, answer := range []string{"IP 100.64.0.2.8022 > 198.51.100.", "IP6 2001:db8:f::2.8022 > 3fff:"} {
		if !strings.Contains(seen, answer) {
			t.Errorf("%s is not among what is transmitted:\n%s", answer, seen)
		}
	}
	for _, question := range []string{"IP 198.51.100.", "IP6 3fff:"} {
		if strings.Contains(seen, question) {
			t.Errorf("transmitted:\n%s", seen)
		}
	}
	// A remote host's SYN leaves no half of a connection.
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) { // 8022 and a state that is not LISTEN (proc_net_tcp of net/ipv4/tcp_ipv4.c)
			if f := strings.Fields(line); len(f) > 3 && strings.HasSuffix(f[1], ":1F56") && f[3] != "0A" {
				t.Errorf("there still is %s", line)
			}
		}
	}
}

func TestPortProbeThroughRules(t *testing.T) {
	upstream(t)
	acceptAll(t, "8022")
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	t.Run("drop", func(t *testing.T) {
		nstest.Filter(t, "drop", "tcp dport 8024 accept\n"+discovery)
		wantProbed(t, map[string]string{
			"wan tcp/8022": "silence", "wan tcp/8023": "silence", "wan udp/53": "silence", "wan udp/123": "silence",
			"wan tcp/8024":      "RST",
			"wan tcp/8022 ipv6": "silence", "wan udp/53 ipv6": "silence",
			"wan tcp/8024 ipv6": "RST",
		})
	})
	t.Run("open over IPv6 alone", func(t *testing.T) {
		nstest.Filter(t, "drop", "meta nfproto ipv6 accept")
		wantProbed(t, map[string]string{
			"wan tcp/8022": "silence", "wan tcp/8022 ipv6": "SYN-ACK",
			"wan udp/53": "silence", "wan udp/53 ipv6": "ICMPv6 port unreachable",
		})
	})
	t.Run("open over IPv4 alone", func(t *testing.T) {
		nstest.Filter(t, "drop", "meta nfproto ipv4 accept\n"+discovery)
		wantProbed(t, map[string]string{"wan tcp/8022": "SYN-ACK", "wan tcp/8022 ipv6": "silence"})
	})
	t.Run("drop at the link", func(t *testing.T) {
		nstest.Run(t, "table netdev reach {\nchain in {\ntype filter hook ingress device \"wan\" priority 0; policy accept;\ntcp dport 8022 drop\n}\n}\n", "nft", "-f", "-")
		t.Cleanup(func() { nstest.Run(t, "", "nft", "delete", "table", "netdev", "reach") })
		wantProbed(t, map[string]string{
			"wan tcp/8022": "silence", "wan tcp/8023": "RST",
			"wan tcp/8022 ipv6": "silence", "wan tcp/8023 ipv6": "RST",
		})
	})
	t.Run("reject", func(t *testing.T) {
		nstest.Filter(t, "drop", `tcp dport 8022 reject with tcp reset
tcp dport 8023 reject with icmpx admin-prohibited
udp dport 53 reject
meta nfproto ipv4 udp dport 123 reject with icmp host-unreachable
meta nfproto ipv6 udp dport 123 reject with icmpv6 addr-unreachable
`+discovery)
		wantProbed(t, map[string]string{
			"wan tcp/8022": "RST", "wan tcp/8023": "ICMP administratively prohibited",
			"wan udp/53": "ICMP port unreachable", "wan udp/123": "ICMP host unreachable",
			"wan tcp/8022 ipv6": "RST", "wan tcp/8023 ipv6": "ICMPv6 administratively prohibited",
			"wan udp/53 ipv6": "ICMPv6 port unreachable", "wan udp/123 ipv6": "ICMPv6 address unreachable",
		})
	})
	t.Run("on another port", func(t *testing.T) {
		nstest.Run(t, "table inet reach {\nchain in {\ntype nat hook prerouting priority dstnat; policy accept;\niif \"wan\" tcp dport 2222 redirect to :8022\n}\n}\n", "nft", "-f", "-")
		t.Cleanup(func() { nstest.Run(t, "", "nft", "delete", "table", "inet", "reach") })
		wantProbed(t, map[string]string{"wan tcp/2222": "SYN-ACK", "wan tcp/2222 ipv6": "SYN-ACK"})
	})
}

// An answer that cannot leave is not a port that is closed.
func TestPortProbeWithoutAWayBack(t *testing.T) {
	isp := nstest.Upstream(t)
	acceptAll(t, "8022")
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	t.Run("a gateway that is not there", func(t *testing.T) {
		isp.Run(t, "ip", "addr", "del", "100.64.0.1/24", "dev", "eth0")
		nstest.Run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
		wantProbed(t, map[string]string{"wan tcp/8022": "error: 100.64.0.1, to which answers go, does not say its MAC address, so no answer could leave"})
	})
	t.Run("a gateway that is not there, and nothing to send", func(t *testing.T) {
		nstest.Filter(t, "drop", "")
		nstest.Run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
		wantProbed(t, map[string]string{"wan tcp/8022": "silence"})
	})
	t.Run("a gateway that was not there before, and nothing to send", func(t *testing.T) {
		failed(t, "100.64.0.1")
		wantProbed(t, map[string]string{"wan tcp/8022": "error: 100.64.0.1, to which answers go, does not say its MAC address, so no answer could leave"})
		failed(t, "100.64.0.1")
		nstest.Filter(t, "drop", "")
		wantProbed(t, map[string]string{"wan tcp/8022": "silence"})
	})
	t.Run("a gateway that comes late", func(t *testing.T) {
		nstest.Wait(t, func() error { // again, should it come too late
			nstest.Run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
			got := asks(t, "wan tcp/8022", watched{again: func() { isp.Run(t, "ip", "addr", "add", "100.64.0.1/24", "dev", "eth0") }})
			if got != "SYN-ACK" {
				isp.Run(t, "ip", "addr", "del", "100.64.0.1/24", "dev", "eth0")
				return errors.New(got)
			}
			return nil
		})
	})
	t.Run("an uplink in a network for documentation", func(t *testing.T) {
		nstest.IP(t, "addr add 198.51.100.2/24 dev wan\n", "addr del 198.51.100.2/24 dev wan\n")
		wantProbed(t, map[string]string{"wan tcp/8022": "SYN-ACK"})
	})
	t.Run("another way out", func(t *testing.T) {
		other := nstest.New(t, "other")
		nstest.Link(t, new(nstest.NS), "wan2", other, "eth0")
		other.Run(t, "ip", "addr", "add", "100.65.0.1/24", "dev", "eth0")
		nstest.IP(t, "addr add 100.65.0.2/24 dev wan2\nroute replace default via 100.65.0.1\n", "route replace default via 100.64.0.1 dev wan\n")
		new(nstest.NS).Carrier(t, "wan2")
		wantProbed(t, map[string]string{"wan tcp/8022": "SYN-ACK"})
		nstest.Filter(t, "drop", "")
		wantProbed(t, map[string]string{"wan tcp/8022": "answers leave on wan2"})
		nstest.IP(t, "rule add fwmark 2 lookup 7\nroute add default via 100.64.0.1 dev wan table 7\n", "rule del fwmark 2 lookup 7\nroute flush table 7\n")
		if got := asks(t, "wan tcp/8022", watched{mark: 2}); got != "silence" {
			t.Error(got)
		}
	})
	t.Run("a line on which all hosts are near", func(t *testing.T) {
		nstest.IP(t, "route replace default dev wan\n", "route replace default via 100.64.0.1 dev wan\n")
		got := probed(t, "wan tcp/8022")["wan tcp/8022"]
		if !strings.HasPrefix(got, "error: 198.51.100.") || !strings.HasSuffix(got, "does not say its MAC address, so no answer could leave") {
			t.Error(got)
		}
		isp.Run(t, "sh", "-c", "ip route add 198.51.100.0/24 dev lo; echo 1 >/proc/sys/net/ipv4/conf/eth0/proxy_arp; echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/neigh/eth0/proxy_delay")
		wantProbed(t, map[string]string{"wan tcp/8022": "SYN-ACK"})
	})
	t.Run("no route", func(t *testing.T) {
		nstest.IP(t, "route del default\n", "route add default via 100.64.0.1\n")
		got := probed(t, "wan tcp/8022")["wan tcp/8022"]
		if !strings.HasPrefix(got, "no way back to a remote host: to 198.51.100.0/24: network is unreachable") {
			t.Error(got)
		}
	})
	t.Run("a route into nothing", func(t *testing.T) {
		nstest.IP(t, "route del default\nroute add blackhole default\n", "route del blackhole default\nroute add default via 100.64.0.1\n")
		if got := probed(t, "wan tcp/8022")["wan tcp/8022"]; !strings.HasPrefix(got, "no way back to a remote host: ") {
			t.Error(got)
		}
	})
	t.Run("no address", func(t *testing.T) {
		nstest.IP(t, "tuntap add bare mode tap\nlink add bare0 type veth peer name bare1\nlink set bare0 up\nlink set bare1 up\n", "link del bare\nlink del bare0\n")
		new(nstest.NS).Carrier(t, "bare0")
		wantProbed(t, map[string]string{"bare0 tcp/22": "error: bare0 has no IPv4 address"})
	})
	t.Run("a cable that is out", func(t *testing.T) {
		isp.Run(t, "ip", "link", "set", "eth0", "down")
		wantProbed(t, map[string]string{"wan tcp/8022": "error: wan has no carrier: no answer could leave on it"})
	})
}

// failed has the kernel ask for a gateway's MAC address on wan, until it gives up.
func failed(t *testing.T, gateway string) {
	t.Helper()
	nstest.Run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
	nstest.Wait(t, func() error {
		c, err := net.Dial("udp", net.JoinHostPort(map[bool]string{true: "3fff::9", false: "198.51.100.9"}[gateway == gateway6], "9"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		text := new(nstest.NS).Run(t, "ip", "neigh", "show", "to", gateway, "dev", "wan")
		if strings.Contains(text, "FAILED") {
			return nil
		}
		if text == "" {
			_, _ = c.Write([]byte("x"))
		}
		return errors.New(text)
	})
}

// The same of IPv6, whose gateway is known by a link-local address, and whose own address may be on
// another link.
func TestPortProbeWithoutAWayBackOverIPv6(t *testing.T) {
	isp := upstream(t)
	acceptAll(t, "8022")
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	const asked = "wan tcp/8022 ipv6"
	t.Run("a gateway that is not there", func(t *testing.T) {
		isp.Run(t, "ip", "addr", "del", gateway6+"/64", "dev", "eth0")
		nstest.Run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
		wantProbed(t, map[string]string{asked: "error: fe80::1, to which answers go, does not say its MAC address, so no answer could leave"})
	})
	t.Run("a gateway that is not there, and nothing to send", func(t *testing.T) {
		nstest.Filter(t, "drop", discovery)
		nstest.Run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
		wantProbed(t, map[string]string{asked: "silence"})
	})
	t.Run("a gateway that was not there before, and nothing to send", func(t *testing.T) {
		failed(t, gateway6)
		wantProbed(t, map[string]string{asked: "error: fe80::1, to which answers go, does not say its MAC address, so no answer could leave"})
		failed(t, gateway6)
		nstest.Filter(t, "drop", discovery)
		wantProbed(t, map[string]string{asked: "silence"})
	})
	t.Run("a gateway that comes late", func(t *testing.T) {
		nstest.Wait(t, func() error { // again, should it come too late
			nstest.Run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
			got := asks(t, asked, watched{again: func() { isp.Run(t, "ip", "addr", "add", gateway6+"/64", "dev", "eth0", "nodad") }})
			if got != "SYN-ACK" {
				isp.Run(t, "ip", "addr", "del", gateway6+"/64", "dev", "eth0")
				return errors.New(got)
			}
			return nil
		})
	})
	t.Run("a delegated prefix and no address on the link", func(t *testing.T) {
		nstest.IP(t, `addr del 2001:db8:f::2/64 dev wan
addr add fd00:1::1/64 dev wan nodad
link add lan type bridge
link set lan up
addr add fd00:2::1/64 dev lan nodad
addr add 2001:db8:8000::1/64 dev lan nodad
`, "link del lan\naddr del fd00:1::1/64 dev wan\naddr add 2001:db8:f::2/64 dev wan nodad\n")
		wantOwn(t, "2001:db8:8000::1")
		wantProbed(t, map[string]string{asked: "SYN-ACK"})
		nstest.Filter(t, "drop", discovery)
		wantProbed(t, map[string]string{asked: "silence"})
	})
	t.Run("an address that stays", func(t *testing.T) {
		nstest.IP(t, `addr del 2001:db8:f::2/64 dev wan
addr add 2001:db8:f::4/64 dev wan nodad
addr add 2001:db8:f::3/64 dev wan nodad preferred_lft 0
addr add fd00:1::1/64 dev wan nodad
`, `addr del fd00:1::1/64 dev wan
addr del 2001:db8:f::3/64 dev wan
addr del 2001:db8:f::4/64 dev wan
addr add 2001:db8:f::2/64 dev wan nodad
`)
		wantOwn(t, "2001:db8:f::4")
		wantProbed(t, map[string]string{asked: "SYN-ACK"})
	})
	t.Run("a unique local address and no other", func(t *testing.T) {
		nstest.IP(t, "addr del 2001:db8:f::2/64 dev wan\naddr add fd00:1::1/64 dev wan nodad\n", "addr del fd00:1::1/64 dev wan\naddr add 2001:db8:f::2/64 dev wan nodad\n")
		wantProbed(t, map[string]string{asked: "SYN-ACK"})
	})
	t.Run("no address", func(t *testing.T) {
		nstest.IP(t, "addr del 2001:db8:f::2/64 dev wan\n", "addr add 2001:db8:f::2/64 dev wan nodad\n")
		wantProbed(t, map[string]string{asked: "error: neither wan nor another link has an IPv6 address that a remote host could send to"})
	})
	t.Run("a house in a network for documentation", func(t *testing.T) {
		nstest.IP(t, "route add unreachable 3fff::/20\n", "route del unreachable 3fff::/20\n")
		wantProbed(t, map[string]string{asked: "SYN-ACK"})
	})
	t.Run("another way out", func(t *testing.T) {
		other := nstest.New(t, "other")
		nstest.Link(t, new(nstest.NS), "wan2", other, "eth0")
		other.Run(t, "ip", "addr", "add", gateway6+"/64", "dev", "eth0", "nodad")
		new(nstest.NS).Carrier(t, "wan2")
		nstest.IP(t, "route replace ::/0 via fe80::1 dev wan2\n", "route replace ::/0 via fe80::1 dev wan\n")
		wantProbed(t, map[string]string{asked: "SYN-ACK"})
		nstest.Filter(t, "drop", discovery)
		wantProbed(t, map[string]string{asked: "answers leave on wan2"})
		// The flows of an uplink that is not preferred have its routes.
		nstest.Run(t, "rule add fwmark 2 lookup 7\nroute add ::/0 via fe80::1 dev wan table 7\n", "ip", "-6", "-batch", "-")
		t.Cleanup(func() {
			nstest.Run(t, "rule del fwmark 2 lookup 7\nroute flush table 7\n", "ip", "-6", "-batch", "-")
		})
		if got := asks(t, asked, watched{mark: 2}); got != "silence" {
			t.Error(got)
		}
	})
	t.Run("no route", func(t *testing.T) {
		nstest.IP(t, "route del ::/0\n", "route add ::/0 via fe80::1 dev wan\n")
		if got := probed(t, asked)[asked]; !strings.HasPrefix(got, "no way back to a remote host: to 3fff::/20: ") {
			t.Error(got)
		}
	})
	t.Run("a route into nothing", func(t *testing.T) {
		for _, kind := range []string{"unreachable", "blackhole", "prohibit"} {
			nstest.Run(t, "route del ::/0\nroute add "+kind+" ::/0\n", "ip", "-batch", "-")
			got := probed(t, asked)[asked]
			nstest.Run(t, "route del ::/0\nroute add ::/0 via fe80::1 dev wan\n", "ip", "-batch", "-")
			if !strings.HasPrefix(got, "no way back to a remote host: to 3fff::/20: ") {
				t.Errorf("%s: %s", kind, got)
			}
		}
	})
	t.Run("a cable that is out", func(t *testing.T) {
		isp.Run(t, "ip", "link", "set", "eth0", "down")
		wantProbed(t, map[string]string{asked: "error: wan has no carrier: no answer could leave on it"})
	})
}

// wantOwn says which of this machine's addresses a remote host behind wan is to ask over IPv6.
func wantOwn(t *testing.T, want string) {
	t.Helper()
	way, err := inject.Way("wan", 0, netip.MustParseAddr("3fff::1"))
	if err != nil || way.From.String() != want {
		t.Errorf("%s, %v, want %s", way.From, err, want)
	}
}

// A link without Ethernet, as of PPP, has no neighbours either.
func TestPortProbeOnATunnel(t *testing.T) {
	nstest.Require(t)
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	acceptAll(t, "8022")
	f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	req, err := unix.NewIfreq("tun9")
	if err != nil {
		t.Fatal(err)
	}
	req.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(int(f.Fd()), unix.TUNSETIFF, req); err != nil {
		t.Fatal(err)
	}
	nstest.Run(t, "addr add 100.66.0.2 peer 100.66.0.1/32 dev tun9\nlink set tun9 up\nroute add default dev tun9\naddr add 2001:db8:66::2/64 dev tun9 nodad\nroute add ::/0 via fe80::1 dev tun9\n", "ip", "-batch", "-")
	nstest.Wait(t, func() error {
		if text := new(nstest.NS).Run(t, "ip", "-o", "link", "show", "tun9"); !strings.Contains(text, "LOWER_UP") {
			return errors.New(text)
		}
		return nil
	})
	wantProbed(t, map[string]string{
		"tun9 tcp/8022": "SYN-ACK", "tun9 tcp/8023": "RST",
		"tun9 tcp/8022 ipv6": "SYN-ACK", "tun9 tcp/8023 ipv6": "RST",
	})
	nstest.Filter(t, "drop", "")
	wantProbed(t, map[string]string{"tun9 tcp/8022": "silence", "tun9 tcp/8022 ipv6": "silence"})
}

// A port that no packet is known for is not asked.
func TestPortProbeOfOtherPorts(t *testing.T) {
	wantProbed(t, map[string]string{"wan udp/51820": "error: no packet is known that udp/51820 answers"})
}

// A listener without room for one more connection drops what asks for one, as a firewall
// does. It is not closed: nothing is known of it.
func TestPortProbeOfFullQueues(t *testing.T) {
	nstest.Upstream(t)
	if !nstest.Privileged(t) {
		return // TestPortProbeWithoutRules has said it
	}
	nstest.NeverAccept(t, "100.64.0.2:8022", true)
	wantProbed(t, map[string]string{"wan tcp/8022": "error: tcp/8022 has not answered yet: its connections wait to be accepted"})
}
