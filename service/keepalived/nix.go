package keepalived

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// program is keepalived: all vrrp blocks are one configuration.
type program struct{}

func (program) File() string { return "vrrp" }

// Lower sets services.keepalived. The module's own option for the firewall is of iptables.
//
// A link that is not there yet, as of a dial-up session, is one that is down: without dynamic_interfaces
// keepalived refuses the configuration, and does not see a link that comes back. All instances begin as
// backups: a router that starts takes the addresses after it has heard that no better one has them.
func (program) Lower(_ *router.Router, blocks []service.Block, m *nixgen.Module) {
	all := service.Of[*VRRP](blocks)
	none := nixgen.Origin{}
	m.Set(service.From(all[0]), nixgen.Bool(true), "services", "keepalived", "enable")
	m.Set(none, nixgen.Bool(false), "services", "keepalived", "openFirewall")
	m.Set(none, nixgen.Lines("vrrp_version 3\ndynamic_interfaces allow_if_changes\n"), "services", "keepalived", "extraGlobalDefs")
	var groups strings.Builder
	for _, b := range all {
		instances := b.instances()
		for _, i := range instances {
			i.lower(m)
		}
		if len(instances) > 1 { // both versions of IP are on one router
			fmt.Fprintf(&groups, "vrrp_sync_group %s {\n  group {\n", b.group())
			for _, i := range instances {
				fmt.Fprintf(&groups, "    %s\n", i.name())
			}
			groups.WriteString("  }\n}\n")
		}
	}
	if groups.Len() > 0 {
		m.Set(none, nixgen.Lines(groups.String()), "services", "keepalived", "extraConfig")
	}
}

// lower sets an instance. The addresses have their whole length as prefix length: the network's route is
// that of the router's own address, which the router's own packets come from.
func (i instance) lower(m *nixgen.Module) {
	set := func(o nixgen.Origin, v nixgen.Expr, option string) {
		m.Set(o, v, "services", "keepalived", "vrrpInstances", i.name(), option)
	}
	from := service.From(i.VRRP)
	set(service.Origin(i.Addr, i.Network.Range), nixgen.Str(i.Network.Target.Device()), "interface")
	set(from, nixgen.Str("BACKUP"), "state")
	set(service.Origin(i.Addr, i.ID.Range), nixgen.Int(int(i.ID.V)), "virtualRouterId")
	set(service.Origin(i.Addr, cmp.Or(i.Priority.Range, i.Def)), nixgen.Int(int(i.Priority.V)), "priority")
	set(service.Origin(i.Addr, cmp.Or(i.Preempt.Range, i.Def)), nixgen.Bool(!i.Preempt.V), "noPreempt")
	var addresses nixgen.List
	for _, a := range i.addresses {
		addresses = append(addresses, nixgen.Attrs{nixgen.Bind(nixgen.Str(fmt.Sprintf("%s/%d", a, a.BitLen())), "addr")})
	}
	set(service.Origin(i.Addr, i.Addresses.Range), addresses, "virtualIps")
	if devices := router.Devices(i.Track.All()); len(devices) > 0 {
		set(service.Origin(i.Addr, i.Track.Range), service.Strs(devices), "trackInterfaces")
	}
	set(service.Origin(i.Addr, cmp.Or(i.Interval.Range, i.Def)), nixgen.Lines("advert_int "+i.Interval.V.seconds()+"\n"), "extraConfig")
}

// Checks ask systemd for the unit. What the routers are for the hosts is what the blocks promise.
func (program) Checks(_ *router.Router, blocks []service.Block, p *verify.Plan) {
	h := blocks[0].Head()
	p.UnitActive(h.Addr.String()+"/unit", h.Def, unit+".service")
}
