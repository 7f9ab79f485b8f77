package netstate

import (
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// What this machine's kernel may not have: the tests are in guest_amd64_test.go.
func TestBenchC(t *testing.T) {
	lab.Guest{Arch: lab.AMD64, Modules: []string{
		"8021q", "bonding", "bridge", "dummy", "macvlan", "virtio_net", "vrf", "vxlan", "wireguard",
	}}.Test(t)
}

// A switch, on the router's processor: the tests are in guest_arm64_test.go.
func TestBenchD(t *testing.T) {
	// The switch takes eth0 for its conduit when it is loaded.
	lab.Guest{Arch: lab.ARM64, Modules: []string{"bridge", "virtio_net", "tag_mtk", "dsa_loop"}}.Test(t)
}
