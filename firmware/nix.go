package firmware

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// sbcVersion is the layout of the images that nixos-sbc makes today
// (sbc.version). A router keeps the one it was installed with.
const sbcVersion = "0.3"

// scriptless is the first release of NixOS without the scripted stage 1. 26.05 has
// systemd's by default.
const scriptless = "26.11"

// lower sets the board's modules and options. The static half of the work is
// nbr/firmware.nix and nbr/kernel.nix, which stand beside the routers in a
// generated tree.
func (b *Block) lower(r *router.Router, m *nixgen.Module) {
	p := ProfileOf(r.Board.ID)
	board := service.Origin(r.System.Addr, r.BoardID.Range)
	if p.UEFI != nil {
		b.lowerUEFI(r, m, p)
		return
	}
	m.Imports = append(m.Imports,
		nixgen.Path("../nbr/firmware.nix"),
		nixgen.Path("../nbr/kernel.nix"),
		nixgen.Var("nixos-sbc.nixosModules.default"),
		nixgen.At{From: board, Expr: nixgen.Var("nixos-sbc.nixosModules." + p.SBCModule)},
	)
	m.Set(board, nixgen.Str(p.System), "nixpkgs", "hostPlatform")
	m.Set(board, nixgen.Str(sbcVersion), "sbc", "version")
	m.Set(board, nixgen.Str(p.Firmware.UBootAttr), "nbr", "firmware", "uboot")
	if u := b.uboot(p); u != nil {
		m.Set(decided(b, r, b.UBootSource != nil, b.ubootAt(r)), nixgen.Attrs{str("version", u.Version), str("hash", u.Hash)}, "nbr", "firmware", "ubootSource")
	}
	if len(p.Firmware.Unfree) > 0 {
		m.Set(board, service.Strs(p.Firmware.Unfree), "nbr", "firmware", "unfree")
	}
	if p.StageOneHook != "" {
		if r.Release.V < scriptless {
			m.Set(board, mkDefault(nixgen.Bool(false)), "boot", "initrd", "systemd", "enable")
		} else {
			m.Set(board, mkDefault(nixgen.Bool(false)), strings.Split(p.StageOneHook, ".")...)
		}
	}
	b.lowerWatchdog(m, p)
	b.lowerImage(m, p)
	b.lowerTFA(r, m, p)
	b.lowerKernel(r, m, p)
}

func str(name, v string) nixgen.Attr {
	return nixgen.Bind(nixgen.Str(v), name)
}

func mkDefault(e nixgen.Expr) nixgen.Expr {
	return nixgen.Apply("lib.mkDefault", e)
}

// at is where an attribute is set, or the block when it has its default.
func at[T any](b *Block, v conf.Value[T]) nixgen.Origin {
	if v.Set {
		return service.Origin(b.Addr, v.Range)
	}
	return service.From(b)
}

func (b *Block) lowerImage(m *nixgen.Module, p *Profile) {
	m.Set(at(b, b.RootFilesystem), nixgen.Str(b.filesystem(p)), "sbc", "bootstrap", "rootFilesystem")
	m.Set(at(b, b.BinaryCache), nixgen.Bool(b.BinaryCache.V), "sbc", "binaryCache", "enable")
	if b.ClockBattery.V {
		m.Set(at(b, b.ClockBattery), nixgen.Bool(true), "sbc", "board", "rtc", "devices", p.Clock, "enable")
	}
	if p.WiFi == nil {
		return
	}
	// A radio that is on without this is an assertion of nixos-sbc.
	if b.Regulatory.V {
		m.Set(at(b, b.Regulatory), nixgen.Bool(true), "sbc", "wireless", "wifi", "acceptRegulatoryResponsibility")
	} else {
		m.Set(at(b, b.Regulatory), nixgen.Bool(false), "sbc", "board", "wifi", "devices", p.WiFi.Device, "enable")
	}
}

// decided is the origin of firmware that a source block, or else the board, decides on.
func decided(b *Block, r *router.Router, source bool, at hcl.Range) nixgen.Origin {
	if source {
		return service.Origin(b.Addr, at)
	}
	return service.Origin(r.System.Addr, at)
}

// lowerTFA builds Trusted Firmware-A with the flags of the memory, or of another
// source. A board that needs neither keeps nixos-sbc's build.
func (b *Block) lowerTFA(r *router.Router, m *nixgen.Module, p *Profile) {
	atf := b.tfa(r, p)
	if atf == nil {
		return
	}
	v := nixgen.Attrs{str("package", p.Firmware.ATFAttr)}
	if atf.Repo != "" {
		v = append(v, github(atf.Repo)...)
	}
	v = append(v, str("version", atf.Version), str("rev", atf.Rev), str("hash", atf.Hash))
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok && len(mem.Flags) > 0 {
		v = append(v, nixgen.Bind(service.Strs(mem.Flags), "makeFlags"))
	}
	m.Set(decided(b, r, b.TFASource != nil, b.TFASource.at(memoryAt(r))), v, "nbr", "firmware", "armTrustedFirmware")
}

func (b *Block) lowerKernel(r *router.Router, m *nixgen.Module, p *Profile) {
	from := at(b, b.Kernel)
	switch {
	case b.Kernel.V == KernelLatest || b.Kernel.V == KernelVendor && p.NixpkgsKernel == "latest":
		m.Set(from, nixgen.Apply("lib.mkForce", nixgen.Var("pkgs.linuxPackages_latest")), "boot", "kernelPackages")
	case b.Kernel.V == KernelStandard:
		m.Set(from, nixgen.Apply("lib.mkForce", nixgen.Var("pkgs.linuxPackages")), "boot", "kernelPackages")
	case p.Kernel != nil && p.Kernel.Vendor:
		m.Set(from, nixgen.Bool(true), "sbc", "suppressVendorKernelWarning")
	}
	if p.RemovedKernel != "" {
		m.Add(service.Origin(r.System.Addr, r.BoardID.Range), []string{"nixpkgs", "overlays"}, nixgen.Fn{Arg: "final", Body: nixgen.Fn{
			Arg:  "_prev",
			Body: nixgen.Attrs{nixgen.Bind(nixgen.Var("final.linuxPackages_latest"), p.RemovedKernel)},
		}})
	}
	if b.Kernel.V == KernelVendor && p.Kernel != nil && p.Kernel.Nixpkgs != "" {
		m.Set(from, nixgen.Str(p.Kernel.Nixpkgs), "nbr", "kernel", "nixpkgs")
	}
	if s := b.KernelSource; s != nil && p.Kernel != nil {
		v := append(nixgen.Attrs{str("package", p.Kernel.Package)}, github(b.kernelRepo(p))...)
		v = append(v, str("version", string(s.Version.V)), str("rev", string(s.Rev.V)), str("hash", string(s.Hash.V)))
		m.Set(service.Origin(b.Addr, s.Def), v, "nbr", "kernel", "source")
	}
	if set := b.assignments(r, p); len(set) > 0 {
		m.Set(service.From(b), nixgen.List{nixgen.Attrs{
			nixgen.Bind(nixgen.Str("nbr"), "name"),
			nixgen.Bind(nixgen.Null{}, "patch"),
			nixgen.Bind(nixgen.With{Scope: nixgen.Var("lib.kernel"), Body: structured(set)}, "structuredExtraConfig"),
		}}, "boot", "kernelPatches")
	}
	for _, k := range r.KernelSymbols() {
		m.Set(service.By(k.By), nixgen.Str(reason(k)), "nbr", "kernel", "required", k.Symbol)
	}
}

// structured are the options as nixpkgs merges them. mkDefault gives way to what
// nixpkgs and nixos-sbc set themselves: two plain definitions that differ, such
// as module and yes, would stop the evaluation, and either is what we need. Where
// theirs is no, nbr.kernel.required stops the build.
func structured(set []Assignment) nixgen.Attrs {
	var out nixgen.Attrs
	for _, a := range set {
		out = append(out, nixgen.Bind(nixgen.At{
			From: service.By(a.Claim.By),
			Expr: mkDefault(nixgen.Var(a.Answer)),
		}, a.Symbol))
	}
	return out
}

// reason says for the log of a failed build who needs an option.
func reason(k *router.Kernel) string {
	return fmt.Sprintf("%s (%s, %s:%d)", k.Why, k.Addr, k.From.Filename, k.From.Start.Line)
}
