package referee_test

import (
	"os"
	"path/filepath"
	"testing"

	own "github.com/nbr-dev/nbr"
	"github.com/nbr-dev/nbr/flake"
	"github.com/nbr-dev/nbr/internal/lab"
)

// TestBenchD runs the program itself, as the router gets it, on the router's processor with a
// switch and the article's spec. What it is asked is in guest_arm64_test.go.
func TestBenchD(t *testing.T) {
	t.Parallel()
	archive, err := flake.Archive(own.Source())
	if err != nil {
		t.Fatal(err)
	}
	source := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(source, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	lab.Guest{
		Arch:    lab.ARM64,
		Modules: []string{"bridge", "virtio_net", "tag_mtk", "dsa_loop"},
		Copy: map[string]string{
			"/bin/nbr": lab.Program(t, lab.ARM64, "github.com/nbr-dev/nbr/cmd/nbr"),
			"/spec":    "../../testdata/routers/bpi-r4",
			"/source":  source,
		},
	}.Test(t)
}
