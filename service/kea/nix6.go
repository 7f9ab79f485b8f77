package kea

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// server6 is Kea's DHCPv6 server, which all dhcp6 blocks share.
type server6 struct{}

const unit6 = "kea-dhcp6-server"

func (server6) File() string { return "dhcp6" }

// Lower sets what is the same for all networks, and adds each.
func (server6) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	sub := common(m, "dhcp6")
	// A DUID may be made of the MAC address of another interface of the host; the
	// link-local address that it asks from is the interface's own. Kea reads it there if a
	// vendor gave it (Pkt::getMACFromIPv6), and of others finds it in the DUID or nowhere.
	m.Set(nixgen.Origin{}, service.Strs([]string{"ipv6-link-local", "duid"}), sub("mac-sources")...)
	var delegating []*DHCP6
	for _, d := range service.Of[*DHCP6](blocks) {
		m.Add(service.From(d), sub("interfaces-config", "interfaces"), nixgen.Str(d.Network.Target.Device()))
		m.Add(service.From(d), sub("subnet6"), d.subnet(r))
		if len(d.Delegates) > 0 {
			delegating = append(delegating, d)
		}
	}
	if len(delegating) > 0 {
		lowerRoutes(delegating, m, sub)
	}
	lowerNames(r, router.IPv6, m)
}

// Checks look at the unit that makes routes; each network's block asks the server.
func (server6) Checks(*router.Router, []service.Block, *verify.Plan) {}

// subnet is the network's entry in subnet6. A network whose prefix comes later has none that
// could be said here, and Kea wants one: it gets one of link-local addresses, which no host
// is leased an address of.
func (d *DHCP6) subnet(r *router.Router) nixgen.Attrs {
	prefix := d.prefix().Masked()
	if !d.prefix().IsValid() {
		raw := [16]byte{0: 0xfe, 1: 0x80}
		binary.BigEndian.PutUint32(raw[4:], d.subnetID())
		prefix = netip.PrefixFrom(netip.AddrFrom16(raw), 64)
	}
	out := nixgen.Attrs{nixgen.Bind(nixgen.Int(d.subnetID()), "id")}
	if len(d.Delegates) > 0 {
		// Kea would answer an early renewal from its memory, and say nothing of it to the
		// script: another interface of the router behind would stay unknown.
		out = append(out, nixgen.Bind(nixgen.Int(0), "cache-max-age"))
	}
	out = append(out,
		nixgen.Bind(nixgen.Str(d.Network.Target.Device()), "interface"),
		nixgen.Bind(d.options(r), "option-data"))
	if len(d.Delegates) > 0 {
		list := nixgen.List{}
		for _, g := range d.Delegates {
			p := g.Prefix.V.Prefix
			list = append(list, nixgen.At{From: service.From(g), Expr: nixgen.Attrs{
				nixgen.Bind(nixgen.Int(g.Length.V), "delegated-len"),
				nixgen.Bind(nixgen.Str(p.Addr().String()), "prefix"),
				nixgen.Bind(nixgen.Int(p.Bits()), "prefix-len"),
			}})
		}
		out = append(out, nixgen.Bind(list, "pd-pools"))
	}
	pools := nixgen.List{}
	for _, p := range d.Pool.All() {
		pools = append(pools, nixgen.Attrs{nixgen.Bind(nixgen.Str(d.address(p.First).String()+" - "+d.address(p.Last).String()), "pool")})
	}
	out = append(out, nixgen.Bind(pools, "pools"), nixgen.Bind(nixgen.Int(d.preferred()), "preferred-lifetime"))
	if hosts := d.reserved(r); len(hosts) > 0 {
		list := nixgen.List{}
		for _, h := range hosts {
			key, id := "hw-address", string(h.MAC.V)
			if h.DUID.Set {
				key, id = "duid", string(h.DUID.V)
			}
			list = append(list, nixgen.At{From: service.From(h), Expr: nixgen.Attrs{
				nixgen.Bind(nixgen.Str(h.Name.V), "hostname"),
				nixgen.Bind(nixgen.Str(id), key),
				nixgen.Bind(nixgen.List{nixgen.Str(d.address(h.IPv6.V).String())}, "ip-addresses"),
			}})
		}
		out = append(out, nixgen.Bind(list, "reservations"))
	}
	out = append(out,
		nixgen.Bind(nixgen.Str(prefix.String()), "subnet"),
		nixgen.Bind(nixgen.Int(d.Lease.V), "valid-lifetime"))
	return d.additions(r).merge(out)
}

func (d *DHCP6) additions(r *router.Router) additions {
	return additions{to: d, extra: d.Extra, options: d.options(r)}
}

// servers are the name servers of the hosts. Of the router's own addresses it is the fixed one:
// what is delegated changes.
func (d *DHCP6) servers(r *router.Router) []string {
	var out []string
	for _, s := range d.DNS.All() {
		out = append(out, s.String())
	}
	if !d.DNS.Set && d.prefix().IsValid() && resolver(r, d.Network.Target) {
		out = []string{d.prefix().Addr().String()}
	}
	return out
}

// domains are where hosts look for short names.
func (d *DHCP6) domains() []string {
	var out []string
	for _, v := range d.Domains.All() {
		out = append(out, string(v))
	}
	if n := d.Network.Target; !d.Domains.Set && n.Domain.Set {
		out = []string{string(n.Domain.V)}
	}
	return out
}

// options are what hosts are told (RFC 3646).
func (d *DHCP6) options(r *router.Router) nixgen.List {
	out := nixgen.List{}
	if s := d.servers(r); len(s) > 0 {
		out = append(out, option("dns-servers", strings.Join(s, ", ")))
	}
	if s := d.domains(); len(s) > 0 {
		out = append(out, option("domain-search", strings.Join(s, ", ")))
	}
	return out
}

// Kea makes no route to a prefix that it delegates. It tells a script of each lease, which may
// do as little as Kea may: it writes down which router has the prefix, and a unit that may make
// routes reads that.
const (
	// protocolDelegated is of no other program that iproute2 or the kernel know
	// (rtm_protocol, rtnetlink(7)): what it marks is the unit's.
	protocolDelegated = 203
	routesUnit        = "nbr-delegated-routes"
)

//go:embed delegated.sh
var delegatedScript string

//go:embed routes.sh
var routesScript string

// lowerRoutes makes the routes to what is delegated.
func lowerRoutes(all []*DHCP6, m *nixgen.Module, sub func(...string) []string) {
	from := service.From(all[0].Delegates[0])
	m.Set(from, nixgen.List{nixgen.Attrs{
		nixgen.Bind(nixgen.Str("libdhcp_run_script.so"), "library"),
		nixgen.Bind(nixgen.Attrs{
			nixgen.Bind(nixgen.Apply("pkgs.writeShellScript", nixgen.Str("nbr-delegated"), nixgen.Lines(delegatedScript)), "name"),
			nixgen.Bind(nixgen.Bool(false), "sync"),
		}, "parameters"),
	}}, sub("hooks-libraries")...)
	// Kea runs scripts that are in this folder, and none of a folder below it.
	m.Set(from, nixgen.Str("/nix/store"), "systemd", "services", unit6, "environment", "KEA_HOOK_SCRIPTS_PATH")

	set := func(v nixgen.Expr, path ...string) {
		m.Set(from, v, append([]string{"systemd", "services", routesUnit}, path...)...)
	}
	set(nixgen.Str("Routes to prefixes that Kea delegates"), "description")
	set(nixgen.List{nixgen.Str("multi-user.target")}, "wantedBy")
	set(nixgen.List{nixgen.Var("pkgs.iproute2")}, "path")
	set(nixgen.Lines(routesText(all)), "script")
	set(nixgen.Str("always"), "serviceConfig", "Restart")
	set(nixgen.Int(5), "serviceConfig", "RestartSec")
	set(nixgen.Str("strict"), "serviceConfig", "ProtectSystem")
	set(nixgen.List{nixgen.Str("CAP_NET_ADMIN"), nixgen.Str("CAP_DAC_OVERRIDE")}, "serviceConfig", "CapabilityBoundingSet")
	set(nixgen.List{nixgen.Str("-/var/lib/private/kea"), nixgen.Str("-/var/lib/kea"), nixgen.Str("/run")}, "serviceConfig", "ReadWritePaths")
}

// routesText is the script of the unit: what the spec says, and what it does with that.
func routesText(all []*DHCP6) string {
	var whole, parts []string
	for _, d := range all {
		for _, g := range d.Delegates {
			whole = append(whole, g.Prefix.V.String())
			parts = append(parts, fmt.Sprintf("%s/%d", d.Network.Target.Device(), g.Length.V))
		}
	}
	return fmt.Sprintf("whole='%s'\nparts='%s'\n%s", strings.Join(whole, " "), strings.Join(parts, " "), routesScript)
}
