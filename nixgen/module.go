package nixgen

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Module collects the options that a NixOS module sets and prints them as
// one file: { lib, pkgs, ... }: { … }. Options print sorted by path; the
// elements of a list keep the order in which they were added. The zero Module
// is empty and ready to use.
type Module struct {
	// Doc is the comment at the head of the file, one line an element.
	Doc []string
	// Imports become imports = [ … ], before everything else.
	Imports []Expr

	options map[string]*option // by key
	under   map[string]*option // by key of a proper prefix: one option below it
}

// An Option is one option of a module, for those who look at a module instead of
// printing it.
type Option struct {
	Path  []string
	Value Expr   // an At at the outside if it has one origin; elements of a list carry their own
	From  Origin // zero if it has none, or the elements of a list have several
}

// option is an Option in the making: value is nil for one that is added to.
type option struct {
	path  []string
	from  Origin // of what set it first
	value Expr
	elems List
}

// Set sets the option at path (dotted names are separate arguments:
// Set(from, Str("x"), "services", "kea")). Setting it twice to different
// values is a bug of the caller and panics with both origins; the same value
// again is nothing new. Setting an option inside of another, or around one, is
// such a bug too.
func (m *Module) Set(from Origin, v Expr, path ...string) {
	o := m.option(path)
	if o == nil {
		m.insert(&option{path: slices.Clone(path), from: from, value: v}, from)
		return
	}
	if !Same(o.option().Value, v) {
		panic(clash(path, "has a value", o.from, from))
	}
}

// Add appends elements to the option at path, which is a list.
func (m *Module) Add(from Origin, path []string, elems ...Expr) {
	if len(elems) == 0 {
		return
	}
	o := m.option(path)
	if o == nil {
		o = &option{path: slices.Clone(path), from: from}
		m.insert(o, from)
	}
	if o.value != nil {
		set, ok := peel(o.value).(List)
		if !ok {
			panic(clash(path, "is no list", o.from, from))
		}
		o.value = nil
		o.add(o.from, set)
	}
	o.add(from, elems)
}

func (o *option) add(from Origin, elems []Expr) {
	for _, e := range elems {
		o.elems = append(o.elems, At{from, e})
	}
}

func key(path []string) string { return strings.Join(path, "\x00") }

func (m *Module) option(path []string) *option {
	if len(path) == 0 || path[0] == "imports" {
		panic(fmt.Sprintf("nixgen: %q is no option; a module has Imports of its own", path))
	}
	return m.options[key(path)]
}

// insert adds a new option and panics if it is in another one or around one.
func (m *Module) insert(o *option, from Origin) {
	if m.options == nil {
		m.options, m.under = map[string]*option{}, map[string]*option{}
	}
	if below := m.under[key(o.path)]; below != nil {
		panic(clash(below.path, "is inside of "+strings.Join(o.path, "."), below.from, from))
	}
	for i := range o.path {
		prefix := key(o.path[:i])
		if around := m.options[prefix]; around != nil {
			panic(clash(o.path, "is inside of "+strings.Join(around.path, "."), around.from, from))
		}
		m.under[prefix] = o
	}
	m.options[key(o.path)] = o
}

func clash(path []string, what string, first, second Origin) string {
	name := func(o Origin) string {
		if o.known() {
			return o.String()
		}
		return "an unknown place"
	}
	return fmt.Sprintf("nixgen: %s %s already: set by %s and by %s",
		strings.Join(path, "."), what, name(first), name(second))
}

// Same tells whether two values are the same but for their origins.
func Same(a, b Expr) bool { return bytes.Equal(Print(bare(a)), Print(bare(b))) }

// bare is e without origins.
func bare(e Expr) Expr {
	switch x := peel(e).(type) {
	case List:
		return List(bareAll(x))
	case Concat:
		return Concat(bareAll(x))
	case Attrs:
		return Attrs(bareBinds(x))
	case Call:
		return Call{bare(x.Fn), bareAll(x.Args)}
	case Fn:
		x.Body = bare(x.Body)
		return x
	case Let:
		return Let{bareBinds(x.Binds), bare(x.Body)}
	case With:
		return With{bare(x.Scope), bare(x.Body)}
	case Op:
		return Op{x.Op, bare(x.L), bare(x.R)}
	default:
		return x
	}
}

func bareAll(es []Expr) []Expr {
	out := make([]Expr, len(es))
	for i, e := range es {
		out[i] = bare(e)
	}
	return out
}

func bareBinds(as []Attr) []Attr {
	out := make([]Attr, len(as))
	for i, a := range as {
		out[i] = Attr{a.Name, bare(a.Value)}
	}
	return out
}

// Options are the options of the module, sorted by path.
func (m *Module) Options() []Option {
	var out []Option
	for _, o := range m.options {
		out = append(out, o.option())
	}
	slices.SortFunc(out, func(a, b Option) int { return slices.Compare(a.Path, b.Path) })
	return out
}

func (o *option) option() Option {
	v := o.value
	if v == nil {
		v = o.list()
	} else if o.from != (Origin{}) {
		v = At{o.from, v}
	}
	return Option{o.path, v, originOf(v)}
}

// list is the value of an option that was added to. The origin of its elements
// is outside if they have the same.
func (o *option) list() Expr {
	from := originOf(o.elems[0])
	if slices.ContainsFunc(o.elems, func(e Expr) bool { return originOf(e) != from }) {
		return slices.Clone(o.elems)
	}
	var l List
	for _, e := range o.elems {
		l = append(l, peel(e))
	}
	if from == (Origin{}) {
		return l
	}
	return At{from, l}
}

// Empty tells whether the module sets nothing and imports nothing.
func (m *Module) Empty() bool { return len(m.options) == 0 && len(m.Imports) == 0 }

// Expr is the module as an expression: a function of the arguments that its
// body uses.
func (m *Module) Expr() Expr {
	body := m.Body()
	return Fn{Params: arguments(body), Ellipsis: true, Body: body}
}

// Body is what that function returns: the imports and the options.
func (m *Module) Body() Attrs {
	var body Attrs
	if len(m.Imports) > 0 {
		body = Attrs{{[]string{"imports"}, List(m.Imports)}}
	}
	return append(body, tree(m.Options(), 0)...)
}

// tree makes nested sets of sorted options whose paths agree up to depth.
// Options that begin alike share a set, named with all that they share.
func tree(os []Option, depth int) []Attr {
	var out []Attr
	for len(os) > 0 {
		n := 1
		for n < len(os) && os[n].Path[depth] == os[0].Path[depth] {
			n++
		}
		out = append(out, branch(os[:n], depth))
		os = os[n:]
	}
	return out
}

// branch is one binding for options that agree in the name at depth.
func branch(os []Option, depth int) Attr {
	first, last := os[0], os[len(os)-1]
	if len(os) == 1 {
		return Attr{first.Path[depth:], first.Value}
	}
	end := depth + 1
	for first.Path[end] == last.Path[end] {
		end++
	}
	a := Attr{first.Path[depth:end], Attrs(tree(os, end))}
	if !slices.ContainsFunc(os, func(o Option) bool { return o.From != first.From }) {
		a.Value = At{first.From, a.Value}
	}
	return a
}

// Print prints the module. origins has, for each line of src (from 0), the
// innermost Origin that covers it, or the zero Origin.
func (m *Module) Print() (src []byte, origins []Origin) { return printFile(m.Doc, m.Expr()) }

// moduleArgs are the arguments that every NixOS module gets, in the order of
// NixOS's own modules.
var moduleArgs = []string{"config", "lib", "pkgs", "modulesPath", "options", "utils"}

// builtins are the names that Nix has without an argument; so are those that
// start with two underscores.
var builtins = map[string]bool{
	"abort": true, "baseNameOf": true, "break": true, "builtins": true,
	"derivation": true, "derivationStrict": true, "dirOf": true, "false": true,
	"fetchGit": true, "fetchMercurial": true, "fetchTarball": true,
	"fetchTree": true, "fromTOML": true, "import": true, "isNull": true,
	"map": true, "null": true, "placeholder": true, "removeAttrs": true,
	"scopedImport": true, "throw": true, "toString": true, "true": true,
}

// arguments are the names that e uses and does not bind, config, lib and pkgs
// first. In the body of a with any name may come from its scope; there only
// the arguments of every module count, which a with never hides.
func arguments(e Expr) []string {
	f := free{bound: map[string]int{}, names: map[string]bool{}}
	f.walk(e)
	rank := func(name string) int {
		if i := slices.Index(moduleArgs[:3], name); i >= 0 {
			return i
		}
		return len(moduleArgs)
	}
	return slices.SortedFunc(maps.Keys(f.names), func(a, b string) int {
		if r := rank(a) - rank(b); r != 0 {
			return r
		}
		return strings.Compare(a, b)
	})
}

// free collects the names that are used and not bound.
type free struct {
	bound map[string]int // how many binders are around
	withs int
	names map[string]bool
}

func (f *free) walk(es ...Expr) {
	for _, e := range es {
		switch x := e.(type) {
		case At:
			f.walk(x.Expr)
		case Var:
			f.use(x)
		case List:
			f.walk(x...)
		case Concat:
			f.walk(x...)
		case Attrs:
			f.values(x)
		case Call:
			f.walk(x.Fn)
			f.walk(x.Args...)
		case Fn:
			f.bind(append([]string{x.Arg}, x.Params...), func() { f.walk(x.Body) })
		case Let:
			var names []string
			for _, b := range x.Binds {
				names = append(names, b.Name[0])
			}
			f.bind(names, func() {
				f.values(x.Binds)
				f.walk(x.Body)
			})
		case With:
			f.walk(x.Scope)
			f.withs++
			f.walk(x.Body)
			f.withs--
		case Op:
			f.walk(x.L)
			if x.Op != "?" { // its right side is a name, not a variable
				f.walk(x.R)
			}
		case Str, Lines, Int, Float, Bool, Null, Path: // no variable in it
		case atom, chain, member, neg, paren: // of a normal tree
		}
	}
}

func (f *free) values(as []Attr) {
	for _, a := range as {
		f.walk(a.Value)
	}
}

func (f *free) bind(names []string, body func()) {
	for _, n := range names {
		f.bound[n]++
	}
	body()
	for _, n := range names {
		f.bound[n]--
	}
}

// global tells whether Nix has a name without an argument.
func global(name string) bool { return builtins[name] || strings.HasPrefix(name, "__") }

func (f *free) use(v Var) {
	name, _, _ := strings.Cut(string(v), ".")
	scoped := f.withs > 0 && !slices.Contains(moduleArgs, name)
	if f.bound[name] == 0 && !global(name) && !scoped {
		f.names[name] = true
	}
}
