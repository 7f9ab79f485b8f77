package knotdns

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/miekg/dns"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/records"
)

// Judge judges the zone and what is in it.
func (z *DNSZone) Judge(r *router.Router) hcl.Diagnostics {
	if z.domain() == "" {
		d := diag.Help(diag.Error("zone-without-name", z.Def, "Zone without a name", "%s says neither domain nor reverse.", z.Addr),
			"Write domain = \"home.example.org\", or reverse = \"192.168.178.0/24\" for names of addresses.")
		if z.Domain.Set {
			d = diag.With(diag.Help(diag.Error("zone-without-name", z.Reverse.Range, "Zone with two names", "%s says domain and reverse, and a zone has one name.", z.Addr),
				"Make them two blocks."), z.Domain.Range, "domain")
		}
		return hcl.Diagnostics{d}
	}
	var diags hcl.Diagnostics
	if first := r.ZoneHolding(string(z.domain())); first.Addr != z.Addr && first.Zone == z.domain() {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("zone-clash", z.at(), "One zone twice", "%s has the zone %s already.", first.Addr, z.domain()),
			"Make them one block."), first.From, "%s", first.Addr.String())}
	}
	if !z.secondary() && len(z.servers(r)) == 0 {
		diags = append(diags, diag.Absent(diag.Help(diag.Error("no-zone-server", z.Def, "Zone without a name server",
			"%s has no name_servers, and no network with a fixed address and a domain is in %s.", z.Addr, z.domain()),
			"Write name_servers = [\"ns.example.org\"]."), "network"))
	}
	diags = append(diags, z.judgePublic(r)...)
	diags = append(diags, z.shared(r).judge(r)...)
	diags = append(diags, z.judgeSecondary(r)...)
	diags = append(diags, z.DNSSEC.judge(r)...)
	return append(diags, z.judgeContents(r)...)
}

// judgePublic wants what all the world may ask for to be asked for somewhere, and to be of use there.
func (z *DNSZone) judgePublic(r *router.Router) hcl.Diagnostics {
	if !z.Public.V {
		return nil
	}
	var diags hcl.Diagnostics
	if !server(r).public() {
		diags = append(diags, diag.Absent(diag.Help(diag.Error("zone-not-public", z.Public.Range, "Public zone that nothing outside can ask for",
			"No dns_server answers in an upstream, so nothing outside of the router's networks asks for %s.", z.domain()),
			"Write a dns_server block with the upstream in networks, or remove public."), "dns_server"))
	}
	told := false // of the router and hosts: what is to do is the same for all
	for _, e := range z.contents(r) {
		if a, ok := address(e.RR); ok && private(a) && (e.said || !told) {
			diags = append(diags, diag.With(diag.Help(diag.Warning("private-address", e.by.From, "Private address in a public zone",
				"All the world is told that %s is %s, which is an address of the inside.", e.name(), a),
				"Put names of the inside into a zone of their own without public."), z.Public.Range, "%s", z.Addr.String()))
			told = told || !e.said
		}
	}
	return diags
}

// address is that of an A or AAAA record.
func address(rr dns.RR) (netip.Addr, bool) {
	switch rr := rr.(type) {
	case *dns.A:
		a, ok := netip.AddrFromSlice(rr.A)
		return a.Unmap(), ok
	case *dns.AAAA:
		return netip.AddrFromSlice(rr.AAAA)
	}
	return netip.Addr{}, false
}

// private tells whether an address is of no use elsewhere.
func private(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsUnspecified()
}

// judge wants a server to ask before a key is replaced that the zone above knows.
func (d *DNSSEC) judge(r *router.Router) hcl.Diagnostics {
	if d == nil {
		return nil
	}
	var diags hcl.Diagnostics
	if d.KSKLifetime.Set && len(d.Parents.Items) == 0 {
		diags = append(diags, diag.Help(diag.Error("rollover-without-parents", d.KSKLifetime.Range, "Key that is replaced without a look at the zone above",
			"The zone above has to have the DS record of the new key before the old one goes, or no resolver that validates finds a name of the zone (RFC 7583 section 3.3)."),
			"Name the servers of the zone above in parents, or remove ksk_lifetime."))
	}
	for _, p := range d.Parents.Items {
		if own := r.Own(p, "The zone above is asked for the DS record, and this is the router itself.", "Name the servers of the zone above."); own != nil {
			diags = append(diags, own)
		}
	}
	return diags
}

// judgeContents finds records that the server would refuse, or that hide each other.
func (z *DNSZone) judgeContents(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	all := z.contents(r)
	cuts := z.delegations(all)
	below := func(name string) *entry { // the delegation that a name is below, or at
		for i, c := range cuts {
			if router.ZoneName(c.name()).Holds(name) {
				return &cuts[i]
			}
		}
		return nil
	}
	clash := func(e entry, before router.By, help, detail string, args ...any) {
		diags = append(diags, diag.With(diag.Help(diag.Error("record-clash", e.by.From, "Record that another one contradicts", detail, args...), "%s", help), before.From, "%s", before.Addr.String()))
	}
	first := map[string]entry{}      // by name
	sets := map[[2]string]entry{}    // by name and type
	same := map[[3]string]bool{}     // by name, type and data
	aliases := map[string]bool{}     // names with a CNAME
	targets := map[string]bool{}     // names with an address
	delegated := map[string]bool{}   // names that other servers have
	needed := map[string]hcl.Range{} // names of servers, whose addresses are looked for
	var order []string
	for _, e := range all {
		name, kind, data := e.name(), e.kind(), records.Data(e.RR)
		_, isAddress := address(e.RR)
		cut := below(name)
		switch {
		case !z.domain().Holds(name):
			diags = append(diags, z.outside(r, e))
			continue
		case kind == "NS" && name == string(z.domain()) && e.said:
			diags = append(diags, diag.With(diag.Help(diag.Error("record-clash", e.by.From, "Name server of the zone among the records",
				"The servers of a zone are in its name_servers."), "Move it there."), z.Def, "%s", z.Addr.String()))
			continue
		case cut != nil && !(name == cut.name() && (kind == "NS" || kind == "DS")) && !(isAddress && e.said):
			clash(e, cut.by, "Move the record into that zone, or remove the NS records.", "Other servers have the names of %s (NS), so nothing here is found of %s but the addresses of these servers.", cut.name(), name)
			continue
		case kind == "DS" && !slices.ContainsFunc(cuts, func(c entry) bool { return c.name() == name }):
			diags = append(diags, diag.Help(diag.Error("no-delegation", e.by.From, "DS record of no delegation",
				"A DS record is of a key of a zone below, and %s has no NS records here (RFC 4035 section 2.4).", name), "Write its NS records, or remove this one."))
			continue
		}
		before, there := first[name]
		alias := kind == "CNAME"
		switch {
		case alias && name == string(z.domain()):
			clash(e, router.By{Addr: z.Addr, From: z.at()}, "Write the addresses that the other name has.", "%s is the zone's own name, which has records already and so is no other name of something else (CNAME, RFC 1912 section 2.4).", name)
			continue
		case there && (alias || aliases[name]):
			clash(e, before.by, "Remove one of the two.", "%s is another name of something else (CNAME), and has no records of its own beside that.", name)
			continue
		case e.host == nil && isAddress && before.host != nil:
			clash(e, before.by, "Remove the record; an address of the host is in ipv4 or ipv6 of its block, and another name in aliases.", "%s is a name of %s, whose block says what it has.", name, before.host.Addr)
			continue
		case same[[3]string{name, kind, data}]:
			clash(e, sets[[2]string{name, kind}].by, "Remove one of the two.", "The zone has this %s record of %s already.", kind, name)
			continue
		}
		if o, ok := sets[[2]string{name, kind}]; ok && o.Header().Ttl != e.Header().Ttl {
			clash(e, o.by, "Give all of them one.", "The %s records of %s are kept as one, and have two times to live, %d s and %d s (RFC 2181 section 5.2).", kind, name, o.Header().Ttl, e.Header().Ttl)
			continue
		}
		if !there {
			first[name] = e
		}
		if _, ok := sets[[2]string{name, kind}]; !ok {
			sets[[2]string{name, kind}] = e
		}
		aliases[name], targets[name] = aliases[name] || alias, targets[name] || isAddress
		same[[3]string{name, kind, data}] = true
		if ns, ok := e.RR.(*dns.NS); ok {
			target := strings.ToLower(strings.TrimSuffix(ns.Ns, "."))
			delegated[name] = name != string(z.domain())
			if _, dup := needed[target]; !dup && z.domain().Holds(target) {
				needed[target] = e.by.From
				order = append(order, target)
			}
		}
	}
	for _, target := range order {
		if !targets[target] {
			diags = append(diags, diag.Help(diag.Error("no-glue", needed[target], "Name server without an address",
				"%s is in this zone, which does not say where it is: who looks for it asks for the zone's servers first (RFC 1034 section 4.2.1).", target),
				"Add its address to records, as in \"%s A 192.0.2.1\".", target))
		}
	}
	for _, o := range r.ZonesBelow(z.domain()) {
		if name := string(o.Zone); !delegated[name] {
			diags = append(diags, diag.With(diag.Help(diag.Error("no-delegation", o.From, "Zone that the zone above does not know",
				"%s has no NS records of %s: who asks there is told that the names do not exist.", z.Addr, name),
				"Add to the records of %s, as in \"%s NS ns.%s\".", z.Addr, name, name), z.at(), "%s", z.Addr.String()))
		}
	}
	return diags
}

// outside says that a record is not in the zone.
func (z *DNSZone) outside(r *router.Router, e entry) *hcl.Diagnostic {
	help := "Take it out."
	if in := r.ZoneHolding(e.name()); in != nil {
		help = "Move it to " + in.Addr.String() + "."
	} else if !strings.Contains(e.name(), ".") {
		help = "Write the whole name, as in " + e.name() + "." + string(z.domain()) + "."
	}
	return diag.With(diag.Help(diag.Error("record-outside-zone", e.by.From, "Record outside of the zone", "%s is not in the zone %s.", e.name(), z.domain()),
		"%s", help), z.at(), "%s", z.Addr.String())
}
