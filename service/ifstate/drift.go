package ifstate

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// A class is what a thing is that was seen: the spec's, of a claimed owner (the
// kernel, a daemon), or foreign. Only foreign ones are named.
type class int

const (
	declared class = iota
	dynamic
	foreign
)

// A finding is the things of one sort that were seen.
type finding struct {
	n       [3]int // by class
	foreign []string
}

func (f *finding) add(c class, what string) {
	f.n[c]++
	if c == foreign {
		f.foreign = append(f.foreign, what)
	}
}

// drift adds the checks for what neither the spec nor a claim has.
func (b *Interfaces) drift(r *router.Router, p *verify.Plan) {
	add := func(what, title, hint string, look func(*state.State) (finding, bool)) {
		p.Add(verify.Check{
			ID: b.Addr.String() + "/foreign/" + what, Title: title, From: b.Def,
			Eval: func(st *state.State) verify.Verdict {
				f, seen := look(st)
				if !seen {
					return verify.NotSeen("none", hint)
				}
				got := "none"
				if len(f.foreign) > 0 {
					slices.Sort(f.foreign)
					got = strings.Join(slices.Compact(f.foreign), ", ")
				}
				v := verify.Compare("none", got, hint)
				v.Note = fmt.Sprintf("%d declared, %d dynamic", f.n[declared], f.n[dynamic])
				return v
			},
		})
	}
	add("links", "no undeclared links", "ip -d link", func(st *state.State) (finding, bool) { return b.driftLinks(r, st), st.Links != nil })
	add("addresses", "no undeclared addresses", "ip addr", func(st *state.State) (finding, bool) { return driftAddrs(r, st), st.Addrs != nil })
	add("routes", "no undeclared routes", "ip route", func(st *state.State) (finding, bool) { return driftRoutes(r, st), st.Routes != nil })
	add("rules", "no undeclared routing rules", "ip rule", func(st *state.State) (finding, bool) { return driftRules(r, st), st.Rules != nil })
	add("neighbours", "no undeclared neighbours", "ip neigh show nud permanent", func(st *state.State) (finding, bool) { return driftNeighbours(r, st), st.Neighbours != nil })
	add("listeners", "no undeclared sockets", "ss -lntup", func(st *state.State) (finding, bool) { return b.driftListeners(r, st), st.Listeners != nil })
}

func (b *Interfaces) driftLinks(r *router.Router, st *state.State) (f finding) {
	known := ours(r)
	for name, l := range st.Links {
		switch {
		case known[name]:
			f.add(declared, name)
		case name == "lo" || ownsLink(r, name):
			f.add(dynamic, name)
		default:
			f.add(foreign, strings.TrimSpace(name+" "+l.Kind))
		}
	}
	return f
}

// ours are the names of the links that the spec or the board has.
func ours(r *router.Router) map[string]bool {
	out := map[string]bool{}
	for _, l := range r.Links() {
		out[string(l.LinkName())] = true
	}
	for _, s := range router.Claimed[router.Shape](r) {
		out[string(s.IFB)] = true
	}
	return out
}

func driftAddrs(r *router.Router, st *state.State) (f finding) {
	known := map[string]bool{}
	mine := ours(r)
	mine["lo"], known["lo 127.0.0.1/8"], known["lo ::1/128"] = true, true, true
	for _, n := range r.Networks {
		mine[string(n.Device())] = true
		fixed, _ := n.Split()
		for _, p := range fixed {
			known[string(n.Device())+" "+p.String()] = true
		}
	}
	for _, a := range st.Addrs {
		p, err := netip.ParsePrefix(a.Prefix)
		linkLocal := err == nil && p.Addr().IsLinkLocalUnicast() && p.Addr().Is6() // the kernel's, on every link
		switch {
		case known[a.Link+" "+a.Prefix]:
			f.add(declared, a.Prefix)
		case !mine[a.Link] || linkLocal || err == nil && ownsAddress(r, p, a.Link, a.Dynamic):
			f.add(dynamic, a.Prefix)
		default:
			f.add(foreign, a.Prefix+" on "+a.Link)
		}
	}
	return f
}

func driftRoutes(r *router.Router, st *state.State) (f finding) {
	known := slices.Concat(routes(r), ahead(r))
	for _, rt := range st.Routes {
		switch {
		case slices.ContainsFunc(known, func(k route) bool { return k.is(rt) }):
			f.add(declared, rt.To)
		case advertised(r, st, rt):
			f.add(foreign, routeText(rt))
		case rt.Proto == "kernel" || ownsRoute(r, rt):
			f.add(dynamic, rt.To)
		default:
			f.add(foreign, routeText(rt))
		}
	}
	return f
}

// routeText is as ip route prints it.
func routeText(rt state.Route) string {
	var b strings.Builder
	b.WriteString(strings.TrimSpace(rt.Type + " " + rt.To))
	metric := ""
	if rt.Metric != 0 {
		metric = strconv.Itoa(rt.Metric)
	}
	weight := ""
	if rt.Weight != 0 {
		weight = strconv.Itoa(rt.Weight)
	}
	for _, part := range []struct{ word, value string }{{"via", rt.Via}, {"dev", rt.Link}, {"table", rt.Table}, {"proto", rt.Proto}, {"metric", metric}, {"weight", weight}} {
		if part.value != "" {
			b.WriteString(" " + part.word + " " + part.value)
		}
	}
	return b.String()
}

func driftRules(r *router.Router, st *state.State) (f finding) {
	known := rules(r)
	for _, seen := range st.Rules {
		if slices.ContainsFunc(known, func(k rule) bool { return k.is(seen) }) {
			f.add(declared, seen.Text)
			continue
		}
		if seen.Proto == "kernel" || ownsRule(r, seen) { // of the first VRF
			f.add(dynamic, seen.Text)
			continue
		}
		f.add(foreign, fmt.Sprintf("%d: %s", seen.Priority, seen.Text))
	}
	return f
}

// driftNeighbours finds entries that were set by hand: with one a packet goes where
// no host has asked for it. Tunnels and the like have their own.
func driftNeighbours(r *router.Router, st *state.State) (f finding) {
	mine := ours(r)
	for _, n := range st.Neighbours {
		switch {
		case n.State != "PERMANENT" || !mine[n.Link]:
			f.add(dynamic, n.Address)
		default:
			f.add(foreign, fmt.Sprintf("%s is %s on %s", n.Address, n.MAC, n.Link))
		}
	}
	return f
}

// driftListeners finds sockets that can be reached over the network and that no block
// claimed. Clients wait for answers on UDP ports that the kernel chooses
// (net.ipv4.ip_local_port_range), and so do tunnels that name none.
func (b *Interfaces) driftListeners(r *router.Router, st *state.State) (f finding) {
	const ephemeral = 32768
	tunnels := map[int]bool{}
	for _, l := range r.Made {
		if w, ok := st.WireGuard[string(l.LinkName())]; ok && l.Spec().WireGuard != nil {
			tunnels[w.ListenPort] = true
		}
	}
	for _, l := range st.Listeners {
		a, err := netip.ParseAddr(l.Address)
		switch {
		case claimed(r, l) || l.Protocol == "udp" && l.Program == "" && tunnels[l.Port]:
			f.add(declared, l.Program)
		case err == nil && a.IsLoopback() || l.Protocol == "udp" && l.Port >= ephemeral && l.Program != "" || b.expects(l) || ownsSocket(r, l.Program):
			f.add(dynamic, l.Program)
		default:
			f.add(foreign, strings.TrimSpace(fmt.Sprintf("%s/%d %s", l.Protocol, l.Port, l.Program)))
		}
	}
	return f
}

// expects tells whether the spec knows a socket of a program that nbr does not.
func (b *Interfaces) expects(l state.Listener) bool {
	return slices.Contains(b.Listeners.All(), Socket(fmt.Sprintf("%s/%d", l.Protocol, l.Port)))
}

func claimed(r *router.Router, l state.Listener) bool {
	return slices.ContainsFunc(router.Claimed[router.Listen](r), func(c *router.Listen) bool { return c.Protocol.String() == l.Protocol && c.Ports().Contains(l.Port) }) ||
		slices.ContainsFunc(router.Claimed[router.Accept](r), func(a *router.Accept) bool {
			return a.Protocol.String() == l.Protocol && a.Ports.Contains(l.Port)
		}) ||
		slices.ContainsFunc(router.Claimed[router.OwnPorts](r), func(o *router.OwnPorts) bool {
			unseen := l.Program == "" && o.Ports.First == o.Ports.Last // in a range it could be any program's
			return o.Protocol.String() == l.Protocol && o.Ports.Contains(l.Port) && (unseen || l.Program == o.Program)
		})
}
