package bootlog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Severity is what a finding means.
type Severity string

// The severities: the boot stopped there; the router came up and something is
// wrong with it; the log does not say; good to know.
const (
	Stop    Severity = "stop"
	Wrong   Severity = "wrong"
	Unclear Severity = "unclear"
	Note    Severity = "note"
)

// A Finding is one thing that there is to say about a log.
type Finding struct {
	Code     string   `json:"code"` // stable
	Severity Severity `json:"severity"`
	Line     int      `json:"line"` // of the log, 0 where it is about all of it
	Text     string   `json:"text"` // that line
	What     string   `json:"what"` // what is likely wrong, one sentence
	Do       string   `json:"do"`   // what to do about it
}

// Diagnose says where the last boot stopped and why, and what else was seen. What
// stops comes first.
func Diagnose(l *Log) []Finding {
	out := []Finding{}
	if l.Last == nil {
		return append(out, l.nothing())
	}
	b := l.Boot()
	if !b.Up {
		out = append(out, l.stopped(b))
	}
	if l.Loop > 1 {
		out = append(out, Finding{
			Code: "boot-loop", Severity: Stop, Line: b.Line,
			What: fmt.Sprintf("The board starts again and again: the last %d boots all stopped in %s.", l.Loop, b.Reached().Title()),
			Do:   "Stop U-Boot with a key and choose an older entry of its menu, if it gets that far; else look at the power supply",
		})
	}
	out = append(out, b.memory()...)
	for _, what := range b.Failed {
		out = append(out, Finding{Code: "unit-failed", Severity: Wrong, What: "systemd: " + what + ".", Do: "On the router: systemctl --failed, and journalctl -b -u of the unit"})
	}
	if strings.Contains(b.Reset, "Watchdog") || strings.Contains(b.Reset, "hermal") {
		out = append(out, Finding{
			Code: "reset", Severity: Wrong, Text: b.Reset,
			What: "The board was started by a guard and not by a person: " + b.Reset + ".", Do: "Look at what it did before: the watchdog bites when Linux hangs, the thermal reset when it is too hot",
		})
	}
	out = append(append(out, b.others()...), l.garbled()...)
	slices.SortStableFunc(out, func(x, y Finding) int { return cmp.Compare(x.Severity.rank(), y.Severity.rank()) })
	return out
}

// rank orders severities by what needs a look first.
func (s Severity) rank() int { return slices.Index([]Severity{Stop, Wrong, Unclear, Note}, s) }

// others are the troubling lines that did not stop the boot.
func (b *Boot) others() []Finding {
	var out []Finding
	cause := b.cause().Code
	for _, m := range b.Marks {
		g := b.grade(m)
		switch {
		case m.Code == cause && !b.Up, m.Code == "mtk-eth" && b.Mark("mtk-eth-region") != nil, // follows from it
			m.Code == "gpt-backup" && b.Mark("bl2-gpt") != nil: // the copy was no better
		case g == note && m.Code == "bl2-uart":
			f := m.finding(Note)
			f.What += " It was sent."
			out = append(out, f)
		case g == note:
			out = append(out, m.finding(Note))
		case g == wrong, b.Up && m.Stage == Userspace && (g == stop || m.Code == "linux-panic"):
			out = append(out, m.finding(Wrong))
		case g == stop && (b.Up || m.Stage != b.Reached() || m.Line < b.start):
			f := m.finding(Note)
			f.What += " It went on all the same."
			out = append(out, f)
		}
	}
	return out
}

// cause is the line that stopped the boot: the first one that can, in the stage
// that was reached last, and if there is none the first that follows from one.
// What an earlier stage complained about, and went on, is not it.
func (b *Boot) cause() Mark {
	var second Mark
	for _, m := range b.Marks {
		if m.Stage != b.Reached() || m.Line < b.start {
			continue
		}
		switch b.grade(m) {
		case stop:
			return m
		case follow:
			if second.Code == "" {
				second = m
			}
		case note, wrong:
		}
	}
	return second
}

// grade is what a mark means for this boot. A BL2 that waits for its firmware package goes
// on when that comes.
func (b *Boot) grade(m Mark) grade {
	if m.Code == "bl2-uart" && b.received {
		return note
	}
	return markOf(m.Code).grade
}

func (m Mark) finding(s Severity) Finding {
	f := markOf(m.Code)
	what := strings.ReplaceAll(f.what, " (%s)", within(m.What))
	return Finding{m.Code, s, m.Line, m.Text, strings.ReplaceAll(what, "%s", strings.TrimRight(m.What, ".")), f.do}
}

// within is a text in brackets, if there is one.
func within(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// stopped is why a boot did not come up.
func (l *Log) stopped(b *Boot) Finding {
	if m := b.cause(); m.Code != "" {
		return m.finding(Stop)
	}
	last := b.Stages[len(b.Stages)-1]
	at := Finding{Line: l.Lines, Text: b.End}
	switch {
	case b.Starts && b.Stage(Linux) == nil:
		at.Code, at.Severity = "linux-silent", Stop
		at.What = "U-Boot started the kernel, and nothing came after that: Linux died at once, or it writes to another console, unless the recording was stopped there."
		at.Do = "Look at console= in extlinux.conf (ttyS0,115200 on MediaTek, ttyS2,1500000 on Rockchip); add earlycon to see the first messages"
	case b.Prompt == "u-boot":
		at.Code, at.Severity = "u-boot-prompt", Stop
		at.What = "U-Boot waits at its prompt: it found nothing to start, or a key was pressed."
		at.Do = "Type bootflow scan -lb and look at what it says; the root partition must hold /boot/extlinux/extlinux.conf"
	case b.down:
		at.Code, at.Severity = "log-ends", Unclear
		at.What = fmt.Sprintf("The log ends in %s, which went down in order: it was switched off or restarted.", last.Name.Title())
		at.Do = "Nothing, unless that was not intended; then look at the lines before it"
	default:
		at.Code, at.Severity = "log-ends", Unclear
		at.What = fmt.Sprintf("The log ends in %s without a word why: the recording was stopped, the power was cut, or the board hangs there.", last.Name.Title())
		at.Do = "Record the whole boot, from power on until nothing comes for a minute"
	}
	return at
}

// memory compares what the stages saw of it.
func (b *Boot) memory() []Finding {
	m := b.Memory
	switch {
	case m.BL2 > 0 && m.UBoot > 0 && m.UBoot < m.BL2*7/8:
		return []Finding{{
			Code: "memory-u-boot", Severity: Wrong,
			What: fmt.Sprintf("U-Boot has %d MiB of the %d MiB that were found before it.", m.UBoot, m.BL2), Do: "Look at the memory node of U-Boot's device tree",
		}}
	case m.Linux > 0 && m.UBoot > 0 && int(m.Linux/1024) < m.UBoot*7/8:
		return []Finding{{
			Code: "memory-linux", Severity: Wrong,
			What: fmt.Sprintf("Linux was given %d MiB of the %d MiB that U-Boot has.", m.Linux/1024, m.UBoot), Do: "Look for mem= on the kernel's command line, and at the memory node of the device tree",
		}}
	case b.SoC == "MT7988" && m.EMI && !m.FourBG && m.BL2 == 4096:
		return []Finding{{
			Code: "memory-no-4bg", Severity: Note,
			What: "BL2 found 4096 MB, and never finds more: it was built without DDR4_4BG_MODE=1.", Do: "Nothing on a board with 4 GB. On one with 8 GB write a BL2 with the flag to the partition bl2",
		}}
	case b.SoC == "MT7988" && m.BL2 > 0 && m.BL2 < 4096:
		// At most 512 for DDR3, the amount itself for a limit (dram-configs.mk); the flag
		// has nothing to do with either.
		return []Finding{{
			Code: "memory-limited", Severity: Note,
			What: fmt.Sprintf("BL2 found %d MB. A BPI-R4 has 4096 or 8192: for it this BL2 was built with the wrong kind of memory (without DRAM_USE_COMB=1) or with DRAM_SIZE_LIMIT.", m.BL2),
			Do:   "Nothing on a board that has no more. On a BPI-R4 write a BL2 with DRAM_USE_COMB=1 and without DRAM_SIZE_LIMIT to the partition bl2",
		}}
	}
	return nil
}

func (l *Log) garbled() []Finding {
	if l.Garbled < 3 {
		return nil
	}
	return []Finding{{
		Code: "garbled", Severity: Note,
		What: fmt.Sprintf("%d of %d lines are mostly no text.", l.Garbled, l.Lines), Do: "Set the terminal to 115200 8N1 (1500000 on Rockchip), and look at the ground wire",
	}}
}

// nothing is what there is to say of a log that no form fits.
func (l *Log) nothing() Finding {
	f := Finding{
		Code: "nothing-recognised", Severity: Unclear, Line: l.Lines,
		What: "No stage of a boot was recognised.", Do: "Record the serial port from power on: 115200 8N1 (1500000 on Rockchip)",
	}
	switch {
	case l.Lines == 0:
		f.Code, f.What = "empty", "The log is empty."
	case l.Garbled*2 > l.Lines:
		f.Code, f.What = "garbled", fmt.Sprintf("%d of %d lines are mostly no text: the terminal had another speed than the board.", l.Garbled, l.Lines)
	}
	return f
}
