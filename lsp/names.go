package lsp

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/creachadair/jrpc2"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
	"github.com/nbr-dev/nbr/hcl/language"
	"github.com/nbr-dev/nbr/hcl/source"
)

func (s *session) location(v *view, at language.Span) location {
	return location{v.uri(at.File), v.texts[at.File].span(at, s.units)}
}

// definition is where the name at a place is defined; of each.key it is the for_each.
func (s *session) definition(_ context.Context, p *positionParams) (any, error) {
	v, name, at, err := s.at(p)
	if err != nil {
		return nil, err
	}
	out := []location{}
	a, _, ok := v.spec.At(name, at)
	switch {
	case !ok:
	case a.Type == "each":
		if loop, ok := v.spec.Loop(name, at); ok {
			out = append(out, s.location(v, loop.Word))
		}
	default:
		for _, d := range v.spec.Definitions(a) {
			out = append(out, s.location(v, d.Name))
		}
	}
	return out, nil
}

// references are the places where the name at a place is used.
func (s *session) references(_ context.Context, p *referenceParams) (any, error) {
	v, name, at, err := s.at(&p.positionParams)
	if err != nil {
		return nil, err
	}
	out := []location{}
	a, _, ok := v.spec.At(name, at)
	if !ok {
		return out, nil
	}
	if p.Context.IncludeDeclaration {
		for _, d := range v.spec.Definitions(a) {
			out = append(out, s.location(v, d.Name))
		}
	}
	for _, u := range v.spec.Uses(a) {
		out = append(out, s.location(v, u.Range))
	}
	return out, nil
}

func failed(err error) error { return jrpc2.Errorf(codeFailed, "%s", err) }

// prepareRename is the name at a place, if it can be given another form.
func (s *session) prepareRename(_ context.Context, p *positionParams) (any, error) {
	v, name, at, err := s.at(p)
	if err != nil {
		return nil, err
	}
	_, word, err := v.spec.Renamable(name, at)
	if err != nil {
		return nil, failed(err)
	}
	t := v.texts[name]
	return prepared{t.span(word, s.units), string(t.src[word.From:word.To])}, nil
}

// rename gives a name another form, in all files of the folder. What the spec becomes is judged: one that would
// have an error more is not made.
func (s *session) rename(ctx context.Context, p *renameParams) (any, error) {
	v, name, at, err := s.at(&p.positionParams)
	if err != nil {
		return nil, err
	}
	edits, err := v.spec.Rename(name, at, p.NewName)
	if err != nil {
		return nil, failed(err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err := s.sameErrors(ctx, v, edits); err != nil {
		return nil, failed(err)
	}
	by := map[string][]textEdit{}
	for _, e := range edits {
		by[e.At.File] = append(by[e.At.File], textEdit{v.texts[e.At.File].span(e.At, s.units), e.Text})
	}
	return s.edit(v, by), nil
}

// sameErrors wants that a spec has no error more with the edits than without.
func (s *session) sameErrors(ctx context.Context, v *view, edits []language.Edit) error {
	base := v.files(s.Open(v.dir))
	_, before := s.Load(base)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	changed := map[string][]byte{}
	for _, f := range v.spec.Files {
		changed[f.Name] = language.Apply(f, edits)
	}
	spec, after := s.Load(source.Overlay(base, changed))
	if errorsOf(after) <= errorsOf(before) {
		return nil
	}
	had := map[string]bool{}
	for _, d := range before {
		had[diag.Code(d)] = true
	}
	for _, known := range []bool{false, true} { // one of another kind says more
		for _, d := range after {
			if d.Severity == hcl.DiagError && had[diag.Code(d)] == known {
				return errors.New("the spec would have an error then: " + diag.Printable(spec.Secrets().Text(sentences(d.Summary, d.Detail))))
			}
		}
	}
	return nil
}

// errorsOf counts the errors among diagnostics.
func errorsOf(ds hcl.Diagnostics) int {
	n := 0
	for _, d := range ds {
		if d.Severity == hcl.DiagError {
			n++
		}
	}
	return n
}

// documentSymbols are the names that a text defines.
func (s *session) documentSymbols(_ context.Context, p *rangeParams) (any, error) {
	v, name, _, err := s.on(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	f := v.spec.File(name)
	if f == nil {
		return []documentSymbol{}, nil
	}
	return s.symbols(v, f.Symbols()), nil
}

func (s *session) symbols(v *view, in []language.Symbol) []documentSymbol {
	out := []documentSymbol{}
	for _, sym := range in {
		t := v.texts[sym.Range.File]
		out = append(out, documentSymbol{title(sym.Addr), kind(sym.Addr), t.span(around(sym), s.units), t.span(sym.Name, s.units), s.symbols(v, sym.Inner())})
	}
	return out
}

// around is what a symbol is, with its name in it, as the protocol wants: in JSON the type is elsewhere.
func around(sym language.Symbol) language.Span {
	r := sym.Range
	r.From, r.To = min(r.From, sym.Name.From), max(r.To, sym.Name.To)
	return r
}

// title is what a symbol is called: of a block inside another without the names of those around it.
func title(a conf.Addr) string {
	text := a.String()
	return text[strings.LastIndexByte(text, '/')+1:]
}

func kind(a conf.Addr) int {
	switch {
	case a.Type == "var":
		return symbolVariable
	case a.Type == "local":
		return symbolConstant
	case a.Name == "":
		return symbolNamespace
	}
	return symbolObject
}

// workspaceSymbols are the names of all folders in which a text is open that have the letters of a query in them,
// in their order.
func (s *session) workspaceSymbols(ctx context.Context, p *symbolParams) (any, error) {
	s.mu.Lock()
	var views []*view
	for _, f := range s.folders {
		views = append(views, s.view(f))
	}
	s.mu.Unlock()
	slices.SortFunc(views, func(a, b *view) int { return strings.Compare(a.dir, b.dir) })
	out := []workspaceSymbol{}
	for _, v := range views {
		for _, f := range v.spec.Files {
			for _, sym := range f.Symbols() {
				if ctx.Err() == nil && fits(sym.Addr.String(), p.Query) {
					out = append(out, workspaceSymbol{sym.Addr.String(), kind(sym.Addr), s.location(v, sym.Name)})
				}
			}
		}
	}
	return out, nil
}

// fits tells whether a name has the letters of a query, in their order.
func fits(name, query string) bool {
	name = strings.ToLower(name)
	for _, r := range strings.ToLower(query) {
		i := strings.IndexRune(name, r)
		if i < 0 {
			return false
		}
		name = name[i+len(string(r)):]
	}
	return true
}

// formatting is what nbr fmt does. A text that does not parse is left alone, and so is JSON.
func (s *session) formatting(_ context.Context, p *rangeParams) (any, error) {
	v, name, _, err := s.on(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	out := []textEdit{}
	t := v.texts[name]
	if t == nil || strings.HasSuffix(name, ".json") {
		return out, nil
	}
	formatted, diags := source.Format(name, t.src)
	if diags.HasErrors() {
		return out, nil
	}
	if e, ok := t.difference(formatted, s.units); ok {
		out = append(out, e)
	}
	return out, nil
}
