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

// names has udev call the ports what the spec calls them, before any program looks at them.
// IfState could do that too (identify), but kernel parameters of an interface and units that
// wait for it are set by its name, before IfState runs.
//
// What has a kind (IFLA_INFO_KIND) is made by a program and no port, whatever its address is.
func names(r *router.Router, m *nixgen.Module) {
	for _, p := range r.Added {
		if !p.Renamed() {
			continue
		}
		match := nixgen.Attrs{nixgen.Bind(nixgen.Str("!*"), "Kind")}
		if p.PCI.Set {
			// ID_PATH, of udev's path_id.
			match = append(match, nixgen.Bind(nixgen.At{From: service.Origin(p.Addr, p.PCI.Range), Expr: nixgen.Str("pci-" + string(p.PCI.V))}, "Path"))
		}
		if p.MAC.Set {
			match = append(match, nixgen.Bind(nixgen.At{From: service.Origin(p.Addr, p.MAC.Range), Expr: nixgen.Str(p.MAC.V)}, "PermanentMACAddress"))
		}
		m.Set(service.Origin(p.Addr, p.Def), nixgen.Attrs{
			nixgen.Bind(nixgen.Attrs{
				// Without it the name that udev would have given is gone.
				nixgen.Bind(nixgen.Str("database onboard slot path mac"), "AlternativeNamesPolicy"),
				nixgen.Bind(nixgen.Str(p.Name), "Name"),
			}, "linkConfig"),
			nixgen.Bind(match, "matchConfig"),
		}, "systemd", "network", "links", linkFile(p))
	}
}

// linkFile is the name of the port's file without .link. The first in the order of names that
// matches counts, and systemd's own is 99-default.
func linkFile(p *router.BoardPort) string { return "10-" + string(p.Name) }

// driversUnit tells ports' drivers what they are to do, by ethtool(8). IfState would for cards, and
// drops it without a word for ports of a switch (Link.__new__ in libifstate/link/base.py, up to 2.5.1).
const driversUnit = "nbr-drivers"

// driven are the ports in use whose drivers are told something.
func driven(r *router.Router) []*router.BoardPort {
	return slices.DeleteFunc(r.Ports(), func(p *router.BoardPort) bool {
		return !p.EEE.Set && len(p.Without.Items) == 0 || !used(r, p)
	})
}

//go:embed drivers.sh
var driversScript string

// lowerDrivers makes the unit, which tells them again when a link changes: some drivers have no PHY
// before the port is up (phylink_ethtool_set_eee in drivers/net/phy/phylink.c), and an adapter may
// come later. What is in its script are names of interfaces and words.
func lowerDrivers(r *router.Router, m *nixgen.Module) {
	ports := driven(r)
	if len(ports) == 0 {
		return
	}
	var b strings.Builder
	b.WriteString("again() {\n")
	for _, p := range ports {
		if p.EEE.Set {
			fmt.Fprintf(&b, "  eee %s %s\n", p.Name, verify.OnOff(p.EEE.V))
		}
		for _, o := range p.Without.Items {
			fmt.Fprintf(&b, "  off %s %s\n", p.Name, o.V)
		}
	}
	b.WriteString("}\n")
	from := service.From(ports[0])
	service.OnNews(m, from, driversUnit, "What the drivers of ports do", b.String()+driversScript)
	m.Add(from, []string{"systemd", "services", driversUnit, "path"}, nixgen.Var("pkgs.ethtool"))
}

// driverChecks adds the checks of what a port's driver has been told.
func driverChecks(p *verify.Plan, port *router.BoardPort) {
	name := string(port.Name)
	add := func(what, title string, from hcl.Range, want, hint string, get func(state.Driver) string) {
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
				return verify.Compare(want, get(d), hint)
			},
		})
	}
	if port.EEE.Set {
		want := verify.OnOff(port.EEE.V)
		add("eee", "EEE", port.EEE.Range, want, "ethtool --show-eee "+name, func(d state.Driver) string {
			if d.EEE == "" && want == "off" {
				return want // a driver that has none
			}
			return cmp.Or(d.EEE, "the driver has none")
		})
	}
	for _, o := range port.Without.Items {
		features := o.V.Features()
		add("offloads_off/"+string(o.V), string(o.V), o.Range, "off", "ethtool -k "+name, func(d state.Driver) string {
			on := slices.DeleteFunc(slices.Clone(features), func(f string) bool { return !slices.Contains(d.Features, f) })
			return cmp.Or(strings.Join(on, ", "), "off")
		})
	}
}

// named adds the checks that the interface of a name is the port that the spec means: cards
// change places, and addresses their cards.
func named(p *verify.Plan, port *router.BoardPort) {
	name := string(port.Name)
	if port.MAC.Set {
		link(p, port.Addr.String()+"/mac", port, port.MAC.Range, "MAC address that the maker gave", string(port.MAC.V), func(l state.Link) string {
			return cmp.Or(l.PermanentMAC, "none")
		})
	}
	if port.Alias.Set {
		link(p, port.Addr.String()+"/alias", port, port.Alias.Range, "alias of", string(port.Alias.V), func(l state.Link) string { return cmp.Or(l.Alias, "none") })
	}
	if port.Cloned.Set {
		link(p, port.Addr.String()+"/cloned_mac", port, port.Cloned.Range, "MAC address of", string(port.Cloned.V), func(l state.Link) string { return l.MAC })
	}
	if !port.PCI.Set {
		return
	}
	want, hint := string(port.PCI.V), "readlink /sys/class/net/"+name+"/device"
	p.Add(verify.Check{ID: port.Addr.String() + "/pci", Title: "slot of " + name, From: port.PCI.Range, Eval: func(st *state.State) verify.Verdict {
		l, ok := st.Links[name]
		switch {
		case st.Links == nil:
			return verify.NotSeen(want, hint)
		case st.Board.Trial():
			return verify.Skipped(want, "the VM has slots of its own", hint)
		case !ok:
			return verify.Missing(want, hint)
		}
		return verify.Compare(want, cmp.Or(l.PCI, "none"), hint)
	}})
}
