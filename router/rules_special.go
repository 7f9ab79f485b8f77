package router

import (
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// special are blocks of addresses that are no network's (the registries of RFC 6890, and
// RFC 1112 section 4 for 240.0.0.0/4), each with what it is. Multicast is refused with the
// value itself.
var special = []struct {
	block netip.Prefix
	what  string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "\"this network\" (RFC 791), which no packet may come from"},
	{netip.MustParsePrefix("127.0.0.0/8"), "each host's loopback (RFC 1122), which never leaves a host"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local (RFC 3927): hosts take addresses of it by themselves, and no router forwards it"},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved (RFC 1112), and hosts refuse it"},
	{netip.MustParsePrefix("::/8"), "reserved (RFC 4291), the loopback and IPv4 in IPv6 among it"},
	{netip.MustParsePrefix("100::/64"), "for packets that are to be dropped (RFC 6666)"},
	{netip.MustParsePrefix("fe80::/10"), "link-local (RFC 4291): each interface has an address of it by itself, and no router forwards it"},
	{netip.MustParsePrefix("fec0::/10"), "what site-local addresses were (RFC 3879), which hosts do not use any more"},
}

// specialBlock is what the block is that p is in or that is in p; false if there is none.
func specialBlock(p netip.Prefix) (what string, block netip.Prefix, ok bool) {
	for _, s := range special {
		if s.block.Overlaps(p) {
			return s.what, s.block, true
		}
	}
	return "", netip.Prefix{}, false
}

// ruleSpecial finds networks of addresses that no network can have.
func ruleSpecial(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, f := range r.fixed() {
		what, block, ok := specialBlock(f.p)
		if !ok {
			continue
		}
		example := "192.168.178.1/24"
		if f.p.Addr().Is6() {
			example = "fd12:3456:789a::1/64"
		}
		diags = append(diags, diag.Help(diag.Error("special-network", f.at, "Addresses of no network",
			"%s is in %s, and that is %s.", f.p, block, what),
			"Give %s addresses that are its own, as in %s.", f.n.Addr, example))
	}
	return diags
}

// noHostOf says what an address of a network is that no host of it has.
func noHostOf(p netip.Prefix, a netip.Addr) string {
	switch {
	case a.Is6():
		return "the address of all routers of the network"
	case a == Broadcast(p):
		return fmt.Sprintf("the broadcast address of %s", p.Masked())
	}
	return fmt.Sprintf("the address of the network %s itself", p.Masked())
}

// ruleNoHosts finds single hosts with the address of a network or its broadcast address, which
// no host of it has.
func ruleNoHosts(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	noHosts := r.noHosts()
	judge := func(v conf.Value[Addr]) {
		if f, ok := noHosts[v.V.Addr]; ok && v.Set {
			diags = append(diags, diag.With(diag.Help(diag.Error("address-of-no-host", v.Range, "Address of no host",
				"%s is %s.", v.V, noHostOf(f.p, v.V.Addr)),
				"Write the address of a host."), f.at, "%s", f.n.Addr.String()))
		}
	}
	for _, n := range r.Networks {
		judge(n.Gateway)
		judge(n.Gateway6)
	}
	for _, rt := range r.Routes {
		for _, h := range rt.Hops() {
			judge(h.Via)
		}
	}
	for _, f := range r.PortForwards {
		judge(f.To.Value)
	}
	for _, s := range r.NameServers.Items {
		judge(s)
	}
	return diags
}

// ruleStateVersion refuses a first release that came out after the one that is built: NixOS
// keeps the data of services in the form of the first one (system.stateVersion).
func ruleStateVersion(r *Router) hcl.Diagnostics {
	if r.Release.V == "" || string(r.StateVersion.V) <= string(r.Release.V) { // YY.MM sorts as text
		return nil // or the release has been refused
	}
	d := diag.Help(diag.Error("state-version-too-new", r.StateVersion.Range, "state_version newer than the release",
		"The router is built with NixOS %s, and cannot have been installed with %s, which is newer.", r.Release.V, r.StateVersion.V),
		"Write state_version = %q for a new router.", r.Release.V)
	if r.Release.Set {
		diag.With(d, r.Release.Range, "the release")
	}
	return one(d)
}

// domains are names that are no domain of hosts behind a router, each with what it is: the
// last label of a name (RFC 6761 and the registry that it began).
var domains = map[string]string{
	"local":     "multicast DNS's (RFC 6762): hosts ask each other for such names, and not a name server",
	"localhost": "each host itself (RFC 6761)",
	"invalid":   "no name's, ever (RFC 6761)",
	"onion":     "Tor's (RFC 7686), and resolvers refuse it",
}

var numericRE = regexp.MustCompile(`^(.*\.)?[0-9]+$`)

// ruleDomains finds domains of networks that hosts take for something else.
func ruleDomains(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range r.Networks {
		name := strings.ToLower(string(n.Domain.V))
		what := domains[name[strings.LastIndexByte(name, '.')+1:]]
		switch {
		case numericRE.MatchString(name):
			diags = append(diags, diag.Help(diag.Error("special-domain", n.Domain.Range, "Number as a domain",
				"Programs take a name that ends in a number for an IPv4 address (RFC 3696 section 2)."),
				"Use another domain, such as home.arpa."))
		case what != "":
			diags = append(diags, diag.Help(diag.Warning("special-domain", n.Domain.Range, "Domain of something else",
				"%s is %s.", n.Domain.V, what),
				"Use home.arpa (RFC 8375)."))
		}
	}
	return diags
}
