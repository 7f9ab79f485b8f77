package pins

import (
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
)

// MaxAge is the age in days after which a pin that faces the network is told to be
// old. NixOS's stable branch moves each week, and Linux's stable series each week or
// two: behind ninety days there are always holes that are public.
const MaxAge = 90

// Warn says what has become too old to be left alone on this day: the release, and
// pins that face the network.
func Warn(r *router.Router, pins []Pin, today time.Time) hcl.Diagnostics {
	diags := release(r, today)
	for _, p := range pins {
		days, ok := p.Age(today)
		if !p.Exposed || !ok || days <= MaxAge {
			continue
		}
		hint := ""
		switch {
		case p.Name == "nixpkgs" && p.By == "nbr":
			hint = "If the tree's flake.lock has moved it, nbr check -tree DIR reads that."
		case p.Name == "kernel":
			hint = "docs/kernel.md has an example."
		}
		diags = append(diags, diag.Help(diag.Warning("old-pin", p.At, "Old pin",
			"%s is of %s (by %s), %d days ago, and faces the network.", p.what(), p.Date.Format(time.DateOnly), p.By, days),
			"What moves it: %s. %s", p.Move, hint))
	}
	return diags
}

// release judges the release of NixOS by its days.
func release(r *router.Router, today time.Time) hcl.Diagnostics {
	ends := r.Release.V.Ends()
	if ends.IsZero() {
		return nil
	}
	newer, there := r.Release.V.Newer()
	advice := fmt.Sprintf("Choose the next: release = %q.", newer)
	if !there {
		advice = "Take a newer nbr, for this one knows no newer release, or give the next release with its input \"nixpkgs\"."
	}
	switch over := ends.AddDate(0, 0, 1); {
	case !today.Before(over):
		return hcl.Diagnostics{diag.Help(diag.Warning("release-ended", r.ReleaseAt(), "Release without security fixes",
			"NixOS %s has had no security fixes since %s.", r.Release.V, ends.Format(time.DateOnly)), "%s", advice)}
	case there && !today.Before(over.AddDate(0, -1, 0)):
		return hcl.Diagnostics{diag.Help(diag.Warning("release-ends", r.ReleaseAt(), "Release that ends soon",
			"NixOS %s gets security fixes until %s.", r.Release.V, ends.Format(time.DateOnly)), "%s", advice)}
	}
	return nil
}

// Moved says that a tree that was generated for another release moves to the spec's,
// which is a step of its own.
func Moved(r *router.Router, recorded string) hcl.Diagnostics {
	if recorded == "" || recorded == string(r.Release.V) {
		return nil
	}
	why := "kernel, systemd and services are others"
	if inhibits := r.Release.V.Inhibits(router.Release(recorded)); inhibits != "" {
		why = inhibits
	}
	stay := ""
	if !r.Release.Set {
		stay = fmt.Sprintf("The spec names none, and nbr's default is another than it was: to stay, write release = %q.", recorded)
	}
	return hcl.Diagnostics{diag.Help(diag.Warning("release-moved", r.ReleaseAt(), "Another release of NixOS",
		"The tree was generated for NixOS %s, and the spec is for %s.", recorded, r.Release.V),
		"The first step is nixos-rebuild boot and a reboot, not switch: %s. Leave state_version as it is. %s", why, stay)}
}
