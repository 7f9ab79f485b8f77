package nftables

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"

	"github.com/hashicorp/hcl/v2"
)

// A chain is an nftables chain: a head (empty for one that others jump to) and
// its rules.
type chain struct {
	name, head string
	rules      []rule
}

// A rule is a rule of nftables and the line of the spec that made it.
type rule struct {
	text string
	by   router.By
}

func (c *chain) add(by router.By, format string, args ...any) {
	c.rules = append(c.rules, rule{fmt.Sprintf(format, args...), by})
}

// Content is the content of the table, as networking.nftables.tables.<name>.content
// has it.
func (f *Firewall) Content(r *router.Router) string {
	var b strings.Builder
	writePortProbes(&b)
	for _, s := range r.Sets {
		writeSet(&b, r, s)
	}
	for _, s := range r.Schedules {
		writeSchedule(&b, s)
	}
	for _, p := range delegatedNATs(r) {
		writePrefixNAT(&b, p)
	}
	for _, p := range r.Policies {
		if p.Limit.Set {
			// One for all of the policy's rules. It is named by the policy, whose label has no dot.
			fmt.Fprintf(&b, "\nlimit %s {\n  rate over %s burst %d packets\n  comment %s\n}\n", limitName(p), p.Limit.V, p.Limit.V.N, quote(comment(line(p.Addr, p.Limit.Range))))
		}
	}
	f.writeTimeouts(&b, r)
	for _, c := range f.chains(r) {
		c.write(&b)
	}
	return b.String()
}

// chains are the chains of the table, in the order of a packet's way. A hook that
// has nothing to do is left out.
//
// Each chain with a hook has the policy drop and a last rule that decides, because a
// reload makes the table anew: after the kernel has switched to the new rules, and before
// it sets the new chain's policy, only a rule can drop; and a packet that saw the new
// chain before the switch and the old one after it has met no rule at all, so only the
// old chain's policy can (nf_tables_commit of net/netfilter/nf_tables_api.c). One that comes
// to the old chain after the kernel has taken it away meets neither: see reloading.
func (f *Firewall) chains(r *router.Router) []chain {
	chains := []chain{arrivedBy(r)}
	if f.AntiSpoof.V {
		chains = append(chains, antiSpoof(f, r))
	}
	chains = append(chains, staysOn(r), ownFlows(r), f.natIn(r), f.input(r))
	for _, z := range r.Zones {
		chains = append(chains, zoneInput(r, z))
	}
	chains = append(chains, f.forward(r), f.inspect(r), f.output(r), leavesBy(r), confined(r), f.natOut(r))
	return slices.DeleteFunc(chains, func(c chain) bool { return len(c.rules) == 0 && c.head != "" })
}

func (c *chain) write(b *strings.Builder) {
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "chain %s {\n", c.name)
	if c.head != "" {
		fmt.Fprintf(b, "  %s\n", c.head)
	}
	for _, r := range c.rules {
		fmt.Fprintf(b, "  %s comment %s\n", r.text, quote(comment(r.by)))
	}
	b.WriteString("}\n")
}

// quote makes a comment of nft: it cannot hold a quote and is cut at 128 bytes
// (NFTNL_UDATA_COMMENT_MAXLEN).
func quote(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '"' || r < ' ' || r == 0x7f {
			return '\''
		}
		return r
	}, s)
	for len(s) > 127 {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return `"` + s + `"`
}

// comment names the line of the spec and the block.
func comment(by router.By) string {
	return fmt.Sprintf("%s:%d %s", by.From.Filename, by.From.Start.Line, by.Addr)
}

func line(a conf.Addr, at hcl.Range) router.By { return router.By{Addr: a, From: at} }

func blockLine(b conf.Block) router.By { return line(b.Head().Addr, b.Head().Def) }

// antiSpoof drops what claims to come from somewhere else (RFC 3704). A DHCP
// client has no address yet, and neighbour discovery uses link-local ones, which
// the lookup cannot place.
func antiSpoof(f *Firewall, r *router.Router) chain {
	by := line(f.Addr, f.AntiSpoof.Range)
	if !f.AntiSpoof.Set {
		by = blockLine(f)
	}
	c := chain{name: "anti_spoof", head: "type filter hook prerouting priority raw; policy drop;"}
	c.add(by, "iifname \"lo\" accept")
	c.add(by, "ip saddr 0.0.0.0 udp sport 68 udp dport 67 accept")
	c.add(by, "ip6 saddr { ::, fe80::/10 } accept")
	for _, rt := range r.Routes {
		// Of several next hops of IPv6 the look that follows finds one, by a hash, and half of the
		// answers come by another.
		if devs := router.Devices(r.NextHops(rt)); !rt.Table.Set && rt.To.V.Addr().Is6() && len(devs) > 1 {
			c.add(blockLine(rt), "iifname %[1]s ip6 saddr %[2]s fib saddr oifname %[1]s accept", set(devs), rt.To.V.Masked())
		}
	}
	look := "fib saddr . iif oif missing"
	if len(router.Claimed[router.Uplink](r)) > 0 {
		look = "fib saddr . mark . iif oif missing" // by the table of the uplink that it came by
	}
	for _, f := range families {
		// The set first: it is empty but for moments, and costs less than the look.
		c.add(by, "%s %s drop", isPortProbe(f), look)
	}
	if f.LogDrops.V {
		c.add(by, "%s limit rate 5/second burst 10 packets log prefix \"nbr drop spoof: \"", look)
	}
	c.add(by, "%s counter drop", look)
	c.add(by, "accept")
	return c
}

// input is what arrives at the router itself.
func (f *Firewall) input(r *router.Router) chain {
	by := blockLine(f)
	c := chain{name: "input", head: "type filter hook input priority filter; policy drop;"}
	if f.Ping.V {
		// Before the next rule: all but the first of a series of pings are established.
		// Each zone has its own limit, so that a flood from outside costs no other zone.
		for _, z := range r.Zones {
			for _, from := range arriving(r, router.Devices(z.Networks.All())) {
				c.add(by, "%s icmp type echo-request limit rate over %s counter drop", from, pingLimit)
				c.add(by, "%s icmpv6 type echo-request limit rate over %s counter drop", from, pingLimit)
			}
		}
	}
	c.endedOwn(f, r)
	c.add(by, "ct state vmap { established : accept, related : accept, invalid : drop }")
	c.timeouts(f, r)
	c.add(by, "iifname \"lo\" accept")
	c.icmp(f, r)
	for _, a := range router.Claimed[router.Accept](r) {
		c.add(line(a.Addr, a.From), "%s", accept(a))
	}
	for _, z := range r.Zones {
		for _, from := range arriving(r, router.Devices(z.Networks.All())) {
			c.add(blockLine(z), "%s jump %s", from, zoneChain(z))
		}
	}
	// What is meant for all hosts on the link is dropped without a word: there is no
	// end to it.
	c.add(by, "meta pkttype { broadcast, multicast } counter drop")
	c.portProbes(blockLine(f))
	f.drop(&c, "input")
	return c
}

// icmp lets pass what IP does not work without and what is no part of a connection:
// for IPv6 neighbour discovery and multicast listener discovery from the link itself
// (RFC 4890 section 4.4). Errors need no rule: those about connections are related,
// and to conntrack all others are invalid.
func (c *chain) icmp(f *Firewall, r *router.Router) {
	by := blockLine(f)
	c.add(by, "icmpv6 type { nd-router-solicit, nd-router-advert, nd-neighbor-solicit, nd-neighbor-advert } ip6 hoplimit 255 accept")
	c.add(by, "ip6 saddr fe80::/10 icmpv6 type { mld-listener-query, mld-listener-report, mld-listener-done, mld2-listener-report } accept")
	// A neighbour at an upstream may be solicited from such an address.
	c.dropULA(f, r, "saddr", "daddr")
	if !f.Ping.V {
		return
	}
	for _, from := range arriving(r, zoneDevices(r.Zones)) {
		c.add(by, "%s icmp type echo-request accept", from)
		c.add(by, "%s icmpv6 type echo-request accept", from)
	}
}

const pingLimit = "10/second burst 20 packets"

// accept lets in what is sent to the router alone: answers that a client gets by broadcast
// it reads from a packet socket, before any rule (RFC 2131 section 4.1). Multicast is let in
// where the claim names its groups.
func accept(a *router.Accept) string {
	to := "meta pkttype host"
	switch {
	case len(a.Groups) > 0:
		to = ""
	case a.Family == router.IPv4:
		to += " fib daddr type local"
	}
	return strings.Join(strings.Fields(fmt.Sprintf("iifname %s %s %s counter accept", set(router.Devices(a.Networks)), to, match(a.Match))), " ")
}

// match renders what a rule looks at.
func match(m router.Match) string {
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	switch m.Family {
	case router.IPv4:
		say("meta nfproto ipv4")
	case router.IPv6:
		say("meta nfproto ipv6")
	case router.AnyFamily:
	}
	if m.Mark != 0 {
		say("meta mark & %#[1]x == %#[1]x", m.Mark)
	}
	if m.LinkLocal {
		say("ip6 saddr fe80::/10 ip6 daddr fe80::/10")
	}
	switch {
	case m.HopLimit != 0 && m.Family == router.IPv6:
		say("ip6 hoplimit %d", m.HopLimit)
	case m.HopLimit != 0:
		say("ip ttl %d", m.HopLimit)
	}
	among := func(field string, addrs []netip.Prefix) {
		words := map[bool][]string{}
		for _, p := range addrs {
			text := p.String()
			if p.IsSingleIP() {
				text = p.Addr().String()
			}
			words[p.Addr().Is4()] = append(words[p.Addr().Is4()], text)
		}
		if len(words[true]) > 0 {
			say("ip %s { %s }", field, strings.Join(words[true], ", "))
		}
		if len(words[false]) > 0 {
			say("ip6 %s { %s }", field, strings.Join(words[false], ", "))
		}
	}
	among("saddr", m.Sources)
	var groups []netip.Prefix
	for _, g := range m.Groups {
		groups = append(groups, netip.PrefixFrom(g, g.BitLen()))
	}
	among("daddr", groups)
	if m.SourcePorts != (router.PortRange{}) {
		say("%s sport %s", m.Protocol, m.SourcePorts)
	}
	switch {
	case m.Ports != (router.PortRange{}):
		say("%s dport %s", m.Protocol, m.Ports)
	case len(m.ICMP) > 0:
		var types []string
		for _, t := range m.ICMP {
			types = append(types, fmt.Sprint(t))
		}
		word := "icmp"
		if m.Protocol == router.ICMPv6 {
			word = "icmpv6"
		}
		say("%s type { %s }", word, strings.Join(types, ", "))
	case m.Protocol != 0 && m.SourcePorts == (router.PortRange{}):
		say("meta l4proto %s", m.Protocol)
	}
	return strings.Join(parts, " ")
}

// zoneChain is the name of a zone's chain. An instance of for_each is z.key: no
// label has a dot in it.
func zoneChain(z *router.Zone) string {
	return "input_" + strings.NewReplacer(`["`, ".", `"]`, "").Replace(z.Addr.Name)
}

// limitName is the name of the limit of a policy's new connections.
func limitName(p *router.Policy) string {
	return "policy_" + strings.NewReplacer(`["`, ".", `"]`, "").Replace(p.Addr.Name)
}

// zoneInput is what a zone may use of the router: the sockets of the services it
// allows.
func zoneInput(r *router.Router, z *router.Zone) chain {
	c := chain{name: zoneChain(z)}
	for _, allow := range z.Allow.Items {
		by := line(z.Addr, allow.Range)
		for _, match := range services(r, z, string(allow.V)) {
			c.add(by, "%s counter accept", match)
		}
		for _, p := range r.Opened(allow.V) {
			if !p.Protocol.HasPorts() { // the others are sockets
				c.add(by, "%s counter accept", match(router.Match{Protocol: p.Protocol, ICMP: p.Messages()}))
			}
		}
	}
	return c
}

// forward is what passes through the router.
func (f *Firewall) forward(r *router.Router) chain {
	by := blockLine(f)
	c := chain{name: "forward", head: "type filter hook forward priority filter; policy drop;"}
	c.ula(f, r)
	c.untranslatedOut(r)
	c.limitPings(f, r)
	// Tunnels and PPPoE carry less than 1500 bytes, and many hosts never hear of it
	// (RFC 2923 section 2.1). A segment size is never raised.
	c.add(by, "tcp flags syn tcp option maxseg size set rt mtu")
	c.ended(r, through)
	c.add(by, "ct state vmap { established : accept, related : accept, invalid : drop }")
	c.timeouts(f, r)
	for _, p := range r.PortForwards {
		if devs := router.Devices(p.From.Target.Networks.All()); len(devs) > 0 {
			times := whileLeading(p)
			if times != "" {
				times += " " + setMark(r, p.Addr)
			}
			c.add(blockLine(p), "iifname %s ct status dnat ip daddr %s %s dport %s%s counter accept", set(devs), p.Target(), p.Protocol.V, targetPort(p), times)
		}
	}
	for _, p := range r.Policies {
		c.policy(r, p, ways(r, p))
	}
	c.claimedForwards(r)
	c.pingHosts(f, r)
	f.drop(&c, "forward")
	return c
}

// hairpin is the block of a forward's host if its clients may be in it. The host would answer them
// itself, and they wait for an answer of the router: so it is the router that asks (RFC 5382
// section 5, REQ-8). Clients are told by their addresses, because in postrouting the kernel knows
// no interface that such a packet came by.
func hairpin(r *router.Router, p *router.PortForward) (netip.Prefix, bool) {
	n := r.NetworkAt(p.Target())
	if p.To.Ref.Set {
		n = p.To.Ref.Target.Network.Target
	}
	if n == nil || r.ZoneOf(n) != p.From.Target {
		return netip.Prefix{}, false
	}
	block, ok := n.FixedIn(router.IPv4)
	return block.Masked(), ok
}

func targetPort(p *router.PortForward) string {
	if p.ToPort.Set {
		return fmt.Sprint(p.ToPort.V)
	}
	return p.Port.V.String()
}

// policy adds the rules of one policy: one for each way between its zones and hosts, or one
// for each protocol there that it is about.
func (c *chain) policy(r *router.Router, p *router.Policy, ways []way) {
	for _, way := range ways {
		for _, condition := range conditions(r, p) {
			if !fits(way.family(), condition.family) {
				continue
			}
			match, full := condition.text, way.with(condition)+atTimes(p)
			if p.Schedule.Set && p.Action.V != "accept" {
				c.add(line(p.Addr, p.Schedule.Range), "%s %s", way.with(condition), setMark(r, p.Addr))
			}
			if p.Limit.Set {
				c.add(line(p.Addr, p.Limit.Range), "%s limit name %s counter drop", full, quote(limitName(p)))
			}
			if p.Log.V {
				c.add(blockLine(p), "%s limit rate 5/second burst 10 packets log prefix \"nbr policy %s: \"", full, p.Name.V)
			}
			if p.Action.V == "reject" && (match == "" || strings.Contains(match, "tcp")) {
				// Clients try again for seconds after an ICMP error, and never after a reset.
				condition.text = cmp.Or(match, "meta l4proto tcp")
				c.add(blockLine(p), "%s counter reject with tcp reset", way.with(condition)+atTimes(p))
				if match != "" {
					continue
				}
			}
			if p.Schedule.Set && p.Action.V == "accept" {
				full += " " + setMark(r, p.Addr)
			}
			c.add(blockLine(p), "%s counter %s", strings.TrimSpace(full), p.Action.V)
		}
	}
}

func zoneDevices(zs []*router.Zone) []router.IfName {
	var ns []*router.Network
	for _, z := range zs {
		ns = append(ns, z.Networks.All()...)
	}
	return router.Devices(ns)
}

// A condition is what a policy looks at beyond its ends.
type condition struct {
	text   string // empty is every packet of the family
	family router.Family
	// unsaid tells that text does not match the family: the rule does by the addresses of its
	// ends, or by a word of its own.
	unsaid bool
}

// with matches the packets on the way that a condition is about.
func (w way) with(c condition) string {
	parts := []string{w.text()}
	if c.unsaid && w.family() == router.AnyFamily {
		parts = append(parts, "meta nfproto "+strings.ToLower(c.family.String()))
	}
	return strings.TrimSpace(strings.Join(append(parts, c.text), " "))
}

// conditions are those of a policy, one for each protocol.
func conditions(r *router.Router, p *router.Policy) []condition {
	type group struct {
		router.Packets
		values []string
		all    bool // ports or messages
	}
	var groups []*group
	for _, c := range r.Conditions(p) {
		i := slices.IndexFunc(groups, func(g *group) bool { return g.Protocol == c.Protocol })
		if i < 0 {
			i, groups = len(groups), append(groups, &group{Packets: c})
		}
		g, value := groups[i], ""
		switch {
		case c.ICMP != 0:
			value = fmt.Sprint(c.ICMP - 1)
		case c.Ports != router.PortRange{}:
			value = c.Ports.String()
		default:
			g.all = true
		}
		if value != "" && !slices.Contains(g.values, value) {
			g.values = append(g.values, value)
		}
	}
	var out []condition
	for _, g := range groups {
		words := map[router.IPProtocol]struct {
			field  string
			family router.Family
		}{router.ICMP: {"icmp type", router.IPv4}, router.ICMPv6: {"icmpv6 type", router.IPv6}}
		known, icmp := words[g.Protocol]
		switch {
		case g.Protocol == 0:
			out = append(out, condition{})
		case g.all && g.Protocol == router.ICMPv6 && len(out) > 0 && out[len(out)-1].text == "meta l4proto icmp":
			out[len(out)-1] = condition{text: "meta l4proto { icmp, ipv6-icmp }"}
		case g.all:
			out = append(out, condition{text: "meta l4proto " + g.Protocol.String(), family: known.family})
		case icmp:
			out = append(out, condition{text: fmt.Sprintf("%s { %s }", known.field, strings.Join(g.values, ", ")), family: known.family})
		default:
			out = append(out, condition{text: fmt.Sprintf("%s dport { %s }", g.Protocol, strings.Join(g.values, ", "))})
		}
	}
	for i := range out {
		if p.Family.Set && out[i].family == router.AnyFamily {
			out[i].family, out[i].unsaid = p.Family.V, true
		}
	}
	return out
}

// fits tells whether a packet may be of two versions of IP, either of which may be any.
func fits(a, b router.Family) bool {
	return a == b || a == router.AnyFamily || b == router.AnyFamily
}

// drop ends a chain that drops what none of its rules let pass, and logs it.
func (f *Firewall) drop(c *chain, what string) {
	if f.LogDrops.V {
		c.add(blockLine(f), "limit rate 5/second burst 10 packets log prefix \"nbr drop %s: \"", what)
	}
	c.add(blockLine(f), "counter drop")
}

// pass ends a chain that looks at some packets only, if it has any rule.
func (f *Firewall) pass(c *chain) {
	if len(c.rules) > 0 {
		c.add(blockLine(f), "accept")
	}
}

// natIn leads forwarded ports to their hosts before routing looks at them: of what
// is meant for the router, not of what passes through it to another host. (The
// chains cannot be called dnat and masquerade: those are words of nft's grammar.)
func (f *Firewall) natIn(r *router.Router) chain {
	c := chain{name: "nat_in", head: "type nat hook prerouting priority dstnat; policy drop;"}
	for _, p := range r.PortForwards {
		devs := router.Devices(p.From.Target.Networks.All())
		if len(devs) == 0 {
			continue
		}
		to := p.Target().String()
		if p.ToPort.Set {
			to += fmt.Sprintf(":%d", p.ToPort.V)
		}
		clients := []string{""}
		if len(p.Sources.Items) > 0 {
			clients = nil
		}
		for _, s := range p.Sources.All() {
			clients = append(clients, fmt.Sprintf(" ip saddr @%s", s.SetName(router.IPv4)))
		}
		for _, from := range clients {
			c.add(blockLine(p), "iifname %s%s meta nfproto ipv4 fib daddr type local %s dport %s%s counter dnat ip to %s", set(devs), from, p.Protocol.V, p.Port.V, whileLeading(p), to)
		}
	}
	for _, s := range r.StaticNATs {
		// From wherever it comes: for the hosts inside, too, the address is that host's.
		c.add(blockLine(s), "ip daddr %s counter dnat ip to %s", s.Address.V, s.To.Target.IPv4.V)
	}
	prefixesIn(&c, r)
	f.pass(&c)
	return c
}

// set is one interface name, or an anonymous set of several.
func set(devs []router.IfName) string {
	quoted := make([]string, len(devs))
	for i, d := range devs {
		quoted[i] = `"` + string(d) + `"`
	}
	if len(quoted) == 1 {
		return quoted[0]
	}
	return "{ " + strings.Join(quoted, ", ") + " }"
}
