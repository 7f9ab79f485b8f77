package strongswan

import (
	"fmt"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// XFRMKind is the xfrm block.
func XFRMKind() service.Kind {
	return service.Kind{
		Type: "xfrm", Doc: "An XFRM interface: what is routed there is encrypted by the IPsec of its identifier, which an ipsec block negotiates; networks can be on it.",
		Software: "Linux",
		Example:  example,
		New:      func() service.Block { return &XFRM{} },
	}
}

// XFRM is the xfrm block. Its label is the interface's name.
type XFRM struct {
	conf.Header
	Name    conf.Value[router.IfName] `hcl:"name,key"`
	ID      conf.Value[InterfaceID]   `hcl:"if_id,required" doc:"The identifier of the interface, which only this router knows: IPsec with it belongs to the interface."`
	Network conf.Ref[*router.Network] `hcl:"network,required" doc:"The network that carries the encrypted packets."`
	MTU     conf.Value[router.MTU]    `hcl:"mtu,optional" doc:"Largest packet in bytes. Without it 110 bytes less than the link of the network carries, which leaves room for ESP as nbr itself proposes it, over IPv6 and with NAT on the way."`
	Alias   conf.Value[router.Alias]  `hcl:"alias,optional" doc:"What it is for, in words of your own, as ip link and SNMP (ifAlias) show them."`
}

// InterfaceID is the identifier of an XFRM interface.
type InterfaceID int

// UnmarshalText wants a number that the kernel takes (xfrmi_newlink in
// net/xfrm/xfrm_interface_core.c): 0 is none.
func (i *InterfaceID) UnmarshalText(b []byte) error {
	return conf.Between(i, b, "identifier of an XFRM interface", 1, 1<<32-1, "")
}

// Describe is what the type is in the schema.
func (InterfaceID) Describe() string { return "identifier of an XFRM interface" }

// LinkName is the interface's name.
func (x *XFRM) LinkName() router.IfName { return x.Name.V }

// around is what is left free for ESP: the overhead of each proposal of nbr's own fits.
const around = 110

// least is what ESP adds at least: over IPv4, without NAT on the way and with AES-GCM. A link that says how
// large its packets are is judged by its ipsec block, which knows more.
const least = 20 + 8 + 8 + 2 + 16

// Spec is the interface as the kernel has it. The link below is not the kernel's IFLA_XFRM_LINK,
// which is of no effect but for offload: packets leave by the route to the other end.
func (x *XFRM) Spec() router.LinkSpec {
	free := around
	if x.MTU.Set {
		free = least
	}
	return router.LinkSpec{
		Kind: "xfrm", Via: x.Network.Target.Link, Overhead: free, Alias: x.Alias, MTU: x.MTU, IPOnly: true,
		Attributes: []router.LinkAttribute{{Name: "xfrm_if_id", Value: int(x.ID.V)}},
	}
}

// A taken identifier is one that an interface has.
type taken struct {
	router.By
	id InterfaceID
}

// Claim claims the kernel's driver and the identifier.
func (x *XFRM) Claim(s *router.Scope) {
	s.Kernel(hcl.Range{}, "XFRM interfaces", "XFRM_INTERFACE")
	router.Claim(s, x.ID.Range, taken{id: x.ID.V})
}

// Judge wants an identifier of its own, and an ipsec block.
func (x *XFRM) Judge(r *router.Router) hcl.Diagnostics {
	var diags hcl.Diagnostics
	for _, t := range router.Claimed[taken](r) {
		if t.Addr == x.Addr {
			break // of each pair the later one complains
		}
		if t.id == x.ID.V { // xfrmi_locate
			diags = append(diags, diag.With(diag.Help(diag.Error("xfrm-twice", x.ID.Range, "Identifier taken",
				"%s has the identifier %d already, and the kernel refuses a second interface with it.", t.Addr, x.ID.V),
				"Give one of them another if_id."), t.From, "%s", t.Addr.String()))
		}
	}
	if !slices.ContainsFunc(router.Claimed[keyed](r), func(k *keyed) bool { return k.link == router.Link(x) }) {
		diags = append(diags, diag.Absent(diag.Help(diag.Warning("xfrm-without-ipsec", x.Def, "Interface that nothing is encrypted for",
			"No ipsec block has link = %s, so all that is routed there is dropped.", x.Addr),
			"Write an ipsec block with it, or remove the interface."), "ipsec"))
	}
	return diags
}

// Checks ask for the identifier. That the link is there, and of its kind and MTU, is checked of
// every link.
func (x *XFRM) Checks(_ *router.Router, p *verify.Plan) {
	name, want := string(x.Name.V), fmt.Sprint(x.ID.V)
	hint := "ip -d link show " + name
	p.Add(verify.Check{ID: x.Addr.String() + "/if_id", Title: "identifier of " + name, From: x.ID.Range, Eval: func(st *state.State) verify.Verdict {
		l, ok := st.Links[name]
		switch {
		case st.Links == nil:
			return verify.NotSeen(want, hint)
		case !ok:
			return verify.Missing(want, hint)
		case l.XFRM == nil:
			return verify.Compare(want, "no XFRM interface", hint)
		}
		return verify.Compare(want, fmt.Sprint(l.XFRM.ID), hint)
	}})
}
