package flaketest_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

const repo = "../.."

// specs are all good specs of the project: the whole routers, those of the services' txtar
// files, and the first spec that nbr init writes for each board.
func specs(t *testing.T) map[string]fs.FS {
	t.Helper()
	out := map[string]fs.FS{}
	for _, pattern := range []string{"testdata/routers/*", "testdata/good/*"} {
		dirs, err := filepath.Glob(filepath.Join(repo, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs {
			out[filepath.Base(filepath.Dir(dir))+"/"+filepath.Base(dir)] = os.DirFS(dir)
		}
	}
	for _, pattern := range []string{"service/*/testdata/*.txtar", "firmware/testdata/*.txtar"} {
		files, err := filepath.Glob(filepath.Join(repo, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m := fstest.MapFS{}
			for _, f := range ar.Files {
				if !strings.Contains(f.Name, "/") && !strings.HasSuffix(f.Name, ".txt") && !(strings.HasSuffix(f.Name, ".json") && !strings.HasSuffix(f.Name, ".hcl.json")) {
					m[f.Name] = &fstest.MapFile{Data: f.Data}
				}
			}
			out[strings.TrimPrefix(file, repo+"/")] = m
		}
	}
	for _, b := range firmware.Boards() {
		out["init/"+b.ID] = os.DirFS(initial(t, b.ID))
	}
	if len(out) < 15 {
		t.Fatalf("only %d specs found", len(out))
	}
	return out
}

func registry() *service.Registry {
	return &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
}

// TestOptionsExist has Nix judge what every spec of the project sets, by the options of
// each release: also of those that the spec does not choose, and of one that none can yet.
func TestOptionsExist(t *testing.T) {
	all := specs(t)
	names := slices.Sorted(maps.Keys(all))
	for _, release := range nixoptions.Releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			c := flake.Config{Source: nbr.Source()}
			dir := t.TempDir()
			var routers []string
			for i, name := range names {
				spec, diags := registry().Load(all[name], nil)
				if diags.HasErrors() {
					t.Fatalf("%s: %s", name, diags.Error())
				}
				spec.Router.Release.V = router.Release(release)
				r := flake.Router{Name: strconv.Itoa(i), System: spec.Router.Board.System, Image: spec.Router.Board.Image, Spec: maps.Clone(spec.Router.Files)}
				for _, m := range spec.Modules() {
					r.Modules = append(r.Modules, flake.Module{Name: m.Name, Module: m.Module})
				}
				for _, f := range spec.Router.Import.All() {
					r.Imports = append(r.Imports, string(f))
				}
				c.Routers = append(c.Routers, r)
				routers = append(routers, "[ "+filepath.Join(dir, r.Name)+" ]")
			}
			tree, err := flake.Build(c)
			if err != nil {
				t.Fatal(err)
			}
			for name, b := range tree.Files {
				write(t, filepath.Join(dir, name), string(b))
			}
			for i, err := range standin.Refused(t, standin.Inputs(t, release), routers) {
				t.Errorf("%s: NixOS %s: %v", names[i], release, err)
			}
		})
	}
}

// gen runs nbr gen over folders of specs.
func gen(t *testing.T, dirs ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	within(t, append([]string{"gen", "-o", out}, dirs...)...)
	return out
}

// initial runs nbr init for a board, with a key, and returns the spec's folder.
func initial(t *testing.T, board string) string {
	t.Helper()
	dir := t.TempDir()
	key := filepath.Join(dir, "key.pub")
	write(t, key, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk\n")
	within(t, "init", "-board", board, "-key", key, filepath.Join(dir, "spec"))
	return filepath.Join(dir, "spec")
}

// within runs nbr in this process.
func within(t *testing.T, args ...string) {
	t.Helper()
	var said bytes.Buffer
	env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said, Source: nbr.Source()}
	if code := cmd.Run(context.Background(), env, args, all.Kinds()...); code != 0 {
		t.Fatalf("nbr %s: exit code %d\n%s", strings.Join(args, " "), code, said.String())
	}
}

// TestFlakesEvaluate generates a flake of every spec, and Nix checks each: the
// modules merge, every value that nbr sets fits its option, no assertion fails,
// and the image and both configurations can be instantiated.
func TestFlakesEvaluate(t *testing.T) {
	nix := lab.Nix(t)
	inputs := map[string]map[string]string{}
	for _, release := range router.Releases {
		inputs[release] = standin.Inputs(t, release)
	}
	for name, fsys := range specs(t) {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "spec")
			if err := os.CopyFS(dir, fsys); err != nil {
				t.Fatal(err)
			}
			out := gen(t, dir)
			spec, _ := registry().Load(os.DirFS(dir), nil)
			release := string(spec.Router.Release.V)
			if spec.Router.Release.V.Coming() { // the nearest there is
				release = router.Releases[len(router.Releases)-1]
			}
			overrides := used(t, out, inputs[release])
			for _, in := range spec.Router.Inputs {
				if name := string(in.Name.V); overrides[name] == "" { // the spec's own: nothing is in it
					overrides[name] = t.TempDir()
					write(t, filepath.Join(overrides[name], "flake.nix"), "{ outputs = _: { }; }\n")
				}
			}
			nix.Flake(t, out, lab.Overrides(overrides)...)
		})
	}
}

// used are the stand-ins of the inputs that a flake has: Nix warns about others.
func used(t *testing.T, out string, all map[string]string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(out, "flake.nix"))
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]string{}
	for name, path := range all {
		first, _, _ := strings.Cut(name, "/")
		if bytes.Contains(b, []byte(" "+first+".url")) || bytes.Contains(b, []byte(" "+first+" = {")) {
			m[name] = path
		}
	}
	return m
}

// TestSeveralRouters puts two routers into one flake.
func TestSeveralRouters(t *testing.T) {
	out := gen(t, filepath.Join(repo, "testdata/routers/bpi-r4"), filepath.Join(repo, "testdata/good/console-only"))
	in := used(t, out, standin.Inputs(t, "26.05"))
	nix := lab.Nix(t)
	nix.Flake(t, out, lab.Overrides(in)...)
	var name string
	nix.EvalFlakeJSON(t, out, "nixosConfigurations.bpi-r4.config.networking.hostName", in, &name)
	if name != "bpi-r4" {
		t.Errorf("the host is called %q", name)
	}
}

// TestFRRModule shows what becomes of FRR's unit where both nbr and NixOS's module say what it
// is: the configuration with the secrets is made before FRR starts and before it reloads, also
// when only a secret's file or nbr's text is another one.
func TestFRRModule(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spec")
	if err := os.CopyFS(dir, specs(t)["service/frr/testdata/frr.txtar"]); err != nil {
		t.Fatal(err)
	}
	out := gen(t, dir)
	in := used(t, out, standin.Inputs(t, "26.05"))
	nix := lab.Nix(t)
	const config = "nixosConfigurations.r.config."
	const unit = config + "systemd.services.frr."
	var c struct {
		ExecStartPre, ExecReload []string
		ExecStart                string
	}
	nix.EvalFlakeJSON(t, out, unit+"serviceConfig", in, &c)
	stage := regexp.MustCompile(`^/nix/store/[^/]*bash[^/]*/bin/bash /etc/frr/nbr-stage\.sh$`)
	if len(c.ExecStartPre) != 1 || !stage.MatchString(c.ExecStartPre[0]) || !strings.HasSuffix(c.ExecStart, "/frrinit.sh start") {
		t.Errorf("it starts with %q, %q", c.ExecStartPre, c.ExecStart)
	}
	if len(c.ExecReload) != 2 || !stage.MatchString(c.ExecReload[0]) || !strings.HasSuffix(c.ExecReload[1], "/frrinit.sh reload") {
		t.Errorf("it reloads with %q", c.ExecReload)
	}
	var reload bool
	var triggers, after []string
	nix.EvalFlakeJSON(t, out, unit+"reloadIfChanged", in, &reload)
	nix.EvalFlakeJSON(t, out, unit+"restartTriggers", in, &triggers)
	if !reload || len(triggers) != 3 || !slices.ContainsFunc(triggers, regexp.MustCompile("^[0-9a-f]{64}$").MatchString) {
		t.Errorf("it reloads (%v) when one of these is another: %q", reload, triggers)
	}
	nix.EvalFlakeJSON(t, out, unit+"after", in, &after)
	if !slices.Contains(after, "sops-install-secrets.service") || !slices.Contains(after, "network-pre.target") {
		t.Errorf("it starts after %q", after)
	}
	var text, source string
	nix.EvalFlakeJSON(t, out, config+`environment.etc."frr/daemons".text`, in, &text)
	for _, want := range []string{"bgpd=yes", "ospfd=yes", `bgpd_options="-A 127.0.0.1 -P 0"`, `zebra_options="-A 127.0.0.1 -s 90000000 -P 0"`} {
		if !slices.Contains(strings.Split(text, "\n"), want) {
			t.Errorf("/etc/frr/daemons is without %s:\n%s", want, text)
		}
	}
	nix.EvalFlakeJSON(t, out, config+`environment.etc."frr/frr.conf".source`, in, &source)
	if source != "/run/nbr/frr/frr.conf" {
		t.Errorf("FRR reads %s", source)
	}
}

// TestLocalNix shows that a user's local.nix is part of the system.
func TestLocalNix(t *testing.T) {
	out := gen(t, filepath.Join(repo, "testdata/routers/bpi-r4"))
	if err := os.WriteFile(filepath.Join(out, "routers/bpi-r4/local.nix"), []byte("{ time.timeZone = \"Asia/Tokyo\"; }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	in := used(t, out, standin.Inputs(t, "26.05"))
	// The spec says Europe/Berlin: two definitions clash, and Nix names both files.
	_, err := lab.Nix(t).Try(t, "nix", append([]string{
		"eval", "--offline", "--no-write-lock-file",
		"path:" + out + "#nixosConfigurations.bpi-r4.config.time.timeZone",
	}, lab.Overrides(in)...)...)
	if err == nil || !strings.Contains(err.Error(), "routers/bpi-r4/local.nix") {
		t.Errorf("local.nix was not read: %v", err)
	}
}

// TestFirstLockFile shows what Nix makes of the flake.lock that nbr begins: it adds the
// inputs that are not there and what they need, keeps nixpkgs at the revision that nbr
// was tried with, and never asks where the branch is now (it is offline).
func TestFirstLockFile(t *testing.T) {
	for _, spec := range []string{"routers/bpi-r4", "good/secrets-sops", "good/secrets-agenix"} {
		t.Run(spec, func(t *testing.T) {
			out := gen(t, filepath.Join(repo, "testdata", spec))
			in := used(t, out, standin.Inputs(t, "26.05"))
			delete(in, "nixpkgs")
			lock := func() error {
				_, err := lab.Nix(t).Try(t, "nix", append([]string{"flake", "lock", "--offline", "path:" + out}, lab.Overrides(in)...)...)
				return err
			}
			if err := lock(); err != nil {
				t.Fatal(err)
			}
			got, err := flake.ReadLock(out)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := flake.Pinned("nixpkgs", "26.05")
			if got["nixpkgs"] != *want.Locked {
				t.Errorf("nixpkgs is locked at %+v, want %+v", got["nixpkgs"], *want.Locked)
			}
			for name := range in {
				if _, ok := got[name]; !ok && !strings.Contains(name, "/") {
					t.Errorf("Nix has not locked %s: %v", name, got)
				}
			}
			// Without the first lock file Nix asks for the branch, which is what no test
			// and no rebuild wants.
			if err := os.Remove(filepath.Join(out, flake.LockName)); err != nil {
				t.Fatal(err)
			}
			if err := lock(); err == nil || !strings.Contains(err.Error(), "github:NixOS/nixpkgs/nixos-26.05") {
				t.Errorf("without nbr's lock file: %v", err)
			}
		})
	}
}

// TestLockFile shows that Nix writes flake.lock beside the link, where git sees
// it, and that generating again leaves it alone.
func TestLockFile(t *testing.T) {
	spec := filepath.Join(repo, "testdata/routers/bpi-r4")
	out := gen(t, spec)
	in := used(t, out, standin.Inputs(t, "26.05"))
	if _, err := lab.Nix(t).Try(t, "nix", append([]string{"flake", "lock", "--offline", "path:" + out}, lab.Overrides(in)...)...); err != nil {
		t.Fatal(err)
	}
	lock := filepath.Join(out, "flake.lock")
	before, err := os.ReadFile(lock)
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &buf, Stderr: &buf, Source: nbr.Source()}
	if code := cmd.Run(context.Background(), env, []string{"gen", "-o", out, "-force", spec}, all.Kinds()...); code != 0 {
		t.Fatal(buf.String())
	}
	if after, err := os.ReadFile(lock); err != nil || !bytes.Equal(before, after) {
		t.Errorf("flake.lock changed: %v", err)
	}
}

// TestPC shows what the image and the VM of a PC are made with: every port of the spec is a card
// of the VM, with the address by which udev finds it there, and the one of the upstream has a way
// out. QEMU takes them.
func TestPC(t *testing.T) {
	out := gen(t, filepath.Join(repo, "testdata/routers/x86"))
	if b, err := os.ReadFile(filepath.Join(out, "flake.nix")); err != nil || bytes.Contains(b, []byte("nixos-sbc")) {
		t.Errorf("the flake has an input that no PC needs (%v):\n%s", err, b)
	}
	in := used(t, out, standin.Inputs(t, "26.05"))
	nix := lab.Nix(t)
	get := func(attr string, v any) {
		t.Helper()
		nix.EvalFlakeJSON(t, out, attr, in, v)
	}
	const vm = "packages.x86_64-linux.vm-attic."
	var cards []string
	get(vm+"networkingOptions", &cards)
	want := []string{
		"-netdev user,id=port1", "-device virtio-net-pci,netdev=port1,mac=00:00:5e:00:53:01",
		"-netdev socket,id=port2,mcast=230.0.0.1:7302,localaddr=127.0.0.1", "-device virtio-net-pci,netdev=port2,mac=02:6e:62:72:00:01",
		"-netdev socket,id=port3,mcast=230.0.0.1:7303,localaddr=127.0.0.1", "-device virtio-net-pci,netdev=port3,mac=02:6e:62:72:00:02",
		"-netdev socket,id=port4,mcast=230.0.0.1:7304,localaddr=127.0.0.1", "-device virtio-net-pci,netdev=port4,mac=02:6e:62:72:00:03",
	}
	if d := cmp.Diff(want, cards); d != "" {
		t.Errorf("%s", d)
	}
	var options []string
	get(vm+"options", &options)
	args := strings.Fields("-M q35 -accel tcg -m 64 -nodefaults -display none -S -monitor stdio " + strings.Join(append(cards, options...), " "))
	qemu := exec.CommandContext(t.Context(), "qemu-system-x86_64", args...)
	qemu.Stdin = strings.NewReader("info network\nquit\n")
	said, err := qemu.CombinedOutput()
	if err != nil || strings.Count(string(said), "model=virtio-net-pci") != 4 || !bytes.Contains(said, []byte("macaddr=00:00:5e:00:53:01")) {
		t.Errorf("QEMU: %v\n%s", err, said)
	}
	var program string
	get(vm+"meta.mainProgram", &program)
	if program != "run-attic-vm" {
		t.Errorf("nix run starts %s", program)
	}
	var memory int
	get(vm+"memorySize", &memory)
	if memory != 8192 {
		t.Errorf("the VM has %d MiB", memory)
	}
	var image struct{ PartitionTableType, Format, BootSize, Name string }
	get("packages.x86_64-linux.image-attic", new(string)) // it instantiates
	for attr, field := range map[string]*string{"partitionTableType": &image.PartitionTableType, "format": &image.Format, "bootSize": &image.BootSize, "name": &image.Name} {
		get("packages.x86_64-linux.image-attic."+attr, field)
	}
	if image.PartitionTableType != "efi" || image.Format != "raw" || image.BootSize != "1G" || image.Name != "nbr-attic" {
		t.Errorf("the image is %+v", image)
	}
	const config = "nixosConfigurations.attic.config."
	var limit int
	get(config+"boot.loader.systemd-boot.configurationLimit", &limit)
	var root string
	get(config+`fileSystems."/".device`, &root)
	if limit != 10 || root != "/dev/disk/by-label/nixos" {
		t.Errorf("%d generations, the root is %s", limit, root)
	}
}

// TestInstalledPC shows that a PC which was installed with other file systems and another boot
// loader keeps them.
func TestInstalledPC(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "spec")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(repo, "testdata/routers/x86"))); err != nil {
		t.Fatal(err)
	}
	spec, err := os.ReadFile(filepath.Join(dir, "router.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "router.hcl"), strings.Replace(string(spec), "  time_zone", "  import = [\"hardware-configuration.nix\"]\n  time_zone", 1))
	write(t, filepath.Join(dir, "hardware-configuration.nix"), `{
  boot.loader.systemd-boot.enable = false;
  fileSystems."/" = { device = "/dev/disk/by-uuid/1"; fsType = "btrfs"; };
  fileSystems."/boot" = { device = "/dev/disk/by-uuid/2"; fsType = "vfat"; };
}
`)
	out := gen(t, dir)
	in := used(t, out, standin.Inputs(t, "26.05"))
	nix := lab.Nix(t)
	for attr, want := range map[string]string{
		`fileSystems."/".device`: "/dev/disk/by-uuid/1", `fileSystems."/".fsType`: "btrfs",
		`fileSystems."/boot".device`: "/dev/disk/by-uuid/2", "boot.loader.systemd-boot.enable": "false",
	} {
		var got any
		nix.EvalFlakeJSON(t, out, "nixosConfigurations.attic.config."+attr, in, &got)
		if fmt.Sprint(got) != want {
			t.Errorf("%s is %v, want %s", attr, got, want)
		}
	}
}
