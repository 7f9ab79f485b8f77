//go:build guest

package referee_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/observe/host"
	"github.com/nbr-dev/nbr/verify/observe/netstate"
	"github.com/nbr-dev/nbr/verify/state"
)

// A zone is a name server's: addresses by names.
type zone struct {
	sync.Mutex
	names map[string]string
}

func (z *zone) set(name, address string) {
	z.Lock()
	defer z.Unlock()
	z.names[name] = address
}

// serve answers at an address of a namespace, for this moment only.
func (z *zone) serve(t *testing.T, ns *nstest.NS, address string) {
	t.Helper()
	var c *net.UDPConn
	if err := within(ns, func() (err error) {
		c, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s := &dns.Server{PacketConn: c, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		z.Lock()
		defer z.Unlock()
		m := new(dns.Msg).SetReply(q)
		a, err := netip.ParseAddr(z.names[strings.TrimSuffix(q.Question[0].Name, ".")])
		h := dns.RR_Header{Name: q.Question[0].Name, Rrtype: q.Question[0].Qtype, Class: dns.ClassINET}
		switch {
		case err != nil:
			m.Rcode = dns.RcodeNameError
		case a.Is4() && h.Rrtype == dns.TypeA:
			m.Answer = append(m.Answer, &dns.A{Hdr: h, A: a.AsSlice()})
		case a.Is6() && h.Rrtype == dns.TypeAAAA:
			m.Answer = append(m.Answer, &dns.AAAA{Hdr: h, AAAA: a.AsSlice()})
		}
		w.WriteMsg(m)
	})}
	go s.ActivateAndServe()
	t.Cleanup(func() { s.Shutdown() })
}

// A site is one of the two routers, with a host behind it.
type site struct {
	name      string
	ns, host  *nstest.NS
	plan      *verify.Plan
	endpoints *exec.Cmd
}

// newSite is the router of a spec, as its files make it, at an address of the Internet.
func newSite(t *testing.T, internet *nstest.NS, name, lan string) *site {
	t.Helper()
	s := &site{name: name, host: nstest.New(t, "host")}
	s.ns = boardOf(t, map[string]cable{"wan": {internet, name}, "lan1": {s.host, "eth0"}})
	spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(os.DirFS(sitesDir+name+"/spec"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	s.plan = spec.Plan()
	s.ns.Run(t, "sysctl", "-qw", "net.ipv4.conf.all.forwarding=1", "net.ipv6.conf.all.forwarding=1")
	s.ns.Run(t, "nft", "-f", sitesDir+name+"/rules")
	config, err := os.ReadFile(sitesDir + name + "/ifstate")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	if _, err := ifstate.Try(t, s.ns, string(config), "apply"); err != nil {
		t.Fatal(err)
	}
	// IfState makes addresses of the machine and the link's name, which are the same for both.
	s.ns.Run(t, "ip", "link", "set", "wan", "address", "02:00:00:00:00:"+lan)
	ip(t, internet, "link set "+name+" master br0\n")
	ip(t, s.host, fmt.Sprintf("addr add 192.168.%s.50/24 dev eth0\naddr add fd5c:8f2a:71e0:%[1]s::50/64 dev eth0\nroute add default via 192.168.%[1]s.1\nroute add default via fd5c:8f2a:71e0:%[1]s::1\n", lan))
	s.follow(t)
	return s
}

// follow runs what nbr-endpoints-sites.service runs.
func (s *site) follow(t *testing.T) {
	t.Helper()
	s.endpoints = s.ns.Command(t, "bash", sitesDir+s.name+"/endpoints")
	s.endpoints.Env = append(os.Environ(), "WG_ENDPOINT_RESOLUTION_RETRIES=0")
	s.endpoints.Stderr = os.Stderr
	if err := s.endpoints.Start(); err != nil {
		t.Fatal(err)
	}
}

// rest ends that.
func (s *site) rest() {
	_ = s.endpoints.Cancel()
	_ = s.endpoints.Wait()
}

// moves gives a machine another address, with a lifetime as of a lease.
func moves(t *testing.T, ns *nstest.NS, link, address string) {
	t.Helper()
	ns.Run(t, "ip", "addr", "flush", "dev", link, "scope", "global")
	ip(t, ns, "addr add "+address+" dev "+link+" valid_lft 86400 preferred_lft 86400\n")
	if strings.Contains(address, ".") {
		ip(t, ns, "route replace default via 198.51.100.53 dev "+link+" proto dhcp metric 1003\n")
	}
}

// tunnels are the failed checks of a tunnel of the site, and how many passed.
func (s *site) tunnels(t *testing.T, name string) (failed []string, passed int) {
	t.Helper()
	block := "wireguard." + name
	st := &state.State{Time: time.Now().Unix()}
	if err := within(s.ns, func() error {
		n, err := netstate.Look(t.Context(), "", nil)
		if err != nil {
			return err
		}
		st.Links = n.Links
		st.WireGuard, err = netstate.WireGuard()
		st.Probes = answersTo(t, s.plan, "wireguard.")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	results, err := verify.Eval(s.plan, st)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		// There is no systemd, what sysctl says was not asked, and routes are pinged through.
		id, ok := strings.CutPrefix(r.ID, block+"/")
		if what, _, _ := strings.Cut(id, "/"); !ok || slices.Contains([]string{"names", "advertisements", "route", "ahead"}, what) {
			continue
		}
		if r.Status == verify.Pass {
			passed++
		} else {
			failed = append(failed, id+" "+r.Status.String()+": "+r.Got)
		}
	}
	return failed, passed
}

// answersTo are the answers to a plan's questions by the probes whose names begin so.
func answersTo(t *testing.T, plan *verify.Plan, probes string) map[string]map[string]state.Probed {
	out := map[string]map[string]state.Probed{}
	h := host.New(context.Background(), "", false)
	for _, q := range plan.Questions() {
		if strings.HasPrefix(q.Probe, probes) {
			if out[q.Probe] == nil {
				out[q.Probe] = map[string]state.Probed{}
			}
			out[q.Probe][q.Key] = q.Look(t.Context(), h)
		}
	}
	return out
}

// works waits until all checks of a tunnel pass.
func (s *site) works(t *testing.T, name string, least int) {
	t.Helper()
	nstest.Wait(t, func() error {
		failed, passed := s.tunnels(t, name)
		if len(failed) > 0 || passed < least {
			return fmt.Errorf("%s: %d pass, and these do not:\n%s", s.name, passed, strings.Join(failed, "\n"))
		}
		return nil
	})
}

// pings wants answers from hosts; later ones than the first packet's will do.
func pings(t *testing.T, from *nstest.NS, hosts ...string) {
	t.Helper()
	for _, to := range hosts {
		nstest.Wait(t, func() error {
			_, err := from.Try(t, "ping", "-c1", "-W5", "-Mdo", "-s1200", to)
			return err
		})
	}
}

// TestGuestWireGuardSites brings up the two sites of testdata/routers, with a name server that
// answers otherwise later, and a phone with what nbr wg client has printed.
func TestGuestWireGuardSites(t *testing.T) {
	// Udev would make it: bash has its pipes there.
	if err := os.Symlink("/proc/self/fd", "/dev/fd"); err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
	internet := nstest.New(t, "internet")
	ip(t, internet, `link add br0 type bridge
link set br0 up
addr add 198.51.100.53/24 dev br0
addr add 2001:db8::53/64 dev br0
addr add 203.0.113.1/32 dev lo
`)
	listen(t, internet, "tcp", 80)
	z := &zone{names: map[string]string{}}
	z.serve(t, internet, "198.51.100.53:53")

	// Neither name is known yet, and neither router has an address. IfState does without.
	berlin, hamburg := newSite(t, internet, "berlin", "10"), newSite(t, internet, "hamburg", "20")
	failed, _ := berlin.tunnels(t, "sites")
	if d := cmp.Diff([]string{"endpoint/hamburg fail: no endpoint: hamburg.example.org has no address", "handshake/hamburg fail: no handshake yet"}, failed); d != "" {
		t.Error("before there is a way: " + d)
	}
	moves(t, berlin.ns, "wan", "198.51.100.1/24")
	moves(t, hamburg.ns, "wan", "198.51.100.2/24")
	z.set("berlin.example.org", "198.51.100.1")
	z.set("hamburg.example.org", "198.51.100.2")
	berlin.works(t, "sites", 10)
	hamburg.works(t, "sites", 10)
	pings(t, berlin.host, "192.168.20.50", "fd5c:8f2a:71e0:20::50")
	pings(t, hamburg.host, "192.168.10.50", "fd5c:8f2a:71e0:10::50")
	pings(t, berlin.ns, "10.255.0.2", "fd5c:8f2a:71e0:ff::2")

	t.Run("breakages", func(t *testing.T) { berlin.breaks(t) })

	t.Run("client", func(t *testing.T) {
		phone := nstest.New(t, "phone")
		nstest.Link(t, phone, "wlan0", internet, "phone")
		ip(t, internet, "link set phone master br0\n")
		moves(t, phone, "wlan0", "198.51.100.3/24")
		phone.Run(t, "wg-quick", "up", sitesDir+"phone/split.conf")
		if got, err := os.ReadFile("/run/resolvconf"); err != nil || !strings.Contains(string(got), "nameserver 10.254.0.1\nnameserver fd5c:8f2a:71e0:fe::1\nsearch berlin.home.arpa") {
			t.Errorf("name servers: %s, %v", got, err)
		}
		pings(t, phone, "10.254.0.1", "fd5c:8f2a:71e0:fe::1", "192.168.10.50", "fd5c:8f2a:71e0:10::50")
		phone.Run(t, "wg-quick", "down", sitesDir+"phone/split.conf")
	})
}

// breaks breaks the tunnel in each way and mends it.
func (s *site) breaks(t *testing.T) {
	s.rest() // it would mend some
	peer := strings.Fields(s.ns.Run(t, "wg", "show", "sites", "peers"))[0]
	dir := sitesDir + s.name + "/secrets/"
	set := "wg set sites peer " + peer + " "
	nets := "10.255.0.2/32,fd5c:8f2a:71e0:ff::2/128,192.168.20.0/24,fd5c:8f2a:71e0:20::/64"
	for _, tt := range []struct {
		break_, mend string
		want         []string // the failed checks
	}{
		{"wg set sites private-key " + dir + "people", "wg set sites private-key " + dir + "sites", []string{"key", "public-key"}},
		{"wg set sites listen-port 4000", "wg set sites listen-port 51820", []string{"listen"}},
		{"ip link set sites mtu 1300", "ip link set sites mtu 1420", []string{"mtu"}},
		{"ip link set sites down", "ip link set sites up", nil}, // network.sites/up
		{set + "preshared-key " + dir + "sites", set + "preshared-key " + dir + "shared", []string{"preshared-key/hamburg"}},
		{set + "preshared-key /dev/null", set + "preshared-key " + dir + "shared", []string{"preshared-key/hamburg"}},
		{set + "persistent-keepalive 0", set + "persistent-keepalive 25", []string{"keepalive/hamburg"}},
		{set + "allowed-ips 10.255.0.2/32", set + "allowed-ips " + nets, []string{"peer/hamburg"}},
		{
			"wg set sites peer iLu2VvRgLfZGKzWGyhUhQ0ASuBLlvjMMDIRI5ZjtXhY= allowed-ips 192.168.20.0/24",
			"wg set sites peer iLu2VvRgLfZGKzWGyhUhQ0ASuBLlvjMMDIRI5ZjtXhY= remove; " + set + "allowed-ips " + nets,
			[]string{"peer/hamburg", "peers"},
		},
		{
			set + "remove",
			set + "preshared-key " + dir + "shared persistent-keepalive 25 endpoint 198.51.100.2:51820 allowed-ips " + nets,
			[]string{"endpoint/hamburg", "handshake/hamburg", "keepalive/hamburg", "peer/hamburg", "preshared-key/hamburg"},
		},
	} {
		s.ns.Run(t, "sh", "-c", tt.break_)
		failed, _ := s.tunnels(t, "sites")
		var ids []string
		for _, f := range failed {
			id, _, _ := strings.Cut(f, " ")
			ids = append(ids, id)
		}
		slices.Sort(ids)
		if d := cmp.Diff(tt.want, ids); d != "" {
			t.Errorf("%s: %s\n%s", tt.break_, d, strings.Join(failed, "\n"))
		}
		s.ns.Run(t, "sh", "-c", tt.mend)
		// A key that changes ends the session.
		nstest.Wait(t, func() error {
			if failed, _ := s.tunnels(t, "sites"); len(failed) > 0 {
				s.ns.Try(t, "ping", "-c1", "-W1", "10.255.0.2")
				return errors.New(tt.mend + ": " + strings.Join(failed, "\n"))
			}
			return nil
		})
	}
}
