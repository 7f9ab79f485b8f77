package nftables

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// Prefixes that are others outside (NPTv6, RFC 6296). Netfilter replaces the prefix, keeps the other
// bits as they are and corrects checksums. It does so by connection, not packet by packet as the RFC
// has it, and so keeps the checksum of no packet by another interface identifier.

// A prefix outside that is delegated is in sets: which it is is known when the router runs. Their
// flag timeout is for what comes and goes, and no element has one. Without elements nothing with an
// address inside leaves.

// insideSet, outsideSet and outMap are the names of what is known of a translation to a delegated
// prefix: the prefix inside while there is one outside, the one outside, and which is which's.
func insideSet(p *router.PrefixNAT) string  { return p.SetName() + "_inside" }
func outsideSet(p *router.PrefixNAT) string { return p.SetName() + "_outside" }
func outMap(p *router.PrefixNAT) string     { return p.SetName() + "_out" }

// delegatedNATs are the translations to delegated prefixes.
func delegatedNATs(r *router.Router) []*router.PrefixNAT {
	return slices.DeleteFunc(slices.Clone(r.PrefixNATs), func(p *router.PrefixNAT) bool { return !p.Prefix.Set })
}

// writePrefixNAT writes what is known of a translation to a delegated prefix.
func writePrefixNAT(b *strings.Builder, p *router.PrefixNAT) {
	for _, o := range []struct{ kind, name, holds string }{
		{"set", insideSet(p), "ipv6_addr"},
		{"set", outsideSet(p), "ipv6_addr"},
		{"map", outMap(p), "ipv6_addr : interval ipv6_addr"},
	} {
		fmt.Fprintf(b, "\n%s %s {\n  type %s\n  flags interval, timeout\n  comment %s\n}\n", o.kind, o.name, o.holds, quote(comment(blockLine(p))))
	}
}

// external is what matches the prefix outside, and what is put in the place of the one inside.
func external(p *router.PrefixNAT) (match, to string) {
	if p.Prefix.Set {
		return "@" + outsideSet(p), "ip6 saddr map @" + outMap(p)
	}
	return p.External.V.String(), p.External.V.String()
}

// prefixesIn leads what arrives for a prefix outside to the one inside, from wherever it comes: for
// hosts inside, too, the addresses are those hosts'.
func prefixesIn(c *chain, r *router.Router) {
	for _, p := range r.PrefixNATs {
		outside, _ := external(p)
		c.add(blockLine(p), "ip6 daddr %s counter dnat ip6 prefix to %s", outside, p.Internal.V)
	}
}

// prefixesOut gives what leaves by an upstream the prefix that it has there. A host that calls one
// inside by its address outside is seen with the same prefix, so that the answer comes back by
// the router (RFC 6296 section 4.2).
func prefixesOut(c *chain, r *router.Router) {
	for _, p := range r.PrefixNATs {
		outside, to := external(p)
		leaves := fmt.Sprintf("oifname %q ip6 saddr %s counter", string(p.Network.Target.Device()), p.Internal.V)
		c.add(blockLine(p), "ip6 saddr %s ip6 daddr %s ct original ip6 daddr %s counter snat ip6 prefix to %s", p.Internal.V, p.Internal.V, outside, to)
		c.add(blockLine(p), "%s snat ip6 prefix to %s", leaves, to)
		if p.Prefix.Set {
			c.add(blockLine(p), "%s drop", leaves)
		}
	}
}

// untranslatedOut tells hosts whose addresses have none outside at present. A connection that was
// translated still is, also while the rules are loaded anew and their sets are empty.
func (c *chain) untranslatedOut(r *router.Router) {
	for _, p := range delegatedNATs(r) {
		c.add(blockLine(p), "oifname %q ip6 saddr %s ip6 saddr != @%s ct status ! snat,dnat counter reject with icmpv6 type policy-fail",
			string(p.Network.Target.Device()), p.Internal.V, insideSet(p))
	}
}

// An outside is a group of upstreams' devices towards which the same prefixes have others.
type outside struct {
	devs     []router.IfName
	internal []netip.Prefix
}

// outsides are all upstreams: those without a translation, if any, then each that has one.
func outsides(r *router.Router) []outside {
	var plain outside
	var out []outside
	for _, dev := range upstreams(r) {
		o := outside{devs: []router.IfName{dev}}
		for _, p := range r.PrefixNATs {
			if p.Network.Target.Device() == dev {
				o.internal = append(o.internal, p.Internal.V.Prefix)
			}
		}
		if o.internal == nil {
			plain.devs = append(plain.devs, dev)
		} else {
			out = append(out, o)
		}
	}
	if len(plain.devs) > 0 {
		out = slices.Insert(out, 0, plain)
	}
	return out
}

// untranslated adds to a match of packets from an upstream to unique local addresses that they are
// no connection's whose prefix was replaced.
func (o outside) untranslated(match string) string {
	if o.internal == nil {
		return match
	}
	return match + " ct status ! snat,dnat"
}

// isTranslated tells whether hosts of a network have addresses of a prefix outside.
func isTranslated(r *router.Router, n *router.Network) bool {
	fixed, _ := n.Split()
	return slices.ContainsFunc(r.PrefixNATs, func(p *router.PrefixNAT) bool {
		return slices.ContainsFunc(fixed, func(f netip.Prefix) bool { return p.Internal.V.Overlaps(f) })
	})
}

//go:embed prefix_nat.sh
var prefixNATScript string

const (
	prefixNATUnit = "nbr-prefix-nat"
	prefixNATFile = "nbr/prefix-nat" // in /etc
)

// prefixNATText is the script that fills the sets. What is in it are names, numbers and prefixes,
// which no shell has to quote.
func prefixNATText(ps []*router.PrefixNAT) string {
	var b strings.Builder
	fmt.Fprintf(&b, "protocol=%d run=/run/%s translations='\n", router.DelegatedProtocol, prefixNATUnit)
	for _, p := range ps {
		fmt.Fprintf(&b, "%s %d %d %s\n", p.SetName(), p.Prefix.Target.IAID(), p.Subnet.V, p.Internal.V)
	}
	return b.String() + "'\n" + prefixNATScript
}

// fillPrefixNAT is the command that fills the sets after the rules were loaded. Without them the rules
// are still good.
func fillPrefixNAT() nixgen.Expr {
	return nixgen.Concat{nixgen.Str("-"), nixgen.Var("pkgs.bash"), nixgen.Str("/bin/bash /etc/" + prefixNATFile)}
}

// lowerPrefixNAT makes the unit that fills the sets whenever a route changes. Rules that are loaded
// have empty ones, so that fills them as well, of a reload while new connections still wait.
func lowerPrefixNAT(ps []*router.PrefixNAT, m *nixgen.Module) {
	from := service.From(ps[0])
	text := []string{"environment", "etc", prefixNATFile, "text"}
	m.Set(from, nixgen.Lines(prefixNATText(ps)), text...)
	set := service.OnNews(m, from, prefixNATUnit, "Delegated prefixes in the firewall", "news=route\nagain() (source /etc/"+prefixNATFile+")\n")
	set(nixgen.List{nixgen.Var("config.environment.etc." + prefixNATFile + ".text")}, "restartTriggers")
	set(nixgen.List{nixgen.Str("nftables.service")}, "after")
	set(nixgen.Str(prefixNATUnit), "serviceConfig", "RuntimeDirectory")
	set(nixgen.Str("yes"), "serviceConfig", "RuntimeDirectoryPreserve") // what connections may have to be forgotten
	for _, unit := range []string{prefixNATUnit, "nftables"} {
		for _, p := range []string{"conntrack-tools", "iproute2", "nftables", "util-linux"} {
			if unit == "nftables" || p != "iproute2" { // which each unit on news has
				m.Add(from, []string{"systemd", "services", unit, "path"}, nixgen.Var("pkgs."+p))
			}
		}
	}
	m.Set(from, nixgen.List{fillPrefixNAT()}, "systemd", "services", "nftables", "serviceConfig", "ExecStartPost")
}

// A prefixNow is what the firewall knows of a translation to a delegated prefix.
type prefixNow struct {
	Inside  []string `json:"inside,omitempty"`
	Outside []string `json:"outside,omitempty"`
	Out     []string `json:"out,omitempty"` // as in "fd00::/64 = 2001:db8::/64"
}

func (n prefixNow) String() string {
	if len(n.Inside)+len(n.Outside)+len(n.Out) == 0 {
		return "no prefix"
	}
	join := func(list []string) string { return "{" + strings.Join(list, ", ") + "}" }
	return fmt.Sprintf("inside %s, outside %s, %s", join(n.Inside), join(n.Outside), join(n.Out))
}

// prefixNATOf reads the sets whose names begin with the question.
var prefixNATOf = &probe.Probe[string, prefixNow]{Name: "nftables.prefix_nat", Look: lookPrefixNAT}

func lookPrefixNAT(ctx context.Context, h probe.Host, name string) (prefixNow, error) {
	var now prefixNow
	for _, o := range []struct {
		kind, suffix string
		into         *[]string
	}{{"set", "_inside", &now.Inside}, {"set", "_outside", &now.Outside}, {"map", "_out", &now.Out}} {
		out, err := h.Run(ctx, "nft", "-j", "list", o.kind, "inet", Table, name+o.suffix)
		if err != nil {
			return prefixNow{}, err
		}
		if out.Exit != 0 {
			return prefixNow{}, fmt.Errorf("nft cannot list the %s %s%s", o.kind, name, o.suffix)
		}
		if *o.into, err = prefixElements(out.Stdout); err != nil {
			return prefixNow{}, err
		}
	}
	return now, nil
}

// prefixElements are the elements of the set or map in nft's listing, in its order.
func prefixElements(b []byte) ([]string, error) {
	type holder struct{ Elem []json.RawMessage }
	var list struct{ Nftables []struct{ Set, Map *holder } }
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("nft's listing: %w", err)
	}
	var out []string
	for _, o := range list.Nftables {
		for _, h := range []*holder{o.Set, o.Map} {
			if h == nil {
				continue
			}
			for _, e := range h.Elem {
				out = append(out, prefixElement(e))
			}
		}
	}
	return out, nil
}

// prefixElement is a prefix, or one and what it is mapped to. Anything else is as nft lists it.
func prefixElement(e json.RawMessage) string {
	type prefix struct {
		Prefix *struct {
			Addr netip.Addr
			Len  int
		}
	}
	text := func(p prefix) string { return netip.PrefixFrom(p.Prefix.Addr, p.Prefix.Len).String() }
	var one prefix
	if json.Unmarshal(e, &one) == nil && one.Prefix != nil {
		return text(one)
	}
	var both []prefix
	if json.Unmarshal(e, &both) == nil && len(both) == 2 && both[0].Prefix != nil && both[1].Prefix != nil {
		return text(both[0]) + " = " + text(both[1])
	}
	return string(e)
}

// checkPrefixNATs adds the checks that the firewall translates to what is delegated at present.
func (f *Firewall) checkPrefixNATs(r *router.Router, p *verify.Plan) {
	ps := delegatedNATs(r)
	if len(ps) == 0 {
		return
	}
	p.UnitActive(f.Addr.String()+"/prefix_nat", ps[0].Def, prefixNATUnit+".service")
	for _, t := range ps {
		d, _ := t.Outside()
		want := t.ExternalText() + " in place of " + t.Internal.V.String()
		hint := fmt.Sprintf("nft list map inet %s %s; ip -6 route show type unreachable; journalctl -u %s -n 20", Table, outMap(t), prefixNATUnit)
		c := verify.Check{ID: t.Addr.String() + "/prefix", Title: "addresses inside are those of the delegated prefix outside", From: t.Prefix.Range}
		verify.Asked(p, c, prefixNATOf, t.SetName(), want, hint, func(st *state.State, now prefixNow) verify.Verdict {
			if st.Routes == nil {
				return verify.NotSeen(want, hint)
			}
			of, ok := delegatedNow(st, t.Prefix.Target)
			if !ok {
				if now.String() != (prefixNow{}).String() {
					return verify.Judge(false, "no prefix, for none is delegated", now.String(), hint)
				}
				if untold(r, st) {
					return verify.Judge(false, want, "of a prefix that is delegated no route tells whose it is", "ip -6 route show type unreachable; journalctl -u dhcpcd -n 20")
				}
				return verify.NotAsked(want, t.Prefix.Addr.String()+" is not delegated at present", hint)
			}
			network, ok := d.In(of)
			if !ok {
				return verify.Judge(false, want, fmt.Sprintf("%s, which has no such network", of), hint)
			}
			in, out := t.Internal.V.String(), network.Masked().String()
			return verify.Compare(prefixNow{[]string{in}, []string{out}, []string{in + " = " + out}}.String(), now.String(), hint)
		})
	}
}

// nowhere tells whether a route is one to nowhere of a protocol.
func nowhere(rt state.Route, proto string) bool { return rt.Type == "unreachable" && rt.Proto == proto }

// whose is the protocol of the routes that tell which prefix is whose.
var whose = state.RouteProtocolName(router.DelegatedProtocol)

// delegatedNow is the prefix that the client has for a block: its own route says that there is one, and
// another one whose it is.
func delegatedNow(st *state.State, of *router.Prefix) (netip.Prefix, bool) {
	for _, rt := range st.Routes {
		q, err := netip.ParsePrefix(rt.To)
		if err == nil && nowhere(rt, whose) && uint32(rt.Metric) == of.IAID() &&
			slices.ContainsFunc(st.Routes, func(o state.Route) bool { return o.To == rt.To && nowhere(o, "dhcp") }) {
			return q, true
		}
	}
	return netip.Prefix{}, false
}

// untold tells whether the client has more prefixes of which nothing tells whose they are than there are
// blocks without a translation, for which it is not told.
func untold(r *router.Router, st *state.State) bool {
	n := 0
	for _, rt := range st.Routes {
		q, err := netip.ParsePrefix(rt.To)
		if err == nil && q.Addr().Is6() && nowhere(rt, "dhcp") && !slices.ContainsFunc(st.Routes, func(o state.Route) bool { return o.To == rt.To && nowhere(o, whose) }) {
			n++
		}
	}
	for _, p := range r.Prefixes {
		if len(r.TranslatedTo(p)) == 0 {
			n--
		}
	}
	return n > 0
}
