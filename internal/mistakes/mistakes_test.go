package mistakes_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/internal/mistakes"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

func registry() *service.Registry {
	return &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
}

// made are all mistakes, and a part of them: NBR_MISTAKES=1 is all of them, 2 every second one of
// a kind.
func made(t *testing.T) (list, some []*mistakes.Mistake) {
	t.Helper()
	bases, err := mistakes.Good(os.DirFS("../.."), registry())
	if err != nil {
		t.Fatal(err)
	}
	if list, err = mistakes.Make(registry(), bases); err != nil {
		t.Fatal(err)
	}
	oneIn := 8
	if s := os.Getenv("NBR_MISTAKES"); s != "" {
		if oneIn, err = strconv.Atoi(s); err != nil || oneIn < 1 {
			t.Fatalf("NBR_MISTAKES=%s", s)
		}
	}
	return list, mistakes.Some(list, oneIn)
}

// TestMistakes makes mistakes in good specs. Nothing may panic; what is said is about the mistake
// and said once; and what changes without a word is the block's own.
func TestMistakes(t *testing.T) {
	t.Parallel()
	list, some := made(t)
	reg := registry()
	table := map[string]map[string]int{}
	for _, m := range some {
		r := m.Judge(reg)
		if table[m.Edit] == nil {
			table[m.Edit] = map[string]int{}
		}
		table[m.Edit][cmp.Or(r.Outcome, "panic")]++
		if len(r.Wrong) > 0 {
			t.Errorf("%s\n%s", m, strings.Join(r.Wrong, "\n"))
		}
	}
	t.Logf("%d mistakes of %d:\n%s", len(some), len(list), print(table))
	for _, edit := range mistakes.Edits {
		refused, taken := table[edit][mistakes.Error]+table[edit][mistakes.Warning], table[edit][mistakes.Differs]
		if refused == 0 || taken == 0 && edit != mistakes.Doubled { // nothing may be there twice
			t.Errorf("%s: %d are told and %d change something: it is no test", edit, refused, taken)
		}
	}
}

// print is the table of outcomes.
func print(table map[string]map[string]int) string {
	var b strings.Builder
	sum := map[string]int{}
	line := func(name string, counts map[string]int) {
		fmt.Fprintf(&b, "%-16s", name)
		total := 0
		for _, o := range mistakes.Outcomes {
			fmt.Fprintf(&b, "%8d", counts[o])
			sum[o] += counts[o]
			total += counts[o]
		}
		fmt.Fprintf(&b, "%8d\n", total)
	}
	fmt.Fprintf(&b, "%-16s", "")
	for _, o := range append(slices.Clone(mistakes.Outcomes), "all") {
		fmt.Fprintf(&b, "%8s", o)
	}
	b.WriteString("\n")
	for _, edit := range mistakes.Edits {
		line(edit, table[edit])
	}
	line("all", maps.Clone(sum))
	return b.String()
}

// Every block and every attribute of the language has mistakes made in it: those of which there
// can be one. So a new block is under the test by itself, and it is told if nothing comes of it.
func TestEveryAttributeIsMistaken(t *testing.T) {
	t.Parallel()
	list, _ := made(t)
	edits := map[string]map[string]int{}
	for _, m := range list {
		if edits[m.Path] == nil {
			edits[m.Path] = map[string]int{}
		}
		edits[m.Path][m.Edit]++
	}
	want := func(path string, of ...string) {
		for _, e := range of {
			if edits[path][e] == 0 {
				t.Errorf("%s: no good spec gives a mistake of the kind %q", path, e)
			}
		}
	}
	var walk func(string, conf.Schema)
	walk = func(path string, s conf.Schema) {
		want(path, mistakes.LeftOut, mistakes.Doubled)
		if s.Label != "" {
			want(path, mistakes.Copied, mistakes.Renamed)
		}
		for _, a := range s.Attributes {
			at := path + "." + a.Name
			want(at, mistakes.LeftOut, mistakes.Doubled, mistakes.Emptied)
			if strings.HasPrefix(a.Type, "reference to ") {
				want(at, mistakes.Pointed)
			}
			if a.Type == "bool" {
				want(at, mistakes.Flipped)
			}
			if strings.HasPrefix(a.Type, "MTU") || a.Type == "number" || a.Type == "port" || strings.HasPrefix(a.Type, "duration") {
				want(at, mistakes.Bound)
			}
		}
		for _, b := range s.Blocks {
			walk(path+"."+b.Type, b)
		}
	}
	for _, typ := range registry().Types() {
		walk(typ.Type, conf.SchemaOf(typ))
	}
	if len(list) < 15000 {
		t.Errorf("only %d mistakes", len(list))
	}
}
