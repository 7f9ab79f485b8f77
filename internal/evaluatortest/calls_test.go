package evaluatortest_test

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	et "github.com/nbr-dev/nbr/internal/evaluatortest"
)

// A program that makes each call of the interface gets every value and gives it back, also those that nbr has no
// use for; what the evaluator would refuse is refused here.
func TestCalls(t *testing.T) {
	p := et.Compile(t, et.Build(t, ".", "./testdata/calls"))
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("what is in it\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	double := et.Function{Nix: "double", Call: func(args []et.Value) (et.Value, error) { return 2 * args[0].(int64), nil }}
	broken := et.Function{Nix: "broken", Call: func([]et.Value) (et.Value, error) { return nil, errors.New("it does not work") }}
	deep := et.Value(int64(1))
	for range 300 {
		deep = et.Set{"in": deep, "list": et.List{"x"}}
	}
	same := et.Set{
		"ints": et.List{int64(0), int64(-1), int64(math.MaxInt64), int64(math.MinInt64)}, "floats": et.List{0.1, -2.5e-9, math.MaxFloat64, math.Inf(-1)},
		"bools": et.List{true, false}, "null": nil, "strings": et.List{"", "a", "ä\n\"${x}", strings.Repeat("long ", 1<<16)},
		"none": et.List{}, "empty": et.Set{}, "": "an empty name", "a b.c": "a name with spaces", "deep": deep,
	}
	arg, want := maps.Clone(same), maps.Clone(same)
	arg["path"], want["path"] = et.Path(dir), et.List{dir, et.Path(filepath.Join(dir, "file")), "what is in it\n"}
	arg["function"], want["function"] = double, et.List{int64(2), et.Call{Fn: double, Args: et.List{int64(1)}}}
	r, err := p.Run(arg, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(et.Nix(want), et.Nix(r.Value)); d != "" {
		t.Errorf("it gives back (-want +got):\n%.3000s", d)
	}
	called := maps.Clone(r.Calls)

	r, err = p.Run(et.Set{"warn": "careful", "int": int64(3)}, nil)
	if err != nil || !slices.Equal(r.Warnings, []string{"careful"}) || r.Value != et.Value(int64(3)) {
		t.Errorf("a warning: %v, %q, %v", r.Value, r.Warnings, err)
	}
	maps.Copy(called, r.Calls)
	r, err = p.Run(et.Set{"panic": "enough"}, nil)
	if err != et.Thrown("enough") {
		t.Errorf("a panic: %v", err)
	}
	maps.Copy(called, r.Calls)
	if d := cmp.Diff(et.Interface(), slices.Sorted(maps.Keys(called))); d != "" {
		t.Errorf("calls that the program does not make (-interface +called):\n%s", d)
	}

	for _, tt := range []struct {
		arg  et.Value
		want string
	}{
		{et.Set{"int": "3"}, `get_int: "3" is of type 4, not 1`},
		{et.Set{"warn": int64(3)}, "copy_string: (3) is of type 1, not 4"},
		{et.List{et.Unknown("pkgs.nftables")}, "get_type: (pkgs.nftables) is evaluated, and must not be"},
		{et.List{et.Call{Fn: double, Args: et.List{int64(1)}}}, "is evaluated, and must not be"},
		{broken, "call_function: it does not work"},
		{et.Function{Nix: "throw"}, "call_function: throw is called, and must not be"},
		{et.Path(filepath.Join(dir, "nothing")), "no such file"},
	} {
		if _, err := p.Run(tt.arg, nil); err == nil || !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%.100s: %v, want %q", et.Nix(tt.arg), err, tt.want)
		}
	}
}
