package referee_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	socket "github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
	packets "github.com/nbr-dev/nbr/verify/packet"
)

const routers = "../../testdata/routers"

// The routers of the docs are whole ones, in which each program has the others beside it.
func TestProgramsTakeTheRoutersOfTheDocs(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(routers)
	if err != nil {
		t.Fatal(err)
	}
	dir := library(t)
	var made []*made
	for _, entry := range entries {
		files := fstest.MapFS{}
		texts, err := filepath.Glob(filepath.Join(routers, entry.Name(), "*.hcl"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range texts {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[filepath.Base(name)] = &fstest.MapFile{Data: text}
		}
		spec, diags := (&service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}).Load(files, nil)
		if diags.HasErrors() {
			t.Fatal(entry.Name(), diags)
		}
		made = append(made, makeOf(t, filepath.Join(dir, entry.Name()), entry.Name(), spec, files))
	}
	judgeMade(t, made)
}

// letThrough has the kernel tell which ports got past the firewall, by the link they came on, and
// how many packets came at all.
const letThrough = `
table inet scan {
  set router {
    type ifname . nf_proto . inet_proto . inet_service
    size 65536
    flags dynamic
  }
  set hosts {
    type ifname . nf_proto . inet_proto . inet_service
    size 65536
    flags dynamic
  }
  chain arrived {
    type filter hook prerouting priority raw - 10
    meta l4proto { tcp, udp } th sport 40000 counter comment "arrived"
  }
  chain input {
    type filter hook input priority filter + 10
    th sport 40000 update @router { iifname . meta nfproto . meta l4proto . th dport }
  }
  chain forward {
    type filter hook forward priority filter + 10
    th sport 40000 update @hosts { iifname . meta nfproto . meta l4proto . th dport }
  }
}
`

// What a router offers is what its spec says and nothing else: every port of it, of TCP and UDP, of
// IPv4 and IPv6, is tried from the Internet, and from its own networks those that some network
// is offered.
func TestWhatTheAllInOneRouterOffers(t *testing.T) {
	t.Parallel()
	g := fromDir(t, filepath.Join(routers, "all-in-one"))
	router := nstest.New(t, "router")
	sysctls(t, router, g)
	load(t, router, unqueued(t, g))
	load(t, router, letThrough)

	// A service is allowed for IPv4 and IPv6 alike.
	resolver, media := []string{"tcp 53", "udp 53"}, []string{"udp 10000", "udp 10999"}
	sides := []*side{
		{device: "wan", v4: "198.51.100.2/24", v6: "2001:db8:f::2/64", whole: true, offered: []string{"udp 51820"}},
		{device: "br0", v4: "192.168.10.1/24", v6: "fd5c:8a1e:7b40:10::1/64", offered: slices.Concat(resolver, media, []string{
			"tcp 22", "udp 67", "udp 547", "udp 123", "udp 1900", "udp 5351", "tcp 5000", "udp 161", "udp 1812", "tcp 1883", "udp 5060", "udp 5353",
			"tcp 9842", "tcp 9100", "tcp 9342", "tcp 9433",
		})},
		{device: "guests", v4: "192.168.20.1/24", v6: "fd5c:8a1e:7b40:20::1/64", offered: slices.Concat(resolver, []string{"udp 67"})},
		{device: "things", v4: "192.168.30.1/24", offered: slices.Concat(resolver, []string{"udp 67", "udp 123", "tcp 1883", "udp 5353"})},
		{device: "phones", v4: "192.168.40.1/24", offered: slices.Concat(resolver, media, []string{"udp 67", "udp 123", "udp 5060"})},
		{device: "end1", v4: "10.255.0.1/29", offered: slices.Concat(resolver, []string{"udp 123"})},
		{device: "wg0", v4: "10.8.0.1/24", v6: "fd5c:8a1e:7b40:8::1/64", offered: slices.Concat(resolver, []string{"tcp 22", "udp 123", "tcp 9842", "tcp 9100"})},
		{device: "nat64", v4: "192.168.255.1/24", v6: "fd5c:8a1e:7b40:64::1/64"},
	}
	for _, s := range sides {
		s.connect(t, router)
	}
	for _, s := range sides {
		s.scan(t, router, append(sample(), 1812, 1813, 1883, 8883, 5000, 5060, 5062, 5351, 5353, 9342, 9433, 9842, 10000, 10999))
	}
	offered := listed(t, router, "router")
	for _, s := range sides {
		if d := cmp.Diff(s.inFamilies(), offered[s.device]); d != "" {
			t.Errorf("%s is offered (-want +got):\n%s", s.device, d)
		}
	}
	// What is forwarded, and nothing else, leaves for a host.
	if d := cmp.Diff(map[string][]string{"wan": {"ipv4 tcp 443"}}, listed(t, router, "hosts")); d != "" {
		t.Errorf("hosts are reached (-want +got):\n%s", d)
	}
}

// A side is one link of the router and a host at its other end.
type side struct {
	device  string
	v4, v6  string   // the router's addresses
	offered []string // what it may have of the router
	whole   bool     // all its ports are tried
	ns      *nstest.NS
}

// inFamilies are the ports that are offered, in each family that the router has an address of, as the
// kernel lists them.
func (s *side) inFamilies() (out []string) {
	for _, port := range s.offered {
		out = append(out, "ipv4 "+port)
		if s.v6 != "" {
			out = append(out, "ipv6 "+port)
		}
	}
	slices.Sort(out)
	return out
}

func (s *side) connect(t *testing.T, router *nstest.NS) {
	t.Helper()
	s.ns = nstest.New(t, "at-"+s.device)
	nstest.Link(t, router, s.device, s.ns, "eth0")
	for _, a := range []string{s.v4, s.v6} {
		if a != "" {
			ip(t, router, fmt.Sprintf("addr add %s dev %s nodad\n", a, s.device))
		}
	}
}

// scan sends the first packet of a connection to each port. The next ones wait until these have
// arrived, for the kernel's queue has room for a thousand.
func (s *side) scan(t *testing.T, router *nstest.NS, some []int) {
	t.Helper()
	dst := linkAddress(t, router, s.device)
	src := linkAddress(t, s.ns, "eth0")
	var frames [][]byte
	for _, a := range []string{s.v4, s.v6} {
		if a == "" {
			continue
		}
		own := netip.MustParsePrefix(a).Addr()
		from := netip.AddrPortFrom(own.Next().Next(), 40000)
		for port := 1; port < 1<<16; port++ {
			if !s.whole && !slices.Contains(some, port) {
				continue
			}
			to := netip.AddrPortFrom(own, uint16(port))
			for _, p := range [][]byte{packets.Segment(from, to, 1000, packets.SYN), packets.Datagram(from, to, []byte("scan"))} {
				frames = append(frames, packets.Frame(dst, src, p))
			}
		}
	}
	var conn *socket.Conn
	if err := within(s.ns, func() error {
		link, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		conn, err = socket.Listen(link, socket.Raw, unix.ETH_P_LOOP, nil)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	arrived := func() int {
		return comments(t, router.Run(t, "nft", "-j", "list", "chain", "inet", "scan", "arrived"))["arrived"]
	}
	for chunk := range slices.Chunk(frames, 500) {
		want := arrived() + len(chunk)
		nstest.Wait(t, func() error {
			for _, f := range chunk {
				if _, err := conn.WriteTo(f, &socket.Addr{HardwareAddr: dst}); err != nil {
					return err
				}
			}
			if got := arrived(); got < want {
				want = got + len(chunk) // all of them once more
				return fmt.Errorf("%s: %d packets did not arrive", s.device, want-got)
			}
			return nil
		})
	}
}

func linkAddress(t *testing.T, ns *nstest.NS, link string) net.HardwareAddr {
	t.Helper()
	mac, err := net.ParseMAC(strings.TrimSpace(ns.Run(t, "cat", "/sys/class/net/"+link+"/address")))
	if err != nil {
		t.Fatal(err)
	}
	return mac
}

// listed are the elements of a set, by the link.
func listed(t *testing.T, ns *nstest.NS, set string) map[string][]string {
	t.Helper()
	var listing struct {
		Nftables []struct {
			Set *struct {
				Elem []struct{ Concat []any }
			}
		}
	}
	if err := json.Unmarshal([]byte(ns.Run(t, "nft", "-j", "list", "set", "inet", "scan", set)), &listing); err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, o := range listing.Nftables {
		if o.Set == nil {
			continue
		}
		for _, e := range o.Set.Elem {
			device := e.Concat[0].(string)
			out[device] = append(out[device], fmt.Sprintf("%v %v %v", e.Concat[1:]...))
		}
	}
	for _, ports := range out {
		slices.Sort(ports)
	}
	return out
}
