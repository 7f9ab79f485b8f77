package firmware

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware/image"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/state"
)

// ImagePlan is what a spec promises of an image, as far as an image that has not
// booted shows it: the board, its memory, the medium and the partitions. The checks
// about a BL2 are those of a running router; the others look at the image alone. The
// hint is the command that shows the image.
func ImagePlan(r *router.Router, img *image.Image, hint string) *verify.Plan {
	p := &imagePlan{&verify.Plan{}, img, ProfileOf(r.Board.ID), r.BoardID.Range}
	p.promise(r)
	for i, c := range p.Checks {
		p.Checks[i].Eval = func(st *state.State) verify.Verdict {
			v := c.Eval(st)
			v.Hint = hint
			return v
		}
	}
	return p.Plan
}

func (p *imagePlan) promise(r *router.Router) {
	p.found("image/table", "both partition tables are whole", image.GPTPrimary, image.GPTPrimaryCRC, image.GPTPrimaryField,
		image.GPTBackupMissing, image.GPTBackupCRC, image.GPTBackupField, image.GPTBackupDiffers, image.GPTMBR, image.GPTBounds, image.GPTCutOff, image.GPTOverlap)
	for _, want := range p.profile.Firmware.Layout {
		p.partition(want)
	}
	if p.profile.UEFI != nil {
		return // what is on the EFI partition, its firmware looks for
	}
	if p.profile.Firmware.ATFAttr == "" {
		p.found("image/loader", "the board finds what it starts from", image.RockchipLoader, image.RockchipUBoot, image.RaspberryFAT)
		return
	}
	bootChecks(r, p.Plan)
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok && !wantsFourBG(mem) && slices.ContainsFunc(r.Board.Memory, wantsFourBG) {
		p.Add(fourBG(r, mem)) // nothing has come up yet
	}
	p.found("image/bl2", "the boot ROM takes the BL2", image.BL2Missing, image.BL2Device, image.BL2Layout, image.BL2Chain,
		image.BL2FileInfo, image.BL2AArch64, image.BL2Size)
	p.found("image/fip", "the BL2 finds Trusted Firmware-A and U-Boot", image.FIPMissing, image.FIPHeader, image.FIPToC, image.FIPTruncated,
		image.FIPBounds, image.FIPOverlap, image.FIPTwice, image.FIPNoBL31, image.FIPNoBL33, image.FIPTooLarge, image.BL33TooLarge,
		image.FIPSwapped, image.FIPUnpack)
	p.soc()
}

// ImageState is what an image shows of the router that it will be.
func ImageState(img *image.Image) *state.State {
	return &state.State{FormatVersion: state.Version, Firmware: image.Firmware(img.BL2, img.FIP)}
}

type imagePlan struct {
	*verify.Plan
	img     *image.Image
	profile *Profile
	from    hcl.Range // the board's line, which promises all of it
}

func (p *imagePlan) add(id, title string, eval func() verify.Verdict) {
	p.Add(verify.Check{ID: id, Title: title, From: p.from, Eval: func(*state.State) verify.Verdict { return eval() }})
}

// found promises that nothing of these codes was found. What a stream did not keep
// is not known.
func (p *imagePlan) found(id, title string, codes ...image.Code) {
	p.add(id, title, func() verify.Verdict {
		const want = "nothing wrong"
		var all []string
		for _, f := range p.img.Wrong(codes...) {
			all = append(all, f.What+": "+f.Detail)
		}
		switch {
		case len(all) > 0:
			return verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(all, "\n")}
		case id == "image/bl2" && p.img.BL2 == nil, id == "image/fip" && (p.img.FIP == nil || p.unread()):
			return verify.Verdict{Want: want, Got: "could not be seen: the image has it elsewhere"}
		}
		return verify.Verdict{Status: verify.Pass, Want: want, Got: want, Note: p.note(id)}
	})
}

func (p *imagePlan) unread() bool {
	return slices.ContainsFunc(p.img.Findings, func(f image.Finding) bool { return f.Code == image.PartitionUnread })
}

// note is where the firmware comes from: the hash is of the store path of the U-Boot
// that was built.
func (p *imagePlan) note(id string) string {
	if id == "image/fip" && p.img.FIP.UBoot != "" {
		return "U-Boot " + p.img.FIP.UBoot
	}
	return ""
}

// partition promises one of the layout: name, place and attribute.
func (p *imagePlan) partition(want Partition) {
	p.add("image/partition/"+want.Name, "the partition "+want.Name+" is in its place", func() verify.Verdict {
		v := verify.Verdict{Status: verify.Fail, Want: place(want.First, want.Last, want.Bootable)}
		switch ps := p.img.GPT.Named(want.Name); len(ps) {
		case 0:
			v.Got = "not there"
		case 1:
			last := ps[0].Last
			if want.Last == 0 {
				last = 0
			}
			v.Got = place(ps[0].First, last, ps[0].Bootable())
		default:
			v.Got = fmt.Sprintf("%d partitions of that name", len(ps))
		}
		if v.Got == v.Want {
			v.Status = verify.Pass
		}
		return v
	})
}

func place(first, last uint64, bootable bool) string {
	s := fmt.Sprintf("LBA %d to the end", first)
	if last > 0 {
		s = fmt.Sprintf("LBA %d to %d", first, last)
	}
	if bootable {
		s += ", bootable"
	}
	return s
}

// soc promises that U-Boot is built for the board's SoC: its device tree says so.
// The board itself it does not say: nixos-sbc builds a BPI-R4's from the defconfig of
// MediaTek's reference board.
func (p *imagePlan) soc() {
	want := p.profile.soc()
	p.add("image/soc", "BL2 and U-Boot are built for a "+p.profile.SoC, func() verify.Verdict {
		if bl2 := p.img.BL2; bl2 != nil && bl2.SoC != "" && bl2.SoC != p.profile.chip() {
			return verify.Verdict{Status: verify.Fail, Want: want, Got: "a BL2 for the " + bl2.SoC}
		}
		if p.img.FIP == nil || len(p.img.FIP.Compatible) == 0 {
			return verify.Verdict{Want: want, Got: "could not be seen: no device tree was found in BL33"}
		}
		v := verify.Verdict{Status: verify.Fail, Want: want, Got: strings.Join(p.img.FIP.Compatible, ", ")}
		if p.profile.drives(p.img.FIP) {
			v.Status = verify.Pass
		}
		return v
	})
}

// soc is how the compatible of a device tree for the board's SoC begins.
func (p *Profile) soc() string {
	vendor, name, _ := strings.Cut(strings.ToLower(p.SoC), " ")
	return vendor + "," + strings.TrimRight(name, "abcdefghijklmnopqrstuvwxyz")
}

// chip is the SoC as MediaTek's TF-A calls it: MT7988, without the letter.
func (p *Profile) chip() string {
	_, name, _ := strings.Cut(p.SoC, " ")
	return strings.TrimRight(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// drives tells whether a FIP is for the board's SoC.
func (p *Profile) drives(f *image.FIP) bool {
	return slices.ContainsFunc(f.Compatible, func(c string) bool { return strings.HasPrefix(c, p.soc()) })
}
