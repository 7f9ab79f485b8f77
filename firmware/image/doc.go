// Package image reads what is on a boot medium before anything runs: the partition
// table, MediaTek's BL2, the FIP with Trusted Firmware-A and U-Boot, the loaders of
// Rockchip boards and the FAT partition of a Raspberry Pi. It says what is there
// and what is wrong with it, as data; what a spec promises is not its business.
//
// An image is read once, from its beginning to its end, and of a compressed one
// nothing is kept but the part that the firmware is in and the end, which has the
// second partition table. No input makes it panic or read past what it holds.
//
// It reads partition tables itself: go-diskfs takes the second table when the first
// is damaged, and looks at the second only then, while a table that is damaged or
// missing is exactly what has to be named here.
package image
