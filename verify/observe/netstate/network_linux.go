package netstate

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

	"github.com/nbr-dev/nbr/verify/observe/root"
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

// A Network is links and what is on them, at one moment.
type Network struct {
	Links      map[string]state.Link
	Addrs      []state.Addr
	Routes     []state.Route
	Neighbours []state.Neighbour
}

// Look takes links and what is on them together: addresses, routes and neighbours have links
// by their numbers only. A number that is not known is of a link made since, so that makes the
// dump one to do again. Of neighbours it takes those with an address in peers, and those that
// were set by hand. The root is for what only sysfs tells.
func Look(ctx context.Context, r root.Root, peers []string) (n Network, err error) {
	// A socket stays in the network namespace of the thread that made it, and goroutines have others.
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return Network{}, fmt.Errorf("routes: %w", err)
	}
	defer h.Close()
	err = again(ctx, func() error {
		var hops []hop
		var err1, err2 error
		var wg sync.WaitGroup
		wg.Go(func() { hops, err1 = dumpRoutes(h) })
		var names names
		if n.Links, names, err2 = dumpLinks(); err2 == nil {
			n.Addrs, err2 = dumpAddrs(names)
		}
		if err2 == nil {
			n.Neighbours, err2 = dumpNeighbours(names, peers)
		}
		wg.Wait()
		if err := cmp.Or(err2, err1); err != nil {
			return err
		}
		n.Routes = make([]state.Route, len(hops))
		for i, hop := range hops {
			if hop.Link, err1 = names.find(hop.index); err1 != nil {
				return fmt.Errorf("routes: %w", err1)
			}
			n.Routes[i] = hop.Route
		}
		return nil
	})
	if err != nil {
		return Network{}, err
	}
	for name, link := range n.Links {
		n.Links[name] = hardware(r, name, link)
	}
	slices.SortFunc(n.Addrs, func(a, b state.Addr) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Prefix, b.Prefix))
	})
	slices.SortFunc(n.Neighbours, func(a, b state.Neighbour) int {
		return cmp.Or(cmp.Compare(a.Link, b.Link), cmp.Compare(a.Address, b.Address))
	})
	return n, nil
}

// dump asks for all objects of a kind (rtnetlink(7)). It is for what the library does not read (v1.3.1):
// of links the spanning tree of a bridge, what its ports do, and VLANs in ranges (it asks for up to 4094
// of each port); of rules l3mdev and whether an interface is gone. It also asks for the counters of all
// links, and takes 1.2 times as long for 1,000 of them with 3.5 times the memory (BenchmarkLibrary).
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
	list, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	if err != nil {
		return nil, fmt.Errorf("addresses: %w", err)
	}
	out := []state.Addr{}
	for _, a := range list {
		if a.IPNet == nil {
			continue // of another family than IP
		}
		link, err := names.find(uint32(a.LinkIndex))
		if err != nil {
			return nil, fmt.Errorf("addresses: %w", err)
		}
		if a.Peer != nil { // the library gives the prefix's length to the other end alone
			a.Mask = a.Peer.Mask
		}
		duplicate := a.Flags&unix.IFA_F_DADFAILED != 0
		out = append(out, state.Addr{
			Link:      link,
			Prefix:    prefix(a.IPNet),
			Dynamic:   a.Flags&unix.IFA_F_PERMANENT == 0, // include/uapi/linux/if_addr.h: what has no lifetime is permanent
			Tentative: a.Flags&unix.IFA_F_TENTATIVE != 0 && !duplicate,
			Duplicate: duplicate,
		})
	}
	return out, nil
}

// prefix is an address block as the libraries have it.
func prefix(n *net.IPNet) string {
	ones, _ := n.Mask.Size()
	a, _ := netip.AddrFromSlice(n.IP)
	return netip.PrefixFrom(a.Unmap(), ones).String()
}
