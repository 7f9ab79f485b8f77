package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

// A dump that the kernel changed under the reader's eyes is marked (NLM_F_DUMP_INTR)
// and may lack entries: it is done again, a little later each time.
const dumps = 8

func again(ctx context.Context, dump func() error) error {
	for i := range dumps {
		err := dump()
		if !errors.Is(err, netlink.ErrDumpInterrupted) || i == dumps-1 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Millisecond << i):
		}
	}
	panic("unreachable")
}

// network takes links, addresses and routes together: the latter two have links by
// their numbers only. A number that is not known is of a link made since, so that
// makes the dump one to do again.
func (l *looker) network(ctx context.Context) error {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer h.Close()
	if err := h.SetSocketTimeout(patience); err != nil {
		return err
	}
	var links map[string]state.Link
	var addrs []state.Addr
	var routes []state.Route
	err = again(ctx, func() error {
		var names names
		if links, names, err = dumpLinks(h); err != nil {
			return fmt.Errorf("links: %w", err)
		}
		if addrs, err = dumpAddrs(h, names); err != nil {
			return fmt.Errorf("addresses: %w", err)
		}
		routes = []state.Route{}
		for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
			if routes, err = dumpRoutes(h, names, family, routes); err != nil {
				return fmt.Errorf("routes: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(addrs, func(a, b state.Addr) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Prefix, b.Prefix))
	})
	l.st.Links, l.st.Addrs, l.st.Routes = links, addrs, routes
	return nil
}

// names are links by their number.
type names map[int]string

func (n names) find(index int) (string, error) {
	name, ok := n[index]
	if !ok && index != 0 {
		return "", fmt.Errorf("link %d is new: %w", index, netlink.ErrDumpInterrupted)
	}
	return name, nil
}

func dumpLinks(h *netlink.Handle) (map[string]state.Link, names, error) {
	list, err := h.LinkList()
	if err != nil {
		return nil, nil, err
	}
	names := names{}
	for _, link := range list {
		names[link.Attrs().Index] = link.Attrs().Name
	}
	out := map[string]state.Link{}
	for _, link := range list {
		a := link.Attrs()
		s := state.Link{
			Kind: kind(link),
			Up:   a.RawFlags&unix.IFF_UP != 0,
			// IFF_RUNNING is also off while dormant; the cable is IFF_LOWER_UP
			// (netdevice(7)), and known only of links that are up.
			Carrier: a.RawFlags&unix.IFF_LOWER_UP != 0,
			MTU:     a.MTU,
			MAC:     a.HardwareAddr.String(),
		}
		if s.Master, err = names.find(a.MasterIndex); err != nil {
			return nil, nil, err
		}
		// The other end of a veth may be in another namespace, and its number with it.
		if a.NetNsID < 0 {
			if s.Parent, err = names.find(a.ParentIndex); err != nil {
				return nil, nil, err
			}
		}
		if v, ok := link.(*netlink.Vlan); ok {
			s.VLAN = v.VlanId
		}
		out[a.Name] = s
	}
	return out, names, nil
}

// kind is IFLA_INFO_KIND, for which the library has words of its own in two cases.
func kind(link netlink.Link) string {
	switch k := link.Type(); k {
	case "device":
		return ""
	case "tuntap":
		return "tun"
	default:
		return k
	}
}

func dumpAddrs(h *netlink.Handle, names names) ([]state.Addr, error) {
	list, err := h.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	out := []state.Addr{}
	for _, a := range list {
		name, err := names.find(a.LinkIndex)
		if err != nil {
			return nil, err
		}
		if a.IPNet == nil {
			continue // of another family than IP
		}
		// include/uapi/linux/if_addr.h: what has no lifetime is permanent.
		out = append(out, state.Addr{Link: name, Prefix: prefix(a.IPNet), Dynamic: a.Flags&unix.IFA_F_PERMANENT == 0})
	}
	return out, nil
}

// dumpRoutes leaves out what the kernel keeps in the table local for each address.
func dumpRoutes(h *netlink.Handle, names names, family int, out []state.Route) ([]state.Route, error) {
	zero := netip.PrefixFrom(netip.IPv4Unspecified(), 0).String()
	if family == unix.AF_INET6 {
		zero = netip.PrefixFrom(netip.IPv6Unspecified(), 0).String()
	}
	var bad error
	every := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	err := h.RouteListFilteredIter(family, every, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
		if r.Table == unix.RT_TABLE_LOCAL && r.Protocol == unix.RTPROT_KERNEL {
			return true
		}
		s := state.Route{To: zero, Proto: protoName(int(r.Protocol)), Table: tableName(r.Table)}
		if r.Dst != nil {
			s.To = prefix(r.Dst)
		}
		if s.Table == "main" {
			s.Table = ""
		}
		hops := r.MultiPath
		if len(hops) == 0 {
			hops = []*netlink.NexthopInfo{{LinkIndex: r.LinkIndex, Gw: r.Gw, Via: r.Via}}
		}
		for _, hop := range hops {
			s.Via = via(hop)
			// Unreachable routes of IPv6 say lo, those of IPv4 say nothing.
			if s.Link = ""; r.Type == unix.RTN_UNICAST || r.Type == unix.RTN_LOCAL {
				if s.Link, bad = names.find(hop.LinkIndex); bad != nil {
					return false
				}
			}
			out = append(out, s)
		}
		return true
	})
	return out, cmp.Or(err, bad)
}

func via(hop *netlink.NexthopInfo) string {
	if len(hop.Gw) > 0 {
		return addr(hop.Gw)
	}
	if v, ok := hop.Via.(*netlink.Via); ok && v != nil { // IPv4 by an IPv6 router, RFC 8950
		return addr(v.Addr)
	}
	return ""
}

func addr(ip net.IP) string {
	a, _ := netip.AddrFromSlice(ip)
	return a.Unmap().String()
}

func prefix(n *net.IPNet) string {
	ones, _ := n.Mask.Size()
	return addr(n.IP) + "/" + strconv.Itoa(ones)
}

// protocols are the names that iproute2 ships in rt_protos.
var protocols = map[int]string{
	0: "unspec", 1: "redirect", 2: "kernel", 3: "boot", 4: "static", 8: "gated", 9: "ra", 10: "mrt",
	11: "zebra", 12: "bird", 13: "dnrouted", 14: "xorp", 15: "ntk", 16: "dhcp", 18: "keepalived",
	42: "babel", 84: "ovn", 99: "openr", 186: "bgp", 187: "isis", 188: "ospf", 189: "rip", 192: "eigrp",
}

func protoName(n int) string { return cmp.Or(protocols[n], strconv.Itoa(n)) }

// tableName is as in rt_tables.
func tableName(n int) string {
	switch n {
	case unix.RT_TABLE_MAIN:
		return "main"
	case unix.RT_TABLE_LOCAL:
		return "local"
	case unix.RT_TABLE_DEFAULT:
		return "default"
	}
	return strconv.Itoa(n)
}
