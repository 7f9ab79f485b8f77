package router

import "testing"

func TestVLANAware(t *testing.T) {
	for want, b := range map[bool]*BridgeSpec{false: {}, true: {VLANs: []*PortVLANs{{}}}} {
		if got := b.VLANAware(); got != want {
			t.Errorf("a bridge with %d VLANs: %v", len(b.VLANs), got)
		}
	}
}
