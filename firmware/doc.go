// Package firmware owns what is below the operating system: the boards as
// data, Trusted Firmware-A, U-Boot, the kernel and its options, and the patch
// that brings the same to a fork of nixos-sbc. It turns the claims of all other
// blocks on the kernel into a configuration, and refuses those that no kernel
// could satisfy. It knows boards by their data only: a new board is a new
// entry in boards.json.
package firmware
