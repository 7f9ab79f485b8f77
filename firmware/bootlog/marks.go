package bootlog

import "regexp"

// A grade is what a troubling line means for the boot.
type grade int

const (
	note   grade = iota // good to know
	wrong               // the router runs, and something on it does not
	follow              // stops the boot, as a consequence of what was said before
	stop                // stops the boot
)

// A markForm is a troubling line, with what is likely behind it and what to do.
// %s in a sentence is what the expression found.
type markForm struct {
	code  string
	grade grade
	has   string         // must be in the line
	re    *regexp.Regexp // nil where that is enough
	what  string
	do    string
}

const (
	writeFIP = "Write fip.bin of the image's firmware to the partition fip, and read it back to compare"
	writeBL2 = "Write the whole image again, compare what was written, and try another card"
	rebuild  = "Stop U-Boot and choose an older entry of its menu; then rebuild, and look at the free space of /boot"
)

// markForms are in the order in which a board meets them.
var markForms = []markForm{
	// The boot ROM. In all public logs that end so the medium was empty, written
	// wrongly or not readable.
	{
		"rom-halt", stop, "System halt!", nil,
		"The boot ROM found nothing that it could start on the medium that the switch selects.",
		"Look at the boot switch (SW3 of a BPI-R4: 11 is SD, 10 eMMC, 01 SPI NAND), push the card in again, and write the image, unpacked, once more",
	},

	// TF-A: plat/mediatek/apsoc_common, drivers/partition/gpt.c, drivers/io/io_fip.c,
	// common/bl_common.c, bl2/bl2_image_load_v2.c. Images 3 and 5 are BL31 and BL33
	// (include/common/tbbr/tbbr_img_def.h).
	{
		"bl2-no-memory", stop, "EMI: Detected DRAM size: 0", regexp.MustCompile(`DRAM size: 0 ?MB`),
		"BL2 found no memory: it was built for another kind of DRAM than the board has.",
		"Use the BL2 of this very board, built with DRAM_USE_COMB=1 for a BPI-R4",
	},
	{
		"bl2-memory-test", stop, "R/W mem test fail", nil,
		"The memory failed BL2's test: a wrong setting (DDR4_4BG_MODE=1 on a board without 8 GB), or a broken board.",
		"Use the BL2 for the board's size of memory",
	},
	{
		"bl2-read", stop, "MSDC: ", regexp.MustCompile(`MSDC: (.*)`),
		"BL2 could not read the card or the eMMC.",
		writeBL2,
	},
	// drivers/mmc/mmc.c, and …/bl2/bl2_dev_*_init.c and bl2_boot_nand.c.
	{
		"bl2-storage", stop, "ERROR: ", regexp.MustCompile(`^ERROR: +((?:A?CMD\d+ failed after|Device not ready after|nand_read\(.*\) failed with|\w+_init\(\) failed with) .*)`),
		"BL2 got no answer from the card, the eMMC or the flash that it was built for (%s).",
		"Push the card in again and try another one; look whether the BL2 is for the medium that the switch selects",
	},
	{
		"bl2-gpt", stop, "GPT", regexp.MustCompile(`Failed to (?:retrieve Backup GPT header|initialize GPT partitions|load gpt partition)`),
		"BL2 cannot read the partition table, neither the first nor the one at the end of the medium.",
		writeBL2,
	},
	// …/partition.c with a LOG_LEVEL of 40 (it says nothing below), U-Boot's disk/part_efi.c
	// until 2024.04, and Linux' block/partitions/efi.c.
	{
		"gpt-backup", wrong, "GPT", regexp.MustCompile(`Trying to retrieve back-up GPT header|Using Backup GPT|Primary GPT is invalid, using alternate GPT`),
		"The first partition table is damaged, and the copy at the end of the medium is used in its place.",
		"sgdisk -e on the medium, in another machine, writes the first one from it; it must be at LBA 1 as the boot ROM looks there",
	},
	{
		"u-boot-gpt", note, "Invalid Backup GPT", nil,
		"U-Boot found no partition table on a medium, neither the first nor the copy at its end.",
		"Nothing, if that medium is empty",
	},
	{
		"bl2-no-fip", stop, "' not found", regexp.MustCompile(`Partition '(fip)' not found`),
		"There is no partition called fip, which is how BL2 looks for BL31 and U-Boot.",
		"Write an image with the right partition table: names are what counts, not numbers",
	},
	{
		"bl2-fip-header", stop, "Firmware Image Package header check failed", nil,
		"The partition fip does not begin with a firmware package.",
		writeFIP,
	},
	{
		"bl2-fip-size", stop, "size out of bounds", regexp.MustCompile(`Image id=(\d+) size out of bounds`),
		"Image %s of the firmware package (3 is BL31, 5 is U-Boot) is larger than BL2 takes.",
		"Make U-Boot smaller or compress it, and keep the package below the 2 MiB of its partition",
	},
	{
		"bl2-fip-hash", stop, "BL2: Failed to load image id", regexp.MustCompile(`BL2: Failed to load image id (\d+) \(-80\)`),
		"Image %s of the firmware package (3 is BL31, 5 is U-Boot) does not have the hash or signature that BL2 wants.",
		writeFIP,
	},
	{
		"bl2-unpack", stop, "Failed to decompress image", nil,
		"An image of the firmware package cannot be unpacked: it was damaged or written only in part.",
		writeFIP,
	},
	{
		"bl2-no-bl31", follow, "BL2: Failed to load image id 3", nil,
		"The firmware package has no BL31 that BL2 can load.",
		writeFIP,
	},
	{
		"bl2-no-u-boot", follow, "BL2: Failed to load image id 5", nil,
		"The firmware package has no U-Boot that BL2 can load.",
		writeFIP,
	},
	{
		"bl2-fip-source", follow, "FIP boot source initialization failed", nil,
		"BL2 cannot get at the firmware package on its medium.",
		writeBL2,
	},
	{
		"bl2-uart", stop, "Starting UART download handshake", nil,
		"This BL2 is the one for rescue: it takes the firmware package from the serial port, which has to be sent.",
		"Send fip.bin with mtk_uartboot, or write a BL2 that was built for the medium",
	},
	{
		"tf-a-panic", follow, "PANIC at PC", nil,
		"TF-A gave up.",
		writeBL2,
	},

	// U-Boot SPL, common/spl/spl.c and spl_mmc.c; U-Boot's TPL for Rockchip.
	{
		"tpl-memory", stop, "data training error", nil,
		"The memory could not be trained: U-Boot's TPL has settings for another kind of DRAM.",
		"Use the firmware of this very variant of the board, or Rockchip's own blob for the memory",
	},
	{
		"spl-mmc", note, "spl: mmc init failed", regexp.MustCompile(`spl: mmc init failed with error: (-?\d+)`),
		"U-Boot's SPL could not read one of the cards (error %s).",
		"Nothing, if that slot is empty",
	},
	{
		"spl-nothing", stop, "SPL: failed to boot from all boot devices", nil,
		"U-Boot's SPL found no U-Boot on any medium.",
		"Write u-boot.itb to its sector (16384 on Rockchip), and push the card in again",
	},

	// U-Boot: arch/arm/lib/interrupts_64.c, fs/fs.c, boot/pxe_utils.c, boot/bootm.c,
	// boot/image-board.c, cmd/booti.c, cmd/bootflow.c. What follows a failure in
	// extlinux was tried with U-Boot 2023.01 in qemu.
	{
		"u-boot-mmc-abort", stop, `"Synchronous Abort" handler`, regexp.MustCompile(`^MMC: +"Synchronous Abort" handler`),
		"U-Boot died in the start of the MMC. U-Boot 2025.07 does that on the MT7986 (nixos-sbc issue 46).",
		"Use U-Boot 2025.04 on a BPI-R3, which nbr gen does by itself",
	},
	{
		"u-boot-abort", stop, `"Synchronous Abort" handler`, regexp.MustCompile(`"Synchronous Abort" handler, (esr 0x[0-9a-f]+)`),
		"U-Boot died of an access to memory that it must not touch (%s): it was overwritten by a file that it loaded, or has a bug.",
		"Look at the lines before: what was loaded last, and where to; and compare the memory that U-Boot saw with what the board has",
	},
	{
		"u-boot-no-card", note, "Card did not respond to voltage select", nil,
		"A card slot or the eMMC did not answer.",
		"Nothing, if that slot is empty",
	},
	{
		"u-boot-file", stop, "** File not found", regexp.MustCompile(`\*\* File not found (\S+) \*\*`),
		"U-Boot cannot find %s, which its boot menu names.",
		rebuild,
	},
	{
		"u-boot-retrieve", follow, "Skipping ", regexp.MustCompile(`^Skipping .* for failure retrieving (.*)`),
		"U-Boot could not load the %s of the chosen entry.",
		rebuild,
	},
	{
		"u-boot-kernel", stop, "Bad Linux ARM64 Image magic!", nil,
		"The kernel on the medium is none, or is damaged.",
		rebuild,
	},
	{
		"u-boot-initrd-size", stop, "ramdisk - allocation error", nil,
		"A file does not fit into the memory that U-Boot has for it: the initrd is too large, or U-Boot sees less memory than there is.",
		"Make the initrd smaller (boot.initrd, compression) and look at the DRAM line of U-Boot",
	},
	{
		"u-boot-initrd", stop, "Ramdisk image is corrupt or invalid", nil,
		"The initrd on the medium is damaged.",
		rebuild,
	},
	{
		"u-boot-dtb", stop, "Did not find a cmdline Flattened Device Tree", nil,
		"U-Boot has no device tree for the kernel.",
		"Look for mediatek/mt7988a-bananapi-bpi-r4.dtb, or that of the board, below FDTDIR of extlinux.conf",
	},
	{
		"u-boot-extlinux", follow, "EXTLINUX FAILED", nil,
		"What extlinux.conf says could not be booted.",
		rebuild,
	},
	{
		"u-boot-bootflow", follow, "Boot failed (err=", regexp.MustCompile(`Boot failed \(err=(-?\d+)\)`),
		"U-Boot tried an entry and came back (error %s).",
		rebuild,
	},
	{
		"u-boot-nothing", stop, "(0 bootflows, 0 valid)", nil,
		"U-Boot looked at all media and found no extlinux.conf.",
		"Look at the medium: the root partition must be there, with the legacy-BIOS-bootable attribute, and hold /boot/extlinux/extlinux.conf",
	},

	// Linux: init/do_mounts.c, init/main.c, kernel/panic.c, kernel/exit.c,
	// init/initramfs.c, arch/arm64/mm/fault.c.
	{
		"linux-initramfs", stop, "Initramfs unpacking failed", regexp.MustCompile(`Initramfs unpacking failed: (.*)`),
		"Linux cannot unpack the initrd (%s): it was loaded only in part, or its compression is not in the kernel.",
		rebuild,
	},
	{
		"linux-no-root", stop, "VFS: ", regexp.MustCompile(`VFS: (?:Cannot open root device "([^"]*)"|Unable to mount root fs)`),
		"Linux found no root file system, and had no initrd that would find it.",
		"Look at INITRD in extlinux.conf, and that it was loaded; the driver of the medium has to be built in or in the initrd",
	},
	{
		"linux-no-init", stop, "No working init found", nil,
		"The root file system has no program to start with.",
		rebuild,
	},
	{
		"linux-init-died", stop, "Attempted to kill init!", regexp.MustCompile(`^Kernel panic - not syncing: Attempted to kill init! ?(\S*)`),
		"The first program ended (%s), which it must not: the init script of the initrd failed before it could say why, or has no console to say it on.",
		"Look at the lines before; \"unable to open an initial console\" means that console= or the initrd's /dev is wrong. Add boot.shell_on_fail to the kernel's command line",
	},
	{
		"linux-panic", follow, "Kernel panic - not syncing", regexp.MustCompile(`^Kernel panic - not syncing: (.*)`),
		"Linux gave up: %s.",
		"Choose an older entry of U-Boot's menu",
	},
	{
		"linux-oops", wrong, "Internal error: Oops", regexp.MustCompile(`Internal error: (.*)`),
		"Linux met a bug of its own (%s).",
		"Read the call trace below it: the first function that is no part of the core names the driver",
	},
	{
		"linux-console", note, "unable to open an initial console", nil,
		"The first program has no console, so nothing that it says is seen.",
		"Look at console= on the kernel's command line, and that the initrd has /dev/console",
	},
	{
		"linux-mmc", wrong, "whilst initialising ", regexp.MustCompile(`^(mmc\d+: error -?\d+ whilst initialising \S+)`),
		"Linux cannot start a card or the eMMC (%s).",
		"Try another card; look whether the device tree is that of the medium (a BPI-R4 has an overlay for SD and one for eMMC)",
	},

	// drivers/net/ethernet/mediatek, drivers/rtc/rtc-pcf8563.c, block/partitions/efi.c,
	// drivers/hwmon/raspberrypi-hwmon.c.
	{
		"mtk-eth-region", wrong, "can't request region", regexp.MustCompile(`(?:mtk_soc_eth|15100000\.ethernet).*can't request region`),
		"The Ethernet driver found its registers taken and gave up: there will be no port at all.",
		"rmmod mtk_eth; modprobe mtk_eth, and a reboot if that does not help",
	},
	{
		"mtk-eth", wrong, "mtk_soc_eth", regexp.MustCompile(`mtk_soc_eth .*(?:failed with error|error) (-\d+)`),
		"The Ethernet driver gave up (error %s): there will be no port at all.",
		"Use the kernel that nixos-sbc has for the board: the device tree that Linux 6.12 itself has for the BPI-R4 is without Ethernet",
	},
	{
		"rtc-battery", note, "low voltage detected, date/time is not reliable", nil,
		"The clock has no battery, or an empty one.",
		"Nothing, if none is fitted: the time comes from NTP",
	},
	{
		"gpt-end", note, "Alternate GPT header not at the end of the disk", nil,
		"The medium is larger than the image, and the copy of the partition table is not at its end yet.",
		"Nothing: the first boot grows the root partition",
	},
	{
		"undervoltage", wrong, "ndervoltage detected", nil,
		"The power supply is too weak.",
		"Use the supply that the board's maker names",
	},

	// nixpkgs, stage-1-init.sh; systemd, units/emergency.service and src/core/job.c.
	{
		"initrd-device", stop, "Timed out waiting for device", regexp.MustCompile(`Timed out waiting for device ([^\s,]+)`),
		"The device %s of a file system never came.",
		"Compare its name with the medium (blkid on another machine); look whether the driver of the medium is in the initrd",
	},
	{
		"stage-1", follow, "An error occurred in stage 1 of the boot process", nil,
		"The initrd could not mount the root file system.",
		"Look at the lines before; r reboots, * goes on",
	},
	{
		"depend", follow, "[DEPEND] ", regexp.MustCompile(`^\[DEPEND\] (?:Dependency failed for )?(.*)`),
		"%s was not started, because of something that it needs.",
		"Look at the [FAILED] and [ TIME ] lines before it",
	},
	{
		"emergency", follow, "You are in emergency mode", nil,
		"systemd gave up and waits for root at the console.",
		"Log in, and: systemctl --failed; journalctl -xb",
	},
	{
		"root-locked", note, "the root account is locked", nil,
		"No login is possible at the emergency prompt: root has no password.",
		"Choose an older entry of U-Boot's menu, or boot with init=/bin/sh",
	},
}

// otherWords are more lines of the same meaning: of older and newer U-Boots
// (boot/bootm.c, boot/image-board.c, boot/image-fit.c, fs/fs.c, arch/arm/mach-rockchip/tpl.c).
var otherWords = []struct{ has, code string }{
	{"Wrong Image Format for", "u-boot-kernel"},
	{"Wrong Image Type for", "u-boot-kernel"},
	{"can't get kernel image!", "u-boot-kernel"},
	{"unknown image format type!", "u-boot-kernel"},
	{"Bad Data Hash", "u-boot-kernel"},
	{"Bad Data CRC", "u-boot-kernel"},
	{"DRAM init failed", "tpl-memory"},
	{"RD image overlaps OS image", "u-boot-initrd-size"},
	{"Reading file would overwrite reserved memory", "u-boot-initrd-size"},
	{"Wrong Ramdisk Image Format", "u-boot-initrd"},
	{"FDT creation failed! hanging", "u-boot-dtb"},
	{"FDT and ATAGS support not compiled in", "u-boot-dtb"},
	{"No bootable device", "u-boot-nothing"},
}

func markOf(code string) markForm {
	for _, f := range markForms {
		if f.code == code {
			return f
		}
	}
	return markForm{}
}
