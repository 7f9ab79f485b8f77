package image_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/nbr-dev/nbr/firmware/image"
)

func TestMoveBackup(t *testing.T) {
	t.Parallel()
	const block = 4 << 20
	disk := makeDisk(t, rootEnd, nixosSBC...)
	head, sectors := disk[:block], int64(len(disk)/sector)
	le := binary.LittleEndian
	same := func([]byte, []byte) {}
	for _, tt := range []struct {
		name    string
		sectors int64
		change  func(header, entries []byte)
		patches int
		want    string
	}{
		{"a larger card", 80000, same, 4, ""},
		{"the same size", sectors, same, 0, ""},
		{"a table that was never at the end", 80000, func(h, _ []byte) { le.PutUint64(h[32:], 90000) }, 3, ""},
		{"a table in the way of a partition", 80000, func(h, _ []byte) { le.PutUint64(h[32:], 20000) }, 3, ""},
		{"just room", rootEnd + 34, same, 3, ""},
		{"no room", rootEnd + 33, same, 0, "the last partition ends at LBA 25599, and on a card of 25632 sectors there is no room"},
		{"a partition without end", 80000, func(_, e []byte) { le.PutUint64(e[40:], 1<<64-1) }, 0, "the last partition ends at LBA 18446744073709551615, and"},
		{"no entries", 80000, func(h, _ []byte) { le.PutUint32(h[80:], 0) }, 0, "has a wrong field: 0 entries of 128 bytes"},
		{"entries of nothing", 80000, func(h, _ []byte) { le.PutUint32(h[84:], 0) }, 0, "has a wrong field: 128 entries of 0 bytes"},
		{"entries of 100 bytes", 80000, func(h, _ []byte) { le.PutUint32(h[84:], 100) }, 0, "has a wrong field: 128 entries of 100 bytes"},
		{"entries elsewhere", 80000, func(h, _ []byte) { le.PutUint64(h[72:], 1<<63) }, 0, "are said to be at LBA 9223372036854775808"},
		{"entries at the end of what was kept", 80000, func(h, _ []byte) { le.PutUint64(h[72:], block/sector-1) }, 0, "ends before byte"},
	} {
		head := bytes.Clone(head)
		header, entries := head[sector:2*sector], head[2*sector:][:128*128]
		tt.change(header, entries)
		sealed(header, entries)
		ps, err := image.MoveBackup(head, tt.sectors*sector)
		if (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) || len(ps) != tt.patches {
			t.Errorf("%s: %d patches, %v; want %d, %s", tt.name, len(ps), err, tt.patches, tt.want)
		}
	}
	// A protective partition that is not for the whole of the image stays as it is.
	hybrid := bytes.Clone(head)
	le.PutUint32(hybrid[446+12:], 33)
	ps, err := image.MoveBackup(hybrid, 80000*sector)
	if err != nil || len(ps) != 4 || !bytes.Equal(ps[1].Bytes, hybrid[:sector]) {
		t.Errorf("%v, %v", ps, err)
	}
}
