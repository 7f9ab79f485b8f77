package nixgen

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/lab"
)

// nix runs the real nix-instantiate.
func nix(t *testing.T, args ...string) string {
	t.Helper()
	out, err := lab.Nix(t).Try(t, "nix-instantiate", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// eval prints e and has Nix evaluate it, into v.
func eval(t *testing.T, e Expr, v any) {
	t.Helper()
	file := write(t, t.TempDir(), "e.nix", Print(e))
	if err := json.Unmarshal([]byte(nix(t, "--eval", "--strict", "--json", file)), v); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, dir, name string, data []byte) (file string) {
	t.Helper()
	file = filepath.Join(dir, name)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// checkNixfmt has nixfmt judge the files in dir if NBR_NIXFMT names one. It is
// not in Debian, so the goldens, which it has seen, stand for it elsewhere.
func checkNixfmt(t *testing.T, dir string) {
	t.Helper()
	bin := os.Getenv("NBR_NIXFMT")
	if bin == "" {
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.nix"))
	if err != nil || len(files) == 0 {
		t.Fatal("no files for nixfmt in ", dir)
	}
	if out, err := exec.Command(bin, append([]string{"--strict", "--check"}, files...)...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%.4000s", err, out)
	}
}

// TestNixReadsBack evaluates thousands of nasty strings in every position that
// a string can have and compares what Nix reads with what was meant.
func TestNixReadsBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var want []string
	for _, s := range nasty {
		want = append(want, s)
		for _, s2 := range nasty {
			want = append(want, s+s2, s+s2+"\n")
		}
	}
	for range 2000 {
		want = append(want, nastyString(r), nastyText(r))
	}
	indented := 0
	var es List
	for _, s := range want {
		if indentable(s) {
			indented++
		}
		a, b := halves(s)
		es = append(es, Attrs{
			{[]string{"str"}, Str(s)},
			{[]string{"lines"}, Lines(s)},
			{[]string{"concat"}, Concat{Str(a), Var("x"), Str(b), Str("$"), Var("x"), Str("{"), Str(b)}},
			{[]string{"name"}, Call{Var("builtins.attrNames"), []Expr{Attrs{{[]string{s}, Int(1)}}}}},
		})
	}
	if indented < 1000 {
		t.Fatalf("only %d of %d texts are indented strings", indented, len(want))
	}
	var got []struct {
		Str, Lines, Concat string
		Name               []string
	}
	eval(t, Let{[]Attr{{[]string{"x"}, Str("<${>")}}, es}, &got)
	if len(got) != len(want) {
		t.Fatalf("%d of %d came back", len(got), len(want))
	}
	for i, s := range want {
		a, b := halves(s)
		concat := a + "<${>" + b + "$<${>{" + b
		if g := got[i]; g.Str != s || g.Lines != s || g.Concat != concat || len(g.Name) != 1 || g.Name[0] != s {
			t.Errorf("%q came back as %q", s, g)
		}
	}
	t.Logf("%d strings, %d of them as indented strings", len(want), indented)
}

func halves(s string) (string, string) {
	r := []rune(s)
	return string(r[:len(r)/2]), string(r[len(r)/2:])
}

func TestNixReadsNumbers(t *testing.T) {
	ints := []int64{0, 1, -1, 1 << 62, -1 << 63, 1<<63 - 1}
	floats := []float64{0, 1, -1, 0.1, 1e21, 1e-7, 123456.789, 5e-324, -5e-324, 2.2250738585072009e-308, 0x1p-1022, 1.7976931348623157e308, 100000}
	var is, fs List
	for _, i := range ints {
		is = append(is, Int(i))
	}
	for _, f := range floats {
		fs = append(fs, Float(f))
	}
	var got struct {
		Ints    []int64
		Floats  []float64
		Floated bool
	}
	eval(t, Attrs{
		{[]string{"ints"}, is},
		{[]string{"floats"}, fs},
		{[]string{"floated"}, Call{Var("builtins.all"), []Expr{Var("builtins.isFloat"), fs}}},
	}, &got)
	if diff := cmp.Diff(ints, got.Ints); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(floats, got.Floats); diff != "" {
		t.Error(diff)
	}
	if !got.Floated {
		t.Error("a float is no float")
	}
}

// TestNixParsesTheSame prints random trees in another way, with parentheses
// around everything, and compares how Nix reads the two.
func TestNixParsesTheSame(t *testing.T) {
	dir := t.TempDir()
	var ours, plain []string
	for i := range 1500 {
		e := randomExpr(rand.New(rand.NewPCG(uint64(i), 3)), true)
		ours = append(ours, write(t, dir, fmt.Sprintf("ours%d.nix", i), Print(e)))
		plain = append(plain, write(t, dir, fmt.Sprintf("plain%d.txt", i), []byte(parenthesized(e))))
	}
	got := strings.Split(nix(t, append([]string{"--parse"}, ours...)...), "\n")
	want := strings.Split(nix(t, append([]string{"--parse"}, plain...)...), "\n")
	if len(got) < len(ours) {
		t.Fatalf("%d trees, %d answers", len(ours), len(got))
	}
	for i, file := range ours {
		if got[i] != want[i] {
			src, _ := os.ReadFile(file)
			t.Fatalf("tree %d means\n%s\nprinted it means\n%s\n%s", i, want[i], got[i], src)
		}
	}
	checkNixfmt(t, dir)
}

// parenthesized prints an expression on one line, with all parentheses.
func parenthesized(e Expr) string {
	all := func(es []Expr) string {
		var b strings.Builder
		for _, e := range es {
			b.WriteString(" " + parenthesized(e))
		}
		return b.String()
	}
	binds := func(as []Attr) string {
		var b strings.Builder
		for _, a := range as {
			for i, n := range a.Name {
				b.WriteString(strings.Repeat(".", min(i, 1)) + cautious(n))
			}
			b.WriteString(" = " + parenthesized(a.Value) + "; ")
		}
		return b.String()
	}
	switch x := e.(type) {
	case At:
		return parenthesized(x.Expr)
	case Str:
		return cautious(string(x))
	case Lines:
		return cautious(string(x))
	case Concat:
		var b strings.Builder
		for _, part := range x {
			b.WriteString(interpolated(part))
		}
		return `"` + b.String() + `"`
	case Int:
		if x < 0 {
			return fmt.Sprintf("(-%d)", -x)
		}
		return fmt.Sprint(int64(x))
	case Float:
		s := fmt.Sprintf("(%.17f)", max(x, -x))
		if x < 0 {
			return "(-" + s + ")"
		}
		return s
	case Bool:
		return fmt.Sprint(bool(x))
	case Null:
		return "null"
	case Path:
		return string(x)
	case Var:
		return strings.ReplaceAll(string(x), "4ap", `"4ap"`)
	case List:
		return "[" + all(x) + " ]"
	case Attrs:
		return "{ " + binds(x) + "}"
	case Call:
		return "(" + parenthesized(x.Fn) + all(x.Args) + ")"
	case Fn:
		if x.Arg != "" {
			return "(" + x.Arg + ": " + parenthesized(x.Body) + ")"
		}
		params := strings.Join(x.Params, ", ")
		if x.Ellipsis {
			params = strings.TrimPrefix(params+", ...", ", ")
		}
		return "({" + params + "}: " + parenthesized(x.Body) + ")"
	case Let:
		if len(x.Binds) == 0 {
			return parenthesized(x.Body)
		}
		return "(let " + binds(x.Binds) + "in " + parenthesized(x.Body) + ")"
	case With:
		return "(with " + parenthesized(x.Scope) + "; " + parenthesized(x.Body) + ")"
	case Op:
		return parenthesizedOp(x)
	}
	panic(fmt.Sprintf("%T", e))
}

// parenthesizedOp nests what is associative the way Nix itself does, since
// Print makes no difference there.
func parenthesizedOp(o Op) string {
	if o.Op == "?" {
		return "(" + parenthesized(o.L) + " ? " + string(o.R.(Var)) + ")"
	}
	var flat func(e Expr) []string
	flat = func(e Expr) []string {
		x, ok := peel(e).(Op)
		if l, isLet := peel(e).(Let); isLet && len(l.Binds) == 0 {
			return flat(l.Body)
		}
		if !ok || x.Op != o.Op {
			return []string{parenthesized(e)}
		}
		return append(flat(x.L), flat(x.R)...)
	}
	switch o.Op {
	case "++", "//":
		s := flat(o)
		return "(" + strings.Join(s, " "+o.Op+" (") + strings.Repeat(")", len(s))
	case "&&", "||":
		s := flat(o)
		return strings.Repeat("(", len(s)) + strings.Join(s, ") "+o.Op+" ") + ")"
	}
	return "(" + parenthesized(o.L) + " " + o.Op + " " + parenthesized(o.R) + ")"
}

// interpolated is a part of a string. Strings in strings become one, as Print
// makes them.
func interpolated(e Expr) string {
	switch x := peel(e).(type) {
	case Str, Lines, Concat:
		s := parenthesized(x)
		return s[1 : len(s)-1]
	}
	return "${" + parenthesized(e) + "}"
}

// cautious quotes a string for Nix with a backslash before every character
// that could mean anything.
func cautious(s string) string {
	var b strings.Builder
	for _, c := range s {
		switch c {
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		case '"', '\\', '$', '{', '\'':
			b.WriteString(`\` + string(c))
		default:
			b.WriteRune(c)
		}
	}
	return `"` + b.String() + `"`
}
