package nixos

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/verify/probe"
)

// NixKind is the nix block. It is there without being written.
func NixKind() service.Kind {
	return service.Kind{
		Type: "nix", Doc: "How Nix behaves on the router.",
		Software: "NixOS",
		Example: `nix {
  generations = 5 # each has a kernel in /boot
}
`,
		Single: true, Implicit: true, Program: service.Alone("system", (*Nix).lower),
		Probes: []probe.Any{localTime, bootEntries, probe.Settings}, New: func() service.Block { return &Nix{} },
	}
}

// Nix is the nix block.
type Nix struct {
	conf.Header
	Flakes      conf.Value[bool] `hcl:"flakes,optional" default:"true" doc:"Switch on the nix command and flakes."`
	Generations conf.Value[int]  `hcl:"generations,optional" default:"10" doc:"Generations kept in the boot menu; each has a kernel and an initrd in /boot."`
	Extra       service.Extra    `hcl:"extra,optional" doc:"Merged into nix.settings."`
}

// Claim claims the room that the kernels of all generations take.
func (b *Nix) Claim(s *router.Scope) {
	router.Claim(s, b.Generations.Range, router.Boot{Generations: b.Generations.V})
}

// Judge wants a generation to boot.
func (b *Nix) Judge(*router.Router) hcl.Diagnostics {
	if b.Generations.V < 1 {
		return hcl.Diagnostics{diag.Help(diag.Error("bad-value", b.Generations.Range, "No generation to boot",
			"The generation that runs has to be in the boot menu."),
			"Write 1 or more; with 2 there is one to go back to.")}
	}
	return nil
}

// lower sets what concerns the system as a whole.
func (b *Nix) lower(r *router.Router, m *nixgen.Module) {
	sys := func(at hcl.Range, v nixgen.Expr, path ...string) {
		if at == (hcl.Range{}) {
			at = r.Def
		}
		m.Set(service.Origin(r.Addr, at), v, path...)
	}
	sys(r.Def, nixgen.Str(r.Name.V), "networking", "hostName")
	sys(r.StateVersion.Range, nixgen.Str(r.StateVersion.V), "system", "stateVersion")
	sys(r.TimeZone.Range, nixgen.Str(r.TimeZone.V), "time", "timeZone")
	names(r, m)
	// The same spec and the program that reads it: who looks at the router finds both,
	// of one age.
	m.Imports = append(m.Imports, own(r))
	sys(r.Def, nixgen.Bool(true), "programs", "nbr", "enable")
	sys(r.Def, nixgen.Path("./spec"), "programs", "nbr", "spec")
	from := service.From(b)
	if b.Flakes.V {
		m.Set(from, nixgen.List{nixgen.Str("nix-command"), nixgen.Str("flakes")}, "nix", "settings", "experimental-features")
	}
	m.Set(from, nixgen.Int(b.Generations.V), "boot", "loader", r.Board.BootLoader, "configurationLimit")
	service.AddExtra(m, b, b.Extra, "nix", "settings")
	for _, p := range r.PackageAttrs() {
		m.Add(service.By(p.By), []string{"environment", "systemPackages"}, nixgen.Var("pkgs."+p.Attr))
	}
	for _, g := range r.LookGroups() {
		m.Add(service.By(g.By), []string{"users", "users", "nbr-look", "extraGroups"}, nixgen.Str(g.Group))
	}
	secrets(r, m)
}

// own is nbr's module: the one in the tree, which builds the nbr that generated it, or
// that of the flake which the spec names.
func own(r *router.Router) nixgen.Expr {
	if in := r.Input("nbr"); in != nil {
		return nixgen.At{From: service.From(in), Expr: nixgen.Var("nbr.nixosModules.default")}
	}
	return nixgen.Path("../nbr/module.nix")
}

// names says who is asked for names: a file that stays as it is, or what resolvconf makes
// of the resolver's word or the lease's.
func names(r *router.Router, m *nixgen.Module) {
	from := service.Origin(r.Addr, cmp.Or(r.NameServers.Range, r.Def))
	m.Set(from, nixgen.Bool(!r.NameServers.Set), "networking", "resolvconf", "enable")
	if !r.NameServers.Set {
		return
	}
	var text strings.Builder
	for _, a := range r.NameServers.All() {
		fmt.Fprintf(&text, "nameserver %s\n", a)
	}
	text.WriteString("options edns0\n")
	m.Set(from, nixgen.Lines(text.String()), "environment", "etc", "resolv.conf", "text")
}
