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
		var hops []hop
		var err1, err2 error
		var wg sync.WaitGroup
		wg.Go(func() { hops, err1 = dumpRoutes() })
		var names names
		if links, names, err2 = dumpLinks(h); err2 == nil {
			addrs, err2 = dumpAddrs(h, names)
		}
		wg.Wait()
		if err := cmp.Or(err2, err1); err != nil {
			return err
		}
		routes = make([]state.Route, len(hops))
		for i, hop := range hops {
			if hop.Link, err = names.find(int(hop.index)); err != nil {
				return fmt.Errorf("routes: %w", err)
			}
			routes[i] = hop.Route
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
		return nil, nil, fmt.Errorf("links: %w", err)
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
		return nil, fmt.Errorf("addresses: %w", err)
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

func prefix(n *net.IPNet) string {
	ones, _ := n.Mask.Size()
	a, _ := netip.AddrFromSlice(n.IP)
	return netip.PrefixFrom(a.Unmap(), ones).String()
}
