package ifstate

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// driversUnit tells ports' drivers what they are to do, by ethtool(8). IfState would for cards, and
// drops it without a word for ports of a switch (Link.__new__ in libifstate/link/base.py, up to 2.5.1);
// what it told once it takes for done, whatever the driver does. It gives links their aliases, too:
// the kernel takes none for a link that is being made (rtnl_create_link in net/core/rtnetlink.c), so
// IfState would make the link without, and the next time take it down, or make it anew.
const driversUnit = "nbr-drivers"

// A setting is what a driver is told of one kind of things, in the words of ethtool(8).
type setting struct {
	id    string // the attribute of the port block
	title string
	group string // the function of drivers.sh: rings, coalesce
	word  string // of ethtool(8)
	want  string
	from  hcl.Range
	got   func(state.Driver) string
}

// settings of numbers and of what is on or off; empty is what the driver has not.
func driverSettings(p *router.BoardPort) []setting {
	var out []setting
	number := func(set bool, v int, from hcl.Range, id, title, group, word string, got func(state.Driver) *int) {
		if set {
			out = append(out, setting{id, title, group, word, fmt.Sprint(v), from, func(d state.Driver) string {
				if n := got(d); n != nil {
					return fmt.Sprint(*n)
				}
				return ""
			}})
		}
	}
	number(p.RxRing.Set, int(p.RxRing.V), p.RxRing.Range, "rx_ring", "ring of received packets", "rings", "rx", func(d state.Driver) *int { return d.RxRing })
	number(p.TxRing.Set, int(p.TxRing.V), p.TxRing.Range, "tx_ring", "ring of packets to send", "rings", "tx", func(d state.Driver) *int { return d.TxRing })
	onOff := func(set, v bool, from hcl.Range, id, title, word string, got func(state.Driver) string) {
		if set {
			out = append(out, setting{id, title, "coalesce", word, verify.OnOff(v), from, got})
		}
	}
	onOff(p.AdaptiveRx.Set, p.AdaptiveRx.V, p.AdaptiveRx.Range, "adaptive_rx", "adaptive interrupts for received packets", "adaptive-rx", func(d state.Driver) string { return d.AdaptiveRx })
	onOff(p.AdaptiveTx.Set, p.AdaptiveTx.V, p.AdaptiveTx.Range, "adaptive_tx", "adaptive interrupts for sent packets", "adaptive-tx", func(d state.Driver) string { return d.AdaptiveTx })
	number(p.RxUsecs.Set, int(p.RxUsecs.V), p.RxUsecs.Range, "rx_usecs", "microseconds until the interrupt for received packets", "coalesce", "rx-usecs", func(d state.Driver) *int { return d.RxUsecs })
	number(p.RxFrames.Set, int(p.RxFrames.V), p.RxFrames.Range, "rx_frames", "received packets until the interrupt", "coalesce", "rx-frames", func(d state.Driver) *int { return d.RxFrames })
	number(p.TxUsecs.Set, int(p.TxUsecs.V), p.TxUsecs.Range, "tx_usecs", "microseconds until the interrupt for sent packets", "coalesce", "tx-usecs", func(d state.Driver) *int { return d.TxUsecs })
	number(p.TxFrames.Set, int(p.TxFrames.V), p.TxFrames.Range, "tx_frames", "sent packets until the interrupt", "coalesce", "tx-frames", func(d state.Driver) *int { return d.TxFrames })
	return out
}

// told are the lines of the script for a link: its alias, and what its driver is to do.
func told(r *router.Router, l router.Link) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf("  "+format+"\n", args...)) }
	name := l.LinkName()
	if alias := l.Spec().Alias; alias.Set {
		add("alias_of %s %s", name, quoted(string(alias.V)))
	}
	p, ok := l.(*router.BoardPort)
	if !ok {
		return out
	}
	if !used(r, p) {
		return nil
	}
	if p.Rate.Set {
		add("speed %s %d %s", name, p.Rate.V, verify.OnOff(negotiates(p)))
	} else if p.Autoneg.Set { // it is true: false goes with a speed
		add("negotiate %s", name)
	}
	if p.EEE.Set {
		add("eee %s %s", name, verify.OnOff(p.EEE.V))
	}
	for _, o := range p.Without.Items {
		add("off %s %s", name, o.V)
	}
	for _, group := range []string{"rings", "coalesce"} {
		var words strings.Builder
		for _, s := range driverSettings(p) {
			if s.group == group {
				fmt.Fprintf(&words, " %s %s", s.word, s.want)
			}
		}
		if words.Len() > 0 {
			add("%s %s%s", group, name, words.String())
		}
	}
	return out
}

// negotiates tells whether the ends of a port agree about their speed.
func negotiates(p *router.BoardPort) bool { return !p.Autoneg.Set || p.Autoneg.V }

// quoted is a word of the shell. An alias has no line break.
func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// driven are the links of which the unit has something to tell, in the order of the spec.
func driven(r *router.Router) []router.Link {
	links := slices.DeleteFunc(r.Links(), func(l router.Link) bool { return len(told(r, l)) == 0 })
	slices.SortStableFunc(links, func(a, b router.Link) int {
		x, y := a.Head().Def, b.Head().Def
		return cmp.Or(cmp.Compare(x.Filename, y.Filename), cmp.Compare(x.Start.Byte, y.Start.Byte))
	})
	return links
}

//go:embed drivers.sh
var driversScript string

// lowerDrivers makes the unit, which tells them again when a link changes: some drivers have no PHY
// before the port is up (phylink_ethtool_set_eee in drivers/net/phy/phylink.c), an adapter may come
// later, and IfState may make a link anew.
func lowerDrivers(r *router.Router, m *nixgen.Module) {
	links := driven(r)
	if len(links) == 0 {
		return
	}
	var b strings.Builder
	if slices.ContainsFunc(links, func(l router.Link) bool { return l.Spec().Alias.Set }) {
		b.WriteString("# shellcheck disable=SC1003,SC2016 # what people write is text\n")
	}
	b.WriteString("again() {\n")
	for _, l := range links {
		b.WriteString(strings.Join(told(r, l), ""))
	}
	b.WriteString("}\n")
	from := service.From(links[0])
	service.OnNews(m, from, driversUnit, "Aliases of links, and what the drivers of ports do", b.String()+driversScript)
	m.Add(from, []string{"systemd", "services", driversUnit, "path"}, nixgen.Var("pkgs.ethtool"))
}

// aliased adds the check of what people call a link.
func aliased(p *verify.Plan, l router.Link) {
	if alias := l.Spec().Alias; alias.Set {
		link(p, l.Head().Addr.String()+"/alias", l, alias.Range, "alias of", string(alias.V), func(l state.Link) string { return cmp.Or(l.Alias, "none") })
	}
}

// driverChecks adds the checks of what a port's driver has been told.
func driverChecks(p *verify.Plan, port *router.BoardPort) {
	name := string(port.Name)
	add := func(what, title string, from hcl.Range, want, hint string, judge func(*state.State, state.Driver) verify.Verdict) {
		p.Add(verify.Check{
			ID: port.Addr.String() + "/" + what, Title: title + " of " + name, From: from,
			Needs: []state.Need{{Kind: state.NeedDriver, Name: name}},
			Eval: func(st *state.State) verify.Verdict {
				if st.Drivers == nil {
					return verify.NotSeen(want, hint)
				}
				d, ok := st.Drivers[name]
				if !ok {
					return verify.Missing(want, hint)
				}
				return judge(st, d)
			},
		})
	}
	compare := func(what, title string, from hcl.Range, want, hint string, got func(state.Driver) string) {
		add(what, title, from, want, hint, func(_ *state.State, d state.Driver) verify.Verdict {
			return verify.Compare(want, cmp.Or(got(d), "the driver has none"), hint)
		})
	}
	if port.EEE.Set {
		want := verify.OnOff(port.EEE.V)
		compare("eee", "EEE", port.EEE.Range, want, "ethtool --show-eee "+name, func(d state.Driver) string {
			if d.EEE == "" && want == "off" {
				return want // a driver that has none
			}
			return d.EEE
		})
	}
	for _, o := range port.Without.Items {
		features := o.V.Features()
		compare("offloads_off/"+string(o.V), string(o.V), o.Range, "off", "ethtool -k "+name, func(d state.Driver) string {
			on := slices.DeleteFunc(slices.Clone(features), func(f string) bool { return !slices.Contains(d.Features, f) })
			return cmp.Or(strings.Join(on, ", "), "off")
		})
	}
	for _, s := range driverSettings(port) {
		compare(s.id, s.title, s.from, s.want, map[string]string{"rings": "ethtool -g ", "coalesce": "ethtool -c "}[s.group]+name, s.got)
	}
	hint := "ethtool " + name
	if port.Autoneg.Set || port.Rate.Set {
		compare("autoneg", "negotiation", cmp.Or(port.Autoneg.Range, port.Rate.Range), verify.OnOff(negotiates(port)), hint, func(d state.Driver) string { return d.Autoneg })
	}
	if !port.Rate.Set {
		return
	}
	want := speeds([]int{int(port.Rate.V)})
	add("speed", "speed", port.Rate.Range, want, hint, func(st *state.State, d state.Driver) verify.Verdict {
		full, half := []int{d.Speed}, []int(nil)
		switch {
		case negotiates(port):
			full, half = d.Advertised, d.AdvertisedHalf // not those of now: the other end may have no cable
		case d.Speed == 0 && verify.NoCarrier(st, name):
			return verify.Skipped(want, "no cable", hint)
		case d.Duplex == "half":
			full, half = nil, full
		}
		got := speeds(full)
		if len(half) > 0 {
			got = strings.TrimPrefix(got+", "+speeds(half)+" in half duplex", ", ")
		}
		return verify.Compare(want, cmp.Or(got, "the driver does not tell"), hint)
	})
}

// speeds are speeds in words, those that are known.
func speeds(mbits []int) string {
	var out []string
	for _, n := range mbits {
		if n > 0 {
			out = append(out, fmt.Sprintf("%d Mbit/s", n))
		}
	}
	return strings.Join(out, ", ")
}
