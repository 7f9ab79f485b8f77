package referee_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/nbr-dev/nbr/internal/lab"
	"github.com/nbr-dev/nbr/internal/nstest"
)

func TestMain(m *testing.M) {
	// Most tests wait for a daemon or for packets that do not come, so more of them than there
	// are cores go side by side.
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	nstest.Main(m)
}

// program is nbr as it would be on a router.
var program = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "nbr")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	built := filepath.Join(dir, "nbr")
	build := exec.Command("go", "build", "-o", built, "../../cmd/nbr")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if _, err := nstest.Output(build); err != nil {
		return nil, err
	}
	return os.ReadFile(built)
})

// installNBR puts nbr where a router of the lab runs it.
func installNBR(t *testing.T, root *lab.Root, path string) {
	t.Helper()
	nbr, err := program()
	if err != nil {
		t.Fatal(err)
	}
	root.Write(t, path, string(nbr))
	if err := os.Chmod(root.Path(path), 0o755); err != nil {
		t.Fatal(err)
	}
}
