// Package graph is the network of a router as a diagram: links and what stands on what,
// networks with their addresses and services, zones and what may pass between them, and the
// hosts that the spec knows. It makes one model of a router, and writes it as SVG, as DOT
// (Graphviz) or for Mermaid. What a service claims of the router, and the networks that its
// blocks name, are all that it knows of services.
package graph

import (
	"strings"
	"unicode"
)

// A Graph is the model: nodes, the zones that group them, and edges.
type Graph struct {
	Name  string   // of the router
	Facts []string // what the machine is
	Text  string   // what the router is for; empty if the spec does not say
	// Groups are the zones, those of upstreams first; the last one may be that of the
	// networks without a zone.
	Groups []*Group
	Nodes  []*Node // in the order of the spec, of each kind
	Edges  []Edge
}

// A Group is a zone: the networks that the firewall treats alike.
type Group struct {
	Addr     string // the block's address, empty for the networks without a zone
	Name     string
	Upstream bool // one of its networks leads to the Internet
}

// A NodeKind is what a node stands for.
type NodeKind uint8

// The kinds of nodes.
const (
	Link    NodeKind = iota // an interface
	Network                 // in a group
	Host                    // who or what is behind the router in a network
	Way                     // a policy or a port forward: what may pass
)

// A Node is one thing of the diagram.
type Node struct {
	Kind  NodeKind
	Addr  string // the address of the block that it stands for
	Name  string
	Aside string   // what stands beside the name: the sort of a link, the domain of a network, the verdict of a way
	Notes []string // what else there is to say of it, a line each
	// Group is the zone of a network and of the hosts in it, nil for others.
	Group    *Group
	Network  *Node     // that a host is in
	Services []Service // of a network
	Outside  bool      // a host that is the Internet
	Idle     bool      // a link that nothing is on
	Verdict  Verdict   // of a way
	Base     bool      // a link that is hardware
}

// A Service is a program of the router that a network sees.
type Service struct {
	Name   string
	Ports  []string // as in udp/53; empty if the service has none, or does not say
	Closed bool     // it listens, and no zone lets anything get there
}

// String is the service with its ports.
func (s Service) String() string {
	text := strings.Join(append([]string{s.Name}, s.Ports...), " ")
	if s.Closed {
		text += " (closed)"
	}
	return text
}

// A Verdict is what becomes of packets that a way is for.
type Verdict string

// The verdicts: those of policies, and that of port forwards.
const (
	Accept  Verdict = "accept"
	Drop    Verdict = "drop"
	Reject  Verdict = "reject"
	Forward Verdict = "forward"
)

// An EdgeKind is how the ends of an edge belong together.
type EdgeKind uint8

// The kinds of edges.
const (
	Carries EdgeKind = iota // a link carries another one, or a network
	Over                    // the frames of a link pass through a network
	Holds                   // a host is in a network
	From                    // packets come from there to a way
	To                      // they go there from a way
)

// An Edge leads from one end to the other, which are nodes or groups.
type Edge struct {
	Kind     EdgeKind
	From, To End
}

// An End is a *Node or a *Group.
type End interface{ end() }

func (*Node) end()  {}
func (*Group) end() {}

// texts are all texts of the graph that come from the spec.
func (g *Graph) texts() []*string {
	out := []*string{&g.Name, &g.Text}
	list := func(in []string) {
		for i := range in {
			out = append(out, &in[i])
		}
	}
	list(g.Facts)
	for _, z := range g.Groups {
		out = append(out, &z.Addr, &z.Name)
	}
	for _, n := range g.Nodes {
		out = append(out, &n.Addr, &n.Name, &n.Aside)
		list(n.Notes)
		for i := range n.Services {
			out = append(out, &n.Services[i].Name)
		}
	}
	return out
}

// clean is a text on one line, of characters that show: no control characters, none that
// turn the direction of writing, and none that XML does not have.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Bidi_Control, unicode.Noncharacter_Code_Point):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// of are the nodes of a kind.
func (g *Graph) of(k NodeKind) []*Node {
	var out []*Node
	for _, n := range g.Nodes {
		if n.Kind == k {
			out = append(out, n)
		}
	}
	return out
}
