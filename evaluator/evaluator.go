// Package evaluator is nbr as a plugin of the Nix evaluator: a function from a set that names a spec to a set
// that has the NixOS module of its router, as a value. It knows neither the machine nor the clock; what the
// evaluator does for it is the interface [Nix].
package evaluator

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
	"github.com/nbr-dev/nbr/service"
)

// A Value is a value of the evaluator, which may not be evaluated yet.
type Value uint32

// Absent is no value: an attribute that is not there.
const Absent Value = 0

// A Type is what a value is. The numbers are those of the evaluator's interface.
type Type uint32

// The types of Nix.
const (
	Int Type = iota + 1
	Float
	Bool
	String
	Path
	Null
	Attrs
	List
	Function
)

func (t Type) String() string {
	names := []string{"an integer", "a float", "a boolean", "a string", "a path", "null", "a set", "a list", "a function"}
	if t < Int || int(t) > len(names) {
		return fmt.Sprintf("something of type %d", uint32(t))
	}
	return names[t-Int]
}

// Nix is what the evaluator does for its plugins. What it finds wrong ends the program.
type Nix interface {
	nixgen.Maker[Value]
	// Type evaluates a value.
	Type(v Value) Type
	// Text is the text of a string.
	Text(v Value) string
	// Names are the names of a set, sorted.
	Names(set Value) []string
	// Attr is an attribute of a set, or Absent. It is not evaluated.
	Attr(set Value, name string) Value
	// Call makes a call at once.
	Call(fn Value, args ...Value) Value
	// Below is a path below another one.
	Below(base Value, name string) Value
	// Size is the size of a file in bytes.
	Size(path Value) int
	// File is what is in a file.
	File(path Value) []byte
	// Warn shows a warning.
	Warn(message string)
	// Fail ends the program with an error. It does not return.
	Fail(message string)
}

// Run reads the spec that arg names and returns its router, by name, as the set
//
//	{ NAME = { meta, plan, spec, warnings, module }; }
//
// The first four are those of [Describe]. The attributes of arg are
//
//	spec       the folder of the spec, a path
//	functions  nixgen.Functions by name, builtins, throw, and files: folder: { NAME = path; … }, the files in a folder
//	files      those of the spec by their names in the folder, paths or strings; without it, files spec
//	vars       values for the variables of the spec, strings by name
//	args       the arguments of the NixOS module: lib, pkgs, config, those of specialArgs; without
//	           them there is no module
//	library    the Nix files of nbr that modules import, by name; for a module
//	folder     what programs.nbr.spec is; without it, spec
//
// Nothing in args is evaluated. What is not wrong with the spec and should be known is shown as a warning
// of the evaluator where there are no args, so that who asks for both, one after the other, sees it once.
// A wrong spec is an error with nbr's diagnostics for its message.
func Run(nix Nix, reg *service.Registry, arg Value) Value {
	p := plugin{Nix: nix}
	p.arguments(arg)
	fsys := p.tree()
	spec, diags := reg.Load(fsys, p.vars())
	if diags.HasErrors() {
		p.Fail("nbr: the spec is wrong\n\n" + text(spec, diags))
	}
	router := p.fields(Describe(spec, diags))
	if p.given["args"] != Absent {
		router["module"] = p.module(spec)
	} else {
		for _, d := range diags {
			p.Warn(text(spec, hcl.Diagnostics{d}))
		}
	}
	return p.set(map[string]Value{string(spec.Router.Name.V): p.set(router)})
}

// text is how people read diagnostics.
func text(spec *service.Spec, ds hcl.Diagnostics) string {
	var b bytes.Buffer
	w := diag.Writer{W: &b, Bytes: spec.Bytes, Secrets: spec.Secrets}
	_ = w.Write(ds) // into memory
	return strings.TrimRight(b.String(), "\n")
}

// A plugin is one run.
type plugin struct {
	Nix
	given map[string]Value
}

// types are what arguments have to be.
var types = map[string]Type{"args": Attrs, "files": Attrs, "folder": 0, "functions": Attrs, "library": Attrs, "spec": Path, "vars": Attrs}

func (p *plugin) arguments(arg Value) {
	p.given = map[string]Value{}
	p.want(arg, Attrs, "the argument")
	for _, name := range p.Names(arg) {
		want, known := types[name]
		if !known {
			p.Fail(fmt.Sprintf("nbr: there is no argument %s.%s", name, diag.Suggest(name, sorted(types))))
		}
		p.given[name] = p.Attr(arg, name)
		if want != 0 {
			p.want(p.given[name], want, name)
		}
	}
	for _, name := range []string{"spec", "functions"} {
		if p.given[name] == Absent {
			p.Fail("nbr: the argument " + name + " is missing")
		}
	}
	if p.given["args"] != Absent && p.given["library"] == Absent {
		p.Fail("nbr: the argument library is missing, which a module wants")
	}
}

func (p *plugin) want(v Value, want Type, what string) {
	if is := p.Type(v); is != want {
		p.Fail(fmt.Sprintf("nbr: %s is %s, and has to be %s", what, is, want))
	}
}

func (p *plugin) vars() map[string]string {
	out := map[string]string{}
	if p.given["vars"] == Absent {
		return out
	}
	for _, name := range p.Names(p.given["vars"]) {
		v := p.Attr(p.given["vars"], name)
		p.want(v, String, "the variable "+name)
		out[name] = p.Text(v)
	}
	return out
}

// function is one of those that the caller brings.
func (p *plugin) function(name string) Value {
	return p.attr("functions", name)
}

func (p *plugin) attr(set, name string) Value {
	v := p.Attr(p.given[set], name)
	if v == Absent {
		p.Fail("nbr: " + set + " is without " + name)
	}
	return v
}

// module is the NixOS module of a spec: one that imports those which nbr gen writes into files.
func (p *plugin) module(spec *service.Spec) Value {
	scope := nixgen.Scope[Value]{Var: p.variable, Path: p.path, Function: p.function}
	var all []Value
	for _, m := range spec.Modules() {
		file := nixgen.Bind(nixgen.Str("nbr's "+m.Name+".nix"), "_file")
		all = append(all, nixgen.Value(p, scope, append(nixgen.Attrs{file}, m.Module.Body()...)))
	}
	for _, f := range spec.Router.Import.All() {
		all = append(all, p.path(nixgen.Path("./spec/"+string(f))))
	}
	return p.set(map[string]Value{"imports": p.List(all)})
}

// variable is an argument of the module. One that is not passed is an error when it is used.
func (p *plugin) variable(name string) Value {
	if name == "builtins" {
		return p.function("builtins")
	}
	if v := p.Attr(p.given["args"], name); v != Absent {
		return v
	}
	return p.Apply(p.function("throw"), p.String(fmt.Sprintf(
		"nbr: the module of this router takes an argument %s: pass the flake's input of that name in specialArgs of nixosSystem", name)))
}

// path is what a path of the generated tree is here: a file of the spec, or of nbr itself.
func (p *plugin) path(x nixgen.Path) Value {
	name, spec := strings.CutPrefix(string(x), "./spec/")
	library, nbr := strings.CutPrefix(string(x), "../nbr/")
	switch {
	case spec:
		return p.Below(p.given["spec"], name)
	case nbr:
		return p.attr("library", library)
	case x != "./spec":
		panic(fmt.Sprintf("evaluator: a module names %s, which is no part of a tree", x))
	case p.given["folder"] != Absent:
		return p.given["folder"]
	}
	return p.given["spec"]
}

// set makes a set of values.
func (p *plugin) set(of map[string]Value) Value {
	names := sorted(of)
	values := make([]Value, len(names))
	for i, name := range names {
		values[i] = of[name]
	}
	return p.Attrs(names, values)
}

func sorted[T any](m map[string]T) []string {
	var out []string
	for name := range m {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
