package firmware

import (
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/router"
)

// Built is something that is built from a source of its own, beside nixpkgs.
type Built struct {
	Name    string // kernel, TF-A or U-Boot
	Version string // empty where nixos-sbc decides and it is not known
	Rev     string // of the repository; empty for a release
	Repo    string // on GitHub; empty for a release
	Day     time.Time
	Said    bool      // the spec says the source
	At      hcl.Range // the line that decides
	Move    string    // the block that takes another source
}

// sbcUBoot is the U-Boot of the nixpkgs that nixos-sbc locks at SBCRevision, of
// 2025-08-19.
var sbcUBoot = UBoot{Version: "2025.07", Date: "2025-07-07"}

const mediatekTFA = "mtk-openwrt/arm-trusted-firmware"

// Built are the sources of a router's kernel and firmware. A kernel of nixpkgs is
// none of them.
func (b *Block) Built(r *router.Router) []Built {
	var out []Built
	p := ProfileOf(r.Board.ID)
	if k := p.Kernel; k != nil && b.Kernel.V == KernelVendor {
		built := Built{Name: "kernel", Version: k.Version, Rev: k.Rev, Day: k.Date.Time(), At: b.kernelAt(), Move: "kernel_source"}
		if k.Rev != "" {
			built.Repo = k.Repo
		}
		if s := b.KernelSource; s != nil {
			built.Version, built.Rev, built.Repo = string(s.Version.V), string(s.Rev.V), b.kernelRepo(p)
			built.Day, built.Said = s.Date.V.Time, true
		}
		out = append(out, built)
	}
	if p.Firmware.ATFAttr != "" {
		built := Built{Name: "TF-A", Repo: mediatekTFA, At: b.tfaAt(r), Said: b.TFASource != nil, Move: "atf_source"}
		atf := b.tfa(r, p)
		if atf == nil {
			atf = p.Firmware.StockATF
		}
		if atf != nil {
			built.Version, built.Rev, built.Day = atf.Version, atf.Rev, atf.Date.Time()
			if atf.Repo != "" {
				built.Repo = atf.Repo
			}
		}
		out = append(out, built)
	}
	u := b.uboot(p)
	if u == nil {
		u = &sbcUBoot
	}
	return append(out, Built{Name: "U-Boot", Version: u.Version, Day: u.Date.Time(), At: b.ubootAt(r), Said: b.UBootSource != nil, Move: "uboot_source"})
}

// KernelName is the kernel that the router runs, for people.
func (b *Block) KernelName(r *router.Router) string {
	name, span := b.kernel(ProfileOf(r.Board.ID), r.Release.V)
	if b.KernelSource != nil {
		return name
	}
	return name + ", Linux " + span.String()
}
