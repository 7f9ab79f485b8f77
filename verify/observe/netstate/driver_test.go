package netstate

import (
	"encoding/binary"
	"errors"
	"os/exec"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe/root"
	"github.com/nbr-dev/nbr/verify/state"
)

func TestDriver(t *testing.T) {
	nstest.IP(t, "link add d0 type veth peer name d1\nlink set d0 alias \"Größe, Dose 7\"\n", "link del d0\n")
	d, err := Driver("d0")
	if err != nil || d.EEE != "" || !slices.Contains(d.Features, "tx-tcp-segmentation") || slices.Contains(d.Features, "rx-lro") || !slices.IsSorted(d.Features) {
		t.Errorf("a veth: %+v, %v", d, err)
	}
	if got := seen(t).Links["d0"].Alias; got != "Größe, Dose 7" {
		t.Errorf("alias: %q", got)
	}
	if _, err := Driver("no-such"); !errors.Is(err, root.ErrNotThere) {
		t.Errorf("a link that is not there: %v", err)
	}
}

// A tap device has a speed and interrupts after a number of packets, which can be set, and nothing else.
func TestTapDriver(t *testing.T) {
	nstest.IP(t, "tuntap add d0 mode tap\n", "link del d0\n")
	for _, change := range [][]string{{"-C", "d0", "rx-frames", "5"}, {"-s", "d0", "speed", "100", "duplex", "full", "autoneg", "on"}} {
		if out, err := exec.CommandContext(t.Context(), "ethtool", change...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	got, err := Driver("d0")
	got.Features = nil
	five := 5
	if d := cmp.Diff(state.Driver{Autoneg: "on", Speed: 100, Duplex: "full", RxFrames: &five}, got); d != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, d)
	}
}

// No driver that has all of it is at hand: these are answers as ethnl_fill_reply of eee.c, linkmodes.c,
// rings.c and coalesce.c writes them.
func TestAnswers(t *testing.T) {
	attr := func(typ uint16, value ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(value)))
		b = append(binary.NativeEndian.AppendUint16(b, typ), value...)
		return append(b, make([]byte, align(len(b))-len(b))...)
	}
	u32 := func(typ uint16, n uint32) []byte { return attr(typ, binary.NativeEndian.AppendUint32(nil, n)...) }
	header := []byte{unix.ETHTOOL_MSG_EEE_GET_REPLY, 1, 0, 0}
	name := attr(unix.ETHTOOL_A_EEE_HEADER|unix.NLA_F_NESTED, attr(unix.ETHTOOL_A_HEADER_DEV_NAME, []byte("lan1\x00")...)...)
	mode := func(index uint32, name string, offered bool) []byte {
		b := slices.Concat(u32(unix.ETHTOOL_A_BITSET_BIT_INDEX, index), attr(unix.ETHTOOL_A_BITSET_BIT_NAME, append([]byte(name), 0)...))
		if offered {
			b = append(b, attr(unix.ETHTOOL_A_BITSET_BIT_VALUE)...)
		}
		return attr(unix.ETHTOOL_A_BITSET_BITS_BIT|unix.NLA_F_NESTED, b...)
	}
	ours := attr(unix.ETHTOOL_A_LINKMODES_OURS|unix.NLA_F_NESTED, slices.Concat(u32(unix.ETHTOOL_A_BITSET_SIZE, 103),
		attr(unix.ETHTOOL_A_BITSET_BITS|unix.NLA_F_NESTED, slices.Concat(mode(3, "100baseT/Full", false), mode(5, "1000baseT/Full", true), mode(6, "Autoneg", true),
			mode(0, "10baseT/Half", true), mode(1, "10baseT/Full", true))...))...)
	n := func(n int) *int { return &n }
	for _, tt := range []struct {
		read  func(*state.Driver, uint16, []byte) error
		want  state.Driver
		wrong bool
		m     []byte
	}{
		{readEEE, state.Driver{EEE: "on"}, false, slices.Concat(header, name, attr(unix.ETHTOOL_A_EEE_ACTIVE, 0), attr(unix.ETHTOOL_A_EEE_ENABLED, 1))},
		{readEEE, state.Driver{EEE: "off"}, false, slices.Concat(header, name, attr(unix.ETHTOOL_A_EEE_ACTIVE, 1), attr(unix.ETHTOOL_A_EEE_ENABLED, 0), attr(unix.ETHTOOL_A_EEE_TX_LPI_ENABLED, 1))},
		{readEEE, state.Driver{}, true, header[:3]},
		{readEEE, state.Driver{}, true, append(slices.Clone(header), 200, 0, 5, 0)},
		{readLinkModes, state.Driver{Autoneg: "on", Advertised: []int{10, 1000}, AdvertisedHalf: []int{10}}, false, slices.Concat(header, name, attr(unix.ETHTOOL_A_LINKMODES_AUTONEG, 1), ours, u32(unix.ETHTOOL_A_LINKMODES_SPEED, 0xffffffff))},
		{readLinkModes, state.Driver{Autoneg: "off", Speed: 2500, Duplex: "full"}, false, slices.Concat(header, name, attr(unix.ETHTOOL_A_LINKMODES_AUTONEG, 0), u32(unix.ETHTOOL_A_LINKMODES_SPEED, 2500), attr(unix.ETHTOOL_A_LINKMODES_DUPLEX, 1))},
		{readLinkModes, state.Driver{Duplex: "half"}, false, slices.Concat(header, name, attr(unix.ETHTOOL_A_LINKMODES_DUPLEX, 0))},
		{readLinkModes, state.Driver{}, false, slices.Concat(header, name, attr(unix.ETHTOOL_A_LINKMODES_DUPLEX, 0xff))},
		{readLinkModes, state.Driver{}, true, slices.Concat(header, attr(unix.ETHTOOL_A_LINKMODES_OURS|unix.NLA_F_NESTED, 200, 0, 3, 0))},
		{readRings, state.Driver{RxRing: n(512), TxRing: n(256)}, false, slices.Concat(header, name, u32(unix.ETHTOOL_A_RINGS_RX_MAX, 4096), u32(unix.ETHTOOL_A_RINGS_RX, 512), u32(unix.ETHTOOL_A_RINGS_TX, 256))},
		{
			readCoalesce,
			state.Driver{RxUsecs: n(50), TxUsecs: n(0), RxFrames: n(8), TxFrames: n(9), AdaptiveRx: "on", AdaptiveTx: "off"},
			false,
			slices.Concat(header, name, u32(unix.ETHTOOL_A_COALESCE_RX_USECS, 50), u32(unix.ETHTOOL_A_COALESCE_TX_USECS, 0), u32(unix.ETHTOOL_A_COALESCE_RX_MAX_FRAMES, 8),
				u32(unix.ETHTOOL_A_COALESCE_TX_MAX_FRAMES, 9), attr(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_RX, 1), attr(unix.ETHTOOL_A_COALESCE_USE_ADAPTIVE_TX, 0)),
		},
	} {
		var got state.Driver
		err := parseAnswer(tt.m, func(attr uint16, v []byte) error { return tt.read(&got, attr, v) })
		if d := cmp.Diff(tt.want, got); d != "" && !tt.wrong || (err != nil) != tt.wrong {
			t.Errorf("%x: %v (-want +got)\n%s", tt.m, err, d)
		}
	}
}
