package nftables

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// output is what the router itself sends, where a policy is about that: else there is no such chain.
// What no policy decides about passes.
//
// A packet has the interface that it leaves by, also on a router with uplinks: what another hook
// routes anew has a flow that has begun (see ownFlows), and is let pass as that.
func (f *Firewall) output(r *router.Router) chain {
	c := chain{name: "output", head: "type filter hook output priority filter; policy drop;"}
	policies := r.OwnPolicies()
	if len(policies) == 0 {
		return c
	}
	c.add(blockLine(f), "%s", toItself)
	c.endedOwn(f, r)
	for _, rule := range essential(f, r) {
		c.add(rule.by, "%s", rule.text)
	}
	for _, p := range policies {
		c.policy(r, p, ownWays(r, p))
	}
	f.pass(&c)
	return c
}

// toItself comes first, also before what ends connections: the reset for a program of the router goes
// to it by lo.
const toItself = `oifname "lo" accept`

// essential are the rules that let out what no policy keeps in: packets of connections that were let
// in or out, what IP does not work without, and what services claim. Neighbour discovery, multicast
// listener discovery and IGMP are for the link alone; errors about packets that made no connection
// are related to none, and are answers all the same (RFC 4890 section 4.4, RFC 1812 section 4.3).
func essential(f *Firewall, r *router.Router) []rule {
	by := blockLine(f)
	c := chain{}
	c.add(by, "ct state { established, related } accept")
	c.add(by, "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert, nd-redirect, mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept")
	c.add(by, "meta l4proto igmp accept")
	c.add(by, "icmp type { destination-unreachable, redirect, time-exceeded, parameter-problem } accept")
	c.add(by, "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, parameter-problem } accept")
	for _, e := range router.Claimed[router.Emit](r) {
		c.add(line(e.Addr, e.From), "%s", emit(e))
	}
	return c.rules
}

func emit(e *router.Emit) string {
	var parts []string
	if len(e.Networks) > 0 {
		parts = append(parts, "oifname "+set(router.Devices(e.Networks)))
	}
	if m := match(e.Match); m != "" {
		parts = append(parts, m)
	}
	return strings.Join(append(parts, "counter accept"), " ")
}

// guardedOutput is the chain of the minimal firewall for what the router sends, where a policy is
// about that: which packets it would let out only the rules know.
func guardedOutput(f *Firewall, r *router.Router) string {
	if len(r.OwnPolicies()) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n  chain output {\n    type filter hook output priority filter - 10; policy drop;\n    " + toItself + "\n")
	for _, rule := range essential(f, r) {
		fmt.Fprintf(&b, "    %s\n", rule.text)
	}
	b.WriteString("    counter drop\n  }\n")
	return b.String()
}
