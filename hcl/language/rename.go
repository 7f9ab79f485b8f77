package language

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/source"
)

// An Edit puts a text into the place of a part of a file.
type Edit struct {
	At   Span
	Text string
}

// Renamable is the name at a place that can be given another form, and the place of the name itself. The error
// says why there is none.
func (s *Spec) Renamable(file string, at int) (conf.Addr, Span, error) {
	a, name, ok := s.At(file, at)
	switch {
	case !ok || name == (Span{}):
		return a, name, fmt.Errorf("there is no name here that the spec has given")
	case each(a):
		return a, name, fmt.Errorf("each.%s is the language's own name", a.Name)
	case a.Name == "":
		return a, name, fmt.Errorf("%s has no name of its own", a)
	case len(s.Definitions(a)) == 0 && !strings.Contains(a.Type+a.Name, "/"):
		return a, name, fmt.Errorf("%s is defined in no file of the spec", a)
	}
	return a, name, nil
}

// Rename are the edits of all files that give the name at a place another form. It refuses when it cannot know
// all places: where it is computed which name is used, and where a file does not parse.
func (s *Spec) Rename(file string, at int, to string) ([]Edit, error) {
	a, name, err := s.Renamable(file, at)
	if err != nil {
		return nil, err
	}
	if !hclsyntax.ValidIdentifier(to) {
		return nil, fmt.Errorf("%q is no name: use letters, digits, - and _, and begin with a letter", to)
	}
	if strings.Contains(a.Type+a.Name, "/") { // no reference leads to a block inside another
		return []Edit{{name, to}}, nil
	}
	for _, f := range s.Files {
		if _, diags := source.Parse(f.Name, f.Src); diags.HasErrors() {
			return nil, fmt.Errorf("%s has an error of syntax, and a name in it could be missed", f.Name)
		}
	}
	if computed := s.Computed(a.Type); len(computed) > 0 {
		return nil, fmt.Errorf("%s may be meant at %s, where it is computed which %s it is", a, s.place(computed[0].Range), a.Type)
	}
	if a.Name != to && len(s.Definitions(conf.Addr{Type: a.Type, Name: to})) > 0 {
		return nil, fmt.Errorf("%s.%s is there already", a.Type, to)
	}
	var out []Edit
	for _, d := range s.Definitions(a) {
		out = append(out, Edit{d.Name, to})
	}
	for _, u := range s.Uses(a) {
		out = append(out, Edit{u.Name, to})
	}
	return sorted(out), nil
}

// place says where a span is, as in "router.hcl line 3".
func (s *Spec) place(at Span) string {
	return fmt.Sprintf("%s line %d", at.File, 1+strings.Count(string(s.File(at.File).Src[:at.From]), "\n"))
}

// Apply is the content of a file with the edits of it, none of which overlap.
func Apply(f *File, edits []Edit) []byte {
	var b strings.Builder
	last := 0
	for _, e := range sorted(edits) {
		if e.At.File == f.Name && e.At.From >= last {
			b.Write(f.Src[last:e.At.From])
			b.WriteString(e.Text)
			last = e.At.To
		}
	}
	b.Write(f.Src[last:])
	return []byte(b.String())
}

// sorted are edits in the order of their places.
func sorted(edits []Edit) []Edit {
	return slices.SortedFunc(slices.Values(edits), func(a, b Edit) int {
		return cmp.Or(strings.Compare(a.At.File, b.At.File), cmp.Compare(a.At.From, b.At.From))
	})
}
