package bootlog

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A stageForm is the line with which a stage comes to life. What the expression
// finds is version, source and time of building.
type stageForm struct {
	stage StageName
	has   string // cheap, and must be in the line
	re    *regexp.Regexp
}

// stageForms are from public logs and from the sources that are named.
var stageForms = []stageForm{
	// MediaTek's boot ROM has no public source. MT7622, MT7981, MT7986, MT7987 and
	// MT7988 all begin like this.
	{ROM, "F0: ", regexp.MustCompile(`^F0: [0-9A-F]{4} [0-9A-F]{4}$`)},
	// The Raspberry Pi's EEPROM, which is closed, too: BOOTSYS comes first where
	// there are two.
	{ROM, "RPi: BOOTSYS", regexp.MustCompile(`RPi: BOOTSYS \w+ VERSION:(\w+)()(?: DATE: (\S+))?`)},
	{TPL, "RPi: BOOTLOADER", regexp.MustCompile(`RPi: BOOTLOADER \w+ VERSION:(\w+)()(?: DATE: (\S+))?`)},
	{StartELF, "Starting start", regexp.MustCompile(`^Starting (start\w*\.elf) @`)},
	// Rockchip's rkbin, one form a generation of the blob.
	{TPL, "DDR ", regexp.MustCompile(`(?:^|[#>] )DDR [Vv]ersion (V?[\d.]+)()(?: (\d{8}))?`)},
	{TPL, "DDR V", regexp.MustCompile(`(?:^|[#>] )DDR (V[\d.]+) (\w+ \w+)(?: (\S+))?`)},
	{TPL, "fwver: ", regexp.MustCompile(`^DDR (?:[0-9a-f]{10}) .*fwver: (\S+)`)},
	// U-Boot, common/spl/spl.c and lib/display_options.c.
	{TPL, "U-Boot TPL ", regexp.MustCompile(`(?:^|> ?)U-Boot TPL (\d{4}\.\d\d\S*)()[^(]*(?:\(([^)]*)\))?`)},
	{SPL, "U-Boot SPL ", regexp.MustCompile(`(?:^|> ?)U-Boot SPL (\d{4}\.\d\d\S*)()[^(]*(?:\(([^)]*)\))?`)},
	{UBoot, "U-Boot 2", regexp.MustCompile(`(?:^|> ?)U-Boot (\d{4}\.\d\d\S*)()[^(]*(?:\(([^)]*)\))?`)},
	// TF-A, bl2/bl2_main.c and bl31/bl31_main.c. Version 2.10.0 has a tab in it.
	{BL2, "BL2: v", regexp.MustCompile(`NOTICE: +BL2: (v[\d.]+\S*?) *(?:\(\w+\)):(.*)`)},
	{BL31, "BL31: v", regexp.MustCompile(`NOTICE: +BL31: (v[\d.]+\S*?) *(?:\(\w+\)):(.*)`)},
	// Linux, init/version-timestamp.c.
	{Linux, "Linux version ", regexp.MustCompile(`^Linux version (\d+\.\S+)()(?:.* SMP (?:PREEMPT\S* )?(.*))?`)},
	// nixpkgs, nixos/modules/system/boot/stage-1-init.sh and stage-2-init.sh.
	{Initrd, "NixOS Stage 1", regexp.MustCompile(`<<< NixOS Stage 1 >>>`)},
	{Userspace, "NixOS Stage 2", regexp.MustCompile(`<<< NixOS Stage 2 >>>`)},
	// systemd, src/core/main.c; in an initrd it greets, too.
	{Userspace, "Welcome to ", regexp.MustCompile(`^Welcome to (.+)!$`)},
	// procd, initd/init.c and inittab.c: OpenWrt.
	{Userspace, "init: Console is alive", regexp.MustCompile(`init: Console is alive`)},
}

// middleForms are lines that only one stage has: a recording may begin in the
// middle, and noise may take the line with which a stage comes to life. Those that
// other stages have as well are for the first line of a log only.
var middleForms = []struct {
	stage StageName
	first bool
	has   string
	re    *regexp.Regexp
}{
	{ROM, false, "EC: ", regexp.MustCompile(`^EC: 0000 0000 \[\d000\]$`)},
	{ROM, false, "Jump to BL", regexp.MustCompile(`^Jump to BL$`)},
	{ROM, false, "System halt!", regexp.MustCompile(`^System halt!$`)},
	{BL2, false, "NOTICE:  EMI: ", regexp.MustCompile(`^NOTICE:  EMI: `)},
	{BL2, true, ":  ", regexp.MustCompile(`^(?:NOTICE|ERROR|WARNING): +(?:WDT|BL2|MSDC): `)},
	{UBoot, false, "Retrieving file: /", regexp.MustCompile(`^Retrieving file: /`)},
	{UBoot, false, "** Booting bootflow '", regexp.MustCompile(`^\*\* Booting bootflow '`)},
	{UBoot, false, "Hit any key", regexp.MustCompile(`^Hit any key to stop autoboot`)},
	{UBoot, true, "", regexp.MustCompile(`^(?:DRAM: +[\d.]+ [MG]iB|Loading Environment from |Starting kernel \.\.\.$)`)},
	{Linux, false, "Machine model: ", regexp.MustCompile(`^Machine model: `)},
	{Linux, false, "Memory: ", regexp.MustCompile(`^Memory: \d+K/\d+K available`)},
	{Linux, true, "", regexp.MustCompile(`^(?:Run /init as init process|Kernel panic - not syncing)`)},
	{Userspace, true, "", regexp.MustCompile(`^(?:\[  OK  \] |\[FAILED\] )`)},
}

// A factForm is a line that says something about the boot it is in.
type factForm struct {
	has string
	re  *regexp.Regexp
	set func(b *Boot, m []string)
}

var factForms = []factForm{
	// The code of the medium, as seen in logs with each position of the switch.
	{"EC: ", regexp.MustCompile(`^EC: 0000 0000 \[(\d)000\]$`), func(b *Boot, m []string) {
		b.medium(map[string]string{"1": "spi-nand", "2": "emmc", "3": "sd"}[m[1]], m[0])
	}},
	{"Boot mode: ", regexp.MustCompile(`^Boot mode: (\S+) \(\d+\)`), func(b *Boot, m []string) {
		b.medium(map[string]string{"SD": "sd", "USB-MSD": "usb", "NVME": "nvme", "NETWORK": "network"}[m[1]], m[0])
	}},
	{"BL2: Built : ", regexp.MustCompile(`BL2: Built : (.*)`), func(b *Boot, m []string) { b.built(BL2, m[1]) }},
	{"BL31: Built : ", regexp.MustCompile(`BL31: Built : (.*)`), func(b *Boot, m []string) { b.built(BL31, m[1]) }},

	// MediaTek's TF-A, plat/mediatek/apsoc_common/bl2 and drivers/wdt/mtk_wdt.c.
	{"WDT: ", regexp.MustCompile(`NOTICE: +WDT: (?:\[[0-9a-f]{8}\] (.+)|(Cold boot))$`), func(b *Boot, m []string) { b.Reset = clip(m[1] + m[2]) }},
	{"CPU: ", regexp.MustCompile(`^(?:NOTICE: +CPU: |CPU: +MediaTek )(MT\d+)`), func(b *Boot, m []string) { b.SoC = m[1] }},
	// …/drivers/dram/mtk_mem_init.c of the SoC; from v2.14.0 on the size is DRAM:.
	// The mode is told before the settings: a log that begins between the two does
	// not show that it was off.
	{"EMI: Using DDR", regexp.MustCompile(`EMI: Using DDR *(\w+) settings`), func(b *Boot, m []string) {
		b.Memory.DDR = m[1]
		b.Memory.EMI = b.Memory.EMI || b.Stage(BL2) != nil && b.Stage(BL2).Version != ""
	}},
	{"EMI: DDR4 4BG mode", nil, func(b *Boot, _ []string) { b.Memory.FourBG, b.Memory.EMI = true, true }},
	{"DRAM size: ", regexp.MustCompile(`EMI: Detected DRAM size: (\d+) ?MB`), func(b *Boot, m []string) { b.Memory.BL2 = number(m[1]) }},
	{"DRAM: ", regexp.MustCompile(`^NOTICE: +DRAM: (\d+)MB`), func(b *Boot, m []string) { b.Memory.BL2 = number(m[1]) }},

	// U-Boot's TPL, arch/arm/mach-rockchip/sdram.c, and rkbin, which prints the same.
	{"Size=", regexp.MustCompile(`\bSize=(\d+)MB`), func(b *Boot, m []string) { b.Memory.BL2 += number(m[1]) }},
	{"total-size: ", regexp.MustCompile(`total-size: (\d+) Gbit`), func(b *Boot, m []string) { b.Memory.BL2 = number(m[1]) * 1024 / 8 }},

	// U-Boot: common/board_f.c, common/spl/spl.c, boot/bootflow.c, cmd/pxe_utils.c,
	// include/config_distro_bootcmd.h.
	{"DRAM:", regexp.MustCompile(`^DRAM: +([\d.]+) ([MG])iB(?: \((?:effective|total) ([\d.]+) ([MG])iB\))?`), func(b *Boot, m []string) {
		b.Memory.UBoot = max(mebi(m[1], m[2]), mebi(m[3], m[4]))
	}},
	{"SoC: ", regexp.MustCompile(`^SoC: +(?:Rockchip )?(\w+)`), func(b *Boot, m []string) { b.SoC = clip(strings.ToUpper(m[1])) }},
	{"Model: ", regexp.MustCompile(`^Model: (.+)`), func(b *Boot, m []string) { b.model(UBoot, m[1]) }},
	{"RPI ", regexp.MustCompile(`^RPI (.+) \(0x[0-9a-f]+\)`), func(b *Boot, m []string) { b.model(UBoot, "Raspberry Pi "+m[1]) }},
	{"Trying to boot from ", regexp.MustCompile(`^Trying to boot from (\w+)`), func(b *Boot, m []string) {
		if m[1] != "BOOTROM" { // a TPL that goes back to the ROM
			b.Loader = clip(m[1])
		}
	}},
	{"** Booting bootflow '", regexp.MustCompile(`\*\* Booting bootflow '([^'<]+)'`), func(b *Boot, m []string) { b.Loader = clip(m[1]) }},
	{"Scanning ", regexp.MustCompile(`^Scanning (\w+ \d+:\d+)\.\.\.`), func(b *Boot, m []string) { b.Loader = clip(m[1]) }},

	// Linux: drivers/of/fdt.c, mm/mm_init.c, init/main.c, drivers/mmc/core/bus.c,
	// kernel/reboot.c.
	{"Machine model: ", regexp.MustCompile(`^Machine model: (.+)`), func(b *Boot, m []string) { b.model(Linux, m[1]) }},
	{"Memory: ", regexp.MustCompile(`^Memory: (\d+)K/(\d+)K available`), func(b *Boot, m []string) {
		b.Memory.Free, b.Memory.Linux = uint64(number(m[1])), uint64(number(m[2]))
	}},
	{"Kernel command line: ", regexp.MustCompile(`^Kernel command line: (.*)`), func(b *Boot, m []string) { b.commandLine(m[1]) }},
	{" card at address ", regexp.MustCompile(`^mmc\d+: new .*\b(SD|MMC)(?:HC|XC|UC)? card at address`), func(b *Boot, m []string) {
		b.card = map[string]string{"SD": "sd", "MMC": "emmc"}[m[1]]
	}},
	// MediaTek's uart_dl.c: mtk_uartboot or another loader sent the firmware package.
	{"Received FIP 0x", regexp.MustCompile(`^NOTICE: +Received FIP 0x`), func(b *Boot, m []string) {
		b.received = true
		b.Medium = Medium{"uart", clip(m[0])}
	}},
	{"reboot: ", regexp.MustCompile(`^reboot: (?:Restarting system|Power down)`), func(b *Boot, _ []string) { b.down = true }},

	// systemd: src/core/main.c, src/core/job.c, src/shared/switch-root.c. getty(8)
	// and procd end the story.
	{"Running in init", regexp.MustCompile(`systemd\[1\]: Running in init`), func(b *Boot, _ []string) { b.inside = true }},
	{"Switching root", nil, func(b *Boot, _ []string) { b.inside = false }},
	{"Reached target Multi-User", nil, func(b *Boot, _ []string) { b.Up = true }},
	{" login:", regexp.MustCompile(`^[\w.-]+ login:`), func(b *Boot, _ []string) { b.Up, b.Prompt = true, "login" }},
	{"Please press Enter to activate this console", nil, func(b *Boot, _ []string) { b.Up, b.Prompt = true, "login" }},
	{"[FAILED] ", regexp.MustCompile(`^\[FAILED\] (.+)`), func(b *Boot, m []string) { b.fail(m[1]) }},

	// Who waits. The prompts are U-Boot's, and those of the forks of MediaTek and frank-w.
	// What follows one is a command that was typed; until U-Boot counts down it may as well
	// be its own, with which it tells of its start.
	{"autoboot", regexp.MustCompile(`^Hit any key to stop autoboot|^Autoboot in `), func(b *Boot, _ []string) { b.counts = true }},
	{">", regexp.MustCompile(`^(?:=>|U-Boot>|MT79\d\d>|BPI-R\d\w*(?:-\w+)?>)(?: +(.+))?$`), func(b *Boot, m []string) {
		if m[1] == "" || b.counts {
			b.Prompt = "u-boot"
		}
	}},
	{"Starting kernel ...", nil, func(b *Boot, _ []string) { b.Starts, b.Prompt = true, "" }},
}

// MaxFailed is how many failed units are kept.
const MaxFailed = 32

// maxModels is how many models are kept: U-Boot may tell its own twice.
const maxModels = 4

func (b *Boot) fail(what string) {
	if what = clip(strings.TrimRight(what, ".")); len(b.Failed) < MaxFailed && !slices.Contains(b.Failed, what) {
		b.Failed = append(b.Failed, what)
	}
}

// medium keeps what the boot ROM says. A code without a known meaning is no medium.
func (b *Boot) medium(name, by string) {
	if name != "" {
		b.Medium = Medium{name, clip(by)}
	}
}

func (b *Boot) built(stage StageName, when string) {
	if s := b.Stage(stage); s != nil {
		s.Built = clip(when)
	}
}

func (b *Boot) model(stage StageName, name string) {
	m := Model{stage, clip(name)}
	if len(b.Models) < maxModels && !slices.Contains(b.Models, m) {
		b.Models = append(b.Models, m)
	}
}

var (
	systemRE  = regexp.MustCompile(`(?:^| )init=(/nix/store/[^/ ]+)/init(?: |$)`)
	consoleRE = regexp.MustCompile(`(?:^| )console=(\S+)`)
)

// commandLine keeps the system, and the last console: that is the one that is
// /dev/console (Documentation/admin-guide/serial-console.rst).
func (b *Boot) commandLine(s string) {
	if m := systemRE.FindStringSubmatch(s); m != nil {
		b.System = clip(m[1])
	}
	if all := consoleRE.FindAllStringSubmatch(s, -1); all != nil {
		b.Console = clip(all[len(all)-1][1])
	}
}

// number reads digits that an expression has found. What does not fit is no
// amount of memory.
func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil || n > 1<<40 {
		return 0
	}
	return n
}

// mebi reads U-Boot's "3.9 GiB".
func mebi(n, unit string) int {
	f, err := strconv.ParseFloat(n, 64)
	if err != nil || f > 1<<20 {
		return 0
	}
	if unit == "G" {
		f *= 1024
	}
	return int(f)
}
