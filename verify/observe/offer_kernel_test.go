package observe

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// privileged tells whether this is root of the machine and not of a user namespace,
// where no XDP program may be loaded (user_namespaces(7), bpf(2)).
func privileged(t testing.TB) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/uid_map")
	if err != nil {
		t.Fatal(err)
	}
	f := strings.Fields(string(text))
	return os.Geteuid() == 0 && len(f) == 3 && f[2] == "4294967295"
}

// asked asks questions of one kind, and nothing else.
func asked(t testing.TB, kind state.NeedKind, names ...string) *state.State {
	t.Helper()
	nstest.Require(t)
	var asking []collector
	for _, c := range collectors {
		if c.asks {
			asking = append(asking, c)
		}
	}
	st := look(t.Context(), Options{Needs: needs(kind, names...)}, asking)
	if st.Missed != nil {
		t.Fatal(st.Missed)
	}
	return st
}

// keaConf serves a network on a link, with a pool and a reserved address outside.
func keaConf(link, network, pool string) string {
	return fmt.Sprintf(`{"Dhcp4": {
  "interfaces-config": {"interfaces": [%q], "service-sockets-max-retries": 5, "service-sockets-retry-wait-time": 200},
  "lease-database": {"type": "memfile", "persist": false},
  "valid-lifetime": 43200,
  "subnet4": [{
    "id": 1, "subnet": "%s.0/24", "interface": %[1]q, "pools": [{"pool": %[3]q}],
    "option-data": [
      {"name": "routers", "data": "%[2]s.1"},
      {"name": "domain-name-servers", "data": "%[2]s.1, 192.0.2.53"},
      {"name": "domain-name", "data": "home.arpa"}
    ],
    "reservations": [{"hw-address": "02:11:22:33:44:55", "ip-address": "%[2]s.10"}]
  }]
}}`, link, network, pool)
}

func startKea(t *testing.T, conf string) *lab.Daemon {
	t.Helper()
	root := lab.Rootfs(t, lab.Files{"/etc/kea/test.conf": conf, "/run/kea/": "", "/var/lib/kea/": ""})
	kea := root.Daemon(t, new(nstest.NS), "kea-dhcp4", "-c", "/etc/kea/test.conf")
	kea.Ready(t, func() error {
		if !strings.Contains(kea.Log(), "DHCP4_STARTED") {
			return fmt.Errorf("it has not started")
		}
		return nil
	})
	return kea
}

// lan makes br-lan, with a far host on its port, and lan9 without a bridge, with
// another one.
func lan(t *testing.T) (onBridge, onLink *nstest.NS) {
	t.Helper()
	onBridge, onLink = nstest.New(t, "bridged"), nstest.New(t, "linked")
	ip(t, "link add br-lan type bridge\naddr add 10.7.0.1/24 dev br-lan\n", "link del br-lan\n")
	nstest.Link(t, new(nstest.NS), "lan1", onBridge, "eth0")
	nstest.Link(t, new(nstest.NS), "lan9", onLink, "eth0")
	run(t, "link set lan1 master br-lan\nlink set br-lan up\naddr add 10.9.0.1/24 dev lan9\n", "ip", "-batch", "-")
	carrier(t, "br-lan")
	carrier(t, "lan9")
	return onBridge, onLink
}

// carrier waits until a link has one.
func carrier(t *testing.T, name string) {
	t.Helper()
	nstest.Wait(t, func() error {
		_, err := openLink(name)
		return err
	})
}

// tap is what arrives at the far end of the wire of a link.
func tap(t *testing.T, ns *nstest.NS, link string) func() string {
	t.Helper()
	cmd := lab.Rootfs(t, nil).Command(t, ns, "tcpdump", "-Z", "root", "-n", "-l", "--immediate-mode", "-i", "eth0", "-Q", "in", "udp or tcp or icmp")
	var mu sync.Mutex
	var out strings.Builder
	text := func() string {
		mu.Lock()
		defer mu.Unlock()
		return out.String()
	}
	ready := make(chan struct{})
	cmd.Stdout = writerFunc(func(p []byte) {
		mu.Lock()
		defer mu.Unlock()
		out.Write(p)
	})
	cmd.Stderr = writerFunc(func(p []byte) {
		if bytes.Contains(p, []byte("listening on")) {
			close(ready)
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-ready:
	case <-time.After(nstest.Patience):
		t.Fatal("tcpdump does not start")
	}
	return func() string {
		mark(t, link)
		nstest.Wait(t, func() error { // all that was sent before has arrived by then
			if !strings.Contains(text(), lastFrom.String()) {
				return errors.New("the last packet has not arrived")
			}
			return nil
		})
		_ = cmd.Process.Signal(unix.SIGINT)
		_ = cmd.Wait()
		return text()
	}
}

// lastFrom is where the packet comes from that ends a recording.
var lastFrom = netip.MustParseAddr("233.252.0.7")

// mark sends the packet that ends a recording.
func mark(t *testing.T, name string) {
	t.Helper()
	link, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := packet.Listen(link, packet.Raw, unix.ETH_P_IP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	port := netip.AddrPortFrom(lastFrom, 9)
	broadcast := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	if _, err := c.WriteTo(frame(broadcast, stranger(), udp(port, port, nil)), &packet.Addr{HardwareAddr: broadcast}); err != nil {
		t.Fatal(err)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// A real server answers a stranger and a known client, on a bridge and on a link, and
// what it answers is all that is ever on a wire.
func TestOffersOfKea(t *testing.T) {
	bridged, linked := lan(t)
	names := []string{"br-lan", "br-lan 02:11:22:33:44:55", "lan9"}
	if !privileged(t) {
		for _, n := range names {
			if o := asked(t, state.NeedOffer, n).Offers[n]; !strings.Contains(o.Error, "no permission") || o.Answered {
				t.Errorf("%s: %+v", n, o)
			}
		}
		return
	}
	conf := strings.Replace(keaConf("br-lan", "10.7.0", "10.7.0.100-10.7.0.199"), `["br-lan"]`, `["br-lan", "lan9"]`, 1)
	conf = strings.Replace(conf, `"subnet4": [`, `"subnet4": [{"id": 2, "subnet": "10.9.0.0/24", "interface": "lan9", "valid-lifetime": 600, "pools": [{"pool": "10.9.0.50 - 10.9.0.50"}]}, `, 1)
	kea := startKea(t, conf)
	filter(t, "drop", "") // which says nothing to who takes frames from the link itself, as Kea
	onBridge, onLink := tap(t, bridged, "lan1"), tap(t, linked, "lan9")
	want := map[string]state.Offer{
		"br-lan":                   {Answered: true, Address: "10.7.0.100", Server: "10.7.0.1", Prefix: 24, Routers: []string{"10.7.0.1"}, DNS: []string{"10.7.0.1", "192.0.2.53"}, Domain: "home.arpa", Lease: 43200},
		"br-lan 02:11:22:33:44:55": {Answered: true, Address: "10.7.0.10", Server: "10.7.0.1", Prefix: 24, Routers: []string{"10.7.0.1"}, DNS: []string{"10.7.0.1", "192.0.2.53"}, Domain: "home.arpa", Lease: 43200},
		"lan9":                     {Answered: true, Address: "10.9.0.50", Server: "10.9.0.1", Prefix: 24, Lease: 600},
	}
	start := time.Now()
	if d := cmp.Diff(want, asked(t, state.NeedOffer, names...).Offers); d != "" {
		t.Error(d)
	}
	t.Logf("three offers in %s", time.Since(start))
	for where, seen := range map[string]string{"br-lan": onBridge(), "lan9": onLink()} {
		if strings.Contains(seen, ".68 > ") || !strings.Contains(seen, ".67 > 255.255.255.255.68: BOOTP/DHCP, Reply") {
			t.Errorf("on the wire of %s:\n%s", where, seen)
		}
	}
	// Asking takes nothing: whoever comes next is offered the only address.
	if got := asked(t, state.NeedOffer, "lan9").Offers["lan9"].Address; got != "10.9.0.50" {
		t.Errorf("the next stranger: %q", got)
	}
	kea.Stop(t)
	if d := cmp.Diff(map[string]state.Offer{"br-lan": {}}, asked(t, state.NeedOffer, "br-lan").Offers); d != "" {
		t.Errorf("with Kea stopped: %s", d)
	}
}

// A pool without a free address gives no offer, and a server on a link without its
// address gives none either.
func TestNoOfferOfKea(t *testing.T) {
	lan(t)
	if !privileged(t) {
		return // TestOffersOfKea has said it
	}
	full := keaConf("br-lan", "10.7.0", "10.7.0.200-10.7.0.200")
	full = strings.Replace(full, `"reservations": [`, `"reservations": [{"hw-address": "02:00:00:00:00:99", "ip-address": "10.7.0.200"}, `, 1)
	startKea(t, full)
	want := map[string]state.Offer{
		"br-lan":                   {},
		"lan9":                     {},
		"br-lan 02:00:00:00:00:99": {Answered: true, Address: "10.7.0.200", Server: "10.7.0.1", Prefix: 24, Routers: []string{"10.7.0.1"}, DNS: []string{"10.7.0.1", "192.0.2.53"}, Domain: "home.arpa", Lease: 43200},
	}
	if d := cmp.Diff(want, asked(t, state.NeedOffer, "br-lan", "lan9", "br-lan 02:00:00:00:00:99").Offers); d != "" {
		t.Error(d)
	}
}

// Where nobody could be heard, nobody is said to be silent.
func TestOfferThatCannotBeAskedFor(t *testing.T) {
	lan(t)
	ip(t, `link add cut type veth peer name cut-peer
link set cut up
link add off type ifb
link add br-dead type bridge
link set cut master br-dead
link set br-dead up
link add cut2 type veth peer name cut2-peer
link set cut2 up
tuntap add tun0 mode tun
link set tun0 up
`, "link del cut\nlink del off\nlink del br-dead\nlink del cut2\nlink del tun0\n")
	want := map[string]string{
		"none":                     "there is no link none",
		"cut2":                     "cut2 has no carrier: no answer could leave on it",
		"off":                      "off is down: no answer could leave on it",
		"br-dead":                  "br-dead has no carrier: no answer could leave on it",
		"tun0":                     "tun0 has no carrier: no answer could leave on it",
		"lan1":                     "lan1 is a port of br-lan: nobody is to be met on it alone",
		"lo":                       "lo is no Ethernet, and has no DHCP",
		"":                         `"" is no name of a link`,
		"br-lan 02:00:00:00:00":    `"02:00:00:00:00" is no MAC address of a client`,
		"br-lan ff:ff:ff:ff:ff:ff": `"ff:ff:ff:ff:ff:ff" is no MAC address of a client`,
		"br-lan 00:00:00:00:00:00": `"00:00:00:00:00:00" is no MAC address of a client`,
		"br-lan ":                  `"" is no MAC address of a client`,
	}
	var names []string
	for n := range want {
		names = append(names, n)
	}
	got := map[string]string{}
	for n, o := range asked(t, state.NeedOffer, names...).Offers {
		got[n] = o.Error
		if o.Answered {
			t.Errorf("%q: %+v", n, o)
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A link that carries a lot does not keep an offer from being heard.
func TestOfferOnABusyLink(t *testing.T) {
	lan(t)
	if !privileged(t) {
		return // TestOffersOfKea has said it
	}
	startKea(t, keaConf("br-lan", "10.7.0", "10.7.0.100-10.7.0.199"))
	flood(t, "br-lan")
	for range 5 {
		if o := asked(t, state.NeedOffer, "br-lan").Offers["br-lan"]; !o.Answered {
			t.Errorf("%+v", o)
		}
	}
}

// flood sends small frames on a link as fast as it can until the test ends, among
// them DHCP answers to others.
func flood(t *testing.T, name string) {
	t.Helper()
	link, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := packet.Listen(link, packet.Raw, unix.ETH_P_ARP, nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{frame(stranger(), link.HardwareAddr, make([]byte, 100))}
	for range 3 {
		frames = append(frames, frame(stranger(), link.HardwareAddr, offerTo(t, stranger())))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; t.Context().Err() == nil; i++ {
			f := frames[i%len(frames)]
			_, _ = c.WriteTo(f, &packet.Addr{HardwareAddr: f[:6]})
		}
	}()
	t.Cleanup(func() { <-done; _ = c.Close() })
}
