package nixos

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nbr-dev/nbr/verify"
	"github.com/nbr-dev/nbr/verify/probe"
	"github.com/nbr-dev/nbr/verify/state"
)

// bootEntries asks for the files of a folder of the Boot Loader Specification.
var bootEntries = &probe.Probe[string, []string]{Name: "nixos.boot-entries", Look: lookEntries}

func lookEntries(ctx context.Context, h probe.Host, dir string) ([]string, error) {
	out, err := h.Run(ctx, "ls", dir)
	if err != nil {
		return nil, err
	}
	if out.Exit != 0 {
		return nil, fmt.Errorf("ls %s: exit code %d", dir, out.Exit)
	}
	return strings.Fields(string(out.Stdout)), nil
}

// entryRE is the number of a generation in the name of its entry. Those of a specialisation have
// more behind it, and a boot that is counted has the tries that are left (nixpkgs,
// systemd-boot-builder.py).
var entryRE = regexp.MustCompile(`^nixos-generation-([0-9]+)(?:-specialisation-.+)?(?:\+[0-9-]+)?\.conf$`)

// checkEntries adds the check that systemd-boot has as many generations as the spec says, and one
// at least.
func (b *Nix) checkEntries(p *verify.Plan) {
	const dir, hint = "/boot/loader/entries", "bootctl list"
	want := fmt.Sprintf("1 to %d", b.Generations.V)
	c := verify.Check{ID: b.Addr.String() + "/generations", Title: "generations in the boot menu", From: cmp.Or(b.Generations.Range, b.Def)}
	verify.Asked(p, c, bootEntries, dir, want, hint, func(_ *state.State, files []string) verify.Verdict {
		var generations []string
		for _, f := range files {
			if m := entryRE.FindStringSubmatch(f); m != nil && !slices.Contains(generations, m[1]) {
				generations = append(generations, m[1])
			}
		}
		n := len(generations)
		return verify.Judge(1 <= n && n <= b.Generations.V, want, fmt.Sprint(n), hint)
	})
	asked := &p.Checks[len(p.Checks)-1]
	judge := asked.Eval
	asked.Eval = func(st *state.State) verify.Verdict {
		if st.Board.Trial() {
			return verify.Skipped(want, "the VM starts without a boot loader", hint)
		}
		return judge(st)
	}
}
