package firmware

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// Checks promises the board, its memory, the kernel and its options, and what the root
// file system is on.
func (b *Block) Checks(r *router.Router, plan *verify.Plan) {
	plan.Add(verify.Check{ID: "firmware/board", Title: "the board is a " + r.Board.Name, From: r.BoardID.Range, Eval: ProfileOf(r.Board.ID).board(r.Board)})
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok {
		plan.Add(verify.Check{ID: "firmware/memory", Title: fmt.Sprintf("all %s of memory are there", mem.Size), From: memoryAt(r), Eval: checkMemory(mem)})
	}
	bootChecks(r, plan)
	b.releaseChecks(r, plan)
	b.watchdogCheck(r, plan)
	b.rootChecks(ProfileOf(r.Board.ID), plan)
	b.cacheCheck(plan)
	b.clockCheck(plan)
	name, span := b.kernel(ProfileOf(r.Board.ID), r.Release.V)
	eval := checkKernel(span)
	if b.KernelSource != nil {
		eval = checkKernelVersion(string(b.KernelSource.Version.V))
	}
	plan.Add(verify.Check{ID: "firmware/kernel", Title: "the router runs " + name, From: b.kernelAt(), Eval: eval})
	for _, k := range r.KernelSymbols() {
		plan.Add(verify.Check{ID: "firmware/kernel/" + k.Symbol, Title: fmt.Sprintf("the kernel has %s for %s", k.Symbol, k.Why), From: k.From, Eval: checkOption(k.Symbol)})
		if o := Options()[k.Symbol]; o != nil && o.Module != "" {
			plan.Add(verify.Check{
				ID: "firmware/module/" + k.Symbol, Title: fmt.Sprintf("the module %s for %s can be loaded", o.Module, k.Why), From: k.From,
				Needs: []state.Need{{Kind: state.NeedModule, Name: o.Module}}, Eval: checkModule(k.Symbol, o.Module),
			})
		}
	}
}

// board judges what the machine says of itself.
func (p *Profile) board(b *router.Board) func(*state.State) verify.Verdict {
	if p.UEFI != nil {
		return checkPC
	}
	return checkBoard(b)
}

// checkPC wants a machine that its own EFI has started, of as many bits as systemd-boot has: one
// that was started by a BIOS does not find it. Who made it, the firmware says.
func checkPC(st *state.State) verify.Verdict {
	const want, hint = "started by an EFI of 64 bits", "cat /sys/firmware/efi/fw_platform_size /sys/class/dmi/id/product_name"
	if st.Board == nil {
		return verify.NotSeen(want, hint)
	}
	var v verify.Verdict
	switch {
	case len(st.Board.Compatible) > 0:
		v = verify.Judge(false, want, st.Board.Compatible[0]+", which is no PC", hint)
	case st.Board.EFI == 0:
		v = verify.Judge(false, want, "not started by an EFI", hint)
	default:
		got := fmt.Sprintf("started by an EFI of %d bits", st.Board.EFI)
		v = verify.Judge(got == want, want, got, hint)
	}
	if d := st.Board.DMI; d != nil {
		v.Note = strings.TrimSpace(d.Vendor + " " + d.Product)
	}
	return v
}

// checkBoard looks at the device tree's compatible, not at its model: the model
// of a BPI-R4 changed between kernels.
func checkBoard(b *router.Board) func(*state.State) verify.Verdict {
	const hint = "tr '\\0' '\\n' </proc/device-tree/compatible"
	return func(st *state.State) verify.Verdict {
		if st.Board == nil || len(st.Board.Compatible) == 0 {
			return verify.NotSeen(b.Compatible, hint)
		}
		if slices.Contains(st.Board.Compatible, b.Compatible) {
			return verify.Compare(b.Compatible, b.Compatible, hint)
		}
		return verify.Compare(b.Compatible, st.Board.Compatible[0], hint)
	}
}

// checkMemory tells a BL2 built for less memory from the right one: it boots,
// and half is missing.
func checkMemory(m router.Memory) func(*state.State) verify.Verdict {
	const hint = "grep MemTotal /proc/meminfo"
	want := fmt.Sprintf("%d to %d kB", m.MinTotal, m.MaxTotal)
	return func(st *state.State) verify.Verdict {
		if st.Board == nil || st.Board.MemTotal == 0 {
			return verify.NotSeen(want, hint)
		}
		v := verify.Judge(m.MinTotal <= st.Board.MemTotal && st.Board.MemTotal <= m.MaxTotal, want, fmt.Sprintf("%d kB", st.Board.MemTotal), hint)
		if st.Firmware != nil && st.Firmware.FourBG == image.Present && !wantsFourBG(m) {
			v.Note = "the BL2 has DDR4_4BG_MODE, which nbr builds for other sizes only"
		}
		return v
	}
}

func checkKernel(span Span) func(*state.State) verify.Verdict {
	const hint = "uname -r"
	want := "Linux " + span.String()
	return func(st *state.State) verify.Verdict {
		if st.Kernel == nil || st.Kernel.Release == "" {
			return verify.NotSeen(want, hint)
		}
		return verify.Judge(span.Contains(st.Kernel.Release), want, st.Kernel.Release, hint)
	}
}

// checkKernelVersion wants the very version that the spec names: another one of the
// series is a router that was not started again, or was not switched.
func checkKernelVersion(want string) func(*state.State) verify.Verdict {
	const hint = "uname -r"
	return func(st *state.State) verify.Verdict {
		if st.Kernel == nil || st.Kernel.Release == "" {
			return verify.NotSeen(want, hint)
		}
		return verify.Compare(want, st.Kernel.Release, hint)
	}
}

func checkOption(symbol string) func(*state.State) verify.Verdict {
	hint := "zgrep CONFIG_" + symbol + "= /proc/config.gz"
	return func(st *state.State) verify.Verdict {
		if st.Kernel == nil || len(st.Kernel.Config) == 0 {
			return verify.NotSeen("y or m", hint)
		}
		got, ok := st.Kernel.Config[symbol]
		if !ok {
			return verify.Missing("y or m", hint)
		}
		return verify.Judge(got == "y" || got == "m", "y or m", got, hint)
	}
}

// checkModule looks for what an option that is a module promises: a file of the kernel
// that runs, or the module at work. What is built in needs none.
func checkModule(symbol, module string) func(*state.State) verify.Verdict {
	want, hint := "loaded, builtin, available", "modinfo "+module
	return func(st *state.State) verify.Verdict {
		if st.Kernel != nil && st.Kernel.Config[symbol] == "y" {
			return verify.Judge(true, want, "builtin", hint)
		}
		if st.Modules == nil {
			return verify.NotSeen(want, hint)
		}
		got, ok := st.Modules[module]
		if !ok {
			return verify.Missing(want, hint)
		}
		return verify.Judge(slices.Contains(strings.Split(want, ", "), got), want, got, hint)
	}
}
