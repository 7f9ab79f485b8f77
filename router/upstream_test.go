package router

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
)

func fixedNet(name, prefix string) *Network {
	n := &Network{IPv4: conf.Of(Address4{Fixed{netip.MustParsePrefix(prefix)}})}
	n.Addr = conf.Addr{Type: "network", Name: name}
	return n
}

// TestMarkUpstreams masquerades towards a network, beside one that is an upstream by
// itself and beside none.
func TestMarkUpstreams(t *testing.T) {
	tests := []struct {
		name, prefix string
		elsewhere    bool
		want         string
	}{
		{"the only way out", "192.168.1.2/24", false, "policy.p masquerades towards it"},
		{"inside", "192.168.1.1/24", true, ""},
		{"a second provider", "203.0.113.2/30", true, "policy.p masquerades towards it"},
		{"a provider's NAT", "100.64.0.2/24", true, "policy.p masquerades towards it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n, wan := fixedNet("n", tt.prefix), fixedNet("wan", "198.51.100.2/24")
			wan.Gateway.Set = tt.elsewhere
			z := &Zone{Networks: conf.Refs[*Network]{Items: []conf.Ref[*Network]{{Target: n}}}}
			p := &Policy{To: conf.Refs[Endpoint]{Items: []conf.Ref[Endpoint]{{Target: z}}}, Masquerade: conf.Of(true)}
			p.Addr = conf.Addr{Type: "policy", Name: "p"}
			r := &Router{Networks: []*Network{n, wan}, Policies: []*Policy{p}}
			r.MarkUpstreams(nil)
			why := ""
			if by := n.UpstreamBy(); by != nil {
				why = by.Why
			}
			if why != tt.want {
				t.Errorf("%q, want %q", why, tt.want)
			}
		})
	}
}

// Networks on the link of an upstream are upstreams, and say which network makes them so: the first
// one there. A network without a link that could be read has no neighbours.
func TestSharedUpstreams(t *testing.T) {
	on := func(n *Network, l Link) *Network {
		n.Link.Target = l
		return n
	}
	leads := func(n *Network) *Network {
		n.Gateway.Set = true
		return n
	}
	outside, inside := &Bridge{}, &Bridge{}
	lost := leads(fixedNet("lost", "198.51.100.2/24"))
	wan := on(leads(fixedNet("wan", "203.0.113.2/24")), outside)
	second := on(leads(fixedNet("second", "203.0.114.2/24")), outside)
	beside := on(fixedNet("beside", "192.168.100.2/24"), outside)
	lan := on(fixedNet("lan", "192.168.1.1/24"), inside)
	alone := fixedNet("alone", "192.168.2.1/24")
	r := &Router{Networks: []*Network{lost, wan, second, beside, lan, alone}}
	r.MarkUpstreams(nil)
	for n, want := range map[*Network]string{
		beside: "network.wan is on the same link",
		lan:    "", alone: "",
	} {
		why := ""
		if by := n.UpstreamBy(); by != nil {
			why = by.Why
		}
		if (why == "") != (want == "") || !strings.HasPrefix(why, want) {
			t.Errorf("%s: %q, want %q", n.Addr, why, want)
		}
	}
	for _, n := range []*Network{lost, wan, second} {
		if !n.Upstream() || n.upstream != nil {
			t.Errorf("%s: upstream %t by %v, and it is one by itself", n.Addr, n.Upstream(), n.upstream)
		}
	}
}

// A network is private when every address that the router has there is fixed and for private use.
func TestPrivate(t *testing.T) {
	six := func(n *Network, how Address6) *Network {
		n.IPv6 = conf.Of(how)
		return n
	}
	for _, tt := range []struct {
		n    *Network
		want bool
	}{
		{&Network{}, false},
		{fixedNet("inner", "192.168.1.1/24"), true},
		{fixedNet("public", "203.0.113.1/24"), false},
		{six(fixedNet("ula", "192.168.1.1/24"), Address6{Fixed{netip.MustParsePrefix("fd00::1/64")}}), true},
		{six(fixedNet("half", "192.168.1.1/24"), Address6{Fixed{netip.MustParsePrefix("2001:db8::1/64")}}), false},
		{six(fixedNet("later", "192.168.1.1/24"), Address6{ByAdvertisement{}}), false},
	} {
		if got := tt.n.private(); got != tt.want {
			t.Errorf("%s: %t", tt.n.Addr, got)
		}
	}
}
