package netstate

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// A device is a link as its message has it: other links are numbers.
type device struct {
	state.Link
	name                  string
	index, master, parent uint32
	leaves                uint32 // the link of a VXLAN's packets
	elsewhere             bool   // the parent is in another namespace, and its number with it
}

// skipStats is RTEXT_FILTER_SKIP_STATS of include/uapi/linux/rtnetlink.h, which
// x/sys/unix does not have.
const skipStats = 1 << 3

func dumpLinks() (map[string]state.Link, names, error) {
	var devices []device
	names := names{}
	// Without the counters, which are most of a message.
	lean := nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(skipStats))
	err := dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, func(m []byte) error {
		d, err := parseLink(m)
		devices = append(devices, d)
		names[d.index] = d.name
		return err
	}, nl.NewIfInfomsg(unix.AF_UNSPEC), lean)
	if err != nil {
		return nil, nil, fmt.Errorf("links: %w", err)
	}
	out := map[string]state.Link{}
	for _, d := range devices {
		if d.Master, err = names.find(d.master); err != nil {
			return nil, nil, err
		}
		if d.VXLAN != nil {
			if d.VXLAN.Link, err = names.find(d.leaves); err != nil {
				return nil, nil, err
			}
		}
		if !d.elsewhere {
			if d.Parent, err = names.find(d.parent); err != nil {
				return nil, nil, err
			}
		}
		out[d.name] = d.Link
	}
	return out, names, dumpVLANs(out, names)
}

// brVLANCompressed is RTEXT_FILTER_BRVLAN_COMPRESSED of include/uapi/linux/rtnetlink.h, which
// x/sys/unix does not have.
const brVLANCompressed = 1 << 2

// dumpVLANs adds the VLANs of bridges and their ports, which the kernel tells apart from the
// rest only.
func dumpVLANs(links map[string]state.Link, names names) error {
	err := dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, func(m []byte) error {
		index, vlans, err := parseVLANs(m)
		if err != nil {
			return err
		}
		name, err := names.find(index)
		if l, ok := links[name]; ok && err == nil {
			l.VLANs = vlans
			links[name] = l
		}
		return err
	}, nl.NewIfInfomsg(unix.AF_BRIDGE), nl.NewRtAttr(unix.IFLA_EXT_MASK, nl.Uint32Attr(brVLANCompressed)))
	if err != nil {
		return fmt.Errorf("VLANs of bridges: %w", err)
	}
	return nil
}

// parseVLANs reads the VLANs of a bridge or of one of its ports, by its number (struct
// bridge_vlan_info of include/uapi/linux/if_bridge.h, in IFLA_AF_SPEC).
func parseVLANs(m []byte) (index uint32, vlans []state.BridgeVLAN, err error) {
	if len(m) < unix.SizeofIfInfomsg {
		return 0, nil, fmt.Errorf("a message of %d bytes", len(m))
	}
	vlans = []state.BridgeVLAN{}
	var spec []byte
	err = attributes(m[unix.SizeofIfInfomsg:], func(attr uint16, v []byte) {
		if attr == unix.IFLA_AF_SPEC {
			spec = v
		}
	})
	if err != nil {
		return 0, nil, err
	}
	return u32(m[4:8]), vlans, attributes(spec, func(attr uint16, v []byte) {
		if attr != nl.IFLA_BRIDGE_VLAN_INFO || len(v) != 4 {
			return
		}
		flags, id := u16(v[:2]), int(u16(v[2:]))
		if n := len(vlans); flags&nl.BRIDGE_VLAN_INFO_RANGE_END != 0 && n > 0 {
			vlans[n-1].Last = id
			return
		}
		vlans = append(vlans, state.BridgeVLAN{First: id, PVID: flags&nl.BRIDGE_VLAN_INFO_PVID != 0, Untagged: flags&nl.BRIDGE_VLAN_INFO_UNTAGGED != 0})
	})
}

// parseLink reads a link (struct ifinfomsg and its attributes).
func parseLink(m []byte) (device, error) {
	var d device
	if len(m) < unix.SizeofIfInfomsg {
		return d, fmt.Errorf("a message of %d bytes", len(m))
	}
	d.index = u32(m[4:8])
	flags := u32(m[8:12])
	d.Up = flags&unix.IFF_UP != 0
	// IFF_RUNNING is also off while dormant; the cable is IFF_LOWER_UP (netdevice(7)),
	// and known only of links that are up.
	d.Carrier = flags&unix.IFF_LOWER_UP != 0
	var info []byte
	err := attributes(m[unix.SizeofIfInfomsg:], func(attr uint16, v []byte) {
		switch attr {
		case unix.IFLA_IFNAME:
			d.name = text(v)
		case unix.IFLA_MASTER:
			d.master = u32(v)
		case unix.IFLA_LINK:
			d.parent = u32(v)
		case unix.IFLA_LINK_NETNSID:
			d.elsewhere = true
		case unix.IFLA_MTU:
			d.MTU = int(u32(v))
		case unix.IFLA_ADDRESS:
			d.MAC = net.HardwareAddr(v).String()
		case unix.IFLA_IFALIAS:
			d.Alias = text(v)
		case unix.IFLA_TXQLEN:
			d.TxQueueLength = int(u32(v))
		case unix.IFLA_PERM_ADDRESS:
			d.PermanentMAC = net.HardwareAddr(v).String()
		case unix.IFLA_LINKINFO:
			info = v
		}
	})
	if err == nil {
		err = d.info(info)
	}
	if err == nil && d.name == "" {
		err = fmt.Errorf("link %d has no name", d.index)
	}
	return d, err
}

// info reads IFLA_LINKINFO: what kind of link it is, and what its master makes of it.
func (d *device) info(b []byte) error {
	var data, portData []byte
	var portKind string
	err := attributes(b, func(attr uint16, v []byte) {
		switch attr {
		case unix.IFLA_INFO_KIND:
			d.Kind = text(v)
		case unix.IFLA_INFO_DATA:
			data = v
		case unix.IFLA_INFO_SLAVE_KIND:
			portKind = text(v)
		case unix.IFLA_INFO_SLAVE_DATA:
			portData = v
		}
	})
	if err != nil {
		return err
	}
	switch d.Kind {
	case "vlan":
		err = attributes(data, func(attr uint16, v []byte) {
			switch {
			case attr == nl.IFLA_VLAN_ID:
				d.VLAN = int(u16(v))
			case attr == nl.IFLA_VLAN_PROTOCOL && len(v) == 2: // in the order of the network
				d.VLANProtocol = map[uint16]string{unix.ETH_P_8021Q: "802.1q", unix.ETH_P_8021AD: "802.1ad"}[binary.BigEndian.Uint16(v)]
			}
		})
	case "bridge":
		err = attributes(data, func(attr uint16, v []byte) {
			switch attr {
			case nl.IFLA_BR_STP_STATE:
				d.STP = u32(v) != 0 // 2 is a program's spanning tree
			case nl.IFLA_BR_VLAN_FILTERING:
				d.Filtering = yes(v)
			}
		})
	case "vrf":
		err = attributes(data, func(attr uint16, v []byte) {
			if attr == nl.IFLA_VRF_TABLE {
				d.Table = int(u32(v))
			}
		})
	case "vxlan":
		err = d.vxlan(data)
	case "gre":
		err = d.tunnel(data, nl.IFLA_GRE_LOCAL, nl.IFLA_GRE_REMOTE)
	case "sit", "ip6tnl":
		err = d.tunnel(data, nl.IFLA_IPTUN_LOCAL, nl.IFLA_IPTUN_REMOTE)
	case "xfrm":
		d.XFRM = &state.XFRM{}
		err = attributes(data, func(attr uint16, v []byte) {
			if attr == nl.IFLA_XFRM_IF_ID {
				d.XFRM.ID = u32(v)
			}
		})
	case "bond":
		d.Bond = &state.Bond{}
		err = bond(d.Bond, data)
	}
	if err != nil {
		return err
	}
	if portKind == "bond" {
		d.BondPort = &state.BondPort{}
		return attributes(portData, func(attr uint16, v []byte) {
			if attr == nl.IFLA_BOND_SLAVE_AD_AGGREGATOR_ID {
				d.BondPort.Aggregator = int(u16(v))
			}
		})
	}
	if portKind != "bridge" {
		return nil
	}
	d.Port = &state.BridgePort{}
	return attributes(portData, func(attr uint16, v []byte) {
		switch attr {
		case nl.IFLA_BRPORT_STATE:
			d.Port.State = portState(v)
		case nl.IFLA_BRPORT_MODE:
			d.Port.Hairpin = yes(v)
		case nl.IFLA_BRPORT_LEARNING:
			d.Port.Learning = yes(v)
		case nl.IFLA_BRPORT_UNICAST_FLOOD:
			d.Port.Flood = yes(v)
		case nl.IFLA_BRPORT_ISOLATED:
			d.Port.Isolated = yes(v)
		}
	})
}

// address is that of one end, empty if there is none.
func address(v []byte) string {
	if a, ok := netip.AddrFromSlice(v); ok && !a.IsUnspecified() {
		return a.String()
	}
	return ""
}

// tunnel reads the ends of a tunnel (include/uapi/linux/if_tunnel.h, IFLA_GRE_* and IFLA_IPTUN_*),
// and what is in the packets of one over IPv6.
func (d *device) tunnel(data []byte, local, remote uint16) error {
	d.Tunnel = &state.Tunnel{}
	return attributes(data, func(attr uint16, v []byte) {
		switch {
		case attr == local:
			d.Tunnel.Local = address(v)
		case attr == remote:
			d.Tunnel.Remote = address(v)
		case d.Kind == "ip6tnl" && attr == nl.IFLA_IPTUN_PROTO && len(v) == 1:
			d.Tunnel.Mode = map[byte]string{0: "any", unix.IPPROTO_IPIP: "ipip6", unix.IPPROTO_IPV6: "ip6ip6"}[v[0]]
		}
	})
}

// vxlan reads the attributes of a VXLAN (include/uapi/linux/if_link.h, IFLA_VXLAN_*).
func (d *device) vxlan(data []byte) error {
	d.VXLAN = &state.VXLAN{}
	return attributes(data, func(attr uint16, v []byte) {
		switch attr {
		case nl.IFLA_VXLAN_ID:
			d.VXLAN.ID = int(u32(v))
		case nl.IFLA_VXLAN_GROUP, nl.IFLA_VXLAN_GROUP6:
			d.VXLAN.Remote = address(v)
		case nl.IFLA_VXLAN_LOCAL, nl.IFLA_VXLAN_LOCAL6:
			d.VXLAN.Local = address(v)
		case nl.IFLA_VXLAN_LINK:
			d.leaves = u32(v)
		case nl.IFLA_VXLAN_PORT: // in the order of the network
			if len(v) == 2 {
				d.VXLAN.Port = int(binary.BigEndian.Uint16(v))
			}
		}
	})
}

// bond reads the attributes of a bond (include/uapi/linux/if_link.h, IFLA_BOND_*).
func bond(b *state.Bond, data []byte) error {
	var lacp []byte
	err := attributes(data, func(attr uint16, v []byte) {
		switch attr {
		case nl.IFLA_BOND_MODE:
			b.Mode = word(v, "balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb")
		case nl.IFLA_BOND_XMIT_HASH_POLICY:
			b.Hash = word(v, "layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac")
		case nl.IFLA_BOND_MIIMON:
			b.MIIMon = int(u32(v))
		case nl.IFLA_BOND_MIN_LINKS:
			b.MinLinks = int(u32(v))
		case nl.IFLA_BOND_AD_LACP_RATE:
			b.LACPRate = word(v, "slow", "fast")
		case nl.IFLA_BOND_AD_INFO:
			lacp = v
		}
	})
	if err != nil {
		return err
	}
	if b.Mode != "802.3ad" {
		b.LACPRate = "" // the kernel's default, which means nothing
	}
	return attributes(lacp, func(attr uint16, v []byte) {
		switch attr {
		case nl.IFLA_BOND_AD_INFO_AGGREGATOR:
			b.Aggregator = int(u16(v))
		case nl.IFLA_BOND_AD_INFO_PARTNER_MAC:
			b.Partner = net.HardwareAddr(v).String()
		}
	})
}

// portState is BR_STATE_* of include/uapi/linux/if_bridge.h.
func portState(v []byte) string {
	return word(v, "disabled", "listening", "learning", "forwarding", "blocking")
}

// word is the one of the words that an attribute of one byte stands for.
func word(v []byte, words ...string) string {
	if len(v) == 1 && int(v[0]) < len(words) {
		return words[v[0]]
	}
	return "unknown"
}

func text(v []byte) string { return strings.TrimRight(string(v), "\x00") }

func yes(v []byte) bool { return len(v) > 0 && v[0] != 0 }

// slotRE has the PCI address in the path of an interface below /sys/devices. What udev calls
// its path (path_id) is that address alone unless there is another bus between, as USB; virtio
// is none.
var slotRE = regexp.MustCompile(`/([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])(?:/virtio[0-9]+)?/net/[^/]+$`)

// hardware adds what only sysfs tells of ports that are hardware: the rest has MACs
// and speeds that a program made up.
func hardware(r root.Root, name string, link state.Link) state.Link {
	if link.Kind != "" && link.Kind != "dsa" || link.MAC == "" || name == "lo" {
		link.PermanentMAC = "" // a VLAN has that of the link below
		return link
	}
	if to, err := r.Link("/sys/class/net/" + name); err == nil {
		if m := slotRE.FindStringSubmatch(to); m != nil {
			link.PCI = m[1]
		}
	}
	// include/uapi/linux/netdevice.h, NET_ADDR_*.
	if v, err := r.Line("/sys/class/net/" + name + "/addr_assign_type"); err == nil {
		link.MACFrom = map[string]string{"0": "permanent", "1": "random", "2": "stolen", "3": "set"}[v]
	}
	// The file cannot be read of a link that is down, and is -1 without a cable.
	if v, err := r.Line("/sys/class/net/" + name + "/speed"); err == nil {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			link.Speed = n
		}
	}
	return link
}
