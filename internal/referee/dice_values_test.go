package referee_test

import "strings"

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
	"port": {"1", "80", "65535"}, "port or range of ports": {`"1"`, `"1-65535"`, `"443"`, `"8000-8080"`, `"65535"`}, "duration of at most 1h": {`"1s"`, `"1h"`}, "duration, as in 12h": {`"60s"`, `"1h"`, `"2d"`},
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
	"time of the day, as in 22:00":           {`"00:00"`, `"06:30"`, `"24:00"`},
	"mon, tue, wed, thu, fri, sat or sun":    {`"mon"`, `"wed"`, `"sun"`},
	"policy.source_nat":                      {`"198.18.7.9"`},
	"ipv4 or ipv6":                           {`"ipv4"`, `"ipv6"`},
	"number per second, minute, hour or day": {`"1/second"`, `"1000000/day"`, `"1000000/second"`, `"1/day"`, `"7/hour"`, `"20/minute"`},
	"resolver.extra":                         {`{}`, `{ logging = { level = "info", groups = ["cache", "dnssec"] } }`},
	"ssh.extra":                              {`{}`, `{ LogLevel = "VERBOSE" }`, `{ MaxStartups = "10:30:60", StrictModes = true, ClientAliveCountMax = 2 }`},
	"size, as in 8GiB":                       {`"8GiB"`, `"4GiB"`}, "vendor, nixpkgs or nixpkgs-latest": {`"vendor"`, `"nixpkgs"`, `"nixpkgs-latest"`}, "btrfs-subvol, btrfs or ext4": {`"btrfs-subvol"`, `"btrfs"`, `"ext4"`}, "kernel option": {`"NET_SCH_CAKE"`},
	"dhcp6.extra":                            {`{}`, `{ rapid-commit = true }`, `{ user-context = { "a.b" = "''$${c} \"", l = [1, 2.5, true] } }`},
	"range of last halves of IPv6 addresses": {`"::1000-::1fff"`, `"::2-::2"`, `"::ff00:0:0:0-::ffff:ffff:ffff:ffff"`}, "DUID of DHCPv6": {`"00:03:00:01:02:11:22:33:44:55"`, `"00:04:FF"`},
	"name of a boot file": {`"undionly.kpxe"`, `"http://192.0.2.1/a?b='c'&d=$${e}"`}, "number of an architecture, 0 to 65535": {"0", "7", "65535"},
	"text, or bytes in hexadecimal after 0x": {`"snom"`, `"it's \"x\" \\ $${a} '"`, `"0x00:ff"`, `"` + strings.Repeat("~", 250) + `"`}, "beginning of MAC addresses": {`"00:04:13"`, `"00-50-C2-0A-B"`, `"02:ff:ff:ff:ff:ff"`}, "dhcp4.class.next_server": {`"192.0.2.1"`},
	"IPv4 address of another router, with prefix length": {`"10.20.0.1/24"`, `"172.31.255.254/30"`}, "dhcp4.relay.from": {`"10.9.0.2"`},
	"bytes in hexadecimal": {`"00"`, `"01:FF"`, `"` + strings.Repeat("a5", 255) + `"`},
	"dhcp4.next_server":    {`"192.0.2.1"`}, "dhcp4.v6_only": {`"5m"`, `"2d"`},
	"Linux version": {`"6.12.63-bpi-r4"`, `"6.12"`, `"6.18.3"`}, "version of Trusted Firmware-A": {`"2.13.0"`, `"2.14"`, `"2.12.0-mtk"`}, "git commit": {`"` + strings.Repeat("0", 40) + `"`, `"` + strings.Repeat("af19", 10) + `"`},
	"SRI hash": {`"sha256-` + strings.Repeat("A", 43) + `="`, `"sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="`}, "GitHub repository": {`"frank-w/BPI-Router-Linux"`, `"a/..."`},
	"date": {`"2026-11-01"`, `"2024-02-29"`}, "U-Boot release": {`"2025.07"`, `"2025.04.1-rc2"`},
	"number of an autonomous system": {"1", "65001", "4294967294"}, "identifier like an IPv4 address": {`"192.0.2.1"`, `"0.0.0.1"`, `"10.0.0.1"`},
	"802.3ad, active-backup, balance-rr, balance-xor, broadcast, balance-tlb or balance-alb": {`"802.3ad"`, `"active-backup"`, `"balance-rr"`, `"balance-xor"`, `"broadcast"`, `"balance-tlb"`, `"balance-alb"`},
	"layer2, layer2+3, layer3+4, encap2+3, encap3+4 or vlan+srcmac":                          {`"layer2"`, `"layer2+3"`, `"layer3+4"`, `"encap2+3"`, `"encap3+4"`, `"vlan+srcmac"`},
	"bits in a second, as in 40mbit":                                                         {`"64kbit"`, `"38500kbit"`, `"1gbit"`, `"100gbit"`}, framings: {`"ethernet"`, `"docsis"`, `"pppoe-ptm"`, `"conservative"`}, "besteffort, diffserv3, diffserv4 or diffserv8": {`"besteffort"`, `"diffserv8"`},
	offloads:               {`"rx"`, `"tx"`, `"sg"`, `"tso"`, `"gso"`, `"gro"`, `"lro"`, `"rxvlan"`, `"txvlan"`, `"rxhash"`, `"ntuple"`},
	"any, ipip6 or ip6ip6": {`"any"`, `"ipip6"`, `"ip6ip6"`}, "IPv4 address of another router": {`"192.168.178.9"`, `"203.0.113.9"`}, "IPv6 address of another router": {`"2001:db8:77::a"`, `"2001:db8::ffff:9"`},
	"IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits": {`"64:ff9b::/96"`, `"64:ff9b:1::/48"`, `"64:ff9b:1:2::/96"`, `"2001:db8::/32"`, `"2001:db8:100::/40"`, `"2001:db8:6464::/56"`},
	"line of 1 to 255 bytes":                       {`"a"`, `"Dose 7, \"hinten\" $${x} ''"`, `"` + strings.Repeat("ü", 127) + `"`},
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
	"algorithm of TSIG": {`"hmac-sha224"`, `"hmac-sha256"`, `"hmac-sha512"`}, "dns_peer.addresses": {`"192.0.2.53"`, `"2001:db8:53::53"`}, "dns_peer.key_name": {`"a-b.example"`, `"K_1"`}, "dns_catalog.public": {"true", "false"},
	"dns_zone.records":                              {`"_sip._udp.z.example SRV 0 0 5060 pbx.example.org"`, `"a.z.example TXT \"]] '' $${a} \\\\ ü\" \"\""`, `"z.example 60 IN MX 10 a."`, `"*.Z.example A 192.0.2.1"`, `"y.z.example HTTPS 1 . alpn=h2 ipv4hint=192.0.2.1"`, `"a\\.b.z.example NAPTR 1 2 \"s\" \"SIP+D2U\" \"\" _sip._udp.example.org"`, `"sub.z.example NS ns.example.net"`},
	"resolver.tls.certificate":                      {`"/var/lib/acme/dns.example.org/fullchain.pem"`, `"/a"`},
	"icmp:ADDRESS, tcp:ADDRESS:PORT or dns:ADDRESS": {`"icmp:198.51.100.77"`, `"tcp:198.51.100.77:65535"`, `"dns:198.51.100.77"`, `"icmp:2001:db8:ffff::77"`, `"tcp:[2001:db8:ffff::77]:1"`, `"dns:[2001:db8:ffff::77]:5353"`},
	"text of 1 to 255 characters":                   {`"x"`, `"attic # \\ \"left\" $${x} ''"`, `"` + strings.Repeat("l", 255) + `"`},
	"object identifier, as in 1.3.6.1.2.1.1":        {`"1.3"`, `"2.999.4294967295"`, `"1.3.6.1.4.1.2021` + strings.Repeat(".1", 121) + `"`},
	"open or closed":                                {`"open"`, `"closed"`}, "alert, anomaly, dns, drop, flow, http, quic or tls": {`"alert"`, `"anomaly"`, `"dns"`, `"drop"`, `"flow"`, `"http"`, `"quic"`, `"tls"`},
	"protocol of the application layer": {`"bittorrent-dht"`, `"dcerpc"`, `"ftp"`, `"ike"`, `"imap"`, `"krb5"`, `"mqtt"`, `"nfs"`, `"quic"`, `"rdp"`, `"rfb"`, `"sip"`, `"smb"`, `"smtp"`, `"snmp"`, `"ssh"`, `"telnet"`, `"tftp"`},
	"ids.threads":                       {"1", "4", "16"}, "ids.log_size": {`"32MiB"`, `"8GiB"`}, "ids.log_keep": {"1", "3650"},
	"g722, alaw, ulaw or gsm": {`"g722"`, `"alaw"`, `"ulaw"`, `"gsm"`}, "telephone number": {`"112"`, `"000"`, `"110"`}, "user name of SIP": {`"0301234567"`, `"+49.30_1-a"`, `"` + strings.Repeat("u", 64) + `"`},
	"name or address of a server, and a port": {`"sip.example.net"`, `"sip.example.net:65535"`}, "pbx.trunk.from": {`"203.0.113.0/24"`, `"2001:db8:77::/48"`}, "pbx.media": {`"10000-10999"`}, "pbx.extension.network": {"network.lan"},
	"country by two letters of ISO 3166-1": {`"DE"`, `"US"`}, "2.4GHz, 5GHz or 6GHz": {`"2.4GHz"`, `"5GHz"`, `"6GHz"`}, "number of a channel": {"36", "48", "100", "149", "1", "13", "233"}, "20MHz, 40MHz, 80MHz or 160MHz": {`"20MHz"`, `"40MHz"`, `"80MHz"`, `"160MHz"`},
	"802.11n, 802.11ac or 802.11ax": {`"802.11n"`, `"802.11ac"`, `"802.11ax"`}, "wpa3, wpa2-wpa3, wpa2, owe or open": {`"wpa3"`, `"wpa2-wpa3"`, `"wpa2"`, `"owe"`, `"open"`}, "wifi.ssid.bssid": {`"02:11:22:33:44:66"`, `"FE-ff-ff-ff-ff-ff"`},
	"rounds, 1 to 100": {"1", "100"}, "priority, 1 (preferred) to 16": {"1", "16", "3"},
	"prefix, with ge or le and a length": {`"10.0.0.0/8 le 24"`, `"0.0.0.0/0"`, `"::/0 ge 1 le 128"`, `"fd00::/16 ge 48"`, `"172.16.0.0/12 le 32"`},
}

// framings is how the schema calls a framing of a line.
const framings = "bridged-llcsnap, bridged-ptm, bridged-vcmux, conservative, docsis, ethernet, ipoa-llcsnap, ipoa-vcmux, pppoa-llc, pppoa-vcmux, pppoe-llcsnap, pppoe-ptm or pppoe-vcmux"

// built are the arguments that the dice writes itself, and those that need a file or a
// certain machine.
var built = map[string]bool{
	"uplink.network": true, "uplink.priority": true, "uplink.probes": true, "uplink.interval": true, "uplink.failures": true, "uplink.successes": true, "uplink.prefixes": true,
	"shaper.network": true, "shaper.download": true, "shaper.upload": true, "shaper.framing": true, "shaper.priority": true, "shaper.ack_filter": true,
	"ids.capture": true, "ids.inspect": true, "ids.fail": true, "ids.home": true, "ids.rules": true,
	"vxlan.remote": true, "vxlan.group": true, "vxlan.id": true, "vxlan.mtu": true,
	"bridge.pvid": true, "bridge.vlans.ports": true, "bridge.vlans.untagged": true, "bridge.vlans.tagged": true, "bridge.vlans.pvid": true,
	"vlan.protocol":  true,
	"bond.lacp_rate": true, "bond.min_links": true, "bond.transmit_hash": true,
	"address_set.hosts": true, "address_set.networks": true, "address_set.files": true, "policy.services": true, "policy.schedule": true, "schedule.from": true, "schedule.to": true, "port_forward.sources": true, "port_forward.schedule": true,
	"static_nat.from": true, "static_nat.address": true, "static_nat.to": true, // towards another zone than the host's
	"prefix_nat.network": true, "prefix_nat.internal": true, "prefix_nat.external": true, // two prefixes of one length, towards an upstream
	"dhcp4.relay.address": true, "dhcp4.relay.from": true,
	"dhcp4.class.hosts": true, "dhcp4.class.pool": true,
	"dhcp4.option.value": true, "dhcp4.class.option.value": true, "dhcp4.class.option.hex": true, "dhcp4.register_names": true, "dhcp6.register_names": true, "dhcp4.option.hex": true, "host.mac": true, "host.duid": true, "host.ipv4": true, "host.ipv6": true, "host.aliases": true,
	"router.board": true, "router.memory": true, "router.state_version": true, "router.import": true, "router.console_only": true, "router.name_servers": true, "secret.file": true, "secret.source": true, "secret.key": true,
	"rule.priority": true, "rule.from": true, "rule.to": true, "rule.network": true, "rule.table": true, "rule.type": true, "route.table": true,
	"route.next_hop.via": true, "route.next_hop.network": true, "route.next_hop.weight": true,
	"network.prefix": true, "route.type": true, "network.subnet": true, "network.interface_id": true, "router_advert.lifetime": true, "router_advert.preference": true, "router_advert.mtu": true,
	"dns_zone.domain": true, "dns_zone.reverse": true, "dns_zone.public": true, "dns_zone.name_servers": true, "dns_zone.dnssec.ksk_lifetime": true,
	"resolver.blocklist.files": true, "resolver.blocklist.networks": true, "resolver.dns64.networks": true, "resolver.tls.https": true,
	"snmp.networks": true, "snmp.user.view": true, "snmp.user.except": true, "snmp.user.authentication": true, "snmp.user.privacy": true,
	"pbx.prefix": true,                                                                                                           // goes with a trunk
	"wifi.radio": true, "wifi.country": true, "wifi.band": true, "wifi.channel": true, "wifi.width": true, "wifi.standard": true, // that go together
	"wifi.ssid.network": true, "wifi.ssid.security": true, "wifi.ssid.password": true, "wifi.ssid.bssid": true,
	"agent.metrics": true, "agent.networks": true, "agent.port": true,
	"firmware.accept_regulatory_responsibility": true,
}
