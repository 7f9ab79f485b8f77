package referee_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/failover"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

const uplinksRouter = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "26.05"
  console_only  = true
  name_servers  = ["198.51.100.1"]
}
network "lan" {
  link = port.lan1
  ipv4 = "10.1.0.1/24"
  ipv6 = "2001:db8:a:1::1/64"
}
network "lan-b" {
  link = port.lan1
  ipv6 = "2001:db8:b:1::1/64"
}
network "fibre" {
  link     = port.wan
  ipv4     = "192.0.2.2/24"
  gateway  = "192.0.2.1"
  ipv6     = "2001:db8:a::2/64"
  gateway6 = "2001:db8:a::1"
}
network "lte" {
  link     = port.lan3
  ipv4     = "203.0.113.2/24"
  gateway  = "203.0.113.1"
  ipv6     = "2001:db8:b::2/64"
  gateway6 = "2001:db8:b::1"
}
network "things" {
  link = port.lan1
  ipv6 = "fd00:9::1/64"
}
prefix_nat "fibre" {
  network  = network.fibre
  internal = "fd00:9::/64"
  external = "2001:db8:a:9::/64"
}
prefix_nat "lte" {
  network  = network.lte
  internal = "fd00:9::/64"
  external = "2001:db8:b:9::/64"
}
zone "home" { networks = [network.lan, network.lan-b, network.things] }
zone "world" { networks = [network.fibre, network.lte] }
schedule "day" {
  from = "00:00"
  to   = "23:00"
}
policy "out" {
  schedule   = schedule.day
  from       = [zone.home]
  to         = [zone.world]
  action     = "accept"
  masquerade = true
}
host "nas" {
  network = network.lan
  ipv4    = "10.1.0.50"
}
port_forward "web" {
  from = zone.world
  port = "8080"
  to   = host.nas
}
host "cam" {
  network = network.lan
  ipv4    = "10.1.0.51"
}
static_nat "cam" {
  from    = zone.world
  address = "203.0.114.7"
  to      = host.cam
}
policy "cam" {
  from   = [zone.world]
  to     = [host.cam]
  action = "accept"
}
host "lamp" {
  network = network.things
  ipv6    = "::50"
}
policy "lamp" {
  from   = [zone.world, zone.home]
  to     = [host.lamp]
  action = "accept"
  ports  = [8080]
}
uplink "fibre" {
  network   = network.fibre
  priority  = 1
  probes    = ["icmp:198.51.100.1", "tcp:198.51.100.1:80", "icmp:2001:db8:ffff::1"]
  interval  = "1s"
  failures  = 2
  successes = 2
  prefixes  = ["2001:db8:a:1::/64"]
}
uplink "lte" {
  network   = network.lte
  priority  = 2
  probes    = ["dns:198.51.100.1", "tcp:[2001:db8:ffff::1]:80"]
  interval  = "1s"
  failures  = 2
  successes = 2
  prefixes  = ["2001:db8:b:1::/64"]
}
`

// A conversation is a connection that goes on.
type conversation struct {
	net.Conn
	n int
}

// goesOn tells whether what is said is still heard.
func (k *conversation) goesOn() error {
	k.n++
	said := fmt.Sprintf("%08d", k.n)
	if err := k.SetDeadline(time.Now().Add(nstest.Patience)); err != nil {
		return err
	}
	if _, err := k.Write([]byte(said)); err != nil {
		return err
	}
	buf := make([]byte, 256)
	n, err := k.Read(buf)
	if err == nil && string(buf[:n]) != said {
		err = fmt.Errorf("said %q, heard %q", said, buf[:n])
	}
	return err
}

// repeat answers each connection with what it says.
func repeat(t *testing.T, ns *nstest.NS, port int) {
	t.Helper()
	var l net.Listener
	if err := within(ns, func() (err error) { l, err = net.Listen("tcp", fmt.Sprintf(":%d", port)); return err }); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				buf := make([]byte, 256)
				for n, err := c.Read(buf); err == nil; n, err = c.Read(buf) {
					if _, err = c.Write(buf[:n]); err != nil {
						break
					}
				}
				c.Close()
			}()
		}
	}()
}

// flowsOf counts what conntrack has of established TCP connections with the mark of an uplink, and
// that of a policy with a schedule beside it.
func flowsOf(t *testing.T, router *nstest.NS, family netlink.InetFamily, mark uint32) int {
	t.Helper()
	n := 0
	err := within(router, func() error {
		flows, err := netlink.ConntrackTableList(netlink.ConntrackTable, family)
		for _, f := range flows {
			if tcp, ok := f.ProtoInfo.(*netlink.ProtoInfoTCP); ok && f.Mark&failover.MarkMask == mark && f.Mark > failover.MarkMask && f.Forward.DstPort == 7 && tcp.State == established {
				n++
			}
		}
		return err
	})
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		t.Fatal(err)
	}
	return n
}

const established = 3 // TCP_CONNTRACK_ESTABLISHED of linux/netfilter/nf_conntrack_tcp.h

// When an uplink fails behind its first hop, where no cable tells, new connections take the other
// one, and so do the router's own. Connections on the other one do not notice anything, neither
// then nor when the first works again. What comes in by the uplink that is not chosen is answered
// there. IPv6 packets leave by the uplink that their address is of; those with a unique local address
// by the one that is chosen, as addresses of the prefix that theirs is there.
func TestUplinks(t *testing.T) {
	g := fromText(t, uplinksRouter)
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	home, a, b, world := nstest.New(t, "home"), nstest.New(t, "a"), nstest.New(t, "b"), nstest.New(t, "world")
	router := board(t, map[string]*nstest.NS{"lan1": home, "wan": a, "lan3": b})
	nstest.Link(t, a, "world", world, "eth1")
	nstest.Link(t, b, "world", world, "eth2")
	ip(t, home, `
addr add 10.1.0.50/24 dev eth0
addr add 10.1.0.51/24 dev eth0
addr add 2001:db8:a:1::50/64 dev eth0 nodad
addr add 2001:db8:b:1::50/64 dev eth0 nodad
addr add fd00:9::50/64 dev eth0 nodad
addr add fd00:9::51/64 dev eth0 nodad
route add default via 10.1.0.1
route add default via 2001:db8:a:1::1
`)
	for _, p := range []struct {
		ns            *nstest.NS
		v4, v6, world string
	}{{a, "192.0.2", "2001:db8:a", "1"}, {b, "203.0.113", "2001:db8:b", "2"}} {
		ip(t, p.ns, strings.NewReplacer("V4", p.v4, "V6", p.v6, "N", p.world).Replace(`
addr add V4.1/24 dev eth0
addr add V6::1/64 dev eth0 nodad
addr add 172.16.N.1/24 dev world
addr add fd00:N::1/64 dev world nodad
route add V6:1::/64 via V6::2
route add V6:9::/64 via V6::2
route add default via 172.16.N.9
route add default via fd00:N::9
`))
		p.ns.Run(t, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
	}
	ip(t, world, `
addr add 198.51.100.1/32 dev lo
addr add 2001:db8:ffff::1/128 dev lo nodad
addr add 172.16.1.9/24 dev eth1
addr add fd00:1::9/64 dev eth1 nodad
addr add 172.16.2.9/24 dev eth2
addr add fd00:2::9/64 dev eth2 nodad
route add 192.0.2.0/24 via 172.16.1.1 src 198.51.100.1
route add 203.0.113.0/24 via 172.16.2.1 src 198.51.100.1
route add 203.0.114.7 via 172.16.2.1 src 198.51.100.1
route add 2001:db8:a::/48 via fd00:1::1 src 2001:db8:ffff::1
route add 2001:db8:b::/48 via fd00:2::1 src 2001:db8:ffff::1
`)
	ip(t, b, "route add 203.0.114.7 via 203.0.113.2\n")
	// As providers do, neither takes what is not from its own addresses (RFC 2827).
	load(t, a, "table inet f { chain c { type filter hook forward priority 0; iifname eth0 ip saddr != 192.0.2.0/24 drop; iifname eth0 ip6 saddr != 2001:db8:a::/48 drop; }; }\n")
	load(t, b, "table inet f { chain c { type filter hook forward priority 0; iifname eth0 ip saddr != { 203.0.113.0/24, 203.0.114.7 } drop; iifname eth0 ip6 saddr != 2001:db8:b::/48 drop; }; }\n")
	listen(t, world, "tcp", 80)
	listen(t, home, "tcp", 8080)
	repeat(t, world, 7)
	refuse(t, world, "198.51.100.1:53")
	sysctls(t, router, g)
	load(t, router, ruleset(t, g))
	router.Run(t, "nft", "add element inet nbr schedule_day_on { ipv4, ipv6 }") // as nbr-schedules has it
	apply(t, ifstate, router, g)

	w := watcherOf(t, router, g, uplinksRouter)
	stop := w.start(t)
	red := func() []string { return w.red(t, 20) }
	green := func() error { return w.green(t, 20) }
	ways := func() map[string]string {
		return map[string]string{
			"new": seen(home, "10.1.0.50", "198.51.100.1:80"), "translated": seen(home, "fd00:9::50", "[2001:db8:ffff::1]:80"), "router": seen(router, "", "198.51.100.1:80"), "router6": seen(router, "", "[2001:db8:ffff::1]:80"),
		}
	}
	by := func(v4, v6 string) func() error {
		want := map[string]string{"new": v4, "translated": strings.Replace(v6, "::2", ":9::50", 1), "router": v4, "router6": v6}
		return func() error {
			if d := cmp.Diff(want, ways()); d != "" {
				return fmt.Errorf("ways (-want +got):\n%s", d)
			}
			return nil
		}
	}
	byA, byB := by("192.0.2.2", "2001:db8:a::2"), by("203.0.113.2", "2001:db8:b::2")
	const markA, markB = 131, 132

	nstest.Wait(t, green)
	nstest.Wait(t, byA)
	// By the uplink that is not chosen come answers, and connections that begin there.
	if got, err := (flow{from: world, proto: "tcp", to: "203.0.113.2:8080"}).exchange(nil); err != nil || string(got) != "198.51.100.1 at home" {
		t.Errorf("a forwarded port by the other uplink: %s, %v", got, err)
	}
	// No link has this address, so no rule by the source: the mark alone tells the uplink.
	if got, err := (flow{from: world, proto: "tcp", to: "203.0.114.7:8080"}).exchange(nil); err != nil || string(got) != "198.51.100.1 at home" {
		t.Errorf("an address of the other uplink that no link has: %s, %v", got, err)
	}
	for _, to := range []string{"192.0.2.2", "203.0.113.2", "2001:db8:a::2", "2001:db8:b::2"} {
		if !ping(t, world, to) {
			t.Errorf("%s does not answer", to)
		}
	}
	if ping(t, b, "-I", "10.1.0.1", "203.0.113.2") {
		t.Error("an address of the router's own network is taken at an uplink")
	}
	for from, want := range map[string]string{"2001:db8:a:1::50": "2001:db8:a:1::50", "2001:db8:b:1::50": "2001:db8:b:1::50"} {
		if got := seen(home, from, "[2001:db8:ffff::1]:80"); got != want {
			t.Errorf("from %s the world hears %s", from, got)
		}
	}

	for name, f := range map[string]flow{
		"a translated host by the chosen uplink": {from: world, proto: "tcp", to: "[2001:db8:a:9::50]:8080", want: "2001:db8:ffff::1 at home"},
		"by the other":                           {from: world, proto: "tcp", to: "[2001:db8:b:9::50]:8080", want: "2001:db8:ffff::1 at home"},
		"a neighbour":                            {from: home, src: "fd00:9::51", proto: "tcp", to: "[2001:db8:b:9::50]:8080", want: "2001:db8:b:9::51 at home"},
	} {
		if got, err := f.exchange(nil); err != nil || string(got) != f.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, f.want)
		}
	}

	wreck := func() {
		load(t, a, "table inet broken { chain c { type filter hook forward priority -10; drop; }; }\n")
	}
	mend := func() { a.Run(t, "nft", "delete", "table", "inet", "broken") }
	wreck()
	nstest.Wait(t, byB)
	onB, onB6 := open(t, home, "10.1.0.50", "198.51.100.1:7"), open(t, home, "2001:db8:b:1::50", "[2001:db8:ffff::1]:7")
	alive := func(when string) {
		t.Helper()
		if err := errors.Join(onB.goesOn(), onB6.goesOn()); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
	alive("begun")
	nstest.Wait(t, func() error {
		want := []string{"uplink.fibre/works/ipv4 fail", "uplink.fibre/works/ipv6 fail"}
		if d := cmp.Diff(want, red()); d != "" {
			return fmt.Errorf("broken (-want +got):\n%s", d)
		}
		return nil
	})
	// A new start of the watcher changes nothing.
	stop()
	stop = w.start(t)
	if err := byB(); err != nil {
		t.Error(err)
	}
	mend()
	nstest.Wait(t, byA)
	alive("when the first uplink works again")
	onA, onA6 := open(t, home, "10.1.0.50", "198.51.100.1:7"), open(t, home, "2001:db8:a:1::50", "[2001:db8:ffff::1]:7")
	if err := errors.Join(onA.goesOn(), onA6.goesOn()); err != nil {
		t.Fatal(err)
	}
	for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
		if x, y := flowsOf(t, router, family, markA), flowsOf(t, router, family, markB); x != 1 || y != 1 {
			t.Errorf("family %d: %d flows by A and %d by B, want one each", family, x, y)
		}
	}
	nstest.Wait(t, green)
	wreck()
	nstest.Wait(t, byB)
	alive("when the first uplink has failed again")
	nstest.Wait(t, func() error {
		for _, family := range []netlink.InetFamily{unix.AF_INET, unix.AF_INET6} {
			if x, y := flowsOf(t, router, family, markA), flowsOf(t, router, family, markB); x != 0 || y != 1 {
				return fmt.Errorf("family %d: %d flows by A and %d by B, want none and one", family, x, y)
			}
		}
		return nil
	})
	mend()
	nstest.Wait(t, byA)
	alive("at the end")
	nstest.Wait(t, green)

	// IfState leaves all of it alone, and what others take away is there again.
	apply(t, ifstate, router, g)
	nstest.Wait(t, green)
	stop()
	for _, x := range []struct {
		does  string
		finds []string
	}{
		{"ip rule del pref 13511", []string{"uplink.fibre/rules/ipv4 fail"}},
		{"ip -6 route del default table 132 metric 1", []string{"uplink.lte/table/ipv6 fail"}},
		{"ip route replace default via 203.0.113.1 metric 1 proto 205", []string{"uplink/chosen/ipv4 fail"}},
		{"ip -6 rule del from 2001:db8:b:1::/64", []string{"uplink.lte/rules/ipv6 fail"}},
	} {
		router.Run(t, "sh", "-c", x.does)
		if d := cmp.Diff(x.finds, red()); d != "" {
			t.Errorf("%s (-want +got):\n%s", x.does, d)
		}
		stop := w.start(t)
		nstest.Wait(t, green)
		stop()
	}
	w.start(t)
	nstest.Wait(t, byA)
	ip(t, a, "link set eth0 down\n") // the cable
	nstest.Wait(t, byB)
	alive("without a carrier on the first")
	ip(t, a, "link set eth0 up\n")
}

// A watcher is nbr uplinks as its unit runs it on a router, and nbr verify beside it.
type watcher struct {
	router    *nstest.NS
	nbr, spec string // the program, and the folder of the spec
	config    string // a file
}

// watcherOf furnishes a router with the program and the configuration that the unit has.
func watcherOf(t *testing.T, router *nstest.NS, g *generated, spec string) *watcher {
	t.Helper()
	const run = "/run/nbr-test"
	w := &watcher{router: router, nbr: filepath.Join(run, "nbr"), config: filepath.Join(run, "uplinks.json"), spec: t.TempDir()}
	if err := os.WriteFile(filepath.Join(w.spec, "router.hcl"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	binary, err := program()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(w.spec), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(run, 0o755), os.MkdirAll("/run/nbr-uplinks", 0o755), os.Chown("/run/nbr-uplinks", nobody, nobody), nstest.WriteFile(w.nbr, binary, 0o755)); err != nil {
		t.Fatal(err)
	}
	_, config, ok := strings.Cut(g.text(t, "systemd", "services", "nbr-uplinks", "serviceConfig", "ExecStart"), "/bin/nbr uplinks text:")
	if !ok || os.WriteFile(w.config, []byte(config), 0o644) != nil {
		t.Fatal("no configuration")
	}
	return w
}

// start starts the watcher, with the rights of its unit, and returns what stops it.
func (w *watcher) start(t *testing.T) (stop func()) {
	t.Helper()
	caps := "+net_admin,+net_raw"
	unit := w.router.Command(t, "setpriv", "--reuid", fmt.Sprint(nobody), "--regid", fmt.Sprint(nobody), "--clear-groups", "--no-new-privs",
		"--inh-caps", caps, "--ambient-caps", caps, "--bounding-set", "-all,"+caps, w.nbr, "uplinks", w.config)
	var log strings.Builder
	unit.Stderr = &log
	if err := unit.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			_ = unit.Process.Signal(unix.SIGTERM)
			_ = unit.Wait()
			if t.Failed() {
				t.Logf("nbr uplinks:\n%s", log.String())
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

// red are the checks of routes, rules and uplinks that do not pass, of which there are as many as
// is said at least.
func (w *watcher) red(t *testing.T, least int) []string {
	t.Helper()
	out := []string{}
	text, err := w.router.Try(t, w.nbr, "verify", "-passive", "-format", "json", w.spec)
	var report struct{ Results []finding }
	if jsonErr := json.Unmarshal([]byte(text), &report); jsonErr != nil {
		t.Fatalf("nbr verify: %v\n%s", err, text)
	}
	n := 0
	for _, f := range report.Results {
		about := strings.HasPrefix(f.ID, "uplink") && f.ID != "uplink/unit" || strings.HasPrefix(f.ID, "interfaces/foreign/r") || strings.Contains(f.ID, "/route/")
		if !about {
			continue
		}
		if n++; f.Status != "pass" {
			out = append(out, f.ID+" "+f.Status)
		}
	}
	if n < least {
		t.Errorf("%d checks, want %d at least", n, least)
	}
	return out
}

func (w *watcher) green(t *testing.T, least int) error {
	t.Helper()
	if got := w.red(t, least); len(got) > 0 {
		return fmt.Errorf("not green: %q", got)
	}
	return nil
}

// seen is from which address a host called world hears a new connection.
func seen(from *nstest.NS, src, to string) string {
	answer, err := flow{from: from, src: src, proto: "tcp", to: to}.exchange(nil)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(string(answer), " at world")
}

// nobody is a user without any right.
const nobody = 65534

// open connects from one of a host's addresses to a server that repeats what it hears. It asks for
// no sign of life, so that nothing but nbr makes conntrack forget the connection for days.
func open(t *testing.T, ns *nstest.NS, src, to string) *conversation {
	t.Helper()
	var c net.Conn
	err := within(ns, func() (err error) {
		c, err = (&net.Dialer{Timeout: nstest.Patience, LocalAddr: &net.TCPAddr{IP: net.ParseIP(src)}, KeepAlive: -1}).Dial("tcp", to)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &conversation{Conn: c}
}
