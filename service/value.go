package service

import (
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/nixgen"
)

// Extra is what a user adds to a program's own settings, in the program's words.
type Extra = conf.Value[conf.Object]

// AddExtra merges an extra into the program's settings at path. It wins over what
// nbr sets there: the user's line wins.
func AddExtra(m *nixgen.Module, b conf.Block, x Extra, path ...string) {
	if !x.Set {
		return
	}
	m.Imports = append(m.Imports, nixgen.At{
		From: extraOrigin(b, x),
		Expr: nixgen.Attrs{{Name: path, Value: forced(x.V.Value)}},
	})
}

// extraOrigin is the origin of what an extra sets.
func extraOrigin(b conf.Block, x Extra) nixgen.Origin {
	return Origin(conf.Addr{Type: "extra of " + b.Head().Addr.String()}, x.Range)
}

// forced is a value whose leaves win over every other definition.
func forced(v cty.Value) nixgen.Expr {
	if t := v.Type(); !v.IsNull() && (t.IsObjectType() || t.IsMapType()) {
		out := nixgen.Attrs{}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			out = append(out, nixgen.Bind(forced(e), k.AsString()))
		}
		return out
	}
	return nixgen.Apply("lib.mkForce", Nix(v))
}

// Attribute is an attribute of an object that a user adds; cty.NilVal where there is none.
func Attribute(v cty.Value, name string) cty.Value {
	if v.IsNull() || !v.Type().IsObjectType() || !v.Type().HasAttribute(name) {
		return cty.NilVal
	}
	return v.GetAttr(name)
}

// Elements are those of a list, or the value itself: programs take one as a list of it.
func Elements(v cty.Value) []cty.Value {
	switch {
	case v == cty.NilVal || v.IsNull():
		return nil
	case v.Type().IsTupleType() || v.Type().IsListType():
		return v.AsValueSlice()
	}
	return []cty.Value{v}
}

// Text is a text, and empty for every other value.
func Text(v cty.Value) string {
	if v == cty.NilVal || v.IsNull() || v.Type() != cty.String {
		return ""
	}
	return v.AsString()
}

// Nix is a value in Nix. Objects come sorted by key.
func Nix(v cty.Value) nixgen.Expr {
	if v.IsNull() {
		return nixgen.Null{}
	}
	switch t := v.Type(); {
	case t == cty.String:
		return nixgen.Str(v.AsString())
	case t == cty.Bool:
		return nixgen.Bool(v.True())
	case t == cty.Number:
		if i, acc := v.AsBigFloat().Int64(); acc == 0 {
			return nixgen.Int(i)
		}
		f, _ := v.AsBigFloat().Float64()
		return nixgen.Float(f)
	case t.IsObjectType() || t.IsMapType():
		out := nixgen.Attrs{}
		for it := v.ElementIterator(); it.Next(); {
			k, e := it.Element()
			out = append(out, nixgen.Bind(Nix(e), k.AsString()))
		}
		return out
	default: // list, set, tuple: cty has no other types that a spec can make
		out := nixgen.List{}
		for it := v.ElementIterator(); it.Next(); {
			_, e := it.Element()
			out = append(out, Nix(e))
		}
		return out
	}
}

// Strs is a list of texts in Nix.
func Strs[T ~string](in []T) nixgen.List {
	out := make(nixgen.List, len(in))
	for i, s := range in {
		out[i] = nixgen.Str(s)
	}
	return out
}
