package router

import (
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// foreignRE are the interfaces that IfState itself leaves to others
// (parameters.ignore.ifname_builtin of IfState 2.x), the loopback, and the ones that
// tunnel modules of the kernel make when they are loaded.
var foreignRE = regexp.MustCompile(`^(lo|br-[\da-f]{12}.*|docker\d+.*|ppp\d+|veth.*|virbr\d+|vrrp\d*\.\d+|` +
	`sit0|tunl0|gre0|gretap0|erspan0|ip6tnl0|ip6gre0|ip_vti0|ip6_vti0)$`)

var digitsRE = regexp.MustCompile(`^[0-9]+$`)

// reservedLink says why no link can have a name; "" when it can.
func reservedLink(n IfName) string {
	switch {
	case n == "all" || n == "default":
		// Documentation/networking/ip-sysctl.rst, conf/all/* and conf/default/*
		return "in net.ipv4.conf it stands for all interfaces, or those to come"
	case n == "bonding_masters":
		return "it is a file in /sys/class/net"
	case digitsRE.MatchString(string(n)):
		return "programs take it for the number of an interface, and systemd does not accept it"
	case foreignRE.MatchString(string(n)):
		return "interfaces of that name are the kernel's or another program's, and IfState leaves them alone"
	}
	return ""
}

// inputs are names that a flake's input cannot have: the flake itself, and what NixOS hands to
// each module (lib/modules.nix, nixos/lib/eval-config.nix), which inputs would replace.
var inputs = map[Name]string{
	"self": "in a flake it is the flake itself", "lib": argument, "config": argument, "options": argument,
	"pkgs": argument, "modulesPath": argument, "utils": argument, "baseModules": argument,
	"extraModules": argument, "specialArgs": argument, "modules": argument,
}

const argument = "NixOS gives its modules something else under this name"

// ruleReserved finds names that mean something else to the programs that get them.
func ruleReserved(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	reserved := func(at hcl.Range, name, why string) {
		diags = append(diags, diag.Help(diag.Error("reserved-name", at, "Reserved name", "%q cannot be the name: %s.", name, why),
			"Choose another one."))
	}
	for _, l := range r.Links() {
		if l.Head().Def == (hcl.Range{}) || l.Spec().External && foreignRE.MatchString(string(l.LinkName())) {
			continue
		}
		if why := reservedLink(l.LinkName()); why != "" {
			reserved(l.Head().Def, string(l.LinkName()), why)
		}
	}
	switch name := strings.ToLower(string(r.Name.V)); {
	case name == "nbr":
		reserved(r.Def, "nbr", "the folder routers/nbr of the flake holds nbr itself")
	case name == "localhost":
		reserved(r.Def, "localhost", "it is each host itself (RFC 6761)")
	case digitsRE.MatchString(name):
		reserved(r.Def, name, "programs take it for an IPv4 address")
	}
	for _, i := range r.Inputs {
		if why := inputs[i.Name.V]; why != "" {
			reserved(i.Def, string(i.Name.V), why)
		}
	}
	return diags
}

// ruleDynamic finds networks that would get the same addresses: what arrives on a link by
// DHCP or by router advertisements, or is delegated to it, belongs to the link.
func ruleDynamic(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type use struct {
		link Link
		how  string
	}
	type user struct {
		of, how string
		from    hcl.Range
	}
	first := map[use]user{}
	for _, n := range r.Networks {
		for _, a := range n.Addresses() {
			how := a.How.String()
			u := use{n.Link.Target, how}
			switch a.How.(type) {
			case Fixed:
				continue
			case ByDHCP, ByPPP, ByAdvertisement:
			case ByDHCPv6:
				u.how = ByAdvertisement{}.String() // with which its default route comes
			case Delegated:
				how = "by delegation"
				u.how = how
			}
			before, twice := first[u]
			if !twice {
				first[u] = user{n.Addr.String(), how, a.From}
				continue
			}
			diags = append(diags, diag.With(diag.Help(diag.Error("dynamic-twice", a.From, "Addresses of one link for two networks",
				"%s gets its addresses on %s %s already, and they are the link's: the two would be one network.", before.of, n.Link.Addr, before.how),
				"Remove one of the two networks, or put it on a link of its own."),
				before.from, "%s", before.of))
		}
	}
	return diags
}
