package referee_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

const (
	article  = "../../testdata/routers/bpi-r4"
	template = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
}
`
)

// A generated is what Nix makes of the modules that a spec becomes: the values of NixOS's
// options. No test looks at the Go values behind them.
type generated struct {
	values map[string]any
	source map[string][]string // the spec's files, in lines
	folder fs.FS               // the spec's, with files that it names
	spec   *service.Spec
}

// fromDir generates from a spec in a folder, fromText from one in the test. A text without
// a router block gets one.
func fromDir(t *testing.T, dir string) *generated {
	t.Helper()
	return generate(t, os.DirFS(dir))
}

func fromText(t *testing.T, spec string, more ...service.Kind) *generated {
	t.Helper()
	if !strings.Contains(spec, "\nrouter \"") {
		head := template
		if !strings.Contains(spec, "\nresolver") && !strings.Contains(spec, `= "dhcp"`) {
			// A router without a resolver needs name servers.
			head = strings.Replace(template, "  console_only", "  name_servers  = [\"192.0.2.53\"]\n  console_only", 1)
		}
		spec = head + spec
	}
	return generate(t, fstest.MapFS{"router.hcl": {Data: []byte(spec)}}, more...)
}

func generate(t *testing.T, fsys fs.FS, more ...service.Kind) *generated {
	t.Helper()
	reg := &service.Registry{Kinds: append(all.Kinds(), more...), Boards: firmware.Boards()}
	spec, diags := reg.Load(fsys, nil)
	for _, d := range diags {
		// A test may do what is warned of, and ask for what no zone allows.
		if code := diag.Code(d); d.Severity == hcl.DiagError && code != "not-allowed" {
			t.Errorf("%s: %s: %s", d.Subject, d.Summary, diag.Text(d))
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	g := &generated{source: map[string][]string{}, folder: fsys, spec: spec}
	for _, f := range spec.Source.Files {
		g.source[f.Name] = strings.Split(string(f.Bytes), "\n")
	}
	dir := t.TempDir()
	var list strings.Builder
	for _, f := range spec.Modules() {
		if f.Name == "hardware" { // firmware and kernel: package firmware's tests
			continue
		}
		text, _ := f.Module.Print()
		file := filepath.Join(dir, f.Name+".nix")
		if err := os.WriteFile(file, text, 0o644); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "(import %s) ", file)
	}
	if err := os.CopyFS(filepath.Join(dir, "spec"), fsys); err != nil { // the tree has it
		t.Fatal(err)
	}
	modules, err := filepath.Abs("testdata/modules.nix")
	if err != nil {
		t.Fatal(err)
	}
	lab.Nix(t).EvalJSON(t, fmt.Sprintf("import %s [ %s ]", modules, list.String()), &g.values)
	return g
}

// at is the value of an option, or nil.
func (g *generated) at(path ...string) any {
	var v any = g.values
	for _, name := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[name]
	}
	return v
}

// text is the value of an option that must be there and be a string.
func (g *generated) text(t *testing.T, path ...string) string {
	t.Helper()
	s, ok := g.at(path...).(string)
	if !ok {
		t.Fatalf("%s is %v", strings.Join(path, "."), g.at(path...))
	}
	return s
}

// list is the value of an option that is a list, or none.
func (g *generated) list(t *testing.T, path ...string) []any {
	t.Helper()
	v := g.at(path...)
	l, ok := v.([]any)
	if !ok && v != nil {
		t.Fatalf("%s is %v", strings.Join(path, "."), v)
	}
	return l
}

// json is the value of an option as pkgs.formats.json writes it.
func (g *generated) json(t *testing.T, path ...string) string {
	t.Helper()
	return toJSON(t, g.at(path...))
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	if v == nil {
		t.Fatal("the option is not set")
	}
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestTheModulesEvaluate(t *testing.T) {
	t.Parallel()
	g := fromDir(t, article)
	if got := g.text(t, "networking", "hostName"); got != "bpi-r4" {
		t.Errorf("networking.hostName = %q", got)
	}
	if got := g.at("networking", "ifstate", "settings", "interfaces", "wg0", "link", "kind"); got != "wireguard" {
		t.Errorf("two modules' settings of wg0 are not joined: %v", got)
	}
}

// nixpkgs issue 396806: what listens starts after the links are there.
func TestListenersStartAfterTheLinks(t *testing.T) {
	t.Parallel()
	for name, units := range map[string][]string{
		"bpi-r4": {"dhcpcd", "kea-dhcp4-server", "knot-resolver", "sshd"},
		"vlans":  {"chronyd", "dhcpcd", "kea-dhcp4-server", "knot-resolver", "sshd"},
		"static": {"sshd"},
	} {
		for _, unit := range units {
			if !slices.Contains(spec(t, name).list(t, "systemd", "services", unit, "after"), "ifstate.service") {
				t.Errorf("%s: %s does not wait for the links", name, unit)
			}
		}
	}
}
