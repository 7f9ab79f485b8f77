package nixgen

import (
	"fmt"
	"slices"
	"strings"
)

// A Maker makes values of Nix, as an evaluator lets its plugins do.
type Maker[V any] interface {
	Int(i int64) V
	Float(f float64) V
	Bool(b bool) V
	Null() V
	String(s string) V
	List(elems []V) V
	// Attrs makes a set; no two names are the same.
	Attrs(names []string, values []V) V
	// Apply is a call of a curried function. It is made when its result is needed, and not before.
	Apply(fn V, args ...V) V
}

// A Scope is what an expression that is made into a value may name.
type Scope[V any] struct {
	// Var is the value of a name that nothing in the expression binds: lib, pkgs, builtins.
	Var func(name string) V
	// Path is the value of a path literal.
	Path func(Path) V
	// Function is one of [Functions].
	Function func(name string) V
}

// Functions are what a value is made of beside constants, lists, sets and calls: an evaluator gives its
// plugins no way to make a function, so that the caller has them. Their meaning, in Nix:
//
//	select   path: set: …              set.${head}.${…}; a path is a list of names
//	has      path: set: …              set ? ${head}.${…}
//	concat   parts: …                  "${part}${part}…"
//	++ …     a: b: a ++ b              each binary operator, by its own name
//	const    x: env: x
//	call     f: x: env: (f env) (x env)
//	list     fs: env: [ (f env) … ]
//	attrs    fs: env: { name = f env; … }
//	lambda   name: f: env: x: f (env // { ${name} = x; })
//	pattern  names: open: f: env: args: f (env // args), with names as the arguments
//	let      fs: f: env: f env', where env' is env // { name = fs.name env'; … }
//
// The last seven are for what is inside of a function: there an expression is a function of the
// variables in force, env.
var Functions = append([]string{"attrs", "call", "concat", "const", "has", "lambda", "let", "list", "pattern", "select"}, operatorNames()...)

func operatorNames() []string {
	var out []string
	for name := range operators {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Value makes e into a value where Print makes it into a text: Nix gives both the same meaning. Nothing is
// evaluated: what is no constant becomes a call for later. It panics where Print would, and where Nix would
// refuse the text because of two attributes of one name.
func Value[V any](m Maker[V], scope Scope[V], e Expr) V {
	v := &valuer[V]{Maker: m, scope: scope}
	return v.expr(e).v
}

// A term is the value of an expression, or, within a function, the function that makes it of the
// variables in force.
type term[V any] struct {
	v    V
	open bool
}

type valuer[V any] struct {
	Maker[V]
	scope Scope[V]
	bound []string  // names that functions and lets around bind, the innermost last
	withs []term[V] // scopes of withs around, the innermost last
}

func (v *valuer[V]) expr(e Expr) term[V] {
	switch x := e.(type) {
	case At:
		return v.expr(x.Expr)
	case Str:
		return v.string(string(x))
	case Lines:
		return v.string(string(x))
	case Concat:
		return v.concat(x)
	case Int:
		return closed(v.Int(int64(x)))
	case Float:
		checkFloat(x)
		return closed(v.Float(float64(x)))
	case Bool:
		return closed(v.Bool(bool(x)))
	case Null:
		return closed(v.Null())
	case Path:
		checkPath(x)
		return closed(v.scope.Path(x))
	case Var:
		return v.variable(x)
	case List:
		return v.list(v.all(x))
	case Attrs:
		return v.attrs(x)
	case Call:
		return v.call(v.expr(x.Fn), v.all(x.Args)...)
	case Fn:
		return v.fn(x)
	case Let:
		return v.let(x)
	case With:
		return v.with(x)
	case Op:
		return v.op(x)
	case atom, chain, member, neg, paren: // of a normal tree, which only the printer sees
	}
	panic(fmt.Sprintf("nixgen: no expression: %T", e))
}

func closed[V any](v V) term[V] { return term[V]{v: v} }

func (v *valuer[V]) all(es []Expr) []term[V] {
	out := make([]term[V], len(es))
	for i, e := range es {
		out[i] = v.expr(e)
	}
	return out
}

func (v *valuer[V]) function(name string) term[V] { return closed(v.scope.Function(name)) }

// lift is a term as a function of the variables in force.
func (v *valuer[V]) lift(t term[V]) V {
	if t.open {
		return t.v
	}
	return v.Apply(v.scope.Function("const"), t.v)
}

func anyOpen[V any](ts []term[V]) bool {
	return slices.ContainsFunc(ts, func(t term[V]) bool { return t.open })
}

// parts are the values of terms, all of them as functions if one is.
func (v *valuer[V]) parts(ts []term[V]) (values []V, open bool) {
	open = anyOpen(ts)
	for _, t := range ts {
		if open {
			t.v = v.lift(t)
		}
		values = append(values, t.v)
	}
	return values, open
}

func (v *valuer[V]) call(fn term[V], args ...term[V]) term[V] {
	if len(args) == 0 {
		return fn
	}
	if !fn.open && !anyOpen(args) {
		values, _ := v.parts(args)
		return closed(v.Apply(fn.v, values...))
	}
	for _, a := range args {
		fn = term[V]{v.Apply(v.scope.Function("call"), v.lift(fn), v.lift(a)), true}
	}
	return fn
}

func (v *valuer[V]) string(s string) term[V] {
	refuseNUL(s)
	return closed(v.String(s))
}

func (v *valuer[V]) strings(names []string) term[V] {
	values := make([]V, len(names))
	for i, n := range names {
		values[i] = v.string(n).v
	}
	return closed(v.List(values))
}

func (v *valuer[V]) list(ts []term[V]) term[V] {
	values, open := v.parts(ts)
	l := v.List(values)
	if open {
		l = v.Apply(v.scope.Function("list"), l)
	}
	return term[V]{l, open}
}

// concat leaves to Nix what has a variable in it: only Nix knows the text of that.
func (v *valuer[V]) concat(c Concat) term[V] {
	parts := joined(c)
	if len(parts) == 0 {
		return v.string("")
	}
	if s, ok := parts[0].(Str); ok && len(parts) == 1 {
		return v.string(string(s))
	}
	return v.call(v.function("concat"), v.list(v.all(parts)))
}

func (v *valuer[V]) variable(x Var) term[V] {
	variable(x) // refuses what is none
	names := strings.Split(string(x), ".")
	name := names[0]
	switch {
	case slices.Contains(v.bound, name):
		return term[V]{v.Apply(v.scope.Function("select"), v.strings(names).v), true}
	case len(v.withs) > 0 && !global(name) && !slices.Contains(moduleArgs, name):
		in := v.withs[0]
		for _, inner := range v.withs[1:] {
			in = v.call(v.function("//"), in, inner)
		}
		return v.call(v.function("select"), v.strings(names), in)
	case strings.HasPrefix(name, "__"): // as builtins has it without them
		return v.sel(v.scope.Var("builtins"), append([]string{name[len("__"):]}, names[1:]...))
	case global(name) && name != "builtins":
		return v.sel(v.scope.Var("builtins"), names)
	}
	return v.sel(v.scope.Var(name), names[1:])
}

func (v *valuer[V]) sel(set V, path []string) term[V] {
	if len(path) == 0 {
		return closed(set)
	}
	return v.call(v.function("select"), v.strings(path), closed(set))
}

// attrs puts bindings that begin alike into one set, as Nix's parser does.
func (v *valuer[V]) attrs(as []Attr) term[V] {
	var names []string
	var values []term[V]
	for i, a := range as {
		if len(a.Name) == 0 {
			panic("nixgen: an attribute without a name")
		}
		name := a.Name[0]
		if slices.ContainsFunc(as[:i], func(b Attr) bool { return b.Name[0] == name }) {
			continue
		}
		refuseNUL(name)
		names = append(names, name)
		values = append(values, v.binding(name, as[i:]))
	}
	set, open := v.parts(values)
	s := v.Attrs(names, set)
	if open {
		s = v.Apply(v.scope.Function("attrs"), s)
	}
	return term[V]{s, open}
}

// binding is the value of a name: of the one binding that is for it, or the set of all that go on below
// it.
func (v *valuer[V]) binding(name string, as []Attr) term[V] {
	var below []Attr
	several := slices.ContainsFunc(as[1:], func(a Attr) bool { return a.Name[0] == name })
	for _, a := range as {
		switch {
		case a.Name[0] != name:
		case len(a.Name) > 1:
			below = append(below, Attr{a.Name[1:], a.Value})
		case !several:
			return v.expr(a.Value)
		default:
			set, ok := peel(a.Value).(Attrs)
			if !ok {
				panic(fmt.Sprintf("nixgen: %q is set twice", name))
			}
			below = append(below, set...)
		}
	}
	return v.attrs(below)
}

// within makes an expression in which more names are bound, as a function of the variables in force.
func (v *valuer[V]) within(names []string, f func() term[V]) V {
	outer := v.bound
	v.bound = append(slices.Clone(outer), names...)
	t := v.lift(f())
	v.bound = outer
	return t
}

// inForce is what a function of the variables in force gives: where there are none, now.
func (v *valuer[V]) inForce(f V) term[V] {
	if len(v.bound) > 0 {
		return term[V]{f, true}
	}
	return closed(v.Apply(f, v.Attrs(nil, nil)))
}

func (v *valuer[V]) fn(f Fn) term[V] {
	checkFn(f)
	if f.Arg != "" {
		body := v.within([]string{f.Arg}, func() term[V] { return v.expr(f.Body) })
		return v.inForce(v.Apply(v.scope.Function("lambda"), v.String(f.Arg), body))
	}
	body := v.within(f.Params, func() term[V] { return v.expr(f.Body) })
	return v.inForce(v.Apply(v.scope.Function("pattern"), v.strings(f.Params).v, v.Bool(f.Ellipsis), body))
}

func (v *valuer[V]) let(l Let) term[V] {
	if len(l.Binds) == 0 {
		return v.expr(l.Body)
	}
	var names []string
	for _, b := range l.Binds {
		if !slices.Contains(names, b.Name[0]) {
			names = append(names, b.Name[0])
		}
	}
	var binds V
	body := v.within(names, func() term[V] {
		values := make([]V, len(names))
		for i, name := range names {
			first := slices.IndexFunc(l.Binds, func(b Attr) bool { return b.Name[0] == name })
			values[i] = v.lift(v.binding(name, l.Binds[first:]))
		}
		binds = v.Attrs(names, values)
		return v.expr(l.Body)
	})
	return v.inForce(v.Apply(v.scope.Function("let"), binds, body))
}

func (v *valuer[V]) with(w With) term[V] {
	scope := v.expr(w.Scope)
	v.withs = append(v.withs, scope)
	body := v.expr(w.Body)
	v.withs = v.withs[:len(v.withs)-1]
	return body
}

func (v *valuer[V]) op(o Op) term[V] {
	if o.Op != "?" {
		if _, ok := operators[o.Op]; !ok {
			panic(fmt.Sprintf("nixgen: no operator %q", o.Op))
		}
		return v.call(v.function(o.Op), v.expr(o.L), v.expr(o.R))
	}
	memberName(o.R) // refuses what is no name
	var path []string
	switch x := peel(o.R).(type) {
	case Var:
		path = strings.Split(string(x), ".")
	case Str:
		path = []string{string(x)}
	default: // refused
	}
	return v.call(v.function("has"), v.strings(path), v.expr(o.L))
}
