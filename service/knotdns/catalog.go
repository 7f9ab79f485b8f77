package knotdns

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// CatalogKind is the dns_catalog block.
func CatalogKind() service.Kind {
	return service.Kind{
		Type: "dns_catalog", Doc: "A list of zones that other servers read, or that this one reads: a zone on it is a zone of the secondaries at once (RFC 9432).",
		Software: "Knot DNS", Example: example,
		Program: program{}, Probes: probes, New: func() service.Block { return &Catalog{} },
	}
}

// Catalog is the dns_catalog block.
type Catalog struct {
	conf.Header
	Name        conf.Value[router.Name]     `hcl:"name,label"`
	Domain      conf.Value[router.ZoneName] `hcl:"domain,required" doc:"The name of the zone that holds the list, as in catalog.invalid. All servers give it the same."`
	Zones       conf.Refs[*DNSZone]         `hcl:"zones,optional" empty:"that is as if it were not there. Name the zones, or remove it." doc:"The zones on the list. The catalog's secondaries get them."`
	Secondaries conf.Refs[*DNSPeer]         `hcl:"secondaries,optional" empty:"that is as if it were not there. Name a server, or remove it." doc:"The servers that read the list."`
	Primaries   conf.Refs[*DNSPeer]         `hcl:"primaries,optional" empty:"that is as if it were not there. Name a server, or remove it." doc:"The servers whose list this is, in place of zones. The router has each zone on it, and gets them from there."`
	Public      conf.Value[bool]            `hcl:"public,optional" default:"false" doc:"All the world may ask for names in zones on the list of another server. Otherwise those may who may ask for zones that are not public."`
}

// Claim says that the router has the list.
func (c *Catalog) Claim(s *router.Scope) { router.Claim(s, hcl.Range{}, lists{c: c}) }

// lists is the claim by which the server, and zones, know a catalog.
type lists struct {
	router.By
	c *Catalog
}

// catalogs are the dns_catalog blocks.
func catalogs(r *router.Router) []*Catalog {
	var out []*Catalog
	for _, c := range router.Claimed[lists](r) {
		out = append(out, c.c)
	}
	return out
}

// shared is the list as a zone. Its servers alone have to ask for it.
func (c *Catalog) shared() shared {
	return shared{c.Addr, c.Def, c.Domain.V, false, c.Primaries.Items, c.Secondaries.Items}
}

// Judge finds lists of nothing, of both kinds, or with the name of something else.
func (c *Catalog) Judge(r *router.Router) hcl.Diagnostics {
	diags := c.shared().judge(r)
	for _, z := range zones(r) {
		if z.domain() == c.Domain.V {
			diags = append(diags, diag.With(diag.Help(diag.Error("zone-clash", c.Domain.Range, "Catalog with the name of a zone", "%s has the zone %s already.", z.Addr, c.Domain.V),
				"Give the catalog a name of its own, as in catalog.invalid."), z.at(), "%s", z.Addr.String()))
		}
	}
	for _, o := range catalogs(r) {
		if o == c {
			break
		}
		if o.Domain.V == c.Domain.V {
			diags = append(diags, diag.With(diag.Help(diag.Error("zone-clash", c.Domain.Range, "One catalog twice", "%s has the name %s already.", o.Addr, c.Domain.V),
				"Give one of the two another name."), o.Domain.Range, "%s", o.Addr.String()))
		}
	}
	for _, z := range c.Zones.Items {
		if o := z.Target.catalog(r); o != c && len(c.Primaries.Items) == 0 {
			diags = append(diags, diag.With(diag.Help(diag.Error("zone-on-two-lists", z.Range, "Zone in two catalogs", "%s is in %s already, and Knot DNS puts a zone into one.", z.Addr, o.Addr),
				"Take it out of one of the two; secondaries of the zone itself get it as well."), o.Zones.Range, "%s", o.Addr.String()))
		}
	}
	switch read := len(c.Primaries.Items) > 0; {
	case read && len(c.Zones.Items) > 0:
		diags = append(diags, diag.With(diag.Help(diag.Error("catalog-of-two", c.Zones.Range, "Catalog of this router and of another server",
			"%s is the list of its primaries, and zones here are no part of that.", c.Addr), "Remove zones or primaries; two lists are two blocks."), c.Primaries.Range, "primaries"))
	case !read && len(c.Zones.Items) == 0:
		diags = append(diags, diag.Absent(diag.Help(diag.Error("empty-catalog", c.Def, "Catalog without a zone", "%s names neither zones nor primaries.", c.Addr),
			"Name the zones that its secondaries get, or the primaries whose list it is."), "dns_zone"))
	case !read && len(c.Secondaries.Items) == 0:
		diags = append(diags, diag.Absent(diag.Help(diag.Warning("catalog-unread", c.Def, "Catalog that no server reads", "%s has no secondaries.", c.Addr),
			"Write secondaries = [dns_peer.NAME], or remove the block."), "dns_peer"))
	}
	return diags
}

// lower sets the zone with the list. Zones on the list of another server are made by a template.
func (c *Catalog) lower(b *Server, set func(nixgen.Origin, nixgen.Expr, ...string)) {
	name, from := string(c.Domain.V), service.From(c)
	zone := func(from nixgen.Origin, v nixgen.Expr, path ...string) {
		set(from, v, append([]string{"zone", name}, path...)...)
	}
	id := "catalog-" + string(c.Name.V)
	c.shared().lower(b, id, set, zone)
	if len(c.Primaries.Items) == 0 {
		zone(from, nixgen.Str("generate"), "catalog-role")
		zone(from, nixgen.Str("none"), "zonefile-load")
		return
	}
	zone(from, nixgen.Str("interpret"), "catalog-role")
	zone(from, nixgen.Str(id), "catalog-template")
	template := func(at nixgen.Origin, v nixgen.Expr, key string) { set(at, v, "template", id, key) }
	template(service.Origin(c.Addr, c.Primaries.Range), service.Strs(ids(c.Primaries.Items)), "master")
	template(from, service.Strs(c.shared().acls()), "acl")
	template(from, nixgen.Str("all"), "journal-content")
	template(from, nixgen.Str("none"), "zonefile-load")
	template(from, nixgen.Int(-1), "zonefile-sync")
	if !c.Public.V {
		template(service.Origin(c.Addr, cmp.Or(c.Public.Range, c.Def)), nixgen.List{nixgen.Str("mod-queryacl/" + id)}, "module")
	}
}

// Checks ask for the list, and what it makes of zones.
func (c *Catalog) Checks(r *router.Router, p *verify.Plan) {
	c.shared().check(p)
	const want = "a serial number"
	name := string(c.Domain.V) + "."
	hint := "knotc zone-status " + name
	list := verify.Check{ID: c.Addr.String() + "/list", Title: "the server has the list " + string(c.Domain.V), From: c.Domain.Range}
	verify.Asked(p, list, serialOf, name, want, hint, func(_ *state.State, serial string) verify.Verdict {
		return verify.Judge(serial != "", want, "none", hint)
	})
	id := "catalog-" + string(c.Name.V)
	if len(c.Primaries.Items) > 0 {
		want := unset
		if !c.Public.V {
			want = "mod-queryacl/" + id
		}
		runs(p, c.Addr, "public", "who may ask for names in the zones of the list", cmp.Or(c.Public.Range, c.Def), "template", id, "module", want)
		return
	}
	for _, z := range zones(r) {
		if i := slices.IndexFunc(c.Zones.Items, func(o conf.Ref[*DNSZone]) bool { return o.Target == z }); i >= 0 {
			runs(p, c.Addr, "zones/"+string(z.Name.V), string(z.domain())+" is on the list", c.Zones.Items[i].Range, "zone", string(z.domain())+".", "catalog-zone", string(c.Domain.V)+".")
		}
	}
}

// catalog is the first list that a zone is on, or nil.
func (z *DNSZone) catalog(r *router.Router) *Catalog {
	for _, c := range catalogs(r) {
		if conf.Has(c.Zones, z) {
			return c
		}
	}
	return nil
}

// serialOf asks the server for the serial number of a zone, empty without one. It answers no
// question of DNS for a catalog.
var serialOf = &probe.Probe[string, string]{Name: "knotdns.serial", Look: lookSerial}

func lookSerial(ctx context.Context, h probe.Host, zone string) (string, error) {
	out, err := h.Run(ctx, "knotc", "zone-status", zone)
	if err != nil {
		return "", err
	}
	for part := range strings.SplitSeq(string(out.Stdout), "|") {
		if n, ok := strings.CutPrefix(strings.TrimSpace(part), "serial: "); ok && strings.Trim(n, "0123456789") == "" {
			return n, nil
		}
	}
	return "", nil
}
