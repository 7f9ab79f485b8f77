package evaluatortest_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/cmd"
	et "github.com/nbr-dev/nbr/internal/evaluatortest"
	"github.com/nbr-dev/nbr/service/all"
)

const repo = "../.."

var (
	once   sync.Once
	shared *et.Plugin
	size   int64
)

// forever is a test whose end nothing waits for: what the plugin is made of is for all tests.
type forever struct{ testing.TB }

func (forever) Cleanup(func()) {}

// plugin is nbr's own, which is compiled once for all tests.
func plugin(t testing.TB) *et.Plugin {
	t.Helper()
	once.Do(func() {
		file := os.Getenv("NBR_WASM") // one that has been built already
		if file == "" {
			file = et.Build(t, repo, "./cmd/nbr-wasm")
		}
		if info, err := os.Stat(file); err == nil {
			size = info.Size()
		}
		shared = et.Compile(forever{t}, file)
	})
	if shared == nil {
		t.Fatal("no plugin")
	}
	return shared
}

// tree generates the tree of a spec and returns its folder and the router's name.
func tree(t testing.TB, dir string) (out, name string) {
	t.Helper()
	out = filepath.Join(t.TempDir(), "out")
	var said bytes.Buffer
	env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &said, Source: nbr.Source()}
	if code := cmd.Run(context.Background(), env, []string{"gen", "-o", out, dir}, all.Kinds()...); code != 0 {
		t.Fatalf("exit code %d\n%s", code, said.String())
	}
	specs, err := filepath.Glob(filepath.Join(out, "routers/*/spec"))
	if err != nil || len(specs) != 1 {
		t.Fatalf("%d routers in the tree: %v", len(specs), err)
	}
	return out, filepath.Base(filepath.Dir(specs[0]))
}

// argument calls the plugin as flake/lib.nix does, for the spec in a tree.
func argument(t testing.TB, out, name string) et.Set {
	t.Helper()
	return et.Set{
		"spec":      et.Path(filepath.Join(out, "routers", name, "spec")),
		"functions": et.Functions(),
		"library":   et.Library(t, filepath.Join(out, "routers/nbr")),
		"args":      et.Args("nixos-sbc", "sops-nix", "agenix", "nbr", "lists"),
	}
}

// article is the router of the article.
var article = filepath.Join(repo, "testdata/routers/bpi-r4")

// Whatever it may read as randomness, the result is one and the same; nothing but the calls that are meant is
// made of the evaluator, and nothing of the module's arguments is evaluated, which Run refuses.
func TestDeterministic(t *testing.T) {
	out, name := tree(t, article)
	var first string
	for i := range byte(3) {
		r, err := plugin(t).Run(argument(t, out, name), bytes.NewReader(bytes.Repeat([]byte{i, 7 * i, 91}, 1<<16)))
		if err != nil {
			t.Fatal(err)
		}
		text := et.Nix(r.Value)
		if first == "" {
			first = text
			t.Logf("%d bytes of Nix, %v", len(text), r.Calls)
		}
		if text != first {
			t.Error("another seed gives another value")
		}
	}
}
