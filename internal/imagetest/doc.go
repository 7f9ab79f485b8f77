// Package imagetest boots an image. It is in the layout of nixos-sbc and made by the tools that
// make those, U-Boot starts from it on an emulated machine, and the router that comes up judges
// the disk that it came from: before and after, nbr says the same.
package imagetest
