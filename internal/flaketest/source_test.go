package flaketest_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

const article = repo + "/testdata/routers/bpi-r4"

// offline is the environment of a go command that has only what this machine has.
func offline() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off")
}

// run runs a command and returns what it says.
func run(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, offline()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// build builds a program as flake/package.nix does.
func build(t *testing.T, dir, mod, pkg string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "nbr")
	run(t, dir, "go", "build", "-mod="+mod, "-trimpath", "-tags", "urfave_cli_no_docs", "-o", program, pkg)
	return program
}

// built unpacks nbr's source from a generated flake and builds it, with the modules of go
// mod vendor.
func built(t *testing.T, out string) (source, program string) {
	t.Helper()
	source = unpack(t, filepath.Join(out, "routers/nbr/source.tar.gz"))
	run(t, source, "go", "mod", "vendor")
	return source, build(t, source, "vendor", "./cmd/nbr")
}

// unpack returns the one folder that is in an archive.
func unpack(t *testing.T, archive string) string {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, h.Name), string(b))
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%s has %v in it: %v", archive, entries, err)
	}
	return filepath.Join(dir, entries[0].Name())
}

func write(t *testing.T, file, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// contents are all files below a folder.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		b, err := os.ReadFile(path)
		out[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// same fails for each file that two trees do not have alike.
func same(t *testing.T, want, got map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s is another one", name)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Error(diff)
	}
}

var hashRE = regexp.MustCompile(`vendorHash = "([^"]*)"`)

// packaged is a value of flake/package.nix.
func packaged(t *testing.T, re string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(repo, "flake/package.nix"))
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(re).FindSubmatch(b)
	if m == nil {
		t.Fatalf("flake/package.nix has no %s", re)
	}
	return string(m[1])
}

// The program that a generated flake builds is the one that generated it: it says the same
// version and generates the same bytes, its own source among them. The generator here has
// its tests in it, and the program does not.
func TestTreeBuildsItsGenerator(t *testing.T) {
	out := gen(t, article)
	source, program := built(t, out)
	again := filepath.Join(t.TempDir(), "again")
	run(t, ".", program, "gen", "-o", again, article)
	same(t, contents(t, out), contents(t, again))
	for name := range contents(t, source) {
		if !strings.HasPrefix(name, "vendor/") && (strings.HasSuffix(name, "_test.go") || strings.Contains(name, "testdata")) {
			t.Errorf("%s is in the archive, which has no tests", name)
		}
	}

	archive, err := os.ReadFile(filepath.Join(out, "routers/nbr/source.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	version := run(t, ".", program, "version")
	if want := "nbr " + nbr.Version + "+" + flake.Hash(archive)[:12] + "\n"; version != want {
		t.Errorf("nbr version prints %q, not %q", version, want)
	}
	if got := packaged(t, `version = "([^"]*)"`); got != nbr.Version {
		t.Errorf("flake/package.nix is of version %s, embed.go of %s", got, nbr.Version)
	}
}

// What Nix takes of a checkout is what is in the archive, so that one vendor hash fits both.
func TestCheckoutIsTheArchive(t *testing.T) {
	dir := checkout(t)
	write(t, filepath.Join(dir, "out/routers/nbr/package.nix"), "{ }\n")
	user := filepath.Join(t.TempDir(), "user")
	write(t, filepath.Join(user, "flake.nix"), `{
  inputs.nbr = { url = "path:`+dir+`"; flake = false; };
  outputs = { self, nbr }: {
    list = let
      list = dir: builtins.concatLists (builtins.attrValues (builtins.mapAttrs (name: type:
        if type == "directory" then map (n: name + "/" + n) (list (dir + "/${name}")) else [ name ]
      ) (builtins.readDir dir)));
    in list (import (nbr + "/flake/source.nix"));
  };
}
`)
	var list []string
	lab.Nix(t).Builder(t).EvalFlakeJSON(t, user, "list", nil, &list)
	want := slices.Sorted(maps.Keys(contents(t, unpack(t, filepath.Join(gen(t, article), "routers/nbr/source.tar.gz")))))
	slices.Sort(list)
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("flake/source.nix and embed.go differ (-archive +checkout):\n%s", diff)
	}
}

// The flake's routers are built with the archive, and with the flake that the spec names
// when it names one.
func TestWhichNbr(t *testing.T) {
	all := standin.Inputs(t, "26.05")
	const pkg = "nixosConfigurations.bpi-r4.config.programs.nbr.package."
	for _, tt := range []struct {
		name, spec, src string
		files           []string
	}{
		{
			"its own", "", `^/nix/store/[a-z0-9]{32}-source/routers/nbr/source\.tar\.gz$`,
			[]string{"firmware.nix", "kernel.nix", "module.nix", "package.nix", "source.nix", "source.tar.gz", "uefi.nix"},
		},
		{
			"an input", "\ninput \"nbr\" {\n  url = \"path:" + all["nbr"] + "\"\n}\n", `^/nix/store/[a-z0-9]{32}-nbr-source$`,
			[]string{"firmware.nix", "kernel.nix", "uefi.nix"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spec := filepath.Join(t.TempDir(), "spec")
			write(t, filepath.Join(spec, "router.hcl"), contents(t, article)["router.hcl"]+tt.spec)
			out := gen(t, spec)
			if diff := cmp.Diff(tt.files, slices.Sorted(maps.Keys(contents(t, filepath.Join(out, "routers/nbr"))))); diff != "" {
				t.Errorf("routers/nbr (-want +got):\n%s", diff)
			}
			in := used(t, out, all)
			// The tree's own word says where it is.
			delete(in, "nbr")
			if tt.spec != "" {
				in["nbr/nixpkgs"] = all["nixpkgs"]
			}
			nix := lab.Nix(t)
			var src, hash, version string
			nix.EvalFlakeJSON(t, out, pkg+"src", in, &src)
			nix.EvalFlakeJSON(t, out, pkg+"vendorHash", in, &hash)
			nix.EvalFlakeJSON(t, out, pkg+"version", in, &version)
			if !regexp.MustCompile(tt.src).MatchString(src) {
				t.Errorf("the source is %s, not like %s", src, tt.src)
			}
			var checked []string
			var router string
			nix.EvalFlakeJSON(t, out, "checks.aarch64-linux.spec-bpi-r4.nativeBuildInputs", in, &checked)
			nix.EvalFlakeJSON(t, out, pkg+"outPath", in, &router)
			if !slices.Equal(checked, []string{router}) {
				t.Errorf("the spec is checked with %q, the router has %s", checked, router)
			}
			if want := packaged(t, hashRE.String()); hash != want || version != nbr.Version {
				t.Errorf("the vendor hash is %s, the version %s; package.nix says %s and %s", hash, version, want, nbr.Version)
			}
		})
	}
}
