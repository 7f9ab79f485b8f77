package flaketest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

// TestFromSpecByPlugin shows how lib.fromSpec and lib.evalSpec call an evaluator that runs WebAssembly, by
// its name of today and the older one: the plugin here says what it was given. What nbr's own makes of that is
// shown in internal/evaluatortest.
func TestFromSpecByPlugin(t *testing.T) {
	spec := filepath.Join(t.TempDir(), "router")
	for name, text := range map[string]string{"router.hcl": "router {}\n", "nbr.vars.json": `{"a": "1"}`, "lists/bad.txt": "x\n", "notes.md": "notes\n", ".git/HEAD": "ref\n"} {
		write(t, filepath.Join(spec, name), text)
	}
	if err := os.Symlink("router.hcl", filepath.Join(spec, "link.hcl")); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs(repo)
	if err != nil {
		t.Fatal(err)
	}
	for _, builtin := range []string{"wasm = { path }: plugin path", "wasi = path: plugin path"} {
		file := filepath.Join(t.TempDir(), "expression.nix")
		write(t, file, `let
  lib = import `+standin.Inputs(t, "26.05")["nixpkgs"]+`/lib;
  plugin = path: arg: {
    r = {
      meta = { inherit path; files = [ "lists/bad.txt" "router.hcl" ]; };
    } // (if arg ? args then {
      module = {
        inherit (arg) vars;
        host = arg.args.config.host;
        special = arg.args.sbc;
        library = builtins.attrNames arg.library;
        there = builtins.all builtins.pathExists (builtins.attrValues arg.library);
        files = builtins.attrNames (arg.functions.files arg.spec);
        folder = builtins.attrNames (builtins.readDir arg.folder ) ++ builtins.attrNames (builtins.readDir (arg.folder + "/lists"));
      };
    } else { });
  };
  nbr = builtins.scopedImport { builtins = builtins // { `+builtin+`; }; } `+root+`/flake/lib.nix {
    nixpkgs = { inherit lib; };
    self = { };
  };
  given = { spec = `+spec+`; pkgs = { }; nbr.wasm = "/nbr-wasm"; };
in {
  meta = (nbr.evalSpec given).r.meta;
  wants = lib.functionArgs (nbr.fromSpec given).r;
  module = builtins.head ((nbr.fromSpec given).r { config.host = "h"; inherit lib; pkgs = throw "not needed"; sbc = 1; }).imports;
}
`)
		// nix-instantiate would put no folder into the store.
		text, err := lab.Nix(t).Builder(t).Try(t, "nix", "eval", "--json", "--file", file)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"meta":  map[string]any{"path": "/nbr-wasm/nbr.wasm", "files": []any{"lists/bad.txt", "router.hcl"}},
			"wants": map[string]any{"config": false, "lib": false, "pkgs": false},
			"module": map[string]any{
				"vars": map[string]any{}, "host": "h", "special": 1., "there": true,
				"library": []any{"firmware.nix", "kernel.nix", "module.nix", "uefi.nix"},
				"files":   []any{".git/HEAD", "lists/bad.txt", "nbr.vars.json", "notes.md", "router.hcl"},
				"folder":  []any{"lists", "router.hcl", "bad.txt"},
			},
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", builtin, d)
		}
	}
}
