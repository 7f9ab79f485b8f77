package router

import (
	"encoding"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/diag"
)

// TestLimits has the largest and the smallest that types take, and what is just beyond.
func TestLimits(t *testing.T) {
	domain := strings.Repeat("a.", 126) // of 252 characters
	tests := []struct {
		name      string
		into      encoding.TextUnmarshaler
		last, not string
	}{
		{"Domain", new(Domain), domain + "a", domain + "aa"},
		{"Size", new(Size), "17179869183GiB", "17179869184GiB"},
		{"Size", new(Size), "18014398509481983KiB", "18014398509481984KiB"},
		{"Address6, as a router at the end of a link", new(Address6), "fd00::/127", "fd00::/126"},
		{"Seconds", new(Seconds), "2147483648s", "2147483649s"},
		{"Seconds", new(Seconds), "24855d", "24856d"},
		{"Seconds", new(Seconds), "1s", "s"},
	}
	for _, tt := range tests {
		if err := tt.into.UnmarshalText([]byte(tt.last)); err != nil {
			t.Errorf("%s refuses %s: %v", tt.name, tt.last, err)
		}
		if err := tt.into.UnmarshalText([]byte(tt.not)); err == nil {
			t.Errorf("%s takes %s", tt.name, tt.not)
		}
	}
}

// TestOverlapNames has the message of an overlap at the later of two blocks, with the
// earlier one as the other place, and the nearest of those that hold the addresses.
func TestOverlapNames(t *testing.T) {
	type block struct {
		ipv4, file string
		byte       int
	}
	tests := []struct {
		name   string
		blocks []block
		want   []string
	}{
		{
			"written in the order of addresses",
			[]block{{"10.0.0.1/16", "a", 1}, {"10.0.1.1/24", "a", 2}},
			[]string{"a:2 10.0.0.0/16 and 10.0.1.0/24; a:1"},
		},
		{
			"written the other way",
			[]block{{"10.0.1.1/24", "a", 1}, {"10.0.0.1/16", "a", 2}},
			[]string{"a:2 10.0.1.0/24 and 10.0.0.0/16; a:1"},
		},
		{
			"in two files",
			[]block{{"10.0.0.1/16", "b", 1}, {"10.0.1.1/24", "a", 2}},
			[]string{"b:1 10.0.1.0/24 and 10.0.0.0/16; a:2"},
		},
		{
			"of one for_each",
			[]block{{"10.0.0.1/16", "a", 1}, {"10.0.1.1/24", "a", 1}},
			[]string{"a:1 10.0.0.0/16 and 10.0.1.0/24; a:1"},
		},
		{
			"the first reaches over the second",
			[]block{{"10.0.0.1/8", "a", 1}, {"10.0.1.1/24", "a", 2}, {"10.2.0.1/16", "a", 3}},
			[]string{"a:2 10.0.0.0/8 and 10.0.1.0/24; a:1", "a:3 10.0.0.0/8 and 10.2.0.0/16; a:1"},
		},
		{
			"both reach as far",
			[]block{{"10.0.0.1/8", "a", 1}, {"10.255.0.1/16", "a", 2}, {"10.255.1.1/24", "a", 3}},
			[]string{"a:2 10.0.0.0/8 and 10.255.0.0/16; a:1", "a:3 10.255.0.0/16 and 10.255.1.0/24; a:2"},
		},
	}
	place := func(r hcl.Range) string { return r.Filename + ":" + string(rune('0'+r.Start.Byte)) }
	for _, tt := range tests {
		r := &Router{}
		for _, b := range tt.blocks {
			n := network(b.ipv4, b.ipv4)
			n.IPv4.Range = hcl.Range{Filename: b.file, Start: hcl.Pos{Byte: b.byte}}
			r.Networks = append(r.Networks, n)
		}
		var got []string
		for _, d := range ruleOverlap(r) {
			blocks, _, _ := strings.Cut(d.Detail, " hold")
			got = append(got, place(*d.Subject)+" "+blocks+"; "+place(diag.Others(d)[0].Range))
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}
