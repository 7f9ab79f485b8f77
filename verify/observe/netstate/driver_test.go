package netstate

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/observe/root"
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

// No driver that has EEE is at hand: these are answers as ethnl_fill_reply of eee.c writes them.
func TestParseEEE(t *testing.T) {
	attr := func(typ uint16, value ...byte) []byte {
		b := binary.NativeEndian.AppendUint16(nil, uint16(unix.SizeofRtAttr+len(value)))
		b = append(binary.NativeEndian.AppendUint16(b, typ), value...)
		return append(b, make([]byte, align(len(b))-len(b))...)
	}
	header := []byte{unix.ETHTOOL_MSG_EEE_GET_REPLY, 1, 0, 0}
	name := attr(unix.ETHTOOL_A_EEE_HEADER|unix.NLA_F_NESTED, attr(unix.ETHTOOL_A_HEADER_DEV_NAME, []byte("lan1\x00")...)...)
	for _, tt := range []struct {
		want  string
		wrong bool
		m     []byte
	}{
		{want: "on", m: slices.Concat(header, name, attr(unix.ETHTOOL_A_EEE_ACTIVE, 0), attr(unix.ETHTOOL_A_EEE_ENABLED, 1))},
		{want: "off", m: slices.Concat(header, name, attr(unix.ETHTOOL_A_EEE_ACTIVE, 1), attr(unix.ETHTOOL_A_EEE_ENABLED, 0), attr(unix.ETHTOOL_A_EEE_TX_LPI_ENABLED, 1))},
		{wrong: true, m: slices.Concat(header, name)},
		{wrong: true, m: header[:3]},
		{wrong: true, m: append(slices.Clone(header), 200, 0, 5, 0)},
	} {
		if got, err := parseEEE(tt.m); got != tt.want && !tt.wrong || (err != nil) != tt.wrong {
			t.Errorf("%x: %q, %v", tt.m, got, err)
		}
	}
}
