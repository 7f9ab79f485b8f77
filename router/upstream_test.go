package router

import (
	"net/netip"
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
