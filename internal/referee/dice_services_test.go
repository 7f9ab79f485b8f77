package referee_test

import (
	"fmt"
	"math/rand/v2"
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
	var inner []string
	for _, p := range d.fixed {
		if !d.outside(p.network) {
			inner = append(inner, p.network)
		}
	}
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

// monitored has users ask how the router is, in some of its own networks.
func (d *dice) monitored() {
	var inner []string
	for _, p := range d.fixed {
		if !d.outside(p.network) {
			inner = append(inner, p.network)
		}
	}
	if len(inner) == 0 || d.often() {
		return
	}
	some := d.choose(inner)
	for _, n := range some {
		d.serves[n] = append(d.serves[n], "snmp")
	}
	for _, name := range []string{"snmp_auth", "snmp_privacy"} {
		d.block("secret", name, `path = "/var/lib/secrets/`+name+`"`)
	}
	d.WriteString("snmp {\n")
	d.body("snmp", d.blocks["snmp"], []string{"networks = " + refs("network", some)})
	for _, name := range []string{"a", "Z" + strings.Repeat("-", 30) + "9"} {
		view := []string{`view = ["1.3.6.1.2.1"]`, `except = [` + d.pick([]string{`"1.3.6.1.2.1.25", "1.3.6.1.2.1.4"`, `"1.3.6.1.2.1.1.9.4294967295"`}) + `]`}
		if d.often() {
			view = []string{`view = ["1.3.6.1.2.1.1", ` + d.pick(values["object identifier, as in 1.3.6.1.2.1.1"]) + "]"}
		}
		fmt.Fprintf(d, "user %q {\n", name)
		d.body("snmp.user", nested(d.blocks["snmp"], "user"), append(view, "authentication = secret.snmp_auth", "privacy = secret.snmp_privacy"))
		d.WriteString("}\n")
	}
	d.WriteString("}\n")
}

// messages has devices of some of its own networks send each other messages. What it draws is its own, so
// that the rest of the specs is what it would be without it.
func (d *dice) messages() {
	defer func(of *rand.Rand) { d.Rand = of }(d.Rand)
	d.Rand = rand.New(rand.NewPCG(uint64(d.Len()), 0))
	var inner []string
	for _, p := range d.fixed {
		if !d.outside(p.network) {
			inner = append(inner, p.network)
		}
	}
	if len(inner) == 0 || d.IntN(4) > 0 {
		return
	}
	some, tls, service := d.choose(inner), d.often(), "mqtt"
	for i := range 2 {
		d.block("secret", fmt.Sprintf("mqtt_password%d", i), fmt.Sprintf("path = \"/var/lib/secrets/mqtt_password%d\"", i))
	}
	if tls {
		d.block("secret", "mqtt_key", `path = "/var/lib/secrets/mqtt_key"`)
		service = "mqtts"
	}
	for _, n := range some {
		d.serves[n] = append(d.serves[n], service)
	}
	d.WriteString("mqtt {\n")
	d.body("mqtt", d.blocks["mqtt"], []string{"networks = " + refs("network", some)})
	if tls {
		d.WriteString("tls {\n")
		d.body("mqtt.tls", nested(d.blocks["mqtt"], "tls"), []string{"key = secret.mqtt_key"})
		d.WriteString("}\n")
	}
	const filter = "topic filter of MQTT, as in home/+/state or home/#"
	for i, name := range []string{"a", "0" + strings.Repeat("-._Z", 15) + "9"} {
		topics := []string{"readwrite = [" + d.pick(values[filter]) + "]"}
		if d.often() {
			topics = []string{`read = ["$SYS/#", "home/+/set"]`, `write = ["home/lamp/state", "` + strings.Repeat("t", 300) + `"]`}
		}
		fmt.Fprintf(d, "user %q {\n", name)
		d.body("mqtt.user", nested(d.blocks["mqtt"], "user"), append(topics, fmt.Sprintf("password = secret.mqtt_password%d", i)))
		d.WriteString("}\n")
	}
	d.WriteString("}\n")
}

// wireless has clients of radios in some of its networks on bridges.
func (d *dice) wireless() {
	var inner []string
	for _, p := range d.fixed {
		if !d.aware && !d.outside(p.network) && strings.HasPrefix(d.link[p.network], "bridge.") {
			inner = append(inner, p.network)
		}
	}
	if len(inner) == 0 {
		return
	}
	d.block("secret", "wifi", `path = "/var/lib/secrets/wifi"`)
	country := d.pick(values["country by two letters of ISO 3166-1"])
	channels := [][]string{
		{`band = "2.4GHz"`},
		{`band = "2.4GHz"`, "channel = 13", `standard = "802.11n"`},
		{`band = "5GHz"`},
		{`band = "5GHz"`, "channel = 36", `width = "40MHz"`},
		{`band = "5GHz"`, "channel = 48", `standard = "802.11n"`},
		{`band = "5GHz"`, "channel = 161", `width = "80MHz"`, `standard = "802.11ac"`},
		{`band = "5GHz"`, "channel = 177", `width = "160MHz"`},
		{`band = "6GHz"`, "channel = 233", `width = "20MHz"`},
		{`band = "6GHz"`, "channel = 5", `width = "160MHz"`},
		{`band = "6GHz"`, `width = "40MHz"`},
	}
	for i := range 1 + d.IntN(2) {
		fmt.Fprintf(d, "port \"wlp%ds0\" {}\n", 90+i)
		channel := channels[d.IntN(len(channels))]
		fmt.Fprintf(d, "wifi \"radio%d\" {\n", i)
		d.body("wifi", d.blocks["wifi"], append([]string{fmt.Sprintf("radio = port.wlp%ds0", 90+i), "country = " + country}, channel...))
		for j, name := range []string{`a`, `it's \"x\" #\\ $${a} ''`, "日本 ; = , |"} {
			security := d.pick([]string{`"wpa3"`, `"owe"`, `"wpa2"`, `"wpa2-wpa3"`})
			if channel[0] == `band = "6GHz"` {
				security = d.pick([]string{`"wpa3"`, `"owe"`})
			}
			given := []string{"network = network." + d.pick(inner), "security = " + security, fmt.Sprintf("bssid = \"02:00:00:00:%02x:%02x\"", i, j)}
			if security != `"owe"` {
				given = append(given, "password = secret.wifi")
			}
			fmt.Fprintf(d, "ssid \"%d%s\" {\n", i, name)
			d.body("wifi.ssid", nested(d.blocks["wifi"], "ssid"), given)
			d.WriteString("}\n")
		}
		d.WriteString("}\n")
	}
}

// inspection has connections pass through Suricata.
func (d *dice) inspection() {
	if len(d.accepts) == 0 || len(d.fixed) == 0 || d.byHost || !d.often() {
		return
	}
	given := []string{"inspect = " + refs("policy", d.choose(d.accepts)), "fail = " + d.pick(values["open or closed"])}
	for _, name := range []string{"threads", "log_size", "log_keep"} {
		given = append(given, name+" = "+d.pick(values["ids."+name]))
	}
	events := values["alert, anomaly, dns, drop, flow, http, quic or tls"]
	given = append(given, "events = ["+d.pick(events[:4])+", "+d.pick(events[4:])+"]")
	d.WriteString("ids {\n")
	d.body("ids", d.blocks["ids"], given)
	apps := values["protocol of the application layer"]
	given = []string{"app = [" + d.pick(apps[:9]) + ", " + d.pick(apps[9:]) + "]"}
	for _, list := range []string{"sni", "http_host", "dns"} {
		given = append(given, list+" = ["+d.pick(values["DNS zone"])+"]")
	}
	fmt.Fprintf(d, "block %q {\n", d.pick(labels))
	d.body("ids.block", nested(d.blocks["ids"], "block"), given)
	d.WriteString("}\n}\n")
}

// telephones has phones in some networks, and now and then a trunk. It rolls dice of its own, so that
// all else in a spec is what it would be without it.
func (d *dice) telephones() {
	others := d.Rand
	defer func() { d.Rand = others }()
	d.Rand = rand.New(rand.NewPCG(uint64(d.Len()), 5060))
	var inner []string
	for _, p := range d.fixed {
		if !d.outside(p.network) {
			inner = append(inner, p.network)
		}
	}
	if len(inner) == 0 || d.IntN(4) > 0 {
		return
	}
	some := d.choose(inner)
	phones, line := d.label("secret"), d.label("secret")
	d.block("secret", phones, `path = "/var/lib/secrets/`+phones+`"`)
	given := []string{"networks = " + refs("network", some), "port = " + d.pick([]string{"5060", "1"}), "trunk_port = " + d.pick([]string{"5062", "65535"}), "media = " + d.pick([]string{`"10000-10999"`, `"65000-65015"`})}
	i := slices.IndexFunc(d.networks, d.outside)
	trunk := i >= 0 && d.often()
	switch {
	case !trunk:
		given = append(given, "emergency = []")
	case d.often():
		given = append(given, "prefix = "+d.pick([]string{`"0"`, `"999999999999999"`}))
	}
	d.WriteString("pbx {\n")
	d.body("pbx", d.blocks["pbx"], given)
	names := []string{"a", "let"}
	for n, name := range names {
		fmt.Fprintf(d, "extension %q {\n", name)
		d.body("pbx.extension", nested(d.blocks["pbx"], "extension"), []string{fmt.Sprintf("number = \"1%d\"", n), "password = secret." + phones, "network = network." + d.pick(some)})
		d.WriteString("}\n")
	}
	d.WriteString("group \"in\" {\n")
	d.body("pbx.group", nested(d.blocks["pbx"], "group"), []string{`number = "20"`, "extensions = " + d.pick([]string{`["a"]`, `["let", "a"]`})})
	d.WriteString("}\n")
	if trunk {
		d.WriteString("trunk \"or\" {\n")
		d.body("pbx.trunk", nested(d.blocks["pbx"], "trunk"), []string{"network = network." + d.networks[i], "password = secret." + line, "to = " + d.pick([]string{`"in"`, `"let"`})})
		d.WriteString("}\n")
	}
	d.WriteString("}\n")
	if trunk {
		d.block("secret", line, `path = "/var/lib/secrets/`+line+`"`)
	}
	for _, n := range some {
		d.serves[n] = append(d.serves[n], "pbx")
	}
}

// authentication has access points ask who may into the network. It rolls dice of its own, as telephones do.
func (d *dice) authentication() {
	others := d.Rand
	defer func() { d.Rand = others }()
	d.Rand = rand.New(rand.NewPCG(uint64(d.Len()), 1812))
	var inner []place
	for _, p := range d.fixed {
		if !d.outside(p.network) {
			inner = append(inner, p)
		}
	}
	if len(inner) == 0 || d.IntN(4) > 0 {
		return
	}
	at := inner[d.IntN(len(inner))]
	d.serves[at.network] = append(d.serves[at.network], "radius")
	key, client, user := d.label("secret"), d.label("secret"), d.label("secret")
	given := []string{"networks = " + refs("network", []string{at.network}), "key = secret." + key}
	certified := d.often()
	if certified {
		given = append(given, `ca = "/var/lib/radius/ca.pem"`)
	}
	d.WriteString("radius {\n")
	d.body("radius", d.blocks["radius"], given)
	fmt.Fprintf(d, "client %q {\n", d.pick(labels))
	d.body("radius.client", nested(d.blocks["radius"], "client"), []string{
		"secret = secret." + client, fmt.Sprintf("addresses = [\"10.%d.0.200/32\", \"10.%[1]d.0.%d/32\"]", at.number, 201+d.IntN(20)),
	})
	d.WriteString("}\n")
	for _, name := range []string{"A.b_c@example.org", strings.Repeat("9", 63)} {
		way := []string{"password = secret." + user}
		if certified {
			way = [][]string{{"certificate = true"}, {"certificate = true", "password = secret." + user}}[d.IntN(2)]
		}
		if d.often() {
			way = append(way, "vlan = "+d.pick([]string{"1", "4094"}))
		}
		fmt.Fprintf(d, "user %q {\n", name)
		d.body("radius.user", nested(d.blocks["radius"], "user"), way)
		d.WriteString("}\n")
	}
	d.WriteString("}\n")
	for _, name := range []string{key, client, user} {
		d.block("secret", name, `path = "/var/lib/secrets/`+name+`"`)
	}
}

// exporters serve the machine and FRR to Prometheus, in networks of the router's own. It rolls dice of its
// own, as telephones does.
func (d *dice) exporters() {
	others := d.Rand
	defer func() { d.Rand = others }()
	d.Rand = rand.New(rand.NewPCG(uint64(d.Len()), 9100))
	var inner []string
	for _, p := range d.fixed {
		if !d.outside(p.network) {
			inner = append(inner, p.network)
		}
	}
	if len(inner) == 0 || d.IntN(3) > 0 {
		return
	}
	some := d.choose(inner)
	d.WriteString("exporter \"node\" {\n")
	d.body("exporter", d.blocks["exporter"], []string{"networks = " + refs("network", some), "port = " + d.pick([]string{"1024", "9100", "65535"})})
	d.WriteString("}\n")
	for _, n := range some {
		if !slices.Contains(d.serves[n], "metrics") {
			d.serves[n] = append(d.serves[n], "metrics")
		}
	}
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
	if len(d.fixed) > 0 && len(lists) > 0 && d.often() {
		d.bgp(lists)
	}
	if len(d.fixed) > 0 && d.IntN(2) == 0 {
		d.ospf()
	}
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
	d.WriteString("bgp {\n")
	d.body("bgp", d.blocks["bgp"], given)
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
		if d.often() {
			given = append(given, "network = network."+p.network)
		}
		fmt.Fprintf(d, "  neighbor %q {\n", d.label("neighbor"))
		d.body("bgp.neighbor", d.blocks["bgp"].Blocks[0], given)
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
}

// ospf has an area a link, since an interface is in one.
func (d *dice) ospf() {
	d.WriteString("ospf {\n")
	d.body("ospf", d.blocks["ospf"], nil)
	there := map[string]bool{}
	for i, p := range d.fixed {
		if link := d.link[p.network]; (there[link] || d.outside(p.network)) && !d.seldom() {
			continue
		}
		there[d.link[p.network]] = true
		d.speaks[p.network] = true
		fmt.Fprintf(d, "  area %q {\n", []string{"0", "1", "0.0.0.2", "4294967295", "10.0.0.1"}[i%5])
		given := append(d.password(), d.pick([]string{"networks", "passive"})+" = [network."+p.network+"]")
		d.body("ospf.area", d.blocks["ospf"].Blocks[0], given)
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
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
