package cmd

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/router"
)

// A boardReport is what nbr knows of a board, before it is text or Markdown.
type boardReport struct {
	id, name string
	facts    table // without a head
	parts    []part
}

// A part of a board report is a table or a list of sentences.
type part struct {
	title     string
	table     table
	sentences []string
}

type table struct {
	head []string
	rows [][]string
}

func (t *table) add(row ...string) { t.rows = append(t.rows, row) }

func boardReportOf(b *router.Board, p *firmware.Profile) boardReport {
	s := boardReport{id: b.ID, name: b.Name, facts: factsOf(b, p)}
	if len(b.Ports) > 0 {
		s.parts = append(s.parts, part{title: "Ports", table: portsOf(b)})
	}
	if len(b.Memory) > 0 {
		s.parts = append(s.parts, part{title: "Memory", table: memoryOf(b, p)})
	}
	if sw := p.BootSwitch; sw != nil {
		t := table{head: []string{"medium", "position"}}
		for _, medium := range slices.Sorted(maps.Keys(sw.Positions)) {
			t.add(medium, sw.Positions[medium])
		}
		s.parts = append(s.parts, part{title: fmt.Sprintf("Boot switch %s (%s)", sw.Name, sw.Legend), table: t})
	}
	if len(p.Firmware.Layout) > 0 {
		s.parts = append(s.parts, part{title: "SD image (sectors of 512 bytes)", table: layoutOf(p)})
	}
	for _, list := range []part{{title: "Notes", sentences: p.Notes}, {title: "Not known", sentences: p.NotKnown()}} {
		if len(list.sentences) > 0 {
			s.parts = append(s.parts, list)
		}
	}
	return s
}

func factsOf(b *router.Board, p *firmware.Profile) table {
	var t table
	if p.UEFI != nil {
		return factsOfUEFI(p)
	}
	t.add("SoC", fmt.Sprintf("%s, %d cores", p.SoC, p.CPUs))
	t.add("module", "nixos-sbc.nixosModules."+p.SBCModule)
	t.add("image", p.Image)
	t.add("kernel", p.KernelText())
	uboot := p.Firmware.UBootAttr
	if u := p.Firmware.UBoot; u != nil {
		uboot += " " + u.Version + ": " + u.Because
	}
	t.add("U-Boot", uboot)
	if p.Firmware.ATFAttr != "" {
		t.add("Trusted Firmware-A", p.Firmware.ATFAttr)
	}
	t.add("serial console", p.Console)
	clock := "none that nbr knows"
	if p.Clock != "" {
		clock = p.Clock + ", off unless the spec says clock_battery = true"
	}
	t.add("clock", clock)
	watchdog := "none that nbr knows"
	if p.Watchdog != nil {
		watchdog = fmt.Sprintf("resets after %d s at most, fed by systemd unless the spec says watchdog = false", p.Watchdog.MaxSeconds)
	}
	t.add("watchdog", watchdog)
	t.add("Wi-Fi", wifiOf(b, p))
	t.add("device tree", p.Compatible)
	t.add("name in Linux", strings.Join(p.Models, " or "))
	return t
}

func factsOfUEFI(p *firmware.Profile) table {
	var t table
	t.add("processor", p.SoC)
	t.add("firmware", "the machine's own, UEFI; systemd-boot starts from it")
	t.add("image", p.UEFI.File+" of nix build .#"+p.UEFI.Image+"-NAME")
	t.add("VM", "nix run .#vm-NAME")
	t.add("kernel", p.KernelText())
	t.add("ports", "what it has: a port block for each")
	t.add("memory", "any; nbr verify looks for it if the spec says how much")
	t.add("root file system", "ext4")
	t.add("serial console", p.Console+", beside screen and keyboard")
	t.add("clock", "with a battery, used unless the spec says clock_battery = false")
	t.add("watchdog", "none that nbr knows")
	return t
}

func wifiOf(b *router.Board, p *firmware.Profile) string {
	switch {
	case p.WiFi != nil:
		return "off unless the spec says accept_regulatory_responsibility = true"
	case slices.ContainsFunc(b.Ports, func(p *router.BoardPort) bool { return p.Kind == router.PortWiFi }):
		return "by the kernel's own driver; nixos-sbc has no switch for it"
	}
	return "none that nixos-sbc drives"
}

func portsOf(b *router.Board) table {
	t := table{head: []string{"on the case", "in Linux", "kind", "behind", "Mbit/s"}}
	for _, p := range b.Ports {
		kind := "conduit: to the switch, no port of its own"
		for _, k := range portKinds {
			if k.kind == p.Kind {
				kind = k.text
			}
		}
		speed := "-"
		if p.Speed > 0 {
			speed = fmt.Sprint(p.Speed)
		}
		t.add(cmp.Or(p.Label, "-"), string(p.Name), kind, cmp.Or(string(p.Conduit), "-"), speed)
	}
	return t
}

func memoryOf(b *router.Board, p *firmware.Profile) table {
	t := table{head: []string{"size", "MemTotal in kB", "what the firmware needs"}}
	for _, m := range b.Memory {
		needs := "nothing"
		if len(m.Flags) > 0 {
			needs = strings.Join(m.Flags, " ")
			if atf := p.Firmware.ATF; atf != nil {
				needs += fmt.Sprintf(", with Trusted Firmware-A %s of %s", atf.Version, atf.Date)
			}
		}
		t.add(m.Size.String(), fmt.Sprintf("%d to %d", m.MinTotal, m.MaxTotal), needs)
	}
	return t
}

func layoutOf(p *firmware.Profile) table {
	files := map[int]string{}
	for file, n := range p.Firmware.Partitions {
		files[n] = file
	}
	t := table{head: []string{"partition", "name", "first", "last", "bootable", "holds"}}
	for i, l := range p.Firmware.Layout {
		last, bootable := "end", "-"
		if l.Last > 0 {
			last = fmt.Sprint(l.Last)
		}
		if l.Bootable {
			bootable = "yes"
		}
		t.add(fmt.Sprint(i+1), l.Name, fmt.Sprint(l.First), last, bootable, cmp.Or(files[i+1], "-"))
	}
	return t
}

// textOf is a page a board.
func textOf(reports []boardReport) []byte {
	var b bytes.Buffer
	for i, s := range reports {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s\n\n", s.id, s.name)
		s.facts.text(&b)
		for _, p := range s.parts {
			fmt.Fprintf(&b, "\n%s\n", p.title)
			p.table.text(&b)
			for _, line := range p.sentences {
				fmt.Fprintf(&b, "  - %s\n", line)
			}
		}
	}
	return b.Bytes()
}

func (t *table) text(b *bytes.Buffer) {
	tw := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{t.head}, t.rows...) {
		if len(row) > 0 {
			fmt.Fprintf(tw, "  %s\n", strings.Join(row, "\t"))
		}
	}
	tw.Flush() // a buffer takes everything
}

// markdownOf is one page for all of them.
func markdownOf(reports []boardReport) []byte {
	var b bytes.Buffer
	b.WriteString("# Boards\n\nWhat nbr knows of each board, and what it does not. `nbr boards -doc` writes this page.\n")
	for _, s := range reports {
		fmt.Fprintf(&b, "\n## %s\n\n`board = %q`\n\n", s.name, s.id)
		for _, row := range s.facts.rows {
			fmt.Fprintf(&b, "- %s: %s\n", row[0], row[1])
		}
		for _, p := range s.parts {
			fmt.Fprintf(&b, "\n### %s\n\n", p.title)
			p.table.markdown(&b)
			for _, line := range p.sentences {
				fmt.Fprintf(&b, "- %s\n", line)
			}
		}
	}
	return b.Bytes()
}

func (t *table) markdown(b *bytes.Buffer) {
	if len(t.head) == 0 {
		return
	}
	rule := slices.Repeat([]string{"---"}, len(t.head))
	for _, row := range slices.Concat([][]string{t.head, rule}, t.rows) {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
}
