package firmware

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// Kind is the firmware block. It judges what all other blocks claimed of the kernel.
func Kind() service.Kind {
	return service.Kind{
		Type:     "firmware",
		Doc:      "The kernel, the root file system and what the board starts with.",
		Software: "TF-A, U-Boot, Linux",
		Example: `firmware {
  kernel_options = ["NET_SCH_CAKE"]
  card           = "32GiB"
}
`,
		Single:   true,
		Implicit: true,
		Program:  service.Alone("hardware", (*Block).lower),
		Probes:   []probe.Any{rootOf, clockOf, probe.Settings},
		New:      func() service.Block { return &Block{} },
	}
}

// Block is the firmware block.
type Block struct {
	conf.Header
	Kernel         conf.Value[KernelChoice] `hcl:"kernel,optional" default:"vendor" doc:"vendor, the kernel that nixos-sbc has for the board (frank-w's 6.12 on a BPI-R4), nixpkgs, the standard one of the release, or nixpkgs-latest, its newest."`
	KernelOptions  conf.List[Symbol]        `hcl:"kernel_options,optional" doc:"More options that the kernel must have, as in [\"NET_SCH_CAKE\"]. What the blocks of the spec need is there by itself."`
	RootFilesystem conf.Value[Filesystem]   `hcl:"root_filesystem,optional" doc:"The root file system of the image: btrfs-subvol on boards of nixos-sbc, ext4 on a PC, unless it is said. It cannot be changed on a card or disk that is in use."`
	Card           conf.Value[router.Size]  `hcl:"card,optional" default:"8GiB" doc:"The size of the card, eMMC or disk. On a card the kernels of all generations may take a quarter of it, and nbr check warns before they do."`
	BinaryCache    conf.Value[bool]         `hcl:"binary_cache,optional" default:"false" doc:"Let the router's Nix fetch builds, signed with nixos-sbc's key, from nixos-sbc.cachix.org. It has firmware and kernels as nixos-sbc itself builds them."`
	ClockBattery   conf.Value[bool]         `hcl:"clock_battery,optional" default:"false" doc:"The board's clock has a battery: use it. Without one it tells a wrong time at boot."`
	KernelSource   *Source[KernelVersion]   `hcl:"kernel_source,block" doc:"Another revision of the vendor's kernel than the one that nixos-sbc builds."`
	TFASource      *Source[TFAVersion]      `hcl:"atf_source,block" doc:"Another revision of Trusted Firmware-A. nixos-rebuild does not write it: nbr flash -firmware-only does."`
	UBootSource    *UBootSource             `hcl:"uboot_source,block" doc:"Another release of U-Boot. nixos-rebuild does not write it: nbr flash -firmware-only does."`
	Watchdog       conf.Value[bool]         `hcl:"watchdog,optional" default:"true" doc:"Let systemd feed the watchdog in the board's chip, which resets a router that hangs. Boards that nbr knows no watchdog of have none to feed."`
	Regulatory     conf.Value[bool]         `hcl:"accept_regulatory_responsibility,optional" default:"false" doc:"Switch on the radio of the board. You answer for it keeping the rules of where you are."`
}

// KernelChoice is which kernel the router runs.
type KernelChoice string

// The kernels to choose from.
const (
	KernelVendor   KernelChoice = "vendor"
	KernelStandard KernelChoice = "nixpkgs"
	KernelLatest   KernelChoice = "nixpkgs-latest"
)

func (k *KernelChoice) UnmarshalText(b []byte) error {
	return conf.OneOf(k, b, "kernel that nbr builds", KernelVendor, KernelStandard, KernelLatest)
}

// Describe is what the type is in the schema.
func (KernelChoice) Describe() string { return "vendor, nixpkgs or nixpkgs-latest" }

// Filesystem is a root file system that nixos-sbc can make an image of
// (modules/sbc/bootstrap/default.nix).
type Filesystem string

func (f *Filesystem) UnmarshalText(b []byte) error {
	return conf.OneOf(f, b, "root file system of nixos-sbc", "btrfs-subvol", "btrfs", "ext4")
}

// Describe is what the type is in the schema.
func (Filesystem) Describe() string { return "btrfs-subvol, btrfs or ext4" }

// Symbol is the name of a kernel option, without CONFIG_.
type Symbol string

var symbolRE = regexp.MustCompile(`^[A-Z0-9][A-Z0-9_]*$`)

func (s *Symbol) UnmarshalText(b []byte) error {
	name := strings.TrimPrefix(string(b), "CONFIG_")
	if !symbolRE.MatchString(name) {
		return diag.Advise(fmt.Errorf("%q is no kernel option", b), "write one such as NET_SCH_CAKE")
	}
	*s = Symbol(name)
	return nil
}

// Describe is what the type is in the schema.
func (Symbol) Describe() string { return "kernel option" }

// Claim claims what the board itself needs of the kernel, and what the spec asks for.
func (b *Block) Claim(s *router.Scope) {
	if slices.ContainsFunc(s.Board.Ports, func(p *router.BoardPort) bool { return p.Kind == router.PortDSA }) {
		s.Kernel(s.BoardID.Range, "the switch of the "+s.Board.Name, "NET_DSA")
	}
	for _, o := range b.KernelOptions.Items {
		s.Kernel(o.Range, "this spec", string(o.V))
	}
	if p := ProfileOf(s.Board.ID); p != nil && p.UEFI != nil && !b.ClockBattery.Set { // false is a battery that is empty
		router.Claim(s, s.BoardID.Range, router.Battery{})
	}
	if b.ClockBattery.V {
		router.Claim(s, b.ClockBattery.Range, router.Battery{})
	}
}

// Judge judges all claims on the kernel, and what the board does not have.
func (b *Block) Judge(r *router.Router) hcl.Diagnostics {
	p := ProfileOf(r.Board.ID)
	if p == nil {
		return hcl.Diagnostics{diag.Help(diag.Error("no-firmware", r.BoardID.Range, "No firmware for this board",
			"nbr has no kernel and no firmware for %s.", r.Board.ID),
			"Choose a board that nbr boards lists.")}
	}
	var diags hcl.Diagnostics
	for _, o := range b.KernelOptions.Items {
		if opt := Options()[string(o.V)]; opt != nil && opt.Needless != "" {
			diags = append(diags, diag.Help(diag.Warning("needless-kernel-option", o.Range, "Needless kernel option",
				"%s need not be asked for: %s.", o.V, opt.Needless),
				"Remove it."))
		}
	}
	kernel, span := b.kernel(p, r.Release.V)
	for _, k := range r.KernelSymbols() {
		diags = append(diags, judge(k, kernel, span)...)
	}
	diags = append(diags, b.bootBudget(r, p)...)
	diags = append(diags, b.judgeFilesystem(r, p)...)
	diags = append(diags, b.judgeSources(p)...)
	return append(diags, b.judgeBoard(p, span)...)
}

// generation is the room that one generation takes in /boot: an arm64 kernel is not
// compressed, some 40 MiB, an initrd of NixOS is of the same size, and device trees.
const generation = 96 << 20

// bootBudget warns of boot menus that fill the card. /boot is on the root file system
// of every image here, and a full one is found out by the switch that fails half way.
func (b *Block) bootBudget(r *router.Router, p *Profile) hcl.Diagnostics {
	boots := router.Claimed[router.Boot](r)
	if len(boots) == 0 {
		return nil
	}
	boot := boots[0]
	if u := p.UEFI; u != nil {
		if most := int(u.ESP / u.Generation); boot.Generations > most {
			return hcl.Diagnostics{diag.Help(diag.Warning("boot-budget", boot.From, "Kernels that fill the EFI partition",
				"%d generations take up to %d MiB of its %d MiB.", boot.Generations, uint64(boot.Generations)*uint64(u.Generation)>>20, u.ESP>>20),
				"Keep at most %d.", most)}
		}
		return nil
	}
	need := uint64(boot.Generations) * generation
	if need <= uint64(b.Card.V)/4 {
		return nil
	}
	d := diag.Help(diag.Warning("boot-budget", boot.From, "Kernels that fill the card",
		"%d generations take up to %d MiB in /boot, more than a quarter of a card of %s.", boot.Generations, need>>20, b.Card.V),
		"Keep at most %d, or say in the firmware block how large the card is, as in card = \"64GiB\".", max(uint64(b.Card.V)/4/generation, 1))
	if b.Card.Set {
		d = diag.With(d, b.Card.Range, "%s", b.Addr.String())
	}
	return hcl.Diagnostics{d}
}

// judge says whether a kernel of the span has the claimed option.
func judge(k *router.Kernel, kernel string, span Span) hcl.Diagnostics {
	o := Options()[k.Symbol]
	switch {
	case o == nil:
		hint := diag.Suggest(k.Symbol, slices.Collect(maps.Keys(Options())))
		return hcl.Diagnostics{diag.Help(diag.Error("no-such-kernel-option", k.From, "No such kernel option",
			"nbr knows no kernel option %s, which %s needs.", k.Symbol, k.Why),
			"%s For one that nbr does not know, import a NixOS module that sets boot.kernelPatches.", hint)}
	case o.Absent != "":
		return hcl.Diagnostics{diag.Help(diag.Error("no-such-kernel-option", k.From, "No such kernel option",
			"%s does not exist on arm64: %s.", k.Symbol, o.Absent),
			"Remove it.")}
	case !o.spans(span):
		return hcl.Diagnostics{diag.Help(diag.Error("no-such-kernel-option", k.From, "No such kernel option",
			"%s needs %s, and %s (Linux %s) does not have it: %s.", k.Why, k.Symbol, kernel, span, o.lifetime()),
			"Take another kernel in the firmware block, or remove what needs it.")}
	}
	return nil
}

// judgeBoard judges what is asked of parts that the board may not have.
func (b *Block) judgeBoard(p *Profile, span Span) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if b.Regulatory.V && p.WiFi == nil {
		diags = append(diags, diag.Help(diag.Error("no-radio", b.Regulatory.Range, "No radio",
			"nbr has no radio on the %s to switch on.", p.Name),
			"Remove the line."))
	}
	if b.BinaryCache.V && p.UEFI != nil {
		diags = append(diags, diag.Help(diag.Error("no-binary-cache", b.BinaryCache.Range, "Nothing in that cache",
			"nixos-sbc builds neither firmware nor kernel for a %s: all of it is in NixOS's own cache.", p.Name),
			"Remove the line."))
	}
	if b.ClockBattery.V && p.Clock == "" && p.UEFI == nil {
		diags = append(diags, diag.Help(diag.Error("no-clock", b.ClockBattery.Range, "No clock",
			"nbr knows no clock on the %s.", p.Name),
			"Remove the line, or write false."))
	}
	if b.Watchdog.Set && b.Watchdog.V && p.Watchdog == nil {
		diags = append(diags, diag.Help(diag.Error("no-watchdog", b.Watchdog.Range, "No watchdog",
			"nbr knows no watchdog on the %s.", p.Name),
			"Remove the line, or write false."))
	}
	if b.Kernel.V != KernelVendor && p.Kernel != nil && p.Kernel.Vendor {
		known := ""
		for _, l := range p.Kernel.Loses {
			known = fmt.Sprintf(" Linux %s loses %s; whether a later one has them is not known.", Span{l.First, l.Last}, l.What)
		}
		diags = append(diags, diag.Help(diag.Warning("kernel-untried", b.Kernel.Range, "Untried kernel",
			"nixos-sbc runs the %s on %s's kernel only.%s", p.Name, p.Kernel.Name, known),
			"Keep a card with kernel = %q at hand.", KernelVendor))
	}
	if lost := b.judgeLosses(p, span); len(lost) > 0 {
		diags = append(slices.DeleteFunc(diags, func(d *hcl.Diagnostic) bool { return diag.Code(d) == "kernel-untried" }), lost...)
	}
	return diags
}

// filesystem is the root file system: what the spec says, or what the image has by itself.
func (b *Block) filesystem(p *Profile) Filesystem {
	switch {
	case b.RootFilesystem.Set:
		return b.RootFilesystem.V
	case p.UEFI != nil:
		return ext4
	}
	return "btrfs-subvol"
}

const ext4 Filesystem = "ext4"

// judgeFilesystem refuses a root file system that no image of a PC has. One that was installed
// otherwise has a module of its own that says what is mounted.
func (b *Block) judgeFilesystem(r *router.Router, p *Profile) hcl.Diagnostics {
	if p.UEFI == nil || b.filesystem(p) == ext4 || len(r.Import.Items) > 0 {
		return nil
	}
	return hcl.Diagnostics{diag.Help(diag.Error("no-such-filesystem", b.RootFilesystem.Range, "No image with this file system",
		"The image of a %s has ext4.", p.Name),
		"Remove the line. For a router that was installed with another one, import its hardware-configuration.nix in the router block.")}
}

// kernel is the kernel that a choice comes to, for people, and the series it
// may be of.
func (p *Profile) kernel(choice KernelChoice, release router.Release) (string, Span) {
	n := nixpkgsKernels[string(release)]
	switch {
	case choice == KernelLatest || choice == KernelVendor && p.NixpkgsKernel == "latest":
		return fmt.Sprintf("the newest kernel of NixOS %s", release), n.latest
	case choice == KernelStandard || p.Kernel == nil:
		return fmt.Sprintf("the kernel of NixOS %s", release), n.standard
	default:
		return p.Kernel.Name + "'s kernel", Span{p.Kernel.Series, p.Kernel.Series}
	}
}

// KernelText is the kernel that the board runs unless the spec says another, for
// people. Where it is one of nixpkgs it depends on the release.
func (p *Profile) KernelText() string {
	if p.Kernel != nil {
		name, span := p.kernel(KernelVendor, "")
		return fmt.Sprintf("%s, Linux %s", name, span)
	}
	text := "the kernel of the NixOS release"
	if p.NixpkgsKernel == "latest" {
		text = "the newest kernel of the NixOS release"
	}
	var each []string
	for _, release := range router.Releases {
		_, span := p.kernel(KernelVendor, router.Release(release))
		each = append(each, fmt.Sprintf("Linux %s in %s", span, release))
	}
	return text + ": " + strings.Join(each, ", ")
}

// assignments are the kernel options that have to be set.
func (b *Block) assignments(r *router.Router, p *Profile) []Assignment {
	var has []string
	switch {
	case p.UEFI != nil:
		has = p.UEFI.has()
	case b.Kernel.V == KernelVendor && p.Kernel != nil:
		has = p.Kernel.Has
	}
	return KernelConfig(r.KernelSymbols(), has)
}

// has are all options that the kernels of nixpkgs have.
func (u *UEFI) has() []string {
	out := slices.Clone(u.Has)
	for symbol, o := range Options() {
		if o.Kind == "tristate" {
			out = append(out, symbol)
		}
	}
	return out
}

// memoryAt is the line that says how much memory there is.
func memoryAt(r *router.Router) hcl.Range {
	if r.Memory.Set {
		return r.Memory.Range
	}
	return r.BoardID.Range
}
