package service_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// values are what stands in for the value of any argument, one after the other.
var values = []string{
	"null", "true", "-1", "1e999999999", `""`, `"x y"`, `"\n"`, `"a\u0000"`, `"192.168.1.1"`, `"dhcp"`, "[]", "[null]", "{}", "{ a = { b = [] } }",
	"local.none", "var.none", "each.key", "port.lan1", "port.end0", "network.lan", "zone.lan", "[network.lan]", "[port.lan1, bridge.br0]", "[zone.lan]",
	"network.lan.ipv4", `cidrhost("10.0.0.0/8", 1)`, "upper(", `"${network}"`,
}

// places are the ranges of a file that can be replaced: the values of arguments,
// and whole arguments and blocks.
func places(body *hclsyntax.Body) (exprs, whole []hcl.Range) {
	for _, a := range body.Attributes {
		exprs, whole = append(exprs, a.Expr.Range()), append(whole, a.SrcRange)
	}
	for _, b := range body.Blocks {
		e, w := places(b.Body)
		exprs, whole = append(exprs, e...), append(append(whole, w...), hcl.RangeBetween(b.TypeRange, b.CloseBraceRange))
	}
	return exprs, whole
}

// TestMutations changes one thing after the other in good specs. Nothing may
// panic, every diagnostic must be well formed, and what is still good must become
// modules and a plan.
func TestMutations(t *testing.T) {
	names, err := filepath.Glob(goodSpecs + "/*/*.hcl")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f, diags := hclsyntax.ParseConfig(src, filepath.Base(name), hcl.InitialPos)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			exprs, whole := places(f.Body.(*hclsyntax.Body))
			for _, at := range whole {
				loadMutant(t, name, src, at, "")
			}
			for _, at := range exprs {
				for _, v := range values {
					loadMutant(t, name, src, at, v)
				}
			}
		})
	}
}

func loadMutant(t *testing.T, name string, src []byte, at hcl.Range, with string) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s, %q in the place of %q: panic: %v", at, with, at.SliceBytes(src), r)
		}
	}()
	mutant := append(append(append([]byte{}, src[:at.Start.Byte]...), with...), src[at.End.Byte:]...)
	spec, diags := registry().Load(over{os.DirFS(filepath.Dir(name)), fstest.MapFS{filepath.Base(name): {Data: mutant}}}, nil)
	for _, d := range diags {
		wellFormed(t, d)
	}
	if diags.HasErrors() {
		return
	}
	for _, m := range spec.Modules() {
		m.Module.Print()
	}
	spec.Plan()
}

// over is a file system whose files another one has others for.
type over struct {
	fs.FS
	top fs.FS
}

func (o over) Open(name string) (fs.File, error) {
	if f, err := o.top.Open(name); err == nil && name != "." {
		return f, nil
	}
	return o.FS.Open(name)
}
