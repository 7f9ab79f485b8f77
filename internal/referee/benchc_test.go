package referee_test

import (
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// What no namespace has of its own: the tests are in guest_amd64_test.go.
func TestBenchC(t *testing.T) {
	lab.Guest{Arch: lab.AMD64, Modules: []string{"veth"}}.Test(t)
}
