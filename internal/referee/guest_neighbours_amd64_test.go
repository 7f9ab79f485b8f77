//go:build guest

package referee_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// A room is a network namespace of the guest, which has no ip(8).
type room int

func newRoom(t *testing.T) room {
	t.Helper()
	var r room
	err := apart(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return err
		}
		fd, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
		r = room(fd)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// in runs a function in the room.
func (r room) in(t *testing.T, f func() error) {
	t.Helper()
	if err := apart(func() error { return errors.Join(unix.Setns(int(r), unix.CLONE_NEWNET), f()) }); err != nil {
		t.Fatal(err)
	}
}

// apart runs a function in a thread that ends with it.
func apart(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		done <- f()
	}()
	return <-done
}

// usable gives a link of the thread's namespace an address and sets it up.
func usable(name, address string) error {
	if err := os.WriteFile("/proc/sys/net/ipv6/conf/"+name+"/accept_dad", []byte("0"), 0); err != nil {
		return err
	}
	l, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	a, err := netlink.ParseAddr(address)
	if err != nil {
		return err
	}
	return errors.Join(netlink.LinkSetUp(l), netlink.AddrAdd(l, a))
}

// cable leads from a link of the router to eth0 of a room, whose way out is the router.
func cable(t *testing.T, name, address string, r room, peer string) {
	t.Helper()
	err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: "eth0", PeerNamespace: netlink.NsFd(r)})
	if err == nil {
		err = usable(name, address)
	}
	if err != nil {
		t.Fatal(err)
	}
	own := netip.MustParsePrefix(address).Addr()
	r.in(t, func() error {
		if err := usable("eth0", peer); err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{Gw: own.AsSlice()})
	})
}

// sizes sets the tables of neighbours.
func sizes(t *testing.T, set map[string]string) {
	t.Helper()
	for key, value := range set {
		if err := os.WriteFile("/proc/sys/"+strings.ReplaceAll(key, ".", "/"), []byte(value), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// A scan of more addresses than the kernel's tables of neighbours have room for takes a known
// host away from the router; with the room that the article's router has for them it does not
// (RFC 6583). On the router the kernel asks for an address for three seconds; here for thirty,
// because an emulator may be ten times slower than who scans. However fast the guest is, the
// scan is of fewer addresses than the router has room for.
func TestGuestNeighboursOfAScan(t *testing.T) {
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(os.DirFS("/spec"), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	roomy, small := map[string]string{}, map[string]string{}
	for _, s := range spec.Router.SysctlKeys() {
		if strings.HasPrefix(s.Key, "net.ipv6.neigh.") {
			b, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(s.Key, ".", "/"))
			if err != nil {
				t.Fatal(err)
			}
			roomy[s.Key], small[s.Key] = s.Value, strings.TrimSpace(string(b))
		}
	}
	const most = "net.ipv6.neigh.default.gc_thresh3"
	if roomy[most] != "8192" || small[most] != "1024" {
		t.Fatalf("the router has room for %s, the kernel for %s", roomy[most], small[most])
	}
	const scanned = 6000

	host, world := newRoom(t), newRoom(t)
	cable(t, "lan", "2001:db8:1::1/64", host, "2001:db8:1::50/64")
	cable(t, "wan", "2001:db8:f::2/64", world, "2001:db8:f::1/64")
	sizes(t, map[string]string{"net.ipv6.conf.all.forwarding": "1", "net.ipv6.neigh.lan.retrans_time_ms": "10000"})
	host.in(t, func() error {
		c, err := net.ListenPacket("udp6", "[2001:db8:1::50]:7")
		if err == nil {
			go echoUDP(c)
		}
		return err
	})

	var stop atomic.Bool
	done := make(chan bool)
	world.in(t, func() error {
		c, err := net.ListenPacket("udp6", "[2001:db8:f::1]:0")
		if err != nil {
			return err
		}
		go func() {
			defer close(done)
			defer c.Close()
			for i := 0; !stop.Load(); i = (i + 1) % scanned {
				_, _ = c.WriteTo([]byte("x"), &net.UDPAddr{IP: net.ParseIP(fmt.Sprintf("2001:db8:1::a:%x", i)), Port: 9})
			}
		}()
		return nil
	})
	defer func() { stop.Store(true); <-done }()

	// With the kernel's room: a host that has been known for five seconds is forgotten, and
	// then there may be no room for it (neigh_forced_gc and neigh_alloc of net/core/neighbour.c).
	start := time.Now()
	nstest.Wait(t, func() error {
		if err := reach(); !errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("the host can be reached: %v", err)
		}
		return nil
	})
	t.Logf("lost after %s", time.Since(start))

	sizes(t, roomy)
	nstest.Wait(t, reach)
	top, asked := 0, 0
	for start = time.Now(); time.Since(start) < 15*time.Second || top <= 1024; asked++ {
		if err := reach(); err != nil {
			t.Fatalf("after %s, with %d neighbours: %v", time.Since(start), top, err)
		}
		if asked%20 == 0 {
			top = max(top, neighbours(t))
		}
		if time.Since(start) > nstest.Patience {
			t.Fatalf("the scan has made %d neighbours only", top)
		}
	}
	t.Logf("reached %d times, beside %d neighbours", asked, top)
}

// neighbours is how many the router has on its lan.
func neighbours(t *testing.T) int {
	t.Helper()
	lan, err := netlink.LinkByName("lan")
	if err != nil {
		t.Fatal(err)
	}
	list, err := netlink.NeighList(lan.Attrs().Index, netlink.FAMILY_V6)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{} // a list of what changes has some twice
	for _, n := range list {
		known[n.IP.String()] = true
	}
	return len(known)
}

// echoUDP answers until its socket is closed.
func echoUDP(c net.PacketConn) {
	b := make([]byte, 16)
	for {
		n, from, err := c.ReadFrom(b)
		if err != nil {
			return
		}
		_, _ = c.WriteTo(b[:n], from)
	}
}

// reach asks the host from the router. A packet or its answer may get lost in the scan.
func reach() error {
	c, err := net.Dial("udp6", "[2001:db8:1::50]:7")
	if err != nil {
		return err
	}
	defer c.Close()
	for range 10 {
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		if err := c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		if _, err := c.Read(make([]byte, 16)); err == nil {
			return nil
		}
	}
	return errors.New("no answer")
}
