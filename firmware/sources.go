package firmware

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A Source is a revision of the kernel or of Trusted Firmware-A to build in the place of
// the one that nixos-sbc builds for the board.
type Source[V ~string] struct {
	conf.Header
	Version conf.Value[V]          `hcl:"version,required" doc:"The version: of Linux as uname -r prints it, 6.12.63-bpi-r4; of Trusted Firmware-A as the boot log does, without the v, 2.13.0."`
	Rev     conf.Value[Revision]   `hcl:"rev,required" doc:"The commit."`
	Hash    conf.Value[Hash]       `hcl:"hash,required" doc:"The hash of the source as nix-prefetch-github or a failed build prints it."`
	Repo    conf.Value[Repository] `hcl:"repo,optional" doc:"The repository on GitHub. Without it the one that the board's is built from: frank-w/BPI-Router-Linux for a BPI-R4, mtk-openwrt/arm-trusted-firmware."`
	Date    conf.Value[Day]        `hcl:"date,optional" doc:"The day of the commit, YYYY-MM-DD. With it nbr check can tell when a kernel is old."`
}

// at is the line of the version, or another place when there is no block.
func (s *Source[V]) at(otherwise hcl.Range) hcl.Range {
	if s == nil {
		return otherwise
	}
	return s.Version.Range
}

// A UBootSource is a release of U-Boot to build in the place of nixos-sbc's.
type UBootSource struct {
	conf.Header
	Version conf.Value[UBootVersion] `hcl:"version,required" doc:"The release: 2025.07. nixos-sbc's patches do not apply to 2025.10 and newer."`
	Hash    conf.Value[Hash]         `hcl:"hash,required" doc:"The hash of the archive at ftp.denx.de/pub/u-boot."`
	Date    conf.Value[Day]          `hcl:"date,optional" doc:"The day of the release, YYYY-MM-DD."`
}

// word is a text type whose values fit a regular expression.
func word[T ~string](dst *T, b []byte, re *regexp.Regexp, what, help string) error {
	if !re.Match(b) {
		return diag.Advise(fmt.Errorf("%q is no %s", b, what), "%s", help)
	}
	*dst = T(b)
	return nil
}

// KernelVersion is a version of Linux.
type KernelVersion string

// A release is at most 64 bytes (__NEW_UTS_LEN in include/uapi/linux/utsname.h), and a part of
// the name of what Nix builds.
var kernelVersionRE = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,3}(\.[0-9]{1,4})?(-[A-Za-z0-9.-]{1,48})?$`)

func (v *KernelVersion) UnmarshalText(b []byte) error {
	return word(v, b, kernelVersionRE, "version of Linux", "write one such as 6.12.63-bpi-r4")
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

// TFAVersion is a version of Trusted Firmware-A, a part of the name of what Nix builds.
type TFAVersion string

var tfaVersionRE = regexp.MustCompile(`^[0-9]{1,2}\.[0-9]{1,3}(\.[0-9]{1,3})?(-[A-Za-z0-9.-]{1,48})?$`)

func (v *TFAVersion) UnmarshalText(b []byte) error {
	return word(v, b, tfaVersionRE, "version of Trusted Firmware-A", "write one such as 2.13.0, without the v")
}

// Describe is what the type is in the schema.
func (TFAVersion) Describe() string { return "version of Trusted Firmware-A" }

// UBootVersion is a release of U-Boot.
type UBootVersion string

var ubootVersionRE = regexp.MustCompile(`^20[0-9]{2}\.[0-9]{2}(\.[0-9]{1,3})?(-rc[0-9]{1,2})?$`)

func (v *UBootVersion) UnmarshalText(b []byte) error {
	return word(v, b, ubootVersionRE, "release of U-Boot", "write one such as 2025.07")
}

// Describe is what the type is in the schema.
func (UBootVersion) Describe() string { return "U-Boot release" }

// Revision is a commit of git: a name that may move is no pin.
type Revision string

var revisionRE = regexp.MustCompile(`^[0-9a-f]{40}$`)

func (r *Revision) UnmarshalText(b []byte) error {
	return word(r, b, revisionRE, "commit", "write all 40 hexadecimal digits")
}

// Describe is what the type is in the schema.
func (Revision) Describe() string { return "git commit" }

// Hash is a hash as Nix writes it (SRI).
type Hash string

var hashRE = regexp.MustCompile(`^sha256-[A-Za-z0-9+/]{43}=$`)

func (h *Hash) UnmarshalText(b []byte) error {
	return word(h, b, hashRE, "hash of Nix", "write sha256- and 44 characters: nix flake prefetch tells it")
}

// Describe is what the type is in the schema.
func (Hash) Describe() string { return "SRI hash" }

// Repository is a repository on GitHub.
type Repository string

// GitHub's names have at most 39 and 100 characters.
var repositoryRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$`)

func (r *Repository) UnmarshalText(b []byte) error {
	return word(r, b, repositoryRE, "repository of GitHub", "write owner/name, as in frank-w/BPI-Router-Linux")
}

// Describe is what the type is in the schema.
func (Repository) Describe() string { return "GitHub repository" }

// judgeSources refuses a source that nothing is built from.
func (b *Block) judgeSources(p *Profile) hcl.Diagnostics {
	var diags hcl.Diagnostics
	if s := b.KernelSource; s != nil {
		switch {
		case p.Kernel == nil:
			diags = append(diags, diag.Help(diag.Error("useless-source", s.Def, "No kernel to build",
				"The %s runs a kernel of nixpkgs, which nix flake update moves.", p.Name),
				"Remove the block."))
		case b.Kernel.V != KernelVendor:
			diags = append(diags, diag.With(diag.Help(diag.Error("useless-source", s.Def, "No kernel to build",
				"The source is one for the kernel %q, and the router runs %q.", KernelVendor, b.Kernel.V),
				"Remove the block or the choice."), b.Kernel.Range, "another kernel is chosen"))
		}
	}
	if b.UBootSource != nil && p.UEFI != nil {
		diags = append(diags, diag.Help(diag.Error("useless-source", b.UBootSource.Def, "No U-Boot to build",
			"A %s has firmware of its own.", p.Name),
			"Remove the block."))
	}
	if b.TFASource != nil && p.Firmware.ATFAttr == "" {
		diags = append(diags, diag.Help(diag.Error("useless-source", b.TFASource.Def, "No Trusted Firmware-A to build",
			"nixos-sbc builds none for the %s.", p.Name),
			"Remove the block."))
	}
	return diags
}

// judgeLosses warns of a chosen kernel that is known to lose what the board has.
func (b *Block) judgeLosses(p *Profile, span Span) hcl.Diagnostics {
	at := b.KernelSource.at(b.Kernel.Range)
	if p.Kernel == nil || at == (hcl.Range{}) {
		return nil // nothing was chosen
	}
	for _, l := range p.Kernel.Loses {
		if span.First.Compare(l.Last) <= 0 && l.First.Compare(span.Last) <= 0 {
			return hcl.Diagnostics{diag.Help(diag.Warning("kernel-loses-ports", at, "Kernel without some ports",
				"With Linux %s the %s loses %s: %s. Linux %s, which nixos-sbc builds, has them.", Span{l.First, l.Last}, p.Name, l.What, l.Because, p.Kernel.Series),
				"Write kernel = \"vendor\" if these ports are used, or remove the line.")}
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
	if b.Kernel.Set {
		return b.KernelSource.at(b.Kernel.Range)
	}
	return b.KernelSource.at(b.Def)
}

func (b *Block) kernelRepo(p *Profile) string {
	return cmp.Or(string(b.KernelSource.Repo.V), p.Kernel.Repo)
}

// tfa is the Trusted Firmware-A that is built in the place of nixos-sbc's, or nil.
func (b *Block) tfa(r *router.Router, p *Profile) *ATF {
	if s := b.TFASource; s != nil {
		return &ATF{Version: string(s.Version.V), Rev: string(s.Rev.V), Hash: string(s.Hash.V), Repo: string(s.Repo.V), Date: s.Date.V}
	}
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok && len(mem.Flags) > 0 {
		return p.Firmware.ATF
	}
	return nil
}

// uboot is the U-Boot that is built in the place of nixos-sbc's, or nil.
func (b *Block) uboot(p *Profile) *UBoot {
	if s := b.UBootSource; s != nil {
		return &UBoot{Version: string(s.Version.V), Hash: string(s.Hash.V), Date: s.Date.V}
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

// source is the place of a block that names another source, the zero one without any.
func (b *Block) source() hcl.Range {
	switch {
	case b.KernelSource != nil:
		return b.KernelSource.Def
	case b.TFASource != nil:
		return b.TFASource.Def
	case b.UBootSource != nil:
		return b.UBootSource.Def
	}
	return hcl.Range{}
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
