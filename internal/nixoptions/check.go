package nixoptions

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nbr-dev/nbr/nixgen"
)

// A Problem is an option that NixOS does not have, or a value that it would
// not take.
type Problem struct {
	// Path is the place: users.users.root.openssh.authorizedKeys.keys[0].
	Path string
	Want string
	Got  string
	// From is the innermost place of the spec that the value comes from.
	From nixgen.Origin
}

func (p Problem) String() string {
	s := fmt.Sprintf("%s: want %s, got %s", p.Path, p.Want, p.Got)
	if p.From != (nixgen.Origin{}) {
		s += fmt.Sprintf(" (from %s:%d, %s)", p.From.File, p.From.Line, p.From.Addr)
	}
	return s
}

// Check judges options against those of a release of NixOS. No problem means:
// every path is declared, or lies below an option that takes free keys, and
// every value is one that its type takes. A value that only Nix can know (a
// variable, a call) passes where a package, a path, a string or anything at
// all is wanted, and nowhere else.
func Check(release string, opts []nixgen.Option) []Problem {
	root, err := Tree(release)
	if err != nil {
		return []Problem{{Want: "a known release", Got: err.Error()}}
	}
	c := checker{release: release, root: root}
	for _, o := range opts {
		p := place{from: o.From}
		c.namespace(root, nil, p, nest(o.Path, o.Value))
		c.reads(place{names: o.Path, from: o.From}, o.Value)
	}
	return c.problems
}

// nest is the value as the innermost of attribute sets named by path.
func nest(path []string, v nixgen.Expr) nixgen.Expr {
	if len(path) == 0 {
		return v
	}
	return nixgen.Attrs{{Name: path, Value: v}}
}

// A checker collects problems. A checker that only asks whether an alternative
// of a union fits is a copy with its own list.
type checker struct {
	release  string
	root     *Node
	problems []Problem
}

// A place is where in the options the checker is.
type place struct {
	names []string // of options; "[0]" for an element of a list
	from  nixgen.Origin
	// lets are the bindings of the let expressions around.
	lets []nixgen.Attr
	// leaf tells the value of an option from a set that options are in.
	leaf   bool
	around wrapper
}

// A wrapper is what the module system has taken off a definition. It does so
// once, from the outside: mkForce (mkIf c x) is a set with a strange attribute
// to it, and mkIf c (mkForce x) is not. Around a set of options it moves the
// wrapper to each of the options.
type wrapper int

const (
	nothing wrapper = iota
	override
	order
)

func (p place) below(name string) place {
	p.names = append(slices.Clip(p.names), name)
	return p
}

var identifier = regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_'-]*$`)

func (p place) String() string {
	var b strings.Builder
	for i, n := range p.names {
		switch {
		case strings.HasPrefix(n, "["):
			b.WriteString(n)
			continue
		case !identifier.MatchString(n):
			n = strconv.Quote(n)
		}
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(n)
	}
	return b.String()
}

func (c *checker) problem(p place, want, got string) {
	c.problems = append(c.problems, Problem{Path: p.String(), Want: want, Got: got, From: p.from})
}

// values takes off what the module system takes off before it looks at a value:
// priorities, conditions, merges, and let and with around them. It calls f for
// each value that is left.
func values(p place, e nixgen.Expr, f func(place, nixgen.Expr)) {
	switch e := e.(type) {
	case nixgen.At:
		p.from = e.From
		values(p, e.Expr, f)
	case nixgen.With:
		values(p, e.Body, f)
	case nixgen.Let:
		p.lets = slices.Concat(e.Binds, p.lets)
		values(p, e.Body, f)
	case nixgen.Var:
		if i := slices.IndexFunc(p.lets, func(a nixgen.Attr) bool {
			return len(a.Name) == 1 && a.Name[0] == string(e)
		}); i >= 0 {
			// What comes after the binding cannot be bound by it: a let that
			// refers to itself ends here, as an unknown.
			bound := p.lets[i].Value
			p.lets = p.lets[i+1:]
			values(p, bound, f)
			return
		}
		f(p, e)
	case nixgen.Call:
		fn, _ := e.Fn.(nixgen.Var)
		switch name := strings.TrimPrefix(string(fn), "lib."); {
		case !p.removes(name):
			f(p, e)
		case name == "mkMerge" && len(e.Args) == 1:
			if list, ok := unwrap(e.Args[0]).(nixgen.List); ok {
				for _, v := range list {
					values(p, v, f)
				}
				return
			}
			f(p, e)
		case transparent[name] == len(e.Args) && len(e.Args) > 0:
			p.around = max(p.around, wrappers[name])
			values(p, e.Args[len(e.Args)-1], f)
		default:
			f(p, e)
		}
	default:
		f(p, e)
	}
}

// transparent are the functions of lib whose last argument is the value, with
// the number of their arguments.
var transparent = map[string]int{
	"mkForce": 1, "mkDefault": 1, "mkOptionDefault": 1, "mkVMOverride": 1, "mkImageMediaOverride": 1,
	"mkBefore": 1, "mkAfter": 1,
	"mkOverride": 2, "mkOrder": 2, "mkIf": 2,
	// These give the value or the empty value of its type.
	"optionals": 2, "optionalAttrs": 2, "optionalString": 2,
}

var wrappers = map[string]wrapper{
	"mkForce": override, "mkDefault": override, "mkOptionDefault": override, "mkOverride": override,
	"mkVMOverride": override, "mkImageMediaOverride": override,
	"mkBefore": order, "mkAfter": order, "mkOrder": order,
}

// removes tells whether the module system takes off a function of lib in this
// place.
func (p place) removes(name string) bool {
	switch {
	case name == "mkIf":
		return p.around == nothing
	case name == "mkMerge":
		return p.around == nothing || p.around == override && !p.leaf
	case wrappers[name] == override:
		return p.around == nothing
	case wrappers[name] == order:
		return p.around != order && p.leaf
	}
	return true
}

func unwrap(e nixgen.Expr) nixgen.Expr {
	for {
		at, ok := e.(nixgen.At)
		if !ok {
			return e
		}
		e = at.Expr
	}
}

// node checks a value at a place of the tree. free is the type of what is not
// declared there, nil if there must be nothing.
func (c *checker) node(n *Node, free *Type, p place, e nixgen.Expr) {
	if n.Type == nil {
		c.namespace(n, free, p, e)
		return
	}
	if n.Type.ReadOnly {
		c.problem(p, "nothing: the option is read-only", "a definition")
		return
	}
	c.value(n.Type, n, p, e)
}

// namespace checks an attribute set whose names are options or lead to some.
func (c *checker) namespace(n *Node, free *Type, p place, e nixgen.Expr) {
	p.leaf = false
	values(p, e, func(p place, e nixgen.Expr) {
		switch e := e.(type) {
		case nixgen.Attrs:
			for _, a := range e {
				c.attr(n, free, p, a)
			}
		case nixgen.Op:
			if e.Op == "//" {
				c.namespace(n, free, p, e.L)
				c.namespace(n, free, p, e.R)
				return
			}
			c.problem(p, "an attribute set of options", describe(e))
		default:
			c.problem(p, "an attribute set of options", describe(e))
		}
	})
}

// attr checks one binding of an attribute set.
func (c *checker) attr(n *Node, free *Type, p place, a nixgen.Attr) {
	if at, ok := a.Value.(nixgen.At); ok {
		p.from = at.From
	}
	name := a.Name[0]
	p = p.below(name)
	v := nest(a.Name[1:], a.Value)
	child := n.child(name)
	below := freeBelow(free)
	switch {
	case child != nil:
		c.node(child, below, p, v)
	case below != nil:
		c.value(below, nil, p, v)
	default:
		got := "no such option"
		if r := otherReleases(p.names); len(r) > 0 {
			got = "an option of " + strings.Join(r, ", ") + " only"
		}
		c.problem(p, "an option of NixOS "+c.release, got)
	}
}

// freeBelow is the type of an attribute of a value of type t that nothing
// declares, nil if there is none.
func freeBelow(t *Type) *Type {
	if t == nil {
		return nil
	}
	switch t.Kind {
	case KindAny, KindData:
		return t
	case KindAttrsOf, KindSubmodule:
		return t.Of
	case KindUnion:
		for _, alt := range t.Alts {
			if f := freeBelow(alt); f != nil {
				return f
			}
		}
	default:
	}
	return nil
}

// value checks a value against a type. n has the options that are declared
// inside of the value, and may be nil.
func (c *checker) value(t *Type, n *Node, p place, e nixgen.Expr) {
	p.leaf = true
	values(p, e, func(p place, e nixgen.Expr) {
		switch e := e.(type) {
		case nixgen.Op:
			if operandsHaveTypeOf[e.Op] && t.takes(KindListOf, KindAttrsOf, KindSubmodule, KindString, KindData, KindAny) && fitsOp(t, e.Op) {
				c.value(t, n, p, e.L)
				c.value(t, n, p, e.R)
				return
			}
			if comparison[e.Op] {
				c.kinds(t, p, e, KindBool)
				return
			}
			c.mismatch(t, p, e)
		case nixgen.Var:
			c.variable(t, p, e)
		case nixgen.Call:
			c.call(t, p, e)
		default:
			c.literal(t, n, p, e)
		}
	})
}

var (
	operandsHaveTypeOf = map[string]bool{"++": true, "//": true, "+": true}
	comparison         = map[string]bool{"==": true, "!=": true, "<": true, ">": true, "<=": true, ">=": true, "||": true, "&&": true, "->": true, "?": true}
)

// fitsOp tells whether the result of an operator can be of the type at all.
func fitsOp(t *Type, op string) bool {
	switch op {
	case "++":
		return t.takes(KindListOf, KindData, KindAny)
	case "//":
		return t.takes(KindAttrsOf, KindSubmodule, KindData, KindAny)
	default: // "+" of strings; a sum of numbers has no use here
		return t.takes(KindString, KindData, KindAny)
	}
}

// takes tells whether the type, or an alternative of it, is of one of the kinds.
func (t *Type) takes(kinds ...Kind) bool {
	if t.Kind == KindUnion {
		return slices.ContainsFunc(t.Alts, func(a *Type) bool { return a.takes(kinds...) })
	}
	return slices.Contains(kinds, t.Kind)
}

// literal checks everything that says itself what it is.
func (c *checker) literal(t *Type, n *Node, p place, e nixgen.Expr) {
	p.leaf, p.around = false, nothing
	switch t.Kind {
	case KindUnion:
		c.union(t, n, p, e)
	case KindAny:
	case KindData:
		c.data(t, p, e)
	case KindListOf:
		list, ok := e.(nixgen.List)
		if !ok || t.NonEmpty && len(list) == 0 {
			c.mismatch(t, p, e)
			return
		}
		elem := n.child("*")
		for i, v := range list {
			c.value(t.Of, elem, p.below("["+strconv.Itoa(i)+"]"), v)
		}
	case KindAttrsOf:
		attrs, ok := e.(nixgen.Attrs)
		if !ok {
			c.mismatch(t, p, e)
			return
		}
		for _, a := range attrs {
			p := p
			if at, ok := a.Value.(nixgen.At); ok {
				p.from = at.From
			}
			p = p.below(a.Name[0])
			v := nest(a.Name[1:], a.Value)
			if n != nil && n.Children[a.Name[0]] != nil {
				c.node(n.Children[a.Name[0]], t.Of, p, v)
				continue
			}
			c.value(t.Of, n.child("<name>"), p, v)
		}
	case KindSubmodule:
		switch e := e.(type) {
		case nixgen.Attrs:
			if n == nil {
				n = &Node{}
			}
			for _, a := range e {
				c.attr(n, t.Of, p, a)
			}
		case nixgen.Fn:
			c.value(t, n, p, e.Body)
		default:
			c.mismatch(t, p, e)
		}
	default:
		if !t.fits(e) {
			c.mismatch(t, p, e)
		}
	}
}

// union accepts what one of the alternatives accepts. If none does, and only
// one of them has the shape of the value, what is wrong inside says more than
// the list of alternatives.
func (c *checker) union(t *Type, n *Node, p place, e nixgen.Expr) {
	var inside []Problem
	shaped := 0
	for _, alt := range t.Alts {
		try := checker{release: c.release, root: c.root}
		try.value(alt, n, p, e)
		if len(try.problems) == 0 {
			return
		}
		if try.problems[0].Path != p.String() {
			shaped++
			inside = try.problems
		}
	}
	if shaped == 1 {
		c.problems = append(c.problems, inside...)
		return
	}
	c.mismatch(t, p, e)
}

// data checks a value that becomes JSON, YAML or TOML.
func (c *checker) data(t *Type, p place, e nixgen.Expr) {
	switch e := e.(type) {
	case nixgen.Attrs:
		for _, a := range e {
			c.value(t, nil, p.below(a.Name[0]), nest(a.Name[1:], a.Value))
		}
	case nixgen.List:
		for i, v := range e {
			c.value(t, nil, p.below("["+strconv.Itoa(i)+"]"), v)
		}
	case nixgen.Null:
		if t.NoNull {
			c.mismatch(t, p, e)
		}
	case nixgen.Fn:
		c.mismatch(t, p, e)
	default:
	}
}

// fits tells whether a literal is a value of a type without parts.
func (t *Type) fits(e nixgen.Expr) bool {
	switch t.Kind {
	case KindNull:
		_, ok := e.(nixgen.Null)
		return ok
	case KindBool:
		_, ok := e.(nixgen.Bool)
		return ok
	case KindInt:
		n, ok := e.(nixgen.Int)
		return ok && (t.Min == nil || int64(n) >= *t.Min) && (t.Max == nil || int64(n) <= *t.Max)
	case KindFloat:
		_, ok := e.(nixgen.Float)
		return ok
	case KindFunction:
		_, ok := e.(nixgen.Fn)
		return ok
	case KindEnum:
		return slices.Contains(t.Enum, plain(e))
	case KindString:
		s, whole, ok := text(e)
		return ok && (!whole || t.pattern == nil || t.pattern.MatchString(s))
	case KindPath:
		if _, ok := e.(nixgen.Path); ok {
			return true
		}
		s, whole, ok := text(e)
		// A text that starts with an expression starts with what only Nix
		// knows: most often a store path.
		return ok && (strings.HasPrefix(s, "/") || s == "" && !whole) && (!whole || t.pattern == nil || t.pattern.MatchString(s))
	case KindPackage:
		s, whole, ok := text(e)
		return ok && (strings.HasPrefix(s, "/nix/store/") || s == "" && !whole)
	default:
	}
	return false
}

// text is the literal text of a string up to its first expression; whole tells
// that there is none.
func text(e nixgen.Expr) (s string, whole, ok bool) {
	switch e := e.(type) {
	case nixgen.Str:
		return string(e), true, true
	case nixgen.Lines:
		return string(e), true, true
	case nixgen.Concat:
		for _, part := range e {
			lit, isStr := unwrap(part).(nixgen.Str)
			if !isStr {
				return s, false, true
			}
			s += string(lit)
		}
		return s, true, true
	default:
	}
	return "", false, false
}

// plain is a literal as Type.Enum has it.
func plain(e nixgen.Expr) any {
	if s, whole, ok := text(e); ok {
		if !whole {
			return describe(e)
		}
		return s
	}
	switch e := e.(type) {
	case nixgen.Int:
		return int64(e)
	case nixgen.Bool:
		return bool(e)
	case nixgen.Null:
		return nil
	default:
	}
	return describe(e)
}

// variable checks a variable. Of config.… and pkgs.… something is known.
func (c *checker) variable(t *Type, p place, v nixgen.Var) {
	first, rest, _ := strings.Cut(string(v), ".")
	switch {
	case first == "config" && rest != "":
		if k, found := c.lookup(splitPath(rest)); found { // else reads has said so
			c.kinds(t, p, v, k...)
		}
	case first == "pkgs" && rest != "" && !strings.Contains(rest, ".") && !strings.HasPrefix(rest, "linuxPackages") && !strings.HasPrefix(rest, "linuxKernel"):
		c.kinds(t, p, v, KindPackage)
	default:
		c.kinds(t, p, v)
	}
}

// reads checks that every option which a value reads by config.… exists.
func (c *checker) reads(p place, e nixgen.Expr) {
	switch e := e.(type) {
	case nixgen.Var:
		rest, ok := strings.CutPrefix(string(e), "config.")
		if !ok {
			return
		}
		if _, found := c.lookup(splitPath(rest)); !found {
			c.problem(p, "to read an option of NixOS "+c.release, string(e)+", which is none")
		}
	case nixgen.At:
		p.from = e.From
		c.reads(p, e.Expr)
	case nixgen.List:
		for _, v := range e {
			c.reads(p, v)
		}
	case nixgen.Concat:
		for _, v := range e {
			c.reads(p, v)
		}
	case nixgen.Attrs:
		for _, a := range e {
			c.reads(p, a.Value)
		}
	case nixgen.Call:
		c.reads(p, e.Fn)
		for _, v := range e.Args {
			c.reads(p, v)
		}
	case nixgen.Fn:
		// In a submodule's function, config is that of the submodule.
		if e.Arg != "config" && !slices.Contains(e.Params, "config") {
			c.reads(p, e.Body)
		}
	case nixgen.Let:
		for _, a := range e.Binds {
			c.reads(p, a.Value)
		}
		c.reads(p, e.Body)
	case nixgen.With:
		c.reads(p, e.Scope)
		c.reads(p, e.Body)
	case nixgen.Op:
		if e.Op != "?" { // asks whether it exists
			c.reads(p, e.L)
			c.reads(p, e.R)
		}
	default:
	}
}

// lookup finds the kinds of the option that a path reads. No kinds means: a
// part of a value that anything can be in.
func (c *checker) lookup(path []string) (kinds []Kind, found bool) {
	n, free := c.root, (*Type)(nil)
	for i, name := range path {
		child := n.child(name)
		below := freeBelow(free)
		if child == nil && n != nil && n.Type != nil && below == nil {
			below = freeBelow(n.Type)
		}
		switch {
		case child != nil:
			n, free = child, below
			if n.Type != nil {
				free = n.Type
			}
		case below != nil:
			n, free = nil, below
		case free != nil && free.takes(KindAny, KindData, KindPackage):
			return nil, true // an attribute of a package: .version
		default:
			return nil, false
		}
		if i == len(path)-1 && free != nil && (n == nil || n.Type != nil) {
			return free.kinds(), true
		}
	}
	return []Kind{KindAttrsOf}, true
}

// kinds are the kinds that a value of the type can be of; none for any.
func (t *Type) kinds() []Kind {
	switch t.Kind {
	case KindUnion:
		var all []Kind
		for _, a := range t.Alts {
			k := a.kinds()
			if k == nil {
				return nil
			}
			all = append(all, k...)
		}
		return all
	case KindAny, KindData:
		return nil
	case KindEnum:
		var all []Kind
		for _, v := range t.Enum {
			switch v.(type) {
			case nil:
				all = append(all, KindNull)
			case bool:
				all = append(all, KindBool)
			case int64:
				all = append(all, KindInt)
			default:
				all = append(all, KindString)
			}
		}
		return all
	case KindPath:
		return []Kind{KindPath, KindString} // most paths are strings
	case KindSubmodule:
		return []Kind{KindAttrsOf}
	default:
	}
	return []Kind{t.Kind}
}

// results are the kinds that functions give.
var results = map[string][]Kind{
	"toString": {KindString}, "builtins.toString": {KindString}, "builtins.toJSON": {KindString},
	"builtins.readFile": {KindString}, "builtins.toFile": {KindString},
	"builtins.concatStringsSep": {KindString}, "lib.concatStringsSep": {KindString},
	"lib.concatLines": {KindString}, "lib.concatMapStrings": {KindString},
	"lib.getExe": {KindString}, "lib.getExe'": {KindString}, "lib.fileContents": {KindString},
	"lib.makeBinPath": {KindString}, "lib.escapeShellArg": {KindString}, "lib.escapeShellArgs": {KindString},
	"map": {KindListOf}, "builtins.map": {KindListOf}, "lib.optional": {KindListOf},
	"builtins.attrNames": {KindListOf}, "builtins.attrValues": {KindListOf},
	"lib.mapAttrs": {KindAttrsOf}, "builtins.mapAttrs": {KindAttrsOf}, "lib.genAttrs": {KindAttrsOf},
	"builtins.listToAttrs": {KindAttrsOf}, "lib.listToAttrs": {KindAttrsOf},
	"builtins.pathExists": {KindBool},
	"pkgs.writeText":      {KindPackage}, "pkgs.writeTextFile": {KindPackage}, "pkgs.writeShellScript": {KindPackage},
	"pkgs.writeShellScriptBin": {KindPackage}, "pkgs.writeShellApplication": {KindPackage},
	"pkgs.runCommand": {KindPackage}, "pkgs.callPackage": {KindPackage}, "pkgs.fetchFromGitHub": {KindPackage},
	"pkgs.linuxKernel.packagesFor": {KindAttrsOf}, "pkgs.linuxPackagesFor": {KindAttrsOf},
}

// call checks the result of a function.
func (c *checker) call(t *Type, p place, e nixgen.Call) {
	fn, _ := e.Fn.(nixgen.Var)
	c.kinds(t, p, e, results[string(fn)]...)
}

// kinds checks a value of which no more is known than its kinds; none means
// that nothing is known. Lists and sets whose content nobody sees are taken
// only where nobody looks at the content.
func (c *checker) kinds(t *Type, p place, e nixgen.Expr, kinds ...Kind) {
	if !t.takesUnseen(kinds) {
		c.mismatch(t, p, e)
	}
}

func (t *Type) takesUnseen(kinds []Kind) bool {
	has := func(want ...Kind) bool {
		return slices.ContainsFunc(want, func(k Kind) bool { return slices.Contains(kinds, k) })
	}
	if len(kinds) == 0 { // unknown
		return t.takes(KindAny, KindData, KindPackage, KindPath, KindString, KindFunction)
	}
	switch t.Kind {
	case KindUnion:
		return slices.ContainsFunc(t.Alts, func(a *Type) bool { return a.takesUnseen(kinds) })
	case KindAny:
		return true
	case KindData:
		return !slices.Equal(kinds, []Kind{KindFunction})
	case KindPath:
		return has(KindPath, KindString, KindPackage)
	case KindEnum:
		return slices.ContainsFunc(t.kinds(), func(k Kind) bool { return has(k) })
	case KindSubmodule:
		return has(KindAttrsOf)
	default:
	}
	return has(t.Kind)
}

func (c *checker) mismatch(t *Type, p place, e nixgen.Expr) {
	c.problem(p, t.String(), describe(e))
}

// describe says what an expression is, in few words.
func describe(e nixgen.Expr) string {
	if s, whole, ok := text(e); ok {
		if r := []rune(s); len(r) > 40 {
			s = string(r[:40]) + "…"
		}
		if !whole {
			return fmt.Sprintf("a string that starts %q", s)
		}
		return fmt.Sprintf("the string %q", s)
	}
	switch e := e.(type) {
	case nixgen.Int:
		return fmt.Sprintf("the integer %d", int64(e))
	case nixgen.Float:
		return fmt.Sprintf("the number %g", float64(e))
	case nixgen.Bool:
		return fmt.Sprintf("the boolean %t", bool(e))
	case nixgen.Null:
		return "null"
	case nixgen.Path:
		return "the path " + string(e)
	case nixgen.Var:
		return "the variable " + string(e)
	case nixgen.List:
		return fmt.Sprintf("a list of %d", len(e))
	case nixgen.Attrs:
		return "an attribute set"
	case nixgen.Fn:
		return "a function"
	case nixgen.Call:
		if fn, ok := e.Fn.(nixgen.Var); ok {
			return "the result of " + string(fn)
		}
		return "the result of a function"
	case nixgen.Op:
		return "the result of " + e.Op
	case nixgen.At:
		return describe(e.Expr)
	default:
	}
	return fmt.Sprintf("%T", e)
}
