package frr

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// OSPF is the ospf block.
type OSPF struct {
	conf.Header
	RouterID     conf.Value[RouterID] `hcl:"router_id,required" doc:"Tells the router from all others of the site; one of its IPv4 addresses by custom."`
	Expect       conf.Value[int]      `hcl:"expect,optional" default:"1" doc:"The least number of routes that the router gets by OSPF. With fewer nbr verify fails, neighbours or not."`
	Redistribute []*Redistribution    `hcl:"redistribute,block" doc:"What the neighbours are told of routes that the router has from elsewhere (as type 2 of external routes)."`
	Areas        []*Area              `hcl:"area,block" doc:"A part of the site; 0 is the backbone."`
}

// Area is an area of OSPF (RFC 2328 section 3).
type Area struct {
	conf.Header
	ID       conf.Value[AreaID]         `hcl:"id,label"`
	Networks conf.Refs[*router.Network] `hcl:"networks,optional" doc:"The networks with other routers of the area. Each has one neighbour at least."`
	Passive  conf.Refs[*router.Network] `hcl:"passive,optional" doc:"The networks that the area hears of, where the router does not speak OSPF."`
	BFD      conf.Ref[*BFD]             `hcl:"bfd,optional" doc:"The bfd block by whose times the neighbours in networks are watched: one that BFD no longer hears of is gone at once, and not after 40 seconds of silence."`
	Password conf.Ref[*router.Secret]   `hcl:"password,optional" doc:"The secret that holds the key by which the area's routers know each other (HMAC-SHA-256 with key 1, RFC 5709): one line of 1 to 80 printable ASCII characters without spaces. Where it is missing there are no neighbours. Required on an upstream."`
}

// AreaID is the identifier of an area.
type AreaID struct{ netip.Addr }

// UnmarshalText wants a number, or the form of an IPv4 address.
func (a *AreaID) UnmarshalText(b []byte) error {
	if n, err := strconv.ParseUint(string(b), 10, 32); err == nil {
		var four [4]byte
		binary.BigEndian.PutUint32(four[:], uint32(n))
		a.Addr = netip.AddrFrom4(four)
		return nil
	}
	addr, err := netip.ParseAddr(string(b))
	if err != nil || !addr.Is4() {
		return diag.Advise(fmt.Errorf("%q is no area", b), "write a number, or its form like an address, as in 0.0.0.1")
	}
	a.Addr = addr
	return nil
}

// Describe is what the type is in the schema.
func (AreaID) Describe() string { return "number of an area, or its form like an address" }

// The addresses of all OSPF routers of a link, and of its designated ones (RFC 2328
// section A.1). Databases are exchanged by unicast.
var groups = []netip.Addr{netip.MustParseAddr("224.0.0.5"), netip.MustParseAddr("224.0.0.6")}

// Claim lets OSPF in from the networks with neighbours, and out.
func (o *OSPF) Claim(s *router.Scope) {
	claim(s, protocolOSPF)
	router.Claim(s, o.Def, speaks{protocol: "ospf"})
	measured(s, "ospf")
	s.Kernel(hcl.Range{}, "OSPF", "IP_MULTICAST")
	for _, a := range o.Areas {
		if len(a.Networks.Items) > 0 {
			for _, to := range [][]netip.Addr{groups, nil} {
				router.Claim(s, a.Networks.Range, router.Accept{
					Match:    router.Match{Family: router.IPv4, Protocol: router.OSPF, Groups: to},
					Networks: a.Networks.All(),
				})
			}
			router.Claim(s, a.Networks.Range, router.Emit{Match: router.Match{Family: router.IPv4, Protocol: router.OSPF}, Networks: a.Networks.All()})
		}
		if a.BFD.Set {
			for _, n := range a.Networks.Items {
				watch(s, a.BFD.Range, watched{id: a.Addr.String() + "/bfd/" + n.Addr.String(), profile: a.BFD.Target, network: n.Target})
			}
		}
		if a.Password.Set {
			s.Secret(a.Password.Range, router.SecretUse{Secret: a.Password.Target, For: router.RoutingPassword, Owner: "root", Unit: unit})
		}
	}
}

// Judge finds networks and links that two areas want, or one area for two ends: an interface
// is in one area, and passive or not.
func (o *OSPF) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if o.Expect.V < 0 {
		diags = append(diags, diag.Help(diag.Error("bad-value", o.Expect.Range, "Negative number of routes",
			"expect is how many routes the router gets at least, and %d is less than 0.", o.Expect.V),
			"Write 0 or more; with 0 it is right to get none."))
	}
	if !slices.ContainsFunc(o.Areas, func(a *Area) bool { return len(a.Networks.Items) > 0 }) {
		diags = append(diags, diag.Help(diag.Warning("no-neighbors", o.Def, "OSPF without neighbours",
			"No area of ospf has networks that are not passive, so it meets no other router."),
			"Put a network in which another router is into the networks of an area, or remove the block."))
	}
	diags = append(diags, judgeRedistributed(r, "ospf", o.Redistribute)...)
	type use struct {
		area    *Area
		ref     conf.Ref[*router.Network]
		passive bool
	}
	areas := map[AreaID]*Area{}
	networks := map[*router.Network]use{}
	links := map[router.IfName]use{}
	for _, a := range o.Areas {
		if before := areas[a.ID.V]; before != nil {
			diags = append(diags, diag.With(diag.Help(diag.Error("same-area-twice", a.Def, "One area twice",
				"%s is the area %s already.", before.Addr, a.ID.V),
				"Make one block of the two."), before.Def, "%s", before.Addr.String()))
			continue
		}
		areas[a.ID.V] = a
		if a.BFD.Set && len(a.Networks.Items) == 0 {
			diags = append(diags, diag.Help(diag.Warning("bfd-idle", a.BFD.Range, "BFD that watches no neighbour",
				"%s has no networks with neighbours, so there is nothing to watch.", a.Addr),
				"Put a network with another router into networks, or remove bfd."))
		}
		for i, refs := range [][]conf.Ref[*router.Network]{a.Networks.Items, a.Passive.Items} {
			for _, n := range refs {
				_, fixed := n.Target.FixedIn(router.IPv4)
				device := n.Target.Device()
				before, again := networks[n.Target]
				other, shared := links[device]
				switch {
				case again:
					diags = append(diags, diag.With(diag.Help(diag.Error("network-in-two-areas", n.Range, "Network twice in OSPF",
						"%s is in %s already. A network is in one area, and passive or not.", n.Addr, before.area.Addr),
						"Remove it from one of the two."), before.ref.Range, "%s", before.area.Addr.String()))
				case shared && other.area != a:
					diags = append(diags, diag.With(diag.Help(diag.Error("network-in-two-areas", n.Range, "Two areas on one link",
						"%s is on %s, which is in %s by %s. An interface is in one area.", n.Addr, device, other.area.Addr, other.ref.Addr),
						"Put both networks into one area."), other.ref.Range, "%s", other.area.Addr.String()))
				case shared && other.passive != (i == 1):
					diags = append(diags, diag.With(diag.Help(diag.Error("link-half-passive", n.Range, "Passive and not on one link",
						"%s is on %s, and so is %s. An interface speaks OSPF with all its networks, or with none.", n.Addr, device, other.ref.Addr),
						"Put both networks into networks, or both into passive."), other.ref.Range, "%s", other.ref.Addr.String()))
				case !fixed:
					diags = append(diags, router.NoFixedAddress(n, "OSPFv2 is of the IPv4 networks of the spec.", router.IPv4))
				case i == 0 && n.Target.Upstream() && !a.Password.Set:
					diags = append(diags, router.OnUpstream(diag.Help(diag.Error("routing-on-upstream", n.Range, "Routes from an upstream",
						"%s leads to the Internet, and any host there could say where packets go.", n.Addr),
						"Put it into passive, or give %s a password.", a.Addr), n.Target))
				}
				networks[n.Target] = use{a, n, i == 1}
				links[device] = networks[n.Target]
			}
		}
	}
	return diags
}

// keyChain is the name of the area's keys.
func (a *Area) keyChain() string { return "area-" + a.ID.V.String() }
