package referee_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// A dice makes one random spec. It knows what fits together, so that many of its specs are
// good; what may stand in an argument comes from the type that the schema says.
type dice struct {
	*rand.Rand
	strings.Builder
	blocks   map[string]conf.Schema
	names    map[string]int
	links    []string // what a network can be on
	networks []string // names, with a fixed IPv4 address unless in dynamic
	dynamic  map[string]bool
	upstream map[string]bool
	only6    map[string]bool     // without an IPv4 address
	speaks   map[string]bool     // exchanges routes
	link     map[string]string   // of a network
	shared   string              // the secret that neighbours know
	mtu      map[string]int      // of a link
	aware    bool                // a bridge keeps VLANs apart
	hosts6   map[string]bool     // with an IPv6 prefix for hosts
	serves   map[string][]string // what a network gets in from its zone
	zones    []string
	hosts4   []string // hosts with an IPv4 address
	sets     []string // of addresses, some of IPv4
	named    []string // services
	secrets  []string // for tunnels, each for one thing unless another use is a mistake by intent
	account  string   // the secret with an account's password
	routes   []string
	fixed    []place
	used     map[string]bool // TYPE.ARGUMENT
}

// A place is an inner network with the address 10.NUMBER.0.1.
type place struct {
	network string
	number  int
}

// labels are names that programs may stumble over, and ordinary ones.
var labels = []string{
	"lan", "wan", "a", "A", "_", "a-b", "a_b", "let", "in", "if", "then", "else", "with", "rec", "inherit", "or", "assert", "true", "null", "lib", "config", "pkgs",
	"ip", "ip6", "tcp", "udp", "accept", "drop", "jump", "input", "forward", "table", "chain", "type", "set", "map", "counter", "nbr", "root", "on", "off", "yes", "no", "all", "lo", "default", "any", "none",
	"input_lan", "postrouting", "x" + strings.Repeat("y", 62), strings.Repeat("z", 15), "bonding_masters", "eth0", "lan1", "sfp-lan", "br-0123456789ab", "docker0", "veth0", "for_each", "self", "main",
}

// linkLabels are names that interfaces may have and those that they may not, which are a few
// of many: each makes the whole spec a bad one.
var linkLabels = []string{"a", "A", "_", "a-b", "a_b", "let", "in", "or", "null", "lib", "ip", "tcp", "accept", "input", "table", "set", "nbr", "root", "on", "off", "any", "none", "eth0", "wlan0", "self", "zzzzzzzzzzzzzzz"}

var badLinkLabels = []string{"lo", "all", "default", "bonding_masters", "docker0", "veth0", "lan1", "br-0123456789ab", "sixteencharacter"}

// texts are what every text may hold: whatever Nix, nft, shells and the files of daemons quote.
var texts = []string{`""`, `"a"`, `"a \"quoted\" 'text'"`, `"''"`, `"$${a} '' \\ ''$"`, `"\n\t"`, `"# not a comment"`, `"ü 路由器 🛜"`, `"*/ /* ; { } [ ]"`, `"%s %%"`, `"` + strings.Repeat("long ", 60) + `"`}

// values are what may stand in an argument, by its type in the schema or its own name: the
// extremes of each.
var values = map[string][]string{
	"string": texts, "full name": {`""`, `"A B"`, `"a \"b\" ' $${c} \\"`, `"ü, 路"`}, "bool": {"true", "false"},
	"MAC address":             {`"02:00:00:00:00:01"`, `"fe-ff-ff-ff-ff-ff"`, `"0200.0000.0002"`},
	"PCI address":             {`"0000:02:00.0"`, `"e1:1F.7"`, `"10000:00:00.1"`},
	"metric, 0 to 4294967295": {"0", "1", "1024", "4294967295"},
	"MTU in bytes":            {"576", "1280", "9000", "65535"}, "address block": {`"10.64.0.0/16"`, `"100.64.0.0/10"`, `"192.0.2.1/32"`},
	"domain name": {`"lan"`, `"a.b.example.org."`, `"_x.` + strings.Repeat("d", 63) + `.org"`},
	"number":      {"1", "2", "10"}, "time zone": {`"Europe/Berlin"`, `"UTC"`, `"America/Argentina/Buenos_Aires"`, `"Etc/GMT+12"`}, "NixOS release": {`"25.11"`, `"26.05"`}, "NixOS release since 23.05": {`"23.05"`, `"25.11"`},
	"tcp, udp or icmp": {`"tcp"`, `"udp"`, `"icmp"`}, "tcp or udp": {`"tcp"`, `"udp"`}, "accept, drop or reject": {`"accept"`, `"drop"`, `"reject"`},
	"port": {"1", "80", "65535"}, "port or range of ports": {`"1"`, `"1-65535"`, `"443"`, `"8000-8080"`, `"65535"`}, "duration, as in 12h": {`"60s"`, `"1h"`, `"2d"`},
	"user name": {`"a"`, `"_b-c_9"`, `"wheel"`, `"` + strings.Repeat("u", 31) + `"`}, "service name": {`"ssh"`, `"dns"`, `"dhcp"`, `"ntp"`, `"wireguard"`},
	"SSH public key":           {`"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"`, `"from=\"10.0.0.1\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl $${a} ''"`},
	"password hash (crypt(5))": {`"$y$j9T$abc$def"`, `"$6$rounds=5000$a.b/c$d"`}, "regular expression": {`"^tailscale0$"`, `"a\\.b|c"`, `"''$${x}\""`},
	"tcp or udp, a slash and a port": {`"tcp/1"`, `"udp/65535"`}, "line of dhcpcd.conf(5)": {`"vendorclassid nbr"`, `"# ''$${a} \" \\"`},
	"WireGuard public key": {`"sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY="`, `"IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk="`},
	"host:port":            {`"vpn.example.org:51820"`, `"[2001:db8::1]:1"`, `"192.0.2.1:65535"`}, "seconds": {"1", "25", "65535"}, "IP address": {`"9.9.9.9"`, `"2620:fe::fe"`},
	"host name or address": {`"time.cloudflare.com"`, `"192.0.2.1"`, `"2001:db8::1"`}, "unix, or address and port": {`"unix"`}, "package of nixpkgs": {`"nftables"`, `"procps"`},
	"flake reference": {`"github:a/b"`, `"git+https://example.org/a.git?ref=x&rev=0"`, `"path:/a"`}, "name": {`"nixpkgs"`},
	"interface name": {`"v10"`, `"0a"`, `"a.b"`, `"_.-"`},
	// What is merged into a program's settings has to be settings of the program.
	"weight, 1 to 256": {"1", "2", "256"}, "routing table, 1 to 127": {"1", "127"}, "priority, 14000 to 32765": {"14000", "20000", "32765"},
	"blackhole, unreachable or prohibit":     {`"blackhole"`, `"unreachable"`, `"prohibit"`},
	"route.type":                             {`"unicast"`},                                                                             // the others go without a next hop
	"nix.extra":                              {`{}`, `{ a = 1 }`, `{ "a.b" = "''$${c} \"", "" = null, l = [1, 2.5, true, null, "x"] }`}, // Nix has no sets in its own
	"dhcp4.extra":                            {`{}`, `{ min-valid-lifetime = 1 }`, `{ user-context = { "a.b" = "''$${c} \"", "" = null, l = [1, 2.5, true, null, { x = [] }], let = { in = -1 } } }`},
	"interfaces.extra":                       {`{}`, `{ interfaces = { "ex.0" = { link = { kind = "dummy", state = "up" } } } }`},
	"policy.source_nat":                      {`"198.18.7.9"`},
	"ipv4 or ipv6":                           {`"ipv4"`, `"ipv6"`},
	"number per second, minute, hour or day": {`"1/second"`, `"1000000/day"`, `"1000000/second"`, `"1/day"`, `"7/hour"`, `"20/minute"`},
	"resolver.extra":                         {`{}`, `{ logging = { level = "info", groups = ["cache", "dnssec"] } }`},
	"ssh.extra":                              {`{}`, `{ LogLevel = "VERBOSE" }`, `{ MaxStartups = "10:30:60", StrictModes = true, ClientAliveCountMax = 2 }`},
	"size, as in 8GiB":                       {`"8GiB"`, `"4GiB"`}, "vendor, nixpkgs or nixpkgs-latest": {`"vendor"`, `"nixpkgs"`, `"nixpkgs-latest"`}, "btrfs-subvol, btrfs or ext4": {`"btrfs-subvol"`, `"btrfs"`, `"ext4"`}, "kernel option": {`"NET_SCH_CAKE"`},
	"dhcp6.extra":                            {`{}`, `{ rapid-commit = true }`, `{ user-context = { "a.b" = "''$${c} \"", l = [1, 2.5, true] } }`},
	"range of last halves of IPv6 addresses": {`"::1000-::1fff"`, `"::2-::2"`, `"::ff00:0:0:0-::ffff:ffff:ffff:ffff"`}, "DUID of DHCPv6": {`"00:03:00:01:02:11:22:33:44:55"`, `"00:04:FF"`},
	"name of a boot file": {`"undionly.kpxe"`, `"http://192.0.2.1/a?b='c'&d=$${e}"`}, "number of an architecture, 0 to 65535": {"0", "7", "65535"},
	"bytes in hexadecimal": {`"00"`, `"01:FF"`, `"` + strings.Repeat("a5", 255) + `"`},
	"dhcp4.next_server":    {`"192.0.2.1"`}, "dhcp4.v6_only": {`"5m"`, `"2d"`},
	"Linux version": {`"6.12.63-bpi-r4"`, `"6.12"`, `"6.18.3"`}, "version of Trusted Firmware-A": {`"2.13.0"`, `"2.14"`, `"2.12.0-mtk"`}, "git commit": {`"` + strings.Repeat("0", 40) + `"`, `"` + strings.Repeat("af19", 10) + `"`},
	"SRI hash": {`"sha256-` + strings.Repeat("A", 43) + `="`, `"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="`}, "GitHub repository": {`"frank-w/BPI-Router-Linux"`, `"a/..."`},
	"date": {`"2026-11-01"`, `"2024-02-29"`}, "U-Boot release": {`"2025.07"`, `"2025.04.1-rc2"`},
	"number of an autonomous system": {"1", "65001", "4294967294"}, "identifier like an IPv4 address": {`"192.0.2.1"`, `"0.0.0.1"`, `"10.0.0.1"`},
	"802.3ad, active-backup, balance-rr, balance-xor, broadcast, balance-tlb or balance-alb": {`"802.3ad"`, `"active-backup"`, `"balance-rr"`, `"balance-xor"`, `"broadcast"`, `"balance-tlb"`, `"balance-alb"`},
	"layer2, layer2+3, layer3+4, encap2+3, encap3+4 or vlan+srcmac":                          {`"layer2"`, `"layer2+3"`, `"layer3+4"`, `"encap2+3"`, `"encap3+4"`, `"vlan+srcmac"`},
	"bits in a second, as in 40mbit":                                                         {`"64kbit"`, `"38500kbit"`, `"1gbit"`, `"100gbit"`}, framings: {`"ethernet"`, `"docsis"`, `"pppoe-ptm"`, `"conservative"`}, "besteffort, diffserv3, diffserv4 or diffserv8": {`"besteffort"`, `"diffserv8"`},
	"any, ipip6 or ip6ip6": {`"any"`, `"ipip6"`, `"ip6ip6"`}, "IPv4 address of another router": {`"192.168.178.9"`, `"203.0.113.9"`}, "IPv6 address of another router": {`"2001:db8:77::a"`, `"2001:db8::ffff:9"`},
	"IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits": {`"64:ff9b::/96"`, `"64:ff9b:1::/48"`, `"64:ff9b:1:2::/96"`, `"2001:db8::/32"`, `"2001:db8:100::/40"`, `"2001:db8:6464::/56"`},
	"802.1q or 802.1ad":                            {`"802.1q"`, `"802.1ad"`},
	"slow or fast":                                 {`"slow"`, `"fast"`}, "milliseconds": {"1", "100", "60000"}, "number of ports": {"1", "2"},
	"pppoe.mtu": {"1280", "1400", "1492"}, "user name at a provider": {`"anna"`, `"0001#\"x\\y'$z@example.net"`, "\"" + strings.Repeat("é", 127) + "\""},
	"length of a prefix, 32 to 64":              {"32", "48", "56"},
	"protocol, or protocol, a slash and a port": {`"tcp/1"`, `"udp/1-65535"`, `"sctp/36412"`, `"gre"`, `"icmp"`, `"icmp/0"`, `"icmpv6/255"`, `"igmp"`},
	"address, prefix or range of addresses":     {`"192.0.2.1"`, `"203.0.113.0/24"`, `"0.0.0.0/0"`, `"::/0"`, `"2001:db8::1-2001:db8::ff"`, `"255.255.255.0-255.255.255.254"`, `"2001:db8:ffff::/48"`},
	"DNS server":                                {`"9.9.9.9"`, `"2620:fe::fe#dns.quad9.net"`, `"192.0.2.1@5353"`, `"192.0.2.1@65535#a-b.example"`}, "resolver.forwarder.servers": {`"192.0.2.9"`, `"2001:db8:9::9"`},
	"DNS record": {`"_sip._udp.example.org SRV 0 0 5060 pbx.example.org"`, `"a.example.org TXT \"]] '' $${a} \\\\ ü\" \"\""`, `"example.org 60 IN MX 10 a."`, `"x.example.org CAA 0 issue \"ca.example\""`, `"y.example.org HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"`, `"a\\.b.example.org NAPTR 1 2 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.org"`},
	"DNS zone":   {`"corp.example.org"`, `"10.in-addr.arpa"`, `"a_b.example."`}, "IPv6 prefix of 96 bits": {`"64:ff9b::/96"`, `"2001:db8:64::/96"`},
	"number of answers a second": {"1", "20", "1000000"}, "mailbox": {`"a@b"`, `"jane.d_o-e@example.org"`}, "algorithm of DNSSEC": {`"ecdsap256sha256"`, `"ecdsap384sha384"`, `"ed25519"`},
	"dns_server.extra": {`{}`, `{ server = { identity = "gate" } }`}, "dns_zone.extra": {`{}`, `{ "semantic-checks" = true }`}, "dns_zone.dnssec.parents": {`"192.0.2.9"`, `"2001:db8:9::9"`},
	"dns_zone.records":                   {`"_sip._udp.z.example SRV 0 0 5060 pbx.example.org"`, `"a.z.example TXT \"]] '' $${a} \\\\ ü\" \"\""`, `"z.example 60 IN MX 10 a."`, `"*.Z.example A 192.0.2.1"`, `"y.z.example HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"`, `"a\\.b.z.example NAPTR 1 2 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.org"`, `"sub.z.example NS ns.example.net"`},
	"resolver.tls.certificate":           {`"/var/lib/acme/dns.example.org/fullchain.pem"`, `"/a"`},
	"prefix, with ge or le and a length": {`"10.0.0.0/8 le 24"`, `"0.0.0.0/0"`, `"::/0 ge 1 le 128"`, `"fd00::/16 ge 48"`, `"172.16.0.0/12 le 32"`},
}

// framings is how the schema calls a framing of a line.
const framings = "bridged-llcsnap, bridged-ptm, bridged-vcmux, conservative, docsis, ethernet, ipoa-llcsnap, ipoa-vcmux, pppoa-llc, pppoa-vcmux, pppoe-llcsnap, pppoe-ptm or pppoe-vcmux"

// built are the arguments that the dice writes itself, and those that need a file or a
// certain machine.
var built = map[string]bool{
	"shaper.network": true, "shaper.download": true, "shaper.upload": true, "shaper.framing": true, "shaper.priority": true, "shaper.ack_filter": true,
	"vxlan.remote": true, "vxlan.group": true, "vxlan.id": true, "vxlan.mtu": true,
	"bridge.pvid": true, "bridge.vlans.ports": true, "bridge.vlans.untagged": true, "bridge.vlans.tagged": true, "bridge.vlans.pvid": true,
	"vlan.protocol":  true,
	"bond.lacp_rate": true, "bond.min_links": true, "bond.transmit_hash": true,
	"address_set.hosts": true, "address_set.networks": true, "address_set.files": true, "policy.services": true, "port_forward.sources": true,
	"dhcp4.option.value": true, "dhcp4.option.hex": true, "host.mac": true, "host.duid": true, "host.ipv4": true, "host.ipv6": true, "host.aliases": true,
	"router.board": true, "router.memory": true, "router.state_version": true, "router.import": true, "router.console_only": true, "router.name_servers": true, "secret.file": true, "secret.source": true, "secret.key": true,
	"rule.priority": true, "rule.from": true, "rule.to": true, "rule.network": true, "rule.table": true, "rule.type": true, "route.table": true,
	"route.next_hop.via": true, "route.next_hop.network": true, "route.next_hop.weight": true,
	"network.prefix": true, "route.type": true, "network.subnet": true, "network.interface_id": true, "router_advert.lifetime": true, "router_advert.preference": true, "router_advert.mtu": true,
	"dns_zone.domain": true, "dns_zone.reverse": true, "dns_zone.public": true, "dns_zone.name_servers": true, "dns_zone.dnssec.ksk_lifetime": true,
	"resolver.blocklist.files": true, "resolver.blocklist.networks": true, "resolver.dns64.networks": true, "resolver.tls.https": true,
	"agent.metrics": true, "agent.networks": true, "agent.port": true,
	"firmware.accept_regulatory_responsibility": true,
}

func (d *dice) pick(of []string) string { return of[d.IntN(len(of))] }

func (d *dice) often() bool { return d.IntN(3) > 0 }

// seldom is for what is wrong by intent: a line of it makes a whole spec a bad one.
func (d *dice) seldom() bool { return d.IntN(40) == 0 }

// label is a name that no other block of the type has.
func (d *dice) label(typ string) string {
	for {
		l := d.pick(labels)
		if typ == "link" {
			if l = d.pick(linkLabels); d.seldom() {
				l = d.pick(badLinkLabels)
			}
		}
		if d.names[typ+"."+l]++; d.names[typ+"."+l] == 1 {
			return l
		}
	}
}

// block writes a block: what is given, and some of the other arguments by their types.
func (d *dice) block(typ, label string, given ...string) {
	if label != "" {
		label = fmt.Sprintf(" %q", label)
	}
	fmt.Fprintf(d, "%s%s {\n", typ, label)
	d.body(typ, d.blocks[typ], given)
	d.WriteString("}\n")
}

func (d *dice) body(typ string, s conf.Schema, given []string) {
	there := map[string]bool{}
	for _, g := range given {
		name, rest, _ := strings.Cut(g, " ")
		if name = strings.TrimSpace(name); strings.HasPrefix(rest, "=") {
			there[name] = true
			d.used[typ+"."+name] = true
		}
		fmt.Fprintf(d, "  %s\n", g)
	}
	for _, a := range s.Attributes {
		of := values[typ+"."+a.Name]
		if of == nil {
			of = values[a.Type]
		}
		if a.Name == "hashed_password" && there["hashed_password_file"] || a.Name == "gateway" || a.Name == "gateway6" || a.Name == "nts" && !there["servers"] {
			continue // goes with others
		}
		if there[a.Name] || built[typ+"."+a.Name] || len(of) == 0 || !a.Required && d.IntN(4) > 0 {
			continue
		}
		v := d.pick(of)
		if a.Type == "interface name" && d.names[v] > 0 && !d.seldom() {
			continue // taken
		}
		d.names[v]++
		d.used[typ+"."+a.Name] = true
		if a.List {
			v = "[" + v + "]"
			if other := d.pick(of); d.often() && !strings.Contains(v, other) {
				v = strings.TrimSuffix(v, "]") + ", " + other + "]"
			}
		}
		fmt.Fprintf(d, "  %s = %s\n", a.Name, v)
	}
}

// choose takes a few of the names; at least one.
func (d *dice) choose(names []string) []string {
	var out []string
	for _, i := range d.Perm(len(names))[:1+d.IntN(min(len(names), 3))] {
		out = append(out, names[i])
	}
	return out
}

// refs are references to blocks of one type.
func refs(typ string, names []string) string {
	if len(names) == 0 {
		return "[]"
	}
	return "[" + typ + "." + strings.Join(names, ", "+typ+".") + "]"
}

// roll writes a whole spec.
func (d *dice) roll() string {
	ports := []string{"lan1", "lan2", "lan3", "wan"}
	for range d.IntN(3) {
		n := d.label("secret")
		d.secrets = append(d.secrets, n)
		d.block("secret", n, `path = "/run/keys/`+n+`"`)
	}
	if d.often() {
		d.account = d.label("secret")
		d.block("secret", d.account, `path = "/var/lib/secrets/`+d.account+`"`)
	}
	if d.often() {
		d.shared = d.label("secret")
		d.block("secret", d.shared, `path = "/var/lib/secrets/`+d.shared+`"`)
	}
	if d.often() {
		n := d.label("link")
		d.bridge(n)
		d.links, ports = append(d.links, "bridge."+n), ports[2:]
	}
	for _, p := range ports {
		d.links = append(d.links, "port."+p)
	}
	if d.IntN(3) == 0 {
		d.bond()
	}
	if d.IntN(3) == 0 {
		n := d.label("link")
		d.mtu["dummy."+n] = []int{576, 1280, 9000, 65535}[d.IntN(4)]
		d.block("dummy", n, fmt.Sprintf("mtu = %d", d.mtu["dummy."+n]))
		d.links = append(d.links, "dummy."+n)
	}
	if d.IntN(3) == 0 {
		n := d.label("link")
		given := []string{"pci = " + d.pick(values["PCI address"])}
		if d.often() {
			given = append(given, `mac = "00:00:5e:00:53:01"`)
		}
		if d.often() {
			d.mtu["port."+n] = []int{576, 1280, 9000}[d.IntN(3)]
			given = append(given, fmt.Sprintf("mtu = %d", d.mtu["port."+n]))
		}
		d.block("port", n, given...)
		d.links = append(d.links, "port."+n)
	}
	if d.IntN(3) == 0 {
		n := d.label("link")
		d.mtu["link."+n] = []int{576, 1280, 9000, 65535}[d.IntN(4)]
		d.block("link", n, fmt.Sprintf("mtu = %d", d.mtu["link."+n]))
		d.links = append(d.links, "link."+n)
	}
	for i := range d.IntN(3) {
		n, below := d.label("link"), d.links[0]
		given := append(d.carried("vlan."+n, below), "link = "+below, fmt.Sprintf("id = %d", []int{1, 4094, 7}[i]))
		if aware := d.aware && strings.HasPrefix(below, "bridge."); aware == d.seldom() {
			given = append(given, "protocol = "+d.pick(values["802.1q or 802.1ad"]))
		}
		d.block("vlan", n, given...)
		d.links = append(d.links, "vlan."+n)
	}
	if len(d.secrets) > 0 && d.often() {
		d.tunnel()
	}
	d.addresses()
	d.vxlans()
	d.sessions()
	d.tunnels()
	d.translator()
	d.hosts()
	resolves := d.services()
	d.routing()
	d.firewall()
	d.router(resolves)
	d.shaper()
	return d.String()
}

// bridge writes a bridge of two ports, which may keep VLANs apart: those that are put on it, and
// its own.
func (d *dice) bridge(n string) {
	given := d.carried("bridge."+n, "port.lan1")
	if d.aware = d.often(); !d.aware {
		d.block("bridge", n, append(given, "ports = [port.lan1, port.lan2]")...)
		return
	}
	if !d.seldom() {
		given = append(given, "pvid = 2")
	}
	for i, ports := range []string{"port.lan1", "port.lan2"} {
		untagged, tagged := []string{"[2]", "[2, 3]"}[d.IntN(2)], `[1, 7, "4090-4094"]`
		block := fmt.Sprintf("vlans %q {\n    ports = [%s]\n    untagged = %s\n    tagged = %s\n", []string{"a", "in"}[i], ports, untagged, tagged)
		if untagged != "[2]" || d.often() {
			block += "    pvid = 2\n"
		}
		given = append(given, block+"  }")
	}
	d.block("bridge", n, given...)
}

// router writes the block of the machine. Name servers are for a router that does not
// resolve by itself.
func (d *dice) router(resolves bool) {
	given := []string{
		`board = "bananapi-bpir4"`, `memory = "8GiB"`, `state_version = ` + d.pick(values["NixOS release since 23.05"]), `console_only = true`,
		"release = " + d.pick(values["NixOS release"]),
	}
	if d.aware != d.seldom() { // an older one cannot
		given[len(given)-1] = `release = "26.05"`
	}
	if resolves == d.seldom() {
		given = append(given, "name_servers = ["+d.pick(values["IP address"])+"]")
	}
	d.block("router", d.pick([]string{"r", "R-9", "let", "nixpkgs", strings.Repeat("h", 63)}), given...)
}

// carried is the MTU of a link on another, as an argument: mostly one that fits.
func (d *dice) carried(link, below string) []string {
	fits := d.mtu[below]
	if fits == 0 {
		fits = 1500 // a port
	}
	d.mtu[link] = fits
	if d.often() {
		return []string{fmt.Sprintf("mtu = %d", fits)}
	}
	if d.mtu[link] = 576; d.seldom() {
		d.mtu[link] = 65535
	}
	return []string{fmt.Sprintf("mtu = %d", d.mtu[link])}
}

// bond writes a bond of the ports that nothing else uses, with what its mode has.
func (d *dice) bond() {
	n, mode := d.label("link"), d.pick(values["802.3ad, active-backup, balance-rr, balance-xor, broadcast, balance-tlb or balance-alb"])
	given := append(d.carried("bond."+n, "port.end1"), "ports = [port.end1, port.end2]", "mode = "+mode)
	if (mode == `"802.3ad"`) != d.seldom() {
		given = append(given, "lacp_rate = "+d.pick(values["slow or fast"]), "min_links = "+d.pick(values["number of ports"]))
	}
	if (mode == `"802.3ad"` || mode == `"balance-xor"` || mode == `"balance-tlb"`) != d.seldom() {
		given = append(given, "transmit_hash = "+d.pick(values["layer2, layer2+3, layer3+4, encap2+3, encap3+4 or vlan+srcmac"]))
	}
	d.block("bond", n, given...)
	d.links = append(d.links, "bond."+n)
}

// shaper gives a network a part of a line.
func (d *dice) shaper() {
	if len(d.fixed) == 0 || d.IntN(3) > 0 {
		return
	}
	n := d.fixed[d.IntN(len(d.fixed))].network
	if strings.HasPrefix(d.link[n], "link.") && !d.seldom() {
		return
	}
	given := []string{"network = network." + n}
	for _, rate := range []string{"download", "upload"} {
		given = append(given, rate+" = "+d.pick(values["bits in a second, as in 40mbit"]))
	}
	for _, a := range []struct{ name, values string }{{"framing", framings}, {"priority", "besteffort, diffserv3, diffserv4 or diffserv8"}} {
		if d.often() {
			given = append(given, a.name+" = "+d.pick(values[a.values]))
		}
	}
	if d.often() {
		given = append(given, "ack_filter = true")
	}
	d.block("shaper", d.label("shaper"), given...)
}

// vxlans puts VXLANs on networks, each with one other end.
func (d *dice) vxlans() {
	for i := range d.IntN(3) {
		if len(d.fixed) == 0 {
			return
		}
		p := d.fixed[d.IntN(len(d.fixed))]
		given := []string{fmt.Sprintf("id = %d", []int{1, 42, 16777215}[i]), "network = network." + p.network}
		group := d.IntN(3) == 0
		if group {
			given = append(given, "group = "+d.pick([]string{`"239.1.1.1"`, `"225.0.0.42"`}))
		}
		if group == d.seldom() {
			given = append(given, fmt.Sprintf(`remote = "10.%d.0.99"`, p.number))
		}
		if m := d.mtu[d.link[p.network]]; (m == 0 || m > 700 || d.seldom()) && d.often() { // what fits in most links
			given = append(given, "mtu = 576")
		}
		d.block("vxlan", d.label("link"), given...)
	}
}

// sessions dials in on a link, with a network for the session.
func (d *dice) sessions() {
	if len(d.secrets) == 0 || d.IntN(6) > 0 { // beside an upstream it needs luck
		return
	}
	n, network, secret := d.label("link"), d.label("network"), d.label("secret")
	d.block("secret", secret, `path = "/var/lib/secrets/`+secret+`"`)
	given := []string{"link = port.wan", "password = secret." + secret, "mtu = " + d.pick([]string{"1280", "1400", "1492"})}
	if d.seldom() {
		given[2] = "mtu = 1500"
	}
	d.block("pppoe", n, given...)
	how := d.pick([]string{`ipv4 = "ppp"`, `ipv6 = "auto"`, "ipv4 = \"ppp\"\n  ipv6 = \"auto\""})
	d.block("network", network, "link = pppoe."+n, how)
	d.block("zone", d.label("zone"), "networks = [network."+network+"]")
}

// tunnels puts tunnels without encryption on networks.
func (d *dice) tunnels() {
	if len(d.fixed) == 0 {
		return
	}
	p := d.fixed[d.IntN(len(d.fixed))]
	if m := d.mtu[d.link[p.network]]; m != 0 && m < 1400 && !d.seldom() {
		return // too small for IPv6 in a tunnel
	}
	for _, kind := range []string{"gre", "sit", "ip6tnl"} {
		six := kind == "ip6tnl"
		if d.IntN(5) > 0 || six && !d.hosts6[p.network] {
			continue
		}
		remote := fmt.Sprintf("10.%d.0.98", p.number)
		if six {
			remote = fmt.Sprintf("fd00:0:0:%d::98", p.number)
		}
		given := []string{"network = network." + p.network, fmt.Sprintf("remote = %q", remote)}
		mtu := "null"
		if d.IntN(2) == 0 { // the least that IPv6 has
			mtu = "1280"
		}
		given = append(given, "mtu = "+mtu)
		if six {
			given = append(given, "mode = "+d.pick(values["any, ipip6 or ip6ip6"]))
		}
		d.block(kind, d.label("link"), given...)
	}
}

// translator writes a NAT64 between two networks of its own.
func (d *dice) translator() {
	if d.IntN(4) > 0 {
		return
	}
	n, hosts, pool := d.label("link"), d.label("network"), d.label("network")
	from, to, far := d.label("zone"), d.label("zone"), d.label("link")
	d.block("nat64", n, "prefix = "+d.pick(values["IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits"]))
	d.block("dummy", far, "mtu = 9000")
	d.block("network", hosts, "link = dummy."+far, `ipv4 = "9.250.0.1/24"`, `ipv6 = "fd00:fa::1/64"`)
	d.block("network", pool, "link = nat64."+n, `ipv4 = "10.251.0.9/29"`, `ipv6 = "fd00:fb::2/125"`)
	d.block("zone", from, "networks = [network."+hosts+"]", "allow = []")
	d.block("zone", to, "networks = [network."+pool+"]", "allow = []")
	for _, way := range [][2]string{{from, to}, {to, from}} { // what else policies are about is rolled elsewhere
		fmt.Fprintf(d, "policy %q {\n  from = [zone.%s]\n  to = [zone.%s]\n  action = \"accept\"\n}\n", d.label("policy"), way[0], way[1])
	}
}

func (d *dice) tunnel() {
	n := d.label("link")
	fmt.Fprintf(d, "wireguard %q {\n", n)
	d.body("wireguard", d.blocks["wireguard"], []string{"private_key = secret." + d.secrets[0]})
	i := slices.IndexFunc(d.blocks["wireguard"].Blocks, func(s conf.Schema) bool { return s.Type == "peer" })
	for i2, key := range []string{"X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk=", "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="}[:d.IntN(3)] {
		fmt.Fprintf(d, "  peer %q {\n", d.label("peer"))
		given := []string{fmt.Sprintf("public_key = %q", key), fmt.Sprintf(`allowed_ips = ["10.200.%d.0/24", "fd00:c8:0:%d::/64"]`, i2, i2)}
		if shared := d.secrets[len(d.secrets)-1]; len(d.secrets) > 1 && d.often() || d.seldom() {
			given = append(given, "preshared_key = secret."+shared)
		}
		d.body("wireguard.peer", d.blocks["wireguard"].Blocks[i], given)
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
	d.links = append(d.links, "wireguard."+n)
}

// addresses puts networks on links, sometimes two on one.
func (d *dice) addresses() {
	prefix, from, used := "", "", false // a delegated one, and the link of its upstream
	for i := range 1 + d.IntN(5) {
		n, link := d.label("network"), d.pick(d.links)
		given := []string{"link = " + link}
		d.link[n] = link
		how := d.IntN(5)
		if how < 2 && slices.ContainsFunc(d.networks, func(o string) bool { return d.dynamic[o] && d.link[o] == link }) && !d.seldom() {
			how = 3 // the addresses of a link are one network's
		}
		if how == 2 && len(d.upstream) > 0 {
			how = 3 // there is one default gateway
		}
		small := d.mtu[link] != 0 && d.mtu[link] < router.LeastIPv6 && !d.seldom()
		if small {
			how = 3 // IPv4 alone
		}
		switch how {
		case 0:
			d.dynamic[n] = true
			given = append(given, `ipv4 = "dhcp"`, `ipv6 = "auto"`)
		case 1:
			d.dynamic[n] = true
			d.only6[n] = true
			given = append(given, `ipv6 = "auto"`)
		case 2:
			d.upstream[n] = true
			given = append(given, fmt.Sprintf(`ipv4 = "10.%d.0.1/16"`, i), fmt.Sprintf(`ipv6 = "2001:db8:%d::1/64"`, i), fmt.Sprintf(`gateway = "10.%d.255.254"`, i), `gateway6 = "fe80::1"`)
		default:
			given = append(given, fmt.Sprintf(`ipv4 = "10.%d.0.1/24"`, i))
			d.fixed = append(d.fixed, place{n, i})
			if d.hosts6[n] = !small && d.often(); d.hosts6[n] {
				given = append(given, fmt.Sprintf(`ipv6 = "fd00:0:0:%d::1/64"`, i))
			}
			if prefix != "" && link != from && !small {
				used, d.hosts6[n] = true, true
				given = append(given, "prefix = prefix."+prefix, fmt.Sprintf("subnet = %d", i), "interface_id = "+d.pick([]string{`"::1"`, `"::ffff:ffff:ffff:ffff"`}))
			}
		}
		if d.dynamic[n] && prefix == "" && d.often() {
			prefix, from = d.label("prefix"), link
			defer func() {
				if used || d.seldom() {
					d.block("prefix", prefix, "network = network."+n)
				}
			}()
		}
		d.networks = append(d.networks, n)
		d.block("network", n, given...)
		if !d.dynamic[n] && d.IntN(4) == 0 {
			to := d.label("route")
			d.routes = append(d.routes, to)
			if d.often() {
				d.block("route", to, fmt.Sprintf(`to = "172.16.%d.0/24"`, i), fmt.Sprintf(`via = "10.%d.0.9"`, i), "network = network."+n)
			} else {
				d.block("route", to, fmt.Sprintf(`to = "172.16.%d.0/24"`, i), "type = "+d.pick([]string{`"blackhole"`, `"unreachable"`, `"prohibit"`}))
			}
			if d.often() {
				d.block("rule", d.label("rule"), fmt.Sprintf("priority = %d", 14000+i), fmt.Sprintf(`from = "172.17.%d.0/24"`, i), fmt.Sprintf("table = %d", 1+i%127))
				d.block("route", d.label("route"), fmt.Sprintf(`to = "172.18.%d.0/24"`, i), fmt.Sprintf(`via = "10.%d.0.9"`, i), "network = network."+n, fmt.Sprintf("table = %d", 1+i%127))
			}
		}
	}
}

// hosts writes hosts into networks with fixed addresses, at the end of the networks.
func (d *dice) hosts() {
	for i := range d.IntN(4) {
		if len(d.fixed) == 0 {
			return
		}
		p, name := d.fixed[d.IntN(len(d.fixed))], []string{"a", "A-9", strings.Repeat("h", 63), "0x"}[i]
		given := []string{"network = network." + p.network, fmt.Sprintf(`ipv4 = "10.%d.0.%d"`, p.number, 240+i)}
		if d.often() {
			given = append(given, fmt.Sprintf(`mac = "02:00:00:00:01:%02x"`, i))
		}
		if d.hosts6[p.network] && d.often() {
			given = append(given, fmt.Sprintf(`ipv6 = "::%x:0:0:%x"`, i, 16+i))
		}
		if d.often() {
			given = append(given, fmt.Sprintf(`aliases = ["x%d", "%d"]`, i, i))
		}
		d.block("host", name, given...)
		if hclsyntax.ValidIdentifier(name) {
			d.hosts4 = append(d.hosts4, name)
		}
	}
}

// withOthers adds a host or a set to a list of zones, now and then.
func (d *dice) withOthers(zones string) string {
	for _, of := range []struct {
		typ   string
		names []string
	}{{"host.", d.hosts4}, {"address_set.", d.sets}} {
		if len(of.names) > 0 && !d.often() {
			zones = strings.Replace(strings.TrimSuffix(zones, "]")+", "+of.typ+d.pick(of.names)+"]", "[, ", "[", 1)
		}
	}
	return zones
}

// groups writes sets of addresses and services.
func (d *dice) groups() {
	for range d.IntN(3) {
		n, given := d.label("address_set"), []string{"addresses = [" + d.pick(values["address, prefix or range of addresses"][:3]) + ", " + d.pick(values["address, prefix or range of addresses"][3:]) + "]"}
		if len(d.hosts4) > 0 && d.often() {
			given = append(given, "hosts = "+refs("host", d.choose(d.hosts4)))
		}
		if len(d.fixed) > 0 && d.often() {
			given = append(given, "networks = ["+"network."+d.fixed[d.IntN(len(d.fixed))].network+"]")
		}
		d.sets = append(d.sets, n)
		d.block("address_set", n, given...)
	}
	for range d.IntN(3) {
		n := d.label("service")
		d.named = append(d.named, n)
		d.block("service", n)
	}
}

// firewall puts networks into zones, those of a link into one, and writes policies and
// forwards.
func (d *dice) firewall() {
	links := map[string][]string{}
	for _, n := range d.networks {
		links[d.link[n]] = append(links[d.link[n]], n)
	}
	out := map[string]bool{} // zones that may be masqueraded to
	for rest := slices.Sorted(maps.Keys(links)); len(rest) > 0; {
		n, z := 1+d.IntN(len(rest)), d.label("zone")
		var refs, allow []string
		addresses, served := false, false
		for _, l := range rest[:n] {
			for _, n := range links[l] {
				refs = append(refs, "network."+n)
				addresses = addresses || !d.only6[n]
				served = served || d.speaks[n] || len(d.serves[n]) > 1 // by more than ssh: it is no upstream
				for _, s := range d.serves[n] {
					if !slices.Contains(allow, strconv.Quote(s)) {
						allow = append(allow, strconv.Quote(s))
					}
				}
			}
		}
		d.zones, rest = append(d.zones, z), rest[n:]
		out[z] = addresses && !served
		d.block("zone", z, "networks = ["+strings.Join(refs, ", ")+"]", "allow = ["+strings.Join(allow, ", ")+"]")
	}
	d.groups()
	d.policies(out)
	for i, n := range d.networks {
		if !d.dynamic[n] && d.IntN(4) == 0 {
			to := fmt.Sprintf(`"10.%d.0.77"`, i)
			if len(d.hosts4) > 0 && d.often() {
				to = "host." + d.pick(d.hosts4)
			}
			given := []string{"from = zone." + d.pick(d.zones), fmt.Sprintf(`port = "%d"`, 10000+i), "to = " + to}
			if len(d.sets) > 0 && d.often() {
				given = append(given, "sources = "+refs("address_set", d.choose(d.sets)))
			}
			d.block("port_forward", d.label("port_forward"), given...)
		}
	}
	if d.often() {
		d.block("firewall", "")
	}
}

// policies writes what may pass from where to where, the wide ones after the narrow ones.
func (d *dice) policies(out map[string]bool) {
	decided := map[string]bool{} // by a policy for all packets
	for range d.IntN(3) {
		from, to := d.choose(d.zones), d.choose(d.zones)
		fresh, leaves := false, true
		for _, f := range from {
			for _, t := range to {
				fresh = fresh || !decided[f+" "+t]
			}
		}
		for _, t := range to {
			leaves = leaves && out[t]
		}
		if !fresh && !d.seldom() {
			continue
		}
		action := d.pick(values["accept, drop or reject"])
		given := []string{"from = " + d.withOthers(refs("zone", from)), "to = " + d.withOthers(refs("zone", to)), "action = " + action}
		switch {
		case leaves && action == `"accept"` && d.often() || d.seldom():
			given = append(given, "masquerade = true", "source_nat = null", "family = null")
		case leaves && action == `"accept"` && d.IntN(4) == 0:
			given = append(given, "masquerade = false", "family = null")
		default:
			given = append(given, "masquerade = false", "source_nat = null")
			if len(d.sets)+len(d.hosts4) > 0 { // which may be of one version of IP
				given = append(given, "family = null")
			}
		}
		if action != `"accept"` {
			given = append(given, "limit = null")
		}
		wide := false
		switch d.IntN(4) {
		case 0:
			given = append(given, `protocols = ["tcp", "udp"]`)
		case 3:
			given = append(given, "protocols = null", "ports = null", fmt.Sprintf("services = [%q, %q]", d.pick(append([]string{"https"}, d.named...)), "ping"))
		case 1:
			given, wide = append(given, `protocols = []`, `ports = []`), true
		}
		for _, f := range from {
			for _, t := range to {
				decided[f+" "+t] = decided[f+" "+t] || wide
			}
		}
		d.block("policy", d.label("policy"), given...)
	}
}

func newDice(seed uint64) *dice {
	d := &dice{
		Rand: rand.New(rand.NewPCG(seed, 1)), blocks: map[string]conf.Schema{}, names: map[string]int{},
		dynamic: map[string]bool{}, upstream: map[string]bool{}, link: map[string]string{}, mtu: map[string]int{},
		only6: map[string]bool{}, hosts6: map[string]bool{}, speaks: map[string]bool{}, serves: map[string][]string{}, used: map[string]bool{},
	}
	for _, t := range (&service.Registry{Kinds: all.Kinds()}).Types() {
		d.blocks[t.Type] = conf.SchemaOf(t)
	}
	return d
}
