package referee_test

import (
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// The tables of neighbours are the kernel's and not a namespace's: a scan would fill those of
// this computer. The tests are in guest_amd64_test.go.
func TestBenchC(t *testing.T) {
	lab.Guest{Arch: lab.AMD64, Modules: []string{"veth"}, Copy: map[string]string{"/spec": article}}.Test(t)
}
