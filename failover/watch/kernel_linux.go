package watch

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/failover"
)

// A kernel is what was seen of it.
type kernel struct {
	view   failover.View
	links  map[string]netlink.Link
	routes []netlink.Route // the watcher's own
	rules  []netlink.Rule  // the watcher's own
}

var netlinkFamily = map[failover.Family]int{failover.IPv4: unix.AF_INET, failover.IPv6: unix.AF_INET6}

// tries are how often a dump is asked for that others' changes have interrupted.
const tries = 5

func dumped[T any](dump func() ([]T, error)) (out []T, err error) {
	for range tries {
		if out, err = dump(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return out, err
}

// look asks for the links of the uplinks, the default routes that others have made, the addresses
// that belong to the uplinks, and what the watcher has set.
func look(conf failover.Config) (*kernel, error) {
	k := &kernel{links: map[string]netlink.Link{}, view: failover.View{
		Ways: map[string]map[failover.Family]failover.Way{}, Sources: map[string][]netip.Prefix{},
	}}
	names := map[int]string{}
	for _, u := range conf.Uplinks {
		k.view.Ways[u.Name] = map[failover.Family]failover.Way{}
		l, err := netlink.LinkByName(u.Link)
		if errors.As(err, new(netlink.LinkNotFoundError)) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("link %s: %w", u.Link, err)
		}
		k.links[u.Link], names[l.Attrs().Index] = l, u.Name
	}
	for _, f := range failover.Families() {
		if err := k.lookRoutes(f, names); err != nil {
			return nil, fmt.Errorf("routes: %w", err)
		}
		rules, err := dumped(func() ([]netlink.Rule, error) { return netlink.RuleList(netlinkFamily[f]) })
		if err != nil {
			return nil, fmt.Errorf("rules: %w", err)
		}
		k.rules = append(k.rules, slices.DeleteFunc(rules, func(r netlink.Rule) bool { return r.Protocol != failover.Protocol })...)
	}
	return k, k.lookAddresses(conf)
}

// lookRoutes takes of each uplink the default route with the least metric that the watcher has
// not made itself.
func (k *kernel) lookRoutes(f failover.Family, names map[int]string) error {
	all := &netlink.Route{Table: unix.RT_TABLE_UNSPEC}
	routes, err := dumped(func() ([]netlink.Route, error) {
		return netlink.RouteListFiltered(netlinkFamily[f], all, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return err
	}
	least := map[string]int{}
	for _, r := range routes {
		if r.Protocol == failover.Protocol {
			k.routes = append(k.routes, r)
			continue
		}
		if r.Table != unix.RT_TABLE_MAIN || r.Type != unix.RTN_UNICAST || !isDefault(r.Dst) {
			continue
		}
		for _, h := range hops(r) {
			name := names[h.LinkIndex]
			if before, ok := least[name]; name == "" || ok && before <= r.Priority {
				continue
			}
			least[name] = r.Priority
			way := failover.Way{Link: linkName(k.links, h.LinkIndex)}
			if via, ok := netip.AddrFromSlice(h.Gw); ok {
				way.Via = via.Unmap()
			}
			k.view.Ways[name][f] = way
		}
	}
	return nil
}

func isDefault(dst *net.IPNet) bool {
	if dst == nil {
		return true
	}
	ones, _ := dst.Mask.Size()
	return ones == 0
}

// hops are the next hops of a route.
func hops(r netlink.Route) []*netlink.NexthopInfo {
	if len(r.MultiPath) > 0 {
		return r.MultiPath
	}
	return []*netlink.NexthopInfo{{LinkIndex: r.LinkIndex, Gw: r.Gw}}
}

func linkName(links map[string]netlink.Link, index int) string {
	for name, l := range links {
		if l.Attrs().Index == index {
			return name
		}
	}
	return ""
}

// lookAddresses finds the addresses of each uplink's link, and the networks of its prefix.
func (k *kernel) lookAddresses(conf failover.Config) error {
	for _, u := range conf.Uplinks {
		own, err := addresses(u.Link)
		if err != nil {
			return err
		}
		for _, a := range own {
			k.view.Sources[u.Name] = append(k.view.Sources[u.Name], netip.PrefixFrom(a, a.BitLen()))
		}
		for _, d := range u.Delegated {
			there, err := addresses(d.Link)
			if err != nil {
				return err
			}
			for _, a := range there {
				if d.Has(a) {
					k.view.Sources[u.Name] = append(k.view.Sources[u.Name], netip.PrefixFrom(a, 64).Masked())
				}
			}
		}
	}
	return nil
}

// addresses are those of a link beyond itself.
func addresses(link string) ([]netip.Addr, error) {
	l, err := netlink.LinkByName(link)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("link %s: %w", link, err)
	}
	list, err := dumped(func() ([]netlink.Addr, error) { return netlink.AddrList(l, unix.AF_UNSPEC) })
	if err != nil {
		return nil, fmt.Errorf("addresses of %s: %w", link, err)
	}
	var out []netip.Addr
	for _, e := range list {
		if a, ok := netip.AddrFromSlice(e.IP); ok && a.Unmap().IsGlobalUnicast() {
			out = append(out, a.Unmap())
		}
	}
	return out, nil
}

// lost tells why an uplink has no way, or is empty.
func (k *kernel) lost(u *failover.Uplink, f failover.Family) string {
	l, ok := k.links[u.Link]
	switch {
	case !ok:
		return u.Link + " is not there"
	case l.Attrs().RawFlags&unix.IFF_UP == 0:
		return u.Link + " is down"
	case l.Attrs().RawFlags&unix.IFF_RUNNING == 0:
		return "nothing is connected to " + u.Link
	}
	if _, ok := k.view.Ways[u.Name][f]; !ok {
		return "no default route on " + u.Link
	}
	return ""
}

// apply makes the kernel have the routes and rules, and no others of the watcher's. Routes come
// first: a rule that leads to an empty table leads on to the next rule.
func (k *kernel) apply(routes []failover.Route, rules []failover.Rule) error {
	var errs []error
	for _, r := range routes {
		want, err := k.route(r)
		if err == nil && !slices.ContainsFunc(k.routes, func(o netlink.Route) bool { return same(o, want) }) {
			err = netlink.RouteReplace(want)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("default route in table %d by %s: %w", r.Table, r.Link, err))
		}
	}
	for _, o := range k.routes {
		wanted := func(r failover.Route) bool { w, err := k.route(r); return err == nil && same(o, w) }
		if slices.ContainsFunc(routes, wanted) || o.Table == unix.RT_TABLE_MAIN && !chooses(routes, o.Family) {
			continue
		}
		// That it is gone is what is wanted: the kernel may have replaced it.
		if err := netlink.RouteDel(&o); err != nil && !errors.Is(err, unix.ESRCH) {
			errs = append(errs, fmt.Errorf("route %s: %w", o, err))
		}
	}
	return errors.Join(append(errs, k.applyRules(rules)...)...)
}

// chooses tells whether one of the routes is in the main table.
func chooses(routes []failover.Route, family int) bool {
	return slices.ContainsFunc(routes, func(r failover.Route) bool { return r.Table == 0 && netlinkFamily[r.Family] == family })
}

func (k *kernel) applyRules(rules []failover.Rule) []error {
	var errs []error
	for _, r := range rules {
		if slices.ContainsFunc(k.rules, func(o netlink.Rule) bool { return ruleOf(o) == r }) {
			continue
		}
		if err := netlink.RuleAdd(rule(r)); err != nil && !errors.Is(err, unix.EEXIST) {
			errs = append(errs, fmt.Errorf("rule %s: %w", r, err))
		}
	}
	for _, o := range k.rules {
		if !slices.Contains(rules, ruleOf(o)) {
			if err := netlink.RuleDel(&o); err != nil && !errors.Is(err, unix.ENOENT) {
				errs = append(errs, fmt.Errorf("rule %s: %w", o, err))
			}
		}
	}
	return errs
}

// route is a route as the library has it.
func (k *kernel) route(r failover.Route) (*netlink.Route, error) {
	out := &netlink.Route{
		Family: netlinkFamily[r.Family], Dst: ipNet(r.Family.Default()), Table: r.Table, Priority: r.Metric,
		Protocol: failover.Protocol, Type: unix.RTN_UNICAST,
	}
	if r.Table == 0 {
		out.Table = unix.RT_TABLE_MAIN
	}
	if r.Link == "" {
		out.Type = unix.RTN_UNREACHABLE
		return out, nil
	}
	l, ok := k.links[r.Link]
	if !ok {
		return nil, errors.New("the link is gone")
	}
	out.LinkIndex = l.Attrs().Index
	if r.Via.IsValid() {
		out.Gw = r.Via.AsSlice()
		// A provider may give an address alone, whose gateway is in no network of it.
		out.Flags = int(netlink.FLAG_ONLINK)
	} else if r.Family == failover.IPv4 {
		out.Scope = netlink.SCOPE_LINK
	}
	return out, nil
}

// same tells whether a route that was seen is the one that is wanted.
func same(seen netlink.Route, want *netlink.Route) bool {
	index := seen.LinkIndex
	if want.Type == unix.RTN_UNREACHABLE {
		index = 0 // IPv6 says lo
	}
	return seen.Family == want.Family && seen.Table == want.Table && seen.Priority == want.Priority && seen.Type == want.Type &&
		index == want.LinkIndex && seen.Gw.Equal(want.Gw) && len(seen.MultiPath) == 0
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// rule is a rule as the library has it.
func rule(r failover.Rule) *netlink.Rule {
	out := netlink.NewRule()
	out.Family, out.Priority, out.Table, out.Mark, out.Protocol = netlinkFamily[r.Family], r.Priority, r.Table, r.Mark, failover.Protocol
	if r.Table == 0 {
		out.Table, out.SuppressPrefixlen = unix.RT_TABLE_MAIN, 0
	}
	if r.From.IsValid() {
		out.Src = ipNet(r.From)
	}
	return out
}

// ruleOf is what rule has made, for rules of the watcher's.
func ruleOf(o netlink.Rule) failover.Rule {
	out := failover.Rule{Family: failover.IPv4, Priority: o.Priority, Table: o.Table, Mark: o.Mark}
	if o.Family == unix.AF_INET6 {
		out.Family = failover.IPv6
	}
	if o.Table == unix.RT_TABLE_MAIN && o.SuppressPrefixlen == 0 {
		out.Table = 0
	}
	if o.Src != nil {
		a, _ := netip.AddrFromSlice(o.Src.IP)
		ones, _ := o.Src.Mask.Size()
		out.From = netip.PrefixFrom(a.Unmap(), ones)
	}
	return out
}

// byMark fits flows of an uplink.
type byMark uint32

func (m byMark) MatchConntrackFlow(flow *netlink.ConntrackFlow) bool {
	return flow.Mark&failover.MarkMask == uint32(m)
}

// forget deletes what conntrack has of the flows of an uplink, and tells how many these were.
func forget(conf failover.Config, uplink string, f failover.Family) (uint, error) {
	i := slices.IndexFunc(conf.Uplinks, func(u failover.Uplink) bool { return u.Name == uplink })
	n, err := netlink.ConntrackDeleteFilters(netlink.ConntrackTable, netlink.InetFamily(netlinkFamily[f]), byMark(conf.Uplinks[i].Mark()))
	if err != nil {
		return n, fmt.Errorf("flows of %s: %w", uplink, err)
	}
	return n, nil
}

// subscribe tells of news of links, addresses, default routes and rules. Where some were lost there is
// news.
func subscribe(ctx context.Context) (<-chan bool, error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV6_IFADDR,
		unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_RULE, unix.RTNLGRP_IPV6_RULE)
	if err != nil {
		return nil, err
	}
	out := make(chan bool, 1)
	tell := func() {
		select {
		case out <- true:
		default:
		}
	}
	context.AfterFunc(ctx, s.Close)
	go func() {
		for ctx.Err() == nil {
			msgs, _, err := s.Receive()
			news := err != nil
			for _, m := range msgs {
				news = news || matters(m.Header.Type, m.Data)
			}
			if news {
				tell()
			}
			if err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
				return // closed: rounds look all the same
			}
		}
	}()
	return out, nil
}

// matters tells whether a message is one of those that change what the watcher does: a routing
// daemon's routes, which come by the thousand, do not, nor does what the watcher has set.
func matters(kind uint16, data []byte) bool {
	switch kind {
	case unix.RTM_NEWROUTE, unix.RTM_DELROUTE: // struct rtmsg: family, bits of the destination, …, protocol
		return len(data) >= unix.SizeofRtMsg && data[1] == 0 && (data[5] != failover.Protocol || kind == unix.RTM_DELROUTE)
	case unix.RTM_NEWRULE:
		return false
	}
	return true
}
