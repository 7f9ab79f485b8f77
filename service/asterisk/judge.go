package asterisk

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// fixed is why a network of phones needs a fixed address.
const fixed = "Phones register at the router's address in their network."

// Judge judges the exchange by itself and among the router's zones.
func (b *PBX) Judge(r *router.Router) hcl.Diagnostics {
	diags := router.JudgeServed(b.Networks, fixed, func(n conf.Ref[*router.Network]) *hcl.Diagnostic {
		return diag.Help(diag.Error("pbx-outside", n.Range, "Telephone exchange for the Internet",
			"%s is an upstream: all the world could try passwords, and call at your cost with the first that fits.", n.Target.Addr),
			"Take it out of networks. A phone outside comes in by a tunnel (wireguard), and the network of that can be one of networks.")
	})
	if len(b.Extensions) == 0 {
		return append(diags, diag.Help(diag.Error("pbx-empty", b.Def, "Telephone exchange without a phone",
			"No extension is there, so nothing rings."), `Add one, as in extension "anna" { number = "11" ... }.`))
	}
	diags = append(diags, b.judgeNames()...)
	diags = append(diags, b.judgeNumbers()...)
	diags = append(diags, b.judgeExtensions()...)
	diags = append(diags, b.judgePorts()...)
	diags = append(diags, b.judgeTrunks(r)...)
	return diags
}

// A member is an extension, a group or a trunk.
type member struct {
	kind string
	name conf.Value[router.Name]
	def  hcl.Range
	num  conf.Value[Number] // of a trunk none
}

func (b *PBX) members() []member {
	var out []member
	for _, e := range b.Extensions {
		out = append(out, member{"extension", e.Name, e.Def, e.Number})
	}
	for _, g := range b.Groups {
		out = append(out, member{"group", g.Name, g.Def, g.Number})
	}
	for _, t := range b.Trunks {
		out = append(out, member{"trunk", t.Name, t.Def, conf.Value[Number]{}})
	}
	return out
}

// judgeNames finds two that Asterisk could not tell apart, and names that nothing has.
func (b *PBX) judgeNames() hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[router.Name]member{}
	for _, m := range b.members() {
		before, twice := first[m.name.V]
		switch {
		case !twice:
			first[m.name.V] = m
		case before.kind != m.kind: // two of one kind have been told
			diags = append(diags, diag.With(diag.Help(diag.Error("pbx-name-twice", m.def, "Name of another one",
				"%s %q of the exchange has this name already, and calls are led and shown by these names.", before.kind, m.name.V),
				"Give one of them another name."), before.def, "%s %q", before.kind, string(before.name.V)))
		}
	}
	var extensions, ringing []string
	for _, e := range b.Extensions {
		extensions = append(extensions, string(e.Name.V))
	}
	ringing = slices.Clone(extensions)
	for _, g := range b.Groups {
		ringing = append(ringing, string(g.Name.V))
	}
	known := func(name conf.Value[router.Name], among []string, what string) {
		if !slices.Contains(among, string(name.V)) {
			diags = append(diags, diag.Help(diag.Error("pbx-no-such-phone", name.Range, "Phone that is not there",
				"No %s is called %q.", what, name.V),
				"%s", cmp.Or(diag.Suggest(string(name.V), among), fmt.Sprintf("Add it, or name one that is there: %s.", listed(among)))))
		}
	}
	for _, g := range b.Groups {
		for _, name := range g.Extensions.Items {
			known(name, extensions, "extension")
		}
	}
	for _, t := range b.Trunks {
		known(t.To, ringing, "extension or group")
	}
	return diags
}

// listed are at most five names.
func listed(names []string) string {
	const most = 5
	out := ""
	for i, n := range names {
		switch {
		case i == most:
			return out + ", …"
		case i > 0:
			out += ", "
		}
		out += n
	}
	return out
}

// judgeNumbers finds numbers that mean two things.
func (b *PBX) judgeNumbers() hcl.Diagnostics {
	var diags hcl.Diagnostics
	first := map[Number]member{}
	for _, m := range b.members() {
		if m.kind == "trunk" {
			continue
		}
		if before, twice := first[m.num.V]; twice {
			diags = append(diags, diag.With(diag.Help(diag.Error("pbx-number-twice", m.num.Range, "Number of another phone",
				"%s %q has the number %s already.", before.kind, before.name.V, m.num.V),
				"Give one of them another number."), before.num.Range, "%s %q", before.kind, string(before.name.V)))
			continue
		}
		first[m.num.V] = m
		for _, e := range b.Emergency.Items {
			if m.num.V == e.V || b.Prefix.Set && m.num.V == b.Prefix.V+e.V {
				d := diag.Help(diag.Error("pbx-number-twice", m.num.Range, "Number of an emergency service",
					"Who dials %s would call %s %q, and no help.", m.num.V, m.kind, m.name.V), "Give it another number.")
				if b.Emergency.Set {
					diag.With(d, e.Range, "the emergency number")
				}
				diags = append(diags, d)
			}
		}
	}
	return diags
}

// judgeExtensions wants to know in which network each phone is.
func (b *PBX) judgeExtensions() hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, e := range b.Extensions {
		switch {
		case !e.Network.Set && len(b.Networks.Items) > 1:
			diags = append(diags, diag.With(diag.Help(diag.Error("pbx-phone-network", e.Def, "Phone in one of several networks",
				"A phone may register from its own network alone, and extension %q does not say in which it is.", e.Name.V),
				"Write network = %s, or another one of them.", b.Networks.Items[0].Addr), b.Networks.Range, "networks of phones"))
		case e.Network.Set && !conf.Has(b.Networks, e.Network.Target):
			diags = append(diags, diag.With(diag.Help(diag.Error("pbx-phone-network", e.Network.Range, "Phone in a network without an exchange",
				"The exchange does not listen in %s.", e.Network.Target.Addr),
				"Add it to networks, or name one of these."), b.Networks.Range, "networks of phones"))
		}
	}
	return diags
}

// fewest is the smallest range of ports for voice: of four calls.
const fewest = 16

// judgePorts finds sockets in each other's way.
func (b *PBX) judgePorts() hcl.Diagnostics {
	var diags hcl.Diagnostics
	at := cmp.Or(b.Media.Range, b.TrunkPort.Range, b.Port.Range, b.Def)
	if n := int(b.Media.V.Last) - int(b.Media.V.First) + 1; n < fewest {
		diags = append(diags, diag.Help(diag.Error("pbx-ports", at, "Too few ports for voice",
			"%s are %d ports, and each call takes four.", b.Media.V, n),
			"Write %d of them at least.", fewest))
	}
	for _, p := range []struct {
		name string
		port conf.Value[router.Port]
	}{{"port", b.Port}, {"trunk_port", b.TrunkPort}} {
		if b.Media.V.Contains(int(p.port.V)) {
			diags = append(diags, diag.Help(diag.Error("pbx-ports", cmp.Or(p.port.Range, at), "Port that is for voice",
				"%s is %d, which is one of the ports for voice (%s).", p.name, p.port.V, b.Media.V),
				"Write another port, or other ones in media."))
		}
	}
	if len(b.Trunks) > 0 && b.TrunkPort.V == b.Port.V {
		diags = append(diags, diag.Help(diag.Error("pbx-ports", cmp.Or(b.TrunkPort.Range, b.Port.Range, b.Def), "One port for phones and for providers",
			"Phones and providers would come to one socket, at port %d.", b.Port.V),
			"Write another port in trunk_port."))
	}
	return diags
}

// judgeTrunks finds trunks that lead nowhere, and those that are open to all the world.
func (b *PBX) judgeTrunks(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if len(b.Trunks) == 0 {
		switch {
		case b.Prefix.Set:
			diags = append(diags, diag.Help(diag.Error("pbx-no-trunk", b.Prefix.Range, "Prefix that leads nowhere",
				"There is no trunk, so no number is outside."), "Add a trunk, or remove prefix."))
		case len(b.Emergency.Items) > 0:
			diags = append(diags, diag.Help(diag.Warning("pbx-no-trunk", cmp.Or(b.Emergency.Range, b.Def), "Phones that reach no emergency service",
				"There is no trunk: who dials %s hears that there is no such number.", b.Emergency.Items[0].V),
				"Add a trunk. If these phones are for calls in the house alone, say so: emergency = []."))
		}
	}
	for i, t := range b.Trunks {
		if n := t.Network.Target; !n.Has(t.family()) {
			diags = append(diags, diag.With(diag.Help(diag.Error("pbx-trunk-network", t.Network.Range, "Provider out of reach",
				"%s has no address of %s, by which %s is reached.", n.Addr, t.family(), t.Server.V.Host),
				"Name the network that leads to the provider."), n.Def, "%s", n.Addr.String()))
		}
		for _, p := range t.From.Items {
			if least := map[bool]int{false: 8, true: 16}[p.V.Addr().Is6()]; p.V.Bits() < least {
				diags = append(diags, diag.Help(diag.Error("pbx-open", p.Range, "Exchange that is open to the Internet",
					"%s is no list of a provider's addresses: any host there makes phones ring, without a password.", p.V),
					"Write the addresses that the provider names."))
			}
			if other, q := sourceOf(b.Trunks[:i], p.V); other != nil {
				diags = append(diags, diag.With(diag.Help(diag.Error("pbx-from-twice", p.Range, "Addresses of two trunks",
					"%s and %s of trunk %q have addresses in common: a call from there rings where one of the two says, whichever line it is for.", p.V, q.V, other.Name.V),
					"Leave from away, so that calls are known by the registration, or write addresses that are of this line alone."), q.Range, "trunk %q", string(other.Name.V)))
			}
		}
	}
	for _, z := range r.Zones {
		for _, a := range z.Allow.Items {
			if string(a.V) == trunks && len(b.Trunks) > 0 {
				diags = append(diags, diag.With(diag.Help(diag.Error("pbx-open", a.Range, "Exchange that is open to all",
					"SIP would be open to each address of %s, without TLS and without a list of addresses.", z.Addr),
					"Take it out. If the provider's calls do not come by the registration, write its addresses in from of the trunk."), b.Def, "%s", b.Addr.String()))
			}
		}
	}
	return diags
}

// sourceOf is the first of some trunks that calls come to from an address of a block, and the block of that
// trunk; nil if there is none.
func sourceOf(ts []*Trunk, p router.Block) (*Trunk, conf.Value[router.Block]) {
	for _, t := range ts {
		for _, q := range t.From.Items {
			if q.V.Overlaps(p.Prefix) {
				return t, q
			}
		}
	}
	return nil, conf.Value[router.Block]{}
}
