// Package frr makes the router speak with other routers, with FRRouting: BGP-4
// (RFC 4271), OSPFv2 (RFC 2328), RIPv2 (RFC 2453) and
// BFD (RFC 5880). All its blocks become one configuration.
package frr

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// peering is an example of bgp and of the lists that it needs.
const peering = `prefix_list "theirs" {
  permit = ["10.20.0.0/16 le 24"]
}

prefix_list "ours" {
  permit = ["192.168.178.0/24"]
}

network "peering" {
  link = port.end1
  ipv4 = "192.0.2.1/24"
}

zone "peering" {
  networks = [network.peering]
}

bgp {
  as        = 65001
  router_id = "192.0.2.1"
  networks  = [network.lan]

  neighbor "other" {
    address      = "192.0.2.2"
    remote_as    = 65002
    prefixes_in  = prefix_list.theirs
    prefixes_out = prefix_list.ours
  }
}
`

// BGPKind is the bgp block.
func BGPKind() service.Kind {
	return service.Kind{
		Type: "bgp", Doc: "Exchanges routes with other networks (BGP).",
		Software: "FRR",
		Example:  peering,
		Single:   true, Program: program{}, Probes: probes, New: func() service.Block { return &BGP{} },
	}
}

// OSPFKind is the ospf block.
func OSPFKind() service.Kind {
	return service.Kind{
		Type: "ospf", Doc: "Exchanges routes with the other routers of a site (OSPFv2).",
		Software: "FRR",
		Example: `network "core" {
  link = port.end1
  ipv4 = "10.255.0.1/24"
}

zone "core" {
  networks = [network.core]
}

secret "ospf" {
  path = "/var/lib/secrets/ospf"
}

ospf {
  router_id = "10.255.0.1"

  area "0" {
    networks = [network.core]
    passive  = [network.lan]
    password = secret.ospf
  }
}
`,
		Single: true, Program: program{}, Probes: probes, New: func() service.Block { return &OSPF{} },
	}
}

// PrefixListKind is the prefix_list block.
func PrefixListKind() service.Kind {
	return service.Kind{
		Type: "prefix_list", Doc: "Which prefixes BGP takes from a neighbour, or tells it.",
		Software: "FRR",
		Example:  peering,
		Program:  program{}, Probes: probes, New: func() service.Block { return &PrefixList{} },
	}
}

// The protocol numbers of routes that FRR sets (RTPROT_… of linux/rtnetlink.h).
const (
	protocolZebra = 11
	protocolBGP   = 186
	protocolOSPF  = 188
	protocolRIP   = 189
)

// vtyGroup is the group of those who may talk to FRR's daemons (configure
// --enable-vty-group).
const vtyGroup = "frrvty"

// unit is FRR's, which starts and watches all its daemons, without .service.
const unit = "frr"

// claim says what FRR needs for a protocol: its routes stay.
func claim(s *router.Scope, protocol uint8) {
	needs(s)
	router.Claim(s, hcl.Range{}, router.OwnRoutes{Protocol: protocol})
	router.Claim(s, hcl.Range{}, router.OwnRoutes{Protocol: protocolZebra})
}

// needs says what FRR needs whichever block wants it: it starts when the links are there, and
// who looks at the router may ask it.
func needs(s *router.Scope) {
	s.AfterLinks(hcl.Range{}, unit)
	router.Claim(s, hcl.Range{}, router.LookGroup{Group: vtyGroup})
}

// measured says that frr_exporter can tell of a protocol, by the name of its collector.
func measured(s *router.Scope, collector string) {
	router.Claim(s, hcl.Range{}, router.Measured{Exporter: "frr", Part: collector, Group: vtyGroup})
}

// PrefixList is the prefix_list block.
type PrefixList struct {
	conf.Header
	Name   conf.Value[router.Name] `hcl:"name,label"`
	Deny   conf.List[Rule]         `hcl:"deny,optional" doc:"What does not fit even if permit has it."`
	Permit conf.List[Rule]         `hcl:"permit,optional" doc:"What fits, as in [\"10.1.0.0/16\", \"192.0.2.0/24 le 28\"]: the prefix itself, or with le and ge those inside it that are of such lengths. What is not here does not fit."`
}

// NamedBy says where a list is of use.
func (*PrefixList) NamedBy() string {
	return "prefixes_in or prefixes_out of a neighbor of bgp, or prefixes of a redistribute"
}

// Rule is a prefix, or the prefixes inside it whose length is in a range.
type Rule struct {
	Prefix   netip.Prefix
	Min, Max int  // lengths of the prefixes that fit
	GE, LE   bool // which of them are written
}

// UnmarshalText wants a prefix, ge and a length, le and a length, as FRR has it
// (lib/plist.c): the length of the prefix < ge <= le.
func (r *Rule) UnmarshalText(b []byte) error {
	words := strings.Fields(string(b))
	if len(words) == 0 || len(words)%2 == 0 {
		return diag.Advise(fmt.Errorf("%q is no prefix", b), "write one such as 10.1.0.0/16 or 10.1.0.0/16 le 24")
	}
	var block router.Block
	if err := block.UnmarshalText([]byte(words[0])); err != nil {
		return err
	}
	p := block.Prefix
	out := Rule{Prefix: p, Min: p.Bits(), Max: p.Bits()}
	for i := 1; i < len(words); i += 2 {
		n, err := strconv.Atoi(words[i+1])
		switch {
		case err != nil || n <= p.Bits() || n > p.Addr().BitLen():
			return diag.Advise(fmt.Errorf("%q has the length %s after %s", b, words[i+1], words[i]), "write one from %d to %d, longer than the prefix itself", p.Bits()+1, p.Addr().BitLen())
		case words[i] == "ge" && !out.GE && !out.LE:
			out.GE, out.Min = true, n
		case words[i] == "le" && !out.LE:
			out.LE, out.Max = true, n
		default:
			return diag.Advise(fmt.Errorf("%q is no rule of a prefix list", b), "write the prefix, then ge and the least length, then le and the greatest")
		}
	}
	if out.GE && !out.LE {
		out.Max = p.Addr().BitLen()
	}
	if out.Min > out.Max {
		return fmt.Errorf("%q fits nothing: ge is greater than le", b)
	}
	*r = out
	return nil
}

// String is the rule as FRR has it.
func (r Rule) String() string {
	s := r.Prefix.String()
	if r.GE {
		s += fmt.Sprintf(" ge %d", r.Min)
	}
	if r.LE {
		s += fmt.Sprintf(" le %d", r.Max)
	}
	return s
}

// Describe is what the type is in the schema.
func (Rule) Describe() string { return "prefix, with ge or le and a length" }

// fits tells whether the rule is about a prefix.
func (r Rule) fits(p netip.Prefix) bool {
	return r.Prefix.Contains(p.Addr()) && r.Min <= p.Bits() && p.Bits() <= r.Max
}

// permits tells whether the list lets a prefix pass.
func (l *PrefixList) permits(p netip.Prefix) bool {
	for _, r := range l.Deny.All() {
		if r.fits(p) {
			return false
		}
	}
	for _, r := range l.Permit.All() {
		if r.fits(p) {
			return true
		}
	}
	return false
}

// name is the list's in FRR.
func (l *PrefixList) name() string { return named(l.Addr) }

// named is what a block is called in FRR. An instance of for_each is in.key: no label has a dot in it.
func named(a conf.Addr) string {
	return strings.NewReplacer(`["`, ".", `"]`, "").Replace(a.Name)
}

// rules are the list's entries for one version of IP, as FRR has them. The last one is
// FRR's own for a list that has others; a list without any would be undefined, and fit
// everything or nothing by where it is used.
func (l *PrefixList) rules(v6 bool) []string {
	var out []string
	add := func(action string, rules []Rule) {
		for _, r := range rules {
			if r.Prefix.Addr().Is6() == v6 {
				out = append(out, action+" "+r.String())
			}
		}
	}
	add("deny", l.Deny.All())
	add("permit", l.Permit.All())
	return append(out, "deny any")
}

// Claim has nothing to say: what FRR needs the protocols say that use the list.
func (l *PrefixList) Claim(*router.Scope) {}

// Judge has nothing to say: every list of rules is one.
func (l *PrefixList) Judge(*router.Router) hcl.Diagnostics { return nil }

// Checks compare the list with the one that bgpd has for its neighbours. A redistribute block has a check
// of its own.
func (l *PrefixList) Checks(r *router.Router, p *verify.Plan) {
	if !slices.ContainsFunc(router.Claimed[filters](r), func(f *filters) bool { return f.list == l }) {
		return
	}
	for _, v6 := range []bool{false, true} {
		checkList(p, verify.Check{ID: l.Addr.String() + "/" + family(v6), Title: "bgpd has the list of " + family(v6), From: l.Def},
			listQuestion{"bgpd", l.name(), v6}, l.rules(v6))
	}
}

// filters is a claim of a neighbour of BGP that a list is for.
type filters struct {
	router.By
	list *PrefixList
}
