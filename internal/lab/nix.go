package lab

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
)

// A NixTool is Nix itself, cut off from this machine: it reads no configuration of the user,
// asks no registry and no network, and keeps its store in memory. A call takes some 30 ms and
// calls may run side by side.
type NixTool struct {
	bin string
	env []string
}

// Nix returns a Nix that parses and evaluates. It does not build: see [NixTool.Builder].
func Nix(t testing.TB) *NixTool {
	t.Helper()
	dir := part(t, "nix")
	home := t.TempDir()
	return &NixTool{bin: filepath.Join(dir, "bin"), env: []string{
		"HOME=" + home,
		"PATH=" + filepath.Join(dir, "bin") + ":/usr/bin:/bin",
		"NIX_CONF_DIR=" + filepath.Join(dir, "etc"),
		"NIX_REMOTE=dummy://?read-only=false",
		"NIX_PATH=",
		"TMPDIR=" + home,
	}}
}

// Builder returns the same Nix with a store on disk, so that it can build derivations, also
// while it evaluates. Builders find /bin/sh and what the derivation brings.
func (n *NixTool) Builder(t testing.TB) *NixTool {
	t.Helper()
	d := t.TempDir()
	t.Cleanup(func() {
		// What is in a store is read-only, folders too.
		_ = filepath.WalkDir(d, func(path string, e os.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				return os.Chmod(path, 0o700)
			}
			return err
		})
	})
	store := "NIX_REMOTE=local?store=" + d + "/store&state=" + d + "/var&log=" + d + "/log"
	return &NixTool{bin: n.bin, env: append(slices.Clone(n.env), store)}
}

// Try runs one of Nix's commands and returns its standard output. The error carries Nix's
// message, with file, line and column.
func (n *NixTool) Try(t testing.TB, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(n.bin, name), args...)
	cmd.Env = n.env
	return nstest.Output(cmd)
}

func (n *NixTool) run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := n.Try(t, name, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Parse fails the test unless all files are Nix.
func (n *NixTool) Parse(t testing.TB, files ...string) {
	t.Helper()
	if len(files) == 0 {
		t.Fatal("lab: no files to parse")
	}
	n.run(t, "nix-instantiate", append([]string{"--parse"}, files...)...)
}

// EvalJSON evaluates an expression and decodes its value into v.
func (n *NixTool) EvalJSON(t testing.TB, expr string, v any) {
	t.Helper()
	out, err := n.TryEval(t, expr)
	if err != nil {
		t.Fatal(err)
	}
	decode(t, out, v)
}

// TryEval evaluates an expression and returns its value in JSON. The expression is in a file: an
// argument has room for 128 KiB (MAX_ARG_STRLEN of include/uapi/linux/binfmts.h).
func (n *NixTool) TryEval(t testing.TB, expr string) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "expression.nix")
	if err := os.WriteFile(file, []byte(expr), 0o644); err != nil {
		t.Fatal(err)
	}
	return n.Try(t, "nix-instantiate", "--eval", "--strict", "--json", file)
}

// Flake evaluates all outputs of the flake in dir (nix flake check), without building them.
// The arguments are more of the command's own; [Overrides] gives inputs.
func (n *NixTool) Flake(t testing.TB, dir string, args ...string) {
	t.Helper()
	n.run(t, "nix", flakeArgs([]string{"flake", "check", "--no-build", "--all-systems"}, dir, args)...)
}

// EvalFlakeJSON evaluates one attribute of the flake in dir, with folders for its inputs, and
// decodes it into v.
func (n *NixTool) EvalFlakeJSON(t testing.TB, dir, attr string, overrides map[string]string, v any) {
	t.Helper()
	decode(t, n.run(t, "nix", flakeArgs([]string{"eval", "--json"}, dir+"#"+attr, Overrides(overrides))...), v)
}

// Build builds one attribute of the flake in dir and returns where the result lies; it needs a
// [NixTool.Builder].
func (n *NixTool) Build(t testing.TB, dir, attr string, overrides map[string]string) string {
	t.Helper()
	var built []struct{ Outputs map[string]string }
	decode(t, n.run(t, "nix", flakeArgs([]string{"build", "--json", "--no-link"}, dir+"#"+attr, Overrides(overrides))...), &built)
	if len(built) != 1 || built[0].Outputs["out"] == "" {
		t.Fatalf("lab: nix build %s: no output: %v", attr, built)
	}
	return built[0].Outputs["out"]
}

// Overrides are the arguments that give a flake's inputs folders of this machine, by name. A
// folder must be absolute.
func Overrides(inputs map[string]string) []string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		args = append(args, "--override-input", name, "path:"+inputs[name])
	}
	return args
}

// flakeArgs treats the folder as it lies there: git, if it has one, would hide new files.
func flakeArgs(command []string, installable string, args []string) []string {
	return slices.Concat(command, []string{"--offline", "--no-write-lock-file", "path:" + installable}, args)
}

func decode(t testing.TB, text string, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), v); err != nil {
		t.Fatalf("lab: Nix answered %q: %v", text, err)
	}
}
