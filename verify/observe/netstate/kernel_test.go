package netstate

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// usualQueue takes the queue length that the kernel gives to a link by itself (DEFAULT_TX_QUEUE_LEN of
// include/net/pkt_sched.h) for none, so that tests name those that differ.
var usualQueue = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".TxQueueLength" },
	cmp.Transformer("unusual", func(n int) int {
		if n == 1000 {
			return 0
		}
		return n
	}))

func TestMain(m *testing.M) { nstest.Main(m) }

// seen is the network, which must be to be had.
func seen(t testing.TB, peers ...string) Network {
	t.Helper()
	nstest.Require(t)
	n, err := Look(t.Context(), "", peers)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// rules are the routing rules, which must be to be had.
func rules(t testing.TB) []state.Rule {
	t.Helper()
	nstest.Require(t)
	list, err := Rules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// tunnels are WireGuard's, which must be to be had.
func tunnels(t testing.TB) map[string]state.WireGuard {
	t.Helper()
	nstest.Require(t)
	all, err := WireGuard()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestNetwork(t *testing.T) {
	far := nstest.New(t, "far")
	nstest.IP(t, `link add br0 type bridge
link add v0 type veth peer name v1
link set v1 master br0 mtu 1400
link set br0 up
link set v0 up
link set v1 up
tuntap add tap0 mode tap
link add sleeper type ifb
addr add 192.0.2.1/24 dev br0
addr add 198.51.100.7/24 dev v0 valid_lft 600 preferred_lft 300
addr add 10.9.9.1 peer 10.9.9.4/30 dev v0
addr add 2001:db8::1/64 dev v0 nodad
addr add 2001:db8::2/64 dev v0 nodad valid_lft 600 preferred_lft 300
route add default via 198.51.100.1 proto dhcp
route add 203.0.113.0/24 via 192.0.2.9 proto static
route add 203.0.113.0/24 via 192.0.2.9 table 100 proto zebra
route add 10.1.0.0/16 nexthop via 192.0.2.8 weight 3 nexthop via 198.51.100.8
route add blackhole 10.2.0.0/16 proto 77
route add local 10.3.0.0/16 dev lo
route add 10.4.0.0/16 via inet6 2001:db8::9 dev v0
route add 2001:db8:1::/48 via 2001:db8::9 proto static
route add unreachable 2001:db8:2::/48
route add ::/0 via fe80::1 dev v0 proto ra
`, "link del br0\nlink del v0\nlink del tap0\nlink del sleeper\nroute del blackhole 10.2.0.0/16\nroute del local 10.3.0.0/16 table local\nroute del unreachable 2001:db8:2::/48\n")
	nstest.Link(t, new(nstest.NS), "far0", far, "eth0")
	for _, name := range []string{"br0", "v0", "v1"} {
		new(nstest.NS).Carrier(t, name)
	}

	st := seen(t)
	for _, name := range []string{"br0", "v0", "far0"} {
		l := st.Links[name]
		if mac, err := net.ParseMAC(l.MAC); err != nil || len(mac) != 6 {
			t.Errorf("%s: MAC %q", name, l.MAC)
		}
	}
	links := map[string]state.Link{
		"lo":      {Up: true, Carrier: true, MTU: 65536},
		"br0":     {Kind: "bridge", Up: true, Carrier: true, MTU: 1400},
		"v0":      {Kind: "veth", Up: true, Carrier: true, MTU: 1500, Parent: "v1"},
		"v1":      {Kind: "veth", Up: true, Carrier: true, MTU: 1400, Parent: "v0", Master: "br0", Port: &state.BridgePort{State: "forwarding", Learning: true, Flood: true}},
		"tap0":    {Kind: "tun", MTU: 1500},
		"sleeper": {Kind: "ifb", MTU: 1500, TxQueueLength: 32},
		"far0":    {Kind: "veth", Up: true, Carrier: true, MTU: 1500},
	}
	own := cmpopts.IgnoreMapEntries(func(name string, _ state.Link) bool { return name == "ifb0" || name == "ifb1" })
	if d := cmp.Diff(links, st.Links, own, usualQueue, cmpopts.IgnoreFields(state.Link{}, "MAC"), cmpopts.EquateEmpty()); d != "" {
		t.Error(d)
	}

	addrs := []state.Addr{
		{Link: "br0", Prefix: "192.0.2.1/24"},
		{Link: "lo", Prefix: "127.0.0.1/8"},
		{Link: "lo", Prefix: "::1/128"},
		{Link: "v0", Prefix: "10.9.9.1/30"},
		{Link: "v0", Prefix: "198.51.100.7/24", Dynamic: true},
		{Link: "v0", Prefix: "2001:db8::1/64"},
		{Link: "v0", Prefix: "2001:db8::2/64", Dynamic: true},
	}
	linkLocal := cmpopts.IgnoreSliceElements(func(a state.Addr) bool { return strings.HasPrefix(a.Prefix, "fe80:") })
	if d := cmp.Diff(addrs, st.Addrs, linkLocal); d != "" {
		t.Error(d)
	}

	routes := []state.Route{
		{To: "0.0.0.0/0", Via: "198.51.100.1", Link: "v0", Proto: "dhcp"},
		{To: "10.1.0.0/16", Via: "192.0.2.8", Link: "br0", Proto: "boot", Weight: 3},
		{To: "10.1.0.0/16", Via: "198.51.100.8", Link: "v0", Proto: "boot", Weight: 1},
		{To: "10.2.0.0/16", Type: "blackhole", Proto: "77"},
		{To: "10.3.0.0/16", Link: "lo", Proto: "boot", Table: "local"},
		{To: "10.4.0.0/16", Via: "2001:db8::9", Link: "v0", Proto: "boot"},
		{To: "10.9.9.4/30", Link: "v0", Proto: "kernel"},
		{To: "192.0.2.0/24", Link: "br0", Proto: "kernel"},
		{To: "198.51.100.0/24", Link: "v0", Proto: "kernel"},
		{To: "203.0.113.0/24", Via: "192.0.2.9", Link: "br0", Proto: "static"},
		{To: "203.0.113.0/24", Via: "192.0.2.9", Link: "br0", Proto: "zebra", Table: "100"},
		{To: "2001:db8::/64", Link: "v0", Proto: "kernel", Metric: 256},
		{To: "2001:db8:1::/48", Via: "2001:db8::9", Link: "v0", Proto: "static", Metric: 1024},
		{To: "2001:db8:2::/48", Type: "unreachable", Proto: "boot", Metric: 1024},
		{To: "::/0", Via: "fe80::1", Link: "v0", Proto: "ra", Metric: 1024},
	}
	order := cmpopts.SortSlices(func(a, b state.Route) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
	linkLocalRoute := cmpopts.IgnoreSliceElements(func(r state.Route) bool { return r.To == "fe80::/64" })
	if d := cmp.Diff(routes, st.Routes, order, linkLocalRoute); d != "" {
		t.Error(d)
	}
}

func TestNeighbours(t *testing.T) {
	nstest.IP(t, `link add n0 type veth peer name n1
link set n0 up
link set n1 up
addr add 192.0.2.1/24 dev n0
addr add 2001:db8::1/64 dev n0 nodad
neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev n0 nud permanent
neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev n0 nud stale
neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev n0 nud stale
neigh add 2001:db8::9 lladdr 02:00:00:00:00:0a dev n0 nud permanent
`, "link del n0\n")
	want := []state.Neighbour{
		{Link: "n0", Address: "192.0.2.8", MAC: "02:00:00:00:00:08", State: "STALE"},
		{Link: "n0", Address: "192.0.2.9", MAC: "02:00:00:00:00:09", State: "PERMANENT"},
		{Link: "n0", Address: "2001:db8::9", MAC: "02:00:00:00:00:0a", State: "PERMANENT"},
	}
	if d := cmp.Diff(want, seen(t, "192.0.2.8").Neighbours); d != "" {
		t.Error(d)
	}
}

// iproute2 prints the same rules.
func TestRules(t *testing.T) {
	if list := rules(t); list == nil || len(list) > 0 {
		t.Errorf("a new namespace has only the kernel's rules, which are not listed: %v", list)
	}
	var add, del strings.Builder
	for i, rule := range []string{
		"from 10.0.0.0/8 lookup 100", "from 10.0.0.1 to 192.0.2.0/24 lookup 100", "not from 10.0.0.0/8 lookup main",
		"fwmark 0x1 lookup 100", "fwmark 0x1/0xff lookup 100", "iif lo lookup 100", "iif lan9 oif lan8 lookup 100",
		"tos 0x10 lookup 100", "uidrange 0-0 lookup 100", "ipproto tcp dport 80 lookup 100", "ipproto udp sport 1000-2000 lookup 100",
		"ipproto 253 lookup 100", "lookup main suppress_prefixlength 0", "lookup main suppress_ifgroup 3", "blackhole", "unreachable", "prohibit", "goto 32766",
		"lookup default", "lookup 1000000",
	} {
		fmt.Fprintf(&add, "rule add pref %d %s\n", 100+i, rule)
		fmt.Fprintf(&del, "rule del pref %d\n", 100+i)
	}
	nstest.IP(t, add.String()+"rule add pref 32766 lookup 5\n", del.String()+"rule del pref 32766 lookup 5\n")
	for _, rule := range []string{"from 2001:db8::/32 lookup 100", "to 2001:db8::1 lookup 100"} {
		nstest.Run(t, "", "ip", append([]string{"-6", "rule", "add", "pref", "300"}, strings.Fields(rule)...)...)
		t.Cleanup(func() { nstest.Run(t, "", "ip", "-6", "rule", "del", "pref", "300") })
	}

	var want []string
	for _, family := range []string{"-4", "-6"} {
		for line := range strings.Lines(new(nstest.NS).Run(t, "ip", family, "rule")) {
			number, text, _ := strings.Cut(strings.TrimSpace(line), ":")
			own := number == "0" || number == "32767" || number == "32766" && !strings.Contains(text, "lookup 5")
			if !own {
				// The program pads with spaces where nothing follows.
				want = append(want, "ipv"+family[1:]+" "+number+" "+strings.Join(strings.Fields(text), " "))
			}
		}
	}
	if len(want) != 23 {
		t.Fatalf("ip has %d rules", len(want))
	}
	var got []string
	for _, r := range rules(t) {
		got = append(got, fmt.Sprintf("%s %d %s", r.Family, r.Priority, r.Text))
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestShortMessagesAreRefused(t *testing.T) {
	for n := range unix.SizeofRtMsg {
		if _, err := parseRule(make([]byte, n)); err == nil {
			t.Errorf("%d bytes are a rule", n)
		}
	}
	for _, tail := range []string{"\x00", "\x03\x00\x01\x00", "\x09\x00\x01\x00xxxx"} {
		if out, err := parseRule(append(make([]byte, unix.SizeofRtMsg), tail...)); err == nil {
			t.Errorf("%x is at the end of a rule: %v", tail, out)
		}
	}
}

// What the kernel sends is never wrong, but may be new.
func FuzzMessages(f *testing.F) {
	f.Add(make([]byte, unix.SizeofRtMsg))
	f.Add(append(make([]byte, unix.SizeofRtMsg), 8, 0, unix.RTA_TABLE, 0, 1, 2, 3, 4, 5, 0, 3, 0, 'x'))
	f.Fuzz(func(_ *testing.T, b []byte) {
		_, _ = parseRule(b)
		_, _ = parseLink(b)
	})
}

const (
	privateKey   = "a00000000000000000000000000000000000000000000000000000000000005a"
	presharedKey = "b00000000000000000000000000000000000000000000000000000000000005b"
	publicKey    = "c00000000000000000000000000000000000000000000000000000000000005c"
)

// WireGuard in user space speaks this over a socket (wireguard.com/xplatform), to the
// same library. The kernel of the test's machine has no WireGuard.
func TestWireGuardKeepsNoSecret(t *testing.T) {
	nstest.Require(t)
	if err := os.MkdirAll("/var/run/wireguard", 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := net.Listen("unix", "/var/run/wireguard/wg0.sock")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	go func() {
		for {
			c, err := s.Accept()
			if err != nil {
				return
			}
			// "get=1" and an empty line: who closes before has not read what the client writes.
			for r := bufio.NewReader(c); ; {
				if l, err := r.ReadString('\n'); err != nil || l == "\n" {
					break
				}
			}
			fmt.Fprintf(c, "private_key=%s\nlisten_port=51820\npublic_key=%s\npreshared_key=%s\nendpoint=[2001:db8::7]:1234\n"+
				"allowed_ip=192.0.2.0/24\nallowed_ip=10.0.0.0/8\nallowed_ip=2001:db8:9::/48\nlast_handshake_time_sec=1700000000\nlast_handshake_time_nsec=5\n"+
				"public_key=%064d\nlast_handshake_time_sec=0\nlast_handshake_time_nsec=0\nerrno=0\n\n", privateKey, publicKey, presharedKey, 0)
			c.Close()
		}
	}()
	got := tunnels(t)
	want := map[string]state.WireGuard{"wg0": {ListenPort: 51820, Peers: map[string]state.Peer{
		key(t, publicKey): {AllowedIPs: []string{"10.0.0.0/8", "192.0.2.0/24", "2001:db8:9::/48"}, Endpoint: "[2001:db8::7]:1234", Handshake: 1700000000},
		"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=": {AllowedIPs: []string{}},
	}}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{privateKey, presharedKey, key(t, privateKey), key(t, presharedKey)} {
		if strings.Contains(string(text), secret) {
			t.Errorf("%s is in the state", secret)
		}
	}
}

func key(t *testing.T, text string) string {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	k, err := wgtypes.NewKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return k.String()
}

func TestAgain(t *testing.T) {
	for _, tt := range []struct{ interrupted, runs int }{{0, 1}, {3, 4}, {dumps, dumps}} {
		n := 0
		err := again(t.Context(), func() error {
			if n++; n <= tt.interrupted {
				return fmt.Errorf("dump: %w", netlink.ErrDumpInterrupted)
			}
			return nil
		})
		if n != tt.runs || (err != nil) != (tt.interrupted >= dumps) {
			t.Errorf("interrupted %d times: %d runs, %v", tt.interrupted, n, err)
		}
	}
	n, other := 0, errors.New("other")
	if err := again(t.Context(), func() error { n++; return other }); n != 1 || !errors.Is(err, other) {
		t.Errorf("%d runs, %v", n, err)
	}
}

// While links come and go a look is still of one moment: whatever has a link's name
// has the name of one that is in it.
func TestNetworkInAStorm(t *testing.T) {
	nstest.Require(t)
	stop, stopped := make(chan struct{}), make(chan error)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			case <-time.After(time.Millisecond):
			}
			l := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprintf("s%d", i%5)}, PeerName: fmt.Sprintf("t%d", i%5)}
			err = errors.Join(netlink.LinkAdd(l), netlink.LinkSetUp(l))
			if a, aerr := netlink.ParseAddr(fmt.Sprintf("10.77.%d.1/24", i%5)); aerr == nil {
				err = errors.Join(err, netlink.AddrAdd(l, a))
			}
			err = errors.Join(err, netlink.LinkDel(l))
		}
		stopped <- err
	}()
	for range 50 {
		st := seen(t)
		for _, a := range st.Addrs {
			if _, ok := st.Links[a.Link]; !ok {
				t.Errorf("%v is of no link", a)
			}
		}
		for _, r := range st.Routes {
			if _, ok := st.Links[r.Link]; !ok {
				t.Errorf("%v is of no link", r)
			}
		}
	}
	close(stop)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}
