#!/bin/sh
# make.sh OUT [MEDIUM [ROOT]] makes a small image in the layout of nixos-sbc for a
# BPI-R4 with 8 GiB, with Debian's tools. Its BL2 is for sdmmc or another medium; ROOT
# is a file system, at most 4 MiB. $BL2 is its program, if not the one of $BL2_8GIB.
set -e
PATH=$PATH:/usr/sbin
out=$1 dir=$(mktemp -d)
trap 'rm -r "$dir"' EXIT
cp "${BL2:-$BL2_8GIB}" "$dir/bl2.bin"
printf '%s\n' 'v2.13.0(release):' >"$dir/bl31.bin"
# The device tree that U-Boot has at its end: a root with nothing but compatible.
{
	printf 'U-Boot 2025.07-1i3dxjd46ny9ir63n9qy6bxg5vzz78jj (Jan 01 1980)\0'
	printf '\320\015\376\355\0\0\0\163\0\0\0\070\0\0\0\150\0\0\0\050\0\0\0\021\0\0\0\020\0\0\0\0\0\0\0\013\0\0\0\060\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
	printf '\0\0\0\001\0\0\0\0\0\0\0\003\0\0\0\024\0\0\0\0mediatek,mt7988-rfb\0\0\0\0\002\0\0\0\011compatible\0'
} >"$dir/u-boot.bin"
mkimage -q -T mtk_image -a 0x201000 -e 0x201000 -n "media=${2:-sdmmc};arm64=1" -d "$dir/bl2.bin" "$dir/bl2.img"
fiptool create --soc-fw "$dir/bl31.bin" --nt-fw "$dir/u-boot.bin" "$dir/fip.bin"
rm -f "$out"
truncate -s $((${SECTORS:-25699} * 512)) "$out"
sgdisk -o --set-alignment=2 -U 6B7A1C52-0D4E-4E0B-9A0C-2F31A5C0D1E0 -n 1:34:8191 -c 1:bl2 -A 1:set:2 -n 2:8192:9215 -c 2:u-boot-env -n 3:9216:13311 -c 3:factory \
	-n 4:13312:17407 -c 4:fip -n 5:17408:$((${SECTORS:-25699} - 100)) -c 5:root -A 5:set:2 "$out" >/dev/null
dd conv=notrunc status=none if="$dir/bl2.img" of="$out" seek=34
dd conv=notrunc status=none if="$dir/fip.bin" of="$out" seek=13312
if [ -n "$3" ]; then dd conv=notrunc,sparse status=none if="$3" of="$out" bs=512 seek=17408; fi
