// Package compose makes the tree of a flake of specs: what nbr gen writes, and what the page shows.
package compose

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/flake/monitoring"
	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// Tree is the tree of specs without errors, each of another router. source is nbr's own, for routers that are
// built with the nbr that makes the tree. The error says what the specs cannot have together.
func Tree(source fs.FS, specs ...*service.Spec) (*flake.Tree, error) {
	cfg, err := Config(source, specs...)
	if err != nil {
		return nil, err
	}
	return flake.Build(cfg)
}

// Config is what the tree of specs is made of, as for [Tree].
func Config(source fs.FS, specs ...*service.Spec) (flake.Config, error) {
	var cfg flake.Config
	var names []string
	var inputs inputs
	for _, s := range specs {
		r := s.Router
		if err := inputs.add(r); err != nil {
			return cfg, err
		}
		if r.Input("nbr") == nil {
			cfg.Source = source
		}
		fr := flake.Router{Name: string(r.Name.V), System: r.Board.System, Image: r.Board.Image, VM: r.Board.VM, Release: string(r.Release.V), Spec: specFiles(s), Others: monitoring.Files(s)}
		for _, m := range s.Modules() {
			m.Module.Doc = []string{"Made by nbr from the spec in spec/. Changes go there or into local.nix."}
			fr.Modules = append(fr.Modules, flake.Module{Name: m.Name, Module: m.Module})
		}
		for _, f := range r.Import.All() {
			fr.Imports = append(fr.Imports, string(f))
		}
		cfg.Routers = append(cfg.Routers, fr)
		names = append(names, string(r.Name.V))
		if r.Description.Set && len(specs) == 1 {
			cfg.Description = r.Description.V
		}
	}
	if cfg.Description == "" {
		cfg.Description = "Routers made by nbr: " + strings.Join(names, ", ")
	}
	cfg.Inputs = inputs.list
	return cfg, nil
}

// Pins are the pins of a spec, with what is known of its inputs beside.
func Pins(s *service.Spec, known pins.Known) ([]pins.Pin, error) {
	var in inputs
	if err := in.add(s.Router); err != nil {
		return nil, err
	}
	return pins.Of(s, in.list, known), nil
}

// inputs are the inputs of a flake: the pinned ones, and what the specs say.
type inputs struct {
	list []flake.Input
	by   map[string]string // input → router that decided it
}

// add takes the inputs that a router needs. One flake has one nixpkgs, so all its
// routers are of one release.
func (in *inputs) add(r *router.Router) error {
	names := []string{"nixpkgs"}
	for _, name := range r.Board.Inputs {
		names = append(names, string(name))
	}
	for _, s := range r.Secrets {
		switch s.Source.V {
		case router.SourceSOPS:
			names = append(names, "sops-nix")
		case router.SourceAgenix:
			names = append(names, "agenix")
		case router.SourceFile: // is there without an input
		}
	}
	for _, i := range r.Inputs {
		names = append(names, string(i.Name.V))
	}
	for _, name := range names {
		want, _ := flake.Pinned(name, string(r.Release.V))
		want.Name = name
		if s := r.Input(router.Name(name)); s != nil {
			want.URL, want.Locked, want.Files = string(s.URL.V), nil, !s.Flake.V
			if s.Follow.Set {
				want.Follows = nil
				for _, f := range s.Follow.All() {
					want.Follows = append(want.Follows, string(f))
				}
			}
		}
		if err := in.put(want, string(r.Name.V)); err != nil {
			return err
		}
	}
	return nil
}

func (in *inputs) put(want flake.Input, router string) error {
	for _, have := range in.list {
		if have.Name != want.Name {
			continue
		}
		if have.URL != want.URL || have.Files != want.Files || !slices.Equal(have.Follows, want.Follows) {
			return fmt.Errorf("one flake has one %s: %s wants %s and %s wants %s. Give them one release, or generate two flakes",
				want.Name, in.by[have.Name], inputSource(have), router, inputSource(want))
		}
		return nil
	}
	in.list = append(in.list, want)
	if in.by == nil {
		in.by = map[string]string{}
	}
	in.by[want.Name] = router
	return nil
}

// inputSource is where an input comes from, for the message that two differ.
func inputSource(in flake.Input) string {
	if in.Files {
		return in.URL + " (no flake)"
	}
	if len(in.Follows) == 0 {
		return in.URL
	}
	return in.URL + " following " + strings.Join(in.Follows, ", ")
}

// specFiles are the files of a spec that go with the tree: its HCL, the values of
// its variables, and the files that it names.
func specFiles(s *service.Spec) map[string][]byte {
	files := map[string][]byte{}
	for _, f := range s.Source.Files {
		files[f.Name] = f.Bytes
	}
	if len(s.Vars) > 0 {
		files[service.VarsFile] = diag.MarshalIndent(s.Vars)
	}
	maps.Copy(files, s.Router.Files)
	return files
}
