package bootlog

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// marked are lines as their programs write them, each with the code and the part
// that matters.
var marked = []struct{ line, code, what string }{
	{"System halt!", "rom-halt", ""},
	{"NOTICE:  EMI: Detected DRAM size: 0MB", "bl2-no-memory", ""},
	{"ERROR:   EMI: complex R/W mem test failed: -1", "bl2-memory-test", ""},
	{"ERROR:   MSDC: Command has timed out with cmd=17, arg=0x3ff7e00", "bl2-read", "Command has timed out with cmd=17, arg=0x3ff7e00"},
	{"ERROR:   CMD1 failed after 100 retries", "bl2-storage", "CMD1 failed after 100 retries"},
	{"ERROR:   ACMD41 failed after 10 retries", "bl2-storage", "ACMD41 failed after 10 retries"},
	{"ERROR:   Device not ready after 5000 ms", "bl2-storage", "Device not ready after 5000 ms"},
	{"ERROR:   spi_nand_init() failed with -19", "bl2-storage", "spi_nand_init() failed with -19"},
	{"ERROR:   nand_read(1048576) failed with -74. 0 bytes read", "bl2-storage", "nand_read(1048576) failed with -74. 0 bytes read"},
	{"INFO:    Trying to retrieve back-up GPT header", "gpt-backup", ""},
	{"find_valid_gpt: ***        Using Backup GPT ***", "gpt-backup", ""},
	{"Primary GPT is invalid, using alternate GPT.", "gpt-backup", ""},
	{"find_valid_gpt: *** ERROR: Invalid Backup GPT ***", "u-boot-gpt", ""},
	{"ERROR:   Failed to retrieve Backup GPT header,Partition maybe corrupted", "bl2-gpt", ""},
	{"ERROR:   Failed to initialize GPT partitions", "bl2-gpt", ""},
	{"ERROR:   Partition 'fip' not found", "bl2-no-fip", "fip"},
	{"WARNING: Firmware Image Package header check failed.", "bl2-fip-header", ""},
	{"WARNING: Image id=5 size out of bounds", "bl2-fip-size", "5"},
	{"ERROR:   BL2: Failed to load image id 3 (-80)", "bl2-fip-hash", "3"},
	{"ERROR:   Failed to decompress image (err=-22)", "bl2-unpack", ""},
	{"ERROR:   BL2: Failed to load image id 3 (-2)", "bl2-no-bl31", ""},
	{"ERROR:   BL2: Failed to load image id 5 (-2)", "bl2-no-u-boot", ""},
	{"ERROR:   FIP boot source initialization failed with -2", "bl2-fip-source", ""},
	{"NOTICE:  Starting UART download handshake ...", "bl2-uart", ""},
	{"PANIC at PC : 0x0000000000205934", "tf-a-panic", ""},
	{"data training error", "tpl-memory", ""},
	{"DRAM init failed: -1", "tpl-memory", ""},
	{"spl: mmc init failed with error: -123", "spl-mmc", "-123"},
	{"SPL: failed to boot from all boot devices", "spl-nothing", ""},
	{`MMC:   "Synchronous Abort" handler, esr 0x96000045, far 0xfe1def50`, "u-boot-mmc-abort", ""},
	{`"Synchronous Abort" handler, esr 0x8600000d, far 0x0`, "u-boot-abort", "esr 0x8600000d"},
	{`Loading: "Synchronous Abort" handler, esr 0x02000000`, "u-boot-abort", "esr 0x02000000"},
	{"Card did not respond to voltage select! : -110", "u-boot-no-card", ""},
	{"** File not found /boot/extlinux/../nixos/i-initrd **", "u-boot-file", "/boot/extlinux/../nixos/i-initrd"},
	{"Skipping nixos-default for failure retrieving initrd", "u-boot-retrieve", "initrd"},
	{"Bad Linux ARM64 Image magic!", "u-boot-kernel", ""},
	{"Wrong Image Format for bootm command", "u-boot-kernel", ""},
	{"Wrong Image Type for bootm command", "u-boot-kernel", ""},
	{"ERROR: can't get kernel image!", "u-boot-kernel", ""},
	{"Bad Data Hash", "u-boot-kernel", ""},
	{"ramdisk - allocation error", "u-boot-initrd-size", ""},
	{"ERROR: RD image overlaps OS image (OS=0x40200000..0x41f00000)", "u-boot-initrd-size", ""},
	{"** Reading file would overwrite reserved memory **", "u-boot-initrd-size", ""},
	{"Wrong Ramdisk Image Format", "u-boot-initrd", ""},
	{"Ramdisk image is corrupt or invalid", "u-boot-initrd", ""},
	{"ERROR: Did not find a cmdline Flattened Device Tree", "u-boot-dtb", ""},
	{"FDT creation failed! hanging...### ERROR ### Please RESET the board ###", "u-boot-dtb", ""},
	{"EXTLINUX FAILED: continuing...", "u-boot-extlinux", ""},
	{"Boot failed (err=-14)", "u-boot-bootflow", "-14"},
	{"(0 bootflows, 0 valid)", "u-boot-nothing", ""},
	{"Initramfs unpacking failed: invalid magic at start of compressed archive", "linux-initramfs", "invalid magic at start of compressed archive"},
	{`VFS: Cannot open root device "/dev/mmcblk0p5" or unknown-block(0,0): error -6`, "linux-no-root", "/dev/mmcblk0p5"},
	{"Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", "linux-no-root", ""},
	{"Kernel panic - not syncing: No working init found.  Try passing init= option to kernel.", "linux-no-init", ""},
	{"Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100", "linux-init-died", "exitcode=0x00000100"},
	{"Kernel panic - not syncing: Oops: Fatal exception in interrupt", "linux-panic", "Oops: Fatal exception in interrupt"},
	{"Internal error: Oops: 0000000096000004 [#1] SMP", "linux-oops", "Oops: 0000000096000004 [#1] SMP"},
	{"Warning: unable to open an initial console.", "linux-console", ""},
	{"mmc0: error -110 whilst initialising SD card", "linux-mmc", "mmc0: error -110 whilst initialising SD"},
	{"mtk_soc_eth 15100000.ethernet: can't request region for resource [mem 0x15400000-0x1577ffff]", "mtk-eth-region", ""},
	{"mtk_soc_eth 15100000.ethernet: probe with driver mtk_soc_eth failed with error -22", "mtk-eth", "-22"},
	{"rtc-pcf8563 2-0051: low voltage detected, date/time is not reliable.", "rtc-battery", ""},
	{"GPT:Alternate GPT header not at the end of the disk.", "gpt-end", ""},
	{"hwmon hwmon1: Undervoltage detected!", "undervoltage", ""},
	{"Timed out waiting for device /dev/disk/by-label/root, trying to mount anyway.", "initrd-device", "/dev/disk/by-label/root"},
	{"[ TIME ] Timed out waiting for device /dev/mmcblk0p5.", "initrd-device", "/dev/mmcblk0p5"},
	{"An error occurred in stage 1 of the boot process, which must mount the", "stage-1", ""},
	{"[DEPEND] Dependency failed for Local File Systems.", "depend", "Local File Systems"},
	{`You are in emergency mode. After logging in, type "journalctl -xb" to view`, "emergency", ""},
	{"Cannot open access to console, the root account is locked.", "root-locked", ""},
}

func TestMarks(t *testing.T) {
	seen := map[string]bool{}
	for _, tt := range marked {
		l, err := Read(strings.NewReader("NOTICE:  BL2: v2.12.0(release):\n" + tt.line + "\n"))
		if err != nil {
			t.Fatal(err)
		}
		var got Mark
		for _, m := range l.Boot().Marks {
			got = m
		}
		want := Mark{Code: tt.code, Stage: l.Boot().Reached(), Line: 2, Count: 1, Text: tt.line, What: tt.what}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%q: -want +got\n%s", tt.line, d)
		}
		seen[tt.code] = true
	}
	for i, f := range markForms {
		if !seen[f.code] {
			t.Errorf("no line is known that means %s", f.code)
		}
		for _, g := range markForms[:i] {
			if f.code == g.code {
				t.Errorf("%s is there twice", f.code)
			}
		}
		if n := strings.Count(f.what+f.do, "%s"); n > 1 || n == 1 && f.re == nil {
			t.Errorf("%s: nothing is found for its sentence", f.code)
		}
	}
	for _, o := range otherWords {
		if markOf(o.code).code == "" {
			t.Errorf("%q means %s, which is no code", o.has, o.code)
		}
	}
}

func TestText(t *testing.T) {
	for _, tt := range []struct {
		name, raw, want string
		bad             int
	}{
		{"plain", "U-Boot 2025.07", "U-Boot 2025.07", 0},
		{"colour", "[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mx\x1b[0m.", "[  OK  ] Started x.", 0},
		{"countdown", "autoboot:  2 \b\b\b 1 \b\b\b 0 ", "autoboot:  0", 0},
		{"more backspaces than text", "\b\b\bx", "x", 0},
		{"size of the screen", "\x1b7\x1b[r\x1b[999;999H\x1b[6n\x1b8No EFI", "No EFI", 0},
		{"title of the window", "\x1b]0;root@r: ~\x07[root@r:~]# ", "[root@r:~]#", 0},
		{"title that never ends", "\x1b]0;root", "", 0},
		{"bytes that are no text", "\x00\xff\xfeF0: 102B\xff", "F0: 102B", 4},
		{"writing from the right", "a\u202eb", "a\ufffdb", 3},
		{"tab", "1:\tNixOS", "1: NixOS", 0},
		{"escape at the end", "x\x1b", "x", 1},
	} {
		if got, bad := text([]byte(tt.raw)); got != tt.want || bad != tt.bad {
			t.Errorf("%s: %q and %d bad, want %q and %d", tt.name, got, bad, tt.want, tt.bad)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		line string
		want []string
	}{
		{"[    1.000000] one", []string{"[    1.000000] one"}},
		{"[  OK  ] Found device[   23.718701] mtdblock: two", []string{"[  OK  ] Found device", "[   23.718701] mtdblock: two"}},
		{"a[    1.000000] b[    2.000000][    T1] c", []string{"a", "[    1.000000] b", "[    2.000000][    T1] c"}},
		{"", []string{""}},
	} {
		if d := cmp.Diff(tt.want, split(tt.line)); d != "" {
			t.Errorf("%q: -want +got\n%s", tt.line, d)
		}
	}
}
