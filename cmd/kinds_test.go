package cmd_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/cmd"
	"github.com/nbr-dev/nbr/service/all"
	"github.com/nbr-dev/nbr/service/chrony"
)

// TestKindTwice gives nbr a kind of block that it has already: whatever the command is, it
// says which packages have it and does nothing.
func TestKindTwice(t *testing.T) {
	for _, args := range [][]string{{"check", "../testdata/routers/bpi-r4"}, {"schema"}, {"version"}} {
		var stdout, stderr strings.Builder
		env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr}
		if code := cmd.Run(t.Context(), env, args, append(all.Kinds(), chrony.Kind())...); code != cmd.ExitUnknown {
			t.Errorf("%v: exit code %d", args, code)
		}
		want := `nbr: this program is not composed well: two kinds of blocks are called "time", one of github.com/nbr-dev/nbr/service/chrony ` +
			"and one of github.com/nbr-dev/nbr/service/chrony. Give one of them another Type, or leave it out of the list that cmd.Main gets\n"
		if d := cmp.Diff(want, stderr.String()) + cmp.Diff("", stdout.String()); d != "" {
			t.Errorf("%v: %s", args, d)
		}
	}
}
