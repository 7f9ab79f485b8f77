package evaluatortest

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/nixgen"
)

// Build builds the plugin whose main package is in a folder, and returns its file.
func Build(t testing.TB, dir, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "nbr.wasm")
	c := exec.CommandContext(t.Context(), "go", "build", "-mod=readonly", "-trimpath", "-ldflags=-s", "-o", file, pkg)
	c.Dir, c.Env = dir, append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOPROXY=off")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

// Args are the arguments of a NixOS module, as attributes of args.
func Args(names ...string) Set {
	s := Set{}
	for _, name := range append([]string{"config", "lib", "modulesPath", "options", "pkgs"}, names...) {
		s[name] = Unknown("args." + name)
	}
	return s
}

// Functions is flake/values.nix, as attributes of functions. All but files wait for a real Nix.
func Functions() Set {
	s := Set{
		"builtins": Unknown("builtins"),
		"throw":    Function{Nix: "throw"},
		"files":    Function{Nix: "functions.files", Call: files},
	}
	for _, name := range nixgen.Functions {
		s[name] = Function{Nix: "functions." + Nix(name)}
	}
	return s
}

func files(args []Value) (Value, error) {
	s := Set{}
	root := string(args[0].(Path))
	return s, filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			s[strings.TrimPrefix(name, root+"/")] = Path(name)
		}
		return err
	})
}

// Library is the folder with nbr's Nix files of a generated tree, as values.
func Library(t testing.TB, dir string) Set {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.nix"))
	if err != nil || len(files) == 0 {
		t.Fatal("no library in ", dir)
	}
	s := Set{}
	for _, f := range files {
		s[filepath.Base(f)] = Path(f)
	}
	return s
}
