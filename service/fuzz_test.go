package service_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzLoad loads anything as a spec. Nothing may panic, every diagnostic must be
// well formed, and what has no errors must become modules and a plan.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{badSpecs + "/*/*.hcl", goodSpecs + "/*/*.hcl", "../testdata/routers/*/*.hcl"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			f.Fatal(pattern, err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "/bad/costly/router.hcl") {
				continue // a second each: go test ends a worker with an input of ten, and is slower than nbr
			}
			b, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	reg := registry()
	f.Fuzz(func(t *testing.T, b []byte) {
		fsys := fstest.MapFS{"router.hcl": {Data: b}, "s.yaml": {Data: []byte("a: ENC[AES256_GCM,x]")}}
		spec, diags := reg.Load(fsys, nil)
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
	})
}
