package netstate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

// A hop is a route by one router or link.
type hop struct {
	state.Route
	index uint32 // of its link, 0 for none
}

func dumpRoutes(h *netlink.Handle) ([]hop, error) {
	out := []hop{}
	all := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		err := h.RouteListFilteredIter(family, all, netlink.RT_FILTER_TABLE, func(rt netlink.Route) bool {
			out = addHops(out, rt)
			return len(out) <= MostRoutes
		})
		if err == nil && len(out) > MostRoutes {
			err = fmt.Errorf("there are more than %d", MostRoutes)
		}
		if err != nil {
			return nil, fmt.Errorf("routes: %w", err)
		}
	}
	return out, nil
}

// addHops adds the hops of a route. What the kernel keeps for itself it leaves out: what is in the
// table local for each address, and in the table of a VRF for those of its links.
func addHops(out []hop, rt netlink.Route) []hop {
	if rt.Protocol == unix.RTPROT_KERNEL && (rt.Table == unix.RT_TABLE_LOCAL || ofAddress(rt.Type)) {
		return out
	}
	one := hop{index: uint32(rt.LinkIndex)}
	one.To, one.Via = prefix(rt.Dst), via(rt.Gw, rt.Via)
	one.Metric, one.Proto = rt.Priority, state.RouteProtocolName(uint8(rt.Protocol))
	if rt.Table != unix.RT_TABLE_MAIN {
		one.Table = tableName(uint32(rt.Table))
	}
	if one.Type = routeType(rt.Type); one.Type != "" {
		one.index = 0 // IPv6 says lo, IPv4 says nothing
	}
	if len(rt.MultiPath) == 0 {
		return append(out, one)
	}
	for _, next := range rt.MultiPath {
		one.index, one.Weight = uint32(next.LinkIndex), next.Hops+1 // rtnh_hops of linux/rtnetlink.h
		one.Via = via(next.Gw, next.Via)
		out = append(out, one)
	}
	return out
}

// ofAddress tells whether routes of a type (rtm_type) are those of addresses of the router.
func ofAddress(kind int) bool {
	return kind == unix.RTN_LOCAL || kind == unix.RTN_BROADCAST || kind == unix.RTN_ANYCAST || kind == unix.RTN_MULTICAST
}

// via is the address of a next hop, or empty. That of a route of IPv4 may be one of IPv6 (RFC 8950).
func via(gw net.IP, of netlink.Destination) string {
	if v, ok := of.(*netlink.Via); ok {
		gw = v.Addr
	}
	if a, ok := netip.AddrFromSlice(gw); ok {
		return a.String()
	}
	return ""
}

// routeType is what ip route calls a type of routes that lead nowhere (rtm_type), or empty.
func routeType(kind int) string {
	switch kind {
	case unix.RTN_BLACKHOLE:
		return "blackhole"
	case unix.RTN_UNREACHABLE:
		return "unreachable"
	case unix.RTN_PROHIBIT:
		return "prohibit"
	case unix.RTN_THROW:
		return "throw"
	}
	return ""
}

// attributes goes through what a message of rtnetlink(7) ends in. The library's own
// way falls over lengths that are no multiple of four.
func attributes(b []byte, f func(attr uint16, value []byte)) error {
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return fmt.Errorf("an attribute of %d bytes", n)
		}
		f(binary.NativeEndian.Uint16(b[2:])&^unix.NLA_F_NESTED, b[unix.SizeofRtAttr:n])
		b = b[min(align(n), len(b)):]
	}
	if len(b) > 0 {
		return errors.New("a message that is cut off")
	}
	return nil
}

func align(n int) int { return (n + unix.RTA_ALIGNTO - 1) &^ (unix.RTA_ALIGNTO - 1) }

// u32 is 0 for what is none.
func u32(v []byte) uint32 {
	if len(v) != 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(v)
}

func u16(v []byte) uint16 {
	if len(v) != 2 {
		return 0
	}
	return binary.NativeEndian.Uint16(v)
}

// tableName is as in rt_tables.
func tableName(n uint32) string {
	switch n {
	case unix.RT_TABLE_MAIN:
		return "main"
	case unix.RT_TABLE_LOCAL:
		return "local"
	case unix.RT_TABLE_DEFAULT:
		return "default"
	}
	return strconv.FormatUint(uint64(n), 10)
}
