package netstate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/state"
)

// A hop is a route by one router or link.
type hop struct {
	state.Route
	index uint32 // of its link, 0 for none
}

func dumpRoutes() ([]hop, error) {
	out := []hop{}
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		msg := &nl.RtMsg{}
		msg.Family = family
		err := dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, func(m []byte) (err error) {
			if out, err = parseRoute(out, m); err == nil && len(out) > MostRoutes {
				err = fmt.Errorf("there are more than %d", MostRoutes)
			}
			return err
		}, msg)
		if err != nil {
			return nil, fmt.Errorf("routes: %w", err)
		}
	}
	return out, nil
}

// parseRoute adds the hops of a route (rtnetlink(7), RTM_NEWROUTE) to out. Copies that
// the kernel keeps for itself it leaves out: of a route that was used, and what is in
// the table local for each address.
func parseRoute(out []hop, m []byte) ([]hop, error) {
	if len(m) < unix.SizeofRtMsg {
		return out, fmt.Errorf("a message of %d bytes", len(m))
	}
	family, bits, table, proto, kind := m[0], m[1], uint32(m[4]), m[5], m[7]
	if binary.NativeEndian.Uint32(m[8:])&unix.RTM_F_CLONED != 0 {
		return out, nil
	}
	to := netip.IPv4Unspecified()
	if family == unix.AF_INET6 {
		to = netip.IPv6Unspecified()
	}
	var one hop
	var more []byte
	err := attributes(m[unix.SizeofRtMsg:], func(attr uint16, v []byte) {
		switch attr {
		case unix.RTA_DST:
			to, _ = netip.AddrFromSlice(v)
		case unix.RTA_TABLE:
			table = u32(v)
		case unix.RTA_MULTIPATH:
			more = v
		default:
			one.attribute(attr, v)
		}
	})
	if err != nil || table == unix.RT_TABLE_LOCAL && proto == unix.RTPROT_KERNEL {
		return out, err
	}
	prefix := netip.PrefixFrom(to, int(bits))
	if !prefix.IsValid() {
		return out, fmt.Errorf("to %s by %d bits", to, bits)
	}
	one.To = prefix.String()
	one.Proto = state.RouteProtocolName(proto)
	if table != unix.RT_TABLE_MAIN {
		one.Table = tableName(table)
	}
	if one.Type = routeType(kind); one.Type != "" {
		one.index = 0 // IPv6 says lo, IPv4 says nothing
	}
	if more == nil {
		return append(out, one), nil
	}
	// struct rtnexthop: length, flags, weight, link, and then attributes.
	for len(more) > 0 {
		if len(more) < unix.SizeofRtNexthop {
			return out, errors.New("a hop that is cut off")
		}
		n := int(binary.NativeEndian.Uint16(more))
		if n < unix.SizeofRtNexthop || n > len(more) {
			return out, fmt.Errorf("a hop of %d bytes", n)
		}
		next := one
		next.index, next.Weight = u32(more[4:8]), int(more[3])+1 // rtnh_hops
		if err := attributes(more[unix.SizeofRtNexthop:n], next.attribute); err != nil {
			return out, err
		}
		out = append(out, next)
		more = more[min(align(n), len(more)):]
	}
	return out, nil
}

// routeType is what ip route calls a type of routes that lead nowhere (rtm_type), or empty.
func routeType(kind byte) string {
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

func (h *hop) attribute(attr uint16, v []byte) {
	switch {
	case attr == unix.RTA_OIF:
		h.index = u32(v)
	case attr == unix.RTA_PRIORITY:
		h.Metric = int(u32(v))
	case attr == unix.RTA_VIA && len(v) > 2: // RFC 8950: a family and an address of it
		v = v[2:]
		fallthrough
	case attr == unix.RTA_GATEWAY:
		a, _ := netip.AddrFromSlice(v)
		h.Via = a.String()
	}
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
