package router

import (
	"net/netip"
	"testing"

	"github.com/nbr-dev/nbr/hcl/conf"
)

// A host's address by its interface identifier is in networks of 64 bits and shorter ones: in
// others the identifier would cut into the prefix.
func TestFixedIPv6(t *testing.T) {
	for prefix, want := range map[string]string{
		"2001:db8:1:2::1/64": "2001:db8:1:2::10", "2001:db8:1:2::1/48": "2001:db8:1::10", "2001:db8:1:2::1/65": "", "2001:db8:1:2::1/127": "",
	} {
		h := &Host{IPv6: conf.Of(InterfaceID(0x10))}
		h.IPv6.Set = true
		h.Network.Target = &Network{IPv6: conf.Of(Address6{Fixed{netip.MustParsePrefix(prefix)}})}
		got, ok := h.FixedIPv6()
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %s, %v, want %s", prefix, got, ok, want)
		}
		h.IPv6.Set = false
		if got, ok := h.FixedIPv6(); ok {
			t.Errorf("%s without an identifier: %s", prefix, got)
		}
	}
}
