package kea

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify"
)

// server is Kea's DHCPv4 server, which all dhcp4 blocks share.
type server struct{}

func (server) File() string { return "dhcp4" }

// Lower sets what is the same for all networks, and adds each.
func (server) Lower(r *router.Router, blocks []service.Block, m *nixgen.Module) {
	sub := common(m, "dhcp4")
	m.Set(nixgen.Origin{}, nixgen.Bool(true), sub("authoritative")...)
	served := map[router.IfName]bool{}
	for _, d := range service.Of[*DHCP4](blocks) {
		if device := d.Network.Target.Device(); !served[device] {
			served[device] = true
			m.Add(service.From(d), sub("interfaces-config", "interfaces"), nixgen.Str(device))
		}
		classes, _ := d.clientClasses(r)
		for _, c := range classes {
			m.Add(service.From(d), sub("client-classes"), c)
		}
		m.Add(service.From(d), sub("subnet4"), d.subnet(r))
	}
	lowerNames(r, router.IPv4, m)
}

// common sets what is the same for both servers, and returns the paths of settings of one.
func common(m *nixgen.Module, daemon string) (sub func(path ...string) []string) {
	none := nixgen.Origin{}
	sub = func(path ...string) []string {
		return slices.Concat([]string{"services", "kea", daemon, "settings"}, path)
	}
	m.Set(none, nixgen.Bool(true), "services", "kea", daemon, "enable")
	m.Set(none, nixgen.Attrs{
		nixgen.Bind(nixgen.Str("/var/lib/kea/"+daemon+".leases"), "name"),
		nixgen.Bind(nixgen.Bool(true), "persist"),
		nixgen.Bind(nixgen.Str("memfile"), "type"),
	}, sub("lease-database")...)
	// Kea 3 accepts sockets below /run/kea only.
	m.Set(none, nixgen.List{nixgen.Attrs{
		nixgen.Bind(nixgen.Str("/run/kea/kea-"+daemon+".sock"), "socket-name"),
		nixgen.Bind(nixgen.Str("unix"), "socket-type"),
	}}, sub("control-sockets")...)
	// A link without a cable is not running, and Kea opens no socket there: it
	// tries again every five seconds, for years.
	m.Set(none, nixgen.Int(4294967295), sub("interfaces-config", "service-sockets-max-retries")...)
	m.Set(none, nixgen.Int(5000), sub("interfaces-config", "service-sockets-retry-wait-time")...)
	return sub
}

// Checks has nothing to add: each network's block asks the server for a lease.
func (server) Checks(*router.Router, []service.Block, *verify.Plan) {}

// subnet is the network's entry in subnet4.
func (d *DHCP4) subnet(r *router.Router) nixgen.Attrs {
	var out nixgen.Attrs
	if d.BootFile.Set {
		out = append(out, nixgen.Bind(nixgen.Str(d.BootFile.V), "boot-file-name"))
	}
	if _, names := d.clientClasses(r); len(names) > 0 {
		out = append(out, nixgen.Bind(service.Strs(names), "evaluate-additional-classes"))
	}
	out = append(out, nixgen.Bind(nixgen.Int(d.subnetID()), "id"))
	if d.Relay == nil {
		out = append(out, nixgen.Bind(nixgen.Str(d.Network.Target.Device()), "interface"))
	}
	if d.NextServer.Set {
		out = append(out, nixgen.Bind(nixgen.Str(d.NextServer.V.String()), "next-server"))
	}
	out = append(out, nixgen.Bind(d.additions(r).plain(), "option-data"), nixgen.Bind(d.poolEntries(), "pools"))
	if d.Relay != nil {
		out = append(out, nixgen.Bind(nixgen.Attrs{nixgen.Bind(nixgen.List{nixgen.Str(d.prefix().Addr().String())}, "ip-addresses")}, "relay"))
	}
	if all := d.reserved(r); len(all) > 0 {
		list := nixgen.List{}
		for _, res := range all {
			list = append(list, nixgen.At{From: service.From(&res), Expr: res.attrs()})
		}
		out = append(out, nixgen.Bind(list, "reservations"))
	}
	out = append(out,
		nixgen.Bind(nixgen.Str(d.prefix().Masked().String()), "subnet"),
		nixgen.Bind(nixgen.Int(d.Lease.V), "valid-lifetime"),
	)
	return d.additions(r).merge(out)
}

// optionKey is the name of an entry of option-data, or else its number.
func optionKey(e nixgen.Expr) string {
	if name := optionPart(e, "name"); name != "" {
		return name
	}
	attrs, _ := e.(nixgen.Attrs)
	for _, a := range attrs {
		if code, ok := a.Value.(nixgen.Int); ok && a.Name[0] == "code" {
			return fmt.Sprint(int64(code))
		}
	}
	return ""
}

// optionPart is the name or the data of an entry of option-data.
func optionPart(e nixgen.Expr, part string) string {
	attrs, _ := e.(nixgen.Attrs)
	for _, a := range attrs {
		if text, ok := a.Value.(nixgen.Str); ok && a.Name[0] == part {
			return string(text)
		}
	}
	return ""
}

func put(out nixgen.Attrs, a nixgen.Attr) nixgen.Attrs {
	for i := range out {
		if out[i].Name[0] == a.Name[0] {
			out[i] = a
			return out
		}
	}
	return append(out, a)
}

// options are what clients are told (RFC 2132): the router, name servers and a
// domain.
func (d *DHCP4) options(r *router.Router) nixgen.List {
	out := nixgen.List{option("routers", d.prefix().Addr().String())}
	dns := []string{}
	for _, a := range d.DNS.All() {
		dns = append(dns, a.String())
	}
	if len(dns) == 0 && resolver(r, d.Network.Target) {
		dns = []string{d.own().Addr().String()}
	}
	if len(dns) > 0 {
		out = append(out, option("domain-name-servers", strings.Join(dns, ", ")))
	}
	domain := d.Domain.V
	if !d.Domain.Set {
		domain = d.Network.Target.Domain.V
	}
	if domain != "" {
		out = append(out, option("domain-name", string(domain)))
	}
	if d.V6Only.Set {
		out = append(out, option("v6-only-preferred", fmt.Sprint(int(d.V6Only.V))))
	}
	for _, o := range d.Options {
		if o.Name.V == "routers" {
			out = out[1:] // the router itself
		}
		out = append(out, o.entry())
	}
	return out
}

func option(name, data string) nixgen.Attrs {
	return nixgen.Attrs{nixgen.Bind(nixgen.Str(data), "data"), nixgen.Bind(nixgen.Str(name), "name")}
}

func (r *fixedLease) attrs() nixgen.Attrs {
	out := nixgen.Attrs{
		nixgen.Bind(nixgen.Str(r.name), "hostname"),
		nixgen.Bind(nixgen.Str(r.mac.V), "hw-address"),
		nixgen.Bind(nixgen.Str(r.addr.V.String()), "ip-address"),
	}
	if r.description.Set {
		out = append(out, nixgen.Bind(nixgen.Attrs{nixgen.Bind(nixgen.Str(r.description.V), "comment")}, "user-context"))
	}
	return out
}
