package observe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
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

// network takes links and what is on them together: addresses, routes and neighbours
// have links by their numbers only. A number that is not known is of a link made
// since, so that makes the dump one to do again.
func (l *looker) network(ctx context.Context) error {
	var links map[string]state.Link
	var addrs []state.Addr
	var routes []state.Route
	var neighbours []state.Neighbour
	err := again(ctx, func() error {
		var hops []hop
		var err1, err2 error
		var wg sync.WaitGroup
		wg.Go(func() { hops, err1 = dumpRoutes() })
		var names names
		if links, names, err2 = dumpLinks(); err2 == nil {
			addrs, err2 = dumpAddrs(names)
		}
		if err2 == nil {
			neighbours, err2 = l.dumpNeighbours(names)
		}
		wg.Wait()
		if err := cmp.Or(err2, err1); err != nil {
			return err
		}
		routes = make([]state.Route, len(hops))
		for i, hop := range hops {
			if hop.Link, err1 = names.find(hop.index); err1 != nil {
				return fmt.Errorf("routes: %w", err1)
			}
			routes[i] = hop.Route
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, link := range links {
		links[name] = l.hardware(name, link)
	}
	slices.SortFunc(addrs, func(a, b state.Addr) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Prefix, b.Prefix))
	})
	slices.SortFunc(neighbours, func(a, b state.Neighbour) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Address, b.Address))
	})
	l.st.Links, l.st.Addrs, l.st.Routes, l.st.Neighbours = links, addrs, routes, neighbours
	return nil
}

// dump asks for all objects of a kind (rtnetlink(7)). The library has types of forty
// fields for what a look needs five of; reading the messages takes half the time.
func dump(request, answer int, each func([]byte) error, of ...nl.NetlinkRequestData) error {
	req := nl.NewNetlinkRequest(request, unix.NLM_F_DUMP)
	req.Data = of
	var bad error
	err := req.ExecuteIter(unix.NETLINK_ROUTE, uint16(answer), func(m []byte) bool {
		bad = each(m)
		return bad == nil
	})
	return cmp.Or(bad, err)
}

// names are links by their number.
type names map[uint32]string

func (n names) find(index uint32) (string, error) {
	name, ok := n[index]
	if !ok && index != 0 {
		return "", fmt.Errorf("link %d is new: %w", index, netlink.ErrDumpInterrupted)
	}
	return name, nil
}

func dumpAddrs(names names) ([]state.Addr, error) {
	out := []state.Addr{}
	err := dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, func(m []byte) error {
		a, index, err := parseAddr(m)
		if err != nil || a.Prefix == "" {
			return err
		}
		if a.Link, err = names.find(index); err == nil {
			out = append(out, a)
		}
		return err
	}, nl.NewIfInfomsg(unix.AF_UNSPEC))
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	return out, nil
}

// parseAddr reads an address (struct ifaddrmsg and its attributes). One of another
// family than IP has no prefix.
func parseAddr(m []byte) (a state.Addr, index uint32, err error) {
	if len(m) < unix.SizeofIfAddrmsg {
		return a, 0, fmt.Errorf("a message of %d bytes", len(m))
	}
	family, bits, flags := m[0], int(m[1]), uint32(m[2])
	index = u32(m[4:8])
	if family != unix.AF_INET && family != unix.AF_INET6 {
		return a, index, nil
	}
	var local, address netip.Addr
	err = attributes(m[unix.SizeofIfAddrmsg:], func(attr uint16, v []byte) {
		switch attr {
		case unix.IFA_LOCAL: // ours, where IFA_ADDRESS is the other end's
			local, _ = netip.AddrFromSlice(v)
		case unix.IFA_ADDRESS:
			address, _ = netip.AddrFromSlice(v)
		case unix.IFA_FLAGS:
			flags = u32(v)
		}
	})
	if !local.IsValid() {
		local = address
	}
	prefix := netip.PrefixFrom(local, bits)
	if err == nil && !prefix.IsValid() {
		err = fmt.Errorf("%s with %d bits", local, bits)
	}
	a.Prefix = prefix.String()
	a.Dynamic = flags&unix.IFA_F_PERMANENT == 0 // include/uapi/linux/if_addr.h: what has no lifetime is permanent
	a.Duplicate = flags&unix.IFA_F_DADFAILED != 0
	a.Tentative = flags&unix.IFA_F_TENTATIVE != 0 && !a.Duplicate
	return a, index, err
}

// prefix is an address block as the library for WireGuard has it.
func prefix(n *net.IPNet) string {
	ones, _ := n.Mask.Size()
	a, _ := netip.AddrFromSlice(n.IP)
	return netip.PrefixFrom(a.Unmap(), ones).String()
}
