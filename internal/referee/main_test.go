package referee_test

import (
	"flag"
	"testing"

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
