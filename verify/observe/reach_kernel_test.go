package observe

import (
	"errors"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// upstream gives this machine a wan whose gateway is another one.
func upstream(t *testing.T) *nstest.NS {
	t.Helper()
	isp := nstest.New(t, "isp")
	nstest.Link(t, new(nstest.NS), "wan", isp, "eth0")
	isp.Run(t, "ip", "addr", "add", "100.64.0.1/24", "dev", "eth0")
	run(t, "addr add 100.64.0.2/24 dev wan\nroute add default via 100.64.0.1\n", "ip", "-batch", "-")
	carrier(t, "wan")
	return isp
}

// accept takes connections on a port of all addresses and says nothing.
func accept(t *testing.T, address string) {
	t.Helper()
	l, err := net.Listen("tcp4", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
}

// filter loads rules for what comes in.
func filter(t *testing.T, policy, rules string) {
	t.Helper()
	run(t, "table inet reach {\nchain input {\ntype filter hook input priority 0; policy "+policy+";\niif lo accept\n"+rules+"\n}\n}\n", "nft", "-f", "-")
	t.Cleanup(func() { run(t, "", "nft", "delete", "table", "inet", "reach") })
}

// knocked knocks and returns the answers, or the errors.
func knocked(t *testing.T, names ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for n, r := range asked(t, state.NeedReach, names...).Reaches {
		switch {
		case r.Error != "":
			out[n] = "error: " + r.Error
		case r.Answered:
			out[n] = r.Answer
		default:
			out[n] = "silence"
		}
		if r.Error != "" && (r.Answered || r.Answer != "") || r.Answered != (r.Answer != "") {
			t.Errorf("%s: %+v", n, r)
		}
	}
	return out
}

func wantKnocked(t *testing.T, want map[string]string) {
	t.Helper()
	if d := cmp.Diff(want, knocked(t, slices.Collect(maps.Keys(want))...)); d != "" {
		t.Error(d)
	}
}

// Without rules, all ports answer, each in its own way; and what leaves is all that
// is on the wire.
func TestReachWithoutRules(t *testing.T) {
	isp := upstream(t)
	accept(t, "0.0.0.0:8022")
	if !privileged(t) {
		if got := knocked(t, "wan tcp/8022")["wan tcp/8022"]; !strings.HasPrefix(got, "error: no permission") {
			t.Error(got)
		}
		return
	}
	wire := tap(t, isp, "wan")
	wantKnocked(t, map[string]string{
		"wan tcp/8022": "SYN-ACK",
		"wan tcp/8023": "RST",
		"wan udp/53":   "ICMP port unreachable",
		"wan udp/123":  "ICMP port unreachable",
	})
	seen := wire()
	if strings.Contains(seen, "IP 198.51.100.") || !strings.Contains(seen, "IP 100.64.0.2.8022 > 198.51.100.") {
		t.Errorf("on the wire:\n%s", seen)
	}
	// A stranger's SYN leaves no half of a connection.
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := parseSockets(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range sockets {
		if s.local.Port() == 8022 && s.state != tcpListen {
			t.Errorf("there still is %+v", s)
		}
	}
}

// Daemons that are open to all say so.
func TestReachOfDaemons(t *testing.T) {
	upstream(t)
	if !privileged(t) {
		return // TestReachWithoutRules has said it
	}
	startUnbound(t)
	startChrony(t, "local stratum 10")
	want := map[string]string{"wan udp/53": "DNS answer", "wan udp/123": "NTP answer", "wan tcp/53": "SYN-ACK"}
	nstest.Wait(t, func() error { // a daemon that gets no processor is silent for a while
		if d := cmp.Diff(want, knocked(t, slices.Collect(maps.Keys(want))...)); d != "" {
			return errors.New(d)
		}
		return nil
	})
}

// A daemon that gets no processor is not closed: it is waited for, and when that takes too
// long, nothing is known. What it does not let in by itself is silence all the same.
func TestReachOfStarvedDaemons(t *testing.T) {
	upstream(t)
	if !privileged(t) {
		return // TestReachWithoutRules has said it
	}
	unbound := startUnbound(t)
	wantKnocked(t, map[string]string{"wan udp/53": "DNS answer"})
	unbound.Signal(t, syscall.SIGSTOP)
	got := knocked(t, "wan udp/53")["wan udp/53"]
	if !strings.HasPrefix(got, "error: udp/53 has not answered yet: ") || !strings.HasSuffix(got, " bytes wait to be read") {
		t.Error(got)
	}
	filter(t, "drop", "") // which the queue is not behind: what was dropped never gets there
	unbound.Signal(t, syscall.SIGCONT)
	wantKnocked(t, map[string]string{"wan udp/53": "silence"})
}

// A daemon that has its turn later than silence takes answers all the same.
func TestReachOfLateDaemons(t *testing.T) {
	upstream(t)
	if !privileged(t) {
		return // TestReachWithoutRules has said it
	}
	unbound := startUnbound(t)
	nstest.Wait(t, func() error {
		unbound.Signal(t, syscall.SIGSTOP)
		later := make(chan bool)
		go func() {
			defer close(later)
			time.Sleep(time.Second)
			unbound.Signal(t, syscall.SIGCONT)
		}()
		got := knocked(t, "wan udp/53")["wan udp/53"]
		<-later
		switch {
		case got == "DNS answer":
			return nil
		case strings.HasPrefix(got, "error: udp/53 has not answered yet: "): // nor had this computer the time
			return errors.New(got)
		}
		t.Fatal(got)
		return nil
	})
}

func TestReachThroughRules(t *testing.T) {
	upstream(t)
	accept(t, "0.0.0.0:8022")
	if !privileged(t) {
		return // TestReachWithoutRules has said it
	}
	t.Run("drop", func(t *testing.T) {
		filter(t, "drop", "tcp dport 8024 accept")
		wantKnocked(t, map[string]string{
			"wan tcp/8022": "silence", "wan tcp/8023": "silence", "wan udp/53": "silence", "wan udp/123": "silence",
			"wan tcp/8024": "RST",
		})
	})
	t.Run("drop at the link", func(t *testing.T) {
		run(t, "table netdev reach {\nchain in {\ntype filter hook ingress device \"wan\" priority 0; policy accept;\ntcp dport 8022 drop\n}\n}\n", "nft", "-f", "-")
		t.Cleanup(func() { run(t, "", "nft", "delete", "table", "netdev", "reach") })
		wantKnocked(t, map[string]string{"wan tcp/8022": "silence", "wan tcp/8023": "RST"})
	})
	t.Run("reject", func(t *testing.T) {
		filter(t, "drop", `tcp dport 8022 reject with tcp reset
tcp dport 8023 reject with icmpx admin-prohibited
udp dport 53 reject
udp dport 123 reject with icmp host-unreachable`)
		wantKnocked(t, map[string]string{
			"wan tcp/8022": "RST", "wan tcp/8023": "ICMP administratively prohibited",
			"wan udp/53": "ICMP port unreachable", "wan udp/123": "ICMP host unreachable",
		})
	})
	t.Run("on another port", func(t *testing.T) {
		run(t, "table ip reach {\nchain in {\ntype nat hook prerouting priority dstnat; policy accept;\niif \"wan\" tcp dport 2222 redirect to :8022\n}\n}\n", "nft", "-f", "-")
		t.Cleanup(func() { run(t, "", "nft", "delete", "table", "ip", "reach") })
		wantKnocked(t, map[string]string{"wan tcp/2222": "SYN-ACK"})
	})
}

// An answer that cannot leave is not a port that is closed.
func TestReachWithoutAWayBack(t *testing.T) {
	isp := upstream(t)
	accept(t, "0.0.0.0:8022")
	if !privileged(t) {
		return // TestReachWithoutRules has said it
	}
	t.Run("a gateway that is not there", func(t *testing.T) {
		isp.Run(t, "ip", "addr", "del", "100.64.0.1/24", "dev", "eth0")
		run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
		wantKnocked(t, map[string]string{"wan tcp/8022": "error: 100.64.0.1, the way back, does not say its MAC, so no answer could leave"})
	})
	t.Run("a gateway that is not there, and nobody who asks for it", func(t *testing.T) {
		filter(t, "drop", "")
		run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
		wantKnocked(t, map[string]string{"wan tcp/8022": "silence"})
	})
	t.Run("a gateway that comes late", func(t *testing.T) {
		nstest.Wait(t, func() error { // again, should it come too late
			run(t, "neigh flush dev wan\n", "ip", "-batch", "-")
			cmd := isp.Command(t, "sh", "-c", "sleep 0.5; ip addr add 100.64.0.1/24 dev eth0")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			got := knocked(t, "wan tcp/8022")["wan tcp/8022"]
			if err := cmd.Wait(); err != nil {
				t.Fatal(err)
			}
			if got != "SYN-ACK" {
				isp.Run(t, "ip", "addr", "del", "100.64.0.1/24", "dev", "eth0")
				return errors.New(got)
			}
			return nil
		})
	})
	t.Run("an uplink in the network of strangers", func(t *testing.T) {
		ip(t, "addr add 198.51.100.2/24 dev wan\n", "addr del 198.51.100.2/24 dev wan\n")
		wantKnocked(t, map[string]string{"wan tcp/8022": "SYN-ACK"})
	})
	t.Run("another way out", func(t *testing.T) {
		other := nstest.New(t, "other")
		nstest.Link(t, new(nstest.NS), "wan2", other, "eth0")
		other.Run(t, "ip", "addr", "add", "100.65.0.1/24", "dev", "eth0")
		ip(t, "addr add 100.65.0.2/24 dev wan2\nroute replace default via 100.65.0.1\n", "route replace default via 100.64.0.1 dev wan\n")
		carrier(t, "wan2")
		wantKnocked(t, map[string]string{"wan tcp/8022": "SYN-ACK"})
		filter(t, "drop", "")
		if r := asked(t, state.NeedReach, "wan tcp/8022").Reaches["wan tcp/8022"]; r != (state.Reach{Leaves: "wan2"}) {
			t.Errorf("silence, and answers would leave elsewhere: %+v", r)
		}
	})
	t.Run("a line on which everybody is near", func(t *testing.T) {
		ip(t, "route replace default dev wan\n", "route replace default via 100.64.0.1 dev wan\n")
		got := knocked(t, "wan tcp/8022")["wan tcp/8022"]
		if !strings.HasPrefix(got, "error: 198.51.100.") || !strings.HasSuffix(got, "does not say its MAC, so no answer could leave") {
			t.Error(got)
		}
		isp.Run(t, "sh", "-c", "ip route add 198.51.100.0/24 dev lo; echo 1 >/proc/sys/net/ipv4/conf/eth0/proxy_arp; echo 1 >/proc/sys/net/ipv4/ip_forward; echo 0 >/proc/sys/net/ipv4/neigh/eth0/proxy_delay")
		wantKnocked(t, map[string]string{"wan tcp/8022": "SYN-ACK"})
	})
	t.Run("no route", func(t *testing.T) {
		ip(t, "route del default\n", "route add default via 100.64.0.1\n")
		got := knocked(t, "wan tcp/8022")["wan tcp/8022"]
		if !strings.HasPrefix(got, "error: no way back to a stranger: to 198.51.100.0/24: network is unreachable") {
			t.Error(got)
		}
	})
	t.Run("a route into nothing", func(t *testing.T) {
		ip(t, "route del default\nroute add blackhole default\n", "route del blackhole default\nroute add default via 100.64.0.1\n")
		if got := knocked(t, "wan tcp/8022")["wan tcp/8022"]; !strings.HasPrefix(got, "error: no way back to a stranger: ") {
			t.Error(got)
		}
	})
	t.Run("no address", func(t *testing.T) {
		ip(t, "tuntap add bare mode tap\nlink add bare0 type veth peer name bare1\nlink set bare0 up\nlink set bare1 up\n", "link del bare\nlink del bare0\n")
		carrier(t, "bare0")
		wantKnocked(t, map[string]string{"bare0 tcp/22": "error: bare0 has no IPv4 address"})
	})
	t.Run("a cable that is out", func(t *testing.T) {
		isp.Run(t, "ip", "link", "set", "eth0", "down")
		wantKnocked(t, map[string]string{"wan tcp/8022": "error: wan has no carrier: no answer could leave on it"})
	})
}

// Silence on a link that became another one while it was asked says nothing.
func TestSilenceOnALinkThatChanges(t *testing.T) {
	for _, c := range []struct{ change, want string }{
		{"link set wan mtu 1400\n", ""},
		{"link set wan address 02:00:00:00:00:77\n", "wan has changed while it was asked"},
		{"link set wan down\n", "wan is down: no answer could leave on it"},
		{"link del wan\n", "there is no link wan"},
		{"link del wan\nlink add wan type ifb\nlink set wan up\n", "wan has changed while it was asked"},
	} {
		t.Run(c.change, func(t *testing.T) {
			far := nstest.New(t, "far")
			nstest.Link(t, new(nstest.NS), "wan", far, "eth0")
			asked, err := openLink("wan")
			if err != nil {
				t.Fatal(err)
			}
			run(t, c.change, "ip", "-batch", "-")
			got := ""
			if err := stayed("wan", asked); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}

// A link without Ethernet, as of PPP, has no neighbours either.
func TestReachOnATunnel(t *testing.T) {
	nstest.Require(t)
	if !privileged(t) {
		return // TestReachWithoutRules has said it
	}
	accept(t, "0.0.0.0:8022")
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
	run(t, "addr add 100.66.0.2 peer 100.66.0.1/32 dev tun9\nlink set tun9 up\nroute add default dev tun9\n", "ip", "-batch", "-")
	carrier(t, "tun9")
	wantKnocked(t, map[string]string{"tun9 tcp/8022": "SYN-ACK", "tun9 tcp/8023": "RST"})
	filter(t, "drop", "")
	wantKnocked(t, map[string]string{"tun9 tcp/8022": "silence"})
	if o := asked(t, state.NeedOffer, "tun9").Offers["tun9"]; o.Error != "tun9 is no Ethernet, and has no DHCP" {
		t.Errorf("%+v", o)
	}
}
