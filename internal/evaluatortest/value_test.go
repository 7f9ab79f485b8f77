package evaluatortest_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	et "github.com/nbr-dev/nbr/internal/evaluatortest"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/nixgen"
)

// maker makes values of the model.
type maker struct{}

func (maker) Int(i int64) et.Value           { return i }
func (maker) Float(f float64) et.Value       { return f }
func (maker) Bool(b bool) et.Value           { return b }
func (maker) Null() et.Value                 { return nil }
func (maker) String(s string) et.Value       { return s }
func (maker) List(elems []et.Value) et.Value { return et.List(elems) }

func (maker) Attrs(names []string, values []et.Value) et.Value {
	s := et.Set{}
	for i, name := range names {
		if _, twice := s[name]; twice {
			panic(name + " is there twice")
		}
		s[name] = values[i]
	}
	return s
}

func (maker) Apply(fn et.Value, args ...et.Value) et.Value { return et.Call{Fn: fn, Args: args} }

func scope(t *testing.T) nixgen.Scope[et.Value] {
	dir, err := filepath.Abs(filepath.Join(repo, "flake"))
	if err != nil {
		t.Fatal(err)
	}
	return nixgen.Scope[et.Value]{
		Var:      func(name string) et.Value { return et.Unknown(name) },
		Path:     func(p nixgen.Path) et.Value { return et.Path(filepath.Join(dir, string(p))) },
		Function: func(name string) et.Value { return et.Unknown("functions." + et.Nix(name)) },
	}
}

type (
	at    = nixgen.Attr
	attrs = nixgen.Attrs
	list  = nixgen.List
	str   = nixgen.Str
	num   = nixgen.Int
	name  = nixgen.Var
	op    = nixgen.Op
	fn    = nixgen.Fn
)

func set(v nixgen.Expr, path ...string) at { return nixgen.Bind(v, path...) }

func call(f nixgen.Expr, args ...nixgen.Expr) nixgen.Expr { return nixgen.Call{Fn: f, Args: args} }

// expressions are all kinds of expressions, by themselves and within a function, where a value is made in
// another way. x is { a = 1; b = { c = [ 2 3 ]; }; }.
func expressions() []nixgen.Expr {
	deep := nixgen.Expr(num(1))
	for range 300 {
		deep = attrs{set(deep, "in"), set(list{str("x")}, "list")}
	}
	all := []nixgen.Expr{
		str("a\"\\${b}\n\t\r$"), nixgen.Lines("a\n  ${b}\n''\n"), str(strings.Repeat("long ", 1<<15)),
		num(0), num(-1), num(math.MaxInt64), num(math.MinInt64), nixgen.Float(0.1), nixgen.Float(-2.5e-9), nixgen.Float(3),
		nixgen.Bool(true), nixgen.Bool(false),
		nixgen.Null{},
		deep,
		call(name("builtins.readFileType"), nixgen.Path("./values.nix")), call(name("baseNameOf"), nixgen.Path("./values.nix")),
		nixgen.Concat{},
		nixgen.Concat{str("a"), nixgen.Lines("b\n")},
		nixgen.Concat{str("a$"), call(name("toString"), name("x.a")), str("{b"), nixgen.Concat{str("c"), call(name("toString"), name("x.a"))}},
		name("x"), name("x.b.c"), name("true"), name("builtins.langVersion"), call(name("__add"), num(1), name("x.a")),
		list{},
		list{num(1), name("x.a"), list{str("a")}},
		attrs{},
		attrs{set(num(1), "a", "b", "c"), set(name("x.a"), "a", "b", "d"), set(str("z"), "a", "e"), set(attrs{set(num(5), "q")}, "f"), set(num(6), "f", "r"), set(num(7), "x y.${z}")},
		attrs{set(name("x.a"), "a"), set(name("x"), "x")},
		call(name("map"), fn{Arg: "y", Body: op{Op: "+", L: name("y"), R: name("x.a")}}, name("x.b.c")),
		call(fn{Arg: "y", Body: fn{Arg: "z", Body: list{name("y"), name("z"), name("x.a"), num(4), str("s")}}}, num(1), num(2)),
		call(fn{Params: []string{"p", "q"}, Body: attrs{set(name("p.r"), "one", "two"), set(name("q"), "q"), set(num(3), "one", "three")}}, attrs{set(attrs{set(num(1), "r")}, "p"), set(num(2), "q")}),
		call(fn{Params: []string{"p"}, Ellipsis: true, Body: name("p")}, attrs{set(num(1), "p"), set(call(name("throw"), str("not needed")), "o")}),
		call(fn{Arg: "unused", Body: num(3)}, call(name("throw"), str("not needed"))),
		nixgen.Let{Binds: []at{set(num(1), "one"), set(op{Op: "+", L: name("one"), R: name("two.b")}, "three"), set(num(2), "two", "b"), set(num(9), "two", "c")}, Body: list{name("three"), name("two"), name("x.a")}},
		nixgen.Let{Body: num(1)},
		call(fn{Arg: "y", Body: nixgen.Let{Binds: []at{set(name("y"), "z"), set(fn{Arg: "w", Body: list{name("w"), name("y"), name("z")}}, "f")}, Body: call(name("f"), name("z"))}}, num(8)),
		nixgen.With{Scope: name("x"), Body: list{name("a"), name("b.c")}},
		nixgen.With{Scope: attrs{set(num(1), "m"), set(num(2), "n")}, Body: nixgen.With{Scope: attrs{set(num(3), "n")}, Body: list{name("m"), name("n")}}},
		call(fn{Arg: "y", Body: nixgen.With{Scope: name("y"), Body: attrs{set(name("m"), "r"), set(name("y.m"), "s"), set(nixgen.Bool(true), "t")}}}, attrs{set(num(1), "m")}),
		op{Op: "?", L: name("x"), R: name("b.c")},
		op{Op: "?", L: name("x"), R: name("b.d")},
		op{Op: "?", L: name("x"), R: str("a")},
		op{Op: "&&", L: nixgen.Bool(false), R: call(name("throw"), str("not needed"))},
		op{Op: "||", L: nixgen.Bool(true), R: call(name("throw"), str("not needed"))},
		nixgen.At{From: nixgen.Origin{File: "router.hcl", Line: 1}, Expr: num(1)},
	}
	for _, o := range []string{"*", "/", "+", "-", "<", ">", "<=", ">=", "==", "!="} {
		all = append(all, op{Op: o, L: num(7), R: op{Op: "+", L: name("x.a"), R: num(1)}})
	}
	for _, o := range []string{"&&", "||", "->"} {
		all = append(all, op{Op: o, L: nixgen.Bool(true), R: op{Op: "==", L: name("x.a"), R: num(1)}})
	}
	all = append(all, op{Op: "++", L: list{num(1)}, R: name("x.b.c")}, op{Op: "//", L: name("x"), R: attrs{set(num(9), "a")}})
	for _, e := range all[:len(all):len(all)] {
		all = append(all, call(fn{Arg: "x", Body: e}, name("x")))
	}
	return all
}

// Nix says of each expression that its value is that of its text.
func TestValueIsTheText(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join(repo, "flake"))
	if err != nil {
		t.Fatal(err)
	}
	var pairs strings.Builder
	es := expressions()
	for _, e := range es {
		text := strings.ReplaceAll(string(nixgen.Print(e)), "./values.nix", dir+"/values.nix")
		fmt.Fprintf(&pairs, "[ (%s) %s ]\n", text, et.Nix(nixgen.Value[et.Value](maker{}, scope(t), e)))
	}
	var same []bool
	lab.Nix(t).EvalJSON(t, `let
  functions = import `+dir+`/values.nix;
  x = { a = 1; b = { c = [ 2 3 ]; }; };
in map (pair: builtins.elemAt pair 0 == builtins.elemAt pair 1) [ `+pairs.String()+` ]`, &same)
	if len(same) != len(es) {
		t.Fatalf("%d expressions, %d answers", len(es), len(same))
	}
	for i, ok := range same {
		if !ok {
			t.Errorf("the value of\n%.2000sis\n%.2000s", nixgen.Print(es[i]), et.Nix(nixgen.Value[et.Value](maker{}, scope(t), es[i])))
		}
	}
}

// A function with a pattern says which arguments it takes, and refuses others.
func TestPatternOfAValue(t *testing.T) {
	dir, err := filepath.Abs(filepath.Join(repo, "flake"))
	if err != nil {
		t.Fatal(err)
	}
	f := et.Nix(nixgen.Value[et.Value](maker{}, scope(t), fn{Params: []string{"a", "b"}, Body: name("a")}))
	var got struct {
		Right, Missing, More bool
		Args                 map[string]bool
	}
	lab.Nix(t).EvalJSON(t, `let functions = import `+dir+`/values.nix; f = `+f+`; ok = v: (builtins.tryEval v).success;
in { right = ok (f { a = 1; b = 2; }); missing = ok (f { a = 1; }); more = ok (f { a = 1; b = 2; c = 3; }); args = f.__functionArgs; }`, &got)
	if !got.Right || got.Missing || got.More || len(got.Args) != 2 {
		t.Errorf("%+v", got)
	}
}

// What no text of Nix could say is a bug of the caller.
func TestNoValue(t *testing.T) {
	for _, e := range []nixgen.Expr{
		str("a\x00b"), name("a b"),
		op{Op: "**", L: num(1), R: num(1)},
		op{Op: "?", L: name("x"), R: num(1)},
		nixgen.Path("/etc/passwd"), nixgen.Float(math.Inf(1)),
		attrs{set(num(1), "a"), set(num(2), "a")},
		attrs{set(num(1), "a"), set(num(2), "a", "b")},
		attrs{at{Value: num(1)}},
		fn{Arg: "a", Params: []string{"b"}, Body: num(1)},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%#v has a value", e)
				}
			}()
			nixgen.Value[et.Value](maker{}, scope(t), e)
		}()
	}
}
