// Package router is the typed core of a spec: the machine, its links, networks,
// zones and policies, what the services claim of them, and the rules that the
// router as a whole must keep. It knows no program and no Nix.
package router

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Router is one spec, decoded and linked: the blocks that are sound.
type Router struct {
	*System
	Board        *Board
	Added        []*BoardPort // of port blocks, those that the board does not have by itself
	Changed      []*BoardPort // of port blocks, those that it has
	Made         []Link       // links that blocks make or name, in the order of the spec
	Networks     []*Network
	Hosts        []*Host
	Services     []*Service
	Sets         []*AddressSet
	Prefixes     []*Prefix
	Routes       []*Route
	RoutingRules []*RoutingRule
	Zones        []*Zone
	Schedules    []*Schedule
	Policies     []*Policy
	PortForwards []*PortForward
	StaticNATs   []*StaticNAT
	PrefixNATs   []*PrefixNAT
	Secrets      []*Secret
	Inputs       []*Input
	FS           fs.FS             // the spec's folder
	Files        map[string][]byte // what the spec names there, as it was judged
	claims       claims
	masters      map[Link]Link   // by port; nil until it is asked for
	vrfPorts     map[IfName]bool // likewise
	index        *index          // nil until it is asked for
	byClaim      *claimIndex     // likewise
}

// index answers what is asked for each network, host and route of a spec without a walk through
// all of the others.
type index struct {
	zones    map[Link]*Zone // the zone that has a link
	networks map[*Zone][]*Network
	hosts    map[*Network][]*Host
	fixed    []fixed
	owners   map[netip.Addr]*Network // by the router's own fixed address
	blocks   map[netip.Prefix]fixed  // by masked prefix
	lengths  []int                   // of these, the longest first
	services map[ServiceName]*Service
}

func (r *Router) lookUp() *index {
	if r.index != nil {
		return r.index
	}
	x := &index{
		zones: map[Link]*Zone{}, networks: map[*Zone][]*Network{}, hosts: map[*Network][]*Host{},
		owners: map[netip.Addr]*Network{}, blocks: map[netip.Prefix]fixed{}, services: map[ServiceName]*Service{},
	}
	for _, s := range r.Services {
		x.services[s.Name.V] = s
	}
	for _, h := range r.Hosts {
		x.hosts[h.Network.Target] = append(x.hosts[h.Network.Target], h)
	}
	r.index = x
	named := map[*Zone]map[*Network]bool{}
	for _, z := range r.Zones {
		named[z] = map[*Network]bool{}
		for _, n := range z.Networks.All() {
			named[z][n] = true
			if x.zones[n.Link.Target] == nil { // a second zone has been told
				x.zones[n.Link.Target] = z
			}
		}
		x.networks[z] = z.Networks.All()
	}
	for _, n := range r.Networks {
		if z := x.zones[n.Link.Target]; z != nil && !named[z][n] {
			x.networks[z] = append(x.networks[z], n)
		}
		for _, a := range n.Addresses() {
			if how, ok := a.How.(Fixed); ok {
				x.addFixed(fixed{how.Prefix, a.From, n})
			}
		}
	}
	slices.Sort(x.lengths)
	slices.Reverse(x.lengths)
	return x
}

// addFixed adds a block. Of two that are equal the first one counts, and the second has been told.
func (x *index) addFixed(f fixed) {
	x.fixed = append(x.fixed, f)
	if x.owners[f.p.Addr()] == nil {
		x.owners[f.p.Addr()] = f.n
	}
	if _, earlier := x.blocks[f.p.Masked()]; !earlier {
		x.blocks[f.p.Masked()] = f
	}
	if !slices.Contains(x.lengths, f.p.Bits()) {
		x.lengths = append(x.lengths, f.p.Bits())
	}
}

// Input is the spec's input of this name, or nil.
func (r *Router) Input(name Name) *Input {
	for _, in := range r.Inputs {
		if in.Name.V == name {
			return in
		}
	}
	return nil
}

// ZoneOf is the zone that a network is in, or nil. The firewall tells zones apart by
// interface, so a network that no zone names is in that of the others on its link.
func (r *Router) ZoneOf(n *Network) *Zone { return r.lookUp().zones[n.Link.Target] }

// NetworksOf are the networks of a zone: those that it names, and then the others on their
// links.
func (r *Router) NetworksOf(z *Zone) []*Network { return slices.Clone(r.lookUp().networks[z]) }

// NetworkAt is the network with a fixed address whose block holds a, or nil. Where the
// router's address comes later it cannot be told whose block holds a.
func (r *Router) NetworkAt(a netip.Addr) *Network {
	f, _ := r.blockOf(netip.PrefixFrom(a, a.BitLen()))
	return f.n
}

// blockOf is the smallest fixed block that holds all of p.
func (r *Router) blockOf(p netip.Prefix) (fixed, bool) {
	x := r.lookUp()
	for _, length := range x.lengths {
		if block, err := p.Addr().Prefix(length); err == nil && length <= p.Bits() {
			if f, ok := x.blocks[block]; ok {
				return f, true
			}
		}
	}
	return fixed{}, false
}

// OwnNames are the names of the router itself, in lower case: the one of the spec, and that in
// the domain of each of its networks.
func (r *Router) OwnNames() []string {
	own := strings.ToLower(string(r.System.Name.V))
	out := []string{own}
	for _, n := range r.Networks {
		if n.Domain.Set {
			out = append(out, own+"."+strings.ToLower(string(n.Domain.V)))
		}
	}
	return out
}

// Owner is the network in which a is the router's own fixed address, or nil.
func (r *Router) Owner(a netip.Addr) *Network { return r.lookUp().owners[a] }

// Devices are the interfaces of the networks, each once, in the networks' order.
func Devices(ns []*Network) []IfName {
	var out []IfName
	for _, n := range ns {
		if d := n.Device(); !slices.Contains(out, d) {
			out = append(out, d)
		}
	}
	return out
}

// ResolveBoard finds the board of the spec and judges the memory against it. Of a
// router block that is not sound nothing is missed.
func (r *Router) ResolveBoard(boards []*Board, sound bool) hcl.Diagnostics {
	ids := make([]string, len(boards))
	for i, b := range boards {
		ids[i] = b.ID
		if b.ID == r.BoardID.V {
			r.Board = b
		}
	}
	if r.Board == nil {
		if !r.BoardID.Set {
			return nil // said already: a required argument is missing
		}
		hint := diag.Suggest(r.BoardID.V, ids)
		if hint == "" {
			hint = "It could be " + strings.Join(ids, ", ") + "."
		}
		return hcl.Diagnostics{diag.Respell(diag.Help(diag.Error("no-such-board", r.BoardID.Range, "No such board",
			"nbr does not know the board %q.", r.BoardID.V), "%s", hint), r.BoardID.Range, hint)}
	}
	if len(r.Board.Memory) == 0 {
		if r.Memory.Set && r.Memory.V < leastMemory {
			return hcl.Diagnostics{diag.Help(diag.Error("no-such-memory", r.Memory.Range, "No such memory size",
				"NixOS does not start with %s.", r.Memory.V),
				"Write %s or more, or remove the line.", Size(leastMemory))}
		}
		return nil
	}
	if !r.Memory.Set {
		if !sound {
			return nil // it may have been refused, or misspelled
		}
		if len(r.Board.Memory) == 1 {
			r.Memory.V = r.Board.Memory[0].Size
			return nil
		}
		return hcl.Diagnostics{diag.Help(diag.Error("memory-not-said", r.BoardID.Range, "How much memory?",
			"The %s is sold with %s, and its firmware has to know.", r.Board.Name, sizes(r.Board)),
			"Say which: memory = %q.", r.Board.Memory[0].Size)}
	}
	if _, ok := r.Board.MemoryOf(r.Memory.V); !ok {
		return hcl.Diagnostics{diag.Help(diag.Error("no-such-memory", r.Memory.Range, "No such memory size",
			"The %s is sold with %s, not with %s.", r.Board.Name, sizes(r.Board), r.Memory.V),
			"Write one of these sizes.")}
	}
	return nil
}

// leastMemory is what NixOS needs to start: its initrd alone has some 100 MiB unpacked.
const leastMemory = 512 << 20

func sizes(b *Board) string {
	var s []string
	for _, m := range b.Memory {
		s = append(s, m.Size.String())
	}
	return diag.List(s)
}

func errNotService(b []byte) error {
	return diag.Advise(fmt.Errorf("%q is no name of a service", b), "write one such as ssh, dns or dhcp")
}

// FlakeURL is a flake reference.
type FlakeURL string

var flakeRE = regexp.MustCompile(`^(github|gitlab|sourcehut|git\+https|git\+ssh|git\+file|https|path|tarball\+https|file\+https):[A-Za-z0-9_.~:/?#@!&=+%-]+$`)

func (u *FlakeURL) UnmarshalText(b []byte) error {
	if !flakeRE.Match(b) {
		return diag.Advise(errors.New("this is no flake reference"), "write one such as github:nakato/nixos-sbc/main")
	}
	*u = FlakeURL(b)
	return nil
}

// Describe is what the type is in the schema.
func (FlakeURL) Describe() string { return "flake reference" }
