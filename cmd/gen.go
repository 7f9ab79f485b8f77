package cmd

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/rogpeppe/go-internal/diff"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/flake/compose"
	"github.com/nbr-dev/nbr/flake/pins"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
)

func (a *app) genCommand() *cli.Command {
	return &cli.Command{
		Name: "gen", Usage: "make a NixOS flake of one or more specs", ArgsUsage: "[DIR...]",
		Description: "Reads the specs in the folders (the current one by default) and writes a flake that\n" +
			"stands alone: flake.nix and routers/. It replaces the old tree in one step, keeps files\n" +
			"that are not its own, and never overwrites a generated file that was edited.\n" +
			"A first flake.lock is written where there is none, with the nixpkgs that nbr was tried with;\n" +
			"nix flake update moves it, and nbr never touches it again.\n\n" +
			"Examples:\n" +
			"   nbr gen -o out router/            one router\n" +
			"   nbr gen -o out home/ office/      several routers, one flake\n" +
			"   nbr gen -check -o out router/     exit code 1 if the tree is stale (for CI)\n" +
			"   nbr gen -diff -o out router/      what would change, and what was edited by hand\n" +
			"   cd out && nix build .#sdImage-bpi-r4",
		Flags: append(specFlags(),
			&cli.StringFlag{Name: "o", Value: ".", Usage: "write the tree to `DIR`"},
			boolFlag("check", "write nothing; exit code 1 if the tree is stale"),
			boolFlag("diff", "write nothing; print what would change"),
			boolFlag("remove", "remove the routers of the tree whose spec is not given"),
			boolFlag("force", "overwrite generated files that were edited, and a flake.nix that is not nbr's")),
		Action: a.gen,
	}
}

func (a *app) gen(c *cli.Context) error {
	// What is in the folder is told of after the spec: Compare has the words.
	known, lockErr := pins.FromLock(c.String("o"))
	recorded, _ := flake.Recorded(c.String("o"))
	moved := func(s *service.Spec) hcl.Diagnostics {
		return pins.Moved(s.Router, recorded[string(s.Router.Name.V)])
	}
	specs, err := a.load(c, dirs(c), a.aged(known), moved)
	if err != nil {
		return err
	}
	if err := a.canBuild(specs); err != nil {
		return err
	}
	tree, err := a.build(specs)
	if err != nil {
		return err
	}
	plan, err := tree.Compare(c.String("o"), c.Bool("force"))
	if err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	if lockErr != nil {
		fmt.Fprintf(a.Stderr, "nbr: %s\n", lockErr) // Nix cannot read it either; it stays
	}
	gone := leaving(plan)
	a.stranded(c.String("o"), gone, specs)
	switch {
	case c.Bool("diff"):
		a.report(plan)
		a.diff(plan, specs)
		a.edits(c.String("o"), plan, tree, specs)
		if c.Bool("check") && plan.Stale() {
			return exit{code: ExitFailed}
		}
		return nil
	case c.Bool("check"):
		a.report(plan)
		if plan.Stale() {
			return exit{ExitFailed, fmt.Sprintf("%s is stale: run %s", c.String("o"), strings.Join(append([]string{"nbr gen -o", c.String("o")}, c.Args().Slice()...), " "))}
		}
		return nil
	}
	if len(gone) > 0 && !c.Bool("remove") {
		return exit{ExitFailed, fmt.Sprintf("nothing was written: %s would be removed. Name the spec of each router of the tree, or say -remove", diag.List(gone))}
	}
	if err := c.Context.Err(); err != nil {
		return exit{ExitUnknown, "interrupted; nothing was written"}
	}
	if err := plan.Apply(); err != nil {
		return exit{ExitUnknown, err.Error()}
	}
	a.report(plan) // of what was found while the folder was locked
	if !c.Bool("json") {
		fmt.Fprintf(a.Stdout, "%s: %s\n", c.String("o"), summary(plan))
	}
	if len(plan.Kept) > 0 {
		return exit{code: ExitFailed}
	}
	return nil
}

// canBuild tells whether the routers can be built with an nbr: with this one, or with the
// one that their specs name.
func (a *app) canBuild(specs []loaded) error {
	for _, s := range specs {
		if a.Source == nil && s.Router.Input("nbr") == nil {
			return exit{ExitSpec, fmt.Sprintf("this nbr does not carry the source that it is built from, so the flake would build %s with another one. "+
				"Say in the spec which flake has it as its nixosModules.default and packages.SYSTEM.default:\n\n"+
				"    input \"nbr\" {\n      url = \"git+https://example.org/nbr\"\n    }\n\n"+
				"An nbr with further kinds of blocks that lib.withServices of nbr's flake has built carries its source.", s.Router.Name.V)}
		}
	}
	return nil
}

// report names the files that were edited.
func (a *app) report(p *flake.Plan) {
	for _, f := range p.Kept {
		fmt.Fprintf(a.Stderr, "nbr: %s was edited since it was generated and is kept as it is.\n", f)
	}
	if len(p.Kept) > 0 {
		fmt.Fprintln(a.Stderr, "nbr: put your changes into local.nix beside it, then run nbr gen -force to have it generated again.")
	}
	for _, f := range p.Yours {
		fmt.Fprintf(a.Stderr, "nbr: %s is not generated any more, but was edited: it is yours now.\n", f)
	}
}

// leaving are the routers that are in the tree and whose spec was not given.
func leaving(p *flake.Plan) []string {
	var out []string
	for _, f := range p.Remove {
		if dir, file := filepath.Split(f); file == "default.nix" && filepath.Dir(filepath.Clean(dir)) == flake.Dir {
			out = append(out, filepath.Base(dir))
		}
	}
	return out
}

// stranded tells of routers that leave the flake, and of their local.nix, which stays and
// which nothing imports any more: a router that has another name looks for its own.
func (a *app) stranded(dir string, gone []string, specs []loaded) {
	for _, name := range gone {
		fmt.Fprintf(a.Stderr, "nbr: %s is in the tree, and its spec was not given.\n", name)
		local := func(name string) string { return filepath.Join(dir, flake.Dir, name, "local.nix") }
		if _, err := os.Lstat(local(name)); err != nil {
			continue
		}
		to := ""
		for _, s := range specs {
			if _, err := os.Lstat(filepath.Join(dir, flake.Dir, string(s.Router.Name.V))); err != nil {
				to = fmt.Sprintf(" If %s is called %s now, move it to %s.", name, s.Router.Name.V, local(string(s.Router.Name.V)))
			}
		}
		fmt.Fprintf(a.Stderr, "nbr: %s is yours and stays; nothing imports it without %s.%s\n", local(name), name, to)
	}
}

// edits prints what was changed by hand in generated files, which are kept.
func (a *app) edits(dir string, p *flake.Plan, tree *flake.Tree, specs []loaded) {
	secrets := diag.NewSecrets()
	for _, s := range specs {
		s.AddSecrets(secrets, s.dir+"/")
	}
	for _, f := range p.Kept {
		have, err := os.ReadFile(filepath.Join(dir, f))
		want := tree.Files[strings.TrimPrefix(filepath.ToSlash(f), flake.Dir+"/")]
		if err != nil || binary(have) || binary(want) {
			continue // it has been named
		}
		fmt.Fprint(a.Stdout, secrets.Text(string(diff.Diff("generated/"+f, want, "edited/"+f, have))))
	}
}

func summary(p *flake.Plan) string {
	parts := []string{diag.Count(len(p.Write), "file") + " written"}
	if len(p.Remove) > 0 {
		parts = append(parts, fmt.Sprintf("%d removed", len(p.Remove)))
	}
	if len(p.Kept) > 0 {
		parts = append(parts, fmt.Sprintf("%d edited ones kept", len(p.Kept)))
	}
	if p.Same > 0 {
		parts = append(parts, fmt.Sprintf("%d unchanged", p.Same))
	}
	if p.Lock != nil {
		parts = append(parts, "a first "+flake.LockName)
	}
	return strings.Join(parts, ", ")
}

// diff prints what would change, without the secrets that the specs hold.
func (a *app) diff(p *flake.Plan, specs []loaded) {
	secrets := diag.NewSecrets()
	for _, s := range specs {
		s.AddSecrets(secrets, s.dir+"/")
	}
	for _, w := range p.Write {
		if w.Path == flake.Dir+"/"+flake.ManifestName {
			fmt.Fprintf(a.Stdout, "changed: %s\n", w.Path) // a hash would say nothing to a reader
			continue
		}
		if binary(w.Old) || binary(w.New) {
			fmt.Fprintf(a.Stdout, "changed: %s (binary, %d bytes, %d before)\n", w.Path, len(w.New), len(w.Old))
			continue
		}
		fmt.Fprint(a.Stdout, secrets.Text(string(diff.Diff("a/"+w.Path, w.Old, "b/"+w.Path, w.New))))
	}
	for _, r := range p.Remove {
		fmt.Fprintf(a.Stdout, "removed: %s\n", r)
	}
	if p.Lock != nil {
		a.Stdout.Write(diff.Diff("a/"+flake.LockName, nil, "b/"+flake.LockName, p.Lock))
	}
}

// binary tells whether lines of it say nothing: the archive of nbr's source is so, and a
// secret that age has encrypted.
func binary(b []byte) bool { return !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 }

// build makes the tree of the specs.
func (a *app) build(specs []loaded) (*flake.Tree, error) {
	var all []*service.Spec
	for _, s := range specs {
		all = append(all, s.Spec)
	}
	tree, err := compose.Tree(a.Source, all...)
	if err != nil {
		return nil, exit{ExitSpec, err.Error()}
	}
	return tree, nil
}
