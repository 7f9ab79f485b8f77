//go:build guest

package referee_test

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

const threshold = "net.ipv6.neigh.default.gc_thresh"

// thresholds are what the router sets with 4 GiB of memory, and what the kernel has by itself.
func thresholds(t *testing.T) (own, kernels map[string]string) {
	t.Helper()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(template + inline["bare"])}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	own, kernels = map[string]string{}, map[string]string{}
	for _, s := range spec.Router.Claims.SysctlKeys() {
		if strings.HasPrefix(s.Key, threshold) {
			text, err := os.ReadFile(parameter(s.Key))
			if err != nil {
				t.Fatal(err)
			}
			own[s.Key], kernels[s.Key] = s.Value, string(text)
		}
	}
	return own, kernels
}

func parameter(key string) string { return "/proc/sys/" + strings.ReplaceAll(key, ".", "/") }

func set(t *testing.T, values map[string]string) {
	t.Helper()
	for key, value := range values {
		if err := os.WriteFile(parameter(key), []byte(value), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// One client that calls many addresses that nobody has does not cost the others their entries
// (RFC 6583). The table is the kernel's, not a namespace's, so it takes a kernel.
func TestGuestScanOfTheNeighbours(t *testing.T) {
	oneHost(t)
	own, kernels := thresholds(t)
	if len(own) != 3 {
		t.Fatalf("the router sets %v", own)
	}
	set(t, own)
	before := slab(t)
	if !known(t, 1) {
		t.Error("the host is forgotten")
	}
	t.Logf("%d KiB for %d neighbours and a packet each", slab(t)-before, calls)
	// It is the room that does it.
	set(t, kernels)
	if known(t, 2) {
		t.Error("the kernel's own values would do")
	}
}

const (
	calls  = 1500 // more than the kernel has room for by itself, and less than the router has
	host   = "2001:db8:1::50"
	prefix = "2001:db8:1:0"
)

// oneHost makes a network with one host in it.
func oneHost(t *testing.T) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "lan0"}, PeerName: "eth9"}
	must(netlink.LinkAdd(link))
	address := func(dev, cidr string) {
		l, err := netlink.LinkByName(dev)
		must(err)
		a, err := netlink.ParseAddr(cidr)
		must(err)
		a.Flags = unix.IFA_F_NODAD
		must(netlink.AddrAdd(l, a))
		must(netlink.LinkSetUp(l))
	}
	peer, err := netlink.LinkByName("eth9")
	must(err)
	ready := make(chan int)
	go func() {
		runtime.LockOSThread() // the thread, and with it the namespace, ends with the test binary
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			panic(err)
		}
		ready <- unix.Gettid()
		<-ready
		address("eth9", host+"/64")
		l, err := net.Listen("tcp6", ":7")
		must(err)
		ready <- 0
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	tid := <-ready
	must(netlink.LinkSetNsPid(peer, tid))
	address("lan0", prefix+"::1/64")
	// A slow machine may take longer than a minute.
	set(t, map[string]string{"net.ipv6.neigh.lan0.gc_stale_time": "3600"})
	ready <- 0
	<-ready
}

// known calls many addresses and tells whether the host is still among the neighbours afterwards,
// which was before and has not said anything for a while.
func known(t *testing.T, round int) bool {
	t.Helper()
	for {
		c, err := net.DialTimeout("tcp6", "["+host+"]:7", 2*time.Second)
		if err == nil {
			c.Close()
			break
		}
	}
	// Entries that changed within five seconds are safe (neigh_forced_gc of net/core/neighbour.c).
	time.Sleep(6 * time.Second)
	c, err := net.ListenPacket("udp6", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range calls {
		// An error is what this is about: there is no room.
		_, _ = c.WriteTo([]byte("x"), &net.UDPAddr{IP: net.ParseIP(fmt.Sprintf("%s:0:0:%x:%x", prefix, round, i+1)), Port: 9})
	}
	list, err := netlink.NeighList(0, netlink.FAMILY_V6)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(list, func(n netlink.Neigh) bool { return n.IP.String() == host && len(n.HardwareAddr) == 6 })
}

// slab is what the kernel holds for itself, in KiB.
func slab(t *testing.T) (n int) {
	t.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Slab:"); ok {
			if _, err := fmt.Sscan(rest, &n); err != nil {
				t.Fatal(err)
			}
		}
	}
	return n
}
