package router

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hashicorp/hcl/v2"

	"github.com/nbr-dev/nbr/hcl/conf"
	"github.com/nbr-dev/nbr/hcl/diag"
)

// setOf is a set of the lines of a file.
func setOf(list []byte) (*Router, *AddressSet) {
	s := &AddressSet{Header: conf.Header{Addr: conf.Addr{Type: "address_set", Name: "a"}}}
	s.Files.Items = []conf.Value[File]{conf.Of(File("list"))}
	return &Router{Sets: []*AddressSet{s}, FS: fstest.MapFS{"list": {Data: list}}}, s
}

// TestElements compares the elements of random sets with the addresses themselves: all are there,
// once, no other is, and no two elements touch.
func TestElements(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		want := map[netip.Addr]bool{}
		var lines []string
		for range 1 + random.IntN(6) {
			base := []string{"10.0.0.0", "255.255.255.0", "2001:db8::"}[random.IntN(3)]
			first := netip.MustParseAddr(base)
			for range random.IntN(250) {
				first = first.Next()
			}
			last := first
			for range random.IntN(6) {
				last = last.Next()
			}
			span := Span{AddrRange{first, last}}
			if bits := first.BitLen() - random.IntN(4); random.IntN(2) == 0 {
				p := netip.PrefixFrom(first, bits).Masked()
				span = Span{AddrRange{p.Addr(), Broadcast(p)}}
			}
			lines = append(lines, span.String())
			for a := span.First; ; a = a.Next() {
				want[a] = true
				if a == span.Last {
					break
				}
			}
		}
		r, s := setOf([]byte(strings.Join(lines, "\n")))
		got, before := 0, netip.Addr{}
		for _, f := range []Family{IPv4, IPv6} {
			for _, e := range r.Elements(s, f) {
				if before.IsValid() && before.BitLen() == e.First.BitLen() && !before.Next().Less(e.First) {
					t.Fatalf("%q: %s touches what is before it", lines, e)
				}
				before = e.Last
				for a := e.First; ; a = a.Next() {
					if got++; !want[a] {
						t.Fatalf("%q: %s is none of it", lines, a)
					}
					if a == e.Last {
						break
					}
				}
			}
		}
		if got != len(want) || len(s.read.diags) > 0 {
			t.Fatalf("%q: %d addresses of %d, %v", lines, got, len(want), s.read.diags)
		}
	}
}

// A set has a bound, whatever its files have; one at the bound is good.
func TestLargeSets(t *testing.T) {
	list := func(n int) []byte {
		var b []byte
		for i := range n {
			b = fmt.Appendf(b, "10.%d.%d.%d/31\n", i>>15, i>>7&255, i<<1&255)
		}
		return b
	}
	for n, want := range map[int]string{maxMembers: "", maxMembers + 1: "set-too-large"} {
		r, s := setOf(list(n))
		got := ""
		for _, d := range ruleSets(r) {
			got += diag.Code(d)
		}
		if got != want {
			t.Errorf("%d lines: %q, want %q", n, got, want)
		}
		if e := r.Elements(s, IPv4); len(e) != 1 {
			t.Errorf("%d elements of prefixes that touch", len(e))
		}
	}
}

// FuzzList reads files of addresses. Each line is an address, a prefix or a range that reads back
// as it is written, or is told with its place.
func FuzzList(f *testing.F) {
	f.Add([]byte("# lists\n192.0.2.0/24\r\n\t2001:db8::1-2001:db8::9 ; a range\n\n0.0.0.0/0\n::/0\n"))
	f.Add([]byte("\ufeff192.0.2.1\n192.0.2.300\n::ffff:192.0.2.1\nfe80::1%eth0\n10.0.0.0/8-11.0.0.0/8\n-\n/"))
	f.Fuzz(func(t *testing.T, b []byte) {
		spans, diags := readList(conf.Of(File("list")), b)
		for _, s := range spans {
			var again Span
			if err := again.UnmarshalText([]byte(s.V.String())); err != nil || again != s.V {
				t.Errorf("%s is %s: %v", s.V, again, err)
			}
		}
		lines := slices.Collect(strings.Lines(string(b)))
		for _, d := range diags {
			at := *d.Subject
			if text := string(b[at.Start.Byte:at.End.Byte]); text == "" || !strings.Contains(lines[at.Start.Line-1], text) {
				t.Errorf("%q is not in line %d", text, at.Start.Line)
			}
		}
	})
}

// TestReadList wants the members of a list where they stand, and the first wrong line with how many
// there are.
func TestReadList(t *testing.T) {
	file := conf.Value[File]{V: "lists/a.txt", Range: hcl.Range{Filename: "router.hcl", Start: hcl.Pos{Line: 7, Column: 3}}}
	spans, diags := readList(file, []byte("# a list\n\n 192.0.2.1 # one\r\n\t2001:db8::/32;x\n10.0.0.1-10.0.0.9"))
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	var got []string
	for _, s := range spans {
		got = append(got, fmt.Sprintf("%s %d:%d-%d:%d %d-%d", s.V, s.Range.Start.Line, s.Range.Start.Column, s.Range.End.Line, s.Range.End.Column, s.Range.Start.Byte, s.Range.End.Byte))
	}
	want := []string{"192.0.2.1 3:2-3:11 11-20", "2001:db8::/32 4:2-4:15 29-42", "10.0.0.1-10.0.0.9 5:1-5:18 45-62"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for text, want := range map[string]string{
		"10.0.0.1\n  nas\n":                "2:3-6",
		"nas\nprinter\n\ntv # x\n10.0.0.1": "1:1-4 Other such lines: 2.",
	} {
		_, diags := readList(file, []byte(text))
		if len(diags) != 1 {
			t.Fatalf("%q: %v", text, diags)
		}
		at := diags[0].Subject
		got := fmt.Sprintf("%d:%d-%d", at.Start.Line, at.Start.Column, at.End.Column)
		if _, others, ok := strings.Cut(diags[0].Detail, "Other such lines"); ok {
			got += " Other such lines" + strings.SplitAfter(others, ".")[0]
		}
		if got != want || at.Filename != "lists/a.txt" {
			t.Errorf("%q: %s at %s, want %s", text, got, at, want)
		}
	}
}

// A set may have 65,536 members, and not one more.
func TestLargestSet(t *testing.T) {
	for n, want := range map[int]bool{maxMembers: false, maxMembers + 1: true} {
		s := &AddressSet{}
		a := netip.MustParseAddr("10.0.0.0")
		for range n {
			s.Addresses.Items = append(s.Addresses.Items, conf.Value[Span]{V: Span{AddrRange{a, a}}, Set: true})
			a = a.Next()
		}
		if diags := ruleSets(&Router{Sets: []*AddressSet{s}}); diags.HasErrors() != want {
			t.Errorf("%d members: %v", n, diags)
		}
	}
}

// A set without an address of its own is empty, unless it has hosts or networks: their addresses
// are its addresses.
func TestEmptySets(t *testing.T) {
	hosts := conf.Refs[*Host]{Items: []conf.Ref[*Host]{{Target: &Host{Network: conf.Ref[*Network]{Target: &Network{}}}}}}
	networks := conf.Refs[*Network]{Items: []conf.Ref[*Network]{{Target: &Network{}}}}
	for _, tt := range []struct {
		set  AddressSet
		want string
	}{
		{AddressSet{}, "set-empty"},
		{AddressSet{Hosts: hosts}, ""},
		{AddressSet{Networks: networks}, ""},
		{AddressSet{Hosts: hosts, Networks: networks}, ""},
	} {
		got := ""
		for _, d := range ruleSets(&Router{Sets: []*AddressSet{&tt.set}}) {
			got += diag.Code(d)
		}
		if got != tt.want {
			t.Errorf("%d hosts, %d networks: %q, want %q", len(tt.set.Hosts.Items), len(tt.set.Networks.Items), got, tt.want)
		}
	}
}

// TestSetOverlaps compares the rule, which goes through sorted members once, with looking at every
// pair.
func TestSetOverlaps(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	found := 0
	for range 2000 {
		s, want := &AddressSet{}, false
		for range 2 + random.IntN(4) {
			from := netip.AddrFrom4([4]byte{0, 0, 0, byte(random.IntN(40))})
			to := netip.AddrFrom4([4]byte{0, 0, 0, from.As4()[3] + byte(random.IntN(5))})
			if random.IntN(2) == 0 { // the same numbers of the other family
				from, to = netip.AddrFrom16([16]byte{15: from.As4()[3]}), netip.AddrFrom16([16]byte{15: to.As4()[3]})
			}
			for _, other := range s.Addresses.Items {
				if other.V.First.BitLen() == from.BitLen() && !to.Less(other.V.First) && !other.V.Last.Less(from) {
					want = true
				}
			}
			s.Addresses.Items = append(s.Addresses.Items, conf.Of(Span{AddrRange{from, to}}))
		}
		if want {
			found++
		}
		if diags := ruleSets(&Router{Sets: []*AddressSet{s}}); (len(diags) > 0) != want {
			t.Fatalf("%v: %v, want %v", s.Addresses.Items, diags, want)
		}
	}
	if found == 0 || found == 2000 {
		t.Errorf("%d of 2000 overlap: nothing was compared", found)
	}
}

// Overlaps in a list are told once, with their number, and with the set that the list does not name.
// Those in the spec are told one by one.
func TestOverlapsOfAList(t *testing.T) {
	r, list := setOf([]byte("10.0.0.1\n10.0.0.0/24\n10.0.0.7\n10.0.0.7\n"))
	list.Def.Filename = "router.hcl"
	spec := &AddressSet{Header: conf.Header{Def: hcl.Range{Filename: "router.hcl"}}}
	for range 3 {
		a := conf.Of(Span{AddrRange{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.1")}})
		a.Range.Filename = "router.hcl"
		spec.Addresses.Items = append(spec.Addresses.Items, a)
	}
	for _, tt := range []struct {
		r      *Router
		diags  int
		places int // beside an overlap's own
		others string
	}{
		{r, 1, 2, " Other such lines: 2."},
		{&Router{Sets: []*AddressSet{spec}}, 2, 1, ""},
	} {
		diags := ruleSets(tt.r)
		if len(diags) != tt.diags {
			t.Fatalf("%v, want %d", diags, tt.diags)
		}
		for _, d := range diags {
			_, rest, _ := strings.Cut(d.Detail, "already.")
			if len(diag.Others(d)) != tt.places || rest != tt.others {
				t.Errorf("%v with %v", d, diag.Others(d))
			}
		}
	}
}
