package sockets

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/looktest"
)

const sockets6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: B80D0120000000000000000001000000:0035 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 13 1 0 100 0 0 10 0
   1: 0000000000000000FFFF00000201A8C0:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 14 1 0 100 0 0 10 0
`

func TestSockets(t *testing.T) {
	const heading = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	looktest.Parse(t, func(b []byte) (any, error) {
		list, err := parseSockets(b)
		out := []string{}
		for _, s := range list {
			out = append(out, fmt.Sprint(s.local, s.remote, s.state, s.inode, s.unread))
		}
		return out, err
	},
		looktest.Is("tcp", heading+"   0: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 15 1 0 100 0 0 10 0\n", []string{"127.0.0.1:631 0.0.0.0:0 10 15 0"}),
		looktest.Is("tcp6, one of it mapped", sockets6, []string{"[2001:db8::1]:53 [::]:0 10 13 0", "192.168.1.2:22 [::]:0 10 14 0"}),
		looktest.Is("udp, with a packet in its queue", heading+"   0: 00000000:0035 00000000:0000 07 00000000:00000300 00:00000000 00000000     0        0 16 2 0 0\n", []string{"0.0.0.0:53 0.0.0.0:0 7 16 768"}),
		looktest.Is("none", heading, []string{}),
		looktest.Fails("nothing", "", "no heading"),
		looktest.Fails("another file", "Inter-|   Receive\n", "no heading"),
		looktest.Fails("cut off", heading+"   0: 0100007F:0277 00000000:0000 0A", "line 2: too short"),
		looktest.Fails("no port", heading+" 0: 0100007F 00000000:0000 0A 0 0 0 0 0 15", "is no address"),
		looktest.Fails("a long address", heading+" 0: 0100007F0:1 00000000:0000 0A 0 0 0 0 0 15", "is no address"),
		looktest.Fails("no hexadecimal", heading+" 0: 0100007G:1 00000000:0000 0A 0 0 0 0 0 15", "is no address"),
		looktest.Fails("a huge port", heading+" 0: 0100007F:10000 00000000:0000 0A 0 0 0 0 0 15", "is no address"),
		looktest.Fails("a bad state", heading+" 0: 0100007F:1 00000000:0000 XX 0 0 0 0 0 15", "state"),
		looktest.Fails("a bad inode", heading+" 0: 0100007F:1 00000000:0000 0A 0 0 0 0 0 -1", "inode"),
		looktest.Fails("a bad queue", heading+" 0: 0100007F:1 00000000:0000 0A 0 0 0 0 0 15", "queue"),
	)
}

func TestSocketsThatWait(t *testing.T) {
	for line, want := range map[string]bool{
		"tcp 0: 00000000:0016 00000000:0000 0A": true,
		"tcp 0: 00000000:0016 01000000:0016 01": false,
		"udp 0: 00000000:0043 00000000:0000 07": true,
		"udp 0: 0100007F:0043 0100007F:0044 01": false, // connected
		"udp 0: 00000000:0000 00000000:0000 07": false, // not bound
	} {
		protocol, rest, _ := strings.Cut(line, " ")
		s, err := parseSocket(strings.Fields(rest + " 0:0 0 0 0 0 15"))
		if err != nil {
			t.Fatal(err)
		}
		if got := s.waits(protocol); got != want {
			t.Errorf("%s: %t", line, got)
		}
	}
}

// A socket that was taken from its program and is still there for a while is not the kernel's.
func TestListenersThatAreAboutToGo(t *testing.T) {
	looks := 0
	sockets := func() ([]waiting, error) {
		looks++
		list := []waiting{{inode: 1}, {inode: 2}}
		if looks < 3 {
			list = append(list, waiting{inode: 3})
		}
		return list, nil
	}
	got, err := left(t.Context(), map[uint64]string{1: "sshd", 2: "", 3: "", 4: ""}, sockets)
	if d := cmp.Diff(map[uint64]bool{2: true}, got); d != "" || err != nil {
		t.Errorf("%v: %s", err, d)
	}
	// Where each has an owner there is nothing to wait for.
	looks = 0
	if got, err := left(t.Context(), map[uint64]string{1: "sshd"}, sockets); len(got) > 0 || err != nil || looks > 0 {
		t.Errorf("%v %v after %d looks", got, err, looks)
	}
	if _, err := left(t.Context(), map[uint64]string{2: ""}, func() ([]waiting, error) { return nil, net.ErrClosed }); !errors.Is(err, net.ErrClosed) {
		t.Errorf("what cannot be read: %v", err)
	}
}

// Parsers may refuse a text; they may not fall over it.
func FuzzParsers(f *testing.F) {
	for _, s := range []string{"", sockets6, "socket:[12]"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		sockets, err := parseSockets(b)
		for _, s := range sockets {
			if err == nil && (!s.local.Addr().IsValid() || s.local.Addr().Is4In6()) {
				t.Errorf("socket: %v", s)
			}
		}
		_, _ = socketInode(string(b))
		_, _, _ = parsePacketSockets(b, 1)
		_, _ = parseThread(b)
	})
}
