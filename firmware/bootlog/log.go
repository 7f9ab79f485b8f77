package bootlog

import (
	"cmp"
	"slices"
)

// A Log is what a serial log tells. Of several boots the last one is kept, and
// the one before it, which tells why a log that ends early began anew.
type Log struct {
	Lines   int   `json:"lines"`
	Garbled int   `json:"garbled"` // lines that are mostly no text
	Cut     int   `json:"cut"`     // lines longer than MaxLine
	Boots   int   `json:"boots"`
	Loop    int   `json:"loop"` // boots at the end that all stopped in the same way
	Half    bool  `json:"half"` // and after them one that the log has the beginning of
	Last    *Boot `json:"last"`
	Before  *Boot `json:"before"`
}

// A Boot is one start of the board.
type Boot struct {
	Line    int      `json:"line"` // the first, counted from 1
	Reset   string   `json:"reset"`
	Medium  Medium   `json:"medium"`
	Loader  string   `json:"loader"` // where U-Boot, or its SPL, found what it started
	SoC     string   `json:"soc"`
	Models  []Model  `json:"models"`
	Memory  Memory   `json:"memory"`
	Stages  []Stage  `json:"stages"` // in the order in which they came
	System  string   `json:"system"` // the NixOS system that the kernel was told to start
	Console string   `json:"console"`
	Failed  []string `json:"failed"` // what systemd says that failed, MaxFailed at most
	Marks   []Mark   `json:"marks"`  // troubling lines, one a code
	Starts  bool     `json:"starts"` // U-Boot said that it starts a kernel
	Prompt  string   `json:"prompt"` // what waits for input: u-boot, emergency, stage-1, login
	Up      bool     `json:"up"`     // a login prompt, or systemd reached its target
	End     string   `json:"end"`    // the last line that is text

	card   string // what Linux found in the MMC controller
	start  int    // the line in which U-Boot started the kernel
	inside bool   // systemd said that it runs in an initrd
	down   bool   // Linux said that it goes down by itself
	counts bool   // U-Boot came as far as to count down
	// received tells that BL2 got the firmware package that it waited for.
	received bool
}

// A Medium is what the board started from, by the names that boards have in
// package firmware, and the line that says so.
type Medium struct {
	Name string `json:"name"`
	By   string `json:"by"`
}

// A Model is what a stage takes the board for.
type Model struct {
	Stage StageName `json:"stage"`
	Name  string    `json:"name"`
}

// Memory is how much of it each stage saw.
type Memory struct {
	DDR    string `json:"ddr"`     // "unknown settings" is MediaTek's word for finding out at run time
	FourBG bool   `json:"four_bg"` // DDR4_4BG_MODE=1
	EMI    bool   `json:"emi"`     // BL2 told all about memory, so that silence about 4BG means something
	BL2    int    `json:"bl2_mib"` // what BL2 or a DRAM blob detected
	UBoot  int    `json:"uboot_mib"`
	Linux  uint64 `json:"linux_kb"` // all that Linux was given
	Free   uint64 `json:"free_kb"`  // what it had left after itself
}

// MiB is the amount as the latest stage saw it, or 0.
func (m Memory) MiB() int {
	return cmp.Or(int(m.Linux/1024), m.UBoot, m.BL2)
}

// StageName is a part of the way to a running system.
type StageName string

// The stages, in the order in which a board goes through them. Boards leave out
// some.
const (
	ROM       StageName = "rom"
	TPL       StageName = "tpl" // brings up the memory: U-Boot's TPL, Rockchip's blob, the Raspberry Pi's EEPROM
	BL2       StageName = "bl2"
	SPL       StageName = "spl"
	StartELF  StageName = "start.elf" // the Raspberry Pi's firmware
	BL31      StageName = "bl31"
	UBoot     StageName = "u-boot"
	Linux     StageName = "linux"
	Initrd    StageName = "initrd"
	Userspace StageName = "userspace"
)

// order is how far a stage is from power on. BL2, SPL and start.elf do the same
// work, and no board has two of them.
func (s StageName) order() int {
	switch s {
	case ROM:
		return 1
	case TPL:
		return 2
	case BL2, SPL, StartELF:
		return 3
	default:
		return 4 + slices.Index([]StageName{BL31, UBoot, Linux, Initrd, Userspace}, s)
	}
}

// Title is the stage for people.
func (s StageName) Title() string {
	switch s {
	case ROM:
		return "the boot ROM"
	case TPL:
		return "the memory's loader"
	case BL2:
		return "BL2"
	case SPL:
		return "U-Boot SPL"
	case StartELF:
		return "start.elf"
	case BL31:
		return "BL31"
	case UBoot:
		return "U-Boot"
	case Linux:
		return "Linux"
	case Initrd:
		return "the initrd"
	default:
		return "userspace"
	}
}

// A Stage is one that was seen.
type Stage struct {
	Name    StageName `json:"name"`
	Line    int       `json:"line"`
	Version string    `json:"version"`
	Source  string    `json:"source"` // what else the builder wrote into it
	Built   string    `json:"built"`
	Store   string    `json:"store"` // hash of the Nix store path that a U-Boot of nixos-sbc was built in
}

// A Mark is a line that tells of trouble.
type Mark struct {
	Code  string    `json:"code"`
	Stage StageName `json:"stage"` // which had been reached
	Line  int       `json:"line"`
	Count int       `json:"count"`
	Text  string    `json:"text"`
	What  string    `json:"what"` // the part of the text that matters: a file, a device
}

// Boot is the boot that counts: the last one, or the one before it where the log
// has only the beginning of one more round. It is nil when there is none.
func (l *Log) Boot() *Boot {
	if l.Half {
		return l.Before
	}
	return l.Last
}

// Reached is the last stage that came to life, or "".
func (b *Boot) Reached() StageName {
	if len(b.Stages) == 0 {
		return ""
	}
	return slices.MaxFunc(b.Stages, func(x, y Stage) int { return cmp.Compare(x.Name.order(), y.Name.order()) }).Name
}

// Stage is the stage of this name, or nil.
func (b *Boot) Stage(name StageName) *Stage {
	i := slices.IndexFunc(b.Stages, func(s Stage) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &b.Stages[i]
}

// Mark is the mark of this code, or nil.
func (b *Boot) Mark(code string) *Mark {
	i := slices.IndexFunc(b.Marks, func(m Mark) bool { return m.Code == code })
	if i < 0 {
		return nil
	}
	return &b.Marks[i]
}

// Model is what Linux takes the board for, and without Linux what U-Boot does.
func (b *Boot) Model() Model {
	var last Model
	for _, m := range b.Models {
		if m.Stage.order() >= last.Stage.order() || last.Name == "" {
			last = m
		}
	}
	return last
}
