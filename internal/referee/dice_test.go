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
	seed uint64
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
	machine  string              // the router's name
	shared   string              // the secret that neighbours know
	mtu      map[string]int      // of a link
	aware    bool                // a bridge keeps VLANs apart
	hosts6   map[string]bool     // with an IPv6 prefix for hosts
	serves   map[string][]string // what a network gets in from its zone
	zones    []string
	hosts4   []string        // hosts with an IPv4 address
	sets     []string        // of addresses, some of IPv4
	named    []string        // services
	decided  map[string]bool // ways between zones that a policy is about
	secrets  []string        // for tunnels, each for one thing unless another use is a mistake by intent
	account  string          // the secret with an account's password
	routes   []string
	fixed    []place
	accepts  []string        // policies that let pass what is forwarded
	byHost   bool            // a policy knows hosts, of which a MAC address may be all that is known
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

// badInputLabels are names that no input of a flake may have.
var badInputLabels = []string{"self", "lib", "config", "pkgs"}

// texts are what every text may hold: whatever Nix, nft, shells and the files of daemons quote.
var texts = []string{`""`, `"a"`, `"a \"quoted\" 'text'"`, `"''"`, `"$${a} '' \\ ''$"`, `"\n\t"`, `"# not a comment"`, `"ü 路由器 🛜"`, `"*/ /* ; { } [ ]"`, `"%s %%"`, `"` + strings.Repeat("long ", 60) + `"`}

func (d *dice) pick(of []string) string { return of[d.IntN(len(of))] }

func (d *dice) often() bool { return d.IntN(3) > 0 }

// seldom is for what is wrong by intent: a line of it makes a whole spec a bad one.
func (d *dice) seldom() bool { return d.IntN(40) == 0 }

// label is a name that no other block of the type has.
func (d *dice) label(typ string) string {
	for {
		l := d.pick(labels)
		switch {
		case typ == "link":
			if l = d.pick(linkLabels); d.seldom() {
				l = d.pick(badLinkLabels)
			}
		case typ == "input" && slices.Contains(badInputLabels, l) && !d.seldom():
			continue
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
		d.argument(typ, a, there)
	}
}

// later are arguments that came later: they are rolled aside, so that all else is what it was.
var later = map[string]bool{
	"bridge.alias": true, "vlan.alias": true, "bond.alias": true, "dummy.alias": true, "veth.alias": true, "vxlan.alias": true, "gre.alias": true, "sit.alias": true, "ip6tnl.alias": true, "wireguard.alias": true,
	"port.tx_queue_length": true, "port.rx_ring": true, "port.tx_ring": true,
}

// argument writes an argument, or leaves it out.
func (d *dice) argument(typ string, a conf.Attribute, there map[string]bool) {
	if later[typ+"."+a.Name] {
		defer d.aside(31)()
	}
	of := values[typ+"."+a.Name]
	if of == nil {
		of = values[a.Type]
	}
	if a.Name == "hashed_password" && there["hashed_password_file"] || a.Name == "gateway" || a.Name == "gateway6" || a.Name == "nts" && !there["servers"] {
		return // goes with others
	}
	if there[a.Name] || built[typ+"."+a.Name] || len(of) == 0 || !a.Required && d.IntN(4) > 0 {
		return
	}
	v := d.pick(of)
	if a.Type == "interface name" && d.names[v] > 0 && !d.seldom() {
		return // taken
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
		d.pair()
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
		d.block("port", n, append(given, d.driver()...)...)
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
	d.ipsec()
	d.cable()
	d.hosts()
	resolves := d.services()
	d.routing()
	d.firewall()
	d.router(resolves)
	d.shaper()
	d.schedules()
	d.uplinks()
	d.transfers()
	d.inspection()
	d.wireless()
	d.tables()
	return d.String()
}

// offloads is the type of what a port may do by itself.
const offloads = "rx, tx, sg, tso, gso, gro, lro, rxvlan, txvlan, rxhash or ntuple"

// schedules writes times, and policies that count then.
func (d *dice) schedules() {
	for range d.IntN(3) {
		if len(d.zones) == 0 {
			return
		}
		from, to := d.pick(d.zones), d.pick(d.zones)
		if d.decided[from+" "+to] {
			continue
		}
		n := d.label("schedule")
		d.block("schedule", n, [][]string{{`from = "22:00"`, `to = "06:00"`}, {`from = "00:00"`, `to = "23:59"`}, {`from = "23:59"`, `to = "24:00"`}}[d.IntN(3)]...)
		d.block("policy", d.label("policy"), "from = "+refs("zone", []string{from}), "to = "+refs("zone", []string{to}), "schedule = schedule."+n,
			"action = "+d.pick(values["accept, drop or reject"]), "masquerade = false", "source_nat = null", "limit = null", "family = null", "services = null", `protocols = ["tcp"]`, "ports = [4242]")
		if len(d.hosts4) > 0 {
			d.block("port_forward", d.label("port_forward"), "from = zone."+from, fmt.Sprintf("port = %d", 30000+len(d.decided)), "to = host."+d.hosts4[0], "schedule = schedule."+n)
			d.decided[from+" "+to] = true
		}
	}
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
	d.block("router", d.machine, given...)
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
			given = append(given, fmt.Sprintf("ipv6 = %q", d.pick([]string{"auto", "dhcp"})))
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
		d.WriteString("firewall {\n")
		d.body("firewall", d.blocks["firewall"], nil)
		if d.often() {
			d.WriteString("timeout \"a-1\" {\n")
			d.body("firewall.timeout", nested(d.blocks["firewall"], "timeout"), []string{`services = ["https", "sip"]`})
			d.WriteString("}\n")
		}
		d.WriteString("}\n")
	}
}

// policies writes what may pass from where to where, the wide ones after the narrow ones.
func (d *dice) policies(out map[string]bool) {
	decided := map[string]bool{}
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
		source := d.withOthers(refs("zone", from))
		if action == `"accept"` && d.IntN(3) == 0 { // else services of the router might be kept in
			source = strings.Replace(source, "[", "[router."+d.machine+", ", 1)
		}
		given := []string{"from = " + source, "to = " + d.withOthers(refs("zone", to)), "action = " + action}
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
				d.decided[f+" "+t] = true
			}
		}
		name := d.label("policy")
		d.block("policy", name, given...)
		d.byHost = d.byHost || strings.Contains(given[0]+given[1], "host.") || strings.Contains(given[0]+given[1], "address_set.")
		if action == `"accept"` && !strings.Contains(source, "router.") {
			d.accepts = append(d.accepts, name)
		}
	}
}

func newDice(seed uint64) *dice {
	d := &dice{
		Rand: rand.New(rand.NewPCG(seed, 1)), seed: seed, blocks: map[string]conf.Schema{}, names: map[string]int{},
		dynamic: map[string]bool{}, upstream: map[string]bool{}, link: map[string]string{}, mtu: map[string]int{},
		only6: map[string]bool{}, hosts6: map[string]bool{}, speaks: map[string]bool{}, serves: map[string][]string{}, used: map[string]bool{}, decided: map[string]bool{},
	}
	d.machine = []string{"r", "R-9", "let", "nixpkgs", strings.Repeat("h", 63)}[seed%5]
	for _, t := range (&service.Registry{Kinds: all.Kinds()}).Types() {
		d.blocks[t.Type] = conf.SchemaOf(t)
	}
	return d
}
