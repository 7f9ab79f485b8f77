package netstate

import (
	"os"
	"path/filepath"
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

// TestSlot reads where a port is from its path, as udev's path_id does.
func TestSlot(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "sys/class/net"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ path, want string }{
		"wan":    {"platform/soc/15100000.ethernet/net/wan", ""},
		"lan1":   {"pci0000:00/0000:00:1c.0/0000:02:00.1/net/lan1", "0000:02:00.1"},
		"behind": {"pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0/net/behind", "10000:e1:00.0"},
		"virt":   {"pci0000:00/0000:00:03.0/virtio0/net/virt", "0000:00:03.0"},
		"stick":  {"pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/net/stick", ""},
		"radio":  {"pci0000:00/0000:04:00.0/ieee80211/phy0/net/radio", ""},
	} {
		if err := os.Symlink("../../devices/"+tt.path, filepath.Join(dir, "sys/class/net", name)); err != nil {
			t.Fatal(err)
		}
		link := hardware(root.Root(dir), name, state.Link{MAC: "02:00:00:00:00:01", PermanentMAC: "02:00:00:00:00:02"})
		if link.PCI != tt.want || link.PermanentMAC != "02:00:00:00:00:02" {
			t.Errorf("%s: %+v, want %s", name, link, tt.want)
		}
	}
	if link := hardware(root.Root(dir), "lan1", state.Link{Kind: "vlan", MAC: "02:00:00:00:00:01", PermanentMAC: "02:00:00:00:00:02"}); link.PCI != "" || link.PermanentMAC != "" {
		t.Errorf("a VLAN has what its port has: %+v", link)
	}
}
