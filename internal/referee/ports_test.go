package referee_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// portNames are specs that call the network card of a guest of bench C, each by another way of
// knowing it. A guest's emulator has one card, in the slot behind its serial ports'.
var portNames = map[string]string{
	"outside": `
port "outside" {
  mac = "52:54:00:12:34:56"
}

network "outside" {
  link = port.outside
  ipv4 = "192.168.40.1/24"
}

zone "outside" {
  networks = [network.outside]
}
`,
	"inside": `
port "inside" {
  pci = "0000:00:02.0"
}

network "inside" {
  link = port.inside
  ipv4 = "192.168.40.1/24"
}

zone "inside" {
  networks = [network.inside]
}
`,
}

// linkDir is where a guest has the files of systemd.link(5) that the specs become.
const linkDir = "/links/"

// portFiles are the files of udev for bench C: those that the specs become, as NixOS writes them
// (unit-sections of nixos/lib/systemd-lib.nix), and the rules by which Debian's udev reads them.
func portFiles(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, spec := range portNames {
		g := fromText(t, spec)
		var text strings.Builder
		for section, option := range map[string]string{"Match": "matchConfig", "Link": "linkConfig"} {
			values, _ := g.at("systemd", "network", "links", "10-"+name, option).(map[string]any)
			if len(values) == 0 {
				t.Fatalf("%s: no %s", name, option)
			}
			fmt.Fprintf(&text, "[%s]\n", section)
			for _, key := range slices.Sorted(maps.Keys(values)) {
				fmt.Fprintf(&text, "%s=%v\n", key, values[key])
			}
		}
		files[linkDir+name] = write(t, text.String())
	}
	return files
}
