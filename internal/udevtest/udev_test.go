package udevtest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/service/all"
)

// ports are port blocks that call the network card of a guest by their labels, each by another
// way of knowing it. Its emulator has one card, in the slot behind its serial ports'.
var ports = map[string]string{
	"outside": `mac = "52:54:00:12:34:56"`,
	"inside":  `pci = "0000:00:02.0"`,
}

// spec is a router with one port.
func spec(name, which string) string {
	return fmt.Sprintf(`router "r" {
  board         = "pc-x86_64"
  state_version = "26.05"
  console_only  = true
}

port "%[1]s" {
  %[2]s
}

network "%[1]s" {
  link = port.%[1]s
  ipv4 = "192.168.40.1/24"
}

zone "%[1]s" {
  networks = [network.%[1]s]
}
`, name, which)
}

// linkDir is where the guest has the files of systemd.link(5) that the specs become.
const linkDir = "/links/"

// TestUdev has a guest with the real udev. Its test is in guest_amd64_test.go.
func TestUdev(t *testing.T) {
	t.Parallel()
	files := lab.Tools(t, "/usr/lib/systemd/systemd-udevd", "/usr/bin/udevadm", "/usr/bin/ip",
		"/usr/lib/udev/rules.d/75-net-description.rules", "/usr/lib/udev/rules.d/80-net-setup-link.rules", "/usr/lib/systemd/network/99-default.link")
	dir := t.TempDir()
	for name, which := range ports {
		file := filepath.Join(dir, name+".link")
		if err := os.WriteFile(file, linkFile(t, name, which), 0o644); err != nil {
			t.Fatal(err)
		}
		files[linkDir+name] = file
	}
	lab.Guest{Arch: lab.AMD64, Copy: files, Modules: []string{"8021q", "virtio_net"}}.Test(t)
}

// linkFile is what Nix makes of a port, written as NixOS writes its options (attrsToSection of
// nixos/lib/systemd-lib.nix).
func linkFile(t *testing.T, name, which string) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "router.hcl"), []byte(spec(name, which)), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out")
	var said bytes.Buffer
	if code := cmd.Run(context.Background(), cmd.Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said, Source: nbr.Source()}, []string{"gen", "-o", out, dir}, all.Kinds()...); code != 0 {
		t.Fatal(said.String())
	}
	var file struct{ MatchConfig, LinkConfig map[string]any }
	lab.Nix(t).EvalFlakeJSON(t, out, fmt.Sprintf("nixosConfigurations.r.config.systemd.network.links.%q", "10-"+name),
		map[string]string{"nixpkgs": standin.Inputs(t, "26.05")["nixpkgs"]}, &file)
	var b bytes.Buffer
	for i, section := range []map[string]any{file.MatchConfig, file.LinkConfig} {
		if len(section) == 0 {
			t.Fatalf("%s: %+v", name, file)
		}
		fmt.Fprintf(&b, "[%s]\n", []string{"Match", "Link"}[i])
		for _, key := range slices.Sorted(maps.Keys(section)) {
			fmt.Fprintf(&b, "%s=%v\n", key, section[key])
		}
	}
	return b.Bytes()
}
