package evaluator

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
)

// A Description is what is known of a router beside its modules.
type Description struct {
	Meta     Meta                  `json:"meta"`
	Plan     []Check               `json:"plan"`
	Spec     map[string]any        `json:"spec"` // its blocks: by type, and by name where a type has names
	Warnings []diag.JSONDiagnostic `json:"warnings"`
}

// Meta is what a router is, for those who build it.
type Meta struct {
	Name         string   `json:"name"`
	Description  string   `json:"description"` // may be empty
	Board        string   `json:"board"`
	System       string   `json:"system"`  // of Nix
	Release      string   `json:"release"` // of NixOS
	StateVersion string   `json:"stateVersion"`
	Image        string   `json:"image"` // below system.build
	VM           bool     `json:"vm"`    // system.build.vm is there, too
	Files        []string `json:"files"` // those of the spec's folder that are read, sorted
}

// A Check is a promise of the spec that nbr verify looks after.
type Check struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	File  string `json:"file"`
	Line  int    `json:"line"`
}

// Describe describes the router of a spec without errors; said is what was said of it.
func Describe(spec *service.Spec, said hcl.Diagnostics) Description {
	r := spec.Router
	w := diag.Writer{Bytes: spec.Bytes, Secrets: spec.Secrets}
	d := Description{
		Meta: Meta{
			Name: string(r.Name.V), Description: r.Description.V, Board: r.Board.ID, System: r.Board.System,
			Release: string(r.Release.V), StateVersion: string(r.StateVersion.V), Image: r.Board.Image, VM: r.Board.VM,
			Files: files(spec),
		},
		Plan: []Check{}, Spec: blocks(spec), Warnings: w.JSON(said),
	}
	for _, c := range spec.Plan().Checks {
		d.Plan = append(d.Plan, Check{c.ID, c.Title, c.From.Filename, c.From.Start.Line})
	}
	return d
}

func files(spec *service.Spec) []string {
	names := slices.Collect(maps.Keys(spec.Router.Files))
	for _, f := range spec.Source.Files {
		names = append(names, f.Name)
	}
	for _, f := range spec.Router.Import.All() {
		names = append(names, string(f))
	}
	if len(spec.Vars) > 0 {
		names = append(names, service.VarsFile)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// blocks are the blocks of a spec as data: { network.lan = { … }; resolver = { … }; }.
func blocks(spec *service.Spec) map[string]any {
	out := map[string]any{}
	for _, b := range spec.Blocks() {
		at := b.Head().Addr
		if at.Name == "" {
			out[at.Type] = conf.Data(b)
			continue
		}
		named, _ := out[at.Type].(map[string]any)
		if named == nil {
			named = map[string]any{}
			out[at.Type] = named
		}
		named[at.Name] = conf.Data(b)
	}
	return out
}

// fields are what a structure has in JSON, as values.
func (p *plugin) fields(v any) map[string]Value {
	b, err := json.Marshal(v)
	var data map[string]any
	if err == nil {
		err = json.Unmarshal(b, &data)
	}
	if err != nil {
		panic(err) // texts and numbers always encode
	}
	out := map[string]Value{}
	for name, v := range data {
		out[name] = p.data(v)
	}
	return out
}

// data makes what encoding/json decodes into a value, as builtins.fromJSON does.
func (p *plugin) data(v any) Value {
	switch x := v.(type) {
	case nil:
		return p.Null()
	case bool:
		return p.Bool(x)
	case float64:
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return p.Int(int64(x))
		}
		return p.Float(x)
	case string:
		return p.String(x)
	case []any:
		all := make([]Value, len(x))
		for i, e := range x {
			all[i] = p.data(e)
		}
		return p.List(all)
	case map[string]any:
		return p.set(p.fields(x))
	}
	panic(fmt.Sprintf("evaluator: %T is no data", v))
}
