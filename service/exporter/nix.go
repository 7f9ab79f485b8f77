package exporter

import (
	"slices"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// collectors are those of node_exporter that every router has something for. Which of its own are on
// depends on the release, and many of them are for hardware that no router has.
var collectors = []string{
	"arp", "conntrack", "cpu", "diskstats", "filefd", "filesystem", "loadavg", "meminfo", "netclass", "netdev", "netstat",
	"sockstat", "softnet", "stat", "time", "timex", "uname", "vmstat",
}

// sensors are collectors for what some boards have.
var sensors = []string{"cpufreq", "hwmon", "thermal_zone"}

// usual are the collectors that frr_exporter has on, each of which wants a daemon of its own. That for
// BGP over IPv6 is off.
var usual = []string{"bfd", "bgp", "ospf"}

// knotPatience is how long knot-exporter waits for Knot DNS, in seconds. The default of the option is 2000,
// and other scrapes wait behind it.
const knotPatience = 3

// lower sets services.prometheus.exporters. Its firewall is left alone: the module opens the port in
// every network.
func (b *Exporter) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(b)
	set := func(at nixgen.Origin, v nixgen.Expr, name string) {
		m.Set(at, v, "services", "prometheus", "exporters", string(b.Of.V), name)
	}
	set(from, nixgen.Bool(true), "enable")
	at := from
	if b.Port.Set {
		at = service.Origin(b.Addr, b.Port.Range)
	}
	set(at, nixgen.Int(b.port()), "port")
	ends := b.ends()
	if b.Of.V == knot {
		set(from, nixgen.Int(knotPatience), "knotSocketTimeout")
	}
	flags := b.collect(r, set)
	address := ends[0].Addr().String()
	if ends[0].Addr().Is6() && b.Of.V != knot {
		address = "[" + address + "]" // the module puts the port behind it
	}
	at = service.Origin(b.Addr, b.Networks.Range)
	set(at, nixgen.Str(address), "listenAddress")
	for _, e := range ends[1:] {
		flags = append(flags, "--web.listen-address="+e.String())
	}
	if len(flags) > 0 {
		set(at, service.Strs(flags), "extraFlags")
	}
	// Without it systemd gives up where an address comes late.
	m.Set(from, nixgen.Str("5s"), "systemd", "services", b.unit(), "serviceConfig", "RestartSec")
}

// collect sets which collectors are on, and has the flags for that.
func (b *Exporter) collect(r *router.Router, set func(nixgen.Origin, nixgen.Expr, string)) []string {
	from := service.From(b)
	switch b.Of.V {
	case node:
		on := slices.Concat(collectors, sensors)
		slices.Sort(on)
		set(from, service.Strs(on), "enabledCollectors")
		return []string{"--collector.disable-defaults"}
	case frr:
		parts := b.parts(r)
		on := slices.DeleteFunc(slices.Clone(parts), func(p string) bool { return slices.Contains(usual, p) })
		off := slices.DeleteFunc(slices.Clone(usual), func(p string) bool { return slices.Contains(parts, p) })
		if len(on) > 0 {
			set(from, service.Strs(on), "enabledCollectors")
		}
		set(from, service.Strs(off), "disabledCollectors")
		// The module makes the account of this name; that of FRR, its default, owns the daemons.
		set(from, nixgen.Str("frr-exporter"), "user")
		set(from, nixgen.Str(b.measured(r)[0].Group), "group") // all blocks of a program say the same
	case knot: // has one collector, which is on
	}
	return nil
}
