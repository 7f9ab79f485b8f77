package pins_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// The names of systems as nixpkgs makes them: of a flake, of a flake without git, of a
// channel and of nothing.
func TestFromSystem(t *testing.T) {
	for path, want := range map[string]string{
		"/nix/store/1zq0a3ybnkwd3l1h0rj5wp2s9v7c6x4d-nixos-system-bpi-r4-26.05.20260925.f5c082a":             "f5c082a of 2026-09-25",
		"/nix/store/1zq0a3ybnkwd3l1h0rj5wp2s9v7c6x4d-nixos-system-a-25.11.20250101.x-26.05.20260925.f5c082a": "f5c082a of 2026-09-25",
		"/nix/store/1zq0a3ybnkwd3l1h0rj5wp2s9v7c6x4d-nixos-system-r-26.05.20260925.dirty":                    "",
		"/nix/store/1zq0a3ybnkwd3l1h0rj5wp2s9v7c6x4d-nixos-system-r-26.05.20261399.f5c082a":                  "",
		"/nix/store/1zq0a3ybnkwd3l1h0rj5wp2s9v7c6x4d-nixos-system-r-26.05.1234.f5c082a40f75":                 "",
		"/nix/store/1zq0a3ybnkwd3l1h0rj5wp2s9v7c6x4d-nixos-system-r-26.05":                                   "",
		"": "",
	} {
		k, got := pins.FromSystem(path), ""
		if l, ok := k.Inputs["nixpkgs"]; ok {
			got = l.Rev + " of " + l.Time().Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func load(t *testing.T, board, memory, more string) *service.Spec {
	t.Helper()
	reg := &service.Registry{Kinds: []service.Kind{firmware.Kind()}, Boards: firmware.Boards()}
	spec, diags := reg.Load(fstest.MapFS{"router.hcl": {Data: []byte(`router "r" {
  board         = "` + board + `"
  memory        = "` + memory + `"
  state_version = "26.05"
  console_only  = true
}
` + more)}}, nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return spec
}

// Each line: the pin, its state, its day and who chose it.
func TestOf(t *testing.T) {
	nixpkgs, _ := flake.Pinned("nixpkgs", "26.05")
	other, _ := flake.Pinned("nixos-sbc", "26.05")
	inputs := []flake.Input{nixpkgs, other, {Name: "mine", URL: "github:me/mine/f5c082a40f7571c266e74e80ae2e68aadd8a9fc7"}, {Name: "theirs", URL: "github:they/theirs"}}
	all := strings.Join([]string{
		"nixpkgs f5c082a40f75 2026-09-25 nbr",
		"nixos-sbc c02755d8ba2e 2025-12-31 nbr",
		"mine f5c082a40f75 2026-09-25 nbr", // a revision that is known has its day wherever it is
		"theirs not known - nbr",
		"nbr " + nbr.Version + " - nbr", // its source is in the tree
	}, "\n") + "\n"
	known := pins.Known{From: "flake.lock", Inputs: map[string]flake.Locked{
		"nixpkgs": {Rev: "0123456789abcdef"}, "theirs": {Rev: "fedc", LastModified: 1795132800}, "nixos-sbc": {Rev: "another", LastModified: 1},
		"nbr": {Rev: "of a tree that had it as an input", LastModified: 1},
	}}
	tests := []struct {
		name  string
		spec  *service.Spec
		known pins.Known
		want  string
	}{
		{"the first board", load(t, "bananapi-bpir4", "4GiB", ""), pins.Known{}, all +
			"kernel 6.12.63-bpi-r4 2025-12-30 nixos-sbc\nTF-A 2.12.0-mtk 2025-03-12 nixos-sbc\nU-Boot 2025.07 2025-07-07 nixos-sbc"},
		{"with the flag", load(t, "bananapi-bpir4", "8GiB", ""), pins.Known{}, all +
			"kernel 6.12.63-bpi-r4 2025-12-30 nixos-sbc\nTF-A 2.13.0-mtk 2025-07-11 nbr\nU-Boot 2025.07 2025-07-07 nixos-sbc"},
		{"a kernel of nixos-sbc's nixpkgs", load(t, "bananapi-bpir3", "2GiB", ""), pins.Known{}, all +
			"kernel 6.16 2025-08-19 nixos-sbc\nTF-A not known - nixos-sbc\nU-Boot 2025.04 2025-04-07 nbr"},
		{"a kernel of nixpkgs", load(t, "pine64-rock64v3", "4GiB", ""), pins.Known{}, all +
			"kernel the kernel of NixOS 26.05, Linux 6.18 - nixpkgs\nU-Boot 2025.07 2025-07-07 nixos-sbc"},
		{"by choice", load(t, "bananapi-bpir4", "4GiB", `firmware { kernel = "nixpkgs-latest" }`), pins.Known{}, all +
			"kernel the newest kernel of NixOS 26.05, Linux 7.0 to 7.2 - nixpkgs\nTF-A 2.12.0-mtk 2025-03-12 nixos-sbc\nU-Boot 2025.07 2025-07-07 nixos-sbc"},
		{"sources of the spec's", load(t, "bananapi-bpir4", "8GiB", `firmware {
  kernel_source {
    version = "6.12.117-bpi-r4"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  }
  atf_source {
    version = "2.14.0"
    rev     = "0123456789abcdef0123456789abcdef01234567"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    date    = "2026-01-23"
  }
  uboot_source {
    version = "2025.04"
    hash    = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
    date    = "2025-04-07"
  }
}`), pins.Known{}, all +
			"kernel 6.12.117-bpi-r4 - the spec\nTF-A 2.14.0 2026-01-23 the spec\nU-Boot 2025.04 2025-04-07 the spec"},
		// What the URL pins, no lock file moves; a revision of no known day has none.
		{"a lock file", load(t, "pine64-rock64v3", "4GiB", ""), known, strings.Join([]string{
			"nixpkgs 0123456789ab - flake.lock", "nixos-sbc c02755d8ba2e 2025-12-31 nbr", "mine f5c082a40f75 2026-09-25 nbr", "theirs fedc 2026-11-20 flake.lock",
			"nbr " + nbr.Version + " - nbr", "kernel the kernel of NixOS 26.05, Linux 6.18 - nixpkgs", "U-Boot 2025.07 2025-07-07 nixos-sbc",
		}, "\n")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, p := range pins.Of(tt.spec, inputs, tt.known) {
				day := "-"
				if !p.Date.IsZero() {
					day = p.Date.Format(time.DateOnly)
				}
				got = append(got, strings.Join([]string{p.Name, p.State, day, p.By}, " "))
				if p.For == "" && p.Name != "mine" && p.Name != "theirs" || p.Move == "" || p.Source == "" || p.At.Filename == "" {
					t.Errorf("%s lacks something: %+v", p.Name, p)
				}
				if p.Exposed != (p.Name == "nixpkgs" || p.Name == "kernel" && p.By != "nixpkgs") {
					t.Errorf("%s faces the network: %v", p.Name, p.Exposed)
				}
			}
			if d := cmp.Diff(strings.Split(tt.want, "\n"), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The age is counted in days of the calendar, and a pin of tomorrow is not old.
func TestAge(t *testing.T) {
	p := pins.Pin{Date: time.Date(2026, 9, 25, 23, 59, 0, 0, time.UTC)}
	for today, want := range map[string]int{"2026-09-24": 0, "2026-09-25": 0, "2026-09-26": 1, "2026-12-25": 91} {
		day, err := time.Parse(time.DateOnly, today)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := p.Age(day.Add(time.Minute)); !ok || got != want {
			t.Errorf("%s: %d days, want %d", today, got, want)
		}
	}
	if _, ok := (pins.Pin{}).Age(time.Now()); ok {
		t.Error("a pin of no known day has an age")
	}
}

// docs/kernel.md says of when things are in this nbr.
func TestDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/kernel.md")
	if err != nil {
		t.Fatal(err)
	}
	nixpkgs, _ := flake.Pinned("nixpkgs", router.Releases[len(router.Releases)-1])
	spec := load(t, "bananapi-bpir4", "8GiB", "")
	if string(spec.Router.Release.V) != router.Releases[len(router.Releases)-1] {
		t.Errorf("the default release is %s, and the newest %s", spec.Router.Release.V, router.Releases)
	}
	for _, p := range pins.Of(spec, []flake.Input{nixpkgs}, pins.Known{}) {
		want := strings.TrimSuffix(strings.TrimSuffix(p.State, "-bpi-r4"), "-mtk") + " of " + p.Date.Format(time.DateOnly)
		switch p.Name {
		case "nixpkgs":
			want = "nixos-26.05 of " + p.Date.Format(time.DateOnly)
		case "U-Boot":
			want = "| " + p.State + " |"
		case "nbr":
			want = "| nbr on the router | the one that generated the tree |"
		}
		if !strings.Contains(string(b), want) {
			t.Errorf("docs/kernel.md does not say %q", want)
		}
	}
}
