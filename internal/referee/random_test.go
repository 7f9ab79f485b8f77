package referee_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// NBR_RANDOM_SPECS is how many random specs are made, for a longer run than that of every
// day; NBR_RANDOM_SEED makes the one of a seed that a failure has named.
const randomSpecs = 80

// TestRandomSpecs makes specs of what the schema allows. Each is refused with a line, or
// becomes modules that Nix evaluates, whose options NixOS has, and files that the programs take.
func TestRandomSpecs(t *testing.T) {
	t.Parallel()
	from, n := uint64(0), randomSpecs
	if s := os.Getenv("NBR_RANDOM_SPECS"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("NBR_RANDOM_SEED"); s != "" {
		from, _ = strconv.ParseUint(s, 10, 64)
		n = 1
	}
	if n < 1 {
		t.Fatal("no specs")
	}
	used, codes := map[string]bool{}, map[string]int{}
	dir := library(t)
	var good []*made
	for seed := from; seed < from+uint64(n); seed++ {
		d := newDice(seed)
		text := d.roll()
		maps.Copy(used, d.used)
		if r := judge(t, filepath.Join(dir, strconv.FormatUint(seed, 10)), seed, text, codes); r != nil {
			good = append(good, r)
		}
	}
	t.Logf("%d of %d specs are good; errors: %v", len(good), n, codes)
	if n >= randomSpecs {
		if 2*len(good) < n {
			t.Errorf("only %d of %d specs are good", len(good), n)
		}
		for typ, s := range newDice(0).blocks {
			unused(t, typ, s, used)
		}
		stale(t)
	}
	if len(good) > 0 {
		judgeMade(t, good)
	}
}

// unused are the arguments that no random spec has.
func unused(t *testing.T, path string, s conf.Schema, used map[string]bool) {
	t.Helper()
	for _, a := range s.Attributes {
		if at := path + "." + a.Name; !used[at] && !built[at] {
			t.Errorf("no random spec has %s (%s)", at, a.Type)
		}
	}
	for _, b := range s.Blocks {
		unused(t, path+"."+b.Type, b, used)
	}
}

// stale are the values and the exceptions of arguments that no block has.
func stale(t *testing.T) {
	t.Helper()
	types, paths := map[string]bool{}, map[string]bool{}
	var walk func(string, conf.Schema)
	walk = func(path string, s conf.Schema) {
		for _, a := range s.Attributes {
			types[a.Type], paths[path+"."+a.Name] = true, true
		}
		for _, b := range s.Blocks {
			walk(path+"."+b.Type, b)
		}
	}
	for typ, s := range newDice(0).blocks {
		walk(typ, s)
	}
	for _, typ := range slices.Sorted(maps.Keys(values)) {
		if !types[typ] && !paths[typ] {
			t.Errorf("the dice has values of %q, which is no argument and no type of one", typ)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(built)) {
		if !paths[path] {
			t.Errorf("the dice leaves out %s, which no block has", path)
		}
	}
}

// judge loads a spec, and writes its modules to a folder when it has no errors.
func judge(t *testing.T, dir string, seed uint64, text string, codes map[string]int) *made {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("seed %d: panic: %v\n%s", seed, r, text)
		}
	}()
	reg := &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
	files := fstest.MapFS{"router.hcl": {Data: []byte(text)}}
	spec, diags := reg.Load(files, nil)
	for _, d := range diags {
		if d.Subject == nil || diag.Code(d) == "" || d.Detail == "" {
			t.Errorf("seed %d: %s [%s]\n%s", seed, d, diag.Code(d), text)
		}
		if code := diag.Code(d); d.Severity == 1 {
			codes[code]++
			if os.Getenv("NBR_RANDOM_SEED") != "" {
				t.Logf("%s: %s", d, code)
			}
			if code == "syntax" || code == "unsupported-argument" || code == "missing-argument" {
				t.Errorf("seed %d: the dice knows no HCL: %s\n%s", seed, d, text)
			}
		}
	}
	if diags.HasErrors() {
		return nil
	}
	out := makeOf(t, dir, fmt.Sprintf("seed %d\n%s", seed, text), spec, files)
	spec.Plan()
	return out
}
