package router

import (
	"bytes"
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// An AddressSet is a group of addresses that policies and port forwards are about.
type AddressSet struct {
	conf.Header
	Name      conf.Value[Name]    `hcl:"name,label"`
	Hosts     conf.Refs[*Host]    `hcl:"hosts,optional" doc:"Hosts, with all that a policy knows them by."`
	Networks  conf.Refs[*Network] `hcl:"networks,optional" doc:"Networks of the router, with all their addresses."`
	Addresses conf.List[Span]     `hcl:"addresses,optional" doc:"Addresses, prefixes and ranges, of IPv4 and IPv6."`
	Files     conf.List[File]     `hcl:"files,optional" doc:"Files in the spec's folder with an address, a prefix or a range a line. What follows # or ; is a comment."`
	read      *setRead            // nil until it is asked for
}

func (*AddressSet) endpoint() {}

// NamedBy says where a set is of use.
func (*AddressSet) NamedBy() string { return "from or to of a policy, or in sources of a port_forward" }

// setRead is what the spec and its files say of a set.
type setRead struct {
	members  []setMember
	elements map[Family][]Span
	diags    hcl.Diagnostics // about files
}

// A setMember is what a line adds to a set.
type setMember struct {
	Span
	at   hcl.Range
	what string // as the spec calls it
	file bool
}

// Span are one address or several that follow each other.
type Span struct{ AddrRange }

func (s *Span) UnmarshalText(b []byte) error {
	var out AddrRange
	switch {
	case bytes.ContainsRune(b, '/'):
		var p Block
		if err := p.UnmarshalText(b); err != nil {
			return err
		}
		out = AddrRange{p.Addr(), Broadcast(p.Prefix)}
	case bytes.ContainsRune(b, '-'):
		if err := out.UnmarshalText(b); err != nil {
			return err
		}
	default:
		if _, err := netip.ParseAddr(string(b)); err != nil {
			return fmt.Errorf("%q is no address, prefix or range such as 192.0.2.1, 2001:db8::/32 or 192.0.2.1-192.0.2.9", b)
		}
		var a Addr
		if err := a.UnmarshalText(b); err != nil {
			return err
		}
		out = AddrRange{a.Addr, a.Addr}
	}
	if out.First.Is4In6() {
		return diag.Advise(fmt.Errorf("%s is an IPv4 address in the form of IPv6, and no packet has it", out.First), "write it as %s", out.First.Unmap())
	}
	s.AddrRange = out
	return nil
}

// String is an address, a prefix or a range.
func (s Span) String() string {
	if s.First == s.Last {
		return s.First.String()
	}
	for bits := range s.First.BitLen() {
		p := netip.PrefixFrom(s.First, bits)
		if p.Masked().Addr() == s.First && Broadcast(p) == s.Last {
			return p.String()
		}
	}
	return s.AddrRange.String()
}

// Describe is what the type is in the schema.
func (Span) Describe() string { return "address, prefix or range of addresses" }

func (s Span) family() Family {
	if s.First.Is4() {
		return IPv4
	}
	return IPv6
}

// members are those of a set that the spec and its files know, sorted by their first address.
// Those of a host that is known by its MAC address alone, and of a network that gets them
// later, are none of them.
func (r *Router) members(s *AddressSet) []setMember {
	if s.read != nil {
		return s.read.members
	}
	s.read = &setRead{}
	add := func(span Span, at hcl.Range, what string, file bool) {
		s.read.members = append(s.read.members, setMember{span, at, what, file})
	}
	for _, h := range s.Hosts.Items {
		for _, a := range h.Target.Fixed() {
			add(Span{AddrRange{a, a}}, h.Range, h.Addr.String(), false)
		}
	}
	for _, n := range s.Networks.Items {
		fixed, _ := n.Target.Split()
		for _, p := range fixed {
			add(Span{AddrRange{p.Masked().Addr(), Broadcast(p)}}, n.Range, n.Addr.String(), false)
		}
	}
	for _, a := range s.Addresses.Items {
		add(a.V, a.Range, a.V.String(), false)
	}
	for _, f := range s.Files.Items {
		b, d := r.File(f)
		if d != nil {
			s.read.diags = append(s.read.diags, d)
			continue
		}
		spans, diags := readList(f, b)
		s.read.diags = append(s.read.diags, diags...)
		for _, l := range spans {
			add(l.V, l.Range, l.V.String(), true)
		}
	}
	slices.SortStableFunc(s.read.members, func(a, b setMember) int {
		return cmp.Or(cmp.Compare(a.family(), b.family()), a.First.Compare(b.First), b.Last.Compare(a.Last))
	})
	s.read.elements = map[Family][]Span{IPv4: merged(s.read.members, IPv4), IPv6: merged(s.read.members, IPv6)}
	return s.read.members
}

// readList reads a file of addresses. Of lines that are none the first is told.
func readList(f conf.Value[File], b []byte) (spans []conf.Value[Span], diags hcl.Diagnostics) {
	at, wrong := 0, 0
	var first *hcl.Diagnostic
	for n, line := range bytes.SplitAfter(b, []byte("\n")) {
		text, begin := line, at
		at += len(line)
		if i := bytes.IndexAny(text, "#;"); i >= 0 {
			text = text[:i]
		}
		left := bytes.TrimLeft(text, " \t\ufeff")
		begin += len(text) - len(left)
		text = bytes.TrimSpace(left)
		if len(text) == 0 {
			continue
		}
		column := begin - (at - len(line)) + 1
		rng := hcl.Range{
			Filename: string(f.V),
			Start:    hcl.Pos{Line: n + 1, Column: column, Byte: begin},
			End:      hcl.Pos{Line: n + 1, Column: column + len(text), Byte: begin + len(text)},
		}
		var s Span
		err := s.UnmarshalText(text)
		switch {
		case err == nil:
			spans = append(spans, conf.Value[Span]{V: s, Range: rng, Set: true})
		case first == nil:
			first = diag.With(diag.From("bad-list-line", rng, "Line of a list that is no address", err), f.Range, "the list")
		default:
			wrong++
		}
	}
	if first != nil {
		if wrong > 0 {
			first.Detail += fmt.Sprintf(" Other such lines: %d.", wrong)
		}
		diags = append(diags, diag.Help(first, "Each line is an address, a prefix or a range; what follows # or ; is a comment."))
	}
	return spans, diags
}

// Elements are the addresses of a set of one version of IP that are known before the router
// runs, sorted, and as few as can be.
func (r *Router) Elements(s *AddressSet, f Family) []Span {
	r.members(s)
	return s.read.elements[f]
}

// merged are the addresses of sorted members, those that touch each other as one.
func merged(members []setMember, f Family) []Span {
	var out []Span
	for _, m := range members {
		if m.family() != f {
			continue
		}
		if last := len(out) - 1; last >= 0 && !out[last].Last.Less(m.First.Prev()) {
			if out[last].Last.Less(m.Last) {
				out[last].Last = m.Last
			}
			continue
		}
		out = append(out, m.Span)
	}
	return out
}

// Holding are the router's networks that hold the set's addresses of a version of IP, or of any;
// elsewhere tells that some are in none of them.
func (r *Router) Holding(s *AddressSet, f Family) (in []*Network, elsewhere bool) {
	for _, h := range s.Hosts.All() {
		in = append(in, h.Network.Target)
	}
	in = append(in, s.Networks.All()...)
	for _, m := range r.members(s) {
		if f != AnyFamily && m.family() != f {
			continue
		}
		block, ok := r.blockOf(netip.PrefixFrom(m.First, m.First.BitLen()))
		if !ok || !block.p.Contains(m.Last) {
			elsewhere = true
		} else if !slices.Contains(in, block.n) {
			in = append(in, block.n)
		}
	}
	return in, elsewhere
}

// Hosts are the hosts that an endpoint is, or has.
func Hosts(e Endpoint) []*Host {
	switch e := e.(type) {
	case *Host:
		return []*Host{e}
	case *AddressSet:
		return e.Hosts.All()
	case *Zone, *System:
	}
	return nil
}

// families tells of which versions of IP packets from an endpoint, or to it, can be.
func (r *Router) families(e Endpoint, source bool) (v4, v6 bool) {
	switch e := e.(type) {
	case *Zone, *System:
		return true, true
	case *Host:
		known := source && e.MAC.Set
		return e.IPv4.Set || known, e.IPv6.Set || known
	case *AddressSet:
		v4, v6 = len(r.Elements(e, IPv4)) > 0, len(r.Elements(e, IPv6)) > 0
		for _, h := range e.Hosts.All() {
			h4, h6 := r.families(h, source)
			v4, v6 = v4 || h4, v6 || h6
		}
		for _, n := range e.Networks.All() {
			v6 = v6 || n.Prefix.Set
		}
	}
	return v4, v6
}

// maxMembers bounds a set. nft 1.1.7 takes two seconds of a desk's processor to list 150,000
// elements, and a look at the router ends after ten.
const maxMembers = 1 << 16

// ruleSets judges each set by itself.
func ruleSets(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, s := range r.Sets {
		diags = append(diags, s.judgeNetworks()...)
		members := r.members(s)
		if len(s.read.diags) > 0 {
			diags = append(diags, s.read.diags...)
			continue
		}
		if len(members) == 0 && len(s.Hosts.Items) == 0 && len(s.Networks.Items) == 0 {
			diags = append(diags, diag.Help(diag.Error("set-empty", s.Def, "Empty set",
				"%s has no address, so no packet is of it.", s.Addr),
				"Give it hosts, networks, addresses or files with addresses, or remove it."))
		}
		if len(members) > maxMembers {
			diags = append(diags, diag.Help(diag.Error("set-too-large", s.Def, "Set of too many addresses",
				"%s has %d addresses, prefixes and ranges. With more than %d, nft takes longer to load and to list them than a router has time for.", s.Addr, len(members), maxMembers),
				"Take a list with fewer and shorter prefixes, or one that is of what this network meets."))
			continue
		}
		diags = append(diags, judgeOverlaps(s, members)...)
	}
	return diags
}

// judgeNetworks refuses networks whose addresses an upstream decides about: what is behind the
// link is the whole Internet.
func (s *AddressSet) judgeNetworks() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, n := range s.Networks.Items {
		for _, a := range n.Target.Addresses() {
			switch a.How.(type) {
			case ByDHCP, ByPPP, ByAdvertisement, ByDHCPv6:
				diags = append(diags, NoFixedAddress(n, s.Addr.String()+" is to have its addresses.", a.Family))
			case Fixed, Delegated:
			}
		}
	}
	return diags
}

// judgeOverlaps finds members that others hold already. Of the lines of files the first is told.
func judgeOverlaps(s *AddressSet, members []setMember) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var told *hcl.Diagnostic
	lines, reach := 0, -1 // of the member that reaches furthest
	for i, m := range members {
		if reach < 0 || members[reach].family() != m.family() || members[reach].Last.Less(m.First) {
			reach = i
			continue
		}
		wide := members[reach]
		if wide.Last.Less(m.Last) {
			reach = i
		}
		detail := "%s and %s of %s have addresses in common."
		if !wide.Last.Less(m.Last) {
			detail = "%s holds %s of %s already."
		}
		if m.file && told != nil {
			lines++
			continue
		}
		d := diag.With(diag.Help(diag.Warning("set-overlap", m.at, "Member that is in the set already", detail, wide.what, m.what, s.Addr),
			"Remove one of the two."), wide.at, "%s", wide.what)
		if m.at.Filename != s.Def.Filename {
			diag.With(d, s.Def, "%s", s.Addr.String())
		}
		if m.file {
			told = d
		}
		diags = append(diags, d)
	}
	if lines > 0 {
		told.Detail += fmt.Sprintf(" Other such lines: %d.", lines)
	}
	return diags
}

// ruleFamilies finds ends of policies, and sources of port forwards, that no packet has.
func ruleFamilies(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		said := len(diags)
		diags = append(diags, r.noFamily(p.From, p.To, true)...)
		if len(diags) == said {
			diags = append(diags, r.noFamily(p.To, p.From, false)...)
		}
	}
	for _, f := range r.PortForwards {
		for _, s := range f.Sources.Items {
			if broken(s.Target) {
				continue
			}
			if len(r.Elements(s.Target, IPv4)) == 0 {
				diags = append(diags, diag.With(diag.Help(diag.Error("no-common-family", s.Range, "Set without an IPv4 address",
					"Port forwards are for IPv4, and %s has no address of it.", s.Addr),
					"Add one, or take the set out."), s.Target.Def, "%s", s.Addr.String()))
				continue
			}
			in, elsewhere := r.Holding(s.Target, IPv4)
			if !elsewhere && !slices.ContainsFunc(in, func(n *Network) bool { return r.ZoneOf(n) == f.From.Target }) {
				diags = append(diags, diag.With(diag.Help(diag.Error("set-outside-zone", s.Range, "Set outside the zone",
					"All of %s is in networks that are not of %s, so nothing of it arrives from there.", s.Addr, f.From.Addr),
					"Name a set with addresses of that zone, or another zone."), s.Target.Def, "%s", s.Addr.String()))
			}
		}
	}
	return diags
}

// broken tells whether a file of a set could not be read, which has been told.
func broken(e Endpoint) bool {
	s, ok := e.(*AddressSet)
	return ok && s.read != nil && len(s.read.diags) > 0
}

// noFamily finds ends that have no version of IP in common with any on the other side.
func (r *Router) noFamily(ends, others conf.Refs[Endpoint], source bool) hcl.Diagnostics {
	var v4, v6 bool
	for _, e := range others.All() {
		if broken(e) {
			return nil
		}
		e4, e6 := r.families(e, !source)
		v4, v6 = v4 || e4, v6 || e6
	}
	var diags hcl.Diagnostics
	for _, e := range ends.Items {
		e4, e6 := r.families(e.Target, source)
		if broken(e.Target) || !v4 && !v6 || !e4 && !e6 || e4 && v4 || e6 && v6 {
			continue // without any it has been told
		}
		has, lacks := IPv4, IPv6
		if e6 {
			has, lacks = IPv6, IPv4
		}
		diags = append(diags, diag.With(diag.With(diag.Help(diag.Error("no-common-family", e.Range, "No address of the same version of IP",
			"%s has addresses of %s alone, and the other side of the policy of %s alone.", e.Addr, has, lacks),
			"Give one of them an address of the other version, or take it out."),
			e.Target.Head().Def, "%s", e.Addr.String()), others.Range, "the other side"))
	}
	return diags
}

// ruleEndsInZones finds hosts and sets that are an end of a policy beside a zone that has all of
// them: who writes that may take the ends for conditions.
func ruleEndsInZones(r *Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, p := range r.Policies {
		for _, ends := range []conf.Refs[Endpoint]{p.From, p.To} {
			zones := map[*Zone]conf.Ref[Endpoint]{}
			for _, e := range ends.Items {
				if z, ok := e.Target.(*Zone); ok {
					zones[z] = e
				}
			}
			for _, e := range ends.Items {
				if len(zones) == 0 {
					break
				}
				z := r.zoneWith(e.Target, zones)
				if z == nil {
					continue
				}
				diags = append(diags, diag.With(diag.Help(diag.Warning("end-in-zone", e.Range, "End of a policy inside another one",
					"%s is in %s, so %s is for all of that zone. The ends are alternatives.", e.Addr, z.Addr, p.Addr),
					"Take out the zone, or %s.", e.Addr), zones[z].Range, "%s", z.Addr.String()))
			}
		}
	}
	return diags
}

// zoneWith is one of the zones that has packets of an end, if none of its packets is of another
// zone; else nil. What is in no network of the router is behind an upstream.
func (r *Router) zoneWith(e Endpoint, zones map[*Zone]conf.Ref[Endpoint]) *Zone {
	var in []*Network
	switch e := e.(type) {
	case *Zone, *System:
		return nil
	case *Host:
		in = r.Within(e)
	case *AddressSet:
		var elsewhere bool
		if in, elsewhere = r.Holding(e, AnyFamily); elsewhere {
			in = append(in, r.Upstreams()...)
		}
	}
	var first *Zone
	for _, n := range in {
		z := r.ZoneOf(n)
		if _, named := zones[z]; !named {
			return nil
		}
		first = cmp.Or(first, z)
	}
	return first
}

// SetName is the name of a set in the firewall. No label has a dot in it, so no two are the same.
func (s *AddressSet) SetName(f Family) string {
	return dotted(s.Addr) + "_" + strings.ToLower(f.String())
}

// dotted is the label of a block in names of the firewall: z.key of an instance of for_each.
func dotted(a conf.Addr) string {
	return strings.NewReplacer(`["`, ".", `"]`, "").Replace(a.Name)
}
