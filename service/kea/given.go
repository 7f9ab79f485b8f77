package kea

import (
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// given judges the servers that clients are told of: where one is the router itself, it has to
// be served there.
func (d *DHCP4) given(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	place, by := d.place()
	for _, s := range d.DNS.Items {
		diags = append(diags, router.JudgeServer(r, d.Network.Target, s, "name server", "dns", "resolver")...)
	}
	for _, c := range d.Classes {
		for _, o := range c.Options {
			for _, v := range o.Value.Items {
				if a, err := netip.ParseAddr(string(v.V)); err == nil && o.Name.V == "domain-name-servers" {
					diags = append(diags, router.JudgeServer(r, d.Network.Target, conf.Value[router.Addr]{V: router.Addr{Addr: a}, Range: v.Range}, "name server", "dns", "resolver")...)
				}
			}
		}
	}
	for _, option := range service.Elements(service.Attribute(d.Extra.V.Value, "option-data")) {
		for s := range strings.SplitSeq(service.Text(service.Attribute(option, "data")), ",") {
			a, err := netip.ParseAddr(strings.TrimSpace(s))
			if err != nil {
				continue
			}
			at := conf.Value[router.Addr]{V: router.Addr{Addr: a}, Range: d.Extra.Range}
			switch service.Text(service.Attribute(option, "name")) {
			case "domain-name-servers":
				diags = append(diags, router.JudgeServer(r, d.Network.Target, at, "name server", "dns", "resolver")...)
			case "ntp-servers":
				diags = append(diags, router.JudgeServer(r, d.Network.Target, at, "time server", "ntp", "time")...)
			case "routers":
				if !d.prefix().Contains(a) {
					diags = append(diags, diag.With(diag.Help(diag.Error("server-not-there", at.Range, "Gateway outside the network",
						"Clients in %s cannot reach %s, which is not on their link.", d.prefix().Masked(), a),
						"Name a router in that network, or remove the option: clients are then told of this router."),
						place, "%s", by))
				}
			}
		}
	}
	return diags
}
