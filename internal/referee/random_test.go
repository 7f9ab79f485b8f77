package referee_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// NBR_RANDOM_SPECS is how many random specs are made, for a longer run than that of every
// day; NBR_RANDOM_SEED makes the one of a seed that a failure has named.
const randomSpecs = 60

// notRolled are the blocks with arguments that the dice does not make: their own states and
// referees judge them.
var notRolled = []string{"journal", "link", "firmware", "dhcp_client", "bgp", "ospf", "prefix_list"}

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
	link     map[string]string // of a network
	zones    []string
	secrets  []string
	used     map[string]bool // TYPE.ARGUMENT
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
	"host name": {`"a"`, `"A-9"`, `"` + strings.Repeat("h", 63) + `"`}, "MAC address": {`"02:00:00:00:00:01"`, `"fe-ff-ff-ff-ff-ff"`, `"0200.0000.0002"`},
	"MTU in bytes": {"576", "1280", "9000", "65535"}, "domain name": {`"lan"`, `"a.b.example.org."`, `"_x.` + strings.Repeat("d", 63) + `.org"`},
	"number": {"1", "2", "10"}, "time zone": {`"Europe/Berlin"`, `"UTC"`, `"America/Argentina/Buenos_Aires"`, `"Etc/GMT+12"`}, "NixOS release": {`"25.11"`, `"26.05"`},
	"tcp, udp or icmp": {`"tcp"`, `"udp"`, `"icmp"`}, "tcp or udp": {`"tcp"`, `"udp"`}, "accept, drop or reject": {`"accept"`, `"drop"`, `"reject"`},
	"port": {"1", "80", "65535"}, "port or range of ports": {`"1"`, `"1-65535"`, `"443"`, `"8000-8080"`, `"65535"`}, "duration, as in 12h": {`"60s"`, `"1h"`, `"2d"`},
	"user name": {`"a"`, `"_b-c_9"`, `"wheel"`, `"` + strings.Repeat("u", 31) + `"`}, "service name": {`"ssh"`, `"dns"`, `"dhcp"`, `"ntp"`, `"wireguard"`},
	"SSH public key":           {`"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk"`, `"from=\"10.0.0.1\" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl $${a} ''"`},
	"password hash (crypt(5))": {`"$y$j9T$abc$def"`, `"$6$rounds=5000$a.b/c$d"`}, "regular expression": {`"^tailscale0$"`, `"a\\.b|c"`, `"''$${x}\""`},
	"tcp or udp, a slash and a port": {`"tcp/1"`, `"udp/65535"`}, "line of dhcpcd.conf(5)": {`"vendorclassid nbr"`, `"# ''$${a} \" \\"`},
	"host:port": {`"vpn.example.org:51820"`, `"[2001:db8::1]:1"`, `"192.0.2.1:65535"`}, "seconds": {"1", "25", "65535"}, "IP address": {`"9.9.9.9"`, `"2620:fe::fe"`},
	"host name or address": {`"time.cloudflare.com"`, `"192.0.2.1"`, `"2001:db8::1"`}, "unix, or address and port": {`"unix"`}, "package of nixpkgs": {`"nftables"`, `"procps"`},
	"flake reference": {`"github:a/b"`, `"git+https://example.org/a.git?ref=x&rev=0"`, `"path:/a"`}, "name": {`"nixpkgs"`},
	"interface name": {`"v10"`, `"0a"`, `"a.b"`, `"_.-"`},
	"object":         {`{}`, `{ a = 1 }`, `{ "a.b" = "''$${c} \"", "" = null, l = [1, 2.5, true, null, { x = [] }], let = { in = -1 } }`},
	// Nix has no sets in its settings, sshd no lists either.
	"nix.extra":        {`{}`, `{ a = 1 }`, `{ "a.b" = "''$${c} \"", "" = null, l = [1, 2.5, true, null, "x"] }`},
	"ssh.extra":        {`{}`, `{ a = 1 }`, `{ "a.b" = "''$${c} \"", "" = null, t = true, n = 2.5 }`},
	"size, as in 8GiB": {`"8GiB"`, `"4GiB"`}, "vendor or nixpkgs-latest": {`"vendor"`, `"nixpkgs-latest"`}, "btrfs-subvol, btrfs or ext4": {`"btrfs-subvol"`, `"btrfs"`, `"ext4"`}, "kernel option": {`"NET_SCH_CAKE"`},
}

// built are the arguments that the dice writes itself, and those that need a file or a
// certain machine.
var built = map[string]bool{
	"router.board": true, "router.memory": true, "router.state_version": true, "router.import": true, "router.console_only": true, "secret.file": true, "secret.source": true, "secret.key": true,
	"agent.metrics": true, "agent.networks": true, "agent.port": true,
	"firmware.accept_regulatory_responsibility": true,
}

func (d *dice) pick(of []string) string { return of[d.IntN(len(of))] }

func (d *dice) often() bool { return d.IntN(3) > 0 }

// label is a name that no other block of the type has.
func (d *dice) label(typ string) string {
	for {
		l := d.pick(labels)
		if typ == "link" {
			if l = d.pick(linkLabels); d.IntN(25) == 0 {
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
		d.used[typ+"."+a.Name] = true
		v := d.pick(of)
		if a.List {
			v = "[" + v + "]"
			if other := d.pick(of); d.often() && !strings.Contains(v, other) {
				v = strings.TrimSuffix(v, "]") + ", " + other + "]"
			}
		}
		fmt.Fprintf(d, "  %s = %s\n", a.Name, v)
	}
}

// some are a few of the names, as references; at least one.
func (d *dice) some(typ string, names []string) string {
	var out []string
	for _, i := range d.Perm(len(names))[:1+d.IntN(min(len(names), 3))] {
		out = append(out, typ+"."+names[i])
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// roll writes a whole spec.
func (d *dice) roll() string {
	release := d.pick(values["NixOS release"])
	d.block("router", d.pick([]string{"r", "R-9", "let", "nixpkgs", strings.Repeat("h", 63)}),
		`board = "bananapi-bpir4"`, `memory = "8GiB"`, `state_version = "25.11"`, `console_only = true`, "release = "+release)
	ports := []string{"lan1", "lan2", "lan3", "wan"}
	for range d.IntN(3) {
		n := d.label("secret")
		d.secrets = append(d.secrets, n)
		d.block("secret", n, `path = "/run/keys/`+n+`"`)
	}
	if d.often() {
		n := d.label("link")
		d.block("bridge", n, "ports = [port.lan1, port.lan2]")
		d.links, ports = append(d.links, "bridge."+n), ports[2:]
	}
	for _, p := range ports {
		d.links = append(d.links, "port."+p)
	}
	for i := range d.IntN(3) {
		n := d.label("link")
		d.block("vlan", n, "link = "+d.pick(d.links[:1]), fmt.Sprintf("id = %d", []int{1, 4094, 7}[i]))
		d.links = append(d.links, "vlan."+n)
	}
	if len(d.secrets) > 0 && d.often() {
		d.tunnel()
	}
	d.addresses()
	d.firewall(d.services())
	return d.String()
}

func (d *dice) tunnel() {
	n := d.label("link")
	fmt.Fprintf(d, "wireguard %q {\n", n)
	d.body("wireguard", d.blocks["wireguard"], []string{"private_key = secret." + d.pick(d.secrets)})
	i := slices.IndexFunc(d.blocks["wireguard"].Blocks, func(s conf.Schema) bool { return s.Type == "peer" })
	for i2, key := range []string{"X1mxaVVMdYnMoVDy7WmYyFFzRVkuZYJXRcnU0mSNzzk=", "GtL7fZc/bLnqZldpVofMCD6hDjrK28SsdLxevJ+qtKU="}[:d.IntN(3)] {
		fmt.Fprintf(d, "  peer %q {\n", d.label("peer"))
		given := []string{fmt.Sprintf("public_key = %q", key), fmt.Sprintf(`allowed_ips = ["10.200.%d.0/24", "fd00:c8:0:%d::/64"]`, i2, i2)}
		if d.often() {
			given = append(given, "preshared_key = secret."+d.pick(d.secrets))
		}
		d.body("wireguard.peer", d.blocks["wireguard"].Blocks[i], given)
		d.WriteString("  }\n")
	}
	d.WriteString("}\n")
	d.links = append(d.links, "wireguard."+n)
}

// addresses puts networks on links, sometimes two on one.
func (d *dice) addresses() {
	for i := range 1 + d.IntN(5) {
		n, link := d.label("network"), d.pick(d.links)
		given := []string{"link = " + link}
		d.link[n] = link
		how := d.IntN(5)
		if how == 2 && len(d.upstream) > 0 {
			how = 3 // there is one default gateway
		}
		switch how {
		case 0:
			d.dynamic[n] = true
			given = append(given, `ipv4 = "dhcp"`, `ipv6 = "auto"`)
		case 1:
			d.dynamic[n] = true
			given = append(given, `ipv6 = "auto"`)
		case 2:
			d.upstream[n] = true
			given = append(given, fmt.Sprintf(`ipv4 = "10.%d.0.1/16"`, i), fmt.Sprintf(`ipv6 = "2001:db8:%d::1/64"`, i), fmt.Sprintf(`gateway = "10.%d.255.254"`, i), `gateway6 = "fe80::1"`)
		default:
			given = append(given, fmt.Sprintf(`ipv4 = "10.%d.0.1/24"`, i))
			if d.often() {
				given = append(given, fmt.Sprintf(`ipv6 = "fd00:0:0:%d::1/64"`, i))
			}
		}
		d.networks = append(d.networks, n)
		d.block("network", n, given...)
		if !d.dynamic[n] && d.IntN(4) == 0 {
			d.block("route", d.label("route"), fmt.Sprintf(`to = "172.16.%d.0/24"`, i), fmt.Sprintf(`via = "10.%d.0.9"`, i), "network = network."+n)
		}
	}
}

// firewall puts networks into zones, those of a link into one, and writes policies and
// forwards.
func (d *dice) firewall(serves map[string][]string) {
	links := map[string][]string{}
	for _, n := range d.networks {
		links[d.link[n]] = append(links[d.link[n]], n)
	}
	for rest := slices.Sorted(maps.Keys(links)); len(rest) > 0; {
		n, z := 1+d.IntN(len(rest)), d.label("zone")
		var refs, allow []string
		for _, l := range rest[:n] {
			for _, n := range links[l] {
				refs = append(refs, "network."+n)
				for _, s := range serves[n] {
					if !slices.Contains(allow, strconv.Quote(s)) {
						allow = append(allow, strconv.Quote(s))
					}
				}
			}
		}
		d.zones, rest = append(d.zones, z), rest[n:]
		d.block("zone", z, "networks = ["+strings.Join(refs, ", ")+"]", "allow = ["+strings.Join(allow, ", ")+"]")
	}
	for range d.IntN(3) {
		given := []string{"from = " + d.some("zone", d.zones), "to = " + d.some("zone", d.zones), "action = " + d.pick(values["accept, drop or reject"]), "masquerade = " + d.pick([]string{"false", "false", "true"})}
		switch d.IntN(3) {
		case 0:
			given = append(given, `protocols = ["tcp", "udp"]`)
		case 1:
			given = append(given, `protocols = []`, `ports = []`)
		}
		d.block("policy", d.label("policy"), given...)
	}
	for i, n := range d.networks {
		if !d.dynamic[n] && d.IntN(4) == 0 {
			d.block("port_forward", d.label("port_forward"), "from = zone."+d.pick(d.zones), fmt.Sprintf(`port = "%d"`, 10000+i), fmt.Sprintf(`to = "10.%d.0.77"`, i))
		}
	}
	if d.often() {
		d.block("firewall", "")
	}
}

// services writes what serves the networks, and says what serves which.
func (d *dice) services() map[string][]string {
	serves := map[string][]string{}
	d.block("ssh", "", "networks = [network."+strings.Join(d.networks, ", network.")+"]", "passwords = false")
	for _, n := range d.networks {
		serves[n] = append(serves[n], "ssh")
	}
	var inner []string
	leases := map[string]bool{}
	for i, n := range d.networks {
		if d.dynamic[n] || d.upstream[n] || slices.ContainsFunc(d.networks, func(o string) bool { return d.link[o] == d.link[n] && (d.dynamic[o] || d.upstream[o]) }) {
			continue
		}
		inner = append(inner, n)
		if leases[d.link[n]] || !d.often() {
			continue
		}
		leases[d.link[n]] = true
		serves[n] = append(serves[n], "dhcp")
		fmt.Fprintf(d, "dhcp4 %q {\n", d.label("dhcp4"))
		d.body("dhcp4", d.blocks["dhcp4"], []string{"network = network." + n, fmt.Sprintf(`pool = ["10.%d.0.100-10.%d.0.199", "10.%d.0.210-10.%d.0.210"]`, i, i, i, i), `dns = ["9.9.9.9"]`})
		fmt.Fprintf(d, "  reservation %q {\n", d.pick([]string{"a", "A-9", strings.Repeat("h", 63)}))
		d.body("dhcp4.reservation", d.blocks["dhcp4"].Blocks[0], []string{`mac = "02:00:00:00:00:01"`, fmt.Sprintf(`ipv4 = "10.%d.0.50"`, i)})
		d.WriteString("  }\n}\n")
	}
	for _, s := range [][2]string{{"resolver", "dns"}, {"time", "ntp"}} {
		if len(inner) == 0 || !d.often() {
			continue
		}
		some := d.some("network", inner)
		given := []string{"networks = " + some}
		if s[0] == "time" {
			given = append(given, `servers = ["192.0.2.1", "ntp.example.org"]`)
		}
		d.block(s[0], "", given...)
		for _, n := range d.networks {
			if strings.Contains(some+",", "network."+n+",") || strings.Contains(some, "network."+n+"]") {
				serves[n] = append(serves[n], s[1])
			}
		}
	}
	for _, typ := range []string{"nix", "interfaces", "dhcp_client", "agent"} {
		if d.IntN(3) == 0 {
			d.block(typ, "")
		}
	}
	if d.often() {
		d.block("firmware", "", `card = "8GiB"`)
	}
	if d.often() {
		d.block("input", d.label("input"))
	}
	if d.often() {
		given := []string{}
		if len(d.secrets) > 0 && d.often() {
			given = append(given, "hashed_password_file = secret."+d.pick(d.secrets))
		}
		name := d.pick([]string{"root", "a", "_b-c_9", "let", strings.Repeat("u", 31)})
		if d.IntN(20) == 0 {
			name = "nobody"
		}
		d.block("user", name, given...)
	}
	if d.often() {
		d.block("check", d.label("check"))
	}
	return serves
}

func newDice(seed uint64) *dice {
	d := &dice{
		Rand: rand.New(rand.NewPCG(seed, 1)), blocks: map[string]conf.Schema{}, names: map[string]int{},
		dynamic: map[string]bool{}, upstream: map[string]bool{}, link: map[string]string{}, used: map[string]bool{},
	}
	for _, t := range (&service.Registry{Kinds: all.Kinds()}).Types() {
		d.blocks[t.Type] = conf.SchemaOf(t)
	}
	return d
}

// A rolled spec is one that has no errors.
type rolled struct {
	seed    uint64
	text    string
	release string
	files   []string // its modules
}

// TestRandomSpecs makes specs of what the schema allows. Each is refused with a line, or
// becomes modules that Nix parses and evaluates, whose options NixOS has, and whose ruleset
// both generations of nft load.
func TestRandomSpecs(t *testing.T) {
	t.Parallel()
	from, n := uint64(0), randomSpecs
	if s := os.Getenv("NBR_RANDOM_SPECS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("NBR_RANDOM_SEED"); s != "" {
		from, _ = strconv.ParseUint(s, 10, 64)
		n = 1
	}
	if n < 1 {
		t.Fatal("no specs")
	}
	used, codes := map[string]bool{}, map[string]int{}
	tree, err := flake.Build(flake.Config{Source: nbr.Source()})
	if err != nil {
		t.Fatal(err)
	}
	library := fstest.MapFS{} // what the modules import
	for name, b := range tree.Files {
		library[name] = &fstest.MapFile{Data: b}
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, library); err != nil {
		t.Fatal(err)
	}
	var good []rolled
	for seed := from; seed < from+uint64(n); seed++ {
		d := newDice(seed)
		text := d.roll()
		maps.Copy(used, d.used)
		if r := judge(t, filepath.Join(dir, strconv.FormatUint(seed, 10)), seed, text, codes); r != nil {
			good = append(good, *r)
		}
	}
	t.Logf("%d of %d specs are good; errors: %v", len(good), n, codes)
	if n >= randomSpecs {
		if 10*len(good) < n {
			t.Errorf("only %d of %d specs are good", len(good), n)
		}
		for typ, s := range newDice(0).blocks {
			if !slices.Contains(notRolled, typ) {
				unused(t, typ, s, used)
			}
		}
	}
	optionsExist(t, good)
	const batch = 20
	root := lab.Rootfs(t, nil)
	for some := range slices.Chunk(good, batch) {
		evaluate(t, some, func(r rolled, g *generated) {
			ns := nstest.New(t, "random")
			rules := ruleset(t, g)
			if out, err := ns.Try(t, "nft", "-c", "-f", write(t, rules)); err != nil {
				t.Errorf("seed %d: nft: %v %s\n%s\n%s", r.seed, err, out, r.text, rules)
			}
			root.Write(t, "/tmp/random.nft", rules)
			root.Run(t, ns, "nft", "-c", "-f", "/tmp/random.nft")
		})
	}
}

// unused are the arguments that no random spec has.
func unused(t *testing.T, path string, s conf.Schema, used map[string]bool) {
	t.Helper()
	for _, a := range s.Attributes {
		if at := path + "." + a.Name; !used[at] && !built[at] {
			t.Errorf("no random spec has %s (%s)", at, a.Type)
		}
	}
	for _, b := range s.Blocks {
		unused(t, path+"."+b.Type, b, used)
	}
}

// judge loads a spec, and writes its modules to a folder when it has no errors.
func judge(t *testing.T, dir string, seed uint64, text string, codes map[string]int) *rolled {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("seed %d: panic: %v\n%s", seed, r, text)
		}
	}()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(text)}}, nil)
	for _, d := range diags {
		if d.Subject == nil || diag.Code(d) == "" || d.Detail == "" {
			t.Errorf("seed %d: %s [%s]\n%s", seed, d, diag.Code(d), text)
		}
		if code := diag.Code(d); d.Severity == 1 {
			codes[code]++
			if os.Getenv("NBR_RANDOM_SEED") != "" {
				t.Logf("%s: %s", d, code)
			}
			if code == "syntax" || code == "unsupported-argument" || code == "missing-argument" {
				t.Errorf("seed %d: the dice knows no HCL: %s\n%s", seed, d, text)
			}
		}
	}
	if diags.HasErrors() {
		return nil
	}
	out := &rolled{seed: seed, text: text, release: string(spec.Router.Release.V)}
	if err := os.MkdirAll(filepath.Join(dir, "spec"), 0o755); err != nil { // the tree has it
		t.Fatal(err)
	}
	for _, f := range spec.Modules() {
		text, _ := f.Module.Print()
		file := filepath.Join(dir, f.Name+".nix")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		out.files = append(out.files, file)
	}
	spec.Plan()
	return out
}

// optionsExist has Nix judge what the specs set by the options of their releases.
func optionsExist(t *testing.T, specs []rolled) {
	t.Helper()
	for _, release := range router.Releases {
		some := slices.DeleteFunc(slices.Clone(specs), func(r rolled) bool { return r.release != release })
		var routers []string
		for _, r := range some {
			routers = append(routers, "[ "+strings.Join(r.files, " ")+" ]")
		}
		for i, err := range standin.Refused(t, standin.Inputs(t, release), routers) {
			t.Errorf("seed %d: %v\n%s", some[i].seed, err, some[i].text)
		}
	}
}

// evaluate has Nix parse and evaluate the modules of several specs at once: that is a call
// and not a call each. When it fails each is evaluated alone, to name the one.
func evaluate(t *testing.T, specs []rolled, with func(rolled, *generated)) {
	t.Helper()
	nix := lab.Nix(t)
	modules, err := filepath.Abs("testdata/modules.nix")
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	var list strings.Builder
	for _, r := range specs {
		files = append(files, r.files...)
		list.WriteString("[ ")
		for _, f := range r.files {
			if filepath.Base(f) != "hardware.nix" { // of firmware and kernel: package firmware's tests
				fmt.Fprintf(&list, "(import %s) ", f)
			}
		}
		list.WriteString("] ")
	}
	_, err = nix.Try(t, "nix-instantiate", append([]string{"--parse"}, files...)...)
	expr := fmt.Sprintf("map (import %s) [ %s ]", modules, list.String())
	if err == nil {
		_, err = nix.Try(t, "nix-instantiate", "--eval", "--strict", "--json", "--expr", expr)
	}
	if err != nil && len(specs) == 1 {
		t.Errorf("seed %d: %v\n%s", specs[0].seed, err, specs[0].text)
		return
	}
	if err != nil {
		for _, r := range specs {
			evaluate(t, []rolled{r}, with)
		}
		return
	}
	var all []map[string]any
	nix.EvalJSON(t, expr, &all)
	for i, values := range all {
		with(specs[i], &generated{values: values})
	}
}
