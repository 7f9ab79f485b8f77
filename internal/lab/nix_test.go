package lab_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestNixEvaluates(t *testing.T) {
	t.Parallel()
	var sum int
	lab.Nix(t).EvalJSON(t, "1 + 1", &sum)
	if sum != 2 {
		t.Errorf("1 + 1 = %d", sum)
	}
}

func TestNixParses(t *testing.T) {
	t.Parallel()
	nix, dir := lab.Nix(t), t.TempDir()
	nix.Parse(t, write(t, dir, "good.nix", "{ a = 1; }\n"), write(t, dir, "also.nix", "x: x\n"))

	bad := write(t, dir, "bad.nix", "{\n  a = ;\n}\n")
	_, err := nix.Try(t, "nix-instantiate", "--parse", bad)
	if err == nil || !strings.Contains(err.Error(), "bad.nix:2:7") {
		t.Errorf("a syntax error in line 2, column 7: %v", err)
	}
}

const flake = `{
  inputs.dep.url = "path:/nonexistent";
  outputs = { self, dep }: {
    lib.answer = dep.answer + 1;
    packages.x86_64-linux.default = derivation {
      name = "hello";
      system = "x86_64-linux";
      builder = "/bin/sh";
      args = [ "-c" "echo hello ${toString dep.answer} > $out" ];
    };
  };
}
`

func TestNixFlake(t *testing.T) {
	t.Parallel()
	nix, dir, dep := lab.Nix(t), t.TempDir(), t.TempDir()
	write(t, dir, "flake.nix", flake)
	write(t, dep, "flake.nix", "{ outputs = _: { answer = 41; }; }\n")
	inputs := map[string]string{"dep": dep}

	nix.Flake(t, dir, lab.Overrides(inputs)...)
	var answer int
	nix.EvalFlakeJSON(t, dir, "lib.answer", inputs, &answer)
	if answer != 42 {
		t.Errorf("lib.answer = %d", answer)
	}
	if _, err := nix.Try(t, "nix", "flake", "check", "--offline", "path:"+dir); err == nil {
		t.Error("an input that is not there is no error")
	}
	if left, _ := filepath.Glob(dir + "/*"); len(left) != 1 {
		t.Errorf("Nix has left files: %q", left)
	}

	out, err := os.ReadFile(nix.Builder(t).Build(t, dir, "packages.x86_64-linux.default", inputs))
	if err != nil || string(out) != "hello 41\n" {
		t.Errorf("built %q, %v", out, err)
	}
}
