package nixgen

import (
	"slices"
	"strings"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	var m Module
	a, b := Origin{File: "a", Line: 1}, Origin{File: "b", Line: 2}
	m.Set(a, Int(1), "x", "one")
	m.Set(a, Attrs{Bind(Int(2), "two", "deep"), Bind(At{b, Int(3)}, "three")}, "x", "set")
	m.Add(b, []string{"x", "list"}, Int(4))
	for _, tt := range []struct {
		path, at string
		from     Origin
		value    Expr
	}{
		{"x.one", "x.one", a, Int(1)},
		{"x.set.two.deep", "x.set.two.deep", a, Int(2)},
		{"x.set.three", "x.set.three", b, Int(3)},
		{"x.list", "x.list", b, List{Int(4)}},
		{"x", "x.list", b, List{Int(4)}}, // the first of those inside
		{"x.set.two", "", Origin{}, nil},
		{"x.set.three.more", "", Origin{}, nil},
		{"x.one.more", "", Origin{}, nil},
		{"y", "", Origin{}, nil},
		{"x.on", "", Origin{}, nil},
	} {
		o, ok := m.Find(strings.Split(tt.path, ".")...)
		if ok != (tt.at != "") || o.From != tt.from || ok && (!slices.Equal(o.Path, strings.Split(tt.at, ".")) || !Same(o.Value, tt.value)) {
			t.Errorf("%s: %v %v", tt.path, o, ok)
		}
	}
}
