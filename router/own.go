package router

import (
	"net/netip"
	"regexp"
	"slices"

	"github.com/nbr-dev/nbr/verify/state"
)

// Claims of ownership say what may be there at run time because of a block although
// the spec does not list it: a program makes it, or the kernel. The program that makes
// links leaves it alone, and nbr verify does not call it foreign.

// OwnLinks are interfaces that another program makes.
type OwnLinks struct {
	By
	// Pattern is a regular expression over interface names that means the same to RE2
	// and to Python's re.
	Pattern string
}

// OwnAddresses are addresses that another program sets.
type OwnAddresses struct {
	By
	Within netip.Prefix // only addresses in it; the zero prefix is every address
	On     []Link       // only on these links; none is every link
	// Expiring says that only addresses with a lifetime are meant, as DHCP and router
	// advertisements give them.
	Expiring bool
}

// OwnRoutes are routes of one protocol.
type OwnRoutes struct {
	By
	Protocol uint8  // rtm_protocol (rtnetlink(7)): 16 is dhcp
	On       []Link // only on these links; none is every link
}

// OwnRules are routing rules of one protocol.
type OwnRules struct {
	By
	Protocol uint8 // FRA_PROTOCOL (linux/fib_rules.h)
}

// OwnNetns are network namespaces.
type OwnNetns struct {
	By
	Pattern string // as of OwnLinks, over names in /run/netns
}

// OwnSockets are sockets of a program whose ports the spec does not know.
type OwnSockets struct {
	By
	Program string // comm of the process
}

// OwnsLink tells whether a block claims an interface of this name.
func (r *Router) OwnsLink(name string) bool {
	return slices.ContainsFunc(Claimed[OwnLinks](r), func(o *OwnLinks) bool {
		ok, err := regexp.MatchString(o.Pattern, name)
		return err == nil && ok
	})
}

// OwnsAddress tells whether a block claims an address on an interface.
func (r *Router) OwnsAddress(addr netip.Prefix, on string, expires bool) bool {
	return slices.ContainsFunc(Claimed[OwnAddresses](r), func(o *OwnAddresses) bool {
		return (!o.Within.IsValid() || o.Within.Contains(addr.Addr())) && (expires || !o.Expiring) && among(o.On, on)
	})
}

// OwnsRoute tells whether a block claims routes of a protocol, by its name or number
// (state.RouteProtocolName), on an interface.
func (r *Router) OwnsRoute(protocol, on string) bool {
	return slices.ContainsFunc(Claimed[OwnRoutes](r), func(o *OwnRoutes) bool {
		return state.RouteProtocolName(o.Protocol) == protocol && among(o.On, on)
	})
}

// OwnsRule tells whether a block claims routing rules of a protocol, by its name or
// number.
func (r *Router) OwnsRule(protocol string) bool {
	return slices.ContainsFunc(Claimed[OwnRules](r), func(o *OwnRules) bool { return state.RouteProtocolName(o.Protocol) == protocol })
}

// OwnsSocket tells whether a block claims the sockets of a program.
func (r *Router) OwnsSocket(program string) bool {
	return slices.ContainsFunc(Claimed[OwnSockets](r), func(o *OwnSockets) bool { return o.Program == program })
}

func among(links []Link, name string) bool {
	return len(links) == 0 || slices.ContainsFunc(links, func(l Link) bool { return string(l.LinkName()) == name })
}
