package miniupnpd

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

const (
	unit = "miniupnpd"

	// tableName and the names of the chains that the daemon fills are its own defaults, and those
	// of services.miniupnpd.
	tableName = "miniupnpd"
	admitted  = "miniupnpd"
	mapped    = "prerouting_miniupnpd"
	peers     = "postrouting_miniupnpd"

	leases  = "/var/lib/" + unit + "/leases"
	leases6 = "/var/lib/" + unit + "/leases6"
)

// taken are ports that are not given away: which the router itself serves to the external network,
// or a port_forward from there has.
func (u *UPnP) taken(r *router.Router) []router.PortRange {
	var out []router.PortRange
	add := func(p router.PortRange) {
		if !slices.Contains(out, p) && slices.ContainsFunc(u.Ports.All(), p.Overlaps) {
			out = append(out, p)
		}
	}
	for _, l := range router.Claimed[router.Listen](r) {
		if l.Protocol.HasPorts() && l.Serves(u.External.Target) {
			add(l.Ports())
		}
	}
	for _, a := range router.Claimed[router.Accept](r) {
		if slices.Contains(a.Networks, u.External.Target) {
			add(a.Ports)
		}
	}
	for _, f := range r.PortForwards {
		if f.From.Target == r.ZoneOf(u.External.Target) {
			add(f.Port.V)
		}
	}
	return out
}

// config are the lines that follow those of services.miniupnpd. The first rule that fits decides.
func (u *UPnP) config(r *router.Router) string {
	lines := []string{
		fmt.Sprintf("http_port=%d", u.HTTPPort.V),
		"secure_mode=yes", // each host for itself alone
		"lease_file=" + leases,
		"lease_file6=" + leases6,
		"uuid=" + uuid(string(r.Name.V)),
	}
	if u.BehindNAT.V {
		lines = append(lines, "ext_allow_private_ipv4=yes")
	}
	if !u.pinholes() {
		lines = append(lines, "ipv6_disable=yes")
	}
	for _, p := range u.taken(r) {
		lines = append(lines, fmt.Sprintf("deny %s 0.0.0.0/0 0-65535", p))
	}
	for _, n := range u.Networks.All() {
		block, _ := n.FixedIn(router.IPv4)
		for _, outside := range u.Ports.All() {
			for _, inside := range u.Ports.All() {
				lines = append(lines, fmt.Sprintf("allow %s %s %s", outside, block.Masked(), inside))
			}
		}
	}
	lines = append(lines, "deny 0-65535 0.0.0.0/0 0-65535")
	return strings.Join(lines, "\n") + "\n"
}

// pinholes tells whether hosts may ask for ways to their own IPv6 addresses (RFC 6887 section 11,
// WANIPv6FirewallControl:1).
func (u *UPnP) pinholes() bool {
	for _, n := range u.Networks.All() {
		if n.Has(router.IPv6) && u.External.Target.Has(router.IPv6) {
			return true
		}
	}
	return false
}

// uuid is what the router is called among devices of UPnP: one and the same as long as its name is
// (RFC 9562 section 5.8).
func uuid(name string) string {
	sum := sha256.Sum256([]byte("nbr upnp " + name))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// lower sets services.miniupnpd.
//
// The table is made before the daemon starts and reads its lease files: see router.Opens.
func (u *UPnP) lower(r *router.Router, m *nixgen.Module) {
	from := service.From(u)
	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"services", "miniupnpd"}, path...)...)
	}
	set(nixgen.Bool(true), "enable")
	set(nixgen.Str(string(u.External.Target.Device())), "externalInterface")
	set(service.Strs(router.Devices(u.Networks.All())), "internalIPs")
	set(nixgen.Bool(true), "natpmp")
	set(nixgen.Bool(true), "upnp")
	set(nixgen.Lines(u.config(r)), "appendConfig")

	run := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", unit}, path...)...)
	}
	// The daemon's rules know the external link by its index, and a link that is made again has
	// another: the unit stops when the link goes, and starts when there is one. While there is
	// none, neither the boot nor a switch waits for long.
	link := service.DeviceUnit(string(u.External.Target.Device()))
	run(nixgen.List{nixgen.Str(link), nixgen.Str("nftables.service")}, "after")
	run(nixgen.List{nixgen.Str(link)}, "bindsTo")
	run(nixgen.List{nixgen.Str(link)}, "wantedBy")
	run(nixgen.Str("15s"), "unitConfig", "JobTimeoutSec")
	run(nixgen.Int(0), "unitConfig", "StartLimitIntervalSec")
	exec := func(v nixgen.Expr, name string) { run(v, "serviceConfig", name) }
	exec(nixgen.Str("always"), "Restart")
	exec(nixgen.Str("5s"), "RestartSec")
	exec(nixgen.Str(unit), "StateDirectory")
	exec(nixgen.List{nixgen.Str("CAP_NET_ADMIN"), nixgen.Str("CAP_NET_BROADCAST"), nixgen.Str("CAP_NET_RAW")}, "CapabilityBoundingSet")
	exec(nixgen.List{nixgen.Str("AF_INET"), nixgen.Str("AF_INET6"), nixgen.Str("AF_NETLINK"), nixgen.Str("AF_UNIX")}, "RestrictAddressFamilies")
	exec(nixgen.Str("native"), "SystemCallArchitectures")
	for _, name := range []string{
		"LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices", "PrivateTmp", "ProtectClock", "ProtectControlGroups",
		"ProtectHome", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules", "ProtectKernelTunables", "RestrictNamespaces",
		"RestrictRealtime", "RestrictSUIDSGID",
	} {
		exec(nixgen.Bool(true), name)
	}
	exec(nixgen.Str("full"), "ProtectSystem") // the PID file is in /run
}
