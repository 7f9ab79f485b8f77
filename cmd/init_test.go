package cmd

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/router"
	"github.com/nbr-dev/nbr/router/starter"
	"github.com/nbr-dev/nbr/service/all"
)

// TestInitForEachBoard wants of the first spec of each board that nothing is to be said of it,
// that it is formatted, that it is for this board and names ports that the board has, and
// that a tree can be made of it. Nix judges the trees in internal/flaketest.
func TestInitForEachBoard(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key.pub")
	if err := os.WriteFile(key, []byte("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEbHw8WiDglSz3F98qaKqHuX3Zw9+D/kdO9wVQxdMwkl me@desk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, b := range firmware.Boards() {
		dir := filepath.Join(t.TempDir(), b.ID)
		for _, args := range [][]string{
			{"init", "-board", b.ID, "-key", key, dir},
			{"check", dir},
			{"fmt", "-check", dir},
			{"gen", "-o", filepath.Join(dir, "out"), dir},
		} {
			var out, said bytes.Buffer
			env := Env{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &said, Source: nbr.Source()}
			if code := Run(context.Background(), env, args, all.Kinds()...); code != 0 || said.Len() > 0 {
				t.Errorf("nbr %s: exit code %d\n%s", strings.Join(args, " "), code, said.String())
			}
		}
		text, err := os.ReadFile(filepath.Join(dir, "router.hcl"))
		if err != nil {
			t.Fatal(err)
		}
		name := starter.Name(b)
		if b.ID != starter.Board && (strings.Contains(string(text), "bpi-r4") || !strings.Contains(string(text), `"`+name+`"`)) {
			t.Errorf("%s: the spec is of another board:\n%s", b.ID, text)
		}
		if names[name] != "" {
			t.Errorf("%s and %s would both be called %s", names[name], b.ID, name)
		}
		names[name] = b.ID
		for _, p := range b.Ports {
			if wired := p.Kind == router.PortDSA || p.Kind == router.PortNIC; wired && !strings.Contains(string(text), "port."+string(p.Name)) {
				t.Errorf("%s: %s is not used", b.ID, p.Addr)
			}
		}
	}
}
