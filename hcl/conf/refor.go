package conf

import (
	"github.com/hashicorp/hcl/v2"
)

// A RefOr is the name of a block, or a value in its place, as a host or an address.
type RefOr[T, V any] struct {
	Ref   Ref[T]
	Value Value[V]
}

// Range is where it was written.
func (r RefOr[T, V]) Range() hcl.Range {
	if r.Ref.Set {
		return r.Ref.Range
	}
	return r.Value.Range
}

// decode takes what begins with the type of a block for the name of one.
func (r *RefOr[T, V]) decode(e hcl.Expression, ctx *Context) hcl.Diagnostics {
	if tr, diags := hcl.AbsTraversalForExpr(e); !diags.HasErrors() && ctx.Types[tr.RootName()] {
		return r.Ref.decode(e, ctx)
	}
	return r.Value.decode(e, ctx)
}

func (r *RefOr[T, V]) isSet() bool { return r.Ref.Set || r.Value.Set }

func (r *RefOr[T, V]) setDefault(text string) error { return r.Value.setDefault(text) }

func (r *RefOr[T, V]) spec() (string, bool) {
	ref, _ := r.Ref.spec()
	return typeName[V]() + ", or " + ref, false
}

func (r *RefOr[T, V]) addrs() []Addr { return r.Ref.addrs() }

func (r *RefOr[T, V]) link(x *Index, ctx *Context) hcl.Diagnostics { return r.Ref.link(x, ctx) }
