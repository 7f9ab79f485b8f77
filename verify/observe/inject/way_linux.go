package inject

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/verify/probe"
)

// Way asks the kernel how packets with a mark from this machine's address get to a host. It is
// [probe.Host]'s.
func Way(link string, mark uint32, to netip.Addr) (probe.Way, error) {
	on, err := openLink(link)
	if err != nil {
		return probe.Way{}, err
	}
	own, err := ownAddress(on, to.Is6())
	if err != nil {
		return probe.Way{}, err
	}
	routes, err := netlink.RouteGetWithOptions(to.AsSlice(), &netlink.RouteGetOptions{SrcAddr: own.AsSlice(), Mark: mark})
	if err == nil && len(routes) == 0 {
		err = errors.New("no route")
	}
	if err != nil {
		return probe.Way{}, probe.NoWay{Reason: err}
	}
	r := routes[0]
	switch r.Type {
	case unix.RTN_UNICAST:
	case unix.RTN_UNREACHABLE, unix.RTN_BLACKHOLE, unix.RTN_PROHIBIT:
		return probe.Way{}, probe.NoWay{Reason: errors.New("a route says that there is none")}
	default:
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
		w.Asked, w.Silent, err = asked(r.LinkIndex, w.Next)
	}
	return w, err
}

// ownAddress is the first address of a link that the world can send to.
func ownAddress(link *netlink.LinkAttrs, six bool) (netip.Addr, error) {
	if six {
		return ownAddress6(link)
	}
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

// ownAddress6 is the first IPv6 address of a link that the world can send to and that stays. If
// there is none, as where a provider delegates a prefix and nothing else, it is one of another
// link: what the provider sends there comes in on this one. A unique local address (RFC 4193) is
// the last choice: only routers near by know a way to it.
func ownAddress6(link *netlink.LinkAttrs) (netip.Addr, error) {
	list, err := netlink.AddrList(nil, netlink.FAMILY_V6)
	if err != nil {
		return netip.Addr{}, err
	}
	const leaves = unix.IFA_F_TENTATIVE | unix.IFA_F_DADFAILED | unix.IFA_F_DEPRECATED | unix.IFA_F_TEMPORARY
	var elsewhere, local netip.Addr
	for _, a := range list {
		ip, ok := netip.AddrFromSlice(a.IP.To16())
		if !ok || a.Scope != unix.RT_SCOPE_UNIVERSE || a.Flags&leaves != 0 {
			continue
		}
		switch here := a.LinkIndex == link.Index; {
		case here && !ip.IsPrivate():
			return ip, nil
		case here && !local.IsValid():
			local = ip
		case !here && !ip.IsPrivate() && !elsewhere.IsValid():
			elsewhere = ip
		}
	}
	switch {
	case elsewhere.IsValid():
		return elsewhere, nil
	case local.IsValid():
		return local, nil
	}
	return netip.Addr{}, fmt.Errorf("neither %s nor another link has an IPv6 address that a remote host could send to", link.Name)
}

// asked tells whether a neighbour is asked for its MAC address, and whether it was and has not said
// it. A packet that waits for that has left an entry in the kernel's table, incomplete or failed;
// one that failed stays for a while, and is incomplete again with the next packet. No entry means
// that nothing was sent to the neighbour.
func asked(link int, neighbour netip.Addr) (incomplete, failed bool, err error) {
	family := netlink.FAMILY_V4
	if neighbour.Is6() {
		family = netlink.FAMILY_V6
	}
	list, err := netlink.NeighList(link, family)
	if err != nil {
		return false, false, err
	}
	for _, n := range list {
		if n.IP.Equal(neighbour.AsSlice()) {
			return n.State&netlink.NUD_INCOMPLETE != 0, n.State&netlink.NUD_FAILED != 0, nil
		}
	}
	return false, false, nil
}
