// Package evaluatortest is a Nix evaluator for tests of plugins: it runs a WebAssembly module over values of
// its own, by the interface that Determinate Nix has for them, and refuses each call which that would
// refuse. It evaluates nothing: what is to be evaluated later stays a call, and is printed as one for a
// real Nix.
package evaluatortest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// A Value is a value of Nix: int64, float64, bool, string, [Path], nil, [Set], [List], [Function],
// [Unknown] or [Call].
type Value any

type (
	// Path is an absolute path.
	Path string
	Set  map[string]Value
	List []Value
	// Function is a function that the evaluator has, with its name in Nix.
	Function struct {
		Nix  string
		Call func(args []Value) (Value, error)
	}
	// Unknown is an expression that must not be evaluated.
	Unknown string
	// Call is a call that is made when its result is needed.
	Call struct {
		Fn   Value
		Args []Value
	}
)

// Numbers of types in the interface.
const (
	isInt = iota + 1
	isFloat
	isBool
	isString
	isPath
	isNull
	isSet
	isList
	isFunction
)

// kind is the type of a value that is evaluated, or 0.
func kind(v Value) uint32 {
	switch v.(type) {
	case int64:
		return isInt
	case float64:
		return isFloat
	case bool:
		return isBool
	case string:
		return isString
	case Path:
		return isPath
	case nil:
		return isNull
	case Set:
		return isSet
	case List:
		return isList
	case Function:
		return isFunction
	}
	return 0
}

// Nix is a value as an expression of Nix.
func Nix(v Value) string {
	var b strings.Builder
	write(&b, v)
	return b.String()
}

func write(b *strings.Builder, v Value) {
	switch x := v.(type) {
	case int64:
		if x == -1<<63 { // its magnitude has no literal
			b.WriteString("(-9223372036854775807 - 1)")
			return
		}
		fmt.Fprintf(b, "(%d)", x)
	case float64:
		fmt.Fprintf(b, "(builtins.fromJSON %q)", strconv.FormatFloat(x, 'e', -1, 64))
	case bool:
		fmt.Fprint(b, x)
	case string:
		quote(b, x)
	case Path:
		b.WriteString("(/. + ")
		quote(b, string(x))
		b.WriteString(")")
	case nil:
		b.WriteString("null")
	case Set:
		b.WriteString("{ ")
		for _, name := range slices.Sorted(maps.Keys(x)) {
			quote(b, name)
			b.WriteString(" = ")
			write(b, x[name])
			b.WriteString("; ")
		}
		b.WriteString("}")
	case List:
		b.WriteString("[ ")
		for _, e := range x {
			write(b, e)
			b.WriteString(" ")
		}
		b.WriteString("]")
	case Function:
		b.WriteString("(" + x.Nix + ")")
	case Unknown:
		b.WriteString("(" + string(x) + ")")
	case Call:
		b.WriteString("(")
		for _, e := range append([]Value{x.Fn}, x.Args...) {
			write(b, e)
			b.WriteString(" ")
		}
		b.WriteString(")")
	default:
		panic(fmt.Sprintf("%T is no value of Nix", v))
	}
}

// quote writes a string with a backslash before all that could mean anything.
func quote(b *strings.Builder, s string) {
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '"', '\\', '$':
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}
