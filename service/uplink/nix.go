package uplink

import (
	"encoding/json"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// program is the watcher, which all uplinks share.
type program struct{}

func (program) File() string { return "uplinks" }

// Lower makes the unit of the watcher. Another configuration is another file, and with it a
// restart, which leaves routes and flows as they are.
func (program) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	us := sorted(blocks)
	from := service.From(us[0])
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	b, err := json.MarshalIndent(config(r, us), "", "  ")
	if err != nil {
		panic(err) // texts and numbers
	}
	file := nixgen.Apply("pkgs.writeText", nixgen.Str(unit+".json"), nixgen.Lines(string(b)+"\n"))
	nbr := nixgen.Apply("lib.getExe'", nixgen.Var("config.programs.nbr.package"), nixgen.Str("nbr"))
	set(nixgen.Str("Uplinks, of which the first that works is used"), "description")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	set(nixgen.List{nixgen.Str("nftables.service")}, "after") // which marks flows
	set(nixgen.Int(0), "unitConfig", "StartLimitIntervalSec")
	run := func(v nixgen.Expr, name string) { set(v, "serviceConfig", name) }
	run(nixgen.Str("notify"), "Type")
	run(nixgen.Concat{nbr, nixgen.Str(" uplinks "), file}, "ExecStart")
	run(nixgen.Str("always"), "Restart")
	run(nixgen.Str("2s"), "RestartSec")
	run(nixgen.Str(unit), "RuntimeDirectory")
	run(nixgen.Bool(true), "DynamicUser")
	// Routes, rules, marks and conntrack; echo requests.
	caps := service.Strs([]string{"CAP_NET_ADMIN", "CAP_NET_RAW"})
	run(caps, "AmbientCapabilities")
	run(caps, "CapabilityBoundingSet")
	run(nixgen.Str("closed"), "DevicePolicy")
	run(service.Strs([]string{"AF_INET", "AF_INET6", "AF_NETLINK", "AF_UNIX"}), "RestrictAddressFamilies")
	run(service.Strs([]string{"@system-service", "~@privileged @resources"}), "SystemCallFilter")
	run(nixgen.Str("native"), "SystemCallArchitectures")
	for _, name := range []string{
		"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "ProtectClock", "ProtectControlGroups", "ProtectHome",
		"ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime",
	} {
		run(nixgen.Bool(true), name)
	}
	run(nixgen.Str("strict"), "ProtectSystem")
}
