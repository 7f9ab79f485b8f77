//go:build guest

package observe

import (
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// seen looks, and fails if a part was missed that the test is about.
func seen(t testing.TB, parts string, needs ...state.Need) *state.State {
	t.Helper()
	nstest.Require(t)
	st := Look(t.Context(), Options{Needs: needs})
	for part := range strings.FieldsSeq(parts) {
		if why, missed := st.Missed[part]; missed {
			t.Fatalf("%s: %s", part, why)
		}
	}
	return st
}

// A machine with a device tree, and a kernel that does not tell its configuration.
func TestGuestMachine(t *testing.T) {
	if runtime.GOARCH != "arm64" {
		t.Errorf("this is %s", runtime.GOARCH)
	}
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		t.Fatal(err)
	}
	st := seen(t, "board modules", needs(state.NeedModule, "virtio_net", "nft_flow_offload", "nft-flow-offload", "virtio_console", "no_such")...)
	if st.Board == nil || len(st.Board.Compatible) != 1 || st.Board.Compatible[0] != "linux,dummy-virt" {
		t.Errorf("%+v", st.Board)
	}
	if mem := st.Board.MemTotal; mem < 800<<10 || mem > 1<<20 {
		t.Errorf("%d kB of a GiB", mem)
	}
	if st.Kernel == nil || st.Kernel.Release != unix.ByteSliceToString(uts.Release[:]) || !strings.HasSuffix(st.Kernel.Release, "-arm64") {
		t.Errorf("%+v", st.Kernel)
	}
	if why := st.Missed["kernel"]; !strings.Contains(why, "/proc/config.gz") {
		t.Errorf("the configuration: %q", why)
	}
	want := map[string]string{
		"virtio_net": "loaded", "nft_flow_offload": "available", "nft-flow-offload": "available", "virtio_console": "builtin",
	}
	if d := cmp.Diff(want, st.Modules); d != "" {
		t.Error(d)
	}
}
