// Package udevtest has the real udev name the ports of a router, by the files of systemd.link(5)
// that Nix makes of specs.
package udevtest
