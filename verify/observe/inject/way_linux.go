package inject

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/probe"
)

// Way asks the kernel how packets from this machine's address on a link get to a host. It is
// [probe.Host]'s.
func Way(link string, to netip.Addr) (probe.Way, error) {
	on, err := openLink(link)
	if err != nil {
		return probe.Way{}, err
	}
	own, err := ownAddress(on)
	if err != nil {
		return probe.Way{}, err
	}
	routes, err := netlink.RouteGetWithOptions(to.AsSlice(), &netlink.RouteGetOptions{SrcAddr: own.AsSlice()})
	if err == nil && len(routes) == 0 {
		err = errors.New("no route")
	}
	if err != nil {
		return probe.Way{}, probe.NoWay{Reason: err}
	}
	r := routes[0]
	if r.Type != unix.RTN_UNICAST {
		return probe.Way{From: own, Own: true}, nil
	}
	out, err := netlink.LinkByIndex(r.LinkIndex)
	if err == nil {
		err = carries(out.Attrs())
	}
	if err != nil {
		return probe.Way{}, probe.NoWay{Reason: err}
	}
	w := probe.Way{From: own, Link: out.Attrs().Name, Next: to, ARP: out.Attrs().RawFlags&unix.IFF_NOARP == 0}
	gateway := r.Gw
	if via, ok := r.Via.(*netlink.Via); ok { // of another family (RFC 8950)
		gateway = via.Addr
	}
	if a, ok := netip.AddrFromSlice(gateway); ok {
		w.Next, w.Gateway = a.Unmap(), true
	}
	if w.ARP {
		w.Silent, err = silent(r.LinkIndex, w.Next)
	}
	return w, err
}

// ownAddress is the first IPv4 address of a link that the world can send to.
func ownAddress(link *netlink.LinkAttrs) (netip.Addr, error) {
	list, err := netlink.AddrList(&netlink.Dummy{LinkAttrs: *link}, netlink.FAMILY_V4)
	if err != nil {
		return netip.Addr{}, err
	}
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP.To4()); ok && a.Scope == unix.RT_SCOPE_UNIVERSE {
			return ip, nil
		}
	}
	return netip.Addr{}, fmt.Errorf("%s has no IPv4 address", link.Name)
}

// silent tells whether a neighbour has been asked for its MAC address and has not said it. A
// packet that waits for that has left an entry in the kernel's table, incomplete or failed.
// No entry means that nothing was sent to the neighbour.
func silent(link int, neighbour netip.Addr) (bool, error) {
	family := netlink.FAMILY_V4
	if neighbour.Is6() {
		family = netlink.FAMILY_V6
	}
	list, err := netlink.NeighList(link, family)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(n netlink.Neigh) bool {
		return n.IP.Equal(neighbour.AsSlice()) && n.State&(netlink.NUD_INCOMPLETE|netlink.NUD_FAILED) != 0
	}), nil
}
