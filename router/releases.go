package router

import (
	"fmt"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// Release is a release of NixOS that nbr generates for.
type Release string

// releases are the releases that a spec may name, oldest first. Those that have not
// been released yet have no revision that nbr was tried with (see package flake).
//
// The days are the project's own: NixOS/infra pull requests 1114 (25.11) and 1064
// (26.05). A release ends a month after the next one came out.
var releases = []struct {
	name   Release
	ends   time.Time // the last day with security fixes; zero is not known
	coming bool
	// inhibits is what NixOS refuses to switch a running system of an older release
	// to, for the release notes' reason (switch inhibitors).
	inhibits string
}{
	{name: "25.11", ends: day(2026, time.June, 30)},
	{name: "26.05", ends: day(2026, time.December, 31), inhibits: "its D-Bus daemon is another (dbus-broker), which NixOS does not change under a running system"},
	{name: "26.11", coming: true},
}

func day(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Releases are the releases that have a revision to build with, oldest first.
var Releases = func() (out []string) {
	for _, r := range releases {
		if !r.coming {
			out = append(out, string(r.name))
		}
	}
	return out
}()

// Coming tells whether the release was not out when this nbr was made. It can be
// chosen where the spec says what nixpkgs it is.
func (r Release) Coming() bool {
	for _, known := range releases {
		if known.name == r {
			return known.coming
		}
	}
	return false
}

// Ends is the last day on which the release gets security fixes, at midnight UTC.
// The zero time is not known.
func (r Release) Ends() time.Time {
	for _, known := range releases {
		if known.name == r {
			return known.ends
		}
	}
	return time.Time{}
}

// Newer is the newest release that can be chosen, if that is newer than this one.
func (r Release) Newer() (Release, bool) {
	newest := Release(Releases[len(Releases)-1])
	return newest, newest > r // YY.MM sorts as text
}

// Inhibits is why a running system cannot be switched from one release to the other,
// in words, or nothing where no reason is known.
func (r Release) Inhibits(other Release) string {
	for _, known := range releases {
		if min(r, other) < known.name && known.name <= max(r, other) && known.inhibits != "" {
			return fmt.Sprintf("with %s %s", known.name, known.inhibits)
		}
	}
	return ""
}

func (r *Release) UnmarshalText(b []byte) error {
	var words []Release
	for _, known := range releases {
		words = append(words, known.name)
	}
	return conf.OneOf(r, b, "release of NixOS that nbr knows", words...)
}

// Describe is what the type is in the schema.
func (Release) Describe() string { return "NixOS release" }

// FirstRelease is the release that a router was first installed with, which decides in which form
// NixOS keeps the data of services (system.stateVersion). It may be one that has ended.
type FirstRelease string

// firstReleases are the releases that a spec may name so: people come with systems that are
// installed. What NixOS does otherwise for the older ones, nbr sets: see package nftables.
var firstReleases = func() []FirstRelease {
	out := []FirstRelease{"23.05", "23.11", "24.05", "24.11", "25.05"}
	for _, r := range releases {
		out = append(out, FirstRelease(r.name))
	}
	return out
}()

// UnmarshalText wants one of the releases since 23.05.
func (r *FirstRelease) UnmarshalText(b []byte) error {
	return conf.OneOf(r, b, "release", firstReleases...)
}

// Describe is what the type is in the schema.
func (FirstRelease) Describe() string { return "NixOS release since 23.05" }

// nixpkgs is the input block that says what nixpkgs the router is built with, or nil.
func (r *Router) nixpkgs() *Input {
	for _, in := range r.Inputs {
		if in.Name.V == "nixpkgs" {
			return in
		}
	}
	return nil
}

// ruleRelease asks for the nixpkgs of a release that nbr has none of.
func ruleRelease(r *Router) hcl.Diagnostics {
	if !r.Release.V.Coming() || r.nixpkgs() != nil {
		return nil
	}
	return one(diag.Help(diag.Error("no-pin-yet", r.Release.Range, "No revision of this release yet",
		"NixOS %s was not out when this nbr was made, so nbr has no nixpkgs of it that was tried.", r.Release.V),
		"Take a newer nbr, or say which: input \"nixpkgs\" { url = \"github:NixOS/nixpkgs/nixos-%s\" }.", r.Release.V))
}

// ReleaseAt is the line that decides on the release: its own, or the router's where
// the spec leaves it to nbr.
func (r *Router) ReleaseAt() hcl.Range {
	if r.Release.Set {
		return r.Release.Range
	}
	return r.System.Def
}
