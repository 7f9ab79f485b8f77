package referee_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

// The script that copies secrets to where IfState reads them. A tunnel's key that is missing
// costs the tunnel and not the house's network: IfState has a key, a random one.
func TestStagingOfSecrets(t *testing.T) {
	t.Parallel()
	g := fromText(t, tunnels)
	const key, psk = "IFBWhXFOEnyYTwwCcTuHY4Fu0WvCDuVgs7ScUvGxLEk=\n", "sPJrZKjVRSfQxDNyOVtKP1ZQ1vSWrZIDM3wGlwkrCRY=\n"
	for name, c := range map[string]struct {
		before map[string]string // files, and links "-> target"
		want   map[string]string // what is staged; "?" is a key that the script has made
		says   []string
	}{
		"all there": {
			before: map[string]string{"/var/lib/secrets/wg0": key, "/var/lib/secrets/psk": psk},
			want:   map[string]string{"wg0": key, "psk": psk},
		},
		"as sops-nix places them": {
			before: map[string]string{"/run/secrets.d/1/wg0": key, "/var/lib/secrets/wg0": "-> /run/secrets.d/1/wg0", "/var/lib/secrets/psk": psk},
			want:   map[string]string{"wg0": key, "psk": psk},
		},
		"missing": {
			before: map[string]string{"/var/lib/secrets/psk": psk},
			want:   map[string]string{"wg0": "?", "psk": psk},
			says:   []string{"secret.wg0: /var/lib/secrets/wg0 is missing, wireguard.wg0 has a random key instead"},
		},
		"empty": {
			before: map[string]string{"/var/lib/secrets/wg0": "", "/var/lib/secrets/psk": psk},
			want:   map[string]string{"wg0": "?", "psk": psk},
			says:   []string{"secret.wg0: "},
		},
		"nothing": {
			want: map[string]string{"wg0": "?", "psk": "?"},
			says: []string{"secret.wg0: ", "secret.psk: "},
		},
		"changed since the last time": {
			before: map[string]string{"/run/nbr/secrets/wg0": psk, "/var/lib/secrets/wg0": key, "/var/lib/secrets/psk": psk},
			want:   map[string]string{"wg0": key, "psk": psk},
		},
		"gone since the last time": {
			before: map[string]string{"/run/nbr/secrets/wg0": key, "/var/lib/secrets/psk": psk},
			want:   map[string]string{"wg0": "?", "psk": psk},
			says:   []string{"secret.wg0: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, ns := lab.Rootfs(t, nil), nstest.New(t, "router")
			for path, content := range c.before {
				if target, ok := strings.CutPrefix(content, "-> "); ok {
					root.Run(t, ns, "sh", "-c", `mkdir -p "${2%/*}" && ln -s "$1" "$2"`, "sh", target, path)
					continue
				}
				root.Write(t, path, content)
				if err := os.Chmod(root.Path(path), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			// NixOS's scripts end at the first command that fails.
			root.Write(t, "/tmp/prestart", "#!/bin/sh -e\n"+g.text(t, "systemd", "services", "ifstate", "preStart"))
			var stderr strings.Builder
			cmd := root.Command(t, ns, "sh", "-e", "/tmp/prestart")
			cmd.Stderr = &stderr
			if err := cmd.Run(); err != nil {
				t.Fatalf("%v: %s", err, &stderr)
			}
			if got := strings.Count(stderr.String(), "\n"); got != len(c.says) {
				t.Errorf("it says %q", stderr.String())
			}
			for _, s := range c.says {
				if !strings.Contains(stderr.String(), s) {
					t.Errorf("it says %q, not %q", stderr.String(), s)
				}
			}
			got := map[string]string{}
			for file, want := range c.want {
				text := root.Run(t, ns, "cat", "/run/nbr/secrets/"+file)
				if want == "?" && len(text) == len(key) && text != key && text != psk {
					text = "?"
				}
				got[file] = text
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("staged (-want +got):\n%s", d)
			}
			// No other user can read them, nor the folder.
			modes := root.Run(t, ns, "stat", "-c", "%a %U %F", "/run/nbr/secrets", "/run/nbr/secrets/wg0", "/run/nbr/secrets/psk")
			if c.before["/run/nbr/secrets/wg0"] != "" {
				modes = strings.Replace(modes, "755 root directory", "700 root directory", 1) // the test's own
			}
			if modes != "700 root directory\n600 root regular file\n600 root regular file\n" {
				t.Errorf("modes: %s", modes)
			}
		})
	}
}

// Instances of blocks have names with quotation marks, and the journal has them whole.
func TestStagingNamesInstances(t *testing.T) {
	t.Parallel()
	root, ns := lab.Rootfs(t, nil), nstest.New(t, "router")
	root.Write(t, "/tmp/prestart", fromText(t, instances(tunnels)).text(t, "systemd", "services", "ifstate", "preStart"))
	var stderr strings.Builder
	cmd := root.Command(t, ns, "sh", "-e", "/tmp/prestart")
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	const want = `secret.psk["laptop"]: /var/lib/secrets/laptop is missing, wireguard.wg0 has a random key instead`
	if !slices.Contains(strings.Split(stderr.String(), "\n"), want) {
		t.Errorf("it says %q, not %q", stderr.String(), want)
	}
}

// instances makes a secret of the tunnels an instance of a block with for_each.
func instances(spec string) string {
	return strings.NewReplacer(
		`secret "psk" { path = "/var/lib/secrets/psk" }`, "secret \"psk\" {\n  for_each = [\"laptop\"]\n  path = \"/var/lib/secrets/${each.key}\"\n}",
		`secret.psk`, `secret.psk["laptop"]`,
	).Replace(spec)
}

// The script is a shell's, and the shell's own critic has nothing to say.
func TestShellcheck(t *testing.T) {
	t.Parallel()
	for name, spec := range map[string]string{"blocks": tunnels, "instances": instances(tunnels)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			script := fromText(t, spec).text(t, "systemd", "services", "ifstate", "preStart")
			file := write(t, "#!/bin/sh -e\n"+script)
			if out, err := exec.CommandContext(t.Context(), "shellcheck", file).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			if strings.Contains(script, string(os.PathSeparator)+"nix/store") {
				t.Error("a secret's path leads to the store")
			}
		})
	}
}
