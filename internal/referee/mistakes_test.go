package referee_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/mistakes"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// TestMistakesThatPass gives what good specs with a mistake in them become to the programs: where
// nbr says no error none of them may fail. NBR_MISTAKES names the part of the mistakes (mistakes.ParsePart).
func TestMistakesThatPass(t *testing.T) {
	t.Parallel()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	bases, err := mistakes.Good(os.DirFS("../.."), reg)
	if err != nil {
		t.Fatal(err)
	}
	list, err := mistakes.Make(reg, bases)
	if err != nil {
		t.Fatal(err)
	}
	part, err := mistakes.ParsePart(os.Getenv("NBR_MISTAKES"), 160)
	if err != nil {
		t.Fatal(err)
	}
	list = part.Of(list)
	outcomes := map[string]int{}
	seen := map[string]bool{}
	var pass []*made
	dir := library(t)
	for i, m := range list {
		r := m.Judge(reg)
		outcomes[cmp.Or(r.Outcome, "panic")]++
		if r.Spec == nil || r.Outcome == mistakes.Same || seen[r.Tree] {
			continue
		}
		seen[r.Tree] = true
		of := makeOf(t, filepath.Join(dir, fmt.Sprint(i)), fmt.Sprintf("%s [%s]", m, r.Outcome), r.Spec, r.Files())
		of.free = r.Free
		pass = append(pass, of)
	}
	t.Logf("%d mistakes: %v; %d different trees", len(list), outcomes, len(pass))
	if len(pass) == 0 {
		t.Fatal("no mistake passes")
	}
	judgeMade(t, pass)
	applied(t, pass, part.Whole())
}

// inSlot tells whether IfState's configuration has a port that is none of the board's own.
func inSlot(config map[string]any) bool {
	for name, value := range config["interfaces"].(map[string]any) {
		link, _ := value.(map[string]any)["link"].(map[string]any)
		if _, own := dsaPorts[name]; link["kind"] == "physical" && !own {
			return true
		}
	}
	return false
}

// applied has IfState make links of what has passed, which is where a kernel refuses a value:
// some of them, or all. The ports are those of a Banana Pi BPI-R4.
func applied(t *testing.T, pass []*made, all bool) {
	t.Helper()
	ifstate := lab.IfState(t)
	ifstate.Ports = dsaPorts
	seen := map[string]bool{}
	var some []*made
	for _, p := range pass {
		if p.values == nil || p.free || p.board != "bananapi-bpir4" {
			continue
		}
		config := applicable(t, p.values)
		if inSlot(config) {
			continue // the namespace does not have the port
		}
		if text := toJSON(t, config); !seen[text] {
			seen[text] = true
			some = append(some, p)
		}
	}
	const few = 8
	step := 1
	if !all {
		step = max(len(some)/few, 1)
	}
	for i := 0; i < len(some); i += step {
		p, ns := some[i], board(t, nil)
		config := ifstateYAML(t, applicable(t, p.values), "/nowhere")
		report, err := ifstate.Try(t, ns, config, "apply")
		if err != nil {
			p.refuses(t, "ifstate apply", err, config)
			continue
		}
		if complaints, err := ifstate.Try(t, ns, config, "-q", "check"); err != nil || complaints != "" {
			p.refuses(t, "ifstate check", fmt.Errorf("%v: %s\n%s", err, complaints, report), config)
		}
	}
	t.Logf("ifstate applies every %d of %d files", step, len(some))
}
