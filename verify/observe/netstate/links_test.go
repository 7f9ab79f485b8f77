package netstate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/looktest"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

func TestHardware(t *testing.T) {
	dir := looktest.Folder(t, map[string]string{
		"sys/class/net/wan/addr_assign_type": "0\n", "sys/class/net/wan/speed": "1000\n",
		"sys/class/net/end1/addr_assign_type": "1\n", "sys/class/net/end1/speed": "-1\n",
	})
	for _, tt := range []struct {
		name       string
		link, want state.Link
	}{
		{"wan", state.Link{Kind: "dsa", MAC: "02:00:00:00:00:01"}, state.Link{Kind: "dsa", MAC: "02:00:00:00:00:01", MACFrom: "permanent", Speed: 1000}},
		{"end1", state.Link{MAC: "02:00:00:00:00:02"}, state.Link{MAC: "02:00:00:00:00:02", MACFrom: "random"}},
		{"gone", state.Link{MAC: "02:00:00:00:00:03"}, state.Link{MAC: "02:00:00:00:00:03"}},
		{"wan", state.Link{Kind: "veth", MAC: "02:00:00:00:00:04"}, state.Link{Kind: "veth", MAC: "02:00:00:00:00:04"}},
	} {
		if d := cmp.Diff(tt.want, hardware(root.Root(dir), tt.name, tt.link)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
}
