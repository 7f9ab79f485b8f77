package observe

import (
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// The router's processor, with a device tree: the test is in guest_arm64_test.go.
func TestBenchD(t *testing.T) {
	lab.Guest{Arch: lab.ARM64, Modules: []string{"virtio_net"}}.Test(t)
}
