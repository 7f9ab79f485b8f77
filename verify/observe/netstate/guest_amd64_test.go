//go:build guest

package netstate

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vishvananda/netlink"
	"golang.zx2c4.com/wireguard/wgctrl"
	"golang.zx2c4.com/wireguard/wgctrl/wgtypes"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// must fails a test that could not set up what it is about.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// add makes a link that lasts as long as the test.
func add(t *testing.T, link netlink.Link) netlink.Link {
	t.Helper()
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatalf("%s %s: %v", link.Type(), link.Attrs().Name, err)
	}
	t.Cleanup(func() {
		if err := netlink.LinkDel(link); err != nil {
			t.Errorf("%s: %v", link.Attrs().Name, err)
		}
	})
	return link
}

// dummies makes links of the simplest kind, with a master if there is one.
func dummies(t *testing.T, master netlink.Link, names ...string) (links []netlink.Link) {
	t.Helper()
	for _, name := range names {
		link := add(t, &netlink.Dummy{LinkAttrs: netlink.LinkAttrs{Name: name}})
		if master != nil {
			must(t, netlink.LinkSetMaster(link, master))
		}
		links = append(links, link)
	}
	return links
}

func attrs(name string) netlink.LinkAttrs {
	a := netlink.NewLinkAttrs()
	a.Name = name
	return a
}

// linksAre compares all links but the ones that the modules have made for themselves. MACs
// that are drawn by lot are not compared.
func linksAre(t *testing.T, want map[string]state.Link) {
	t.Helper()
	linksBecome(t, func() {}, want)
}

// linksBecome makes something happen before it looks once more.
func linksBecome(t *testing.T, again func(), want map[string]state.Link) {
	t.Helper()
	own := cmpopts.IgnoreMapEntries(func(name string, _ state.Link) bool {
		return name == "lo" || name == "bond0" || name == "dummy0" || name == "eth0"
	})
	nstest.Wait(t, func() error { // a carrier takes its time
		if d := cmp.Diff(want, seen(t).Links, own, usualQueue, cmpopts.IgnoreFields(state.Link{}, "MAC")); d != "" {
			again()
			return errors.New(d)
		}
		return nil
	})
}

func TestGuestHardware(t *testing.T) {
	eth0, err := netlink.LinkByName("eth0")
	must(t, err)
	const mac, pci = "52:54:00:12:34:56", "0000:00:02.0"
	want := state.Link{MTU: 1500, MAC: mac, MACFrom: "permanent", PermanentMAC: mac, PCI: pci}
	if d := cmp.Diff(want, seen(t).Links["eth0"], usualQueue); d != "" {
		t.Error(d)
	}
	must(t, netlink.LinkSetHardwareAddr(eth0, net.HardwareAddr{2, 0, 0, 0, 0, 1}))
	must(t, netlink.LinkSetUp(eth0))
	t.Cleanup(func() { _ = netlink.LinkSetDown(eth0) })
	want = state.Link{Up: true, Carrier: true, MTU: 1500, MAC: "02:00:00:00:00:01", MACFrom: "set", PermanentMAC: mac, PCI: pci}
	nstest.Wait(t, func() error {
		if d := cmp.Diff(want, seen(t).Links["eth0"], usualQueue); d != "" {
			return errors.New(d)
		}
		return nil
	})
}

func TestGuestStacked(t *testing.T) {
	trunk := dummies(t, nil, "trunk")[0]
	must(t, netlink.LinkSetUp(trunk))
	below := func(name string) netlink.LinkAttrs {
		a := attrs(name)
		a.ParentIndex = trunk.Attrs().Index
		return a
	}
	vlan := add(t, &netlink.Vlan{LinkAttrs: below("trunk.7"), VlanId: 7, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q})
	must(t, netlink.LinkSetUp(vlan))
	inner := attrs("inner")
	inner.ParentIndex = vlan.Attrs().Index
	add(t, &netlink.Vlan{LinkAttrs: inner, VlanId: 4094, VlanProtocol: netlink.VLAN_PROTOCOL_8021AD})
	add(t, &netlink.Macvlan{LinkAttrs: below("mac0"), Mode: netlink.MACVLAN_MODE_BRIDGE})
	add(t, &netlink.Vxlan{LinkAttrs: attrs("vx0"), VxlanId: 42, VtepDevIndex: trunk.Attrs().Index, Port: 4789})
	add(t, &netlink.Vxlan{LinkAttrs: attrs("vx6"), VxlanId: 43, SrcAddr: net.ParseIP("2001:db8::1"), Group: net.ParseIP("2001:db8::2"), Port: 8472})

	linksAre(t, map[string]state.Link{
		"trunk":   {Kind: "dummy", Up: true, Carrier: true, MTU: 1500},
		"trunk.7": {Kind: "vlan", Up: true, Carrier: true, MTU: 1500, Parent: "trunk", VLAN: 7, VLANProtocol: "802.1q"},
		"inner":   {Kind: "vlan", MTU: 1500, Parent: "trunk.7", VLAN: 4094, VLANProtocol: "802.1ad"},
		"mac0":    {Kind: "macvlan", MTU: 1500, Parent: "trunk"},
		// Its link is in none of the attributes that all links have.
		"vx0": {Kind: "vxlan", MTU: 1450, VXLAN: &state.VXLAN{ID: 42, Link: "trunk", Port: 4789}},
		"vx6": {Kind: "vxlan", MTU: 1500, VXLAN: &state.VXLAN{ID: 43, Remote: "2001:db8::2", Local: "2001:db8::1", Port: 8472}},
	})
}

func TestGuestMasters(t *testing.T) {
	bond := netlink.NewLinkBond(attrs("bond1"))
	bond.Mode = netlink.BOND_MODE_ACTIVE_BACKUP
	bond.Miimon = 100
	dummies(t, add(t, bond), "leg1", "leg2")
	must(t, netlink.LinkSetUp(bond))
	lacp := netlink.NewLinkBond(attrs("bond2"))
	lacp.Mode, lacp.Miimon, lacp.MinLinks = netlink.BOND_MODE_802_3AD, 50, 2
	lacp.LacpRate, lacp.XmitHashPolicy = netlink.BOND_LACP_RATE_FAST, netlink.BOND_XMIT_HASH_POLICY_LAYER2_3
	dummies(t, add(t, lacp), "leg3", "leg4")
	must(t, netlink.LinkSetUp(lacp))
	vrf := add(t, &netlink.Vrf{LinkAttrs: attrs("red"), Table: 100})
	must(t, netlink.LinkSetUp(vrf))
	customer := dummies(t, vrf, "customer")[0]
	must(t, netlink.LinkSetUp(customer))
	address, err := netlink.ParseAddr("192.0.2.1/24")
	must(t, err)
	must(t, netlink.AddrAdd(customer, address))

	linksAre(t, map[string]state.Link{
		"bond1": {
			Kind: "bond", Up: true, Carrier: true, MTU: 1500,
			Bond: &state.Bond{Mode: "active-backup", Hash: "layer2", MIIMon: 100},
		},
		"leg1": {Kind: "dummy", Up: true, Carrier: true, MTU: 1500, Master: "bond1", BondPort: &state.BondPort{}},
		"leg2": {Kind: "dummy", Up: true, Carrier: true, MTU: 1500, Master: "bond1", BondPort: &state.BondPort{}},
		// At the other end of a dummy is nothing that speaks LACP, so each port is alone.
		"bond2": {
			Kind: "bond", Up: true, MTU: 1500,
			Bond: &state.Bond{Mode: "802.3ad", Hash: "layer2+3", MIIMon: 50, MinLinks: 2, LACPRate: "fast", Aggregator: 1, Partner: "00:00:00:00:00:00"},
		},
		"leg3":     {Kind: "dummy", Up: true, Carrier: true, MTU: 1500, Master: "bond2", BondPort: &state.BondPort{Aggregator: 1}},
		"leg4":     {Kind: "dummy", Up: true, Carrier: true, MTU: 1500, Master: "bond2", BondPort: &state.BondPort{Aggregator: 2}},
		"red":      {Kind: "vrf", Up: true, Carrier: true, MTU: 65575, Table: 100},
		"customer": {Kind: "dummy", Up: true, Carrier: true, MTU: 1500, Master: "red"},
	})
	n := seen(t)
	route := state.Route{To: "192.0.2.0/24", Link: "customer", Proto: "kernel", Table: "100"}
	found := false
	for _, r := range n.Routes {
		found = found || r == route
	}
	if !found {
		t.Errorf("no %+v in %+v", route, n.Routes)
	}
	// The kernel makes the rule with the first VRF, for both families.
	rule := func(family string) state.Rule {
		return state.Rule{Priority: 1000, Family: family, Text: "from all lookup [l3mdev-table]", Proto: "kernel"}
	}
	if d := cmp.Diff([]state.Rule{rule("ipv4"), rule("ipv6")}, rules(t)); d != "" {
		t.Error(d)
	}
}

func TestGuestBridges(t *testing.T) {
	yes := true
	lan := add(t, &netlink.Bridge{LinkAttrs: attrs("br-lan"), VlanFiltering: &yes})
	// The most there is, in hundredths of a second; a port that has begun anew listens for so long.
	must(t, os.WriteFile("/sys/class/net/br-lan/bridge/forward_delay", []byte("3000"), 0))
	must(t, os.WriteFile("/sys/class/net/br-lan/bridge/stp_state", []byte("1"), 0))
	plain := add(t, &netlink.Bridge{LinkAttrs: attrs("br-plain")})
	ports := append(dummies(t, lan, "lan1", "lan2"), dummies(t, plain, "lan3")...)
	must(t, netlink.LinkSetHairpin(ports[0], true))
	must(t, netlink.LinkSetIsolated(ports[0], true))
	must(t, netlink.LinkSetLearning(ports[0], false))
	must(t, netlink.LinkSetFlood(ports[0], false))
	for _, link := range []netlink.Link{lan, plain, ports[0], ports[2]} {
		must(t, netlink.LinkSetUp(link))
	}

	again := func() { // should this machine take longer than the port listens
		must(t, netlink.LinkSetDown(ports[0]))
		must(t, netlink.LinkSetUp(ports[0]))
	}
	// What the kernel gives a bridge and its ports when they are made (net/bridge/br_vlan.c).
	vlans := []state.BridgeVLAN{{First: 1, PVID: true, Untagged: true}}
	linksBecome(t, again, map[string]state.Link{
		// A bridge has a carrier when a port forwards.
		"br-lan":   {Kind: "bridge", Up: true, MTU: 1500, STP: true, Filtering: true, VLANs: vlans},
		"br-plain": {Kind: "bridge", Up: true, Carrier: true, MTU: 1500, VLANs: vlans},
		"lan1": {
			Kind: "dummy", Up: true, Carrier: true, MTU: 1500, Master: "br-lan", VLANs: vlans,
			Port: &state.BridgePort{State: "listening", Hairpin: true, Isolated: true},
		},
		"lan2": {
			Kind: "dummy", MTU: 1500, Master: "br-lan", VLANs: vlans,
			Port: &state.BridgePort{State: "disabled", Learning: true, Flood: true},
		},
		"lan3": {
			Kind: "dummy", Up: true, Carrier: true, MTU: 1500, Master: "br-plain", VLANs: vlans,
			Port: &state.BridgePort{State: "forwarding", Learning: true, Flood: true},
		},
	})
}

// Two tunnels of the kernel's own, one of which calls the other over lo.
func TestGuestWireGuard(t *testing.T) {
	c, err := wgctrl.New()
	must(t, err)
	defer c.Close()
	var private [2]wgtypes.Key
	for i, name := range []string{"wg0", "wg1"} {
		must(t, netlink.LinkSetUp(add(t, &netlink.Wireguard{LinkAttrs: attrs(name)})))
		private[i], err = wgtypes.GeneratePrivateKey()
		must(t, err)
	}
	shared, err := wgtypes.GenerateKey()
	must(t, err)
	other, err := wgtypes.GeneratePrivateKey()
	must(t, err)
	nets := func(list ...string) (out []net.IPNet) {
		for _, s := range list {
			_, n, err := net.ParseCIDR(s)
			must(t, err)
			out = append(out, *n)
		}
		return out
	}
	listen, keepalive := 51820, time.Second
	must(t, c.ConfigureDevice("wg0", wgtypes.Config{PrivateKey: &private[0], ListenPort: &listen, Peers: []wgtypes.PeerConfig{
		{PublicKey: private[1].PublicKey(), PresharedKey: &shared, AllowedIPs: nets("192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32")},
		{PublicKey: other.PublicKey()},
	}}))
	listen++
	must(t, c.ConfigureDevice("wg1", wgtypes.Config{PrivateKey: &private[1], ListenPort: &listen, Peers: []wgtypes.PeerConfig{
		{
			PublicKey: private[0].PublicKey(), PresharedKey: &shared, AllowedIPs: nets("0.0.0.0/0"), PersistentKeepaliveInterval: &keepalive,
			Endpoint: &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 51820},
		},
	}}))

	start := time.Now()
	var all map[string]state.WireGuard
	nstest.Wait(t, func() error {
		all = tunnels(t)
		if all["wg0"].Peers[private[1].PublicKey().String()].Handshake > 0 &&
			all["wg1"].Peers[private[0].PublicKey().String()].Handshake > 0 {
			return nil
		}
		return fmt.Errorf("no handshake: %+v", all)
	})
	want := map[string]state.WireGuard{
		"wg0": {ListenPort: 51820, Peers: map[string]state.Peer{
			private[1].PublicKey().String(): {AllowedIPs: []string{"10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32"}, Endpoint: "127.0.0.1:51821"},
			other.PublicKey().String():      {AllowedIPs: []string{}},
		}},
		"wg1": {ListenPort: 51821, Peers: map[string]state.Peer{
			private[0].PublicKey().String(): {AllowedIPs: []string{"0.0.0.0/0"}, Endpoint: "127.0.0.1:51820"},
		}},
	}
	if d := cmp.Diff(want, all, cmpopts.IgnoreFields(state.Peer{}, "Handshake")); d != "" {
		t.Error(d)
	}
	for _, tunnel := range all {
		for key, peer := range tunnel.Peers {
			if now := time.Now().Unix(); peer.Handshake != 0 && (peer.Handshake < start.Unix()-1 || peer.Handshake > now) {
				t.Errorf("%s: a handshake at %d, between %d and %d", key, peer.Handshake, start.Unix(), now)
			}
		}
	}
	linksAre(t, map[string]state.Link{
		"wg0": {Kind: "wireguard", Up: true, Carrier: true, MTU: 1420},
		"wg1": {Kind: "wireguard", Up: true, Carrier: true, MTU: 1420},
	})
	text, err := json.Marshal(all)
	must(t, err)
	for _, secret := range []wgtypes.Key{private[0], private[1], shared} {
		if strings.Contains(string(text), secret.String()) {
			t.Errorf("a key is in the state: %s", text)
		}
	}
}
