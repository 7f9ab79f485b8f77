package cmd

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/urfave/cli/v2"

	"github.com/nbr-dev/nbr/evaluator"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
)

// specFlags are the flags of every command that reads specs.
func specFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "var", Usage: "set a variable of the spec: `NAME=VALUE` (may be given several times; the tree keeps it, so it is no place for a secret)"},
		&cli.StringFlag{Name: "format", Value: "text", Usage: "print diagnostics as `FORM`: text, json or github"},
		boolFlag("json", "the same as -format json"),
		boolFlag("all", "show each diagnostic, also where many say the same"),
	}
}

// A loaded is a spec, the folder it was read from, and what was said of it.
type loaded struct {
	*service.Spec
	dir  string
	said hcl.Diagnostics
}

// A judge says more of a spec that has no errors.
type judge func(*service.Spec) hcl.Diagnostics

// load reads the specs in the folders, prints what is to be said of them and
// fails if one of them is wrong.
func (a *app) load(c *cli.Context, dirs []string, more ...judge) ([]loaded, error) {
	specs, said, err := a.read(c, dirs, more...)
	var code exit
	wrong := errors.As(err, &code) && code.code == ExitSpec && code.msg == ""
	if said != nil && (err == nil || wrong) {
		if err := a.answer(said, nil); err != nil {
			return nil, err
		}
	}
	return specs, err
}

// answer prints JSON: the diagnostics, and what else a command has to tell.
func (a *app) answer(said []diag.JSONDiagnostic, more map[string]any) error {
	all := map[string]any{"format_version": "1.0", "diagnostics": said}
	maps.Copy(all, more)
	_, err := a.Stdout.Write(diag.MarshalIndent(all))
	return err
}

// read is load, but for JSON: that is returned to be printed with whatever else there is
// to tell, and nil when another form is wanted.
func (a *app) read(c *cli.Context, dirs []string, more ...judge) ([]loaded, []diag.JSONDiagnostic, error) {
	vars, err := parseVars(c.StringSlice("var"))
	if err != nil {
		return nil, nil, err
	}
	format := c.String("format")
	if c.Bool("json") {
		format = "json"
	}
	var specs []loaded
	var all []diag.JSONDiagnostic
	var said hcl.Diagnostics
	bad := false
	var found []hcl.Diagnostics
	for _, dir := range dirs {
		if err := folder(dir); err != nil {
			return nil, nil, err
		}
		spec, diags := a.reg.Load(source.Dir(dir), vars)
		bad = bad || diags.HasErrors()
		specs, found = append(specs, loaded{Spec: spec, dir: dir}), append(found, diags)
	}
	sound := !bad
	for i, s := range specs {
		diags := found[i]
		if !diags.HasErrors() {
			for _, j := range more {
				diags = append(diags, j(s.Spec)...)
			}
			if sound {
				diags = append(diags, router.JudgeSites(s.Router, besides(specs, i))...)
			}
			diags = diag.Sort(diags)
		}
		specs[i].said = diags
		bad = bad || diags.HasErrors()
		w := a.diagWriter(s.Spec, s.dir)
		w.All = c.Bool("all")
		said = append(said, diags...)
		switch format {
		case "text":
			err = w.Write(diags)
		case "github":
			w.W = a.Stdout
			err = w.GitHub(diags)
		case "json":
			all = append(all, w.JSON(diags)...)
		default:
			return nil, nil, usage("-format is text, json or github, not %q", format)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if total := diag.Total(said); format == "text" && total != "" {
		fmt.Fprintln(a.Stderr, total)
	}
	if format == "json" && all == nil {
		all = []diag.JSONDiagnostic{}
	}
	if bad {
		return nil, all, exit{code: ExitSpec}
	}
	return specs, all, nil
}

// besides are the routers of the other specs.
func besides(specs []loaded, i int) []router.Site {
	var out []router.Site
	for j, s := range specs {
		if j != i {
			out = append(out, router.Site{Router: s.Router, Dir: filepath.ToSlash(filepath.Clean(s.dir))})
		}
	}
	return out
}

// folder wants the folder of a spec, and says which one when it gets a file in it.
func folder(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil && source.IsSpec(dir):
		return exit{ExitSpec, fmt.Sprintf("%s is one file, and a spec is all *.hcl files of a folder: name the folder, %s", dir, filepath.Dir(dir))}
	}
	return exit{ExitSpec, fmt.Sprintf("%s is no folder with a spec", dir)}
}

func (a *app) diagWriter(spec *service.Spec, dir string) *diag.Writer {
	return &diag.Writer{W: a.Stderr, Dir: filepath.ToSlash(dir), Bytes: spec.Bytes, Secrets: spec.Secrets, Color: a.Color, Width: a.Width}
}

// dirs are the arguments, or the current folder.
func dirs(c *cli.Context) []string {
	if c.NArg() == 0 {
		return []string{"."}
	}
	return c.Args().Slice()
}

func parseVars(in []string) (map[string]string, error) {
	vars := map[string]string{}
	for _, s := range in {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return nil, usage("-var takes NAME=VALUE") // what it was given may be a secret
		}
		vars[name] = value
	}
	return vars, nil
}

func (a *app) evalCommand() *cli.Command {
	return &cli.Command{
		Name: "eval", Usage: "print what a spec says as JSON", ArgsUsage: "[DIR...]",
		Description: "Reads the specs in the folders (the current one by default) and prints, by the name of the router,\n" +
			"what it is (meta), its checks (plan), its blocks with defaults filled in (spec), and warnings.\n" +
			"It is what lib.evalSpec of nbr's flake gives in Nix.\n\nExamples:\n   nbr eval router/ | jq '.[].spec.network'",
		Flags: specFlags(),
		Action: func(c *cli.Context) error {
			specs, err := a.load(c, dirs(c))
			if err != nil {
				return err
			}
			all := map[string]evaluator.Description{}
			for _, s := range specs {
				all[string(s.Router.Name.V)] = evaluator.Describe(s.Spec, s.said)
			}
			_, err = a.Stdout.Write(diag.MarshalIndent(all))
			return err
		},
	}
}

func (a *app) checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "say everything that is wrong with a spec", ArgsUsage: "[DIR...]",
		Description: "Reads the specs in the folders (the current one by default) and writes nothing.\n" +
			"Exit code 2 if one is wrong. Warns, too, of a release of NixOS without security fixes, and of\n" +
			"pins that face the network and are older than 90 days: nbr pins lists them.\n\nExamples:\n   nbr check router/\n   nbr check -json router/ | jq .diagnostics",
		Flags: append(specFlags(), treeFlag()),
		Action: func(c *cli.Context) error {
			known, err := locked(c)
			if err != nil {
				return err
			}
			specs, err := a.load(c, dirs(c), a.aged(known))
			if err != nil || c.Bool("json") || c.String("format") != "text" {
				return err
			}
			for _, s := range specs {
				fmt.Fprintf(a.Stdout, "%s: %s is a valid spec (%s, %s)\n", s.dir, s.Router.Name.V,
					diag.Count(len(s.Router.Networks), "network"), diag.Count(len(s.Plan().Checks), "check"))
			}
			return nil
		},
	}
}
