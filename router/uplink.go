package router

import "net/netip"

// An Uplink is one of several ways to the Internet, of which the first that works is used for
// what begins anew (package failover has the numbers). The firewall marks its flows, so that each
// stays on the uplink where it began, and the default routes that others make for it come after
// the one that is chosen.
type Uplink struct {
	By
	Network *Network
	Mark    uint32 // of its flows and their packets
	Metric  Metric // of the default route by gateway, gateway6 or a PPP session
	// Prefixes are fixed ones of networks behind the router that this uplink's provider leads
	// here.
	Prefixes []netip.Prefix
}

// UplinkOf is the uplink that a network's link belongs to, nil if there is none.
func (r *Router) UplinkOf(n *Network) *Uplink {
	for _, u := range Claimed[Uplink](r) {
		if u.Network.Link.Target == n.Link.Target {
			return u
		}
	}
	return nil
}

// besideUplinks is the metric of default routes of networks that are no uplink, after those of all
// that are.
const besideUplinks = 2000

// DefaultMetric is that of the default route which a network's gateway or PPP session has.
func (r *Router) DefaultMetric(n *Network) Metric {
	switch u := r.UplinkOf(n); {
	case u != nil:
		return u.Metric
	case len(Claimed[Uplink](r)) > 0:
		return besideUplinks
	}
	return 0
}
