package language_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/firmware"
	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/hcl/source"
	"github.com/nbr-dev/nbr/service"
	"github.com/nbr-dev/nbr/service/all"
)

func registry() *service.Registry {
	return &service.Registry{Kinds: all.Kinds(), Boards: firmware.Boards()}
}

// specs are the files of every good spec, by folder.
func specs(t testing.TB) map[string]map[string][]byte {
	t.Helper()
	out := map[string]map[string][]byte{}
	for _, pattern := range []string{"../../testdata/routers/*/*.hcl*", "../../testdata/good/*/*.hcl*"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatal(pattern, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			dir, base := filepath.Split(name)
			if out[dir] == nil {
				out[dir] = map[string][]byte{}
			}
			out[dir][base] = b
		}
	}
	if len(out) < 40 {
		t.Fatalf("%d specs", len(out))
	}
	return out
}

// parsed are the names that the parser finds in a file of the native syntax: "network.lan at 12-23".
func parsed(t *testing.T, name string, src []byte, types map[string]bool) []string {
	t.Helper()
	f, diags := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	var out []string
	var walk func(b *hclsyntax.Body, variable bool)
	walk = func(b *hclsyntax.Body, variable bool) {
		for _, a := range b.Attributes {
			if variable && a.Name == "type" {
				continue // words of types, which are none of the spec
			}
			for _, tr := range a.Expr.Variables() {
				root := tr.RootName()
				if !types[root] && root != "port" && root != "var" && root != "local" && root != "each" {
					continue
				}
				text, at := root, tr[0].SourceRange()
				if len(tr) > 1 {
					switch step := tr[1].(type) {
					case hcl.TraverseAttr:
						text, at = root+"."+step.Name, hcl.RangeBetween(at, step.SrcRange)
					case hcl.TraverseIndex:
						if step.Key.Type() == cty.String {
							text, at = root+"."+step.Key.AsString(), hcl.RangeBetween(at, step.SrcRange)
						}
					}
				}
				out = append(out, fmt.Sprintf("%s at %d-%d", text, at.Start.Byte, at.End.Byte))
			}
		}
		for _, inner := range b.Blocks {
			walk(inner.Body, inner.Type == "variable")
		}
	}
	walk(f.Body.(*hclsyntax.Body), false)
	return out
}

// The tokens say the same names as the parser, at the same places, of every good spec.
func TestUsesAreTheParsers(t *testing.T) {
	types := map[string]bool{}
	for _, typ := range registry().Types() {
		types[typ.Type] = true
	}
	lang := language.New(registry().Types())
	n := 0
	for dir, files := range specs(t) {
		spec := lang.Read(files)
		for _, f := range spec.Files {
			if strings.HasSuffix(f.Name, ".json") {
				continue
			}
			var got []string
			for _, u := range f.Uses {
				got = append(got, fmt.Sprintf("%s at %d-%d", u.Addr, u.Range.From, u.Range.To))
			}
			want := parsed(t, f.Name, f.Src, types)
			slices.Sort(got)
			slices.Sort(want)
			n += len(want)
			if !slices.Equal(got, want) {
				t.Errorf("%s%s:\n got %q\nwant %q", dir, f.Name, got, want)
			}
		}
	}
	if n < 900 {
		t.Errorf("%d names only", n)
	}
}

// Every reference of a loaded spec is a use that leads to the definition of its block, and is among the uses of
// that.
func TestEveryReferenceLeadsToItsDefinition(t *testing.T) {
	reg := registry()
	lang := language.New(reg.Types())
	n := 0
	for dir, files := range specs(t) {
		loaded, diags := reg.Load(source.Dir(dir), nil)
		if diags.HasErrors() {
			t.Fatal(dir, diags)
		}
		spec := lang.Read(files)
		written := map[conf.Addr]bool{}
		for _, b := range loaded.Blocks() {
			written[label(b.Head().Addr)] = true
		}
		for _, f := range spec.Files {
			for _, u := range f.Uses {
				if u.Any || u.Addr.Type == "each" {
					continue
				}
				defs := spec.Definitions(u.Addr)
				if len(defs) == 0 && u.Addr.Type == "port" {
					continue // of the board
				}
				if len(defs) != 1 {
					t.Errorf("%s: %s at %v has %d definitions", dir, u.Addr, u.Range, len(defs))
					continue
				}
				n++
				if got, _, ok := spec.At(f.Name, u.Name.From); !ok || got != u.Addr {
					t.Errorf("%s: at %v is %v, not %s", dir, u.Name, got, u.Addr)
				}
				if got, _, ok := spec.At(f.Name, defs[0].Name.From); f.Name == defs[0].Name.File && (!ok || got != u.Addr) {
					t.Errorf("%s: at the definition %v is %v, not %s", dir, defs[0].Name, got, u.Addr)
				}
				if !slices.ContainsFunc(spec.Uses(u.Addr), func(o language.Use) bool { return o.Range == u.Range }) {
					t.Errorf("%s: %s at %v is not among its uses", dir, u.Addr, u.Range)
				}
			}
		}
		for _, b := range loaded.Blocks() {
			if b.Head().Def.Filename != "" && len(spec.Definitions(label(b.Head().Addr))) == 0 && b.Head().Def != loaded.Router.Def {
				t.Errorf("%s: %s is defined nowhere", dir, b.Head().Addr)
			}
			for _, a := range conf.References(b) {
				if written[label(a)] && len(spec.Uses(label(a))) == 0 {
					t.Errorf("%s: %s names %s, which is used nowhere", dir, b.Head().Addr, a)
				}
			}
		}
	}
	if n < 700 {
		t.Errorf("%d references only", n)
	}
}

// label is an address without the key of an instance.
func label(a conf.Addr) conf.Addr { return conf.Addr{Type: a.Type, Name: a.Label()} }

// FuzzRead has every question answered at every place of a text that is no spec, without a panic.
func FuzzRead(f *testing.F) {
	for _, files := range specs(f) {
		for name, src := range files {
			f.Add(src, 100, 7, "port.", strings.HasSuffix(name, ".json"))
		}
	}
	lang := language.New(registry().Types())
	given := language.Given{Functions: map[string]string{"join": "join"}}
	f.Fuzz(func(t *testing.T, src []byte, at, length int, text string, json bool) {
		if len(src) > 20_000 {
			return
		}
		at = max(0, min(at, len(src)))
		length = max(0, min(length, len(src)-at))
		src = slices.Concat(src[:at], []byte(text), src[at+length:])
		name := "a.hcl"
		if json {
			name += ".json"
		}
		spec := lang.Read(map[string][]byte{name: src})
		for _, at := range []int{at, at + len(text), 0, len(src), at / 2} {
			at = min(at, len(src))
			items, word := spec.Complete(name, at, given)
			if len(items) > 0 && (word.From > word.To || word.To > len(src)) {
				t.Fatalf("%v of %d bytes", word, len(src))
			}
			spec.Word(name, at)
			spec.Loop(name, at)
			edits, _ := spec.Rename(name, at, "other")
			language.Apply(spec.Files[0], edits)
		}
		for _, s := range spec.Files[0].Symbols() {
			if s.Name.From < 0 || s.Name.To > len(src) || s.Name.From > s.Name.To || s.Range.From > s.Range.To {
				t.Fatalf("%+v of %d bytes", s, len(src))
			}
		}
	})
}
