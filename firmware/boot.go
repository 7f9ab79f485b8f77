package firmware

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// fourBGFlag is the one flag that can be told from a finished BL2.
const fourBGFlag = "DDR4_4BG_MODE=1"

func wantsFourBG(m router.Memory) bool { return slices.Contains(m.Flags, fourBGFlag) }

// bootChecks promises the BL2 of a MediaTek board: the others start from something
// that nbr cannot look into.
//
// The router itself is asked for the flag only where the spec promises it. Whether a
// board with less memory comes up with the flag is not known (people say both), but
// one that answers has come up: checkMemory makes a note of it.
func bootChecks(r *router.Router, plan *verify.Plan) {
	if ProfileOf(r.Board.ID).Firmware.ATFAttr == "" {
		return
	}
	plan.Add(verify.Check{ID: "firmware/medium", Title: "the BL2 is made for an SD card", From: r.BoardID.Range, Eval: checkMedium})
	plan.Add(verify.Check{ID: "firmware/intact", Title: "the BL2 is not damaged", From: r.BoardID.Range, Eval: checkIntact})
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok && wantsFourBG(mem) {
		plan.Add(fourBG(r, mem))
	}
}

// releaseChecks promise the releases that the system would build, where it says which.
func (b *Block) releaseChecks(r *router.Router, plan *verify.Plan) {
	p := ProfileOf(r.Board.ID)
	if atf := b.tfa(r, p); atf != nil {
		want, _, _ := strings.Cut(atf.Version, "-") // 2.13.0-mtk is v2.13.0(release) of itself
		plan.Add(verify.Check{
			ID: "firmware/tfa", Title: "Trusted Firmware-A is the system's", From: b.TFASource.at(memoryAt(r)),
			Eval: checkRelease(want, func(f *state.Firmware) string { return f.TFA }),
		})
	}
	if u := b.uboot(p); u != nil {
		plan.Add(verify.Check{
			ID: "firmware/uboot", Title: "U-Boot is the system's", From: b.ubootAt(r),
			Eval: checkRelease(u.Version, func(f *state.Firmware) string { return f.UBoot }),
		})
	}
}

// checkRelease tells firmware that was left behind: a switch to another system writes
// none. Its store path would say more, but a system that was built on the router has
// others than one that was built on the desk.
func checkRelease(want string, get func(*state.Firmware) string) func(*state.State) verify.Verdict {
	release := regexp.MustCompile(`^v?` + regexp.QuoteMeta(want) + `([^0-9.]|$)`)
	return func(st *state.State) verify.Verdict {
		f, v := seenBL2(st, want)
		switch {
		case f == nil:
			return v
		case get(f) == "":
			return verify.NotSeen(want, bl2Hint)
		}
		v = verify.Judge(release.MatchString(get(f)), want, get(f), bl2Hint)
		if v.Status == verify.Fail {
			v.Note = "nixos-rebuild writes no firmware; nbr flash -firmware-only does"
		}
		return v
	}
}

func fourBG(r *router.Router, mem router.Memory) verify.Check {
	return verify.Check{
		ID: "firmware/bl2", Title: fmt.Sprintf("the BL2 is built for %s of memory", mem.Size),
		From: memoryAt(r), Eval: checkFourBG(mem, ProfileOf(r.Board.ID).chip()),
	}
}

// The partitions of a running board. The root of a router is on the same medium.
const (
	bl2Hint = "nbr image inspect /dev/disk/by-partlabel/bl2"
	noBL2   = "no partition called bl2 could be read"
)

// seenBL2 is the BL2 that was seen, or why none was.
func seenBL2(st *state.State, want string) (*state.Firmware, verify.Verdict) {
	if st.Firmware == nil || st.Firmware.Medium == "" {
		v := verify.NotSeen(want, bl2Hint)
		v.Got = noBL2
		return nil, v
	}
	return st.Firmware, verify.Verdict{}
}

// checkMedium tells a BL2 for eMMC or NAND from the one that a card starts with.
func checkMedium(st *state.State) verify.Verdict {
	f, v := seenBL2(st, image.SDMMC)
	if f == nil {
		return v
	}
	return verify.Compare(image.SDMMC, f.Medium, bl2Hint)
}

func checkIntact(st *state.State) verify.Verdict {
	const want = "its own SHA-256 holds"
	f, v := seenBL2(st, want)
	switch {
	case f == nil:
		return v
	case !f.Intact:
		return verify.Judge(false, want, "it does not hold", bl2Hint)
	}
	v = verify.Judge(true, want, want, bl2Hint)
	v.Note = "Trusted Firmware-A " + cmp.Or(f.TFA, "of no version")
	return v
}

// checkFourBG is about DDR4_4BG_MODE, without which a BPI-R4 boots and half of its
// eight gibibytes is missing. With it a BL2 may still be one that cannot drive them: of
// another SoC, for DDR3 alone, or with a limit.
func checkFourBG(mem router.Memory, soc string) func(*state.State) verify.Verdict {
	want := "DDR4_4BG_MODE " + image.Absent
	if wantsFourBG(mem) {
		want = "DDR4_4BG_MODE " + image.Present
	}
	return func(st *state.State) verify.Verdict {
		f, v := seenBL2(st, want)
		if f == nil {
			return v
		}
		got := fmt.Sprintf("DDR4_4BG_MODE %s: %s", f.FourBG, f.FourBGWhy)
		switch {
		case !f.Intact:
			return verify.Verdict{Want: want, Got: "the BL2 is damaged, so that what it says of itself does not count", Hint: bl2Hint}
		case f.FourBG == image.Unknown || f.FourBG == "":
			return verify.Verdict{Want: want, Got: got, Hint: bl2Hint}
		case f.FourBG == image.Present && !wantsFourBG(mem):
			return verify.Verdict{Want: want, Got: got + "; whether a board with " + mem.Size.String() + " starts with it is not known", Hint: bl2Hint}
		case want != "DDR4_4BG_MODE "+f.FourBG || !wantsFourBG(mem):
			return verify.Judge(want == "DDR4_4BG_MODE "+f.FourBG, want, got, bl2Hint)
		}
		no, unsure := cannotDrive(f, mem, soc)
		switch {
		case no != "":
			return verify.Judge(false, want, got+"; "+no, bl2Hint)
		case unsure != "":
			return verify.Verdict{Want: want, Got: got + "; " + unsure, Hint: bl2Hint}
		}
		return verify.Judge(true, want, got, bl2Hint)
	}
}

// cannotDrive is why a BL2 with the flag cannot drive a board's memory all the same, or
// why that is not known.
func cannotDrive(f *state.Firmware, mem router.Memory, soc string) (no, unsure string) {
	switch {
	case f.SoC != "" && f.SoC != soc:
		return "the BL2 is for the " + f.SoC + ", not the " + soc, ""
	case !slices.Contains([]string{image.Comb, image.DDR4, image.Unknown, ""}, f.DDR):
		return "the BL2 is for " + f.DDR + " alone (neither DRAM_USE_COMB=1 nor DRAM_USE_DDR4=1)", ""
	case f.DDRLimit > 0 && uint64(f.DDRLimit)<<20 < uint64(mem.Size):
		return fmt.Sprintf("the BL2 uses %d MiB at most (DRAM_SIZE_LIMIT)", f.DDRLimit), ""
	case f.SoC == "":
		return "", "which SoC the BL2 is for is not known"
	case f.DDR == image.Unknown || f.DDR == "":
		return "", "which memory the BL2 drives is not known: its code was not understood"
	}
	return "", ""
}
