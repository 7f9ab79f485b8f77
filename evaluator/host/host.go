//go:build wasip1

// Package host is the way to the evaluator that runs the program: the interface which Determinate Nix
// gives WebAssembly modules in its WASI mode ("Wasm Host Interface" in its manual), and nothing of nbr's.
// A program with further kinds of blocks calls [Main] with all of them.
package host

import (
	"os"
	"runtime"
	"slices"
	"strconv"
	"structs"
	"unsafe"

	"github.com/nbr-dev/nbr/evaluator"
	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/service"
)

// Main is the program: the value that it is given goes to [evaluator.Run], and the result back.
func Main(kinds ...service.Kind) {
	var nix nix
	reg := &service.Registry{Kinds: kinds, Boards: firmware.Boards()}
	if err := reg.Check(); err != nil {
		nix.Fail("nbr: this program is not composed well: " + err.Error())
	}
	if len(os.Args) != 2 {
		nix.Fail("nbr: the evaluator did not say which value it calls this program with")
	}
	arg, err := strconv.ParseUint(os.Args[1], 10, 32)
	if err != nil {
		nix.Fail("nbr: the evaluator calls this program with " + strconv.Quote(os.Args[1]) + ", which is no value")
	}
	returnToNix(evaluator.Run(nix, reg, evaluator.Value(arg)))
}

type value = evaluator.Value

// The functions of the interface. Lists and names are in the memory of this program; what they say is
// copied before they return. Each is called as the manual has it.

//go:wasmimport env panic
func hostPanic(text unsafe.Pointer, size uint32)

//go:wasmimport env warn
func hostWarn(text unsafe.Pointer, size uint32)

//go:wasmimport env return_to_nix
func returnToNix(v value)

//go:wasmimport env get_type
func getType(v value) evaluator.Type

//go:wasmimport env make_int
func makeInt(i int64) value

//go:wasmimport env make_float
func makeFloat(f float64) value

//go:wasmimport env make_bool
func makeBool(b uint32) value

//go:wasmimport env make_null
func makeNull() value

//go:wasmimport env make_string
func makeString(text unsafe.Pointer, size uint32) value

//go:wasmimport env copy_string
func copyString(v value, to unsafe.Pointer, room uint32) uint32

//go:wasmimport env make_path
func makePath(base value, text unsafe.Pointer, size uint32) value

//go:wasmimport env make_list
func makeList(elems unsafe.Pointer, n uint32) value

//go:wasmimport env make_attrset
func makeAttrset(attrs unsafe.Pointer, n uint32) value

//go:wasmimport env copy_attrset
func copyAttrset(v value, to unsafe.Pointer, room uint32) uint32

//go:wasmimport env copy_attrname
func copyAttrname(v value, i uint32, to unsafe.Pointer, size uint32)

//go:wasmimport env get_attr
func getAttr(v value, name unsafe.Pointer, size uint32) value

//go:wasmimport env call_function
func callFunction(fn value, args unsafe.Pointer, n uint32) value

//go:wasmimport env make_app
func makeApp(fn value, args unsafe.Pointer, n uint32) value

//go:wasmimport env read_file
func readFile(path value, to unsafe.Pointer, room uint32) uint32

// nix is the evaluator.
type nix struct{}

// at is where elements are, and how many. Of none it is nowhere, which the evaluator does not read.
func at[T any](of []T) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(of)), uint32(len(of))
}

func text(s string) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.StringData(s)), uint32(len(s))
}

func (nix) Int(i int64) value     { return makeInt(i) }
func (nix) Float(f float64) value { return makeFloat(f) }
func (nix) Null() value           { return makeNull() }

func (nix) Bool(b bool) value {
	if b {
		return makeBool(1)
	}
	return makeBool(0)
}

func (nix) String(s string) value { return makeString(text(s)) }

func (nix) List(elems []value) value { return makeList(at(elems)) }

// attr is an attribute as make_attrset reads it. Go's pointers are of 64 bits, those of WebAssembly of 32.
type attr struct {
	_          structs.HostLayout
	name, size uint32
	value      value
}

func (nix) Attrs(names []string, values []value) value {
	attrs := make([]attr, len(names))
	for i, name := range names {
		p, size := text(name)
		attrs[i].name, attrs[i].size, attrs[i].value = uint32(uintptr(p)), size, values[i]
	}
	set := makeAttrset(at(attrs))
	runtime.KeepAlive(names)
	return set
}

func (nix) Apply(fn value, args ...value) value {
	p, n := at(args)
	return makeApp(fn, p, n)
}

func (nix) Call(fn value, args ...value) value {
	p, n := at(args)
	return callFunction(fn, p, n)
}

func (nix) Type(v value) evaluator.Type { return getType(v) }

func (nix) Text(v value) string {
	return string(copied(func(to unsafe.Pointer, room uint32) uint32 { return copyString(v, to, room) }))
}

func (nix) Size(path value) int { return int(readFile(path, nil, 0)) }

func (nix) File(path value) []byte {
	return copied(func(to unsafe.Pointer, room uint32) uint32 { return readFile(path, to, room) })
}

// copied asks for bytes until there is room for them: nothing is copied before.
func copied(ask func(to unsafe.Pointer, room uint32) uint32) []byte {
	b := make([]byte, 256)
	for {
		n := int(ask(at(b)))
		if n <= len(b) {
			return b[:n]
		}
		b = make([]byte, n)
	}
}

// listed is an attribute as copy_attrset writes it.
type listed struct {
	_     structs.HostLayout
	value value
	size  uint32
}

// Names asks for the names of a set one by one. The order is the evaluator's.
func (nix) Names(set value) []string {
	all := make([]listed, 16)
	n := 0
	for {
		p, room := at(all)
		if n = int(copyAttrset(set, p, room)); n <= len(all) {
			break
		}
		all = make([]listed, n)
	}
	names := make([]string, n)
	for i, l := range all[:n] {
		name := make([]byte, l.size)
		p, size := at(name)
		copyAttrname(set, uint32(i), p, size)
		names[i] = string(name)
	}
	slices.Sort(names)
	return names
}

func (nix) Attr(set value, name string) value {
	p, n := text(name)
	return getAttr(set, p, n)
}

func (nix) Below(base value, name string) value {
	p, n := text(name)
	return makePath(base, p, n)
}

func (nix) Warn(message string) { hostWarn(text(message)) }

func (nix) Fail(message string) {
	hostPanic(text(message))
	panic("the evaluator goes on after an error")
}
