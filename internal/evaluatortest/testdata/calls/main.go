//go:build wasip1

// Calls is a plugin that makes each call of the evaluator's interface: it gives its argument back, made anew.
// Of a path it gives the path, its file "file" below it and what is in that; a function is called with 1, now and
// later. An argument that is a set with an attribute panic, warn or int shows what these do.
package main

import (
	"os"
	"runtime"
	"strconv"
	"structs"
	"unsafe"
)

//go:wasmimport env panic
func fail(text unsafe.Pointer, size uint32)

//go:wasmimport env warn
func warn(text unsafe.Pointer, size uint32)

//go:wasmimport env return_to_nix
func returnToNix(v uint32)

//go:wasmimport env get_type
func getType(v uint32) uint32

//go:wasmimport env make_int
func makeInt(i int64) uint32

//go:wasmimport env get_int
func getInt(v uint32) int64

//go:wasmimport env make_float
func makeFloat(f float64) uint32

//go:wasmimport env get_float
func getFloat(v uint32) float64

//go:wasmimport env make_bool
func makeBool(b uint32) uint32

//go:wasmimport env get_bool
func getBool(v uint32) uint32

//go:wasmimport env make_null
func makeNull() uint32

//go:wasmimport env make_string
func makeString(text unsafe.Pointer, size uint32) uint32

//go:wasmimport env copy_string
func copyString(v uint32, to unsafe.Pointer, room uint32) uint32

//go:wasmimport env copy_path
func copyPath(v uint32, to unsafe.Pointer, room uint32) uint32

//go:wasmimport env make_path
func makePath(base uint32, text unsafe.Pointer, size uint32) uint32

//go:wasmimport env make_list
func makeList(elems unsafe.Pointer, n uint32) uint32

//go:wasmimport env copy_list
func copyList(v uint32, to unsafe.Pointer, room uint32) uint32

//go:wasmimport env make_attrset
func makeAttrset(attrs unsafe.Pointer, n uint32) uint32

//go:wasmimport env copy_attrset
func copyAttrset(v uint32, to unsafe.Pointer, room uint32) uint32

//go:wasmimport env copy_attrname
func copyAttrname(v, i uint32, to unsafe.Pointer, size uint32)

//go:wasmimport env get_attr
func getAttr(v uint32, name unsafe.Pointer, size uint32) uint32

//go:wasmimport env call_function
func callFunction(fn uint32, args unsafe.Pointer, n uint32) uint32

//go:wasmimport env make_app
func makeApp(fn uint32, args unsafe.Pointer, n uint32) uint32

//go:wasmimport env read_file
func readFile(path uint32, to unsafe.Pointer, room uint32) uint32

func at[T any](of []T) (unsafe.Pointer, uint32) {
	return unsafe.Pointer(unsafe.SliceData(of)), uint32(len(of))
}

// copied asks with too little room first, which must change nothing.
func copied[T comparable](v uint32, ask func(v uint32, to unsafe.Pointer, room uint32) uint32) []T {
	n := ask(v, nil, 0)
	if n > 1 {
		short := make([]T, n-1)
		p, room := at(short)
		if ask(v, p, room) != n || short[0] != *new(T) {
			panic("something was copied where there is too little room")
		}
	}
	all := make([]T, n)
	if p, room := at(all); ask(v, p, room) != n {
		panic("another size the second time")
	}
	return all
}

type made struct {
	_          structs.HostLayout
	name, size uint32
	value      uint32
}

type listed struct {
	_           structs.HostLayout
	value, size uint32
}

func attr(v uint32, name string) uint32 {
	p, n := at([]byte(name))
	return getAttr(v, p, n)
}

func text(b []byte) uint32 {
	p, n := at(b)
	return makeString(p, n)
}

func list(elems ...uint32) uint32 {
	p, n := at(elems)
	return makeList(p, n)
}

func set(v uint32) uint32 {
	if x := attr(v, "panic"); x != 0 {
		p, n := at(copied[byte](x, copyString))
		fail(p, n)
	}
	if x := attr(v, "warn"); x != 0 {
		p, n := at(copied[byte](x, copyString))
		warn(p, n)
	}
	if x := attr(v, "int"); x != 0 {
		return makeInt(getInt(x))
	}
	var out []made
	var names [][]byte
	for i, l := range copied[listed](v, copyAttrset) {
		name := make([]byte, l.size)
		p, n := at(name)
		copyAttrname(v, uint32(i), p, n)
		names = append(names, name)
		out = append(out, made{name: uint32(uintptr(p)), size: n, value: again(l.value)})
	}
	p, n := at(out)
	s := makeAttrset(p, n)
	runtime.KeepAlive(names)
	return s
}

// again makes a value anew, by what it is.
func again(v uint32) uint32 {
	switch getType(v) {
	case 1:
		return makeInt(getInt(v))
	case 2:
		return makeFloat(getFloat(v))
	case 3:
		return makeBool(getBool(v))
	case 4:
		return text(copied[byte](v, copyString))
	case 5:
		p, n := at([]byte("file"))
		file := makePath(v, p, n)
		return list(text(copied[byte](v, copyPath)), file, text(copied[byte](file, readFile)))
	case 6:
		return makeNull()
	case 7:
		return set(v)
	case 8:
		var out []uint32
		for _, e := range copied[uint32](v, copyList) {
			out = append(out, again(e))
		}
		return list(out...)
	case 9:
		p, n := at([]uint32{makeInt(1)})
		return list(callFunction(v, p, n), makeApp(v, p, n))
	}
	panic("a type that Nix does not have")
}

func main() {
	v, err := strconv.ParseUint(os.Args[1], 10, 32)
	if err != nil {
		panic(err)
	}
	returnToNix(again(uint32(v)))
}
