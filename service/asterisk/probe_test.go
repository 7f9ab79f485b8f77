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
	if program != "asterisk" || !slices.Equal(args[:len(args)-2], []string{"-C", "/etc/asterisk/asterisk.conf"}) {
		return probe.Output{Exit: 1}, nil
	}
	if args[len(args)-1] == "module show" {
		return probe.Output{Stdout: []byte("app_dial.so   Dialing Application   0   Running   core\n")}, nil
	}
	return probe.Output{}, nil
}

// The console is found where the NixOS module has it.
func TestConsole(t *testing.T) {
	t.Parallel()
	a, err := running.Look(t.Context(), stored{}, struct{}{})
	if err != nil || !slices.Equal(a.Modules, []string{"app_dial"}) {
		t.Errorf("%v %v", a.Modules, err)
	}
}
