package nftables

import (
	"fmt"

	"github.com/nbr-dev/nbr/router"
)

// Flows stay on the uplink where they began: conntrack has a mark for each, and a rule leads
// packets with it to the routing table of that uplink. A flow that is forgotten, because its
// uplink has failed, begins anew where the default route leads then. The mark of a connection has
// bits for others, too (router.UplinkMarks); that of a packet has none.

// itsUplink are the bits of a flow's mark that are its uplink's.
var itsUplink = fmt.Sprintf("ct mark & %#x", router.UplinkMarks)

// arrivedBy marks what arrives by an uplink, before it is asked whether its source belongs there:
// the Internet is behind each of them, and only the table of the uplink says so.
func arrivedBy(r *router.Router) chain {
	c := chain{name: "uplink_in", head: "type filter hook prerouting priority raw - 10; policy drop;"}
	for _, u := range router.Claimed[router.Uplink](r) {
		c.add(line(u.Addr, u.From), "iifname %q meta mark set %d", string(u.Network.Device()), u.Mark)
	}
	return uplinkEnd(c, r)
}

// staysOn gives packets the mark of their flow, or a flow that began outside that of the uplink
// by which it did. The chain is between conntrack's and the one of port forwards.
func staysOn(r *router.Router) chain {
	c := chain{name: "uplink_flow", head: "type filter hook prerouting priority mangle; policy drop;"}
	for i, u := range router.Claimed[router.Uplink](r) {
		if i == 0 {
			c.add(line(u.Addr, u.From), "%[1]s != 0 meta mark set %[1]s accept", itsUplink)
			c.add(line(u.Addr, u.From), "meta mark != 0 ct mark 0 ct mark set meta mark")
		}
	}
	return uplinkEnd(c, r)
}

// ownFlows does the same for what the router itself sends, which is routed again when the mark
// changes (type route of nft(8)).
func ownFlows(r *router.Router) chain {
	c := chain{name: "uplink_own", head: "type route hook output priority mangle; policy drop;"}
	for i, u := range router.Claimed[router.Uplink](r) {
		if i == 0 {
			c.add(line(u.Addr, u.From), "%[1]s != 0 meta mark set %[1]s", itsUplink)
		}
	}
	return uplinkEnd(c, r)
}

// leavesBy marks flows by the uplink by which they leave.
func leavesBy(r *router.Router) chain {
	c := chain{name: "uplink_out", head: "type filter hook postrouting priority mangle; policy drop;"}
	for _, u := range router.Claimed[router.Uplink](r) {
		c.add(line(u.Addr, u.From), "oifname %q %s == 0 ct mark set ct mark | %#x", string(u.Network.Device()), itsUplink, u.Mark)
	}
	return uplinkEnd(c, r)
}

// uplinkEnd ends a chain that drops nothing.
func uplinkEnd(c chain, r *router.Router) chain {
	if us := router.Claimed[router.Uplink](r); len(us) > 0 {
		c.add(line(us[0].Addr, us[0].From), "accept")
	}
	return c
}
