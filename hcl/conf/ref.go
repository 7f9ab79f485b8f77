package conf

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Ref names another block. Target is set by Link; T is a pointer to a block
// struct or an interface that several implement.
type Ref[T any] struct {
	Addr   Addr
	Range  hcl.Range
	Target T
	Set    bool
}

// Refs is a list of references. An element that names a block with for_each
// without a key stands for all its instances.
type Refs[T any] struct {
	Items []Ref[T]
	Range hcl.Range
	Set   bool
}

// All are the targets.
func (r Refs[T]) All() []T {
	out := make([]T, len(r.Items))
	for i, it := range r.Items {
		out[i] = it.Target
	}
	return out
}

// Has tells whether t is one of the targets.
func Has[T comparable](r Refs[T], t T) bool {
	return slices.ContainsFunc(r.Items, func(it Ref[T]) bool { return it.Target == t })
}

func (r *Ref[T]) decode(e hcl.Expression, ctx *Context) hcl.Diagnostics {
	if isNull(e) {
		return nil
	}
	if text, ok := literal(e); ok && refName[T]() == "secret" {
		return hcl.Diagnostics{diag.Hidden(diag.Help(diag.Error("not-a-reference", e.Range(), "Secret in the spec",
			"These %d characters are not shown here. A secret never stands in a spec.", len(text)),
			"Name a secret block, as in secret.a, that says where the file is on the router."))}
	}
	addr, diags := refAddr(e, exampleType[T](), ctx)
	if !diags.HasErrors() {
		*r = Ref[T]{Addr: addr, Range: e.Range(), Set: true}
		return diags
	}
	if _, no := hcl.AbsTraversalForExpr(e); no.HasErrors() && refName[T]() == "secret" {
		for _, d := range diags { // the secret may be an argument of a function
			diag.Hidden(d)
		}
	}
	return diags
}

func (r *Ref[T]) isSet() bool { return r.Set }

func (r *Ref[T]) setDefault(string) error { panic("conf: a reference has no default") }

func (r *Ref[T]) spec() (string, bool) { return "reference to " + refName[T](), false }

func (r *Refs[T]) decode(e hcl.Expression, ctx *Context) hcl.Diagnostics {
	if isNull(e) {
		return nil
	}
	r.Range, r.Set = e.Range(), true
	exprs, diags := hcl.ExprList(e)
	if diags.HasErrors() {
		return hcl.Diagnostics{notNames(e, exampleType[T](), ctx)}
	}
	for _, e := range exprs {
		var one Ref[T]
		diags = append(diags, one.decode(e, ctx)...)
		if one.Set {
			r.Items = append(r.Items, one)
		}
	}
	return diags
}

func (r *Refs[T]) isSet() bool { return r.Set }

func (r *Refs[T]) setDefault(string) error { panic("conf: a reference has no default") }

func (r *Refs[T]) spec() (string, bool) { return "reference to " + refName[T](), true }

// isNull tells whether an expression is the word null.
func isNull(e hcl.Expression) bool {
	val, diags := evaluate(e, nil)
	return !diags.HasErrors() && val.IsNull()
}

// refName is what a reference of this type points at: the type of the block, which the
// struct is called after, as in prefix_list for PrefixList and dns_peer for DNSPeer.
func refName[T any]() string {
	t := reflect.TypeFor[T]()
	if several, ok := interfaces[t.Name()]; ok {
		return several.fit
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var b strings.Builder
	name := []rune(t.Name())
	for i, c := range name {
		lower := func(j int) bool { return j < len(name) && unicode.IsLower(name[j]) }
		if i > 0 && unicode.IsUpper(c) && (lower(i-1) || lower(i+1)) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(c))
	}
	return b.String()
}

// exampleType is a block type that a reference of this type may name.
func exampleType[T any]() string {
	t := reflect.TypeFor[T]()
	if several, ok := interfaces[t.Name()]; ok {
		return several.example
	}
	if t.Kind() == reflect.Interface {
		return "port"
	}
	return refName[T]()
}

// interfaces are types of references that blocks of several types fit, by name: what fits,
// and a type that every spec has. Others are links.
var interfaces = map[string]struct{ fit, example string }{
	"Authenticator": {"radius or radius_server", "radius_server"},
	"Endpoint":      {"zone, host, address_set or router", "zone"},
}

// literal is the text of an expression that is nothing else. In JSON every
// reference is a text, so what can be a name is none.
func literal(e hcl.Expression) (string, bool) {
	val, diags := evaluate(e, nil)
	if diags.HasErrors() || val.IsNull() || !val.IsKnown() || val.Type() != cty.String {
		return "", false
	}
	_, diags = hcl.AbsTraversalForExpr(e)
	return val.AsString(), diags.HasErrors()
}

// refAddr reads an expression as the address of a block. It evaluates nothing
// but a key in brackets.
func refAddr(e hcl.Expression, example string, ctx *Context) (Addr, hcl.Diagnostics) {
	if ix, ok := e.(*hclsyntax.IndexExpr); ok {
		addr, diags := refAddr(ix.Collection, example, ctx)
		if diags.HasErrors() {
			return addr, diags
		}
		key, diags := ctx.eval(ix.Key)
		if diags.HasErrors() {
			return addr, diags
		}
		return instance(addr, key, ix.Key.Range())
	}
	tr, diags := hcl.AbsTraversalForExpr(e)
	if diags.HasErrors() {
		return Addr{}, hcl.Diagnostics{notName(e, example, ctx)}
	}
	addr := Addr{Type: tr.RootName()}
	for i, step := range tr[1:] {
		switch step := step.(type) {
		case hcl.TraverseAttr:
			if i == 0 {
				addr.Name = step.Name
				continue
			}
			return Addr{}, hcl.Diagnostics{diag.Help(diag.Error("not-a-reference", e.Range(), "Not a reference",
				"A whole block is meant here, and .%s is a part of one.", step.Name), "Write %s.", addr)}
		case hcl.TraverseIndex:
			return instance(addr, step.Key, e.Range())
		}
	}
	return addr, nil
}

func instance(addr Addr, key cty.Value, at hcl.Range) (Addr, hcl.Diagnostics) {
	s, err := convert.Convert(key, cty.String)
	if err != nil || s.IsNull() || !s.IsKnown() {
		return addr, hcl.Diagnostics{diag.Help(diag.Error("not-a-reference", at, "Not a key",
			"The key of an instance is a text or a number."), "Write it as in %s[\"a\"].", addr)}
	}
	return addr.Instance(s.AsString()), nil
}

// An Index holds what can be referred to.
type Index struct {
	objects    map[Addr]any
	groups     map[Addr][]Addr // a block with for_each → its instances
	unreadable map[Addr]bool   // what could not be read; without a name all of that type
	order      []Addr
}

// NewIndex is an index of nothing.
func NewIndex() *Index {
	return &Index{objects: map[Addr]any{}, groups: map[Addr][]Addr{}, unreadable: map[Addr]bool{}}
}

// Add makes obj known as addr.
func (x *Index) Add(addr Addr, obj any) {
	x.objects[addr] = obj
	x.order = append(x.order, addr)
}

// Group makes addr stand for instances.
func (x *Index) Group(addr Addr, instances []Addr) { x.groups[addr] = instances }

// MarkUnreadable says that addr, or every block of its type if it has no name, may be
// there and could not be read: its absence is not reported.
func (x *Index) MarkUnreadable(addr Addr) { x.unreadable[addr] = true }

// linker is what a field must be to be linked.
type linker interface {
	link(x *Index, ctx *Context) hcl.Diagnostics
	addrs() []Addr
}

func (r *Ref[T]) addrs() []Addr {
	if !r.Set {
		return nil
	}
	return []Addr{r.Addr}
}

func (r *Refs[T]) addrs() []Addr {
	out := make([]Addr, len(r.Items))
	for i, it := range r.Items {
		out[i] = it.Addr
	}
	return out
}

// References are the addresses of all blocks that a linked block refers to.
func References(b Block) []Addr {
	var out []Addr
	walk(reflect.ValueOf(b).Elem(), func(field any) {
		if l, ok := field.(linker); ok {
			out = append(out, l.addrs()...)
		}
	})
	return out
}

// Link sets the targets of every reference in the block.
func Link(b Block, x *Index, ctx *Context) hcl.Diagnostics {
	var diags hcl.Diagnostics
	walk(reflect.ValueOf(b).Elem(), func(field any) {
		if l, ok := field.(linker); ok {
			diags = append(diags, l.link(x, ctx)...)
		}
	})
	return diags
}

func (r *Ref[T]) link(x *Index, ctx *Context) hcl.Diagnostics {
	if !r.Set {
		return nil
	}
	if members, ok := x.groups[r.Addr]; ok {
		r.Set = false
		return hcl.Diagnostics{diag.Help(diag.Error("needs-key", r.Range, "Which one?",
			"%s has for_each and stands for %d blocks.", r.Addr, len(members)),
			"Name one of them, as in %s.", firstOr(members, r.Addr.Instance("a")))}
	}
	t, diags := find[T](x, r.Addr, r.Range, ctx)
	r.Target, r.Set = t, !diags.HasErrors()
	return diags
}

func (r *Refs[T]) link(x *Index, ctx *Context) hcl.Diagnostics {
	var diags hcl.Diagnostics
	var out []Ref[T]
	seen := map[Addr]hcl.Range{}
	for _, it := range r.Items {
		addrs, ok := x.groups[it.Addr]
		if !ok {
			addrs = []Addr{it.Addr}
		}
		for _, a := range addrs {
			if before, dup := seen[a]; dup {
				diags = append(diags, diag.With(diag.Help(diag.Error("named-twice", it.Range, "Named twice",
					"%s stands twice in this list.", a),
					"Remove one."), before, "the first time"))
				continue
			}
			seen[a] = it.Range
			t, ds := find[T](x, a, it.Range, ctx)
			diags = append(diags, ds...)
			if !ds.HasErrors() {
				out = append(out, Ref[T]{Addr: a, Range: it.Range, Target: t, Set: true})
			}
		}
	}
	r.Items = out
	return diags
}

func firstOr(as []Addr, or Addr) Addr {
	if len(as) > 0 {
		return as[0]
	}
	return or
}

func find[T any](x *Index, a Addr, at hcl.Range, ctx *Context) (T, hcl.Diagnostics) {
	var zero T
	obj, ok := x.objects[a]
	if t, is := obj.(T); is {
		return t, nil
	}
	if !ok && (x.misnamed(a) || x.unreadable[Addr{Type: a.Type}] || x.unreadable[Addr{a.Type, a.Label()}]) {
		return zero, hcl.Diagnostics{diag.Follow(at)}
	}
	var fit []string // what could stand here
	for _, other := range x.order {
		if _, is := x.objects[other].(T); is && !noName(other) {
			fit = append(fit, other.String())
		}
	}
	slices.Sort(fit)
	switch {
	case ok:
		return zero, hcl.Diagnostics{diag.Help(diag.Error("wrong-reference", at, "Wrong kind of block",
			"%s is no %s.", a, refName[T]()), "%s", offer(fit))}
	case ctx != nil && !ctx.Types[a.Type]:
		meant := cmp.Or(diag.Suggest(a.String(), fit), byLabel(a.String(), fit))
		return zero, hcl.Diagnostics{diag.Replace(diag.Help(diag.Error("no-such-reference", at, "No such block",
			"%s: there is no block type %q.", a, a.Type), "%s", cmp.Or(meant, offer(fit))), at, diag.Suggested(meant))}
	default:
		if _, what, help, ok := diag.Foreign(a.String()); ok {
			return zero, hcl.Diagnostics{diag.Help(diag.Error("no-such-reference", at, "No such block", "%s is not defined. There is %s", a, what), "%s", help)}
		}
		meant := diag.Suggest(a.String(), fit)
		return zero, hcl.Diagnostics{diag.Replace(diag.Help(diag.Error("no-such-reference", at, "No such block",
			"%s is not defined.", a), "%s", cmp.Or(meant, offer(fit))), at, diag.Suggested(meant))}
	}
}

// byLabel suggests the block whose label was taken for its whole name.
func byLabel(got string, fit []string) string {
	for _, f := range fit {
		if strings.HasSuffix(f, "."+got) {
			return fmt.Sprintf(" Did you mean %s?", f)
		}
	}
	return ""
}

// offer says what could stand there, if that is a short list.
func offer(fit []string) string {
	switch {
	case len(fit) == 0:
		return "Nothing that could stand here is defined."
	case len(fit) > 12:
		return "It could be " + strings.Join(fit[:12], ", ") + ", …"
	default:
		return "It could be " + strings.Join(fit, ", ") + "."
	}
}
