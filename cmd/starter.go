package cmd

import (
	"cmp"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router"
)

// template is the router of testdata/routers/bpi-r4 with another subnet; a test keeps them
// the same. It is the first spec for templateBoard, and for others with what is theirs.
//
//go:embed template.hcl
var template string

const templateBoard = "bananapi-bpir4"

// starter is the first spec for a board: that of the template, with the board's own name,
// memory and ports.
func starter(b *router.Board) string {
	if b.ID == templateBoard {
		return template
	}
	links, lan, wan := starterLinks(b)
	text := template
	for _, part := range []struct{ from, to, with string }{
		{`router "bpi-r4"`, "  state_version", fmt.Sprintf("router %q {\n  board = %q\n%s", starterName(b), b.ID, starterMemory(b))},
		{"# The switch's ports", `network "lan"`, links + "\n"},
		{"  link = bridge.br-lan", "\n", "  link = " + lan},
		{"  link = port.wan", "\n", "  link = " + wan},
	} {
		before, rest, _ := strings.Cut(text, part.from)
		i := strings.Index(rest, part.to)
		text = before + part.with + rest[i:]
	}
	out, _ := source.Format("router.hcl", []byte(text)) // a test has all boards parsed
	return string(out)
}

// starterName is a host's name that tells the board: rock64v2 of pine64-rock64v2, pc of pc-x86_64.
func starterName(b *router.Board) string {
	kind, name, _ := strings.Cut(b.ID, "-")
	var host router.Hostname
	if host.UnmarshalText([]byte(name)) != nil {
		return kind
	}
	return name
}

// starterMemory is the largest size that the board is sold with; the others are beside it.
func starterMemory(b *router.Board) string {
	if len(b.Memory) == 0 {
		return "  # memory = \"8GiB\" # what yours has: nbr verify looks whether all of it is there\n"
	}
	var sizes []string
	for _, m := range b.Memory {
		sizes = append(sizes, fmt.Sprintf("%q", m.Size))
	}
	most := slices.MaxFunc(b.Memory, func(x, y router.Memory) int { return cmp.Compare(x.Size, y.Size) })
	line := fmt.Sprintf("  memory = %q # nbr verify checks it", most.Size)
	if len(sizes) > 1 {
		line = fmt.Sprintf("  memory = %q # what yours has of %s; nbr verify checks it", most.Size, diag.List(sizes))
	}
	return line + "\n"
}

// starterLinks are the blocks of links, and the links of the two networks: a bridge where the
// board has several ports for the house, and a VLAN for the upstream where it has one port.
func starterLinks(b *router.Board) (blocks, lan, wan string) {
	var wired, cages []string
	for _, p := range b.Ports {
		switch p.Kind {
		case router.PortDSA, router.PortNIC:
			wired = append(wired, string(p.Name))
		case router.PortSFP:
			cages = append(cages, string(p.Name))
		case router.PortWiFi, router.PortConduit, router.PortCard: // no wire that is known, and no port for users
		}
	}
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
	if len(wired) == 1 {
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
	up := wired[max(slices.Index(wired, "wan"), 0)]
	var ports []string
	for _, name := range wired {
		if name != up {
			ports = append(ports, "port."+name)
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
`, names, strings.Join(ports, ", ")), "bridge.br-lan", "port." + up
}
