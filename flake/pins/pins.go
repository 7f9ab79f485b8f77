// Package pins is what a router is made of and of when: what the flake's inputs are
// pinned to, and kernel and firmware, which have sources of their own. It also judges
// their age, and the release's. The day comes from outside: nothing that is generated
// depends on it.
package pins

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// A Pin is one source that a router is built from.
type Pin struct {
	Name    string
	State   string    // the version, or else the revision
	Rev     string    // empty where there is none, or it is not known
	Source  string    // a flake reference, a repository or a release
	Date    time.Time // of the state; zero is not known
	By      string    // who says so: nbr, nixos-sbc, the spec, flake.lock or the running system
	For     string
	Move    string // how it is moved
	Exposed bool   // it faces the network
	At      hcl.Range
}

// Known is what something else than the spec and nbr tells of inputs, by their names.
type Known struct {
	From   string // flake.lock, or the running system
	Inputs map[string]flake.Locked
}

// FromLock is what the flake.lock of the tree in a folder tells.
func FromLock(dir string) (Known, error) {
	inputs, err := flake.ReadLock(dir)
	return Known{flake.LockName, inputs}, err
}

// systemRE is the end of a system's store path: the release, and of a flake's nixpkgs
// the day and the revision (nixpkgs, flake.nix: versionSuffix).
var systemRE = regexp.MustCompile(`-nixos-system-.*-[0-9]{2}\.[0-9]{2}\.(20[0-9]{6})\.([0-9a-f]{7,40})$`)

// FromSystem is what the store path of a running system tells.
func FromSystem(path string) Known {
	k := Known{From: "the running system", Inputs: map[string]flake.Locked{}}
	if m := systemRE.FindStringSubmatch(path); m != nil {
		if day, err := time.Parse("20060102", m[1]); err == nil {
			k.Inputs["nixpkgs"] = flake.Locked{Rev: m[2], LastModified: day.Unix()}
		}
	}
	return k
}

// purposes are what the inputs are for.
var purposes = map[string]string{
	"nixpkgs":   "userland, NixOS and kernels",
	"nixos-sbc": "the board, and recipes of kernel and firmware",
	"nbr":       "nbr on the router",
	"sops-nix":  "secrets",
	"agenix":    "secrets",
}

// Of are the pins of a spec with these inputs.
func Of(s *service.Spec, inputs []flake.Input, known Known) []Pin {
	said := map[string]*router.Input{}
	for _, in := range s.Router.Inputs {
		said[string(in.Name.V)] = in
	}
	var out []Pin
	for _, in := range inputs {
		out = append(out, input(s.Router, in, said[in.Name], known))
	}
	if said["nbr"] == nil {
		out = append(out, program(s.Router))
	}
	fw := firmware.Of(s)
	built := fw.Built(s.Router)
	if !slices.ContainsFunc(built, func(b firmware.Built) bool { return b.Name == "kernel" }) {
		out = append(out, Pin{
			Name: "kernel", State: fw.KernelName(s.Router), Source: "nixpkgs", By: "nixpkgs",
			For: "the kernel", Move: "moves with nixpkgs", At: s.Router.BoardID.Range,
		})
	}
	for _, b := range built {
		p := source(b)
		if p.By == "nixos-sbc" && said["nixos-sbc"] != nil { // another one may build another
			p.State, p.Rev, p.Date = "not known", "", time.Time{}
		}
		out = append(out, p)
	}
	return out
}

func input(r *router.Router, in flake.Input, said *router.Input, known Known) Pin {
	p := Pin{
		Name: in.Name, Source: in.URL, By: "nbr", For: purposes[in.Name], Exposed: in.Name == "nixpkgs", At: r.BoardID.Range,
		Move: fmt.Sprintf("nbr's next release, or input %q in the spec", in.Name),
	}
	if p.Exposed {
		p.At = r.ReleaseAt()
	}
	if said != nil {
		p.By, p.At, p.Move = "the spec", said.URL.Range, fmt.Sprintf("the url of input %q", in.Name)
		p.For = cmp.Or(p.For, "what the spec says")
	}
	rev, pinned := revision(in.URL)
	if !pinned {
		p.Move = fmt.Sprintf("nix flake update %s", in.Name)
	}
	if in.Locked != nil {
		rev, p.Date = in.Locked.Rev, in.Locked.Time()
	}
	if l, ok := known.Inputs[in.Name]; ok && !pinned {
		rev, p.Date, p.By = l.Rev, l.Time(), known.From
	}
	if p.Date.IsZero() {
		p.Date, _ = flake.Dated(rev)
	}
	p.Rev, p.State = rev, cmp.Or(short(rev), "not known")
	return p
}

// program is nbr itself where no input brings it: the tree has the source of the nbr that
// made it, so no lock file and no update of Nix's moves it.
func program(r *router.Router) Pin {
	return Pin{
		Name: "nbr", State: nbr.Version, Source: path.Join(flake.Dir, flake.LibraryDir, flake.ArchiveName), By: "nbr", For: purposes["nbr"],
		Move: "nbr gen of another nbr, or input \"nbr\" in the spec", At: r.BoardID.Range,
	}
}

var revRE = regexp.MustCompile(`[/=]([0-9a-f]{40})$`)

// revision is the revision that a flake reference ends in.
func revision(url string) (string, bool) {
	m := revRE.FindStringSubmatch(url)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// short is as much of a revision as people compare.
func short(rev string) string { return rev[:min(len(rev), 12)] }

// builds are what kernel and firmware are for.
var builds = map[string]string{
	"kernel": "the kernel",
	"TF-A":   "the firmware before U-Boot",
	"U-Boot": "what starts the kernel",
}

func source(b firmware.Built) Pin {
	p := Pin{
		Name: b.Name, State: cmp.Or(b.Version, "not known"), Rev: b.Rev, Date: b.Day, By: b.By, For: builds[b.Name],
		Exposed: b.Name == "kernel", At: b.At, Move: b.Move + " in the firmware block",
	}
	if b.Repo != "" {
		p.Source = "github:" + b.Repo
	} else {
		p.Source = "a release"
	}
	if b.Name != "kernel" {
		p.Move += ", then nbr flash -firmware-only"
	}
	return p
}

// Age is how many days old the pin is, by the calendar (UTC); the second result is false where it is not
// known.
func (p Pin) Age(today time.Time) (int, bool) {
	if p.Date.IsZero() {
		return 0, false
	}
	const day = 24 * time.Hour
	return max(int(today.Truncate(day).Sub(p.Date.Truncate(day))/day), 0), true
}

// what is the pin in a sentence.
func (p Pin) what() string {
	if strings.HasPrefix(p.State, short(p.Rev)) && p.Rev != "" {
		return p.Name + " at " + p.State
	}
	return p.Name + " " + p.State
}
