package conf

import (
	"encoding"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// A Value is an attribute's value and where it was written. When the attribute
// is absent, Set is false and V is the default or the zero value. One that is
// there and was refused has its Range and is not Set.
type Value[T any] struct {
	V     T
	Range hcl.Range
	Set   bool
}

// A List is an attribute whose value is a list, each element with its place.
type List[T any] struct {
	Items []Value[T]
	Range hcl.Range
	Set   bool
}

// Of makes a value that no spec contains, for defaults and tests.
func Of[T any](v T) Value[T] { return Value[T]{V: v, Set: true} }

// All are the elements without their places.
func (l List[T]) All() []T {
	out := make([]T, len(l.Items))
	for i, it := range l.Items {
		out[i] = it.V
	}
	return out
}

// attribute is what a field must be to be decoded from an attribute.
type attribute interface {
	decode(e hcl.Expression, ctx *Context) hcl.Diagnostics
	isSet() bool
	setDefault(text string) error
	spec() (typ string, list bool)
	data() any
	accepts() accepted
}

// Confidential is a type whose wrong values may be secrets: people write a password
// where its hash belongs. No output repeats them.
type Confidential interface{ Confidential() }

// Public is a type whose values look like secrets and are none.
type Public interface{ Public() }

// PublicTexts are the values of a block that are [Public].
func PublicTexts(b Block) []string {
	var out []string
	walk(reflect.ValueOf(b).Elem(), func(field any) {
		if v, ok := field.(interface{ public() (string, bool) }); ok {
			if text, ok := v.public(); ok {
				out = append(out, text)
			}
		}
	})
	return out
}

func (v *Value[T]) public() (string, bool) {
	_, ok := any(v.V).(Public)
	return fmt.Sprint(v.V), ok && v.Set
}

func (v *Value[T]) decode(e hcl.Expression, ctx *Context) hcl.Diagnostics {
	val, diags := ctx.eval(e)
	if diags.HasErrors() {
		v.Range = e.Range()
		return diags
	}
	if val.IsNull() {
		return diags
	}
	return append(diags, v.assign(val, e.Range())...)
}

func (v *Value[T]) assign(val cty.Value, at hcl.Range) hcl.Diagnostics {
	v.Range = at
	if err := assign(val, any(&v.V)); err != nil {
		d := diag.From("bad-value", at, "Bad value", err)
		if what, help, ok := foreign[T](val, at); ok {
			d = diag.Help(diag.Error("bad-value", at, "Bad value", "%s", what), "%s", help)
		}
		var not *notOneOf
		if text, ok := quoted(val, at); ok && errors.As(err, &not) {
			diag.Respell(d, at, diag.Suggest(text, not.words))
		}
		if _, ok := any(v.V).(Confidential); ok {
			diag.Hidden(d)
		}
		return hcl.Diagnostics{d}
	}
	v.Set = true
	return nil
}

// foreign says which character of a refused value looks like the right one and is another;
// false if the value would not be right with that.
func foreign[T any](val cty.Value, at hcl.Range) (what, help string, ok bool) {
	if val.Type() != cty.String || val.IsNull() {
		return "", "", false
	}
	text := val.AsString()
	i, what, help, ok := diag.Foreign(text)
	if !ok || assign(cty.StringVal(diag.ToASCII(text)), any(new(T))) != nil {
		return "", "", false
	}
	where := fmt.Sprintf("character %d", utf8.RuneCountInString(text[:i])+1)
	if _, ok := quoted(val, at); ok {
		where = fmt.Sprintf("the character in column %d", at.Start.Column+1+utf8.RuneCountInString(text[:i]))
	}
	return fmt.Sprintf("In %q %s is %s", text, where, what), help, true
}

// quoted is the text of a value that stands in quotes at a place as it is; false for any other.
func quoted(val cty.Value, at hcl.Range) (string, bool) {
	if val.Type() != cty.String || val.IsNull() {
		return "", false
	}
	text := val.AsString()
	return text, at.End.Byte-at.Start.Byte == len(text)+len(`""`)
}

func (v *Value[T]) isSet() bool { return v.Set }

func (v *Value[T]) setDefault(text string) error { return assign(cty.StringVal(text), any(&v.V)) }

func (v *Value[T]) spec() (string, bool) { return typeName[T](), false }

func (l *List[T]) decode(e hcl.Expression, ctx *Context) hcl.Diagnostics {
	l.Range, l.Set = e.Range(), true
	if exprs, diags := hcl.ExprList(e); !diags.HasErrors() {
		var out hcl.Diagnostics
		for _, e := range exprs {
			var v Value[T]
			ds := v.decode(e, ctx)
			if v.Set {
				l.Items = append(l.Items, v)
			} else if !ds.HasErrors() {
				ds = v.assign(cty.NullVal(cty.DynamicPseudoType), e.Range())
			}
			out = append(out, ds...)
		}
		return out
	}
	val, diags := ctx.eval(e)
	if diags.HasErrors() {
		return diags
	}
	if val.IsNull() {
		*l = List[T]{}
		return diags
	}
	if ty := val.Type(); !ty.IsListType() && !ty.IsSetType() && !ty.IsTupleType() {
		return append(diags, diag.Help(diag.Error("not-a-list", e.Range(), "Not a list",
			"A list is expected here, and this is %s.", typeOf(ty)), "Put it into brackets, even a single one: [a], or [a, b]."))
	}
	for _, val := range val.AsValueSlice() {
		var v Value[T]
		diags = append(diags, v.assign(val, e.Range())...)
		if v.Set {
			l.Items = append(l.Items, v)
		}
	}
	return diags
}

func (l *List[T]) isSet() bool { return l.Set }

func (l *List[T]) setDefault(text string) error {
	for s := range strings.SplitSeq(text, ",") {
		var v Value[T]
		if err := v.setDefault(strings.TrimSpace(s)); err != nil {
			return err
		}
		l.Items = append(l.Items, v)
	}
	return nil
}

func (l *List[T]) spec() (string, bool) { return typeName[T](), true }

// assign converts a value to what dst points at.
func assign(val cty.Value, dst any) error {
	if val.IsNull() { // an argument that is null is as if it were not there
		return errors.New("null is no element of a list")
	}
	switch d := dst.(type) {
	case *cty.Value:
		*d = val
		return storable(val)
	case *Object:
		if t := val.Type(); !t.IsObjectType() && !t.IsMapType() {
			return diag.Advise(fmt.Errorf("an object is expected here, and this is %s", typeOf(t)), "write it as in { a = 1 }")
		}
		d.Value = val
		return storable(val)
	}
	if _, ok := dst.(*bool); ok {
		b, err := convert.Convert(val, cty.Bool)
		if err != nil {
			return fmt.Errorf("true or false is expected here, and this is %s", typeOf(val.Type()))
		}
		*dst.(*bool) = b.True()
		return nil
	}
	if val.Type() == cty.Number && tooLarge(val.AsBigFloat()) {
		return errTooLarge
	}
	s, err := convert.Convert(val, cty.String)
	if err != nil {
		return fmt.Errorf("one value is expected here, and this is %s", typeOf(val.Type()))
	}
	text := s.AsString()
	if err := storable(s); err != nil {
		return err
	}
	switch d := dst.(type) {
	case encoding.TextUnmarshaler:
		return d.UnmarshalText([]byte(text))
	case *string:
		*d = text
		return nil
	case *int:
		f, ok := new(big.Float).SetString(text)
		if !ok || !f.IsInt() {
			return fmt.Errorf("%q is not a whole number", text)
		}
		i, acc := f.Int64()
		if acc != big.Exact {
			return fmt.Errorf("%s is too large", text)
		}
		*d = int(i)
		return nil
	case *float64:
		f, ok := new(big.Float).SetString(text)
		if !ok {
			return fmt.Errorf("%q is not a number", text)
		}
		*d, _ = f.Float64()
		return nil
	}
	panic(fmt.Sprintf("conf: no way to decode into %T", dst))
}

// storable refuses what neither Nix nor any daemon's file can hold.
func storable(val cty.Value) error {
	return cty.Walk(val, func(_ cty.Path, v cty.Value) (bool, error) {
		t := v.Type()
		switch {
		case v.IsNull():
		case t == cty.String && hasNUL(v.AsString()):
			return false, errNUL
		case t == cty.Number && tooLarge(v.AsBigFloat()):
			return false, errTooLarge
		case t.IsObjectType() || t.IsMapType():
			for it := v.ElementIterator(); it.Next(); {
				if k, _ := it.Element(); hasNUL(k.AsString()) {
					return false, errNUL
				}
			}
		}
		return true, nil
	})
}

func hasNUL(s string) bool { return strings.ContainsRune(s, 0) }

var (
	errNUL      = errors.New("a text cannot hold the character U+0000, which Nix has no way to write")
	errTooLarge = errors.New("the number is too large")
)

// An Object is a value with names of the user's choice.
type Object struct{ cty.Value }

// Describe is what the type is in the schema.
func (Object) Describe() string { return "object" }

// typeOf is what a value is, in the words of this language and not of its library.
func typeOf(t cty.Type) string {
	switch {
	case t == cty.DynamicPseudoType:
		return "null"
	case t == cty.String:
		return "a text"
	case t == cty.Number:
		return "a number"
	case t == cty.Bool:
		return "true or false"
	case t.IsObjectType() || t.IsMapType():
		return "an object"
	case t.IsTupleType() || t.IsListType() || t.IsSetType():
		return "a list"
	}
	return t.FriendlyName()
}

// Describer is implemented by domain types to say what they are in the schema:
// "IPv4 address with prefix length".
type Describer interface{ Describe() string }

func typeName[T any]() string {
	var v T
	if d, ok := any(&v).(Describer); ok {
		return d.Describe()
	}
	switch t := reflect.TypeFor[T](); t {
	case reflect.TypeFor[cty.Value]():
		return "any"
	case reflect.TypeFor[int](), reflect.TypeFor[float64]():
		return "number"
	default:
		return strings.ToLower(t.Name())
	}
}
