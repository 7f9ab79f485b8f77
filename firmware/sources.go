package firmware

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A KernelSource is a revision of Linux to build in the place of the one that
// nixos-sbc builds for the board.
type KernelSource struct {
	conf.Header
	Version conf.Value[KernelVersion] `hcl:"version,required" doc:"The version as uname -r prints it: 6.12.63-bpi-r4."`
	Rev     conf.Value[Revision]      `hcl:"rev,required" doc:"The commit."`
	Hash    conf.Value[Hash]          `hcl:"hash,required" doc:"The hash of the source as nix-prefetch-github or a failed build prints it."`
	Repo    conf.Value[Repository]    `hcl:"repo,optional" doc:"The repository on GitHub. Without it the board's own: frank-w/BPI-Router-Linux for a BPI-R4."`
	Date    conf.Value[Date]          `hcl:"date,optional" doc:"The day of the commit, YYYY-MM-DD. With it nbr check can tell when the kernel is old."`
}

// A TFASource is a revision of Trusted Firmware-A to build in the place of nixos-sbc's.
type TFASource struct {
	conf.Header
	Version conf.Value[string]     `hcl:"version,required" doc:"The version as the boot log prints it, without the v: 2.13.0."`
	Rev     conf.Value[Revision]   `hcl:"rev,required" doc:"The commit."`
	Hash    conf.Value[Hash]       `hcl:"hash,required" doc:"The hash of the source as nix-prefetch-github or a failed build prints it."`
	Repo    conf.Value[Repository] `hcl:"repo,optional" doc:"The repository on GitHub. Without it mtk-openwrt/arm-trusted-firmware."`
	Date    conf.Value[Date]       `hcl:"date,optional" doc:"The day of the commit, YYYY-MM-DD."`
}

// A UBootSource is a release of U-Boot to build in the place of nixos-sbc's.
type UBootSource struct {
	conf.Header
	Version conf.Value[UBootVersion] `hcl:"version,required" doc:"The release: 2025.07. nixos-sbc's patches do not apply to 2025.10 and newer."`
	Hash    conf.Value[Hash]         `hcl:"hash,required" doc:"The hash of the archive at ftp.denx.de/pub/u-boot."`
	Date    conf.Value[Date]         `hcl:"date,optional" doc:"The day of the release, YYYY-MM-DD."`
}

// word is a text type whose values fit a regular expression.
func word[T ~string](dst *T, b []byte, re *regexp.Regexp, what string) error {
	if !re.Match(b) {
		return fmt.Errorf("%q is no %s", b, what)
	}
	*dst = T(b)
	return nil
}

// KernelVersion is a version of Linux.
type KernelVersion string

var kernelVersionRE = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,4})?(-[A-Za-z0-9.-]+)?$`)

func (v *KernelVersion) UnmarshalText(b []byte) error {
	return word(v, b, kernelVersionRE, "version of Linux such as 6.12.63-bpi-r4")
}

// Describe is what the type is in the schema.
func (KernelVersion) Describe() string { return "Linux version" }

// series is the series that the version is of.
func (v KernelVersion) series() Series {
	part := strings.FieldsFunc(string(v), func(r rune) bool { return r == '.' || r == '-' })
	var s Series
	if len(part) >= 2 {
		_ = s.UnmarshalText([]byte(part[0] + "." + part[1])) // it fits kernelVersionRE
	}
	return s
}

// UBootVersion is a release of U-Boot.
type UBootVersion string

var ubootVersionRE = regexp.MustCompile(`^20[0-9]{2}\.[0-9]{2}(\.[0-9]+)?(-rc[0-9]+)?$`)

func (v *UBootVersion) UnmarshalText(b []byte) error {
	return word(v, b, ubootVersionRE, "release of U-Boot such as 2025.07")
}

// Describe is what the type is in the schema.
func (UBootVersion) Describe() string { return "U-Boot release" }

// Revision is a commit of git: a name that may move is no pin.
type Revision string

var revisionRE = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (r *Revision) UnmarshalText(b []byte) error {
	return word(r, b, revisionRE, "commit: write all 40 hexadecimal digits")
}

// Describe is what the type is in the schema.
func (Revision) Describe() string { return "git commit" }

// Hash is a hash as Nix writes it (SRI).
type Hash string

var hashRE = regexp.MustCompile(`^sha256-[A-Za-z0-9+/]{43}=$`)

func (h *Hash) UnmarshalText(b []byte) error {
	return word(h, b, hashRE, "hash of Nix: sha256- and 44 characters")
}

// Describe is what the type is in the schema.
func (Hash) Describe() string { return "SRI hash" }

// Repository is a repository on GitHub.
type Repository string

var repositoryRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$`)

func (r *Repository) UnmarshalText(b []byte) error {
	return word(r, b, repositoryRE, "repository of GitHub such as frank-w/BPI-Router-Linux")
}

// Describe is what the type is in the schema.
func (Repository) Describe() string { return "GitHub repository" }

// Date is a day.
type Date struct{ time.Time }

func (d *Date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf("%q is no day such as 2026-09-25", b)
	}
	d.Time = t
	return nil
}

func (d Date) String() string { return d.Format(time.DateOnly) }

// Describe is what the type is in the schema.
func (Date) Describe() string { return "date" }

// judgeSources refuses a source that nothing is built from.
func (b *Block) judgeSources(p *Profile) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if s := b.KernelSource; s != nil {
		switch {
		case p.Kernel == nil:
			diags = append(diags, diag.Error("useless-source", s.Def, "No kernel to build",
				"The %s runs a kernel of nixpkgs, which nix flake update moves. Remove the block.", p.Name))
		case b.Kernel.V != KernelVendor:
			diags = append(diags, diag.With(diag.Error("useless-source", s.Def, "No kernel to build",
				"The source is one for the kernel %q, and the router runs %q. Remove the block or the choice.", KernelVendor, b.Kernel.V), b.Kernel.Range, "another kernel is chosen"))
		}
	}
	if b.TFASource != nil && p.Firmware.ATFAttr == "" {
		diags = append(diags, diag.Error("useless-source", b.TFASource.Def, "No Trusted Firmware-A to build",
			"nixos-sbc builds none for the %s. Remove the block.", p.Name))
	}
	return diags
}

// judgeLosses warns of a chosen kernel that is known to lose what the board has.
func (b *Block) judgeLosses(p *Profile, span Span) hcl.Diagnostics {
	at := b.Kernel.Range
	if b.KernelSource != nil {
		at = b.KernelSource.Version.Range
	}
	if p.Kernel == nil || at == (hcl.Range{}) {
		return nil // nothing was chosen
	}
	for _, l := range p.Kernel.Loses {
		if span.First.Compare(l.Last) <= 0 && l.First.Compare(span.Last) <= 0 {
			return hcl.Diagnostics{diag.Warning("kernel-loses-ports", at, "Kernel without some ports",
				"With Linux %s the %s loses %s: %s. Linux %s, which nixos-sbc builds, has them.", Span{l.First, l.Last}, p.Name, l.What, l.Because, p.Kernel.Series)}
		}
	}
	return nil
}

// kernel is the kernel that the block comes to, for people, and the series it may be of.
func (b *Block) kernel(p *Profile, release router.Release) (string, Span) {
	if s := b.KernelSource; s != nil && b.Kernel.V == KernelVendor && p.Kernel != nil {
		series := s.Version.V.series()
		return fmt.Sprintf("Linux %s of %s", s.Version.V, b.kernelRepo(p)), Span{series, series}
	}
	return p.kernel(b.Kernel.V, release)
}

// kernelAt is the line that decides on the kernel.
func (b *Block) kernelAt() hcl.Range {
	switch {
	case b.KernelSource != nil:
		return b.KernelSource.Version.Range
	case b.Kernel.Set:
		return b.Kernel.Range
	}
	return b.Def
}

func (b *Block) kernelRepo(p *Profile) string {
	return cmp.Or(string(b.KernelSource.Repo.V), p.Kernel.Repo)
}

// tfa is the Trusted Firmware-A that is built in the place of nixos-sbc's, or nil.
func (b *Block) tfa(r *router.Router, p *Profile) *ATF {
	if s := b.TFASource; s != nil {
		atf := &ATF{Version: s.Version.V, Rev: string(s.Rev.V), Hash: string(s.Hash.V), Repo: string(s.Repo.V)}
		if s.Date.Set {
			atf.Date = Day(s.Date.V.String())
		}
		return atf
	}
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok && len(mem.Flags) > 0 {
		return p.Firmware.ATF
	}
	return nil
}

// tfaAt is the line that decides on it.
func (b *Block) tfaAt(r *router.Router) hcl.Range {
	if b.TFASource != nil {
		return b.TFASource.Version.Range
	}
	return memoryAt(r)
}

// uboot is the U-Boot that is built in the place of nixos-sbc's, or nil.
func (b *Block) uboot(p *Profile) *UBoot {
	if s := b.UBootSource; s != nil {
		u := &UBoot{Version: string(s.Version.V), Hash: string(s.Hash.V)}
		if s.Date.Set {
			u.Date = Day(s.Date.V.String())
		}
		return u
	}
	return p.Firmware.UBoot
}

// ubootAt is the line that decides on it.
func (b *Block) ubootAt(r *router.Router) hcl.Range {
	if b.UBootSource != nil {
		return b.UBootSource.Version.Range
	}
	return r.BoardID.Range
}

// sources are the places of the blocks that name another source.
func (b *Block) sources() []hcl.Range {
	var out []hcl.Range
	if b.KernelSource != nil {
		out = append(out, b.KernelSource.Def)
	}
	if b.TFASource != nil {
		out = append(out, b.TFASource.Def)
	}
	if b.UBootSource != nil {
		out = append(out, b.UBootSource.Def)
	}
	return out
}

// Of is the firmware block of a spec, which is there even if it is not written.
func Of(s *service.Spec) *Block {
	for _, b := range s.Blocks() {
		if fw, ok := b.(*Block); ok {
			return fw
		}
	}
	panic("firmware: a spec without the implicit firmware block")
}

// github are a repository's owner and name.
func github(repo string) nixgen.Attrs {
	owner, name, _ := strings.Cut(repo, "/")
	return nixgen.Attrs{str("owner", owner), str("repo", name)}
}
