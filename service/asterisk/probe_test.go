package asterisk

import (
	"context"
	"slices"
	"testing"

	"github.com/nbr-dev/nbr/verify/probe"
)

// stored is a router with nixpkgs' Asterisk, which looks for its files in the store unless it is told
// where they are.
type stored struct{ probe.Host }

func (stored) Run(_ context.Context, program string, args ...string) (probe.Output, error) {
	if program == "asterisk" && slices.Equal(args, []string{"-V"}) {
		return probe.Output{Stdout: []byte("Asterisk 22.9.0\n")}, nil
	}
	if program != "asterisk" || len(args) < 2 || !slices.Equal(args[:len(args)-2], []string{"-C", "/etc/asterisk/asterisk.conf"}) {
		return probe.Output{Exit: 1}, nil
	}
	switch args[len(args)-1] {
	case "module show":
		return probe.Output{Stdout: []byte("app_dial.so   Dialing Application   0   Running   core\n")}, nil
	case "core show version":
		return probe.Output{Stdout: []byte("Asterisk 22.8.0 built by nixbld @ localhost on a aarch64 running Linux on 2026-10-01 00:00:00 UTC\n")}, nil
	}
	return probe.Output{}, nil
}

// The console is found where the NixOS module has it, and an Asterisk that has been installed since is
// told from the one that runs.
func TestConsole(t *testing.T) {
	t.Parallel()
	a, err := running.Look(t.Context(), stored{}, struct{}{})
	if err != nil || !slices.Equal(a.Modules, []string{"app_dial"}) || a.Release != "22.8.0" || a.Installed != "22.9.0" {
		t.Errorf("%+v %v", a, err)
	}
}
