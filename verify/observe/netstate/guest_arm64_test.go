//go:build guest

package netstate

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vishvananda/netlink"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe/traffic"
	"github.com/nbr-dev/nbr/verify/state"
)

func ports() []string { return []string{"lan1", "lan2", "lan3", "lan4"} }

// The ports of a switch hang on its conduit, whose MAC they take over, and where that is from.
func TestGuestSwitch(t *testing.T) {
	const mac = "52:54:00:12:34:56"
	want := map[string]state.Link{"eth0": {MTU: 1504, MAC: mac, MACFrom: "permanent", PermanentMAC: mac, PCI: "0000:00:02.0"}} // four bytes for the tag
	for _, name := range ports() {
		want[name] = state.Link{Kind: "dsa", MTU: 1500, MAC: mac, MACFrom: "permanent", PermanentMAC: mac, Parent: "eth0"}
	}
	lo := cmpopts.IgnoreMapEntries(func(name string, _ state.Link) bool { return name == "lo" })
	if d := cmp.Diff(want, seen(t).Links, lo, usualQueue); d != "" {
		t.Error(d)
	}
}

// The article's router: the switch's ports in a bridge.
func TestGuestBridgeOverSwitch(t *testing.T) {
	yes := true
	a := netlink.NewLinkAttrs()
	a.Name = "br-lan"
	bridge := &netlink.Bridge{LinkAttrs: a, VlanFiltering: &yes}
	if err := netlink.LinkAdd(bridge); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := netlink.LinkDel(bridge); err != nil {
			t.Error(err)
		}
	})
	for _, name := range append([]string{"eth0", "br-lan"}, ports()...) {
		link, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(name, "lan") {
			if err := netlink.LinkSetMaster(link, bridge); err != nil {
				t.Fatal(err)
			}
		}
		if err := netlink.LinkSetUp(link); err != nil {
			t.Fatal(err)
		}
	}
	var links map[string]state.Link
	nstest.Wait(t, func() error { // the PHYs take a second
		links = seen(t).Links
		for _, name := range ports() {
			l := links[name]
			if l.Kind != "dsa" || l.Parent != "eth0" || l.Master != "br-lan" || !l.Up || l.Port == nil || !l.Port.Learning || !l.Port.Flood {
				t.Fatalf("%s: %+v %+v", name, l, l.Port)
			}
			// The fixed PHYs behind the ports are of 100 Mbit/s.
			if !l.Carrier || l.Speed != 100 || l.Port.State != "forwarding" {
				return fmt.Errorf("%s: %+v %+v", name, l, l.Port)
			}
		}
		return nil
	})
	if br := links["br-lan"]; br.Kind != "bridge" || !br.Filtering || br.STP || !br.Up {
		t.Errorf("br-lan: %+v", br)
	}
}

// What the processor has of a switch's port is told apart from what the port itself had, of which
// this switch's driver tells nothing.
func TestGuestSwitchCounters(t *testing.T) {
	for _, name := range []string{"eth0", "lan1"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetUp(link); err != nil {
			t.Fatal(err)
		}
	}
	nstest.Wait(t, func() error { // the kernel looks for its link-local address there (RFC 4862)
		s, err := traffic.Look("")
		if err != nil {
			return err
		}
		l := s.Links["lan1"]
		if l.Processor == nil || l.Port != nil || s.Links["eth0"].Processor != nil {
			t.Fatalf("lan1: %+v, eth0: %+v", l, s.Links["eth0"])
		}
		if l.Processor.Sent == 0 || s.Links["eth0"].Kernel.Sent < l.Processor.Sent {
			return fmt.Errorf("lan1: %+v, eth0: %+v", *l.Processor, s.Links["eth0"].Kernel)
		}
		return nil
	})
}
