package diag

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

// at is a range on one line.
func at(file string, line, from, to, byteFrom int) hcl.Range {
	return hcl.Range{
		Filename: file,
		Start:    hcl.Pos{Line: line, Column: from, Byte: byteFrom},
		End:      hcl.Pos{Line: line, Column: to, Byte: byteFrom + to - from},
	}
}

// find is the range of a text in a source.
func find(t *testing.T, file, src, what string) hcl.Range {
	t.Helper()
	i := strings.Index(src, what)
	if i < 0 {
		t.Fatalf("%q is not there", what)
	}
	pos := func(i int) hcl.Pos {
		before := src[:i]
		line := strings.LastIndexByte(before, '\n') + 1
		return hcl.Pos{Line: strings.Count(before, "\n") + 1, Column: len([]rune(before[line:])) + 1, Byte: i}
	}
	return hcl.Range{Filename: file, Start: pos(i), End: pos(i + len(what))}
}

func codes(ds hcl.Diagnostics) string {
	var out []string
	for _, d := range ds {
		out = append(out, Code(d))
	}
	return strings.Join(out, " ")
}

func TestSort(t *testing.T) {
	mk := func(sev func(string, hcl.Range, string, string, ...any) *hcl.Diagnostic, code string, r hcl.Range) *hcl.Diagnostic {
		return sev(code, r, "Summary", "Detail.")
	}
	tests := []struct {
		name string
		in   hcl.Diagnostics
		want string
	}{
		{"none", nil, ""},
		{"by file, then byte", hcl.Diagnostics{
			mk(Error, "d", at("b.hcl", 1, 1, 2, 0)), mk(Error, "c", at("a.hcl", 9, 1, 2, 90)), mk(Error, "b", at("a.hcl", 2, 1, 2, 10)), mk(Error, "a", hcl.Range{}),
		}, "a b c d"},
		{"errors first at one place", hcl.Diagnostics{
			mk(Warning, "a", at("a.hcl", 1, 1, 2, 0)), mk(Error, "b", at("a.hcl", 1, 1, 2, 0)),
		}, "b a"},
		{"by code at one place", hcl.Diagnostics{
			mk(Error, "b", at("a.hcl", 1, 1, 2, 0)), mk(Error, "a", at("a.hcl", 1, 1, 2, 0)),
		}, "a b"},
		{"the same once", hcl.Diagnostics{
			mk(Error, "a", at("a.hcl", 1, 1, 2, 0)), mk(Error, "a", at("a.hcl", 1, 1, 3, 0)), mk(Error, "a", at("a.hcl", 1, 1, 2, 0)),
		}, "a a"},
		{"what follows goes", hcl.Diagnostics{Follow(at("a.hcl", 1, 1, 2, 0)), mk(Error, "a", at("b.hcl", 1, 1, 2, 0))}, "a"},
		{"what follows from nothing stays", hcl.Diagnostics{Follow(at("a.hcl", 1, 1, 2, 0)), mk(Warning, "a", at("b.hcl", 1, 1, 2, 0))}, "follows a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := codes(Sort(tt.in)); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"network.lan", "network.wan", "bridge.br-lan", "ab", "x"}
	for got, want := range map[string]string{
		"network.lam":  "network.lan",
		"network.an":   "network.lan", // the first of two as near
		"netwrok.wan":  "network.wan",
		"bridge.brlan": "bridge.br-lan",
		"port.wan":     "",
		"ac":           "ab",
		"cd":           "", // nothing of it is left
		"":             "x",
	} {
		if want != "" {
			want = ` Did you mean "` + want + `"?`
		}
		if s := Suggest(got, names); s != want {
			t.Errorf("%q: %q, want %q", got, s, want)
		}
	}
	if s := Suggest("a", nil); s != "" {
		t.Errorf("%q of no names", s)
	}
}

func TestList(t *testing.T) {
	for want, in := range map[string][]string{"none": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := List(in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestCoded(t *testing.T) {
	own := Error("own", hcl.Range{}, "S", "D.")
	ds := Coded("theirs", hcl.Diagnostics{own, {Summary: "S"}, {Summary: "S", Extra: "something else"}})
	if got := codes(ds); got != "own theirs theirs" {
		t.Error(got)
	}
	if d := cmp.Diff(0, len(Others(ds[2]))); d != "" {
		t.Error(d)
	}
}

func TestPercent(t *testing.T) {
	if d := Error("a", hcl.Range{}, "S", "100 %s of it."); d.Detail != "100 %s of it." {
		t.Errorf("a detail without arguments is no format: %q", d.Detail)
	}
}
