package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

// tree puts the files of testdata/bpi-r4.txtar into a folder, where some of them may
// be others: a text of "-" leaves one out.
func tree(t *testing.T, others ...string) string {
	t.Helper()
	ar, err := txtar.ParseFile("testdata/bpi-r4.txtar")
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, f := range ar.Files {
		data := bytes.ReplaceAll(f.Data, []byte(`\0`), []byte{0})
		if strings.HasPrefix(f.Name, "proc/device-tree/") {
			data = bytes.TrimSuffix(data, []byte("\n"))
		}
		for i := 0; i < len(others); i += 2 {
			if others[i] == f.Name {
				data = []byte(others[i+1])
			}
		}
		if string(data) == "-" {
			continue
		}
		p := filepath.Join(root, f.Name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if link, ok := strings.CutSuffix(p, ".link"); ok {
			err = os.Symlink(strings.TrimSpace(string(data)), link)
		} else if file, ok := strings.CutSuffix(p, ".gunzip"); ok {
			var b bytes.Buffer
			z := gzip.NewWriter(&b)
			_, err = z.Write(data)
			err = errors.Join(err, z.Close(), os.WriteFile(file, b.Bytes(), 0o644))
		} else {
			err = os.WriteFile(p, data, 0o640)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// only are the collectors that fill one of these parts.
func only(parts string) (out []collector) {
	for _, part := range strings.Fields(parts) {
		i := slices.IndexFunc(collectors, func(c collector) bool { return slices.Contains(strings.Fields(c.parts), part) })
		out = append(out, collectors[i])
	}
	return out
}

// fromFiles are the collectors that read nothing but files.
var fromFiles = only("board kernel modules system sysctls files users listeners")

func needs(kind state.NeedKind, names ...string) (out []state.Need) {
	for _, n := range names {
		out = append(out, state.Need{Kind: kind, Name: n})
	}
	return out
}

func TestFiles(t *testing.T) {
	root := tree(t)
	owner, number := "kea", "4242"
	err := errors.Join(os.Chown(root+"/run/secrets.d/1/psk", 224, 0), os.Chown(root+"/proc/meminfo", 4242, 0))
	if errors.Is(err, syscall.EINVAL) { // a user namespace, where there is only root
		owner, number = "root", "root"
	} else if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(root+"/run/secrets.d/1", 0o751|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	sysctls := needs(state.NeedSysctl, "net.ipv4.conf.lan0/7.forwarding", "net.ipv4.tcp_rmem", "net.ipv4.nothing", "net.ipv4.tcp_rmem")
	files := needs(state.NeedFile, "/run/secrets/psk", "/run/secrets/none", "/run/secrets/psk/x", "/run/gone", "/run/secrets.d/1", "/proc/meminfo")
	modules := needs(state.NeedModule, "wireguard", "8021q", "tcp-cubic", "bonding")
	got := look(t.Context(), Options{Root: root, Needs: slices.Concat(sysctls, files, modules)}, fromFiles)
	want := &state.State{
		FormatVersion: state.Version,
		Board:         &state.Board{Compatible: []string{"bananapi,bpi-r4", "mediatek,mt7988a"}, MemTotal: 8130056},
		Kernel:        &state.Kernel{Release: "6.18.1", Config: map[string]string{"CC_VERSION_TEXT": "gcc (GCC) 14.3.0", "NET_DSA": "y", "WIREGUARD": "m"}},
		Modules:       map[string]string{"wireguard": "loaded", "8021q": "available", "tcp-cubic": "builtin"},
		System: &state.System{
			Hostname: "router", Booted: "/nix/store/3gpn5x6b-nixos-system-router-25.11", Current: "/nix/store/9y2k7h1c-nixos-system-router-25.11",
			BootedKernel: "/nix/store/5b1v-linux-6.18.1/Image", CurrentKernel: "/nix/store/6c2w-linux-6.18.2/Image",
		},
		Sysctls: map[string]string{"net.ipv4.conf.lan0/7.forwarding": "1", "net.ipv4.tcp_rmem": "4096 131072 6291456"},
		Files: map[string]state.File{
			"/run/secrets/psk": {Owner: owner, Group: "root", Mode: "0640"},
			"/run/secrets.d/1": {Owner: "root", Group: "root", Mode: "01751", Kind: "folder"},
			"/proc/meminfo":    {Owner: number, Group: "root", Mode: "0640"},
		},
		Users: []string{"root", "toor", "kea"},
		Listeners: []state.Listener{
			{Protocol: "tcp", Address: "::", Port: 22, Program: "sshd"},
			{Protocol: "tcp", Address: "10.0.2.1", Port: 53, Program: "kresd"},
			{Protocol: "tcp", Address: "10.0.2.1", Port: 8080, Program: "nginx: a (b) c"},
			{Protocol: "udp", Address: "fe80::2fc:ff:fe00:1", Port: 546, Program: "systemd-network"},
			{Protocol: "udp", Address: "0.0.0.0", Port: 51820},
		},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Elsewhere than on NixOS the modules are where modprobe(8) has them.
func TestModulesOfDebian(t *testing.T) {
	root := tree(t, "run/booted-system.link", "-")
	dir := root + "/lib/modules/6.18.1/"
	err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(dir+"modules.dep", []byte("kernel/bonding.ko.xz:\n"), 0o644), os.WriteFile(dir+"modules.builtin", nil, 0o644))
	if err != nil {
		t.Fatal(err)
	}
	st := look(t.Context(), Options{Root: root, Needs: needs(state.NeedModule, "8021q", "bonding")}, fromFiles)
	if d := cmp.Diff(map[string]string{"bonding": "available"}, st.Modules); d != "" {
		t.Error(d, st.Missed)
	}
}

func TestNothingAskedIsNothingThere(t *testing.T) {
	st := look(t.Context(), Options{Root: tree(t)}, fromFiles)
	if st.Sysctls == nil || st.Files == nil || st.Modules == nil || st.Missed != nil {
		t.Errorf("%v %v %v", st.Sysctls, st.Files, st.Missed)
	}
}

// What is wrong with one file costs the part that is made of it, and no other.
func TestWhatIsMissed(t *testing.T) {
	for _, tt := range []struct {
		name, file, text string
		part, why        string
		left             func(*state.State) bool // what there still is, or is not
	}{
		{"no device tree", "proc/device-tree/compatible", "-", "board", "compatible: no such file", func(st *state.State) bool { return len(st.Board.Compatible) == 0 && st.Board.MemTotal != 0 }},
		{"a false device tree", "proc/device-tree/compatible", "x", "board", "NUL", func(st *state.State) bool { return len(st.Board.Compatible) == 0 }},
		{"no memory", "proc/meminfo", "", "board", "no MemTotal", func(st *state.State) bool { return st.Board.MemTotal == 0 && len(st.Board.Compatible) == 2 }},
		{"no config.gz", "proc/config.gz.gunzip", "-", "kernel", "config.gz: no such file", func(st *state.State) bool { return len(st.Kernel.Config) == 0 && st.Kernel.Release == "6.18.1" }},
		{"an empty config.gz", "proc/config.gz.gunzip", "", "kernel", "no kernel options", func(st *state.State) bool { return len(st.Kernel.Config) == 0 }},
		{"not NixOS", "run/booted-system.link", "-", "system", "booted-system: no such file", func(st *state.State) bool { return st.System.Booted == "" && st.System.Hostname == "router" }},
		{"no hostname", "proc/sys/kernel/hostname", "-", "system", "hostname: no such file", func(st *state.State) bool { return st.System == nil }},
		{"no release", "proc/sys/kernel/osrelease", "-", "kernel", "osrelease: no such file", func(st *state.State) bool { return st.Kernel == nil }},
		{"no passwd", "etc/passwd", "-", "users files", "passwd: no such file", func(st *state.State) bool { return st.Users == nil && st.Files == nil }},
		{"a false passwd", "etc/passwd", "root", "users files", "line 1 is no account", func(st *state.State) bool { return st.Users == nil && st.Files == nil }},
		{"no /proc/net", "proc/net/udp", "-", "listeners", "udp: no such file", func(st *state.State) bool { return st.Listeners == nil }},
		{"no IPv6", "proc/net/tcp6", "-", "", "", func(st *state.State) bool { return len(st.Listeners) == 3 }},
		{"a false /proc/net", "proc/net/tcp", "x\n", "listeners", "/proc/net/tcp: no heading", func(st *state.State) bool { return st.Listeners == nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Root: tree(t, tt.file, tt.text), Needs: needs(state.NeedFile, "/etc/passwd")}
			st := look(t.Context(), o, fromFiles)
			parts := strings.Fields(tt.part)
			if len(st.Missed) != len(parts) || !tt.left(st) {
				t.Errorf("missed %v in %+v", st.Missed, st)
			}
			for _, part := range parts {
				if !strings.Contains(st.Missed[part], tt.why) {
					t.Errorf("%s: %q", part, st.Missed[part])
				}
			}
		})
	}
	t.Run("a config.gz that is not one", func(t *testing.T) {
		root := tree(t)
		for _, text := range []string{"", "CONFIG_A=y\n", "\x1f\x8b\x08\x00"} {
			if err := os.WriteFile(root+"/proc/config.gz", []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			if st := look(t.Context(), Options{Root: root}, fromFiles); !strings.HasPrefix(st.Missed["kernel"], "/proc/config.gz: ") || len(st.Kernel.Config) != 0 {
				t.Errorf("%q: %v", text, st.Missed)
			}
		}
	})
	t.Run("a config.gz of zeros", func(t *testing.T) {
		st := look(t.Context(), Options{Root: tree(t, "proc/config.gz.gunzip", strings.Repeat("#", root.Limit+1))}, fromFiles)
		if !strings.Contains(st.Missed["kernel"], "more than") {
			t.Error(st.Missed)
		}
	})
}

// One that is not there and one that cannot be seen must not look the same.
func TestOneNeedThatCannotBeSeenHidesItsPart(t *testing.T) {
	root := tree(t)
	for _, tt := range []struct {
		kind      state.NeedKind
		name, why string
	}{
		{state.NeedSysctl, "net.ipv4.tcp_fastopen_key", "tcp_fastopen_key: it is a secret"},
		{state.NeedSysctl, "net/../../../etc/passwd", "not the name of a sysctl"},
		{state.NeedSysctl, "net.ipv4", "is a directory"},
		{state.NeedFile, "etc/passwd", "not an absolute path"},
		{state.NeedFile, "/" + strings.Repeat("x", 300), "file name too long"},
	} {
		st := look(t.Context(), Options{Root: root, Needs: needs(tt.kind, "/run/gone", "net.ipv4.tcp_rmem", tt.name)[2:]}, fromFiles)
		part := map[state.NeedKind]string{state.NeedSysctl: "sysctls", state.NeedFile: "files"}[tt.kind]
		if !strings.Contains(st.Missed[part], tt.why) || tt.kind == state.NeedSysctl && st.Sysctls != nil || tt.kind == state.NeedFile && st.Files != nil {
			t.Errorf("%s: %v %v %v", tt.name, st.Missed, st.Sysctls, st.Files)
		}
	}
}

func TestACollectorThatFallsOverCostsItself(t *testing.T) {
	st := look(t.Context(), Options{Root: tree(t)}, []collector{
		only("users")[0],
		{parts: "addrs routes", look: func(*looker, context.Context) error { var b []byte; _ = b[4]; return nil }},
		{parts: "clock", look: func(*looker, context.Context) error { return errors.New("two\nlines") }},
	})
	want := map[string]string{
		"addrs":  "bug: runtime error: index out of range [4] with length 0",
		"routes": "bug: runtime error: index out of range [4] with length 0",
		"clock":  "two; lines",
	}
	if d := cmp.Diff(want, st.Missed); d != "" || st.Users == nil {
		t.Error(d, st.Users)
	}
}

// Every part is either seen or missed, also by a look that had no time.
func TestALookWithoutTimeSeesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	st := Look(ctx, Options{})
	want := map[string]string{}
	for _, part := range strings.Fields("board kernel modules system links addrs routes neighbours rules sysctls units files tables rulesets users listeners wireguard drivers clock firmware watchdog name_servers journal probes") {
		want[part] = "context canceled"
	}
	if d := cmp.Diff(&state.State{FormatVersion: state.Version, Missed: want}, st); d != "" {
		t.Error(d)
	}
}
