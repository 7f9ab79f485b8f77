package service_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/service"
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
			reg := registry()
			for _, at := range whole {
				loadMutant(t, reg, name, src, at, "")
			}
			for _, at := range exprs {
				for _, v := range values {
					loadMutant(t, reg, name, src, at, v)
				}
			}
		})
	}
}

// TestNoFollowOn makes one value after the other one that no argument takes. What
// is then told must all be about that place: what only needs it says nothing.
func TestNoFollowOn(t *testing.T) {
	names, err := filepath.Glob(goodSpecs + "/*/*.hcl")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		f, diags := hclsyntax.ParseConfig(src, filepath.Base(name), hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		var exprs []hcl.Range
		for _, b := range f.Body.(*hclsyntax.Body).Blocks {
			if b.Type != "locals" && b.Type != "variable" { // there it is a value as any other
				e, _ := places(b.Body)
				exprs = append(exprs, e...)
			}
		}
		for _, at := range exprs {
			const bad = "[[[]]]"
			_, diags := registry().Load(mutant(name, src, at, bad), nil)
			if !diags.HasErrors() {
				t.Errorf("%s: %s is taken", name, at)
			}
			for _, d := range diags {
				if d.Severity == hcl.DiagError && (d.Subject == nil || d.Subject.Start.Byte < at.Start.Byte || d.Subject.End.Byte > at.Start.Byte+len(bad)) {
					t.Errorf("%s: after an error at %s: %s [%s]", name, at, d, diag.Code(d))
				}
			}
		}
	}
}

// mutant is a spec in which something else stands in one place of a file.
func mutant(name string, src []byte, at hcl.Range, with string) fs.FS {
	text := slices.Concat(src[:at.Start.Byte], []byte(with), src[at.End.Byte:])
	return over{os.DirFS(filepath.Dir(name)), fstest.MapFS{filepath.Base(name): {Data: text}}}
}

func loadMutant(t *testing.T, reg *service.Registry, name string, src []byte, at hcl.Range, with string) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s, %q in the place of %q: panic: %v", at, with, at.SliceBytes(src), r)
		}
	}()
	spec, diags := reg.Load(mutant(name, src, at, with), nil)
	for _, d := range diags {
		wellFormed(t, d)
		helpApart(t, d)
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
