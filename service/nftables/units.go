package nftables

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// setter sets options of a systemd unit.
func setter(m *nixgen.Module, from nixgen.Origin, unit string) func(v nixgen.Expr, path ...string) {
	return func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
}

// whileLoaded makes a unit be active for exactly as long as nftables.service is: it starts
// with it, again after a failure, and stops before the rules go (systemd.unit(5), BindsTo=
// and After=). A switch of the system reloads it, as NixOS does nftables.service: each
// update gives the commands another path, and stopping them for that would interrupt the
// house.
func whileLoaded(set func(v nixgen.Expr, path ...string), after ...string) {
	set(service.Strs(append([]string{"nftables.service"}, after...)), "after")
	set(nixgen.List{nixgen.Str("nftables.service")}, "bindsTo")
	set(nixgen.List{nixgen.Str("multi-user.target"), nixgen.Str("nftables.service")}, "wantedBy")
	set(nixgen.Bool(true), "reloadIfChanged")
	oneshot(set)
	set(nixgen.Bool(true), "serviceConfig", "RemainAfterExit")
}

// nft is a call of nft(8).
func nft(args string) nixgen.Concat {
	return nixgen.Concat{nixgen.Var("pkgs.nftables"), nixgen.Str("/bin/nft " + args)}
}

func oneshot(set func(v nixgen.Expr, path ...string)) {
	set(nixgen.Str("oneshot"), "serviceConfig", "Type")
}

// lowerForwarding forwards only while the rules are loaded: a router whose firewall
// failed or was stopped is a host, not an open door. What NixOS or a module of the user
// writes into the files of systemd-sysctl is left out, or a restart of that would decide.
func (f *Firewall) lowerForwarding(r *router.Router, m *nixgen.Module) {
	from := service.From(f)
	var on, off strings.Builder
	for _, s := range r.SysctlKeys() {
		if s.WhileFirewallUp {
			fmt.Fprintf(&on, " %s=%s", s.Key, s.Value)
			fmt.Fprintf(&off, " %s=0", s.Key)
			unset := nixgen.Apply("lib.mkForce", nixgen.Null{})
			m.Set(from, unset, "boot", "kernel", "sysctl", s.Key)
		}
	}
	sysctl := func(args string) nixgen.Expr {
		return nixgen.Concat{nixgen.Var("pkgs.procps"), nixgen.Str("/bin/sysctl -qw" + args)}
	}
	set := setter(m, from, "nbr-forwarding")
	set(nixgen.Str("Forwarding while the firewall is loaded"), "description")
	whileLoaded(set)
	set(sysctl(on.String()), "serviceConfig", "ExecStart")
	set(sysctl(on.String()), "serviceConfig", "ExecReload")
	set(sysctl(off.String()), "serviceConfig", "ExecStop")

	// Other files of sysctl.d(5) may still say otherwise. With partOf instead, each restart
	// of systemd-sysctl would switch forwarding off and on.
	set = setter(m, from, "nbr-forwarding-again")
	set(nixgen.Str("Forwarding after systemd-sysctl has set kernel parameters anew"), "description")
	set(nixgen.List{nixgen.Str("systemd-sysctl.service"), nixgen.Str("nbr-forwarding.service")}, "after")
	set(nixgen.List{nixgen.Str("nbr-forwarding.service")}, "requisite")
	set(nixgen.List{nixgen.Str("systemd-sysctl.service")}, "wantedBy")
	oneshot(set)
	set(sysctl(on.String()), "serviceConfig", "ExecStart")
}

// lowerGuard closes the router for as long as its rules are not loaded: no link comes up
// without a ruleset. The minimal one is loaded before nftables.service is, which may fail,
// and taken away after that has succeeded; it comes back before the rules go.
func (f *Firewall) lowerGuard(r *router.Router, m *nixgen.Module) {
	from := service.From(f)
	const file = "nbr/guard.nft"
	m.Set(from, nixgen.Lines(guard(f, r)), "environment", "etc", file, "text")
	load, lift := nft("-f /etc/"+file), nft("destroy table inet "+guardTable)

	set := setter(m, from, "nbr-guard")
	set(nixgen.Str("Minimal firewall until the firewall is loaded"), "description")
	set(nixgen.Bool(false), "unitConfig", "DefaultDependencies")
	set(nixgen.List{nixgen.Str("sysinit.target")}, "after")
	set(nixgen.List{nixgen.Str("ifstate.service"), nixgen.Str("network-pre.target"), nixgen.Str("nftables.service"), nixgen.Str("shutdown.target")}, "before")
	set(nixgen.List{nixgen.Str("shutdown.target")}, "conflicts")
	set(nixgen.List{nixgen.Str("network-pre.target")}, "wants")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	set(nixgen.List{nixgen.Str("ifstate.service")}, "requiredBy")
	set(nixgen.Bool(false), "restartIfChanged") // it is for the boot
	oneshot(set)
	set(nixgen.Bool(true), "serviceConfig", "RemainAfterExit")
	set(load, "serviceConfig", "ExecStart")

	set = setter(m, from, "nbr-guard-lifted")
	set(nixgen.Str("No minimal firewall while the firewall is loaded"), "description")
	whileLoaded(set, "nbr-guard.service")
	set(nixgen.List{nixgen.Str("nbr-guard.service")}, "partOf")
	set(lift, "serviceConfig", "ExecStart")
	set(lift, "serviceConfig", "ExecReload")
	set(load, "serviceConfig", "ExecStop")
}

// lowerReload puts the table of a reload around what nftables.service does to reload.
func (f *Firewall) lowerReload(r *router.Router, m *nixgen.Module) {
	from := service.From(f)
	const file = "nbr/reload.nft"
	m.Set(from, nixgen.Lines(reloading), "environment", "etc", file, "text")
	after := nixgen.List{nft("delete table inet " + reloadTable)}
	if len(delegatedNATs(r)) > 0 {
		after = append(nixgen.List{fillPrefixNAT()}, after...)
	}
	m.Set(from, nixgen.Apply("lib.mkMerge", nixgen.List{
		nixgen.Apply("lib.mkBefore", nixgen.List{nft("-f /etc/" + file)}),
		nixgen.Apply("lib.mkAfter", after),
	}), "systemd", "services", "nftables", "serviceConfig", "ExecReload")
}

// lowerFlowtable loads the flowtable from a unit of its own: the devices must
// exist, and nftables.service starts before any link is made. For the same reason
// the build's check of the ruleset cannot know it. It goes with the rules: what it has
// taken over passes whether there are any or not.
func (f *Firewall) lowerFlowtable(r *router.Router, m *nixgen.Module) {
	at := service.Origin(f.Addr, f.FlowOffload.Range)
	set := setter(m, at, "nbr-flowtable")
	file := nixgen.Apply("pkgs.writeText", nixgen.Str("nbr-flowtable.nft"), nixgen.Lines(Flowtable(r)))
	load := append(nft("-f "), file)
	set(nixgen.Str("Flow offload of established connections"), "description")
	whileLoaded(set, "ifstate.service")
	set(load, "serviceConfig", "ExecStart")
	set(load, "serviceConfig", "ExecReload")
	set(nft("destroy table inet "+flowTable), "serviceConfig", "ExecStop")
}
