// Package flake is the tree of files that nbr gen writes: a flake with one NixOS
// configuration a router. It knows how to compare the tree with what is on disk
// and how to put it there in one step.
package flake

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/nbr-dev/nbr/nixgen"
)

// Dir is the folder of the tree that holds everything nbr writes. It is replaced
// as a whole, so that a reader sees the old tree or the new one. flake.nix beside
// it is a link into it.
const Dir = "routers"

// ManifestName is the list of generated files, with their hashes.
const ManifestName = "manifest.json"

// Link is where flake.nix beside Dir leads.
const Link = Dir + "/flake.nix"

// library is the Nix side of nbr, which generated modules import.
//
//go:embed nix
var library embed.FS

// LibraryDir is where the library is in the tree, below Dir. No router can have
// this name.
const LibraryDir = "nbr"

// An Input is an input of the flake.
type Input struct {
	Name    string
	URL     string
	Follows []string // inputs of that input that are ours of the same name
	Files   bool     // it is no flake, but files alone
	Locked  *Locked  // the state that nbr was tried with, for the first flake.lock
}

// A Router is what the tree holds of one router.
type Router struct {
	Name    string
	System  string // Nix system of the board
	Image   string // its image, below system.build
	VM      bool   // system.build.vm is a VM to try it in
	Release string // of NixOS
	Modules []Module
	Spec    map[string][]byte // the spec's files and what it names, by path
	Imports []string          // NixOS modules of the user, below spec/
	Others  map[string][]byte // files that no system is built from, by path
}

// A Module is a generated NixOS module and the name of its file without .nix.
type Module struct {
	Name   string
	Module *nixgen.Module
}

// A Config is a whole flake.
type Config struct {
	Description string
	Inputs      []Input
	Routers     []Router
	Source      fs.FS // of nbr itself, for routers that are built with it; nil if none is
}

// A Tree is the content of Dir: paths with slashes to bytes.
type Tree struct {
	Files   map[string][]byte
	Origins map[string][]nixgen.Origin // of the lines of generated modules
	// Lock is the flake.lock to write beside Dir where there is none; nil is none.
	Lock []byte
}

// Build makes the tree.
func Build(c Config) (*Tree, error) {
	t, err := Own(c)
	if err != nil {
		return nil, err
	}
	if err := t.library(); err != nil {
		return nil, err
	}
	if c.Source != nil {
		if err := t.source(c.Source); err != nil {
			return nil, err
		}
	}
	t.Files[ManifestName] = t.manifest(c)
	return t, nil
}

// Own makes what of the tree is of its routers alone: without what is in LibraryDir, and so without the manifest.
// Of the source it matters whether there is one.
func Own(c Config) (*Tree, error) {
	t := &Tree{Files: map[string][]byte{}, Origins: map[string][]nixgen.Origin{}}
	names := map[string]bool{LibraryDir: true}
	for _, r := range c.Routers {
		for _, n := range []string{r.Name, r.Name + crossSuffix} {
			if names[n] {
				return nil, fmt.Errorf("two configurations would be called %q: give each router a name of its own", n)
			}
			names[n] = true
		}
		t.router(r)
	}
	t.Files["flake.nix"] = nixgen.Print(flakeNix(c))
	t.Files["default.nix"] = nixgen.Print(outputs(c))
	t.Lock = firstLock(c.Inputs)
	return t, nil
}

func (t *Tree) library() error {
	return fs.WalkDir(library, "nix", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(p) != ".nix" {
			return err
		}
		b, err := library.ReadFile(p)
		t.Files[path.Join(LibraryDir, path.Base(p))] = b
		return err
	})
}

func (t *Tree) router(r Router) {
	imports := nixgen.List{}
	for _, m := range r.Modules {
		file := path.Join(r.Name, m.Name+".nix")
		t.Files[file], t.Origins[file] = m.Module.Print()
		imports = append(imports, nixgen.Path("./"+m.Name+".nix"))
	}
	for _, f := range r.Imports {
		imports = append(imports, nixgen.Path("./spec/"+f))
	}
	for name, b := range r.Spec {
		t.Files[path.Join(r.Name, "spec", name)] = b
	}
	for name, b := range r.Others {
		t.Files[path.Join(r.Name, name)] = b
	}
	t.Files[path.Join(r.Name, "default.nix")] = nixgen.Print(nixgen.Fn{
		Params: []string{"lib"}, Ellipsis: true,
		Body: nixgen.Attrs{nixgen.Bind(nixgen.Op{Op: "++", L: imports, R: localNix}, "imports")},
	})
}

// localNix is the user's own module, when there is one.
var localNix = nixgen.Apply("lib.optional",
	nixgen.Apply("builtins.pathExists", nixgen.Path("./local.nix")),
	nixgen.Path("./local.nix"),
)

// flakeNix is flake.nix. Nix wants its inputs to be literal; everything else is
// in default.nix.
func flakeNix(c Config) nixgen.Expr {
	inputs := nixgen.Attrs{}
	for _, in := range c.Inputs {
		if len(in.Follows) == 0 && !in.Files {
			inputs = append(inputs, nixgen.Bind(nixgen.Str(in.URL), in.Name, "url"))
			continue
		}
		v := nixgen.Attrs{nixgen.Bind(nixgen.Str(in.URL), "url")}
		if in.Files {
			v = append(v, nixgen.Bind(nixgen.Bool(false), "flake"))
		}
		for _, f := range in.Follows {
			v = append(v, nixgen.Bind(nixgen.Str(f), "inputs", f, "follows"))
		}
		inputs = append(inputs, nixgen.Bind(v, in.Name))
	}
	return nixgen.Attrs{
		nixgen.Bind(nixgen.Str(c.Description), "description"),
		nixgen.Bind(inputs, "inputs"),
		// Nix follows the link before it reads the file, so the path begins here. (The
		// flake's own outPath would be an infinite recursion.)
		nixgen.Bind(nixgen.Fn{Arg: "inputs", Body: nixgen.Apply("import", nixgen.Path("./default.nix"), nixgen.Var("inputs"))}, "outputs"),
	}
}

// crossSuffix marks the configuration that is built on another kind of machine.
// It has other store paths than the native one, so it is another configuration.
const crossSuffix = "-cross"

// CrossSystem is the Nix system that cross configurations are built on.
const CrossSystem = "x86_64-linux"

// outputs is default.nix: the function from inputs to the flake's outputs.
func outputs(c Config) nixgen.Expr {
	special := nixgen.Attrs{}
	for _, in := range c.Inputs {
		if in.Name != "nixpkgs" {
			special = append(special, nixgen.Bind(nixgen.Var("inputs."+in.Name), in.Name))
		}
	}
	system := nixgen.Fn{Arg: "modules", Body: nixgen.Apply("inputs.nixpkgs.lib.nixosSystem", nixgen.Attrs{
		nixgen.Bind(nixgen.Var("modules"), "modules"),
		nixgen.Bind(special, "specialArgs"),
	})}
	configs := nixgen.Attrs{}
	images := map[string]nixgen.Attrs{}
	checks := map[string]nixgen.Attrs{}
	for _, r := range c.Routers {
		for _, sys := range slices.Compact([]string{r.System, CrossSystem}) {
			checks[sys] = append(checks[sys], checked(c, r.Name, sys))
		}
		module := nixgen.Path("./" + r.Name)
		configs = append(configs, nixgen.Bind(nixgen.Apply("nixos", nixgen.List{module}), r.Name))
		images[r.System] = append(images[r.System], built(r.Name, r.Image+"-"+r.Name, r.Image))
		if r.VM {
			images[r.System] = append(images[r.System], built(r.Name, "vm-"+r.Name, "vm"))
		}
		if r.System != CrossSystem {
			cross := r.Name + crossSuffix
			configs = append(configs, nixgen.Bind(nixgen.Apply("nixos", nixgen.List{module, nixgen.Attrs{nixgen.Bind(nixgen.Str(CrossSystem), "nixpkgs", "buildPlatform", "system")}}), cross))
			images[CrossSystem] = append(images[CrossSystem], built(cross, r.Image+"-"+r.Name, r.Image))
		}
	}
	return nixgen.Fn{Arg: "inputs", Body: nixgen.Let{
		Binds: []nixgen.Attr{nixgen.Bind(system, "nixos"), nixgen.Bind(check, "check")},
		Body: nixgen.Attrs{
			nixgen.Bind(configs, "nixosConfigurations"),
			nixgen.Bind(bySystem(images), "packages"),
			nixgen.Bind(bySystem(checks), "checks"),
		},
	}}
}

func bySystem(of map[string]nixgen.Attrs) nixgen.Attrs {
	out := nixgen.Attrs{}
	for _, sys := range slices.Sorted(maps.Keys(of)) {
		out = append(out, nixgen.Bind(of[sys], sys))
	}
	return out
}

// check is the function that makes a derivation of nbr check, which fails where the spec is wrong. Warnings
// are in its log.
var check = nixgen.Fn{Arg: "pkgs", Body: nixgen.Fn{Arg: "nbr", Body: nixgen.Fn{Arg: "spec", Body: nixgen.Apply(
	"pkgs.runCommandLocal", nixgen.Str("nbr-check"),
	nixgen.Attrs{nixgen.Bind(nixgen.List{nixgen.Var("nbr")}, "nativeBuildInputs")},
	nixgen.Concat{nixgen.Str("nbr check "), nixgen.Var("spec"), nixgen.Str(" >$out")},
)}}}

// checked is the check of a router's spec on machines of a system, by the nbr that the router is built with.
func checked(c Config, router, system string) nixgen.Attr {
	pkgs := nixgen.Var("inputs.nixpkgs.legacyPackages." + system)
	nbr := nixgen.Expr(nixgen.Var("inputs.nbr.packages." + system + ".default"))
	if c.Source != nil {
		nbr = nixgen.Apply(string(pkgs)+".callPackage", nixgen.Path("./"+LibraryDir+"/package.nix"), nixgen.Attrs{})
	}
	return nixgen.Bind(nixgen.Apply("check", pkgs, nbr, nixgen.Path("./"+router+"/spec")), "spec-"+router)
}

// built is what a configuration builds beside the system, as a package.
func built(config, name, what string) nixgen.Attr {
	return nixgen.Bind(nixgen.Var("inputs.self.nixosConfigurations."+config+".config.system.build."+what), name)
}

// manifest lists every other file with its hash, and what the routers are.
func (t *Tree) manifest(c Config) []byte {
	m := Manifest{Version: manifestVersion, Files: map[string]string{}, Routers: map[string]Made{}}
	for _, r := range c.Routers {
		m.Routers[r.Name] = Made{Release: r.Release}
	}
	for name, b := range t.Files {
		m.Files[name] = Hash(b)
	}
	out, err := json.MarshalIndent(m, "", "  ") // sorts the keys
	if err != nil {
		panic(err) // texts always encode
	}
	return append(out, '\n')
}

// manifestVersion is the version of the manifest's form.
const manifestVersion = 1

// A Manifest is what ManifestName holds.
type Manifest struct {
	Version int               `json:"version"`
	Files   map[string]string `json:"files"`             // path below Dir → SHA-256 in hex
	Routers map[string]Made   `json:"routers,omitempty"` // by name
}

// Made is what a router was generated as.
type Made struct {
	Release string `json:"release,omitempty"` // of NixOS
}

// Hash is the SHA-256 of b in hex.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
