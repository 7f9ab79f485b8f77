package nat64

import (
	"fmt"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// config is the file of Tayga (tayga.conf(5)). Restrictions of the well-known prefix are on by
// themselves, and before 0.9.5 there was no word to turn them off.
func (n *NAT64) config(r *router.Router) string {
	a := n.addresses(r)
	lines := []string{
		"tun-device " + string(n.Name.V),
		"ipv4-addr " + a.v4.String(),
		"ipv6-addr " + a.v6.String(),
		"prefix " + n.Prefix.V.String(),
		"dynamic-pool " + a.pool.String(),
		// Tayga would give a host the router's own address on the link, or the one by which the
		// kernel means all hosts there.
		fmt.Sprintf("map %s %s", a.router.Addr(), a.router6),
		fmt.Sprintf("map %s %s", router.Broadcast(a.pool), a.broadcast6),
		"data-dir /var/lib/" + unit,
	}
	return strings.Join(lines, "\n") + "\n"
}

// lower makes the unit of Tayga. On a signal Tayga reads nothing anew, or the maps of another
// file alone, so another configuration is another file, and with it a restart. Hosts keep their
// addresses of the pool: these are in the state directory.
func (n *NAT64) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(n)
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	file := nixgen.Apply("pkgs.writeText", nixgen.Str("tayga.conf"), nixgen.Lines(n.config(r)))
	set(nixgen.Str("Translation between IPv6 and IPv4 (NAT64)"), "description")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	// It ends when the link is not there yet.
	set(nixgen.Int(0), "unitConfig", "StartLimitIntervalSec")
	run := func(v nixgen.Expr, name string) { set(v, "serviceConfig", name) }
	run(nixgen.Concat{nixgen.Var("pkgs.tayga"), nixgen.Str("/bin/tayga --nodetach --config "), file}, "ExecStart")
	run(nixgen.Str("always"), "Restart")
	run(nixgen.Str("2s"), "RestartSec")
	// A tun device without an owner takes any user who can open /dev/net/tun. Tayga reads the
	// packets of remote hosts, and needs nothing else.
	run(nixgen.Bool(true), "DynamicUser")
	run(nixgen.Str(unit), "StateDirectory")
	run(nixgen.Str(""), "CapabilityBoundingSet")
	run(nixgen.Str("closed"), "DevicePolicy")
	run(nixgen.List{nixgen.Str("/dev/net/tun rw")}, "DeviceAllow")
	run(nixgen.List{nixgen.Str("AF_INET"), nixgen.Str("AF_INET6"), nixgen.Str("AF_NETLINK"), nixgen.Str("AF_UNIX")}, "RestrictAddressFamilies")
	run(nixgen.List{nixgen.Str("@system-service"), nixgen.Str("~@privileged @resources")}, "SystemCallFilter")
	run(nixgen.Str("native"), "SystemCallArchitectures")
	for _, name := range []string{
		"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "ProtectClock", "ProtectControlGroups", "ProtectHome",
		"ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces", "RestrictRealtime",
	} {
		run(nixgen.Bool(true), name)
	}
	run(nixgen.Str("strict"), "ProtectSystem")
}
