package ifstate

import (
	"net/netip"
	"regexp"
	"slices"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify/state"
)

// ownsLink tells whether a block claims an interface of this name.
func ownsLink(r *router.Router, name string) bool {
	return slices.ContainsFunc(router.Claimed[router.OwnLinks](r), func(o *router.OwnLinks) bool {
		ok, err := regexp.MatchString(anchored(o.Pattern), name)
		return err == nil && ok
	})
}

// ownsAddress tells whether a block claims an address on an interface.
func ownsAddress(r *router.Router, addr netip.Prefix, on string, expires bool) bool {
	return slices.ContainsFunc(router.Claimed[router.OwnAddresses](r), func(o *router.OwnAddresses) bool {
		return (!o.Within.IsValid() || o.Within.Contains(addr.Addr())) && (expires || !o.Expiring) && among(o.On, on)
	})
}

// ownsRoute tells whether a block claims routes of the protocol on an interface.
func ownsRoute(r *router.Router, rt state.Route) bool {
	return slices.ContainsFunc(router.Claimed[router.OwnRoutes](r), func(o *router.OwnRoutes) bool {
		return state.RouteProtocolName(o.Protocol) == rt.Proto && (among(o.On, rt.Link) || o.Nowhere && rt.Type == "unreachable")
	})
}

// ownsRule tells whether a block claims routing rules of the protocol.
func ownsRule(r *router.Router, rule state.Rule) bool {
	return slices.ContainsFunc(router.Claimed[router.OwnRules](r), func(o *router.OwnRules) bool {
		return state.RouteProtocolName(o.Protocol) == rule.Proto
	})
}

// ownsSocket tells whether a block claims the sockets of a program.
func ownsSocket(r *router.Router, program string) bool {
	return slices.ContainsFunc(router.Claimed[router.OwnSockets](r), func(o *router.OwnSockets) bool { return o.Program == program })
}

// among tells whether an interface is one of the links; no links are all.
func among(links []router.Link, name string) bool {
	return len(links) == 0 || slices.ContainsFunc(links, func(l router.Link) bool { return string(l.LinkName()) == name })
}
