package flaketest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
)

// third is the module of a third party: nbr with an overlay block, which brings a link, a
// probe and a claim.
const third = repo + "/testdata/thirdparty"

// said runs a program and returns its exit code and what it says.
func said(t *testing.T, dir, name string, args ...string) (int, string) {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, offline()
	out, err := c.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// thirdProgram builds the third party's program as its author does. If Go says that go.mod
// needs updates, run go mod tidy in testdata/thirdparty.
func thirdProgram(t *testing.T) string {
	t.Helper()
	return build(t, third, "readonly", ".")
}

// thirdSpec is a folder with the third party's spec and more of it.
func thirdSpec(t *testing.T, more string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "spec")
	write(t, filepath.Join(dir, "router.hcl"), contents(t, filepath.Join(third, "spec"))["router.hcl"]+more)
	return dir
}

// The third party's own tests are those of a built-in service, with the same harness.
func TestThirdPartysTests(t *testing.T) {
	if text := run(t, third, "gofmt", "-l", "."); text != "" {
		t.Errorf("not gofmt: %s", text)
	}
	run(t, third, "go", "vet", "-mod=readonly", "./...")
	run(t, third, "go", "test", "-mod=readonly", "-vet=off", "-count=1", "./...")
}

// A program of another module embeds the source of an nbr that does not know its kinds: it
// refuses to generate unless the spec says where its own source is. Then Nix evaluates what
// it generates.
func TestThirdPartysTree(t *testing.T) {
	program, dir := thirdProgram(t), t.TempDir()
	code, text := said(t, dir, program, "gen", "-o", "out", thirdSpec(t, ""))
	if code != 2 || !strings.Contains(text, `input "nbr" {`) || !strings.Contains(text, "build branch with another one") {
		t.Errorf("without a source nbr gen says: %d\n%s", code, text)
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("and has written something: %v", err)
	}
	if got := run(t, dir, program, "version"); got != "nbr "+nbr.Version+"\n" {
		t.Errorf("nbr version prints %q of a source that is not known", got)
	}

	all := standin.Inputs(t, "26.05")
	source := "path:" + all["nbr"]
	run(t, dir, program, "gen", "-o", "out", thirdSpec(t, "\ninput \"nbr\" {\n  url = \""+source+"\"\n}\n"))
	out := contents(t, filepath.Join(dir, "out/routers"))
	if !strings.Contains(out["flake.nix"], source) || !strings.Contains(out["branch/system.nix"], "nbr.nixosModules.default") {
		t.Errorf("the flake takes nbr from elsewhere:\n%s\n%s", out["flake.nix"], out["branch/system.nix"])
	}
	if _, there := out["nbr/"+flake.ArchiveName]; there {
		t.Error("the source of another nbr is in the tree")
	}

	in := used(t, filepath.Join(dir, "out"), all)
	delete(in, "nbr") // the tree's own word says where it is
	in["nbr/nixpkgs"] = all["nixpkgs"]
	const config = "nixosConfigurations.branch.config."
	nix := lab.Nix(t)
	var link map[string]any
	nix.EvalFlakeJSON(t, filepath.Join(dir, "out"), config+"networking.ifstate.settings.interfaces.office.link", in, &link)
	if d := cmp.Diff(map[string]any{
		"kind": "vxlan", "state": "up", "mtu": 1450., "vxlan_id": 42., "vxlan_group": "10.0.0.2", "vxlan_local": "10.0.0.1", "vxlan_port": 4789.,
	}, link); d != "" {
		t.Errorf("the link of the third party (-want +got):\n%s", d)
	}
	var routes []map[string]any
	nix.EvalFlakeJSON(t, filepath.Join(dir, "out"), config+"networking.ifstate.settings.parameters.ignore.routes", in, &routes)
	if d := cmp.Diff([]map[string]any{{"dev": "office", "proto": 200.}}, routes); d != "" {
		t.Errorf("the routes that it owns (-want +got):\n%s", d)
	}
	var hosts []string
	nix.EvalFlakeJSON(t, filepath.Join(dir, "out"), config+`networking.hosts."10.0.0.2"`, in, &hosts)
	if d := cmp.Diff([]string{"office"}, hosts); d != "" {
		t.Errorf("the option that its program sets (-want +got):\n%s", d)
	}
	var ruleset string
	nix.EvalFlakeJSON(t, filepath.Join(dir, "out"), config+"networking.nftables.tables.nbr.content", in, &ruleset)
	if !strings.Contains(ruleset, `udp dport 4789 counter accept comment "router.hcl:33 overlay.office"`) {
		t.Errorf("the firewall does not accept what it claims:\n%s", ruleset)
	}

	// Both ways of nbr explain.
	for i, line := range strings.Split(out["branch/network.nix"], "\n") {
		if strings.Contains(line, "vxlan_id = 42;") {
			_, text := said(t, dir, program, "explain", fmt.Sprintf("out/routers/branch/network.nix:%d", i+1))
			if !strings.Contains(text, "router.hcl line 31") || !strings.Contains(text, "comes from overlay.office") {
				t.Errorf("nbr explain says of %q:\n%s", line, text)
			}
		}
	}
	explained := run(t, dir, program, "explain", "overlay.office", thirdSpec(t, ""))
	for _, want := range []string{"routers/branch/overlay.nix:", "CONFIG_VXLAN (VXLAN)", "overlay.office/peer: office leads to its peer"} {
		if !strings.Contains(explained, want) {
			t.Errorf("nbr explain of the block does not say %q:\n%s", want, explained)
		}
	}
}

// The language of the third party's program has its block in it, as all commands know it.
func TestThirdPartysLanguage(t *testing.T) {
	program, dir := thirdProgram(t), t.TempDir()
	for _, tt := range []struct {
		want string
		args []string
	}{
		{"- `id` (VXLAN network identifier; required): The VXLAN network identifier, the same at both ends.", []string{"schema", "-doc", "overlay"}},
		{`"type": "overlay"`, []string{"schema"}},
		{"\noverlay\n", []string{"schema", "--generate-bash-completion"}},
		{"is a valid spec (3 networks", []string{"check", thirdSpec(t, "")}},
	} {
		if text := run(t, dir, program, tt.args...); !strings.Contains(text, tt.want) {
			t.Errorf("nbr %v does not say %q:\n%s", tt.args, tt.want, text)
		}
	}
	wrong := strings.Replace(contents(t, filepath.Join(third, "spec"))["router.hcl"], `overlay "office" {`, `overlai "office" {`, 1)
	write(t, filepath.Join(dir, "wrong/router.hcl"), wrong)
	if code, text := said(t, dir, program, "check", "wrong"); code != 2 || !strings.Contains(text, "overlay") || !strings.Contains(text, "line 31") {
		t.Errorf("a misspelt block: %d\n%s", code, text)
	}
}

// The third party's probe asks a real kernel, and its check finds the line of the spec that
// another tunnel breaks.
func TestThirdPartysVerdict(t *testing.T) {
	program, dir, spec := thirdProgram(t), t.TempDir(), thirdSpec(t, "")
	observe := func(file, script string) {
		t.Helper()
		// Much of the router is not on this machine: the exit code is 3.
		_, text := said(t, dir, "unshare", "-n", "sh", "-euc", script+"\nexec \"$@\"", "sh", program, "observe", "-passive", "-o", file, spec)
		if _, err := os.Stat(filepath.Join(dir, file)); err != nil {
			t.Fatalf("%s\n%s", err, text)
		}
	}
	judged := func(file string) (int, string) {
		return said(t, dir, program, "verify", "-state", file, "-only", "overlay.office/kind", "-only", "overlay.office/mtu", "-only", "overlay.office/peer", "-v", spec)
	}
	const add = "ip link add office mtu 1450 type vxlan id 42 local 10.0.0.1 dstport 4789 remote "
	observe("good.json", add+"10.0.0.2")
	if code, text := judged("good.json"); code != 0 || !strings.Contains(text, "3 checks: 3 pass\n") {
		t.Errorf("what the spec says: %d\n%s", code, text)
	}
	observe("other.json", add+"10.0.0.3")
	code, text := judged("other.json")
	for _, want := range []string{"router.hcl line 34,", "want  42 to 10.0.0.2", "got   42 to 10.0.0.3", "see   ip -d link show office"} {
		if code != 1 || !strings.Contains(text, want) {
			t.Errorf("another peer: %d, without %q\n%s", code, want, text)
		}
	}
	// A link of that name that another program made, and left as it was.
	observe("bridge.json", "ip link add office mtu 1400 type bridge")
	code, text = judged("bridge.json")
	for _, want := range []string{"router.hcl line 31,", "want  vxlan", "got   bridge", "want  1450", "got   1400"} {
		if code != 1 || !strings.Contains(text, want) {
			t.Errorf("a link of another program: %d, without %q\n%s", code, want, text)
		}
	}
	observe("none.json", "")
	if code, text := judged("none.json"); code != 1 || strings.Count(text, "not there") != 3 || !strings.Contains(text, "router.hcl line 31,") {
		t.Errorf("no link: %d\n%s", code, text)
	}
}

// TestWithServices runs the step that adds the third party's service to nbr's source, as
// Nix's builder would, and builds the result.
func TestWithServices(t *testing.T) {
	dir := checkout(t)
	in := map[string]string{"nixpkgs": standin.Inputs(t, "26.05")["nixpkgs"]}
	overlay := filepath.Join(t.TempDir(), "overlay")
	if err := os.CopyFS(overlay, os.DirFS(filepath.Join(third, "overlay"))); err != nil {
		t.Fatal(err)
	}
	user := filepath.Join(t.TempDir(), "user")
	write(t, filepath.Join(user, "flake.nix"), `{
  inputs.nbr.url = "path:`+dir+`";
  inputs.overlay = { url = "path:`+overlay+`"; flake = false; };
  outputs = { self, nbr, overlay }: {
    postPatch = (nbr.lib.withServices {
      pkgs = {
        stdenv.hostPlatform.system = "x86_64-linux";
        writeText = name: text: builtins.toFile name text;
      };
      services.overlay = overlay;
    }).postPatch;
  };
}
`)
	var script string
	lab.Nix(t).Builder(t).EvalFlakeJSON(t, user, "postPatch", map[string]string{"nbr/nixpkgs": in["nixpkgs"]}, &script)
	run(t, dir, "sh", "-ec", script)
	with := build(t, dir, "readonly", "./cmd/nbr")
	if out := run(t, dir, with, "schema", "-doc", "overlay"); !strings.Contains(out, "A VXLAN to one other router") {
		t.Errorf("the new block is not in the schema:\n%s", out)
	}

	// What it generates builds it again, with the third party's service and without its tests.
	spec := thirdSpec(t, "")
	run(t, dir, with, "gen", "-o", "out", spec)
	source, program := built(t, filepath.Join(dir, "out"))
	want := contents(t, overlay)
	for name := range want {
		if strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "testdata/") {
			delete(want, name)
		}
	}
	if d := cmp.Diff(want, contents(t, filepath.Join(source, "service/overlay"))); d != "" {
		t.Errorf("the service in the archive (-want +got):\n%s", d)
	}
	run(t, dir, program, "gen", "-o", "again", spec)
	same(t, contents(t, filepath.Join(dir, "out")), contents(t, filepath.Join(dir, "again")))
}
