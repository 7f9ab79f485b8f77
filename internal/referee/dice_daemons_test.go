package referee_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// inner are the networks with fixed addresses that are not an upstream's.
func (d *dice) inner() []string {
	var inner []string
	for _, p := range d.fixed {
		if !d.outside(p.network) {
			inner = append(inner, p.network)
		}
	}
	return inner
}

// aside has a block roll dice of its own until back is called, so that all else in a spec is what it would
// be without the block.
func (d *dice) aside(salt uint64) (back func()) {
	others := d.Rand
	d.Rand = rand.New(rand.NewPCG(d.seed, salt))
	return func() { d.Rand = others }
}

// monitored has users ask how the router is, in some of its own networks.
func (d *dice) monitored() {
	inner := d.inner()
	if len(inner) == 0 || d.often() {
		return
	}
	some := d.choose(inner)
	for _, n := range some {
		d.serves[n] = append(d.serves[n], "snmp")
	}
	for _, name := range []string{"snmp_auth0", "snmp_privacy0", "snmp_auth1", "snmp_privacy1"} {
		d.block("secret", name, `path = "/var/lib/secrets/`+name+`"`)
	}
	d.WriteString("snmp {\n")
	d.body("snmp", d.blocks["snmp"], []string{"networks = " + refs("network", some)})
	for i, name := range []string{"a", "Z" + strings.Repeat("-", 30) + "9"} {
		view := []string{`view = ["1.3.6.1.2.1"]`, `except = [` + d.pick([]string{`"1.3.6.1.2.1.25", "1.3.6.1.2.1.4"`, `"1.3.6.1.2.1.1.9.4294967295"`}) + `]`}
		if d.often() {
			view = []string{`view = ["1.3.6.1.2.1.1", ` + d.pick(values["object identifier, as in 1.3.6.1.2.1.1"]) + "]"}
		}
		fmt.Fprintf(d, "user %q {\n", name)
		d.body("snmp.user", nested(d.blocks["snmp"], "user"), append(view, fmt.Sprintf("authentication = secret.snmp_auth%d", i), fmt.Sprintf("privacy = secret.snmp_privacy%d", i)))
		d.WriteString("}\n")
	}
	d.WriteString("}\n")
}

// messages has devices of some of its own networks send each other messages.
func (d *dice) messages() {
	defer d.aside(0)()
	inner := d.inner()
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
	defer d.aside(80211)()
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
	asks := false
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
		asks = d.enterprise(i, inner) || asks
		d.WriteString("}\n")
	}
	if asks {
		d.asked(inner)
	}
}

// enterprise has a RADIUS server say who gets in by a radio.
func (d *dice) enterprise(radio int, inner []string) bool {
	defer d.aside(80210 + uint64(radio))()
	if d.IntN(3) > 0 {
		return false
	}
	fmt.Fprintf(d, "ssid \"%d=\" {\n", radio)
	d.body("wifi.ssid", nested(d.blocks["wifi"], "ssid"), []string{
		"network = network." + d.pick(inner), `security = "wpa3-enterprise"`, "radius = radius_server.office", fmt.Sprintf("bssid = \"02:00:00:00:%02x:80\"", radio),
	})
	d.WriteString("}\n")
	return true
}

// asked is the RADIUS server, in one of the networks.
func (d *dice) asked(inner []string) {
	defer d.aside(1645)()
	for _, p := range d.fixed {
		if p.network == inner[0] {
			d.block("secret", "radius_office", `path = "/var/lib/secrets/radius_office"`)
			d.WriteString("radius_server \"office\" {\n")
			d.body("radius_server", d.blocks["radius_server"], []string{fmt.Sprintf("address = \"10.%d.0.199\"", p.number), "secret = secret.radius_office"})
			d.WriteString("}\n")
			return
		}
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

// telephones has phones in some networks, and now and then a trunk.
func (d *dice) telephones() {
	defer d.aside(5060)()
	inner := d.inner()
	if len(inner) == 0 || d.IntN(4) > 0 {
		return
	}
	some := d.choose(inner)
	line := d.label("secret")
	given := []string{"networks = " + refs("network", some), "port = " + d.pick([]string{"5060", "1"}), "trunk_port = " + d.pick([]string{"5062", "65535"}), "media = " + d.pick([]string{`"10000-10999"`, `"65000-65015"`})}
	i := slices.IndexFunc(d.networks, d.outside)
	trunk := i >= 0 && d.often()
	switch {
	case !trunk:
		given = append(given, "emergency = []")
	case d.often():
		given = append(given, "prefix = "+d.pick([]string{`"0"`, `"999999999999999"`}))
	}
	names := []string{"a", "let"}
	for n := range names {
		d.block("secret", fmt.Sprintf("phone_password%d", n), fmt.Sprintf("path = \"/var/lib/secrets/phone%d\"", n))
	}
	d.WriteString("pbx {\n")
	d.body("pbx", d.blocks["pbx"], given)
	for n, name := range names {
		fmt.Fprintf(d, "extension %q {\n", name)
		d.body("pbx.extension", nested(d.blocks["pbx"], "extension"), []string{fmt.Sprintf("number = \"1%d\"", n), fmt.Sprintf("password = secret.phone_password%d", n), "network = network." + d.pick(some)})
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

// authentication has access points ask who may into the network.
func (d *dice) authentication() {
	defer d.aside(1812)()
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
	key, client := d.label("secret"), d.label("secret")
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
	secrets := []string{key, client}
	for i, name := range []string{"A.b_c@example.org", strings.Repeat("9", 63)} {
		own := fmt.Sprintf("radius_password%d", i)
		secrets = append(secrets, own)
		way := []string{"password = secret." + own}
		if certified {
			way = [][]string{{"certificate = true"}, {"certificate = true", "password = secret." + own}}[d.IntN(2)]
		}
		if d.often() {
			way = append(way, "vlan = "+d.pick([]string{"1", "4094"}))
		}
		fmt.Fprintf(d, "user %q {\n", name)
		d.body("radius.user", nested(d.blocks["radius"], "user"), way)
		d.WriteString("}\n")
	}
	d.WriteString("}\n")
	for _, name := range secrets {
		d.block("secret", name, `path = "/var/lib/secrets/`+name+`"`)
	}
}

// exporters serve the machine and FRR to Prometheus, in networks of the router's own.
func (d *dice) exporters() {
	defer d.aside(9100)()
	inner := d.inner()
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

// lamps have Zigbee, where there is no broker yet.
func (d *dice) lamps() {
	defer d.aside(2405)()
	inner := d.inner()
	if len(inner) == 0 || strings.Contains(d.String(), "\nmqtt {\n") || d.IntN(4) > 0 {
		return
	}
	some, tls, service := d.choose(inner), d.often(), "mqtt"
	secrets := []string{"mqtt_zigbee", "zigbee_key"}
	given := []string{"password = secret.mqtt_zigbee", "network_key = secret.zigbee_key", "topic = " + d.pick(values["topic, as in zigbee2mqtt"])}
	if tls {
		secrets, service = append(secrets, "mqtt_key"), "mqtts"
		given = append(given, "ca = "+d.pick(values["mqtt.tls.certificate"]))
	}
	for _, name := range secrets {
		d.block("secret", name, `path = "/var/lib/secrets/`+name+`"`)
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
	d.WriteString("user \"1.z-_\" {\npassword = secret.mqtt_zigbee\nreadwrite = [\"#\"]\n}\n}\nzigbee {\n")
	d.body("zigbee", d.blocks["zigbee"], given)
	d.WriteString("}\n")
}

// found has hosts of some of its own networks find what others of them offer.
func (d *dice) found() {
	defer d.aside(5353)()
	var inner []string
	for _, n := range d.inner() {
		if kind, _, _ := strings.Cut(d.link[n], "."); !slices.Contains([]string{"wireguard", "gre", "sit", "ip6tnl", "nat64"}, kind) {
			inner = append(inner, n)
		}
	}
	if len(inner) == 0 {
		return
	}
	some, links := d.choose(inner), map[string]bool{}
	for _, n := range some {
		links[d.link[n]] = true
	}
	if len(links) < 2 {
		return // nothing to pass on
	}
	for _, n := range some {
		d.serves[n] = append(d.serves[n], "mdns")
	}
	d.block("mdns", "", "networks = "+refs("network", some), "publish = "+d.pick([]string{"true", "false"}))
}

// gateways has other routers share an address with some of its own networks.
func (d *dice) gateways() {
	defer d.aside(112)()
	for _, p := range d.fixed {
		kind, _, _ := strings.Cut(d.link[p.network], ".")
		if d.outside(p.network) || d.often() || slices.Contains([]string{"wireguard", "gre", "sit", "ip6tnl", "nat64"}, kind) {
			continue
		}
		addresses := fmt.Sprintf(`"10.%d.0.251"`, p.number)
		if d.hosts6[p.network] {
			addresses += `, "fe80::77"`
		}
		given := []string{"network = network." + p.network, "addresses = [" + addresses + "]", fmt.Sprintf("id = %d", 255-p.number)}
		for _, n := range d.networks {
			if d.link[n] != d.link[p.network] && d.often() {
				given = append(given, "track = [network."+n+"]")
				break
			}
		}
		d.block("vrrp", d.label("vrrp"), given...)
	}
}
