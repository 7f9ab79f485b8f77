// Package probetest asks the probes of services at the test's own machine, which is a
// network namespace (internal/nstest), and has what their tests need there.
package probetest

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	pcap "github.com/mdlayher/packet"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe"
	"github.com/nbr-dev/nbr/verify/packet"
	"github.com/nbr-dev/nbr/verify/probe"
)

// An Answer is what came of a question.
type Answer[A any] struct {
	Answer A
	Error  string
}

// Ask asks questions as nbr verify does.
func Ask[Q comparable, A any](t testing.TB, p *probe.Probe[Q, A], questions ...Q) map[Q]Answer[A] {
	t.Helper()
	nstest.Require(t)
	var asked []probe.Question
	for _, q := range questions {
		asked = append(asked, p.Ask(q))
	}
	st := observe.Look(t.Context(), observe.Options{Questions: asked})
	out := map[Q]Answer[A]{}
	for _, q := range questions {
		a, err := p.Answer(st, q)
		if err != nil {
			out[q] = Answer[A]{Error: err.Error()}
			continue
		}
		out[q] = Answer[A]{Answer: a}
	}
	return out
}

// Lost are addresses of this machine to which packets are dropped.
func Lost(t testing.TB, n int) []netip.Addr {
	t.Helper()
	nstest.Require(t)
	nstest.Run(t, "table inet lost { chain in { type filter hook input priority 0; ip daddr 192.0.2.0/24 drop; }; }", "nft", "-f", "-")
	t.Cleanup(func() { nstest.Run(t, "", "nft", "delete", "table", "inet", "lost") })
	var out []netip.Addr
	for i := range n {
		a := netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)})
		nstest.Run(t, "", "ip", "addr", "add", a.String()+"/32", "dev", "lo")
		t.Cleanup(func() { nstest.Run(t, "", "ip", "addr", "del", a.String()+"/32", "dev", "lo") })
		out = append(out, a)
	}
	return out
}

// Tap is what arrives at eth0, the far end of a link of this machine.
func Tap(t testing.TB, far *nstest.NS, link string) func() string {
	t.Helper()
	cmd := lab.Rootfs(t, nil).Command(t, far, "tcpdump", "-Z", "root", "-n", "-l", "--immediate-mode", "-i", "eth0", "-Q", "in", "udp or tcp or icmp")
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
func mark(t testing.TB, name string) {
	t.Helper()
	link, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	c, err := pcap.Listen(link, pcap.Raw, unix.ETH_P_IP, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	port := netip.AddrPortFrom(lastFrom, 9)
	broadcast := net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	if _, err := c.WriteTo(packet.Frame(broadcast, packet.RandomMAC(), packet.Datagram(port, port, nil)), &pcap.Addr{HardwareAddr: broadcast}); err != nil {
		t.Fatal(err)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// unboundConf serves all addresses. An answer about big.test does not fit into a
// datagram.
const unboundConf = `server:
  interface: 0.0.0.0
  access-control: 0.0.0.0/0 allow
  username: ""
  chroot: ""
  directory: "/tmp"
  pidfile: ""
  use-syslog: no
  do-ip6: no
  module-config: "iterator"
  local-zone: "." static
  local-data: ". SOA a.example. b.example. 1 2 3 4 5"
  local-data: "router.home.arpa. A 192.0.2.1"
  local-data: "router.home.arpa. A 192.0.2.2"
  local-zone: "refused.test." always_refuse
`

// Unbound is a resolver that answers on all IPv4 addresses.
func Unbound(t testing.TB) *lab.Daemon {
	t.Helper()
	conf := unboundConf
	for i := range 10 {
		conf += fmt.Sprintf("  local-data: 'big.test. TXT \"%d%s\"'\n", i, strings.Repeat("x", 200))
	}
	root := lab.Rootfs(t, lab.Files{"/etc/unbound/lab.conf": conf})
	unbound := root.Daemon(t, new(nstest.NS), "unbound", "-d", "-c", "/etc/unbound/lab.conf")
	unbound.Ready(t, func() error {
		c, err := net.Dial("tcp", "127.0.0.1:53")
		if err == nil {
			err = c.Close()
		}
		return err
	})
	return unbound
}
