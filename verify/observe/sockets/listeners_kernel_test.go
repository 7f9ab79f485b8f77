package sockets

import (
	"net"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// listeners are those of this machine, which must be to be had.
func listeners(t *testing.T) []state.Listener {
	t.Helper()
	nstest.Require(t)
	list, err := Listeners(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// listen opens sockets of each sort.
func listen(t *testing.T) {
	t.Helper()
	nstest.Require(t)
	for network, addr := range map[string]string{"tcp4": "127.0.0.1:1001", "tcp6": "[::1]:1002", "tcp": ":1003"} {
		s, err := net.Listen(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
	}
	for network, addr := range map[string]string{"udp4": "127.0.0.1:1004", "udp6": "[::1]:1005"} {
		s, err := net.ListenPacket(network, addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
	}
	s, err := net.Dial("udp4", "127.0.0.1:1004")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
}

// A resolver opens a socket for each question and closes it again. That no process has it any
// more does not make it the kernel's.
func TestListenersThatComeAndGo(t *testing.T) {
	nstest.Require(t)
	done := make(chan bool)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if c, err := net.ListenPacket("udp", ":0"); err == nil {
					c.Close()
				}
			}
		})
	}
	for range 20 {
		for _, l := range listeners(t) {
			if l.Program == "" {
				t.Errorf("no process has %s port %d", l.Protocol, l.Port)
			}
		}
	}
	close(done)
	wg.Wait()
}

func TestListeners(t *testing.T) {
	listen(t)
	nstest.IP(t, "link add vx0 type vxlan id 1 dstport 4789 dev lo\nlink set vx0 up\n", "link del vx0\n")
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	me := strings.TrimSpace(string(comm))
	want := []state.Listener{
		{Protocol: "tcp", Address: "127.0.0.1", Port: 1001, Program: me},
		{Protocol: "tcp", Address: "::1", Port: 1002, Program: me},
		{Protocol: "tcp", Address: "::", Port: 1003, Program: me},
		{Protocol: "udp", Address: "127.0.0.1", Port: 1004, Program: me},
		{Protocol: "udp", Address: "::1", Port: 1005, Program: me},
		{Protocol: "udp", Address: "0.0.0.0", Port: 4789}, // the kernel's
	}
	if d := cmp.Diff(want, listeners(t)); d != "" {
		t.Error(d)
	}
}
