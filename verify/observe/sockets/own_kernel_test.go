package sockets

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/nbr-dev/nbr/internal/nstest"
	"github.com/nbr-dev/nbr/verify/probe"
)

// A neighbour has the router's address and serves there. What the router is asked stays on
// the machine, so nothing is known of it; with the address the machine answers itself.
func TestTheRouterItselfIsAsked(t *testing.T) {
	here, far := new(nstest.NS), nstest.New(t, "far")
	nstest.Link(t, here, "far0", far, "eth0")
	nstest.Run(t, "addr add 192.0.2.1/24 dev far0\n", "ip", "-batch", "-")
	far.Run(t, "ip", "addr", "add", "192.0.2.9/24", "dev", "eth0")
	here.Carrier(t, "far0")
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
	for network, address := range map[string]string{"tcp": "192.0.2.9:22", "udp": "192.0.2.9:53"} {
		_, err := dial(t, network, address)
		if !errors.Is(err, errNotOwn) || err.Error() != "dial "+network+" "+address+": no address of this machine" || probe.Silent(err) {
			t.Errorf("%s %s: %v", network, address, err)
		}
	}
	nstest.Run(t, "addr add 192.0.2.9/32 dev far0\n", "ip", "-batch", "-")
	if _, err := dial(t, "tcp", "192.0.2.9:22"); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("nothing listens here, and it is %v", err)
	}
}
