package observe

import (
	"net"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/state"
)

// A neighbour has the router's address and serves there. What the router is asked stays on
// the machine, so nothing is known of it; with the address the machine answers itself.
func TestTheRouterItselfIsAsked(t *testing.T) {
	far := nstest.New(t, "far")
	nstest.Link(t, new(nstest.NS), "far0", far, "eth0")
	run(t, "addr add 192.0.2.1/24 dev far0\n", "ip", "-batch", "-")
	far.Run(t, "ip", "addr", "add", "192.0.2.9/24", "dev", "eth0")
	carrier(t, "far0")
	server := far.Command(t, "python3", "-c", `
import socket
s = socket.create_server(("192.0.2.9", 22))
while True:
    c, _ = s.accept()
    c.sendall(b"SSH-2.0-neighbour\r\n")
`)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Process.Kill(); _ = server.Wait() })
	nstest.Wait(t, func() error { // the neighbour can be reached
		c, err := net.Dial("tcp", "192.0.2.9:22")
		if err == nil {
			err = c.Close()
		}
		return err
	})
	want := state.Banner{Error: "dial tcp 192.0.2.9:22: no address of this machine"}
	if got := asked(t, state.NeedBanner, "192.0.2.9:22").Banners["192.0.2.9:22"]; got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := asked(t, state.NeedAnswer, "192.0.2.9 . SOA").Answers["192.0.2.9 . SOA"]; got.Error != "dial udp 192.0.2.9:53: no address of this machine" {
		t.Errorf("%+v", got)
	}
	run(t, "addr add 192.0.2.9/32 dev far0\n", "ip", "-batch", "-")
	if got := asked(t, state.NeedBanner, "192.0.2.9:22").Banners["192.0.2.9:22"]; got != (state.Banner{}) {
		t.Errorf("nothing listens here, and it is %+v", got)
	}
}
