package firmware

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/router"
)

// boardsJSON is what nbr knows of boards. Its sources are the modules and
// packages of nixos-sbc at SBCRevision, the device trees of Linux 6.12 and 7.2
// (arch/arm64/boot/dts) and, for the BPI-R4's memory, public boot logs. What is
// not known is not there.
//
//go:embed boards.json
var boardsJSON []byte

// A Profile is what nbr knows of a board beyond what a spec can refer to: how
// nixos-sbc names its parts and how it boots.
type Profile struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	SoC        string `json:"soc"`
	CPUs       int    `json:"cpus"` // processor cores, at least
	System     string `json:"system"`
	Compatible string `json:"compatible"`
	// Models are what the device trees of several kernels call the board. A
	// revision or what is fitted may follow in a log.
	Models     []string `json:"models"`
	SBCModule  string   `json:"sbc_module"` // attribute path below nixos-sbc.nixosModules
	Image      string   `json:"image"`      // file name in result/sd-image
	Console    string   `json:"console"`    // as the kernel's console= has it
	BootSwitch *Switch  `json:"boot_switch"`
	Kernel     *Kernel  `json:"kernel"` // nixos-sbc's own for the board
	// NixpkgsKernel is "latest" where, for want of an own kernel, the board runs
	// the newest of nixpkgs instead of its standard one.
	NixpkgsKernel string `json:"nixpkgs_kernel"`
	// RemovedKernel is an attribute of nixpkgs that nixos-sbc's module for the
	// board names and the releases have dropped. It has to be there: what is
	// forced to another value is looked at all the same.
	RemovedKernel string `json:"removed_kernel"`
	Clock         string `json:"clock"` // below sbc.board.rtc.devices, where it is off by default
	WiFi          *WiFi  `json:"wifi"`  // a radio that nixos-sbc drives
	// StageOneHook is an option of nixos-sbc that is on by default and adds commands to
	// the scripted stage 1 (boot.initrd.*Commands): systemd's cannot run them.
	StageOneHook string    `json:"stage1_hook"`
	UEFI         *UEFI     `json:"uefi"`     // nil of a board of nixos-sbc, whose firmware is built
	Watchdog     *Watchdog `json:"watchdog"` // nil where nbr knows of none
	Firmware     Firmware  `json:"firmware"`
	Memory       []memory  `json:"memory"`
	Ports        []port    `json:"ports"`
	Notes        []string  `json:"notes"` // what has surprised people, in sentences
	// Unknown is what the sources leave open, in sentences. What is only absent
	// here need not be said: see NotKnown.
	Unknown []string `json:"unknown"`
}

// UEFI is of a machine that has firmware of its own, from which systemd-boot starts. What
// nbr/uefi.nix makes of it has no other numbers.
type UEFI struct {
	Image      string      `json:"image"`      // below system.build
	File       string      `json:"file"`       // in its result
	ESP        router.Size `json:"esp"`        // room for kernels on the EFI partition of the image
	Generation router.Size `json:"generation"` // what one takes there: a compressed kernel, and an initrd with all drivers
	// Has are the options of kind bool that the kernels of nixpkgs have there
	// (pkgs/os-specific/linux/kernel/common-config.nix). Of the others they have whatever can
	// be a module (autoModules). Setting one of them would build a kernel that the cache has.
	Has []string `json:"has"`
}

// A Switch selects what a board boots from.
type Switch struct {
	Name      string            `json:"name"`
	Legend    string            `json:"legend"`
	Positions map[string]string `json:"positions"` // medium → how the switch stands
}

// A Kernel is the kernel that nixos-sbc builds for a board.
type Kernel struct {
	Name    string `json:"name"`    // whose it is, for people
	Series  Series `json:"series"`  // of Linux
	Package string `json:"package"` // the attribute in nixos-sbc's packages
	// Nixpkgs is "nixos-sbc" where the kernel has to be built with the one that
	// nixos-sbc locks, because the releases have dropped the series.
	Nixpkgs string `json:"nixpkgs"`
	Vendor  bool   `json:"vendor"` // not from kernel.org: nixos-sbc warns about it
	// What nixos-sbc builds at SBCRevision, and where another revision comes from.
	Version string `json:"version"`
	Rev     string `json:"rev"` // of Repo; empty where it is a release of kernel.org
	Repo    string `json:"repo"`
	Date    Day    `json:"date"`
	// Loses is what series of Linux are known to lose on the board.
	Loses []Loss `json:"loses"`
	// Has are options that it is known to have, as a module or built in. They
	// are required of the finished kernel and not set: asking for a module where
	// the board's defconfig builds in would change how the board comes up.
	Has []string `json:"has"`
}

// A Loss is what the board loses with some series of Linux.
type Loss struct {
	First   Series `json:"first"`
	Last    Series `json:"last"`
	What    string `json:"what"`
	Because string `json:"because"`
}

// Day is the day of a revision, YYYY-MM-DD, or nothing where it is not known.
type Day string

func (d *Day) UnmarshalText(b []byte) error {
	if _, err := time.Parse(time.DateOnly, string(b)); err != nil {
		return fmt.Errorf("%q is no day such as 2026-09-25", b)
	}
	*d = Day(b)
	return nil
}

// Describe is what the type is in the schema.
func (Day) Describe() string { return "date" }

// Time is the day's midnight UTC; the zero time is not known.
func (d Day) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d)) // UnmarshalText has seen it
	return t
}

// A WiFi is a radio on the board that nixos-sbc can switch on.
type WiFi struct {
	Device string `json:"device"` // below sbc.board.wifi.devices
}

// A Watchdog is the timer in the chip that resets the board unless it is fed.
type Watchdog struct {
	MaxSeconds int `json:"max_seconds"` // the longest time it can wait
}

// Firmware is what runs before the kernel.
type Firmware struct {
	ATFAttr    string         `json:"atf_attr"`   // in nixos-sbc's packages; empty where it builds none
	UBootAttr  string         `json:"uboot_attr"` // likewise
	Partitions map[string]int `json:"partitions"` // file of the U-Boot package → partition that holds it
	SDDevice   string         `json:"sd_device"`  // on the running board
	Layout     []Partition    `json:"layout"`     // of the SD image
	Unfree     []string       `json:"unfree"`     // packages of nixpkgs in it that are not free
	// UBoot is the release to build where the one that nixos-sbc builds fails.
	UBoot *UBoot `json:"uboot"`
	// ATF is the revision that memory flags are known to work with. Without
	// flags nixos-sbc's own revision is left alone.
	ATF *ATF `json:"atf_for_flags"`
	// StockATF is the revision that nixos-sbc builds, where it is known.
	StockATF *ATF `json:"atf"`
}

// A Partition is one of those that nixos-sbc's module for the board makes with
// sgdisk (modules/boards, sd-image-*.nix).
type Partition struct {
	Name     string `json:"name"`
	First    uint64 `json:"first"`    // LBA
	Last     uint64 `json:"last"`     // LBA, the last of its own; 0 is of one that fills the image
	Bootable bool   `json:"bootable"` // attribute bit 2
}

// A UBoot is a release of U-Boot.
type UBoot struct {
	Version string `json:"version"`
	Hash    string `json:"hash"` // of the archive at ftp.denx.de
	Date    Day    `json:"date"`
	Because string `json:"because"`
}

// An ATF is a revision of MediaTek's Trusted Firmware-A,
// github.com/mtk-openwrt/arm-trusted-firmware.
type ATF struct {
	Version string `json:"version"`
	Rev     string `json:"rev"`
	Hash    string `json:"hash"` // of fetchFromGitHub
	Date    Day    `json:"date"` // of the revision
	Repo    string `json:"repo"` // on GitHub; empty is MediaTek's
}

type memory struct {
	Size  router.Size `json:"size"`
	Min   uint64      `json:"min_total_kb"`
	Max   uint64      `json:"max_total_kb"`
	Flags []string    `json:"atf_flags"`
}

type port struct {
	Name    router.IfName   `json:"name"`
	Kind    router.PortKind `json:"kind"`
	Conduit router.IfName   `json:"conduit"`
	Label   string          `json:"label"`
	Mbps    int             `json:"mbps"`
	// MaxMTU is that of mtk_add_mac in drivers/net/ethernet/mediatek/mtk_eth_soc.c (2048 bytes
	// with header and FCS), and of a switch's ports less by the tag of 4 bytes (net/dsa/tag_mtk.c).
	MaxMTU int `json:"max_mtu"`
}

// profiles reads the data once. An error there is a bug of ours.
var profiles = sync.OnceValue(func() []*Profile {
	ps, err := parseBoards(boardsJSON)
	if err != nil {
		panic("firmware: boards.json: " + err.Error())
	}
	return ps
})

func parseBoards(data []byte) ([]*Profile, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var ps []*Profile
	if err := d.Decode(&ps); err != nil {
		return nil, err
	}
	for _, p := range ps {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("%s: %w", p.ID, err)
		}
	}
	return ps, nil
}

func (p *Profile) check() error {
	if p.ID == "" || p.Name == "" || p.System == "" {
		return fmt.Errorf("incomplete")
	}
	if p.CPUs < 1 {
		return fmt.Errorf("no processor")
	}
	if err := p.checkSBC(); err != nil && p.UEFI == nil {
		return err
	}
	if u := p.UEFI; u != nil && (u.Image == "" || u.File == "" || u.ESP < u.Generation || u.Generation == 0 || p.SBCModule != "") {
		return fmt.Errorf("incomplete: UEFI")
	}
	if p.Watchdog != nil && p.Watchdog.MaxSeconds < 2*watchdogSlack {
		return fmt.Errorf("a watchdog of %d s", p.Watchdog.MaxSeconds)
	}
	for _, text := range slices.Concat(p.Notes, p.Unknown) {
		if !strings.HasSuffix(text, ".") {
			return fmt.Errorf("%q is no sentence", text)
		}
	}
	for _, m := range p.Memory {
		if m.Min >= m.Max || m.Max > uint64(m.Size)/1024 {
			return fmt.Errorf("memory %s: no range", m.Size)
		}
		if len(m.Flags) > 0 && p.Firmware.ATF == nil {
			return fmt.Errorf("memory %s: flags, and no revision that takes them", m.Size)
		}
	}
	if u := p.UEFI; u != nil {
		for _, sym := range u.Has {
			if o := Options()[sym]; o == nil || o.Kind != "bool" {
				return fmt.Errorf("uefi: no option %s that is yes or no", sym)
			}
		}
	}
	if k := p.Kernel; k != nil {
		for _, sym := range k.Has {
			if o, ok := Options()[sym]; !ok || !o.In(k.Series) {
				return fmt.Errorf("kernel: no option %s in %s", sym, k.Series)
			}
		}
	}
	return nil
}

// checkSBC wants what each board of nixos-sbc has.
func (p *Profile) checkSBC() error {
	if p.Compatible == "" || len(p.Models) == 0 || p.SBCModule == "" || p.Image == "" || p.Firmware.UBootAttr == "" {
		return fmt.Errorf("incomplete")
	}
	if len(p.Ports) == 0 || len(p.Memory) == 0 || len(p.Firmware.Layout) == 0 {
		return fmt.Errorf("no ports, no memory or no layout")
	}
	return nil
}

// ProfileOf is the profile of a board, or nil.
func ProfileOf(id string) *Profile {
	for _, p := range profiles() {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// Boards are the boards that nbr knows, for a service.Registry. Each call
// makes new ones.
func Boards() []*router.Board {
	var out []*router.Board
	for _, p := range profiles() {
		b := &router.Board{ID: p.ID, Name: p.Name, System: p.System, Compatible: p.Compatible, CPUs: p.CPUs}
		if p.UEFI != nil {
			b.BootLoader, b.Image, b.VM = "systemd-boot", p.UEFI.Image, true
		} else {
			b.BootLoader, b.Image, b.Inputs = "generic-extlinux-compatible", "sdImage", []router.Name{"nixos-sbc"}
		}
		for _, m := range p.Memory {
			b.Memory = append(b.Memory, router.Memory{Size: m.Size, MinTotal: m.Min, MaxTotal: m.Max, Flags: m.Flags})
		}
		for _, q := range p.Ports {
			b.Ports = append(b.Ports, &router.BoardPort{
				Header:  conf.Header{Addr: conf.Addr{Type: "port", Name: string(q.Name)}},
				Name:    q.Name,
				Kind:    q.Kind,
				Conduit: q.Conduit,
				Label:   q.Label,
				Speed:   q.Mbps,
				MaxMTU:  q.MaxMTU,
			})
		}
		out = append(out, b)
	}
	return out
}
