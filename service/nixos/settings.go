package nixos

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// zone is the local time of the router.
type zone struct {
	Same bool   `json:"same"`           // it is that of the zone which was asked for
	Rule string `json:"rule,omitempty"` // of the local time today: CET-1CEST,M3.5.0,M10.5.0/3
}

// localTime asks whether the local time is that of a zone. Two names may be of one zone.
var localTime = &probe.Probe[router.TimeZone, zone]{Name: "nixos.time-zone", Look: lookZone}

func lookZone(_ context.Context, h probe.Host, name router.TimeZone) (zone, error) {
	want, err := h.ReadFile("/etc/zoneinfo/" + string(name))
	if err != nil {
		return zone{}, err
	}
	got, err := h.ReadFile("/etc/localtime")
	if errors.Is(err, fs.ErrNotExist) { // localtime(5): then it is UTC
		got, err = h.ReadFile("/etc/zoneinfo/UTC")
	}
	if err != nil {
		return zone{}, err
	}
	return zone{bytes.Equal(want, got), rule(got)}, nil
}

// rule is the footer of a TZif file (RFC 9636 section 3.3).
func rule(tzif []byte) string {
	text := strings.TrimSuffix(string(tzif), "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// checkTimeZone adds the check of the local time of logs and the console.
func checkTimeZone(r *router.Router, p *verify.Plan) {
	want, hint := string(r.TimeZone.V), "readlink /etc/localtime"
	c := verify.Check{ID: r.Addr.String() + "/time-zone", Title: "the local time", From: cmp.Or(r.TimeZone.Range, r.Def)}
	verify.Asked(p, c, localTime, r.TimeZone.V, want, hint, func(_ *state.State, z zone) verify.Verdict {
		if !z.Same {
			return verify.Verdict{Status: verify.Fail, Want: want, Got: "that of " + z.Rule, Hint: hint}
		}
		return verify.Compare(want, want, hint)
	})
}

// checkFlakes adds the check that Nix on the router knows flakes.
func (b *Nix) checkFlakes(p *verify.Plan) {
	if !b.Flakes.V {
		return
	}
	const want, hint = "nix-command and flakes", "nix config show experimental-features"
	c := verify.Check{ID: b.Addr.String() + "/flakes", Title: "Nix knows flakes", From: cmp.Or(b.Flakes.Range, b.Def)}
	q := probe.Setting{File: "/etc/nix/nix.conf", Keyword: "experimental-features"}
	verify.Asked(p, c, probe.Settings, q, want, hint, func(_ *state.State, values []string) verify.Verdict {
		got := ""
		if len(values) > 0 { // the last one counts (nix.conf(5))
			got = values[len(values)-1]
		}
		has := strings.Fields(got)
		return verify.Judge(slices.Contains(has, "nix-command") && slices.Contains(has, "flakes"), want, cmp.Or(got, "none"), hint)
	})
}

// checkGenerations adds the check that the boot menu has no more generations than may be:
// each keeps a kernel in /boot. The entry nixos-default is beside them, and alone on a new
// card (nixpkgs' extlinux-conf-builder.sh).
func (b *Nix) checkGenerations(r *router.Router, p *verify.Plan) {
	if r.Board.BootLoader == "systemd-boot" {
		b.checkEntries(p)
		return
	}
	const file, hint = "/boot/extlinux/extlinux.conf", "grep ^LABEL /boot/extlinux/extlinux.conf"
	want := fmt.Sprintf("at most %d", b.Generations.V)
	c := verify.Check{ID: b.Addr.String() + "/generations", Title: "generations in the boot menu", From: cmp.Or(b.Generations.Range, b.Def)}
	verify.Asked(p, c, probe.Settings, probe.Setting{File: file, Keyword: "LABEL"}, want, hint, func(_ *state.State, labels []string) verify.Verdict {
		if len(labels) == 0 {
			return verify.Missing(want, hint)
		}
		generations := map[string]bool{}
		for _, l := range labels {
			// nixos-42-default, and nixos-42-NAME of a specialisation.
			n, _, _ := strings.Cut(strings.TrimPrefix(l, "nixos-"), "-")
			generations[n] = true
		}
		delete(generations, "default")
		return verify.Judge(len(generations) <= b.Generations.V, want, fmt.Sprint(len(generations)), hint)
	})
}
