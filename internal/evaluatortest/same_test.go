package evaluatortest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/source"
	et "github.com/nbr-dev/nbr/internal/evaluatortest"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

func registry() *service.Registry {
	return &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
}

// module is the module that the plugin returned, as a text that Nix reads.
func module(t testing.TB, v et.Value, name string) string {
	t.Helper()
	values, err := filepath.Abs(filepath.Join(repo, "flake/values.nix"))
	if err != nil {
		t.Fatal(err)
	}
	r, ok := v.(et.Set)[name].(et.Set)
	if !ok {
		t.Fatalf("no router %s", name)
	}
	file := filepath.Join(t.TempDir(), "module.nix")
	text := "{ config, lib, options, pkgs, ... }@args:\nlet\n  functions = import " + values + ";\nin\n" + et.Nix(r["module"]) + "\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// shown is a value of an option as data: a package is its derivation, a kernel's packages are its kernel, and a
// function, which no option of ours is by itself, is looked at through the packages that it makes.
const shown = `
  shown = v:
    if builtins.isAttrs v then
      if v ? drvPath then v.drvPath
      else if v ? kernel && v ? extend then v.kernel.drvPath
      else if v ? outPath then "${v}"
      else builtins.mapAttrs (_: shown) v
    else if builtins.isList v then map shown v
    else if builtins.isPath v then toString v
    else if builtins.isFunction v then "function"
    else v;
`

// The module as a value is the generated one: for every router of testdata each option that it sets has the same
// value, and so has the whole system.
func TestSameOptions(t *testing.T) {
	inputs := map[string]map[string]string{}
	for _, release := range router.Releases {
		inputs[release] = standin.Inputs(t, release)
	}
	var dirs []string
	for _, pattern := range []string{"testdata/routers/*", "testdata/good/*"} {
		found, err := filepath.Glob(filepath.Join(repo, pattern))
		if err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, found...)
	}
	if len(dirs) < 15 {
		t.Fatalf("only %d specs found", len(dirs))
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) { same(t, inputs, dir) })
	}
}

func same(t *testing.T, inputs map[string]map[string]string, dir string) {
	out, name := tree(t, dir)
	arg := argument(t, out, name)
	spec, diags := registry().Load(source.Dir(string(arg["spec"].(et.Path))), nil)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	for _, in := range spec.Router.Inputs {
		arg["args"].(et.Set)[string(in.Name.V)] = et.Unknown("args." + et.Nix(string(in.Name.V)))
	}
	r, err := plugin(t).Run(arg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Output != "" {
		t.Errorf("it prints %q", r.Output)
	}
	var paths et.List
	for _, m := range spec.Modules() {
		for _, o := range m.Module.Options() {
			var path et.List
			for _, n := range o.Path {
				path = append(path, n)
			}
			paths = append(paths, path)
		}
	}
	release := string(spec.Router.Release.V)
	if inputs[release] == nil { // the nearest there is
		release = router.Releases[len(router.Releases)-1]
	}
	text, err := standin.Eval(t, inputs[release], `
let`+shown+`
  text = system [ `+filepath.Join(out, "routers", name)+` ];
  value = system [ `+module(t, r.Value, name)+` ];
  at = builtins.foldl' (set: name: set.${name});
  json = s: path: builtins.toJSON (shown (at s.config path));
  paths = `+et.Nix(paths)+`;
in {
  differ = builtins.concatMap (path:
    let a = json text path; b = json value path;
    in if a == b then [ ] else [ { at = builtins.concatStringsSep "." path; text = a; value = b; } ]) paths;
  text = text.config.system.build.toplevel.drvPath;
  value = value.config.system.build.toplevel.drvPath;
}`)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Differ      []struct{ At, Text, Value string }
		Text, Value string
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for _, d := range got.Differ {
		t.Errorf("%s: the text is %.300s, the value %.300s", d.At, d.Text, d.Value)
	}
	if got.Text != got.Value || !strings.HasPrefix(got.Text, "/nix/store/") {
		t.Errorf("the system of the text is %s, that of the value %s", got.Text, got.Value)
	}
	if len(paths) < 20 {
		t.Errorf("only %d options compared", len(paths))
	}
}
