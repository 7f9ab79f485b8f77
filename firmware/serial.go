package firmware

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/firmware/bootlog"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// BootChecks are the promises of the spec that the board's serial log can show,
// judged by the boot that counts in this one.
func (b *Block) BootChecks(r *router.Router, l *bootlog.Log) *verify.Plan {
	boot := cmp.Or(l.Boot(), &bootlog.Boot{})
	p := ProfileOf(r.Board.ID)
	kernel, span := b.kernel(p, r.Release.V)
	plan := &verify.Plan{}
	if p.UEFI == nil { // a PC names neither itself nor what it starts from in a form of its own
		plan.Add(verify.Check{ID: "firmware/board", Title: "the board is a " + p.Name, From: r.BoardID.Range, Eval: seen(p.bootBoard(boot))})
		plan.Add(verify.Check{ID: "firmware/medium", Title: "it starts from the SD card that the image is for", From: r.BoardID.Range, Eval: seen(p.bootMedium(boot))})
	}
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok {
		plan.Add(verify.Check{ID: "firmware/memory", Title: fmt.Sprintf("all %s of memory are there", mem.Size), From: memoryAt(r), Eval: seen(bootMemory(boot, mem))})
	}
	plan.Add(verify.Check{ID: "firmware/kernel", Title: "the router runs " + kernel, From: b.kernelAt(), Eval: seen(bootKernel(boot, span))})
	return plan
}

// seen is a verdict over what was seen already, and not on the router.
func seen(v verify.Verdict) func(*state.State) verify.Verdict {
	return func(*state.State) verify.Verdict { return v }
}

// bootBoard looks at what Linux calls the board. U-Boot's name is that of the
// board that its device tree was made for, which often is another.
func (p *Profile) bootBoard(boot *bootlog.Boot) verify.Verdict {
	const hint = "grep 'Machine model' in the log"
	want := strings.Join(p.Models, " or ")
	if m := boot.Model(); m.Stage == bootlog.Linux {
		return verify.Judge(p.is(m.Name), want, m.Name, hint)
	}
	if boot.SoC != "" && !strings.Contains(strings.ToUpper(p.SoC), boot.SoC) {
		return verify.Verdict{Status: verify.Fail, Want: p.SoC, Got: boot.SoC, Hint: "grep CPU: in the log"}
	}
	return notSaid(want, "Linux, which names the board, did not start in this log", hint)
}

// is tells whether Linux means this board by a model: a BPI-R4 may be "(2x SFP+)"
// and a Raspberry Pi "Rev 1.5", but a BPI-R4 Pro is another board.
func (p *Profile) is(model string) bool {
	return slices.ContainsFunc(p.Models, func(m string) bool {
		rest, ok := strings.CutPrefix(model, m)
		return ok && (rest == "" || strings.HasPrefix(rest, " (") || strings.HasPrefix(rest, " Rev "))
	})
}

func (p *Profile) bootMedium(boot *bootlog.Boot) verify.Verdict {
	const want = "sd" // the only image that nixos-sbc has for a board
	hint := ""
	if s := p.BootSwitch; s != nil {
		hint = fmt.Sprintf("%s stands at %s for the SD card (%s)", s.Name, s.Positions[want], s.Legend)
	}
	if boot.Medium.Name == "" {
		return notSaid(want, "no line names the medium", hint)
	}
	return verify.Compare(want, boot.Medium.Name, hint)
}

// bootMemory compares sizes. What the firmware keeps for itself may be missing
// from what Linux was given: a quarter never is, and boards differ by half.
func bootMemory(boot *bootlog.Boot, mem router.Memory) verify.Verdict {
	want := int(mem.Size >> 20)
	wants := fmt.Sprintf("%d MiB", want)
	got := boot.Memory.MiB()
	if got == 0 {
		return notSaid(wants, "no line tells of memory", "grep -e DRAM -e 'Memory:' in the log")
	}
	v := verify.Judge(want*3/4 < got && got <= want, wants, fmt.Sprintf("%d MiB", got), "grep -e EMI -e DRAM -e 'Memory:' in the log")
	flag := slices.Contains(mem.Flags, "DDR4_4BG_MODE=1")
	switch m := boot.Memory; {
	case v.Status == verify.Pass:
	case m.BL2 > 0 && m.BL2 < 4096 && m.DDR == "3":
		v.Got += ": BL2 was built for DDR3 (neither DRAM_USE_COMB=1 nor DRAM_USE_DDR4=1)"
	case flag && m.BL2 > 0 && m.BL2 < 4096:
		// Without the flag it finds 4096 MB.
		v.Got += ": that is less than DDR4_4BG_MODE decides over; BL2 was built with DRAM_SIZE_LIMIT, or this is another board"
	case flag && m.EMI && !m.FourBG:
		v.Got += ": BL2 was built without DDR4_4BG_MODE=1"
		v.Hint = "nbr flash -firmware-only IMAGE DEVICE replaces both partitions, bl2 and fip; nixos-rebuild never does"
	case flag && m.FourBG:
		v.Got += ", and BL2 was built with DDR4_4BG_MODE=1: does the board have that much?"
	}
	return v
}

func bootKernel(boot *bootlog.Boot, span Span) verify.Verdict {
	const hint = "grep 'Linux version' in the log"
	want := "Linux " + span.String()
	s := boot.Stage(bootlog.Linux)
	if s == nil || s.Version == "" {
		return notSaid(want, "Linux did not start in this log", hint)
	}
	return verify.Judge(span.Contains(s.Version), want, s.Version, hint)
}

// notSaid is the verdict over something that the log does not say.
func notSaid(want, why, hint string) verify.Verdict {
	return verify.Verdict{Status: verify.Unknown, Want: want, Got: why, Hint: hint}
}
