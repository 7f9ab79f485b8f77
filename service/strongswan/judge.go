package strongswan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// Judge wants a link of its own, one way to authenticate, another router that can be reached, and
// subnets that are behind the two.
func (b *IPsec) Judge(r *router.Router) hcl.Diagnostics {
	x, ok := b.Link.Target.(*XFRM)
	if !ok {
		return hcl.Diagnostics{diag.Help(diag.Error("ipsec-link", b.Link.Range, "Link that IPsec does not go through",
			"%s is no XFRM interface.", b.Link.Addr),
			"Write an xfrm block, and its name here. Networks are on that.")}
	}
	diags := slices.Concat(b.judgeTwice(r), b.judgeAuthentication(), b.judgeRemote(r, x), b.judgeSubnets())
	return append(diags, b.judgeSize(x)...)
}

// judgeTwice finds two tunnels that charon or the kernel could not tell apart.
func (b *IPsec) judgeTwice(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, k := range router.Claimed[keyed](r) {
		if k.Addr == b.Addr {
			break // of each pair the later one complains
		}
		if k.link == b.Link.Target {
			diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-twice", b.Link.Range, "Link with two tunnels",
				"%s goes through %s already.", b.Link.Addr, k.Addr),
				"Give each tunnel an xfrm link of its own. Several networks behind one router are one tunnel's remote_subnets."), k.From, "%s", k.Addr.String()))
		}
	}
	for _, i := range router.Claimed[identities](r) {
		if i.Addr == b.Addr {
			break
		}
		if i.local == b.LocalID.V && i.remote == b.RemoteID.V {
			diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-twice", b.RemoteID.Range, "Two tunnels between the same two",
				"%s is between %s and %s already. By these strongSwan knows which tunnel and which key is meant, and a router that comes again replaces the tunnel that it has.", i.Addr, i.local, i.remote),
				"Make one tunnel of the two, or give the routers other identities for one of them."), i.From, "%s", i.Addr.String()))
		}
	}
	return diags
}

// judgeAuthentication wants a PSK, or all that certificates need.
func (b *IPsec) judgeAuthentication() hcl.Diagnostics {
	parts := []struct {
		name string
		set  bool
		at   hcl.Range
	}{{"certificate", b.Certificate.Set, b.Certificate.Range}, {"key", b.Key.Set, b.Key.Range}, {"ca", b.CA.Set, b.CA.Range}}
	var first hcl.Range
	missing := ""
	for _, p := range parts {
		switch {
		case p.set:
			first = cmp.Or(first, p.at)
		case missing == "":
			missing = p.name
		}
	}
	some := first != hcl.Range{}
	switch {
	case b.PSK.Set && some:
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("ipsec-authentication", first, "Two ways to authenticate",
			"%s has a psk as well, and the two routers authenticate in one way.", b.Addr),
			"Remove psk, or certificate, key and ca."), b.PSK.Range, "the psk")}
	case !b.PSK.Set && !some:
		return hcl.Diagnostics{diag.Help(diag.Error("ipsec-authentication", b.Def, "No way to authenticate",
			"%s has neither a psk nor a certificate, so neither router knows that the other one is it.", b.Addr),
			"Write psk = a secret that both have, or certificate, key and ca.")}
	case some && missing != "":
		return hcl.Diagnostics{diag.Help(diag.Error("ipsec-authentication", first, "Certificates without "+missing,
			"%s has no %s. A router shows its certificate, signs with the key, and knows the other one's by its ca.", b.Addr, missing),
			"Write %s as well.", missing)}
	}
	if b.LocalID.V == b.RemoteID.V {
		return hcl.Diagnostics{diag.With(diag.Help(diag.Error("ipsec-authentication", b.RemoteID.Range, "Two routers that are one",
			"Both routers would be %s, and what one of them proves could be sent back to it.", b.RemoteID.V),
			"Give each an identity of its own."), b.LocalID.Range, "local_id")}
	}
	return nil
}

// judgeRemote wants another router that the network leads to, or a zone that lets it begin.
func (b *IPsec) judgeRemote(r *router.Router, x *XFRM) hcl.Diagnostics {
	n := x.Network.Target
	if !b.begins() && !b.Remote.V.addr.IsValid() {
		z := r.ZoneOf(n)
		if z != nil && !slices.Contains(z.Allow.All(), "ipsec") {
			return hcl.Diagnostics{diag.With(diag.Absent(diag.Help(diag.Warning("ipsec-silent", cmp.Or(b.Initiate.Range, b.Def), "Tunnel that neither end begins",
				"%s waits for the other router, and %s drops what it sends.", b.Addr, z.Addr),
				"Add \"ipsec\" to the allow of %s, or write remote = the other router's address.", z.Addr), "zone", "allow"), z.Def, "%s", z.Addr.String())}
		}
	}
	remote := b.Remote.V.addr
	if !remote.IsValid() {
		return nil
	}
	var diags hcl.Diagnostics
	if f := b.Remote.V.family(); !n.Has(f) {
		diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-end", b.Remote.Range, "Other router that is out of reach",
			"%s is an address of %s, and the router has none of that in %s.", remote, f, n.Addr),
			"Write an address of the other version, or name another network in %s.", x.Addr), x.Network.Range, "%s", n.Addr.String()))
	}
	if own := r.Owner(remote); own != nil {
		diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-end", b.Remote.Range, "Tunnel to the router itself",
			"%s is the router's own address in %s.", remote, own.Addr),
			"Write the other router's."), own.Def, "%s", own.Addr.String()))
	} else if at := r.NetworkAt(remote); at != nil && at.Link.Target == router.Link(x) {
		diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-end", b.Remote.Range, "Other router inside of the tunnel",
			"%s is in %s, which is reached through %s only.", remote, at.Addr, b.Addr),
			"Write the address by which the other router is reached without it."), at.Def, "%s", at.Addr.String()))
	} else if at != nil && at.Link.Target != n.Link.Target {
		diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-end", b.Remote.Range, "Other router in another network",
			"%s is in %s, and the packets of %s are to leave by %s.", remote, at.Addr, x.Addr, n.Addr),
			"Write network = %s in %s, or the other router's address in %s.", at.Addr, x.Addr, n.Addr), at.Def, "%s", at.Addr.String()))
	}
	for _, to := range b.RemoteSubnets.Items {
		if to.V.Bits() > 0 && to.V.Contains(remote) && r.NetworkAt(remote) == nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-end", to.Range, "Tunnel through itself",
				"%s holds %s, where the encrypted packets go: they would be routed into the tunnel again.", to.V, remote),
				"Write the networks behind the other router without its own address."), b.Remote.Range, "the other router"))
		}
	}
	return diags
}

// judgeSubnets wants subnets of both ends for each version of IP, and each once.
func (b *IPsec) judgeSubnets() hcl.Diagnostics {
	var diags hcl.Diagnostics
	of := func(l conf.List[router.Block], six bool) bool {
		return slices.ContainsFunc(l.Items, func(p conf.Value[router.Block]) bool { return p.V.Addr().Is6() == six })
	}
	for _, list := range []struct {
		name       string
		own, other conf.List[router.Block]
	}{{"local_subnets", b.LocalSubnets, b.RemoteSubnets}, {"remote_subnets", b.RemoteSubnets, b.LocalSubnets}} {
		for i, p := range list.own.Items {
			six := p.V.Addr().Is6()
			j := slices.IndexFunc(list.own.Items[:i], func(o conf.Value[router.Block]) bool { return o.V.Overlaps(p.V.Prefix) })
			switch {
			case j >= 0:
				diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-subnets", p.Range, "Subnet that is there already",
					"%s and %s have addresses in common.", list.own.Items[j].V, p.V),
					"Write each once."), list.own.Items[j].Range, "the first time"))
			case !of(list.other, six):
				diags = append(diags, diag.With(diag.Help(diag.Error("ipsec-subnets", p.Range, "Subnet without an other end",
					"%s is of %s, of which the other end has no subnet: nothing goes between the two.", p.V, version(six)),
					"Remove it, or add the other end's."), list.other.Range, "the other end"))
			}
		}
	}
	return diags
}

func version(six bool) string {
	if six {
		return "IPv6"
	}
	return "IPv4"
}

// judgeSize warns of a link whose packets do not fit when they are encrypted.
func (b *IPsec) judgeSize(x *XFRM) hcl.Diagnostics {
	mtu, _ := router.MTUOf(x)
	carried, _ := router.MTUOf(x.Network.Target.Link.Target)
	most, by := 0, ""
	for _, p := range b.espProposals() {
		if n := overhead(p, b.Remote.V.family()); n > most {
			most, by = n, string(p)
		}
	}
	if mtu+most <= carried {
		return nil
	}
	return hcl.Diagnostics{diag.With(diag.Help(diag.Warning("ipsec-mtu", cmp.Or(x.MTU.Range, b.ESPProposals.Range, b.Def), "Packets that do not fit when they are encrypted",
		"%s has packets of %d bytes, which %s makes up to %d, and %s carries %d. They are sent in fragments, which many a way drops.", x.Addr, mtu, by, mtu+most, x.Network.Addr, carried),
		"Write mtu = %d in %s.", carried-most, x.Addr), cmp.Or(b.ESPProposals.Range, b.Def), "%s", fmt.Sprint(b.Addr))}
}

// ikeProposals and espProposals are those of the spec, or nbr's own.
func (b *IPsec) ikeProposals() []IKEProposal {
	if b.IKEProposals.Set {
		return b.IKEProposals.All()
	}
	return ownIKE
}

func (b *IPsec) espProposals() []ESPProposal {
	if b.ESPProposals.Set {
		return b.ESPProposals.All()
	}
	return ownESP
}
