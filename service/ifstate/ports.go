package ifstate

import (
	"cmp"
	"fmt"

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

// named adds the checks that the interface of a name is the port that the spec means: cards
// change places, and addresses their cards.
func named(p *verify.Plan, port *router.BoardPort) {
	name := string(port.Name)
	if port.MAC.Set {
		link(p, port.Addr.String()+"/mac", port, port.MAC.Range, "MAC address that the maker gave", string(port.MAC.V), func(l state.Link) string {
			return cmp.Or(l.PermanentMAC, "none")
		})
	}
	aliased(p, port)
	if port.Cloned.Set {
		link(p, port.Addr.String()+"/cloned_mac", port, port.Cloned.Range, "MAC address of", string(port.Cloned.V), func(l state.Link) string { return l.MAC })
	}
	if port.Queue.Set {
		link(p, port.Addr.String()+"/tx_queue_length", port, port.Queue.Range, "queue of", fmt.Sprintf("%d packets", port.Queue.V), func(l state.Link) string {
			return fmt.Sprintf("%d packets", l.TxQueueLength)
		})
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
