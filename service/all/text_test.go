package all_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

func TestMain(m *testing.M) { nstest.Main(m) }

// nasty are texts that break quoting which is only nearly right: each piece is
// something that HCL, Nix, JSON, a shell or a daemon's file treats specially.
func nasty(n int) []string {
	pieces := []string{
		`"`, `'`, `''`, `'''`, `\`, `\\`, `$`, `$$`, `${`, `${x}`, `$${`, `%{`, `%%{`, `}`, "\n", "\r\n", "\t", " ", "  \n", "\n\n",
		"#", "//", "/*", "*/", ";", "@", "&", "|", "`", "<", ">", ":", ": ", "- ", "!include /etc/shadow", "%", "~",
		"ä", "漢", "\u2028", "\u00a0", "😀", "e\u0301", "\ufeff", "\x7f", "\x1b[31m", "\x01", "null", "true", "0x1", "a", "b c", "EOF",
	}
	rng := rand.New(rand.NewPCG(1, 2))
	out := append([]string{"", " ", "\n", "''${", "\x00"}, pieces...)
	for len(out) < n {
		var b strings.Builder
		for range 1 + rng.IntN(7) {
			b.WriteString(pieces[rng.IntN(len(pieces))])
		}
		out = append(out, b.String())
	}
	return out
}

// textSpec has the text in every place of the language that takes free text.
const textSpec = `
router "r" {
  board         = "bananapi-bpir4"
  memory        = "4GiB"
  state_version = "25.11"
  console_only  = true
  description   = TEXT
}

network "lan" {
  link = port.lan1
  ipv4 = "192.168.1.1/24"
}

network "wan" {
  link = port.wan
  ipv4 = "dhcp"
}

zone "lan" {
  networks = [network.lan]
  allow    = ["dns", "dhcp", "ssh"]
}

zone "wan" {
  networks = [network.wan]
}

resolver {
  networks = [network.lan]
  extra    = { text = TEXT, list = [TEXT], (TEXT) = { (TEXT) = 1 } }
}

dhcp4 "lan" {
  network = network.lan
  pool    = ["192.168.1.100-192.168.1.150"]
  extra   = { user-context = { text = TEXT } }

  reservation "a" {
    mac         = "02:00:00:00:00:01"
    ipv4        = "192.168.1.9"
    description = TEXT
  }
}

ssh {
  networks = [network.lan]
  extra    = { Text = TEXT }
}

interfaces {
  extra = { text = TEXT }
}

nix {
  extra = { text = TEXT }
}

secret "s" {
  source = "sops"
  file   = "s.yaml"
  key    = TEXT
}
`

// TestNastyTexts writes every text into every place of the language that takes
// one, and asks Nix what it reads there.
func TestNastyTexts(t *testing.T) {
	texts := nasty(520)
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	dir := t.TempDir()
	var want []string
	var list strings.Builder
	for _, text := range texts {
		lit := string(hclwrite.TokensForValue(cty.StringVal(text)).Bytes())
		spec, diags := reg.Load(fstest.MapFS{
			// The file's own name ends in comments of Nix and of nft.
			"we\"ird ${x} '' \\ name.hcl": {Data: []byte(strings.ReplaceAll(textSpec, "TEXT", lit))},
			"s.yaml":                      {Data: []byte("k: ENC[AES256_GCM,data:AAAA]\n")},
		}, nil)
		if strings.Contains(text, "\x00") {
			if !diags.HasErrors() {
				t.Errorf("%q was accepted, and Nix cannot hold it", text)
			}
			for _, d := range diags {
				if diag.Code(d) != "bad-value" {
					t.Errorf("%q: %s", text, d)
				}
			}
			continue
		}
		if len(diags) > 0 {
			t.Fatalf("%q: %s", text, diags.Error())
		}
		for _, m := range spec.Modules() {
			src, _ := m.Module.Print()
			write(t, filepath.Join(dir, fmt.Sprint(len(want)), m.Name+".nix"), src)
		}
		// HCL gives text in Unicode's normal form C, as cty does everywhere.
		want = append(want, cty.StringVal(text).AsString())
		fmt.Fprintf(&list, "(texts ./%d)\n", len(want)-1)
	}
	write(t, filepath.Join(dir, "default.nix"), []byte(readTexts+"[\n"+list.String()+"]"))
	var got [][]string
	lab.Nix(t).EvalJSON(t, "import "+dir, &got)
	for i, w := range want {
		for j, g := range got[i] {
			if g != w {
				t.Errorf("text %d, place %d: wrote %q, Nix reads %q", i, j, w, g)
			}
		}
		if len(got[i]) != places {
			t.Errorf("text %d stands in %d places, not in %d", i, len(got[i]), places)
		}
	}
}

const places = 11

// readTexts takes the texts out of the modules again.
const readTexts = `
let
  lib.mkForce = x: x;
  module = file: import file { inherit lib; pkgs = { }; config = { }; sops-nix.nixosModules.sops = { }; };
  extra = file: builtins.head (builtins.filter (i: !builtins.isPath i && i != { }) (module file).imports);
  texts = dir:
    let
      resolver = (extra (dir + "/resolver.nix")).services.knot-resolver.settings;
      subnet = builtins.head (module (dir + "/dhcp4.nix")).services.kea.dhcp4.settings.subnet4;
    in
    [
      resolver.text
      (builtins.head resolver.list)
      (if resolver ? ${builtins.head resolver.list} then builtins.head resolver.list else "no such key")
      (builtins.head (builtins.attrNames resolver.${builtins.head resolver.list}))
      subnet.user-context.text
      (builtins.head subnet.reservations).user-context.comment
      (extra (dir + "/ssh.nix")).services.openssh.settings.Text
      (extra (dir + "/network.nix")).networking.ifstate.settings.text
      (extra (dir + "/system.nix")).nix.settings.text
      (module (dir + "/system.nix")).sops.secrets.s.key
      (builtins.fromJSON (builtins.toJSON subnet)).user-context.text
    ];
in
`

func write(t *testing.T, file string, b []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
}
