package image

import "fmt"

// A Code names a kind of finding. It does not change.
type Code string

// The codes.
const (
	GPTPrimary       Code = "gpt-primary-missing"
	GPTPrimaryCRC    Code = "gpt-primary-crc"
	GPTPrimaryField  Code = "gpt-primary-field"
	GPTBackupMissing Code = "gpt-backup-missing"
	GPTBackupCRC     Code = "gpt-backup-crc"
	GPTBackupField   Code = "gpt-backup-field"
	GPTBackupDiffers Code = "gpt-backup-differs"
	GPTBackupPlace   Code = "gpt-backup-place"
	GPTMBR           Code = "gpt-mbr"
	GPTBounds        Code = "gpt-bounds"
	GPTCutOff        Code = "gpt-cut-off"
	GPTOverlap       Code = "gpt-overlap"
	PartitionName    Code = "partition-name"
	PartitionTwice   Code = "partition-twice"
	PartitionMissing Code = "partition-missing"
	PartitionBoot    Code = "partition-bootable"
	PartitionUnread  Code = "partition-unread"
	BL2Missing       Code = "bl2-missing"
	BL2Medium        Code = "bl2-medium"
	BL2Device        Code = "bl2-device-header"
	BL2Layout        Code = "bl2-brlyt"
	BL2Chain         Code = "bl2-gfh"
	BL2FileInfo      Code = "bl2-file-info"
	BL2AArch64       Code = "bl2-aarch64"
	BL2Size          Code = "bl2-size"
	BL2Hash          Code = "bl2-hash"
	BL2Hidden        Code = "bl2-4bg-unknown"
	FIPMissing       Code = "fip-missing"
	FIPHeader        Code = "fip-header"
	FIPToC           Code = "fip-toc"
	FIPTruncated     Code = "fip-truncated"
	FIPBounds        Code = "fip-bounds"
	FIPOverlap       Code = "fip-overlap"
	FIPTwice         Code = "fip-twice"
	FIPNoBL31        Code = "fip-no-bl31"
	FIPNoBL33        Code = "fip-no-bl33"
	FIPTooLarge      Code = "fip-too-large"
	BL33TooLarge     Code = "bl33-too-large"
	FIPSwapped       Code = "fip-swapped"
	FIPUnpack        Code = "fip-unpack"
	BL31Packed       Code = "bl31-packed"
	BL33Packed       Code = "bl33-packed"
	RockchipLoader   Code = "rockchip-idbloader"
	RockchipUBoot    Code = "rockchip-u-boot"
	RaspberryFAT     Code = "raspberry-fat"
)

// kinds are what a code means in a few words, and whether it is only worth a note:
// the image boots all the same.
var kinds = map[Code]struct {
	what string
	note bool
}{
	GPTPrimary:       {"the first partition table is missing", false},
	GPTPrimaryCRC:    {"the first partition table is damaged", false},
	GPTPrimaryField:  {"the first partition table has a wrong field", false},
	GPTBackupMissing: {"the second partition table is missing", false},
	GPTBackupCRC:     {"the second partition table is damaged", false},
	GPTBackupField:   {"the second partition table has a wrong field", false},
	GPTBackupDiffers: {"the two partition tables differ", false},
	GPTBackupPlace:   {"the second partition table is not at the end", true},
	GPTMBR:           {"the protective MBR is missing", false},
	GPTBounds:        {"a partition is out of bounds", false},
	GPTCutOff:        {"the image is cut off", false},
	GPTOverlap:       {"two partitions overlap", false},
	PartitionName:    {"a partition has the wrong name", false},
	PartitionTwice:   {"two partitions have one name", false},
	PartitionMissing: {"a partition is missing", false},
	PartitionBoot:    {"a partition has the wrong attributes", false},
	PartitionUnread:  {"a partition was not read", true},
	BL2Missing:       {"there is no BL2", false},
	BL2Medium:        {"the BL2 is for another medium", false},
	BL2Device:        {"the BL2's device header is wrong", false},
	BL2Layout:        {"the BL2's layout header is wrong", false},
	BL2Chain:         {"the BL2's chain of headers is wrong", false},
	BL2FileInfo:      {"the BL2's FILE_INFO is wrong", false},
	BL2AArch64:       {"the BL2 is not started as 64-bit code", false},
	BL2Size:          {"the BL2 is cut off", false},
	BL2Hash:          {"the BL2 is damaged", false},
	BL2Hidden:        {"the BL2 does not show its memory mode", true},
	FIPMissing:       {"there is no FIP", false},
	FIPHeader:        {"the FIP's header is wrong", false},
	FIPToC:           {"the FIP's table of contents is wrong", false},
	FIPTruncated:     {"the FIP is cut off", false},
	FIPBounds:        {"an entry of the FIP is out of bounds", false},
	FIPOverlap:       {"two entries of the FIP overlap", false},
	FIPTwice:         {"the FIP has an entry twice", false},
	FIPNoBL31:        {"the FIP has no BL31", false},
	FIPNoBL33:        {"the FIP has no BL33", false},
	FIPTooLarge:      {"the FIP is too large", false},
	BL33TooLarge:     {"BL33 is too large", false},
	FIPSwapped:       {"BL31 and BL33 are swapped", false},
	FIPUnpack:        {"a program of the FIP cannot be unpacked", false},
	BL31Packed:       {"BL31 is compressed", true},
	BL33Packed:       {"BL33 is compressed", true},
	RockchipLoader:   {"there is no idbloader", false},
	RockchipUBoot:    {"there is no U-Boot", false},
	RaspberryFAT:     {"there is no FAT file system", false},
}

// A Finding is something that is not as it should be.
type Finding struct {
	Code   Code   `json:"code"`
	Note   bool   `json:"note"`   // it boots all the same
	What   string `json:"what"`   // in a few words, the same for all of one code
	Detail string `json:"detail"` // which value, which rule, what to do
}

// findings collects.
type findings []Finding

func (fs *findings) add(code Code, format string, args ...any) {
	k := kinds[code]
	*fs = append(*fs, Finding{code, k.note, k.what, fmt.Sprintf(format, args...)})
}
