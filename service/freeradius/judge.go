package freeradius

import (
	"net/netip"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Judge refuses upstreams, clients that are two or the router itself, and users without a way in.
func (b *RADIUS) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(b.Networks, "FreeRADIUS listens on the router's addresses in the network.", func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("open-radius", n.Range, "RADIUS open to the Internet",
			"%s is an upstream, and what RADIUS sends is not encrypted.", n.Addr),
			"Take it out of networks, and ask through a tunnel.")
	})
	switch {
	case len(b.Clients) == 0 && b.Networks.Set:
		diags = append(diags, diag.Help(diag.Error("radius-alone", b.Networks.Range, "RADIUS that answers no client",
			"Without a client no request from a network gets an answer."),
			"Add a client block, or remove the line: the router itself asks without it."))
	case len(b.Clients) > 0 && !b.Networks.Set:
		diags = append(diags, diag.Help(diag.Error("radius-client", b.Clients[0].Def, "Client without a network",
			"%s answers in no network, so that the router itself alone can ask.", b.Addr),
			"Write networks = [network.NAME] in the radius block."))
	case !b.Networks.Set && !asked(r, b):
		diags = append(diags, diag.Absent(diag.Help(diag.Error("radius-alone", b.Def, "RADIUS that is not asked",
			"The block names no network, and no block of the router itself refers to it."),
			"Write networks and a client block, or radius = radius in an ssid, or remove this block."), diag.AnyBlock))
	case len(b.Users) == 0:
		diags = append(diags, diag.Help(diag.Error("radius-alone", b.Def, "RADIUS that accepts no user",
			"Without a user each request is rejected."), "Add a user block, or remove this one."))
	}
	for _, u := range b.Users {
		diags = append(diags, b.judgeUser(u)...)
	}
	if b.CA.Set && len(b.Users) > 0 && !b.certificates() {
		diags = append(diags, diag.Help(diag.Warning("radius-ca", b.CA.Range, "Authority of no user",
			"No user authenticates by a certificate. That of the router is shown without this one."),
			"Write certificate = true in a user, or remove ca."))
	}
	return append(diags, b.judgeClients(r)...)
}

// asked tells whether a block of the router's own refers to a server.
func asked(r *router.Router, of router.Authenticator) bool {
	return slices.ContainsFunc(router.Claimed[router.Authenticates](r), func(a *router.Authenticates) bool { return a.Of == of })
}

// judgeUser wants a way in.
func (b *RADIUS) judgeUser(u *User) hcl.Diagnostics {
	switch {
	case !u.Password.Set && !u.Certificate.V:
		return hcl.Diagnostics{diag.Help(diag.Error("radius-user", u.Def, "User who cannot authenticate",
			"%q has neither a password nor a certificate.", u.Name.V),
			"Write password = secret.…, or certificate = true.")}
	case u.Certificate.V && !b.CA.Set:
		return hcl.Diagnostics{diag.Help(diag.Error("radius-ca", u.Certificate.Range, "Certificate of no authority",
			"The certificate of %q is judged by that of the authority that has made it, which the radius block does not name.", u.Name.V),
			"Write ca = \"…\" in the radius block.")}
	}
	return nil
}

// judgeClients finds addresses of two clients, of the router itself, and of nowhere.
func (b *RADIUS) judgeClients(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	type place struct {
		block conf.Value[router.Block]
		of    *Client
	}
	var before []place
	for _, c := range b.Clients {
		for _, a := range c.Addresses.Items {
			for _, p := range before {
				if p.of != c && p.block.V.Overlaps(a.V.Prefix) {
					diags = append(diags, diag.With(diag.Help(diag.Error("radius-client", a.Range, "Addresses of two clients",
						"%s and %s of client %q have addresses in common, and there one secret alone would count.", a.V, p.block.V, p.of.Name.V),
						"Write the addresses of this client alone."), p.block.Range, "client %q", string(p.of.Name.V)))
				}
			}
			before = append(before, place{a, c})
			switch i := slices.IndexFunc(b.own(), func(o own) bool { return a.V.Contains(o.Addr) }); {
			case i >= 0:
				diags = append(diags, diag.Help(diag.Error("radius-client", a.Range, "Client that is the router itself",
					"%s has %s, from which the router's own programs ask, by a secret of their own.", a.V, b.own()[i]),
					"Write the addresses of the client alone."))
			case b.Networks.Set && !b.reaches(r, a.V.Prefix):
				diags = append(diags, diag.With(diag.Help(diag.Warning("radius-client-elsewhere", a.Range, "Client in another network",
					"%s is in none of the networks at whose addresses the router answers, and no route leads there by one of them.", a.V),
					"Add the network of the client to networks, or write another address."), b.Networks.Range, "networks"))
			}
		}
	}
	return diags
}

// reaches tells whether hosts with the addresses can be in one of the networks, or behind it.
func (b *RADIUS) reaches(r *router.Router, p netip.Prefix) bool {
	within := func(q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Contains(p.Addr()) }
	for _, n := range b.Networks.All() {
		if slices.ContainsFunc(r.Sources(n), within) {
			return true
		}
		for _, rt := range r.Routes {
			if rt.To.Set && within(rt.To.V.Prefix) && slices.Contains(r.NextHops(rt), n) {
				return true
			}
		}
	}
	return false
}
