package bootlog

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Text writes for people what a log told and what is to be said of it.
func Text(w io.Writer, l *Log, findings []Finding) error {
	var b strings.Builder
	b.WriteString(l.headline() + "\n")
	if boot := l.Boot(); boot != nil {
		b.WriteByte('\n')
		boot.text(&b)
	}
	for _, f := range findings {
		b.WriteByte('\n')
		f.text(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func count(n int, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return fmt.Sprintf("%d %s", n, thing)
}

func (l *Log) headline() string {
	b := l.Boot()
	switch {
	case b == nil:
		return count(l.Lines, "line") + ", and no stage of a boot in them."
	case l.Boots == 1:
		return fmt.Sprintf("One boot in %s: it %s.", count(l.Lines, "line"), l.how(b))
	case l.Half:
		return fmt.Sprintf("%d boots in %s. The last one is there in part; the one before it, from line %d on, %s.", l.Boots, count(l.Lines, "line"), b.Line, l.how(b))
	default:
		return fmt.Sprintf("%d boots in %s. The last one, from line %d on, %s.", l.Boots, count(l.Lines, "line"), b.Line, l.how(b))
	}
}

// how is how a boot went. One that just ends has not been seen to stop.
func (l *Log) how(b *Boot) string {
	switch {
	case b.Up:
		return "came up"
	case l.stopped(b).Severity == Stop:
		return "stopped in " + b.Reached().Title()
	default:
		return "ends in " + b.Reached().Title()
	}
}

// text is a table of what is known. What the log does not say is left out.
func (b *Boot) text(out *strings.Builder) {
	tw := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(tw, "%s\t%s\n", name, value)
		}
	}
	row("board", b.board())
	medium := b.Medium.Name
	if medium != "" {
		medium += within(b.Medium.By)
	}
	row("medium", medium)
	row("kernel from", b.Loader)
	row("memory", b.memoryText())
	row("reset", b.Reset)
	for _, s := range b.Stages {
		row(string(s.Name), s.text())
	}
	row("system", b.System)
	row("console", b.Console)
	_ = tw.Flush() // a builder takes everything
}

func (b *Boot) board() string {
	var parts []string
	if b.SoC != "" {
		parts = append(parts, b.SoC)
	}
	for _, m := range b.Models {
		parts = append(parts, m.Name+within(m.Stage.Title()))
	}
	return strings.Join(parts, ", ")
}

// memoryText is what each stage saw, the first stage first.
func (b *Boot) memoryText() string {
	var parts []string
	m := b.Memory
	if m.BL2 > 0 || m.DDR != "" {
		s := "none found"
		if m.BL2 > 0 {
			s = fmt.Sprintf("%d MiB found", m.BL2)
		}
		parts = append(parts, s+within(b.ddr()))
	}
	if m.UBoot > 0 {
		parts = append(parts, fmt.Sprintf("%d MiB in U-Boot", m.UBoot))
	}
	if m.Linux > 0 {
		parts = append(parts, fmt.Sprintf("%d MiB in Linux, of which %d MiB are free", m.Linux/1024, m.Free/1024))
	}
	return strings.Join(parts, "; ")
}

// ddr is how BL2 drives the memory, which decides how much of it there is.
func (b *Boot) ddr() string {
	var how []string
	switch m := b.Memory; {
	case m.DDR == "unknown":
		how = append(how, "settings found at run time")
	case m.DDR != "":
		how = append(how, "DDR"+m.DDR)
	}
	switch {
	case b.Memory.FourBG:
		how = append(how, "4BG mode")
	case b.Memory.EMI && b.SoC == "MT7988":
		how = append(how, "not in 4BG mode")
	}
	return strings.Join(how, ", ")
}

func (s Stage) text() string {
	var parts []string
	if s.Version != "" {
		parts = append(parts, strings.TrimSuffix(s.Version, "-"+s.Store))
	}
	if s.Source != "" {
		parts = append(parts, s.Source)
	}
	if s.Store != "" {
		parts = append(parts, "Nix build "+s.Store)
	}
	if s.Built != "" {
		parts = append(parts, "built "+s.Built)
	}
	return strings.Join(append(parts, fmt.Sprintf("line %d", s.Line)), ", ")
}

// word is the severity for people.
func (s Severity) word() string {
	if s == Stop || s == Wrong {
		return strings.ToUpper(string(s))
	}
	return string(s)
}

func (f Finding) text(out *strings.Builder) {
	fmt.Fprintf(out, "%s %s", f.Severity.word(), f.Code)
	if f.Line > 0 {
		fmt.Fprintf(out, ", line %d", f.Line)
	}
	if f.Text != "" {
		fmt.Fprintf(out, ": %s", f.Text)
	}
	fmt.Fprintf(out, "\n  %s\n  Do: %s.\n", f.What, strings.TrimRight(f.Do, "."))
}
