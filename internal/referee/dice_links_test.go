package referee_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/conf"
)

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

// pair writes two links of which each is the other end of the other.
func (d *dice) pair() {
	one, other := d.label("link"), d.label("link")
	mtu := []int{576, 1280, 9000, 65535}[d.IntN(4)]
	for _, end := range [][2]string{{one, other}, {other, one}} {
		peer := end[1]
		if d.seldom() {
			peer = end[0]
		}
		d.mtu["veth."+end[0]] = mtu
		d.block("veth", end[0], "peer = veth."+peer, fmt.Sprintf("mtu = %d", mtu))
		d.links = append(d.links, "veth."+end[0])
	}
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

// uplinks makes uplinks of two networks by DHCP, if there are two and no other default route.
func (d *dice) uplinks() {
	var on []string
	for _, n := range d.networks {
		if d.dynamic[n] && !d.only6[n] && !slices.ContainsFunc(on, func(o string) bool { return d.link[o] == d.link[n] }) {
			on = append(on, n)
		}
	}
	if len(on) < 2 || len(d.upstream) > 0 || strings.Contains(d.String(), `"ppp"`) || strings.Contains(d.String(), `"0.0.0.0/0"`) || strings.Contains(d.String(), `"::/0"`) {
		return
	}
	for i, n := range on[:2] {
		given := []string{"network = network." + n, "probes = [" + d.pick(values["icmp:ADDRESS, tcp:ADDRESS:PORT or dns:ADDRESS"]) + "]"}
		given = append(given, fmt.Sprintf("priority = %d", []int{1, 16}[i]))
		for _, a := range []struct{ name, values string }{{"interval", "duration, as in 12h"}, {"failures", "rounds, 1 to 100"}, {"successes", "rounds, 1 to 100"}} {
			if v := d.pick(values[a.values]); d.often() && v != `"2d"` {
				given = append(given, a.name+" = "+v)
			}
		}
		if d.often() {
			given = append(given, fmt.Sprintf(`prefixes = ["2001:db8:%d::/48"]`, 700+i))
		}
		d.block("uplink", d.label("uplink"), given...)
	}
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

// ipsec writes a tunnel to a router in one of the networks, or to one with a name.
func (d *dice) ipsec() {
	defer d.aside(4500)()
	if len(d.fixed) == 0 || d.IntN(3) > 0 {
		return
	}
	p := d.fixed[d.IntN(len(d.fixed))]
	if m := d.mtu[d.link[p.network]]; m != 0 && m < 1400 && !d.seldom() {
		return // too small for IPv6 in a tunnel
	}
	const n = "xfrm9"
	given := []string{"network = network." + p.network}
	if d.often() {
		given = append(given, "mtu = 1280")
	} else {
		given = append(given, "mtu = null")
	}
	d.block("xfrm", n, given...)
	d.block("network", n, "link = xfrm."+n, `ipv4 = "10.249.0.1/30"`, `ipv6 = "fd00:fd::1/64"`)
	d.block("zone", n, "networks = [network."+n+"]", "allow = []")
	given = []string{"link = xfrm." + n, `local_subnets = ["10.249.0.1/32", "fd00:fd::/64"]`, `remote_subnets = ["10.254.0.0/24", "fd00:fe::/64"]`}
	if d.often() {
		given = append(given, fmt.Sprintf(`remote = "10.%d.0.97"`, p.number))
	} else {
		given = append(given, `remote = "peer.example.org"`)
	}
	d.block("secret", n, `path = "/var/lib/secrets/`+n+`"`)
	if d.often() {
		given = append(given, "psk = secret."+n)
	} else {
		given = append(given, `certificate = "/var/lib/ipsec/own.pem"`, "key = secret."+n, `ca = "/var/lib/ipsec/ca.pem"`)
	}
	ids := values["identity of IKE"]
	i := d.IntN(len(ids))
	given = append(given, "local_id = "+ids[i], "remote_id = "+ids[(i+1+d.IntN(len(ids)-1))%len(ids)])
	d.block("ipsec", n, given...)
}

// cable encrypts one between two ends of the router, with a network at one of them.
func (d *dice) cable() {
	defer d.aside(4700)()
	if d.IntN(3) > 0 {
		return
	}
	const n = "sec9"
	d.block("veth", n+"v", "peer = veth."+n+"w", "mtu = null")
	d.block("veth", n+"w", "peer = veth."+n+"v", "mtu = null")
	d.block("secret", n, `path = "/var/lib/secrets/`+n+`"`)
	given := []string{"link = veth." + n + "v", "cak = secret." + n}
	if d.often() {
		given = append(given, "mtu = "+d.pick([]string{"1280", "1468"}))
	} else {
		given = append(given, "mtu = null")
	}
	d.block("macsec", n+"m", given...)
	d.block("bridge", n+"b", "ports = [macsec."+n+"m]", "mtu = null")
	d.block("network", n, "link = bridge."+n+"b", `ipv4 = "10.250.0.1/30"`)
	d.block("zone", n, "networks = [network."+n+"]", "allow = []")
}

// driver is how fast a port is and when it interrupts the processor: by numbers, or as its driver
// chooses.
func (d *dice) driver() []string {
	defer d.aside(803)()
	var given []string
	if d.often() {
		given = append(given, "speed = "+d.pick(values["speed of Ethernet in Mbit/s"]))
	}
	if len(given) > 0 == d.often() || d.seldom() {
		given = append(given, "autoneg = "+d.pick(values["bool"]))
	}
	for _, way := range []string{"rx", "tx"} {
		adaptive := d.often()
		if adaptive != d.seldom() {
			given = append(given, fmt.Sprintf("adaptive_%s = true", way))
		}
		if adaptive == d.seldom() {
			given = append(given, fmt.Sprintf("%s_usecs = %s", way, d.pick(values["microseconds, 0 to 100000"])), fmt.Sprintf("%s_frames = %s", way, d.pick(values["packets, 0 to 65536"])))
		}
	}
	return given
}

// tables makes a VRF of two links with networks, one of which has a route.
func (d *dice) tables() {
	defer d.aside(3901)()
	if d.often() {
		return
	}
	vrf, in, out := d.label("link"), d.label("link"), d.label("link")
	given := []string{"ports = [dummy." + in + ", dummy." + out + "]", "table = " + d.pick([]string{"1", "127", "77"})}
	if d.often() {
		given = append(given, "alias = "+d.pick(values["line of 1 to 255 bytes"]))
	}
	d.block("vrf", vrf, given...)
	for i, l := range []string{in, out} {
		n := d.label("network")
		fmt.Fprintf(d, "dummy %q {}\nnetwork %q {\n  link = dummy.%s\n  ipv4 = \"10.25%d.0.1/24\"\n}\n", l, n, l, 2+i)
		fmt.Fprintf(d, "zone %q {\n  networks = [network.%s]\n}\n", d.label("zone"), n)
	}
	fmt.Fprintf(d, "route %q {\n  to = \"172.31.0.0/16\"\n  via = \"10.252.0.9\"\n}\n", d.label("route"))
}
