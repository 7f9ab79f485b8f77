package referee_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// resolver writes a resolver with some of its parts.
func (d *dice) resolver(networks, given []string) {
	schema := d.blocks["resolver"]
	part := func(i int, label string, given ...string) {
		typ := "resolver." + schema.Blocks[i].Type
		fmt.Fprintf(d, "%s%s {\n", schema.Blocks[i].Type, label)
		d.body(typ, schema.Blocks[i], given)
		d.WriteString("}\n")
	}
	tls, list := d.IntN(3) == 0, d.IntN(3) == 0
	if tls {
		d.block("secret", "dns_key", `path = "/var/lib/secrets/dns.key"`)
		for _, n := range networks {
			d.serves[n] = append(d.serves[n], "dns-tls")
		}
	}
	if list {
		d.block("input", "lists")
	}
	d.WriteString("resolver {\n")
	d.body("resolver", schema, given)
	if d.often() {
		part(0, ` "office"`)
	}
	if list {
		part(1, ` "a-1"`, `inputs = ["lists/hosts"]`, "networks = "+refs("network", d.choose(networks)))
	}
	if d.IntN(3) == 0 {
		part(2, "")
	}
	if tls {
		part(3, "", "key = secret.dns_key")
	}
	d.WriteString("}\n")
}

// services writes what serves the networks, and tells whether the router resolves names.
func (d *dice) services() (resolves bool) {
	d.block("ssh", "", "networks = [network."+strings.Join(d.networks, ", network.")+"]", "passwords = false")
	for _, n := range d.networks {
		d.serves[n] = append(d.serves[n], "ssh")
	}
	var inner []string
	leases := map[string]bool{}
	for i, n := range d.networks {
		if d.outside(n) {
			continue
		}
		inner = append(inner, n)
		if leases[d.link[n]] || !d.often() {
			continue
		}
		leases[d.link[n]] = true
		d.serves[n] = append(d.serves[n], "dhcp")
		fmt.Fprintf(d, "dhcp4 %q {\n", d.label("dhcp4"))
		d.body("dhcp4", d.blocks["dhcp4"], []string{"network = network." + n, fmt.Sprintf(`pool = ["10.%d.0.100-10.%d.0.199", "10.%d.0.210-10.%d.0.210"]`, i, i, i, i), `dns = ["9.9.9.9"]`})
		for i, o := range [][2]string{{"ntp-servers", `value = ["192.0.2.1", "10.0.0.1"]`}, {"root-path", `value = ["a, 'b' \"c\" $${d}"]`}, {"domain-search", `value = ["a.example", "b"]`}, {"224", "hex = " + d.pick(values["bytes in hexadecimal"])}} {
			if d.often() {
				fmt.Fprintf(d, "  option %q {\n", o[0])
				d.body("dhcp4.option", nested(d.blocks["dhcp4"], "option"), []string{o[1]})
				d.WriteString("  }\n")
			}
			if i == 0 && d.often() {
				fmt.Fprintf(d, "  boot %q {\n", d.pick(labels))
				d.body("dhcp4.boot", nested(d.blocks["dhcp4"], "boot"), nil)
				d.WriteString("  }\n")
			}
		}
		for _, name := range []string{"one", "two"} {
			if d.often() {
				fmt.Fprintf(d, "  class %q {\n", name)
				d.body("dhcp4.class", nested(d.blocks["dhcp4"], "class"), []string{`boot_file = "a"`, "mac_prefix = [" + d.pick(values["beginning of MAC addresses"]) + "]"})
				if d.often() {
					d.WriteString("  option \"66\" {\n")
					d.body("dhcp4.class.option", nested(nested(d.blocks["dhcp4"], "class"), "option"), []string{`value = ["a"]`})
					d.WriteString("  }\n")
				}
				d.WriteString("  }\n")
			}
		}
		fmt.Fprintf(d, "  reservation %q {\n", d.pick([]string{"a", "A-9", strings.Repeat("h", 63)}))
		d.body("dhcp4.reservation", nested(d.blocks["dhcp4"], "reservation"), []string{`mac = "02:00:00:00:00:01"`, fmt.Sprintf(`ipv4 = "10.%d.0.50"`, i)})
		d.WriteString("  }\n}\n")
		if d.often() { // a network behind a router of this one
			far := 200 + i
			fmt.Fprintf(d, "dhcp4 %q {\n  network = network.%s\n  pool = [\"10.%d.0.9-10.%[3]d.0.9\"]\n  dns = [\"9.9.9.9\"]\n  relay {\n    address = \"10.%[3]d.0.1/24\"\n    from = [\"10.%[4]d.0.2\"]\n  }\n}\n", d.label("dhcp4"), n, far, i)
		}
	}
	d.adverts(inner)
	for _, s := range [][2]string{{"resolver", "dns"}, {"time", "ntp"}} {
		if len(inner) == 0 || !d.often() {
			continue
		}
		some := d.choose(inner)
		given := []string{"networks = " + refs("network", some)}
		if s[0] == "time" {
			given = append(given, `servers = ["192.0.2.1", "ntp.example.org"]`)
		}
		if s[0] == "resolver" {
			d.resolver(some, given)
			resolves = true
		} else {
			d.block(s[0], "", given...)
		}
		for _, n := range some {
			d.serves[n] = append(d.serves[n], s[1])
		}
	}
	d.mappings()
	d.dnsZones()
	d.neighbours()
	d.monitored()
	d.telephones()
	d.messages()
	d.authentication()
	d.exporters()
	d.lamps()
	d.found()
	d.gateways()
	for _, typ := range []string{"nix", "interfaces", "dhcp_client", "agent", "journal"} {
		if d.often() {
			d.block(typ, "")
		}
	}
	if d.often() {
		d.firmware()
	}
	if d.often() {
		d.block("input", d.label("input"))
	}
	if d.often() {
		given := []string{}
		if d.account != "" && d.often() {
			given = append(given, "hashed_password_file = secret."+d.account)
		}
		name := d.pick([]string{"root", "a", "_b-c_9", "let", strings.Repeat("u", 31)})
		if d.seldom() {
			name = "nobody"
		}
		d.block("user", name, given...)
	}
	if d.often() {
		timeout := d.pick([]string{`"1s"`, `"30s"`})
		if d.seldom() {
			timeout = `"31s"`
		}
		command := d.pick([]string{`"true"`, `"/run/current-system/sw/bin/nft"`})
		if d.seldom() {
			command = `"a b"`
		}
		d.block("check", d.label("check"), "command = ["+command+", "+d.pick(texts)+"]", "timeout = "+timeout)
	}
	return resolves
}

// mappings has hosts ask for ports, where an upstream gets its IPv4 address by DHCP.
func (d *dice) mappings() {
	inner := d.inner()
	i := slices.IndexFunc(d.networks, func(n string) bool { return d.dynamic[n] && !d.only6[n] })
	if i < 0 || len(inner) == 0 || !d.often() {
		return
	}
	some := d.choose(inner)
	ports := d.pick([]string{`["1024-65535"]`, `["1-65535"]`, `[443, "8000-8080", 65535]`})
	d.block("upnp", "", "external = network."+d.networks[i], "networks = "+refs("network", some), "ports = "+ports, "http_port = "+d.pick([]string{"5000", "49152"}))
	for _, n := range some {
		d.serves[n] = append(d.serves[n], "upnp")
	}
}

// neighbours has the router say who it is on some ports.
func (d *dice) neighbours() {
	if !d.often() {
		return
	}
	ports := d.choose([]string{"lan1", "lan2", "lan3", "wan"})
	var given []string
	if len(d.networks) > 0 && d.often() {
		given = append(given, "management = network."+d.pick(d.networks))
	}
	given = append(given, "interval = "+d.pick([]string{`"1s"`, `"30s"`, `"1h"`}), "description = "+d.pick([]string{`"x"`, `"NixOS (a, b) #1 $HOME ! *"`, `"` + strings.Repeat("d", 255) + `"`}))
	d.WriteString("lldp {\n")
	d.body("lldp", d.blocks["lldp"], append(given, "listen = "+refs("port", ports), "links = []"))
	d.WriteString("neighbor \"n\" {\n")
	d.body("lldp.neighbor", nested(d.blocks["lldp"], "neighbor"), []string{"link = port." + ports[0], `system = "a b"`, "port = " + d.pick([]string{`"1/1"`, `"gi24"`})})
	d.WriteString("}\n}\n")
}

// dnsZones writes DNS zones, and where they are answered.
func (d *dice) dnsZones() {
	if !d.often() {
		return
	}
	schema := d.blocks["dns_zone"]
	var where []string
	public := "public = false"
	for _, p := range d.fixed { // each in a zone of its own, or in that of others
		if slices.Contains(d.serves[p.network], "dns") {
			continue
		}
		if d.outside(p.network) {
			public = "public = true"
		}
		where = append(where, p.network)
		d.serves[p.network] = append(d.serves[p.network], "dns-zones")
	}
	if len(where) > 0 {
		d.block("dns_server", "", "networks = "+refs("network", where))
	}
	for i, name := range []string{`domain = "z.example"`, `reverse = ` + d.pick([]string{`"10.0.0.0/8"`, `"fd00::/16"`, `"192.0.2.0/24"`})} {
		fmt.Fprintf(d, "dns_zone \"z%d\" {\n", i)
		given := []string{name, `name_servers = ["ns.example.net"]`, public}
		if i > 0 {
			given = append(given, "records = []")
		}
		d.body("dns_zone", schema, given)
		if d.often() {
			d.WriteString("dnssec {\n")
			keys := []string{}
			if d.often() {
				keys = append(keys, `ksk_lifetime = "365d"`, `parents = ["192.0.2.9"]`)
			}
			d.body("dns_zone.dnssec", nested(schema, "dnssec"), keys)
			d.WriteString("}\n")
		}
		d.WriteString("}\n")
	}
}

// transfers writes zones that other servers have too, if they can fetch them.
func (d *dice) transfers() {
	if d.often() {
		return
	}
	d.block("secret", "tsig", `path = "/var/lib/secrets/tsig"`)
	d.block("dns_peer", "p", "key = secret.tsig")
	const peer = "[dns_peer.p]"
	fmt.Fprintf(d, "dns_zone \"copy\" {\n  domain    = \"copy.example\"\n  primaries = %s\n}\n", peer)
	d.used["dns_zone.primaries"] = true
	d.block("dns_catalog", "copy", `domain = "copy.invalid"`, "primaries = "+peer)
	if strings.Contains(d.String(), "dns_server {") {
		d.block("dns_zone", "own", `domain = "own.example"`, `name_servers = ["ns.example.net"]`, "records = []", "secondaries = "+peer)
		d.block("dns_catalog", "own", `domain = "own.invalid"`, "zones = [dns_zone.own]", "secondaries = "+peer)
	}
}

// adverts writes router advertisements for some of the networks, one on a link.
func (d *dice) adverts(networks []string) {
	advertised := map[string]bool{}
	for _, n := range networks {
		link := d.link[n]
		if !d.hosts6[n] || advertised[link] || strings.HasPrefix(link, "wireguard.") || !d.often() {
			continue
		}
		advertised[link] = !d.seldom()
		given := []string{
			"network = network." + n, "interval = " + d.pick([]string{`"4s"`, `"5m"`, `"30m"`}), `preferred_lifetime = "1h"`, `valid_lifetime = ` + d.pick([]string{`"1h"`, `"2d"`}),
			`dns = ["2620:fe::fe"]`, "domains = " + d.pick([]string{"[]", `["lan", "a.b.example.org"]`}), "other_routers = " + d.pick([]string{"[]", `["fe80::2"]`}),
		}
		if d.often() {
			given = append(given, "default_router = true", `lifetime = "2h"`, "preference = "+d.pick([]string{`"low"`, `"medium"`, `"high"`}))
		} else {
			given = append(given, "default_router = false")
		}
		pref64 := "pref64 = false"
		if d.seldom() { // no policy lets these hosts be translated
			pref64 = "pref64 = true"
		}
		given = append(given, pref64)
		if carried := d.mtu[link]; carried == 0 || carried >= 1280 || d.seldom() {
			given = append(given, "mtu = 1280")
		}
		serves := d.often()
		if serves {
			given = append(given, "managed = true", "other_config = true")
		}
		d.block("router_advert", d.label("router_advert"), given...)
		if serves {
			d.dhcp6(n)
		}
	}
}

// nested is the schema of a block within another.
func nested(s conf.Schema, typ string) conf.Schema {
	return s.Blocks[slices.IndexFunc(s.Blocks, func(b conf.Schema) bool { return b.Type == typ })]
}

// dhcp6 writes a server for a network, with prefixes for routers behind it.
func (d *dice) dhcp6(network string) {
	d.serves[network] = append(d.serves[network], "dhcp6")
	fmt.Fprintf(d, "dhcp6 %q {\n", d.label("dhcp6"))
	given := []string{"network = network." + network, `dns = ["2620:fe::fe"]`, `lease = "2d"`, "preferred_lifetime = " + d.pick([]string{`"1s"`, `"2d"`})}
	d.body("dhcp6", d.blocks["dhcp6"], given)
	if d.often() {
		n := d.names["delegated"]
		d.names["delegated"]++
		fmt.Fprintf(d, "  delegate %q {\n", d.pick([]string{"a", "A-9"}))
		d.body("dhcp6.delegate", nested(d.blocks["dhcp6"], "delegate"), []string{fmt.Sprintf(`prefix = "fd77:%x::/32"`, n), "length = " + d.pick([]string{"32", "56", "64"})})
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
}

// firmware writes the block with all sources that a kernel of the vendor's is built from.
func (d *dice) firmware() {
	kernel := d.pick(values["vendor, nixpkgs or nixpkgs-latest"])
	d.WriteString("firmware {\n")
	d.body("firmware", d.blocks["firmware"], []string{"kernel = " + kernel, `card = "8GiB"`})
	for _, b := range d.blocks["firmware"].Blocks {
		if b.Type == "kernel_source" && kernel != `"vendor"` && !d.seldom() || !d.often() {
			continue
		}
		fmt.Fprintf(d, "  %s {\n", b.Type)
		var given []string
		if b.Type == "kernel_source" && d.often() { // it is seldom here at all
			given = append(given, "repo = "+d.pick(values["GitHub repository"]), "date = "+d.pick(values["date"]))
		}
		d.body("firmware."+b.Type, b, given)
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
}

// outside tells whether a network is an upstream, or on the link of one.
func (d *dice) outside(n string) bool {
	return slices.ContainsFunc(d.networks, func(o string) bool {
		return (o == n || d.link[o] == d.link[n]) && (d.dynamic[o] || d.upstream[o])
	})
}

// routing writes the exchange of routes with neighbours in the inner networks.
func (d *dice) routing() {
	var lists []string
	for range d.IntN(3) {
		n := d.label("prefix_list")
		lists = append(lists, n)
		d.block("prefix_list", n)
	}
	d.profiles()
	if len(d.fixed) > 0 && len(lists) > 0 && d.often() {
		d.bgp(lists)
	}
	if len(d.fixed) > 0 && d.IntN(2) == 0 {
		d.ospf(lists)
	}
	d.rip(lists)
}

func (d *dice) bgp(lists []string) {
	var announced []string
	for _, p := range d.fixed {
		announced = append(announced, p.network)
	}
	given := []string{"networks = " + refs("network", d.choose(announced))}
	if len(d.routes) > 0 {
		given = append(given, "routes = "+refs("route", d.choose(d.routes)))
	}
	group, within := d.group(lists)
	d.WriteString("bgp {\n")
	d.body("bgp", d.blocks["bgp"], given)
	d.redistribute("bgp", lists)
	for i, p := range d.fixed {
		if d.outside(p.network) && !d.seldom() {
			continue
		}
		d.speaks[p.network] = true
		address := fmt.Sprintf("10.%d.0.%d", p.number, 20+i)
		if d.seldom() {
			address = "192.0.2.77" // in none of the networks
		}
		given := []string{fmt.Sprintf("address = %q", address), "prefixes_in = prefix_list." + d.pick(lists), "prefixes_out = prefix_list." + d.pick(lists)}
		given = append(given, d.password()...)
		given = append(given, d.watch(p.network)...)
		if d.often() {
			given = append(given, "network = network."+p.network)
		}
		of := group
		if within != "" && within != p.network {
			of = ""
		}
		given = d.otherwise(given, of, p.network)
		fmt.Fprintf(d, "  neighbor %q {\n", d.label("neighbor"))
		d.body("bgp.neighbor", nested(d.blocks["bgp"], "neighbor"), given)
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
}

// group writes settings that neighbours share, and is its name, or nothing, with the network that they are in if it
// says one.
func (d *dice) group(lists []string) (name, network string) {
	defer d.aside(8950)()
	if d.IntN(3) > 0 {
		return "", ""
	}
	name = d.label("bgp_group")
	given := []string{"remote_as = 65001", "prefixes_in = prefix_list." + d.pick(lists), "prefixes_out = prefix_list." + d.pick(lists)}
	if len(d.fixed) > 0 && d.IntN(2) == 0 {
		network = d.fixed[d.IntN(len(d.fixed))].network
		given = append(append(given, "network = network."+network), d.watch(network)...)
	}
	d.block("bgp_group", name, append(given, d.password()...)...)
	return name, network
}

// otherwise puts some neighbours into the group, and has others by their link in place of the address, which is
// the first of the given arguments.
func (d *dice) otherwise(given []string, group, network string) []string {
	defer d.aside(4861 + uint64(len(network)))()
	switch {
	case group != "" && d.IntN(2) == 0:
		given = append(given, "group = bgp_group."+group)
	case !d.seldom():
		given = append(given, fmt.Sprintf("remote_as = %d", 65000+d.IntN(3)))
	}
	if d.IntN(5) > 0 || strings.Contains(d.String(), "router_advert") && !d.seldom() {
		return given
	}
	given = slices.DeleteFunc(given, func(s string) bool { return strings.HasPrefix(s, "network = ") })
	return append(given[1:], "network = network."+network)
}

// ospf has an area a link, since an interface is in one.
func (d *dice) ospf(lists []string) {
	d.WriteString("ospf {\n")
	d.body("ospf", d.blocks["ospf"], nil)
	d.redistribute("ospf", lists)
	there := map[string]bool{}
	for i, p := range d.fixed {
		if link := d.link[p.network]; (there[link] || d.outside(p.network)) && !d.seldom() {
			continue
		}
		there[d.link[p.network]] = true
		d.speaks[p.network] = true
		fmt.Fprintf(d, "  area %q {\n", []string{"0", "1", "0.0.0.2", "4294967295", "10.0.0.1"}[i%5])
		given := append(d.password(), d.pick([]string{"networks", "passive"})+" = [network."+p.network+"]")
		given = append(given, d.watch(p.network)...)
		d.body("ospf.area", nested(d.blocks["ospf"], "area"), given)
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
}

// rip has its routers where OSPF has none, and knows them by the password.
func (d *dice) rip(lists []string) {
	defer d.aside(2453)()
	if !strings.Contains(d.String(), "redistribute \"rip\"") && d.IntN(3) > 0 {
		return
	}
	given := map[string][]string{}
	way := map[string]string{}
	for _, p := range d.fixed {
		if link := d.link[p.network]; !d.outside(p.network) || d.seldom() {
			if way[link] == "" {
				way[link] = d.pick([]string{"networks", "passive"})
			}
			given[way[link]] = append(given[way[link]], p.network)
			d.speaks[p.network] = d.speaks[p.network] || way[link] == "networks"
		}
	}
	var args []string
	for _, name := range []string{"networks", "passive"} {
		if len(given[name]) > 0 {
			args = append(args, name+" = "+refs("network", given[name]))
		}
	}
	d.WriteString("rip {\n")
	d.body("rip", d.blocks["rip"], append(args, d.password()...))
	d.redistribute("rip", lists)
	d.WriteString("}\n")
}

// redistribute tells the neighbours of a protocol routes of those that are written before it, or of RIP,
// which is written after it; seldom others, which may not be there.
func (d *dice) redistribute(into string, lists []string) {
	defer d.aside(5737 + uint64(into[0]))()
	if len(lists) == 0 || d.IntN(4) > 0 {
		return
	}
	for _, from := range []string{"static", "bgp", "ospf", "rip"} {
		there := from == "rip" || strings.Contains(d.String(), "\n"+from+" {\n")
		if from == into || there == d.seldom() || d.often() {
			continue
		}
		given := []string{"prefixes = prefix_list." + d.pick(lists)}
		if d.often() {
			given = append(given, "metric = "+d.pick(values[into+".redistribute.metric"]))
		}
		fmt.Fprintf(d, "  redistribute %q {\n", from)
		d.body(into+".redistribute", nested(d.blocks[into], "redistribute"), given)
		d.WriteString("  }\n")
	}
}

// profiles writes two ways in which BFD watches neighbours.
func (d *dice) profiles() {
	defer d.aside(5880)()
	for _, name := range []string{"bfd0", "bfd1"} {
		d.block("bfd", name)
	}
}

// watch has BFD watch the neighbours in a network, always by the same times, as an argument, or not.
func (d *dice) watch(network string) []string {
	defer d.aside(5882)()
	if d.IntN(3) > 0 {
		return nil
	}
	return []string{fmt.Sprintf("bfd = bfd.bfd%d", len(network)%2)}
}

// password is the secret of the neighbours, as an argument, or none. Another one is for
// something else, too.
func (d *dice) password() []string {
	switch {
	case len(d.secrets) > 0 && d.seldom():
		return []string{"password = secret." + d.pick(d.secrets)}
	case d.shared == "" || !d.often():
		return nil
	}
	return []string{"password = secret." + d.shared}
}
