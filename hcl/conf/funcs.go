package conf

import (
	"fmt"
	"math/big"
	"net/netip"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Functions are what an expression may call: cty's standard library under the
// names Terraform's users know, and functions over addresses. None looks at
// the machine, the clock or chance: the same spec gives the same router.
// What makes more than it is given pays for it from the budget.
func Functions(b *Budget) map[string]function.Function {
	all := functions()
	for name, c := range costs {
		all[name] = b.bounded(name, all[name], c)
	}
	return all
}

func functions() map[string]function.Function {
	return map[string]function.Function{
		"abs": stdlib.AbsoluteFunc, "can": tryfunc.CanFunc, "ceil": stdlib.CeilFunc,
		"chomp": stdlib.ChompFunc, "chunklist": stdlib.ChunklistFunc, "coalesce": stdlib.CoalesceFunc,
		"coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc,
		"contains": stdlib.ContainsFunc, "csvdecode": stdlib.CSVDecodeFunc, "distinct": stdlib.DistinctFunc,
		"element": stdlib.ElementFunc, "flatten": stdlib.FlattenFunc, "floor": stdlib.FloorFunc,
		"format": stdlib.FormatFunc, "formatlist": stdlib.FormatListFunc, "indent": stdlib.IndentFunc,
		"index": indexFunc, "join": stdlib.JoinFunc, "jsondecode": stdlib.JSONDecodeFunc,
		"jsonencode": stdlib.JSONEncodeFunc, "keys": stdlib.KeysFunc, "length": stdlib.LengthFunc,
		"log": stdlib.LogFunc, "lookup": stdlib.LookupFunc, "lower": stdlib.LowerFunc,
		"max": stdlib.MaxFunc, "merge": stdlib.MergeFunc, "min": stdlib.MinFunc,
		"parseint": stdlib.ParseIntFunc, "pow": stdlib.PowFunc, "range": stdlib.RangeFunc,
		"regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc, "replace": stdlib.ReplaceFunc,
		"reverse": stdlib.ReverseListFunc, "setintersection": stdlib.SetIntersectionFunc,
		"setproduct": stdlib.SetProductFunc, "setsubtract": stdlib.SetSubtractFunc,
		"setunion": stdlib.SetUnionFunc, "signum": stdlib.SignumFunc, "slice": stdlib.SliceFunc,
		"sort": stdlib.SortFunc, "split": stdlib.SplitFunc, "strlen": stdlib.StrlenFunc,
		"strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "title": stdlib.TitleFunc,
		"tobool":   stdlib.MakeToFunc(cty.Bool),
		"tolist":   stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType)),
		"tomap":    stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType)),
		"tonumber": stdlib.MakeToFunc(cty.Number),
		"toset":    stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType)),
		"tostring": stdlib.MakeToFunc(cty.String),
		"trim":     stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
		"trimsuffix": stdlib.TrimSuffixFunc, "try": tryfunc.TryFunc, "upper": stdlib.UpperFunc,
		"values": stdlib.ValuesFunc, "zipmap": stdlib.ZipmapFunc,

		"cidrcontains": cidrContainsFunc, "cidrhost": cidrHostFunc, "cidrnetmask": cidrNetmaskFunc,
		"cidrsubnet": cidrSubnetFunc, "cidrsubnets": cidrSubnetsFunc,
	}
}

// indexFunc is Terraform's index: cty's function of that name is what brackets do.
var indexFunc = function.New(&function.Spec{
	Description: "The position of a value in a list, from 0.",
	Params: []function.Parameter{
		{Name: "list", Type: cty.DynamicPseudoType}, {Name: "value", Type: cty.DynamicPseudoType},
	},
	Type: function.StaticReturnType(cty.Number),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if t := args[0].Type(); !t.IsListType() && !t.IsTupleType() {
			return cty.NilVal, function.NewArgErrorf(0, "a list is expected")
		}
		i := int64(0)
		for it := args[0].ElementIterator(); it.Next(); i++ {
			if _, v := it.Element(); v.Type().Equals(args[1].Type()) && v.Equals(args[1]).True() {
				return cty.NumberIntVal(i), nil
			}
		}
		return cty.NilVal, function.NewArgErrorf(1, "the list does not hold it")
	},
})

var prefixParam = function.Parameter{Name: "prefix", Type: cty.String}

// prefixArg reads an address block. An address with a prefix length, as a
// network has it, stands for its block.
func prefixArg(args []cty.Value) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(args[0].AsString())
	if err != nil {
		return p, function.NewArgErrorf(0, "%q is no address block: one is written like 192.0.2.0/24", args[0].AsString())
	}
	return p.Masked(), nil
}

func intArg(args []cty.Value, i int) (*big.Int, error) {
	f := args[i].AsBigFloat()
	if tooLarge(f) {
		return nil, function.NewArgErrorf(i, "the number is too large")
	}
	n, acc := f.Int(nil)
	if acc != big.Exact {
		return nil, function.NewArgErrorf(i, "a whole number is expected")
	}
	return n, nil
}

// tooLarge tells whether a number is too large to be meant: 1e999999999 has a gigabyte of
// digits, and no float of Nix holds what is beyond 2^1024.
func tooLarge(f *big.Float) bool { return f.IsInf() || f.MantExp(nil) > 1000 }

var cidrHostFunc = function.New(&function.Spec{
	Description: "The address with this number in the block; negative numbers count from the end.",
	Params:      []function.Parameter{prefixParam, {Name: "hostnum", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args)
		if err != nil {
			return cty.NilVal, err
		}
		n, err := intArg(args, 1)
		if err != nil {
			return cty.NilVal, err
		}
		size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
		if n.Sign() < 0 {
			n.Add(n, size)
		}
		if n.Sign() < 0 || n.Cmp(size) >= 0 {
			return cty.NilVal, function.NewArgErrorf(1, "%s has only %s addresses, and 0 is the first, -1 the last", p, size)
		}
		return cty.StringVal(offset(p.Addr(), n).String()), nil
	},
})

var cidrNetmaskFunc = function.New(&function.Spec{
	Description: "The netmask of an IPv4 block, as in 255.255.255.0.",
	Params:      []function.Parameter{prefixParam},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args)
		if err != nil {
			return cty.NilVal, err
		}
		if !p.Addr().Is4() {
			return cty.NilVal, function.NewArgErrorf(0, "IPv6 has no netmasks")
		}
		mask := ^uint32(0) << (32 - p.Bits())
		return cty.StringVal(fmt.Sprintf("%d.%d.%d.%d", mask>>24, mask>>16&255, mask>>8&255, mask&255)), nil
	},
})

var cidrSubnetFunc = function.New(&function.Spec{
	Description: "The block with this number among the blocks that are newbits longer.",
	Params: []function.Parameter{
		prefixParam,
		{Name: "newbits", Type: cty.Number},
		{Name: "netnum", Type: cty.Number},
	},
	Type: function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args)
		if err != nil {
			return cty.NilVal, err
		}
		newbits, err := intArg(args, 1)
		if err != nil {
			return cty.NilVal, err
		}
		num, err := intArg(args, 2)
		if err != nil {
			return cty.NilVal, err
		}
		sub, err := subnet(p, newbits, num)
		if err != nil {
			return cty.NilVal, function.NewArgError(2, err)
		}
		return cty.StringVal(sub.String()), nil
	},
})

var cidrSubnetsFunc = function.New(&function.Spec{
	Description: "Consecutive blocks inside the block, each longer by its newbits.",
	Params:      []function.Parameter{prefixParam},
	VarParam:    &function.Parameter{Name: "newbits", Type: cty.Number},
	Type:        function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args)
		if err != nil {
			return cty.NilVal, err
		}
		if len(args) == 1 {
			return cty.ListValEmpty(cty.String), nil
		}
		var out []cty.Value
		next := new(big.Int) // offset of the first free address
		for i := range args[1:] {
			newbits, err := intArg(args, i+1)
			if err != nil {
				return cty.NilVal, err
			}
			bits, err := longer(p, newbits)
			if err != nil {
				return cty.NilVal, function.NewArgError(i+1, err)
			}
			size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-bits))
			// Round up to a multiple of the block's own size.
			num := new(big.Int).Div(new(big.Int).Sub(new(big.Int).Add(next, size), big.NewInt(1)), size)
			sub, err := subnet(p, newbits, num)
			if err != nil {
				return cty.NilVal, function.NewArgError(i+1, err)
			}
			next.Mul(new(big.Int).Add(num, big.NewInt(1)), size)
			out = append(out, cty.StringVal(sub.String()))
		}
		return cty.ListVal(out), nil
	},
})

var cidrContainsFunc = function.New(&function.Spec{
	Description: "Whether the block holds the address or the other block.",
	Params:      []function.Parameter{prefixParam, {Name: "inner", Type: cty.String}},
	Type:        function.StaticReturnType(cty.Bool),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args)
		if err != nil {
			return cty.NilVal, err
		}
		text := args[1].AsString()
		if a, err := netip.ParseAddr(text); err == nil {
			return cty.BoolVal(p.Contains(a)), nil
		}
		q, err := netip.ParsePrefix(text)
		if err != nil {
			return cty.NilVal, function.NewArgErrorf(1, "%q is neither an address nor an address block", text)
		}
		return cty.BoolVal(q.Bits() >= p.Bits() && p.Contains(q.Addr())), nil
	},
})

// longer is the length of a prefix inside of p with so many more bits.
func longer(p netip.Prefix, newbits *big.Int) (int, error) {
	if room := int64(p.Addr().BitLen() - p.Bits()); newbits.Sign() < 0 || newbits.Cmp(big.NewInt(room)) > 0 {
		return 0, fmt.Errorf("%s has no room for %s more bits", p, newbits)
	}
	return p.Bits() + int(newbits.Int64()), nil
}

func subnet(p netip.Prefix, newbits, num *big.Int) (netip.Prefix, error) {
	bits, err := longer(p, newbits)
	if err != nil {
		return p, err
	}
	if count := new(big.Int).Lsh(big.NewInt(1), uint(newbits.Int64())); num.Sign() < 0 || num.Cmp(count) >= 0 {
		return p, fmt.Errorf("%s has only %s blocks of that size", p, count)
	}
	off := new(big.Int).Lsh(num, uint(p.Addr().BitLen()-bits))
	return netip.PrefixFrom(offset(p.Addr(), off), bits), nil
}

// offset is the address n after a; the caller knows that it exists.
func offset(a netip.Addr, n *big.Int) netip.Addr {
	b := a.AsSlice()
	sum := new(big.Int).Add(new(big.Int).SetBytes(b), n)
	out, _ := netip.AddrFromSlice(sum.FillBytes(b))
	return out
}

// AsValue is the cty form of what a spec says of a block that is already decoded.
func AsValue(texts map[string]string) cty.Value {
	m := make(map[string]cty.Value, len(texts))
	for k, v := range texts {
		m[k] = cty.StringVal(v)
	}
	return cty.ObjectVal(m)
}
