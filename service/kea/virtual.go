package kea

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// judgeVirtual finds addresses of a virtual router in pools, and clients that are told of this router
// although its network has a virtual one: when this router fails, they have no gateway.
func (d *DHCP4) judgeVirtual(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if d.Relay != nil {
		return nil
	}
	told := d.gateways(r)
	var first *router.VirtualRouter
	var all []netip.Addr
	for _, v := range router.Claimed[router.VirtualRouter](r) {
		if v.Network != d.Network.Target || !v.Addresses[0].Is4() {
			continue
		}
		if first == nil {
			first = v
		}
		all = append(all, v.Addresses...)
	}
	for _, pool := range d.ranges() {
		diags = append(diags, holdsVirtual(r, d.Network.Target, pool.Range, pool.V.Contains)...)
	}
	if first == nil || len(told) == 0 || slices.ContainsFunc(told, func(t string) bool {
		return slices.ContainsFunc(all, func(a netip.Addr) bool { return a.String() == t })
	}) {
		return diags
	}
	return append(diags, diag.With(diag.Help(diag.Warning("gateway-not-virtual", d.Network.Range, "Gateway that does not fail over",
		"Clients of %s are told that their gateway is %s, and %s is for them: when this router fails, they go on sending to it.", d.Addr, strings.Join(told, ", "), first.Addr),
		"Write in %s: option \"routers\" { value = [\"%s\"] }.", d.Addr, first.Addresses[0]), first.From, "%s", first.Addr.String()))
}

// holdsVirtual finds addresses of virtual routers of a network in a pool.
func holdsVirtual(r *router.Router, n *router.Network, pool hcl.Range, contains func(netip.Addr) bool) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, v := range router.Claimed[router.VirtualRouter](r) {
		for _, a := range v.Addresses {
			if v.Network == n && contains(a) {
				diags = append(diags, diag.With(diag.Help(diag.Error("pool-holds-router", pool, "Pool holds the address of a virtual router",
					"%s would be leased to a client, and it is an address of %s.", a, v.Addr),
					"Begin or end the range beside it."), v.From, "%s", v.Addr.String()))
			}
		}
	}
	return diags
}

// gateways are those that clients are told of.
func (d *DHCP4) gateways(r *router.Router) []string {
	for _, o := range d.additions(r).kept() {
		if optionPart(o, "name") == "routers" {
			return strings.Split(strings.ReplaceAll(optionPart(o, "data"), " ", ""), ",")
		}
	}
	return nil
}
