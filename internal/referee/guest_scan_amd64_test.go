//go:build guest

package referee_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// limits are the sizes of the table of IPv6 neighbours, which is the kernel's as a whole.
type limits [3]string

func limitFile(i int) string {
	return fmt.Sprintf("/proc/sys/net/ipv6/neigh/default/gc_thresh%d", i+1)
}

func (l limits) set(t *testing.T) {
	t.Helper()
	// The greatest first or last makes no difference: the kernel does not compare them.
	for i, value := range l {
		if err := os.WriteFile(limitFile(i), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestGuestScan is what RFC 6583 is about: packets from the Internet to thousands of addresses of
// a network of 2^64, for each of which the router asks its neighbours. The kernel gives up on
// each after an hour instead of three seconds, so that a slow machine scans as fast as any.
func TestGuestScan(t *testing.T) {
	var before, ours limits
	for i := range before {
		for file, value := range map[string]*string{limitFile(i): &before[i], filepath.Join("/neighbours", fmt.Sprint(i+1)): &ours[i]} {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			*value = strings.TrimSpace(string(b))
		}
	}
	t.Cleanup(func() { before.set(t) })

	router, house, internet := nstest.New(t, "router"), nstest.New(t, "house"), nstest.New(t, "internet")
	nstest.Link(t, router, "lan", house, "eth0")
	nstest.Link(t, router, "wan", internet, "eth0")
	// The shell has an ip of its own, which knows less.
	for ns, script := range map[*nstest.NS]string{
		router: `/usr/bin/ip addr add 2001:db8:1::1/64 dev lan nodad
/usr/bin/ip addr add 2001:db8:f::1/64 dev wan nodad
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
echo 3600000 >/proc/sys/net/ipv6/neigh/lan/retrans_time_ms
/usr/bin/ip neigh replace 2001:db8:f::2 dev wan lladdr 02:00:00:00:0f:02 nud permanent`,
		internet: `/usr/bin/ip link set eth0 address 02:00:00:00:0f:02
/usr/bin/ip addr add 2001:db8:f::2/64 dev eth0 nodad
/usr/bin/ip -6 route add default via 2001:db8:f::1`,
		house: `for i in 5 6 7 8; do /usr/bin/ip addr add 2001:db8:1::$i/64 dev eth0 nodad; done
/usr/bin/ip -6 route add default via 2001:db8:1::1`,
	} {
		ns.Run(t, "sh", "-ec", script)
	}
	// What the router is called on wan must not need the table either.
	mac := strings.Fields(router.Run(t, "sh", "-c", "cat /sys/class/net/wan/address"))[0]
	internet.Run(t, "ip", "neigh", "replace", "2001:db8:f::1", "dev", "eth0", "lladdr", mac, "nud", "permanent")

	var scanner net.PacketConn
	if err := within(internet, func() (err error) {
		scanner, err = net.ListenPacket("udp6", "[2001:db8:f::2]:0")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	defer scanner.Close()
	known := func() (addrs []string) {
		for line := range strings.Lines(router.Run(t, "ip", "-6", "neigh", "show", "dev", "lan")) {
			addrs = append(addrs, strings.Fields(line)[0])
		}
		return addrs
	}
	// scan sends a packet to each of n addresses till the table has so many of them.
	scan := func(n, full int) {
		t.Helper()
		nstest.Wait(t, func() error {
			for i := range n {
				to := net.UDPAddr{IP: net.ParseIP(fmt.Sprintf("2001:db8:1::1:%x", i+1)), Port: 9}
				if _, err := scanner.WriteTo([]byte("scan"), &to); err != nil {
					return err
				}
			}
			if got := len(known()); got < full {
				return fmt.Errorf("%d neighbours of %d", got, full)
			}
			return nil
		})
	}
	reached := func(host string) bool {
		t.Helper()
		_, err := internet.Try(t, "busybox", "ping6", "-c", "5", "-W", "5", host)
		return err == nil
	}

	kernels := limits{"128", "512", "1024"}
	if slices.Equal(kernels[:], ours[:]) {
		t.Fatal("nbr's limits are the kernel's own")
	}
	ours.set(t)
	if !reached("2001:db8:1::5") {
		t.Fatal("nothing works without a scan")
	}
	scan(3000, 3000)
	for host, what := range map[string]string{"2001:db8:1::5": "a host that was talked to", "2001:db8:1::6": "another host"} {
		if !reached(host) {
			t.Errorf("%s is not reached during a scan of 3000 addresses", what)
		}
	}
	// More than fits: memory has a bound all the same.
	scan(6000, 4000)
	if n := len(known()); n > 4096 {
		t.Errorf("%d neighbours, and at most %s may be", n, ours[2])
	}

	// The kernel's own limits show that there is something to gain.
	router.Run(t, "ip", "-6", "neigh", "flush", "dev", "lan")
	kernels.set(t)
	scan(3000, 1000)
	if n := len(known()); n > 1024 {
		t.Errorf("%d neighbours, and at most 1024 may be", n)
	}
	if reached("2001:db8:1::7") {
		t.Error("with the kernel's limits a host is reached as well: the scan shows nothing")
	}
}
