package referee_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// An attacker is a host that says to be a router, again and again.
type attacker struct {
	stop chan struct{}
	done chan error
}

// advertise sends router advertisements (RFC 4861 section 4.2) of a prefix and a default
// route on the eth0 of a namespace until the test or the caller stops it.
func advertise(t *testing.T, ns *nstest.NS, prefix string) *attacker {
	t.Helper()
	var conn *net.IPConn
	var link *net.Interface
	err := within(ns, func() (err error) {
		if link, err = net.InterfaceByName("eth0"); err != nil {
			return err
		}
		c, err := net.ListenPacket("ip6:ipv6-icmp", "::")
		if err == nil {
			conn = c.(*net.IPConn)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p := ipv6.NewPacketConn(conn)
	if err := errors.Join(p.SetMulticastHopLimit(255), p.SetMulticastInterface(link)); err != nil {
		t.Fatal(err)
	}
	packet := []byte{134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0} // for 1800 s a router
	// Prefix information (section 4.6.2): on-link, and addresses may be made of it.
	packet = append(packet, 3, 4, 64, 0xc0, 0, 0, 14, 16, 0, 0, 14, 16, 0, 0, 0, 0)
	packet = append(packet, net.ParseIP(prefix)...)
	a := &attacker{make(chan struct{}), make(chan error, 1)}
	go func() {
		defer conn.Close()
		for tick := time.Tick(2 * time.Millisecond); ; {
			select {
			case <-a.stop:
				a.done <- nil
				return
			case <-tick:
			}
			_, err := p.WriteTo(packet, nil, &net.IPAddr{IP: net.IPv6linklocalallrouters, Zone: "eth0"})
			if err == nil {
				_, err = p.WriteTo(packet, nil, &net.IPAddr{IP: net.IPv6linklocalallnodes, Zone: "eth0"})
			}
			// Until the router brings its end up, there is no way out.
			if err != nil && !errors.Is(err, unix.ENETDOWN) && !errors.Is(err, unix.ENETUNREACH) && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.ENOBUFS) {
				a.done <- err
				return
			}
		}
	}()
	return a
}

func (a *attacker) end(t *testing.T) {
	t.Helper()
	close(a.stop)
	if err := <-a.done; err != nil {
		t.Error(err)
	}
}

// heard waits until n more router advertisements have arrived on a link.
func heard(t *testing.T, ns *nstest.NS, link string, n int) {
	t.Helper()
	count := func() (got int) {
		for line := range strings.Lines(ns.Run(t, "cat", "/proc/net/dev_snmp6/"+link)) {
			if _, err := fmt.Sscanf(line, "Icmp6InRouterAdvertisements %d", &got); err == nil {
				return got
			}
		}
		return 0
	}
	for before := count(); count() < before+n; {
		if t.Context().Err() != nil {
			t.Fatal("no advertisement arrives")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// While the router does not forward (it starts, or its firewall is loaded again) it is a host,
// and hosts believe advertisements. It must not: not on the LAN's bridge, not on its ports, nor
// on the uplink that has its addresses by DHCP or from the spec. Where the spec asks for
// advertisements they are taken, forwarding or not.
func TestAdvertisementsAreRefused(t *testing.T) {
	t.Parallel()
	g := spec(t, "quiet") // ipv6 = "auto" on wan
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	guest, other, internet := nstest.New(t, "guest"), nstest.New(t, "other"), nstest.New(t, "internet")
	router := board(t, map[string]*nstest.NS{"lan1": guest, "lan2": other, "wan": internet})
	sysctls(t, router, g)
	router.Run(t, "sysctl", "-qw", "net.ipv4.conf.all.forwarding=0", "net.ipv6.conf.all.forwarding=0")
	attackers := []*attacker{advertise(t, guest, "2001:db8:bad1::"), advertise(t, other, "2001:db8:bad2::"), advertise(t, internet, "2001:db8:f::")}

	apply(t, ifstate, router, g) // the links come up in the middle of it
	// A link that comes later: a tunnel of the user's, a cage that gets its module.
	late := nstest.New(t, "late")
	nstest.Link(t, router, "late", late, "eth0")
	attackers = append(attackers, advertise(t, late, "2001:db8:bad3::"))
	for _, link := range []string{"br-lan", "lan2", "wan", "late"} {
		heard(t, router, link, 10)
	}
	for _, a := range attackers {
		a.end(t)
	}
	all := router.Run(t, "ip", "-6", "route", "show", "table", "all") + router.Run(t, "ip", "-6", "addr")
	if strings.Contains(all, "2001:db8:bad") {
		t.Errorf("a guest's advertisement was taken:\n%s", all)
	}
	if !strings.Contains(all, "2001:db8:f::/64 dev wan proto kernel") || !strings.Contains(all, "default via fe80:") || strings.Contains(all, "dev br-lan proto ra") {
		t.Errorf("the upstream's advertisement was not:\n%s", all)
	}
	for _, link := range []string{"br-lan", "lan1", "lan2", "lan3", "end0", "late", "default"} {
		for _, key := range []string{"accept_ra", "autoconf"} {
			file := fmt.Sprintf("/proc/sys/net/ipv6/conf/%s/%s", link, key)
			if got := strings.TrimSpace(router.Run(t, "cat", file)); got != "0" {
				t.Errorf("%s is %s", file, got)
			}
		}
	}
}
