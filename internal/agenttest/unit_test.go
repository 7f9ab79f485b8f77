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
		err = nstest.WriteFile(to, b, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A unit is what a NixOS module makes of a service or a socket.
type unit struct {
	Description string
	WantedBy    []string
	Requires    []string
	After       []string
	Unit        map[string]any `json:"unitConfig"`
	Service     map[string]any `json:"serviceConfig"`
	Socket      map[string]any `json:"socketConfig"`
}

// evaluated are the units of nbr's NixOS module, as Nix has them.
func evaluated(t *testing.T, settings string) map[string]unit {
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
    units =
      let
        systemd = (nixpkgs.lib.nixosSystem {
          modules = [
            nbr.nixosModules.default
            { nixpkgs.hostPlatform = "x86_64-linux"; system.stateVersion = "25.11"; }
            { `+settings+` }
          ];
        }).config.systemd;
        all = u: { inherit (u) description; wantedBy = u.wantedBy or [ ]; requires = u.requires or [ ]; after = u.after or [ ]; };
        named = suffix: f: units: nixpkgs.lib.mapAttrs' (n: u: { name = n + suffix; value = all u // f u; }) units;
      in
      named ".service" (u: { inherit (u) serviceConfig; unitConfig = u.unitConfig or { }; }) systemd.services
      // named ".socket" (u: { inherit (u) socketConfig; }) systemd.sockets;
  };
}
`), 0o644); err != nil {
		t.Fatal(err)
	}
	var out map[string]unit
	lab.Nix(t).EvalFlakeJSON(t, dir, "units", map[string]string{"nbr/nixpkgs": in["nixpkgs"]}, &out)
	return out
}

const agentOn = `
  programs.nbr = { enable = true; spec = ./.; };
  services.nbr-agent.enable = true;
  services.nbr-agent.passive = true;
  services.nbr-agent.interval = "5s";
`

// unitFile writes a unit as NixOS does (nixos/lib/systemd-lib.nix, toOption), but for
// the programs, which are where the lab's Debian has them.
func unitFile(u unit) string {
	var b strings.Builder
	fmt.Fprintf(&b, "[Unit]\nDescription=%s\n", u.Description)
	for _, name := range u.Requires {
		fmt.Fprintf(&b, "Requires=%s\nAfter=%s\n", name, name)
	}
	for _, key := range slices.Sorted(maps.Keys(u.Unit)) {
		fmt.Fprintf(&b, "%s=%v\n", key, u.Unit[key])
	}
	section(&b, "Service", u.Service)
	section(&b, "Socket", u.Socket)
	return b.String()
}

func section(b *strings.Builder, name string, config map[string]any) {
	if len(config) == 0 {
		return
	}
	fmt.Fprintf(b, "\n[%s]\n", name)
	for _, key := range slices.Sorted(maps.Keys(config)) {
		v := config[key]
		if key == "ExecStart" {
			store, rest, _ := strings.Cut(v.(string), "/bin/")
			if !strings.HasPrefix(store, "/nix/store/") {
				panic("ExecStart of " + v.(string))
			}
			v = "/usr/bin/" + rest
		}
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		for _, e := range list {
			fmt.Fprintf(b, "%s=%v\n", key, e)
		}
	}
}

// systemd's own judgement, from 0 to 10: 2.0 or better for the one that others talk to.
// The one that looks has to see everything, and ask; no client talks to it.
func TestExposure(t *testing.T) {
	units := evaluated(t, strings.Replace(agentOn, "passive = true", "passive = false", 1))
	for name, threshold := range map[string]string{"nbr-agent.service": "20", "nbr-look@.service": "35", "nbr-verify.service": "35"} {
		// What grows without end must not take the router with it.
		for _, bound := range []string{"MemoryMax", "TasksMax"} {
			if units[name].Service[bound] == nil {
				t.Errorf("%s has no %s", name, bound)
			}
		}
		file := "/lab/" + name
		root := lab.Rootfs(t, lab.Files{file: unitFile(units[name])})
		out, err := root.Try(t, new(nstest.NS), "systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold="+threshold, file)
		if err != nil {
			t.Error(err)
			continue
		}
		_, level, ok := strings.Cut(out, "→ ")
		if !ok {
			t.Errorf("systemd-analyze judged nothing:\n%s", out)
		}
		t.Log(strings.TrimSpace(level))
	}
}

// systemd-analyze verify reads units as systemd does, and complains of what it does
// not know.
func TestUnitsAreUnderstood(t *testing.T) {
	root := lab.Rootfs(t, nil)
	copyFile(t, binary(t), root.Path("/usr/bin/nbr"), 0o755)
	units := evaluated(t, agentOn)
	for _, name := range slices.Sorted(maps.Keys(units)) {
		root.Write(t, "/etc/systemd/system/"+name, unitFile(units[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(units)) {
		cmd := root.Command(t, new(nstest.NS), "systemd-analyze", "verify", "--man=no", strings.Replace(name, "@", "@x", 1))
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
