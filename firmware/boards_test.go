package firmware

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/router"
)

func TestBoards(t *testing.T) {
	var ids []string
	for _, b := range Boards() {
		ids = append(ids, b.ID)
		names := map[router.IfName]router.PortKind{}
		for _, p := range b.Ports {
			if _, dup := names[p.Name]; dup {
				t.Errorf("%s: port %s twice", b.ID, p.Name)
			}
			names[p.Name] = p.Kind
			var n router.IfName
			if err := n.UnmarshalText([]byte(p.Name)); err != nil {
				t.Errorf("%s: %v", b.ID, err)
			}
			if got := p.Addr.String(); got != "port."+string(p.Name) {
				t.Errorf("%s: port %s has the address %s", b.ID, p.Name, got)
			}
		}
		for _, p := range b.Ports {
			switch p.Kind {
			case router.PortDSA:
				if names[p.Conduit] != router.PortConduit {
					t.Errorf("%s: port %s: %q is no conduit", b.ID, p.Name, p.Conduit)
				}
			case router.PortNIC, router.PortSFP, router.PortWiFi, router.PortConduit:
				if p.Conduit != "" {
					t.Errorf("%s: port %s has a conduit", b.ID, p.Name)
				}
			default:
				t.Errorf("%s: port %s is of kind %q", b.ID, p.Name, p.Kind)
			}
		}
		if p := ProfileOf(b.ID); p.UEFI == nil && (!strings.HasPrefix(p.Image, "nixos-sd-") || !strings.HasSuffix(p.Image, "-v"+sbcVersion+".raw.zst")) {
			t.Errorf("%s: image %s", b.ID, p.Image)
		}
	}
	// The images that nixos-sbc makes (sdImages of its flake), the best known first; then what it
	// has nothing to do with.
	want := []string{"bananapi-bpir4", "bananapi-bpir3", "pine64-rock64v2", "pine64-rock64v3", "raspberrypi-rpi4", "xunlong-opi5b", "pc-x86_64"}
	if d := cmp.Diff(want, ids); d != "" {
		t.Error(d)
	}
}

// The modules of nixos-sbc (nixosModules.boards of its flake) are named so that a search finds the
// board, or why it is not one of nbr's.
func TestModulesOfSBC(t *testing.T) {
	var text strings.Builder
	for _, b := range Boards() {
		p := ProfileOf(b.ID)
		text.WriteString(" " + p.SBCModule + " " + strings.Join(p.Notes, " "))
	}
	for _, name := range []string{
		"bananapi.bpir3", "bananapi.bpir4", "pine64.rock64", "pine64.rock64v2", "pine64.rock64v3",
		"raspberrypi.rpi4", "xunlong.opi5", "xunlong.opi5b",
	} {
		if !regexp.MustCompile(`\bboards\.` + regexp.QuoteMeta(name) + `\b`).MatchString(text.String()) {
			t.Errorf("nothing is said of boards.%s", name)
		}
	}
}

func TestNotKnown(t *testing.T) {
	tests := []struct {
		name string
		p    Profile
		want []string
	}{
		{"all of it", Profile{
			BootSwitch: &Switch{},
			Ports:      []port{{Name: "end0", Kind: router.PortConduit, Mbps: 1}, {Name: "wan", Label: "WAN", Mbps: 1}, {Name: "wlan0", Kind: router.PortWiFi, Mbps: 1}},
		}, nil},
		{"no switch", Profile{}, []string{"What selects the boot medium: a switch, if there is one, and how it stands for each."}},
		{"ports", Profile{
			BootSwitch: &Switch{},
			Ports:      []port{{Name: "end0"}, {Name: "wan", Label: "WAN"}},
			Unknown:    []string{"More."},
		}, []string{"The label of end0 on the case.", "The speed of end0 and wan.", "More."}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, tt.p.NotKnown()); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestKernelText(t *testing.T) {
	for id, want := range map[string]string{
		"bananapi-bpir4":   "frank-w's kernel, Linux 6.12",
		"bananapi-bpir3":   "nixos-sbc's kernel, Linux 6.16",
		"pine64-rock64v3":  "the kernel of the NixOS release: Linux 6.12 in 25.11, Linux 6.18 in 26.05",
		"raspberrypi-rpi4": "the newest kernel of the NixOS release: Linux 6.17 to 7.2 in 25.11, Linux 7.0 to 7.2 in 26.05",
	} {
		if got := ProfileOf(id).KernelText(); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

func TestBoardsAreFresh(t *testing.T) {
	Boards()[0].Ports[0].Name = "changed"
	if got := Boards()[0].Ports[0].Name; got == "changed" {
		t.Error("a router changed the boards of all others")
	}
}

func TestParseBoards(t *testing.T) {
	const head = `[{"id": "b", "name": "B", "system": "aarch64-linux", "compatible": "b,b", "models": ["B"], "sbc_module": "boards.b", "image": "i", "cpus": 4,
		"firmware": {"uboot_attr": "u", "layout": [{"name": "root", "first": 34}]}, "ports": [{"name": "end0", "kind": "nic"}], `
	const pc = `[{"id": "b", "name": "B", "system": "x86_64-linux", "cpus": 1, `
	tests := []struct{ name, data, err string }{
		{"good", head + `"memory": [{"size": "1GiB", "min_total_kb": 1, "max_total_kb": 2}]}]`, ""},
		{"no processor", strings.Replace(head, `"cpus": 4`, `"cpus": 0`, 1) + `"memory": [{"size": "1GiB", "min_total_kb": 1, "max_total_kb": 2}]}]`, "no processor"},
		{"uefi", pc + `"uefi": {"image": "i", "file": "f", "esp": "900MiB", "generation": "64MiB", "has": ["IPV6"]}}]`, ""},
		{"uefi without room", pc + `"uefi": {"image": "i", "file": "f", "esp": "9MiB", "generation": "64MiB"}}]`, "incomplete: UEFI"},
		{"uefi and a module", pc + `"sbc_module": "b", "uefi": {"image": "i", "file": "f", "esp": "900MiB", "generation": "64MiB"}}]`, "incomplete: UEFI"},
		{"uefi with a module of the kernel", pc + `"uefi": {"image": "i", "file": "f", "esp": "900MiB", "generation": "64MiB", "has": ["WIREGUARD"]}}]`, "no option WIREGUARD"},
		{"neither", pc + `"firmware": {}}]`, "incomplete"},
		{"unknown field", head + `"memmory": []}]`, `unknown field "memmory"`},
		{"no memory", head + `"memory": []}]`, "no memory"},
		{"more than there is", head + `"memory": [{"size": "1MiB", "min_total_kb": 1, "max_total_kb": 2000}]}]`, "no range"},
		{"bad size", head + `"memory": [{"size": "1GB", "min_total_kb": 1, "max_total_kb": 2}]}]`, "no size"},
		{"flags for nothing", head + `"memory": [{"size": "1GiB", "min_total_kb": 1, "max_total_kb": 2, "atf_flags": ["A=1"]}]}]`, "no revision"},
		{"half a sentence", head + `"unknown": ["a"], "memory": [{"size": "1GiB", "min_total_kb": 1, "max_total_kb": 2}]}]`, "no sentence"},
		{"kernel without its options", head + `"kernel": {"series": "6.12", "has": ["NO_SUCH"]}, "memory": [{"size": "1GiB", "min_total_kb": 1, "max_total_kb": 2}]}]`, "NO_SUCH"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseBoards([]byte(tt.data))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}
