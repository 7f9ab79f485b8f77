//go:build guest

package referee_test

import (
	"net"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// The house reaches the Internet with the address of its provider, and the guests with that of the
// router's line. Without the tunnel the house reaches nothing.
func TestGuestVPNProvider(t *testing.T) {
	internet, provider := nstest.New(t, "internet"), nstest.New(t, "provider")
	house, guest := nstest.New(t, "house"), nstest.New(t, "guest")
	router := boardOf(t, map[string]cable{"wan": {internet, "line"}, "lan1": {house, "eth0"}, "lan2": {guest, "eth0"}})
	nstest.Link(t, provider, "eth0", internet, "core")
	ip(t, internet, `link add br0 type bridge
link set br0 up
link set line master br0
link set core master br0
addr add 198.51.100.53/24 dev br0
addr add 203.0.113.1/32 dev lo
`)
	ip(t, house, "addr add 192.168.1.5/24 dev eth0\nroute add default via 192.168.1.1\n")
	ip(t, guest, "addr add 192.168.2.5/24 dev eth0\nroute add default via 192.168.2.1\n")

	router.Run(t, "sysctl", "-qw", "net.ipv4.conf.all.forwarding=1")
	router.Run(t, "nft", "-f", vpnDir+"rules")
	config, err := os.ReadFile(vpnDir + "links")
	if err != nil {
		t.Fatal(err)
	}
	ifstate := lab.GuestIfState(t)
	ifstate.Ports = dsaPorts
	applyConfig(t, ifstate, router, string(config))
	moves(t, router, "wan", "198.51.100.2/24")

	key := strings.Fields(router.Run(t, "wg", "show", "vpn0", "public-key"))[0]
	ip(t, provider, "link add wg0 type wireguard\naddr add 198.51.100.77/24 dev eth0\naddr add 10.64.0.1/32 dev wg0\nroute add default via 198.51.100.53\n")
	provider.Run(t, "wg", "set", "wg0", "listen-port", "51820", "private-key", vpnDir+"provider", "peer", key, "allowed-ips", "10.64.3.2/32")
	ip(t, provider, "link set wg0 up\nroute add 10.64.3.2/32 dev wg0\n")
	provider.Run(t, "sysctl", "-qw", "net.ipv4.conf.all.forwarding=1")
	provider.Run(t, "nft", "add table ip nat; add chain ip nat out { type nat hook postrouting priority srcnat; }; add rule ip nat out oifname eth0 masquerade")

	taken := echo(t, internet, 80)
	// seen is the address with which a host reaches a server of the Internet.
	seen := func(from *nstest.NS) string {
		dial(t, from, "203.0.113.1:80").says(t, "hello")
		host, _, _ := net.SplitHostPort((<-taken).RemoteAddr().String())
		return host
	}
	ways := func() map[string]string { return map[string]string{"house": seen(house), "guest": seen(guest)} }
	want := map[string]string{"house": "198.51.100.77", "guest": "198.51.100.2"}
	if d := cmp.Diff(want, ways()); d != "" {
		t.Errorf("with the tunnel (-want +got):\n%s", d)
	}
	pings(t, router, "203.0.113.1") // the router's own packets take the line, and so do the tunnel's

	if got := strings.TrimSpace(router.Run(t, "ip", "route", "show", "table", "20")); got != "default dev vpn0" {
		t.Errorf("table 20: %q", got)
	}

	ip(t, router, "link set vpn0 down\n") // takes the route with it
	if out, err := house.Try(t, "ping", "-c1", "-W5", "203.0.113.1"); !strings.Contains(out, "Unreachable") || err == nil {
		t.Errorf("without the tunnel: %v: %s", err, out)
	}
	if got := seen(guest); got != "198.51.100.2" {
		t.Errorf("the guests without the tunnel: %s", got)
	}
	applyConfig(t, ifstate, router, string(config))
	if d := cmp.Diff(want, ways()); d != "" {
		t.Errorf("with the tunnel again (-want +got):\n%s", d)
	}
}
