package referee_test

import (
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
)

// TestBenchD runs the program itself, as the router gets it, on the router's processor with a
// switch and the article's spec. What it is asked is in guest_arm64_test.go.
func TestBenchD(t *testing.T) {
	lab.Guest{
		Arch:    lab.ARM64,
		Modules: []string{"bridge", "virtio_net", "tag_mtk", "dsa_loop"},
		Copy: map[string]string{
			"/bin/nbr": lab.Program(t, lab.ARM64, "github.com/nbr-dev/nbr/cmd/nbr"),
			"/spec":    "../../testdata/routers/bpi-r4",
		},
	}.Test(t)
}
