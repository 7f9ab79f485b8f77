package firmware_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/router"
)

var (
	switchPort = regexp.MustCompile(`port@\d+ \{[^{}]*\blabel = "([^"]+)"`)
	ethernet   = regexp.MustCompile(`\bethernet(\d) = "`)
	compatible = regexp.MustCompile(`(?m)^\tcompatible = "([^"\\]+)`)
)

// The ports of a profile are those of the board's real device tree: a switch's by their
// labels, which Linux takes for names, and the others by the aliases from which
// systemd's names come (end0 is ethernet0; systemd.net-naming-scheme(7)).
func TestPortsOfDeviceTrees(t *testing.T) {
	for id, file := range map[string]string{
		"bananapi-bpir4": "mt7988a-bananapi-bpi-r4.dtb",
		"bananapi-bpir3": "mt7986a-bananapi-bpi-r3.dtb",
	} {
		t.Run(id, func(t *testing.T) {
			tree, err := nstest.Output(exec.Command("dtc", "-q", "-I", "dtb", "-O", "dts", filepath.Join(lab.DeviceTrees(t, "mediatek"), file)))
			if err != nil {
				t.Fatal(err)
			}
			p := firmware.ProfileOf(id)
			if m := compatible.FindStringSubmatch(tree); m == nil || m[1] != p.Compatible {
				t.Errorf("the tree is of %q, the profile of %s", m, p.Compatible)
			}
			var want, got []string
			for _, m := range switchPort.FindAllStringSubmatch(tree, -1) {
				if m[1] != "cpu" { // towards the conduit, and no link
					want = append(want, m[1]+" of the switch")
				}
			}
			for _, m := range ethernet.FindAllStringSubmatch(tree, -1) {
				want = append(want, "end"+m[1])
			}
			for _, port := range board(t, id).Ports {
				text := string(port.Name)
				if port.Kind == router.PortDSA {
					text = fmt.Sprintf("%s of the switch", port.Name)
				}
				got = append(got, text)
			}
			slices.Sort(want)
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			if !strings.Contains(strings.Join(got, " "), "wan of the switch") {
				t.Errorf("no wan among %q", got)
			}
		})
	}
}

func board(t *testing.T, id string) *router.Board {
	t.Helper()
	for _, b := range firmware.Boards() {
		if b.ID == id {
			return b
		}
	}
	t.Fatalf("no board %s", id)
	return nil
}
