package router

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
)

// Names of clients go to the zone of the domain, and the way back to each zone that holds an address
// which may be leased: also to those between the first and the last.
func TestLeaseZones(t *testing.T) {
	r := &Router{claims: claims{}}
	s := &Scope{Router: r, claims: r.claims}
	for _, z := range []ServesZone{
		{Zone: "home.arpa", Reload: "x"},
		{Zone: "arpa", Reload: "x"},
		{Zone: "0.168.192.in-addr.arpa", Reload: "x"},
		{Zone: "1.168.192.in-addr.arpa", Reload: "x"},
		{Zone: "2.168.192.in-addr.arpa", Reload: "x"},
		{Zone: "3.168.192.in-addr.arpa", Reload: "x"},
		{Zone: "168.192.in-addr.arpa"}, // of another server
		{Zone: "10.in-addr.arpa", Reload: "x"},
		{Zone: "64-127.1.168.192.in-addr.arpa", Reload: "x"},
		{Zone: "in-addr.arpa", Reload: "x"},
		{Zone: "ip6.arpa", Reload: "x"},
		{Zone: "8.b.d.0.1.0.0.2.ip6.arpa", Reload: "x"},
		{Zone: "0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", Reload: "x"},
		{Zone: "0.0.0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", Reload: "x"},
		{Zone: "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", Reload: "x"},
		{Zone: "1.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", Reload: "x"},
		{Zone: "g.0.0.2.ip6.arpa", Reload: "x"},
	} {
		Claim(s, hcl.Range{}, z)
	}
	addr := netip.MustParseAddr
	Claim(s, hcl.Range{}, LeaseNames{Domain: "home.arpa", Ranges: []AddrRange{{addr("192.168.0.200"), addr("192.168.2.9")}}})
	Claim(s, hcl.Range{}, LeaseNames{Domain: "home.arpa", Ranges: []AddrRange{{addr("2001:db8:1:0:1::"), addr("2001:db8:2::10")}}})
	var got []ZoneName
	for _, z := range r.LeaseZones() {
		got = append(got, z.Zone)
	}
	want := []ZoneName{
		"home.arpa", "0.168.192.in-addr.arpa", "1.168.192.in-addr.arpa", "2.168.192.in-addr.arpa", "in-addr.arpa",
		"ip6.arpa", "8.b.d.0.1.0.0.2.ip6.arpa", "0.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", "0.0.0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// Zones of addresses lead back from a whole prefix; others, and names with more labels than an
// address has, are no such zones.
func TestZonesOfAddresses(t *testing.T) {
	for z, want := range map[ZoneName]string{
		"10.in-addr.arpa":          "10.0.0.0/8",
		"1.168.192.in-addr.arpa":   "192.168.1.0/24",
		"4.1.168.192.in-addr.arpa": "192.168.1.4/32",
		"5.4.3.2.1.in-addr.arpa":   "",
		"256.in-addr.arpa":         "",
		"8.b.d.0.1.0.0.2.ip6.arpa": "2001:db8::/32",
		"g.ip6.arpa":               "",
		"example.org":              "",
		"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa": "",
		"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa":   "fd00::1/128",
	} {
		p, ok := z.block()
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("%s: %s, %v, want %q", z, p, ok, want)
		}
	}
}
