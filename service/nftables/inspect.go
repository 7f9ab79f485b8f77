package nftables

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
)

// inspect hands what inspected policies have accepted to programs in user space. It is a
// chain of its own after the forward chain, because queue ends the evaluation of its
// chain: in the forward chain it would let pass what a later rule drops. The first policy
// that fits decides, as it does there, so the others before it are passed over here.
//
// Packets of both directions are queued, and those of established connections, which the
// forward chain accepts before any policy, too: an answer is known by the packet that
// began its connection.
func (f *Firewall) inspect(r *router.Router) chain {
	c := chain{name: "inspect", head: "type filter hook forward priority filter + 5; policy drop;"}
	claims := inspected(r)
	if len(claims) == 0 {
		return c
	}
	left := len(claims)
	for _, p := range r.Policies {
		claim := claims[p]
		if p.Action.V != "accept" || left == 0 {
			continue
		}
		by, verdict := blockLine(p), "accept"
		if claim != nil {
			left--
			by, verdict = claim.By, queue(claim)
		}
		for _, way := range bothWays(r, p) {
			c.add(by, "%s counter %s", way, verdict)
		}
	}
	f.pass(&c)
	return c
}

// inspected are the policies that are inspected, each with its first claim.
func inspected(r *router.Router) map[*router.Policy]*router.Inspect {
	out := map[*router.Policy]*router.Inspect{}
	for _, claim := range router.Claimed[router.Inspect](r) {
		for _, p := range claim.Policies {
			if out[p] == nil && p.Action.V == "accept" {
				out[p] = claim
			}
		}
	}
	return out
}

func queue(i *router.Inspect) string {
	s := fmt.Sprintf("queue num %d", i.First)
	if i.Queues > 1 {
		s += fmt.Sprintf("-%d", int(i.First)+int(i.Queues)-1)
	}
	if i.FailOpen {
		s += " bypass"
	}
	return s
}

// bothWays are the matches of the packets of a policy's connections, out and back.
func bothWays(r *router.Router, p *router.Policy) []string {
	var out []string
	for _, w := range ways(r, p) {
		for _, c := range conditions(r, p) {
			if fits(w.family(), c.family) {
				back := c
				back.text = answers(c.text)
				out = append(out, "ct direction original "+w.with(c)+atTimes(p), "ct direction reply "+w.back().with(back)+atTimes(p))
			}
		}
	}
	return out
}

// answers is the match of the answers to what fits a condition of a policy, and messages are
// answered by others. The policy's port is the one that answers come from: the packet that began
// the connection had another before a port_forward with to_port.
func answers(m string) string {
	if proto, ports, ok := strings.Cut(m, " dport "); ok {
		return fmt.Sprintf("meta l4proto %s ct reply proto-src %s", proto, ports)
	}
	if strings.HasPrefix(m, "icmp type ") {
		return "meta l4proto icmp"
	}
	if strings.HasPrefix(m, "icmpv6 type ") {
		return "meta l4proto ipv6-icmp"
	}
	return m
}

// claimedForwards are the ways through the forward chain that services claim.
func (c *chain) claimedForwards(r *router.Router) {
	for _, f := range router.Claimed[router.Forward](r) {
		from := []string{""}
		if len(f.In) > 0 {
			from = arriving(r, router.Devices(f.In))
		}
		for _, in := range from {
			out := ""
			if len(f.Out) > 0 {
				out = "oifname " + set(router.Devices(f.Out))
			}
			c.add(f.By, "%s counter accept", strings.Join(slices.DeleteFunc([]string{in, out, match(f.Match)}, func(s string) bool { return s == "" }), " "))
		}
	}
}

// offOffload are the matches of what must not be offloaded: a program sees every packet of
// it, or a schedule ends it, and offloaded connections pass no rule.
func offOffload(r *router.Router) []string {
	var out []string
	if len(r.Scheduled()) > 0 {
		out = append(out, fmt.Sprintf("ct mark & %#x != 0", ^uint32(router.UplinkMarks)))
	}
	claims := inspected(r)
	for _, p := range r.Policies {
		if claims[p] != nil {
			out = append(out, bothWays(r, p)...)
		}
	}
	if _, ports := apart(r, router.Devices(r.Networks)); len(ports) > 0 {
		// The offload looks for a flow by the link that it arrives on, and files it by the VRF
		// (nft_flow_route in net/netfilter/nft_flow_offload.c).
		out = append(out, sdif(ports))
	}
	for _, k := range router.Claimed[router.Confined](r) {
		// Offloaded packets pass no postrouting: without the link the next one would go by an upstream.
		for _, six := range []bool{false, true} {
			if to := blocksOf(k.To, six); to != "" {
				out = append(out, field(six, "saddr")+" "+to, field(six, "daddr")+" "+to)
			}
		}
	}
	for _, k := range router.Claimed[router.KeepOffOffload](r) {
		devs := set(slices.Sorted(slices.Values(router.Devices(k.Networks)))) // the rule is the firewall's: no other block's order is its own
		out = append(out, "iifname "+devs, "oifname "+devs)
	}
	return out
}
