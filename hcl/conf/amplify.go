package conf

import (
	"fmt"
	"regexp/syntax"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/nbr-dev/nbr/hcl/source"
)

// cost says how much a call would make, before it is made. All other functions make no
// more than they are given, which has been paid for. The arguments are known, not null, and
// of the types of the function's parameters.
type cost func(args []cty.Value) (int, error)

// costs are the functions that make more than they are given, or take more than a look
// at it.
var costs = map[string]cost{
	// A width or a precision is as many characters.
	"format":     formatCost,
	"formatlist": formatCost,
	"indent": func(a []cty.Value) (int, error) {
		n, err := intArg(a, 0)
		if err != nil || !n.IsInt64() || n.Sign() < 0 {
			return 0, errSize
		}
		return product(int(min(n.Int64(), maxSize)), 1+strings.Count(a[1].AsString(), "\n")), nil
	},
	"join": func(a []cty.Value) (int, error) {
		n := 0
		for _, list := range a[1:] {
			n += length(list)
		}
		return product(n, 1+len(a[0].AsString())/perByte), nil
	},
	"replace": func(a []cty.Value) (int, error) {
		return product(strings.Count(a[0].AsString(), a[1].AsString()), 1+len(a[2].AsString())/perByte), nil
	},
	"setproduct": func(a []cty.Value) (int, error) {
		n := len(a)
		for _, set := range a {
			n = product(n, length(set))
		}
		return n, nil
	},
	"regex":    regexCost,
	"regexall": regexCost,
	// Each character of the one is looked for in the other.
	"trim": func(a []cty.Value) (int, error) {
		return product(1+len(a[0].AsString())/perLooking, 1+len(a[1].AsString())), nil
	},
	// Each with each.
	"distinct":        squareCost,
	"setunion":        squareCost,
	"setintersection": squareCost,
	"setsubtract":     squareCost,
	"jsondecode": func(a []cty.Value) (int, error) {
		if source.TooDeep([]byte(a[0].AsString())) {
			return 0, errNesting
		}
		if source.LongNumber([]byte(a[0].AsString())) != -1 {
			return 0, errDigits
		}
		return 0, nil
	},
}

// bounded is a function whose calls pay before they are made.
func (b *Budget) bounded(name string, f function.Function, c cost) function.Function {
	return function.New(&function.Spec{
		Description: f.Description(),
		Params:      f.Params(),
		VarParam:    f.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			for _, a := range args {
				if !a.IsKnown() || a.IsNull() {
					return f.ReturnTypeForValues(args)
				}
			}
			n, err := c(args)
			if err == nil && n > maxSize {
				err = errSize
			}
			if err == nil {
				err = b.spend(n)
			}
			if err != nil {
				return cty.NilType, fmt.Errorf("%s costs too much: %w", name, err)
			}
			return f.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return f.Call(args) },
	})
}

// length is the number of elements of a value that has some, and 1 of any other.
func length(v cty.Value) int {
	if t := v.Type(); t.IsCollectionType() || t.IsTupleType() || t.IsObjectType() {
		return v.LengthInt()
	}
	return 1
}

// product is a times b, or too much. Both are far below 2^31: what is counted is there, or
// has been bounded.
func product(a, b int) int { return min(a*b, 4*maxCost) }

// formatCost counts the widths of the verbs, and each argument once a verb: a verb may
// name any of them.
func formatCost(a []cty.Value) (int, error) {
	format := a[0].AsString()
	lines, each := 1, 0
	for _, arg := range a[1:] {
		n, err := size(arg)
		if err != nil {
			return 0, err
		}
		if arg.Type().IsListType() || arg.Type().IsTupleType() || arg.Type().IsSetType() {
			lines = max(lines, length(arg))
		}
		each += n
	}
	wide, number := 0, 0
	for i := range len(format) {
		if c := format[i]; c >= '0' && c <= '9' {
			number = min(10*number+int(c-'0'), 4*maxCost)
			continue
		}
		wide, number = min(wide+number, 4*maxCost), 0
	}
	verbs := strings.Count(format, "%")
	return product(lines, 1+len(format)/perByte+wide/perByte) + product(verbs, each), nil
}

// regexCost is the size of the program that a pattern becomes, times the text: that is
// the time that a match takes at most (regexp: linear in the text).
func regexCost(a []cty.Value) (int, error) {
	pattern, s := a[0].AsString(), a[1].AsString()
	if len(pattern) > maxDigits {
		return 0, errSize
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, nil // the function says what is wrong
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0, nil
	}
	return product(1+len(prog.Inst)/perLooking, 1+len(s)/perByte), nil
}

func squareCost(a []cty.Value) (int, error) {
	n := 0
	for _, v := range a {
		n += length(v)
	}
	return product(1+n/perLooking, n), nil
}
