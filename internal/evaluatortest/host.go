package evaluatortest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// A Plugin is a compiled WebAssembly module.
type Plugin struct {
	runtime wazero.Runtime
	module  wazero.CompiledModule
}

// Compile compiles the module in a file. It imports WASI, and of the evaluator nothing but its interface.
func Compile(t testing.TB, file string) *Plugin {
	t.Helper()
	code, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx := experimental.WithCompilationWorkers(context.Background(), 2)
	p := &Plugin{runtime: wazero.NewRuntime(ctx)}
	t.Cleanup(func() { p.runtime.Close(ctx) })
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, p.runtime); err != nil {
		t.Fatal(err)
	}
	if err := env(ctx, p.runtime); err != nil {
		t.Fatal(err)
	}
	if p.module, err = p.runtime.CompileModule(ctx, code); err != nil {
		t.Fatal(err)
	}
	return p
}

// A Result is what became of one run.
type Result struct {
	Value    Value          // what it returned
	Warnings []string       // by warn
	Output   string         // standard output and error, which the evaluator takes for warnings
	Calls    map[string]int // of each function of the interface
}

// A Thrown is the message of a plugin that ended itself.
type Thrown string

func (t Thrown) Error() string { return string(t) }

// Run calls the plugin with a value. Random is what it may read as randomness: the result must not depend
// on it.
func (p *Plugin) Run(arg Value, random io.Reader) (Result, error) {
	r := &run{values: []Value{nil}, result: Result{Calls: map[string]int{}}}
	var out bytes.Buffer
	config := wazero.NewModuleConfig().WithName("").WithArgs("nbr.wasm", fmt.Sprint(r.add(arg))).WithStdout(&out).WithStderr(&out)
	if random != nil {
		config = config.WithRandSource(random)
	}
	_, err := p.runtime.InstantiateModule(context.WithValue(context.Background(), runKey{}, r), p.module, config)
	r.result.Output = out.String()
	var exit *sys.ExitError
	switch {
	case r.wrong != nil:
		return r.result, r.wrong
	case r.thrown != nil:
		return r.result, *r.thrown
	case r.returned:
		return r.result, nil
	case errors.As(err, &exit) || err == nil:
		return r.result, fmt.Errorf("it ended without a result (%w)\n%s", err, out.String())
	}
	return r.result, err
}

type runKey struct{}

// A run is one call of a plugin. A handle is a number in values; 0 is none.
type run struct {
	values   []Value
	result   Result
	returned bool
	thrown   *Thrown
	wrong    error
}

func (r *run) add(v Value) uint32 {
	r.values = append(r.values, v)
	return uint32(len(r.values) - 1)
}

// stop ends the program, as proc_exit of WASI does.
func stop(ctx context.Context, m api.Module) {
	_ = m.CloseWithExitCode(ctx, 0)
	panic(sys.NewExitError(0))
}

// A call is one call of the interface. Whatever the evaluator would refuse ends the run.
type call struct {
	ctx  context.Context
	m    api.Module
	r    *run
	name string
}

func (c call) refuse(format string, args ...any) {
	c.r.wrong = fmt.Errorf("%s: "+format, append([]any{c.name}, args...)...)
	stop(c.ctx, c.m)
}

func (c call) value(v uint32) Value {
	if v == 0 || int(v) >= len(c.r.values) {
		c.refuse("there is no value %d", v)
	}
	return c.r.values[v]
}

// forced is a value of a type; 0 is any.
func (c call) forced(v uint32, want uint32) Value {
	x := c.value(v)
	is := kind(x)
	switch {
	case is == 0:
		c.refuse("%.200s is evaluated, and must not be", Nix(x))
	case want != 0 && is != want:
		c.refuse("%.200s is of type %d, not %d", Nix(x), is, want)
	}
	return x
}

func (c call) bytes(ptr, n uint32) []byte {
	b, ok := c.m.Memory().Read(ptr, n)
	if !ok {
		c.refuse("%d bytes at %d are not in memory", n, ptr)
	}
	return b
}

// text is a text that the plugin has. Nix's strings hold no NUL.
func (c call) text(ptr, n uint32) string {
	s := string(c.bytes(ptr, n))
	if strings.ContainsRune(s, 0) {
		c.refuse("%.200q has a NUL in it", s)
	}
	if !utf8.ValidString(s) {
		c.refuse("%.200q is no UTF-8", s)
	}
	return s
}

// words are numbers of 32 bits, n times size of them.
func (c call) words(ptr, n, size uint32) []uint32 {
	if uint64(n)*uint64(size)*4 > 1<<31 {
		c.refuse("%d are too many", n)
	}
	if n > 0 && ptr%4 != 0 {
		c.refuse("%d is no address of a number", ptr)
	}
	out := make([]uint32, n*size)
	for i := range out {
		w, ok := c.m.Memory().ReadUint32Le(ptr + uint32(i)*4)
		if !ok {
			c.refuse("element %d is not in memory", i)
		}
		out[i] = w
	}
	return out
}

// list are the values of handles.
func (c call) list(ptr, n uint32) []Value {
	out := make([]Value, 0, n)
	for _, v := range c.words(ptr, n, 1) {
		out = append(out, c.value(v))
	}
	return out
}

// copy writes bytes if there is room, and returns how many there are.
func (c call) copy(b []byte, ptr, room uint32) uint32 {
	if len(b) <= int(room) && len(b) > 0 && !c.m.Memory().Write(ptr, b) {
		c.refuse("%d bytes at %d are not in memory", len(b), ptr)
	}
	return uint32(len(b))
}

func (c call) put(words []uint32, ptr uint32) {
	for i, w := range words {
		if !c.m.Memory().WriteUint32Le(ptr+uint32(i)*4, w) {
			c.refuse("element %d is not in memory", i)
		}
	}
}

// file reads the file at a path.
func (c call) file(v uint32) []byte {
	name := string(c.forced(v, isPath).(Path))
	info, err := os.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		c.refuse("%s is no regular file", name)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		c.refuse("%s", err)
	}
	return b
}

const (
	i32 = api.ValueTypeI32
	i64 = api.ValueTypeI64
	f64 = api.ValueTypeF64
)

// A function of the interface takes numbers and may give one.
type function struct {
	name   string
	params []api.ValueType
	result []api.ValueType
	do     func(c call, a []uint64) uint64
}

// functions are the interface, in the order of the manual.
var functions = []function{
	{"panic", []api.ValueType{i32, i32}, nil, func(c call, a []uint64) uint64 {
		t := Thrown(c.text(uint32(a[0]), uint32(a[1])))
		c.r.thrown = &t
		stop(c.ctx, c.m)
		return 0
	}},
	{"warn", []api.ValueType{i32, i32}, nil, func(c call, a []uint64) uint64 {
		c.r.result.Warnings = append(c.r.result.Warnings, c.text(uint32(a[0]), uint32(a[1])))
		return 0
	}},
	{"return_to_nix", []api.ValueType{i32}, nil, func(c call, a []uint64) uint64 {
		c.r.result.Value, c.r.returned = c.value(uint32(a[0])), true
		stop(c.ctx, c.m)
		return 0
	}},
	{"get_type", []api.ValueType{i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		return uint64(kind(c.forced(uint32(a[0]), 0)))
	}},
	{"make_int", []api.ValueType{i64}, []api.ValueType{i32}, func(c call, a []uint64) uint64 { return uint64(c.r.add(int64(a[0]))) }},
	{"get_int", []api.ValueType{i32}, []api.ValueType{i64}, func(c call, a []uint64) uint64 {
		return uint64(c.forced(uint32(a[0]), isInt).(int64))
	}},
	{"make_float", []api.ValueType{f64}, []api.ValueType{i32}, func(c call, a []uint64) uint64 { return uint64(c.r.add(api.DecodeF64(a[0]))) }},
	{"get_float", []api.ValueType{i32}, []api.ValueType{f64}, func(c call, a []uint64) uint64 {
		return api.EncodeF64(c.forced(uint32(a[0]), isFloat).(float64))
	}},
	{"make_bool", []api.ValueType{i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		if a[0] > 1 {
			c.refuse("%d is no boolean", a[0])
		}
		return uint64(c.r.add(a[0] == 1))
	}},
	{"get_bool", []api.ValueType{i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		if c.forced(uint32(a[0]), isBool).(bool) {
			return 1
		}
		return 0
	}},
	{"make_null", nil, []api.ValueType{i32}, func(c call, a []uint64) uint64 { return uint64(c.r.add(nil)) }},
	{"make_string", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		return uint64(c.r.add(c.text(uint32(a[0]), uint32(a[1]))))
	}},
	{"copy_string", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		return uint64(c.copy([]byte(c.forced(uint32(a[0]), isString).(string)), uint32(a[1]), uint32(a[2])))
	}},
	{"copy_path", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		return uint64(c.copy([]byte(c.forced(uint32(a[0]), isPath).(Path)), uint32(a[1]), uint32(a[2])))
	}},
	{"make_path", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		base := string(c.forced(uint32(a[0]), isPath).(Path))
		return uint64(c.r.add(Path(path.Join(base, c.text(uint32(a[1]), uint32(a[2]))))))
	}},
	{"make_list", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		return uint64(c.r.add(List(c.list(uint32(a[0]), uint32(a[1])))))
	}},
	{"copy_list", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		l := c.forced(uint32(a[0]), isList).(List)
		if len(l) <= int(a[2]) {
			var out []uint32
			for _, e := range l {
				out = append(out, c.r.add(e))
			}
			c.put(out, uint32(a[1]))
		}
		return uint64(len(l))
	}},
	{"make_attrset", []api.ValueType{i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		s := Set{}
		w := c.words(uint32(a[0]), uint32(a[1]), 3)
		for ; len(w) > 0; w = w[3:] {
			name := c.text(w[0], w[1])
			if _, twice := s[name]; twice {
				c.refuse("there are two %q", name)
			}
			s[name] = c.value(w[2])
		}
		return uint64(c.r.add(s))
	}},
	{"copy_attrset", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		s := c.forced(uint32(a[0]), isSet).(Set)
		if len(s) <= int(a[2]) {
			var out []uint32
			for _, name := range order(s) {
				out = append(out, c.r.add(s[name]), uint32(len(name)))
			}
			c.put(out, uint32(a[1]))
		}
		return uint64(len(s))
	}},
	{"copy_attrname", []api.ValueType{i32, i32, i32, i32}, nil, func(c call, a []uint64) uint64 {
		names := order(c.forced(uint32(a[0]), isSet).(Set))
		if int(a[1]) >= len(names) {
			c.refuse("there is no attribute %d", a[1])
		}
		name := names[a[1]]
		if len(name) != int(a[3]) {
			c.refuse("%q is not of %d bytes", name, a[3])
		}
		c.copy([]byte(name), uint32(a[2]), uint32(a[3]))
		return 0
	}},
	{"get_attr", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		v, there := c.forced(uint32(a[0]), isSet).(Set)[c.text(uint32(a[1]), uint32(a[2]))]
		if !there {
			return 0
		}
		return uint64(c.r.add(v))
	}},
	{"call_function", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		f, args := c.forced(uint32(a[0]), isFunction).(Function), c.list(uint32(a[1]), uint32(a[2]))
		if f.Call == nil {
			c.refuse("%s is called, and must not be", f.Nix)
		}
		v, err := f.Call(args)
		if err != nil {
			c.refuse("%s", err)
		}
		return uint64(c.r.add(v))
	}},
	{"make_app", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		f, args := c.value(uint32(a[0])), c.list(uint32(a[1]), uint32(a[2]))
		if len(args) == 0 {
			return uint64(c.r.add(f))
		}
		return uint64(c.r.add(Call{f, args}))
	}},
	{"read_file", []api.ValueType{i32, i32, i32}, []api.ValueType{i32}, func(c call, a []uint64) uint64 {
		return uint64(c.copy(c.file(uint32(a[0])), uint32(a[1]), uint32(a[2])))
	}},
}

// Interface are the names of the functions that an evaluator gives its plugins, sorted.
func Interface() []string {
	var names []string
	for _, f := range functions {
		names = append(names, f.name)
	}
	slices.Sort(names)
	return names
}

// order is the order of a set's attributes, which is the evaluator's business: here the other way round.
func order(s Set) []string {
	names := slices.Sorted(maps.Keys(s))
	slices.Reverse(names)
	return names
}

// env gives a runtime the interface.
func env(ctx context.Context, r wazero.Runtime) error {
	b := r.NewHostModuleBuilder("env")
	for _, f := range functions {
		b.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
			run := ctx.Value(runKey{}).(*run)
			run.result.Calls[f.name]++
			a := slices.Clone(stack[:len(f.params)])
			for i, p := range f.params {
				if p == i32 {
					a[i] = uint64(uint32(a[i]))
				}
			}
			out := f.do(call{ctx, m, run, f.name}, a)
			if len(f.result) > 0 {
				stack[0] = out
			}
		}), f.params, f.result).Export(f.name)
	}
	_, err := b.Instantiate(ctx)
	return err
}
