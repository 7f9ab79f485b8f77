package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

// passphrase has the form of no secret: only the name before it tells.
const passphrase = "correct-horse-staple"

// pieces are what the two canaries fall into where a quote is missing, in lower case.
var pieces = []string{"yanz5tf", "lxxjte14tji3zlmnq", "hd2ryuigjbgb3fbmk", "correct-horse", "horse-staple", "correct"}

// head is a router for a block to be in.
const head = "router \"r\" {\n  board         = \"bananapi-bpir4\"\n  memory        = \"4GiB\"\n  state_version = \"25.11\"\n  console_only  = true\n}\n\n" +
	"network \"lan\" {\n  link = port.lan1\n  ipv4 = \"10.0.0.1/24\"\n}\n\nzone \"lan\" {\n  networks = [network.lan]\n}\n\nsecret \"s\" {\n  path = \"/run/s\"\n}\n\n"

// A sung is a spec with a canary in it.
type sung struct {
	name  string
	files map[string]string
	vars  []string
}

// wrong are the forms in which a value gets into a place that is not for it.
func wrong(value string) map[string]string {
	return map[string]string{
		"text": `"` + value + `"`, "bare": value, "open": `"` + value, "unopened": value + `"`, "heredoc": "<<EOT\n" + value + "\nEOT",
		"list": `["` + value + `"]`, "lines": "[\n\"" + value + "\",\n]", "object": `{ a = "` + value + `" }`, "function": `upper("` + value + `")`, "template": `"${lower("` + value + `")}x"`,
		"unknown": `none("` + value + `")`, "comment": `[[]] # ` + value, "beside": `[[]] # "` + value + `"`, "condition": `true ? "` + value + `" : null`,
	}
}

// songs are specs that have the canaries everywhere: in each argument of each block, in
// arguments that are none, in variables, keys and files of values, in both syntaxes.
func songs() []sung {
	var out []sung
	add := func(name, text string, vars ...string) {
		out = append(out, sung{name, map[string]string{"router.hcl": head + text + "\n"}, vars})
	}
	var walk func(path string, s conf.Schema, around func(string) string, inJSON func(any) any)
	walk = func(path string, s conf.Schema, around func(string) string, inJSON func(any) any) {
		label := ""
		if s.Label != "" {
			label = ` "x"`
		}
		in := func(body string) string { return around(s.Type + label + " {\n  " + body + "\n}") }
		asJSON := func(v any) any {
			if s.Label != "" {
				v = map[string]any{"x": v}
			}
			return inJSON(map[string]any{s.Type: v})
		}
		put := func(name string, v any) {
			b, err := json.Marshal(asJSON(v))
			if err != nil {
				panic(err)
			}
			out = append(out, sung{name, map[string]string{"router.hcl": head, "more.hcl.json": string(b)}, nil})
		}
		for _, a := range s.Attributes {
			at := path + "." + a.Name
			if a.Name != "public_key" { // where such a value belongs, and it is public
				for form, v := range wrong(canary) {
					add(at+"/"+form, in(a.Name+" = "+v))
				}
				put(at+"/json", map[string]any{a.Name: canary})
			}
			add(at+"/local", in(a.Name+" = local.password")+"\nlocals {\n  password = \""+passphrase+"\"\n}\n")
			add(at+"/var", in(a.Name+" = var.password")+"\nvariable \"password\" {}\n", "-var", "password="+passphrase)
		}
		for _, name := range []string{"privat_key", "password", "psk", "api_token", "pasword"} {
			for form, v := range wrong(passphrase) {
				add(path+"."+name+"/"+form, in(name+" = "+v))
			}
			put(path+"."+name+"/json", map[string]any{name: passphrase})
			put(path+"."+name+"/json object", map[string]any{name: map[string]any{"a": []any{passphrase}}})
		}
		if s.Label != "" {
			add(path+"/label", strings.Replace(in(""), ` "x"`, ` "`+canary+`"`, 1))
			add(path+"/key", in(`for_each = toset(["`+canary+`"])`))
			add(path+"/keys", in(`for_each = { "`+canary+`" = 1 }`))
		}
		for _, b := range s.Blocks {
			walk(path+"."+b.Type, b, in, asJSON)
		}
	}
	for _, t := range (&service.Registry{Kinds: all.Kinds()}).Types() {
		walk(t.Type, conf.SchemaOf(t), func(s string) string { return s }, func(v any) any { return v })
	}
	add("unknown block", "vpn \"x\" {\n  password = \""+passphrase+"\"\n}\n")
	add("variable of a type", "variable \"psk\" {\n  type = number\n  default = \""+passphrase+"\"\n}\n")
	add("given to a type", "variable \"psk\" {\n  type = list(number)\n}\n", "-var", "psk="+passphrase)
	add("given to number", "variable \"x\" {\n  type = number\n}\n", "-var", "x="+canary)
	add("given to none", "", "-var", "x="+canary)
	add("no name", "", "-var", passphrase)
	add("validation", "variable \"psk\" {\n  default = \""+passphrase+"\"\n  validation {\n    condition = var.psk == \"\"\n    error_message = \"not ${var.psk}\"\n  }\n}\n")
	add("function", "locals {\n  password = \""+passphrase+"\"\n  x = cidrhost(local.password, 1)\n}\n")
	add("PEM", "locals {\n  x = <<EOT\n-----BEGIN OPENSSH PRIVATE KEY-----\ncorrect-horse\n-----END OPENSSH PRIVATE KEY-----\nEOT\n  y = <<EOT\n-----BEGIN PRIVATE KEY-----\ncorrect${none}\n-----END PRIVATE KEY-----\nEOT\n}\n")
	add("command", "check \"x\" {\n  command = [\"curl\", \"-H\", \"X: "+canary+"\"]\n}\n")
	add("minified", `locals { a = 1, password = "`+passphrase+`", b = none }`)
	out = append(out, sung{"file of values", map[string]string{"router.hcl": head + "variable \"psk\" {\n  type = number\n}\n", "nbr.vars.json": `{"psk": "` + passphrase + `"}`}, nil})
	out = append(out, sung{"broken values", map[string]string{"router.hcl": head, "nbr.vars.json": `{"psk": ` + passphrase + `}`}, nil})
	return out
}

// TestCanaries puts secrets where none belong and reads everything that nbr says of it.
func TestCanaries(t *testing.T) {
	specs := songs()
	if len(specs) < 2000 {
		t.Fatalf("only %d specs", len(specs))
	}
	slices.SortFunc(specs, func(a, b sung) int { return strings.Compare(a.name, b.name) })
	dir := t.TempDir()
	failed := 0
	for _, s := range specs {
		spec, out := filepath.Join(dir, "spec"), filepath.Join(dir, "out")
		for _, d := range []string{spec, out} {
			if err := os.RemoveAll(d); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Mkdir(spec, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range s.files {
			if err := os.WriteFile(filepath.Join(spec, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		var said bytes.Buffer
		run := func(stop int, args ...string) bool {
			env := Env{Stdin: strings.NewReader(`{"format_version": 3}`), Stdout: &said, Stderr: &said}
			return Run(t.Context(), env, args, all.Kinds()...) == stop
		}
		with := func(args ...string) []string { return append(append(args, s.vars...), spec) }
		good := run(ExitOK, with("check")...)
		run(0, with("check", "-format", "json")...)
		run(0, with("check", "-format", "github")...)
		run(0, "fmt", "-diff", spec)
		if good {
			run(0, with("gen", "-diff", "-o", out)...)
			run(0, with("verify", "-plan")...)
			for _, form := range []string{"svg", "dot", "mermaid"} {
				run(0, with("graph", "-format", form)...)
			}
			for _, form := range []string{"text", "json", "junit", "tap"} {
				run(0, with("verify", "-v", "-format", form, "-state", emptyState(t, dir))...)
			}
			run(0, append(append([]string{"explain"}, s.vars...), strings.SplitN(s.name, "/", 2)[0], spec)...)
			if strings.Count(s.name, ".") == 1 && run(ExitOK, with("gen", "-o", out)...) {
				said.Reset() // a tree has what the spec says; what explain shows of it has not
				explainAll(t, out, run)
			}
		}
		for _, p := range pieces {
			if i := strings.Index(strings.ToLower(said.String()), p); i >= 0 {
				t.Errorf("%s: %q is in the output:\n%s", s.name, p, said.String()[max(0, i-300):min(said.Len(), i+200)])
				if failed++; failed > 20 {
					t.Fatal("…")
				}
				break
			}
		}
	}
}

// emptyState is a record in which nothing could be seen.
func emptyState(t *testing.T, dir string) string {
	t.Helper()
	file := filepath.Join(dir, "state.json")
	if err := os.WriteFile(file, []byte(`{"format_version": 3}`), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// explainAll asks for every line of the modules that hold a canary.
func explainAll(t *testing.T, out string, run func(int, ...string) bool) {
	t.Helper()
	modules, err := filepath.Glob(filepath.Join(out, "routers", "*", "*.nix"))
	if err != nil || len(modules) == 0 {
		t.Fatal("no modules", err)
	}
	for _, m := range modules {
		b, err := os.ReadFile(m)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range strings.Split(string(b), "\n") {
			if strings.Contains(l, canary) || strings.Contains(l, passphrase) {
				run(0, "explain", fmt.Sprintf("%s:%d", m, i+1))
			}
		}
	}
}
