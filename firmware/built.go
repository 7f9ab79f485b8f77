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
	By      string    // who chose it: nixos-sbc, nbr or the spec
	At      hcl.Range // the line that decides
	Move    string    // the block that takes another source
}

// sbcUBoot is the U-Boot of the nixpkgs that nixos-sbc locks at SBCRevision, of
// 2025-08-19.
var sbcUBoot = UBoot{Version: "2025.07", Date: "2025-07-07"}

// Who chose a source.
const (
	bySBC  = "nixos-sbc"
	byNbr  = "nbr"
	bySpec = "the spec"
)

// by is who chose a source that is not nixos-sbc's own.
func by(spec bool) string {
	if spec {
		return bySpec
	}
	return byNbr
}

const mediatekTFA = "mtk-openwrt/arm-trusted-firmware"

// Built are the sources of a router's kernel and firmware. A kernel of nixpkgs is
// none of them.
func (b *Block) Built(r *router.Router) []Built {
	var out []Built
	p := ProfileOf(r.Board.ID)
	if k := p.Kernel; k != nil && b.Kernel.V == KernelVendor {
		built := Built{Name: "kernel", Version: k.Version, Rev: k.Rev, Day: k.Date.Time(), By: bySBC, At: b.kernelAt(), Move: "kernel_source"}
		if k.Rev != "" {
			built.Repo = k.Repo
		}
		if s := b.KernelSource; s != nil {
			built.Version, built.Rev, built.Repo = string(s.Version.V), string(s.Rev.V), b.kernelRepo(p)
			built.Day, built.By = s.Date.V.Time(), bySpec
		}
		out = append(out, built)
	}
	if p.Firmware.ATFAttr != "" {
		built := Built{Name: "TF-A", Repo: mediatekTFA, By: by(b.TFASource != nil), At: b.TFASource.at(memoryAt(r)), Move: "atf_source"}
		atf := b.tfa(r, p)
		if atf == nil {
			atf, built.By = p.Firmware.StockATF, bySBC
		}
		if atf != nil {
			built.Version, built.Rev, built.Day = atf.Version, atf.Rev, atf.Date.Time()
			if atf.Repo != "" {
				built.Repo = atf.Repo
			}
		}
		out = append(out, built)
	}
	if p.UEFI != nil {
		return out
	}
	u, who := b.uboot(p), by(b.UBootSource != nil)
	if u == nil {
		u, who = &sbcUBoot, bySBC
	}
	return append(out, Built{Name: "U-Boot", Version: u.Version, Day: u.Date.Time(), By: who, At: b.ubootAt(r), Move: "uboot_source"})
}

// KernelName is the kernel that the router runs, for people.
func (b *Block) KernelName(r *router.Router) string {
	name, span := b.kernel(ProfileOf(r.Board.ID), r.Release.V)
	if b.KernelSource != nil {
		return name
	}
	return name + ", Linux " + span.String()
}
