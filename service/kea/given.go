package kea

import (
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// given judges the servers that clients are told of: where one is the router itself, it has to
// be served there. What a module of the spec's own runs is not known.
func (d *DHCP4) given(r *router.Router) hcl.Diagnostics {
	if len(r.Import.Items) > 0 {
		return nil
	}
	var diags hcl.Diagnostics
	for _, s := range d.DNS.Items {
		diags = append(diags, d.unserved(r, s, "name server", "dns", "resolver")...)
	}
	for _, option := range elements(d.Extra, "option-data") {
		for s := range strings.SplitSeq(text(option, "data"), ",") {
			a, err := netip.ParseAddr(strings.TrimSpace(s))
			if err != nil {
				continue
			}
			at := conf.Value[router.Addr]{V: router.Addr{Addr: a}, Range: d.Extra.Range}
			switch text(option, "name") {
			case "domain-name-servers":
				diags = append(diags, d.unserved(r, at, "name server", "dns", "resolver")...)
			case "ntp-servers":
				diags = append(diags, d.unserved(r, at, "time server", "ntp", "time")...)
			case "routers":
				if !d.prefix().Contains(a) {
					diags = append(diags, diag.With(diag.Help(diag.Error("server-not-there", at.Range, "Gateway outside the network",
						"Clients in %s cannot reach %s, which is not on their link.", d.prefix().Masked(), a),
						"Give a router there, or leave the option out for this one."),
						d.Network.Target.IPv4.Range, "%s", d.Network.Addr.String()))
				}
			}
		}
	}
	return diags
}

// unserved is the error that a server is the router, and no program of it answers there.
func (d *DHCP4) unserved(r *router.Router, server conf.Value[router.Addr], what, service, block string) hcl.Diagnostics {
	own := r.Owner(server.V.Addr)
	if own == nil {
		return nil
	}
	for _, l := range router.Claimed[router.Listen](r) {
		if l.Service == service && l.Serves(own) && l.Serves(d.Network.Target) {
			return nil
		}
	}
	err := diag.Help(diag.Error("server-not-there", server.Range, "Router serves nothing there",
		"Clients of %s would ask %s, the router's own address in %s, and no %s answers them there.", d.Network.Addr, server.V, own.Addr, what),
		"Put %s into the networks of the %s block, or name another server.", d.Network.Addr, block)
	return hcl.Diagnostics{diag.With(err, own.IPv4.Range, "%s", own.Addr.String())}
}

// elements are those of a list in the settings that a user adds.
func elements(x conf.Value[conf.Object], name string) []cty.Value {
	if !x.Set || !x.V.Type().IsObjectType() || !x.V.Type().HasAttribute(name) {
		return nil
	}
	if v := x.V.GetAttr(name); !v.IsNull() && (v.Type().IsTupleType() || v.Type().IsListType()) {
		return v.AsValueSlice()
	}
	return nil
}

// text is an attribute that is a text, or nothing.
func text(v cty.Value, name string) string {
	if v.IsNull() || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
		return ""
	}
	if a := v.GetAttr(name); a.Type() == cty.String && !a.IsNull() {
		return a.AsString()
	}
	return ""
}
