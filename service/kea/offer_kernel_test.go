package kea

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pcap "github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/internal/probetest"
	"github.com/nbr-dev/nbr/verify/packet"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// ask asks for offers.
func ask(t testing.TB, clients ...client) map[client]probetest.Answer[offer] {
	t.Helper()
	return probetest.Ask(t, offerTo, clients...)
}

// bridged, reserved and direct are clients in the networks that lan makes.
var (
	bridged  = client{Link: "br-lan"}
	reserved = client{Link: "br-lan", MAC: "02:11:22:33:44:55"}
	direct   = client{Link: "lan9"}
)

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
	nstest.IP(t, "link add br-lan type bridge\naddr add 10.7.0.1/24 dev br-lan\n", "link del br-lan\n")
	nstest.Link(t, new(nstest.NS), "lan1", onBridge, "eth0")
	nstest.Link(t, new(nstest.NS), "lan9", onLink, "eth0")
	nstest.Run(t, "link set lan1 master br-lan\nlink set br-lan up\naddr add 10.9.0.1/24 dev lan9\n", "ip", "-batch", "-")
	new(nstest.NS).Carrier(t, "br-lan")
	new(nstest.NS).Carrier(t, "lan9")
	return onBridge, onLink
}

// A real server answers a client without a reservation and one with, on a bridge and on a
// link, and its answers are all that is transmitted.
func TestOffersOfKea(t *testing.T) {
	farBridge, farLink := lan(t)
	if !nstest.Privileged(t) {
		for c, o := range ask(t, bridged, reserved, direct) {
			if !strings.Contains(o.Error, "no permission") {
				t.Errorf("%v: %+v", c, o)
			}
		}
		return
	}
	conf := strings.Replace(keaConf("br-lan", "10.7.0", "10.7.0.100-10.7.0.199"), `["br-lan"]`, `["br-lan", "lan9"]`, 1)
	conf = strings.Replace(conf, `"subnet4": [`, `"subnet4": [{"id": 2, "subnet": "10.9.0.0/24", "interface": "lan9", "valid-lifetime": 600, "pools": [{"pool": "10.9.0.50 - 10.9.0.50"}]}, `, 1)
	kea := startKea(t, conf)
	nstest.Filter(t, "drop", "") // which does not concern programs that take frames from the link itself, as Kea
	onBridge, onLink := probetest.Tap(t, farBridge, "lan1"), probetest.Tap(t, farLink, "lan9")
	want := map[client]probetest.Answer[offer]{
		bridged:  {Answer: offer{Answered: true, Address: "10.7.0.100", Server: "10.7.0.1", Prefix: 24, Routers: []string{"10.7.0.1"}, DNS: []string{"10.7.0.1", "192.0.2.53"}, Domain: "home.arpa", Lease: 43200}},
		reserved: {Answer: offer{Answered: true, Address: "10.7.0.10", Server: "10.7.0.1", Prefix: 24, Routers: []string{"10.7.0.1"}, DNS: []string{"10.7.0.1", "192.0.2.53"}, Domain: "home.arpa", Lease: 43200}},
		direct:   {Answer: offer{Answered: true, Address: "10.9.0.50", Server: "10.9.0.1", Prefix: 24, Lease: 600}},
	}
	start := time.Now()
	if d := cmp.Diff(want, ask(t, bridged, reserved, direct)); d != "" {
		t.Error(d)
	}
	t.Logf("three offers in %s", time.Since(start))
	for where, seen := range map[string]string{"br-lan": onBridge(), "lan9": onLink()} {
		if strings.Contains(seen, ".68 > ") || !strings.Contains(seen, ".67 > 255.255.255.255.68: BOOTP/DHCP, Reply") {
			t.Errorf("transmitted on %s:\n%s", where, seen)
		}
	}
	// Asking takes nothing: the next client is offered the only address.
	if got := ask(t, direct)[direct].Answer.Address; got != "10.9.0.50" {
		t.Errorf("the next client: %q", got)
	}
	kea.Stop(t)
	if d := cmp.Diff(map[client]probetest.Answer[offer]{bridged: {}}, ask(t, bridged)); d != "" {
		t.Errorf("with Kea stopped: %s", d)
	}
}

// A pool without a free address gives no offer, and a server on a link without its
// address gives none either.
func TestNoOfferOfKea(t *testing.T) {
	lan(t)
	if !nstest.Privileged(t) {
		return // TestOffersOfKea has said it
	}
	full := keaConf("br-lan", "10.7.0", "10.7.0.200-10.7.0.200")
	full = strings.Replace(full, `"reservations": [`, `"reservations": [{"hw-address": "02:00:00:00:00:99", "ip-address": "10.7.0.200"}, `, 1)
	startKea(t, full)
	another := client{Link: "br-lan", MAC: "02:00:00:00:00:99"}
	want := map[client]probetest.Answer[offer]{
		bridged: {},
		direct:  {},
		another: {Answer: offer{Answered: true, Address: "10.7.0.200", Server: "10.7.0.1", Prefix: 24, Routers: []string{"10.7.0.1"}, DNS: []string{"10.7.0.1", "192.0.2.53"}, Domain: "home.arpa", Lease: 43200}},
	}
	if d := cmp.Diff(want, ask(t, bridged, direct, another)); d != "" {
		t.Error(d)
	}
}

// Where no answer could be heard, silence is none.
func TestOfferThatCannotBeAskedFor(t *testing.T) {
	lan(t)
	nstest.IP(t, `link add cut type veth peer name cut-peer
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
	want := map[client]string{
		{Link: "none"}:                 "there is no link none",
		{Link: "cut2"}:                 "cut2 has no carrier: no answer could leave on it",
		{Link: "off"}:                  "off is down: no answer could leave on it",
		{Link: "br-dead"}:              "br-dead has no carrier: no answer could leave on it",
		{Link: "tun0"}:                 "tun0 has no carrier: no answer could leave on it",
		{Link: "lan1"}:                 "lan1 is a port of br-lan: hosts are reached on that",
		{Link: "lo"}:                   "lo has no MAC addresses",
		{}:                             `"" is no name of a link`,
		{Link: "br-lan", MAC: "02:00"}: `"02:00" is no MAC address of a client`,
		{Link: "br-lan", MAC: "ff:ff:ff:ff:ff:ff"}: `"ff:ff:ff:ff:ff:ff" is no MAC address of a client`,
		{Link: "br-lan", MAC: "00:00:00:00:00:00"}: `"00:00:00:00:00:00" is no MAC address of a client`,
	}
	got := map[client]string{}
	for c, o := range ask(t, slices.Collect(maps.Keys(want))...) {
		got[c] = o.Error
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A link that carries a lot does not keep an offer from being heard.
func TestOfferOnABusyLink(t *testing.T) {
	lan(t)
	if !nstest.Privileged(t) {
		return // TestOffersOfKea has said it
	}
	startKea(t, keaConf("br-lan", "10.7.0", "10.7.0.100-10.7.0.199"))
	flood(t, "br-lan")
	for range 5 {
		if o := ask(t, bridged)[bridged]; !o.Answer.Answered {
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
	c, err := pcap.Listen(link, pcap.Raw, unix.ETH_P_ARP, nil)
	if err != nil {
		t.Fatal(err)
	}
	frames := [][]byte{packet.Frame(packet.RandomMAC(), link.HardwareAddr, make([]byte, 100))}
	for range 3 {
		frames = append(frames, packet.Frame(packet.RandomMAC(), link.HardwareAddr, offerFor(t, packet.RandomMAC())))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := 0; t.Context().Err() == nil; i++ {
			f := frames[i%len(frames)]
			_, _ = c.WriteTo(f, &pcap.Addr{HardwareAddr: f[:6]})
		}
	}()
	t.Cleanup(func() { <-done; _ = c.Close() })
}

// A server that gets no processor is not taken for silent: nothing is known of it.
func TestOfferOfStarvedKea(t *testing.T) {
	lan(t)
	if !nstest.Privileged(t) {
		return // TestOffersOfKea has said it
	}
	kea := startKea(t, keaConf("br-lan", "10.7.0", "10.7.0.100-10.7.0.199"))
	kea.Signal(t, syscall.SIGSTOP)
	got := ask(t, bridged)[bridged].Error
	if !strings.HasPrefix(got, "a program that takes packets from the link has not answered yet: ") || !strings.HasSuffix(got, " bytes wait to be read") {
		t.Error(got)
	}
	kea.Signal(t, syscall.SIGCONT)
}
