package nixgen

import (
	"bytes"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares got with the file testdata/dir/name.nix.
func golden(t *testing.T, dir, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", dir, name+".nix")
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// checkGoldens fails if a golden file belongs to no test, and asks nixfmt and
// Nix about the others.
func checkGoldens(t *testing.T, dir string, want int) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.nix"))
	if err != nil || len(files) != want {
		t.Errorf("%d golden files for %d tests (%v)", len(files), want, err)
	}
	bound := t.TempDir() // Nix refuses variables that nothing binds
	for i, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = write(t, bound, filepath.Base(file), append([]byte("with { }; "), src...))
	}
	nix(t, append([]string{"--parse"}, files...)...)
	checkNixfmt(t, filepath.Join("testdata", dir))
}

func set(value Expr, path ...string) Attr { return Attr{path, value} }

func call(fn Var, args ...Expr) Call { return Call{fn, args} }

func ints(n int) List {
	var l List
	for i := range n {
		l = append(l, Int(i))
	}
	return l
}

// layouts holds an example for each rule of the printer. Their golden files
// are what nixfmt --strict makes of them, byte for byte.
var layouts = map[string]Expr{
	"empty": Attrs{set(Attrs{}, "set"), set(List{}, "list"), set(call("f", Attrs{}, List{}), "call")},
	"lists": Attrs{
		set(List{Int(1)}, "one"),
		set(List{Int(1), Int(2)}, "two"),
		set(List{List{Int(1)}, Attrs{set(Int(1), "a")}, Attrs{set(Int(1), "a"), set(Int(2), "b")}}, "nested"),
		set(List{call("f", Var("x")), Int(-1), Op{"+", Int(1), Int(2)}, Fn{Arg: "x", Body: Var("x")}}, "parens"),
		set(List{Str(strings.Repeat("long ", 25))}, "long"),
	},
	"inherit": Attrs{
		set(Var("modules"), "modules"),
		set(Attrs{set(Var("inputs.nixos-sbc"), "nixos-sbc")}, "one"),
		set(Attrs{set(Var("inputs.a"), "a"), set(Var("inputs.b.c"), "c"), set(Var("inputs.a"), "b"), set(Var("x"), "x", "y")}, "several"),
		set(Let{[]Attr{set(Var("a.b"), "b")}, List{Path("../nbr/kernel.nix"), Path("../../x.nix")}}, "let"),
	},
	"sets": Attrs{
		set(Attrs{set(Int(1), "b")}, "single"),
		set(Attrs{set(Int(1), "b"), set(Int(2), "c")}, "double"),
		set(call("f", Attrs{set(Int(1), "b")}), "argument"),
		set(Str("v"), "not an identifier", "if", "a'-_", "${x}", ""),
	},
	"long_names": Attrs{
		set(Str(strings.Repeat("x", 40)), "one", "two", "three", "four", "five", strings.Repeat("six", 12)),
		set(List{Int(1), Int(2)}, "net.ipv4.conf", strings.Repeat("all", 31)),
		set(call("mkForce", Str(strings.Repeat("y", 60))), "environment", "etc", "a.conf", "text", strings.Repeat("b", 22)),
	},
	"module": Fn{Params: []string{"lib", "pkgs"}, Ellipsis: true, Body: Attrs{set(call("lib.mkForce", Var("pkgs.jq")), "a")}},
	"module_three": Fn{Params: []string{"config", "lib", "pkgs"}, Ellipsis: true, Body: Attrs{
		set(Int(1), "a"),
		set(Attrs{set(Int(1), "x"), set(Int(2), "y")}, "b"),
		set(Int(1), "c"),
	}},
	"functions": Attrs{
		set(Fn{Arg: "x", Body: Var("x")}, "identity"),
		set(Fn{Arg: "x", Body: Fn{Arg: "y", Body: Attrs{set(Var("x"), "a")}}}, "curried"),
		set(Fn{Arg: "x", Body: Fn{Arg: "y", Body: Fn{Arg: "z", Body: Var("x")}}}, "three"),
		set(Fn{Body: Null{}}, "none"),
		set(Fn{Ellipsis: true, Body: Null{}}, "any"),
		set(Fn{Params: []string{"a", "b"}, Body: Attrs{set(Var("a"), "c")}}, "set"),
		set(Fn{Params: []string{"a", "b", "c"}, Body: List{Var("a"), Var("b")}}, "expanded"),
	},
	"let": Fn{Params: []string{"lib"}, Ellipsis: true, Body: Let{
		[]Attr{set(Int(1), "x"), set(Let{[]Attr{set(Int(2), "z")}, Var("z")}, "y")},
		Attrs{set(Let{nil, Var("x")}, "no_binds"), set(List{Let{[]Attr{set(Int(3), "q")}, Var("q")}}, "in_list")},
	}},
	"with": Attrs{
		set(With{Var("lib.kernel"), Attrs{set(Var("yes"), "WIREGUARD"), set(Var("module"), "TUN")}}, "config"),
		set(With{Var("pkgs"), List{Var("jq"), Var("kea")}}, "packages"),
		set(With{Var("lib"), Var("mkForce")}, "plain"),
		set(call("f", With{Var("lib"), Attrs{set(Int(1), "a")}}), "argument"),
	},
	"calls": Attrs{
		set(call("lib.mkForce", Str("v")), "simple"),
		set(call("lib.mkForce", List{Str("a"), Str("b")}), "list"),
		set(call("lib.mkIf", Var("config.a"), Attrs{set(Int(1), "b"), set(Int(2), "c")}), "set"),
		set(call("f", List{Int(1), Int(2)}, List{Int(3), Int(4)}), "two_lists"),
		set(call("f", List{Int(1), Int(2)}, Attrs{set(Int(1), "a")}), "short_list"),
		set(call("f", ints(7), Var("x")), "long_list"),
		set(call("lib.mapAttrs", Fn{Arg: "n", Body: Attrs{set(Var("n"), "v")}}, Var("x")), "lambda_first"),
		set(call("map", Fn{Arg: "n", Body: Attrs{set(Var("n"), "v"), set(Int(1), "w")}}), "lambda_last"),
		set(call("f", call("g", Attrs{set(Int(1), "a"), set(Int(2), "b")})), "nested"),
		set(call("f", call("g", Str(strings.Repeat("z", 60)), Str(strings.Repeat("z", 60)))), "nested_long"),
		set(Call{call("f", Int(1)), []Expr{Int(2)}}, "curried"),
		set(Call{Fn{Arg: "x", Body: Var("x")}, []Expr{Int(-2)}}, "of_lambda"),
		set(Call{Var("f"), nil}, "no_arguments"),
		set(call("pkgs.writeText", Str("name.conf"), Lines("one\ntwo\n")), "text"),
		set(call(Var("pkgs."+strings.Repeat("someName", 5)), Str(strings.Repeat("a", 40)), Str(strings.Repeat("b", 40)), Null{}), "long"),
	},
	"operators": Attrs{
		set(Op{"++", List{Int(1), Int(2)}, Op{"++", Var("a"), List{Int(3), Int(4)}}}, "lists"),
		set(Op{"//", Var("base"), Attrs{set(Int(1), "a"), set(Int(2), "b")}}, "update"),
		set(Op{"+", Op{"+", Int(1), Int(2)}, Int(3)}, "left"),
		set(Op{"+", Int(1), Op{"+", Int(2), Int(3)}}, "right"),
		set(Op{"-", Int(1), Op{"-", Int(2), Int(3)}}, "minus"),
		set(Op{"*", Op{"+", Int(1), Int(-2)}, Float(2)}, "mixed"),
		set(Op{"->", Op{"->", Var("a"), Var("b")}, Op{"->", Var("a"), Var("b")}}, "implies"),
		set(Op{"&&", Op{"==", Var("a"), Null{}}, Op{"||", Var("a"), Op{"&&", Var("b"), Var("c")}}}, "logic"),
		set(Op{"==", Op{"==", Var("a"), Var("b")}, Bool(true)}, "equal"),
		set(Op{"==", Var(strings.Repeat("v", 95)), call("f", two)}, "equal_at_100"),
		set(Op{"==", Var(strings.Repeat("v", 96)), call("f", two)}, "equal_at_101"),
		set(Op{"==", Var("v"), call("f", Fn{Arg: "x", Body: Var(strings.Repeat("y", 40))}, Str(strings.Repeat("z", 46)))}, "equal_call_at_100"),
		set(Op{"==", Var("v"), call("f", Fn{Arg: "x", Body: Var(strings.Repeat("y", 40))}, Str(strings.Repeat("z", 47)))}, "equal_call_at_101"),
		set(Op{"?", Var("config.services"), Var("kea.enable")}, "has"),
		set(Op{"?", call("f", Var("x")), Str("not a name")}, "has_odd"),
		set(Op{"++", call("f", Var("x")), Fn{Arg: "x", Body: Var("x")}}, "lambda"),
		set(Op{"+", Str(strings.Repeat("a", 50)), Op{"+", Var("b"), Str(strings.Repeat("c", 50))}}, "long"),
	},
	"strings": Attrs{
		set(Str("\"quoted\" \\ ${x} $${x} $x $ \n\r\t é 漢"), "quoted"),
		set(Lines("one\n  two\n\nthree ${x} '' ''' $$ \\ \"\n"), "lines"),
		set(Lines("one\ntwo"), "no_newline_at_the_end"),
		set(Lines("\none\n"), "newline_first"),
		set(Lines("\tone\r\ntwo'\n'$x'${x}"), "odd"),
		set(Lines("  one\n  two\n"), "all_indented"),
		set(Lines("one\n  \ntwo\n"), "only_spaces"),
		set(Lines("one"), "one_line"),
		set(Lines("\n\n"), "only_newlines"),
		set(Lines(""), "nothing"),
	},
	"concat": Attrs{
		set(Concat{Var("pkgs.nftables"), Str("/bin/nft -f "), Path("./rules.nft")}, "paths"),
		set(Concat{Str("$"), Var("x"), Str("$"), Str("{"), Concat{Str("}"), Var("y")}, Str("\n")}, "dollars"),
		set(Concat{Str("a"), Str("b")}, "no_expression"),
		set(Concat{Str("$"), Str("{x}"), Var("y")}, "joined"),
		set(Concat{Var("x"), Str("$")}, "dollar_last"),
		set(Concat{Str(strings.Repeat("a", 90)), call("f", Op{"+", Var("x"), Var(strings.Repeat("y", 22))})}, "thirty"),
		set(Concat{Str(strings.Repeat("a", 90)), call("f", Op{"+", Var("x"), Var(strings.Repeat("y", 23))})}, "thirty_one"),
		set(Concat{}, "nothing"),
		set(Concat{Str("x "), call("f", Lines("a\nb\n")), Str("y")}, "lines"),
		set(Concat{Str(" "), Str(" "), call("f", Str(strings.Repeat("a", 50)), Str(strings.Repeat("b", 50)), Int(3))}, "broken_joined"),
		set(Concat{Str("  "), call("f", Str(strings.Repeat("a", 50)), Str(strings.Repeat("b", 50)), Int(3))}, "broken"),
		set(Concat{Str("a "), call("f", Attrs{set(Int(1), "a"), set(Int(2), "b")}), Str(" z")}, "set"),
	},
	"numbers": List{Int(0), Int(-7), Int(math.MinInt64), Int(math.MaxInt64), Float(1), Float(-0.5), Float(1e21), Float(1e-9), Float(5e-324), Float(0x1p-1022), Float(0)},
	"variables": Attrs{
		set(Var("config.boot.kernelPackages"), "a"), set(Var("nixosConfigurations.4ap.config"), "b"),
		set(List{Path("./local.nix"), Bool(true), Null{}}, "c"),
	},
}

func TestLayout(t *testing.T) {
	for name, e := range layouts {
		t.Run(name, func(t *testing.T) { golden(t, "print", name, Print(e)) })
	}
	t.Run("commented", func(t *testing.T) { golden(t, "print", "comments", Print(commented())) })
	t.Run("widths", func(t *testing.T) { golden(t, "print", "widths", Print(atWidth(t))) })
	checkGoldens(t, "print", len(layouts)+2)
}

func commented() Expr {
	dhcp := Origin{"router.hcl", 38, "dhcp4.lan"}
	nas := Origin{"router.hcl", 42, "reservation.nas"}
	other := Origin{File: "zones.hcl", Line: 3}
	return Attrs{
		set(Int(1), "without"),
		set(At{dhcp, Int(1)}, "a"),
		set(At{dhcp, List{Int(1), At{nas, Attrs{set(Int(1), "x")}}, At{nas, Int(2)}, At{dhcp, Int(3)}, At{other, Int(4)}}}, "b"),
		set(At{nas, Attrs{set(At{nas, Int(1)}, "same"), set(At{other, Int(1)}, "other"), set(Int(1), "again")}}, "c"),
		set(Int(2), "after"),
		set(At{Origin{Addr: "evil\n}; \u202e", File: "a\r\nb"}, At{Origin{}, Int(3)}}, "safe"),
		set(call("builtins.seq", At{other, Attrs{set(At{other, Int(1)}, "in_argument")}}), "d"),
	}
}

func TestLineOrigins(t *testing.T) {
	e := commented().(Attrs)
	src, origins := printFile([]string{"doc"}, e)
	var b strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(string(src), "\n"), "\n") {
		fmt.Fprintf(&b, "%-28s| %s\n", origins[i].String(), line)
	}
	want, err := os.ReadFile("testdata/origins.txt")
	if *update {
		want, err = []byte(b.String()), os.WriteFile("testdata/origins.txt", []byte(b.String()), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestPrintRefuses(t *testing.T) {
	for name, e := range map[string]Expr{
		"nothing":       nil,
		"NUL":           Str("a\x00"),
		"NUL first":     Str("\x00a"),
		"NUL in lines":  Lines("a\n\x00"),
		"NUL in a name": Attrs{set(Int(1), "a\x00")},
		"no name":       Attrs{{nil, Int(1)}},
		"keyword":       Var("with"),
		"code":          Var("a; b"),
		"empty part":    Var("a..b"),
		"empty":         Var(""),
		"NaN":           Float(math.NaN()),
		"infinity":      Float(math.Inf(-1)),
		"absolute path": Path("/etc"),
		"path":          Path("./a b"),
		"path's end":    Path("./a/"),
		"operator":      Op{"<>", Int(1), Int(2)},
		"member":        Op{"?", Var("a"), Int(2)},
		"argument":      Fn{Arg: "a b", Body: Int(1)},
		"parameter":     Fn{Params: []string{"1"}, Body: Int(1)},
		"both":          Fn{Arg: "a", Ellipsis: true, Body: Int(1)},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if r := recover(); !strings.HasPrefix(fmt.Sprint(r), "nixgen: ") {
					t.Errorf("panic: %v", r)
				}
			}()
			t.Errorf("printed as %s", Print(e))
		})
	}
}

func FuzzPrint(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		tree := func() Expr { return randomExpr(rand.New(rand.NewPCG(seed, 0)), false) }
		src, origins := printFile(nil, tree())
		if !bytes.Equal(src, Print(tree())) {
			t.Error("printed twice, and differently")
		}
		if n := bytes.Count(src, []byte("\n")); n != len(origins) {
			t.Errorf("%d lines, %d origins", n, len(origins))
		}
		for i, line := range bytes.Split(src, []byte("\n")) {
			if len(line) > 0 && len(bytes.Trim(line, " ")) == 0 {
				t.Errorf("line %d is only spaces", i)
			}
		}
	})
}
