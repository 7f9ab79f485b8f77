package agenttest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nixoptions/standin"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// ownFlake is the part of nbr's own flake that a router evaluates.
func ownFlake(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "nbr")
	if err := os.CopyFS(filepath.Join(dir, "flake"), os.DirFS(filepath.Join(repo, "flake"))); err != nil {
		t.Fatal(err)
	}
	copyFile(t, filepath.Join(repo, "flake.nix"), filepath.Join(dir, "flake.nix"), 0o644)
	return dir
}

func copyFile(t *testing.T, from, to string, mode os.FileMode) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(to), 0o755)
	}
	if err == nil {
		err = os.WriteFile(to, b, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A service is what a NixOS module makes of a unit.
type service struct {
	Description         string
	WantedBy            []string
	Wants, After        []string
	RestartTriggers     []any
	ServiceConfig       map[string]any
	UnitConfig          map[string]any
	RestartIfChanged    bool
	StartLimitBurst     int
	StartLimitIntervalS int
}

// evaluated are the services of nbr's NixOS module, as Nix has them.
func evaluated(t *testing.T, settings string) map[string]service {
	t.Helper()
	in := standin.Inputs(t, "25.11")
	dir := filepath.Join(t.TempDir(), "router")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "flake.nix"), []byte(`{
  inputs.nbr.url = "path:`+ownFlake(t)+`";
  inputs.nixpkgs.url = "path:`+in["nixpkgs"]+`";
  outputs = { nbr, nixpkgs, self }: {
    services = builtins.mapAttrs
      (_: s: { inherit (s) description wantedBy after serviceConfig; wants = s.wants or [ ]; })
      (nixpkgs.lib.nixosSystem {
        modules = [
          nbr.nixosModules.default
          { nixpkgs.hostPlatform = "x86_64-linux"; system.stateVersion = "25.11"; }
          { `+settings+` }
        ];
      }).config.systemd.services;
  };
}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	var out map[string]service
	lab.Nix(t).EvalFlakeJSON(t, dir, "services", map[string]string{"nbr/nixpkgs": in["nixpkgs"]}, &out)
	return out
}

const agentOn = `
  programs.nbr = { enable = true; spec = ./.; };
  services.nbr-agent.enable = true;
  services.nbr-agent.passive = true;
  services.nbr-agent.interval = "5s";
`

// unitFile writes a service as NixOS does (nixos/lib/systemd-lib.nix, toOption), but
// for the programs, which are where the lab's Debian has them.
func unitFile(s service) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[Unit]\nDescription=%s\n\n[Service]\n", s.Description)
	one := func(key string, v any) {
		switch v := v.(type) {
		case bool:
			fmt.Fprintf(&b, "%s=%t\n", key, v)
		default:
			fmt.Fprintf(&b, "%s=%v\n", key, v)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(s.ServiceConfig)) {
		v := s.ServiceConfig[key]
		if key == "ExecStart" {
			store, rest, _ := strings.Cut(v.(string), "/bin/")
			if !strings.HasPrefix(store, "/nix/store/") {
				panic("ExecStart of " + v.(string))
			}
			v = "/usr/bin/" + rest
		}
		if list, ok := v.([]any); ok {
			for _, e := range list {
				one(key, e)
			}
			continue
		}
		one(key, v)
	}
	return b.String()
}

// systemd's own judgement of the unit: 2.0 or better, of 10.
func TestExposure(t *testing.T) {
	root := lab.Rootfs(t, lab.Files{"/lab/nbr-agent.service": unitFile(evaluated(t, agentOn)["nbr-agent"])})
	out, err := root.Try(t, new(nstest.NS), "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20", "/lab/nbr-agent.service")
	if err != nil {
		t.Fatal(err)
	}
	for l := range strings.Lines(out) {
		if strings.Contains(l, "exposure level") {
			t.Log(strings.TrimSpace(l))
			return
		}
	}
	t.Errorf("systemd-analyze judged nothing:\n%s", out)
}

// systemd-analyze verify reads units as systemd does, and complains of what it does
// not know.
func TestUnitsAreUnderstood(t *testing.T) {
	root := lab.Rootfs(t, nil)
	copyFile(t, binary(t), root.Path("/usr/bin/nbr"), 0o755)
	for name, s := range evaluated(t, agentOn) {
		file := "/lab/" + name + ".service"
		root.Write(t, file, unitFile(s))
		cmd := root.Command(t, new(nstest.NS), "systemd-analyze", "verify", "--man=no", file)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
