package firmware

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// SBCRevision is the revision of github:nakato/nixos-sbc that nbr knows: its
// boards are described after it, and patches apply to it.
const SBCRevision = "c02755d8ba2e80c06c70d0621fd6d5e18c1ac371"

// A PatchFile is a patch in the form of git format-patch.
type PatchFile struct {
	Name string
	Body []byte
}

// patchedBoard and patchedFile are the board and the file of nixos-sbc that
// patches change.
const (
	patchedBoard = "bananapi-bpir4"
	patchedFile  = "pkgs/bananaPiR4/default.nix"
)

// Patches are what the spec needs changed in nixos-sbc, as a series for git am:
// the firmware for the memory, and the options that its kernel lacks. There may
// be none, which is a warning. The block is the spec's firmware block.
func Patches(r *router.Router, b *Block) ([]PatchFile, hcl.Diagnostics) {
	p := ProfileOf(r.Board.ID)
	if p == nil || p.ID != patchedBoard {
		return nil, hcl.Diagnostics{diag.Help(diag.Error("no-patch", r.BoardID.Range, "No patch for this board",
			"nbr patch knows what to change for %s only.", patchedBoard),
			"Use nbr gen: the flake that it writes needs no patch.")}
	}
	if at := b.source(); at != (hcl.Range{}) {
		return nil, hcl.Diagnostics{diag.Help(diag.Error("no-patch", at, "No patch for another source",
			"nbr patch keeps the sources that nixos-sbc has."),
			"Use nbr gen: the flake that it writes builds this one.")}
	}
	var parts []part
	if mem, ok := r.Board.MemoryOf(r.Memory.V); ok && len(mem.Flags) > 0 {
		parts = append(parts, memoryPatch(p.Firmware.ATF, mem))
	}
	claims := r.KernelSymbols()
	kernel, span := p.kernel(KernelVendor, r.Release.V)
	var diags hcl.Diagnostics
	for _, k := range claims {
		diags = append(diags, judge(k, kernel, span)...)
	}
	if diags.HasErrors() {
		return nil, diags
	}
	if set := KernelConfig(claims, p.Kernel.Has); len(set) > 0 {
		parts = append(parts, kernelPatch(set))
	}
	if len(parts) == 0 {
		return nil, hcl.Diagnostics{diag.Help(diag.Warning("nothing-to-patch", r.BoardID.Range, "Nothing to patch",
			"nixos-sbc %.12s has all that this spec needs of firmware and kernel.", SBCRevision),
			"Take nixos-sbc as it is.")}
	}
	var files []PatchFile
	for i, part := range parts {
		files = append(files, part.file(i+1, len(parts)))
	}
	return files, nil
}

// A part is one patch of the series.
type part struct {
	subject, text string
	hunks         []hunk
}

// A hunk is lines of patchedFile at SBCRevision from the number first on, each
// after a blank if it stays, - if it goes and + if it is new. One line that
// stays at each end is what git needs to find the place.
type hunk struct {
	first int
	lines []string
}

// memoryPatch sets the make flags of a size of memory, on the revision of
// Trusted Firmware-A that they are known to work with.
func memoryPatch(atf *ATF, mem router.Memory) part {
	var flags strings.Builder
	for _, f := range mem.Flags {
		fmt.Fprintf(&flags, "%q ", f)
	}
	return part{
		subject: fmt.Sprintf("%s of memory", mem.Size),
		text: fmt.Sprintf(`A BL2 built without %s finds half of the memory.
The flag is for boards of this size only.`, strings.Join(mem.Flags, " ")),
		hunks: []hunk{
			{54, []string{
				`     (buildArmTrustedFirmware rec {`,
				`-      extraMakeFlags = ["USE_MKIMAGE=1" "DRAM_USE_COMB=1" "BOOT_DEVICE=sdmmc" "bl2" "bl31"];`,
				`+      extraMakeFlags = ["USE_MKIMAGE=1" "DRAM_USE_COMB=1" ` + flags.String() + `"BOOT_DEVICE=sdmmc" "bl2" "bl31"];`,
				`       platform = "mt7988";`,
			}},
			{63, []string{
				`         repo = "arm-trusted-firmware";`,
				`-        # mtksoc HEAD 2025-03-12`,
				`-        rev = "e090770684e775711a624e68e0b28112227a4c38";`,
				`-        hash = "sha256-VI5OB2nWdXUjkSuUXl/0yQN+/aJp9Jkt+hy7DlL+PMg=";`,
				`+        # mtksoc HEAD ` + string(atf.Date),
				`+        rev = "` + atf.Rev + `";`,
				`+        hash = "` + atf.Hash + `";`,
				`       };`,
				`-      version = "2.12.0-mtk";`,
				`+      version = "` + atf.Version + `";`,
				`       nativeBuildInputs = oldAttrs.nativeBuildInputs ++ [dtc ubootTools which python3];`,
			}},
		},
	}
}

// kernelPatch sets options of the kernel, each with who needs it.
func kernelPatch(set []Assignment) part {
	lines := []string{`       NFT_XFRM = module;`, `+`}
	for _, a := range set {
		lines = append(lines, fmt.Sprintf(`+      %s = %s; # %s`, a.Symbol, a.Answer, a.Claim.Why))
	}
	return part{
		subject: "kernel options",
		text:    "What the router needs of the kernel and nixos-sbc does not set.",
		hunks:   []hunk{{247, append(lines, `     };`)}},
	}
}

// file is the patch as git format-patch --zero-commit --base writes it. Its date
// is that of SBCRevision: the same spec gives the same bytes.
func (p part) file(n, of int) PatchFile {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From %040d Mon Sep 17 00:00:00 2001\n", 0)
	fmt.Fprintf(&b, "From: nbr <nbr@localhost>\nDate: Wed, 31 Dec 2025 00:00:00 +0000\n")
	fmt.Fprintf(&b, "Subject: [PATCH %d/%d] bananaPiR4: %s\n\n", n, of, p.subject)
	fmt.Fprintf(&b, "%s\n\nFor nixos-sbc %s.\n---\n", p.text, SBCRevision)
	fmt.Fprintf(&b, "diff --git a/%[1]s b/%[1]s\n--- a/%[1]s\n+++ b/%[1]s\n", patchedFile)
	for _, h := range p.hunks {
		h.write(&b)
	}
	fmt.Fprintf(&b, "-- \nnbr\n\nbase-commit: %s\n", SBCRevision)
	slug := strings.ReplaceAll(p.subject, " ", "-")
	return PatchFile{fmt.Sprintf("%04d-bananaPiR4-%s.patch", n, slug), b.Bytes()}
}

// write prints the hunk. No part of a series moves the lines of another, so the
// same number holds on both sides.
func (h hunk) write(b *bytes.Buffer) {
	count := func(side string) (n int) {
		for _, l := range h.lines {
			if strings.ContainsAny(l[:1], side) {
				n++
			}
		}
		return n
	}
	fmt.Fprintf(b, "@@ -%d,%d +%d,%d @@\n", h.first, count(" -"), h.first, count(" +"))
	for _, l := range h.lines {
		b.WriteString(l + "\n")
	}
}
