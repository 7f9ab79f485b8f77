package conf

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

func TestAddr(t *testing.T) {
	lan := Addr{"network", "lan"}
	tests := []struct{ got, want string }{
		{lan.String(), "network.lan"},
		{Addr{Type: "resolver"}.String(), "resolver"},
		{lan.Instance("3").String(), `network.lan["3"]`},
		{lan.Instance("3").Label(), "lan"},
		{lan.Label(), "lan"},
		{lan.Inner("host", "a").String(), "network.lan/host.a"},
		{Addr{Type: "resolver"}.Inner("zone", "").String(), "resolver/zone"},
		{lan.Instance("3").Inner("host", "a").String(), `network.lan["3"]/host.a`},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%q, want %q", tt.got, tt.want)
		}
	}
}

func TestLink(t *testing.T) {
	index := NewIndex()
	add := func(a Addr) *part {
		p := &part{Header: Header{Addr: a}}
		index.Add(a, p)
		return p
	}
	lan := add(Addr{"network", "lan"})
	v := Addr{"network", "v"}
	v1, v2 := add(v.Instance("1")), add(v.Instance("2"))
	index.Group(v, []Addr{v.Instance("1"), v.Instance("2")})
	index.Group(Addr{"network", "none"}, []Addr{})
	index.Add(Addr{"zone", "lan"}, &frame{})
	index.MarkUnreadable(Addr{"network", "lost"})
	index.MarkUnreadable(Addr{Type: "link"})

	tests := []struct {
		name, src string
		link      *part
		links     []linked
		want      []string
	}{
		{"one", "link = network.lan", lan, nil, nil},
		{"an instance", `link = network.v["2"]`, v2, nil, nil},
		{"several", `links = [network.v["2"], network.lan]`, nil, []linked{v2, lan}, nil},
		{"a group", "links = [network.lan, network.v]", nil, []linked{lan, v1, v2}, nil},
		{"a group of none", "links = [network.none]", nil, nil, nil},
		{"a group where one is wanted", "link = network.v", nil, nil, []string{"3 needs-key"}},
		{"a group of none where one is wanted", "link = network.none", nil, nil, []string{"3 needs-key"}},
		{"twice", `links = [network.lan, network.lan, network.v, network.v["1"]]`, nil, []linked{lan, v1, v2}, []string{"3 named-twice", "3 named-twice"}},
		{"not there", "links = [network.lam, network.lan]", nil, []linked{lan}, []string{"3 no-such-reference"}},
		{"no such instance", `link = network.v["3"]`, nil, nil, []string{"3 no-such-reference"}},
		{"no such type", "link = net.lan", nil, nil, []string{"3 no-such-reference"}},
		{"another type", "links = [zone.lan]", nil, nil, []string{"3 wrong-reference"}},
		{"could not be read", `links = [network.lost, network.lost["a"], link.any, network.lan]`, nil, []linked{lan}, []string{"3 follows", "3 follows", "3 follows"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			th, diags := decode(t, "thing \"a\" {\n  color = \"red\"\n  "+tt.src+"\n}", newContext(nil))
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			diags = Link(th, index, newContext(nil))
			if d := cmp.Diff(tt.want, codes(diags)); d != "" {
				t.Errorf("%s\n%v", d, diags)
			}
			if tt.link != nil && (th.Link.Target != linked(tt.link) || !th.Link.Set) || tt.link == nil && th.Link.Set {
				t.Errorf("link is %+v", th.Link)
			}
			if len(th.Links.Items) != len(tt.links) {
				t.Fatalf("links are %+v", th.Links.Items)
			}
			for i, l := range tt.links {
				if th.Links.Items[i].Target != l || !Has(th.Links, l) {
					t.Errorf("link %d is %+v", i, th.Links.Items[i])
				}
			}
		})
	}
}

func TestDidYouMean(t *testing.T) {
	index := NewIndex()
	for _, n := range []string{"lan", "guest"} {
		index.Add(Addr{"network", n}, &part{})
	}
	for src, want := range map[string]string{
		"network.lam":    `network.lam is not defined. Did you mean "network.lan"?`,
		"network.office": "network.office is not defined. It could be network.guest, network.lan.",
		"netwrok.lan":    `netwrok.lan: there is no block type "netwrok". Did you mean "network.lan"?`,
	} {
		th, _ := decode(t, "thing \"a\" {\n  color = \"red\"\n  link = "+src+"\n}", newContext(nil))
		diags := Link(th, index, newContext(nil))
		if len(diags) != 1 || diag.Text(diags[0]) != want {
			t.Errorf("%s: %v, want %q", src, diags, want)
		}
	}
	th, _ := decode(t, "thing \"a\" {\n  color = \"red\"\n  link = network.lan\n}", newContext(nil))
	if diags := Link(th, NewIndex(), newContext(nil)); len(diags) != 1 || diag.Text(diags[0]) != "network.lan is not defined. Nothing that could stand here is defined." {
		t.Error(diags)
	}
}

func TestReferences(t *testing.T) {
	th, _ := decode(t, "thing \"a\" {\n  color = \"red\"\n  link = network.lan\n  links = [network.a, network.b]\n}", newContext(nil))
	want := []Addr{{"network", "lan"}, {"network", "a"}, {"network", "b"}}
	if d := cmp.Diff(want, References(th)); d != "" {
		t.Error(d)
	}
}

func TestDuplicate(t *testing.T) {
	d := Duplicate(Addr{"network", "lan"}, hcl.Range{Filename: "b"}, hcl.Range{Filename: "a"})
	if o := diag.Others(d); len(o) != 1 || o[0].Range.Filename != "a" || d.Subject.Filename != "b" {
		t.Errorf("%v %v", d, o)
	}
}
