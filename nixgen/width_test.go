package nixgen

import (
	"strings"
	"testing"
)

// shapes are expressions that grow with v, so that each can be made to fit on a line just
// so, and not to fit by one character.
var shapes = []struct {
	name string
	of   func(v Var) Expr
}{
	{"variable", func(v Var) Expr { return v }},
	{"string", func(v Var) Expr { return Str(v) }},
	{"call", func(v Var) Expr { return call("f", Var("x"), v) }},
	{"call_first", func(v Var) Expr { return call("f", v, Var("x"), Str("y")) }},
	{"call_of_call", func(v Var) Expr { return call("f", call("g", v, Var("x"))) }},
	{"call_between", func(v Var) Expr { return call("f", call("g", v, Var("x")), call("h", Var("y"), Var("z"))) }},
	{"call_set", func(v Var) Expr { return call("f", v, two) }},
	{"call_set_one", func(v Var) Expr { return call("f", v, one) }},
	{"call_set_first", func(v Var) Expr { return call("f", one, v) }},
	{"call_lists", func(v Var) Expr { return call("f", v, List{Int(1)}, List{Int(2)}) }},
	{"call_lists_first", func(v Var) Expr { return call("f", List{Int(1)}, List{Int(2)}, v) }},
	{"call_empty_list", func(v Var) Expr { return call("f", v, List{}) }},
	{"call_empty_set", func(v Var) Expr { return call("f", v, Attrs{}) }},
	{"call_selection", func(v Var) Expr { return call("f", "a."+v, Var("x"), one) }},
	{"call_six", func(v Var) Expr { return call(v, ints(6), Var("x")) }},
	{"call_seven", func(v Var) Expr { return call(v, ints(7), Var("x")) }},
	{"call_short_list", func(v Var) Expr { return call("f", List{v, Int(1)}, Var("x")) }},
	{"call_function", func(v Var) Expr { return call("f", v, Fn{Arg: "x", Body: Var("x")}) }},
	{"call_with", func(v Var) Expr { return call("f", Var("x"), With{v, List{Int(1)}}) }},
	{"call_operator", func(v Var) Expr { return call("f", Op{"+", v, Var("x")}, Var("y")) }},
	{"called", func(v Var) Expr { return Call{call("f", v), []Expr{Var("x")}} }},
	{"called_operator", func(v Var) Expr { return Call{Op{"++", v, List{Int(1)}}, []Expr{Var("x")}} }},
	{"plus", func(v Var) Expr { return Op{"+", Var("x"), v} }},
	{"plus_call", func(v Var) Expr { return Op{"+", Var("x"), call("f", v, Var("y"))} }},
	{"plus_list", func(v Var) Expr { return Op{"+", v, List{Int(1)}} }},
	{"plus_lines", func(v Var) Expr { return Op{"+", v, Lines("x\ny\n")} }},
	{"implies_set", func(v Var) Expr { return Op{"->", v, one} }},
	{"plus_times", func(v Var) Expr { return Op{"+", Var("x"), Op{"*", v, Var("y")}} }},
	{"concatenated", func(v Var) Expr { return Op{"++", v, List{Int(1)}} }},
	{"concatenated_call", func(v Var) Expr { return Op{"++", Var("x"), call("f", v, call("g", Var("y")))} }},
	{"concatenated_first", func(v Var) Expr { return Op{"++", List{Int(1)}, v} }},
	{"concatenated_three", func(v Var) Expr { return Op{"++", v, Op{"++", List{Int(1)}, Var("x")}} }},
	{"concatenated_empty", func(v Var) Expr { return Op{"++", v, List{}} }},
	{"concatenated_to_empty", func(v Var) Expr { return Op{"++", List{}, v} }},
	{"update_empty", func(v Var) Expr { return Op{"//", v, Attrs{}} }},
	{"update_of_empty", func(v Var) Expr { return Op{"//", Attrs{}, v} }},
	{"update", func(v Var) Expr { return Op{"//", v, one} }},
	{"update_first", func(v Var) Expr { return Op{"//", one, v} }},
	{"equal", func(v Var) Expr { return Op{"==", v, Var("x")} }},
	{"equal_call", func(v Var) Expr { return Op{"==", call("f", v, Var("x")), Str("y")} }},
	{"equal_to_call", func(v Var) Expr { return Op{"==", v, call("f", Var("x"), Var("y"))} }},
	{"equal_to_long_call", func(v Var) Expr { return Op{"==", Var("x"), call("f", v, Var("y"))} }},
	{"equal_to_with", func(v Var) Expr { return Op{"==", v, With{Var("x"), List{Int(1)}}} }},
	{"called_equal", func(v Var) Expr { return call("f", Op{"==", v, call("g", Var("x"))}, Var("y")) }},
	{"and", func(v Var) Expr { return Op{"&&", Op{"==", v, Var("x")}, Var("y")} }},
	{"has", func(v Var) Expr { return Op{"?", v, Var("x")} }},
	{"has_call", func(v Var) Expr { return Op{"?", call("f", v), Var("x")} }},
	{"with", func(v Var) Expr { return With{v, List{Int(1)}} }},
	{"with_empty_list", func(v Var) Expr { return With{v, List{}} }},
	{"with_empty_set", func(v Var) Expr { return With{v, Attrs{}} }},
	{"with_variable", func(v Var) Expr { return With{v, Var("x")} }},
	{"with_call", func(v Var) Expr { return With{call("f", v, Var("x")), List{Int(1)}} }},
	{"function", func(v Var) Expr { return Fn{Arg: "x", Body: call("f", v, Var("x"))} }},
	{"function_set", func(v Var) Expr { return Fn{Arg: string(v), Body: one} }},
	{"parameters", func(v Var) Expr { return Fn{Params: []string{string(v), "x"}, Body: Var("x")} }},
	{"text", func(v Var) Expr { return Concat{Str("x "), v, Str(" y")} }},
	{"text_call", func(v Var) Expr { return Concat{Str("x "), call("f", v, Var("y")), Str(" z")} }},
	{"text_call_of_call", func(v Var) Expr { return Concat{Str("x "), call("f", call("g", v), Var("y")), Str(" z")} }},
	{"text_operator", func(v Var) Expr { return Concat{Str("x "), Op{"+", v, Var("y")}, Str(" z")} }},
	{"text_set", func(v Var) Expr { return Concat{call("f", v, one), Str(" z")} }},
	{"text_selection", func(v Var) Expr { return Concat{"a." + v} }},
	{"text_equal", func(v Var) Expr { return Concat{Str("x "), Op{"==", v, call("f", Var("x"), Var("y"))}, Str(" z")} }},
	{"text_alone", func(v Var) Expr { return Concat{call("f", v, Var("y"))} }},
	{"list_call", func(v Var) Expr { return List{call("f", v, Var("x"))} }},
	{"list_operator", func(v Var) Expr { return List{Op{"+", v, Var("x")}} }},
	{"list_with", func(v Var) Expr { return List{With{v, List{Int(1)}}} }},
}

var (
	one = Attrs{set(Int(1), "a")}
	two = Attrs{set(Int(1), "a"), set(Int(2), "b")}
)

// atWidth has each shape as a value of names of one, four and five parts. The last character
// is in column 100 if all of it stands on one line, and in column 101; and the same if the
// value alone stands on the next line. Whether nixfmt leaves it there depends on the shape.
func atWidth(t *testing.T) Expr {
	var all Attrs
	for _, s := range shapes {
		var widths List
		for _, path := range [][]string{{"a"}, {"a", "b", "c", "d"}, {"a", "b", "c", "d", "e"}} {
			name := width(strings.Join(path, ".")) + width(" = ")
			for _, columns := range []int{maxWidth, maxWidth + 1, maxWidth + name, maxWidth + name + 1} {
				widths = append(widths, Attrs{set(s.of(grown(t, s.of, path, columns)), path...)})
			}
		}
		all = append(all, set(widths, s.name))
	}
	return all
}

// grown is the variable that makes the binding of a path so wide on one line, up to where
// it must break.
func grown(t *testing.T, of func(Var) Expr, path []string, columns int) Var {
	t.Helper()
	n := 0
	var walk func([]node) bool
	walk = func(nodes []node) bool {
		for _, node := range nodes {
			switch {
			case node.isGroup():
				if !walk(node.kids) {
					return false
				}
			case node.kind == text:
				n += node.width
			case node.kind == hardSpace || node.kind == softSpace || node.kind == space:
				n++
			case node.kind == hardLine || node.kind == newlines:
				return false
			}
		}
		return true
	}
	binding := document(Attrs{set(of("v"), path...)})
	walk(fixup(binding[2 : len(binding)-2])) // without the braces
	return Var(strings.Repeat("v", 1+columns-n))
}

// document is the layout's document of an expression.
func document(e Expr) []node {
	p := &printer{ids: map[Origin]int{}}
	p.setOrigin(Origin{})
	p.expr(normal(e))
	return p.out
}
