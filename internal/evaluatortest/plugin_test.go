package evaluatortest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/cmd"
	et "github.com/nbr-dev/nbr/internal/evaluatortest"
	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/service/all"
)

const repo = "../.."

var (
	once   sync.Once
	shared *et.Plugin
	code   []byte // of the module
)

// forever is a test whose end nothing waits for: what the plugin is made of is for all tests.
type forever struct{ testing.TB }

func (forever) Cleanup(func()) {}

// plugin is nbr's own, which is compiled once for all tests.
func plugin(t testing.TB) *et.Plugin {
	t.Helper()
	once.Do(func() {
		file := os.Getenv("NBR_WASM") // one that has been built
		if file == "" {
			file = et.Build(t, repo, "./cmd/nbr-wasm")
		}
		var err error
		if code, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
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

// A plugin refuses what is no argument of it, with a message that says which.
func TestWrongArgument(t *testing.T) {
	out, name := tree(t, article)
	for _, tt := range []struct {
		name, want string
		change     func(et.Set)
	}{
		{"no spec", "the argument spec is missing", func(a et.Set) { delete(a, "spec") }},
		{"a spec as a string", "spec is a string, and has to be a path", func(a et.Set) { a["spec"] = "router" }},
		{"a misspelt one", "there is no argument var. Did you mean", func(a et.Set) { a["var"] = et.Set{} }},
		{"no library", "the argument library is missing", func(a et.Set) { delete(a, "library") }},
		{"a function that is missing", "functions is without select", func(a et.Set) { delete(a["functions"].(et.Set), "select") }},
		{"a variable that is a number", "the variable x is an integer", func(a et.Set) { a["vars"] = et.Set{"x": int64(1)} }},
		{"a file that is a number", "the file a.hcl is an integer, and has to be a path or a string", func(a et.Set) { a["files"] = et.Set{"a.hcl": int64(1)} }},
		{"a file outside", "../a.hcl is no name of a file", func(a et.Set) { a["files"] = et.Set{"../a.hcl": ""} }},
		{"a file and a folder", "a is a file of the spec and a folder", func(a et.Set) { a["files"] = et.Set{"a": "", "a/b": ""} }},
		{"a variable that is not there", "The spec has no variable nobody, which is given a value", func(a et.Set) { a["vars"] = et.Set{"nobody": "x"} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			arg := argument(t, out, name)
			tt.change(arg)
			_, err := plugin(t).Run(arg, nil)
			var thrown et.Thrown
			if !errors.As(err, &thrown) || !strings.Contains(string(thrown), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

// A wrong spec is an error with the text of nbr check; a warning is one of the evaluator and in the result.
func TestDiagnostics(t *testing.T) {
	out, name := tree(t, article)
	spec, err := os.ReadFile(filepath.Join(out, "routers", name, "spec/router.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	run := func(text string) (et.Result, error) {
		arg := argument(t, out, name)
		delete(arg, "args")
		arg["files"] = et.Set{"router.hcl": text}
		return plugin(t).Run(arg, nil)
	}
	_, err = run(strings.Replace(string(spec), "link = bridge.br-lan", "link = bridge.br-lam", 1))
	for _, want := range []string{"Error: ", "on router.hcl line 18, column", "   18 |   link = bridge.br-lam\n", "^^^^", "br-lan"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is without %q:\n%v", want, err)
		}
	}
	r, err := run(string(spec) + "\naddress_set \"idle\" {\n  addresses = [\"192.0.2.1\"]\n}\n")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "Warning: Block that no other one names") || !strings.Contains(r.Warnings[0], "address_set \"idle\"") {
		t.Errorf("the warnings are %q", r.Warnings)
	}
	router := r.Value.(et.Set)[name].(et.Set)
	if w := router["warnings"].(et.List); len(w) != 1 || w[0].(et.Set)["code"] != "unused" {
		t.Errorf("the result has the warnings %s", et.Nix(w))
	}
	if _, there := router["module"]; there {
		t.Error("a module without its arguments")
	}
}

// The description is that of nbr eval.
func TestDescription(t *testing.T) {
	out, name := tree(t, article)
	arg := argument(t, out, name)
	delete(arg, "args")
	r, err := plugin(t).Run(arg, nil)
	if err != nil {
		t.Fatal(err)
	}
	var said, stderr bytes.Buffer
	env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &stderr}
	if code := cmd.Run(context.Background(), env, []string{"eval", string(arg["spec"].(et.Path))}, all.Kinds()...); code != 0 {
		t.Fatal(code, stderr.String())
	}
	var got, want any
	lab.Nix(t).EvalJSON(t, et.Nix(r.Value), &got)
	if err := json.Unmarshal(said.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("nbr eval and the plugin differ (-eval +plugin):\n%s", d)
	}
	lan := got.(map[string]any)[name].(map[string]any)["spec"].(map[string]any)["network"].(map[string]any)["lan"].(map[string]any)
	if lan["ipv4"] != "192.168.178.1/24" || lan["link"] != "bridge.br-lan" || lan["domain"] != nil {
		t.Errorf("network.lan is %v", lan)
	}
}

// Large files come through, also one whose size only the second question can tell, and what is too large is
// told of.
func TestLargeStrings(t *testing.T) {
	out, name := tree(t, article)
	arg := argument(t, out, name)
	spec, err := os.ReadFile(filepath.Join(string(arg["spec"].(et.Path)), "router.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	run := func(comment int) error {
		arg["files"] = et.Set{"router.hcl": string(spec) + "\n# " + strings.Repeat("x", comment) + "\n"}
		_, err := plugin(t).Run(arg, nil)
		return err
	}
	if err := run(1 << 18); err != nil {
		t.Error(err)
	}
	if err := run(5 << 20); err == nil || !strings.Contains(err.Error(), "too-large") {
		t.Errorf("a file of 5 MiB: %v", err)
	}
}

// The third party's plugin has its block in it, and the module of it is the program's.
func TestThirdPartysPlugin(t *testing.T) {
	p := et.Compile(t, et.Build(t, filepath.Join(repo, "testdata/thirdparty"), "./wasm"))
	spec, err := filepath.Abs(filepath.Join(repo, "testdata/thirdparty/spec"))
	if err != nil {
		t.Fatal(err)
	}
	out, _ := tree(t, article)
	arg := argument(t, out, "bpi-r4")
	arg["spec"] = et.Path(spec)
	r, err := p.Run(arg, nil)
	if err != nil {
		t.Fatal(err)
	}
	text := et.Nix(r.Value.(et.Set)["branch"].(et.Set)["module"])
	for _, want := range []string{`"vxlan_id" = (42);`, `"10.0.0.2" = [ "office" ]`} {
		if !strings.Contains(text, want) {
			t.Errorf("the module is without %s", want)
		}
	}
	if _, err := plugin(t).Run(arg, nil); err == nil || !strings.Contains(err.Error(), "overlay") {
		t.Errorf("nbr's own plugin says of the block: %v", err)
	}
}

// A Determinate Nix, if NBR_DETERMINATE_NIX is the path of one, runs the plugin itself: what it says of the
// article's router is what nbr eval says.
func TestDeterminateNix(t *testing.T) {
	nix := os.Getenv("NBR_DETERMINATE_NIX")
	if nix == "" {
		t.Log("ABSENT determinate-nix: NBR_DETERMINATE_NIX names none")
		return
	}
	file := os.Getenv("NBR_WASM")
	if file == "" {
		file = et.Build(t, repo, "./cmd/nbr-wasm")
	}
	root, err := filepath.Abs(repo)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), nix, "eval", "--json", "--impure", "--extra-experimental-features", "nix-command wasm-builtin", "--expr",
		`builtins.wasm { path = `+file+`; } { spec = `+root+`/testdata/routers/bpi-r4; functions = import `+root+`/flake/values.nix; }`)
	b, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	var got, want map[string]any
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	var said, stderr bytes.Buffer
	env := cmd.Env{Stdin: strings.NewReader(""), Stdout: &said, Stderr: &stderr}
	if code := cmd.Run(t.Context(), env, []string{"eval", article}, all.Kinds()...); code != 0 {
		t.Fatal(code, stderr.String())
	}
	if err := json.Unmarshal(said.Bytes(), &want); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("nbr eval and Determinate Nix differ (-eval +nix):\n%s", d)
	}
}

// BenchmarkPlugin is from the start of the compiled module to its result, for the article's router. The module's
// size is told as it is and as a binary cache has it, and the time also as that of a processor, which a machine that
// does other things, too, does not change.
func BenchmarkPlugin(b *testing.B) {
	out, name := tree(b, article)
	p, arg := plugin(b), argument(b, out, name)
	start := used(b)
	for b.Loop() {
		if _, err := p.Run(arg, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((used(b)-start).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(len(code))/1e6, "MB")
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(len(zip.EncodeAll(code, nil)))/1e6, "MB-compressed")
}

// used is the time that processors have spent on this program.
func used(b *testing.B) time.Duration {
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
