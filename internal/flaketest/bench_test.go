package flaketest_test

import (
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// BenchmarkGenProcess runs the program as a person does: a new process that reads
// the article's router, makes the tree and writes it to a new folder. Its floor is
// the same program saying its version.
func BenchmarkGenProcess(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "nbr")
	build := exec.Command("go", "build", "-o", bin, "./cmd/nbr")
	build.Dir = repo
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	spec, err := filepath.Abs(filepath.Join(repo, "testdata/routers/bpi-r4"))
	if err != nil {
		b.Fatal(err)
	}
	out := b.TempDir()
	n := 0
	b.Run("gen", func(b *testing.B) {
		for b.Loop() {
			n++
			if msg, err := exec.Command(bin, "gen", "-o", filepath.Join(out, strconv.Itoa(n)), spec).CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, msg)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		for b.Loop() {
			if msg, err := exec.Command(bin, "version").CombinedOutput(); err != nil {
				b.Fatalf("%v\n%s", err, msg)
			}
		}
	})
}
