package mistakes_test

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
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

// made are all mistakes, and the part of them that NBR_MISTAKES names.
func made(t *testing.T) (list, some []*mistakes.Mistake) {
	t.Helper()
	bases, err := mistakes.Good(os.DirFS("../.."), registry())
	if err != nil {
		t.Fatal(err)
	}
	if list, err = mistakes.Make(registry(), bases); err != nil {
		t.Fatal(err)
	}
	part, err := mistakes.ParsePart(os.Getenv("NBR_MISTAKES"), 8)
	if err != nil {
		t.Fatal(err)
	}
	return list, part.Of(list)
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

// The parts are all mistakes, each once, and the first has one of every kind.
func TestParts(t *testing.T) {
	t.Parallel()
	list, _ := made(t)
	seen := map[*mistakes.Mistake]int{}
	for nth := 1; nth <= 5; nth++ {
		part, err := mistakes.ParsePart(fmt.Sprintf("%d/5", nth), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range part.Of(list) {
			seen[m]++
		}
	}
	for _, m := range list {
		if seen[m] != 1 {
			t.Fatalf("%s is in %d of the parts", m, seen[m])
		}
	}
	for _, bad := range []string{"0", "6/5", "0/5", "a", "1/", "/5", "-1"} {
		if part, err := mistakes.ParsePart(bad, 1); err == nil {
			t.Errorf("%q is %+v", bad, part)
		}
	}
	if part, err := mistakes.ParsePart("", 40); err != nil || part != (mistakes.Part{Nth: 1, In: 40}) {
		t.Errorf("without a word %+v, %v", part, err)
	}
}
