// Package starter is the first spec of a router, with comments that teach: what nbr init writes, and what the form
// of the page does.
package starter

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router"
)

// template is the router of testdata/routers/bpi-r4 with another subnet; a test keeps them
// the same. It is the first spec for Board, and for others with what is theirs.
//
//go:embed template.hcl
var template string

// Board is the board that the first spec is for where none is named.
const Board = "bananapi-bpir4"

// Subnet is N of the house's network 192.168.N.0/24 unless another one is chosen: no well-known box has it.
const Subnet = 73

// A Choice is what a beginner says of the router. Nothing but the board has to be said.
type Choice struct {
	Board  *router.Board
	Name   string // of the router; empty is that of the board
	Memory string // a size that the board is sold with; empty is the largest
	WAN    string // the port towards the Internet; empty is the one that the board calls so, or its first
	Subnet int    // N of 192.168.N.0/24, the house's network; 0 is Subnet
	Key    string // an SSH public key; empty leaves a place for one
	Tunnel bool   // WireGuard, for a laptop on its way
	Guests bool   // a network for guests, who get to the Internet and nowhere else
	Things bool   // a network for things, which get nowhere and are reached from the house
}

// Ports are the ports of a board that can lead to the Internet.
func Ports(b *router.Board) []string {
	wired, cages := ports(b)
	return append(wired, cages...)
}

// ports are those with a plug for copper, and the cages.
func ports(b *router.Board) (wired, cages []string) {
	for _, p := range b.Ports {
		switch p.Kind {
		case router.PortDSA, router.PortNIC:
			wired = append(wired, string(p.Name))
		case router.PortSFP:
			cages = append(cages, string(p.Name))
		case router.PortWiFi, router.PortConduit, router.PortCard: // no wire that is known, and no port for users
		}
	}
	return wired, cages
}

// WAN is the port that leads to the Internet unless another one is chosen; empty where the board has not two.
func WAN(b *router.Board) string {
	wired, _ := ports(b)
	if len(wired) < 2 {
		return ""
	}
	return wired[max(slices.Index(wired, "wan"), 0)]
}

// check says what of a choice cannot be.
func (c Choice) check() error {
	var host router.Hostname
	if c.Name != "" {
		if err := host.UnmarshalText([]byte(c.Name)); err != nil {
			return fmt.Errorf("%q is no name for a router: %w", c.Name, err)
		}
	}
	sizes := memory(c.Board)
	if c.Memory != "" && len(sizes) > 0 && !slices.Contains(sizes, c.Memory) {
		return fmt.Errorf("%s has %s of memory, and not %s", c.Board.Name, diag.Either(sizes), c.Memory)
	}
	if c.Memory != "" {
		var size router.Size
		if err := size.UnmarshalText([]byte(c.Memory)); err != nil {
			return fmt.Errorf("%q is no size of a memory: %w", c.Memory, err)
		}
	}
	if all := Ports(c.Board); c.WAN != "" && !slices.Contains(all, c.WAN) {
		return fmt.Errorf("%s has no port %q: it has %s", c.Board.Name, c.WAN, diag.List(all))
	}
	if c.Subnet < 0 || c.Subnet > 255 {
		return fmt.Errorf("192.168.%d.0/24 is no network: the number is from 0 to 255", c.Subnet)
	}
	if c.Key != "" {
		var k router.SSHKey
		if k.UnmarshalText([]byte(c.Key)) != nil { // its error quotes the text, which may be the private key
			return errors.New("that is no SSH public key: it is one line, and begins with its sort, as ssh-ed25519")
		}
	}
	return nil
}

// Spec is the first spec of a choice: that of the template, with the board's own name, memory and ports. The error
// says what cannot be chosen.
func Spec(c Choice) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	links, lan, wan := links(c)
	text := template
	parts := []part{
		{`router "bpi-r4"`, "  state_version", fmt.Sprintf("router %q {\n  board = %q\n%s", cmp.Or(c.Name, Name(c.Board)), c.Board.ID, memoryLine(c))},
		{"# The switch's ports", `network "lan"`, links + "\n"},
		{"  link = bridge.br-lan", "\n", "  link = " + lan},
		{"  link = port.wan", "\n", "  link = " + wan},
	}
	plain := Choice{Board: c.Board, Name: Name(c.Board), Memory: Memory(c.Board), WAN: WAN(c.Board)}
	if c.Board.ID == Board && cmp.Or(c.Name, plain.Name) == plain.Name && cmp.Or(c.Memory, plain.Memory) == plain.Memory && cmp.Or(c.WAN, plain.WAN) == plain.WAN {
		parts = nil // it is the template's
	}
	for _, p := range parts {
		text = p.in(text)
	}
	if !c.Tunnel {
		text = withoutTunnel(text)
	}
	subnet := cmp.Or(c.Subnet, Subnet)
	text = strings.ReplaceAll(text, fmt.Sprintf("192.168.%d.", Subnet), fmt.Sprintf("192.168.%d.", subnet))
	text = more(text, c, lan, subnet)
	out, _ := source.Format("router.hcl", []byte(withKey(text, c.Key))) // a test has all boards parsed
	return string(out), nil
}

// A part of the template is replaced, from one text to before another one.
type part struct{ from, to, with string }

func (p part) in(text string) string {
	before, rest, _ := strings.Cut(text, p.from)
	i := strings.Index(rest, p.to)
	return before + p.with + rest[i:]
}

// without leaves out a block, with the comment above it.
func without(text, block string) string {
	at := strings.Index(text, "\n"+block+" {") + 1
	end := at + strings.Index(text[at:], "\n}\n") + len("\n}\n")
	for {
		above := strings.LastIndexByte(text[:at-1], '\n') + 1
		if text[above] != '#' {
			break
		}
		at = above
	}
	return text[:at] + strings.TrimPrefix(text[end:], "\n")
}

func withoutTunnel(text string) string {
	for _, block := range []string{`zone "vpn"`, `policy "home"`, `secret "wg0"`, `wireguard "wg0"`, `network "vpn"`} {
		text = without(text, block)
	}
	text = part{`  allow    = ["wireguard"]`, "}", ""}.in(text)
	return strings.Replace(text, "[zone.lan, zone.vpn]", "[zone.lan]", 1)
}

// extra is a network beside the house's, as a VLAN of its link: %[1]s is its name, %[2]d the number of the VLAN,
// %[3]s the link of the house and %[4]d its subnet.
const extra = `
vlan %[1]q {
  link = %[3]s
  id   = %[2]d # on the switch or the access point behind the ports of the house
}

network %[1]q {
  link = vlan.%[1]s
  ipv4 = "192.168.%[4]d.1/24"
}

zone %[1]q {
  networks = [network.%[1]s]
  allow    = ["dns", "dhcp"]
}

dhcp4 %[1]q {
  network = network.%[1]s
  pool    = ["192.168.%[4]d.100-192.168.%[4]d.199"]
}
`

// more are the networks that are beside the house's.
func more(text string, c Choice, lan string, subnet int) string {
	names := []string{"network.lan"}
	for _, x := range []struct {
		wanted      bool
		name, about string
		id          int
		policy      string
	}{
		{c.Guests, "guests", "# Guests get to the Internet and nowhere else.", 20, `
policy "guests" {
  from       = [zone.guests]
  to         = [zone.wan]
  action     = "accept"
  masquerade = true
}
`},
		{c.Things, "things", "# Things get nowhere by themselves: the house reaches them, and they answer.", 30, `
policy "things" {
  from   = [zone.lan]
  to     = [zone.things]
  action = "accept"
}
`},
	} {
		if x.wanted {
			names = append(names, "network."+x.name)
			text += "\n" + x.about + fmt.Sprintf(extra, x.name, x.id, lan, (subnet+x.id)%256) + x.policy
		}
	}
	return strings.Replace(text, "resolver {\n  networks = [network.lan]", "resolver {\n  networks = ["+strings.Join(names, ", ")+"]", 1)
}

var keysRE = regexp.MustCompile(`authorized_keys = \[.*\]`)

// withKey puts a key in the place of the template's, which has no private half.
func withKey(text, key string) string {
	list := "authorized_keys = [] # your SSH public key, a line of authorized_keys"
	if key != "" {
		list = fmt.Sprintf("authorized_keys = [%s]", hclwrite.TokensForValue(cty.StringVal(key)).Bytes())
	}
	return keysRE.ReplaceAllLiteralString(text, list)
}

// Name is a host's name that tells the board: rock64v2 of pine64-rock64v2, pc of pc-x86_64.
func Name(b *router.Board) string {
	if b.ID == Board {
		return "bpi-r4"
	}
	kind, name, _ := strings.Cut(b.ID, "-")
	var host router.Hostname
	if host.UnmarshalText([]byte(name)) != nil {
		return kind
	}
	return name
}

// memory are the sizes that a board is sold with.
func memory(b *router.Board) []string {
	var sizes []string
	for _, m := range b.Memory {
		sizes = append(sizes, m.Size.String())
	}
	return sizes
}

// Memory is the largest size that a board is sold with; empty where it has what was put into it.
func Memory(b *router.Board) string {
	if len(b.Memory) == 0 {
		return ""
	}
	return slices.MaxFunc(b.Memory, func(x, y router.Memory) int { return cmp.Compare(x.Size, y.Size) }).Size.String()
}

// memoryLine is the size that is chosen; the others are beside it.
func memoryLine(c Choice) string {
	size := cmp.Or(c.Memory, Memory(c.Board))
	if size == "" {
		return "  # memory = \"8GiB\" # what yours has: nbr verify looks whether all of it is there\n"
	}
	var sizes []string
	for _, s := range memory(c.Board) {
		sizes = append(sizes, fmt.Sprintf("%q", s))
	}
	line := fmt.Sprintf("  memory = %q # nbr verify checks it", size)
	if len(sizes) > 1 {
		line = fmt.Sprintf("  memory = %q # what yours has of %s; nbr verify checks it", size, diag.List(sizes))
	}
	return line + "\n"
}

// links are the blocks of links, and the links of the two networks: a bridge where the
// board has several ports for the house, and a VLAN for the upstream where it has one port.
func links(c Choice) (blocks, lan, wan string) {
	b := c.Board
	wired, cages := ports(b)
	if len(b.Ports) == 0 {
		return `# A board of this kind has what ports it has. ip link shows what Linux calls yours: put these
# names here. Or call a port as you like, and say which one it is: mac = "…" or pci = "…".
port "enp1s0" {}

port "enp2s0" {}

# The ports of the house as one network segment.
bridge "br-lan" {
  ports = [port.enp2s0]
}
`, "bridge.br-lan", "port.enp1s0"
	}
	if len(wired) == 1 && (c.WAN == "" || c.WAN == wired[0]) {
		port := wired[0]
		return fmt.Sprintf(`# The board has one Ethernet port, %[1]s, so a switch with VLANs carries both sides: the
# house untagged, the way to the Internet as VLAN 2. On the switch, the port of the modem
# is an untagged member of VLAN 2, that of this board a tagged one.
vlan "wan" {
  link = port.%[1]s
  id   = 2
}
`, port), "port." + port, "vlan.wan"
	}
	up := cmp.Or(c.WAN, WAN(b))
	var house []string
	for _, name := range wired {
		if name != up {
			house = append(house, "port."+name)
		}
	}
	names := strings.Join(wired, ", ")
	switch len(cages) {
	case 0:
	case 1:
		names += ", and the SFP cage " + cages[0]
	default:
		names += ", and the SFP cages " + diag.List(cages)
	}
	return fmt.Sprintf(`# The ports of the house as one network segment. The names come from the board:
# %s.
bridge "br-lan" {
  ports = [%s]
}
`, names, strings.Join(house, ", ")), "bridge.br-lan", "port." + up
}
