package service

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/nixgen"
)

// overridden finds secrets in an extra, and what it says otherwise than nbr does of the same setting:
// its line wins, and what the rest of the spec promises does not hold.
func (s *Spec) overridden() hcl.Diagnostics {
	extra := func(b kindBlock) bool { _, ok := extraOf(b.block); return ok }
	if !slices.ContainsFunc(s.blocks, extra) {
		return nil // and nothing has to be lowered for it
	}
	var diags hcl.Diagnostics
	files := s.Modules()
	for _, b := range s.blocks {
		x, ok := extraOf(b.block)
		if !ok {
			continue
		}
		diags = append(diags, s.confidential(b.block, x, nil, x.V.Value)...)
		mark := extraOrigin(b.block, x)
		for _, f := range files {
			for _, e := range f.Module.Imports {
				at, ok := e.(nixgen.At)
				if !ok || at.From != mark {
					continue
				}
				prefix := len(at.Expr.(nixgen.Attrs)[0].Name)
				leaves(at.Expr, nil, func(path []string, v nixgen.Expr) {
					if o, ok := f.Module.Find(path...); ok && !nixgen.Same(o.Value, v) {
						diags = append(diags, s.override(b.block, s.place(x, path[prefix:]), strings.Join(path[prefix:], "."), v, o, len(o.Path) == len(path)))
					}
				})
			}
		}
	}
	return diags
}

// secretRE fits the names by which programs are told a secret itself. That of a file with it ends
// otherwise, and a program may know a key by its name.
var secretRE = regexp.MustCompile(`(?i)^(.*[_.-])?(password|passwd|passphrase|psk|pre-?shared[_-]?key|secret|token|private[_-]?key)$`)

// confidential are the errors that a secret is in an extra. A path names the file that has one.
func (s *Spec) confidential(b conf.Block, x Extra, path []string, v cty.Value) hcl.Diagnostics {
	switch t := v.Type(); {
	case v.IsNull() || !v.IsKnown():
	case t.IsObjectType() || t.IsMapType():
		var diags hcl.Diagnostics
		for it := v.ElementIterator(); it.Next(); {
			name, of := it.Element()
			diags = append(diags, s.confidential(b, x, append(slices.Clone(path), name.AsString()), of)...)
		}
		return diags
	case t.IsTupleType() || t.IsListType():
		var diags hcl.Diagnostics
		for _, of := range v.AsValueSlice() {
			diags = append(diags, s.confidential(b, x, path, of)...)
		}
		return diags
	case t == cty.String && len(path) > 0 && secretRE.MatchString(path[len(path)-1]) && v.AsString() != "" && !strings.HasPrefix(v.AsString(), "/"):
		return hcl.Diagnostics{diag.Hidden(diag.Help(diag.Error("secret-in-extra", s.place(x, path), "Secret in the spec",
			"The extra of %s has a value for %s, and what nbr makes of a spec everyone on the router can read.", b.Head().Addr, path[len(path)-1]),
			"Put it into a file on the router, and write the program's option that names the file, or use the attribute for it where the language has one. Make a new one: this one has been seen."))}
	}
	return nil
}

// override says that a line of an extra wins over what nbr sets; whole tells whether both
// are of one setting, and not of a part of it.
func (s *Spec) override(b conf.Block, at hcl.Range, setting string, v nixgen.Expr, o nixgen.Option, whole bool) *hcl.Diagnostic {
	value, by := short(v), b.Head()
	if whole {
		value += ", not " + short(o.Value)
	}
	if i := slices.IndexFunc(s.all, func(b conf.Block) bool { return b.Head().Addr.String() == o.From.Addr }); i >= 0 {
		by = s.all[i].Head()
	}
	return diag.With(Overridden(b, at, setting, "makes it "+value), by.Def, "%s", by.Addr.String())
}

// Overridden warns of a setting of a block's extra that nbr makes itself from the rest of
// the spec; made is what the extra does to it, as in "makes it 4, not 2".
func Overridden(b conf.Block, at hcl.Range, setting, made string) *hcl.Diagnostic {
	return diag.Help(diag.Warning("extra-overrides", at, "Extra overrides the spec",
		"nbr sets %s from the rest of the spec, and the extra of %s %s: what the spec says of it does not hold, and nbr verify may find it wrong.", setting, b.Head().Addr, made),
		"Use the attribute for it where the language has one, or remove it from extra.")
}

// short is a value for a message.
func short(v nixgen.Expr) string {
	var words []string
	for line := range strings.Lines(string(nixgen.Print(v))) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") { // where it comes from
			words = append(words, strings.Fields(line)...)
		}
	}
	text := strings.Join(words, " ")
	const most = 60
	if utf8.RuneCountInString(text) > most {
		return string([]rune(text)[:most]) + "…"
	}
	return text
}

// extraOf is the extra of a block; false if it has none.
func extraOf(b conf.Block) (Extra, bool) {
	v := reflect.ValueOf(b).Elem()
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			if x, ok := v.Field(i).Interface().(Extra); ok {
				return x, x.Set
			}
		}
	}
	return Extra{}, false
}

// leaves are the values that an extra forces, with the paths of their options.
func leaves(e nixgen.Expr, path []string, f func([]string, nixgen.Expr)) {
	if forced, ok := e.(nixgen.Call); ok {
		f(path, forced.Args[0])
		return
	}
	attrs, _ := e.(nixgen.Attrs)
	for _, a := range attrs {
		leaves(a.Value, slices.Concat(path, a.Name), f)
	}
}

// place is where an extra has the name at the end of a path, or the whole extra if its value
// is computed.
func (s *Spec) place(x Extra, path []string) hcl.Range {
	src := s.Source.Bytes(x.Range.Filename)
	if x.Range.End.Byte > len(src) || x.Range.Start.Byte > x.Range.End.Byte {
		return x.Range
	}
	e, diags := hclsyntax.ParseExpression(src[x.Range.Start.Byte:x.Range.End.Byte], x.Range.Filename, x.Range.Start)
	if diags.HasErrors() {
		return x.Range
	}
	at := x.Range
	for _, name := range path {
		object, ok := e.(*hclsyntax.ObjectConsExpr)
		if !ok {
			break
		}
		for _, item := range object.Items {
			if key, diags := item.KeyExpr.Value(nil); !diags.HasErrors() && key.IsKnown() && key.Type().FriendlyName() == "string" && key.AsString() == name {
				at, e = item.KeyExpr.Range(), item.ValueExpr
				break
			}
		}
	}
	return at
}
